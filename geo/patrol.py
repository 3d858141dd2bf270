"""Walks to plan and to judge: the first front door."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis import best_routes, routing, travel
from geo.analysis.targets import NAME_CHARS, TARGETS, budget_s, candidate_targets
from geo.layers import routes as route_layer
from geo.schema import Schema
from geo.season import CHINA
from geo.settings import PlanningSettings

Floats = npt.NDArray[np.float64]
__all__ = (
    "TARGETS", "Plan", "SweepRequest", "arranged", "budget_s", "candidate_targets", "joined", "plan_days", "plan_sweep",
    "travel_matrix",
)  # fmt: skip
DAY_S = 86_400.0
UNMET = ("target_id", "name", "must", "reason")


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


@dataclass(frozen=True)
class Plan:
    """
    One day's proposal.

    Parameters
    ----------
    routes, stops
        Layers `routes` and `stops`, CRS of the request's surface.
    unmet
        Columns of `UNMET`: must-visits left out and every target nobody can walk to. Reasons: `closed` (on closed
        ground), `unreachable` (no way there), `hours` (no time), `window` (nobody can be there at its hours and back in
        time), `forbidden`, `left_out` (not in the order the leader gave).
    expected
        Expected finds of all routes together, ground seen twice counted once.
    bound, tighter_bound
        What no plan can exceed: without any walking, and with each stop's shortest leg.
    hours_used
        Hours away by team, series on team_id, also of teams without a route; never above `budget_h`.
    day
        Label of the day planned.
    """

    routes: gpd.GeoDataFrame
    stops: gpd.GeoDataFrame
    unmet: pd.DataFrame
    expected: float
    bound: float
    tighter_bound: float
    hours_used: pd.Series
    budget_h: float
    seed: int
    day: str = ""


def plan_sweep(
    request: SweepRequest,
    *,
    progress: routing.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Plan:
    """
    The day's routes: least-cost walks from each base over the chosen stops and back, within the hours.

    The same request gives the same routes; another seed gives others of like value, so that nobody can learn them.
    """
    kept, problem = _kept(request)
    rng = np.random.default_rng(request.seed)
    found = best_routes.solve(
        _varied(problem, rng, request.settings.variety),
        rng,
        iterations=request.iterations,
        progress=progress,
        cancelled=cancelled,
    )
    return _plan(request, kept, problem, found.routes)


def plan_days(
    request: SweepRequest,
    days: Sequence[str],
    *,
    progress: routing.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Plan]:
    """
    The request's teams on several days in a row, planned together: a plan for each day, in order.

    Nothing is visited twice, ground seen on one day is not paid again on another, and a target whose deadline falls
    within these days is visited by then or named in `unmet` of each. `windows` are hours of the first day.
    """
    kept, problem = _kept(request)
    rng = np.random.default_rng(request.seed)
    found = best_routes.solve(
        _varied(_over_days(kept, problem, days), rng, request.settings.variety),
        rng,
        iterations=request.iterations * len(days),
        progress=progress,
        cancelled=cancelled,
    )
    squads = len(problem.budget)
    by_day = [found.routes[squads * n : squads * (n + 1)] for n in range(len(days))]
    before = [tuple(stop for routes in by_day[:n] for route in routes for stop in route) for n in range(len(days) + 1)]
    return [
        _plan(replace(request, day=day), kept, problem, by_day[n], earlier=before[n], met=before[-1])
        for n, day in enumerate(days)
    ]


def _over_days(kept: pd.DataFrame, problem: routing.Problem, days: Sequence[str]) -> routing.Problem:
    """The problem with every team once a day, the days' hours one after the other, and deadlines as hours of stops."""
    n = len(days)
    _, opens, closes = problem.clock
    last = [str(pd.Timestamp(one).tz_convert(CHINA).date()) if pd.notna(one) else "" for one in kept["deadline"]]
    due = np.array([float(np.searchsorted(days, day, side="right")) if day >= days[0] else np.inf for day in last])
    return replace(
        problem,
        out=np.tile(problem.out, (n, 1)),
        back=np.tile(problem.back, (1, n)),
        budget=np.tile(problem.budget, n),
        allowed=np.tile(problem.allowed, (n, 1)),
        opens=opens,
        closes=np.minimum(closes, due * DAY_S),
        sets_out=np.repeat(DAY_S * np.arange(n), len(problem.budget)),
    )


def arranged(request: SweepRequest, orders: Mapping[str, Sequence[str]]) -> Plan:
    """
    The day as a leader arranged it: target ids in walking order by team_id, timed again.

    Nothing is searched and nothing left out; where `hours_used` of a team is above `budget_h`, its day is too long.

    Raises
    ------
    ValueError
        For a team or target the request does not hold, a target given twice, and stops without a way between them.
    """
    if request.hours is not None:  # a leg longer than the day is a day too long, not a way that is missing
        request = replace(request, matrix=travel_matrix(replace(request, hours=None)))
    kept, problem = _kept(request)
    number = {str(one): n for n, one in enumerate(kept["target_id"])}
    teams = [str(one) for one in request.teams["team_id"]]
    asked = [one for order in orders.values() for one in order]
    unknown = [one for one in orders if one not in teams] + [one for one in asked if one not in number]
    twice = sorted({one for one in asked if asked.count(one) > 1})
    if unknown or twice:
        raise ValueError(f"not in the request: {unknown}; given twice: {twice}")
    routes = tuple(tuple(number[one] for one in orders.get(team, ())) for team in teams)
    lost = [teams[n] for n, route in enumerate(routes) if not np.isfinite(_known_s(problem, n, route)).all()]
    if lost:
        raise ValueError(f"no way on foot between the stops of {lost}")
    plan = _plan(request, kept, problem, routes)
    chosen = plan.unmet["reason"].isin(["hours", "window"])  # the leader's order decides, not the hours
    return replace(plan, unmet=plan.unmet.assign(reason=plan.unmet["reason"].mask(chosen, "left_out")))


def _kept(request: SweepRequest) -> tuple[pd.DataFrame, routing.Problem]:
    """The targets that are not forbidden, and the day's problem over them."""
    targets = request.targets.reset_index(drop=True)
    chosen = np.flatnonzero(~targets["target_id"].isin(list(request.forbidden)).to_numpy(bool))
    return targets.iloc[chosen].reset_index(drop=True), _problem(request, targets, chosen)


def _plan(
    request: SweepRequest,
    kept: pd.DataFrame,
    problem: routing.Problem,
    plans: tuple[tuple[int, ...], ...],
    *,
    earlier: tuple[int, ...] = (),
    met: tuple[int, ...] = (),
) -> Plan:
    """
    Routes drawn on the ground and timed again, and what they leave out.

    `earlier` are the stops of the days before, whose ground is seen already; `met` those of all days planned together.
    """
    outings = [_outing(request, kept, problem, plans, team, earlier) for team in range(len(request.teams))]
    walked = [outing for outing in outings if outing.order]
    crs = request.surface.frame.crs
    routes = gpd.GeoDataFrame([_route_row(request, one) for one in walked], geometry=[o.line for o in walked], crs=crs)
    rows = [row for one in walked for row in _stop_rows(request, kept, one)]
    stops = gpd.GeoDataFrame(rows, columns=None if rows else ["geometry"], geometry="geometry", crs=crs)
    away_h = [float(one.leg_s.sum() + one.service_s.sum()) / 3600.0 for one in outings]
    today = [stop for order in plans for stop in order]
    planned = {str(kept["target_id"].iloc[stop]) for stop in (*today, *met)}
    found = routing.value_of(problem.views, [*earlier, *today]) - routing.value_of(problem.views, earlier)
    return Plan(
        routes=_layer(route_layer.SCHEMA, routes),
        stops=_layer(route_layer.STOPS, stops),
        unmet=_unmet(request, request.targets.reset_index(drop=True), planned, _shut(request, kept, problem)),
        expected=found,
        bound=routing.bound(problem),
        tighter_bound=routing.tighter_bound(problem),
        hours_used=pd.Series(away_h, index=request.teams["team_id"].to_numpy(), name="hours_used", dtype=float),
        budget_h=request.budget_s / 3600.0,
        seed=request.seed,
        day=request.day,
    )


def joined(plans: Sequence[Plan]) -> Plan:
    """The plans of several townships as one: routes, stops and unmet one below the other, sums of the rest."""
    if not plans:
        raise ValueError("there is no plan to join")
    return Plan(
        routes=_stacked([plan.routes for plan in plans]),
        stops=_stacked([plan.stops for plan in plans]),
        unmet=pd.concat([plan.unmet for plan in plans], ignore_index=True),
        expected=sum(plan.expected for plan in plans),
        bound=sum(plan.bound for plan in plans),
        tighter_bound=sum(plan.tighter_bound for plan in plans),
        hours_used=pd.concat([plan.hours_used for plan in plans]),
        budget_h=max(plan.budget_h for plan in plans),
        seed=plans[0].seed,
        day=plans[0].day,
    )


def travel_matrix(request: SweepRequest) -> travel.Matrix:
    """Travel times of a request, for all its targets: what `SweepRequest.matrix` may hold."""
    longest = min(request.settings.longest_leg_h * 3600.0, request.budget_s)
    entry, leaving = _ends(request.targets)
    return travel.matrix(
        request.surface, _xy(request.teams), entry, leaving, longest_s=longest, approach=request.approach
    )


def _ends(targets: pd.DataFrame) -> tuple[Floats, Floats]:
    """Where each target is entered and left, (n, 2) each."""
    place = _xy(targets)
    lines = _lines_of(targets)
    entry = [place[n] if line is None else line[0] for n, line in enumerate(lines)]
    leaving = [place[n] if line is None else line[-1] for n, line in enumerate(lines)]
    return np.array(entry).reshape(-1, 2), np.array(leaving).reshape(-1, 2)


def _lines_of(targets: pd.DataFrame) -> list[Floats | None]:
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
        must=_must(request, kept),
        allowed=np.isfinite(out) & np.isfinite(back.T),
        **_hours(request, kept),
    )


def _hours(request: SweepRequest, kept: pd.DataFrame) -> dict[str, Floats]:
    """When the targets in play may be begun, where any has hours of its own."""
    if not request.windows:
        return {}
    spans = [request.windows.get(str(one), (-np.inf, np.inf)) for one in kept["target_id"]]
    opens, closes = np.array(spans, float).reshape(-1, 2).T
    return {"opens": opens, "closes": closes}


def _shut(request: SweepRequest, kept: pd.DataFrame, problem: routing.Problem) -> set[str]:
    """Targets whose hours no team can keep, even with nothing else to do."""
    held = [(n, str(one)) for n, one in enumerate(kept["target_id"]) if str(one) in request.windows]
    teams = range(len(problem.budget))
    return {
        name
        for n, name in held
        if not any(routing.seconds_of(problem, team, (n,)) <= problem.budget[team] for team in teams)
    }


def _varied(problem: routing.Problem, rng: np.random.Generator, variety: float) -> routing.Problem:
    """The problem with every prize up or down by at most the share `variety`: another seed, another good plan."""
    views = problem.views
    mass = views.mass * (1.0 + variety * rng.uniform(-1.0, 1.0, len(views.mass)))
    return replace(problem, views=replace(views, mass=mass))


def _only_rows(views: routing.Views, rows: npt.NDArray[np.int64]) -> routing.Views:
    spans = [np.arange(views.first[row], views.first[row + 1]) for row in rows]
    picked = np.concatenate(spans).astype(np.int64) if spans else np.zeros(0, np.int64)
    first = np.r_[0, np.cumsum([len(span) for span in spans])].astype(np.int64)
    return routing.Views(first, views.cells[picked], views.pod[picked], views.mass)


def _must(request: SweepRequest, targets: pd.DataFrame) -> npt.NDArray[np.bool_]:
    asked = targets["must"].fillna(False).to_numpy(bool) | targets["target_id"].isin(list(request.pinned)).to_numpy()
    return np.asarray(asked, dtype=bool)


@dataclass(frozen=True)
class _Outing:
    """
    One team's day on the ground: rows of the targets in `order`, places base to base, seconds by leg and stop.

    `service_s` counts what is waited at a stop before its hours, too (`wait_s`).

    `heads` are where a team that is driven gets out and is picked up, each with the second of its day.
    """

    team: int
    route_id: str
    order: tuple[int, ...]
    gain: list[float]
    places: Floats
    line: shapely.LineString
    leg_s: Floats
    service_s: Floats
    wait_s: Floats
    heads: tuple[tuple[Floats, float], ...] = ()


def _outing(
    request: SweepRequest,
    targets: pd.DataFrame,
    problem: routing.Problem,
    plans: tuple[tuple[int, ...], ...],
    team: int,
    before: tuple[int, ...],
) -> _Outing:
    """A team's stops walked on the ground, timed again leg by leg; `before` are the stops of earlier days."""
    order = plans[team]
    earlier = (*before, *(stop for one in plans[:team] for stop in one))
    base = _xy(request.teams.iloc[[team]])
    entry, leaving = (np.vstack([base, ends[list(order)], base]) for ends in _ends(targets))
    searched = [_lines_of(targets)[stop] for stop in order]
    known_s = _known_s(problem, team, order)
    line, leg_s = _walk(request, entry, leaving, searched, known_s) if order else (entry, np.zeros(1))
    wait_s = np.array(routing.waits_of(replace(problem, closes=None), team, order, leg_s))  # late is no reason to leave
    service_s = problem.service[list(order)] + wait_s
    away_s = float(leg_s.sum() + service_s.sum())
    heads = _road_heads(request, line, base, base, away_s) if order else ()
    name = (request.day, request.township_id, str(request.teams["team_id"].iloc[team]))
    return _Outing(
        team=team,
        route_id="-".join(part for part in name if part),
        order=order,
        gain=routing.gains(problem, order, earlier),
        places=entry,
        line=shapely.LineString(line),
        leg_s=leg_s,
        service_s=service_s,
        wait_s=wait_s,
        heads=heads,
    )


def _route_row(request: SweepRequest, outing: _Outing) -> dict[str, object]:
    return {
        "route_id": outing.route_id,
        "township_id": request.township_id,
        "team_id": str(request.teams["team_id"].iloc[outing.team]),
        "day": request.day,
        "walked_s": float(outing.leg_s.sum()),
        "service_s": float(outing.service_s.sum()),
        "length_m": float(outing.line.length),
        "expected_finds": float(sum(outing.gain)),
        "stops_n": len(outing.order),
    }


def _stop_rows(request: SweepRequest, targets: pd.DataFrame, outing: _Outing) -> list[dict[str, object]]:
    """Start, stops and end of an outing, in walking order, each with the second of arrival after setting out."""
    base = str(request.teams["name"].iloc[outing.team])
    listed = targets.iloc[list(outing.order)]
    arrive_s = np.r_[0.0, np.cumsum(outing.leg_s) + np.r_[0.0, np.cumsum(outing.service_s)]]
    arrive_s[1:-1] += outing.wait_s  # a stop is reached when its work begins
    names = [base, *listed["name"].map(str), base]
    code = _code(request, outing.team)
    columns = {
        "kind": ["start", *listed["kind"], "end"],
        "label": names,
        "reason": [None, *listed["reason"], None],
        "arrive_s": arrive_s.tolist(),
        "target_id": [None, *listed["target_id"], None],
        "gain": [0.0, *outing.gain, 0.0],
        "geometry": shapely.points(outing.places).tolist(),
    }
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for (place, second), label, at in zip(outing.heads, ("下车点", "上车点"), (1, len(rows)), strict=False):
        head = {"kind": "road_head", "label": label, "reason": None, "arrive_s": second, "target_id": None, "gain": 0.0}
        rows.insert(at, head | {"geometry": shapely.Point(place)})
    return [
        row
        | {"name": f"{n:02d}{code} {_short(str(row['label']))}".strip(), "stop_id": f"{outing.route_id}-{n:02d}"}
        | {"route_id": outing.route_id, "order_n": n}
        for n, row in enumerate(rows)
    ]


def _road_heads(
    request: SweepRequest, line: Floats, entry: Floats, leaving: Floats, away_s: float
) -> tuple[tuple[Floats, float], ...]:
    """Where a driven team gets out and is picked up, each with the second of its day; none where it is not driven."""
    way = request.approach
    if way is None:
        return ()
    row, col = way.frame.cells(line[:, 0], line[:, 1])
    off = np.flatnonzero(~way.road[row, col])
    off = off[(off > 0) & (off < len(line) - 1)]
    if not len(off) or off[0] < 2 or off[-1] > len(line) - 3:
        return ()
    out, back = line[off[0] - 1], line[off[-1] + 1]
    there_s = float(travel.times(way, entry[:1], out[None])[0, 0])
    home_s = float(travel.times(way, back[None], leaving[-1:])[0, 0])
    return (out, there_s), (back, away_s - home_s)


def _known_s(problem: routing.Problem, team: int, route: tuple[int, ...]) -> list[float]:
    """Seconds of each leg as the search priced it: base to first stop, stop to stop, last stop to base."""
    if not route:
        return []
    between = [float(problem.leg[a, b]) for a, b in pairwise(route)]
    return [float(problem.out[team, route[0]]), *between, float(problem.back[route[-1], team])]


def _walk(
    request: SweepRequest, entry: Floats, leaving: Floats, searched: list[Floats | None], known_s: list[float]
) -> tuple[Floats, Floats]:
    """The least-cost line through the stops in order, with what is walked at each, and seconds by leg."""
    lines: list[Floats] = []
    seconds: list[float] = []
    for n, at_most in enumerate(known_s):
        ends = n == 0 or n == len(known_s) - 1
        ground = request.approach if request.approach is not None and ends else request.surface
        line, took = travel.path(ground, leaving[n], entry[n + 1], limit_s=at_most + 1.0)
        stop = searched[n] if n < len(searched) else None
        lines += [line] if stop is None else [line, stop]
        seconds.append(took)
    walked = np.vstack(lines)
    fresh = np.r_[True, (np.diff(walked, axis=0) != 0).any(axis=1)]
    return walked[fresh], np.array(seconds)


def _unmet(request: SweepRequest, targets: pd.DataFrame, planned: set[str], shut: set[str]) -> pd.DataFrame:
    """Must-visits left out, and all targets no team can walk to, each with its reason."""
    must = _must(request, targets)
    opened = travel.is_open(request.surface, _xy(targets))
    ground = travel.regions(request.surface, _xy(targets))
    based = set(travel.regions(request.surface, _xy(request.teams)).tolist()) - {-1}
    forbidden = targets["target_id"].isin(list(request.forbidden)).to_numpy(bool)
    rows = []
    for i, target in enumerate(targets.itertuples()):
        walkable = bool(opened[i]) and int(ground[i]) in based
        if target.target_id in planned or (walkable and not must[i]) or (forbidden[i] and not must[i]):
            continue
        late = "window" if target.target_id in shut else "hours"
        reason = "forbidden" if forbidden[i] else "closed" if not opened[i] else late if walkable else "unreachable"
        rows.append((str(target.target_id), str(target.name), bool(must[i]), reason))
    return pd.DataFrame(rows, columns=list(UNMET))


def _code(request: SweepRequest, team: int) -> str:
    """The ASCII part of stop names: T, two signs of the team, month and day; unique among the plan's teams."""
    ids = [re.sub(r"[^A-Za-z0-9]", "", str(one)).upper()[-2:].rjust(2, "0") for one in request.teams["team_id"]]
    mark = ids[team] if ids.count(ids[team]) == 1 else f"{team + 1:02d}"
    if mark in ids[:team] + ids[team + 1 :]:
        mark = chr(ord("A") + team % 26) + mark[-1]
    return f"T{mark}{re.sub(r'[^0-9]', '', request.day)[-4:]}"


def _short(name: str) -> str:
    """At most ten characters, control signs removed."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:NAME_CHARS].strip()


def _layer(schema: Schema, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The conformed layer, also where nothing was planned."""
    shaped = schema.conform(table)
    return gpd.GeoDataFrame(shaped, geometry="geometry", crs=table.crs)


def _stacked(tables: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    held = [table for table in tables if len(table)]
    return gpd.GeoDataFrame(pd.concat(held, ignore_index=True)) if held else tables[0]


def _xy(table: pd.DataFrame) -> Floats:
    return table[["easting_m", "northing_m"]].to_numpy(float)
