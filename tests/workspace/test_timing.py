"""Detection by stage, since a date and faded: on the demo county, against the season's own figures."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from geo.analysis.ageing import NEVER, Fading
from geo.store import grids
from geo.workspace.county import open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.timing import FIGURES, measure_timing

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def test_every_stage_alone_gives_no_more_than_the_season(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    answer = measure_timing(county)
    table = answer.townships
    assert list(table.columns) == list(FIGURES)
    for stage in ("seedling", "flower", "capsule"):
        assert (table[stage] <= table["season"] + 1e-6).all()
    assert table["flower"].max() > 0.0
    assert table["season"].tolist() == measure_coverage(county).townships["detection"].astype(float).tolist()


def test_since_the_first_day_it_is_all_looks_as_one_period(demo_copy: Path) -> None:
    """No stage alone exceeds it, unfaded looks equal it, and nothing lies beyond availability."""
    table = measure_timing(open_county(demo_copy), since=BEGIN).townships
    assert table["faded"].tolist() == pytest.approx(table["since"].tolist(), abs=1e-5)
    for stage in ("seedling", "flower", "capsule"):
        assert (table[stage] <= table["since"] + 1e-6).all()
    assert table["since"].max() < 0.85


def test_fading_and_later_dates_only_take_away(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    whole = measure_timing(county, since=BEGIN).townships
    halved = measure_timing(county, fading=Fading(half_life_days=20.0)).townships
    ended = measure_timing(county, fading=Fading(ends_with_stage=True)).townships
    for less in (halved["faded"], ended["faded"], halved["since"]):
        assert (less <= whole["faded"] + 1e-6).all()
        assert less.sum() < whole["faded"].sum()
    assert (halved["unseen_since"] >= whole["unseen_since"] - 1e-9).all()


def test_the_map_gets_the_grids_and_the_last_day_is_the_last_walk(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    table = measure_timing(county).townships
    last = grids.read_grid(county.path, "last_seen").values
    since = grids.read_grid(county.path, "seen_since").values
    assert set(np.unique(last[last > NEVER]).tolist()) <= set(range(151))
    assert since.max() <= 0.85 + 1e-6
    days = [f"{day:%Y-%m-%d}" for day in county.store.read("tracks")["started_at"].dt.tz_convert("Asia/Shanghai")]
    assert set(table["last_day"].dropna()) <= set(days)
