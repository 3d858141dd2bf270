"""The better of two searches: our own on true detection, and PyVRP on each stop's own prize."""

from collections.abc import Callable
from functools import partial

import numpy as np

from geo.analysis import additive, routing

OWN_SHARE = 0.75
"""Share of the budget our own search gets; PyVRP has the rest."""
WEIGHTS = (1.0, 3.0)
TURNS_PER_TURN = 8
"""Own turns that take as long as one of PyVRP's (measured on the standard instances)."""


def solve(
    problem: routing.Problem,
    rng: np.random.Generator,
    *,
    iterations: int = 20_000,
    starts: int = 1,
    spent: Callable[[int], float] | None = None,
    progress: routing.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> routing.Solution:
    """
    Routes for every team: the richest by true detection, must-visits first, of both searches.

    Parameters as those of `routing.solve`; the same seed and `iterations` give the same routes.

    Parameters
    ----------
    starts
        Our own search begins afresh so many times; from some 50,000 turns on, two short searches beat a long one.
    """
    used = spent or (lambda turns: turns / max(iterations, 1))
    tell = progress or (lambda _: None)
    if not problem.out.size or not problem.budget.max() > 0:
        return routing.solution(problem, tuple(() for _ in problem.budget))
    candidates = []
    done = 0
    for number in range(starts):
        begin, end = OWN_SHARE * number / starts, OWN_SHARE * (number + 1) / starts
        candidates.append(
            routing.solve(
                problem,
                rng,
                spent=partial(_part, used, done, begin, end),
                progress=partial(_tell_part, tell, begin, end),
                cancelled=cancelled,
            )
        )
        done += -(-round((end - begin) * iterations) // 100) * 100
    for number, weight in enumerate(WEIGHTS):
        end = OWN_SHARE + (1.0 - OWN_SHARE) * (number + 1) / len(WEIGHTS)

        def enough(_: float, end: float = end) -> bool:
            nonlocal done
            done += TURNS_PER_TURN
            if cancelled is not None and cancelled():
                raise routing.Cancelled
            return used(done) >= end

        seed, best = int(rng.integers(2**31)), max(candidates, key=lambda one: _rank(problem, one))
        # After several starts it is the best of them that can still be bettered; after one, another beginning.
        start = best.routes if starts > 1 else None
        other = additive.solve(problem, seed=seed, stop=enough, weight=weight, start=start)
        candidates += [] if other is None else [other]
        tell(end)
    return max(candidates, key=lambda one: _rank(problem, one))


def _tell_part(tell: routing.Progress, begin: float, end: float, share: float) -> None:
    """Tell the share of one start as a share of the whole."""
    tell(begin + share * (end - begin))


def _part(used: Callable[[int], float], before: int, begin: float, end: float, turns: int) -> float:
    """The share of one start's time, from `begin` to `end` of the whole, used after so many of its turns."""
    return (used(before + turns) - begin) / (end - begin)


def _rank(problem: routing.Problem, solution: routing.Solution) -> tuple[float, float, float]:
    """Must-visits met (the more urgent of equally many), then true detection, then the shorter."""
    bonus = routing.bonuses(problem)
    met = sum(float(bonus[list(route)].sum()) for route in solution.routes)
    return round(met / max(float(bonus.max(initial=0.0)), 1e-300), 9), round(solution.value, 12), -sum(solution.seconds)
