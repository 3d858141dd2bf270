"""The committee's workbook, opened again."""

import io
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pandas as pd
import pytest

from geo.report.townships import COLUMNS, reason_sentence, township_workbook
from geo.words import Language, say

EFFORT = {letter: {"records_n": n, "hours": 2.0, "walked_km": 1.0} for n, letter in enumerate("ABC")}
ROW = {
    "township_id": "520525100", "name": "=凉水乡", "area_km2": 12.5, "plantable_km2": 3.25, "buffer_share": 0.5,
    "pod_mean": 0.125, "detection": 0.25, "watched": 0.1, "blind": 0.9, "repeated": None, "p_zero": float("nan"),
    "p_zero_low": None, "p_zero_high": None, "hours_to_95": 17.0, "effort": EFFORT, "finds_n": 2,
    "reasons": {"detection": "forms_only", "p_zero": "forms_only"},
}  # fmt: skip
FACTS = {"finds_n": 2, "finds_standing_n": 1}


def workbook(language: Language = "zh") -> bytes:
    return township_workbook(
        pd.DataFrame([ROW]),
        county="某县",
        facts=FACTS,
        as_of=datetime(2026, 5, 20, 8, tzinfo=UTC),
        ledger_head="a" * 64,
        assumptions={"detection": {"reach_m": 150.0}},
        language=language,
    )


def cells(data: bytes, sheet: int = 0) -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(data)).worksheets[sheet].iter_rows(values_only=True))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_stands_under_its_head(language: Language) -> None:
    rows = cells(workbook(language))
    heads = [say(f"column_{name}", language) for name, _ in COLUMNS]
    assert list(rows[4]) == heads
    held = dict(zip((name for name, _ in COLUMNS), rows[5], strict=True))
    for name in (
        "township_id",
        "area_km2",
        "plantable_km2",
        "detection",
        "blind",
        "pod_mean",
        "hours_to_95",
        "finds_n",
    ):
        assert held[name] == ROW[name]
    assert rows[7][0].endswith("a" * 64)


def test_what_nobody_can_compute_is_an_empty_cell_with_its_reason_once() -> None:
    held = dict(zip((name for name, _ in COLUMNS), cells(workbook())[5], strict=True))
    assert [held[name] for name in ("p_zero", "p_zero_low", "repeated")] == [None, None, None]
    assert held["reason"] == "有踏查记录、无轨迹，不能计算"
    assert reason_sentence(None, "zh") == ""


def test_a_name_that_looks_like_a_formula_stays_text() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook())).worksheets[0]
    cell = sheet.cell(6, 2)
    assert (cell.value, cell.quotePrefix or cell.data_type) == ("=凉水乡", cell.data_type)
    assert cell.data_type == "s"


def test_the_table_fits_the_width_of_a_page_and_repeats_its_heads() -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(workbook())).worksheets[0]
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.orientation, sheet.page_setup.fitToHeight) == ("landscape", 0)
    assert sheet.page_setup.fitToWidth in (None, 1)
    assert sheet.print_title_rows == "$5:$5"


def test_the_same_figures_give_the_same_bytes() -> None:
    assert workbook() == workbook()


def test_the_assumptions_come_with_the_table() -> None:
    """In words, with the value and the key by which each can be changed."""
    told = {row[2]: row[:2] for row in cells(workbook(), 1) if len(row) > 2 and row[2]}
    assert [key for key in told if key.endswith("reach_m")]
    assert all(meaning and meaning != key and value for key, (meaning, value) in told.items())
