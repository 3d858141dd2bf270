"""
How much plans of other seeds differ, and what that costs.

``python -m benchmarks.variety COUNTY --seeds N --json`` plans the day after the last record for every township of a
county (such as ``tacha demo COUNTY`` makes) once without variety and N times with it. Prints, in the mean over
townships and pairs of seeds: ``places`` (Jaccard: the share of either plan's places that are in both), ``same_hour``
(of those, the share taken by the same team within the hour), ``legs`` (the share of ways from stop to stop in both),
the same of plans without variety (``..._plain``), ``expected`` (expected finds over those without variety, mean and
``expected_least``), ``must_lost`` (must-visits met less, most of all) and ``cpu_s`` for one plan.
"""

import argparse
import json
import time
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from geo import patrol
from geo.workspace.county import open_county
from geo.workspace.planning import next_day, special_teams
from geo.workspace.preparing import gather, request_for


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("county", type=Path)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    county = open_county(asked.county)
    rests, day = gather(county), next_day(county)
    rows = []
    for township, squad in special_teams(county, None).groupby("township_id", sort=True):
        request = request_for(county, rests, str(township), squad.reset_index(drop=True), day=day)
        rows.append(one_township(request, asked.seeds))
        if not asked.json:
            print(township, rows[-1], flush=True)
    answer = {name: mean(row[name] for row in rows) for name in rows[0]}
    answer |= {"expected_least": min(row["expected_least"] for row in rows)}
    answer |= {"must_lost": max(row["must_lost"] for row in rows), "townships": len(rows), "seeds": asked.seeds}
    print(json.dumps(answer) if asked.json else answer)


def one_township(request: patrol.SweepRequest, seeds: int) -> dict[str, Any]:
    """The figures of one township's day."""
    plain_knobs = replace(request.settings, variety=0.0)
    plain = [patrol.plan_sweep(replace(request, settings=plain_knobs, seed=seed)) for seed in range(seeds)]
    begin = time.process_time()
    plans = [patrol.plan_sweep(replace(request, seed=seed)) for seed in range(seeds)]
    took_s = (time.process_time() - begin) / seeds
    shares = [one.expected / best.expected for one, best in zip(plans, plain, strict=True) if best.expected > 0]
    lost = [int(one.unmet["must"].sum() - best.unmet["must"].sum()) for one, best in zip(plans, plain, strict=True)]
    return {
        **likeness(plans),
        **{f"{name}_plain": value for name, value in likeness(plain).items()},
        "expected": mean(shares),
        "expected_least": min(shares),
        "must_lost": max(lost),
        "cpu_s": took_s,
    }


def likeness(plans: list[patrol.Plan]) -> dict[str, float]:
    """What two plans have in common, in the mean over pairs."""
    places, hours, legs = [], [], []
    for one, other in combinations([stops_of(plan) for plan in plans], 2):
        both = one.keys() & other.keys()
        places.append(len(both) / max(1, len(one.keys() | other.keys())))
        near = [one[stop][0] == other[stop][0] and abs(one[stop][1] - other[stop][1]) < 1.0 for stop in both]
        hours.append(sum(near) / max(1, len(near)))
    for one, other in combinations([legs_of(plan) for plan in plans], 2):
        legs.append(len(one & other) / max(1, len(one)))
    return {"places": mean(places), "same_hour": mean(hours), "legs": mean(legs)}


def stops_of(plan: patrol.Plan) -> dict[str, tuple[str, float]]:
    """Team and hour after setting out by target."""
    stops = plan.stops[plan.stops["target_id"].notna()]
    team = dict(zip(plan.routes["route_id"], plan.routes["team_id"], strict=True))
    hour = stops["arrive_s"] / 3600.0
    return {one: (team[route], at) for one, route, at in zip(stops["target_id"], stops["route_id"], hour, strict=True)}


def legs_of(plan: patrol.Plan) -> set[tuple[str, str]]:
    stops = plan.stops[plan.stops["target_id"].notna()]
    return {leg for _, route in stops.groupby("route_id") for leg in pairwise(route["target_id"])}


if __name__ == "__main__":
    main()
