"""Frames, their cells, and grids that refuse each other."""

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GridMismatch
from geo.grid import Frame, Grid, county_frame

CRS = pyproj.CRS.from_epsg(4544)
FRAME = Frame(1000.0, 2000.0, 10.0, 30, 40, CRS)


def test_a_cell_centre_lies_in_its_own_cell() -> None:
    """Centres and cells are inverse."""
    row, col = np.indices(FRAME.shape)
    again_row, again_col = FRAME.cells(*FRAME.centres(row, col))
    assert (again_row == row).all()
    assert (again_col == col).all()


def test_the_frame_holds_its_corner_but_not_the_far_one() -> None:
    """Half-open to the east and south."""
    assert FRAME.holds([1000.0, 1400.0, 999.9], [2000.0, 2000.0, 2000.0]).tolist() == [True, False, False]


def test_a_window_is_cut_at_the_edges() -> None:
    """A window that starts outside keeps only what lies inside."""
    cut = FRAME.window(-5, 35, 10, 20)
    assert (cut.west_m, cut.north_m, cut.shape) == (1350.0, 2000.0, (5, 5))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1.0, 9e4), st.floats(1.0, 9e4))
def test_a_county_frame_holds_the_county_and_its_margin_on_whole_tiles(
    west: float, south: float, wide: float, high: float
) -> None:
    """Origin on a multiple of 1,280 m, at least 1,000 m around."""
    frame = county_frame((west, south, west + wide, south + high), CRS)
    assert frame.west_m % 1280.0 == 0.0
    assert frame.north_m % 1280.0 == 0.0
    left, bottom, right, top = frame.bounds
    assert left <= west - 1000 + 1e-6
    assert bottom <= south - 1000 + 1e-6
    assert right >= west + wide + 1000 - 1e-6
    assert top >= south + high + 1000 - 1e-6


def test_grids_of_other_places_do_not_combine() -> None:
    """Another frame or another shape raises."""
    one = Grid(np.zeros(FRAME.shape), FRAME)
    moved = Frame(1010.0, 2000.0, 10.0, 30, 40, CRS)
    with pytest.raises(GridMismatch):
        one.require_same_frame(Grid(np.zeros(FRAME.shape), moved))
    with pytest.raises(GridMismatch):
        Grid(np.zeros((3, 3)), FRAME)
