"""The county's own store: one GeoPackage, written by SQLite alone so that a power cut leaves it whole."""

import json
import os
import random
import sqlite3
import threading
import time
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
from geo.errors import LedgerBroken, StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry, Linked, Verdict
from geo.schema import Schema
from geo.settings import Settings
from geo.store.audit import Columns, audit
from geo.store.batches import batches
from geo.store.blobs import blobs_of, hexes_of, wkb_in
from geo.store.changes import Checked, checked, require_same, spelled_changes
from geo.store.contract import Bounds, Change, Contents, Row
from geo.store.durable import explained, replace_file
from geo.store.rows import read_rows, schema_of, sought, table_of
from geo.store.tables import APPLICATION_ID, columns_of, make_tables, quoted, strange_table, widen
from geo.store.upgrading import upgrade

NAME = "county.gpkg"
BUSY_S = 60.0
TURN_S = (0.001, 0.004)


def create(path: Path, settings: Settings) -> "GeoPackageStore":
    """A new, empty county.gpkg in a folder; one that is already there is left alone (`StoreError`)."""
    if (path / NAME).exists():
        raise StoreError("store_exists", path=path)
    crs = pyproj.CRS.from_epsg(settings.epsg)
    replace_file(path / NAME, lambda beside: _fill(beside, crs))
    return GeoPackageStore(path / NAME)


def place_of(path: Path, settings: Settings) -> str:
    """What the county.gpkg in a folder is called, whether it is there or not."""
    return str((path / NAME).resolve())


def open_store(path: Path, settings: Settings | None = None) -> "GeoPackageStore":
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
        with explained(file):
            upgrade(self._db, file, meta)
        try:
            self._srs_id = int(meta["srs_id"])
            self._crs = pyproj.CRS.from_epsg(self._srs_id)
        except (KeyError, ValueError, pyproj.exceptions.CRSError) as wrong:
            raise StoreError("store_foreign", path=file) from wrong

    @property
    def crs(self) -> pyproj.CRS:
        """The county's metric CRS, in which every layer lies."""
        return self._crs

    @property
    def place(self) -> str:
        """Where the county lies."""
        return str(self.file)

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The layer in order of arrival, as its Schema has it; only the rows with these keys where `keys` is given."""
        schema = schema_of(layer)
        return self._rows(schema, *(("", ()) if keys is None else _among(schema, keys)))

    def read_where(self, layer: str, column: str, value: str) -> pd.DataFrame:
        """The rows whose text `column` holds `value`, in order of arrival."""
        return self._rows(schema_of(layer), *_where(schema_of(layer), column, value))

    def rows_where(self, layer: str, column: str, value: str) -> list[Row]:
        """As `read_where`, each row a mapping."""
        schema = schema_of(layer)
        rows = self._fetched(schema, columns_of(schema), *_where(schema, column, value))
        with _readable(layer):
            return read_rows(schema, rows, lambda blob: shapely.from_wkb(wkb_in(blob)))

    def _rows(self, schema: Schema, which: str, values: Sequence[str]) -> pd.DataFrame:
        names = columns_of(schema)
        rows = self._fetched(schema, names, which, values)
        with _readable(schema.name):
            return table_of(schema, list(zip(*rows, strict=True)) or [()] * len(names), self._crs)

    def _fetched(self, schema: Schema, names: Sequence[str], which: str, values: Sequence[str]) -> list[Any]:
        sql = f"SELECT {', '.join(map(quoted, names))} FROM {quoted(schema.name)}{which} ORDER BY fid"
        with explained(self.file):
            return self._db.execute(sql, values).fetchall()

    def holds(self, layer: str, keys: Sequence[str]) -> set[str]:
        """Which of these keys the layer has; quicker than reading its rows."""
        schema = schema_of(layer)
        which, values = _among(schema, keys)
        with explained(self.file):
            found = self._db.execute(f"SELECT {quoted(schema.key)} FROM {quoted(layer)}{which}", values)
            return {str(key) for (key,) in found}

    def count(self, layer: str) -> int:
        """How many rows the layer has."""
        with explained(self.file):
            return int(self._db.execute(f"SELECT count(*) FROM {quoted(schema_of(layer).name)}").fetchone()[0])

    def extent(self, layer: str) -> Bounds | None:
        """A box that holds all the layer ever held: west, south, east, north in metres; None without geometry."""
        sql = "SELECT min_x, min_y, max_x, max_y FROM gpkg_contents WHERE table_name = ?"
        with explained(self.file):
            found = self._db.execute(sql, (schema_of(layer).name,)).fetchone()
        return None if found is None or None in found else found

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        """Write the changes and their ledger entry in one transaction; see `contract.Store.append`."""
        held = [checked(change, self._crs) for change in changes if len(change.rows)]
        with explained(self.file), self._writing() as db:
            head = _head(db)
            for one in held:
                if one.change.before is not None:
                    keys = one.before[one.schema.key]
                    require_same(one, _held(db, one.schema, keys, self._srs_id))
                _write_rows(db, one, self._srs_id)
            linked = ledger.link(head, entry, now, spelled_changes(held, self._srs_id))
            db.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", linked.stored)
        return linked

    def entries(self, after: int = 0) -> list[Linked]:
        """Ledger entries with seq above `after`, in order."""
        with explained(self.file):
            rows = self._db.execute("SELECT * FROM ledger WHERE seq > ? ORDER BY seq", (after,))
            return [Linked(*row) for row in rows]

    def head(self) -> Linked | None:
        """The last ledger entry; None in a new county."""
        with explained(self.file):
            return _head(self._db)

    def verify(self, expected_head: str | None = None) -> Verdict:
        """The chain, every row against the last entry that names it, and the tables themselves, all at one moment."""
        try:
            with explained(self.file), self._reading() as db:
                held = self._contents(db)
                verdict = audit(held.entries, held.batches, self._srs_id, expected_head)
                problem = verdict.first_problem or _damage(db, self._crs)
        except (StoreError, ValueError) as wrong:
            return Verdict(False, 0, "", LedgerBroken("ledger_unreadable", why=wrong))
        return Verdict(problem is None, verdict.entries_n, verdict.head, problem)

    @contextmanager
    def contents(self) -> Iterator[Contents]:
        """Everything the county holds, as it stands at one moment."""
        with explained(self.file), self._reading() as db:
            yield self._contents(db)

    def fill(self, held: Contents) -> None:
        """Take over another store's rows and entries, as they are; this one is still empty."""
        with explained(self.file), self._writing() as db:
            db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", held.entries)
            for schema in SCHEMAS.values():
                for columns in held.batches(schema):
                    _insert(db, schema, columns, self._srs_id)
                shapes = self.read(schema.name) if schema.geometry else ()
                if isinstance(shapes, gpd.GeoDataFrame) and bool(shapes.geometry.notna().any()):
                    west, south, east, north = shapes.total_bounds.tolist()
                    widen(db, schema, (west, south, east, north))

    def leave(self, where: str | None) -> None:
        """Close the county to writing, because it has moved; None opens it again."""
        with explained(self.file):
            if where:
                self._db.execute("INSERT OR REPLACE INTO tacha_meta VALUES ('moved_to', ?)", (where,))
            else:
                self._db.execute("DELETE FROM tacha_meta WHERE name = 'moved_to'")

    def left_for(self) -> str | None:
        """Where the county has moved; None where it takes records."""
        with explained(self.file):
            return _left_for(self._db)

    def discard(self) -> None:
        """Undo the making of this store: a move into it failed."""
        self.close()
        for file in self.file.parent.glob(f"{self.file.name}*"):
            file.unlink()

    def _contents(self, db: sqlite3.Connection) -> Contents:
        entries = db.execute("SELECT * FROM ledger ORDER BY seq")
        return Contents(entries, lambda schema: batches(db, schema, self._srs_id))

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
        _take_turn(db)
        try:
            moved = _left_for(db)
            if moved:
                raise StoreError("store_moved_away", path=self.file, where=moved)
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """One transaction in which nothing moves."""
        db = self._db
        db.execute("BEGIN")
        try:
            yield db
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def _meta(self) -> dict[str, str]:
        with explained(self.file):
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
    with explained(file):
        db = sqlite3.connect(file, timeout=BUSY_S, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        return db


def _take_turn(db: sqlite3.Connection) -> None:
    """
    Begin to write, asking again every few milliseconds while somebody else does.

    SQLite's own waiting grows longer the longer one waits, so that of 25 writers some wait for many seconds.
    """
    deadline = time.monotonic() + BUSY_S
    db.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as busy:
                # The low byte: SQLITE_BUSY_RECOVERY, while another process mends a journal, is busy too.
                if busy.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(random.uniform(*TURN_S))
    finally:
        db.execute(f"PRAGMA busy_timeout = {round(BUSY_S * 1000)}")


def _damage(db: sqlite3.Connection, crs: pyproj.CRS) -> LedgerBroken | None:
    """A table that is not as this program makes it, or a page or index that SQLite itself finds broken."""
    strange = strange_table(db, crs)
    if strange:
        return LedgerBroken("table_changed", table=strange)
    told = db.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return None if told == "ok" else LedgerBroken("file_damaged", why=told)


@contextmanager
def _readable(layer: str) -> Iterator[None]:
    """Say which layer holds what no program of ours wrote."""
    try:
        yield
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError) as wrong:
        raise LedgerBroken("table_unreadable", layer=layer, why=wrong) from wrong


def _where(schema: Schema, column: str, value: str) -> tuple[str, tuple[str]]:
    return f" WHERE {quoted(column)} = ?", (sought(schema, column, value),)


def _among(schema: Schema, keys: Sequence[str]) -> tuple[str, tuple[str]]:
    return f" WHERE {quoted(schema.key)} IN (SELECT value FROM json_each(?))", (json.dumps(list(keys)),)


def _held(db: sqlite3.Connection, schema: Schema, keys: Sequence[str], srs_id: int) -> dict[str, Any]:
    """The rows with these keys as plain columns."""
    names = columns_of(schema)
    which, values = _among(schema, keys)
    rows = db.execute(f"SELECT {', '.join(map(quoted, names))} FROM {quoted(schema.name)}{which}", values).fetchall()
    columns: dict[str, Any] = dict(zip(names, list(zip(*rows, strict=True)) or [()] * len(names), strict=True))
    if schema.geometry:
        columns["geometry"] = hexes_of(columns["geometry"], srs_id)
    return columns


def _left_for(db: sqlite3.Connection) -> str | None:
    found = db.execute("SELECT value FROM tacha_meta WHERE name = 'moved_to'").fetchone()
    return str(found[0]) if found else None


def _head(db: sqlite3.Connection) -> Linked | None:
    row = db.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return Linked(*row) if row else None


def _write_rows(db: sqlite3.Connection, one: Checked, srs_id: int) -> None:
    """Write the rows, giving each its ``fid``: the old one where it takes a row's place, else the next."""
    schema, keys = one.schema, one.columns[one.schema.key]
    which, values = _among(schema, keys)
    known = dict(db.execute(f"SELECT {quoted(schema.key)}, fid FROM {quoted(schema.name)}{which}", values).fetchall())
    last = db.execute(f"SELECT coalesce(max(fid), 0) FROM {quoted(schema.name)}").fetchone()[0]
    one.place(known, last)
    _insert(db, schema, one.columns, srs_id)
    widen(db, schema, one.bounds)


def _insert(db: sqlite3.Connection, schema: Schema, held: Columns, srs_id: int) -> None:
    columns = dict(held)
    if schema.geometry:
        columns["geometry"] = blobs_of([None if t is None else bytes.fromhex(t) for t in columns["geometry"]], srs_id)
    sql = (
        f"INSERT OR REPLACE INTO {quoted(schema.name)} ({', '.join(map(quoted, columns))})"
        f" VALUES ({', '.join('?' * len(columns))})"
    )
    db.executemany(sql, zip(*columns.values(), strict=True))
