"""Steps: what was done about a plot besides visits and finds; one row per step, never changed afterwards."""

import re
from enum import StrEnum

from geo.schema import Column, Kind, Schema


class Act(StrEnum):
    """What moves a plot from one state to the next."""

    ASSIGN = "assign"
    VISIT = "visit"
    GUARD = "guard"
    HAND_OVER = "hand_over"
    CONFIRM = "confirm"
    DISMISS = "dismiss"
    ERADICATE = "eradicate"
    RECHECK = "recheck"
    REGROW = "regrow"
    CLOSE = "close"


DISMISSALS = ("草坪", "滑坡", "采伐迹地", "其他作物", "药材种植", "蔬菜大棚", "裸地", "影像误差", "其他")


def is_coded(reason: str | None) -> bool:
    """Whether a dismissal gives one of the known reasons, a colon and a note after it aside."""
    return re.split("[:：]", reason or "", maxsplit=1)[0].strip() in DISMISSALS


SCHEMA = Schema(
    "steps",
    "step_id",
    (
        Column("step_id"),
        Column("parcel_id"),
        Column("act", choices=tuple(Act)),
        Column("at", Kind.TIME),
        Column("recorded_at", Kind.TIME),
        Column("team_id", required=False),
        Column("post", required=False),
        Column("station", required=False),
        Column("receipt", required=False),
        Column("reason", required=False),
        Column("plants_left_n", Kind.INTEGER, required=False, low=0, high=1e9),
        Column("track_id", required=False),
        Column("photo_sha256", required=False),
        Column("case_number", required=False),
        Column("note", required=False),
    ),
)
