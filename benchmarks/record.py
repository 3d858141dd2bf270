"""
The record beside bare tools, in one run: ``python -m benchmarks.record [--quick] --json``.

Ratios are ours ÷ peer, so smaller is better: verifying the chain against hashing the same bytes, appending rows with
their ledger entry against a bare sqlite3 insert, and 2,000 draws of a county's interval against one exponential of as
many numbers.
"""

import argparse
import hashlib
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import ledger, store
from geo.analysis import absence
from geo.analysis.looks import Looks
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def seconds(job: Callable[[], object], runs: int) -> float:
    """Median CPU seconds of a job."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        job()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def chain(n: int) -> list[tuple[object, ...]]:
    rows, head = [], None
    for number in range(n):
        head = ledger.link(head, Entry("visit", {"n": number, "note": "示例"}), NOW)
        rows.append(head.stored)
    return rows


def append_rows(n: int, folder: Path) -> tuple[float, float]:
    """Seconds to append n rows with their entry, and to insert as many bare rows."""
    points = gpd.points_from_xy(range(n), range(n), crs=4544)
    plain = {"lead_id": [f"L{i}" for i in range(n)], "kind": "举报", "reported_at": pd.Timestamp(NOW), "weight": 1.0}
    ours = store.create(folder / "county", Settings(epsg=4544))
    mine = seconds(
        lambda: ours.append(Entry("import"), Change("leads", gpd.GeoDataFrame(plain, geometry=points)), now=NOW), 1
    )
    bare = sqlite3.connect(folder / "bare.sqlite")
    bare.execute("CREATE TABLE leads (fid INTEGER PRIMARY KEY, lead_id TEXT UNIQUE, kind TEXT, at TEXT, geom BLOB)")
    rows = [(f"L{i}", "举报", NOW.isoformat(), bytes(61)) for i in range(n)]

    def insert() -> None:
        with bare:
            bare.executemany("INSERT INTO leads (lead_id, kind, at, geom) VALUES (?, ?, ?, ?)", rows)

    peer = seconds(insert, 1)
    bare.close()
    ours.close()
    return mine, peer


def interval() -> tuple[float, float]:
    """Seconds for the intervals of 25 townships, 5,000 patterns each, and for 100 × the exponentials of their draws."""
    rng = np.random.default_rng(5)
    levels, weights = rng.integers(0, 9, (5000, 5)).astype(np.uint8), rng.random(5000)
    nats = np.tile(np.linspace(0.0, 3.0, 9), (25, 5, 1))
    missed, totals = np.full((25, 5), 0.5), np.full(25, weights.sum())
    looks = Looks(missed, 1.0 - missed, totals, [(weights, levels)] * 25, nats, None, 4, missed, totals)
    common = {"beside": absence.Beside.none(25, 5), "restarts": np.zeros(25, np.int64), "current": 4}

    def draw() -> None:
        absence.township_absence(looks, settings=Settings(), rng=np.random.default_rng(7), **common)  # type: ignore[arg-type]

    draw()
    numbers = rng.random(2000 * 25 * 5)
    return seconds(draw, 3), seconds(lambda: [np.exp(numbers) for _ in range(100)], 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    n = 20_000 if options.quick else 100_000
    rows = chain(n)
    verify = seconds(lambda: ledger.verify_stored(rows), 3)
    texts = [str(row).encode() for row in rows]
    hashing = seconds(lambda: [hashlib.sha256(text).digest() for text in texts], 3)
    with tempfile.TemporaryDirectory() as folder:
        append, bare = append_rows(n // 10, Path(folder))
    draws, exponentials = interval()
    print(
        json.dumps(
            {
                "entries": n,
                "verify_s": verify,
                "ratio_verify_hashing": verify / hashing,
                "rows": n // 10,
                "append_s": append,
                "ratio_append_sqlite": append / bare,
                "interval_25_townships_2000_draws_s": draws,
                "ratio_interval_100_exponentials": draws / exponentials,
            }
        )
    )


if __name__ == "__main__":
    main()
