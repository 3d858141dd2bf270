"""
Routes for several teams that find most within their hours.

The value is the true one: over cells, mass times 1 - product(1 - pod) of the stops that see the cell, so that two
stops which see the same ground are not paid twice. Found by large-neighbourhood search: take out a stretch, a
neighbourhood or a random few stops; put in the best marginal gain per extra second, with a random exponent; shorten
by 2-opt; accept by annealing. Stopped by iterations, never by the clock: one seed, one answer.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels_routing as kernels

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[float], None]

MUST_FACTOR = 1e3
"""A must-visit is worth this many times everything else together; it is a large prize, never a constraint."""
_CHUNK = 100


@dataclass(frozen=True)
class Views:
    """
    What each stop sees, in compressed rows: stop i sees `cells[first[i]:first[i+1]]` with chance `pod[...]` each.

    `mass` (cells,) is the expected number of finds in each cell.
    """

    first: Integers
    cells: Integers
    pod: Floats
    mass: Floats


@dataclass(frozen=True)
class Problem:
    """
    One day's choice.

    Parameters
    ----------
    out, back, leg
        Seconds from each team's base to each stop (teams, stops), from stop to base (stops, teams), and from stop to
        stop (stops, stops); infinite where there is no way.
    service
        Seconds at each stop, (stops,).
    budget
        Seconds each team may be away, (teams,), the way back included.
    views
        What the stops see.
    must
        Stops that come before all others, (stops,).
    allowed
        Whether a team may take a stop, (teams, stops).
    """

    out: Floats
    back: Floats
    leg: Floats
    service: Floats
    budget: Floats
    views: Views
    must: npt.NDArray[np.bool_]
    allowed: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Solution:
    """Stops by team in walking order, expected finds, and seconds away by team."""

    routes: tuple[tuple[int, ...], ...]
    value: float
    seconds: tuple[float, ...]


class Cancelled(Exception):
    """The caller asked the search to stop."""


def separate_views(mass: npt.ArrayLike, pod: npt.ArrayLike = 1.0) -> Views:
    """Views of stops that share no ground: each sees one cell of its own."""
    weight = np.asarray(mass, float)
    n = len(weight)
    return Views(np.arange(n + 1), np.arange(n), np.broadcast_to(np.asarray(pod, float), (n,)).copy(), weight)


def seconds_of(problem: Problem, team: int, route: tuple[int, ...]) -> float:
    """Seconds of a team's day, leg by leg, base to base."""
    if not route:
        return 0.0
    walked = problem.out[team, route[0]] + problem.back[route[-1], team]
    walked += sum(problem.leg[a, b] for a, b in pairwise(route))
    return float(walked + problem.service[list(route)].sum())


def value_of(views: Views, stops: Iterable[int]) -> float:
    """
    Expected finds of a set of stops: mass seen by at least one of them.

    >>> shared = Views(np.array([0, 1, 2]), np.array([0, 0]), np.array([0.5, 0.5]), np.array([4.0]))
    >>> value_of(shared, [0]), value_of(shared, [0, 1])
    (2.0, 3.0)
    """
    miss = np.ones(len(views.mass))
    for stop in stops:
        seen = slice(views.first[stop], views.first[stop + 1])
        np.multiply.at(miss, views.cells[seen], 1.0 - views.pod[seen])
    return float((views.mass * (1.0 - miss)).sum())


def gains(problem: Problem, route: tuple[int, ...], already: tuple[int, ...] = ()) -> list[float]:
    """What each stop of a route adds to those before it (and to `already`)."""
    values = [value_of(problem.views, [*already, *route[:i]]) for i in range(len(route) + 1)]
    return [max(0.0, after - before) for before, after in pairwise(values)]


def solve(
    problem: Problem,
    rng: np.random.Generator,
    *,
    iterations: int = 1500,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution:
    """
    Routes for every team.

    Must-visits are planned first on their own; the second search starts from that plan and keeps the best it ever
    saw, so never fewer of them are met. Raises `Cancelled` when `cancelled` answers true.
    """
    teams, stops = problem.out.shape
    plan = np.zeros((teams, max(stops, 1)), np.int64), np.zeros(teams, np.int64)
    must = problem.must & (problem.allowed & np.isfinite(problem.out)).any(axis=0)
    stages = [(_only(problem, must), max(100, iterations // 4))] if must.any() else []
    stages.append((problem, iterations))
    total = sum(turns for _, turns in stages)
    done = 0
    for stage, turns in stages:
        for best, step in _anneal(stage, plan, rng, turns):
            plan, done = best, done + step
            if progress is not None:
                progress(done / total)
            if cancelled is not None and cancelled():
                raise Cancelled
    routes = tuple(tuple(int(stop) for stop in plan[0][team, : plan[1][team]]) for team in range(teams))
    seconds = tuple(seconds_of(problem, team, route) for team, route in enumerate(routes))
    return Solution(routes, value_of(problem.views, [stop for route in routes for stop in route]), seconds)


def bound(problem: Problem) -> float:
    """
    More than this no plan can find: the stops' prizes filled into the teams' hours by yield per service second,
    the last one in part, without any walking (a relaxation; science of search calls it the no-travel allocation).
    """
    return _fill(problem, problem.service)


def tighter_bound(problem: Problem) -> float:
    """The same with each stop also charged the shortest leg that leads to it: still more than any plan finds."""
    if not len(problem.service):
        return 0.0
    leg = problem.leg + np.where(np.eye(len(problem.leg), dtype=bool), np.inf, 0.0)
    nearest = np.minimum(leg.min(axis=0), problem.out.min(axis=0))
    return _fill(problem, problem.service + np.where(np.isfinite(nearest), nearest, 0.0))


def _fill(problem: Problem, cost: Floats) -> float:
    views = problem.views
    prize = np.array([value_of(views, [stop]) for stop in range(len(cost))])
    prize[~(problem.allowed & np.isfinite(problem.out)).any(axis=0)] = 0.0
    order = np.argsort(-prize / np.maximum(cost, 1e-9), kind="stable")
    left = float(problem.budget.sum()) - np.r_[0.0, np.cumsum(cost[order])[:-1]] if len(cost) else np.zeros(0)
    share = np.clip(left / np.maximum(cost[order], 1e-9), 0.0, 1.0)
    return float(min((prize[order] * share).sum(), views.mass.sum()))


def _only(problem: Problem, stops: npt.NDArray[np.bool_]) -> Problem:
    return replace(problem, allowed=problem.allowed & stops[None, :])


def _anneal(
    problem: Problem, plan: tuple[Integers, Integers], rng: np.random.Generator, turns: int
) -> Iterator[tuple[tuple[Integers, Integers], int]]:
    """Best plan so far and turns done, after every chunk of turns; starts from `plan`."""
    views = problem.views
    prize = max(value_of(views, range(len(problem.service))), 1e-12)
    bonus = np.where(problem.must, MUST_FACTOR * prize, 0.0)
    per_second = 1e-7 * prize / max(float(problem.budget.sum()), 1.0)
    cooling = 1e-3 ** (1.0 / turns)
    warmth = 0.01 * prize
    current, best = (plan[0].copy(), plan[1].copy()), (plan[0].copy(), plan[1].copy())
    fixed = (
        problem.allowed, problem.out, problem.leg, problem.back, problem.service, problem.budget,
        views.first, views.cells, views.pod, views.mass, bonus, per_second,
    )  # fmt: skip
    for done in range(0, turns, _CHUNK):
        step = min(_CHUNK, turns - done)
        kernels.search(*current, *best, step, warmth, cooling, *fixed, rng)
        warmth *= cooling**step
        yield (best[0].copy(), best[1].copy()), step
