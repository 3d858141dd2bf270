"""
Team orienteering: our planner's search on the standard text format, beside PyVRP alone at equal processor time.

``python -m benchmarks.orienteering FILE… --seconds S --json`` reads files of Chao, Golden & Wasil (lines ``n``, ``m``,
``tmax``, then ``x y score``; first point start, last point end, unrounded Euclidean length) and prints
``{seconds, seed, score_ratio_pyvrp_min, score_ratio_pyvrp_mean, gap_mean, gap_max, files: [{file, score, feasible,
longest, tmax, cpu_s, pyvrp, pyvrp_cpu_s, ratio_pyvrp, reference, gap}], excluded, machine}``.

A second here is one of processor time of this process. Loading the compiled search from its cache (or compiling it,
the first time) happens before the clock starts, and so does importing PyVRP; reading the file and building its matrix
are not counted either. Each route's length is added up again from the file's own coordinates. PyVRP alone gets the
same seconds as several runs of different prize weights, the way it was measured to be strongest; ``--no-pyvrp``
leaves it out. ``reference`` and ``gap`` (percent) appear where ``reference.csv`` stands beside the file.
"""

import argparse
import csv
import json
import math
import platform
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from geo.analysis import additive, best_routes, routing

TOLERANCE = 1e-9
ALONE_WEIGHTS = (1.0, 1.0, 3.0, 3.0, 10.0)
STARTS_PER_S = 0.4
"""Fresh starts of our own search per second of budget."""
EXCLUDED = "compiling or loading the compiled search, importing PyVRP, reading the file, its distance matrix"


def read(text: str) -> tuple[int, float, list[tuple[float, float, float]]]:
    """Teams, longest route, and the points (x, y, score)."""
    lines = [line.replace(",", " ").split() for line in text.splitlines() if line.strip()]
    head = {name: float(value) for name, value in (line[:2] for line in lines[:3])}
    points = [(float(x), float(y), float(score)) for x, y, score in (line[:3] for line in lines[3:])]
    if len(points) != int(head["n"]):
        raise SystemExit(f"{int(head['n'])} points announced, {len(points)} found")
    return int(head["m"]), head["tmax"], points


def problem_of(teams: int, longest: float, points: list[tuple[float, float, float]]) -> routing.Problem:
    """The planner's own problem: a metre is a second, stops take no time."""
    table = np.array(points)
    away = table[:, None, :2] - table[None, :, :2]
    length, stops = np.hypot(away[..., 0], away[..., 1]), len(table) - 2
    return routing.Problem(
        out=np.repeat(length[:1, 1:-1], teams, axis=0),
        back=np.repeat(length[1:-1, -1:], teams, axis=1),
        leg=length[1:-1, 1:-1].copy(),
        service=np.zeros(stops),
        budget=np.full(teams, longest),
        views=routing.separate_views(table[1:-1, 2]),
        must=np.zeros(stops, bool),
        allowed=np.ones((teams, stops), bool),
    )


def checked(
    routes: tuple[tuple[int, ...], ...], longest: float, points: list[tuple[float, float, float]]
) -> tuple[float, float, bool]:
    """Score and longest route, recounted from the file's points, and whether the answer keeps all rules."""
    inner = points[1:-1]
    seen = [stop for route in routes for stop in route]
    lengths = [0.0]
    for route in routes:
        walk = [points[0], *(inner[stop] for stop in route), points[-1]] if route else []
        lengths.append(math.fsum(math.dist(a[:2], b[:2]) for a, b in pairwise(walk)))
    fair = len(seen) == len(set(seen)) and max(lengths) <= longest + TOLERANCE
    return math.fsum(inner[stop][2] for stop in seen), max(lengths), fair


def budget(seconds: float) -> Callable[[int], float]:
    """The share of so many processor seconds used since now."""
    start = time.process_time()
    return lambda _: (time.process_time() - start) / seconds


def alone(problem: routing.Problem, seconds: float, seed: int) -> routing.Solution:
    """PyVRP by itself: the best of several runs that share the seconds."""
    weights = ALONE_WEIGHTS if seconds >= 5 else (1.0, 3.0)
    found = []
    for run, weight in enumerate(weights):
        used = budget(seconds / len(weights))
        found.append(additive.solve(problem, seed=seed + run, stop=lambda _, u=used: u(0) >= 1.0, weight=weight))
    empty = routing.solution(problem, tuple(() for _ in problem.budget))
    return max((one for one in found if one is not None), key=lambda one: one.value, default=empty)


def timed(work: Callable[[], routing.Solution]) -> tuple[routing.Solution, float]:
    start = time.process_time()
    answer = work()
    return answer, time.process_time() - start


def measure(file: Path, seconds: float, seed: int, *, beside: bool) -> dict[str, Any]:
    teams, longest, points = read(file.read_text("utf-8"))
    problem = problem_of(teams, longest, points)
    rng = np.random.default_rng(seed)
    starts = max(1, round(STARTS_PER_S * seconds))
    ours, cpu_s = timed(lambda: best_routes.solve(problem, rng, starts=starts, spent=budget(seconds)))
    score, length, fair = checked(ours.routes, longest, points)
    row: dict[str, Any] = {"file": file.name, "score": score, "feasible": fair, "longest": length, "tmax": longest}
    row["cpu_s"] = round(cpu_s, 3)
    if beside:
        other, other_s = timed(lambda: alone(problem, seconds, seed))
        other_score, _, other_fair = checked(other.routes, longest, points)
        row |= {"pyvrp": other_score if other_fair else 0.0, "pyvrp_cpu_s": round(other_s, 3)}
        row["ratio_pyvrp"] = score / row["pyvrp"] if row["pyvrp"] else None
    reference = references(file.with_name("reference.csv")).get(file.stem)
    if reference:
        row |= {"reference": reference, "gap": 100.0 * (reference - score) / reference}
    return row


def references(file: Path) -> dict[str, float]:
    if not file.exists():
        return {}
    with file.open(encoding="utf-8") as lines:
        return {row["instance"]: float(row["reference"]) for row in csv.DictReader(lines)}


def summary(rows: list[dict[str, Any]], seconds: float, seed: int) -> dict[str, Any]:
    ratios = [row["ratio_pyvrp"] for row in rows if row.get("ratio_pyvrp")]
    gaps = [row["gap"] for row in rows if "gap" in row]
    return {
        "seconds": seconds,
        "seed": seed,
        "n": len(rows),
        "feasible": all(row["feasible"] for row in rows),
        "score_ratio_pyvrp_min": min(ratios) if ratios else None,
        "score_ratio_pyvrp_mean": mean(ratios) if ratios else None,
        "gap_mean": mean(gaps) if gaps else None,
        "gap_max": max(gaps) if gaps else None,
        "files": rows,
        "excluded": EXCLUDED,
        "machine": f"{platform.machine()} {platform.python_version()}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0, help="processor seconds per file and method")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-pyvrp", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warm_up = problem_of(2, 3.0, [(0.0, 0.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (0.0, 0.0, 0.0)])
    best_routes.solve(warm_up, np.random.default_rng(0), iterations=200)
    rows = []
    for file in asked.files:
        rows.append(measure(file, asked.seconds, asked.seed, beside=not asked.no_pyvrp))
        if not asked.json:
            print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    answer = summary(rows, asked.seconds, asked.seed)
    print(json.dumps(answer) if asked.json else {key: answer[key] for key in answer if key != "files"})


if __name__ == "__main__":
    main()
