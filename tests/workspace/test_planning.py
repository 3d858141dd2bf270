"""A day's plan: kept, replaced, exported."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import StoreError
from geo.layers.parcels import OPEN
from geo.ledger import Entry, Linked
from geo.patrol import Plan
from geo.store import Change, Store
from geo.workspace.arranging import arrange_day, too_long
from geo.workspace.county import open_county
from geo.workspace.planning import (
    accept_plan,
    export_routes,
    following,
    kept_routes,
    plan_clashes,
    plan_day,
    plan_days,
    seen_until,
    special_teams,
)
from geo.workspace.preparing import gather, request_for

NOW = datetime(2026, 5, 21, tzinfo=UTC)
DAY, ONE, TWO = "2026-04-12", ["529901001"], ["529901002"]


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


def test_plans_accepted_in_the_same_moment_clash_too(demo_copy: Path) -> None:
    """Another's plan comes between the look at the ledger and the writing: the store refuses, and the look is anew."""
    county, other = open_county(demo_copy), open_county(demo_copy)
    first, second = (plan_day(county, day=DAY, township_ids=ONE, hours=hours) for hours in (None, 3.0))
    seen = seen_until(county)

    def come_between() -> None:
        assert accept_plan(other, first, now=NOW, based_on=seen) is None

    raced = replace(county, store=Hesitant(county.store, come_between))
    clash = accept_plan(raced, second, now=NOW, based_on=seen)
    assert clash is not None
    assert plan_clashes(county) == [clash]
    assert kept_routes(county)[0]["expected_finds"].sum() == pytest.approx(first.expected)
    third = plan_day(county, day=DAY, township_ids=ONE, hours=2.0)
    seen = seen_until(county)
    raced = replace(
        county,
        store=Hesitant(county.store, lambda: accept_plan(other, second, now=NOW, based_on=clash["seq"]) and None),
    )
    assert accept_plan(raced, third, now=NOW, based_on=seen) is not None
    assert kept_routes(county)[0]["expected_finds"].sum() == pytest.approx(second.expected)
    assert county.store.verify().ok


class Hesitant:
    """A county's store, before whose first writing somebody else writes."""

    def __init__(self, store: Store, others: Callable[[], None]) -> None:
        self.store, self.others = store, [others]

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        if self.others:
            self.others.pop()()
        return self.store.append(entry, *changes, now=now)


def test_other_days_and_other_teams_keep_their_routes(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    for day, where in ((DAY, ONE), (DAY, TWO), ("2026-04-13", ONE)):
        accept_plan(county, plan_day(county, day=day, township_ids=where), now=NOW)
    assert len(kept_routes(county)[0]) == 3
    today, stops = kept_routes(county, day=DAY)
    assert sorted(today["township_id"]) == ONE + TWO
    assert set(stops["route_id"]) == set(today["route_id"])
    assert len(export_routes(county, "gpx", day="2026-04-13")) == 2
    assert county.store.verify().ok


def test_no_more_teams_go_than_are_asked_for_the_nearest_first(demo_copy: Path) -> None:
    """Of two townships' teams the one nearest to the drawn area goes; what is due in the other is told, not lost."""
    county = open_county(demo_copy)
    able = special_teams(county, ONE + TWO)
    assert able["township_id"].nunique() == 2
    for wanted in able.itertuples():
        corners = shapely.box(*shapely.buffer(shapely.Point(wanted.easting_m, wanted.northing_m), 300).bounds)
        area = gpd.GeoSeries([corners], crs=county.crs).to_crs(4326)[0].exterior.coords
        plan = plan_day(county, day=DAY, township_ids=ONE + TWO, teams_most=1, hours=2.0, area=[xy[:2] for xy in area])
        gone = able[able["team_id"].isin(plan.hours_used.index)]
        assert list(gone["township_id"]) == [wanted.township_id]
        inside = county.store.read("parcels", list(plan.unmet.loc[plan.unmet["reason"] == "stays_in", "target_id"]))
        assert wanted.township_id not in set(inside["township_id"])
        assert "no_team" not in set(plan.unmet["reason"])
    assert len(plan_day(county, day=DAY, township_ids=ONE + TWO, teams_most=99, hours=0.0).hours_used) == len(able)


def test_the_seed_decides_the_plan(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    plans = [plan_day(county, day="2026-05-21", township_ids=["529901003"], seed=seed) for seed in (7, 7, 8, 9, 10)]
    assert plans[0].stops.equals(plans[1].stops)
    assert len({tuple(plan.stops["target_id"].fillna("")) for plan in plans}) > 1
    assert all((plan.hours_used <= plan.budget_h).all() for plan in plans)


def test_a_pin_with_hours_is_reached_within_them_and_one_nobody_can_keep_is_named(demo_copy: Path) -> None:
    """Teams set out at half past eight: 12:00 to 12:20 is 12,600 to 13,800 seconds later."""
    county = open_county(demo_copy)
    plain = plan_day(county, day=DAY, township_ids=ONE)
    first = plain.stops[plain.stops["kind"] == "parcel"].iloc[0]
    assert first["arrive_s"] < 12_600
    name = str(first["target_id"])
    late = plan_day(county, day=DAY, township_ids=ONE, pinned=[f"{name}@12:00-12:20"])
    then = late.stops.set_index("target_id")["arrive_s"]
    assert 12_600 <= then[name] <= 13_800
    assert (late.hours_used <= late.budget_h).all()
    hours = late.routes[["walked_s", "service_s"]].sum(axis=1).to_numpy() / 3600.0
    assert hours == pytest.approx(late.hours_used.to_numpy())
    shut = plan_day(county, day=DAY, township_ids=ONE, pinned=[f"{name}@08:31-08:32"])
    told = shut.unmet.set_index("target_id")
    assert (bool(told.loc[name, "must"]), told.loc[name, "reason"]) == (True, "window")


@pytest.mark.parametrize(
    ("pin", "code"), [("P9", "pin_unknown"), ("P9@9-10", "pin_hours_bad"), ("P9@10:00-09:00", "pin_hours_bad")]
)
def test_a_pin_that_is_none_is_named(demo_copy: Path, pin: str, code: str) -> None:
    with pytest.raises(StoreError, match=f"{code}: value=P9"):
        plan_day(open_county(demo_copy), day=DAY, township_ids=ONE, pinned=[pin])


def test_an_unknown_township_is_named(demo_copy: Path) -> None:
    with pytest.raises(StoreError, match="township_unknown: value=9"):
        plan_day(open_county(demo_copy), day=DAY, township_ids=["9"])


def test_a_team_is_led_to_the_flagged_plot_itself(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    plan = plan_day(county, day=DAY, township_ids=ONE)
    stops = plan.stops[plan.stops["kind"] == "parcel"]
    flagged = county.store.read("parcels").set_index("parcel_id").loc[stops["target_id"]]
    place = shapely.point_on_surface(flagged.geometry.to_numpy())
    assert len(stops) > 0
    assert shapely.distance(stops.geometry.to_numpy(), place).max() < 1.0
    assert shapely.distance(plan.routes.geometry.iloc[0], place).max() < 1.0


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
    wrong = {"arrange_team: value=nobody": {"nobody": stops}, "arrange_unknown: value=nothing": {team: ["nothing"]}}
    for told, orders in (wrong | {f"arrange_twice: value={stops[0]}": {team: stops[:1] * 2}}).items():
        with pytest.raises(StoreError, match=told):
            arrange_day(county, orders, day=DAY)


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


def test_days_planned_together_visit_nothing_twice_and_keep_deadlines(demo_copy: Path) -> None:
    """A plot due on the first day is walked on it; nothing is walked on both days."""
    county = open_county(demo_copy)
    days = following(DAY, 2)
    one = plan_day(county, day=DAY, township_ids=ONE)
    last = [str(name) for name in one.stops.loc[one.stops["kind"] == "parcel", "target_id"]][-1]
    parcels = county.store.read("parcels", [last])
    due = parcels.assign(deadline=pd.Timestamp(f"{DAY}T09:00:00Z"))
    county.store.append(Entry("parcel"), Change("parcels", due, replace=True, before=parcels), now=NOW)
    plans = plan_days(county, days=days, township_ids=ONE)
    stops = [list(plan.stops["target_id"].dropna()) for plan in plans]
    assert len(set(stops[0] + stops[1])) == len(stops[0]) + len(stops[1])
    assert last in stops[0]
    assert min(map(len, stops)) > 0
    assert [set(plan.routes["day"]) for plan in plans] == [{days[0]}, {days[1]}]
    assert sum(plan.expected for plan in plans) > one.expected
    assert all((plan.hours_used <= plan.budget_h).all() for plan in plans)
    gains = [float(plan.stops["gain"].sum()) for plan in plans]
    assert gains == pytest.approx([plan.expected for plan in plans])


def test_what_is_overdue_comes_on_the_first_of_several_days(demo_copy: Path) -> None:
    """What one day's plan meets of it is not put off because three days find a little more."""
    county = open_county(demo_copy)
    parcels = county.store.read("parcels")
    late = parcels.assign(deadline=pd.Timestamp("2026-03-01T09:00:00Z"), status="flagged", reason=None)
    county.store.append(Entry("parcel"), Change("parcels", late, replace=True, before=parcels), now=NOW)

    def flagged(plan: Plan) -> set[str]:
        return set(plan.stops.loc[plan.stops["kind"] == "parcel", "target_id"])

    alone = plan_day(county, day=DAY, township_ids=ONE)
    plans = plan_days(county, days=following(DAY, 3), township_ids=ONE)
    assert len(flagged(alone)) > 1
    assert flagged(plans[0]) == flagged(alone)
    assert all((plan.hours_used <= plan.budget_h).all() for plan in plans)


def test_the_first_of_several_days_finds_most(demo_copy: Path) -> None:
    """Who loses the last day to rain has lost the least, unless something is overdue: that comes first."""
    county = open_county(demo_copy)
    parcels = county.store.read("parcels")
    later = parcels.assign(deadline=pd.Timestamp("2026-06-30T09:00:00Z"))
    county.store.append(Entry("parcel"), Change("parcels", later, replace=True, before=parcels), now=NOW)
    found = [plan.expected for plan in plan_days(county, days=following(DAY, 3), township_ids=TWO)]
    assert found == sorted(found, reverse=True)


def test_a_visit_to_a_flagged_plot_finds_as_on_ground_walked_over(demo_copy: Path) -> None:
    """Its suspicion times the availability, in whatever cover it stands, and the little its surroundings add."""
    county = open_county(demo_copy)
    availability = county.settings.detection.availability
    stops = plan_day(county, day=DAY, township_ids=ONE).stops
    plots = stops[stops["kind"] == "parcel"].set_index("target_id")["gain"]
    suspicion = county.store.read("parcels").set_index("parcel_id")["suspicion"].reindex(plots.index).astype(float)
    extra = plots - availability * suspicion.fillna(county.settings.planning.unjudged_suspicion)
    assert len(plots)
    assert extra.between(-1e-9, 0.05).all()


def test_due_plots_of_a_township_nobody_starts_from_are_named(demo_copy: Path) -> None:
    """Whole or by name, a county hears of every due plot: on a route, or left out with the reason."""
    county = open_county(demo_copy)
    teams = county.store.read("teams")
    gone = teams[(teams["township_id"] == ONE[0]) & (teams["kind"] == "专班")]
    moved = gone.assign(kind="村组")
    county.store.append(Entry("correction", {}), Change("teams", moved, replace=True), now=NOW)
    parcels = county.store.read("parcels")
    outline = county.store.read("townships").set_index("township_id").geometry[ONE[0]]
    due = parcels[parcels["status"].isin([str(one) for one in OPEN])]
    mine = set(due.loc[due.geometry.representative_point().within(outline), "parcel_id"])
    unmet = plan_day(county, day=DAY, township_ids=[*ONE, *TWO]).unmet.set_index("target_id")
    assert mine
    assert set(unmet.index[unmet["reason"] == "no_team"]) == mine
    assert unmet.loc[sorted(mine), "must"].all()
    assert not set(plan_day(county, day=DAY, township_ids=TWO).unmet["target_id"]) & mine


def test_an_order_for_a_day_outside_the_season_is_refused(measured_demo: Path) -> None:
    with pytest.raises(StoreError, match="day_outside"):
        arrange_day(open_county(measured_demo), {"529901001-T01": ["DEMO-2026-0006"]}, day="2027-05-21")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"day": "2026-06-01"}, "day_outside"),
        ({"day": "2025-12-31"}, "day_outside"),
        ({"day": DAY, "forbidden": ["NOPE"]}, "forbid_unknown"),
        ({"day": DAY, "pinned": ["NOPE"]}, "pin_unknown"),
    ],
)
def test_what_is_not_on_offer_is_refused(measured_demo: Path, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(StoreError, match=code):
        plan_day(open_county(measured_demo), township_ids=ONE, **asked)
