"""Other plans of like worth: hours, budgets and must-visits kept, the stated share never undercut."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import routing, variety
from tests.analysis.test_routing import plane_problem, shared_views


def met(problem, solution):
    return sum(int(problem.must[list(route)].sum()) for route in solution.routes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.0, 0.03, 0.2]))
def test_what_a_plan_promises_is_kept_whatever_the_seed(seed, timed, share):
    rng = np.random.default_rng(seed)
    problem = plane_problem(rng, stops=14, teams=3, budget=1.2, views=shared_views(rng, 14))
    problem = replace(problem, must=rng.random(14) < 0.3, allowed=rng.random((3, 14)) < 0.8)
    if timed:
        problem = replace(problem, opens=rng.uniform(-1, 0.8, 14), closes=rng.uniform(0.4, 2, 14))
    found = routing.solve(problem, rng, iterations=200)
    other = variety.another(problem, found, np.random.default_rng(seed + 1), share)
    stops = [stop for route in other.routes for stop in route]
    assert len(set(stops)) == len(stops)
    assert all(problem.allowed[team, stop] for team, route in enumerate(other.routes) for stop in route)
    assert all(seconds <= 1.2 for seconds in other.seconds)
    assert met(problem, other) >= met(problem, found)
    assert other.value >= (1.0 - share) * found.value - 1e-9


def test_without_a_share_to_lose_the_plan_stays():
    problem = plane_problem(np.random.default_rng(3), teams=2)
    found = routing.solve(problem, np.random.default_rng(3), iterations=200)
    assert variety.another(problem, found, np.random.default_rng(4), 0.0) == found


@pytest.mark.parametrize("seed", range(4))
def test_a_plot_of_great_suspicion_pays_for_no_ground_left_out(seed):
    """Stop 0 must be visited and is worth a hundred times the others together."""
    rng = np.random.default_rng(seed)
    worth = np.r_[600.0, rng.random(11)]
    problem = replace(
        plane_problem(rng, stops=12, budget=1.6, views=routing.separate_views(worth)), must=np.arange(12) == 0
    )
    found = routing.solve(problem, rng, iterations=300)
    other = variety.another(problem, found, np.random.default_rng(seed), 0.05)
    assert other.value - 600.0 >= 0.95 * (found.value - 600.0)


@pytest.mark.parametrize("seed", range(3))
def test_time_that_is_left_is_filled_with_what_finds_most(seed):
    """A plan of one stop out of ten with hours to spare does not come back as one."""
    problem = plane_problem(np.random.default_rng(seed), stops=10, budget=9.0)
    poor = routing.solution(problem, ((0,),))
    assert sorted(variety.another(problem, poor, np.random.default_rng(seed), 0.5).routes[0]) == list(range(10))
