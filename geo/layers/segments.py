"""Segments (踏查单元): pieces of ground given to one team for one sweep."""

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "segments",
    "segment_id",
    (Column("segment_id"), Column("township_id"), Column("label"), Column("area_m2", Kind.REAL, low=0.0)),
    geometry=("Polygon", "MultiPolygon"),
)
