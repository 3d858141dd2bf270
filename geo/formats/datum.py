"""
From the datum a file declares, or the user names, to WGS 84 degrees.

CGCS2000 counts as WGS 84 (they agree within 0.1 m). Xian 80 and Beijing 54 are refused: the transformation is local,
and the library would apply none without saying so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj

from geo.crs import turned, wgs84_from_bd09, wgs84_from_gcj02
from geo.errors import DatumError

Floats = npt.NDArray[np.float64]
Move = Callable[[Floats, Floats], tuple[Floats, Floats]]

_UNSUPPORTED = ("Xian 1980", "Beijing 1954", "New Beijing", "Xian_1980", "Beijing_1954", "New_Beijing")
_OLD_ELLIPSOIDS_M = (6378245.0, 6378140.0)
"""Half axes of Krassowsky and IAG 1975, by which Beijing 54 and Xian 80 are known under whatever name."""


@dataclass(frozen=True)
class Datum:
    """A datum by name, and how its coordinates become WGS 84 degrees; `move` is None where nothing changes."""

    name: str
    move: Move | None = None


def datum_of(wanted: str | None, declared: Any = None, shift: str | None = None, *, what: str = "") -> Datum:
    """
    The datum of a file: the user's word first, then the file's own shift tag, then its declared CRS.

    Raises
    ------
    DatumError
        ``datum_needed`` where nobody says, ``datum_unknown``, ``datum_unsupported`` for Xian 80 and Beijing 54.

    >>> datum_of("gcj02").name, datum_of(None, "EPSG:4490").name
    ('gcj02', 'EPSG:4490')
    """
    if wanted is not None:
        return _named(wanted.strip().lower())
    if shift is not None:
        return _named(shift)
    if declared is None:
        raise DatumError("datum_needed", file=what)
    return _of_crs(declared, str(declared))


def degrees_of(
    x: Floats, y: Floats, *, datum: str | None, shift: str | None, declared: Any = "EPSG:4326"
) -> tuple[Floats, Floats, str]:
    """WGS 84 longitude and latitude of coordinates, and the name of the datum they came in; NaN stays NaN."""
    source = datum_of(datum, declared, shift)
    if source.move is None:
        return x, y, source.name
    return (*source.move(x, y), source.name)


def _named(name: str) -> Datum:
    if name in {"wgs84", "cgcs2000"}:
        return Datum(name)
    if name == "gcj02":
        return Datum(name, wgs84_from_gcj02)
    if name == "bd09":
        return Datum(name, wgs84_from_bd09)
    if name.startswith("epsg:") and name[5:].isdigit():
        return _of_crs(int(name[5:]), name)
    raise DatumError("datum_unknown", datum=name)


def _of_crs(declared: Any, name: str) -> Datum:
    try:
        crs = pyproj.CRS.from_user_input(declared)
    except pyproj.exceptions.CRSError as error:
        raise DatumError("datum_unknown", datum=name[:60]) from error
    base = crs.geodetic_crs
    axis = base.ellipsoid.semi_major_metre if base is not None and base.ellipsoid is not None else 0.0
    old = any(abs(axis - half) < 0.5 for half in _OLD_ELLIPSOIDS_M)
    if base is None or old or any(word in base.name for word in _UNSUPPORTED):
        raise DatumError("datum_unsupported", datum=crs.name)
    code = crs.to_epsg()
    label = f"EPSG:{code}" if code else crs.name
    if crs.is_geographic and base.name in {"WGS 84", "China Geodetic Coordinate System 2000", "WGS 84 (CRS84)"}:
        return Datum(label)
    return Datum(label, transform(crs, "EPSG:4326"))


def transform(source: Any, target: Any) -> Move:
    """The move from one CRS to another; see `geo.crs.turned`."""
    return lambda x, y: turned(x, y, source, target)


def project(longitude: Floats, latitude: Floats, crs: Any) -> tuple[Floats, Floats]:
    """WGS 84 degrees in `crs`; None leaves them as they are."""
    if crs is None:
        return longitude, latitude
    return transform(4326, crs)(longitude, latitude)
