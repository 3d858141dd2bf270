"""A day's plan: kept, replaced, exported."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo.errors import StoreError
from geo.workspace.county import open_county
from geo.workspace.planning import accept_plan, export_routes, kept_routes, plan_day

NOW = datetime(2026, 5, 21, tzinfo=UTC)
DAY, ONE, TWO = "2026-05-21", ["529901001"], ["529901002"]


def test_a_second_plan_of_the_day_takes_the_place_of_the_first(demo_copy: Path) -> None:
    """The longer first plan leaves no stop behind, and a plan without a route leaves no route."""
    county = open_county(demo_copy)
    long, short = (plan_day(county, day=DAY, township_ids=ONE, hours=h) for h in (None, 3.0))
    assert len(long.stops) > len(short.stops)
    for made in (long, short):
        accept_plan(county, made, now=NOW)
        routes, stops = kept_routes(county)
        assert list(routes["route_id"]) == list(made.routes["route_id"])
        assert sorted(stops["stop_id"]) == sorted(made.stops["stop_id"])
        assert sorted(stops["name"]) == sorted(made.stops["name"])
    accept_plan(county, plan_day(county, day=DAY, township_ids=ONE, hours=0.0), now=NOW)
    routes, stops = kept_routes(county)
    assert (len(routes), len(stops)) == (0, 0)
    with pytest.raises(StoreError, match="routes_missing"):
        export_routes(county, "gpx")


def test_other_days_and_other_teams_keep_their_routes(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    for day, where in ((DAY, ONE), (DAY, TWO), ("2026-05-22", ONE)):
        accept_plan(county, plan_day(county, day=day, township_ids=where), now=NOW)
    assert len(kept_routes(county)[0]) == 3
    today, stops = kept_routes(county, day=DAY)
    assert sorted(today["township_id"]) == ONE + TWO
    assert set(stops["route_id"]) == set(today["route_id"])
    assert len(export_routes(county, "gpx", day="2026-05-22")) == 2
    assert county.store.verify().ok


def test_the_seed_decides_the_plan(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    plans = [plan_day(county, day=DAY, township_ids=["529901003"], seed=seed) for seed in (7, 7, 8, 9, 10)]
    assert plans[0].stops.equals(plans[1].stops)
    assert len({tuple(plan.stops["target_id"].fillna("")) for plan in plans}) > 1
    assert all((plan.hours_used <= plan.budget_h).all() for plan in plans)


def test_an_unknown_township_is_named(demo_copy: Path) -> None:
    with pytest.raises(StoreError, match="township_unknown: value=9"):
        plan_day(open_county(demo_copy), day=DAY, township_ids=["9"])
