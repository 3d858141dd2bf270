"""
Lines and points of GIS files and tables as fixes.

M of a line holds seconds since 1970 where it was recorded, nothing where it was drawn; points are fixes where a column
holds their time.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.formats.datum import datum_of
from geo.formats.fixes import RawFixes, tracks_of
from geo.formats.reading import Content, Hints, Records
from geo.formats.values import numbers, utc_seconds
from geo.schema import Refusal

TIMES = ("time", "timestamp", "datetime", "recorded_at", "时间", "定位时间", "记录时间", "采集时间")
HEIGHTS = ("elevation", "ele", "altitude", "elevation_m", "海拔", "高程")
TRACKS = ("track_id", "track", "轨迹编号", "轨迹")


def tracks_of_records(records: Records, hints: Hints, *, source: str) -> Content:
    """Tracks of line features; a record that is no line is refused as one record."""
    table = records.table
    shapes = (
        table.geometry.to_numpy() if isinstance(table, gpd.GeoDataFrame) else np.full(len(table), None, dtype=object)
    )
    when = _column(table, TIMES)
    if when is not None and len(shapes) and bool((shapely.get_type_id(shapes) == 0).all()):
        return _tracks_of_points(records, when, hints, source=source)
    is_line = np.isin(shapely.get_type_id(shapes), (1, 5)) & ~shapely.is_empty(shapes)
    others = [_no_line(row, shape) for row, shape, line in zip(table.index, shapes, is_line, strict=True) if not line]
    parts, owner = shapely.get_parts(shapes[is_line], return_index=True)
    places, part = shapely.get_coordinates(parts, include_z=True, include_m=True, return_index=True)
    longitude, latitude = places[:, 0], places[:, 1]
    name = None
    if len(places):
        turn = datum_of(hints.datum, records.crs, records.shift, what=source)
        name = turn.name
        if turn.move is not None:
            longitude, latitude = turn.move(longitude, latitude)
    trail = owner[part].astype(np.int64)
    raw = RawFixes(trail, part.astype(np.int64), longitude, latitude, places[:, 2], places[:, 3])
    plain = Hints(**{**hints.__dict__, "datum": None})
    content = tracks_of(raw, plain, source=source, lost=(*records.refused, *others))
    return Content(**{**content.__dict__, "datum": name, "encoding": records.encoding, "app": records.app})


def _tracks_of_points(records: Records, when: str, hints: Hints, *, source: str) -> Content:
    """Tracks of a table of places with times, one per name in a column of tracks, else one in all."""
    table = records.table
    turn = datum_of(hints.datum, records.crs, records.shift, what=source)
    longitude, latitude = shapely.get_x(table.geometry.to_numpy()), shapely.get_y(table.geometry.to_numpy())
    if turn.move is not None:
        longitude, latitude = turn.move(longitude, latitude)
    faults: dict[int, Refusal] = {}
    seconds = utc_seconds(_texts(table, when), hints.timezone, faults)
    height, track = _column(table, HEIGHTS), _column(table, TRACKS)
    elevation = np.full(len(table), np.nan) if height is None else numbers(_texts(table, height), "ele", {})
    trail = np.zeros(len(table), np.int64) if track is None else pd.factorize(table[track].astype(str))[0]
    raw = RawFixes(trail.astype(np.int64), trail.astype(np.int64), longitude, latitude, elevation, seconds, faults)
    content = tracks_of(raw, Hints(**{**hints.__dict__, "datum": None}), source=source)
    refused = [Refusal(table.index[int(r.row) - 1], r.field, r.code, r.details) for r in content.refused]
    told = {"datum": turn.name, "encoding": records.encoding, "read": content.read + len(records.refused)}
    return Content(**{**content.__dict__, **told, "refused": (*refused, *records.refused)})


def _column(table: pd.DataFrame, names: tuple[str, ...]) -> str | None:
    """The table's column of the first of these names it has."""
    lower = {str(column).strip().lower(): str(column) for column in table.columns}
    return next((lower[name] for name in names if name in lower), None)


def _texts(table: pd.DataFrame, column: str) -> list[str | None]:
    return [None if pd.isna(value) else str(value) for value in table[column]]


def _no_line(row: int | str, shape: object) -> Refusal:
    kind = getattr(shape, "geom_type", None)
    if kind is None:
        return Refusal(row, "geometry", "geometry_missing")
    return Refusal(row, "geometry", "geometry_kind", {"kind": kind, "wanted": "LineString"})
