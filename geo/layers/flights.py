"""Flights: one row per image of a drone, from its flight log: where the camera was and how it looked."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "flights",
    "image_id",
    (
        Column("image_id"),
        Column("flight_id"),
        Column("taken_at", Kind.TIME),
        Column("height_m", Kind.REAL, low=0.0, high=6000.0),
        Column("heading_deg", Kind.REAL, low=0.0, high=360.0),
        Column("tilt_deg", Kind.REAL, low=0.0, high=89.0),
        Column("fov_across_deg", Kind.REAL, low=0.0, high=170.0),
        Column("fov_along_deg", Kind.REAL, low=0.0, high=170.0),
        Column("pixels_across_n", Kind.INTEGER, low=1),
    ),
    geometry=("Point",),
)
"""`height_m` above the ground beneath; `tilt_deg` from straight down towards `heading_deg`, clockwise from north."""
