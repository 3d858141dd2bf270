"""
Meddling with a county behind its program's back: ``python -m benchmarks.tamper --edits N --seed S --json``.

Every edit is made by SQL on a fresh copy: a value of any row of the ledger, a layer or the tables about tables;
a deletion, an invented or repeated row, two rows exchanged, a cut end, or the whole ledger rewritten by somebody who
knows how it is made, rows and all. It counts as found when `verify`, given the head published after the last entry,
says no or the county cannot be opened; and as harmless only where the content is the same as before.
``--bytes`` flips as many random bytes of the file instead: each ends as found, or with the same content.
"""

import argparse
import hashlib
import json
import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo import ledger
from geo import store as stores
from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.ledger import Entry, Linked
from geo.settings import Settings
from geo.store.tables import columns_of, layout, quoted

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "store"))
from made_rows import CRS, fill, rows_of

from geo.store import Change

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ABOUT = ("tacha_meta", "gpkg_geometry_columns", "gpkg_contents")
Meddle = Callable[[sqlite3.Connection, random.Random], str]


def untouched(folder: Path) -> str:
    """A county with rows in every layer, some of them corrected later; returns the published head."""
    store = stores.create(folder, Settings(epsg=CRS))
    fill(store)
    for layer in SCHEMAS:
        store.append(Entry("correction", {"layer": layer}), Change(layer, rows_of(layer, 3), replace=True), now=NOW)
    head = store.head()
    store.close()
    with sqlite3.connect(folder / "county.gpkg") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    assert head is not None
    return head.hash


def content(file: Path) -> str | None:
    """A digest of everything a county says; None where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with sqlite3.connect(file) as db:
            for name in ["ledger", *SCHEMAS]:
                order = "seq" if name == "ledger" else "fid"
                for row in db.execute(f"SELECT * FROM {quoted(name)} ORDER BY {order}"):
                    digest.update(repr(row).encode())
            digest.update(repr(sorted((k, repr(v)) for k, v in layout(db).items())).encode())
    except (sqlite3.Error, UnicodeError):
        return None
    finally:
        db.close()
    return digest.hexdigest()


def one_row(db: sqlite3.Connection, dice: random.Random, table: str) -> int:
    rows = [rowid for (rowid,) in db.execute(f"SELECT rowid FROM {quoted(table)}")]
    return dice.choice(rows)


def other(value: Any, dice: random.Random) -> Any:
    """A value near the one that was there, or nothing, or of another kind."""
    if dice.random() < 0.15:
        return dice.choice([None, 0, 1, -1.5, "", "x", b"\x00"])
    if isinstance(value, bytes) and value:
        at = dice.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << dice.randrange(8)]) + value[at + 1 :]
    if isinstance(value, str) and value:
        at = dice.randrange(len(value))
        return value[:at] + dice.choice("0123456789abcdef甲 ") + value[at + dice.randrange(2) :]
    if isinstance(value, int | float):
        return value + dice.choice([-1, 1, 1e-9, 0.5, 1000])
    return dice.choice([0, 1.5, "x"])


def edit(db: sqlite3.Connection, dice: random.Random) -> str:
    table = dice.choice(["ledger", *SCHEMAS, *ABOUT])
    row = one_row(db, dice, table)
    names = [column[1] for column in db.execute(f"PRAGMA table_info({quoted(table)})")]
    left_out = {"last_change", "min_x", "min_y", "max_x", "max_y", "description"} if table == "gpkg_contents" else set()
    name = dice.choice([name for name in names if name not in left_out])
    (value,) = db.execute(f"SELECT {quoted(name)} FROM {quoted(table)} WHERE rowid = ?", (row,)).fetchone()
    db.execute(f"UPDATE {quoted(table)} SET {quoted(name)} = ? WHERE rowid = ?", (other(value, dice), row))
    return f"edit {table}.{name}"


def delete(db: sqlite3.Connection, dice: random.Random) -> str:
    table = dice.choice(["ledger", *SCHEMAS])
    db.execute(f"DELETE FROM {quoted(table)} WHERE rowid = ?", (one_row(db, dice, table),))
    return f"delete {table}"


def invent(db: sqlite3.Connection, dice: random.Random) -> str:
    """A copy of a row under a new key, as somebody who adds a visit would make it."""
    schema = SCHEMAS[dice.choice(list(SCHEMAS))]
    row = one_row(db, dice, schema.name)
    names = [name for name in columns_of(schema) if name != schema.key]
    listed = ", ".join(map(quoted, names))
    db.execute(
        f"INSERT INTO {quoted(schema.name)} ({quoted(schema.key)}, {listed})"
        f" SELECT {quoted(schema.key)} || '-2', {listed} FROM {quoted(schema.name)} WHERE rowid = ?",
        (row,),
    )
    return f"invent {schema.name}"


def exchange(db: sqlite3.Connection, dice: random.Random) -> str:
    """Two rows change places: entries of the ledger, or rows of a layer in their order of arrival."""
    table, column = dice.choice([("ledger", "seq"), *((name, "fid") for name in SCHEMAS)])
    one, two = dice.sample([rowid for (rowid,) in db.execute(f"SELECT rowid FROM {quoted(table)}")], 2)
    for old, new in ((one, -1), (two, one), (-1, two)):
        db.execute(f"UPDATE {quoted(table)} SET {column} = ? WHERE {column} = ?", (new, old))
    return f"exchange {table}"


def truncate(db: sqlite3.Connection, dice: random.Random) -> str:
    (last,) = db.execute("SELECT max(seq) FROM ledger").fetchone()
    db.execute("DELETE FROM ledger WHERE seq > ?", (dice.randrange(last),))
    return "truncate"


def rewrite(db: sqlite3.Connection, dice: random.Random) -> str:
    """A forger with this program: one row is other than it was, and every entry from some point on linked anew."""
    entries = [Linked(*row) for row in db.execute("SELECT * FROM ledger ORDER BY seq")]
    first = dice.randrange(len(entries))
    team = dice.choice([key for (key,) in db.execute("SELECT team_id FROM teams")])
    db.execute("UPDATE teams SET name = name || '改' WHERE team_id = ?", (team,))
    columns = ["fid", *columns_of(SCHEMAS["teams"])]
    row = db.execute(f"SELECT {', '.join(columns)} FROM teams WHERE team_id = ?", (team,)).fetchone()
    forged = ledger.row_digest(dict(zip(columns, row, strict=True)))
    chain = entries[:first]
    for entry in entries[first:]:
        body = entry.body
        if team in body.get("rows", {}).get("teams", {}):
            body["rows"]["teams"][team] = forged
        moment = datetime.fromisoformat(entry.at)
        chain.append(ledger.link(chain[-1] if chain else None, Entry(entry.kind, body, entry.role), moment))
    db.execute("DELETE FROM ledger")
    db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", [entry.stored for entry in chain])
    return "rewrite"


def structure(db: sqlite3.Connection, dice: random.Random) -> str:
    layer = dice.choice(list(SCHEMAS))
    column = SCHEMAS[layer].columns[-1].name
    sql = dice.choice(
        [
            f"DROP TABLE {quoted(layer)}",
            f"CREATE TRIGGER quiet AFTER INSERT ON {quoted(layer)} BEGIN DELETE FROM {quoted(layer)}; END",
            f"CREATE VIEW seen AS SELECT * FROM {quoted(layer)}",
            f"ALTER TABLE {quoted(layer)} RENAME COLUMN {quoted(column)} TO other",
        ]
    )
    db.execute(sql)
    return sql.split()[0].lower() + " " + sql.split()[1].lower()


KINDS: list[Meddle] = [edit, edit, edit, edit, delete, invent, exchange, truncate, rewrite, structure]


def is_found(folder: Path, head: str) -> bool:
    """Whether the county cannot be opened, or its check says no."""
    try:
        store = stores.open_store(folder)
    except GeoError:
        return True
    try:
        return not store.verify(head).ok
    except GeoError:
        return True
    finally:
        store.close()


def by_sql(origin: Path, copy: Path, dice: random.Random) -> str:
    """One edit that changes something; some hit a rule of SQLite or write what was there, and are tried again."""
    before = content(origin / "county.gpkg")
    while True:
        shutil.copy(origin / "county.gpkg", copy / "county.gpkg")
        db = sqlite3.connect(copy / "county.gpkg", isolation_level=None)
        try:
            said = dice.choice(KINDS)(db, dice)
        except sqlite3.Error:
            continue
        finally:
            db.close()
        if content(copy / "county.gpkg") != before:
            return said


def by_bytes(origin: Path, copy: Path, dice: random.Random) -> str:
    """One byte of the file."""
    data = bytearray((origin / "county.gpkg").read_bytes())
    at = dice.randrange(len(data))
    data[at] ^= dice.randrange(1, 256)
    (copy / "county.gpkg").write_bytes(data)
    return f"byte {at}"


def run(n: int, seed: int, *, raw: bool) -> dict[str, Any]:
    """Counts of edits found, and what became of the others."""
    dice, missed, same = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory() as folder:
        origin, copy = Path(folder) / "origin", Path(folder) / "copy"
        head = untouched(origin)
        copy.mkdir()
        shutil.copy(origin / "county.toml", copy)
        before, found = content(origin / "county.gpkg"), 0
        for _ in range(n):
            said = (by_bytes if raw else by_sql)(origin, copy, dice)
            if is_found(copy, head):
                found += 1
            elif content(copy / "county.gpkg") == before:
                same += 1
            else:
                missed.append(said)
            for file in copy.glob("county.gpkg*"):
                file.unlink()
            shutil.rmtree(copy / "backups", ignore_errors=True)
    return {"edits": n, "found": found, "same_content": same, "missed": missed}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=1000)
    parser.add_argument("--bytes", action="store_true", help="flip bytes of the file instead")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(json.dumps(run(options.edits, options.seed, raw=options.bytes), ensure_ascii=False))


if __name__ == "__main__":
    main()
