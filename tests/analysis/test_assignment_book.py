"""States of assignments, and hours of searching by zone and day."""

import numpy as np
import pyproj
import pytest

from geo.analysis.assignment_book import searched_hours, state_of
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.segments import State


@pytest.mark.parametrize(
    ("share", "as_of", "withdrawn", "state"),
    [
        (0.0, "2026-03-09", False, State.SCHEDULED),
        (0.1, "2026-03-10", False, State.PART_DONE),
        (0.79, "2026-03-11", False, State.OVERDUE),
        (0.8, "2026-03-11", False, State.DONE),
        (1.0, "2026-03-01", True, State.WITHDRAWN),
    ],
)
def test_a_state_follows_from_the_work_and_the_day(share, as_of, withdrawn, state):
    assert state_of(share, "2026-03-10", as_of, done_share=0.8, withdrawn=withdrawn) is state


def test_hours_count_where_and_when_they_were_walked_and_fast_walking_counts_less():
    """2 km at search speed are 2 h; 1 km at half hazard .5 h; a ride 0. 16:00 UTC is the next day in China."""
    frame = Frame(0.0, 3000.0, 1000.0, 3, 3, pyproj.CRS.from_epsg(4544))
    zones = Grid(np.array([[1, 2, 0], [1, 2, 0], [1, 2, 0]]), frame)
    noon, evening = 4 * 3600.0, 16 * 3600.0
    pieces = Pieces(
        np.zeros(5, int),
        np.array([100.0, 500, 1500, 1500, 2500]),
        np.array([500.0, 0, 0, 500, 0]),
        np.array([100.0, 500, 1500, 1500, 2500]),
        np.array([1500.0, 1000, 1000, 1500, 1000]),
        np.array([1.0, 1, 0.5, 0, 1]),
        np.array([noon, noon, evening, noon, noon]),
    )
    rows = searched_hours(pieces, zones, search_speed_kmh=1.0)
    held = {(int(r.zone), int(r.day)): r.hours for r in rows.itertuples()}
    assert held == {(1, 0): pytest.approx(2.0), (2, 0): 0.0, (2, 1): pytest.approx(0.5)}
