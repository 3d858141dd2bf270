"""A team's day: its route with what was done at each stop, a look recorded at a tap, and what its track was worth."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.debrief import Fate
from geo.layers.tracks import Mode, fixes_of
from geo.layers.visits import Evidence
from geo.season import CHINA
from geo.workspace.county import County
from geo.workspace.debriefing import debrief_day
from geo.workspace.handing import route_files, route_pdf
from geo.workspace.planning import kept_routes
from geo.workspace.recording import Recorded, record_visit

NEAR_M = 60.0
GAP = timedelta(minutes=5)
NO_STOP = ("start", "end", "base")
NOTHING, FOUND = "未发现", "发现"


@dataclass(frozen=True)
class Outing:
    """
    One team's route of one day.

    `stops`: in walking order, with ``longitude, latitude`` (WGS 84 degrees), ``parcel_id`` (None where the stop is no
    parcel) and ``done``: 发现, 未发现, 无法到达, 核查排除, or None while nobody said so.
    """

    route: dict[str, Any]
    line: Any
    stops: pd.DataFrame


@dataclass(frozen=True)
class Walk:
    """
    What a team's tracks of some days amount to.

    Parameters
    ----------
    length_m, hours
        On foot; `vehicle_m` beside it, which counts for nothing.
    gaps_n, longest_gap_min
        Times of more than five minutes without a fix.
    planned
        Per route of the team on those days the shares of its ground by fate (see ``debriefing``); empty without one.
    missed
        Names of its stops that no track of the day came near.
    """

    tracks_n: int
    length_m: float
    vehicle_m: float
    hours: float
    gaps_n: int
    longest_gap_min: float
    planned: list[dict[str, Any]]
    missed: list[str]

    @property
    def seen_share(self) -> float | None:
        """Share of the planned ground that was seen, over all its routes; None without one."""
        weights = [one["planned_ha"] for one in self.planned]
        if not sum(weights):
            return None
        seen = [one[f"{Fate.SEEN.value}_share"] or 0.0 for one in self.planned]
        return float(np.average(seen, weights=weights))


def outings_of(county: County, team_id: str) -> list[Outing]:
    """The team's standing routes, the latest day first."""
    routes, stops = kept_routes(county)
    own = routes[routes["team_id"] == team_id].sort_values("day", ascending=False)
    visits, finds = (gpd.GeoDataFrame(county.store.read(layer)) for layer in ("visits", "finds"))
    parcels = set(county.store.read("parcels")["parcel_id"])
    return [
        _outing(row, stops[stops["route_id"] == row["route_id"]], visits, finds, parcels, county)
        for row in own.to_dict("records")
    ]


def _outing(
    route: dict[Any, Any], stops: gpd.GeoDataFrame, visits: pd.DataFrame, finds: pd.DataFrame, parcels: set[str],
    county: County,
) -> Outing:  # fmt: skip
    held = gpd.GeoDataFrame(stops[~stops["kind"].isin(NO_STOP)].sort_values("order_n").reset_index(drop=True))
    places = held.geometry.to_crs(4326)
    keys = [one if one in parcels else None for one in held["target_id"]]
    begin = pd.Timestamp(route["day"], tz=CHINA)
    looked = visits[visits["visited_at"] >= begin]
    found = finds[finds["found_at"] >= begin]
    looked, found = (table[table["team_id"] == route["team_id"]] for table in (looked, found))
    done = [_done(key, place, looked, found) for key, place in zip(keys, held.geometry, strict=True)]
    plain = pd.DataFrame(held.drop(columns="geometry"))
    return Outing(
        {str(name): value for name, value in route.items() if name != "geometry"},
        route["geometry"],
        plain.assign(
            longitude=places.x,
            latitude=places.y,
            parcel_id=pd.Series(keys, dtype=object),
            done=pd.Series(done, dtype=object),
        ),
    )


def _done(parcel_id: str | None, place: Any, visits: pd.DataFrame, finds: pd.DataFrame) -> str | None:
    """What the team said of a stop since the route's day: by its parcel or, where it is none, by the place."""
    for table, said in ((finds, None), (visits, "outcome")):
        own = table[table["parcel_id"] == parcel_id] if parcel_id else table[_near(table, place)]
        if len(own):
            return FOUND if said is None else str(own[said].iloc[-1])
    return None


def _near(table: pd.DataFrame, place: Any) -> Any:
    shapes = table["geometry"].to_numpy()
    return shapely.dwithin(shapes, place, NEAR_M) if len(shapes) else np.zeros(0, bool)


def record_look(county: County, outing: Outing, stop: dict[str, Any], outcome: str, *, now: datetime) -> Recorded:
    """
    A stop looked at, at a tap: with the team's track of that day near it the visit is class A, without one class C.

    A route of an earlier day is reported at its noon, one of today or later now.
    """
    team, day = outing.route["team_id"], outing.route["day"]
    noon = datetime.combine(datetime.fromisoformat(day).date(), time(12), CHINA)
    values: dict[str, Any] = {"team_id": team, "outcome": outcome, "visited_at": min(noon, now)}
    values |= {name: stop[name] for name in ("parcel_id", "longitude", "latitude") if pd.notna(stop[name])}
    track = _track_near(county, team, day, stop)
    values |= {"evidence": Evidence.A, "track_id": track} if track else {"evidence": Evidence.C}
    return record_visit(county.store, values, now=now)


def _track_near(county: County, team: str, day: str, stop: dict[str, Any]) -> str | None:
    tracks = _tracks_of(county, team, {day})
    if tracks.empty:
        return None
    place = gpd.GeoSeries.from_xy([stop["longitude"]], [stop["latitude"]], crs=4326).to_crs(county.crs).iloc[0]
    near = tracks[tracks.dwithin(place, NEAR_M)]
    return None if near.empty else str(near["track_id"].iloc[0])


def _tracks_of(county: County, team: str, days: set[str]) -> gpd.GeoDataFrame:
    """The team's foot tracks begun on those days, China time."""
    tracks = gpd.GeoDataFrame(county.store.read_where("tracks", "team_id", team))
    begun = tracks["started_at"].dt.tz_convert(CHINA).dt.strftime("%Y-%m-%d")
    return gpd.GeoDataFrame(tracks[begun.isin(days) & (tracks["mode"] == Mode.FOOT)].reset_index(drop=True))


def days_of(county: County, track_ids: list[str]) -> list[str]:
    """The days, China time, on which tracks began."""
    tracks = county.store.read("tracks", track_ids)
    return sorted(set(tracks["started_at"].dt.tz_convert(CHINA).dt.strftime("%Y-%m-%d")))


def walk_of(county: County, team_id: str, track_ids: list[str]) -> Walk:
    """What some tracks of a team amount to, beside what it was to walk on the days they began."""
    tracks = gpd.GeoDataFrame(county.store.read("tracks", track_ids))
    foot = gpd.GeoDataFrame(tracks[tracks["mode"] == Mode.FOOT].reset_index(drop=True))
    fixes = fixes_of(foot)
    seconds = fixes["seconds"].to_numpy()
    pause = np.diff(seconds)[np.diff(fixes["track"].to_numpy()) == 0]
    gaps = pause[pause > GAP.total_seconds()]
    spent = (foot["ended_at"] - foot["started_at"]).dt.total_seconds().sum() / 3600.0
    days = days_of(county, track_ids)
    planned, missed = [], []
    routes, stops = kept_routes(county)
    own = routes[(routes["team_id"] == team_id) & routes["day"].isin(days)]
    for row in own.to_dict("records"):
        if county.has_terrain():
            planned += debrief_day(county, day=row["day"], team_id=team_id)
        walked = _tracks_of(county, team_id, {row["day"]}).geometry.union_all()
        listed = stops[(stops["route_id"] == row["route_id"]) & ~stops["kind"].isin(NO_STOP)].sort_values("order_n")
        far = ~listed.geometry.dwithin(walked, NEAR_M)
        missed += [f"{one['order_n']} {_short(one['name'])}" for one in listed[far].to_dict("records")]
    vehicle = float(tracks.loc[tracks["mode"] != Mode.FOOT, "length_m"].sum())
    longest = float(gaps.max() / 60.0) if len(gaps) else 0.0
    return Walk(len(tracks), float(foot["length_m"].sum()), vehicle, float(spent), len(gaps), longest, planned, missed)


def outing_files(county: County, outing: Outing) -> dict[str, bytes]:
    """The route as files for phones and handhelds, by name."""
    route, stops = _standing(county, outing)
    return dict(route_files(county, route, stops))


def outing_sheet(county: County, outing: Outing) -> bytes:
    """The route as the A4 sheet, PDF."""
    return route_pdf(county, *_standing(county, outing))


def _standing(county: County, outing: Outing) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    routes, stops = kept_routes(county, day=outing.route["day"])
    mine = stops[stops["route_id"] == outing.route["route_id"]].sort_values("order_n")
    return routes[routes["route_id"] == outing.route["route_id"]], mine


def _short(name: str) -> str:
    """A stop's name without the number its file gives it."""
    return name.split(" ", 1)[-1]
