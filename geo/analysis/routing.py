"""
Routes for several teams that find most within their hours.

The value is the true one: over cells, mass times 1 - product(1 - pod) of the stops that see the cell, so that two
stops which see the same ground are not paid twice. Found by large-neighbourhood search: take out a stretch, a
neighbourhood or a random few stops; put in the best marginal gain per extra second, with a random exponent; shorten
by 2-opt and moved stretches; accept by annealing. Stopped by iterations, never by the clock: one seed, one answer.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels_routing as kernels

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[float], None]

MUST_FACTOR = 1e3
"""A must-visit is worth this many times everything else together; it is a large prize, never a constraint."""
URGENT_SHARE = 0.01
"""The most urgent must-visit is worth so much more than one without haste: of equally many, the urgent ones are met."""
WARM, COLD = 0.02, 0.1
"""First temperature as a share of all prizes together, and the last one as a share of the first."""
HURRY = 0.03
"""While searching, the whole budget of hours costs this share of all prizes: shorter plans lead to richer ones."""
MOST_OUT = 20
"""At most so many stops are taken out in one turn."""
NEAREST = 60
LATE_S = 1e-6
"""So much later than a stop's last second still counts as in time: the same sums, added in another order."""
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
    urgency
        Of equally many must-visits the more urgent are met, 0 to 1, (stops,); None: all alike.
    allowed
        Whether a team may take a stop, (teams, stops).
    opens, closes
        When the service at a stop may begin, first and last second, (stops,); who comes early waits. None: any time.
    sets_out
        The second each team sets out, (teams,), on the clock of `opens` and `closes`; None: all at 0. A team that works
        on several days stands here once for each of them.
    """

    out: Floats
    back: Floats
    leg: Floats
    service: Floats
    budget: Floats
    views: Views
    must: npt.NDArray[np.bool_]
    allowed: npt.NDArray[np.bool_]
    urgency: Floats | None = None
    opens: Floats | None = None
    closes: Floats | None = None
    sets_out: Floats | None = None

    @property
    def timed(self) -> bool:
        """Whether any stop has hours of its own."""
        _, opens, closes = self.clock
        return bool(np.isfinite(opens).any() or np.isfinite(closes).any())

    @property
    def clock(self) -> tuple[Floats, Floats, Floats]:
        """`sets_out`, `opens` and `closes`, filled in where there are none."""
        teams, stops = self.out.shape
        start = np.zeros(teams) if self.sets_out is None else np.asarray(self.sets_out, float)
        opens = np.full(stops, -np.inf) if self.opens is None else np.asarray(self.opens, float)
        return start, opens, np.full(stops, np.inf) if self.closes is None else np.asarray(self.closes, float)


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


def with_separate(views: Views, mass: npt.ArrayLike, pod: float) -> Views:
    """The views of more stops behind those given, each with a cell of its own, seen with chance `pod`."""
    weight = np.asarray(mass, float)
    n, cells = len(weight), len(views.mass)
    return Views(
        np.r_[views.first, views.first[-1] + 1 + np.arange(n)].astype(np.int64),
        np.r_[views.cells, cells + np.arange(n)].astype(np.int64),
        np.r_[views.pod, np.full(n, pod)],
        np.r_[views.mass, weight],
    )


def with_own_cells(views: Views, mass: npt.ArrayLike, pod: float) -> Views:
    """
    The views with one more cell for each of the first stops, which it alone sees, with chance `pod`.

    >>> both = with_own_cells(separate_views([2.0, 3.0]), [0.5], 0.8)
    >>> value_of(both, [0]), value_of(both, [1])
    (2.4, 3.0)
    """
    weight = np.asarray(mass, float)
    n, cells = len(weight), len(views.mass)
    ends = views.first[1 : n + 1]
    first = views.first + np.minimum(np.arange(len(views.first)), n)
    own = np.insert(views.cells, ends, cells + np.arange(n)), np.insert(views.pod, ends, np.full(n, pod))
    return Views(first.astype(np.int64), own[0].astype(np.int64), own[1], np.r_[views.mass, weight])


def waits_of(problem: Problem, team: int, route: tuple[int, ...], legs: Iterable[float]) -> list[float]:
    """
    Seconds a team waits at each stop of its route until the stop's hours begin; infinite where it comes too late.

    `legs` are the seconds of walking to each stop.
    """
    start, opens, closes = problem.clock
    now, waits = float(start[team]), []
    for stop, leg in zip(route, legs, strict=False):
        now += leg
        waits.append(max(0.0, float(opens[stop]) - now) if now <= closes[stop] + LATE_S else np.inf)
        now += waits[-1] + float(problem.service[stop])
    return waits


def seconds_of(problem: Problem, team: int, route: tuple[int, ...]) -> float:
    """Seconds of a team's day, base to base, waiting included; infinite where it comes too late to a stop."""
    if not route:
        return 0.0
    legs = [float(problem.out[team, route[0]]), *(float(problem.leg[a, b]) for a, b in pairwise(route))]
    waited = sum(waits_of(problem, team, route, legs)) if problem.timed else 0.0
    return float(sum(legs) + problem.back[route[-1], team] + problem.service[list(route)].sum() + waited)


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
    iterations: int = 20_000,
    spent: Callable[[int], float] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution:
    """
    Routes for every team.

    Must-visits are planned first on their own; the second search starts from that plan and keeps the best it ever
    saw, so never fewer of them are met. Raises `Cancelled` when `cancelled` answers true.

    Parameters
    ----------
    iterations
        Turns of the search, those for the must-visits included.
    spent
        In place of `iterations`: the share of the caller's budget used after so many turns; the search ends at 1.
    """
    teams, stops = problem.out.shape
    plan = np.zeros((teams, max(stops, 1)), np.int64), np.zeros(teams, np.int64)
    must = problem.must & (problem.allowed & np.isfinite(problem.out)).any(axis=0)
    used = spent or (lambda turns: turns / max(iterations, 1))
    stages = [(_only(problem, must), 0.25)] if must.any() else []
    done, last = 0, 0.0
    for stage, end in [*stages, (problem, 1.0)] if stops else []:
        for best, turns in _anneal(stage, plan, rng, done, partial(_share, used, used(done), end)):
            plan, done = best, turns
            last = min(1.0, max(last, used(done)))
            if progress is not None:
                progress(last)
            if cancelled is not None and cancelled():
                raise Cancelled
    return solution(problem, tuple(tuple(int(one) for one in plan[0][team, : plan[1][team]]) for team in range(teams)))


def _share(used: Callable[[int], float], begin: float, end: float, turns: int) -> float:
    """The share of a stage that is over, when it goes from `begin` to `end` of the budget."""
    return (used(turns) - begin) / max(end - begin, 1e-9)


def worth_of_all(problem: Problem) -> float:
    """Expected finds of all stops together, never quite 0."""
    return max(value_of(problem.views, range(len(problem.service))), 1e-12)


def bonuses(problem: Problem) -> Floats:
    """What each must-visit is worth beside its finds, (stops,)."""
    urgency = np.zeros(len(problem.must)) if problem.urgency is None else problem.urgency
    return np.where(problem.must, MUST_FACTOR * worth_of_all(problem) * (1.0 + URGENT_SHARE * urgency), 0.0)


def solution(problem: Problem, routes: tuple[tuple[int, ...], ...]) -> Solution:
    """What routes are worth and how long they take."""
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
    problem: Problem, plan: tuple[Integers, Integers], rng: np.random.Generator, done: int, used: Callable[[int], float]
) -> Iterator[tuple[tuple[Integers, Integers], int]]:
    """Best plan so far and turns done, after every chunk of turns, until `used` reaches 1; starts from `plan`."""
    prize = worth_of_all(problem)
    bonus = bonuses(problem)
    hours = max(float(problem.budget.sum()), 1.0)
    current, best = (plan[0].copy(), plan[1].copy()), (plan[0].copy(), plan[1].copy())
    fixed: tuple[Any, ...] = (
        *ways(problem),
        *hours_of(problem),
        *sights(problem.views, len(bonus)),
        bonus,
        HURRY * prize / hours,
        1e-7 * prize / hours,
        rng,
    )
    share = 0.0
    while share < 1.0:
        warmth = WARM * prize * COLD**share
        kernels.search(*current, *best, _CHUNK, warmth, MOST_OUT, *fixed)
        done += _CHUNK
        share = used(done)
        yield (best[0].copy(), best[1].copy()), done


def ways(problem: Problem) -> tuple[npt.NDArray[np.generic], ...]:
    """Allowed stops by team, cost matrices (service at the far end), each team's matrix, nearest stops, hours."""
    stops = problem.out.shape[1]
    starts, base = np.unique(np.hstack([problem.out, problem.back.T]), axis=0, return_inverse=True)
    cost = np.zeros((len(starts), stops + 1, stops + 1))
    cost[:, :stops, :stops] = problem.leg + problem.service
    cost[:, stops, :stops] = starts[:, :stops] + problem.service
    cost[:, :stops, stops] = starts[:, stops:]
    cost[~np.isfinite(cost)] = 1e3 * max(float(problem.budget.max()), 1.0)
    apart = problem.leg + problem.leg.T
    near = np.argsort(np.where(np.isfinite(apart), apart, 1e30), axis=1, kind="stable")[:, :NEAREST]
    there_and_back = problem.out + problem.back.T + problem.service
    # Of one layout always: the loops would be compiled anew for another.
    allowed = np.ascontiguousarray(problem.allowed & (there_and_back <= problem.budget[:, None]))
    if problem.timed:
        alone = [[seconds_of(problem, team, (stop,)) for stop in range(stops)] for team in range(len(problem.budget))]
        allowed &= np.array(alone) <= problem.budget[:, None]
    return allowed, cost, base.reshape(-1).astype(np.int64), np.ascontiguousarray(near), problem.budget.astype(float)


def hours_of(problem: Problem) -> tuple[bool, Floats, Floats, Floats]:
    """Whether stops have hours; when teams set out; when each stop is done at the earliest and at the latest."""
    start, opens, closes = problem.clock
    return problem.timed, start, opens + problem.service, closes + problem.service


def sights(views: Views, stops: int) -> tuple[npt.NDArray[np.generic], ...]:
    """Views by stop and by cell: first, cells, pod; first stop, stops, pod of each cell; mass."""
    who = np.repeat(np.arange(stops), np.diff(views.first))
    order = np.argsort(views.cells, kind="stable")
    begins = np.r_[0, np.cumsum(np.bincount(views.cells, minlength=len(views.mass)))].astype(np.int64)
    mine = views.first.astype(np.int64), views.cells.astype(np.int64), views.pod.astype(float)
    return *mine, begins, who[order], views.pod[order].astype(float), views.mass.astype(float)
