"""
Team routes by PyVRP, for stops that each have a prize of their own: a second opinion beside `routing.solve`.

PyVRP knows no shared ground: it gets each stop's prize as if alone, and its answer is judged by true detection like
any other. Every second costs one unit (with free seconds its search has no slope), no stop is required (a must-visit
is a large prize), and an answer that is not feasible is thrown away.
"""

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.analysis import routing

if TYPE_CHECKING:
    import pyvrp

DIGITS = 1_000_000
"""Whole units in the longest budget: PyVRP counts in whole numbers, rounded up, so that no route grows too long."""

MUST = 100 * DIGITS
"""A must-visit's prize: a hundred days; beyond that the search prefers routes that are too long to missing one."""


def solve(
    problem: routing.Problem,
    *,
    seed: int,
    stop: Callable[[float], bool],
    weight: float = 1.0,
    start: tuple[tuple[int, ...], ...] | None = None,
) -> routing.Solution | None:
    """
    PyVRP's routes; None when it found none within every budget.

    Parameters
    ----------
    stop
        Asked after every turn, with the best cost so far, whether that is enough.
    weight
        What the prize of a typical stop is worth, in typical legs; 1 to 10 are sensible.
    start
        Routes to begin with.
    """
    import pyvrp

    data = _data(problem, weight)
    parts = None if start is None else _start(data, start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = pyvrp.solve(data, stop=stop, seed=seed, collect_stats=False, initial_solution=parts)  # type: ignore[arg-type]  # any callable
    if not result.best.is_feasible():
        return None
    teams = problem.out.shape[0]
    routes: list[tuple[int, ...]] = [()] * teams
    for route in result.best.routes():
        routes[route.vehicle_type()] = tuple(one.idx for one in route if one.is_client())
    found = routing.solution(problem, tuple(routes))
    kept = all(bool(problem.allowed[team, list(route)].all()) for team, route in enumerate(routes))
    return found if kept and bool((np.array(found.seconds) <= problem.budget).all()) else None


def _data(problem: routing.Problem, weight: float) -> "pyvrp.ProblemData":
    """The problem in whole units: one place per stop and team, one vehicle with its own start per team."""
    import pyvrp

    teams, stops = problem.out.shape
    longest = float(problem.budget.max())
    unit = longest / DIGITS
    seconds = np.full((stops + teams, stops + teams), 10.0 * longest)
    seconds[:stops, :stops] = problem.leg + problem.service
    seconds[stops:, :stops] = problem.out + problem.service
    seconds[:stops, stops:] = problem.back
    np.fill_diagonal(seconds, 0.0)
    whole = np.ceil(np.minimum(seconds, 10.0 * longest) / unit).astype(np.int64)
    value = np.array([routing.value_of(problem.views, [stop]) for stop in range(stops)])
    legs = np.sort(np.minimum(problem.out, problem.back.T).min(axis=0))
    typical = float(np.median(legs[np.isfinite(legs)])) if np.isfinite(legs).any() else longest
    per_value = weight * typical / unit / max(float(np.median(value[value > 0])) if (value > 0).any() else 1.0, 1e-300)
    value[~(problem.allowed & (problem.out + problem.back.T <= problem.budget[:, None])).any(axis=0)] = 0.0
    prize = np.where(problem.must & (value > 0), MUST, np.minimum(value * per_value, MUST)).astype(np.int64)
    hours, shifts = _hours(problem, unit)
    return pyvrp.ProblemData(
        [pyvrp.Location(0.0, 0.0)] * (stops + teams),
        [pyvrp.Client(location=stop, prize=int(prize[stop]), required=False, **hours[stop]) for stop in range(stops)],
        [pyvrp.Depot(location=stops + team) for team in range(teams)],
        [
            pyvrp.VehicleType(
                1, start_depot=team, end_depot=team, max_distance=int(problem.budget[team] / unit), **shifts[team]
            )
            for team in range(teams)
        ],
        [whole],  # type: ignore[list-item]  # its stubs forget the dtype
        [whole if problem.timed else np.zeros_like(whole)],  # type: ignore[list-item]  # likewise
    )


def _hours(problem: routing.Problem, unit: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """
    Hours of stops and teams in whole units; nothing where no stop has any.

    A leg holds the service at its far end, so a stop's hours are those at which it is done. Rounded inwards.
    """
    teams, stops = problem.out.shape
    if not problem.timed:
        return [{}] * stops, [{}] * teams
    start, opens, closes = problem.clock
    begin = float(start.min())
    ready = np.ceil(np.maximum(opens + problem.service - begin, 0.0) / unit)
    latest = np.floor(np.clip(closes + problem.service - begin, -unit, 1e3 * problem.budget.max() + start.max()) / unit)
    shut = latest < np.maximum(ready, 0.0)
    latest, ready = np.where(shut, 0.0, latest), np.where(shut, 0.0, ready)
    early, late = np.ceil((start - begin) / unit), np.floor((start - begin + problem.budget) / unit)
    return (
        [{"tw_early": int(a), "tw_late": int(b)} for a, b in zip(ready, latest, strict=True)],
        [{"tw_early": int(a), "tw_late": int(b), "start_late": int(a)} for a, b in zip(early, late, strict=True)],
    )


def _start(data: "pyvrp.ProblemData", routes: tuple[tuple[int, ...], ...]) -> "pyvrp.Solution":
    import pyvrp

    return pyvrp.Solution(data, [pyvrp.Route(data, list(one), team) for team, one in enumerate(routes) if one])
