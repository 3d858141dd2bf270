"""Trials: decoys laid out at known distances from a line, and whether a searcher who walked it found them."""

from geo.schema import Column, Kind, Schema

COVERS = ("open", "crops", "scrub")
STAGES = ("seedling", "flower", "capsule")

SCHEMA = Schema(
    "trials",
    "trial_id",
    (
        Column("trial_id"),
        Column("distance_m", Kind.REAL, low=0.0, high=1000.0),
        Column("found", Kind.FLAG),
        Column("passes_n", Kind.INTEGER, required=False, low=1),
        Column("cover", required=False, choices=COVERS),
        Column("stage", required=False, choices=STAGES),
        Column("team_id", required=False),
        Column("tried_at", Kind.TIME, required=False),
    ),
)
