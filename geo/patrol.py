"""Walks to plan and to judge: the first front door."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis import best_routes, day_order, routing, variety
from geo.analysis.outings import legs_s, outing_of, route_row, shut, stop_rows, unmet_of
from geo.analysis.requests import SweepRequest, as_on_a_whole_day, kept_problem, over_days, overdue, travel_matrix
from geo.analysis.targets import TARGETS, budget_s, parcel_targets
from geo.layers import routes as route_layer
from geo.schema import Schema

__all__ = (
    "TARGETS",
    "Plan",
    "SweepRequest",
    "arranged",
    "budget_s",
    "joined",
    "parcel_targets",
    "plan_days",
    "plan_sweep",
    "travel_matrix",
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """
    One day's proposal.

    Parameters
    ----------
    routes, stops
        Layers `routes` and `stops`, CRS of the request's surface.
    unmet
        `target_id, name, must, reason`: must-visits left out and every target nobody can walk to. Reasons: `closed` (on
        closed ground), `unreachable` (no way there), `hours` (no time), `window` (nobody can be there at its hours and
        back in time), `forbidden`, `left_out` (not in the order the leader gave).
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

    The same request gives the same routes; another seed gives others that meet as many must-visits and find at most the
    share `variety` less (see `analysis.variety`), so that nobody can learn them.
    """
    kept, problem = kept_problem(request)
    rng = np.random.default_rng(request.seed)
    found = best_routes.solve(problem, rng, iterations=request.iterations, progress=progress, cancelled=cancelled)
    found = variety.another(problem, found, rng, request.settings.variety)
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
    within these days is visited by then or named in `unmet` of each. `windows` are hours of the first day. What is
    overdue comes first, as much of it on each day as can be; then the days that find most.
    """
    kept, problem = kept_problem(request)
    squads = len(problem.budget)
    rng = np.random.default_rng(request.seed)
    late = problem.must & overdue(kept, days[0])
    within = day_order.soonest(problem, late, len(days), rng, cancelled=cancelled)
    turns: dict[str, Any] = {"iterations": request.iterations * len(days), "progress": progress, "cancelled": cancelled}
    whole = over_days(kept, problem, days, within)
    found = best_routes.solve(whole, rng, **turns)
    lost = np.isfinite(within) & ~np.isin(np.arange(len(within)), [stop for route in found.routes for stop in route])
    if lost.any():  # what is due by then took their time; later is better than never
        whole = over_days(kept, problem, days, np.where(lost, np.inf, within))
        found = best_routes.solve(whole, rng, **turns)
    found = variety.another(whole, found, rng, request.settings.variety)
    routes = day_order.richest_first(whole, found.routes, squads)
    by_day = [routes[squads * n : squads * (n + 1)] for n in range(len(days))]
    before = [tuple(stop for routes in by_day[:n] for route in routes for stop in route) for n in range(len(days) + 1)]
    return [
        _plan(replace(request, day=day), kept, problem, by_day[n], earlier=before[n], met=before[-1])
        for n, day in enumerate(days)
    ]


def arranged(request: SweepRequest, orders: Mapping[str, Sequence[str]]) -> Plan:
    """
    The day as a leader arranged it: target ids in walking order by team_id, timed again.

    Nothing is searched and nothing left out; where `hours_used` of a team is above `budget_h`, its day is too long.

    Raises
    ------
    ValueError
        For a team or target the request does not hold, a target given twice, and stops without a way between them.
    """
    asked = [one for order in orders.values() for one in order]
    if request.hours is not None:  # a leg longer than the day is a day too long, not a way that is missing
        request = replace(request, matrix=as_on_a_whole_day(request, asked))
    kept, problem = kept_problem(request)
    number = {str(one): n for n, one in enumerate(kept["target_id"])}
    teams = [str(one) for one in request.teams["team_id"]]
    unknown = [one for one in orders if one not in teams] + [one for one in asked if one not in number]
    twice = sorted({one for one in asked if asked.count(one) > 1})
    if unknown or twice:
        raise ValueError(f"not in the request: {unknown}; given twice: {twice}")
    routes = tuple(tuple(number[one] for one in orders.get(team, ())) for team in teams)
    lost = [teams[n] for n, route in enumerate(routes) if not np.isfinite(legs_s(problem, n, route)).all()]
    if lost:
        raise ValueError(f"no way on foot between the stops of {lost}")
    plan = _plan(request, kept, problem, routes)
    chosen = plan.unmet["reason"].isin(["hours", "window"])  # the leader's order decides, not the hours
    return replace(plan, unmet=plan.unmet.assign(reason=plan.unmet["reason"].mask(chosen, "left_out")))


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
    outings = [outing_of(request, kept, problem, plans, team, earlier) for team in range(len(request.teams))]
    walked = [outing for outing in outings if outing.order]
    crs = request.surface.frame.crs
    routes = gpd.GeoDataFrame([route_row(request, one) for one in walked], geometry=[o.line for o in walked], crs=crs)
    rows = [row for one in walked for row in stop_rows(request, kept, one)]
    stops = gpd.GeoDataFrame(rows, columns=None if rows else ["geometry"], geometry="geometry", crs=crs)
    away_h = [float(one.leg_s.sum() + one.service_s.sum()) / 3600.0 for one in outings]
    today = [stop for order in plans for stop in order]
    planned = {str(kept["target_id"].iloc[stop]) for stop in (*today, *met)}
    found = routing.value_of(problem.views, [*earlier, *today]) - routing.value_of(problem.views, earlier)
    return Plan(
        routes=_layer(route_layer.SCHEMA, routes),
        stops=_layer(route_layer.STOPS, stops),
        unmet=unmet_of(request, request.targets.reset_index(drop=True), planned, shut(request, kept, problem)),
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


def _layer(schema: Schema, table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The conformed layer, also where nothing was planned."""
    shaped = schema.conform(table)
    return gpd.GeoDataFrame(shaped, geometry="geometry", crs=table.crs)


def _stacked(tables: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    held = [table for table in tables if len(table)]
    return gpd.GeoDataFrame(pd.concat(held, ignore_index=True)) if held else tables[0]
