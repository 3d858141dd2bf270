"""Lookouts: somebody stood at a point and watched, with glasses or a telescope, from one time to another."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "lookouts",
    "lookout_id",
    (
        Column("lookout_id"),
        Column("team_id", required=False),
        Column("township_id", required=False),
        Column("started_at", Kind.TIME),
        Column("ended_at", Kind.TIME),
        Column("from_deg", Kind.REAL, required=False, low=0.0, high=360.0),
        Column("to_deg", Kind.REAL, required=False, low=0.0, high=360.0),
        Column("eye_m", Kind.REAL, required=False, low=0.0, high=100.0),
    ),
    geometry=("Point",),
)
"""`from_deg` to `to_deg`, clockwise from north, is the sector watched; without both, all round."""
