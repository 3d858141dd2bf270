"""
Walking times: a township's travel matrix, and what the 30 m surface loses against the 10 m one.

``python -m benchmarks.travel --json`` makes karst-like ground (smooth hills and cones, median slope about 18
degrees), draws 60 places in 20 x 20 km and measures processor seconds for the surface (30 m, 16 neighbours) and for
all times between the places up to 4 hours, these also by scipy's Dijkstra search as a peer. The 10 m surface of the
same ground is compared on ``--check-km`` kilometres of it (a whole 20 km township at 10 m needs some 3 GB), between
20 places, pairs up to 4 hours. Prints ``{cells, places, surface_cpu_s, matrix_cpu_s, peer_cpu_s, peer_ratio,
same_numbers, reached_share, ratio_30_to_10_median, ratio_p5, ratio_p95, pairs, asymmetry_median, slope_median_deg}``;
the ratios are the peer's seconds over ours, and seconds at 30 m over seconds at 10 m.
"""

import argparse
import json
import time
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
from scipy import ndimage
from scipy.sparse import csgraph

from geo.analysis import travel
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain, slope_degrees
from geo.settings import PlanningSettings

CELL_M, LIMIT_S, CRS = 10.0, 4 * 3600.0, pyproj.CRS.from_epsg(4544)


def ground(side_km: float, rng: np.random.Generator) -> Terrain:
    """Noise of three wavelengths and a cone every square kilometre."""
    n = round(side_km * 1000 / CELL_M)
    height = np.zeros((n, n), np.float32)
    for wave, metres in ((300.0, 170.0), (80.0, 45.0), (25.0, 9.0)):
        lattice = rng.standard_normal((round(n / wave * 2) + 4,) * 2)
        fine = ndimage.zoom(lattice, n / (len(lattice) - 3), order=3)[:n, :n]
        height += (fine / fine.std() * metres).astype(np.float32)
    down, across = np.mgrid[:n, :n].astype(np.float32)
    for row, col in rng.integers(0, n, (round(side_km**2), 2)):
        near = (slice(max(row - 40, 0), row + 40), slice(max(col - 40, 0), col + 40))
        away = np.hypot(down[near] - row, across[near] - col) * CELL_M
        height[near] += np.clip(120.0 - 0.55 * away, 0.0, None)
    frame = Frame(500_000.0, 2_970_000.0, CELL_M, n, n, CRS)
    return Terrain(Grid(height, frame), Grid(np.full((n, n), Cover.OPEN, np.uint8), frame), CELL_M)


def places(frame: Frame, count: int, rng: np.random.Generator, side_m: float | None = None) -> Any:
    side = side_m or frame.rows * frame.cell_m
    low = 0.05 * side
    return np.column_stack(
        [frame.west_m + rng.uniform(low, side - low, count), frame.north_m - rng.uniform(low, side - low, count)]
    )


def open_centres(surface: travel.CostSurface, points: Any) -> Any:
    """Centres of the cells the points lie in, where these can be walked on."""
    row, col = surface.frame.cells(points[:, 0], points[:, 1])
    walkable = ~surface.closed[row, col]
    return np.column_stack(surface.frame.centres(row[walkable], col[walkable]))


def cpu(work: Any) -> tuple[Any, float]:
    begin = time.process_time()
    answer = work()
    return answer, time.process_time() - begin


def by_peer(surface: travel.CostSurface, centres: Any) -> Any:
    """The same seconds by scipy, a few sources at a time as its answer is a whole surface for each."""
    row, col = surface.frame.cells(centres[:, 0], centres[:, 1])
    cells = np.ravel_multi_index((row, col), surface.frame.shape)
    return np.vstack(
        [
            csgraph.dijkstra(surface.graph, indices=some, limit=LIMIT_S)[:, cells]
            for some in np.array_split(cells, -(-len(cells) // 16))
        ]
    )


def compared(terrain: Terrain, check_km: float, rng: np.random.Generator) -> Any:
    """Seconds at 30 m over seconds at 10 m for all pairs both reach within the limit."""
    n = round(check_km * 1000 / CELL_M) // 3 * 3
    part = Terrain(
        *(Grid(g.values[:n, :n], g.frame.window(0, 0, n, n)) for g in (terrain.elevation, terrain.cover)), 10.0
    )
    spots = places(part.elevation.frame, 20, rng)
    none = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
    rough, fine = (
        travel.times(travel.cost_surface(part, none, PlanningSettings(cell_m=cell)), spots, spots, limit_s=LIMIT_S)
        for cell in (30.0, 10.0)
    )
    both = np.isfinite(rough) & np.isfinite(fine) & (fine > 600.0)
    return rough[both] / fine[both]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side-km", type=float, default=20.0)
    parser.add_argument("--check-km", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    terrain = ground(asked.side_km, rng)
    none = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
    surface, surface_s = cpu(lambda: travel.cost_surface(terrain, none, PlanningSettings()))
    spots = open_centres(surface, places(terrain.elevation.frame, 120, rng))[:60]
    travel.times(surface, spots[:1], spots[:1])  # what is compiled is loaded
    seconds, matrix_s = cpu(lambda: travel.times(surface, spots, spots, limit_s=LIMIT_S))
    reached, peer_s = cpu(lambda: by_peer(surface, spots))
    held = np.isfinite(seconds) & (seconds > 0)
    there = seconds / np.where(held.T, seconds.T, np.nan)
    ratio = compared(terrain, asked.check_km, rng)
    answer = {
        "cells": int(np.prod(surface.frame.shape)),
        "places": len(spots),
        "surface_cpu_s": surface_s,
        "matrix_cpu_s": matrix_s,
        "peer_cpu_s": peer_s,
        "peer_ratio": peer_s / matrix_s,
        "same_numbers": bool(np.array_equal(reached, seconds)),
        "reached_share": float(np.isfinite(seconds).mean()),
        "ratio_30_to_10_median": float(np.median(ratio)),
        "ratio_p5": float(np.percentile(ratio, 5)),
        "ratio_p95": float(np.percentile(ratio, 95)),
        "pairs": len(ratio),
        "asymmetry_median": float(np.nanmedian(np.abs(there[held & held.T] - 1.0))),
        "slope_median_deg": float(np.nanmedian(slope_degrees(terrain.elevation))),
    }
    print(json.dumps(answer) if asked.json else answer)


if __name__ == "__main__":
    main()
