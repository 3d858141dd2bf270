"""Rows for every layer of a store."""

import struct
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.schema import Kind
from geo.store import Change, Store
from geo.store.rows import ZM_LAYERS

NOW = datetime(2026, 3, 11, 8, 30, 0, 123000, tzinfo=UTC)
CRS = 4544


def track_line(n: int = 3, elevation: float = float("nan")) -> object:
    """A LineString ZM of n fixes, ten metres and ten seconds apart."""
    steps = np.arange(n)
    places = np.column_stack([4e5 + 10.0 * steps, 3e6 + 0.1 * steps, np.full(n, elevation), 1.77e9 + 10.001 * steps])
    return shapely.from_wkb(struct.pack("<BII", 1, 3002, n) + places.tobytes())


def _shape(schema, i):
    if not schema.geometry or (not schema.geometry_required and i % 2):
        return None
    if schema.name in ZM_LAYERS:
        return (
            shapely.multilinestrings([track_line()]) if i == 5 else track_line(3 + i, float("nan") if i % 2 else 1200.5)
        )
    box = shapely.box(4e5 + i, 3e6, 4e5 + i + 0.1, 3e6 + 7)
    shapes = {
        "Point": shapely.Point(4e5 + i / 3, 3e6),
        "Polygon": box,
        "MultiPolygon": shapely.MultiPolygon([box]),
        "LineString": shapely.LineString([(4e5, 3e6), (4e5 + i, 3e6 + 1)]),
        "MultiLineString": shapely.MultiLineString([[(4e5, 3e6), (4e5 + i, 3e6 + 1)]]),
    }
    return shapes[schema.geometry[i % len(schema.geometry)]]


def _value(column, i):
    if not column.required and i % 3 == 1:
        return None
    if column.choices:
        return column.choices[i % len(column.choices)]
    return {
        Kind.TEXT: f"鬃岭镇 é𠮷 {column.name}'\" {i}",
        Kind.REAL: (column.low or 0.0) + (i + 0.1) / 10,
        Kind.INTEGER: int(column.low or 0) + i + 1,
        Kind.TIME: pd.Timestamp(NOW) + pd.Timedelta(milliseconds=i),
        Kind.FLAG: i % 2 == 0,
    }[column.kind]


def rows_of(layer: str, n: int = 6, first: int = 0) -> pd.DataFrame:
    """Conformed rows that exercise the layer: missing values, missing geometry, Chinese text, odd numbers."""
    schema = SCHEMAS[layer]
    plain = pd.DataFrame([{c.name: _value(c, i) for c in schema.columns} for i in range(first, first + n)])
    if not schema.geometry:
        return schema.conform(plain)
    return schema.conform(gpd.GeoDataFrame(plain, geometry=[_shape(schema, i) for i in range(n)], crs=CRS))


def fill(store: Store) -> None:
    """Six rows in every layer, one ledger entry each."""
    for layer in SCHEMAS:
        store.append(Entry("import", {"layer": layer}), Change(layer, rows_of(layer)), now=NOW)
