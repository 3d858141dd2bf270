"""Who answers for which ground: a post, not a person, between two dates; and what the register says of that ground."""

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from geo.schema import Column, Kind, Schema

UNIT_KINDS = ("county", "township", "village", "group", "责任网格", "林场", "保护区", "库区", "矿区", "公路")
DUTY_KINDS = ("属地", "主管部门", "包保", "成员单位督导")
TIERS = ("县领导包片", "镇领导包村", "村干部包组", "网格员包户")
"""Who stands by whom within 包保."""

SCHEMA = Schema(
    "duties",
    "duty_id",
    (
        Column("duty_id"),
        Column("unit_kind", choices=UNIT_KINDS),
        Column("unit_id"),
        Column("parent_id", required=False),
        Column("post"),
        Column("holder_id", required=False),
        Column("duty_kind", choices=DUTY_KINDS),
        Column("valid_from", Kind.TIME),
        Column("valid_to", Kind.TIME, required=False),
        Column("tier", required=False, choices=TIERS),
    ),
    geometry=("Polygon", "MultiPolygon", "Point"),
    geometry_required=False,
)

HEIGHTS_M = (-500.0, 9000.0)
"""Lowest and highest height of ground above the sea that a unit may have, metres."""

UNITS = Schema(
    "units",
    "unit_id",
    (
        Column("unit_id"),
        Column("unit_kind", choices=UNIT_KINDS),
        Column("parent_id", required=False),
        Column("name"),
        Column("households_n", Kind.INTEGER, required=False, low=0),
        Column("due_m2", Kind.REAL, required=False, low=0.0),
        Column("elevation_m", Kind.REAL, required=False, low=HEIGHTS_M[0], high=HEIGHTS_M[1]),
        Column("key_area", Kind.FLAG, required=False),
        Column("edge", Kind.FLAG, required=False),
        Column("valid_from", Kind.TIME, required=False),
        Column("valid_to", Kind.TIME, required=False),
        Column("source"),
    ),
)
"""What the register says of a unit, whether or not another layer holds its shape."""


def in_force(duties: pd.DataFrame, moment: datetime) -> pd.DataFrame:
    """The duties that hold at a tz-aware moment; `valid_to` is the first moment they no longer do."""
    begun = duties["valid_from"] <= moment
    return duties[begun & (duties["valid_to"].isna() | (duties["valid_to"] > moment))]


def post_of(unit_id: str, duties: pd.DataFrame, moment: datetime) -> str | None:
    """The posts that answer for a unit at a moment, 属地 first, joined by 、; None where nobody does."""
    return posts_by_unit(duties[duties["unit_id"] == unit_id], moment).get(unit_id)


def posts_by_unit(duties: pd.DataFrame, moment: datetime) -> dict[str, str]:
    """`post_of` of every unit somebody answers for."""
    held = in_force(duties, moment)
    found: dict[str, list[str]] = {}
    rows = zip(held["duty_kind"].map(DUTY_KINDS.index), held["unit_id"], held["post"], strict=True)
    for _, unit, post in sorted(rows, key=lambda row: row[0]):
        found.setdefault(unit, []).append(post)
    return {unit: "、".join(dict.fromkeys(posts)) for unit, posts in found.items()}


def open_gaps(unit_ids: Sequence[str], duties: pd.DataFrame, start: datetime, stop: datetime) -> list[str]:
    """The units for which at some moment of ``start`` to ``stop`` nobody answers, in the order given."""
    held = duties[duties["unit_id"].isin(unit_ids)].sort_values("valid_from", kind="stable")
    reached: dict[str, pd.Timestamp] = {}
    begin, end = pd.Timestamp(start), pd.Timestamp(stop)
    for unit, since, until in zip(held["unit_id"], held["valid_from"], held["valid_to"], strict=True):
        known = reached.get(unit, begin)
        if since <= known < end:
            reached[unit] = end if pd.isna(until) else max(known, until)
    return [unit for unit in unit_ids if reached.get(unit, begin) < end]
