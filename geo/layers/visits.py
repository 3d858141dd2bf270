"""Visits: ground or a parcel looked at, also with nothing found, with or without GPS."""

from enum import StrEnum

from geo.schema import Column, Kind, Schema


class Evidence(StrEnum):
    """What a visit rests on. The classes stand side by side and are never mixed silently."""

    A = "A"  # a recorded track
    B = "B"  # a signed form with photos, no track
    C = "C"  # claimed only


COURTYARD = "庭院"
GROUNDS = (COURTYARD, "田间", "荒山野岭")
FOUND, DISMISSED, UNREACHED = "发现", "核查排除", "无法到达"
OUTCOMES = ("未发现", FOUND, DISMISSED, UNREACHED)

SCHEMA = Schema(
    "visits",
    "visit_id",
    (
        Column("visit_id"),
        Column("parcel_id", required=False),
        Column("village_id", required=False),
        Column("round", Kind.INTEGER, required=False, low=1),
        Column("team_id"),
        Column("visited_at", Kind.TIME),
        Column("ground", required=False, choices=GROUNDS),
        Column("outcome", choices=OUTCOMES),
        Column("reason", required=False),
        Column("evidence", choices=tuple(Evidence)),
        Column("track_id", required=False),
        Column("persons_n", Kind.INTEGER, required=False, low=0, high=1e5),
        Column("hours", Kind.REAL, required=False, low=0.0, high=1e4),
        Column("area_m2", Kind.REAL, required=False, low=0.0, high=1e11),
        Column("courtyards_n", Kind.INTEGER, required=False, low=0, high=1e6),
    ),
    geometry=("Point", "Polygon", "MultiPolygon"),
    geometry_required=False,
)
