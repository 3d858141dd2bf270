"""A change on its way into a store: held to the layer's contract, numbered, and spelled for the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj

from geo.errors import LayerError, StoreError
from geo.ledger import spelled_object, spelled_rows, text_digest
from geo.schema import Schema
from geo.store.audit import FRAME
from geo.store.contract import RECORDS, Bounds, Change, Row
from geo.store.rows import plain_columns, plain_row, schema_of


@dataclass
class Checked:
    """A change as plain columns; ``fid``, the order of arrival, joins them once the store knows it."""

    change: Change
    schema: Schema
    columns: dict[str, list[Any]]
    before: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def bounds(self) -> Bounds | None:
        """How far the rows reach: west, south, east, north in metres; None without geometry."""
        rows = self.change.rows
        if isinstance(rows, dict):
            return None if rows.get("geometry") is None or rows["geometry"].is_empty else rows["geometry"].bounds
        if not isinstance(rows, gpd.GeoDataFrame) or not bool(rows.geometry.notna().any()):
            return None
        west, south, east, north = rows.total_bounds.tolist()
        return west, south, east, north

    def place(self, known: Mapping[str, int], last: int) -> None:
        """Give each row its ``fid``: the old one where it takes a known row's place, else the next after `last`."""
        if known and not self.change.replace:
            raise StoreError("key_exists", layer=self.schema.name, key=next(iter(known)), n=len(known))
        keys = self.columns[self.schema.key]
        fresh = iter(range(last + 1, last + 1 + len(keys)))
        self.columns["fid"] = [known[key] if key in known else next(fresh) for key in keys]


def checked(change: Change, crs: pyproj.CRS) -> Checked:
    """The change, held to its layer's contract and to the county's CRS."""
    schema = schema_of(change.layer)
    before = {} if change.before is None else _columns(schema, change.before)
    if isinstance(change.rows, dict):
        row = schema.conform_row(change.rows)
        schema.check_row(row)
        return Checked(change, schema, _columns(schema, row), before)
    try:
        table = schema.conform(change.rows)
    except UnicodeEncodeError as wrong:
        raise LayerError("value_unstorable", where=change.layer, value=ascii(wrong.object)) from None
    if isinstance(table, gpd.GeoDataFrame) and table.crs is not None and table.crs != crs and not table.crs.equals(crs):
        raise StoreError("crs_differs", layer=change.layer, crs=table.crs.name, wanted=crs.name)
    schema.check(table)
    return Checked(change, schema, plain_columns(schema, table), before)


def _columns(schema: Schema, rows: pd.DataFrame | Row) -> dict[str, list[Any]]:
    if isinstance(rows, dict):
        return {name: [value] for name, value in plain_row(schema, schema.conform_row(rows)).items()}
    return plain_columns(schema, schema.conform(rows))


def require_same(one: Checked, held: Mapping[str, Sequence[Any]]) -> None:
    """Refuse a change worked out on rows that somebody has changed since."""
    if sorted(spelled_rows(one.before)) != sorted(spelled_rows(held)):
        raise StoreError("store_moved")


def spelled_changes(held: Sequence[Checked], epsg: int) -> dict[str, str]:
    """What the entry says of its rows, as canonical JSON: each one's digest, and the whole row where it is a record."""
    return spelled_layers([(one.schema, one.columns) for one in held], epsg)


def spelled_layers(layers: Sequence[tuple[Schema, Mapping[str, Sequence[Any]]]], epsg: int) -> dict[str, str]:
    """As `spelled_changes`, of whole columns with their ``fid``."""
    rows: dict[str, dict[str, str]] = {}
    records: dict[str, dict[str, str]] = {}
    for schema, columns in layers:
        name, keys, texts = schema.name, columns[schema.key], spelled_rows(columns)
        digests = (f'"{text_digest(text)}"' for text in texts)
        rows.setdefault(name, {}).update(zip(keys, digests, strict=True))
        if name in RECORDS:
            records.setdefault(name, {}).update(zip(keys, texts, strict=True))
    told = {"rows": rows, "records": records}
    spelled = {what: _nested(named) for what, named in told.items() if named}
    return {FRAME: str(epsg), **spelled} if rows else {}


def _nested(layers: Mapping[str, Mapping[str, str]]) -> str:
    return spelled_object({layer: spelled_object(texts) for layer, texts in layers.items()})
