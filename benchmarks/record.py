"""
The record beside bare tools, in one run: ``python -m benchmarks.record [--quick] --json``.

A county of 2,000 plots, 5,000 tracks and 100,000 ledger entries (``--quick``: a tenth) is opened, asked for a plot's
life and given a visit; beside each stands a bare sqlite3 loop that does the same reading or a durable insert of the
same bytes. Ratios are ours ÷ peer, so smaller is better. Also: rows appended at once, the chain alone, and all of
`verify` with 1,000,000 entries.
"""

import argparse
import hashlib
import json
import sqlite3
import statistics
import struct
import tempfile
import time
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import ledger
from geo import store as stores
from geo.ledger import Entry, Linked
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import open_county
from geo.workspace.life import plot_life_of
from geo.workspace.recording import record_visit

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIXES = 200


def median(job: Callable[[], object], runs: int, *, clock: Callable[[], float] = time.perf_counter) -> float:
    """Median seconds of a job: of the wall where it waits for the disk, else of the processor."""
    times = []
    for _ in range(runs):
        begin = clock()
        job()
        times.append(clock() - begin)
    return statistics.median(times)


def track(number: int) -> Any:
    places = np.column_stack([4e5 + number + np.arange(FIXES) * 5.0, 3e6 + np.arange(FIXES), np.full(FIXES, 1200.0)])
    body = np.column_stack([places, 1.77e9 + np.arange(FIXES)]).tobytes()
    return shapely.from_wkb(struct.pack("<BII", 1, 3002, FIXES) + body)


def layers(n: int) -> list[Change]:
    """2,000 plots, 5,000 tracks, 2,000 visits and a team, or as many as `n` thousandths of them."""
    plots, tracks, visits = 2 * n, 5 * n, 2 * n
    moment = pd.Timestamp(NOW)
    parcels = {"parcel_id": [f"P{i}" for i in range(plots)], "source": "tip", "source_id": "x", "flagged_at": moment}
    lines = {"track_id": [f"{i:016x}" for i in range(tracks)], "started_at": moment, "ended_at": moment, "mode": "foot"}
    seen = {"visit_id": [f"V{i}" for i in range(visits)], "parcel_id": [f"P{i % plots}" for i in range(visits)]}
    squares = [shapely.box(4e5 + i, 3e6, 4e5 + i + 20, 3e6 + 20) for i in range(plots)]
    return [
        Change("teams", pd.DataFrame({"team_id": ["T1"], "name": "一队", "kind": "专班"})),
        Change(
            "parcels", gpd.GeoDataFrame(parcels, geometry=squares, crs=4544).assign(status="flagged", accuracy_m=9.0)
        ),
        Change(
            "tracks",
            gpd.GeoDataFrame(lines, geometry=[track(i) for i in range(tracks)], crs=4544).assign(
                length_m=1000.0, fixes_n=FIXES, source_id="s"
            ),
        ),
        Change(
            "visits",
            gpd.GeoDataFrame(seen, geometry=gpd.points_from_xy([4e5] * visits, [3e6] * visits), crs=4544).assign(
                team_id="T1", visited_at=moment, outcome="未发现", evidence="C"
            ),
        ),
    ]


def big_county(folder: Path, n: int) -> None:
    """The county with n × 100 ledger entries; the entries beyond the import are written as a store would have."""
    store = stores.create(folder, Settings(epsg=4544))
    store.append(Entry("import"), *layers(n), now=NOW)
    store.close()
    lengthen(folder / stores.FILE, 100 * n)


def lengthen(file: Path, entries: int) -> None:
    """Add entries that name no row until there are so many, each as long as a visit's."""
    with sqlite3.connect(file) as db:
        head: Linked | None = Linked(*db.execute("SELECT * FROM ledger ORDER BY seq DESC LIMIT 1").fetchone())
        rows = []
        while head is not None and head.seq < entries:
            head = ledger.link(head, Entry("note", {"n": head.seq, "text": "踏查记录" * 40}, "team"), NOW)
            rows.append(head.stored)
        db.executemany("INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    db.close()


def bare_insert(folder: Path, size: int) -> Callable[[], None]:
    """A durable insert of so many bytes, as sqlite3 alone makes it."""
    db = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY KEY, x)")

    def insert() -> None:
        db.execute("BEGIN IMMEDIATE")
        db.execute("INSERT INTO t (x) VALUES (?)", ("x" * size,))
        db.execute("COMMIT")

    return insert


def bare_reads(folder: Path) -> tuple[Callable[[], object], Callable[[], object]]:
    """What sqlite3 and tomllib alone need to open a county with its settings, and to read all there is about a plot."""
    file = folder / stores.FILE

    def opening() -> None:
        tomllib.loads((folder / stores.NAME).read_text("utf-8"))
        db = sqlite3.connect(file)
        db.execute("SELECT * FROM tacha_meta").fetchall()
        db.execute("SELECT name, sql FROM sqlite_master").fetchall()
        db.close()

    db = sqlite3.connect(file)

    def plot() -> list[Any]:
        rows = db.execute("SELECT * FROM parcels WHERE parcel_id = 'P7'").fetchall()
        for layer in ("finds", "visits", "steps", "photos"):
            rows += db.execute(f"SELECT * FROM {layer} WHERE parcel_id = 'P7' ORDER BY fid").fetchall()
        return rows

    return opening, plot


def daily(folder: Path) -> dict[str, float]:
    """Opening the county, a plot's life, a visit, and beside them what sqlite3 needs for as much."""
    opened = median(lambda: open_county(folder).store.close(), 5)
    county = open_county(folder)
    plot = median(lambda: plot_life_of(county, "P7", as_of=NOW), 15)
    bare_open, bare_plot = (median(job, 15) for job in bare_reads(folder))
    number = iter(range(1, 10_000))

    def visit() -> None:
        values = {"parcel_id": "P7", "team_id": "T1", "visited_at": NOW, "outcome": "未发现", "evidence": "C"}
        record_visit(county.store, values | {"round": next(number)}, now=NOW)

    visit()
    insert = bare_insert(folder, len(county.store.entries(after=0)[-1].text) + 400)
    pairs = [(median(visit, 1), median(insert, 1)) for _ in range(40)]
    mine, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    county.store.close()
    times = {"open_s": opened, "plot_s": plot, "visit_s": mine}
    bare = {"bare_open_s": bare_open, "bare_plot_s": bare_plot, "bare_insert_s": peer}
    shares = {"open_of_1_s": opened / 1.0, "plot_of_50_ms": plot / 0.05, "visit_of_50_ms": mine / 0.05}
    ratios = {
        "ratio_open_bare": opened / bare_open,
        "ratio_plot_bare": plot / bare_plot,
        "ratio_visit_bare": mine / peer,
    }
    return times | bare | shares | ratios


def at_once(folder: Path, n: int) -> tuple[float, float]:
    """Processor seconds to append n rows with their entry, and to insert as many bare rows."""
    points = gpd.points_from_xy(range(n), range(n), crs=4544)
    plain = {"lead_id": [f"L{i}" for i in range(n)], "kind": "举报", "reported_at": pd.Timestamp(NOW), "weight": 1.0}
    rows = gpd.GeoDataFrame(plain, geometry=points)
    ours = stores.create(folder / "rows", Settings(epsg=4544))
    clock = time.process_time
    mine = median(lambda: ours.append(Entry("import"), Change("leads", rows), now=NOW), 1, clock=clock)
    ours.close()
    bare = sqlite3.connect(folder / "rows.sqlite")
    bare.execute("CREATE TABLE leads (fid INTEGER PRIMARY KEY, lead_id TEXT UNIQUE, kind TEXT, at TEXT, geom BLOB)")
    values = [(f"L{i}", "举报", NOW.isoformat(), bytes(61)) for i in range(n)]

    def insert() -> None:
        with bare:
            bare.executemany("INSERT INTO leads (lead_id, kind, at, geom) VALUES (?, ?, ?, ?)", values)

    peer = median(insert, 1, clock=clock)
    bare.close()
    return mine, peer


def checking(folder: Path, entries: int) -> dict[str, float]:
    """Processor seconds of `verify` with so many entries, of the chain alone, and of hashing as many bytes."""
    lengthen(folder / stores.FILE, entries)
    store = stores.open_store(folder)
    whole = median(lambda: store.verify(), 3, clock=time.process_time)
    store.close()
    with sqlite3.connect(folder / stores.FILE) as db:
        rows = db.execute("SELECT * FROM ledger ORDER BY seq").fetchall()
    db.close()
    chain = median(lambda: ledger.verify_stored(rows), 3, clock=time.process_time)
    texts = [row[4].encode() for row in rows]
    hashing = median(lambda: [hashlib.sha256(text).digest() for text in texts], 3, clock=time.process_time)
    return {"entries": len(rows), "verify_s": whole, "verify_chain_s": chain, "ratio_chain_hashing": chain / hashing}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    n = 100 if options.quick else 1000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        big_county(folder, n)
        found: dict[str, float] = {"plots": 2 * n, "tracks": 5 * n, "ledger_entries": 100 * n} | daily(folder)
        mine, peer = at_once(folder, 10 * n)
        found |= {"rows": 10 * n, "append_rows_s": mine, "ratio_append_sqlite": mine / peer}
        found |= {"verify": checking(folder, 1000 * n)}  # type: ignore[dict-item]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
