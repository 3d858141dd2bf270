"""CSV and XLSX tables as raw records: text stays text, coordinates become points where columns hold them."""

import csv
import io
import re
import warnings
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import FormatError
from geo.formats.attributes import table_text
from geo.formats.boundaries import TOWNSHIP_DIGITS
from geo.formats.reading import Records
from geo.formats.sniffing import members
from geo.schema import Refusal

ROWS_CAP = 200_000
COLUMNS_CAP = 256
CELLS_CAP = 4_000_000

TITLE_ROWS = 10
SHAPES = ("wkt", "geom", "the_geom", "geometry", "图形")
LONGITUDE = ("longitude", "lon", "lng", "经度", "x", "东经")
LATITUDE = ("latitude", "lat", "纬度", "y", "北纬")

_ADCODE = (
    "code", "parent", "name", "level", "rank", "adcode", "post_code", "area_code", "ur_code", "municipality",
    "virtual", "dummy", "longitude", "latitude", "center", "province", "city", "county", "town", "village",
)  # fmt: skip
_SEXAGESIMAL = re.compile(
    r"^([NSEW东西南北]?[经纬]?)\s*(-?\d{1,3})\s*[°度:\s]\s*(\d{1,2}(?:\.\d+)?)\s*(?:['′分:\s]\s*(?:(\d{1,2}(?:\.\d+)?)\s*[\"″秒]?)?)?\s*([NSEW]?)$"
)


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
    return _records(rows, name, layer, found)


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
    header = _distinct(rows[0])
    return located(_table(rows[1:], header), encoding)


def _filled(rows: list[list[str]]) -> list[list[str]]:
    return [row for row in rows if any(cell.strip() for cell in row)]


def _untitled(rows: list[list[str]]) -> list[list[str]]:
    """The rows from the header on: lines of one filled cell above a wider one are the table's title and remarks."""
    widths = [sum(bool(cell.strip()) for cell in row) for row in rows[:TITLE_ROWS]]
    first = next((number for number, width in enumerate(widths) if width > 1), 0)
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


def located(table: pd.DataFrame, encoding: str | None) -> Records:
    """Records with points where the table has columns of coordinates; a half or unreadable place refuses the row."""
    lower = {str(column).strip().lower(): column for column in table.columns}
    x_name = next((lower[alias] for alias in LONGITUDE if alias in lower), None)
    y_name = next((lower[alias] for alias in LATITUDE if alias in lower), None)
    shape_name = next((lower[alias] for alias in SHAPES if alias in lower), None)
    if shape_name is not None and (x_name is None or y_name is None):
        return _drawn(table, shape_name, encoding)
    if x_name is None or y_name is None:
        return Records(table, encoding=encoding)
    refused: list[Refusal] = []
    places: list[tuple[float, float]] = []
    for row, x_text, y_text in zip(table.index, table[x_name], table[y_name], strict=True):
        x, y = decimal_degrees(x_text), decimal_degrees(y_text)
        for label, text, value in ((x_name, x_text, x), (y_name, y_text, y)):
            if np.isnan(value) and (text is not None or not (x_text is None and y_text is None)):
                refused.append(Refusal(row, str(label), "coordinate_bad", {"value": str(text or "")[:40]}))
                break
        places.append((x, y))
    bad = {refusal.row for refusal in refused}
    points = shapely.points(np.array(places, dtype=float).reshape(-1, 2))
    shapes = np.where(np.isnan(np.array(places, dtype=float).reshape(-1, 2)).any(axis=1), None, points)
    shaped = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, index=table.index))
    return Records(shaped[~shaped.index.isin(bad)], refused=tuple(refused), encoding=encoding)


def _drawn(table: pd.DataFrame, column: str, encoding: str | None) -> Records:
    """Records with the geometries of a column of well-known text; what is none refuses the row."""
    texts = table[column]
    shapes = shapely.from_wkt(texts.to_numpy(), on_invalid="ignore")
    bad = texts.notna() & pd.isna(pd.Series(shapes, index=table.index, dtype=object))
    refused = [Refusal(row, column, "geometry_bad", {"why": str(texts[row])[:40]}) for row in table.index[bad]]
    shaped = gpd.GeoDataFrame(table.drop(columns=column), geometry=gpd.GeoSeries(shapes, index=table.index))
    return Records(shaped[~bad], refused=tuple(refused), encoding=encoding)


def decimal_degrees(text: str | None) -> float:
    """
    Degrees of decimal or sexagesimal text; NaN where it is neither.

    >>> decimal_degrees("105°30'36\\"E"), decimal_degrees("26.5"), decimal_degrees("26,5")
    (105.51, 26.5, nan)
    """
    cleaned = (text or "").strip()
    try:
        return float(cleaned)
    except ValueError:
        pass
    found = _SEXAGESIMAL.match(cleaned)
    if not found:
        return float("nan")
    before, degrees, minutes, seconds, after = found.groups()
    if float(minutes) >= 60 or float(seconds or 0) >= 60:
        return float("nan")
    size = abs(float(degrees)) + float(minutes) / 60 + float(seconds or 0) / 3600
    south = degrees.startswith("-") or (before + after)[:1] in {"S", "W", "南", "西"}
    return round(-size if south else size, 9)
