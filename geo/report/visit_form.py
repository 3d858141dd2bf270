"""踏查记录表 as a workbook: one line per village and kind of ground, what is known filled in, the rest to be typed."""

from collections.abc import Sequence
from typing import Any

from geo.layers.visits import GROUNDS
from geo.report.sheets import A3, Column, Paper, workbook
from geo.words import Language, say

GIVEN = (
    Column("order_id", 22), Column("round", 5, "count"), Column("township", 12), Column("village_id", 14),
    Column("village", 14), Column("team_id", 14), Column("ground", 9), Column("courtyards_due_n", 8, "count"),
)  # fmt: skip
FILLED = (
    Column("group_name", 9), Column("visited_on", 11), Column("persons_n", 6, "count"), Column("hours", 6, "area"),
    Column("area_mu", 9, "area"), Column("courtyards_n", 8, "count"), Column("outcome", 9), Column("reason", 18),
    Column("photos_n", 6, "count"), Column("signed", 7), Column("post", 16),
)  # fmt: skip


def form_rows(orders: Sequence[dict[str, Any]], language: Language) -> list[dict[str, Any]]:
    """Three lines per order: 庭院 with the number of courtyards due, 田间 and 荒山野岭."""
    known = [column.name for column in GIVEN if column.name in orders[0]] if orders else []
    return [
        {name: order[name] for name in known}
        | {"ground": say(f"ui_choice_{ground}", language)}
        | {"courtyards_due_n": order["courtyards_due_n"] if ground == GROUNDS[0] else None}
        for order in orders
        for ground in GROUNDS
    ]


def form_workbook(orders: Sequence[dict[str, Any]], *, paper: Paper, language: Language = "zh") -> bytes:
    """
    XLSX bytes of the form that `workspace.returning.import_forms` reads back; a line left empty says nothing.

    Parameters
    ----------
    orders
        ``order_id, round, township, village_id, village, team_id, courtyards_due_n`` of each order.
    """
    groups = ((say("form_given", language), GIVEN), (say("form_filled", language), FILLED))
    sheets = [(say("form_sheet", language), groups, form_rows(orders, language))]
    return workbook(sheets, paper=paper, language=language, size=A3)
