"""Roads and paths, and the offices where teams start."""

from geo.schema import Column, Schema

KINDS = ("公路", "机耕道", "小路")

SCHEMA = Schema(
    "roads", "road_id", (Column("road_id"), Column("kind", choices=KINDS)), geometry=("LineString", "MultiLineString")
)

OFFICES = Schema(
    "offices", "office_id", (Column("office_id"), Column("township_id"), Column("name")), geometry=("Point",)
)
