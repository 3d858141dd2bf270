"""CSV and XLSX tables as raw records: text stays text, coordinates become points where columns hold them (`places`)."""

import csv
import dataclasses
import io
import warnings
from typing import Any

import numpy as np
import pandas as pd

from geo.errors import FormatError
from geo.formats.attributes import table_text
from geo.formats.boundaries import TOWNSHIP_DIGITS
from geo.formats.places import LATITUDE, LONGITUDE, located
from geo.formats.reading import Records
from geo.formats.sniffing import members

ROWS_CAP = 200_000
COLUMNS_CAP = 256
CELLS_CAP = 4_000_000

TITLE_ROWS = 10
_ADCODE = (
    "code", "parent", "name", "level", "rank", "adcode", "post_code", "area_code", "ur_code", "municipality",
    "virtual", "dummy", "longitude", "latitude", "center", "province", "city", "county", "town", "village",
)  # fmt: skip


def read_csv(data: bytes, name: str, encoding: str | None, layer: str) -> Records:
    """A table of separated text; lists of division codes without a header are known by their twenty columns."""
    text, found = table_text(data, encoding, name)
    try:
        dialect = csv.Sniffer().sniff(text[:4096], delimiters=",;\t|")
        delimiter = dialect.delimiter
    except csv.Error:
        delimiter = ","
    try:
        rows = _capped(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), name)
    except csv.Error as error:
        raise FormatError("unreadable", file=name, why=f"CSV: {error}"[:80]) from error
    records = _records(rows, name, layer, found)
    texts = records.table.drop(columns="geometry", errors="ignore")
    if not any("\n" in str(cell) and delimiter in str(cell) for name in texts for cell in texts[name]):
        return records
    return dataclasses.replace(records, warnings=(*records.warnings, "lines_joined"))


def read_xlsx(data: bytes, name: str, layer: str) -> Records:
    """The first filled sheet of a workbook, as values; refused before it is opened when it would unpack too large."""
    import openpyxl  # a tenth of a second that only a workbook needs

    members(data, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            rows: list[list[str]] = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a sheet may claim a million columns
                cells = sheet.iter_rows(values_only=True, max_row=ROWS_CAP + 2)
                rows = _capped(([_cell(value) for value in row] for row in cells), name)
                if _filled(rows):
                    break
        finally:
            book.close()
    return _records(rows, name, layer, None)


def _capped(source: Any, name: str) -> list[list[str]]:
    rows: list[list[str]] = []
    cells = 0
    for row in source:
        cells += len(row)
        if len(rows) > ROWS_CAP or len(row) > COLUMNS_CAP or cells > CELLS_CAP:
            raise FormatError("table_too_large", file=name, cap=f"{ROWS_CAP} × {COLUMNS_CAP}")
        rows.append(row)
    return rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value.isoformat(sep=" ")) if hasattr(value, "hour") else str(value)


def _records(rows: list[list[str]], name: str, layer: str, encoding: str | None) -> Records:
    rows = _untitled(_filled(rows))
    if not rows:
        raise FormatError("file_empty", file=name)
    if len(rows[0]) == len(_ADCODE) and rows[0][0].strip().isdigit():
        return _division_list(rows, layer, encoding)
    head, lower = rows[0], _lower_head(rows)
    if lower:
        head = _joined(head, lower)
    return located(_table(rows[2 if lower else 1 :], _distinct(head)), encoding)


def _lower_head(rows: list[list[str]]) -> list[str]:
    """
    The second row where it is the lower half of a merged head: words only, each under a blank or under the first cell
    of a span; empty where the second row is a record.
    """
    if len(rows) < 3:
        return []
    wide = max(len(rows[0]), len(rows[1]))
    upper, lower = ([cell.strip() for cell in row] + [""] * (wide - len(row)) for row in rows[:2])
    filled = [k for k in range(wide) if lower[k]]
    spanned = any(not upper[k] for k in filled)
    fits = all(not upper[k] or (k + 1 < wide and not upper[k + 1] and lower[k + 1]) for k in filled)
    words = not any(character.isdigit() for k in filled for character in lower[k])
    return lower if spanned and fits and words else []


def _joined(upper: list[str], lower: list[str]) -> list[str]:
    """Heads of two rows as one: what stands below counts by itself where it is a known place column, else joined."""
    heads, span = [], ""
    for k, below in enumerate(lower):
        above = upper[k].strip() if k < len(upper) else ""
        span = above or (span if below else "")
        heads.append(below if below.lower() in (*LONGITUDE, *LATITUDE) else f"{span if below else above}{below}")
    return heads


def _filled(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if any(cell.strip() for cell in row)]


def _untitled(rows: list[list[str]]) -> list[list[str]]:
    """
    The rows from the header on: lines with few filled cells above a wider one are the table's title and remarks.

    The header is the first row of more than one filled cell that is at least half as wide as the widest of the top.
    """
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows[:TITLE_ROWS]]
    least = max(2, (max(widths, default=0) + 1) // 2)
    first = next((number for number, width in enumerate(widths) if width >= least), 0)
    return rows[first:]


def _table(rows: list[list[str]], names: list[str]) -> pd.DataFrame:
    """Cells as stripped text or None, indexed by record number."""
    cells = np.full((len(rows), len(names)), None, dtype=object)
    for number, row in enumerate(rows):
        for column, cell in enumerate(row[: len(names)]):
            cells[number, column] = cell.strip() or None
    return pd.DataFrame(cells, columns=names, index=pd.RangeIndex(1, len(rows) + 1), dtype=object)


def _distinct(header: list[str]) -> list[str]:
    seen: dict[str, int] = {}
    names = []
    for number, text in enumerate(header, 1):
        label = text.strip() or f"column{number}"
        seen[label] = seen.get(label, 0) + 1
        names.append(label if seen[label] == 1 else f"{label}.{seen[label]}")
    return names


def _division_list(rows: list[list[str]], layer: str, encoding: str | None) -> Records:
    """Villages (level 5) or townships (level 4) of a list of statistical division codes; its places are GCJ-02."""
    table = _table(rows, list(_ADCODE))
    wanted = "5" if layer == "villages" else "4"
    others = {"other_levels": int((table["rank"] != wanted).sum())}
    held = table[table["rank"] == wanted].copy()
    held["parent"] = held["parent"].str.slice(0, TOWNSHIP_DIGITS)
    held = held.drop(columns=["center", "town", "village", "county", "city", "province", "level"])
    records = located(held, encoding)
    return Records(**{**records.__dict__, "shift": "gcj02", "other_kinds": others, "app": "adcode"})
