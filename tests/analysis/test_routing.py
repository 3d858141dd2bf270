"""Route search: answers found by hand and by brute force, and promises every plan must keep."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from geo.analysis import additive, best_routes, routing


def plane_problem(rng, stops=8, teams=1, budget=2.0, views=None):
    """Stops and bases in the unit square; walking at speed 1, some of it uphill (directed)."""
    place, base = rng.random((stops, 2)), rng.random((teams, 2))

    def walk(a, b):
        away = a[:, None, :] - b[None, :, :]
        return np.hypot(away[..., 0], away[..., 1]) * (1 + 0.2 * (away[..., 0] > 0))

    return routing.Problem(
        out=walk(base, place),
        back=walk(place, base),
        leg=walk(place, place),
        service=np.full(stops, 0.1),
        budget=np.full(teams, budget),
        views=views or routing.separate_views(rng.random(stops)),
        must=np.zeros(stops, bool),
        allowed=np.ones((teams, stops), bool),
    )


def shared_views(rng, stops, cells=40):
    """Each stop sees a random third of the cells."""
    seen = [np.flatnonzero(rng.random(cells) < 0.33) for _ in range(stops)]
    first = np.r_[0, np.cumsum([len(s) for s in seen])].astype(np.int64)
    flat = np.concatenate(seen).astype(np.int64)
    return routing.Views(first, flat, rng.uniform(0.2, 1.0, len(flat)), rng.random(cells))


def best_by_hand(problem):
    """The best value of one team's day, by trying every ordered choice."""
    n = len(problem.service)
    feasible = (
        order
        for size in range(n + 1)
        for order in permutations(range(n), size)
        if routing.seconds_of(problem, 0, order) <= problem.budget[0]
    )
    return max(routing.value_of(problem.views, order) for order in feasible)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("overlapping", [False, True])
def test_the_search_finds_the_best_day_that_trying_everything_finds(seed, overlapping):
    rng = np.random.default_rng(seed)
    views = shared_views(rng, 6) if overlapping else None
    problem = plane_problem(rng, stops=6, budget=1.8, views=views)
    found = routing.solve(problem, np.random.default_rng(seed), iterations=300)
    assert found.value == pytest.approx(best_by_hand(problem))


@pytest.mark.parametrize("seed", range(6))
def test_no_team_is_away_longer_than_its_budget_and_no_stop_is_walked_twice(seed):
    rng = np.random.default_rng(seed)
    problem = plane_problem(rng, stops=40, teams=3, views=shared_views(rng, 40))
    found = routing.solve(problem, rng, iterations=200)
    stops = [stop for route in found.routes for stop in route]
    assert len(stops) == len(set(stops)) > 0
    for team, route in enumerate(found.routes):
        assert routing.seconds_of(problem, team, route) <= problem.budget[team]


@pytest.mark.parametrize("seed", range(6))
def test_a_plan_never_beats_its_bounds(seed):
    rng = np.random.default_rng(seed)
    problem = plane_problem(rng, stops=25, teams=2, budget=1.5, views=shared_views(rng, 25) if seed % 2 else None)
    value = routing.solve(problem, rng, iterations=200).value
    assert 0 < value <= routing.tighter_bound(problem) + 1e-9 <= routing.bound(problem) + 2e-9


def test_the_bound_fills_the_hours_by_yield_per_hour():
    """Hours 3; stops of 2 h worth 6, 1 h worth 2, 2 h worth 1: 6 + 2 and nothing left for the third."""
    problem = routing.Problem(
        out=np.zeros((1, 3)), back=np.zeros((3, 1)), leg=np.zeros((3, 3)),
        service=np.array([2.0, 2.0, 1.0]), budget=np.array([3.5]),
        views=routing.separate_views([6.0, 1.0, 2.0]), must=np.zeros(3, bool), allowed=np.ones((1, 3), bool),
    )  # fmt: skip
    assert routing.bound(problem) == pytest.approx(6 + 2 + 0.25)


def test_the_same_seed_gives_the_same_routes():
    problem = plane_problem(np.random.default_rng(1), stops=40, teams=3)
    one, other = (routing.solve(problem, np.random.default_rng(5), iterations=200) for _ in range(2))
    assert one == other


def test_two_stops_that_see_the_same_ground_are_not_paid_twice():
    """Stops 0 and 1 see one cell worth 3, stop 2 another worth 2; there is time for two: 3 + 2, not 3 + 3."""
    problem = routing.Problem(
        out=np.full((1, 3), 1.0), back=np.full((3, 1), 1.0), leg=np.ones((3, 3)),
        service=np.zeros(3), budget=np.array([3.5]),
        views=routing.Views(np.arange(4), np.array([0, 0, 1]), np.ones(3), np.array([3.0, 2.0])),
        must=np.zeros(3, bool), allowed=np.ones((1, 3), bool),
    )  # fmt: skip
    found = routing.solve(problem, np.random.default_rng(0), iterations=100)
    assert found.value == 5.0
    assert 2 in found.routes[0]


def test_a_must_visit_comes_before_richer_ground_and_one_out_of_reach_is_left():
    problem = plane_problem(np.random.default_rng(2), stops=30, budget=1.2)
    poor = np.zeros(30, bool)
    poor[np.argsort(problem.out[0])[3]] = True
    out = problem.out.copy()
    out[0, np.argsort(problem.out[0])[4]] = np.inf
    poor[np.argsort(problem.out[0])[4]] = True
    views = routing.separate_views(np.where(poor, 0.0, problem.views.mass))
    asked = routing.Problem(
        out, problem.back, problem.leg, problem.service, problem.budget, views, poor, np.isfinite(out)
    )
    found = routing.solve(asked, np.random.default_rng(0), iterations=200)
    assert set(found.routes[0]) & set(np.flatnonzero(poor)) == {np.argsort(problem.out[0])[3]}


def test_gains_add_up_to_the_value():
    rng = np.random.default_rng(4)
    problem = plane_problem(rng, stops=12, views=shared_views(rng, 12))
    assert sum(routing.gains(problem, (3, 1, 7))) == pytest.approx(routing.value_of(problem.views, [3, 1, 7]))


def test_progress_reaches_one_and_a_cancelled_search_stops():
    problem = plane_problem(np.random.default_rng(1), stops=20)
    heard = []
    routing.solve(problem, np.random.default_rng(0), iterations=350, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)
    with pytest.raises(routing.Cancelled):
        routing.solve(problem, np.random.default_rng(0), cancelled=lambda: True)


def test_a_day_without_stops_is_an_empty_plan():
    problem = plane_problem(np.random.default_rng(1), stops=0, teams=2)
    assert routing.solve(problem, np.random.default_rng(0)).routes == ((), ())
    assert routing.bound(problem) == routing.tighter_bound(problem) == 0.0


def with_hours(rng, problem, days=1):
    """The problem with hours for half of its stops, its teams at work on several days of ten seconds."""
    teams, stops = problem.out.shape
    opens = np.where(rng.random(stops) < 0.5, rng.uniform(0.0, 1.0, stops) + 10.0 * rng.integers(days, size=stops), 0.0)
    closes = np.where(opens > 0.0, opens + rng.uniform(0.1, 0.8, stops), np.inf)
    return replace(
        problem,
        out=np.tile(problem.out, (days, 1)),
        back=np.tile(problem.back, (1, days)),
        budget=np.tile(problem.budget, days),
        allowed=np.tile(problem.allowed, (days, 1)),
        opens=opens,
        closes=closes,
        sets_out=np.repeat(10.0 * np.arange(days), teams),
    )


def arrivals(problem, team, route):
    """The second at which the service of each stop begins, added up by hand."""
    now, begun = problem.sets_out[team], []
    for before, stop in zip((None, *route[:-1]), route, strict=True):
        now += problem.out[team, stop] if before is None else problem.leg[before, stop]
        now = max(now, problem.opens[stop])
        begun.append(now)
        now += problem.service[stop]
    return begun, now + problem.back[route[-1], team] - problem.sets_out[team]


@pytest.mark.parametrize("seed", range(6))
def test_with_hours_of_their_own_the_best_day_is_found_too(seed):
    rng = np.random.default_rng(seed)
    problem = with_hours(rng, plane_problem(rng, stops=6, budget=2.2))
    found = routing.solve(problem, np.random.default_rng(seed), iterations=6000)
    assert found.value == pytest.approx(best_by_hand(problem))


@pytest.mark.parametrize("search", ["own", "additive", "both"])
@pytest.mark.parametrize("seed", range(4))
def test_nobody_comes_too_late_and_early_comers_wait_within_their_hours(seed, search):
    rng = np.random.default_rng(seed)
    problem = with_hours(rng, plane_problem(rng, stops=30, teams=2), days=3)
    turns = iter(range(300))
    found = {
        "own": lambda: routing.solve(problem, rng, iterations=300),
        "additive": lambda: additive.solve(problem, seed=seed, stop=lambda _: next(turns) >= 200),
        "both": lambda: best_routes.solve(problem, rng, iterations=800),
    }[search]()
    stops = [stop for route in found.routes for stop in route]
    assert len(stops) == len(set(stops)) > 5
    assert np.isfinite(problem.closes[stops]).any()
    for team, route in enumerate(found.routes):
        if route:
            begun, away = arrivals(problem, team, route)
            assert (np.array(begun) <= problem.closes[list(route)] + 1e-6).all()
            assert found.seconds[team] == pytest.approx(away)
            assert away <= problem.budget[team] + 1e-9


def test_hours_nobody_can_keep_leave_the_stop_out_and_wide_ones_change_nothing():
    rng = np.random.default_rng(3)
    plain = plane_problem(rng, stops=12, teams=2)
    shut = replace(plain, closes=np.where(np.arange(12) == 4, -1.0, np.inf))
    assert 4 not in [stop for route in routing.solve(shut, rng, iterations=300).routes for stop in route]
    wide = replace(plain, opens=np.zeros(12), closes=np.full(12, 1e6))
    one, two = (best_routes.solve(each, np.random.default_rng(1), iterations=2000) for each in (plain, wide))
    assert two.value >= 0.97 * one.value
