"""Lines of GIS files as fixes: M holds seconds since 1970 where a line was recorded, nothing where it was drawn."""

import geopandas as gpd
import numpy as np
import shapely

from geo.formats.datum import datum_of
from geo.formats.fixes import RawFixes, tracks_of
from geo.formats.reading import Content, Hints, Records
from geo.schema import Refusal


def tracks_of_records(records: Records, hints: Hints, *, source: str) -> Content:
    """Tracks of line features; a record that is no line is refused as one record."""
    table = records.table
    shapes = (
        table.geometry.to_numpy() if isinstance(table, gpd.GeoDataFrame) else np.full(len(table), None, dtype=object)
    )
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


def _no_line(row: int | str, shape: object) -> Refusal:
    kind = getattr(shape, "geom_type", None)
    if kind is None:
        return Refusal(row, "geometry", "geometry_missing")
    return Refusal(row, "geometry", "geometry_kind", {"kind": kind, "wanted": "LineString"})
