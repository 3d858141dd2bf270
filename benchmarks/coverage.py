"""
Detection coverage against its peers, timed side by side in one run: ``python -m benchmarks.coverage [--quick] --json``.

Process CPU seconds for one thread, because the machine may be shared; wall seconds for the ratio of two threads.
"""

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable

import geopandas as gpd
import numba
import numpy as np
import pyproj
import shapely

from geo.analysis.coverage import accumulate
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import DetectionSettings

CRS = pyproj.CRS(4544)


def county(cells: int, rng: np.random.Generator) -> Terrain:
    """Hills with noise, open ground everywhere, 10 m cells."""
    frame = Frame(512000.0, 2995200.0, 10.0, cells, cells, CRS)
    rows, cols = np.mgrid[:cells, :cells].astype(np.float32)
    heights = 1000.0 + 60.0 * np.sin(cols / 17.0) + 60.0 * np.cos(rows / 23.0) + rng.normal(0, 3.0, rows.shape)
    return Terrain(Grid(heights.astype(np.float32), frame), Grid(np.ones(rows.shape, np.uint8), frame), 10.0)


def walks(tracks: int, fixes: int, frame: Frame, rng: np.random.Generator) -> Pieces:
    """Wandering tracks with a fix every 10 m, inside the raster."""
    west, south, east, north = frame.bounds
    turn = np.cumsum(rng.normal(0, 0.2, (tracks, fixes)), axis=1) + rng.uniform(0, 6.3, (tracks, 1))
    eastings = rng.uniform(west + 2000, east - 2000, (tracks, 1)) + np.cumsum(10.0 * np.cos(turn), axis=1)
    northings = rng.uniform(south + 2000, north - 2000, (tracks, 1)) + np.cumsum(10.0 * np.sin(turn), axis=1)
    ends = (eastings[:, :-1], northings[:, :-1], eastings[:, 1:], northings[:, 1:])
    owner = np.repeat(np.arange(tracks), fixes - 1)
    flat = [np.ascontiguousarray(a).ravel() for a in ends]
    return Pieces(owner, *flat, np.ones(len(owner)), np.full(len(owner), 1775000000.0))


def timed(work: Callable[[], object], runs: int) -> dict[str, float]:
    """Wall and process CPU seconds: medians, least and most of some runs."""
    wall, busy = [], []
    for _ in range(runs):
        start, cpu = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        busy.append(time.process_time() - cpu)
    middle = {"wall_s": statistics.median(wall), "cpu_s": statistics.median(busy)}
    return {**middle, "cpu_min_s": min(busy), "cpu_max_s": max(busy)}


def line_buffer(pieces: Pieces, reach_m: float) -> float:
    """The peer without terrain: buffer every track's line, union, area in square metres."""
    lines = []
    for track in np.unique(pieces.track):
        own = pieces.take(pieces.track == track)
        lines.append(shapely.linestrings(np.column_stack([own.easting0_m, own.northing0_m])))
    return float(gpd.GeoSeries(lines, crs=CRS).buffer(reach_m).union_all().area)


def measure(*, quick: bool, seed: int = 7) -> dict[str, object]:
    """Everything measured, as one JSON object."""
    rng = np.random.default_rng(seed)
    cells, tracks, runs = (1500, 40, 3) if quick else (5000, 200, 5)
    terrain = county(cells, rng)
    pieces, season = walks(tracks, 500, terrain.elevation.frame, rng), Season(2026)
    fixes = tracks * 500
    out: dict[str, object] = {"machine": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    out |= {"python": platform.python_version(), "numba": numba.__version__, "runs": runs, "fixes": fixes}
    for reach in (150.0,) if quick else (150.0, 300.0):
        name, config = f"{reach:.0f}", DetectionSettings(reach_m=reach)
        hazard = Grid(np.zeros(terrain.elevation.frame.shape, np.int32), terrain.elevation.frame)

        def ours(threads: int, hazard: Grid = hazard, config: DetectionSettings = config) -> None:
            accumulate(hazard, pieces, terrain, season, config, threads=threads)

        ours(1)
        one, two = timed(lambda: ours(1), runs), timed(lambda: ours(2), runs)
        peer = timed(lambda reach=reach: line_buffer(pieces, reach), runs)
        out[f"us_per_fix_{name}"] = one["cpu_s"] / fixes * 1e6
        out[f"seconds_{name}"] = {"one_thread": one, "two_threads": two, "geopandas_lines": peer}
        out[f"ratio_geopandas_lines_{name}"] = peer["cpu_s"] / one["cpu_s"]
        out[f"threads2_ratio_{name}"] = one["wall_s"] / two["wall_s"]
    single = pieces.take(pieces.track == 0)
    out["one_track_ms"] = (
        timed(lambda: accumulate(hazard, single, terrain, season, config, threads=1), 5)["cpu_s"] * 1e3
    )
    return out


def main() -> None:
    """Print the figures."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a small raster and few tracks")
    asked.add_argument("--json", action="store_true", help="one JSON object (the default and only form)")
    print(json.dumps(measure(quick=asked.parse_args().quick), indent=2))


if __name__ == "__main__":
    main()
