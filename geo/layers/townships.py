"""Jurisdictions: townships, neighbouring counties' ground, and department ground inside (林场, 库区 ...)."""

from geo.schema import Column, Kind, Schema

KINDS = ("乡", "镇", "街道", "县")
GROUND_KINDS = ("林场", "保护区", "库区", "矿区", "公路")

_BOUNDARY = (
    Column("name"),
    Column("source"),
    Column("source_date", required=False),
    Column("line_accuracy_m", Kind.REAL, low=0.0),
)

SCHEMA = Schema(
    "townships",
    "township_id",
    (Column("township_id"), Column("kind", choices=KINDS), *_BOUNDARY),
    geometry=("MultiPolygon",),
)

NEIGHBOURS = Schema("neighbours", "neighbour_id", (Column("neighbour_id"), *_BOUNDARY), geometry=("MultiPolygon",))

GROUNDS = Schema(
    "grounds",
    "ground_id",
    (Column("ground_id"), Column("kind", choices=GROUND_KINDS), *_BOUNDARY),
    geometry=("MultiPolygon",),
)
