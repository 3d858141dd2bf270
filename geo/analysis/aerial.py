"""
What is better looked at from the air or through a telescope than on foot, and why.

Ground for a drone: plantable ground nobody can walk on or to (cliffs, islands between rivers), blind strips along edges
and other blind ground that costs most of a day to reach, and roofs round a village whose courtyards were not all
visited. Cut into tasks of one flight each, with a place to take off from and the height to clear.
"""

from dataclasses import dataclass
from enum import StrEnum

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from scipy import ndimage

from geo.grid import Grid
from geo.layers.segments import Mode

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
COLUMNS = ("reason", "area_m2", "mass", "relief_m", "above_m", "start_easting_m", "start_northing_m", "start_away_m")


class Why(StrEnum):
    """Why a unit is looked at the way it is."""

    WALKABLE = "walkable"
    CLIFF = "cliff"
    STRIP = "strip"
    FAR = "far"
    ROOF = "roof"
    VISIBLE = "visible"


@dataclass(frozen=True)
class Sky:
    """
    A township's ground for choosing flights; all on one coarse frame, (rows, cols).

    Parameters
    ----------
    elevation
        Metres.
    blind
        Plantable ground not yet seen.
    mass
        Expected undetected plots by cell.
    away_s
        Walk from the office and back, seconds; infinite where nobody gets on foot.
    strip
        Cells of border strips.
    road
        Cells with a road: the best places to take off from.
    roofs
        Built-up cells round villages whose courtyards were not all visited.
    """

    elevation: Grid
    blind: Flags
    mass: Floats
    away_s: Floats
    strip: Flags
    road: Flags
    roofs: Flags


def mode_of(
    away_s: float, unwalkable: float, budget_s: float, *, visible: float, fly_unwalkable: float, fly_away_share: float,
    least_visible: float = 0.5,
) -> tuple[Mode, Why]:  # fmt: skip
    """
    How a unit is best looked at, and why.

    On foot unless too much of it is closed to walkers or the way takes too much of the day. Then through a telescope
    where `visible` (share seen from one place on a road) is enough, else from the air.

    >>> knobs = {"fly_unwalkable": 0.5, "fly_away_share": 0.6}
    >>> [str(one) for one in mode_of(3600.0, 0.1, 21420.0, visible=0.9, **knobs)]
    ['徒步', 'walkable']
    >>> [str(one) for one in mode_of(15000.0, 0.1, 21420.0, visible=0.2, **knobs)]
    ['航测', 'far']
    """
    closed, far = unwalkable >= fly_unwalkable, not away_s <= fly_away_share * budget_s
    if not closed and not far:
        return Mode.FOOT, Why.WALKABLE
    if visible >= least_visible:
        return Mode.GLASS, Why.VISIBLE
    return Mode.FLIGHT, Why.CLIFF if closed else Why.FAR


def flights(
    sky: Sky, *, far_s: float, strip_s: float, least_m2: float = 5_000.0, flight_m: float = 600.0, most: int = 8
) -> gpd.GeoDataFrame:
    """
    Tasks for a drone, the most expected plots first, roofs last; polygons with `COLUMNS`.

    Parameters
    ----------
    far_s, strip_s
        Blind ground, and blind strips, whose way there and back takes longer are flown.
    least_m2, flight_m
        Smaller pieces are left out; larger ones are cut along squares of this side, one flight each.
    most
        At most so many tasks of each kind.

    Returns
    -------
    gpd.GeoDataFrame
        ``relief_m`` is the height within the area, ``above_m`` its highest point above the take-off place,
        ``start_away_m`` how far that place is from the area's middle.
    """
    frame = sky.elevation.frame
    kind = np.zeros(frame.shape, np.int32)
    order = (Why.ROOF, Why.FAR, Why.STRIP, Why.CLIFF)
    masks = (
        sky.roofs, sky.blind & (sky.away_s > far_s), sky.blind & sky.strip & (sky.away_s > strip_s),
        sky.blind & ~np.isfinite(sky.away_s),
    )  # fmt: skip
    for number, mask in enumerate(masks, 1):
        kind[mask] = number
    side = max(1, round(flight_m / frame.cell_m))
    row, col = np.indices(frame.shape) // side
    tile = row * (frame.cols // side + 1) + col
    rows = []
    for number, why in enumerate(order, 1):
        pieces, _ = ndimage.label(kind == number, structure=np.ones((3, 3), int))
        key = np.where(pieces > 0, pieces.astype(np.int64) * (int(tile.max()) + 1) + tile, 0)
        used, label = np.unique(key, return_inverse=True)
        label = label.reshape(frame.shape).astype(np.int32)
        cells = np.bincount(label.ravel(), minlength=len(used))
        wide = np.flatnonzero((used > 0) & (cells * frame.cell_m**2 >= least_m2))
        rows += [_task(sky, label == one, why) for one in wide]
    table = gpd.GeoDataFrame(rows, columns=[*COLUMNS, "geometry"], geometry="geometry", crs=frame.crs)
    roof = table["reason"] == str(Why.ROOF)
    ranked = table.assign(last=roof).sort_values(["last", "mass", "area_m2"], ascending=[True, False, False])
    chosen = ranked[ranked.groupby("reason").cumcount() < most]
    return gpd.GeoDataFrame(chosen.drop(columns="last").reset_index(drop=True))


def _task(sky: Sky, inside: Flags, why: Why) -> dict[str, object]:
    frame, height = sky.elevation.frame, np.nan_to_num(sky.elevation.values)
    shapes = rasterio.features.shapes(inside.astype(np.uint8), mask=inside, connectivity=4, transform=frame.transform)
    area = shapely.union_all([shapely.geometry.shape(shape) for shape, _ in shapes])
    row, col = (axis.mean() for axis in np.nonzero(inside))
    start = _start(sky, inside, float(row), float(col))
    east, north = frame.centres(*start)
    middle = shapely.centroid(area)
    return {
        "reason": str(why),
        "area_m2": float(inside.sum()) * frame.cell_m**2,
        "mass": float(sky.mass[inside].sum()),
        "relief_m": float(np.ptp(height[inside])),
        "above_m": float(height[inside].max() - height[start]),
        "start_easting_m": float(east),
        "start_northing_m": float(north),
        "start_away_m": float(np.hypot(east - middle.x, north - middle.y)),
        "geometry": area,
    }


def _start(sky: Sky, inside: Flags, row: float, col: float) -> tuple[int, int]:
    """The cell to take off from: on a road within 2 km, else the nearest ground one can walk to, else the highest."""
    reached = np.isfinite(sky.away_s) & ~inside
    for ground, most_m in ((reached & sky.road, 2000.0), (reached, np.inf)):
        rows, cols = np.nonzero(ground)
        if len(rows):
            away = np.hypot(rows - row, cols - col) * sky.elevation.frame.cell_m
            nearest = int(np.argmin(away))
            if away[nearest] <= most_m:
                return int(rows[nearest]), int(cols[nearest])
    highest = np.where(inside, np.nan_to_num(sky.elevation.values), -np.inf)
    top, left = np.unravel_index(int(np.argmax(highest)), inside.shape)
    return int(top), int(left)
