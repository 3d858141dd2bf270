"""One day's routes for the teams of each township, kept in the store and handed out as GPX or KML."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import patrol
from geo.errors import StoreError
from geo.formats import write_routes
from geo.layers import SCHEMAS
from geo.ledger import Entry, Linked
from geo.patrol import Plan
from geo.season import CHINA
from geo.store import Change, Store
from geo.workspace.areas import Outline, drawn_shape
from geo.workspace.county import County
from geo.workspace.preparing import gather, nobodys_plots, request_for
from geo.workspace.recording import unless_moved

Progress = Callable[[str, int, int], None]


def plan_day(county: County, *, day: str, **asked: Any) -> Plan:
    """The plan of one day; what may be asked is what `plan_days` takes."""
    return plan_days(county, days=[day], **asked)[0]


def plan_days(
    county: County,
    *,
    days: Sequence[str],
    hours: float | None = None,
    seed: int = 7,
    township_ids: list[str] | None = None,
    teams_most: int | None = None,
    extra_teams: int = 0,
    pinned: Collection[str] = (),
    forbidden: Collection[str] = (),
    assigned: bool = False,
    area: Outline | None = None,
    varied: bool = True,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Plan]:
    """
    Routes for every team with a township, on one day or several in a row: due parcels and the ground where an hour
    finds most.

    Several days are planned together (see `patrol.plan_days`), all with the sweep widths and daylight of the first.
    What is due where no team is planned for is named in `unmet`, too (see `preparing.nobodys_plots`).
    `cancelled` is asked all along; when it answers true, `geo.analysis.routing.Cancelled` is raised and nothing kept.

    Parameters
    ----------
    days
        YYYY-MM-DD, in order.
    teams_most
        No more teams than so many (None: all): one of each township before a second of any, those whose office is
        nearest the area first.
    extra_teams
        So many more teams start from each township's office than the county has.
    pinned, forbidden
        Parcels and segments that come before all others, or that no team may take. A pin may name the hours (of the
        first day) between which its work begins: ``P0012@09:00-10:30``.
    assigned
        Sweep only in the segments that assignments of the first day name; a township that has none is planned whole.
    area
        Sweep only in this outline, longitude and latitude, WGS 84 degrees; what is due there stays due.
    varied
        By seed one of the plans of like worth; otherwise the best one found, as comparing two plans needs it.

    Raises
    ------
    StoreError
        Where the county has no terrain, no teams or no office to start from, a day lies outside the season, a pin's
        hours are none, or what is pinned or forbidden is not on offer that day.
    """
    checked_days(county, days)
    pins, windows = pinned_hours(pinned, county.settings.planning.start_clock)
    able = special_teams(county, township_ids)
    drawn = None if area is None else drawn_shape(county, area)
    teams = _reinforced(able if teams_most is None else _nearest(able, teams_most, drawn), extra_teams)
    if not county.has_terrain():
        raise StoreError("terrain_missing", path=county.path.name)
    rests = gather(county, progress=progress)
    knobs = county.settings.planning if varied else replace(county.settings.planning, variety=0.0)
    plans: list[list[Plan]] = []
    offered: set[str] = set()
    for number, (township_id, squad) in enumerate(teams.groupby("township_id", sort=True)):
        if progress:
            progress(str(township_id), number, teams["township_id"].nunique())
        within = assigned_ground(county, str(township_id), days[0]) if assigned else None
        if drawn is not None:
            within = drawn if within is None else within.intersection(drawn)
        request = request_for(
            county, rests, str(township_id), squad, day=days[0], hours=hours, seed=seed, settings=knobs, within=within
        )
        asked = replace(request, pinned=pins, forbidden=forbidden, windows=windows)
        offered |= set(request.targets["target_id"])
        if len(days) > 1:
            plans.append(patrol.plan_days(asked, days, cancelled=cancelled))
        else:
            plans.append([patrol.plan_sweep(asked, cancelled=cancelled)])
    if set(pins) - offered:
        raise StoreError("pin_unknown", value="、".join(sorted(set(pins) - offered)))
    if set(forbidden) - offered:
        raise StoreError("forbid_unknown", value="、".join(sorted(set(forbidden) - offered)))
    whole = [patrol.joined(of_day) for of_day in zip(*plans, strict=True)]
    nobodys = nobodys_plots(
        county, rests, set(teams["township_id"]), township_ids, days[0], able=set(able["township_id"])
    )
    return [replace(one, unmet=pd.concat([one.unmet, nobodys], ignore_index=True)) for one in whole]


def checked_days(county: County, days: Sequence[str]) -> None:
    """Raises `StoreError` where one of the days is not of the county's season."""
    first, stop = (moment.astimezone(CHINA).date() for moment in (county.season.bounds[0], county.season.bounds[-1]))
    outside = [day for day in days if not first <= date.fromisoformat(day) < stop]
    if outside:
        last = stop - timedelta(days=1)
        raise StoreError("day_outside", value=outside[0], first=first.isoformat(), last=last.isoformat())


def pinned_hours(pinned: Collection[str], start_clock: float) -> tuple[list[str], dict[str, tuple[float, float]]]:
    """
    The ids of pins, and the seconds after setting out (at `start_clock` o'clock) of those that name their hours.

    >>> pinned_hours(["P1", "P2@09:00-10:30"], 8.5)
    (['P1', 'P2'], {'P2': (1800.0, 7200.0)})
    """
    ids: list[str] = []
    windows: dict[str, tuple[float, float]] = {}
    for pin in pinned:
        name, mark, span = pin.partition("@")
        ids.append(name)
        if mark:
            try:
                begin, end = (time.fromisoformat(one.strip()) for one in span.split("-"))
            except ValueError as error:
                raise StoreError("pin_hours_bad", value=pin) from error
            if end <= begin:
                raise StoreError("pin_hours_bad", value=pin)
            first_s, last_s = ((one.hour + one.minute / 60.0 - start_clock) * 3600.0 for one in (begin, end))
            windows[name] = first_s, last_s
    return ids, windows


def assigned_ground(county: County, township_id: str, day: str) -> shapely.Geometry | None:
    """The segments that standing assignments give to a township's teams on a day, as one area; None without any."""
    held = county.store.read("assignments")
    mine = held[(held["township_id"] == township_id) & held["withdrawn_at"].isna() & held["segment_id"].notna()]
    named = mine.loc[(mine["day"] <= day) & (mine["day_to"] >= day) & (mine["team_days_n"] > 0), "segment_id"]
    if named.empty:
        return None
    return shapely.union_all(county.store.read("segments", sorted(set(named))).geometry.to_numpy())


def accept_plan(county: County, plan: Plan, *, now: datetime, based_on: int | None = None) -> dict[str, Any] | None:
    """
    Keep a plan, as one decision in the ledger; it takes the place of what its teams were to do on that day.

    Parameters
    ----------
    based_on
        Ledger number up to which the planner had seen the county (None: all of it). Where one of the teams was given
        another plan for that day since, this one is kept as a clash and does not stand: accepted once more, by somebody
        who has seen both, it does.

    Returns
    -------
    The clash, as `plan_clashes` lists it; None where the plan stands.
    """
    teams = sorted(str(team) for team in plan.hours_used.index)
    body = {"day": plan.day, "teams": teams, "seed": plan.seed}
    body |= {"routes_n": len(plan.routes), "expected": plan.expected}

    def attempt() -> dict[str, Any] | None:
        routes = _in_place(county.store, "routes", plan.routes)  # read first: what comes after is refused by the store
        since = [] if based_on is None else county.store.entries(after=based_on)
        against = [entry.seq for entry in since if entry.kind == "plan" and _is_for(entry, plan.day, teams)]
        if against:
            told = body | {"based_on": based_on, "contradicts": against, "orders": _orders_of(plan)}
            return _clash_of(county.store.append(Entry("plan_conflict", told), now=now))
        county.store.append(Entry("plan", body), *routes, Change("stops", plan.stops, replace=True), now=now)
        return None

    return unless_moved(attempt)


def _in_place(store: Store, layer: str, rows: pd.DataFrame) -> list[Change]:
    """The rows as new ones or in place of those held now: the store refuses them where another's came in between."""
    key = SCHEMAS[layer].key
    held = store.read(layer, list(rows[key]))
    known = rows[key].isin(held[key])
    return [Change(layer, rows[~known]), Change(layer, rows[known], replace=True, before=held)]


def plan_clashes(county: County) -> list[dict[str, Any]]:
    """
    Plans accepted against another that their planner had not seen, until a later plan of the day decides.

    ``orders`` are each team's targets in walking order, as `arranging.arrange_day` takes them.
    """
    entries = [entry for entry in county.store.entries() if entry.kind in ("plan", "plan_conflict")]
    found = []
    for place, entry in enumerate(entries):
        body = entry.body
        later = (one for one in entries[place + 1 :] if one.kind == "plan")
        if entry.kind == "plan_conflict" and not any(_is_for(one, body["day"], body["teams"]) for one in later):
            found.append(_clash_of(entry))
    return found


def _clash_of(entry: Linked) -> dict[str, Any]:
    named = {name: entry.body[name] for name in ("day", "teams", "expected", "contradicts", "orders")}
    return {"seq": entry.seq, "at": entry.at, "role": entry.role} | named


def clash_shown(clash: dict[str, Any]) -> dict[str, str]:
    """What the sentence on a clash (``plan_clash``) names."""
    against = "、".join(str(seq) for seq in clash["contradicts"])
    shown = {"teams": "、".join(clash["teams"]), "against": against, "expected": f"{clash['expected']:.3f}"}
    return shown | {"seq": str(clash["seq"]), "day": clash["day"]}


def _is_for(entry: Linked, day: str, teams: Collection[str]) -> bool:
    """Whether a plan's entry gives one of the teams its day."""
    return entry.body["day"] == day and not set(teams).isdisjoint(entry.body.get("teams", ()))


def _orders_of(plan: Plan) -> dict[str, list[str]]:
    """Each team's targets in walking order."""
    stops = plan.stops[plan.stops["target_id"].notna()].sort_values("order_n", kind="stable")
    teams = dict(zip(plan.routes["route_id"], plan.routes["team_id"], strict=True))
    return {str(teams[route]): [str(one) for one in held["target_id"]] for route, held in stops.groupby("route_id")}


def seen_until(county: County) -> int:
    """Number of the county's last ledger entry, 0 without one: what a plan begun now rests on."""
    head = county.store.head()
    return head.seq if head else 0


def kept_routes(county: County, *, day: str | None = None) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """
    The routes that stand, and their stops; of all days, or of one.

    A store never deletes: of each team and day the last plan counts, and rows it does not name are superseded.
    """
    last: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in county.store.entries():
        if entry.kind == "plan":
            last |= {(entry.body["day"], team): entry.body.get("rows", {}) for team in entry.body.get("teams", ())}
    routes, stops = (gpd.GeoDataFrame(county.store.read(layer)) for layer in ("routes", "stops"))
    named = [last.get(key, {}) for key in zip(routes["day"], routes["team_id"], strict=True)]
    stands = [route in rows.get("routes", {}) for route, rows in zip(routes["route_id"], named, strict=True)]
    standing = routes[np.array(stands, bool) & ((routes["day"] == day) if day else True)].reset_index(drop=True)
    listed = {stop for rows in last.values() for stop in rows.get("stops", {})}
    belongs = stops["route_id"].isin(standing["route_id"]) & stops["stop_id"].isin(listed)
    return standing, stops[belongs].reset_index(drop=True)


def export_routes(
    county: County,
    format: str,  # noqa: A002
    *,
    day: str | None = None,
    team_id: str | None = None,
) -> dict[str, bytes]:
    """
    File name to content of every standing route, in one of ``formats.ROUTE_FORMS``; of one day or one team where named.

    Raises `StoreError` where there is none.
    """
    routes, stops = kept_routes(county, day=day)
    if team_id is not None:
        routes = routes[routes["team_id"] == team_id].reset_index(drop=True)
        stops = stops[stops["route_id"].isin(routes["route_id"])].reset_index(drop=True)
    if routes.empty:
        raise StoreError("routes_missing")
    return write_routes(format, routes, stops, county.crs)


def special_teams(county: County, township_ids: list[str] | None) -> pd.DataFrame:
    """Special teams with a township and its office as their start."""
    teams, offices = county.store.read("teams"), county.store.read("offices")
    teams = teams[(teams["kind"] == "专班") & teams["township_id"].notna()]
    if township_ids:
        unknown = [one for one in township_ids if one not in set(county.store.read("townships")["township_id"])]
        if unknown:
            raise StoreError("township_unknown", value="、".join(unknown))
        teams = teams[teams["township_id"].isin(township_ids)]
    starts = offices.drop_duplicates("township_id").set_index("township_id").geometry
    teams = teams[teams["township_id"].isin(starts.index)]
    if teams.empty:
        raise StoreError("teams_missing")
    places = gpd.GeoSeries(starts.loc[teams["township_id"]].to_numpy())
    return teams.assign(easting_m=places.x.to_numpy(), northing_m=places.y.to_numpy()).reset_index(drop=True)


def _nearest(teams: pd.DataFrame, most: int, area: shapely.Geometry | None) -> pd.DataFrame:
    """At most so many of the teams: one of each township before a second of any, the nearest to the area first."""
    places = shapely.points(teams["easting_m"], teams["northing_m"])
    far = 0.0 if area is None else shapely.distance(places, area)
    turn = teams.groupby("township_id").cumcount()
    order = teams.assign(turn=turn, far=far).sort_values(["turn", "far", "team_id"], kind="stable").index
    return teams.loc[sorted(order[:most])].reset_index(drop=True)


def _reinforced(teams: pd.DataFrame, extra: int) -> pd.DataFrame:
    """The teams, and `extra` more in each township, from the same office as its first."""
    first = teams.drop_duplicates("township_id")
    more = [first.assign(team_id=first["team_id"] + f"+{n}", name=first["name"] + f"+{n}") for n in range(1, extra + 1)]
    return pd.concat([teams, *more], ignore_index=True) if more else teams


def following(day: str, n: int) -> list[str]:
    """
    A day and those after it, `n` in all.

    >>> following("2026-02-27", 3)
    ['2026-02-27', '2026-02-28', '2026-03-01']
    """
    return [str(date.fromisoformat(day) + timedelta(days=k)) for k in range(n)]


def next_day(county: County) -> str:
    """The day after the last record, in China."""
    return str((county.as_of().astimezone(CHINA) + timedelta(days=1)).date())


def expected_by_kind(plan: Plan) -> dict[str, float]:
    """
    Expected finds by kind of stop; together they are the plan's.

    A flagged plot counts by its suspicion, ground and courtyards by the township's prior: two things that do not rest
    on the same evidence, and are told apart.
    """
    gains = plan.stops[plan.stops["target_id"].notna()].groupby("kind")["gain"].sum()
    return {str(kind): float(gain) for kind, gain in gains.items()}


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as plain values: what it expects to find, the bound without travel, routes, stops and what is unmet."""
    return {
        "day": plan.day,
        "seed": plan.seed,
        "expected": plan.expected,
        "expected_by_kind": expected_by_kind(plan),
        "bound": plan.bound,
        "tighter_bound": plan.tighter_bound,
        "share_of_bound": plan.expected / plan.bound if plan.bound else None,
        "budget_h": plan.budget_h,
        "hours_used": {str(team): float(hours) for team, hours in plan.hours_used.items()},
        "routes": pd.DataFrame(plan.routes.drop(columns="geometry")).to_dict("records"),
        "stops": pd.DataFrame(plan.stops.drop(columns="geometry")).to_dict("records"),
        "unmet": plan.unmet.to_dict("records"),
    }
