"""Days planned together: what is overdue first, then the richest: who loses the last day to rain has lost the least."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from geo.analysis import best_routes, routing

LEAST_GAIN = 1e-12
LATE_TURNS = 2_000
"""Turns of search for one day's overdue stops: they are few."""


def soonest(
    problem: routing.Problem,
    late: npt.NDArray[np.bool_],
    days_n: int,
    rng: np.random.Generator,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> npt.NDArray[np.float64]:
    """
    By stop the number of days within which it can be done, (stops,), where it is `late`: as many as can on the first
    day, of the others as many as can on the second, and so on. Infinite for the rest.

    Parameters
    ----------
    problem
        One day's.
    """
    within = np.full(len(late), np.inf)
    for day in range(1, days_n + 1):
        left = late & np.isinf(within)
        if not left.any():
            break
        only = replace(problem, allowed=problem.allowed & left)
        found = best_routes.solve(only, rng, iterations=LATE_TURNS, cancelled=cancelled)
        within[[stop for route in found.routes for stop in route]] = day
    return within


def richest_first(
    problem: routing.Problem, routes: tuple[tuple[int, ...], ...], teams_n: int
) -> tuple[tuple[int, ...], ...]:
    """
    The same routes, each team's days exchanged as long as an earlier day then finds more and every hour is kept.

    Parameters
    ----------
    problem, routes
        Teams stand in them once for each day, day by day.
    """
    held = list(routes)

    def found(day: int) -> float:
        return routing.value_of(problem.views, [stop for route in held[: (day + 1) * teams_n] for stop in route])

    def exchange(one: int, other: int) -> None:
        held[one], held[other] = held[other], held[one]

    days_n = len(routes) // teams_n
    for day in range(days_n):
        best, last = found(day), -1.0
        while best > last:
            last = best
            for team in range(day * teams_n, (day + 1) * teams_n):
                for later in range(team + teams_n, days_n * teams_n, teams_n):
                    exchange(team, later)
                    now = found(day) if _in_time(problem, held, team) and _in_time(problem, held, later) else -1.0
                    if now > best + LEAST_GAIN:
                        best = now
                    else:
                        exchange(team, later)
    return tuple(held)


def _in_time(problem: routing.Problem, held: list[tuple[int, ...]], team: int) -> bool:
    return routing.seconds_of(problem, team, held[team]) <= float(problem.budget[team])
