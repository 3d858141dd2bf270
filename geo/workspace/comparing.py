"""What if: two plans of the same day side by side, neither kept."""

from dataclasses import dataclass
from typing import Any

from geo.patrol import Plan
from geo.workspace.county import County
from geo.workspace.planning import Progress, plan_day


@dataclass(frozen=True)
class Case:
    """One way to staff a day: hours per team (None: as set), teams more than each township has, and other townships."""

    hours: float | None = None
    extra_teams: int = 0
    township_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """The figures of both plans by name, and what the other finds more per extra hour (None where hours are equal)."""

    here: dict[str, Any]
    other: dict[str, Any]
    finds_per_extra_hour: float | None


def compare_days(
    county: County,
    *,
    day: str,
    other: Case,
    here: Case | None = None,
    seed: int = 7,
    township_ids: list[str] | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """The same day planned twice on the same ground and seed; `here` is the county as it stands where not given."""
    rows = []
    for case in (here or Case(), other):
        plan = plan_day(
            county,
            day=day,
            hours=case.hours,
            extra_teams=case.extra_teams,
            seed=seed,
            varied=False,
            township_ids=list(case.township_ids) or township_ids,
            progress=progress,
        )
        rows.append(figures(plan))
    more_h = rows[1]["hours_offered"] - rows[0]["hours_offered"]
    gained = rows[1]["expected"] - rows[0]["expected"]
    return Comparison(rows[0], rows[1], gained / more_h if abs(more_h) > 1e-9 else None)


def figures(plan: Plan) -> dict[str, Any]:
    """What a plan offers and finds: teams, hours offered and used, stops, expected finds, bound, must-visits unmet."""
    return {
        "teams_n": len(plan.hours_used),
        "hours_offered": plan.budget_h * len(plan.hours_used),
        "hours_used": float(plan.hours_used.sum()),
        "stops_n": int(plan.stops["target_id"].notna().sum()) if len(plan.stops) else 0,
        "expected": plan.expected,
        "bound": plan.bound,
        "share_of_bound": plan.expected / plan.bound if plan.bound else None,
        "unmet_must_n": int(plan.unmet["must"].astype(bool).sum()),
    }
