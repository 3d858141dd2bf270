"""靶标吻合率自查表: the rates with their rule, targets not matched with days left, all targets, the filed visits."""

from collections.abc import Sequence
from typing import Any

from geo.report.sheets import A4, Column, Paper, workbook
from geo.words import Language, say

FACTS = (Column("item", 30), Column("value", 60))
TARGETS = (
    Column("parcel_id", 18), Column("township", 12), Column("stand", 14), Column("days_left", 9, "count"),
    Column("flagged_on", 12), Column("due_on", 12), Column("longitude", 12, "degrees"),
    Column("latitude", 12, "degrees"), Column("visit_id", 16), Column("visited_on", 16),
    Column("distance_m", 9, "area"), Column("tolerance_m", 9, "area"), Column("tries_n", 8, "count"),
    Column("state", 10),
)  # fmt: skip
VISITS = (
    Column("visit_id", 16), Column("team_id", 14), Column("visited_on", 16), Column("named", 18), Column("fate", 20),
    Column("parcel_id", 18), Column("distance_m", 9, "area"), Column("late_days", 9, "area"), Column("remark", 30),
)  # fmt: skip


def self_check_workbook(
    facts: Sequence[dict[str, Any]], targets: Sequence[dict[str, Any]], visits: Sequence[dict[str, Any]],
    *, open_targets: Sequence[dict[str, Any]], paper: Paper, language: Language = "zh",
) -> bytes:  # fmt: skip
    """XLSX bytes; rows by `FACTS`, `TARGETS`, `VISITS`; `open_targets` are those without a match, least time first."""
    sheets = [
        (say("self_check_facts", language), (("", FACTS),), list(facts)),
        (say("self_check_open", language), (("", TARGETS),), list(open_targets)),
        (say("self_check_targets", language), (("", TARGETS),), list(targets)),
        (say("self_check_visits", language), (("", VISITS),), list(visits)),
    ]
    return workbook(sheets, paper=paper, language=language, size=A4)
