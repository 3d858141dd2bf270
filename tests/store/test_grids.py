"""Rasters on disk: whole, windowed, and never half written."""

import numpy as np
import pyproj
import pytest

from geo.errors import GridMismatch, StoreError
from geo.grid import Frame, Grid
from geo.store import grids

FRAME = Frame(394240.0, 2965760.0, 10.0, 384, 640, pyproj.CRS.from_epsg(4544))


def _grid(dtype) -> Grid:
    values = (np.arange(384 * 640).reshape(384, 640) % 251).astype(dtype)
    if np.issubdtype(dtype, np.floating):
        values[0, :5] = np.nan
    return Grid(values, FRAME)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_a_grid_comes_back_as_it_went_in(tmp_path, dtype):
    """Values, voids, type, place and CRS."""
    grids.write_grid(tmp_path, "pod", _grid(dtype))
    found = grids.read_grid(tmp_path, "pod")
    np.testing.assert_array_equal(found.values, _grid(dtype).values)
    assert (found.values.dtype, found.frame) == (dtype, FRAME)
    assert grids.grid_frame(tmp_path, "pod") == FRAME


def test_truth_values_become_zero_and_one(tmp_path):
    """GeoTIFF has no boolean."""
    grids.write_grid(tmp_path, "seen", Grid(_grid(np.int16).values > 9, FRAME))
    assert set(np.unique(grids.read_grid(tmp_path, "seen").values)) == {0, 1}


def test_a_window_is_the_same_part_of_the_whole(tmp_path):
    """Also across the edges of the 256-cell tiles."""
    grids.write_grid(tmp_path, "hazard_2026-03", _grid(np.int32))
    window = FRAME.window(200, 250, 100, 300)
    part = grids.read_grid(tmp_path, "hazard_2026-03", window)
    np.testing.assert_array_equal(part.values, _grid(np.int32).values[200:300, 250:550])
    assert part.frame == window


def test_values_at_places_are_those_of_their_cells(tmp_path):
    """Beyond the raster and without a place: nothing, as in a void."""
    grids.write_grid(tmp_path, "elevation", _grid(np.float32))
    rng = np.random.default_rng(3)
    east = np.append(rng.uniform(FRAME.west_m - 500, FRAME.west_m + 6900, 300), np.nan)
    north = np.append(rng.uniform(FRAME.north_m - 4300, FRAME.north_m + 500, 300), np.nan)
    inside = np.append(FRAME.holds(east[:-1], north[:-1]), False)
    wanted = np.full(301, np.nan)
    wanted[inside] = _grid(np.float32).values[FRAME.cells(east[inside], north[inside])]
    np.testing.assert_array_equal(grids.grid_at(tmp_path, "elevation", east, north), wanted)
    assert 100 < inside.sum() < 300


@pytest.mark.parametrize(("west", "rows"), [(5.0, 10), (0.0, 385), (-10.0, 10)])
def test_a_window_off_the_cells_or_the_grid_is_refused(tmp_path, west, rows):
    """Half a cell aside, too tall, one cell too far west."""
    grids.write_grid(tmp_path, "pod", _grid(np.uint8))
    window = Frame(FRAME.west_m + west, FRAME.north_m, 10.0, rows, 10, FRAME.crs)
    with pytest.raises(GridMismatch):
        grids.read_grid(tmp_path, "pod", window)


def test_a_missing_or_misnamed_grid_is_refused(tmp_path):
    """No name leads out of the folder."""
    assert not grids.has_grid(tmp_path, "pod")
    for name in ("pod", "../county", ""):
        with pytest.raises(StoreError, match="grid_missing"):
            grids.read_grid(tmp_path, name)


def test_a_damaged_grid_is_refused_in_words(tmp_path):
    """A file cut short is our error, not the library's."""
    grids.write_grid(tmp_path, "pod", _grid(np.int32))
    file = tmp_path / "grids" / "pod.tif"
    file.write_bytes(file.read_bytes()[:400])
    with pytest.raises(StoreError, match="grid_unreadable"):
        grids.read_grid(tmp_path, "pod")


def test_a_write_that_fails_leaves_the_old_grid_and_no_debris(tmp_path):
    """complex256 is no GeoTIFF type: the write fails halfway."""
    grids.write_grid(tmp_path, "pod", _grid(np.uint8))
    with pytest.raises(Exception, match="complex256"):
        grids.write_grid(tmp_path, "pod", Grid(np.zeros(FRAME.shape, np.complex256), FRAME))
    np.testing.assert_array_equal(grids.read_grid(tmp_path, "pod").values, _grid(np.uint8).values)
    assert [file.name for file in (tmp_path / "grids").iterdir()] == ["pod.tif"]
