"""Columns of coordinates in a table → points: decimal or sexagesimal, in two columns or one, under the usual heads."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.formats.reading import Records
from geo.schema import Refusal

SHAPES = ("wkt", "geom", "the_geom", "geometry", "图形")
LONGITUDE = ("longitude", "lon", "lng", "经度", "东经", "easting", "east", "东坐标", "横坐标", "x", "x坐标")
LATITUDE = ("latitude", "lat", "纬度", "北纬", "northing", "north", "北坐标", "纵坐标", "y", "y坐标")
BOTH = ("经纬度", "经纬度坐标", "坐标", "中心坐标", "中心点坐标", "lonlat", "lnglat", "latlon", "coordinates")

_SEXAGESIMAL = re.compile(
    r"^([NSEW东西南北]?[经纬]?)\s*(-?\d{1,3})\s*[°度:\s]\s*(\d{1,2}(?:\.\d+)?)\s*(?:['′’分:\s]\s*(?:(\d{1,2}(?:\.\d+)?)\s*(?:[\"″”秒]|'')?)?)?\s*([NSEW]?)$"
)
_DECIMAL = re.compile(r"^([NSEW东西南北]?[经纬]?)[:：]?\s*(-?\d{1,3}(?:\.\d+)?)\s*[°度]?\s*([NSEW]?)$")
_BRACKETS = re.compile(r"[（(/\[【].*$")


def located(table: pd.DataFrame, encoding: str | None) -> Records:
    """Records with points where the table has columns of coordinates; a half or unreadable place refuses the row."""
    heads = {_plain(column): column for column in reversed(list(table.columns))}
    x_name, y_name, both, shape_name = (
        next((heads[alias] for alias in names if alias in heads), None) for names in (LONGITUDE, LATITUDE, BOTH, SHAPES)
    )
    if x_name is not None and y_name is not None:
        return _two_columns(table, x_name, y_name, encoding)
    if shape_name is not None:
        return _drawn(table, shape_name, encoding)
    if both is not None:
        split = [_pair(text) for text in table[both]]
        if any(x is not None for x, _ in split):
            x, y = (pd.Series([pair[side] for pair in split], index=table.index, dtype=object) for side in (0, 1))
            return _two_columns(table.assign(经度=x, 纬度=y), "经度", "纬度", encoding)
    return Records(table, encoding=encoding)


def _plain(head: object) -> str:
    """
    A head without its unit in brackets.

    >>> _plain("经度（°）"), _plain("X (m)"), _plain("Lon")
    ('经度', 'x', 'lon')
    """
    return _BRACKETS.sub("", str(head).strip().lower()).strip() or str(head)


def _pair(text: str | None) -> tuple[str | None, str | None]:
    """
    Longitude and latitude of one cell in either order: in China the larger is the longitude.

    >>> _pair("26.7, 105.3"), _pair("E105°18′00″，N26°42′00″"), _pair("山脚下")
    (('105.3', '26.7'), ('E105°18′00″', 'N26°42′00″'), (None, None))
    """
    pieces = [
        piece.strip() for piece in re.split(r"[,，;；、|]|\s+(?=[NSEW东北\d])", (text or "").strip()) if piece.strip()
    ]
    if len(pieces) != 2:
        return None, None
    one, two = (decimal_degrees(piece) for piece in pieces)
    if np.isnan(one + two):
        return None, None
    return (pieces[0], pieces[1]) if one >= two else (pieces[1], pieces[0])


def _two_columns(table: pd.DataFrame, x_name: str, y_name: str, encoding: str | None) -> Records:
    refused: list[Refusal] = []
    places: list[tuple[float, float]] = []
    for row, x_text, y_text in zip(table.index, table[x_name], table[y_name], strict=True):
        x, y = decimal_degrees(x_text), decimal_degrees(y_text)
        for label, text, value in ((x_name, x_text, x), (y_name, y_text, y)):
            if np.isnan(value) and (text is not None or not (x_text is None and y_text is None)):
                refused.append(Refusal(row, str(label), "coordinate_bad", {"value": str(text or "")[:40]}))
                break
        places.append((x, y))
    bad = {refusal.row for refusal in refused}
    points = shapely.points(np.array(places, dtype=float).reshape(-1, 2))
    shapes = np.where(np.isnan(np.array(places, dtype=float).reshape(-1, 2)).any(axis=1), None, points)
    shaped = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, index=table.index))
    return Records(shaped[~shaped.index.isin(bad)], refused=tuple(refused), encoding=encoding)


def _drawn(table: pd.DataFrame, column: str, encoding: str | None) -> Records:
    """Records with the geometries of a column of well-known text; what is none refuses the row."""
    texts = table[column]
    shapes = shapely.from_wkt(texts.to_numpy(), on_invalid="ignore")
    bad = texts.notna() & pd.isna(pd.Series(shapes, index=table.index, dtype=object))
    refused = [Refusal(row, column, "geometry_bad", {"why": str(texts[row])[:40]}) for row in table.index[bad]]
    shaped = gpd.GeoDataFrame(table.drop(columns=column), geometry=gpd.GeoSeries(shapes, index=table.index))
    return Records(shaped[~bad], refused=tuple(refused), encoding=encoding)


def decimal_degrees(text: str | None) -> float:
    """
    Degrees of decimal or sexagesimal text, or plain metres; NaN where it is neither.

    >>> decimal_degrees("105°30'36\\"E"), decimal_degrees("26.5"), decimal_degrees("26,5")
    (105.51, 26.5, nan)
    >>> decimal_degrees("北纬26.5°"), decimal_degrees("26°41′60.00″"), decimal_degrees("26°61′")
    (26.5, 26.7, nan)
    """
    cleaned = (text or "").strip()
    try:
        return float(cleaned)
    except ValueError:
        pass
    found = _SEXAGESIMAL.match(cleaned)
    if found:
        before, degrees, minutes, seconds, after = found.groups()
    else:
        plain = _DECIMAL.match(cleaned)
        if not plain:
            return float("nan")
        (before, degrees, after), minutes, seconds = plain.groups(), "0", None
    if float(minutes) >= 60 or float(seconds or 0) > 60:  # 60.00 is what rounding makes of 59.999
        return float("nan")
    size = abs(float(degrees)) + float(minutes) / 60 + float(seconds or 0) / 3600
    south = degrees.startswith("-") or (before + after)[:1] in {"S", "W", "南", "西"}
    return round(-size if south else size, 9)
