"""Drone tasks of a round, kept as numbered assignments, and how each segment is best looked at."""

from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio.features
import shapely

from geo.analysis import aerial, lookouts, travel
from geo.analysis.aerial import Sky
from geo.analysis.targets import budget_s
from geo.errors import StoreError
from geo.formats import kml_out
from geo.grid import Grid
from geo.layers import SCHEMAS
from geo.layers.segments import Mode, Purpose
from geo.layers.terrain import Cover
from geo.ledger import Entry
from geo.season import CHINA
from geo.store import Change, grids
from geo.words import Language, say
from geo.workspace.assignments import standing_assignments
from geo.workspace.county import County
from geo.workspace.covering import measure_borders
from geo.workspace.ordering import round_of
from geo.workspace.preparing import gather
from geo.workspace.segmenting import segments_of, window_of

ROOF_M = 200.0
STRIP_SHARE = 0.5
Progress = Any


def plan_flights(county: County, number: int, *, now: datetime, progress: Progress = None) -> gpd.GeoDataFrame:
    """
    The drone tasks of a round as assignments, kept; they take the place of those of the round not yet flown.

    Raises
    ------
    StoreError, LayerError
        No terrain, no such round, or nothing that is better flown.
    """
    round_ = round_of(county, number)
    segments = segments_of(county, now=now, progress=progress)
    rests = gather(county, progress=progress)
    edges = measure_borders(county).borders
    budget = budget_s(county.settings.planning)
    found = []
    for n, township in enumerate(rests.townships.itertuples()):
        if progress:
            progress(str(township.township_id), n, len(rests.townships))
        sky = _sky(county, township, edges, float(rests.present[n]))
        far_s = county.settings.scheduling.fly_away_share * budget
        tasks = aerial.flights(sky, far_s=far_s, strip_s=STRIP_SHARE * budget)
        found.append(tasks.assign(township_id=str(township.township_id)))
    tasks = gpd.GeoDataFrame(pd.concat(found, ignore_index=True), crs=county.crs)
    if tasks.empty:
        raise StoreError("flights_none", round=number)
    middle = shapely.point_on_surface(tasks.geometry.to_numpy())
    inside = shapely.STRtree(segments.geometry.to_numpy()).query(middle, predicate="intersects")
    where = dict(zip(inside[0].tolist(), inside[1].tolist(), strict=True))
    held = county.store.read("assignments")
    first = int(held.loc[held["round"] == number, "number_n"].max()) if (held["round"] == number).any() else 0
    days = [round_.start.astimezone(CHINA).date(), (round_.stop - timedelta(days=1)).astimezone(CHINA).date()]
    begin, end = (day.isoformat() for day in days)
    rows = tasks.assign(
        assignment_id=[f"{county.settings.season}-R{number}-{first + n + 1:03d}" for n in range(len(tasks))],
        round=number,
        number_n=np.arange(first + 1, first + 1 + len(tasks)),
        segment_id=[segments["segment_id"].iloc[where[n]] if n in where else None for n in range(len(tasks))],
        purpose=str(Purpose.FLIGHT), mode=str(Mode.FLIGHT), day=begin, day_to=end, due_from=begin, due_to=end,
        team_days_n=0, hours=0.0, expected_finds=tasks["mass"], made_at=now,
    )  # fmt: skip
    kept = gpd.GeoDataFrame(SCHEMAS["assignments"].conform(rows))
    standing = standing_assignments(county)
    old = standing[(standing["purpose"] == str(Purpose.FLIGHT)) & (standing["round"] == number) & ~standing["done"]]
    changes = [Change("assignments", kept)]
    if len(old):
        before = gpd.GeoDataFrame(county.store.read("assignments", list(old["assignment_id"])))
        gone = pd.Series([now] * len(before), index=before.index, dtype="datetime64[ms, UTC]")
        changes.append(Change("assignments", before.assign(withdrawn_at=gone), replace=True, before=before))
    told = {"round": number, "flights_n": len(kept), "withdrawn": sorted(old["assignment_id"])}
    county.store.append(Entry("season_plan", told), *changes, now=now)
    return kept


def flight_files(county: County, number: int, *, language: Language = "zh") -> dict[str, bytes]:
    """KML, KMZ and a GCJ-02 KML of a round's standing drone tasks: polygons with area, relief and take-off place."""
    board = standing_assignments(county)
    rows = board[(board["purpose"] == str(Purpose.FLIGHT)) & (board["round"] == number)].sort_values("number_n")
    if rows.empty:
        raise StoreError("flights_none", round=number)
    areas = gpd.GeoDataFrame(
        {
            "name": [f"{row.assignment_id} {row.township_name}" for row in rows.itertuples()],
            "note": [_note(row, language) for row in rows.itertuples()],
            "start_name": [
                f"{row.assignment_id} {say('flight_start', language)}" for row in rows.itertuples()
            ],
            "start_easting_m": rows["start_easting_m"].to_numpy(),
            "start_northing_m": rows["start_northing_m"].to_numpy(),
        },
        geometry=rows.geometry.to_numpy(),
        crs=county.crs,
    )  # fmt: skip
    title = f"flights-{county.settings.season}-R{number}"
    kml = kml_out.write_areas(areas, county.crs, title=title)
    shifted = kml_out.write_areas(areas, county.crs, title=title, shifted=True)
    return {f"{title}.kml": kml, f"{title}.kmz": kml_out.zipped(kml), f"{title}-{kml_out.GCJ_MARK}.kml": shifted}


def _note(row: Any, language: Language) -> str:
    why = say(f"why_{row.reason}", language)
    ha, relief, above = f"{row.area_m2 / 1e4:.1f}", f"{row.relief_m:.0f}", f"{row.above_m:.0f}"
    return say("flight_note", language, why=why, ha=ha, relief=relief, above=above)


def segment_modes(county: County, *, now: datetime, progress: Progress = None) -> pd.DataFrame:
    """
    How each segment is best looked at: ``segment_id, mode, why, away_h, unwalkable, visible``.

    ``visible`` (share of its ground seen from the best of the places tried on roads within the lookouts' reach) is
    worked out only where it cannot well be walked; elsewhere it is missing.
    """
    segments = segments_of(county, now=now, progress=progress)
    knobs, budget = county.settings.scheduling, budget_s(county.settings.planning)
    rows = []
    for row in segments.itertuples():
        away = float("inf") if pd.isna(row.away_s) else float(row.away_s)
        closed = 0.0 if pd.isna(row.unwalkable) else float(row.unwalkable)
        limits = {"fly_unwalkable": knobs.fly_unwalkable, "fly_away_share": knobs.fly_away_share}
        mode, why = aerial.mode_of(away, closed, budget, visible=0.0, **limits)
        visible = None
        if mode != Mode.FOOT:
            visible = _visible(county, row.geometry)
            mode, why = aerial.mode_of(away, closed, budget, visible=visible, **limits)
        rows.append((row.segment_id, str(mode), str(why), away / 3600.0, closed, visible))
    return pd.DataFrame(rows, columns=["segment_id", "mode", "why", "away_h", "unwalkable", "visible"])


def _visible(county: County, shape: Any, tries: int = 6) -> float:
    """Share of a segment's plantable ground seen from the best of a few places on roads round it."""
    knobs = county.settings.lookouts
    roads = county.store.read("roads")
    near = shapely.buffer(shape, knobs.reach_m / 2.0)
    lines = shapely.intersection(roads.geometry.to_numpy(), near) if len(roads) else np.array([], object)
    line = shapely.union_all(lines) if len(lines) else shapely.LineString()
    if line.is_empty or not line.length:
        return 0.0
    terrain, _ = window_of(county, near.bounds)
    frame = terrain.elevation.frame
    wanted = terrain.plantable & rasterio.features.geometry_mask([shape], frame.shape, frame.transform, invert=True)
    if not wanted.any():
        return 0.0
    best = 0.0
    for share in np.linspace(0.05, 0.95, tries):
        parts = shapely.get_parts(shapely.line_merge(line))
        along = share * len(parts)
        place = shapely.line_interpolate_point(parts[int(along)], along % 1.0, normalized=True)
        row, col = (int(n) for n in frame.cells(place.x, place.y))
        if not frame.holds(place.x, place.y):
            continue
        view = lookouts.far_viewshed(
            terrain.elevation, row, col, radius_m=knobs.reach_m, eye_m=knobs.eye_m, target_m=0.8,
            refraction=knobs.refraction,
        )  # fmt: skip
        half = view.shape[0] // 2
        rows, cols = np.nonzero(wanted)
        inside = (np.abs(rows - row) <= half) & (np.abs(cols - col) <= half)
        seen = view[rows[inside] - row + half, cols[inside] - col + half].sum()
        best = max(best, float(seen) / len(rows))
    return best


def _sky(county: County, township: Any, edges: gpd.GeoDataFrame, present: float) -> Sky:
    """A township's ground on the walking surface's cells."""
    terrain, surface = window_of(county, township.geometry.bounds)
    frame, fine = surface.frame, terrain.elevation.frame
    factor = round(frame.cell_m / fine.cell_m)

    def mean(values: Any) -> Any:
        cut = np.asarray(values[: frame.rows * factor, : frame.cols * factor], float)
        return cut.reshape(frame.rows, factor, frame.cols, factor).mean(axis=(1, 3))

    own = rasterio.features.geometry_mask([township.geometry], frame.shape, frame.transform, invert=True)
    seen = np.nan_to_num(grids.read_grid(county.path, "season_pod", fine).values)
    risk = grids.read_grid(county.path, "risk", fine).values
    unseen = mean(terrain.plantable & (seen < county.settings.coverage.blind_pod))
    weight = mean(risk * (1.0 - seen)) * own
    office = county.store.read("offices")
    away = np.full(frame.shape, np.inf)
    for place in office.geometry[office["township_id"] == township.township_id]:
        spot = np.array([[place.x, place.y]])
        away = np.minimum(away, sum(travel.field(surface, spot, backwards=turned) for turned in (False, True)))
    mine = edges[(edges["township_id"] == township.township_id) | (edges["neighbour_id"] == township.township_id)]
    lines = shapely.buffer(mine.geometry.to_numpy(), county.settings.borders.strip_m)
    strip = (
        rasterio.features.geometry_mask(lines, frame.shape, frame.transform, invert=True)
        if len(lines) else np.zeros(frame.shape, bool)
    )  # fmt: skip
    built = mean(terrain.cover.values == Cover.BUILT) >= 0.3
    return Sky(
        elevation=Grid(surface.elevation.values, frame),
        blind=own & (unseen >= 0.5),
        mass=weight / max(float(weight.sum()), 1e-300) * present,
        away_s=away,
        strip=strip,
        road=surface.road,
        roofs=own & built & _unvisited_roofs(county, str(township.township_id), frame),
    )


def _unvisited_roofs(county: County, township_id: str, frame: Any) -> Any:
    """Cells round villages of which fewer courtyards were visited this season than there are."""
    villages, visits = county.store.read("villages"), county.store.read("visits")
    done = visits[visits["visited_at"] >= county.season.bounds[0]].groupby("village_id")["courtyards_n"].sum()
    mine = villages[(villages["township_id"] == township_id) & villages.geometry.notna()]
    left = mine[pd.to_numeric(mine["courtyards_n"]).fillna(0) > mine["village_id"].map(done).fillna(0)]
    if left.empty:
        return np.zeros(frame.shape, bool)
    around = shapely.buffer(left.geometry.to_numpy(), ROOF_M)
    return rasterio.features.geometry_mask(around, frame.shape, frame.transform, invert=True)
