"""
A whole county's day: every township, three teams each, with and without kept walking times, and one township again.

``python -m benchmarks.day_plan --json [--county DIR] [--quick]`` plans one day of the demo county `full` (25 townships;
``--quick``: `small`, 7), made in a temporary folder unless a county is named, which then is copied and left alone.
First without any kept walking times (cold), then again with them (cached), then one township alone (replan). Prints
``{townships, teams, routes, cold_cpu_s, cold_wall_s, cached_cpu_s, cached_wall_s, cold_to_cached, replan_cpu_s,
replan_wall_s, search_cpu_s_max, over_budget}``: processor seconds of this process and seconds on the wall (on a busy
machine the first are the fairer); `search_cpu_s_max` is the longest search of one township, `over_budget` the number of
teams whose day is longer than its hours. Coverage is measured beforehand and not counted.
"""

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geo.analysis import best_routes
from geo.workspace import planning, preparing
from geo.workspace.county import open_county
from geo.workspace.demonstrating import make_demo

DAY, TEAMS = "2026-04-12", 3


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """An answer, its processor seconds and its seconds on the wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    answer = work()
    return answer, time.process_time() - cpu, time.perf_counter() - wall


def searches() -> list[float]:
    """Processor seconds of every search from now on, noted as they end."""
    noted: list[float] = []
    search = best_routes.solve

    def noting(*args: Any, **options: Any) -> Any:
        answer, cpu_s, _ = timed(lambda: search(*args, **options))
        noted.append(cpu_s)
        return answer

    best_routes.solve = noting
    return noted


def measure(folder: Path) -> dict[str, Any]:
    county = open_county(folder)
    preparing.gather(county)
    shutil.rmtree(folder / preparing.FOLDER, ignore_errors=True)
    squads = planning.special_teams(county, None).groupby("township_id").size()
    more = max(0, TEAMS - int(squads.max()))
    one = [str(squads.index[0])]
    plan_one = lambda **which: planning.plan_day(county, day=DAY, extra_teams=more, **which)  # noqa: E731
    plan_one(township_ids=one)  # compile the search, so that no figure rests on it
    shutil.rmtree(folder / preparing.FOLDER, ignore_errors=True)
    noted = searches()
    plan, cold_s, cold_wall_s = timed(plan_one)
    _, cached_s, cached_wall_s = timed(plan_one)
    _, again_s, again_wall_s = timed(lambda: plan_one(township_ids=one))
    return {
        "townships": len(squads),
        "teams": len(plan.hours_used),
        "routes": len(plan.routes),
        "cold_cpu_s": cold_s,
        "cold_wall_s": cold_wall_s,
        "cached_cpu_s": cached_s,
        "cached_wall_s": cached_wall_s,
        "cold_to_cached": cold_s / cached_s,
        "replan_cpu_s": again_s,
        "replan_wall_s": again_wall_s,
        "search_cpu_s_max": max(noted),
        "over_budget": int((plan.hours_used > plan.budget_h + 1e-9).sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--county", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "county"
        if asked.county:
            shutil.copytree(asked.county, folder, ignore=shutil.ignore_patterns("inputs", "truth"))
        else:
            make_demo(folder, size="small" if asked.quick else "full", seed=7, progress=lambda what, done, total: None)
        answer = measure(folder)
    print(json.dumps(answer) if asked.json else answer)


if __name__ == "__main__":
    main()
