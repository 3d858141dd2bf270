"""Villages, with or without a place. A village without geometry is normal."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "villages",
    "village_id",
    (
        Column("village_id"),
        Column("township_id"),
        Column("name"),
        Column("households_n", Kind.INTEGER, required=False, low=0),
        Column("courtyards_n", Kind.INTEGER, required=False, low=0),
        Column("edge", Kind.FLAG, required=False),
    ),
    geometry=("Point", "Polygon", "MultiPolygon"),
    geometry_required=False,
)
