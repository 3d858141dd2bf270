"""The county's own store: one GeoPackage, written by SQLite alone so that a power cut leaves it whole."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyproj
import shapely

from geo import ledger
from geo.errors import LayerError, LedgerBroken, StoreError
from geo.ledger import Entry, Linked, Verdict
from geo.schema import Schema
from geo.settings import Settings
from geo.store.audit import audit
from geo.store.blobs import blobs_of
from geo.store.contract import RECORDS, Change
from geo.store.durable import replace_file
from geo.store.rows import Row, plain_rows, schema_of, table_of
from geo.store.tables import APPLICATION_ID, SCHEMA_VERSION, columns_of, make_tables, quoted, widen

NAME = "county.gpkg"
BUSY_S = 30.0


def create(path: Path, settings: Settings) -> "GeoPackageStore":
    """A new, empty county.gpkg in a folder; one that is already there is left alone (`StoreError`)."""
    if (path / NAME).exists():
        raise StoreError("store_exists", path=path)
    crs = pyproj.CRS.from_epsg(settings.epsg)
    replace_file(path / NAME, lambda beside: _fill(beside, crs))
    return GeoPackageStore(path / NAME)


def open_store(path: Path) -> "GeoPackageStore":
    """The county.gpkg in a folder."""
    if not (path / NAME).is_file():
        raise StoreError("store_missing", path=path)
    return GeoPackageStore(path / NAME)


class GeoPackageStore:
    """Layers and ledger in one file; any number of threads and processes may hold it open."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._own = threading.local()
        meta = self._meta()
        if int(meta["schema_version"]) > SCHEMA_VERSION:
            raise StoreError("store_newer", path=file, version=meta["schema_version"], known=SCHEMA_VERSION)
        self._srs_id = int(meta["srs_id"])
        self._crs = pyproj.CRS.from_epsg(self._srs_id) if self._srs_id < 100_000 else pyproj.CRS(meta["crs"])

    @property
    def crs(self) -> pyproj.CRS:
        """The county's metric CRS, in which every layer lies."""
        return self._crs

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The layer in order of arrival, as its Schema has it; only the rows with these keys where `keys` is given."""
        schema = schema_of(layer)
        names = columns_of(schema)
        which, values = ("", ()) if keys is None else _among(schema, keys)
        sql = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(layer)}{which} ORDER BY fid"
        with _explained(self.file):
            rows = self._db.execute(sql, values).fetchall()
        try:
            return table_of(schema, list(zip(*rows, strict=True)) or [()] * len(names), self._crs)
        except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as wrong:
            raise LedgerBroken("table_unreadable", layer=layer, why=wrong) from wrong

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        """Write the changes and their ledger entry in one transaction; see `contract.Store.append`."""
        checked = [self._checked(change) for change in changes if len(change.rows)]
        with _explained(self.file), self._writing() as db:
            head = _head(db)
            body = dict(entry.body)
            for change, rows in zip((c for c in changes if len(c.rows)), checked, strict=True):
                self._require_unmoved(change)
                _write_rows(db, change, rows, self._srs_id)
                _note(body, change.layer, rows)
            linked = ledger.link(head, Entry(entry.kind, body, entry.role), now)
            db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", linked.stored)
        return linked

    def entries(self, after: int = 0) -> list[Linked]:
        """Ledger entries with seq above `after`, in order."""
        with _explained(self.file):
            return [
                _linked(row) for row in self._db.execute("SELECT * FROM ledger WHERE seq > ? ORDER BY seq", (after,))
            ]

    def head(self) -> Linked | None:
        """The last ledger entry; None in a new county."""
        with _explained(self.file):
            return _head(self._db)

    def verify(self, expected_head: str | None = None) -> Verdict:
        """The chain, and every row against the last entry that names it, as they stand at one moment."""
        with _explained(self.file):
            self._db.execute("BEGIN")
            try:
                return audit(self._db, self._srs_id, expected_head)
            finally:
                self._db.execute("ROLLBACK")

    def close(self) -> None:
        """Close this thread's connection; the next use opens another."""
        db = getattr(self._own, "db", None)
        if db is not None:
            db.close()
        self._own = threading.local()

    @property
    def _db(self) -> sqlite3.Connection:
        """The connection of this thread and process."""
        if getattr(self._own, "pid", None) != os.getpid():
            self._own.db, self._own.pid = _connect(self.file), os.getpid()
        db: sqlite3.Connection = self._own.db
        return db

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that holds the write lock from its first statement; whatever goes wrong undoes it."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def _checked(self, change: Change) -> list[Row]:
        """The rows of a change as plain values, held to the layer's contract."""
        schema = schema_of(change.layer)
        try:
            table = schema.conform(change.rows)
        except UnicodeEncodeError as wrong:
            raise LayerError("value_unstorable", where=change.layer, value=ascii(wrong.object)) from None
        if isinstance(table, gpd.GeoDataFrame) and table.crs is not None and not table.crs.equals(self._crs):
            raise StoreError("crs_differs", layer=change.layer, crs=table.crs.name, wanted=self._crs.name)
        schema.check(table)
        return plain_rows(schema, table)

    def _require_unmoved(self, change: Change) -> None:
        """Refuse a change worked out on rows that somebody has changed since."""
        if change.before is not None:
            schema = schema_of(change.layer)
            known = plain_rows(schema, schema.conform(change.before))
            held = plain_rows(schema, self.read(change.layer, [row[schema.key] for row in known]))
            if sorted(known, key=ledger.canonical) != sorted(held, key=ledger.canonical):
                raise StoreError("store_moved")

    def _meta(self) -> dict[str, str]:
        with _explained(self.file):
            try:
                known = self._db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
                rows = self._db.execute("SELECT name, value FROM tacha_meta").fetchall() if known else []
            except sqlite3.DatabaseError as wrong:
                if isinstance(wrong, sqlite3.OperationalError) and "no such table" not in str(wrong):
                    raise
                rows = []
        if not rows:
            raise StoreError("store_foreign", path=self.file)
        return dict(rows)


def _fill(file: Path, crs: pyproj.CRS) -> None:
    db = _connect(file)
    try:
        make_tables(db, crs)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        db.close()


def _connect(file: Path) -> sqlite3.Connection:
    with _explained(file):
        db = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        return db


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Turn what SQLite refuses into a `StoreError`."""
    try:
        yield
    except sqlite3.Error as wrong:
        code = "store_busy" if "locked" in str(wrong) or "busy" in str(wrong) else "store_refuses"
        raise StoreError(code, path=file, why=wrong) from wrong


def _among(schema: Schema, keys: Sequence[str]) -> tuple[str, tuple[str]]:
    return f" WHERE {quoted(schema.key)} IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)


def _head(db: sqlite3.Connection) -> Linked | None:
    row = db.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return _linked(row) if row else None


def _linked(row: Sequence[Any]) -> Linked:
    seq, at, kind, role, body, previous, own = row
    return Linked(seq, at, kind, role, json.loads(body), previous, own)


def _write_rows(db: sqlite3.Connection, change: Change, rows: list[Row], srs_id: int) -> None:
    """Write the rows, giving each its ``fid``: the old one where it takes a row's place, else the next."""
    schema = schema_of(change.layer)
    which, values = _among(schema, [row[schema.key] for row in rows])
    known = dict(db.execute(f"SELECT {quoted(schema.key)}, fid FROM {quoted(schema.name)}{which}", values).fetchall())
    if known and not change.replace:
        raise StoreError("key_exists", layer=schema.name, key=next(iter(known)), n=len(known))
    last = db.execute(f"SELECT coalesce(max(fid), 0) FROM {quoted(schema.name)}").fetchone()[0]
    for row in rows:
        if row[schema.key] not in known:
            last += 1
        row["fid"] = known.get(row[schema.key], last)
    names = columns_of(schema)
    columns = [[row[name] for row in rows] for name in names]
    if schema.geometry:
        columns[-1] = blobs_of([None if text is None else bytes.fromhex(text) for text in columns[-1]], srs_id)
    marks = ", ".join("?" * (len(names) + 1))
    sql = f"INSERT OR REPLACE INTO {quoted(schema.name)} (fid, {', '.join(map(quoted, names))}) VALUES ({marks})"
    db.executemany(sql, zip((row["fid"] for row in rows), *columns, strict=True))
    shapes = change.rows.total_bounds.tolist() if isinstance(change.rows, gpd.GeoDataFrame) else [float("nan")]
    widen(db, schema, None if any(bound != bound for bound in shapes) else tuple(shapes))


def _note(body: dict[str, Any], layer: str, rows: list[Row]) -> None:
    """Name the rows in the entry's body: each one's digest, and the whole row where it is a record."""
    key = schema_of(layer).key
    body.setdefault("rows", {}).setdefault(layer, {}).update({row[key]: ledger.row_digest(row) for row in rows})
    if layer in RECORDS:
        body.setdefault("records", {}).setdefault(layer, {}).update({row[key]: row for row in rows})
