"""Planned routes: lines with stops, one per team and day."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "routes",
    "route_id",
    (
        Column("route_id"),
        Column("township_id", required=False),
        Column("team_id"),
        Column("day"),
        Column("walked_s", Kind.REAL, low=0.0),
        Column("service_s", Kind.REAL, low=0.0),
        Column("length_m", Kind.REAL, low=0.0),
        Column("expected_finds", Kind.REAL, low=0.0),
        Column("stops_n", Kind.INTEGER, low=0),
    ),
    geometry=("LineString", "MultiLineString"),
)

STOPS = Schema(
    "stops",
    "stop_id",
    (
        Column("stop_id"),
        Column("route_id"),
        Column("order_n", Kind.INTEGER, low=0),
        Column("kind"),
        Column("name"),
        Column("reason", required=False),
        Column("arrive_s", Kind.REAL, low=0.0),
        Column("target_id", required=False),
        Column("gain", Kind.REAL, low=0.0),
    ),
    geometry=("Point",),
)
