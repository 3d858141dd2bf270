"""
Where planting is likelier: relative risks per cell, multiplied, each from one stated factor (*assumption*).

Nothing here is learned from 'not found': ground nobody looked at stays what it was. `learned_rates` weighs finds by
the effort that could have made them, for next season's settings; this season's looks are the chain's business.
"""

from dataclasses import replace
from datetime import datetime

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio.features import geometry_mask, rasterize

from geo.analysis.zonal import buffer_mask
from geo.grid import Frame, Grid
from geo.layers.terrain import COVER_NAMES, Cover, Terrain
from geo.settings import PlanningSettings, PrioritySettings

BLOCK_ROWS = 512
FADED = 4.0  # decay lengths beyond which an alert is taken as none
DESIGNATION = "重点整治"
NEIGHBOURS = ("邻县发现", "跨界卫星命中", DESIGNATION)

Flags = npt.NDArray[np.bool_]
Singles = npt.NDArray[np.float32]


def relative_risk(
    terrain: Terrain,
    *,
    settings: PrioritySettings,
    edges: gpd.GeoSeries | None = None,
    spots: gpd.GeoSeries | None = None,
    leads: gpd.GeoSeries | None = None,
    walk_m: Singles | None = None,
    alerts: gpd.GeoDataFrame | None = None,
    designated: gpd.GeoSeries | None = None,
) -> Grid:
    """
    Relative risk of planting, Grid float32 on the terrain's frame; 0 where nothing can be planted.

    RR = cover · edge^[within edge_m of a jurisdiction edge] · history^[within near_m of a historic spot]
    · lead^[within near_m of a tip] · steep^[slope ≥ steep_deg] · sunny^[facing south] · remote^[walk_m above remote_m]
    · designated^[in a designated area] · (1 + (alert - 1)·max e^(-d/alert_m)·2^(-age/alert_half_days)).
    A factor whose layer is missing or empty is left out: unknown is not remote.

    Parameters
    ----------
    edges, spots, leads, designated
        Jurisdiction edges (lines); historic spots; tips; areas named by higher offices (polygons), in the terrain's
        CRS. Distances are from the cell's centre; inside a polygon the distance is 0.
    walk_m
        `walking_metres` from the nearest road or village, (rows, cols).
    alerts
        Geometry and ``age_days`` of what happened at or across an edge; both sides of it are raised alike.
    """
    frame = terrain.cover.frame
    table = np.zeros(256, np.float32)
    for name, factor in settings.cover.items():
        table[COVER_NAMES[name]] = factor
    risk = table[terrain.cover.values] * terrain.plantable
    risk[_near(edges, frame, settings.edge_m)] *= np.float32(settings.edge)
    risk[_near(spots, frame, settings.near_m)] *= np.float32(settings.history)
    risk[_near(leads, frame, settings.near_m)] *= np.float32(settings.lead)
    if walk_m is not None:
        risk[walk_m > settings.remote_m] *= np.float32(settings.remote)
    risk[_inside(designated, frame)] *= np.float32(settings.designated)
    _slopes(risk, terrain.elevation, settings)
    return Grid(risk, frame) if alerts is None else warmed(Grid(risk, frame), alerts, settings)


def warmed(risk: Grid, alerts: gpd.GeoDataFrame, settings: PrioritySettings) -> Grid:
    """
    The risk raised around alerts or finds, on both sides of every edge.

    This season's own finds raise where to look next, never the weights of detection: whoever finds a plot and says so
    must not see the own figure fall for it.
    """
    if not len(alerts):
        return risk
    return Grid(
        risk.values * (1.0 + np.float32(settings.alert - 1.0) * _warmth(alerts, risk.frame, settings)), risk.frame
    )


def walking_metres(
    terrain: Terrain, *, roads: gpd.GeoDataFrame, villages: gpd.GeoSeries, planning: PlanningSettings, cell_m: float
) -> Singles | None:
    """
    How remote every cell is: the walk from the nearest road or village, float32 (rows, cols); None where none is known.

    Time by Tobler's signed speed on a surface of `cell_m`, said as the metres of flat ground off paths that take as
    long (3 km/h); infinite where nobody can walk.
    """
    from scipy.sparse import csgraph

    from geo.analysis import travel

    thin = _thinned(terrain, max(round(cell_m / terrain.elevation.frame.cell_m), 1))
    surface = travel.cost_surface(thin, roads, replace(planning, cell_m=thin.elevation.frame.cell_m))
    start = surface.road.copy()
    points = villages[~(villages.isna() | villages.is_empty)].representative_point()
    inside = surface.frame.holds(points.x, points.y)
    start[surface.frame.cells(points.x[inside], points.y[inside])] = True
    sources = np.flatnonzero(start & ~surface.closed)
    if not len(sources):
        return None
    seconds = csgraph.dijkstra(surface.graph, indices=sources, min_only=True).reshape(surface.frame.shape)
    east, _ = terrain.elevation.frame.centres(0, np.arange(terrain.elevation.frame.cols))
    _, north = terrain.elevation.frame.centres(np.arange(terrain.elevation.frame.rows), 0)
    row = np.minimum(surface.frame.cells(surface.frame.west_m, north)[0], surface.frame.rows - 1)
    col = np.minimum(surface.frame.cells(east, surface.frame.north_m)[1], surface.frame.cols - 1)
    metres: Singles = (seconds / 3.6 * surface.flat_kmh).astype(np.float32)[row[:, None], col[None, :]]
    return metres


def _thinned(terrain: Terrain, factor: int) -> Terrain:
    """Every `factor`-th height; water where a third of the cells are: enough to tell near from far."""
    frame = terrain.elevation.frame
    rows, cols = max(frame.rows // factor, 1), max(frame.cols // factor, 1)
    wide = Frame(frame.west_m, frame.north_m, frame.cell_m * factor, rows, cols, frame.crs)
    middle = slice(factor // 2, None, factor)
    heights = terrain.elevation.values[middle, middle][:rows, :cols]
    water = (terrain.cover.values == Cover.WATER)[: rows * factor, : cols * factor]
    wet = water.reshape(rows, factor, cols, factor).mean(axis=(1, 3)) >= 1.0 / 3.0
    cover = np.where(wet, Cover.WATER, Cover.OPEN).astype(np.uint8)
    return Terrain(Grid(np.ascontiguousarray(heights), wide), Grid(cover, wide), terrain.source_cell_m)


def placed_alerts(alerts: gpd.GeoDataFrame, edges: gpd.GeoDataFrame, *, as_of: datetime) -> gpd.GeoDataFrame:
    """
    Alerts up to `as_of`, with geometry and ``age_days``; one without a place lies on every edge of the unit it names.

    Parameters
    ----------
    edges
        Jurisdiction edges with ``township_id, neighbour_id``.
    """
    moment = pd.Timestamp(as_of)
    known = alerts[alerts["kind"].isin(NEIGHBOURS) & (alerts["issued_at"] <= moment)]
    pairs = zip(known["unit_id"], known.geometry, strict=True)
    shapes = [_edges_of(unit, edges) if _bare(shape) else shape for unit, shape in pairs]
    ages = (moment - known["issued_at"]) / pd.Timedelta(days=1)
    table = gpd.GeoDataFrame({"age_days": ages.to_numpy(float)}, geometry=shapes, crs=edges.crs)
    return gpd.GeoDataFrame(table[~(table.geometry.isna() | table.geometry.is_empty)].reset_index(drop=True))


def warm_finds(finds: gpd.GeoDataFrame, *, as_of: datetime) -> gpd.GeoDataFrame:
    """Finds up to `as_of` as something to be warmed by: geometry and ``age_days``."""
    moment = pd.Timestamp(as_of)
    found = finds[(finds["found_at"] <= moment) & finds.geometry.notna() & ~finds.geometry.is_empty]
    ages = (moment - found["found_at"]) / pd.Timedelta(days=1)
    return gpd.GeoDataFrame({"age_days": ages.to_numpy(float)}, geometry=list(found.geometry), crs=finds.crs)


def designated_areas(
    alerts: gpd.GeoDataFrame, townships: gpd.GeoDataFrame, *, settings: PrioritySettings, as_of: datetime
) -> gpd.GeoSeries:
    """Ground under a 重点整治 listing in force: the listing's own polygon, or the whole township it names."""
    age = (pd.Timestamp(as_of) - alerts["issued_at"]) / pd.Timedelta(days=1)
    held = alerts[(alerts["kind"] == DESIGNATION) & (age >= 0.0) & (age <= settings.designated_days)]
    whole = townships.set_index("township_id").geometry
    pairs = zip(held["unit_id"], held.geometry, strict=True)
    shapes = [whole.get(unit) if _bare(shape) else shape for unit, shape in pairs]
    solid = [shape for shape in shapes if shape is not None and shapely.get_dimensions(shape) == 2]
    return gpd.GeoSeries(solid, crs=townships.crs)


def learned_rates(finds_n: npt.ArrayLike, effort: npt.ArrayLike, *, strength: float = 2.0) -> pd.DataFrame:
    """
    Relative rate of finds per stratum, each weighed by the effort that could have made them.

    Finds in a stratum are Poisson with the overall rate × factor × effort; the factor has a Gamma prior of mean 1 and
    shape `strength`. Posterior mean (strength + finds)/(strength + expected): 1 where nobody looked, and never 0.

    Parameters
    ----------
    finds_n, effort
        (strata,) finds, and the risk-weighted effort ΣRR·POD that could have made them, any unit.

    Returns
    -------
    pd.DataFrame
        finds_n, expected (finds, were all strata alike), factor, factor_low, factor_high (5 and 95 %).

    >>> learned_rates([4, 0, 0], [10.0, 10.0, 0.0])["factor"].round(3).tolist()
    [1.5, 0.5, 1.0]
    """
    from scipy.special import gammaincinv

    found, work = np.asarray(finds_n, float), np.asarray(effort, float)
    expected = found.sum() * (work / work.sum() if work.sum() > 0.0 else np.zeros(len(work)))
    low, high = (gammaincinv(strength + found, q) / (strength + expected) for q in (0.05, 0.95))
    factor = (strength + found) / (strength + expected)
    return pd.DataFrame(
        {"finds_n": found, "expected": expected, "factor": factor, "factor_low": low, "factor_high": high}
    )


def _bare(shape: shapely.Geometry | None) -> bool:
    return shape is None or bool(shapely.is_empty(shape))


def _edges_of(unit: str, edges: gpd.GeoDataFrame) -> shapely.Geometry | None:
    mine = edges[(edges["township_id"] == unit) | (edges["neighbour_id"] == unit)]
    return shapely.union_all(mine.geometry.to_numpy()) if len(mine) else None


def _held(places: gpd.GeoSeries | None) -> bool:
    return places is not None and bool((~(places.isna() | places.is_empty)).any())


def _near(places: gpd.GeoSeries | None, frame: Frame, distance_m: float) -> Flags:
    if places is None or not _held(places):
        return np.zeros(frame.shape, np.bool_)
    return np.asarray(buffer_mask(places, frame, distance_m) | _inside(places, frame))


def _inside(places: gpd.GeoSeries | None, frame: Frame) -> Flags:
    """Cells whose centre lies in one of the polygons."""
    solid = [] if places is None else places[places.geom_type.isin(("Polygon", "MultiPolygon"))]
    if not len(solid):
        return np.zeros(frame.shape, np.bool_)
    return np.asarray(geometry_mask(solid, out_shape=frame.shape, transform=frame.transform, invert=True))


def _slopes(risk: Singles, elevation: Grid, settings: PrioritySettings) -> None:
    """
    Multiply steep and sunny ground into `risk`, in place, by blocks of rows with one row of margin.

    Sunny: `sunny_deg` of slope or more, falling towards the south within 45 degrees.
    """
    frame = elevation.frame
    steep, sunny = (np.tan(np.radians(one)) for one in (settings.steep_deg, settings.sunny_deg))
    for top in range(0, frame.rows, BLOCK_ROWS):
        first, last = max(top - 1, 0), min(top + BLOCK_ROWS + 1, frame.rows)
        if last - first < 2 or frame.cols < 2:
            continue
        down, across = np.gradient(elevation.values[first:last].astype(np.float32), frame.cell_m)
        rise = np.hypot(down, across)
        kept = slice(top - first, top - first + BLOCK_ROWS)
        part = risk[top : top + BLOCK_ROWS]
        part[(rise >= steep * (1.0 - 1e-6))[kept]] *= np.float32(settings.steep)
        part[((rise >= sunny) & (-down >= np.float32(np.sqrt(0.5)) * rise))[kept]] *= np.float32(settings.sunny)


def _warmth(alerts: gpd.GeoDataFrame, frame: Frame, settings: PrioritySettings) -> Singles:
    """The strongest alert at each cell, 0 to 1: e^(-d/alert_m)·2^(-age/alert_half_days), to a cell's size."""
    from scipy.ndimage import distance_transform_edt

    warmth = np.zeros(frame.shape, np.float32)
    room = FADED * settings.alert_m
    for shape, age in zip(alerts.geometry, alerts["age_days"], strict=True):
        west, south, east, north = shapely.bounds(shape)
        top, left = frame.cells(west - room, north + room)
        bottom, right = frame.cells(east + room, south - room)
        window = frame.window(int(top), int(left), int(bottom - top) + 1, int(right - left) + 1)
        if 0 in window.shape or min(int(bottom), int(right)) < 0:
            continue
        # The place may lie outside the frame: distances are measured on a frame that holds it.
        wide = Frame(
            frame.west_m + int(left) * frame.cell_m, frame.north_m - int(top) * frame.cell_m, frame.cell_m,
            int(bottom - top) + 1, int(right - left) + 1, frame.crs,
        )  # fmt: skip
        held = rasterize([shape], out_shape=wide.shape, transform=wide.transform, all_touched=True, dtype="uint8")
        away = distance_transform_edt(held == 0) * frame.cell_m
        row, col = max(-int(top), 0), max(-int(left), 0)
        near = away[row : row + window.rows, col : col + window.cols]
        fresh = 2.0 ** (-float(age) / settings.alert_half_days)
        part = warmth[max(int(top), 0) :, max(int(left), 0) :][: window.rows, : window.cols]
        warm = np.where(near > room, 0.0, fresh * np.exp(-near / settings.alert_m))
        np.maximum(part, warm, out=part, casting="same_kind")
    return warmth


def posterior_mass(risk: Grid, pod: Grid, *, zones: Grid, present: npt.NDArray[np.float64]) -> Grid:
    """
    Expected undetected plots per cell, float32: each zone's chance of one, spread as RR·(1 - POD).

    Parameters
    ----------
    zones, present
        1-based zone of each cell (0 none), and per zone the chance that a plot stands there undetected.
    """
    weight = risk.values * (np.float32(1.0) - pod.values)
    sums = np.bincount(zones.values.ravel(), weight.ravel(), minlength=len(present) + 1)
    sums[0] = 0.0
    factor = np.divide(np.concatenate([[0.0], present]), sums, out=np.zeros(len(sums)), where=sums > 0.0)
    return Grid((weight * factor.astype(np.float32)[zones.values]).astype(np.float32), risk.frame)
