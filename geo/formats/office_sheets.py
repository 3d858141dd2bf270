"""Sheets as offices keep them: a title on top, heads of one or two rows, merged cells, and lists of division codes."""

import csv
import hashlib
import io
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from geo.errors import FormatError
from geo.formats.attributes import table_text
from geo.formats.sniffing import members, read_bytes

ROWS_CAP, COLUMNS_CAP = 60_000, 120
HEAD_ROWS, HEAD_LEVELS = 15, 3
LEVELS = {"3": "county", "4": "township", "5": "village"}
_YEAR = re.compile(r"(?<!\d)(19|20)\d\d(?!\d)")


@dataclass(frozen=True)
class OfficeSheet:
    """
    One sheet: `heads` of its columns (the upper head first, each without blanks and brackets), `rows` of texts, and
    the number of each row in the file, the first being 1. A merged cell's text stands in each of its cells; `above`
    is what stands over the heads. A head printed again on a later page is no row.
    """

    title: str
    heads: list[tuple[str, ...]]
    rows: list[list[str]]
    numbers: list[int]
    above: str = ""


@dataclass(frozen=True)
class OfficeFile:
    """A file's sheets that have a head made of known words."""

    file: str
    sha256: str
    sheets: list[OfficeSheet]
    text: bytes


def plain_head(text: str) -> str:
    """
    A head without blanks and with plain brackets.

    >>> plain_head("应踏查面积 （亩）")
    '应踏查面积(亩)'
    """
    return re.sub(r"\s", "", text).replace("（", "(").replace("）", ")").strip("*:：")


def read_office_file(
    path: Path, is_head: Callable[[str], bool], named: Sequence[str], encoding: str | None = None
) -> OfficeFile:
    """
    A workbook's or text table's sheets.

    Parameters
    ----------
    is_head
        Whether a text in the form of `plain_head` is one; the first row with two of them is the head of a sheet, and
        so are up to two below it that hold nothing else.
    named
        Heads to name where none is found.

    Raises
    ------
    FormatError
        The file is no table, is too large, or no sheet has a head of known words.
    """
    data = read_bytes(path)
    grids = _workbook(data, path.name) if data[:2] == b"PK" else [("", _text_rows(data, path.name, encoding))]
    sheets = [sheet for title, rows in grids if (sheet := _sheet(title, rows, is_head)) is not None]
    if not sheets:
        raise FormatError("table_no_columns", file=path.name, columns="、".join(list(named)[:6]) + "…")
    return OfficeFile(path.name, hashlib.sha256(data).hexdigest(), sheets, data)


def read_divisions(path: Path, encoding: str | None = None) -> pd.DataFrame:
    """
    A list of division codes, with or without heads: ``row, code, level, name``; codes of 6, 9 or 12 digits.

    Raises
    ------
    FormatError
        The file is no such list.
    """
    rows = _text_rows(read_bytes(path), path.name, encoding)
    if rows and len(rows[0]) == 20 and rows[0][0].isdigit():
        plain = [(n, r[0], r[4], r[2]) for n, r in enumerate(rows, 1) if len(r) == 20]
    else:
        heads = [cell.strip().lower() for cell in rows[0]] if rows else []
        if not {"ext_id", "ext_name", "deep"} <= set(heads):
            raise FormatError("table_no_columns", file=path.name, columns="ext_id、ext_name、deep")
        at = {name: heads.index(name) for name in ("ext_id", "ext_name", "deep")}
        plain = [
            (n, r[at["ext_id"]], str(int(r[at["deep"]]) + 1), r[at["ext_name"]])
            for n, r in enumerate(rows[1:], 2)
            if len(r) == len(heads) and r[at["deep"]].isdigit()
        ]
    table = pd.DataFrame(plain, columns=["row", "code", "level", "name"]).astype({"code": str, "name": str})
    table = table[table["level"].isin(list(LEVELS)) & table["code"].str.fullmatch(r"\d{6,12}")]
    digits = table["level"].map({"3": 6, "4": 9, "5": 12})
    codes = [code[:n] for code, n in zip(table["code"], digits, strict=True)]
    return table.assign(code=codes, level=table["level"].map(LEVELS)).reset_index(drop=True)


def year_in(name: str) -> int | None:
    """
    The year a file's name gives, such as 2016 of ``adcode2016_520525.csv``.

    >>> year_in("adcode2016_520525.csv"), year_in("名单.csv")
    (2016, None)
    """
    found = _YEAR.search(name)
    return int(found[0]) if found else None


def _text_rows(data: bytes, name: str, encoding: str | None) -> list[list[str]]:
    text, _ = table_text(data, encoding, name)
    delimiter = "\t" if text[:4096].count("\t") > text[:4096].count(",") else ","
    try:
        return list(_capped(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), name))
    except csv.Error as error:
        raise FormatError("unreadable", file=name, why=f"CSV: {error}"[:80]) from error


def _workbook(data: bytes, name: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Sheets with the text of merged cells in each of their cells; sizes are checked before anything is merged."""
    import openpyxl  # a tenth of a second that only a workbook needs

    members(data, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quick = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        for sheet in quick.worksheets:
            sheet.reset_dimensions()
            for _ in _capped(([""] * len(row) for row in sheet.iter_rows(values_only=True)), name):
                pass
        quick.close()
        book = openpyxl.load_workbook(io.BytesIO(data), data_only=True, keep_links=False)
    for sheet in book.worksheets:
        rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
        for merged in sheet.merged_cells.ranges:
            text = rows[merged.min_row - 1][merged.min_col - 1] if merged.min_row <= len(rows) else ""
            for row in rows[merged.min_row - 1 : merged.max_row]:
                row[merged.min_col - 1 : merged.max_col] = [text] * (merged.max_col - merged.min_col + 1)
        yield sheet.title, rows


def _capped(source: Iterable[list[str]], name: str) -> Iterator[list[str]]:
    for number, row in enumerate(source, 1):
        if number > ROWS_CAP or len(row) > COLUMNS_CAP:
            raise FormatError("table_too_large", file=name, cap=f"{ROWS_CAP} × {COLUMNS_CAP}")
        yield row


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat(sep=" ") if isinstance(value, datetime) else str(value)


def _sheet(title: str, rows: list[list[str]], is_head: Callable[[str], bool]) -> OfficeSheet | None:
    plain = [[plain_head(cell) for cell in row] for row in rows[: HEAD_ROWS + HEAD_LEVELS]]
    first = next((n for n, row in enumerate(plain[:HEAD_ROWS]) if sum(map(is_head, set(row) - {""})) >= 2), None)
    if first is None:
        return None
    levels = [plain[first]]
    for row in plain[first + 1 : first + HEAD_LEVELS]:
        if not _is_lower(row, levels[-1], is_head):
            break
        _spread(levels[-1], row)
        levels.append(row)
    width = max(map(len, levels))
    heads = [tuple(dict.fromkeys(text for row in levels for text in row[n : n + 1] if text)) for n in range(width)]
    last = first + len(levels)
    again = {tuple(row) for row in levels}
    body = [
        (n, row)
        for n, row in enumerate(rows, 1)
        if n > last and any(cell.strip() for cell in row) and tuple(map(plain_head, row)) not in again
    ]
    cells = [[cell.strip() for cell in row[:width]] + [""] * (width - len(row)) for _, row in body]
    above = " ".join(dict.fromkeys(cell.strip() for row in rows[:first] for cell in row if cell.strip()))
    return OfficeSheet(title, heads, cells, [n for n, _ in body], above)


def _is_lower(row: list[str], upper: list[str], is_head: Callable[[str], bool]) -> bool:
    """Whether a row holds nothing but heads: its own, or those merged down from the row above."""
    told = [(text, upper[n] if n < len(upper) else "") for n, text in enumerate(row) if text]
    return any(text != above for text, above in told) and all(text == above or is_head(text) for text, above in told)


def _spread(upper: list[str], lower: list[str]) -> None:
    """A text table lost its merging: an upper head reaches over the empty ones to its right, in place."""
    for column, text in enumerate(upper):
        if not text and column and column < len(lower) and lower[column]:
            upper[column] = upper[column - 1]
