"""
Another plan of like worth by another seed, so that growers cannot learn where teams go, when, and which way round.

From a good plan a random walk is taken among all plans that keep every budget and hour, meet as many must-visits and
find at most a stated share less, at must-visits and on all other ground each: spans are walked backwards, teams
exchange their days, stops are moved to another team or hour, optional ones replaced by others. What time is then left
is filled again.
"""

from typing import Any

import numpy as np

from geo.analysis import _kernels_variety as kernels
from geo.analysis import routing

TURNS_PER_STOP = 400
"""Turns of the walk for each stop in the plan; four times as many made plans no more different (small demo county)."""


def another(
    problem: routing.Problem, found: routing.Solution, rng: np.random.Generator, share: float
) -> routing.Solution:
    """
    A plan drawn by `rng` that meets as many must-visits as `found` and finds at most `share` less.

    Cells that only must-visits see and all others keep their share each: a plot's suspicion pays for no sweep left out.

    Where a day has no room (must-visits fill it to the minute) little can change but the direction and the team.
    """
    teams, stops = problem.out.shape
    held_n = sum(len(route) for route in found.routes)
    if share <= 0.0 or not held_n:
        return found
    routes, lengths = np.zeros((teams, stops), np.int64), np.array([len(route) for route in found.routes], np.int64)
    for team, route in enumerate(found.routes):
        routes[team, : len(route)] = route
    allowed, cost, base, _, budget = routing.ways(problem)
    _, *clock = routing.hours_of(problem)
    first, cells, pod, *seers, mass = routing.sights(problem.views, stops)
    fixed = allowed, cost, base, budget, *clock, first, cells, *seers
    open_cell = np.zeros(len(mass), bool)
    open_cell[cells[np.repeat(~problem.must, np.diff(first))]] = True
    worth = mass, ~open_cell
    told: tuple[Any, ...] = (*worth, routing.bonuses(problem), rng)
    kernels.roam(routes, lengths, TURNS_PER_STOP * held_n, share, *fixed, *told)
    rest: tuple[Any, ...] = (*fixed, pod, *worth, rng)
    kernels.fill(routes, lengths, *rest)
    return routing.solution(problem, tuple(tuple(int(one) for one in routes[t, :n]) for t, n in enumerate(lengths)))
