"""An older county brought up to this program's tables: checked first, backed up, changed in one transaction."""

import sqlite3
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo import ledger
from geo.errors import StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry, Linked
from geo.schema import Schema
from geo.store.audit import Columns, audit
from geo.store.batches import batches
from geo.store.changes import spelled_layers
from geo.store.durable import back_up
from geo.store.tables import SCHEMA_VERSION, add_column, add_layer, columns_of, make_ledger, quoted


def upgrade(db: sqlite3.Connection, file: Path, meta: Mapping[str, str]) -> None:
    """
    Bring a county's tables up to date, if they are not.

    Nothing is changed in a county that does not agree with its ledger. The rows of a layer that gains columns are
    named anew by a ledger entry of kind ``upgrade``; a copy of the county as it was stays in ``backups``.

    Raises
    ------
    StoreError
        The county is newer than this program, or does not agree with its own ledger.
    """
    if not all(str(meta.get(name)).isdecimal() for name in ("schema_version", "srs_id")):
        raise StoreError("store_foreign", path=file)
    version = int(meta["schema_version"])
    if version > SCHEMA_VERSION:
        raise StoreError("store_newer", path=file, version=version, known=SCHEMA_VERSION)
    if version == SCHEMA_VERSION and not _lacking(db):
        return
    db.execute("BEGIN IMMEDIATE")
    try:
        version = int(db.execute("SELECT value FROM tacha_meta WHERE name = 'schema_version'").fetchone()[0])
        if version < SCHEMA_VERSION or _lacking(db):
            _require_sound(db, file, int(meta["srs_id"]))
            back_up(file, f"v{version}", datetime.now(UTC))
            _rebuild(db, version, int(meta["srs_id"]))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _lacking(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Columns this program knows and the county does not have, by layer."""
    sql = "SELECT t.name, c.name FROM sqlite_master AS t JOIN pragma_table_info(t.name) AS c WHERE t.type = 'table'"
    held = set(db.execute(sql))
    lacking = {name: [c for c in columns_of(schema) if (name, c) not in held] for name, schema in SCHEMAS.items()}
    return {name: columns for name, columns in lacking.items() if columns}


def _held(db: sqlite3.Connection, schema: Schema) -> list[str]:
    names = {str(column[1]) for column in db.execute(f"PRAGMA table_info({quoted(schema.name)})")}
    return [name for name in columns_of(schema) if name in names]


def _require_sound(db: sqlite3.Connection, file: Path, srs_id: int) -> None:
    def rows(schema: Schema) -> Any:
        held = _held(db, schema)
        return batches(db, schema, srs_id, held) if held else iter(())

    verdict = audit(db.execute("SELECT * FROM ledger ORDER BY seq"), rows, srs_id, None)
    if verdict.first_problem:
        raise StoreError("upgrade_unsound", path=file, why=verdict.first_problem) from verdict.first_problem


def _rebuild(db: sqlite3.Connection, version: int, srs_id: int) -> None:
    lacking = _lacking(db)
    for name, columns in lacking.items():
        schema = SCHEMAS[name]
        if not _held(db, schema):
            add_layer(db, schema, srs_id)
            continue
        for column in columns:
            add_column(db, schema, column)
    if version < 2:
        db.execute("ALTER TABLE ledger RENAME TO ledger_before")
        make_ledger(db)
        db.execute("INSERT INTO ledger SELECT * FROM ledger_before ORDER BY seq")
        db.execute("DROP TABLE ledger_before")
    db.execute("UPDATE tacha_meta SET value = ? WHERE name = 'schema_version'", (str(SCHEMA_VERSION),))
    _say_so(db, version, srs_id, lacking)


def _say_so(db: sqlite3.Connection, version: int, srs_id: int, lacking: dict[str, list[str]]) -> None:
    """The ledger entry of the upgrade: it names every row of the layers that gained columns."""
    layers = [(SCHEMAS[name], _whole(db, SCHEMAS[name], srs_id)) for name in lacking]
    last = db.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    entry = Entry("upgrade", {"from": version, "to": SCHEMA_VERSION, "columns": lacking}, "program")
    told = spelled_layers([(schema, columns) for schema, columns in layers if columns], srs_id)
    linked = ledger.link(Linked(*last) if last else None, entry, datetime.now(UTC), told)
    db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", linked.stored)


def _whole(db: sqlite3.Connection, schema: Schema, srs_id: int) -> Columns:
    parts = list(batches(db, schema, srs_id))
    return {name: [value for part in parts for value in part[name]] for name in (parts[0] if parts else ())}
