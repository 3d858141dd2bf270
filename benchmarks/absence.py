"""
Checks published numbers of ``geo.analysis.standing`` and ``sensitivity`` without touching code.

``python -m benchmarks.absence FIXTURES.json [--json]`` reads ``{"cases": [case, …]}`` (or a bare list), a case being

- ``name``: free text, printed;
- ``function``: one of ``FUNCTIONS`` below;
- ``inputs``: the function's arguments by name (numbers or lists);
- ``expected``: the number, list, or list of lists that must come out, nested as the function returns it;
- ``tolerance``: largest absolute difference allowed (default 1e-9).

Prints one JSON object ``{cases_n, passed_n, failed_n, pass_ratio, worst, cases: [{name, function, got, expected,
difference, tolerance, passed, error}]}``; without ``--json`` one line per case. Exit code 1 when any case fails.
``--quick`` is accepted and changes nothing: the whole file takes well under a second.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geo.analysis import allocation, sensitivity, standing

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "update": standing.update,
    "chain": standing.chain,
    "ceiling": standing.ceiling,
    "sensitivity_for": standing.sensitivity_for,
    "allocate": allocation.allocate,
    "combined": sensitivity.combined,
    "adjusted_risks": sensitivity.adjusted_risks,
    "risk_weighted": sensitivity.risk_weighted,
    "form_2013": sensitivity.form_2013,
    "binomial": sensitivity.binomial,
    "census": sensitivity.census,
    "units_needed": sensitivity.units_needed,
    "units_needed_exact": sensitivity.units_needed_exact,
    "plots_left": sensitivity.plots_left,
    "no_plots_left": sensitivity.no_plots_left,
}


def plain(value: Any) -> Any:
    """Arrays and tuples as nested lists, numpy numbers as floats."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return float(value)


def difference(got: Any, expected: Any) -> float:
    """Largest absolute difference of two equally nested lists; infinite where their shapes differ."""
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
    answer: dict[str, Any] = {"name": case.get("name", ""), "function": case.get("function", "")}
    tolerance = float(case.get("tolerance", 1e-9))
    try:
        got = plain(FUNCTIONS[case["function"]](**case["inputs"]))
        gap = difference(got, plain(case["expected"]))
    except KeyError as error:
        return answer | {"passed": False, "error": f"missing or unknown: {error}"}
    except (TypeError, ValueError, ZeroDivisionError) as error:
        return answer | {"passed": False, "error": str(error)}
    shown = None if math.isinf(gap) else gap
    answer |= {"got": got, "expected": case["expected"], "difference": shown, "tolerance": tolerance}
    return answer | {"passed": gap <= tolerance, "error": None}


def run(path: Path) -> dict[str, Any]:
    """Every case of a file, and how many passed."""
    read = json.loads(path.read_text(encoding="utf-8"))
    cases = [check(case) for case in (read["cases"] if isinstance(read, dict) else read)]
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
