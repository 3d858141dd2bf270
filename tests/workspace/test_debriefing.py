"""The debrief of a day on the demo county: the team's own track against its route."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo.analysis.debrief import Fate
from geo.errors import StoreError
from geo.season import CHINA
from geo.workspace.county import open_county
from geo.workspace.debriefing import debrief_day, shown_shares
from geo.workspace.planning import accept_plan, plan_day

NOW = datetime(2026, 5, 21, tzinfo=UTC)


def test_the_fates_of_a_day_add_up_and_name_their_tracks(demo_copy: Path) -> None:
    """A day on which the township's team was out elsewhere in its township."""
    county = open_county(demo_copy)
    tracks = county.store.read("tracks")
    mine = tracks[(tracks["mode"] == "foot") & (tracks["township_id"] == "529901003")]
    day = str(mine["started_at"].iloc[0].astimezone(CHINA).date())
    accept_plan(county, plan_day(county, day=day, township_ids=["529901003"]), now=NOW)
    (row,) = debrief_day(county, day=day)
    shares = [row[name] for name in row if name.endswith("_share")]
    assert sum(shares) == pytest.approx(1.0)
    assert sum(row[f"{fate.value}_n"] for fate in Fate) == row["planned_n"]
    whole = {"<1%": 0, ">99%": 100}
    assert sum(whole[one] if one in whole else int(one[:-1]) for one in shown_shares(row).values()) == 100
    assert row["planned_ha"] > 1.0
    assert row["own_tracks_n"] <= row["tracks_n"]


def test_a_day_without_tracks_was_not_walked(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    accept_plan(county, plan_day(county, day="2026-05-30", township_ids=["529901003"]), now=NOW)
    (row,) = debrief_day(county, day="2026-05-30")
    assert (row["tracks_n"], row["not_walked_share"]) == (0, 1.0)


def test_a_day_without_routes_says_so(demo_copy: Path) -> None:
    with pytest.raises(StoreError, match="routes_missing"):
        debrief_day(open_county(demo_copy), day="2026-01-01")
