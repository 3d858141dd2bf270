"""Exact R3 against a plain float64 brute force, and answers worked by hand."""

from fractions import Fraction
from math import floor, hypot

import numpy as np
import pyproj
import pytest
import rasterio

from geo.analysis.visibility import viewsheds
from geo.grid import Frame, Grid


def grid(heights, cell_m=10.0):
    """A raster of heights at a made-up place."""
    values = np.asarray(heights, np.float32)
    return Grid(values, Frame(0.0, len(values) * cell_m, cell_m, *values.shape, pyproj.CRS(4544)))


def rough(rng, n):
    """Hills, terraces and noise."""
    rows, cols = np.mgrid[:n, :n]
    hills = 40 * np.sin(rows / 5.0) + 30 * np.cos(cols / 7.0) + np.floor(rows / 9) * 8
    return 1000.0 + hills + rng.normal(0, 4.0, (n, n))


def brute_sees(z, row, col, to_row, to_col, cell_m=10.0, eye_m=1.6, target_m=0.8, floor_m=None):
    """One line of sight, straight from the definition: every crossing sorted by exact fractions of the way."""
    down, right = to_row - row, to_col - col
    eye = float(z[row, col] if floor_m is None else floor_m[row, col]) + eye_m
    if np.isnan(eye) or np.isnan(z[to_row, to_col]):
        return False
    ways = {Fraction(i, abs(d)) for d in (down, right) for i in range(1, abs(d))}
    line = (float(z[to_row, to_col]) + target_m - eye) / (hypot(down, right) * cell_m)
    for way in sorted(ways):
        r, c = row + way * down, col + way * right
        r0, c0 = floor(r), floor(c)
        r1, c1 = r0 + (r > r0), c0 + (c > c0)
        part = float(max(r - r0, c - c0))
        ground = float(z[r0, c0]) + part * (float(z[r1, c1]) - float(z[r0, c0])) if part else float(z[r0, c0])
        if (ground - eye) / (hypot(float(way * down), float(way * right)) * cell_m) > line:
            return False
    return True


def brute_viewshed(z, row, col, radius_cells, cell_m=10.0, floor_m=None):
    """All targets of one observer."""
    half = floor(radius_cells)
    seen = np.zeros((2 * half + 1, 2 * half + 1), bool)
    for i in range(-half, half + 1):
        for j in range(-half, half + 1):
            inside = 0 <= row + i < z.shape[0] and 0 <= col + j < z.shape[1]
            if inside and 0 < i * i + j * j <= radius_cells**2:
                seen[i + half, j + half] = brute_sees(z, row, col, row + i, col + j, cell_m, floor_m=floor_m)
    seen[half, half] = not np.isnan(z[row, col])
    return seen


@pytest.mark.parametrize("voids", [False, True])
def test_every_target_of_64_observers_agrees_with_brute_force(voids):
    """100.000 % of all targets, at edges and in the middle, with and without voids."""
    rng = np.random.default_rng(11)
    z = rough(rng, 60).astype(np.float32)
    if voids:
        z[rng.uniform(size=z.shape) < 0.03] = np.nan
    at = rng.integers(0, 60, (32, 2))
    seen = viewsheds(grid(z), at[:, 0], at[:, 1], radius_m=120.0)
    expected = np.array([brute_viewshed(z, row, col, 12.0) for row, col in at.tolist()])
    assert (seen == expected).all()
    assert 0.1 < expected.mean() < 0.9 * np.pi / 4


def test_observers_on_a_floor_below_the_surface_agree_with_brute_force():
    """Between houses: the surface rises above the floor on a fifth of the cells, observers' own among them."""
    rng = np.random.default_rng(12)
    floor_m = rough(rng, 60).astype(np.float32)
    z = floor_m + np.where(rng.random(floor_m.shape) < 0.2, np.float32(4.0), np.float32(0.0))
    at = rng.integers(0, 60, (20, 2))
    seen = viewsheds(grid(z), at[:, 0], at[:, 1], radius_m=120.0, floor=grid(floor_m))
    expected = np.array([brute_viewshed(z, row, col, 12.0, floor_m=floor_m) for row, col in at.tolist()])
    assert (z[at[:, 0], at[:, 1]] > floor_m[at[:, 0], at[:, 1]]).any()
    assert (seen == expected).all()


def agrees(z, at, radius_cells, *, cell_m=10.0):
    """Whether every target of every observer agrees with the brute force."""
    seen = viewsheds(grid(z, cell_m), at[:, 0], at[:, 1], radius_m=radius_cells * cell_m)
    for found, (row, col) in zip(seen, at.tolist(), strict=True):
        if not (found == brute_viewshed(z, row, col, radius_cells, cell_m)).all():
            return False
    return 0.05 < seen.mean() < 0.7


def test_observers_far_from_every_edge_agree_too():
    """Windows wholly inside the raster are turned sixteen at a time: 40 observers, two full lots and a part of one."""
    rng = np.random.default_rng(12)
    z = rough(rng, 90).astype(np.float32)
    z[rng.uniform(size=z.shape) < 0.01] = np.nan
    assert agrees(z, rng.integers(20, 65, (40, 2)), 15.7)


def test_exact_ties_and_closest_calls_are_decided_as_in_float64():
    """Heights in steps of 0.4 m make many lines of sight graze the ground exactly; float32 alone gets them wrong."""
    rng = np.random.default_rng(13)
    z = (1500.0 + 0.4 * rng.integers(0, 6, (70, 70))).astype(np.float32)
    assert agrees(z, rng.integers(0, 70, (24, 2)), 12.0)
    z = (np.round(rough(rng, 70) / 2.0) * 2.0).astype(np.float32)
    assert agrees(z, rng.integers(16, 50, (24, 2)), 12.0)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "band", "cell_m", "radius"),
    [("ecuador_ta_10m_5band", 4, 10.0, 15.7), ("bigtujunga_srtm30m_utm11", 1, 30.0, 10.5)],
)
def test_64_observers_on_real_terrain_agree_with_brute_force(real_data, name, band, cell_m, radius):
    """Measured ground, in metres and in whole metres."""
    with rasterio.open(real_data / "dem" / f"{name}.tif") as source:
        z = source.read(band, masked=True).astype(np.float32).filled(np.nan)
    rng = np.random.default_rng(14)
    at = np.column_stack([rng.integers(0, n, 64) for n in z.shape])
    assert agrees(z, at[~np.isnan(z[at[:, 0], at[:, 1]])], radius, cell_m=cell_m)


def test_the_widest_window_of_the_settings_agrees():
    """300 m and half a diagonal: rays of 30 cells."""
    rng = np.random.default_rng(15)
    z = rough(rng, 80).astype(np.float32)
    assert agrees(z, rng.integers(31, 49, (5, 2)), 30.7)


def test_flat_ground_shows_the_whole_disc():
    """Every cell whose centre lies within 12 cells, and no other."""
    seen = viewsheds(grid(np.zeros((41, 41))), 20, 20, radius_m=120.0)[0]
    rows, cols = np.mgrid[-12:13, -12:13]
    assert (seen == (rows**2 + cols**2 <= 144)).all()


def test_a_ridge_hides_what_lies_behind_it():
    """A wall of 5 m two cells to the east hides everything behind it and nothing before it."""
    z = np.zeros((31, 31))
    z[:, 17] = 5.0
    seen = viewsheds(grid(z), 15, 15, radius_m=100.0)[0]
    assert seen[10, :13].all()
    assert not seen[10, 13:].any()


def test_a_void_blocks_nothing_and_sees_nothing():
    """The wall made unknown no longer hides; its cells are no targets; an observer in it is blind."""
    z = np.zeros((31, 31))
    z[:, 17] = np.nan
    seen = viewsheds(grid(z), [15, 15], [15, 17], radius_m=100.0)
    assert seen[0, 10, 13:].all()
    assert not seen[0, 10, 12]
    assert not seen[1].any()
