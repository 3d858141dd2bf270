"""Looks by the day: stages shift with height, old looks fade by halves or end with the stage, sums stay whole."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.ageing import NEVER, Fading, ages_of, looks_by_day, pod_of_nats
from geo.analysis.coverage import accumulate
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season, Stage
from geo.settings import DetectionSettings

SEASON, SETTINGS, DAY_S = Season(2026), DetectionSettings(), 86400.0
NEW_YEAR = 1767196800.0  # midnight of 1 January 2026 in China
N = 40
FRAME = Frame(512000.0, 2945280.0, 10.0, N, N, pyproj.CRS(4544))


def ground(height=1000.0, right=None):
    """Level open ground; the right half at another height, beyond a void column that hides nothing."""
    z = np.full((N, N), height)
    if right is not None:
        z[:, N // 2 :] = right
    return Terrain(Grid(z.astype(np.float32), FRAME), Grid(np.full((N, N), Cover.OPEN, np.uint8), FRAME), 10.0)


def walks(*days, south=200.0):
    """One straight walk across the middle on each day, at noon, tracks numbered in order."""
    n = len(days)
    return Pieces(
        np.arange(n),
        np.full(n, 512010.0),
        np.full(n, 2945280.0 - south),
        np.full(n, 512390.0),
        np.full(n, 2945280.0 - south),
        np.ones(n),
        NEW_YEAR + (np.asarray(days, float) + 0.5) * DAY_S,
    )


def ages(pieces, terrain=None, *, today=120.0, since=0.0, fading=None, seen=0.1):
    kind = {"today": today, "since_day": since, "fading": fading or Fading(), "seen_pod": seen}
    return ages_of(pieces, terrain or ground(), SEASON, SETTINGS, **kind)


def hazard(pieces, terrain=None):
    out = Grid(np.zeros((N, N), np.int32), FRAME)
    accumulate(out, pieces, terrain or ground(), SEASON, SETTINGS)
    return out.values


@settings(max_examples=10)
@given(days=st.lists(st.integers(0, 150), min_size=1, max_size=6))
def test_stages_and_days_add_up_to_the_whole_bit_for_bit(days):
    """Every look falls into one stage and one day; nothing is counted twice or lost."""
    pieces = walks(*days)
    whole = hazard(pieces)
    assert (ages(pieces).stages.sum(axis=0) == whole).all()
    assert sum(int(local.values.sum()) for _, local in looks_by_day(pieces, ground(), SEASON, SETTINGS)) == whole.sum()
    assert (ages(pieces).since == whole).all()


def test_days_come_in_order_whatever_the_order_of_the_tracks():
    pieces = walks(90, 10, 40, 10)
    assert [day for day, _ in looks_by_day(pieces, ground(), SEASON, SETTINGS)] == [10, 40, 90]


def test_the_same_look_is_in_flower_below_and_in_seedling_300_metres_higher():
    """11 March is day 69 at 1,000 m; nine days later at 1,300 m. On day 72 both stages stand side by side."""
    got = ages(walks(72), ground(1000.0, right=1300.0)).stages
    assert got[Stage.FLOWER][:, : N // 2].any()
    assert not got[Stage.SEEDLING][:, : N // 2].any()
    assert got[Stage.SEEDLING][:, N // 2 :].any()
    assert not got[Stage.FLOWER][:, N // 2 :].any()


def test_since_a_date_only_later_looks_count_and_its_own_day_does():
    got = ages(walks(50, 80, 100), since=80.4)
    assert (got.since == hazard(walks(80)) + hazard(walks(100))).all()
    assert not ages(walks(50), since=51.0).since.any()


def test_a_half_life_halves_the_hazard_each_time_it_passes():
    """Looks 0, 14 and 28 days old on day 120, half-life 14: 1 + 1/2 + 1/4 of equal hazards."""
    got = ages(walks(92, 106, 120), today=120.9, fading=Fading(half_life_days=14.0)).faded
    each = [hazard(walks(day)) / 65536.0 for day in (120, 106, 92)]
    assert got == pytest.approx(each[0] + each[1] / 2 + each[2] / 4, rel=1e-5)


def test_without_fading_old_looks_keep_their_worth():
    pieces = walks(5, 60, 118)
    assert ages(pieces).faded == pytest.approx(hazard(pieces) / 65536.0, rel=1e-5)


def test_a_look_that_ends_with_its_stage_counts_until_the_day_the_next_begins():
    """Flower begins on day 69 and capsule on day 110 at 1,000 m."""
    until = Fading(ends_with_stage=True)
    looked = walks(68, 69)
    for today, counted in ((68.5, walks(68)), (69.5, walks(69)), (109.9, walks(69)), (110.0, None)):
        past = looked.take(np.array([68, 69]) <= today)
        want = hazard(counted) / 65536.0 if counted is not None else np.zeros((N, N))
        assert ages(past, today=today, fading=until).faded == pytest.approx(want, rel=1e-5)


def test_the_last_day_is_that_of_the_last_real_look():
    """On the line both days count; 140 m away neither reaches a tenth; where nobody was it is never."""
    got = ages(walks(30, 75)).last_day
    assert got[20, 20] == 75
    assert got[6, 20] == NEVER
    assert ages(walks(30)).last_day.max() == 30


@settings(max_examples=20)
@given(older=st.floats(0.0, 100.0), more=st.floats(0.0, 100.0), half=st.floats(1.0, 60.0))
def test_a_look_never_gains_with_age(older, more, half):
    assert Fading(half).weight(older + more) <= Fading(half).weight(older) <= 1.0


def test_pod_of_nats_saturates_at_availability():
    assert pod_of_nats(np.array([50.0], np.float32), 0.85)[0] == pytest.approx(0.85)


def test_a_negative_half_life_is_refused():
    with pytest.raises(ValueError, match="half_life_days"):
        Fading(-1.0)
