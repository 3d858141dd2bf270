"""Walks to plan and to judge: the first front door."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis import routing, travel
from geo.layers import parcels as parcel_layer
from geo.layers import routes as route_layer
from geo.schema import Schema
from geo.settings import PlanningSettings

Floats = npt.NDArray[np.float64]
TARGETS = (
    "target_id", "kind", "name", "easting_m", "northing_m", "mass", "sweep_s", "must", "deadline", "reason",
)  # fmt: skip
"""Columns of a targets table; an optional `pod` column says how surely a stop finds what is there (default 1)."""
UNMET = ("target_id", "name", "must", "reason")
NAME_CHARS = 10
"""Full-width characters of a stop's name after its ASCII id; handhelds cut the rest."""


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
    views
        What the targets see, where they overlap; rows in the order of `targets`. None: each its own ground.
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
    views: routing.Views | None = None
    iterations: int = 1500
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
        ground), `unreachable` (no way there), `hours` (no time), `forbidden`.
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
    targets = request.targets.reset_index(drop=True)
    chosen = np.flatnonzero(~targets["target_id"].isin(list(request.forbidden)).to_numpy(bool))
    problem = _problem(request, targets, chosen)
    rng = np.random.default_rng(request.seed)
    solution = routing.solve(
        _varied(problem, rng, request.settings.variety),
        rng,
        iterations=request.iterations,
        progress=progress,
        cancelled=cancelled,
    )
    kept = targets.iloc[chosen].reset_index(drop=True)
    outings = [_outing(request, kept, problem, solution.routes, team) for team in range(len(request.teams))]
    walked = [outing for outing in outings if outing.order]
    crs = request.surface.frame.crs
    routes = gpd.GeoDataFrame([_route_row(request, one) for one in walked], geometry=[o.line for o in walked], crs=crs)
    rows = [row for one in walked for row in _stop_rows(request, kept, one)]
    places = np.concatenate([one.places for one in walked]) if walked else np.zeros((0, 2))
    stops = gpd.GeoDataFrame(rows, geometry=shapely.points(places), crs=crs)
    away_h = [float(one.leg_s.sum() + one.service_s.sum()) / 3600.0 for one in outings]
    return Plan(
        routes=_layer(route_layer.SCHEMA, routes),
        stops=_layer(route_layer.STOPS, stops),
        unmet=_unmet(request, targets, {int(chosen[s]) for route in solution.routes for s in route}),
        expected=routing.value_of(problem.views, [stop for order in solution.routes for stop in order]),
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


def budget_s(settings: PlanningSettings) -> float:
    """
    Seconds a team may be away, the reserve kept back.

    >>> budget_s(PlanningSettings(hours=7.0, reserve=0.15))
    21420.0
    """
    return settings.hours * (1.0 - settings.reserve) * 3600.0


def candidate_targets(
    parcels: gpd.GeoDataFrame,
    blind_spots: gpd.GeoDataFrame,
    leads: gpd.GeoDataFrame,
    settings: PlanningSettings | None = None,
    *,
    township_id: str | None = None,
    area: shapely.Geometry | None = None,
    visited: Collection[str] = (),
) -> pd.DataFrame:
    """
    Targets of one township: open parcels (must), the best blind spots by mass per hour, historic spots and tips.

    Parameters
    ----------
    parcels, leads
        Layers, metric CRS of the county.
    blind_spots
        `blind_spot_id`, `mass` (expected plots standing undetected) and `hours` (to search it once), with geometry;
        `name` and `township_id` where known. Best first or not.
    township_id, area
        Keep only rows of this township; rows without a township_id belong to it when they touch `area`. Both None:
        the tables hold one township already.
    visited
        Ids of parcels, blind spots or leads already looked at.
    """
    knobs = settings or PlanningSettings()
    seen = {str(one) for one in visited}
    parts = [
        _parcel_targets(_of_township(parcels, township_id, area), seen, knobs),
        _blind_spot_targets(_of_township(blind_spots, township_id, area), seen, knobs),
        _lead_targets(_of_township(leads, township_id, area), seen, knobs),
    ]
    held = [part for part in parts if len(part)]
    if not held:
        return pd.DataFrame(columns=list(TARGETS))
    return pd.concat(held, ignore_index=True)


def _problem(request: SweepRequest, targets: pd.DataFrame, chosen: npt.NDArray[np.int64]) -> routing.Problem:
    """Travel times, prizes and hours of the targets in play."""
    kept = targets.iloc[chosen]
    base, place = _xy(request.teams), _xy(kept)
    most = request.budget_s
    furthest = min(request.settings.longest_leg_h * 3600.0, most)
    out = travel.times(request.surface, base, place, limit_s=furthest)
    back = travel.times(request.surface, base, place, limit_s=furthest, backwards=True).T
    leg = travel.times(request.surface, place, place, limit_s=min(furthest, most / 3.0))
    pod = kept["pod"].to_numpy(float) if "pod" in kept else np.ones(len(kept))
    views = routing.separate_views(kept["mass"].to_numpy(float), pod)
    return routing.Problem(
        out=out,
        back=np.ascontiguousarray(back),
        leg=np.minimum(leg, _via_base(out, back)),
        service=kept["sweep_s"].to_numpy(float),
        budget=np.full(len(base), most),
        views=views if request.views is None else _only_rows(request.views, chosen),
        must=_must(request, kept),
        allowed=np.isfinite(out) & np.isfinite(back.T),
    )


def _varied(problem: routing.Problem, rng: np.random.Generator, variety: float) -> routing.Problem:
    """The problem with every prize up or down by at most the share `variety`: another seed, another good plan."""
    views = problem.views
    mass = views.mass * (1.0 + variety * rng.uniform(-1.0, 1.0, len(views.mass)))
    return replace(problem, views=replace(views, mass=mass))


def _via_base(out: Floats, back: Floats) -> Floats:
    """Seconds from stop to stop by way of the nearest base: the price of pairs too far to be searched directly."""
    if not out.size:
        return np.full((out.shape[1], out.shape[1]), np.inf)
    return np.asarray((back[:, :, None] + out[None, :, :]).min(axis=1))


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
    """One team's day on the ground: rows of the targets in `order`, places base to base, seconds by leg and stop."""

    team: int
    route_id: str
    order: tuple[int, ...]
    gain: list[float]
    places: Floats
    line: shapely.LineString
    leg_s: Floats
    service_s: Floats


def _outing(
    request: SweepRequest,
    targets: pd.DataFrame,
    problem: routing.Problem,
    plans: tuple[tuple[int, ...], ...],
    team: int,
) -> _Outing:
    """A team's stops walked on the ground, timed again leg by leg."""
    order = plans[team]
    earlier = tuple(stop for one in plans[:team] for stop in one)
    base = _xy(request.teams.iloc[[team]])
    places = np.vstack([base, _xy(targets)[list(order)], base])
    line, leg_s = _walk(request, places, _known_s(problem, team, order)) if order else (places, np.zeros(1))
    name = (request.day, request.township_id, str(request.teams["team_id"].iloc[team]))
    return _Outing(
        team=team,
        route_id="-".join(part for part in name if part),
        order=order,
        gain=routing.gains(problem, order, earlier),
        places=places,
        line=shapely.LineString(line),
        leg_s=leg_s,
        service_s=problem.service[list(order)],
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
    names = [base, *listed["name"].map(str), base]
    code = _code(request, outing.team)
    table = {
        "kind": ["start", *listed["kind"], "end"],
        "name": [f"{n:02d}{code} {_short(name)}".strip() for n, name in enumerate(names)],
        "reason": [None, *listed["reason"], None],
        "arrive_s": arrive_s,
        "target_id": [None, *listed["target_id"], None],
        "gain": [0.0, *outing.gain, 0.0],
    }
    fixed = [
        {"stop_id": f"{outing.route_id}-{n:02d}", "route_id": outing.route_id, "order_n": n} for n in range(len(names))
    ]
    return [row | {key: values[n] for key, values in table.items()} for n, row in enumerate(fixed)]


def _known_s(problem: routing.Problem, team: int, route: tuple[int, ...]) -> list[float]:
    """Seconds of each leg as the search priced it: base to first stop, stop to stop, last stop to base."""
    between = [float(problem.leg[a, b]) for a, b in pairwise(route)]
    return [float(problem.out[team, route[0]]), *between, float(problem.back[route[-1], team])]


def _walk(request: SweepRequest, places: Floats, known_s: list[float]) -> tuple[Floats, Floats]:
    """The least-cost line through the places in order, and seconds by leg, never more than `known_s`."""
    lines: list[Floats] = []
    seconds: list[float] = []
    for a, b, at_most in zip(places[:-1], places[1:], known_s, strict=True):
        line, took = travel.path(request.surface, a, b, limit_s=at_most + 1.0)
        lines.append(line if not lines else line[1:])
        seconds.append(took)
    return np.vstack(lines), np.array(seconds)


def _unmet(request: SweepRequest, targets: pd.DataFrame, planned: set[int]) -> pd.DataFrame:
    """Must-visits left out, and all targets no team can walk to, each with its reason."""
    must = _must(request, targets)
    opened = travel.is_open(request.surface, _xy(targets))
    ground = travel.regions(request.surface, _xy(targets))
    based = set(travel.regions(request.surface, _xy(request.teams)).tolist()) - {-1}
    forbidden = targets["target_id"].isin(list(request.forbidden)).to_numpy(bool)
    rows = []
    for i, target in enumerate(targets.itertuples()):
        walkable = bool(opened[i]) and int(ground[i]) in based
        if i in planned or (walkable and not must[i]) or (forbidden[i] and not must[i]):
            continue
        reason = "forbidden" if forbidden[i] else "closed" if not opened[i] else "hours" if walkable else "unreachable"
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


def _of_township(table: gpd.GeoDataFrame, township_id: str | None, area: shapely.Geometry | None) -> gpd.GeoDataFrame:
    """Rows that belong to the township by its id or, without one, by touching its area; rows without place go."""
    if not len(table):
        return table
    placed = table[table.geometry.notna() & ~table.geometry.is_empty]
    if township_id is None and area is None:
        return placed
    code = placed["township_id"] if "township_id" in placed else pd.Series(None, index=placed.index, dtype=object)
    touches = placed.intersects(area) if area is not None else pd.Series(False, index=placed.index)
    return gpd.GeoDataFrame(placed[(code == township_id) | (code.isna() & touches)])


def _targets(table: gpd.GeoDataFrame, columns: dict[str, object]) -> pd.DataFrame:
    place = table.geometry.representative_point()
    values = {"easting_m": place.x.to_numpy(), "northing_m": place.y.to_numpy(), **columns}
    return pd.DataFrame(values, index=table.index, columns=list(TARGETS)).reset_index(drop=True)


def _column(table: gpd.GeoDataFrame, name: str, default: object) -> pd.Series:
    if name not in table:
        return pd.Series(default, index=table.index)
    values: pd.Series = table[name] if default is None else table[name].fillna(default)
    return values


def _parcel_targets(parcels: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(parcels):
        return pd.DataFrame(columns=list(TARGETS))
    due = parcels[parcels["status"].isin(parcel_layer.OPEN) & ~parcels["parcel_id"].isin(seen)]
    values = {
        "target_id": due["parcel_id"].to_numpy(),
        "kind": "parcel",
        "name": [str(one)[-NAME_CHARS:].lstrip("-_ ") for one in due["parcel_id"]],
        "mass": _column(due, "suspicion", knobs.unjudged_suspicion).to_numpy(float),
        "sweep_s": knobs.service_min * 60.0,
        "must": True,
        "deadline": _column(due, "deadline", None).to_numpy(),
        "reason": _column(due, "reason", "").to_numpy(),
    }
    return _targets(due, values)


def _blind_spot_targets(spots: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(spots):
        return pd.DataFrame(columns=list(TARGETS))
    hours = np.clip(spots["hours"].to_numpy(float), 1.0 / 60.0, None)
    yields = pd.Series(spots["mass"].to_numpy(float) / hours, index=spots.index)
    fresh = spots[~spots["blind_spot_id"].isin(seen)]
    best = fresh.loc[yields.loc[fresh.index].sort_values(ascending=False, kind="stable").index[: knobs.candidates_n]]
    longest_h = budget_s(knobs) / 3600.0 / 3.0
    need_h = np.clip(best["hours"].to_numpy(float), 1.0 / 60.0, None)
    share = np.minimum(1.0, longest_h / need_h)
    values = {
        "target_id": best["blind_spot_id"].to_numpy(),
        "kind": "blind_spot",
        "name": _column(best, "name", "盲区").to_numpy(),
        "mass": best["mass"].to_numpy(float) * share,
        "sweep_s": need_h * share * 3600.0,
        "must": False,
        "deadline": None,
        "reason": "",
    }
    return _targets(best, values)


def _lead_targets(leads: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(leads):
        return pd.DataFrame(columns=list(TARGETS))
    fresh = leads[~leads["lead_id"].isin(seen)]
    values = {
        "target_id": fresh["lead_id"].to_numpy(),
        "kind": "history",
        "name": _column(fresh, "place_text", "").to_numpy(),
        "mass": fresh["weight"].to_numpy(float) * knobs.history_mass,
        "sweep_s": knobs.service_min * 60.0,
        "must": False,
        "deadline": None,
        "reason": fresh["kind"].to_numpy(),
    }
    return _targets(fresh, values)
