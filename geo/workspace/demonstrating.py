"""The demo county on disk: its inputs written as files a county would have, then imported through the same doors."""

import os
import tempfile
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geo import demo
from geo import store as stores
from geo.demo import DemoCounty, handling, stream
from geo.errors import StoreError
from geo.formats import Hints, gpx, writing
from geo.layers.tracks import Mode
from geo.ledger import Entry
from geo.store import Change, grids
from geo.workspace import processes
from geo.workspace.county import County, found, open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.importing import ImportReport, import_files, import_terrain
from geo.workspace.ordering import issue_orders
from geo.workspace.register_sheets import import_register

Progress = Callable[[str, int, int], None]
TABLES = ("villages", "duties", "teams", "visits", "leads", "alerts")
BEFORE_TRACKS = ("neighbours", "grounds", "roads", "offices", "teams", "villages", "duties")
AFTER_TRACKS = ("parcels", "visits", "leads", "alerts")
REGISTER = "责任底数.csv"
SHAPES = {"neighbours": "geojson", "grounds": "geojson", "roads": "gpkg", "offices": "geojson", "parcels": "geojson"}


def make_demo(path: Path, *, size: str, seed: int, progress: Progress) -> tuple[County, list[ImportReport]]:
    """
    A ready county in `path`: raw files in ``inputs/``, hidden truth in ``truth/``, all imported, coverage measured.

    Edges and blind spots are measured when somebody first asks for them. The truth is written here and read by no
    other command. Everything is made beside `path` and moved there at the end: an interruption leaves nothing. The
    clock is the season's own (`demo.NOW`), so that the same seed gives the same files and the same ledger.

    Raises
    ------
    StoreError
        Where the folder holds anything already.
    """
    if (path / stores.FILE).exists():
        raise StoreError("county_exists", path=path)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise StoreError("folder_not_empty", path=path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as beside:
        folder = Path(beside) / path.name
        reports = _made(folder, size, seed, progress)
        os.replace(folder, path)
    return open_county(path), reports


def _made(path: Path, size: str, seed: int, progress: Progress) -> list[ImportReport]:
    now = demo.NOW
    made = demo.make(size, seed)
    progress("inputs", 1, 6)
    inputs = path / "inputs"
    with processes.beside(partial(_write_tracks, made.tracks, inputs)):
        _write_inputs(made, inputs)
        (path / "truth").mkdir(parents=True, exist_ok=True)
        writing.write_layer(made.truth, path / "truth" / "plots.geojson")
        progress("import", 2, 6)
        county = found(path, made.settings, made.townships, [{"file": "demo", "made_up": True}], now=now)
        dem, cover = inputs / "grids" / "dem.tif", inputs / "grids" / "cover.tif"
        reports = [import_terrain(county, [dem], [cover], now=now)]
        reports += [_import_layer(county, inputs, layer, now) for layer in BEFORE_TRACKS]
    reports += [_import_layer(county, inputs, layer, now) for layer in ("tracks", *AFTER_TRACKS)]
    reports.append(ImportReport([import_register(county, inputs / REGISTER, now=now)]))
    _handle_orders(county, size, seed, now)
    progress("coverage", 3, 6)
    measure_coverage(county)
    county.store.close()
    return reports


def _write_inputs(made: DemoCounty, inputs: Path) -> None:
    for layer, suffix in SHAPES.items():
        writing.write_layer(getattr(made, layer), inputs / f"{layer}.{suffix}", written_at=demo.NOW)
    writing.write_layer(made.townships, inputs / "乡镇界.shp", encoding="GB18030")
    for layer in TABLES:
        writing.write_table(getattr(made, layer), inputs / f"{layer}.csv")
    made.register.to_csv(inputs / REGISTER, index=False, encoding="utf-8-sig")
    grids.write_grid(inputs, "dem", made.elevation)
    grids.write_grid(inputs, "cover", made.cover)


def _write_tracks(tracks: gpd.GeoDataFrame, inputs: Path) -> None:
    """A file for every walk, in the folder of its team, as recorders leave them."""
    for number, row in enumerate(tracks.itertuples()):
        folder = inputs / "tracks" / str(row.township_id or "county") / str(row.team_id)
        folder.mkdir(parents=True, exist_ok=True)
        mode = "-vehicle" if row.mode == Mode.VEHICLE else ""
        one = tracks.iloc[number : number + 1]
        (folder / f"{row.started_at:%Y%m%d}-{row.track_id[:6]}{mode}.gpx").write_bytes(gpx.write_tracks(one))


def _import_layer(county: County, inputs: Path, layer: str, now: datetime) -> ImportReport:
    suffix = SHAPES.get(layer, "csv")
    files = sorted((inputs / layer).rglob("*.gpx")) if layer == "tracks" else [inputs / f"{layer}.{suffix}"]
    datum = None if suffix == "gpkg" else "wgs84"  # a package names its own coordinates
    return import_files(county, layer, files, Hints(datum=datum, timezone="Asia/Shanghai"), now=now)


def _handle_orders(county: County, size: str, seed: int, now: datetime) -> None:
    """The orders of two rounds issued as an office issues them, and what was then made of them, day by day."""
    dice, days = stream(demo.SIZES[size], seed, "orders"), county.settings.campaign.rectify_days
    issued = []
    for number in handling.ISSUED_ON:
        at = handling.issued_at(number).to_pydatetime()
        issued.append(issue_orders(county, number, now=now, at=at, post=handling.OFFICE).orders)
    visits, townships = county.store.read("visits"), county.store.read("townships")
    problems, steps = handling.order_tables(pd.concat(issued, ignore_index=True), visits, days, dice)
    dailies = handling.daily_table(list(townships["township_id"]), dice)
    entry = Entry("import", {"layer": "orders", "files": [{"file": "demo", "made_up": True}]})
    changes = (Change("orders", problems), Change("order_steps", steps), Change("daily_reports", dailies))
    county.store.append(entry, *changes, now=now)
