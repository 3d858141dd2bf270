"""Means worked by hand; voids stay what they are; a plane stays a plane."""

import numpy as np
import pyproj
import pytest

from geo.analysis.smoothing import block_mean, moving_mean
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain


def ground(heights):
    z = np.asarray(heights, np.float32)
    place = Frame(0.0, 1000.0, 10.0, *z.shape, pyproj.CRS(4544))
    return Terrain(Grid(z, place), Grid(np.full(z.shape, Cover.OPEN, np.uint8), place), 10.0)


def test_a_moving_mean_spreads_a_spike_over_nine_cells():
    z = np.zeros((7, 7))
    z[3, 3] = 9.0
    got = moving_mean(ground(z)).elevation.values
    assert got[2:5, 2:5] == pytest.approx(np.ones((3, 3)), abs=1e-5)
    assert got.sum() == pytest.approx(9.0, abs=1e-4)


def test_a_plane_stays_a_plane_inside():
    rows, cols = np.mgrid[:9, :9]
    z = 1000.0 + 3.0 * rows - 2.0 * cols
    assert moving_mean(ground(z)).elevation.values[1:-1, 1:-1] == pytest.approx(z[1:-1, 1:-1], abs=1e-3)


def test_voids_stay_void_and_enter_no_mean():
    z = np.full((6, 6), 5.0)
    z[2, 2] = np.nan
    for smooth in (moving_mean(ground(z)), block_mean(ground(z))):
        got = smooth.elevation.values
        assert np.isnan(got[2, 2])
        assert got[np.isfinite(z)] == pytest.approx(5.0, abs=1e-5)


def test_blocks_of_thirty_metres_stand_at_their_mean_cut_ones_too():
    z = np.arange(16.0).reshape(4, 4)
    got = block_mean(ground(z), 30.0).elevation.values
    assert got[:3, :3] == pytest.approx(z[:3, :3].mean())
    assert got[:3, 3] == pytest.approx(z[:3, 3].mean())
    assert got[3, 3] == 15.0


def test_a_block_of_one_cell_or_a_mean_of_one_changes_nothing():
    z = np.random.default_rng(0).normal(1000.0, 50.0, (5, 5)).astype(np.float32)
    assert (block_mean(ground(z), 10.0).elevation.values == z).all()
    assert moving_mean(ground(z), 1).elevation.values == pytest.approx(z)


def test_an_even_window_has_no_middle():
    with pytest.raises(ValueError, match="odd"):
        moving_mean(ground(np.zeros((3, 3))), 2)
