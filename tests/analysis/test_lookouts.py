"""Watching from a point: far sight against a plain float64 brute force, and hazards worked by hand."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import floor, hypot

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.analysis.attribution import Area, totals_of
from geo.analysis.lookouts import apparent_drop, far_viewshed, lookout_parts, watch, watching_rate
from geo.analysis.visibility import viewsheds
from geo.grid import Frame, Grid
from geo.layers.lookouts import SCHEMA
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings, LookoutSettings

SEASON, DETECTION = Season(2026), DetectionSettings()
APRIL = datetime(2026, 4, 1, 2, tzinfo=UTC)
COUNTED = LookoutSettings(nats_per_hour=2.0, reach_m=800.0)


def grid(heights, cell_m=10.0):
    values = np.asarray(heights, np.float32)
    return Grid(values, Frame(500000.0, 2950000.0, cell_m, *values.shape, pyproj.CRS(4544)))


def hills(rng, n):
    rows, cols = np.mgrid[:n, :n]
    z = 1000 + 30 * np.sin(rows / 7.0) + 25 * np.cos(cols / 9.0) + rng.normal(0, 2.0, (n, n))
    z[rng.uniform(size=z.shape) < 0.01] = np.nan
    return z


def ground(heights, cover=Cover.OPEN):
    elevation = grid(heights)
    kinds = np.broadcast_to(np.asarray(cover, np.uint8), elevation.values.shape).copy()
    return Terrain(elevation, Grid(kinds, elevation.frame), 10.0)


def lookouts(*places, hours=1.0, **more):
    """Rows of the layer; places in metres east and south of the corner."""
    rows = pd.DataFrame(
        {
            "lookout_id": [f"L{n}" for n in range(len(places))],
            "started_at": APRIL,
            "ended_at": APRIL + timedelta(hours=hours),
            **more,
        }
    )
    points = [shapely.Point(500000.0 + east, 2950000.0 - south) for east, south in places]
    return SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=points, crs=4544))


def sees(z, row, col, to_row, to_col, cell_m, eye_m, target_m, refraction):
    """One line of sight straight from the definition, each crossing at its exact fraction of the way."""
    drop = (1.0 - refraction) / (2.0 * 6_371_000.0)
    down, right = to_row - row, to_col - col
    eye, far = float(z[row, col]) + eye_m, hypot(down, right) * cell_m
    if np.isnan(eye) or np.isnan(z[to_row, to_col]):
        return False
    line = (float(z[to_row, to_col]) + target_m - drop * far**2 - eye) / far
    for way in {Fraction(i, abs(d)) for d in (down, right) for i in range(1, abs(d))}:
        r, c = row + way * down, col + way * right
        r0, c0 = floor(r), floor(c)
        part = float(max(r - r0, c - c0))
        low = float(z[r0, c0])
        height = low + part * (float(z[r0 + (r > r0), c0 + (c > c0)]) - low) if part else low
        away = float(way) * far
        if (height - drop * away**2 - eye) / away > line:
            return False
    return True


@pytest.mark.parametrize("cell_m", [10.0, 100.0])
def test_every_target_agrees_with_brute_force_curvature_included(cell_m):
    """Six observers, all targets within 25 cells (up to 2.5 km), voids and edges among them: 100 %."""
    rng = np.random.default_rng(5)
    z = hills(rng, 60).astype(np.float32)
    for row, col in rng.integers(0, 60, (6, 2)).tolist():
        got = far_viewshed(grid(z, cell_m), row, col, radius_m=25 * cell_m, eye_m=2.0, target_m=0.8)
        for i in range(-25, 26):
            for j in range(-25, 26):
                r, c = row + i, col + j
                inside = 0 <= r < 60 and 0 <= c < 60 and 0 < i * i + j * j <= 625
                want = inside and sees(z, row, col, r, c, cell_m, 2.0, 0.8, 0.13)
                if (i, j) != (0, 0):
                    assert got[i + 25, j + 25] == want, (row, col, i, j)


def test_on_a_flat_earth_it_is_the_engines_own_line_of_sight():
    """With refraction taking the whole curve away, the same cells as `viewsheds`."""
    z = grid(hills(np.random.default_rng(6), 50))
    near = viewsheds(z, 25, 25, radius_m=200.0, eye_m=1.6, target_m=0.8)[0]
    assert (far_viewshed(z, 25, 25, radius_m=200.0, eye_m=1.6, target_m=0.8, refraction=1.0) == near).all()


def test_level_ground_ends_at_the_horizon():
    """
    Eye e and target t above a smooth sphere see each other to √(2Re/(1-k)) + √(2Rt/(1-k)): for 1 m and 0.25 m
    3,827 + 1,913 m. Cells of 100 m: the last seen within one cell of it.
    """
    level = grid(np.zeros((3, 90)), 100.0)
    seen = far_viewshed(level, 1, 0, radius_m=8900.0, eye_m=1.0, target_m=0.25)
    middle = seen.shape[0] // 2
    row = seen[middle, middle : middle + 90]
    horizon = np.sqrt(2 * 6_371_000.0 / 0.87) * (1.0 + 0.5)
    assert row[: row.argmin()].all()
    assert row.argmin() * 100.0 == pytest.approx(horizon, abs=150.0)
    assert not row[row.argmin() :].any()


def test_the_drop_is_that_of_the_surveyors_table():
    """6.7 cm at 1 km and 6.83 m at 10 km with k = .13."""
    assert apparent_drop([1000.0, 10000.0]).tolist() == pytest.approx([0.0683, 6.828], abs=5e-4)
    assert apparent_drop(1000.0, 0.0) == pytest.approx(0.0785, abs=1e-4)


def test_an_hour_at_the_reference_distance_adds_its_nats_times_the_width_squared():
    """Open ground in flower has the widest W; scrub in flower 12/30 of it; forest has none."""
    cover = np.full((101, 101), Cover.OPEN)
    cover[50, 100], cover[100, 50] = Cover.SCRUB, Cover.FOREST
    terrain = ground(np.full((101, 101), 1000.0), cover)
    hazard = Grid(np.zeros((101, 101), np.int32), terrain.elevation.frame)
    watch(hazard, lookouts((505.0, 505.0)), terrain, SEASON, DETECTION, COUNTED)
    nats = hazard.values / 65536
    assert nats[0, 50] == pytest.approx(2.0, abs=1e-4)
    assert nats[50, 100] == pytest.approx(2.0 * (12 / 30) ** 2, abs=1e-4)
    assert nats[100, 50] == 0.0
    assert nats[50, 55] == nats[50, 60] == pytest.approx(32.0)
    assert nats[25, 50] == pytest.approx(8.0, abs=1e-4)
    assert watching_rate(801.0, COUNTED) == 0.0


def test_only_the_sector_watched_counts():
    """From 315 to 45 degrees: north yes, east, south and west no."""
    terrain = ground(np.full((101, 101), 1000.0))
    hazard = Grid(np.zeros((101, 101), np.int32), terrain.elevation.frame)
    one = lookouts((505.0, 505.0), from_deg=315.0, to_deg=45.0)
    watch(hazard, one, terrain, SEASON, DETECTION, COUNTED)
    held = hazard.values > 0
    assert held[10, 50]
    assert not held[[50, 90, 50], [90, 50, 10]].any()
    assert held.sum() == pytest.approx(np.pi * 50**2 / 4 + (50**2 - np.pi * 50**2 / 4), rel=0.05)


def test_by_default_lookouts_count_for_nothing():
    terrain = ground(np.full((41, 41), 1000.0))
    hazard = Grid(np.zeros((41, 41), np.int32), terrain.elevation.frame)
    watch(hazard, lookouts((205.0, 205.0)), terrain, SEASON, DETECTION, LookoutSettings())
    assert not hazard.values.any()


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_taking_lookouts_away_restores_the_raster_bit_for_bit_in_any_order(seed):
    rng = np.random.default_rng(seed)
    terrain = ground(hills(rng, 60), rng.integers(0, 8, (60, 60)))
    before = rng.integers(0, 1_000_000, (60, 60)).astype(np.int32)
    hazard = Grid(before.copy(), terrain.elevation.frame)
    several = lookouts(*rng.uniform(0.0, 640.0, (3, 2)).tolist())
    watch(hazard, several, terrain, SEASON, DETECTION, COUNTED)
    assume((hazard.values != before).any())  # all three may stand outside, or where nothing is seen
    watch(hazard, several.iloc[::-1], terrain, SEASON, DETECTION, COUNTED, sign=-1)
    assert (hazard.values == before).all()


@settings(max_examples=8)
@given(seed=st.integers(0, 10_000))
def test_the_parts_of_an_area_add_up_to_what_was_watched(seed):
    rng = np.random.default_rng(seed)
    terrain = ground(hills(rng, 60), rng.integers(0, 8, (60, 60)))
    several = lookouts(*rng.uniform(0.0, 600.0, (3, 2)).tolist())
    hazard = Grid(np.zeros((60, 60), np.int32), terrain.elevation.frame)
    watch(hazard, several, terrain, SEASON, DETECTION, COUNTED)
    area = Area(np.sort(rng.choice(3600, 300, replace=False)), np.ones(300), terrain.elevation.frame)
    parts = list(lookout_parts(several, area, terrain, SEASON, DETECTION, COUNTED, first=7))
    assert {part.source for part in parts} == {7, 8, 9}
    assert {part.period for part in parts} == {3}
    assert (totals_of(parts, area, 5).sum(axis=0) == hazard.values.reshape(-1)[area.cells]).all()


def test_a_lookout_outside_the_raster_adds_nothing():
    terrain = ground(np.full((41, 41), 1000.0))
    hazard = Grid(np.zeros((41, 41), np.int32), terrain.elevation.frame)
    watch(hazard, lookouts((-50.0, 205.0)), terrain, SEASON, DETECTION, COUNTED)
    assert not hazard.values.any()
