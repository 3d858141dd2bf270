"""What a township's day is asked for: its request, and the problem the search solves for it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis import routing, travel
from geo.analysis.targets import budget_s
from geo.season import CHINA
from geo.settings import PlanningSettings

Floats = npt.NDArray[np.float64]
DAY_S = 86_400.0


@dataclass(frozen=True)
class SweepRequest:
    """
    One day's sweep of one township.

    Parameters
    ----------
    day
        Label of the day, such as 2026-03-12.
    surface
        Ground to walk on; its CRS is that of all coordinates here.
    teams
        team_id, name, easting_m, northing_m: where each team starts and ends.
    targets
        Columns of `TARGETS`; `mass` is expected finds there, `sweep_s` the seconds of searching at the stop.
    pinned, forbidden
        Target ids the leader wants in (treated as must-visits) or out.
    windows
        First and last second after setting out at which a target may be begun, by target id; who comes early waits.
    views
        What the targets see, where they overlap; rows in the order of `targets`. None: each its own ground.
    matrix
        Travel times between the teams' bases and the targets where they are known already, in their order.
    approach
        The ground with roads at a car's speed, where teams are driven to the road heads; None: they walk from base.
    hours
        Hours of this day, in place of those in the settings.
    """

    day: str
    surface: travel.CostSurface
    teams: pd.DataFrame
    targets: pd.DataFrame
    settings: PlanningSettings = field(default_factory=PlanningSettings)
    township_id: str | None = None
    seed: int = 7
    pinned: Collection[str] = ()
    forbidden: Collection[str] = ()
    windows: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    views: routing.Views | None = None
    matrix: travel.Matrix | None = None
    approach: travel.CostSurface | None = None
    iterations: int = 12_000
    hours: float | None = None

    @property
    def budget_s(self) -> float:
        """Seconds each team may be away, the reserve kept back."""
        return budget_s(self.settings if self.hours is None else replace(self.settings, hours=self.hours))

    @property
    def longest_s(self) -> float:
        """Walks longer than this many seconds are not looked for: nobody takes them in a day."""
        return min(self.settings.longest_leg_h * 3600.0, self.budget_s)


def kept_problem(request: SweepRequest) -> tuple[pd.DataFrame, routing.Problem]:
    """The targets that are not forbidden, and the day's problem over them."""
    targets = request.targets.reset_index(drop=True)
    chosen = np.flatnonzero(~targets["target_id"].isin(list(request.forbidden)).to_numpy(bool))
    return targets.iloc[chosen].reset_index(drop=True), _problem(request, targets, chosen)


def overdue(kept: pd.DataFrame, day: str) -> npt.NDArray[np.bool_]:
    """Targets whose deadline lies before a day, (targets,)."""
    return np.array([bool(last) and last < day for last in _last_days(kept)], bool)


def _last_days(kept: pd.DataFrame) -> list[str]:
    """The day of each target's deadline in China, ISO; empty without one."""
    return [str(pd.Timestamp(one).tz_convert(CHINA).date()) if pd.notna(one) else "" for one in kept["deadline"]]


def over_days(kept: pd.DataFrame, problem: routing.Problem, days: Sequence[str], within: Floats) -> routing.Problem:
    """
    The problem with every team once a day, the days' hours one after the other, and deadlines as hours of stops.

    `within` (targets,) is a number of days each is to be done in beside its deadline, infinite where there is none.
    """
    n = len(days)
    _, opens, closes = problem.clock
    last = _last_days(kept)
    due = np.array([float(np.searchsorted(days, day, side="right")) if day >= days[0] else np.inf for day in last])
    return replace(
        problem,
        out=np.tile(problem.out, (n, 1)),
        back=np.tile(problem.back, (1, n)),
        budget=np.tile(problem.budget, n),
        allowed=np.tile(problem.allowed, (n, 1)),
        opens=opens,
        closes=np.minimum(closes, np.minimum(due, within) * DAY_S),
        sets_out=np.repeat(DAY_S * np.arange(n), len(problem.budget)),
    )


def travel_matrix(request: SweepRequest) -> travel.Matrix:
    """Travel times of a request, for all its targets: what `SweepRequest.matrix` may hold."""
    entry, leaving = ends_of(request.targets)
    return travel.matrix(
        request.surface,
        places_of(request.teams),
        entry,
        leaving,
        longest_s=request.longest_s,
        approach=request.approach,
    )


def as_on_a_whole_day(request: SweepRequest, target_ids: Collection[str]) -> travel.Matrix:
    """Travel times of a request, those to and among some of its targets as long as they are on a day without hours."""
    known = request.matrix or travel_matrix(request)
    asked = np.flatnonzero(request.targets["target_id"].isin(list(target_ids)).to_numpy(bool))
    among = travel_matrix(replace(request, hours=None, targets=request.targets.iloc[asked]))
    out, back, leg = known.out.copy(), known.back.copy(), known.leg.copy()
    out[:, asked], back[asked], leg[np.ix_(asked, asked)] = among.out, among.back, among.leg
    return travel.Matrix(out, back, leg)


def ends_of(targets: pd.DataFrame) -> tuple[Floats, Floats]:
    """Where each target is entered and left, (n, 2) each."""
    place = places_of(targets)
    lines = lines_of(targets)
    entry = [place[n] if line is None else line[0] for n, line in enumerate(lines)]
    leaving = [place[n] if line is None else line[-1] for n, line in enumerate(lines)]
    return np.array(entry).reshape(-1, 2), np.array(leaving).reshape(-1, 2)


def lines_of(targets: pd.DataFrame) -> list[Floats | None]:
    """What is walked at each target; None where it is a place."""
    if "line" not in targets:
        return [None] * len(targets)
    return [np.asarray(line, float) if isinstance(line, np.ndarray) else None for line in targets["line"]]


def _problem(request: SweepRequest, targets: pd.DataFrame, chosen: npt.NDArray[np.int64]) -> routing.Problem:
    """Travel times, prizes and hours of the targets in play."""
    kept = targets.iloc[chosen]
    known = request.matrix or travel_matrix(request)
    out, back, leg = known.out[:, chosen], known.back[chosen], known.leg[np.ix_(chosen, chosen)]
    pod = kept["pod"].to_numpy(float) if "pod" in kept else np.ones(len(kept))
    views = routing.separate_views(kept["mass"].to_numpy(float), pod)
    return routing.Problem(
        out=out,
        back=np.ascontiguousarray(back),
        leg=leg,
        service=kept["sweep_s"].to_numpy(float),
        budget=np.full(len(request.teams), request.budget_s),
        views=views if request.views is None else _only_rows(request.views, chosen),
        must=must_of(request, kept),
        urgency=_urgency(request.day, kept),
        allowed=np.isfinite(out) & np.isfinite(back.T),
        **_hours(request, kept),
    )


def _urgency(day: str, targets: pd.DataFrame) -> Floats:
    """One over the days that are left with `day`; 1 where the deadline is that day or has passed, 0 without one."""
    if targets["deadline"].isna().all():
        return np.zeros(len(targets))
    moment = pd.to_datetime(targets["deadline"], utc=True).dt.tz_convert(CHINA)
    left_n = (moment.dt.tz_localize(None).dt.normalize() - pd.Timestamp(day)).dt.days.to_numpy(float)
    return np.nan_to_num(1.0 / (1.0 + np.maximum(left_n, 0.0)))


def _hours(request: SweepRequest, kept: pd.DataFrame) -> dict[str, Floats]:
    """When the targets in play may be begun, where any has hours of its own."""
    if not request.windows:
        return {}
    spans = [request.windows.get(str(one), (-np.inf, np.inf)) for one in kept["target_id"]]
    opens, closes = np.array(spans, float).reshape(-1, 2).T
    return {"opens": opens, "closes": closes}


def _only_rows(views: routing.Views, rows: npt.NDArray[np.int64]) -> routing.Views:
    spans = [np.arange(views.first[row], views.first[row + 1]) for row in rows]
    picked = np.concatenate(spans).astype(np.int64) if spans else np.zeros(0, np.int64)
    first = np.r_[0, np.cumsum([len(span) for span in spans])].astype(np.int64)
    return routing.Views(first, views.cells[picked], views.pod[picked], views.mass)


def must_of(request: SweepRequest, targets: pd.DataFrame) -> npt.NDArray[np.bool_]:
    asked = targets["must"].fillna(False).to_numpy(bool) | targets["target_id"].isin(list(request.pinned)).to_numpy()
    return np.asarray(asked, dtype=bool)


def places_of(table: pd.DataFrame) -> Floats:
    return table[["easting_m", "northing_m"]].to_numpy(float)
