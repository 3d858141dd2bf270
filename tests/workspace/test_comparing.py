"""Two plans of a day side by side, and what a leader asks for or forbids."""

from pathlib import Path

import pytest

from geo.workspace.comparing import Case, compare_days
from geo.workspace.county import open_county
from geo.workspace.planning import kept_routes, plan_day

DAY, WHERE = "2026-04-12", ["529901003"]


def test_more_teams_and_longer_days_offer_more_hours_and_find_no_less(demo_copy: Path) -> None:
    """One team of 7 h, then two of 8 h: 5.95 h after the reserve against 13.6 h."""
    county = open_county(demo_copy)
    both = compare_days(county, day=DAY, other=Case(hours=8.0, extra_teams=1), township_ids=WHERE)
    assert (both.here["teams_n"], both.other["teams_n"]) == (1, 2)
    assert both.here["hours_offered"] == pytest.approx(5.95)
    assert both.other["hours_offered"] == pytest.approx(13.6)
    assert both.other["expected"] > both.here["expected"] > 0
    gained = both.other["expected"] - both.here["expected"]
    assert both.finds_per_extra_hour == pytest.approx(gained / 7.65)
    assert kept_routes(county)[0].empty


def test_the_same_case_twice_differs_in_nothing(demo_copy: Path) -> None:
    both = compare_days(open_county(demo_copy), day=DAY, other=Case(), township_ids=WHERE)
    assert both.here == both.other
    assert both.finds_per_extra_hour is None


def test_what_a_leader_pins_is_walked_and_what_he_forbids_is_not(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    plan = plan_day(county, day=DAY, township_ids=WHERE)
    walked = plan.stops["target_id"].dropna().tolist()
    other = plan_day(county, day=DAY, township_ids=WHERE, forbidden=walked[:2])
    assert not set(walked[:2]) & set(other.stops["target_id"].dropna())
    left = sorted(set(other.stops["target_id"].dropna()) - set(walked))[0]
    pinned = plan_day(county, day=DAY, township_ids=WHERE, pinned=[left])
    assert left in set(pinned.stops["target_id"])
    assert (pinned.hours_used <= pinned.budget_h).all()
