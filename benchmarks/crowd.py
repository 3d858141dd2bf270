"""
Many hands at once: ``python -m benchmarks.crowd --writers 25 --each 1000 [--postgis URL] --json``.

Each writer is a process of its own that appends one record after another and times each from call to acknowledgement.
Afterwards every record is read back by this program, and of a GeoPackage by pyogrio and fiona too; the chain is
checked.
"""

import argparse
import json
import os
import tempfile
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio

from geo import store as stores
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change, Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def lead(number: int, writer: int) -> gpd.GeoDataFrame:
    values = {"lead_id": [f"L{writer}-{number}"], "kind": "举报", "reported_at": pd.Timestamp(NOW), "weight": 1.0}
    return gpd.GeoDataFrame(values, geometry=gpd.points_from_xy([4e5 + number], [3e6 + writer]), crs=4544)


def write(folder: Path, writer: int, each: int) -> None:
    """One process: its appends, and how long each took, left in a file."""
    store, seconds = stores.open_store(folder), []
    for number in range(each):
        rows = lead(number, writer)
        begin = time.perf_counter()
        store.append(Entry("lead", {"by": writer}), Change("leads", rows), now=NOW)
        seconds.append(time.perf_counter() - begin)
    store.close()
    np.save(folder / f"seconds-{writer}.npy", np.array(seconds))


def crowd(folder: Path, writers: int, each: int) -> list[int]:
    """All writers at once; their exit codes."""
    children = []
    for writer in range(writers):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                write(folder, writer, each)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def read_back(folder: Path, store: Store) -> dict[str, int]:
    """How many distinct records each reader finds."""
    found = {"ours": store.read("leads")["lead_id"].nunique()}
    file = folder / stores.FILE
    if file.exists():
        found["pyogrio"] = pyogrio.read_dataframe(file, layer="leads", use_arrow=True)["lead_id"].nunique()
        with fiona.open(file, layer="leads") as source:
            found["fiona"] = len({feature["properties"]["lead_id"] for feature in source})
    return found


def run(writers: int, each: int, url: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema = f"crowd_{os.getpid()}_{os.urandom(3).hex()}"
        settings = Settings(epsg=4544, store_url=f"{url}?schema={schema}" if url else "")
        stores.create(folder, settings).close()
        begin = time.perf_counter()
        codes = crowd(folder, writers, each)
        wall = time.perf_counter() - begin
        store = stores.open_store(folder)
        verdict = store.verify()
        found = read_back(folder, store)
        seconds = np.concatenate([np.load(file) for file in folder.glob("seconds-*.npy")])
        if url:
            store.discard()
        store.close()
    p50, p99, top = np.quantile(seconds, [0.5, 0.99, 1.0])
    told = {"store": "postgis" if url else "geopackage", "writers": writers, "appends": writers * each}
    failed = sum(code != 0 for code in codes)
    times = {"wall_s": wall, "per_s": len(seconds) / wall, "p50_s": p50, "p99_s": p99, "max_s": top}
    return told | {"failed_writers": failed, "read_back": found, "chain_ok": verdict.ok} | times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=25)
    parser.add_argument("--each", type=int, default=1000)
    parser.add_argument("--postgis", default="", help="address of a server; left out: a GeoPackage")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(json.dumps(run(options.writers, options.each, options.postgis)))


if __name__ == "__main__":
    main()
