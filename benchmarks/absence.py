"""
Checks published numbers of the program's formulas without touching code.

``python -m benchmarks.absence FIXTURES.json [--json]`` reads ``{"cases": [case, …]}`` (or a bare list), a case being

- ``name``: free text, printed;
- ``function``: one of `FUNCTIONS` below (``kind`` is read as well);
- ``inputs``: the function's arguments by name: numbers, lists, text;
- ``expected``: the number, list, or list of lists that must come out, nested as the function returns it; ``null``
  inside it is not compared;
- ``tolerance``: largest absolute difference allowed (default 1e-9).

Functions and their inputs (shares and chances between 0 and 1, lengths in metres unless named otherwise):

======================  ==============================================================================================
chain                   prior, sensitivities, introductions (each period's own) → p by period
update                  p, sensitivity, introduction → p after one period
no_discount_chain       prior, sensitivities, introduction: the first period is not discounted → p by period
lagged_chain            prior, sensitivities, introductions, first: each period discounted with that of the one before
                        (first for the first) → p by period; what one known package does, here to show the difference
posterior               prior, introduction (list), missed (by period: chance that what stands since then escaped) → p
ceiling                 sensitivity, introduction → where the chain settles
sensitivity_for         p, goal → sensitivity that lifts p to it
combined                sensitivities → 1 - Π(1 - p)
risk_weighted           weights, detections, plots → SSe
form_2013               unit_sensitivity, searched_n, units_n, risk_sum, plots → SSe
season_2013             prior, introduction, plots, units_n, seasons: lists [searched_n, risk_sum, unit_sensitivity]
                        → [SSe, PoF] by season, the first not discounted
adjusted_risks          relative_risks, shares → adjusted risks
village_prior           prior, risk_share → prior of a village
binomial                units_n, prevalence, unit_sensitivity → SSe
hypergeometric          units_n, infested_n, searched_n, unit_sensitivity → SSe
census                  infested_n, unit_sensitivity → SSe
units_needed            units_n, infested_n, unit_sensitivity, goal → approximate sample
units_needed_exact      the same → exact hypergeometric sample
clean_records           false_share, goal → clean records needed of very many
predictive_value        sensitivity, specificity, prevalence → share of alarms that are true
plots_left              plots, sensitivity, sweeps → expected plots left
no_plots_left           the same → chance that none is left
allocate                prior, areas_km2, widths_m, speed_kmh, hours → [hours by region, chance of success]
success                 prior, areas_km2, widths_m, speed_kmh, hours (list) → chance of success
learned_rates           finds_n, effort, strength → relative rates
random_search           coverage → 1 - e^-C
coverage_for            detection → coverage that random search needs
parallel_tracks         coverage, width → mean chance over the ground between endless tracks of the inverse-cube law
lateral_chance          width, distances → p(x) of one endless pass of the inverse-cube law
pass_hazard             width, offset, start, stop, reach → hazard of a straight piece, inverse cube
sweep_width             curve (definite, half_normal, hazard_rate, inverse_cube), scale, peak or power → W
curve_chance            curve and scale, peak, power as for sweep_width, distances (list) → p(x) of that curve
width_from_range        range, visibility (high, medium, low) → W
minutes_per_hectare     width, speed_kmh → minutes of search for a coverage of 1 on a hectare
apparent_drop           distance, refraction → metres that level ground seems to sink below the eye's level
county                  chances (list of townships) → their product
pod                     hazard (nats, list), availability → chance of detection
tobler_kmh              slopes (rise over run, signed) → km/h
======================  ==============================================================================================

Prints one JSON object ``{cases_n, passed_n, failed_n, pass_ratio, worst, cases: [{name, function, got, expected,
difference, tolerance, passed, error}]}``; without ``--json`` one line per case. Exit code 1 when any case fails; a
function nobody knows fails its case and says which are known. ``--quick`` is accepted and changes nothing.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geo.analysis import allocation, calibration, detection, lookouts, priority, sensitivity, standing, travel


def no_discount_chain(prior: float, sensitivities: list[float], introduction: float) -> Any:
    """The chain whose first period is not discounted."""
    return standing.chain(prior, sensitivities, [0.0] + [introduction] * (len(sensitivities) - 1))


def lagged_chain(prior: float, sensitivities: list[float], introductions: list[float], first: float = 0.0) -> Any:
    """The chain that discounts each period with the introduction of the one before: not this program's."""
    return standing.chain(prior, sensitivities, [first, *introductions[:-1]])


def season_2013(
    prior: float, introduction: float, *, plots: float, units_n: float, seasons: list[list[float]]
) -> list[list[float]]:
    """SSe by the form of 2013 and the chain over seasons, the first of which is not discounted."""
    found = [
        sensitivity.form_2013(unit, searched, units_n=units_n, risk_sum=risk, plots=plots)
        for searched, risk, unit in seasons
    ]
    chain = no_discount_chain(prior, found, introduction)
    return [[one, float(p)] for one, p in zip(found, chain, strict=True)]


def parallel_tracks(coverage: float, width: float = 20.0) -> float:
    """Mean chance across the gap between endless parallel tracks, W / coverage apart, of the uncut inverse-cube law."""
    law, spacing = detection.InverseCube(width, 1e7), width / coverage
    place = (np.arange(400) + 0.5) / 400 * spacing
    far = np.full((1, 1), 1e9)
    tracks = np.arange(-2000, 2001)[:, None] * spacing
    nats = sum(law.along(np.abs(place - row), -far[0], far[0]) for row in tracks)
    return float(np.mean(-np.expm1(-nats)))


def lateral_chance(width: float, distances: list[float]) -> Any:
    return detection.chance(detection.InverseCube(width, 1e7), distances)


def pass_hazard(width: float, offset: float, start: float, stop: float, reach: float = 1e7) -> Any:
    return detection.InverseCube(width, reach).along(offset, start, stop)


def sweep_width(curve: str, scale: float, peak: float = 1.0, power: float = 2.0) -> float:
    """Area under a lateral range curve; `scale`: range R, s, s, or a of p(x) = 1 - e^(-a/x²)."""
    return float(_curve(curve, scale, peak, power).sweep_width_m)


def curve_chance(curve: str, scale: float, distances: list[float], peak: float = 1.0, power: float = 2.0) -> Any:
    """The lateral range curve itself; arguments as in `sweep_width`."""
    return _curve(curve, scale, peak, power).p(distances)


def _curve(curve: str, scale: float, peak: float, power: float) -> Any:
    curves: dict[str, Callable[[], Any]] = {
        "definite": lambda: detection.DefiniteRange(scale),
        "half_normal": lambda: detection.HalfNormal(scale, peak),
        "hazard_rate": lambda: detection.HazardRate(scale, power),
        "inverse_cube": lambda: detection.HazardRate(math.sqrt(scale), 2.0),
    }
    if curve not in curves:
        raise ValueError(f"curve {curve!r} is not one of {sorted(curves)}")
    return curves[curve]()


def width_from_range(range: float, visibility: str) -> float:  # noqa: A002
    """Sweep width from the measured range of detection (Koester et al. 2014)."""
    return calibration.RANGE_FACTORS[visibility] * range


def pod(hazard: list[float], availability: float) -> Any:
    units = np.round(np.asarray(hazard) * detection.HAZARD_UNITS).astype(np.int32)
    return detection.pod(units, availability)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "update": standing.update,
    "chain": standing.chain,
    "no_discount_chain": no_discount_chain,
    "lagged_chain": lagged_chain,
    "county": lambda chances: float(np.prod(np.asarray(chances, float))),
    "posterior": lambda prior, introduction, missed: standing.posterior(
        prior, np.asarray(introduction, float), np.asarray(missed, float)
    ),
    "ceiling": standing.ceiling,
    "sensitivity_for": standing.sensitivity_for,
    "allocate": allocation.allocate,
    "success": allocation.success,
    "combined": sensitivity.combined,
    "adjusted_risks": sensitivity.adjusted_risks,
    "village_prior": sensitivity.village_prior,
    "risk_weighted": sensitivity.risk_weighted,
    "form_2013": sensitivity.form_2013,
    "season_2013": season_2013,
    "binomial": sensitivity.binomial,
    "hypergeometric": sensitivity.hypergeometric,
    "census": sensitivity.census,
    "units_needed": sensitivity.units_needed,
    "units_needed_exact": sensitivity.units_needed_exact,
    "clean_records": sensitivity.clean_records,
    "predictive_value": sensitivity.predictive_value,
    "plots_left": sensitivity.plots_left,
    "no_plots_left": sensitivity.no_plots_left,
    "learned_rates": lambda **inputs: priority.learned_rates(**inputs)["factor"].to_numpy(),
    "random_search": lambda coverage: -np.expm1(-np.asarray(coverage, float)),
    "coverage_for": lambda detection: -np.log1p(-np.asarray(detection, float)),
    "parallel_tracks": parallel_tracks,
    "lateral_chance": lateral_chance,
    "pass_hazard": pass_hazard,
    "sweep_width": sweep_width,
    "curve_chance": curve_chance,
    "width_from_range": width_from_range,
    "minutes_per_hectare": lambda width, speed_kmh: 60.0 / allocation.rates(0.01, width, speed_kmh),
    "apparent_drop": lambda distance, refraction=0.13: lookouts.apparent_drop(distance, refraction),
    "pod": pod,
    "tobler_kmh": lambda slopes: travel.tobler_kmh(slopes),
}


def plain(value: Any) -> Any:
    """Arrays and tuples as nested lists, numpy numbers as floats."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return float(value)


def difference(got: Any, expected: Any) -> float:
    """Largest absolute difference of two equally nested lists; infinite where their shapes differ, 0 for null."""
    if expected is None:
        return 0.0
    if isinstance(got, list) != isinstance(expected, list):
        return math.inf
    if not isinstance(got, list):
        gap = abs(got - expected)
        return math.inf if math.isnan(gap) else gap
    if len(got) != len(expected):
        return math.inf
    return max((difference(one, other) for one, other in zip(got, expected, strict=True)), default=0.0)


def check(case: dict[str, Any]) -> dict[str, Any]:
    """One case run; an unknown function or a wrong argument fails the case and says so."""
    asked = case.get("function", case.get("kind", ""))
    answer: dict[str, Any] = {"name": case.get("name", ""), "function": asked, "passed": False}
    missing = [name for name in ("inputs", "expected") if name not in case]
    if asked not in FUNCTIONS:
        return answer | {"error": f"unknown function {asked!r}; known are {', '.join(sorted(FUNCTIONS))}"}
    if missing:
        return answer | {"error": f"the case lacks {' and '.join(missing)}"}
    try:
        tolerance = float(case.get("tolerance", 1e-9))
        got = plain(FUNCTIONS[asked](**case["inputs"]))
        gap = difference(got, plain_or_none(case["expected"]))
    except (TypeError, ValueError, KeyError, ZeroDivisionError) as error:
        return answer | {"error": f"{asked}: {error}"}
    shown = None if math.isinf(gap) else gap
    answer |= {"got": got, "expected": case["expected"], "difference": shown, "tolerance": tolerance}
    wrong = "got and expected are nested differently" if shown is None else None
    return answer | {"passed": gap <= tolerance, "error": wrong}


def plain_or_none(value: Any) -> Any:
    """As `plain`, with null kept."""
    if isinstance(value, list):
        return [plain_or_none(item) for item in value]
    return None if value is None else plain(value)


def run(path: Path) -> dict[str, Any]:
    """Every case of a file, and how many passed."""
    read = json.loads(path.read_text(encoding="utf-8"))
    listed = read["cases"] if isinstance(read, dict) else read
    if not isinstance(listed, list) or not all(isinstance(case, dict) for case in listed):
        raise ValueError('a list of cases is needed, or {"cases": [...]}')
    cases = [check(case) for case in listed]
    passed = sum(case["passed"] for case in cases)
    gaps = [case["difference"] for case in cases if case.get("difference") is not None]
    return {
        "cases_n": len(cases),
        "passed_n": passed,
        "failed_n": len(cases) - passed,
        "pass_ratio": passed / len(cases) if cases else 0.0,
        "worst": max(gaps, default=None),
        "cases": cases,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.absence", description="check published numbers")
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    try:
        answer = run(options.fixtures)
    except (OSError, ValueError, KeyError) as error:
        print(f"{options.fixtures}: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(answer, ensure_ascii=False))
    else:
        for case in answer["cases"]:
            print("ok " if case["passed"] else "BAD", case["name"], case.get("difference"), case["error"] or "")
        print(f"{answer['passed_n']} of {answer['cases_n']} passed")
    return 0 if answer["cases_n"] and answer["failed_n"] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
