"""Periods and growth stages."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.rounds import due_windows, season_rounds
from geo.season import CHINA, Season, Stage
from geo.settings import CalendarSettings, CampaignSettings


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


def test_a_calendar_of_the_settings_moves_stages_and_months() -> None:
    given = CalendarSettings(("11-05", "02-20", "04-01"), days_per_100_m=4.0, first_month=11, last_month=4)
    season = Season(2026, given.starts, given.days_per_100_m, first_month=11, last_month=4)
    assert season.stage_start_days().tolist() == [-57.0, 50.0, 90.0]
    assert season.months[0] == (2025, 11)
    assert season.stage_of([-60, 40, 50, 57, 58], [1000.0, 1000.0, 1000.0, 1200.0, 1200.0]).tolist() == [0, 0, 1, 0, 1]
    rounds = season_rounds(season, CampaignSettings())
    assert [one.start.date().isoformat() for one in rounds] == ["2025-11-05", "2026-02-20", "2026-04-01"]
    own = season_rounds(season, CampaignSettings(round_dates=("11-10~12-31", "01-05~03-01")))
    assert [one.start.date().isoformat() for one in own] == ["2025-11-10", "2026-01-05"]
    starts, _ = due_windows(rounds[1], np.array([1500.0]), season)
    assert starts[0].tz_convert(CHINA).date().isoformat() == "2026-03-12"


@pytest.mark.parametrize("bad", [{"stage_starts": ("1 Jan", "03-11", "04-21")}, {"first_month": 13}])
def test_an_impossible_calendar_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="calendar"):
        CalendarSettings(**bad)


def test_stages_that_do_not_follow_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="one after the other"):
        Season(2026, ((3, 1), (2, 1), (4, 1)))
