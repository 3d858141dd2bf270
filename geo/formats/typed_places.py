"""One typed place: decimal degrees, degrees-minutes-seconds, or Gauss-Krüger metres with or without zone prefix."""

import re
from dataclasses import dataclass

import numpy as np
import pyproj

from geo.formats.datum import Datum, transform

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_BEFORE = r"(?P<before>[NSEW]|[东西]经|[南北]纬|[东西南北经纬]|[经纬]度)?\s*[:：]?\s*"
_AFTER = r"\s*(?P<after>[NSEW](?![A-Za-z]))?"
_SEXAGESIMAL = (
    rf"(?P<degrees>{_NUMBER})\s*[°度]\s*(?:(?P<minutes>\d+(?:\.\d+)?)\s*['′’分]\s*)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)\s*(?:\"|″|”|''|秒))?"
)
_DECIMAL = rf"(?P<value>{_NUMBER})"
_NOTATIONS = tuple(
    (re.compile(_BEFORE + number, re.IGNORECASE), re.compile(number + _AFTER, re.IGNORECASE))
    for number in (_SEXAGESIMAL, _DECIMAL)
)
"""Each way to write a number, with its mark before it and after it: never both, or E105 N26 would be 105 N."""
_LEADING = re.compile(r"\s*[NSEW东西南北经纬]", re.IGNORECASE)
_EAST, _NORTH = frozenset("EW东西经"), frozenset("NS南北纬")
_WIDTH = 1_000_000.0


@dataclass(frozen=True)
class Degrees:
    """A typed place, degrees; `exact` where it came in metres, whose datum is known."""

    longitude: float
    latitude: float
    exact: bool = False

    def wgs84(self, datum: Datum) -> tuple[float, float]:
        """The place in WGS 84, taken to be typed in `datum`."""
        if self.exact or datum.move is None:
            return self.longitude, self.latitude
        east, north = datum.move(np.array([self.longitude]), np.array([self.latitude]))
        return float(east[0]), float(north[0])


def degrees_in(text: str, crs: pyproj.CRS) -> Degrees | None:
    """
    The place a text names, whichever of its two numbers comes first; None where it names none.

    Degrees are told from metres by their size, easting from northing by its zone prefix or, without one, by where the
    county's own zone `crs` has them; longitude from latitude by letters, words or size.

    >>> degrees_in("26.7123, 105.2345", pyproj.CRS(4544))
    Degrees(longitude=105.2345, latitude=26.7123, exact=False)
    >>> degrees_in("北纬26°42′44.28″ 东经105°14′4.2″", pyproj.CRS(4544))
    Degrees(longitude=105.2345, latitude=26.7123, exact=False)
    """
    pair = _pair(text)
    if pair is None:
        return None
    (one, first), (other, second) = pair
    if max(abs(one), abs(other)) > 180.0:
        return _metres(one, other, crs) if not (first or second) else None
    if first == "N" or second == "E" or (not first and not second and abs(other) > 90.0 >= abs(one)):
        one, other = other, one
    elif not (first or second) and abs(one) <= 90.0 and abs(other) <= 90.0:
        return None
    return Degrees(one, other) if abs(one) <= 180.0 and abs(other) <= 90.0 else None


def _pair(text: str) -> tuple[tuple[float, str], tuple[float, str]] | None:
    """Two numbers with E, N or nothing beside each; None where the text holds anything else."""
    cleaned = text.strip().replace("，", ",").replace("；", ";").replace("、", ",")
    leading = bool(_LEADING.match(cleaned))
    for before, after in _NOTATIONS:
        notation = before if leading else after
        found = list(notation.finditer(cleaned))
        left = notation.sub("", cleaned)
        if len(found) == 2 and not re.sub(r"[\s,;/()（）]|经度|纬度|[XYxy]=?|[:：=]", "", left):
            one, other = (_read(each) for each in found)
            if one is not None and other is not None:
                return one, other
    return None


def _read(found: "re.Match[str]") -> tuple[float, str] | None:
    parts = found.groupdict()
    if "degrees" in parts:
        minutes, seconds = float(parts["minutes"] or 0.0), float(parts["seconds"] or 0.0)
        if minutes >= 60.0 or seconds >= 60.0:
            return None
        value = round(abs(float(parts["degrees"])) + minutes / 60.0 + seconds / 3600.0, 9)
        negative = parts["degrees"].startswith("-")
    else:
        value, negative = abs(float(parts["value"])), parts["value"].startswith("-")
    marks = set((parts.get("before") or parts.get("after") or "").upper())
    if marks & _EAST and marks & _NORTH:
        return None
    axis = "E" if marks & _EAST else "N" if marks & _NORTH else ""
    return (-value if negative or marks & set("SW南西") else value), axis


def _metres(one: float, other: float, crs: pyproj.CRS) -> Degrees | None:
    """Gauss-Krüger metres of CGCS2000: a prefix names the 3-degree (25-45) or 6-degree (13-23) zone."""
    for easting, northing in ((one, other), (other, one)):
        if not 0.0 < northing < 6.0e6 or easting <= 0.0:
            continue
        zone, rest = divmod(easting, _WIDTH)
        if 25 <= zone <= 45 and 1.0e5 <= rest <= 9.0e5:
            source = f"EPSG:{4513 + int(zone) - 25}"
        elif 13 <= zone <= 23 and 1.0e5 <= rest <= 9.0e5:
            source = f"EPSG:{4491 + int(zone) - 13}"
        elif zone == 0 and 1.0e5 <= rest <= 9.0e5 and northing > _WIDTH:
            source = crs.to_wkt()
        else:
            continue
        east, north = transform(source, "EPSG:4326")(np.array([easting]), np.array([northing]))
        if np.isfinite([east[0], north[0]]).all():
            return Degrees(float(east[0]), float(north[0]), exact=True)
    return None
