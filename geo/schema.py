"""
The contract of a table: its columns, their kinds, and which geometry it holds.

Checked at the two doors (``formats`` and ``store``), trusted inside. `Schema.refusals` names every bad row,
`Schema.check` raises on the first bad table.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import require_metric
from geo.errors import LayerError


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    REAL = "real"
    INTEGER = "integer"
    TIME = "time"
    FLAG = "flag"


_DTYPES = {
    Kind.TEXT: "object",
    Kind.REAL: "float64",
    Kind.INTEGER: "Int64",
    Kind.TIME: "datetime64[ms, UTC]",
    Kind.FLAG: "boolean",
}
_GEOMETRIES = (
    "Point",
    "LineString",
    "LinearRing",
    "Polygon",
    "MultiPoint",
    "MultiLineString",
    "MultiPolygon",
    "GeometryCollection",
)
_LINES = (1, 5)
_YEARS = range(1900, 2200)
_WHOLE = 2**53
"""Up to here a number with a point can be told from its neighbours: a larger count is a slip of the keyboard."""


@dataclass(frozen=True)
class Refusal:
    """One record that was not taken: its row in the source, the field, and a code of ``geo.words`` with its blanks."""

    row: int | str
    field: str
    code: str
    details: dict[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One column: `low` and `high` bound numbers, `choices` closes a text, what matches `never` is refused unread."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = True
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    never: str = ""

    @property
    def bounded(self) -> bool:
        """Whether anything but being there is asked of a value."""
        return bool(self.choices or self.never) or self.low is not None or self.high is not None


@dataclass(frozen=True)
class Schema:
    """
    A layer's contract.

    Parameters
    ----------
    name, key
        Layer name, and the column that identifies a row (empty where rows repeat it, as fixes do).
    columns
        Every column of the layer besides ``geometry``.
    geometry
        Geometry types allowed; empty for a layer without geometry.
    geometry_required
        Whether a row without geometry is refused.
    """

    name: str
    key: str
    columns: tuple[Column, ...]
    geometry: tuple[str, ...] = ()
    geometry_required: bool = True

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def conform(self, table: pd.DataFrame) -> pd.DataFrame:
        """
        A copy with exactly the layer's columns, cast; what cannot be cast becomes missing, for `refusals` to name.

        Columns the layer does not know are dropped; optional columns that are absent are added empty.
        """
        if self._is_conformed(table):
            return table.copy(deep=False)
        columns = {c.name: _cast(table[c.name], c.kind) if c.name in table else _empty(table, c) for c in self.columns}
        if not self.geometry:
            return pd.DataFrame(columns, index=table.index)
        placed = isinstance(table, gpd.GeoDataFrame) and bool(table.active_geometry_name)
        nowhere = gpd.array.GeometryArray(np.full(len(table), None, dtype=object))
        held = {**columns, "geometry": table.geometry.array if placed else nowhere}
        shaped: pd.DataFrame = gpd.GeoDataFrame(held, index=table.index, geometry="geometry")
        return shaped

    def conform_row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """
        As `conform`, of one row as a mapping: text, numbers, truth values, times in UTC to the millisecond, or None.

        A layer with geometry has it under ``geometry``, or None.
        """
        row = {column.name: _cast_value(values.get(column.name), column.kind) for column in self.columns}
        return row | {"geometry": values.get("geometry")} if self.geometry else row

    def row_refusal(self, row: Mapping[str, Any], at: int | str = 0) -> Refusal | None:
        """The first thing wrong with a conformed row; None where it keeps the contract."""
        for column in self.columns:
            value = row[column.name]
            for refusal in _value_problems([value], [value is None], [at], column):
                return refusal
        shapes = np.array([row["geometry"]], dtype=object) if self.geometry else None
        return None if shapes is None else next(self._geometry_problems(shapes, [at]), None)

    def _is_conformed(self, table: pd.DataFrame) -> bool:
        """Whether a table has just the layer's columns in order and in their dtypes, its texts texts."""
        names = [*self.names, *(["geometry"] if self.geometry else [])]
        if list(table.columns) != names or isinstance(table, gpd.GeoDataFrame) != bool(self.geometry):
            return False
        if self.geometry and table.active_geometry_name != "geometry":
            return False
        plain = pd.DataFrame(table)
        return all(
            str(dtype) == _DTYPES[column.kind] and (column.kind is not Kind.TEXT or _are_texts(plain[column.name]))
            for column, dtype in zip(self.columns, table.dtypes, strict=False)
        )

    def refusals(self, table: pd.DataFrame) -> list[Refusal]:
        """Every bad row of a conformed table, once, by the first thing wrong with it; rows are the table's index."""
        first: dict[Any, Refusal] = {}
        for refusal in self._problems(table):
            first.setdefault(refusal.row, refusal)
        return [first[row] for row in table.index if row in first]

    def check(self, table: pd.DataFrame) -> None:
        """Raise `LayerError` unless the table keeps the contract and its geometry is in metres."""
        missing = [name for name in self.names if name not in table]
        if missing:
            raise LayerError("columns_missing", layer=self.name, columns=", ".join(missing))
        if self.geometry and len(table) and bool(table.geometry.notna().any()):
            require_metric(table.crs, self.name)
        self._require_none(self.refusals(table))

    def check_row(self, row: Mapping[str, Any]) -> None:
        """As `check`, of one conformed row."""
        refusal = self.row_refusal(row)
        self._require_none([refusal] if refusal else [])

    def _require_none(self, refused: Sequence[Refusal]) -> None:
        for one in refused[:1]:
            told = {"row": one.row, "field": one.field, "reason": one.code}
            raise LayerError("rows_bad", layer=self.name, n=len(refused), **told, **one.details)

    def _problems(self, table: pd.DataFrame) -> Iterator[Refusal]:
        plain = pd.DataFrame(table)  # a GeoDataFrame takes its time to hand out a column
        for column in self.columns:
            yield from _column_problems(plain[column.name], column)
        if self.key:
            keys = plain[self.key]
            for row in table.index[keys.duplicated().to_numpy() & keys.notna().to_numpy()]:
                yield Refusal(row, self.key, "duplicate", {"value": keys.loc[row]})
        if self.geometry:
            yield from self._geometry_problems(table.geometry.to_numpy(), table.index.tolist())

    def _geometry_problems(self, shapes: npt.NDArray[Any], rows: Sequence[Any]) -> Iterator[Refusal]:
        empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        if self.geometry_required:
            for place in map(int, np.flatnonzero(empty)):
                yield Refusal(rows[place], "geometry", "geometry_missing")
        kinds = shapely.get_type_id(shapes)
        allowed = [_GEOMETRIES.index(name) for name in self.geometry]
        for place in map(int, np.flatnonzero(~empty & ~np.isin(kinds, allowed))):
            details: dict[str, object] = {"kind": _GEOMETRIES[kinds[place]], "wanted": "/".join(self.geometry)}
            yield Refusal(rows[place], "geometry", "geometry_kind", details)
        # A track of one fix is a line of two equal points: only areas can be invalid.
        areas = ~empty & ~np.isin(kinds, _LINES)
        for place in map(int, np.flatnonzero(areas & ~shapely.is_valid(shapes))):
            why = shapely.is_valid_reason(shapes[place])
            yield Refusal(rows[place], "geometry", "geometry_invalid", {"why": why})


def _column_problems(values: pd.Series, column: Column) -> Iterator[Refusal]:
    if column.required or column.bounded:
        yield from _value_problems(values.tolist(), values.isna().tolist(), values.index.tolist(), column)


def _value_problems(
    values: Sequence[Any], missing: Sequence[bool], rows: Sequence[Any], column: Column
) -> Iterator[Refusal]:
    """Plain loops: on the few rows of a form they cost a tenth of what a table's own operations do."""
    if column.required:
        for place in (at for at, none in enumerate(missing) if none):
            yield Refusal(rows[place], column.name, "value_missing")
    if not column.bounded:
        return
    known = set(column.choices)
    for place, (value, none) in enumerate(zip(values, missing, strict=True)):
        if none:
            continue
        row = rows[place]
        if known and value not in known:
            yield Refusal(row, column.name, "value_unknown", {"value": value, "known": "/".join(column.choices)})
        if column.never and re.search(column.never, value):
            yield Refusal(row, column.name, "identity_refused")
        if column.low is not None and value < column.low:
            yield Refusal(row, column.name, "value_low", {"value": value, "low": column.low})
        if column.high is not None and value > column.high:
            yield Refusal(row, column.name, "value_high", {"value": value, "high": column.high})


def _cast(values: pd.Series, kind: Kind) -> pd.Series:
    """Values as one dtype per kind: text as str objects, times as UTC; what does not parse becomes missing."""
    if kind is Kind.TEXT:
        texts = [None if _absent(value) else _text(value) for value in values.tolist()]
        return pd.Series(texts, index=values.index, dtype=object)
    if str(values.dtype) == _DTYPES[kind]:
        return values
    if kind is Kind.TIME:
        return _cast_time(values)
    if kind is Kind.FLAG:
        flags = [None if _absent(value) else _flag(value) for value in values.tolist()]
        return pd.Series(flags, index=values.index, dtype="boolean")
    numbers = pd.to_numeric(values, errors="coerce").astype("float64")
    if kind is Kind.INTEGER:
        whole = numbers.where((numbers == numbers.round()) & (numbers.abs() <= _WHOLE))
        return whole.astype("Int64")
    return numbers


def _cast_value(value: Any, kind: Kind) -> Any:
    """One value as `_cast` would have it, None where missing."""
    if _absent(value):
        return None
    if kind is Kind.TEXT:
        return _text(value)
    if kind is Kind.FLAG:
        return _flag(value)
    if kind is Kind.TIME:
        moment = value if isinstance(value, datetime) else pd.to_datetime(value, errors="coerce")
        if not _is_moment(moment):
            return None
        plain = moment.to_pydatetime(warn=False) if isinstance(moment, pd.Timestamp) else moment
        return plain.astimezone(UTC).replace(microsecond=plain.microsecond // 1000 * 1000)
    number = _number(value)
    if kind is not Kind.INTEGER:
        return number
    return int(number) if number is not None and number.is_integer() and abs(number) <= _WHOLE else None


def _number(value: Any) -> float | None:
    """A value as a number; None for what is none, or is too large for one."""
    try:
        number = float(value if isinstance(value, int | float) else pd.to_numeric(value, errors="coerce"))
    except OverflowError:
        return None
    return None if number != number else number


def _are_texts(values: pd.Series) -> bool:
    """Whether `_cast` would leave texts as they are."""
    return all(value is None or (type(value) is str and value != "" and value == value.strip()) for value in values)


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value)


def _is_moment(value: Any) -> bool:
    """Whether a time says its zone and lies in years that records are of: clocks that were never set say 1 or 9999."""
    return not _absent(value) and value.tzinfo is not None and value.year in _YEARS


def _cast_time(values: pd.Series) -> pd.Series:
    """UTC times; a naive time becomes missing (the doors localise it first, when told the zone)."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        utc: pd.Series = values.dt.tz_convert("UTC").astype("datetime64[ms, UTC]")
        return utc

    def aware(value: Any) -> object:
        moment = pd.to_datetime(value, errors="coerce")
        return moment.tz_convert("UTC") if _is_moment(moment) else pd.NaT

    return pd.Series([aware(v) for v in values], index=values.index, dtype="datetime64[ms, UTC]")


def _text(value: object) -> str | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _flag(value: object) -> bool | None:
    known = {"1": True, "true": True, "是": True, "yes": True, "0": False, "false": False, "否": False, "no": False}
    return known.get(str(value).strip().lower().removesuffix(".0"))


def _empty(table: pd.DataFrame, column: Column) -> pd.Series:
    return pd.Series([None] * len(table), index=table.index, dtype=_DTYPES[column.kind])
