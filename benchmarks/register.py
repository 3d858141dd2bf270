"""
The villages' work, measured: ``python -m benchmarks.register [--villages 400] [--quick] --json``.

Milliseconds of progress over three rounds, from tables in memory (``progress_ms``, as a page that keeps them shows it)
and with everything read from the store first (``progress_read_ms``); CPU seconds to issue one round's orders, and to
print every January paper of that round (a county without terrain: `--county DIR` prints those of a county at hand,
such as ``tacha demo DIR --size full`` makes).
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import County, found, open_county
from geo.workspace.map_papers import joint_papers, map_papers
from geo.workspace.ordering import issue_orders
from geo.workspace.papers import form_papers, order_papers, progress_paper, register_paper
from geo.workspace.progress import measure_progress, progress_tables

NOW = datetime(2026, 1, 4, tzinfo=UTC)
MAY = datetime(2026, 5, 20, tzinfo=UTC)
PER_TOWNSHIP = 16
PAPERS_CAP = 1000


def seconds(job: Callable[[], object], runs: int) -> float:
    """Median CPU seconds of a job."""
    times = []
    for _ in range(runs):
        begin = time.process_time()
        job()
        times.append(time.process_time() - begin)
    return statistics.median(times)


def county_of(folder: Path, villages_n: int) -> County:
    """A county of square townships with villages, posts and about four reports per village and round in three."""
    rng = np.random.default_rng(5)
    towns = -(-villages_n // PER_TOWNSHIP)
    wide = int(np.ceil(np.sqrt(towns)))
    ids = [f"{529_000_001 + n}" for n in range(towns)]
    corners = [(4.4e5 + 1e4 * (n % wide), 2.9e6 + 1e4 * (n // wide)) for n in range(towns)]
    shapes = [shapely.MultiPolygon([shapely.box(x, y, x + 1e4, y + 1e4)]) for x, y in corners]
    plain = {"township_id": ids, "name": [f"第{n}乡" for n in range(towns)], "kind": "乡", "source": "made up"}
    townships = gpd.GeoDataFrame(pd.DataFrame(plain | {"line_accuracy_m": 30.0}), geometry=shapes, crs=4544)
    settings = Settings(name="基准县（虚构）", epsg=4544, made_up=True)
    county = found(folder, settings, townships, [{"file": "made up"}], now=NOW)
    owner = np.arange(villages_n) // PER_TOWNSHIP
    names = np.array([f"{ids[t]}{200 + n % PER_TOWNSHIP:03d}" for n, t in enumerate(owner)])
    points = [shapely.Point(corners[t][0] + 5000, corners[t][1] + 5000) for t in owner]
    villages = {"village_id": names, "township_id": np.array(ids)[owner], "name": [f"{n}村" for n in range(villages_n)]}
    shaped = SCHEMAS["villages"].conform(gpd.GeoDataFrame(villages, geometry=points, crs=4544))
    units = pd.DataFrame({"unit_id": names, "unit_kind": "village", "name": villages["name"], "source": "made up"})
    units = units.assign(parent_id=villages["township_id"], due_m2=rng.uniform(2e5, 2e6, villages_n).round())
    duties = pd.DataFrame({"duty_id": [f"D{n}" for n in range(villages_n)], "unit_kind": "village", "unit_id": names})
    duties = duties.assign(post="村支部书记", duty_kind="属地", valid_from=pd.Timestamp("2026-01-01", tz="UTC"))
    county.store.append(
        Entry("import"),
        Change("villages", shaped),
        Change("units", SCHEMAS["units"].conform(units)),
        Change("duties", SCHEMAS["duties"].conform(duties).set_crs(4544)),
        Change("visits", visits_of(names, rng)),
        now=NOW,
    )
    return county


def visits_of(names: np.ndarray, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Reports of three rounds: some missing, late, twice, or against each other."""
    count = 4 * len(names)
    days = rng.uniform(0, 140, count)
    rows = {
        "visit_id": [f"V{n}" for n in range(count)],
        "village_id": rng.choice(names, count),
        "round": np.clip(days // 47 + 1, 1, 3).astype(int),
        "team_id": "T",
        "visited_at": pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.round(days * 24), unit="h"),
        "ground": rng.choice(["庭院", "田间", "荒山野岭"], count),
        "outcome": rng.choice(["未发现", "无法到达"], count, p=(0.95, 0.05)),
        "evidence": rng.choice(["A", "B", "C"], count, p=(0.1, 0.6, 0.3)),
        "area_m2": rng.uniform(1e4, 5e5, count).round(),
    }
    return SCHEMAS["visits"].conform(pd.DataFrame(rows)).set_crs(4544)


def print_all(county: County, moment: datetime) -> None:
    """Every January paper of a round: register, orders, forms, progress, joint notices and maps."""
    register_paper(county, as_of=moment)
    order_papers(county, 1, as_of=moment)
    form_papers(county, 1, as_of=moment)
    progress_paper(county, as_of=moment)
    joint_papers(county, 1, as_of=moment)
    map_papers(county, 1, as_of=moment)


def papers_of(folder: Path) -> dict[str, object]:
    """Seconds for the papers of a county on disk as its user prints them, of its last record, and how large it is."""
    county = open_county(folder)
    sizes = {layer: len(county.store.read(layer)) for layer in ("townships", "villages")}
    begin = time.monotonic()
    used = seconds(lambda: print_all(county, county.as_of()), 1)
    return {**sizes, "papers_s": round(used, 1), "papers_wall_s": round(time.monotonic() - begin, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--villages", type=int, default=400)
    parser.add_argument("--county", type=Path, help="print the papers of this county, round 1 issued")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.county:
        print(json.dumps(papers_of(options.county)))
        return
    runs = 3 if options.quick else 7
    with tempfile.TemporaryDirectory() as folder:
        county = county_of(Path(folder) / "county", options.villages)
        tables = progress_tables(county)
        measure_progress(county, as_of=MAY, tables=tables)
        computed = seconds(lambda: measure_progress(county, as_of=MAY, tables=tables), runs)
        read = seconds(lambda: measure_progress(county, as_of=MAY), runs)
        issued = seconds(lambda: issue_orders(county, 1, now=MAY), 1)
        papers = seconds(lambda: print_all(county, MAY), 1) if options.villages <= PAPERS_CAP else None
        with_orders = seconds(lambda: measure_progress(county, as_of=MAY), runs)
    figures = {
        "villages": options.villages,
        "rounds": 3,
        "reports": 4 * options.villages,
        "progress_ms": round(1000 * computed, 1),
        "progress_read_ms": round(1000 * read, 1),
        "progress_read_with_orders_ms": round(1000 * with_orders, 1),
        "order_batch_s": round(issued, 3),
        "papers_s": None if papers is None else round(papers, 1),
    }
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
