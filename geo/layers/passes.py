"""Passes: images of a whole area from a satellite or an aeroplane, read by somebody, and the ground they show clear."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "passes",
    "pass_id",
    (
        Column("pass_id"),
        Column("taken_at", Kind.TIME),
        Column("pixel_m", Kind.REAL, low=0.01, high=1000.0),
        Column("source", required=False),
    ),
    geometry=("Polygon", "MultiPolygon"),
)
"""The geometry is the ground shown free of cloud and shadow; `pixel_m` the size of a pixel on the ground."""
