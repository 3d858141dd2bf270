"""Plain tables for other systems: heads in the first row, as CSV or XLSX bytes; no cell is ever a formula."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
UNDATED = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def neutral(value: Any) -> Any:
    """
    A value that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it.

    >>> neutral("=1+1"), neutral(-3.5), neutral("下河村")
    ("'=1+1", -3.5, '下河村')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(DANGEROUS) else value


def csv_table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """CSV bytes with a byte-order mark; what is missing is empty."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow([neutral(head) for head in heads])
    writer.writerows([["" if value is None else neutral(value) for value in row] for row in rows])
    return stream.getvalue().encode("utf-8-sig")


def xlsx_table(heads: Sequence[str], rows: Sequence[Sequence[Any]], *, name: str, notes: Sequence[str] = ()) -> bytes:
    """XLSX bytes; `notes` stand on a second sheet, so that the first can be handed on as it is."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"created": UNDATED})
        sheet = book.add_worksheet(name)
        bold = book.add_format({"bold": True})
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, bold)
            sheet.set_column(column, column, max(10, 2 * len(head)))
        for number, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, bool | str):
                    sheet.write_string(number, column, str(value))
                elif value is not None:
                    sheet.write_number(number, column, value)
        sheet.freeze_panes(1, 0)
        if notes:
            about = book.add_worksheet("说明")
            about.set_column(0, 0, 100)
            for number, line in enumerate(notes):
                about.write_string(number, 0, line)
    return stream.getvalue()
