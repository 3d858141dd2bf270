"""Which stretches of a recorded track count as walked and searching."""

import numpy as np
import pandas as pd
import pytest

from geo.analysis.pieces import walked_pieces
from geo.settings import DetectionSettings

SETTINGS = DetectionSettings()
SEARCH = 1.0 / 3.6


def fixes(east, seconds, *, north=None, track=None, part=None):
    """A fixes table of one walk along a line."""
    n = len(east)
    return pd.DataFrame(
        {
            "track": np.zeros(n, np.int64) if track is None else track,
            "part": np.zeros(n, np.int64) if part is None else part,
            "easting_m": np.asarray(east, float),
            "northing_m": np.zeros(n) if north is None else north,
            "elevation_m": np.nan,
            "seconds": np.asarray(seconds, float),
        }
    )


FOOT = np.array([True, True])


def test_a_slow_walk_counts_in_full():
    """Ten steps of 10 m at search speed: 100 m with factor 1, and the middle time of each."""
    walk = walked_pieces(fixes(np.arange(11) * 10.0, np.arange(11) * 36.0), FOOT, SETTINGS)
    assert walk.lengths().sum() == pytest.approx(100.0)
    assert walk.factor == pytest.approx(np.ones(10))
    assert walk.seconds[0] == 18.0


@pytest.mark.parametrize(("kmh", "factor"), [(0.5, 1.0), (2.0, 0.5), (4.0, 0.25), (4.2, 0.0), (30.0, 0.0)])
def test_hazard_falls_with_sustained_speed_and_vanishes_above_the_top(kmh, factor):
    """min(1, search / v), 0 above 4 km/h."""
    seconds = np.arange(60) * 10.0
    walk = walked_pieces(fixes(seconds * kmh / 3.6, seconds), FOOT, SETTINGS)
    assert walk.factor == pytest.approx(np.full(len(walk), factor), rel=1e-9)


def test_one_fast_second_does_not_make_a_ride():
    """A 9 m slip within a minute of slow walking is judged by the minute's mean, not by its own 32 km/h."""
    seconds = np.concatenate([np.arange(0, 600, 20.0), [581.0], np.arange(600, 1200, 20.0)])
    east = np.concatenate([np.arange(30) * 5.6, [29 * 5.6 + 9.0], np.arange(30) * 5.6 + 30 * 5.6 + 9.0])
    walk = walked_pieces(fixes(east, seconds), FOOT, SETTINGS)
    assert walk.factor.min() > 0.3


def test_standing_still_adds_nothing():
    """An hour of 2 m jitter around a point gives no piece at all."""
    rng = np.random.default_rng(3)
    jitter = rng.uniform(-1.5, 1.5, (2, 360))
    walk = walked_pieces(fixes(jitter[0], np.arange(360) * 10.0, north=jitter[1]), FOOT, SETTINGS)
    assert len(walk) == 0


@pytest.mark.parametrize(
    ("east", "seconds"),
    [
        ([0, 10, 20, 30, 40], [0, 36, 72, 372, 408]),
        ([0, 10, 20, 200, 210], [0, 36, 72, 108, 144]),
        ([0, 10, 20, 30, 40], [0, 36, 72, 60, 96]),
        ([0, 10, 20, 30, 40], [0, 36, 72, np.nan, 144]),
    ],
)
def test_gaps_jumps_and_backward_time_break_the_line(east, seconds):
    """Nobody knows where the walker went: the stretch is left out, those around it stay."""
    walk = walked_pieces(fixes(east, seconds), FOOT, SETTINGS)
    assert (walk.easting0_m[:2] == [0, 10]).all()
    assert not np.any((walk.easting0_m == 20) & (walk.easting1_m > 20))


def test_rides_and_other_parts_are_never_joined():
    """Track 1 is a vehicle; the two parts of track 0 lie 10 m apart and stay apart."""
    east, seconds = np.arange(8) * 10.0, np.arange(8) * 36.0
    table = fixes(east, seconds, track=np.repeat([0, 0, 1, 1], 2), part=np.repeat([0, 1, 2, 3], 2))
    walk = walked_pieces(table, np.array([True, False]), SETTINGS)
    assert walk.track.tolist() == [0, 0]
    assert walk.easting0_m.tolist() == [0.0, 20.0]


def test_light_scales_the_hazard_by_its_square_and_darkness_by_a_torch():
    steps = (np.arange(11) * 10.0, np.arange(11) * 36.0)
    day, dusk = (walked_pieces(fixes(*steps), FOOT, SETTINGS, light=light) for light in (None, lambda s: 0.0 * s + 0.6))
    assert dusk.factor == pytest.approx(0.36 * day.factor)
    entered = walked_pieces(fixes(*steps), FOOT, SETTINGS, entered=np.ones(1, bool))
    assert entered.entered.all()
    assert not day.entered.any()


def test_no_fixes_give_no_pieces():
    """An empty table and a single fix are no walk."""
    assert len(walked_pieces(fixes([], []), FOOT, SETTINGS)) == 0
    assert len(walked_pieces(fixes([1.0], [0.0]), FOOT, SETTINGS)) == 0
