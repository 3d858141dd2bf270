"""Forms for a township's targets and finds: what is known filled in, visits, finds and destruction to be typed."""

from collections.abc import Sequence
from typing import Any

from geo.report.sheets import A3, Column, Paper, workbook
from geo.words import Language, say

TARGET_GIVEN = (
    Column("parcel_id", 18), Column("source", 9), Column("flagged_on", 11), Column("due_on", 11),
    Column("longitude", 12, "degrees"), Column("latitude", 12, "degrees"), Column("state", 9),
)  # fmt: skip
TARGET_FILLED = (
    Column("visited_on", 16), Column("team_id", 14), Column("outcome", 9), Column("reason", 18),
    Column("persons_n", 6, "count"), Column("hours", 6, "area"), Column("photos", 22), Column("signed", 7),
    Column("post", 16),
)  # fmt: skip
FIND_GIVEN = (Column("find_id", 16), Column("parcel_id", 18))
FIND_FILLED = (
    Column("longitude", 12, "degrees"), Column("latitude", 12, "degrees"), Column("team_id", 14),
    Column("found_on", 16), Column("found_by", 9), Column("species", 7), Column("plants_n", 7, "count"),
    Column("area_m2", 8, "area"), Column("stage", 11), Column("method", 12), Column("fraction_pct", 8, "area"),
    Column("destroyed_on", 16), Column("photos", 18), Column("after_photos", 18), Column("witnesses", 16),
    Column("departments", 16), Column("case_number", 14),
)  # fmt: skip
EMPTY_LINES = 20


def target_workbook(
    targets: Sequence[dict[str, Any]], finds: Sequence[dict[str, Any]], *, paper: Paper, language: Language = "zh"
) -> bytes:
    """
    XLSX bytes of the two forms that a returned bundle brings back; a line left empty says nothing.

    Parameters
    ----------
    targets
        By `TARGET_GIVEN`, one line per target.
    finds
        By `FIND_GIVEN` and what is known of `FIND_FILLED`: finds whose destruction is still to be told.
    """
    given, filled = say("form_given", language), say("form_filled", language)
    sheets = [
        (say("target_sheet", language), ((given, TARGET_GIVEN), (filled, TARGET_FILLED)), list(targets)),
        (
            say("find_sheet", language),
            ((given, FIND_GIVEN), (filled, FIND_FILLED)),
            [*finds, *({} for _ in range(EMPTY_LINES))],
        ),
    ]
    return workbook(sheets, paper=paper, language=language, size=A3)
