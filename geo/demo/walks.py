"""
Made-up tracks: loops through waypoints that drift with the valleys, slowed by slope, recorded by noisy phones.

Each track is a whole array; nothing is done fix by fix. Times are whole seconds and places lie on 1e-7 degrees, so that
a track keeps its id through a GPX file.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy import ndimage

from geo.crs import to_degrees, to_metric
from geo.demo.people import points_in
from geo.demo.sizes import EPSG, MADE_UP, SEASON, Floats, Size
from geo.demo.terrain import at
from geo.grid import Grid
from geo.layers import tracks as layer
from geo.layers.terrain import PLANTABLE

STEP_M = 12.0
FIRST_DAY = pd.Timestamp(f"{SEASON}-01-05", tz="Asia/Shanghai")
DAYS = 136
ROUNDS = ((0, 20, 0.22), (55, 25, 0.38), (98, 35, 0.34))  # first day, days, share of all walking
LONGEST_WALK_S = 8.5 * 3600.0
VEHICLE_SHARE = 0.03
INSIDE_VEHICLE = 0.08
NOISE_MEMORY = 0.9


@dataclass(frozen=True)
class Walkers:
    """What tracks are made from: the ground, who walks, where from; places (n, 2) metres, `owners` their township."""

    ground: Grid
    cover: Grid
    townships: gpd.GeoDataFrame
    teams: pd.DataFrame
    places: Floats
    owners: npt.NDArray[np.int64]
    roads: gpd.GeoDataFrame
    road_ends: npt.NDArray[np.int64]
    reservoir: shapely.Polygon


@dataclass(frozen=True)
class Walk:
    """One recording before noise: places (n, 2) metres and seconds from the start (n,)."""

    place: Floats
    seconds: Floats
    mode: str = "foot"


def track_table(walkers: Walkers, size: Size, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Layer tracks (LineString ZM) of a season, unevenly spread over days and townships."""
    plan = who_walks(walkers, size, rng)
    shapely.prepare(walkers.reservoir)
    pools = [_targets(walkers, shape, size.edge_band_m, rng) for shape in walkers.townships.geometry]
    walks = [_walk(walkers, pools[township], int(township), rng) for township in plan["township"]]
    return _recorded(walkers, walks, plan, rng)


def who_walks(walkers: Walkers, size: Size, rng: np.random.Generator) -> pd.DataFrame:
    """Township position, team and day of every track: no team twice on a day; one township never, two hardly."""
    weight = walkers.townships.area.to_numpy() * rng.gamma(9.0, 1.0 / 9.0, len(walkers.townships))
    seldom = rng.choice(len(weight), 3, replace=False)
    weight[seldom] = (0.0, 0.06 * weight.mean(), 0.1 * weight.mean())
    counts = np.floor(weight / weight.sum() * size.tracks_n).astype(int)
    counts[np.argmax(weight)] += size.tracks_n - counts.sum()
    counts = np.where((weight > 0) & (counts == 0), 1, counts)
    chance = _busy_days()
    tables = []
    for township, count in enumerate(counts):
        held = walkers.teams.loc[walkers.teams["township_id"] == walkers.townships["township_id"].iloc[township]]
        share = np.repeat(chance / len(held), len(held))
        drawn = rng.choice(len(share), int(count), replace=False, p=share / share.sum())
        team = held["team_id"].to_numpy()[drawn % len(held)]
        tables.append(pd.DataFrame({"township": township, "team_id": team, "day": drawn // len(held)}))
    plan = pd.concat(tables, ignore_index=True)
    lent = plan.sample(frac=0.04, random_state=rng).drop_duplicates("day").index
    plan.loc[lent, "team_id"] = walkers.teams["team_id"].iloc[0]
    return plan


def _busy_days() -> Floats:
    chance = np.full(DAYS, 0.06 / DAYS)
    for first, days, share in ROUNDS:
        chance[first : first + days] += share / days
    return np.asarray(chance / chance.sum())


def _targets(
    walkers: Walkers, shape: shapely.Geometry, band_m: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Plantable places of a township away from its edge, and all of them."""
    place = points_in(shape, 1500, rng)
    place = place[np.isin(at(walkers.cover, place), PLANTABLE)]
    away = shapely.distance(shapely.points(place), shapely.boundary(shape))
    room = min(band_m, float(np.quantile(away, 0.55)))
    return place[away > room], place


def _walk(walkers: Walkers, pool: tuple[Floats, Floats], township: int, rng: np.random.Generator) -> Walk:
    homes = np.flatnonzero(walkers.owners == township)
    if len(homes) == 0:
        homes = np.array([np.argmin(np.hypot(*(walkers.places - pool[0].mean(axis=0)).T))])
    home = int(rng.choice(homes))
    if rng.random() < VEHICLE_SHARE:
        return _ride(walkers, home, rng.uniform(9e3, 2e4), rng, mode="vehicle")
    on_foot = _loop(walkers, walkers.places[home], pool, rng)
    on_foot = _with_gap(_with_lunch(on_foot, rng), rng)
    if rng.random() < INSIDE_VEHICLE:
        ride = _ride(walkers, home, rng.uniform(1.5e3, 5e3), rng, mode="foot")
        turned = ride.seconds[-1] - ride.seconds[::-1]
        later = on_foot.seconds + turned[-1] + 45.0
        return Walk(np.vstack([ride.place[::-1], on_foot.place]), np.concatenate([turned, later]))
    return on_foot


def _loop(walkers: Walkers, home: Floats, pool: tuple[Floats, Floats], rng: np.random.Generator) -> Walk:
    """From home through 2-5 waypoints and back: brisk on the first and last leg, searching between."""
    length = float(np.clip(rng.lognormal(np.log(10500.0), 0.25), 4500.0, 15000.0))
    ground = walkers.ground
    stops = _stops(home, length, pool, rng, shunned=walkers.reservoir)
    legs = np.hypot(*np.diff(stops, axis=0).T)
    mark = np.concatenate([[0.0], np.cumsum(legs)])
    along = np.arange(0.0, mark[-1], 20.0)
    place = np.column_stack([np.interp(along, mark, stops[:, axis]) for axis in (0, 1)])
    search = (along > mark[1]) & (along < mark[-2])
    taper = np.minimum(1.0, np.minimum(along, mark[-1] - along) / 150.0)[:, None]
    wander = ndimage.gaussian_filter1d(rng.standard_normal(place.shape), 5.0, axis=0)
    place += wander / max(float(wander.std()), 1e-9) * np.where(search, 42.0, 18.0)[:, None] * taper
    for _ in range(2):
        place += _downhill(ground, place) * taper
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(place, axis=0).T))])
    step = STEP_M * rng.uniform(0.7, 1.3, int(run[-1] / STEP_M / 0.9) + 2)
    at_m = np.cumsum(step)
    at_m = at_m[at_m < run[-1]]
    place = np.column_stack([np.interp(at_m, run, place[:, axis]) for axis in (0, 1)])
    search = np.interp(at_m, run, search.astype(float)) > 0.5
    seconds = _walking_seconds(ground, place, search, rng)
    return Walk(place, seconds * min(1.0, LONGEST_WALK_S / seconds[-1]))


def _stops(
    home: Floats,
    length: float,
    pool: tuple[Floats, Floats],
    rng: np.random.Generator,
    *,
    shunned: shapely.Polygon,
) -> Floats:
    """Home, 2-5 waypoints about evenly far apart, home; one waypoint in seven may lie near the township's edge."""
    count = int(rng.integers(2, 6))
    leg = length / (count + 1) / 1.08
    stops = [home]
    inner, whole = (_around(places, home, 0.42 * length) for places in pool)
    for left in range(count, 0, -1):
        places = inner if rng.random() < 0.86 else whole
        drawn = places[rng.integers(0, len(places), 25)]
        here = np.abs(np.hypot(*(drawn - stops[-1]).T) - leg)
        back = np.clip(np.hypot(*(drawn - home).T) - leg * left, 0.0, None)
        wet = _crossing(stops[-1], drawn, shunned) + _crossing(home, drawn, shunned)
        stops.append(drawn[np.argmin(here + back + 1e5 * wet)])
    return np.array([*stops, home])


def _crossing(start: Floats, ends: Floats, area: shapely.Geometry) -> npt.NDArray[np.int64]:
    """1 where the straight way from `start` to each of `ends` (n, 2) crosses the area."""
    ways = shapely.linestrings(np.stack([np.broadcast_to(start, ends.shape), ends], axis=1))
    return np.asarray(shapely.intersects(area, ways), np.int64)


def _around(places: Floats, home: Floats, reach_m: float) -> Floats:
    """The places within reach of home; the ten nearest where there are fewer."""
    away = np.hypot(*(places - home).T)
    return np.asarray(places[away <= max(reach_m, float(np.sort(away)[:10][-1]))])


def _downhill(ground: Grid, place: Floats) -> Floats:
    """A smooth sideways drift towards lower ground: walkers keep to valleys and contours."""
    reach = 4.0 * ground.frame.cell_m
    fall = np.empty_like(place)
    for axis, shift in enumerate(((reach, 0.0), (0.0, reach))):
        fall[:, axis] = at(ground, place - shift).astype(float) - at(ground, place + shift).astype(float)
    return np.asarray(ndimage.gaussian_filter1d(np.clip(fall * 0.5, -30.0, 30.0), 6.0, axis=0))


def _walking_seconds(ground: Grid, place: Floats, search: npt.NDArray[np.bool_], rng: np.random.Generator) -> Floats:
    """Seconds at each place: 1-2.4 km/h searching, 3-4.2 in transit, less on slopes."""
    length = np.hypot(*np.diff(place, axis=0).T)
    height = ndimage.uniform_filter1d(at(ground, place).astype(float), 5)
    slope = np.abs(np.diff(height)) / np.maximum(length, 1.0)
    pace = np.where(search[1:], rng.uniform(1.2, 2.4), rng.uniform(3.0, 4.2))
    mood = np.exp(0.2 * ndimage.gaussian_filter1d(rng.standard_normal(len(length)), 4.0) * 5.0)
    speed = np.maximum(pace * mood * np.exp(-1.6 * slope), 0.6) / 3.6
    return np.concatenate([[0.0], np.cumsum(np.clip(length / speed, 3.0, 75.0))])


def _ride(walkers: Walkers, home: int, length: float, rng: np.random.Generator, mode: str) -> Walk:
    """Along roads from a village, 22-38 km/h, a fix about every 8 s."""
    lines = walkers.roads.geometry.to_numpy()
    place, here, total, last = [walkers.places[home][None, :]], home, 0.0, -1
    while total < length:
        near = np.flatnonzero((walkers.road_ends == here).any(axis=1))
        onward = near[near != last] if len(near) > 1 else near
        last = int(rng.choice(onward))
        forward = walkers.road_ends[last, 0] == here
        line = shapely.get_coordinates(lines[last])
        place.append((line if forward else line[::-1])[1:])
        here = int(walkers.road_ends[last, 1 if forward else 0])
        total += float(lines[last].length)
    joined = np.vstack(place)
    run = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(joined, axis=0).T))])
    step = rng.uniform(6.1, 10.5) * 8.0 * rng.uniform(0.7, 1.2, int(run[-1] / 30.0) + 2)
    at_m = np.concatenate([[0.0], np.cumsum(step)])
    at_m = at_m[at_m < min(run[-1], length)]
    road = np.column_stack([np.interp(at_m, run, joined[:, axis]) for axis in (0, 1)])
    return Walk(road, np.arange(len(road)) * np.float64(8.0), mode)


def _with_lunch(walk: Walk, rng: np.random.Generator) -> Walk:
    """Three walks in five rest 20-45 minutes about half way, the phone still recording."""
    count = int(rng.integers(35, 75))
    if rng.random() > 0.6 or len(walk.place) < 50:
        return walk
    half = int(len(walk.place) * rng.uniform(0.4, 0.6))
    rest = np.repeat(walk.place[half : half + 1], count, axis=0)
    gained = 36.0 * np.arange(1, count + 1)
    place = np.vstack([walk.place[: half + 1], rest, walk.place[half + 1 :]])
    seconds = np.concatenate(
        [walk.seconds[: half + 1], walk.seconds[half] + gained, walk.seconds[half + 1 :] + gained[-1]]
    )
    return Walk(place, seconds)


def _with_gap(walk: Walk, rng: np.random.Generator) -> Walk:
    """One walk in four loses the satellites for 4-15 minutes."""
    first, length = rng.uniform(0.15, 0.8) * walk.seconds[-1], rng.uniform(240.0, 900.0)
    if rng.random() > 0.25:
        return walk
    kept = (walk.seconds < first) | (walk.seconds > first + length)
    return Walk(walk.place[kept], walk.seconds[kept])


def _recorded(walkers: Walkers, walks: list[Walk], plan: pd.DataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """All walks as phones store them: noise of 3-6 m that changes slowly, whole seconds, places on 1e-7 degrees."""
    counts = np.array([len(walk.place) for walk in walks])
    owner = np.repeat(np.arange(len(walks)), counts)
    place = np.vstack([walk.place for walk in walks])
    day_s = (
        FIRST_DAY.timestamp() + 86400.0 * plan["day"].to_numpy() + np.round(rng.uniform(8.0, 9.6, len(walks)) * 3600)
    )
    seconds = np.round(np.concatenate([walk.seconds for walk in walks])) + day_s[owner]
    white = rng.standard_normal(place.shape) * np.sqrt(1.0 - NOISE_MEMORY**2)
    noise = _remembered(white)
    noise *= (rng.uniform(3.0, 6.0, len(walks)) / np.sqrt(2.0))[owner, None]
    noisy = place + noise
    longitude, latitude = (np.round(v, 7) for v in to_degrees(noisy[:, 0], noisy[:, 1], EPSG))
    east, north = to_metric(longitude, latitude, EPSG)
    height = np.round(
        at(walkers.ground, np.column_stack([east, north])).astype(float) + rng.normal(0.0, 4.0, len(place)), 1
    )
    ends = np.cumsum(counts)
    parts = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
    shapes = np.array([layer.line_of(east[p], north[p], height[p], seconds[p]) for p in parts], dtype=object)
    rows = {
        "track_id": [layer.track_id(longitude[p], latitude[p], seconds[p]) for p in parts],
        "team_id": plan["team_id"],
        "township_id": walkers.townships["township_id"].to_numpy()[plan["township"]],
        "started_at": pd.to_datetime(seconds[ends - counts], unit="s", utc=True),
        "ended_at": pd.to_datetime(seconds[ends - 1], unit="s", utc=True),
        "mode": [walk.mode for walk in walks],
        "length_m": np.round(shapely.length(shapes), 1),
        "fixes_n": counts,
        "source_id": MADE_UP,
    }
    table = gpd.GeoDataFrame(rows, geometry=shapes, crs=EPSG).sort_values("started_at", kind="stable")
    return layer.SCHEMA.conform(table.reset_index(drop=True))


def _remembered(white: Floats) -> Floats:
    """Noise (n, 2) of which each value keeps `NOISE_MEMORY` of the one before; what 200 steps leave is nothing."""
    kept = NOISE_MEMORY ** np.arange(200.0)
    padded = np.concatenate([np.zeros((len(kept) - 1, white.shape[1])), white])
    return np.column_stack([np.convolve(padded[:, axis], kept, mode="valid") for axis in range(white.shape[1])])
