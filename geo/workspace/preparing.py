"""What a township's plan rests on, gathered: its ground and targets, and walking times kept from plan to plan."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio.features
import shapely

from geo import patrol
from geo.analysis import priority, travel
from geo.analysis.daylight import light_left
from geo.analysis.detection import sweep_widths
from geo.analysis.routing import with_own_cells, with_separate
from geo.analysis.sweeps import Ground, block_cells, views_of
from geo.analysis.targets import (
    NAME_CHARS,
    courtyard_targets,
    lines_to_see,
    recheck_targets,
    sweep_targets,
    with_rings,
)
from geo.crs import to_degrees
from geo.grid import Frame, Grid
from geo.layers.parcels import OPEN
from geo.layers.terrain import Cover, Terrain
from geo.season import CHINA
from geo.settings import PlanningSettings
from geo.store import grids
from geo.store.durable import make_folder, replace_file
from geo.workspace.county import County
from geo.workspace.covering import measure_borders, measure_coverage
from geo.workspace.life import recheck_calendar

MARGIN_M = 1200.0
PLANNING_CELLS = 4
FOLDER = "travel"


@dataclass(frozen=True)
class Rests:
    """
    What all townships' plans of one day share.

    `present` and `in_yards` are expected undetected plots per township, on open ground and in courtyards; `yards` the
    villages with courtyards nobody entered (``left_n``); `rechecks` the calendar of later looks.
    """

    townships: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    roads: gpd.GeoDataFrame
    blind_spots: gpd.GeoDataFrame
    present: npt.NDArray[np.float64]
    in_yards: npt.NDArray[np.float64]
    yards: gpd.GeoDataFrame
    rechecks: pd.DataFrame


def gather(county: County, *, progress: Any = None) -> Rests:
    """The county's figures and layers; measured first where they are not up to date."""
    figures = measure_coverage(county, progress=progress).townships.set_index("township_id")
    spots = measure_borders(county, progress=progress).blind_spots
    townships = county.store.read("townships")
    told = figures.reindex(list(townships["township_id"]))
    chance = 1.0 - told["p_zero"].astype("float64").fillna(county.settings.absence.prior).to_numpy(np.float64)
    detection = told["detection"].astype("float64").fillna(0.0).to_numpy(np.float64)
    yards, entered = _yards(county, townships)
    share = county.settings.absence.courtyard_share
    ground = (1.0 - share) * (1.0 - detection)
    yard = share * (1.0 - county.settings.detection.availability * entered)
    in_yards = chance * yard / np.maximum(ground + yard, 1e-12)
    layers = {name: gpd.GeoDataFrame(county.store.read(name)) for name in ("parcels", "roads")}
    return Rests(
        gpd.GeoDataFrame(townships), layers["parcels"], layers["roads"], spots, chance - in_yards, in_yards, yards,
        recheck_calendar(county, as_of=county.as_of()),
    )  # fmt: skip


def _yards(county: County, townships: pd.DataFrame) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.float64]]:
    """Villages with courtyards nobody entered this season, and the share entered by township (0: none is known)."""
    villages, visits = county.store.read("villages"), county.store.read("visits")
    this = visits[visits["visited_at"] >= county.season.bounds[0]]
    done = pd.to_numeric(this.groupby("village_id")["courtyards_n"].sum()).astype(float)
    whole = pd.to_numeric(villages["courtyards_n"]).astype(float).fillna(0.0)
    entered = np.minimum(villages["village_id"].map(done).fillna(0.0).astype(float), whole)
    sums = pd.DataFrame({"id": villages["township_id"], "whole": whole, "done": entered}).groupby("id").sum()
    known = sums.reindex(list(townships["township_id"])).fillna(0.0)
    share = (known["done"] / known["whole"].where(known["whole"] > 0)).fillna(0.0).to_numpy(np.float64)
    left = villages.assign(left_n=whole - entered)
    return gpd.GeoDataFrame(left[(left["left_n"] > 0) & left.geometry.notna()]), share


def request_for(
    county: County,
    rests: Rests,
    township_id: str,
    teams: pd.DataFrame,
    *,
    day: str,
    hours: float | None = None,
    seed: int = 7,
    settings: PlanningSettings | None = None,
    within: shapely.Geometry | None = None,
) -> patrol.SweepRequest:
    """
    One township's day: parcels that are due and the best segments to sweep, what each sees, and walking times.

    Who goes to a plot and round it finds what is there with chance `availability`, as on any ground walked over (the
    hazard at the plot itself is many nats; that of its cell's centre, some metres off, would say much less in scrub).
    Historic spots and tips weigh on the ground round them (the county's relative risks), so they are not paid again
    as places of their own. Sweeps are cut from the ground `within` an area alone, where one is given. Walking times
    are kept in the county's folder under the digest of ground, roads, speeds and places.
    """
    knobs = settings or county.settings.planning
    number = list(rests.townships["township_id"]).index(township_id)
    outline = rests.townships.geometry.iloc[number]
    terrain, mass, first_block = ground_of(county, rests, number, outline.bounds, knobs)
    noon = datetime.combine(datetime.fromisoformat(day).date(), time(12), CHINA)
    detection = county.settings.detection
    width = sweep_widths(terrain, county.season, detection, day=county.season.day_of(noon))
    ground = Ground(terrain, mass if within is None else _only_within(mass, within), width)
    surface = travel.cost_surface(terrain, rests.roads, knobs)
    bases = teams[["easting_m", "northing_m"]].to_numpy(float)
    parcels = _inside(rests.parcels, outline)
    due = patrol.parcel_targets(parcels, knobs)
    again = recheck_targets(gpd.GeoDataFrame(parcels[parcels["parcel_id"].isin(_rechecks(county, rests, day))]), knobs)
    due = pd.concat([one for one in (due, again) if len(one)], ignore_index=True) if len(again) else due
    ringed = with_rings(due, surface, terrain.elevation, knobs, detection.search_speed_kmh)
    driven = _driven(terrain, rests, knobs)
    swept = sweep_targets(ground, surface, bases, knobs, detection, first_block=first_block, approach=driven)
    held = [one for one in (ringed, _named(swept, rests.blind_spots)) if len(one)]
    targets = pd.concat(held, ignore_index=True) if held else ringed
    whole = replace(ground, mass=mass)
    views = views_of(
        lines_to_see(targets), whole, county.season, detection, noon_s=noon.timestamp(), cells=PLANNING_CELLS
    )
    views = with_own_cells(views, due["mass"].to_numpy(float), detection.availability)
    yards = courtyard_targets(
        gpd.GeoDataFrame(rests.yards[rests.yards["township_id"] == township_id]), float(rests.in_yards[number]), knobs
    )
    if len(yards):
        targets = pd.concat([one for one in (targets, yards) if len(one)], ignore_index=True)
        views = with_separate(views, yards["mass"].to_numpy(float), detection.availability)
    request = patrol.SweepRequest(
        day=day,
        township_id=township_id,
        surface=surface,
        teams=teams,
        targets=targets,
        settings=knobs,
        seed=seed,
        views=views,
        approach=driven,
        hours=_light_hours(county, outline, day, knobs.hours if hours is None else hours),
    )
    return replace(request, matrix=_kept_matrix(county.path, request))


def nobodys_plots(
    county: County,
    rests: Rests,
    planned: Collection[str],
    asked: Collection[str] | None,
    day: str,
    *,
    able: Collection[str] = (),
) -> pd.DataFrame:
    """
    Due plots in none of the `planned` townships, as rows of a plan's ``unmet``.

    Reasons: ``no_team`` (its township has no special team with an office to start from), ``stays_in`` (it is `able`,
    and none of its teams goes that day), ``no_township`` (it lies in none). Of `asked` townships
    only, where they are named.
    """
    due = rests.parcels["status"].isin([str(one) for one in OPEN])
    waiting = gpd.GeoDataFrame(rests.parcels[due | rests.parcels["parcel_id"].isin(_rechecks(county, rests, day))])
    where = pd.Series(None, index=waiting.index, dtype=object)
    for township in rests.townships.itertuples():
        where[_inside(waiting, township.geometry).index] = str(township.township_id)
    left = ~where.isin(list(planned)) & (where.isin(list(asked)) if asked else True)
    names = waiting.loc[left, "parcel_id"].map(str)
    reason = (
        where[left].isna().map({True: "no_township", False: "no_team"}).mask(where[left].isin(list(able)), "stays_in")
    )
    told = {"target_id": names, "name": names.str[-NAME_CHARS:].str.lstrip("-_ "), "must": True, "reason": reason}
    return pd.DataFrame(told).reset_index(drop=True)


def _driven(terrain: Terrain, rests: Rests, knobs: PlanningSettings) -> travel.CostSurface | None:
    """The ground with roads at a car's speed; None where teams walk from the office."""
    if knobs.drive_kmh <= 0.0:
        return None
    return travel.cost_surface(terrain, rests.roads, replace(knobs, road_kmh=knobs.drive_kmh))


def _only_within(mass: Grid, area: shapely.Geometry) -> Grid:
    """The expected plots of the cells in an area, none elsewhere."""
    held = rasterio.features.geometry_mask([area], mass.frame.shape, mass.frame.transform, invert=True)
    return Grid(np.where(held, mass.values, np.float32(0.0)), mass.frame)


def _rechecks(county: County, rests: Rests, day: str) -> set[str]:
    """Plots whose later look is due on a day, or may be taken early."""
    latest = date.fromisoformat(day) + timedelta(days=county.settings.plots.early_days)
    return {
        str(one) for one, due in zip(rests.rechecks["parcel_id"], rests.rechecks["day"], strict=True) if due <= latest
    }


def _light_hours(county: County, outline: shapely.Geometry, day: str, hours: float) -> float:
    """The hours of a day, or less where it would be dark by then."""
    middle = outline.centroid
    longitude, latitude = to_degrees(np.array([middle.x]), np.array([middle.y]), county.crs)
    knobs = county.settings.planning
    place = float(latitude[0]), float(longitude[0])
    light = light_left(date.fromisoformat(day), *place, start_clock=knobs.start_clock, spare_min=knobs.dusk_min)
    return min(hours, light)


def ground_of(
    county: County,
    rests: Rests,
    number: int,
    bounds: tuple[float, float, float, float],
    settings: PlanningSettings,
) -> tuple[Terrain, Grid, tuple[int, int]]:
    """Terrain and undetected mass of a township's window, cut at whole blocks, and the window's first block.

    `number` is the township's position in the layer, `bounds` those of its outline.
    """
    frame = grids.grid_frame(county.path, "elevation")
    size = block_cells(settings, frame.cell_m)
    window = _aligned(frame, bounds, size)
    elevation = grids.read_grid(county.path, "elevation", window)
    terrain = Terrain(elevation, cover_of(county, elevation), county.settings.cell_m)
    zones, risk, seen = (grids.read_grid(county.path, name, window) for name in ("zones", "risk", "season_pod"))
    own = Grid(np.where(zones.values == number + 1, 1, 0).astype(np.int32), window)
    pod = Grid(np.nan_to_num(seen.values), window)
    mass = priority.posterior_mass(risk, pod, zones=own, present=rests.present[number : number + 1])
    top, left = (
        round((frame.north_m - window.north_m) / frame.cell_m),
        round((window.west_m - frame.west_m) / frame.cell_m),
    )
    return terrain, mass, (top // size, left // size)


def _aligned(frame: Frame, bounds: tuple[float, float, float, float], size: int) -> Frame:
    west, south, east, north = bounds
    (top, bottom), (left, right) = (
        np.asarray(v) for v in frame.cells([west - MARGIN_M, east + MARGIN_M], [north + MARGIN_M, south - MARGIN_M])
    )
    row, col = max(int(top), 0) // size * size, max(int(left), 0) // size * size
    return frame.window(row, col, min(int(bottom), frame.rows) - row, min(int(right), frame.cols) - col)


def cover_of(county: County, elevation: Grid) -> Grid:
    """Ground cover of a window; without a cover layer all ground counts as open."""
    if grids.has_grid(county.path, "cover"):
        return grids.read_grid(county.path, "cover", elevation.frame)
    return Grid(np.full(elevation.frame.shape, Cover.OPEN, np.uint8), elevation.frame)


def _named(swept: pd.DataFrame, spots: gpd.GeoDataFrame) -> pd.DataFrame:
    """Segments inside a blind spot carry its rank in the county's list, so that a stop can be found there again."""
    if not len(swept) or not len(spots):
        return swept
    middle = shapely.points(np.array([line.mean(axis=0) for line in swept["line"]]))
    inside = shapely.STRtree(spots.geometry.to_numpy()).query(middle, predicate="intersects")
    rank = dict(zip(inside[0].tolist(), spots["rank"].to_numpy()[inside[1]].tolist(), strict=True))
    return swept.assign(reason=[f"盲区{rank[n]}" if n in rank else "" for n in range(len(swept))])


def _inside(rows: gpd.GeoDataFrame, outline: shapely.Geometry) -> gpd.GeoDataFrame:
    placed = rows[rows.geometry.notna()]
    return placed[placed.geometry.representative_point().within(outline)] if len(placed) else placed


def _kept_matrix(path: Path, request: patrol.SweepRequest) -> travel.Matrix:
    """Walking times from the county's folder, measured and kept there where ground, roads or places are new."""
    name = f"{request.township_id}-{_digest(request)}.npz"
    file = path / FOLDER / name
    if file.is_file():
        with np.load(file) as held:
            return travel.Matrix(held["out"], held["back"], held["leg"])
    made = patrol.travel_matrix(request)
    make_folder(file.parent)
    for old in file.parent.glob(f"{request.township_id}-*.npz"):
        old.unlink()
    replace_file(file, lambda beside: _save(beside, made))
    return made


def _save(file: Path, made: travel.Matrix) -> None:
    with file.open("wb") as out:
        np.savez(out, out=made.out, back=made.back, leg=made.leg)


def _digest(request: patrol.SweepRequest) -> str:
    """First 16 hex digits over ground, roads, closed cells, speeds, the longest walk and places."""
    graph = request.surface.graph
    places = request.targets[["easting_m", "northing_m"]].to_numpy(float)
    bases = request.teams[["easting_m", "northing_m"]].to_numpy(float)
    parts: list[Any] = [graph.data, graph.indices, request.surface.frame.bounds, request.longest_s, bases, places]
    parts += [] if request.approach is None else [request.approach.graph.data]
    parts += lines_to_see(request.targets)
    told = hashlib.sha256()
    for part in parts:
        told.update(np.ascontiguousarray(part).tobytes())
    return told.hexdigest()[:16]
