"""A day's plan: kept, replaced, exported."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo.errors import StoreError
from geo.workspace.arranging import arrange_day, too_long
from geo.workspace.county import open_county
from geo.workspace.planning import (
    accept_plan,
    export_routes,
    kept_routes,
    plan_clashes,
    plan_day,
    seen_until,
    special_teams,
)
from geo.workspace.preparing import gather, request_for

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


def test_two_plans_of_one_day_are_both_kept_and_shown_until_somebody_decides(demo_copy: Path) -> None:
    """Planned side by side: the first stands, the second waits beside it; accepted again with both seen, it stands."""
    county = open_county(demo_copy)
    seen = seen_until(county)
    first, second = (plan_day(county, day=DAY, township_ids=ONE, hours=hours) for hours in (None, 3.0))
    elsewhere = plan_day(county, day=DAY, township_ids=TWO)
    assert accept_plan(county, first, now=NOW, based_on=seen) is None
    assert accept_plan(county, elsewhere, now=NOW, based_on=seen) is None
    clash = accept_plan(county, second, now=NOW, based_on=seen)
    assert clash is not None
    assert plan_clashes(county) == [clash]
    assert [county.store.entries(seq - 1)[0].body["expected"] for seq in clash["contradicts"]] == [first.expected]
    assert clash["orders"].keys() == set(second.routes["team_id"])
    stands = kept_routes(county)[0].set_index("route_id")
    assert stands["expected_finds"].sum() == pytest.approx(first.expected + elsewhere.expected)
    assert accept_plan(county, second, now=NOW, based_on=clash["seq"]) is None
    assert plan_clashes(county) == []
    assert kept_routes(county)[0]["expected_finds"].sum() == pytest.approx(second.expected + elsewhere.expected)
    assert county.store.verify().ok


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


def test_a_leaders_order_is_timed_again_and_a_day_that_is_too_long_is_told(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    plan = plan_day(county, day=DAY, township_ids=ONE)
    team = str(plan.routes["team_id"].iloc[0])
    stops = plan.stops["target_id"].dropna().tolist()
    same = arrange_day(county, {team: stops}, day=DAY)
    assert same.hours_used[team] == pytest.approx(plan.hours_used[team])
    assert too_long(same) == {}
    turned = arrange_day(county, {team: stops[::-1]}, day=DAY, hours=1.0)
    assert set(too_long(turned)) == {team}
    for wrong in ({"nobody": stops}, {team: ["nothing"]}, {team: stops[:1] * 2}):
        with pytest.raises(StoreError, match="arrange_bad"):
            arrange_day(county, wrong, day=DAY)


def test_rechecks_are_must_visits_and_courtyards_are_offered(demo_copy: Path) -> None:
    """What is offered besides: later looks that are due, and courtyards nobody entered, never paid too much."""
    county = open_county(demo_copy)
    rests = gather(county)
    assert (rests.in_yards > 0).all()
    assert ((rests.present + rests.in_yards) <= 1.0).all()
    own = str(rests.yards["township_id"].iloc[0])
    number = list(county.store.read("townships")["township_id"]).index(own)
    request = request_for(county, rests, own, special_teams(county, [own]), day=DAY)
    kinds = request.targets.groupby("kind")["must"].all()
    yards = request.targets[request.targets["kind"] == "courtyard"]
    assert len(yards)
    assert yards["mass"].sum() <= rests.in_yards[number] + 1e-9
    assert request.views.mass[-len(yards) :] == pytest.approx(yards["mass"].to_numpy())
    assert not kinds["courtyard"]
    due = set(rests.rechecks.loc[rests.rechecks["township_id"] == own, "parcel_id"])
    listed = request.targets[request.targets["kind"] == "recheck"]
    assert set(listed["target_id"]) <= due
    assert listed["must"].all()


def test_nobody_is_planned_to_walk_in_the_dark(demo_copy: Path) -> None:
    """In January the light from half past eight lasts nine hours: a day of twelve is cut."""
    county = open_county(demo_copy)
    request = request_for(county, gather(county), ONE[0], special_teams(county, ONE), day="2026-01-10", hours=12.0)
    assert 8.0 < request.hours < 9.5
