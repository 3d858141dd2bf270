"""States of assignments, and hours of searching by zone and day."""

import numpy as np
import pandas as pd
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.assignment_book import searched_hours, shared_hours, state_of
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


def work(*rows):
    names = ["zone", "first", "last", "day", "day_to", "hours", "withdrawn"]
    return pd.DataFrame(rows, columns=names)


def test_walking_counts_for_the_day_it_was_planned_for_then_for_what_is_late_then_for_what_comes():
    """Days 3 and 6 of one segment, six hours each: day 3 is walked in part, day 6 makes up for it, day 8 is extra."""
    days = work((1, 0, 9, 3, 3, 6.0, False), (1, 0, 9, 6, 6, 6.0, False))
    walked = pd.DataFrame({"zone": 1, "day": [3, 6, 8], "hours": [4.0, 7.0, 5.0]})
    assert shared_hours(walked.iloc[:1], days).tolist() == [4.0, 0.0]
    assert shared_hours(walked.iloc[:2], days).tolist() == [5.0, 6.0]
    assert shared_hours(walked, days).tolist() == [10.0, 6.0]


def test_hours_outside_every_window_count_for_nobody_and_withdrawn_work_comes_last():
    rows = work((1, 0, 9, 3, 3, 6.0, True), (1, 5, 9, 6, 6, 6.0, False), (2, 0, 9, 3, 3, 6.0, False))
    walked = pd.DataFrame({"zone": 1, "day": [3, 6, 12], "hours": [2.0, 9.0, 4.0]})
    assert shared_hours(walked, rows).tolist() == [5.0, 6.0, 0.0]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_no_hour_is_counted_twice_or_lost_while_somebody_may_have_it(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (int(rng.integers(1, 3)), 0, 20, int(d), int(d) + 2, 5.0, bool(rng.random() < 0.3)) for d in range(0, 20, 3)
    ]
    walked = pd.DataFrame({"zone": rng.integers(1, 3, 12), "day": rng.integers(0, 21, 12), "hours": rng.random(12) * 6})
    held = walked[walked["zone"].isin({row[0] for row in rows})]
    assert shared_hours(walked, work(*rows)).sum() == pytest.approx(held["hours"].sum())
