"""The season's schedule: gathered from what is known, proposed, kept as numbered assignments, planned anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio.features
import shapely
from affine import Affine

from geo.analysis import campaigns, scheduling
from geo.analysis.campaigns import Campaign, Due, Edge, Piece, Schedule, TeamDay
from geo.analysis.rounds import due_windows, season_rounds, spring_festival
from geo.analysis.targets import budget_s
from geo.crs import to_degrees
from geo.errors import LayerError, StoreError
from geo.layers import SCHEMAS
from geo.layers.borders import ENCLAVE, UNKNOWN
from geo.layers.parcels import OPEN
from geo.layers.segments import Mode, Purpose
from geo.layers.terrain import COVER_NAMES
from geo.ledger import Entry
from geo.season import CHINA
from geo.store import Change, grids
from geo.words import Language, say
from geo.workspace.assignments import standing_assignments
from geo.workspace.county import County
from geo.workspace.covering import measure_borders
from geo.workspace.life import recheck_calendar
from geo.workspace.map_papers import meeting_point
from geo.workspace.planning import checked_days, next_day
from geo.workspace.preparing import Rests, gather, ground_of
from geo.workspace.segmenting import segments_of

BLOCK_CELLS = 5
SOON_DAYS = 7
Progress = Callable[[str, int, int], None]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SeasonPlan:
    """
    A season proposed from a day on.

    Parameters
    ----------
    assignments
        Layer `assignments`, numbered on from those the store has.
    schedule
        Team-days behind them.
    township_ids
        Townships by position in the schedule.
    withdrawn
        Ids of assignments on foot it would take the place of: not done, and their last day not over.
    from_day, season
        First day planned, ISO; year.
    assumptions
        What it rests on: settings, teams and workdays.
    """

    assignments: gpd.GeoDataFrame
    schedule: Schedule
    township_ids: list[str]
    withdrawn: list[str]
    from_day: str
    season: int
    assumptions: dict[str, Any]

    def sentences(self, language: Language) -> list[str]:
        """What the season is expected to find beside spreading and bound, what that rests on, and what gives way."""
        figures = {name: f"{getattr(self.schedule, name):.2f}" for name in ("expected", "even", "bound")}
        about = {"n": len(self.assignments), "days": len(self.schedule.days)}
        begins, rests = date.fromisoformat(self.from_day), self.assumptions
        shares = {name: f"{rests[name]:.0%}" for name in ("weather_share", "explore_share")}
        shares |= {"teams": rests["teams_n"], "days": rests["workdays_n"], "prior": rests["prior"]}
        told = [
            say("season_made", language, from_day=begins, **about, **figures),
            say("season_rests", language, **shares),
        ]
        return [*told, say("season_withdrawn", language, n=len(self.withdrawn))] if self.withdrawn else told

    def json(self) -> dict[str, Any]:
        """One plain object."""
        by_home = pd.Series([self.township_ids[one.home] for one in self.schedule.days], dtype=object).value_counts()
        free = self.schedule.kept_free_n.tolist()
        return {
            "from_day": self.from_day,
            "season": self.season,
            "assumptions": self.assumptions,
            "expected": self.schedule.expected,
            "expected_even": self.schedule.even,
            "bound": self.schedule.bound,
            "share_of_bound": self.schedule.expected / self.schedule.bound if self.schedule.bound else None,
            "unmet": [{"id": name, "reason": reason} for name, reason in self.schedule.unmet],
            "withdrawn": self.withdrawn,
            "townships": [
                {"township_id": one, "team_days_n": int(by_home.get(one, 0)), "kept_free_n": int(free[n])}
                for n, one in enumerate(self.township_ids)
            ],
            "assignments": plain_assignments(self.assignments),
        }


def plan_season(
    county: County,
    *,
    now: datetime,
    from_day: str | None = None,
    off_days: Sequence[str] = (),
    seed: int = 7,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SeasonPlan:
    """
    Every team's days from `from_day` (default: the day after the last record) to the season's end; nothing is kept.

    What has been walked counts by what it has seen: mass already found out is not planned again.

    Parameters
    ----------
    now
        When segments count as made, where the county has none yet.
    off_days
        Days lost to weather and the like beside those in the settings, ISO.

    Raises
    ------
    StoreError, LayerError
        No terrain, no teams, a day that is none, or one outside the season.
    """
    start = from_day or next_day(county)
    checked_days(county, [start])
    segments = segments_of(county, now=now, progress=progress)
    rests = gather(county, progress=progress)
    ids = [str(one) for one in rests.townships["township_id"]]
    days = workdays(county, start, off_days)
    campaign = _campaign(county, rests, segments, ids, days, progress)
    tell = (lambda share: progress("schedule", round(100 * share), 100)) if progress else None
    rng = np.random.default_rng(seed)
    made = scheduling.schedule(
        campaign, rng, variety=county.settings.scheduling.variety, progress=tell, cancelled=cancelled
    )
    held = standing_assignments(county)
    flown = held["purpose"] == Purpose.FLIGHT  # drone tasks are planned by themselves (`aerial.plan_flights`)
    todo = held[~held["done"] & ~flown & (held["due_to"] >= start)]
    table = _assignments(county, made, segments, ids, start, now)
    knobs = county.settings
    told = {"hours": knobs.planning.hours, "reserve": knobs.planning.reserve, "prior": knobs.absence.prior}
    told |= {"weather_share": knobs.scheduling.weather_share, "explore_share": knobs.scheduling.explore_share}
    told |= {"teams_n": int(campaign.teams_n.sum()), "workdays_n": len(days), "seed": seed}
    withdrawn = sorted(str(one) for one in todo["assignment_id"])
    return SeasonPlan(table, made, ids, withdrawn, start, county.settings.season, told)


def accept_season(county: County, plan: SeasonPlan, *, now: datetime) -> None:
    """Keep a season's plan as one decision in the ledger; what it takes the place of is marked withdrawn, not lost."""
    held = gpd.GeoDataFrame(county.store.read("assignments", plan.withdrawn)) if plan.withdrawn else None
    body = {"from_day": plan.from_day, "assignments_n": len(plan.assignments), "withdrawn": plan.withdrawn}
    changes = [Change("assignments", plan.assignments)] if len(plan.assignments) else []
    if held is not None and len(held):
        gone = held.assign(withdrawn_at=pd.Series([now] * len(held), index=held.index, dtype="datetime64[ms, UTC]"))
        changes.append(Change("assignments", gone, replace=True, before=held))
    told = {"expected": plan.schedule.expected, "bound": plan.schedule.bound}
    try:
        county.store.append(Entry("season_plan", body | told), *changes, now=now)
    except StoreError as refused:
        if refused.code not in ("key_exists", "store_moved"):
            raise
        raise StoreError("season_moved") from refused


def workdays(county: County, start: str, off_days: Sequence[str] = ()) -> npt.NDArray[np.int64]:
    """Days after 1 January on which teams are out, from `start` to the season's end."""
    year, knobs = county.settings.season, county.settings.scheduling
    first, last = (moment.astimezone(CHINA).date() for moment in (county.season.bounds[0], county.season.bounds[-1]))
    eve, rest = knobs.spring_off
    spring = spring_festival(year)
    off = {spring + timedelta(days=n) for n in range(-eve, rest + 1)}
    off |= {_date(text, year) for text in (*knobs.off_days, *off_days)}
    day, found = max(first, _date(start, year)), []
    while day < last:
        if day not in off and day.weekday() not in knobs.rest_weekdays:
            found.append((day - date(year, 1, 1)).days)
        day += timedelta(days=1)
    return np.array(found, np.int64)


def _date(text: str, year: int) -> date:
    try:
        return date.fromisoformat(text if len(text) > 5 else f"{year}-{text}")
    except ValueError as error:
        raise LayerError("day_bad", value=text) from error


def _campaign(
    county: County,
    rests: Rests,
    segments: gpd.GeoDataFrame,
    ids: list[str],
    days: npt.NDArray[np.int64],
    progress: Progress | None,
) -> Campaign:
    knobs, plan = county.settings.scheduling, county.settings.planning
    teams = county.store.read("teams")
    special = teams[(teams["kind"] == "专班") & teams["township_id"].isin(ids)]
    teams_n = np.array([int((special["township_id"] == one).sum()) for one in ids], np.int64)
    if not teams_n.sum():
        raise StoreError("teams_missing")
    edges = measure_borders(county).borders
    rounds = season_rounds(county.season, county.settings.campaign)
    pieces: list[Piece] = []
    for number, township_id in enumerate(ids):
        if progress:
            progress(township_id, number, len(ids))
        mine = segments[segments["township_id"] == township_id]
        pieces += _pieces(county, rests, number, mine, rounds)
    order = pd.Index([*np.concatenate([segments.index[segments["township_id"] == one] for one in ids])])
    placed = {str(name): n for n, name in enumerate(segments.loc[order, "segment_id"])}
    return Campaign(
        pieces=pieces,
        dues=_dues(county, segments, placed, days),
        edges=_edges(county, edges, ids, rounds),
        teams_n=teams_n,
        workdays=days,
        helpers=_helpers(county, edges, ids, knobs.lend_kmh, knobs.lend_n),
        budget_h=budget_s(plan) / 3600.0,
        weather_share=knobs.weather_share,
        explore_share=knobs.explore_share,
        joint_share=knobs.joint_share,
        target_h=knobs.target_min / 60.0,
    )


def _pieces(county: County, rests: Rests, number: int, mine: gpd.GeoDataFrame, rounds: Sequence[Any]) -> list[Piece]:
    """A township's segments with what hours find in them."""
    if mine.empty:
        return []
    outline = rests.townships.geometry.iloc[number]
    terrain, mass, _ = ground_of(county, rests, number, outline.bounds, county.settings.planning)
    frame = mass.frame
    seen = np.nan_to_num(grids.read_grid(county.path, "season_pod", frame).values)
    rows, cols = frame.rows // BLOCK_CELLS, frame.cols // BLOCK_CELLS
    side = BLOCK_CELLS * frame.cell_m

    def sums(values: Any) -> Floats:
        cut = np.asarray(values[: rows * BLOCK_CELLS, : cols * BLOCK_CELLS], np.float64)
        return np.asarray(cut.reshape(rows, BLOCK_CELLS, cols, BLOCK_CELLS).sum(axis=(1, 3)))

    table = np.zeros((256, 3))
    for name, widths in county.settings.detection.sweep_width_m.items():
        table[COVER_NAMES[name]] = widths
    ground = terrain.plantable
    stages = [np.where(ground, table[terrain.cover.values, stage], 0.0) for stage in range(3)]
    best = np.maximum.reduce(stages)
    cells, heavy, width = sums(ground), sums(mass.values), sums(best)
    looked, per_stage = sums(ground * seen), [sums(mass.values * one) for one in stages]
    west, north = frame.west_m, frame.north_m
    label = rasterio.features.rasterize(
        [(shape, n + 1) for n, shape in enumerate(mine.geometry)], (rows, cols),
        transform=Affine(side, 0.0, west, 0.0, -side, north), dtype="int32",
    )  # fmt: skip
    area_km2 = cells * frame.cell_m**2 / 1e6
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(cells > 0, width / cells / 1000.0 * county.settings.detection.search_speed_kmh / area_km2, 0.0)
    rate, a = np.nan_to_num(rate), county.settings.detection.availability
    windows = [due_windows(one, mine["elevation_m"].to_numpy(float), county.season) for one in rounds]
    year = pd.Timestamp(county.settings.season, 1, 1, tz=CHINA)
    pieces = []
    for n, row in enumerate(mine.itertuples()):
        held = label == n + 1
        whole = [float(one[held].sum()) for one in per_stage]
        most = max(*whole, 1e-300)
        ground_n, lost = float(cells[held].sum()), float(pd.Series([row.unwalkable]).fillna(0.0).iloc[0])
        spans = [_span(starts[n], stops[n], year) for starts, stops in windows]
        pieces.append(
            Piece(
                curve=campaigns.curve(heavy[held] * a * (1.0 - lost), rate[held]),
                host=number,
                pace=tuple(whole[k % 3] / most for k in range(len(rounds))),
                first=tuple(first for first, _ in spans),
                last=tuple(last for _, last in spans),
                away_h=float("inf") if pd.isna(row.away_s) else float(row.away_s) / 3600.0,
                ground_m2=ground_n * frame.cell_m**2,
                seen=float(looked[held].sum()) / ground_n if ground_n else 1.0,
            )
        )
    return pieces


def _span(start: Any, stop: Any, year: Any) -> tuple[int, int]:
    """First and last whole day of a window, after 1 January in China."""
    last = (stop.tz_convert(CHINA) - pd.Timedelta(seconds=1)).normalize()
    return int((start.tz_convert(CHINA).normalize() - year).days), int((last - year).days)


def _dues(county: County, segments: gpd.GeoDataFrame, placed: dict[str, int], days: npt.NDArray[np.int64]) -> list[Due]:
    """Open parcels by deadline and re-checks by day, each in the segment it lies in."""
    if not len(days):
        return []
    knobs, today = county.settings.scheduling, int(days[0])
    parcels = gpd.GeoDataFrame(county.store.read("parcels")).set_index("parcel_id", drop=False)
    open_ = parcels[parcels["status"].isin([str(one) for one in OPEN])]
    waiting = [
        (str(row.parcel_id), today, _day(county, row.deadline, today + knobs.target_days), Purpose.TARGET)
        for row in open_.itertuples()
    ]
    calendar = recheck_calendar(county, as_of=county.as_of())
    for parcel_id, due in zip(calendar["parcel_id"], list(calendar["day"]), strict=True):
        day = (due - date(county.settings.season, 1, 1)).days
        first = max(today, day - county.settings.plots.early_days)
        waiting.append((str(parcel_id), first, max(day, today) + SOON_DAYS, Purpose.RECHECK))
    if not waiting:
        return []
    points = shapely.point_on_surface(parcels.geometry.reindex([name for name, *_ in waiting]).to_numpy())
    inside = shapely.STRtree(segments.geometry.to_numpy()).query(points, predicate="intersects")
    where = dict(zip(inside[0].tolist(), inside[1].tolist(), strict=True))
    return [
        Due(name, placed[str(segments["segment_id"].iloc[where[n]])], first, max(last, first), purpose)
        for n, (name, first, last, purpose) in enumerate(waiting)
        if n in where
    ]


def _day(county: County, moment: Any, otherwise: int) -> int:
    """The last day of a deadline; one that has passed, or none: `otherwise` or a week from today."""
    if pd.isna(moment):
        return otherwise
    day = (moment.tz_convert(CHINA).date() - date(county.settings.season, 1, 1)).days
    today = otherwise - county.settings.scheduling.target_days
    return day if day >= today else today + SOON_DAYS


def _edges(county: County, edges: gpd.GeoDataFrame, ids: list[str], rounds: Sequence[Any]) -> list[Edge]:
    """Edges with a known unit on both sides, the most ground that neither side sees first; in the second round."""
    number = min(1, len(rounds) - 1)
    year = pd.Timestamp(county.settings.season, 1, 1, tz=CHINA)
    first, last = _span(pd.Timestamp(rounds[number].start), pd.Timestamp(rounds[number].stop), year)
    known = edges[~edges["neighbour_id"].isin([UNKNOWN, ENCLAVE])]
    unseen = pd.to_numeric(known["seen_by_neither"]).fillna(1.0) * pd.to_numeric(known["strip_km2"]).fillna(0.0)
    found = []
    for row in known.loc[unseen.sort_values(ascending=False, kind="stable").index].itertuples():
        sides = [ids.index(one) if one in ids else None for one in (str(row.township_id), str(row.neighbour_id))]
        if sides[0] is None:
            sides.reverse()
        if sides[0] is None:
            continue
        days_n = max(1, int(np.ceil(row.length_m / 1000.0 / county.settings.scheduling.edge_km_per_day)))
        found.append(Edge(str(row.border_id), (sides[0], sides[1]), days_n, number, first, last))
    return found


def _helpers(
    county: County, edges: gpd.GeoDataFrame, ids: list[str], kmh: float, most: int
) -> list[list[tuple[int, float]]]:
    """By township its neighbours nearest by office, and the hours of the drive there and back."""
    offices = county.store.read("offices").drop_duplicates("township_id").set_index("township_id").geometry
    touching: dict[int, set[int]] = {n: set() for n in range(len(ids))}
    for one, other in zip(edges["township_id"], edges["neighbour_id"], strict=True):
        if one in ids and other in ids:
            touching[ids.index(one)].add(ids.index(other))
            touching[ids.index(other)].add(ids.index(one))
    found = []
    for host, near in touching.items():
        away = [
            (other, 2.0 * float(offices[ids[host]].distance(offices[ids[other]])) / 1000.0 / kmh)
            for other in sorted(near) if ids[host] in offices.index and ids[other] in offices.index
        ]  # fmt: skip
        found.append(sorted(away, key=lambda pair: pair[1])[:most])
    return found


def _assignments(
    county: County, made: Schedule, segments: gpd.GeoDataFrame, ids: list[str], start: str, now: datetime
) -> gpd.GeoDataFrame:
    """Team-days of one segment, round and purpose as one assignment, numbered on from the highest number of a round."""
    order = pd.Index([*np.concatenate([segments.index[segments["township_id"] == one] for one in ids])])
    ordered = segments.loc[order].reset_index(drop=True)
    rows: dict[tuple[Any, ...], list[TeamDay]] = {}
    for one in made.days:
        which = (one.round, one.border_id or "", -1 if one.piece is None else one.piece, one.purpose)
        share = one.due_ids if one.purpose in (Purpose.TARGET, Purpose.RECHECK) else ()
        rows.setdefault((*which, *share), []).append(one)
    held = county.store.read("assignments")
    last: dict[int, int] = {}
    for round_, number in zip(held["round"].tolist(), held["number_n"].tolist(), strict=True):
        last[int(round_)] = max(last.get(int(round_), 0), int(number))
    table, places = [], []
    edges = measure_borders(county).borders.set_index("border_id")
    villages = county.store.read("villages")
    villages = villages[villages.geometry.notna()]
    made_at = datetime.combine(date.fromisoformat(start), time(), CHINA)
    for key in sorted(rows, key=lambda k: (k[0], min(one.day for one in rows[k]), k[2], str(k[1]))):
        days = rows[key]
        number = last[key[0] + 1] = last.get(key[0] + 1, 0) + 1
        table.append(
            _row(county, days, key[0] + 1, number, ordered, ids, edges, start) | {"made_at": min(made_at, now)}
        )
        places.append(None if not key[1] else _meeting(edges.loc[key[1]], villages))
    shown = gpd.GeoDataFrame(pd.DataFrame(table), geometry=gpd.GeoSeries(places, crs=county.crs), crs=county.crs)
    return gpd.GeoDataFrame(SCHEMAS["assignments"].conform(shown))


def _row(
    county: County, days: list[TeamDay], round_: int, number: int, segments: gpd.GeoDataFrame, ids: list[str],
    edges: gpd.GeoDataFrame, start: str,
) -> dict[str, Any]:  # fmt: skip
    one = days[0]
    iso = [_iso(county, n) for n in sorted(day.day for day in days)]
    due = max(day.last for day in days)
    row: dict[str, Any] = {
        "assignment_id": f"{county.settings.season}-R{round_}-{number:03d}",
        "round": round_,
        "number_n": number,
        "purpose": one.purpose,
        "mode": Mode.FOOT,
        "day": iso[0],
        "day_to": iso[-1],
        "due_from": max(start, _iso(county, min(day.first for day in days))),
        "due_to": _iso(county, due),
        "team_days_n": len(days),
        "hours": float(sum(day.hours for day in days)),
        "expected_finds": float(sum(day.finds for day in days)),
        "reason": "、".join(due for day in days for due in day.due_ids) or None,
    }
    if one.piece is None:
        edge = edges.loc[one.border_id]
        sides = [str(edge["township_id"]), str(edge["neighbour_id"])]
        own = ids[one.home]
        return row | {
            "township_id": own,
            "partner_id": sides[1] if sides[0] == own else sides[0],
            "border_id": one.border_id,
        }
    segment = segments.iloc[one.piece]
    helpers = sorted({ids[day.home] for day in days} - {str(segment["township_id"])})
    return row | {
        "township_id": segment["township_id"],
        "segment_id": segment["segment_id"],
        "lent_by": "、".join(helpers) or None,
    }


def _iso(county: County, day: int) -> str:
    return (date(county.settings.season, 1, 1) + timedelta(days=day)).isoformat()


def _meeting(edge: pd.Series, villages: pd.DataFrame) -> Any:
    sides = [
        villages.loc[villages["township_id"] == edge[name], "geometry"].to_numpy()
        for name in ("township_id", "neighbour_id")
    ]
    return meeting_point(edge["geometry"], *sides)


def plain_assignments(table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Assignments as plain rows, their place (a flight: a point of its ground) in degrees, WGS 84."""
    rows = []
    for row in table.to_dict("records"):
        place = shapely.point_on_surface(row.pop("geometry", None))
        plain = {key: _plain(value) for key, value in row.items()}
        if place is not None and not shapely.is_empty(place):
            longitude, latitude = to_degrees(np.array([place.x]), np.array([place.y]), table.crs)
            plain |= {"longitude": round(float(longitude[0]), 6), "latitude": round(float(latitude[0]), 6)}
        rows.append(plain)
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
