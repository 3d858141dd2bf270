"""踏查进度表 as a workbook: townships and rounds, what is not reported, and every village of every round."""

from collections.abc import Sequence
from typing import Any

from geo.report.sheets import A3, Column, Paper, mapped, workbook
from geo.words import Language, say

TOWNSHIPS = (
    Column("township_id", 12), Column("name", 14), Column("round", 5, "count"), Column("villages_n", 7, "count"),
    Column("due_n", 7, "count"), Column("looked_a", 7, "count"), Column("looked_b", 7, "count"),
    Column("looked_c", 7, "count"), Column("unreached", 8, "count"), Column("overdue", 8, "count"),
    Column("due", 8, "count"), Column("not_due", 8, "count"), Column("rate_villages_a", 8, "share"),
    Column("rate_villages_ab", 8, "share"), Column("rate_villages_abc", 8, "share"), Column("due_mu", 10, "area"),
    Column("looked_a_mu", 10, "area"), Column("looked_b_mu", 10, "area"), Column("looked_c_mu", 10, "area"),
    Column("rate_area_abc", 8, "share"), Column("area_unknown_n", 8, "count"), Column("late_n", 6, "count"),
    Column("duplicates_n", 6, "count"), Column("contradictory_n", 6, "count"),
)  # fmt: skip
CELLS = (
    Column("township", 14), Column("village_id", 15), Column("name", 16), Column("round", 6, "count"),
    Column("state", 12), Column("overdue_days", 8, "count"), Column("first_at", 17), Column("due_day", 12),
    Column("reports_n", 8, "count"), Column("duplicates_n", 8, "count"), Column("contradictory", 8),
    Column("key_area", 6), Column("edge", 6),
)  # fmt: skip


def progress_workbook(
    townships: Sequence[dict[str, Any]],
    open_: Sequence[dict[str, Any]],
    cells: Sequence[dict[str, Any]],
    *,
    paper: Paper,
    columns: Sequence[str] = (),
    villages: Sequence[str] = (),
    language: Language = "zh",
) -> bytes:
    """XLSX bytes; `columns` and `villages` may give the sheets of either the columns of an upper-level form."""
    sheets = [
        (say("progress_sheet", language), (("", mapped(TOWNSHIPS, columns)),), townships),
        (say("progress_open", language), (("", mapped(CELLS, villages)),), open_),
        (say("progress_cells", language), (("", mapped(CELLS, villages)),), cells),
    ]
    return workbook(sheets, paper=paper, language=language, size=A3)
