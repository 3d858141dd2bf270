"""
Overlapping views: our planner against PyVRP with additive prizes, at equal processor time, judged by true detection.

``python -m benchmarks.views --seeds N --seconds S --json`` makes N days: 140 clustered places in 12 x 12 km that see
cells of 100 m with chance 0.8 exp(-(d / 360 m)^2), 3 teams of 7 hours from 3 bases, 20 minutes a place, 3 km/h. PyVRP
gets each place's detection as if alone, in several runs of different prize weights; its best plan *by true detection*
counts. Prints ``{seeds, seconds, ratio_min, ratio_mean, ratio_median, ratios, ours, pyvrp, share_of_bound_mean}``.
"""

import argparse
import json
from statistics import mean, median
from typing import Any

import numpy as np

from benchmarks.orienteering import STARTS_PER_S, alone, budget
from geo.analysis import best_routes, routing

SIDE_M, CELL_M, PLACES, TEAMS = 12_000.0, 100.0, 140, 3
BLUR_M, LEAST = 360.0, 0.01
HOURS_S, SERVICE_S, WALK_M_S = 7 * 3600.0, 1200.0, 3.0 / 3.6


def a_day(seed: int) -> routing.Problem:
    """Places in clusters, mass in smooth patches, straight walks."""
    rng = np.random.default_rng(seed)
    centres = rng.uniform(1000, SIDE_M - 1000, (14, 2))
    place = np.clip(centres[rng.integers(0, 14, PLACES)] + rng.normal(0, 350, (PLACES, 2)), 0, SIDE_M - 1)
    base = rng.uniform(3000, SIDE_M - 3000, (TEAMS, 2))
    n = int(SIDE_M / CELL_M)
    cell = (np.stack(np.meshgrid(np.arange(n), np.arange(n)), axis=-1).reshape(-1, 2) + 0.5) * CELL_M
    rich = rng.uniform(0, SIDE_M, (25, 2))
    mass = np.exp(-(np.square(cell[:, None] - rich[None]).sum(axis=2).min(axis=1)) / 2 / 900.0**2) + 0.05
    square = np.square(place[:, None] - cell[None]).sum(axis=2)
    pod = 0.8 * np.exp(-square / BLUR_M**2)
    who, cells = np.nonzero(pod >= LEAST)
    first = np.r_[0, np.cumsum(np.bincount(who, minlength=PLACES))]

    def walk(a: Any, b: Any) -> Any:
        return np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) / WALK_M_S

    return routing.Problem(
        out=walk(base, place),
        back=walk(place, base),
        leg=walk(place, place),
        service=np.full(PLACES, SERVICE_S),
        budget=np.full(TEAMS, HOURS_S),
        views=routing.Views(first.astype(np.int64), cells, pod[who, cells], mass / mass.sum()),
        must=np.zeros(PLACES, bool),
        allowed=np.ones((TEAMS, PLACES), bool),
    )


def measure(seed: int, seconds: float) -> tuple[float, float, float]:
    """True detection of our plan and of PyVRP's, and the bound without travel."""
    problem = a_day(seed)
    starts = max(1, round(STARTS_PER_S * seconds))
    ours = best_routes.solve(problem, np.random.default_rng(seed), starts=starts, spent=budget(seconds))
    other = alone(problem, seconds, seed)
    late = [s > HOURS_S for one in (ours, other) for s in one.seconds]
    if any(late):
        raise SystemExit(f"seed {seed}: a route is longer than the day")
    return ours.value, other.value, routing.bound(problem)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="processor seconds per day and method")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    best_routes.solve(a_day(0), np.random.default_rng(0), iterations=200)
    rows = [measure(seed, asked.seconds) for seed in range(asked.seeds)]
    ratios = [ours / other for ours, other, _ in rows]
    answer = {
        "seeds": asked.seeds,
        "seconds": asked.seconds,
        "ratio_min": min(ratios),
        "ratio_mean": mean(ratios),
        "ratio_median": median(ratios),
        "ratios": ratios,
        "ours": [row[0] for row in rows],
        "pyvrp": [row[1] for row in rows],
        "share_of_bound_mean": mean(ours / most for ours, _, most in rows),
    }
    print(json.dumps(answer) if asked.json else answer)


if __name__ == "__main__":
    main()
