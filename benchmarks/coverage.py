"""
Detection coverage against its peers, timed side by side in one run: ``python -m benchmarks.coverage [--quick] --json``.

100,000 fixes 10 m apart (200 tracks of 500) on 5,000 x 5,000 cells of 10 m, eye 1.6 m, target 0.8 m. Ours and the
peers take turns; ratios are medians of process CPU seconds of one thread, peer / ours, because the machine may be
shared. GDAL and xarray-spatial are timed on a sample of the fixes and scaled. `peak_mb` counts from the resident size
after imports, `peak_limit_mb` is elevation + accumulator + 300 MB. ``--quick`` runs fewer rounds, not a smaller county;
without it ours is also timed on 10,000 and 1,000,000 fixes: `linear_ratio` is time per fix of the most / of the fewest.
"""

import argparse
import contextlib
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from benchmarks.gdal_peer import GdalViewshed
from geo.analysis import detection, zonal
from geo.analysis.coverage import accumulate, reach_window
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import CoverageSettings, DetectionSettings

CRS = pyproj.CRS(4544)
SEASON = Season(2026)
CELLS, TRACKS, FIXES = 5000, 200, 500
FLOWERING_S = 1775000000.0
WIDTH_M = 30.0
TOWNSHIPS_ACROSS = 5


def county(cells: int, rng: np.random.Generator) -> Terrain:
    """Hills with noise, open ground everywhere, 10 m cells."""
    frame = Frame(512000.0, 2995200.0, 10.0, cells, cells, CRS)
    steps = np.arange(cells, dtype=np.float32)
    heights = rng.standard_normal((cells, cells), np.float32) * np.float32(3.0)
    heights += 1000.0 + 60.0 * np.sin(steps / np.float32(17.0)) + 60.0 * np.cos(steps / np.float32(23.0))[:, None]
    return Terrain(Grid(heights, frame), Grid(np.ones(heights.shape, np.uint8), frame), 10.0)


def walks(tracks: int, fixes: int, frame: Frame, rng: np.random.Generator) -> Pieces:
    """Wandering tracks with a fix every 10 m, most of them inside the raster."""
    west, south, east, north = frame.bounds
    turn = np.cumsum(rng.normal(0, 0.2, (tracks, fixes)), axis=1) + rng.uniform(0, 6.3, (tracks, 1))
    eastings = rng.uniform(west + 2000, east - 2000, (tracks, 1)) + np.cumsum(10.0 * np.cos(turn), axis=1)
    northings = rng.uniform(south + 2000, north - 2000, (tracks, 1)) + np.cumsum(10.0 * np.sin(turn), axis=1)
    ends = (eastings[:, :-1], northings[:, :-1], eastings[:, 1:], northings[:, 1:])
    owner = np.repeat(np.arange(tracks), fixes - 1)
    flat = [np.ascontiguousarray(a).ravel() for a in ends]
    return Pieces(owner, *flat, np.ones(len(owner)), np.full(len(owner), FLOWERING_S))


def townships(frame: Frame) -> gpd.GeoDataFrame:
    """25 squares that fill the raster."""
    west, south, east, north = frame.bounds
    xs, ys = np.linspace(west, east, TOWNSHIPS_ACROSS + 1), np.linspace(south, north, TOWNSHIPS_ACROSS + 1)
    boxes = [shapely.box(xs[i], ys[j], xs[i + 1], ys[j + 1]) for j in range(5) for i in range(5)]
    return gpd.GeoDataFrame({"township_id": [f"{k:09d}" for k in range(25)]}, geometry=boxes, crs=CRS)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def in_turn(works: dict[str, Callable[[], object]], runs: int) -> dict[str, list[float]]:
    """CPU seconds of several works, one after the other in each of some rounds, after one round to warm up."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(runs + 1):
        for name, work in works.items():
            taken = seconds(work)
            if turn:
                found[name].append(taken)
    return found


def spread_of(values: list[float], scale: float = 1.0) -> dict[str, float]:
    """Median, least and most."""
    return {"median": statistics.median(values) * scale, "min": min(values) * scale, "max": max(values) * scale}


def line_overlay(pieces: Pieces, towns: gpd.GeoDataFrame, reach_m: float) -> gpd.GeoSeries:
    """The peer without terrain: buffer every track's line, union, overlay with the townships, areas."""
    begins = np.flatnonzero(np.diff(pieces.track, prepend=-1))
    lines = [
        shapely.linestrings(c) for c in np.split(np.column_stack([pieces.easting0_m, pieces.northing0_m]), begins[1:])
    ]
    union = gpd.GeoSeries(lines, crs=CRS).buffer(reach_m).union_all()
    near = gpd.GeoDataFrame(geometry=gpd.GeoSeries([union], crs=CRS).explode(ignore_index=True))
    return gpd.overlay(near, towns, how="intersection").dissolve("township_id").area


def xarray_spatial(terrain: Terrain, pieces: Pieces, reach_m: float) -> float:
    """Seconds per fix of xarray-spatial's viewshed, each on its own window."""
    viewshed = importlib.import_module("xrspatial").viewshed
    data_array = importlib.import_module("xarray").DataArray
    frame, half = terrain.elevation.frame, int(reach_m // terrain.elevation.frame.cell_m)
    rows, cols = frame.cells(pieces.easting0_m, pieces.northing0_m)
    span = np.arange(2 * half + 1, dtype=float)
    views = [
        data_array(terrain.elevation.values[r - half : r + half + 1, c - half : c + half + 1].astype(float),
                   coords={"y": span, "x": span}, dims=("y", "x"))
        for r, c in zip(rows.tolist(), cols.tolist(), strict=True)
    ]  # fmt: skip
    viewshed(views[0], x=half, y=half, observer_elev=1.6, target_elev=0.8)
    return seconds(lambda: [viewshed(v, x=half, y=half, observer_elev=1.6, target_elev=0.8) for v in views]) / len(
        views
    )


class Town:
    """Hazard, POD and township sums of a county, whole or where one more track changed them."""

    def __init__(self, terrain: Terrain, reach_m: float) -> None:
        self.terrain, self.config = terrain, DetectionSettings(reach_m=reach_m)
        frame = terrain.elevation.frame
        self.towns = townships(frame)
        self.zones, self.hazard = zonal.zone_grid(self.towns, frame), Grid(np.zeros(frame.shape, np.int32), frame)
        self.risk = np.ones(frame.shape, np.float32)
        nowhere = np.zeros(frame.shape, np.bool_)
        self.near = zonal.Passes(nowhere, nowhere, np.zeros(frame.shape, np.uint8))
        self.sums = self.sums_of(slice(None), slice(None))

    def sums_of(self, rows: slice, cols: slice) -> npt.NDArray[np.float64]:
        """Township sums of a window from its hazard."""
        part = np.ascontiguousarray(self.hazard.values[rows, cols])
        near = zonal.Passes(*(np.ascontiguousarray(a[rows, cols]) for a in vars(self.near).values()))
        held = (np.ascontiguousarray(a[rows, cols]) for a in (self.zones.values, self.risk))
        pod = detection.pod(part, self.config.availability)
        return zonal.zone_sums(*held, pod, near, zones_n=len(self.towns), settings=CoverageSettings())

    def everything(self, pieces: Pieces, threads: int = 1) -> Any:
        """The whole county from nothing: hazard, POD, shares of 25 townships."""
        self.hazard.values[:] = 0
        accumulate(self.hazard, pieces, self.terrain, SEASON, self.config, threads=threads)
        self.sums = self.sums_of(slice(None), slice(None))
        return zonal.shares_of(self.sums, list(self.towns["township_id"]), cell_m=10.0)

    def one_more(self, pieces: Pieces, sign: int = 1) -> Any:
        """One more track (or one less): its hazard, and the shares brought up to date from the window it touched."""
        frame = self.terrain.elevation.frame
        window = reach_window(pieces, frame, self.config.reach_m)
        top, left = round((frame.north_m - window.north_m) / 10.0), round((window.west_m - frame.west_m) / 10.0)
        place = slice(top, top + window.rows), slice(left, left + window.cols)
        before = self.sums_of(*place)
        accumulate(self.hazard, pieces, self.terrain, SEASON, self.config, sign=sign, threads=1)
        self.sums += self.sums_of(*place) - before
        return zonal.shares_of(self.sums, list(self.towns["township_id"]), cell_m=10.0)


def sampled(pieces: Pieces, n: int, rng: np.random.Generator) -> Pieces:
    """Pieces drawn from all of them, in order."""
    return pieces.take(np.sort(rng.choice(len(pieces), n, replace=False)))


def against_peers(terrain: Terrain, pieces: Pieces, runs: int, rng: np.random.Generator) -> dict[str, Any]:
    """Ratios to GDAL, xarray-spatial and geopandas."""
    fixes = len(pieces) / (FIXES - 1) * FIXES
    frame, gdal, towns = terrain.elevation.frame, GdalViewshed(terrain.elevation), townships(terrain.elevation.frame)
    hazard, theirs = Grid(np.zeros(frame.shape, np.int32), frame), np.zeros(frame.shape, np.float32)
    out: dict[str, Any] = {"gdal": gdal.version}
    for reach in (150.0, 300.0):
        sample, config = sampled(pieces, 1500 if reach == 150.0 else 800, rng), DetectionSettings(reach_m=reach)
        works: dict[str, Callable[[], object]] = {
            "ours": lambda c=config: accumulate(hazard, pieces, terrain, SEASON, c, threads=1),
            "gdal": lambda s=sample, r=reach: gdal.accumulate(theirs, s, reach_m=r, width_m=WIDTH_M),
        }
        taken = in_turn(works, runs)
        ours, peer = statistics.median(taken["ours"]) / fixes, statistics.median(taken["gdal"]) / len(sample)
        name = f"{reach:.0f}"
        out[f"us_per_fix_{name}"] = spread_of(taken["ours"], 1e6 / fixes)
        out[f"gdal_us_per_fix_{name}"] = {**spread_of(taken["gdal"], 1e6 / len(sample)), "sampled_fixes": len(sample)}
        out[f"ratio_gdal_{name}"] = peer / ours
        if reach == 150.0:
            lines = [seconds(lambda: line_overlay(pieces, towns, 150.0)) for _ in range(1 if runs < 4 else 3)]
            out["geopandas_lines_150_s"] = spread_of(lines)
            out["ratio_geopandas_lines_150"] = statistics.median(lines) / (ours * fixes)
    out["ratio_xrspatial_300"] = None
    if importlib.util.find_spec("xrspatial") is None:
        out["xrspatial_reason"] = "xarray-spatial is not installed"
    else:
        theirs_s = xarray_spatial(terrain, sampled(pieces, 200, rng), 300.0)
        out |= {"xrspatial_us_per_fix_300": theirs_s * 1e6, "xrspatial_sampled_fixes": 200}
        out["ratio_xrspatial_300"] = theirs_s / ours
    return out


def one_track(terrain: Terrain, pieces: Pieces, runs: int) -> dict[str, Any]:
    """Whole recomputation with township statistics against one more 500-fix track with those it changes."""
    town = Town(terrain, 150.0)
    last = pieces.take(pieces.track == 0)
    town.everything(pieces)
    whole = [seconds(lambda: town.everything(pieces)) for _ in range(1 if runs < 4 else 3)]
    town.one_more(last)
    single = [seconds(lambda k=k: town.one_more(last, sign=-1 if k % 2 else 1)) for k in range(4 * runs)]
    middle = statistics.median(single)
    return {
        "one_track_ms": middle * 1e3,
        "one_track_spread_ms": spread_of(single, 1e3),
        "recompute_ratio": statistics.median(whole) / middle,
    }


def longest_way(work: Callable[[], object]) -> float:
    """CPU seconds of the calling thread and half of those of its two workers, looked at every two milliseconds."""
    first, last = {}, {}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            for file in Path("/proc/self/task").glob("*/schedstat"):
                with contextlib.suppress(OSError, IndexError):
                    taken = int(file.read_text().split()[0])
                    first.setdefault(file, taken)
                    last[file] = taken

    watcher = threading.Thread(target=watch)
    watcher.start()
    time.sleep(0.01)
    work()
    done.set()
    watcher.join()
    taken = {int(file.parent.name): (last[file] - first[file]) / 1e9 for file in last}
    own = taken.pop(threading.get_native_id())
    taken.pop(watcher.native_id or 0, None)
    return own + 0.5 * sum(taken.values())


def two_threads(terrain: Terrain, pieces: Pieces, runs: int) -> dict[str, Any]:
    """
    One thread against two at 150 m, in turn.

    The ratio is CPU seconds of one thread / those of the caller and of one of two workers, who take their lots from
    one queue, as if caller and workers never ran at once: the least that the clock on the wall would show if two
    cores were free. What it did show stands beside it.
    """
    frame, config = terrain.elevation.frame, DetectionSettings()
    hazard = Grid(np.zeros(frame.shape, np.int32), frame)
    busy: list[float] = []
    wall: list[float] = []
    for _ in range(runs):
        began, cpu = time.perf_counter(), time.process_time()
        accumulate(hazard, pieces, terrain, SEASON, config, threads=1)
        middle, cpu = time.perf_counter(), time.process_time() - cpu
        busy.append(cpu / longest_way(lambda: accumulate(hazard, pieces, terrain, SEASON, config, threads=2)))
        wall.append((middle - began) / (time.perf_counter() - middle))
    return {"threads2_ratio": statistics.median(busy), "threads2_wall_ratio": spread_of(wall)}


def memory_mb(key: str) -> float:
    """Resident memory of this process now (VmRSS) or at most so far (VmHWM), MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) / 1024.0 for line in lines if line.startswith(key))


def memory_of_a_run(imported_mb: float) -> dict[str, float]:
    """
    Peak resident memory of one run in this process above that after imports: it holds DEM, cover and accumulator.
    """
    rng = np.random.default_rng(7)
    small, config = county(500, rng), DetectionSettings()
    few = walks(1, 5, small.elevation.frame, rng)
    accumulate(Grid(np.zeros((500, 500), np.int32), small.elevation.frame), few, small, SEASON, config, threads=1)
    terrain = county(CELLS, rng)
    pieces = walks(TRACKS, FIXES, terrain.elevation.frame, rng)
    before = memory_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    hazard = Grid(np.zeros((CELLS, CELLS), np.int32), terrain.elevation.frame)
    accumulate(hazard, pieces, terrain, SEASON, config, threads=2)
    peak = memory_mb("VmHWM")
    held = sum(grid.values.nbytes for grid in (terrain.elevation, hazard)) / 1048576.0
    return {
        "peak_mb": peak - imported_mb,
        "peak_limit_mb": held + 300.0,
        "peak_above_inputs_mb": peak - before,
        "resident_after_imports_mb": imported_mb,
    }


def in_a_fresh_process() -> dict[str, Any]:
    """`memory_of_a_run` in a child, so that nothing measured here counts."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.coverage", "--memory"], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def linear(terrain: Terrain, rng: np.random.Generator) -> dict[str, Any]:
    """Microseconds per fix of 10,000, 100,000 and 1,000,000 fixes at 150 m."""
    frame, out = terrain.elevation.frame, {}
    for tracks in (20, 200, 2000):
        pieces, hazard = walks(tracks, FIXES, frame, rng), Grid(np.zeros(frame.shape, np.int32), frame)
        taken = [
            seconds(lambda p=pieces, h=hazard: accumulate(h, p, terrain, SEASON, DetectionSettings(), threads=1))
            for _ in range(3)
        ]
        out[str(tracks * FIXES)] = statistics.median(taken) / tracks / FIXES * 1e6
    return {"us_per_fix_150_by_fixes": out, "linear_ratio": out["1000000"] / out["10000"]}


def measure(*, quick: bool, seed: int = 7) -> dict[str, Any]:
    """Everything measured, as one JSON object."""
    rng = np.random.default_rng(seed)
    runs = 2 if quick else 9
    terrain = county(CELLS, rng)
    pieces = walks(TRACKS, FIXES, terrain.elevation.frame, rng)
    names = ("numba", "numpy", "geopandas", "shapely", "fiona")
    model = [row.split(":")[1].strip() for row in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in row]
    out: dict[str, Any] = {
        "machine": {"processor": model[0] if model else platform.machine(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), **{name: version(name) for name in names}},
        "n": {"fixes": TRACKS * FIXES, "tracks": TRACKS, "cells": CELLS**2, "runs": runs, "fix_every_m": 10},
    }
    out |= against_peers(terrain, pieces, runs, rng)
    out |= one_track(terrain, pieces, runs)
    out |= two_threads(terrain, pieces, runs)
    out |= in_a_fresh_process()
    return out if quick else out | linear(terrain, rng)


def main() -> None:
    """Print the figures."""
    imported_mb = memory_mb("VmRSS")
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="fewer rounds and smaller samples")
    asked.add_argument("--json", action="store_true", help="one JSON object (the default and only form)")
    asked.add_argument("--memory", action="store_true", help=argparse.SUPPRESS)
    given = asked.parse_args()
    print(json.dumps(memory_of_a_run(imported_mb) if given.memory else measure(quick=given.quick), indent=2))


if __name__ == "__main__":
    main()
