"""Workbooks of papers: a title, heads of one or two rows, rows, and what every paper carries on its last lines."""

import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd
import xlsxwriter

from geo.errors import LayerError
from geo.report.qr import qr_png
from geo.season import CHINA
from geo.words import Language, say

A4, A3 = 9, 8
LINE_POINTS = 12.0
WIDE = 8
_FORMATS = {"degrees": "0.000000", "share": "0.0%", "area": "#,##0.0", "count": "0", "text": "@"}


@dataclass(frozen=True)
class Column:
    """A column: the field it shows, its width in characters, and how numbers are written (text, count, area, share)."""

    name: str
    width: float = 10.0
    kind: str = "text"
    head: str | None = None

    def title(self, language: Language) -> str:
        """The head over the column: its own, or the field's word."""
        return self.head or say(f"head_{self.name}", language)


@dataclass(frozen=True)
class Paper:
    """What every paper says of itself: title, county, its moment, the ledger's head, and notes under the table."""

    title: str
    county: str
    as_of: datetime
    ledger_head: str | None
    issuer: str = ""
    document_no: str = ""
    notes: tuple[str, ...] = ()
    made_up: bool = False
    assumptions: dict[str, Any] = field(default_factory=dict)

    @property
    def moment(self) -> str:
        """The moment in China, to the minute."""
        return f"{self.as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"

    def code(self, what: str = "") -> str:
        """The text of the paper's QR code: what it is, as of when, and the ledger's head."""
        return f"TACHA|{what or self.title}|{self.moment}|{self.ledger_head or '-'}"

    def foot(self, language: Language = "zh") -> list[str]:
        """The last lines of the paper."""
        lines = [say("foot", language, moment=self.moment, head=self.ledger_head or "-"), *self.notes]
        return lines + ([say("note_made_up", language)] if self.made_up else [])


Group = tuple[str, Sequence[Column]]
Sheet = tuple[str, Sequence[Group], Sequence[dict[str, Any]]]


def workbook(sheets: Sequence[Sheet], *, paper: Paper, language: Language = "zh", size: int = A4) -> bytes:
    """
    XLSX bytes; the same input gives the same bytes.

    Parameters
    ----------
    sheets
        Name, groups of columns (a group with a name stands under a merged head), rows by field.
    """
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"created": paper.as_of.astimezone(CHINA).replace(tzinfo=None), "title": paper.title})
        styles = _styles(book)
        code = qr_png(paper.code())
        for name, groups, rows in sheets:
            sheet = book.add_worksheet(name)
            _page(sheet, size)
            _fill(sheet, groups, rows, styles, paper, language)
            look = {"image_data": io.BytesIO(code), "x_scale": 0.7, "y_scale": 0.7}
            columns_n = sum(len(columns) for _, columns in groups)
            wide = columns_n >= WIDE  # the code beside the last lines, else below them
            below = len(rows) + (5 if wide else 4 + len(paper.foot(language)))
            sheet.insert_image(below, columns_n - 3 if wide else 0, "qr.png", look)
    return stream.getvalue()


def mapped(columns: Sequence[Column], mapping: Sequence[str]) -> list[Column]:
    """
    The columns of an upper-level form, each ``head=field`` (or a head alone: an empty column); as they are without one.

    Raises
    ------
    LayerError
        A field the paper does not have: it would come out empty without a word.

    >>> [c.head for c in mapped([Column("name")], ["单位=name", "备注"])]
    ['单位', '备注']
    """
    known = {column.name: column for column in columns}
    if not mapping:
        return list(columns)
    found = []
    for text in mapping:
        head, _, name = text.partition("=")
        if name.strip() and name.strip() not in known:
            raise LayerError("mapping_unknown", field=name.strip(), head=head.strip(), known="、".join(known))
        base = known.get(name.strip(), Column("", 12))
        found.append(Column(base.name, max(base.width, 2.0 * len(head)), base.kind, head.strip()))
    return found


def _styles(book: Any) -> dict[str, Any]:
    cell = {"valign": "vcenter", "text_wrap": True, "border": 1, "font_size": 9}
    styles = {
        kind: book.add_format({"num_format": text} | cell | ({} if kind == "text" else {"align": "right", "indent": 1}))
        for kind, text in _FORMATS.items()
    }
    head = {"bold": True, "align": "center", "valign": "vcenter", "text_wrap": True, "border": 1, "font_size": 9}
    styles["head"] = book.add_format(head | {"bg_color": "#E8EEF1"})
    styles["title"] = book.add_format({"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"})
    styles["line"] = book.add_format({"font_size": 9, "valign": "top"})
    return styles


def _page(sheet: Any, size: int) -> None:
    sheet.set_landscape()
    sheet.set_paper(size)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.set_footer("&C&A　&P / &N")


def _fill(
    sheet: Any,
    groups: Sequence[Group],
    rows: Sequence[dict[str, Any]],
    styles: dict[str, Any],
    paper: Paper,
    language: Language,
) -> None:
    columns = [column for _, held in groups for column in held]
    two = any(name for name, _ in groups)
    last = len(columns) - 1
    if last:
        sheet.merge_range(0, 0, 0, last, paper.title, styles["title"])
    else:
        sheet.write_string(0, 0, paper.title, styles["title"])
    sheet.set_row(0, 28)
    sheet.write_string(1, 0, paper.foot(language)[0], styles["line"])
    _heads(sheet, groups, two, styles, language)
    first = 3 + two
    for number, row in enumerate(rows):
        lines = max((_lines(row.get(column.name), column.width) for column in columns), default=1)
        if lines > 1:
            sheet.set_row(first + number, LINE_POINTS * lines + 3)
        for place, column in enumerate(columns):
            _write(sheet, first + number, place, row.get(column.name), styles[column.kind], language)
    for place, column in enumerate(columns):
        sheet.set_column(place, place, column.width)
    sheet.freeze_panes(first, min(3, last))
    sheet.repeat_rows(2, first - 1)
    for number, line in enumerate(paper.foot(language)):
        sheet.write_string(first + len(rows) + 1 + number, 0, line, styles["line"])


def _heads(sheet: Any, groups: Sequence[Group], two: bool, styles: dict[str, Any], language: Language) -> None:
    place = 0
    for name, columns in groups:
        if name and len(columns) > 1:
            sheet.merge_range(2, place, 2, place + len(columns) - 1, name, styles["head"])
        for column in columns:
            title = _head(column.title(language), column.width)
            if name:
                sheet.write_string(3, place, title, styles["head"])
            elif two:
                sheet.merge_range(2, place, 3, place, title, styles["head"])
            else:
                sheet.write_string(2, place, title, styles["head"])
            place += 1
    sheet.set_row(2, 20 if two else 30)


def _lines(value: Any, width: float) -> int:
    """How many lines a text takes in a column so many characters wide."""
    if not isinstance(value, str):
        return 1
    return max(1, -(-_wide(value) * 9 // int(width * 11)))  # 9-point letters in columns measured in 11-point ones


def _head(title: str, width: float) -> str:
    """
    A column's title; where it is wider than the column, what stands in brackets has a line of its own.

    >>> _head("海拔（米）", 7.0), _head("海拔（米）", 12.0)
    ('海拔\\n（米）', '海拔（米）')
    """
    return title.replace("（", "\n（", 1) if _wide(title) * 9 > width * 11 else title


def _wide(text: str) -> int:
    """A text's width in letters; a Chinese character is two wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WFA" else 1 for letter in text)


def _write(sheet: Any, row: int, column: int, value: Any, style: Any, language: Language) -> None:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        sheet.write_blank(row, column, None, style)
    elif isinstance(value, bool):
        sheet.write_string(row, column, say("yes" if value else "no", language), style)
    elif isinstance(value, int | float):
        sheet.write_number(row, column, value, style)
    else:
        sheet.write_string(row, column, str(value), style)
