"""Two searches behind one door: PyVRP's answers are checked like any other, and the better one is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import orienteering
from geo.analysis import additive, best_routes, routing


def plane(seed, stops=25, teams=2, budget=1.6):
    """Stops and bases in the unit square, walked at speed 1; each stop has a prize of its own."""
    rng = np.random.default_rng(seed)
    place, base = rng.random((stops, 2)), rng.random((teams, 2))

    def away(a, b):
        return np.hypot(*(a[:, None, :] - b[None, :, :]).transpose(2, 0, 1))

    return routing.Problem(
        out=away(base, place),
        back=away(place, base),
        leg=away(place, place),
        service=np.full(stops, 0.05),
        budget=np.full(teams, budget),
        views=routing.separate_views(rng.random(stops)),
        must=np.zeros(stops, bool),
        allowed=np.ones((teams, stops), bool),
    )


def turns(n):
    left = iter(range(n))
    return lambda _: next(left, None) is None


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_pyvrp_gives_routes_within_every_budget_or_none(seed):
    problem = plane(seed)
    found = additive.solve(problem, seed=seed, stop=turns(60))
    assert found is not None
    stops = [stop for route in found.routes for stop in route]
    assert 0 < len(stops) == len(set(stops))
    assert all(routing.seconds_of(problem, team, route) <= 1.6 for team, route in enumerate(found.routes))
    assert found.value == pytest.approx(sum(problem.views.mass[stops]))


def test_a_must_visit_no_team_can_reach_does_not_spoil_the_rest():
    problem = plane(3)
    out = problem.out.copy()
    out[:, 0] = np.inf
    must = np.arange(25) < 2
    asked = replace(problem, out=out, must=must, allowed=np.isfinite(out))
    found = additive.solve(asked, seed=1, stop=turns(200))
    assert found is not None
    assert 1 in {stop for route in found.routes for stop in route}
    assert 0 not in {stop for route in found.routes for stop in route}


@pytest.mark.parametrize("seed", range(3))
def test_the_door_gives_no_less_than_either_search_and_the_same_again(seed):
    problem = plane(seed)
    one, again = (best_routes.solve(problem, np.random.default_rng(seed), iterations=2000) for _ in range(2))
    alone = additive.solve(problem, seed=seed, stop=turns(30))
    assert one == again
    assert one.value >= alone.value - 1e-12


def test_where_stops_share_ground_true_detection_decides():
    """Stops 0 and 1 see one cell worth 3, stop 2 another worth 2; time for two. Alone, each of 0 and 1 looks best."""
    problem = routing.Problem(
        out=np.ones((1, 3)), back=np.ones((3, 1)), leg=np.ones((3, 3)), service=np.zeros(3), budget=np.array([3.5]),
        views=routing.Views(np.arange(4), np.array([0, 0, 1]), np.ones(3), np.array([3.0, 2.0])),
        must=np.zeros(3, bool), allowed=np.ones((1, 3), bool),
    )  # fmt: skip
    assert best_routes.solve(problem, np.random.default_rng(0), iterations=400).value == 5.0


def test_a_day_without_stops_is_an_empty_plan():
    problem = plane(1, stops=0)
    assert best_routes.solve(problem, np.random.default_rng(0)).routes == ((), ())


def test_the_benchmark_recounts_score_and_length_from_the_file():
    """A 3-4-5 triangle: out 3, across 4, home 5; the same stop twice or a longer way is not fair."""
    points = [(0.0, 0.0, 0.0), (3.0, 0.0, 7.0), (3.0, 4.0, 2.0), (0.0, 0.0, 0.0)]
    assert orienteering.checked(((0, 1), ()), 12.0, points) == (9.0, 12.0, True)
    assert orienteering.checked(((0, 1), (1,)), 12.0, points)[2] is False
    assert orienteering.checked(((0, 1), ()), 11.9, points)[2] is False


def test_the_benchmark_reads_the_standard_text_and_refuses_a_short_file():
    text = "n 3\nm 2\ntmax 4.5\n0 0 0\n1.5\t2\t9\n0 1 0\n"
    assert orienteering.read(text) == (2, 4.5, [(0.0, 0.0, 0.0), (1.5, 2.0, 9.0), (0.0, 1.0, 0.0)])
    with pytest.raises(SystemExit, match="4 points announced, 3 found"):
        orienteering.read(text.replace("n 3", "n 4"))


@pytest.mark.real
def test_published_instances_are_solved_within_three_percent(real_data: Path) -> None:
    for name, reference in (("p5.3.n", 755), ("p6.3.l", 1002), ("p7.2.t", 1179)):
        teams, longest, points = orienteering.read((real_data / "routing" / f"{name}.txt").read_text())
        problem = orienteering.problem_of(teams, longest, points)
        found = best_routes.solve(problem, np.random.default_rng(1), iterations=8000)
        assert orienteering.checked(found.routes, longest, points)[2]
        assert 0.97 * reference <= found.value <= reference
