"""
The acts that ``benchmarks.crash`` kills: each makes its county, does its work in a child, and is judged afterwards.

`work` tells what it has done once it is acknowledged; `check` counts what was told and is not there (lost) and what
is there by halves (partial).
"""

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import geopandas as gpd
import pandas as pd
import shapely

from geo import store as stores
from geo.formats import Hints
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change, photos, read_settings, write_settings
from geo.store.durable import write_file
from geo.workspace.bundling import key_for
from geo.workspace.county import County, open_county
from geo.workspace.importing import import_files
from geo.workspace.merging import bundle_in

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "store"))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "workspace"))
from bundle_county import VISITS, gpx, returned, table
from made_rows import CRS, fill, rows_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Tell = Callable[[str], None]
GREW = {"finds": ("case_number", "departments", "witnesses"), "visits": ("courtyards_n",)}
ROWS = 300


class Act(Protocol):
    """One kind of work that may be cut off at any moment."""

    endless: bool

    def prepare(self, folder: Path) -> None:
        """The county as it is before."""

    def work(self, folder: Path, tell: Tell) -> None:
        """Do it, and tell each part once it is acknowledged."""

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        """How much of what was told is lost, and how much is there by halves."""


def teams(name: str, n: int) -> pd.DataFrame:
    return pd.DataFrame({"team_id": [f"{name}-{k}" for k in range(n)], "name": "x", "kind": "专班"})


class Appending:
    """One entry after another, three rows each."""

    endless = True

    def prepare(self, folder: Path) -> None:
        stores.create(folder, Settings(epsg=CRS)).close()

    def work(self, folder: Path, tell: Tell) -> None:
        store = stores.open_store(folder)
        for number in range(10_000):
            name = f"{os.getpid()}-{number}"
            store.append(Entry("import", {"by": name}), Change("teams", teams(name, 3)), now=NOW)
            tell(name)

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        store = stores.open_store(folder)
        found = pd.Series(store.read("teams")["team_id"]).str.rsplit("-", n=1).str[0].value_counts()
        named = {entry.body["by"] for entry in store.entries()}
        lost = sum(found.get(name, 0) != 3 or name not in named for name in told)
        partial = int((found != 3).sum()) + len(named ^ set(found.index))
        return lost, partial + (not store.verify().ok)


class Importing(Appending):
    """A table of some hundred rows: all of it or nothing."""

    endless = False

    def prepare(self, folder: Path) -> None:
        store = stores.create(folder, Settings(epsg=CRS))
        store.append(Entry("import"), Change("townships", rows_of("townships")), now=NOW)
        store.close()

    def work(self, folder: Path, tell: Tell) -> None:
        file = folder / "队伍.csv"
        teams(str(os.getpid()), ROWS).to_csv(file, index=False)
        county = County(folder, read_settings(folder), stores.open_store(folder))
        hints = Hints(timezone="Asia/Shanghai")
        report = import_files(county, "teams", [file], hints, now=NOW)
        tell(f"{os.getpid()} {report.accepted}")

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        store = stores.open_store(folder)
        found = pd.Series(store.read("teams")["team_id"]).str.rsplit("-", n=1).str[0].value_counts()
        lost = sum(found.get(line.split()[0], 0) != int(line.split()[1]) for line in told)
        return lost, int((found != ROWS).sum()) + (not store.verify().ok)


class Exporting:
    """
    A file put in the place of an older one: the old one whole, or the new one whole.

    Large enough to take longer than a busy machine lets a sleeper wait: or every kill would come too late.
    """

    endless = False
    pages = (b"old " * 1_000_000, b"new " * 4_000_000)

    def prepare(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "out.bin").write_bytes(self.pages[0])

    def work(self, folder: Path, tell: Tell) -> None:
        write_file(folder / "out.bin", self.pages[1])
        tell("written")

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        content = (folder / "out.bin").read_bytes()
        return bool(told) and content != self.pages[1], content not in self.pages


class Setting(Exporting):
    """county.toml rewritten again and again: never older than told; a text by halves could not be read."""

    endless = True

    def prepare(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        write_settings(folder, Settings(epsg=CRS, name="0"))

    def work(self, folder: Path, tell: Tell) -> None:
        first = int(read_settings(folder).name) + 1
        for number in range(first, first + 1000):
            write_settings(folder, Settings(epsg=CRS, name=str(number)))
            tell(str(number))

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        number = int(read_settings(folder).name)
        return number < int(told[-1] if told else 0), False


class Bundling:
    """A returned bundle taken in: all it brings, its pictures too, or nothing; a second copy then adds nothing."""

    endless = False

    def prepare(self, folder: Path) -> None:
        store = stores.create(folder, Settings(epsg=CRS, name="甲县"))
        store.append(Entry("import"), *bundle_layers(), now=NOW)
        store.close()
        county = open_county(folder)
        key_for(county, TOWN)
        returned(county, folder, bundle_files(county), packed=NOW)
        county.store.close()

    def work(self, folder: Path, tell: Tell) -> None:
        merged = bundle_in(open_county(folder), folder / "0.zip", now=NOW)
        tell(str(sum(merged.new.values())))

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        county = open_county(folder)
        counts = [county.store.count(layer) for layer in BROUGHT]
        kept = [photos.original(folder, digest) for digest in county.store.read("photos")["sha256"]]
        whole = counts == list(BROUGHT.values()) and all(path and photos.is_intact(path) for path in kept)
        partial = (any(counts) and not whole) or not county.store.verify().ok
        again = bundle_in(county, folder / "0.zip", now=NOW)
        after = [county.store.count(layer) for layer in BROUGHT]
        county.store.close()
        doubled = after != list(BROUGHT.values()) or (whole and again.entry is not None)
        return bool(told) and not whole, partial + doubled


TOWN = "520525001"
BROUGHT = {"visits": 12, "tracks": 1, "photos": 3}


def bundle_layers() -> list[Change]:
    """A township with a target for every visit and a team."""
    square = [shapely.MultiPolygon([shapely.box(5e5, 2.95e6, 5.1e5, 2.96e6)])]
    town = {"township_id": [TOWN], "name": "凉水乡", "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
    plain = {
        "parcel_id": [f"P{n}" for n in range(BROUGHT["visits"])],
        "township_id": TOWN,
        "source": "satellite",
        "source_id": "list",
    }
    points = gpd.points_from_xy([5.01e5 + 100 * n for n in range(BROUGHT["visits"])], [2.955e6] * BROUGHT["visits"])
    parcels = gpd.GeoDataFrame(plain, geometry=points, crs=CRS)
    team = {"team_id": ["T1"], "township_id": TOWN, "name": "凉水村组", "kind": "村组"}
    return [
        Change("townships", gpd.GeoDataFrame(town, geometry=square, crs=CRS)),
        Change("parcels", parcels.assign(flagged_at=pd.Timestamp(NOW), status="flagged", accuracy_m=15.0)),
        Change("teams", pd.DataFrame(team)),
    ]


def bundle_files(county: County) -> dict[str, bytes]:
    """What comes back: a visit to every target, a track, and three pictures."""
    line = {"踏查日期": "2026-02-20 09:30", "队伍代码": "T1", "结果": "未发现", "人数": 2}
    lines = [line | {"地块编号": f"P{n}"} for n in range(BROUGHT["visits"])]
    pictures = {f"photos/{n}.jpg": bytes([n]) * 200_000 for n in range(3)}
    return {"forms/a.csv": table(VISITS, lines), "tracks/T1/a.gpx": gpx(county, 0.0), **pictures}


@contextmanager
def older_layers() -> Iterator[None]:
    """The layers as an earlier version knew them: no steps, fewer columns."""
    known = dict(SCHEMAS)
    try:
        del SCHEMAS["steps"]
        for layer, names in GREW.items():
            columns = tuple(column for column in known[layer].columns if column.name not in names)
            SCHEMAS[layer] = replace(known[layer], columns=columns)
        yield
    finally:
        SCHEMAS.clear()
        SCHEMAS.update(known)


def older_county(folder: Path) -> None:
    """A county as version 1 left it: fewer columns, and a ledger table with more rules."""
    with older_layers():
        store = stores.create(folder, Settings(epsg=CRS))
        fill(store)
        store.close()
    with sqlite3.connect(folder / "county.gpkg") as db:
        db.execute("UPDATE tacha_meta SET value = '1' WHERE name = 'schema_version'")
        db.execute("ALTER TABLE ledger RENAME TO ledger_2")
        db.execute(
            "CREATE TABLE ledger (seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, role TEXT NOT NULL,"
            " body TEXT NOT NULL, previous TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE)"
        )
        db.execute("INSERT INTO ledger SELECT * FROM ledger_2")
        db.execute("DROP TABLE ledger_2")
    db.close()


class Upgrading:
    """An older county opened: as it was, or brought up whole; its copy, if there, whole too."""

    endless = False

    def prepare(self, folder: Path) -> None:
        older_county(folder)

    def work(self, folder: Path, tell: Tell) -> None:
        stores.open_store(folder).close()
        tell("upgraded")

    def check(self, folder: Path, told: list[str]) -> tuple[int, int]:
        with sqlite3.connect(folder / "county.gpkg") as db:
            (version,) = db.execute("SELECT value FROM tacha_meta WHERE name = 'schema_version'").fetchone()
            columns = {row[1] for row in db.execute("PRAGMA table_info(finds)")}
        db.close()
        partial = (version == "1") != (not columns & set(GREW["finds"]))
        store = stores.open_store(folder)
        lost = sum(len(store.read(layer)) != (0 if layer == "steps" else 6) for layer in SCHEMAS)
        ends = [entry.kind for entry in store.entries()].count("upgrade")
        store.close()
        for copy in (folder / "backups").glob("county-*.gpkg"):
            with sqlite3.connect(copy) as db:
                partial |= db.execute("SELECT count(*) FROM ledger").fetchone()[0] != len(SCHEMAS) - 1
            db.close()
        return lost + (bool(told) and version == "1"), partial + (ends != 1) + (
            not stores.open_store(folder).verify().ok
        )


ACTS: dict[str, Act] = {
    "append": Appending(),
    "import": Importing(),
    "export": Exporting(),
    "settings": Setting(),
    "migrate": Upgrading(),
    "bundle": Bundling(),
}
