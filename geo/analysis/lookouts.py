"""Watching from a point: far line of sight on a round earth, and the hazard of every second of watching."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from geo.analysis._kernels_lookouts import see_far
from geo.analysis.attribution import Area, Part
from geo.analysis.coverage import days_of
from geo.analysis.detection import HAZARD_UNITS, sweep_widths
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import DetectionSettings, LookoutSettings

Floats = npt.NDArray[np.float64]

EARTH_M = 6_371_000.0
MOST_NAT = 32.0


def apparent_drop(distance_m: npt.ArrayLike, refraction: float = 0.13) -> Floats:
    """
    How far level ground seems to sink below the eye's level: d²(1 - k)/(2R), metres, any shape.

    k = 0.13 is the surveyors' usual refraction by day.

    >>> apparent_drop([500.0, 3000.0, 10000.0]).round(3).tolist()
    [0.017, 0.615, 6.828]
    """
    return np.asarray(np.asarray(distance_m, float) ** 2 * (1.0 - refraction) / (2.0 * EARTH_M))


def far_viewshed(
    elevation: Grid, row: int, col: int, *, radius_m: float, eye_m: float, target_m: float, refraction: float = 0.13
) -> npt.NDArray[np.bool_]:
    """
    What is seen from one cell over kilometres: `analysis.visibility.viewsheds` on a round earth, refraction included.

    Returns
    -------
    array of bool, shape (2 k + 1, 2 k + 1)
        The observer in the middle, k = floor(radius / cell); False beyond the radius and outside the raster.
    """
    half = int(np.floor(radius_m / elevation.frame.cell_m + 1e-9))
    seen = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    heights = np.ascontiguousarray(elevation.values, np.float32)
    bend = float(apparent_drop(1.0, refraction))
    see_far(heights, row, col, elevation.frame.cell_m, eye_m, target_m, bend, radius_m + 1e-6, seen)
    return seen.astype(bool)


def watching_rate(distance_m: npt.ArrayLike, settings: LookoutSettings) -> Floats:
    """
    Hazard per second of watching a plot of the widest sweep width, 1/s, any shape (*assumption*).

    Koopman's argument for eyes that search: the rate goes with the solid angle of the plot. On a slope that faces the
    watcher that falls with the square of the distance (on level ground seen at a slant, with its cube).

    >>> one = LookoutSettings(nats_per_hour=3.6, reference_m=500.0, nearest_m=100.0, reach_m=3000.0)
    >>> (watching_rate([50.0, 100.0, 500.0, 1000.0, 3001.0], one) * 1000).round(4).tolist()
    [25.0, 25.0, 1.0, 0.25, 0.0]
    """
    far = np.asarray(distance_m, float)
    rate = settings.nats_per_hour / 3600.0 * (settings.reference_m / np.maximum(far, settings.nearest_m)) ** 2
    return np.asarray(np.where(far <= settings.reach_m, rate, 0.0))


def watch(
    hazard: Grid,
    lookouts: gpd.GeoDataFrame,
    terrain: Terrain,
    season: Season,
    detection: DetectionSettings,
    settings: LookoutSettings,
    *,
    sign: int = 1,
) -> None:
    """
    Add what lookouts watched to a hazard raster, in place; ``sign=-1`` takes it away again, bit for bit.

    The hazard of one lookout on one cell is its rate at the cell's distance x seconds x (W/W_widest)², rounded once to
    1/65536 nat: ground and stage make plots as much harder to see from afar as from near.

    Parameters
    ----------
    hazard
        int32 raster in 1/65536 nat on the terrain's frame.
    lookouts
        Layer `lookouts`, CRS of the terrain.
    """
    if hazard.values.dtype != np.int32 or sign not in (-1, 1):
        raise ValueError(f"hazard must be int32 and sign 1 or -1, got {hazard.values.dtype} and {sign}")
    hazard.require_same_frame(terrain.elevation)
    for number in range(len(lookouts)):
        local = watched(lookouts.iloc[number], terrain, season, detection, settings)
        top, left = _corner(local.frame, hazard.frame)
        hazard.values[top : top + local.frame.rows, left : left + local.frame.cols] += sign * local.values


def lookout_parts(
    lookouts: gpd.GeoDataFrame,
    area: Area,
    terrain: Terrain,
    season: Season,
    detection: DetectionSettings,
    settings: LookoutSettings,
    *,
    first: int = 0,
) -> Iterator[Part]:
    """What each lookout added to an area, as `attribution.Part`; sources are numbered from `first`."""
    period = season.period_of(lookouts["started_at"])
    for number in range(len(lookouts)):
        if period[number] < 0:
            continue
        local = watched(lookouts.iloc[number], terrain, season, detection, settings)
        held, row, col = area.within(local.frame)
        got = local.values[row, col]
        yield Part(first + number, int(period[number]), held[got != 0], got[got != 0])


def watched(
    lookout: Any, terrain: Terrain, season: Season, detection: DetectionSettings, settings: LookoutSettings
) -> Grid:
    """What one lookout (a row of the layer) added to the cells within its reach, int32 in 1/65536 nat."""
    frame, cell = terrain.elevation.frame, terrain.elevation.frame.cell_m
    east, north = float(lookout["geometry"].x), float(lookout["geometry"].y)
    if not bool(frame.holds(east, north)):
        return Grid(np.zeros((0, 0), np.int32), frame.window(0, 0, 0, 0))
    row, col = (int(v) for v in frame.cells(east, north))
    half = int(np.floor(settings.reach_m / cell + 1e-9))
    window = frame.window(row - half, col - half, 2 * half + 1, 2 * half + 1)
    top, left = _corner(window, frame)
    eye = lookout["eye_m"] if lookout["eye_m"] == lookout["eye_m"] else settings.eye_m
    surface = terrain.surface(detection.building_m)
    stands = float(terrain.elevation.values[row, col]) - float(surface[row, col])
    seen = far_viewshed(
        Grid(surface, frame), row, col, radius_m=settings.reach_m, eye_m=float(eye) + stands,
        target_m=detection.target_m, refraction=settings.refraction,
    )  # fmt: skip
    r0, c0 = top - (row - half), left - (col - half)
    seen = seen[r0 : r0 + window.rows, c0 : c0 + window.cols]
    down, right = np.mgrid[top : top + window.rows, left : left + window.cols].astype(np.float64)
    far = np.hypot(down - row, right - col) * cell
    seconds = (lookout["ended_at"] - lookout["started_at"]).total_seconds()
    here = np.s_[top : top + window.rows, left : left + window.cols]
    part = Terrain(
        Grid(terrain.elevation.values[here], window), Grid(terrain.cover.values[here], window), terrain.source_cell_m
    )
    day = float(days_of(np.array([lookout["started_at"].timestamp()]), season)[0])
    widest = max(max(widths) for widths in detection.sweep_width_m.values())
    width = np.where(part.plantable, sweep_widths(part, season, detection, day=day).astype(np.float64), 0.0)
    nats = watching_rate(far, settings) * max(seconds, 0.0) * (width / widest) ** 2
    held = seen & _in_sector(right - col, row - down, lookout["from_deg"], lookout["to_deg"])
    return Grid(np.rint(np.where(held, np.minimum(nats, MOST_NAT), 0.0) * HAZARD_UNITS).astype(np.int32), window)


def _in_sector(east: Floats, north: Floats, begin: float, end: float) -> npt.NDArray[np.bool_]:
    """Whether a direction lies clockwise between two bearings (degrees); everywhere where either is missing."""
    if begin != begin or end != end:
        return np.ones(east.shape, bool)
    bearing = np.degrees(np.arctan2(east, north)) % 360.0
    return np.asarray((bearing - begin) % 360.0 <= (end - begin) % 360.0) | (end - begin >= 360.0)


def _corner(window: Frame, frame: Frame) -> tuple[int, int]:
    """Row and column of a window's first cell in its frame."""
    row = round((frame.north_m - window.north_m) / frame.cell_m)
    return row, round((window.west_m - frame.west_m) / frame.cell_m)
