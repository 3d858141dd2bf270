"""Segments (踏查单元): a township's permanent, lettered pieces of ground, and the assignments on them."""

from enum import StrEnum

from geo.schema import Column, Kind, Schema

SCHEMA = Schema(
    "segments",
    "segment_id",
    (
        Column("segment_id"),
        Column("township_id"),
        Column("label"),
        Column("area_m2", Kind.REAL, low=0.0),
        Column("elevation_m", Kind.REAL, required=False),
        Column("away_s", Kind.REAL, required=False, low=0.0),
        Column("unwalkable", Kind.REAL, required=False, low=0.0, high=1.0),
    ),
    geometry=("Polygon", "MultiPolygon"),
)
"""
`label` is the letter on maps and sheets and never changes; `away_s` the walk from the township's office to the segment
and back, seconds (missing: nobody can walk there); `unwalkable` the share of its plantable ground closed to walkers.
"""


class Mode(StrEnum):
    """How a unit is best looked at."""

    FOOT = "徒步"
    FLIGHT = "航测"
    GLASS = "望远镜"


class Purpose(StrEnum):
    """What an assignment is for."""

    TARGET = "靶标核查"
    RECHECK = "复查"
    JOINT = "联合踏查"
    SWEEP = "踏查"
    EXPLORE = "探查"
    FLIGHT = "航测"


class State(StrEnum):
    """Where an assignment stands: worked out from what was walked, never set by hand."""

    SCHEDULED = "scheduled"
    PART_DONE = "part_done"
    DONE = "done"
    OVERDUE = "overdue"
    WITHDRAWN = "withdrawn"


ASSIGNMENTS = Schema(
    "assignments",
    "assignment_id",
    (
        Column("assignment_id"),
        Column("round", Kind.INTEGER, low=1),
        Column("number_n", Kind.INTEGER, low=1),
        Column("township_id"),
        Column("segment_id", required=False),
        Column("purpose", choices=tuple(Purpose)),
        Column("mode", choices=tuple(Mode)),
        Column("reason", required=False),
        Column("day"),
        Column("day_to"),
        Column("due_from"),
        Column("due_to"),
        Column("team_days_n", Kind.INTEGER, low=0),
        Column("lent_by", required=False),
        Column("hours", Kind.REAL, low=0.0),
        Column("expected_finds", Kind.REAL, low=0.0),
        Column("partner_id", required=False),
        Column("border_id", required=False),
        Column("area_m2", Kind.REAL, required=False, low=0.0),
        Column("relief_m", Kind.REAL, required=False, low=0.0),
        Column("above_m", Kind.REAL, required=False),
        Column("start_easting_m", Kind.REAL, required=False),
        Column("start_northing_m", Kind.REAL, required=False),
        Column("made_at", Kind.TIME),
        Column("withdrawn_at", Kind.TIME, required=False),
    ),
    geometry=("Point", "Polygon", "MultiPolygon"),
    geometry_required=False,
)
"""
Numbered per round, ``SEASON-R2-017``. `day`, `day_to` are the first and last planned day, `due_from` and `due_to` the
first and last that count, dates in China; `hours` of searching without the ways; `lent_by` names townships whose teams
come to help. The geometry is the one meeting place of a joint sweep, or the area of a flight, for which area, relief,
its highest point above the take-off place, and that place are kept.
"""
