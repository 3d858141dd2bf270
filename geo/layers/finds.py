"""Finds: plants seen and, with what evidence, destroyed. Plants are evidence before they are weeds."""

from collections.abc import Mapping
from typing import Any

from geo.schema import Column, Kind, Schema

FOUND_BY = ("自查", "上级核查", "卫星", "无人机", "举报", "其他")
SPECIES = ("罂粟", "大麻", "其他")
STAGES = ("播种出苗期", "开花期", "结果割浆期")
COUNTED = ("清点", "抽样")
METHODS = ("未铲除", "强制铲除", "成熟前自行铲除")

SCHEMA = Schema(
    "finds",
    "find_id",
    (
        Column("find_id"),
        Column("parcel_id", required=False),
        Column("visit_id", required=False),
        Column("township_id", required=False),
        Column("team_id"),
        Column("found_by", choices=FOUND_BY),
        Column("found_at", Kind.TIME),
        Column("recorded_at", Kind.TIME),
        Column("species", choices=SPECIES),
        Column("plants_n", Kind.INTEGER, low=0, high=1e9),
        Column("area_m2", Kind.REAL, required=False, low=0.0, high=1e8),
        Column("stage", choices=STAGES),
        Column("fraction", Kind.REAL, low=0.0, high=1.0),
        Column("method", choices=METHODS),
        Column("destroyed_at", Kind.TIME, required=False),
        Column("verified_at", Kind.TIME, required=False),
        Column("track_id", required=False),
        Column("photo_sha256", required=False),
        Column("after_sha256", required=False),
        Column("counted", required=False, choices=COUNTED),
        Column("plants_low_n", Kind.INTEGER, required=False, low=0),
        Column("plants_high_n", Kind.INTEGER, required=False, low=0),
        Column("witnesses", required=False),
        Column("departments", required=False),
        Column("case_number", required=False),
    ),
    geometry=("Point",),
)


def contradiction(row: Mapping[str, Any]) -> tuple[str, dict[str, str]] | None:
    """
    What of a find's destruction, or of its verification, contradicts the rest.

    A code of ``geo.words`` and its blanks; None: nothing does.
    """
    destroyed = (row["method"] != METHODS[0], row["fraction"] > 0.0, row["destroyed_at"] is not None)
    if any(destroyed) and row["plants_n"] == 0:
        return "plants_uncounted", {}
    if any(destroyed) and not all(destroyed):
        return "destruction_unclear", {}
    if all(destroyed) and row["destroyed_at"] < row["found_at"]:
        return "time_backwards", {"later": "destroyed_at", "earlier": "found_at"}
    if row.get("verified_at") is None:
        return None
    if not all(destroyed) or row["fraction"] < 1.0:
        return "verified_standing", {}
    if row["verified_at"] < row["destroyed_at"]:
        return "time_backwards", {"later": "verified_at", "earlier": "destroyed_at"}
    return None
