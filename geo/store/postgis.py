"""A county in PostGIS, for offices that share one: a schema of its own, with the same rows, digests and ledger."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyproj
import shapely
import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, make_url

from geo import ledger
from geo.errors import LedgerBroken, StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry, Linked, Stored, Verdict
from geo.schema import Kind, Schema
from geo.settings import Settings
from geo.store.audit import Columns, audit
from geo.store.changes import Checked, checked, require_same, spelled_changes, spelled_layers
from geo.store.contract import Bounds, Change, Contents, Row
from geo.store.postgis_tables import add_lacking, known_layers, make_tables, read_list, strange_table, write_list
from geo.store.rows import blobless_table, findable, read_rows, schema_of, sought
from geo.store.tables import SCHEMA_VERSION

BATCH = 5000
DEFAULT_SCHEMA = "tacha"


def create(path: Path, settings: Settings) -> "PostgisStore":
    """An empty county in the schema that the settings' ``store_url`` names; one that is there is left alone."""
    url, schema, place = _address(settings.store_url)
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with _explained(place), engine.begin() as db:
        if db.execute(sa.text("SELECT 1 FROM pg_namespace WHERE nspname = :name"), {"name": schema}).first():
            raise StoreError("store_exists", path=place)
        make_tables(db, schema, pyproj.CRS.from_epsg(settings.epsg))
    return PostgisStore(settings.store_url)


def place_of(path: Path, settings: Settings) -> str:
    """What the schema that the settings' ``store_url`` names is called, whether it is there or not."""
    return _address(settings.store_url)[2]


def open_store(path: Path, settings: Settings) -> "PostgisStore":
    """The county in the schema that the settings' ``store_url`` names."""
    return PostgisStore(settings.store_url)


class PostgisStore:
    """Layers and ledger in one schema; any number of threads, processes and machines may use it at once."""

    def __init__(self, url: str) -> None:
        self._engines: dict[int, Engine] = {}
        self._url, self.schema, self.place = _address(url)
        try:
            meta = self._meta()
            if int(meta["schema_version"]) > SCHEMA_VERSION:
                version = meta["schema_version"]
                raise StoreError("store_newer", path=self.place, version=version, known=SCHEMA_VERSION)
            self._srs_id = int(meta["srs_id"])
            self._crs = pyproj.CRS.from_epsg(self._srs_id)
            self._upgrade(int(meta["schema_version"]))
        except BaseException:  # a store that does not open leaves no connection behind
            self.close()
            raise

    @property
    def crs(self) -> pyproj.CRS:
        """The county's metric CRS, in which every layer lies."""
        return self._crs

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The layer in order of arrival, as its Schema has it; only the rows with these keys where `keys` is given."""
        schema = schema_of(layer)
        if keys is None:
            return self._rows(schema, "", {})
        return self._rows(schema, f' WHERE "{schema.key}" = ANY(:keys)', {"keys": findable(keys)})

    def read_where(self, layer: str, column: str, value: str) -> pd.DataFrame:
        """The rows whose text `column` holds `value`, in order of arrival."""
        return self._rows(schema_of(layer), *_where(schema_of(layer), column, value))

    def rows_where(self, layer: str, column: str, value: str) -> list[Row]:
        """As `read_where`, each row a mapping."""
        schema = schema_of(layer)
        return read_rows(schema, self._fetched(schema, *_where(schema, column, value)), shapely.from_wkb)

    def holds(self, layer: str, keys: Sequence[str]) -> set[str]:
        """Which of these keys the layer has; quicker than reading its rows."""
        schema = schema_of(layer)
        sql = f'SELECT "{schema.key}" FROM {{}}.{layer} WHERE "{schema.key}" = ANY(:keys)'
        with _explained(self.place), self._engine.connect() as db:
            return {str(key) for (key,) in db.execute(self._sql(sql), {"keys": findable(keys)})}

    def count(self, layer: str) -> int:
        """How many rows the layer has."""
        with _explained(self.place), self._engine.connect() as db:
            return int(db.execute(self._sql(f"SELECT count(*) FROM {{}}.{schema_of(layer).name}")).scalar_one())

    def extent(self, layer: str) -> Bounds | None:
        """A box that holds all the layer ever held: west, south, east, north in metres; None without geometry."""
        if not schema_of(layer).geometry:
            return None
        ends = "ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"
        sql = f"SELECT {ends} FROM (SELECT ST_Extent(geometry) AS e FROM {{}}.{layer}) AS all_of_it"
        with _explained(self.place), self._engine.connect() as db:
            west, south, east, north = db.execute(self._sql(sql)).one()
        return None if west is None else (west, south, east, north)

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        """Write the changes and their ledger entry in one transaction; see `contract.Store.append`."""
        held = [checked(change, self._crs) for change in changes if len(change.rows)]
        with _explained(self.place), self._writing() as db:
            head = self._head(db)
            for one in held:
                if one.change.before is not None:
                    require_same(one, self._columns(db, one.schema, one.before[one.schema.key]))
                self._write_rows(db, one)
            linked = ledger.link(head, entry, now, spelled_changes(held, self._srs_id))
            self._write_entries(db, [linked.stored])
        return linked

    def entries(self, after: int = 0) -> list[Linked]:
        """Ledger entries with seq above `after`, in order."""
        with _explained(self.place), self._engine.connect() as db:
            rows = db.execute(self._sql("SELECT * FROM {}.ledger WHERE seq > :after ORDER BY seq"), {"after": after})
            return [Linked(*row) for row in rows]

    def head(self) -> Linked | None:
        """The last ledger entry; None in a new county."""
        with _explained(self.place), self._engine.connect() as db:
            return self._head(db)

    def verify(self, expected_head: str | None = None) -> Verdict:
        """The chain, every row against the last entry that names it, and the tables themselves, all at one moment."""
        with _explained(self.place), self.contents() as held:
            verdict = audit(held.entries, held.batches, self._srs_id, expected_head)
            with self._engine.connect() as db:
                strange = strange_table(db, self.schema, self._srs_id)
        problem = verdict.first_problem or (LedgerBroken("table_changed", table=strange) if strange else None)
        return Verdict(problem is None, verdict.entries_n, verdict.head, problem)

    @contextmanager
    def contents(self) -> Iterator[Contents]:
        """Everything the county holds, as it stands at one moment."""
        with self._engine.connect().execution_options(isolation_level="REPEATABLE READ") as db:
            rows = db.execute(self._sql("SELECT * FROM {}.ledger ORDER BY seq"), execution_options={"yield_per": BATCH})
            yield Contents((tuple(row) for row in rows), lambda schema: self._batches(db, schema))

    def fill(self, held: Contents) -> None:
        """Take over another store's rows and entries, as they are; this one is still empty."""
        with _explained(self.place), self._writing() as db:
            self._write_entries(db, held.entries)
            for schema in SCHEMAS.values():
                for columns in held.batches(schema):
                    db.execute(self._sql(write_list(schema, self._srs_id)), _dicts(schema, columns))

    def leave(self, where: str | None) -> None:
        """Close the county to writing, because it has moved; None opens it again."""
        with _explained(self.place), self._engine.begin() as db:
            db.execute(self._sql("LOCK TABLE {}.ledger IN EXCLUSIVE MODE"))
            db.execute(self._sql("DELETE FROM {}.meta WHERE name = 'moved_to'"))
            if where:
                db.execute(self._sql("INSERT INTO {}.meta VALUES ('moved_to', :where)"), {"where": where})

    def left_for(self) -> str | None:
        """Where the county has moved; None where it takes records."""
        with _explained(self.place), self._engine.connect() as db:
            return self._left_for(db)

    def discard(self) -> None:
        """Undo the making of this store: a move into it failed."""
        with _explained(self.place), self._engine.begin() as db:
            db.execute(self._sql("DROP SCHEMA {} CASCADE"))
        self.close()

    def close(self) -> None:
        """Close every connection; the next use opens others."""
        engine = self._engines.pop(os.getpid(), None)
        if engine is not None:
            engine.dispose()

    @property
    def _engine(self) -> Engine:
        """The pool of connections of this process: a forked child must not share its parent's."""
        if os.getpid() not in self._engines:
            self._engines = {os.getpid(): sa.create_engine(self._url, pool_size=2, max_overflow=30)}
        return self._engines[os.getpid()]

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """One transaction that holds the write lock from its first statement; whatever goes wrong undoes it."""
        with self._engine.begin() as db:
            db.execute(self._sql("LOCK TABLE {}.ledger IN EXCLUSIVE MODE"))
            moved = self._left_for(db)
            if moved:
                raise StoreError("store_moved_away", path=self.place, where=moved)
            yield db

    def _left_for(self, db: Connection) -> str | None:
        found = db.execute(self._sql("SELECT value FROM {}.meta WHERE name = 'moved_to'")).scalar()
        return None if found is None else str(found)

    def _fetched(self, schema: Schema, which: str, values: dict[str, Any]) -> Sequence[Any]:
        with _explained(self.place), self._engine.connect() as db:
            sql = f"SELECT {read_list(schema)} FROM {{}}.{schema.name}{which} ORDER BY fid"
            return db.execute(self._sql(sql), values).fetchall()

    def _rows(self, schema: Schema, which: str, values: dict[str, Any]) -> pd.DataFrame:
        rows = self._fetched(schema, which, values)
        columns = list(zip(*rows, strict=True)) or [()] * (len(schema.names) + bool(schema.geometry))
        return blobless_table(schema, columns, self._crs)

    def _columns(self, db: Connection, schema: Schema, keys: Sequence[str]) -> Columns:
        names = [*schema.names, *(["geometry"] if schema.geometry else [])]
        sql = f'SELECT {read_list(schema)} FROM {{}}.{schema.name} WHERE "{schema.key}" = ANY(:keys) ORDER BY fid'
        rows = db.execute(self._sql(sql), {"keys": list(keys)}).fetchall()
        return dict(zip(names, list(zip(*rows, strict=True)) or [()] * len(names), strict=True))

    def _batches(self, db: Connection, schema: Schema) -> Iterator[Columns]:
        names = ["fid", *schema.names, *(["geometry"] if schema.geometry else [])]
        sql = f"SELECT fid, {read_list(schema)} FROM {{}}.{schema.name} ORDER BY fid"
        try:
            rows = db.execute(self._sql(sql), execution_options={"yield_per": BATCH})
            for some in rows.partitions():
                yield dict(zip(names, zip(*some, strict=True), strict=True))
        except sa.exc.DBAPIError as wrong:
            raise LedgerBroken("table_unreadable", layer=schema.name, why=_first_line(wrong)) from wrong

    def _head(self, db: Connection) -> Linked | None:
        row = db.execute(self._sql("SELECT * FROM {}.ledger ORDER BY seq DESC LIMIT 1")).first()
        return Linked(*row) if row else None

    def _write_rows(self, db: Connection, one: Checked) -> None:
        schema, keys = one.schema, one.columns[one.schema.key]
        found = db.execute(
            self._sql(f'SELECT "{schema.key}", fid FROM {{}}.{schema.name} WHERE "{schema.key}" = ANY(:keys)'),
            {"keys": keys},
        )
        known = {str(key): int(fid) for key, fid in found}
        last = db.execute(self._sql(f"SELECT coalesce(max(fid), 0) FROM {{}}.{schema.name}")).scalar_one()
        one.place(known, int(last))
        db.execute(self._sql(write_list(schema, self._srs_id)), _dicts(schema, one.columns))

    def _write_entries(self, db: Connection, entries: Iterable[Stored]) -> None:
        names = ("seq", "at", "kind", "role", "body", "previous", "hash")
        some = [dict(zip(names, entry, strict=True)) for entry in entries]
        if some:
            sql = "INSERT INTO {}.ledger VALUES (:seq, :at, :kind, :role, :body, :previous, :hash)"
            db.execute(self._sql(sql), some)

    def _sql(self, sql: str) -> sa.TextClause:
        return sa.text(sql.format(f'"{self.schema}"'))

    def _upgrade(self, version: int) -> None:
        """Give an older county the layers and columns it lacks, its rows named anew; a copy of all stays beside it."""
        with _explained(self.place), self._engine.begin() as db:
            if self._is_whole(db):
                return
            db.execute(self._sql("LOCK TABLE {}.ledger IN EXCLUSIVE MODE"))
            if self._is_whole(db):
                return
            known = known_layers(db, self.schema)
            rows = db.execute(self._sql("SELECT * FROM {}.ledger ORDER BY seq"))
            found = audit(
                (tuple(row) for row in rows),
                lambda schema: self._batches(db, known[schema.name]) if schema.name in known else iter(()),
                self._srs_id,
                None,
            )
            if found.first_problem:
                raise StoreError("upgrade_unsound", path=self.place, why=found.first_problem) from found.first_problem
            now = datetime.now(UTC)
            added = add_lacking(db, self.schema, self._srs_id, f"{self.schema}_v{version}_{now:%Y%m%dt%H%M%S}")
            told = [(SCHEMAS[name], self._whole(db, SCHEMAS[name])) for name in added]
            spelled = spelled_layers([(schema, columns) for schema, columns in told if columns], self._srs_id)
            entry = Entry("upgrade", {"from": version, "to": SCHEMA_VERSION, "columns": added}, "program")
            self._write_entries(db, [ledger.link(self._head(db), entry, now, spelled).stored])

    def _is_whole(self, db: Connection) -> bool:
        """Whether the database has every layer and column of this program."""
        held = known_layers(db, self.schema)
        return all(name in held and held[name].names == layer.names for name, layer in SCHEMAS.items())

    def _whole(self, db: Connection, schema: Schema) -> Columns:
        parts = list(self._batches(db, schema))
        return {name: [value for part in parts for value in part[name]] for name in (parts[0] if parts else ())}

    def _meta(self) -> dict[str, str]:
        with _explained(self.place), self._engine.connect() as db:
            there = db.execute(sa.text("SELECT to_regclass(:name)"), {"name": f'"{self.schema}".meta'}).scalar()
            if there is None:
                raise StoreError("store_missing", path=self.place)
            return {str(name): str(value) for name, value in db.execute(self._sql("SELECT name, value FROM {}.meta"))}


def _where(schema: Schema, column: str, value: str) -> tuple[str, dict[str, Any]]:
    return f' WHERE "{column}" = :value', {"value": sought(schema, column, value)}


def _address(text: str) -> tuple[URL, str, str]:
    """Where the server is, the county's schema there, and how to name the place without its password."""
    try:
        url = make_url(text)
    except sa.exc.ArgumentError as wrong:
        raise StoreError("store_url_bad", url=text) from wrong
    if url.get_backend_name() != "postgresql" or not url.database:
        raise StoreError("store_url_bad", url=url.render_as_string(hide_password=True))
    schema = str(url.query.get("schema", DEFAULT_SCHEMA))
    if not schema.replace("_", "").isalnum() or schema.startswith("pg_"):
        raise StoreError("store_url_bad", url=url.render_as_string(hide_password=True))
    plain = URL.create("postgresql+psycopg", url.username, url.password, url.host, url.port, url.database)
    return plain, schema, url.render_as_string(hide_password=True)


def _dicts(schema: Schema, columns: Columns) -> list[dict[str, Any]]:
    """Rows as a statement takes them: geometry as bytes, truth values as such."""
    flags = {column.name for column in schema.columns if column.kind is Kind.FLAG}

    def turned(name: str, value: Any) -> Any:
        if value is None:
            return None
        return bytes.fromhex(value) if name == "geometry" else bool(value) if name in flags else value

    held = {name: [turned(name, value) for value in values] for name, values in columns.items()}
    return [dict(zip(held, row, strict=True)) for row in zip(*held.values(), strict=True)]


@contextmanager
def _explained(place: str) -> Iterator[None]:
    """Turn what the server refuses into a `StoreError`."""
    try:
        yield
    except sa.exc.OperationalError as wrong:
        full = "No space left" in str(wrong)
        raise StoreError("disk_full" if full else "store_unreachable", path=place, why=_first_line(wrong)) from wrong
    except sa.exc.SQLAlchemyError as wrong:
        raise StoreError("store_refuses", path=place, why=_first_line(wrong)) from wrong


def _first_line(wrong: Exception) -> str:
    return str(getattr(wrong, "orig", None) or wrong).strip().splitlines()[0]
