"""The decoy trial on paper: a form whose columns the program reads back, and one page that says how it is done."""

import io
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from geo.settings import DetectionSettings
from geo.words import Language, say

A4 = 9
UNDATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""An empty form has no date of its own; without one the writer would put the clock's."""
FORM = ("distance_m", "found", "passes_n", "cover", "stage", "team_id", "tried_at")
"""Columns of the form; their Chinese heads are among the names the reader knows."""
HEADS_ZH = ("距离_m", "是否发现", "走过次数", "地类", "生长期", "队伍", "试验日期")
ROWS = 40
PARTS = ("purpose", "place", "lay", "walk", "write", "range", "double", "enough", "safety")


def protocol_workbook(language: Language, settings: DetectionSettings) -> bytes:
    """
    XLSX bytes: the empty form first (so that filled in it is read as it stands), then the protocol on one A4 page.

    The same settings give the same bytes.
    """
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": UNDATED})
        _form(book, language)
        _page(book, language, settings)
    return stream.getvalue()


def _form(book: Any, language: Language) -> None:
    sheet = book.add_worksheet(say("protocol_form", language))
    head = book.add_format({"bold": True, "border": 1, "text_wrap": True})
    cell = book.add_format({"border": 1})
    for column, name in enumerate(HEADS_ZH if language == "zh" else FORM):
        sheet.write_string(0, column, name, head)
        for row in range(1, ROWS + 1):
            sheet.write_blank(row, column, None, cell)
    choices = {1: ("是", "否"), 3: ("荒地草坡", "耕地", "灌丛"), 4: ("播种出苗期", "开花期", "结果割浆期")}
    if language == "en":
        choices = {1: ("yes", "no"), 3: ("open", "crops", "scrub"), 4: ("seedling", "flower", "capsule")}
    for column, known in choices.items():
        sheet.data_validation(1, column, ROWS, column, {"validate": "list", "source": list(known)})
    sheet.set_column(0, len(FORM) - 1, 13)
    _set_page(sheet)


def _page(book: Any, language: Language, settings: DetectionSettings) -> None:
    sheet = book.add_worksheet(say("protocol_sheet", language))
    sheet.set_column(0, 0, 92)
    text = book.add_format({"text_wrap": True, "valign": "top", "size": 11})
    sheet.write_string(0, 0, say("protocol_title", language), book.add_format({"bold": True, "size": 15}))
    given = {
        "reach": f"{settings.reach_m:.0f}",
        "speed": f"{settings.search_speed_kmh:g}",
        "availability": f"{settings.availability:g}",
    }
    for row, part in enumerate(PARTS, 1):
        sheet.write_string(row, 0, f"{row}. " + say(f"protocol_{part}", language, **given), text)
        sheet.set_row(row, 64)
    _set_page(sheet)


def _set_page(sheet: Any) -> None:
    """A4 upright, on one page."""
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 1)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
