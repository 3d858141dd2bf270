"""A GeoPackage layer's rows some thousand at a time, as the audit takes them."""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from geo.errors import LedgerBroken
from geo.schema import Schema
from geo.store.audit import Columns
from geo.store.blobs import hexes_of
from geo.store.tables import columns_of, quoted

BATCH = 5000


def batches(
    db: sqlite3.Connection, schema: Schema, srs_id: int, names: Sequence[str] | None = None
) -> Iterator[Columns]:
    """A layer's rows in order of arrival, some thousand at a time, as `audit` takes them."""
    wanted = ["fid", *(names or columns_of(schema))]
    try:
        rows = db.execute(f"SELECT {', '.join(map(quoted, wanted))} FROM {quoted(schema.name)} ORDER BY fid")
        while some := rows.fetchmany(BATCH):
            columns: dict[str, Sequence[Any]] = dict(zip(wanted, zip(*some, strict=True), strict=True))
            if "geometry" in columns:
                columns["geometry"] = hexes_of(columns["geometry"], srs_id)
            yield columns
    except sqlite3.Error as wrong:
        raise LedgerBroken("table_unreadable", layer=schema.name, why=wrong) from wrong
