"""Whether a store still holds what its ledger says: the chain first, then every row of every layer."""

import json
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

import shapely

from geo.errors import LedgerBroken
from geo.layers import SCHEMAS
from geo.ledger import Stored, Verdict, row_digest, verify_stored
from geo.schema import Schema
from geo.store.blobs import blobs_of, wkb_in
from geo.store.tables import columns_of, quoted

Digests = dict[str, dict[str, str]]


def audit(db: sqlite3.Connection, srs_id: int, expected_head: str | None) -> Verdict:
    """The verdict on an open database, inside a transaction so that it cannot move meanwhile."""
    named: Digests = {}
    try:
        verdict = verify_stored(_remembering(db.execute("SELECT * FROM ledger ORDER BY seq"), named), expected_head)
    except (sqlite3.Error, ValueError) as wrong:
        return Verdict(False, 0, "", LedgerBroken("ledger_unreadable", why=wrong))
    if not verdict.ok:
        return verdict
    for schema in SCHEMAS.values():
        problem = _first_difference(db, schema, named.get(schema.name, {}), srs_id)
        if problem:
            return Verdict(False, verdict.entries_n, verdict.head, problem)
    return verdict


def _remembering(rows: Iterator[Stored], named: Digests) -> Iterator[Stored]:
    """The rows as they come, noting in `named` the last digest each entry gives a row of a layer."""
    for row in rows:
        yield row
        if '"rows":' in row[4]:
            for layer, digests in json.loads(row[4]).get("rows", {}).items():
                named.setdefault(layer, {}).update(digests)


def _first_difference(
    db: sqlite3.Connection, schema: Schema, named: dict[str, str], srs_id: int
) -> LedgerBroken | None:
    names = ["fid", *columns_of(schema)]
    missing = dict(named)
    try:
        found = db.execute(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(schema.name)} ORDER BY fid")
        for values in found:
            row = dict(zip(names, values, strict=True))
            key = row[schema.key]
            if key not in missing:
                return LedgerBroken("row_extra", layer=schema.name, key=key)
            if _digest(row, srs_id) != missing.pop(key):
                return LedgerBroken("row_changed", layer=schema.name, key=key)
    except sqlite3.Error as wrong:
        return LedgerBroken("table_unreadable", layer=schema.name, why=wrong)
    for key in missing:
        return LedgerBroken("row_missing", layer=schema.name, key=key)
    return None


def _digest(row: dict[str, Any], srs_id: int) -> str | None:
    """The digest of a row as it stands in its table; None where it could not have been written by this store."""
    try:
        if "geometry" in row:
            row["geometry"] = _hex(row["geometry"], srs_id)
        return row_digest(row) if _composed(list(row.values())) else None
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError):
        return None


def _hex(blob: bytes | None, srs_id: int) -> str | None:
    binary = wkb_in(blob)
    if binary is None:
        return None
    if blobs_of([binary], srs_id) != [blob]:
        raise ValueError("the header of the geometry is not the one written")
    return binary.hex()


def _composed(values: Sequence[Any]) -> bool:
    """Whether every text is in NFC, as it was written: the digest alone would not tell."""
    return all(unicodedata.is_normalized("NFC", value) for value in values if isinstance(value, str))
