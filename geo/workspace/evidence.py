"""What a place rests on: who answers, who walked by, when, how near, in whose sight, and what that adds up to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis import attribution
from geo.analysis import lookouts as watching
from geo.analysis.attribution import Area
from geo.analysis.detection import HAZARD_UNITS, pod
from geo.crs import to_metric
from geo.errors import StoreError
from geo.grid import Grid
from geo.layers.duties import post_of
from geo.layers.terrain import COVER_NAMES, PLANTABLE, Cover, Terrain
from geo.layers.tracks import Mode
from geo.season import CHINA, Stage
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County

NEAR_M = 50.0
MARGIN_CELLS = 4
LOOKS = (
    "track_id", "team_id", "mode", "month", "day", "nearest_m", "nearest_seen_m", "within_m", "seen_m", "speed_factor",
    "units", "hazard", "pod", "visible", "reason",
)  # fmt: skip
"""Columns of `Evidence.tracks`."""


@dataclass(frozen=True)
class Evidence:
    """
    Everything known about one cell; `pod` is None where nothing can be planted.

    `tracks` has one row per track and month with `LOOKS`: nearest distance and nearest in line of sight, metres
    walked within reach and of those in sight, mean speed factor, and what it added: `units` of 1/65536 nat, the same
    in nats, and the POD of that alone. `reason` says why a track added nothing. A lookout is a row too, its id as
    `track_id`, mode ``lookout``, and so are flights (``drone``) and passes (``satellite``), which have a POD and no
    units. `periods` holds per month the sum of the units, the POD of second sensors (`air`) and the POD of both: the
    numbers of the map, unit for unit. `visits` are those of the `parcels` here, the oldest first: a form leaves no
    track.
    """

    as_of: datetime
    assumptions: dict[str, Any]
    ledger_head: str | None
    township_id: str | None
    township: str | None
    posts: str | None
    elevation_m: float | None
    cover: str
    stage: str
    pod: float | None
    periods: list[dict[str, Any]]
    tracks: pd.DataFrame
    parcels: pd.DataFrame
    finds: pd.DataFrame
    visits: pd.DataFrame
    border_id: str | None
    both_answer: bool

    @property
    def units(self) -> int:
        """The cell's hazard of the season, units of 1/65536 nat."""
        return sum(int(period["units"]) for period in self.periods)

    def json(self) -> dict[str, Any]:
        """The explanation as one plain object; a time is ISO text, what is not known null."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__}
        tables = {name: _plain_rows(plain[name]) for name in ("tracks", "parcels", "finds", "visits")}
        moment = {"as_of": self.as_of.isoformat()}
        return {"what": "cell"} | plain | tables | moment | {"units": self.units}


def evidence_at(
    county: County,
    longitude: float,
    latitude: float,
    *,
    as_of: datetime | None = None,
    edges: gpd.GeoDataFrame | None = None,
    tracks: gpd.GeoDataFrame | None = None,
) -> Evidence:
    """
    The evidence of the cell at WGS 84 degrees: each track's distance and sight, and the hazard it alone added.

    `edges` and `tracks` are the county's jurisdiction edges and its tracks until `as_of`, where the caller holds them
    already; reading them anew for every question is what makes a click slow.

    Raises
    ------
    StoreError
        Outside the county's frame, or without terrain.
    Denied
        Outside the ground of whom the county was opened for.
    """
    moment = as_of or county.as_of()
    east, north = to_metric(longitude, latitude, county.crs)
    easting, northing = float(east), float(north)
    if not bool(county.frame.holds(easting, northing)):
        raise StoreError("evidence_outside")
    county.require_inside(easting, northing)
    near = _lookouts_near(county, moment, point=shapely.Point(easting, northing))
    terrain = _around(county, easting, northing, reach_m=_furthest(county, near, easting, northing))
    row, col = (int(v) for v in county.frame.cells(easting, northing))
    height = float(terrain.elevation.values[row, col])
    cover = Cover(int(terrain.cover.values[row, col]))
    point = shapely.Point(easting, northing)
    townships = county.store.read("townships")
    here = townships[townships.geometry.contains(point)]
    township = str(here["township_id"].iloc[0]) if len(here) else None
    stage = Stage(int(county.season.stage_of(county.season.day_of(moment), height if height == height else 1000.0)))
    border, both = _border(effort.edges_and_strips(county)[0] if edges is None else edges, point)
    walked = effort.tracks_until(county.whole, moment) if tracks is None else tracks
    looks, months = _looks(county, terrain, (row, col), walked, near)
    glances = _glances(county, (row, col), moment)
    looks = pd.concat([looks, glances[list(LOOKS)]], ignore_index=True) if len(glances) else looks
    for period, month in enumerate(months):
        month["air"] = 1.0 - float(np.prod(1.0 - glances.loc[glances["period"] == period, "pod"].to_numpy(float)))
        month["pod"] = 1.0 - (1.0 - month["pod"]) * (1.0 - month["air"])
    plantable = cover in PLANTABLE and height == height
    missed = float(np.prod([1.0 - month["pod"] for month in months]))
    head = county.store.head()
    parcels, visits = _near(county.store.read("parcels"), point), county.store.read("visits")
    visits = visits[visits["parcel_id"].isin(parcels["parcel_id"]) & (visits["visited_at"] <= moment)]
    return Evidence(
        as_of=moment,
        assumptions=assumptions(county.settings),
        ledger_head=head.hash if head else None,
        township_id=township,
        township=str(here["name"].iloc[0]) if len(here) else None,
        posts=post_of(township, county.store.read("duties"), moment) if township else None,
        elevation_m=height if height == height else None,
        cover=next((name for name, known in COVER_NAMES.items() if known == cover), cover.name.lower()),
        stage=stage.name.lower(),
        pod=1.0 - missed if plantable else None,
        periods=months,
        tracks=looks,
        parcels=parcels,
        finds=_near(county.store.read("finds"), point),
        visits=pd.DataFrame(visits.drop(columns="geometry")).sort_values("visited_at"),
        border_id=border,
        both_answer=both,
    )


def _lookouts_near(county: County, moment: datetime, *, point: Any) -> gpd.GeoDataFrame:
    """Lookouts that may have seen the place."""
    held = effort.lookouts_until(county, moment)
    return held[held.geometry.distance(point) <= county.settings.lookouts.reach_m].reset_index(drop=True)


def _furthest(county: County, lookouts: gpd.GeoDataFrame, easting: float, northing: float) -> float:
    """Metres of ground around the place over which somebody looked at it."""
    far = lookouts.geometry.distance(shapely.Point(easting, northing))
    return max(county.settings.detection.reach_m, float(far.max()) if len(far) else 0.0)


def _around(county: County, easting: float, northing: float, *, reach_m: float) -> Terrain:
    """The ground within reach of the place, on the whole frame: every cut falls where it falls for the map."""
    if not county.has_terrain():
        raise StoreError("terrain_missing", path=county.path.name)
    frame = county.frame
    row, col = (int(v) for v in frame.cells(easting, northing))
    margin = int(reach_m / frame.cell_m) + MARGIN_CELLS
    window = frame.window(row - margin, col - margin, 2 * margin + 1, 2 * margin + 1)
    top, left = (int(v) for v in frame.cells(window.west_m + 0.5 * frame.cell_m, window.north_m - 0.5 * frame.cell_m))
    here = np.s_[top : top + window.rows, left : left + window.cols]
    elevation, cover = (
        np.zeros(frame.shape, np.float32),
        np.zeros(frame.shape, np.uint8),
    )
    elevation[here] = grids.read_grid(county.path, "elevation", window).values
    held = grids.has_grid(county.path, "cover")
    cover[here] = grids.read_grid(county.path, "cover", window).values if held else Cover.OPEN
    return Terrain(Grid(elevation, frame), Grid(cover, frame), county.settings.cell_m)


def _looks(
    county: County, terrain: Terrain, cell: tuple[int, int], tracks: gpd.GeoDataFrame, lookouts: gpd.GeoDataFrame
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Every track and lookout within reach by month, the strongest first, and the sums per month."""
    settings, frame = county.settings.detection, terrain.elevation.frame
    east, north = (float(v) for v in frame.centres(*cell))
    within = tracks.sindex.query(shapely.Point(east, north), predicate="dwithin", distance=settings.reach_m, sort=True)
    near = tracks.iloc[within].reset_index(drop=True)
    pieces, period = effort.pieces_of(county, near)
    area = Area(np.array([cell[0] * frame.cols + cell[1]]), np.ones(1), frame)
    ground = (area, terrain, county.season, settings)
    parts = list(attribution.parts_of(pieces, period, *ground))
    parts += watching.lookout_parts(lookouts, *ground, county.settings.lookouts, first=len(near))
    added = {(part.source, part.period): int(part.units.sum()) for part in parts}
    labels = [f"{year}-{month:02d}" for year, month in county.season.months]
    rows = []
    for source in range(len(near)):
        one = near.iloc[source]
        spans = sorted(set(period[pieces.track == source].tolist())) or [-1]
        for when in spans:
            mine = pieces.take((pieces.track == source) & (period == when))
            passed = attribution.sight(mine, east, north, terrain, settings)
            units = added.get((source, when), 0)
            away = float(one.geometry.distance(shapely.Point(east, north)))
            dark = not units and len(mine) > 0 and not effort.light_at(county, mine.seconds).any()
            rows.append(_look(one, labels, when, passed, away, units, settings.availability, dark=dark))
    watched_in = county.season.period_of(lookouts["started_at"])
    for number in range(len(lookouts)):
        one, when = lookouts.iloc[number], int(watched_in[number])
        units = added.get((len(near) + number, when), 0)
        rows.append(_watch(one, labels, when, (east, north), units, settings.availability))
    looks = pd.DataFrame(rows, columns=list(LOOKS)).sort_values("units", ascending=False, kind="stable")
    totals = attribution.totals_of(parts, area, len(labels))
    chance = pod(totals, settings.availability)[:, 0]
    periods = [
        {"month": label, "units": int(units), "hazard": int(units) / HAZARD_UNITS, "pod": float(p)}
        for label, units, p in zip(labels, totals[:, 0], chance, strict=True)
    ]
    return looks.reset_index(drop=True), periods


def _look(
    track: pd.Series,
    labels: list[str],
    when: int,
    passed: Any,
    away_m: float,
    units: int,
    availability: float,
    *,
    dark: bool,
) -> dict[str, Any]:
    """One row of `LOOKS`."""
    within, seen, nearest, nearest_seen, factor = (float(v) for v in passed)
    nats = units / HAZARD_UNITS
    why = "look_dark" if dark else _why_nothing(str(track["mode"]), when, within, seen, factor)
    return {
        "track_id": track["track_id"],
        "team_id": track["team_id"],
        "mode": str(track["mode"]),
        "month": labels[when] if when >= 0 else None,
        "day": f"{track['started_at'].astimezone(CHINA):%Y-%m-%d}",
        "nearest_m": nearest if nearest == nearest else away_m,
        "nearest_seen_m": nearest_seen if nearest_seen == nearest_seen else None,
        "within_m": within,
        "seen_m": seen,
        "speed_factor": factor if factor == factor else None,
        "units": units,
        "hazard": nats,
        "pod": availability * (1.0 - float(np.exp(-nats))),
        "visible": seen > 0.0,
        "reason": None if units else why,
    }


def _watch(
    lookout: Any, labels: list[str], when: int, place: tuple[float, float], units: int, availability: float
) -> dict[str, Any]:
    """One row of `LOOKS` for a lookout: distances are those of the point watched from."""
    away, nats = float(lookout["geometry"].distance(shapely.Point(*place))), units / HAZARD_UNITS
    return dict.fromkeys(LOOKS) | {
        "track_id": lookout["lookout_id"],
        "team_id": lookout["team_id"],
        "mode": "lookout",
        "month": labels[when],
        "day": f"{lookout['started_at'].astimezone(CHINA):%Y-%m-%d}",
        "nearest_m": away,
        "nearest_seen_m": away if units else None,
        "units": units,
        "hazard": nats,
        "pod": availability * (1.0 - float(np.exp(-nats))),
        "visible": units > 0,
        "reason": None if units else "look_unseen",
    }


def _glances(county: County, cell: tuple[int, int], moment: datetime) -> pd.DataFrame:
    """Flights within reach of the cell and every pass: `LOOKS` with the POD of each there, and ``period``."""
    columns = [*LOOKS, "period"]
    overhead = effort.overhead_until(county.whole, moment)
    frame, reach_m = county.frame, county.settings.sensors.reach_m
    place = shapely.Point(*(float(v) for v in frame.centres(*cell)))
    away = overhead.flights.geometry.distance(place)
    near = effort.Overhead(gpd.GeoDataFrame(overhead.flights[away <= reach_m + frame.cell_m]), overhead.passes)
    if not len(near.flights) + len(near.passes):
        return pd.DataFrame(columns=columns)
    margin = int(reach_m / frame.cell_m) + MARGIN_CELLS
    window = frame.window(cell[0] - margin, cell[1] - margin, 2 * margin + 1, 2 * margin + 1)
    elevation = grids.read_grid(county.path, "elevation", window)
    known = grids.has_grid(county.path, "cover")
    cover = grids.read_grid(county.path, "cover", window) if known else Grid(np.ones(window.shape, np.uint8), window)
    row, col = (int(v) for v in window.cells(place.x, place.y))
    looks = near.looks(county, Terrain(elevation, cover, county.settings.cell_m))
    seen = {name: float(values[row, col]) for name, values in looks}
    taken = overhead.flights.groupby("flight_id")["taken_at"].min()
    rows: list[tuple[str, str, Any, float | None]] = [
        (str(name), "drone", taken[name], float(away[images.index].min()))
        for name, images in near.flights.groupby("flight_id")
    ]
    rows += [
        (name, "satellite", at, None) for name, at in zip(near.passes["pass_id"], near.passes["taken_at"], strict=True)
    ]
    labels = [f"{year}-{month:02d}" for year, month in county.season.months]
    table = []
    for name, mode, at, nearest in rows:
        period, chance = int(county.season.period_of(pd.Series([at]))[0]), seen.get(name, 0.0)
        table.append(
            dict.fromkeys(LOOKS)
            | {"track_id": name, "mode": mode, "nearest_m": nearest, "units": 0, "hazard": 0.0, "pod": chance}
            | {"month": labels[period], "day": f"{at.astimezone(CHINA):%Y-%m-%d}", "visible": chance > 0.0}
            | {"reason": None if chance > 0.0 else "look_not_shown", "period": period}
        )
    return pd.DataFrame(table, columns=columns)


def _why_nothing(mode: str, when: int, within: float, seen: float, factor: float) -> str:
    """Code of the reason why a track within reach added nothing."""
    if mode != Mode.FOOT:
        return "look_not_on_foot"
    if when < 0 or within == 0.0:
        return "look_not_walked"
    if seen == 0.0:
        return "look_hidden"
    return "look_too_fast" if factor == 0.0 else "look_no_width"


def _border(edges: gpd.GeoDataFrame, point: Any) -> tuple[str | None, bool]:
    """The nearest edge within its strip, and whether the place is inside the line's own error (双方共管)."""
    distance = edges.geometry.distance(point)
    if not len(edges) or distance.min() > edges.loc[distance.idxmin(), "strip_m"]:
        return None, False
    nearest = edges.loc[distance.idxmin()]
    return str(nearest["border_id"]), bool(distance.min() <= nearest["line_accuracy_m"])


def _near(rows: gpd.GeoDataFrame, point: Any) -> pd.DataFrame:
    """Rows within 50 m of the place, nearest first, without their geometry."""
    placed = rows[rows.geometry.notna()]
    distance = placed.geometry.distance(point)
    held = placed[distance <= NEAR_M]
    return pd.DataFrame(held.drop(columns="geometry")).assign(distance_m=distance[held.index]).sort_values("distance_m")


def _plain_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON takes them: times as ISO text, what is missing as null."""
    plain = rows.astype(object).where(rows.notna(), None)
    return [
        {str(name): value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
        for row in plain.to_dict("records")
    ]
