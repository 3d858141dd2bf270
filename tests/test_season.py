"""Periods and growth stages."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.season import Season, Stage


def test_periods_turn_at_midnight_in_china() -> None:
    """16:00 UTC on 31 January is 1 February in China."""
    times = pd.Series(pd.to_datetime(["2026-01-31T15:59:59Z", "2026-01-31T16:00:00Z", "2026-05-31T15:59:59Z"]))
    assert Season(2026).period_of(times).tolist() == [0, 1, 4]


def test_a_season_may_begin_in_november() -> None:
    """November and December belong to the year before."""
    season = Season(2026, first_month=11)
    assert season.months[0] == (2025, 11)
    assert len(season.months) == 7
    assert season.period_of(pd.Series(pd.to_datetime(["2025-11-02T00:00Z"]))).tolist() == [0]


def test_stages_start_on_the_stated_days_at_1000_m() -> None:
    """1 January, 11 March, 21 April."""
    assert Season(2026).stage_start_days().tolist() == [0.0, 69.0, 110.0]
    assert Season(2026).stage_of([0, 69, 110], 1000.0).tolist() == [Stage.SEEDLING, Stage.FLOWER, Stage.CAPSULE]


@given(st.floats(0, 150), st.floats(500, 2500), st.floats(0, 1000))
def test_higher_ground_is_never_ahead(day: float, height: float, more: float) -> None:
    """Stages climb the mountain."""
    season = Season(2026)
    assert season.stage_of(day, height + more) <= season.stage_of(day, height)


def test_days_count_from_new_year_in_china() -> None:
    """16:00 UTC on 31 December is day 0."""
    assert Season(2026).day_of(datetime(2025, 12, 31, 16, tzinfo=UTC)) == 0.0
    assert np.isclose(Season(2026).day_of(datetime(2026, 1, 1, 4, tzinfo=UTC)), 0.5)


def test_a_season_needs_three_stages() -> None:
    """A table of two stages is refused."""
    with pytest.raises(ValueError, match="3 stage starts"):
        Season(2026, stage_starts=((1, 1), (3, 11)))
