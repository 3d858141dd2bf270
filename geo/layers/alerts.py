"""Alerts: what happened across an edge, or a listing from above."""

from geo.schema import Column, Kind, Schema

KINDS = ("邻县发现", "跨界卫星命中", "重点整治")

SCHEMA = Schema(
    "alerts",
    "alert_id",
    (
        Column("alert_id"),
        Column("kind", choices=KINDS),
        Column("unit_id"),
        Column("issued_at", Kind.TIME),
        Column("source"),
    ),
    geometry=("Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"),
    geometry_required=False,
)
