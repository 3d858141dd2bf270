"""Rows of a layer as plain values: what a table holds, what the ledger digests, and back."""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.errors import LayerError, StoreError
from geo.layers import SCHEMAS
from geo.schema import Kind, Schema
from geo.store.blobs import shapes_of, wkb_of
from geo.store.contract import Row

ZM_LAYERS = ("tracks",)
_READ: dict[Kind, Callable[[Any], Any]] = {Kind.TIME: datetime.fromisoformat, Kind.FLAG: bool}


def schema_of(layer: str) -> Schema:
    """The contract of a layer; an unknown name is a `StoreError`."""
    if layer not in SCHEMAS:
        raise StoreError("store_layer_unknown", layer=layer, known="/".join(SCHEMAS))
    return SCHEMAS[layer]


def plain_columns(schema: Schema, table: pd.DataFrame) -> dict[str, list[Any]]:
    """
    Columns of a conformed table: text in NFC, times as UTC text, flags as 0 or 1, geometry as ISO WKB hex.

    Raises
    ------
    LayerError
        A number is infinite, or a text cannot be written as UTF-8.
    """
    held = pd.DataFrame(table)  # a GeoDataFrame takes its time to hand out a column
    columns = {c.name: _plain(held[c.name], c.kind, f"{schema.name}.{c.name}") for c in schema.columns}
    if schema.geometry:
        binary = wkb_of(table.geometry.to_numpy(), with_zm=schema.name in ZM_LAYERS)
        columns["geometry"] = [None if data is None else data.hex() for data in binary]
    return columns


def plain_row(schema: Schema, row: Row) -> Row:
    """One conformed row as `plain_columns` has its values."""
    plain = {c.name: _plain_value(row[c.name], c.kind, f"{schema.name}.{c.name}") for c in schema.columns}
    if schema.geometry:
        shape = np.array([row["geometry"]], dtype=object)
        data = wkb_of(shape, with_zm=schema.name in ZM_LAYERS)[0]
        plain["geometry"] = None if data is None else data.hex()
    return plain


def plain_rows(schema: Schema, table: pd.DataFrame) -> list[Row]:
    """Rows of a conformed table, each by column; see `plain_columns`."""
    columns = plain_columns(schema, table)
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def table_of(schema: Schema, columns: Sequence[Sequence[Any]], crs: pyproj.CRS) -> pd.DataFrame:
    """The conformed table of stored columns, in the schema's order, blobs of geometry last."""
    return _table(schema, columns, crs, shapes_of)


def blobless_table(schema: Schema, columns: Sequence[Sequence[Any]], crs: pyproj.CRS) -> pd.DataFrame:
    """As `table_of`, geometry as WKB in hex."""
    return _table(schema, columns, crs, lambda shapes: shapely.from_wkb(np.array(shapes, dtype=object)))


def read_rows(schema: Schema, rows: Iterable[Sequence[Any]], shape: Callable[[Any], Any]) -> list[Row]:
    """
    Stored rows, in the schema's order, as `Schema.conform_row` has them; `shape` reads a geometry.

    For the handful of rows that belong to one thing: a table of them takes thirty times as long to make.
    """
    turns = [(column.name, _READ.get(column.kind)) for column in schema.columns]
    turns += [("geometry", shape)] if schema.geometry else []
    return [{name: _read(value, turn) for (name, turn), value in zip(turns, row, strict=True)} for row in rows]


def _read(value: Any, turn: Callable[[Any], Any] | None) -> Any:
    return value if turn is None or value is None else turn(value)


def rows_of(table: pd.DataFrame) -> list[Row]:
    """The rows of a conformed table as `read_rows` gives them."""
    plain = {
        str(name): [None if none else _python(value) for value, none in zip(held.tolist(), held.isna(), strict=True)]
        for name, held in pd.DataFrame(table).items()
    }
    return [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]


def _python(value: Any) -> Any:
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _table(
    schema: Schema, columns: Sequence[Sequence[Any]], crs: pyproj.CRS, shaped: Callable[[Sequence[Any]], Any]
) -> pd.DataFrame:
    """Made in its final dtypes: casting it again, as `Schema.conform` would, takes as long as reading it."""
    data: dict[str, Any] = {c.name: _array(values, c.kind) for c, values in zip(schema.columns, columns, strict=False)}
    if not schema.geometry:
        return pd.DataFrame(data, index=pd.RangeIndex(len(columns[0])))
    data["geometry"] = gpd.array.GeometryArray(shaped(columns[-1]), crs=crs)
    placed: pd.DataFrame = gpd.GeoDataFrame(data, geometry="geometry")
    return placed


def _plain(values: pd.Series, kind: Kind, where: str) -> list[Any]:
    if kind is Kind.TIME:
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ms]")
        texts = np.datetime_as_string(utc, unit="ms")
        return [None if text == "NaT" else f"{text}Z" for text in texts.tolist()]
    missing = values.isna().tolist()
    return [
        None if none else _plain_value(value, kind, where) for value, none in zip(values.tolist(), missing, strict=True)
    ]


def _plain_value(value: Any, kind: Kind, where: str) -> Any:
    if value is None:
        return None
    if kind is Kind.TIME:
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    if kind is Kind.TEXT:
        return _utf8(value, where)
    if kind is not Kind.REAL:
        return int(value)
    if value in (np.inf, -np.inf):
        raise LayerError("value_unstorable", where=where, value="inf")
    return float(value)


def sought(schema: Schema, column: str, value: str) -> str:
    """A value to look for in a text column, as rows hold it; what no row can hold is refused."""
    if column not in schema.names:
        raise StoreError("column_unknown", layer=schema.name, column=column)
    if not is_writable(value):
        raise LayerError("record_value_bad", field=column, value=ascii(value))
    return unicodedata.normalize("NFC", value)


def findable(keys: Iterable[str]) -> list[str]:
    """The keys that a row can have at all."""
    return [key for key in map(str, keys) if is_writable(key)]


def _utf8(text: str, where: str) -> str:
    if not is_writable(text):
        raise LayerError("value_unstorable", where=where, value=ascii(text))
    return unicodedata.normalize("NFC", text)


def is_writable(text: str) -> bool:
    """Whether a text is Unicode at all (half a surrogate pair is not), and no end of text stands inside it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _array(values: Sequence[Any], kind: Kind) -> Any:
    """Stored values in the dtype of their kind; times are text in UTC, as `_plain` writes them."""
    if kind is Kind.TIME:
        utc = np.array(["NaT" if text is None else text.removesuffix("Z") for text in values], "datetime64[ms]")
        return pd.DatetimeIndex(utc).tz_localize("UTC")
    if kind is Kind.INTEGER or kind is Kind.FLAG:
        return pd.array(list(values), dtype="Int64" if kind is Kind.INTEGER else "boolean")
    if kind is Kind.REAL:
        return np.array(values, "float64")
    return pd.Series(list(values), dtype=object)
