"""Parcels (疑似地块): ground somebody suspects, from any source, with its state."""

from enum import StrEnum

from geo.schema import Column, Kind, Schema


class Status(StrEnum):
    """State of a parcel."""

    FLAGGED = "flagged"
    ASSIGNED = "assigned"
    VISITED = "visited"
    GUARDED = "guarded"
    HANDED_OVER = "handed_over"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    ERADICATED = "eradicated"
    RECHECKED = "rechecked"
    CLOSED = "closed"


OPEN = (Status.FLAGGED, Status.ASSIGNED)
SETTLED = (Status.RECHECKED, Status.CLOSED)
SOURCES = ("satellite", "drone", "tip", "history", "ground")

SCHEMA = Schema(
    "parcels",
    "parcel_id",
    (
        Column("parcel_id"),
        Column("source", choices=SOURCES),
        Column("source_id"),
        Column("township_id", required=False),
        Column("flagged_at", Kind.TIME),
        Column("deadline", Kind.TIME, required=False),
        Column("suspicion", Kind.REAL, required=False, low=0.0, high=1.0),
        Column("scene_id", required=False),
        Column("status", choices=tuple(Status)),
        Column("accuracy_m", Kind.REAL, low=0.0),
        Column("reason", required=False),
    ),
    geometry=("Point", "Polygon", "MultiPolygon"),
)
