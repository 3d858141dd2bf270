"""The township table as a workbook: figures, what they rest on, and the ledger's head on the last line."""

import io
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter

from geo.analysis.levers import Lever
from geo.report.assumed import assumed_rows
from geo.report.qr import qr_png
from geo.season import CHINA
from geo.words import Language, say

COLUMNS = (
    ("township_id", "text"),
    ("name", "text"),
    ("area_km2", "area"),
    ("plantable_km2", "area"),
    ("effort_a", "text"),
    ("effort_b", "text"),
    ("effort_c", "text"),
    ("detection", "share"),
    ("watched", "share"),
    ("blind", "share"),
    ("repeated", "share"),
    ("pod_mean", "share"),
    ("buffer_share", "share"),
    ("p_zero", "share"),
    ("p_zero_low", "share"),
    ("p_zero_high", "share"),
    ("hours_to_95", "hours"),
    ("finds_n", "count"),
    ("reason", "text"),
)


WIDTHS = {"township_id": 13, "name": 12, "effort_a": 20, "effort_b": 18, "effort_c": 18, "finds_n": 7, "reason": 32}
"""Characters per column; a column not listed has ten."""
A4 = 9


def township_workbook(
    townships: pd.DataFrame,
    *,
    county: str,
    facts: dict[str, Any],
    as_of: datetime,
    ledger_head: str | None,
    assumptions: dict[str, Any],
    language: Language,
) -> bytes:
    """
    XLSX bytes of the table of ``workspace.covering``; the same input gives the same bytes.

    A figure that cannot be computed is an empty cell with its reason in the last column, never 0.
    """
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"created": as_of.replace(tzinfo=None)})
        sheet = book.add_worksheet(say("report_sheet", language))
        styles = {"share": "0.0%", "area": "0.0", "hours": "0", "count": "0", "text": "@"}
        wrapped = {"text_wrap": True, "valign": "top"}
        formats = {kind: book.add_format({"num_format": text} | wrapped) for kind, text in styles.items()}
        formats["text"].set_indent(1)
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        sheet.write_string(
            0, 0, say("report_title", language, county=county), book.add_format({"bold": True, "size": 14})
        )
        line = book.add_format({"valign": "top"})
        moment = f"{as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"
        sheet.write_string(1, 0, say("report_as_of", language, moment=moment), line)
        sheet.write_string(2, 0, say("report_facts", language, **facts), line)
        for column, (name, kind) in enumerate(COLUMNS):
            sheet.write_string(4, column, say(f"column_{name}", language), bold)
            sheet.set_column(column, column, WIDTHS.get(name, 10), formats[kind])
        sheet.set_row(4, 45)
        _set_page(sheet)
        rows = [_row(record, language) for record in townships.to_dict("records")]
        for number, row in enumerate(rows):
            for column, value in enumerate(row):
                _write(sheet, 5 + number, column, value)
        sheet.freeze_panes(5, 2)
        sheet.repeat_rows(4)
        sheet.write_string(6 + len(rows), 0, say("report_head", language, head=ledger_head or "-"), line)
        code = f"TACHA|{say('report_title', language, county=county)}|{moment}|{ledger_head or '-'}"
        place = {"image_data": io.BytesIO(qr_png(code)), "x_scale": 0.7, "y_scale": 0.7}
        sheet.insert_image(8 + len(rows), 0, "qr.png", place)
        basis = book.add_worksheet(say("report_basis", language))
        for column, width in enumerate((44, 28, 32)):
            basis.set_column(column, column, width)
        _set_page(basis)
        basis.write_string(0, 0, say("report_assumptions", language))
        for number, told in enumerate(assumed_rows(assumptions, language), 1):
            for column, text in enumerate(told):
                basis.write_string(number, column, text)
    return stream.getvalue()


def reason_sentence(reasons: dict[str, str] | None, language: Language) -> str:
    """The reasons of a township's empty figures, each once, in words."""
    codes = dict.fromkeys((reasons or {}).values())
    return say("between", language).join(say(f"reason_{code}", language) for code in codes)


def lever_sentence(lever: Lever, language: Language) -> str:
    """What one assumption, or one kind of work, would change a township's probability to."""
    return say(f"lever_{lever['code']}", language, **{k: lever[k] for k in ("low", "high", "p_low", "p_high")})


def effort_text(effort: dict[str, Any], language: Language) -> str:
    """One evidence class in words: how many records and hours, and kilometres where any were tracked."""
    code = "effort_text" if effort["walked_km"] else "effort_forms"
    return say(code, language, n=effort["records_n"], hours=f"{effort['hours']:.0f}", km=f"{effort['walked_km']:.0f}")


def _row(record: dict[Any, Any], language: Language) -> list[Any]:
    effort = record["effort"]
    more = {f"effort_{name.lower()}": effort_text(effort[name], language) for name in ("A", "B", "C")}
    more["reason"] = reason_sentence(record.get("reasons"), language)
    return [more[name] if name in more else record.get(name) for name, _ in COLUMNS]


def _set_page(sheet: Any) -> None:
    """A4 on its side, one page wide, the heads on every page."""
    sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&C&P / &N")


def _write(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None or (isinstance(value, float) and value != value):
        sheet.write_blank(row, column, None)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value)
    else:
        sheet.write_string(row, column, str(value))
