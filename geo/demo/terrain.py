"""Made-up cone karst: height of the ground, and what grows on it."""

import numpy as np
import numpy.typing as npt
import shapely
from rasterio import features
from scipy import ndimage

from geo.demo.sizes import Floats, Size, enlarge, smooth_noise
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover

Raster = npt.NDArray[np.float32]
FACTOR = 10
BLOCK_ROWS = 1024
CONES_KM2, DOLINES_KM2 = 8.0, 4.0
SHARES = ((Cover.CROPS, 0.17), (Cover.OPEN, 0.12), (Cover.SCRUB, 0.14))


def elevation(
    size: Size, frame: Frame, rng: np.random.Generator, *, river: shapely.LineString, reservoir: shapely.Polygon
) -> Grid:
    """Height of the ground, float32 metres: tilt, ridges, a river valley, cones and dolines; the reservoir is level."""
    base, from_water = _regional(size, frame, rng, river)
    height = np.zeros(frame.shape, np.float32)
    _stamp(height, frame, rng, reach_m=(110.0, 330.0), height_share=0.52, per_km2=CONES_KM2, calm=from_water)
    for rows in _blocks(frame):
        height[rows] += enlarge(base, FACTOR, rows, frame.cols)
    _stamp(height, frame, rng, reach_m=(40.0, 90.0), height_share=-0.22, per_km2=DOLINES_KM2, calm=from_water)
    np.clip(height, 800.0, 2200.0, out=height)
    water = features.rasterize([(reservoir, 1)], frame.shape, transform=frame.transform).astype(bool)
    height[water] = np.quantile(height[water], 0.2)
    return Grid(height, frame)


def cover(
    ground: Grid, rng: np.random.Generator, *, villages: Floats, water: list[shapely.Geometry], land: shapely.Geometry
) -> Grid:
    """
    Ground cover (uint8 of `Cover`): crops on valley floors and near villages, then terraces, scrub, forest and rock.

    Parameters
    ----------
    villages
        (n, 2) eastings and northings of village middles, metres.
    water, land
        The river and reservoir as areas, and the county's outline.
    """
    frame = ground.frame
    coarse = [-(-n // FACTOR) + 1 for n in frame.shape]
    near = np.ones(coarse, bool)
    row, col = frame.cells(villages[:, 0], villages[:, 1])
    near[row // FACTOR, col // FACTOR] = False
    hamlet = (0.5 * np.exp(-((ndimage.distance_transform_edt(near) * 100.0 / 600.0) ** 2))).astype(np.float32)
    broad = hamlet + (smooth_noise(rng, (coarse[0], coarse[1]), 5.0) * 0.16).astype(np.float32)
    half = (-(-frame.rows // 4) + 1, -(-frame.cols // 4) + 1)
    patch = (smooth_noise(rng, half, 3.5) * 0.22).astype(np.float32)
    score = np.empty(frame.shape, np.float32)
    steep = np.zeros(frame.shape, bool)
    for rows in _blocks(frame):
        slope = steepness(ground, rows)
        score[rows] = enlarge(broad, FACTOR, rows, frame.cols) + enlarge(patch, 4, rows, frame.cols)
        score[rows] += np.exp(-((slope / 0.32) ** 2))
        steep[rows] = (slope > 0.78) & (enlarge(patch, 4, rows, frame.cols) < 0.05)
    inside = _held(land, frame, 8)
    shares = np.cumsum([share for _, share in SHARES])
    limits = np.quantile(score[::8, ::8][inside], 1.0 - shares)
    values = np.full(frame.shape, Cover.FOREST, np.uint8)
    for (kind, _), limit in reversed(list(zip(SHARES, limits, strict=True))):
        values[score >= limit] = kind
    values[steep] = Cover.ROCK
    houses = shapely.buffer(shapely.points(villages), rng.uniform(45.0, 110.0, len(villages)))
    shapes = [*((shape, int(Cover.BUILT)) for shape in houses), *((shape, int(Cover.WATER)) for shape in water)]
    features.rasterize(shapes, out=values, transform=frame.transform)
    return Grid(values, frame)


def steepness(ground: Grid, rows: slice) -> Raster:
    """Slope (rise over run) of some rows."""
    first, last = max(rows.start - 1, 0), min(rows.stop + 1, ground.frame.rows)
    down, across = np.gradient(ground.values[first:last], np.float32(ground.frame.cell_m))
    np.hypot(down, across, out=down)
    return np.asarray(down[rows.start - first : rows.start - first + rows.stop - rows.start], np.float32)


def at(grid: Grid, place: Floats) -> npt.NDArray[np.generic]:
    """Values of the cells under (n, 2) places; a place outside takes the nearest cell."""
    row, col = grid.frame.cells(place[:, 0], place[:, 1])
    return np.asarray(grid.values[np.clip(row, 0, grid.frame.rows - 1), np.clip(col, 0, grid.frame.cols - 1)])


def _regional(size: Size, frame: Frame, rng: np.random.Generator, river: shapely.LineString) -> tuple[Raster, Raster]:
    """Height without cones and distance to the river, both every 100 m."""
    shape = (-(-frame.rows // FACTOR) + 1, -(-frame.cols // FACTOR) + 1)
    down, across = np.indices(shape) / max(shape)
    ridges = 1.0 - np.abs(smooth_noise(rng, shape, 60.0))
    waves = sum(weight * smooth_noise(rng, shape, cells) for weight, cells in ((1.0, 90.0), (0.5, 40.0), (0.22, 16.0)))
    mixed = waves + 0.5 * ridges - 2.2 * across + 0.8 * down
    low, high = np.quantile(mixed, [0.02, 0.98])
    base = size.low_m + (size.high_m - size.low_m) * np.clip((mixed - low) / (high - low), -0.03, 1.05)
    cell = frame.cell_m * FACTOR
    wide = Frame(frame.west_m, frame.north_m, cell, *shape, frame.crs)
    dry = features.rasterize([(river, 0)], shape, fill=1, transform=wide.transform, all_touched=True)
    away = ndimage.distance_transform_edt(dry) * cell
    floor = size.low_m - 0.05 * (size.high_m - size.low_m) + 60.0 * (1.0 - across)
    sunk = floor + (base - floor) * (1.0 - np.exp(-((away / 1500.0) ** 2)))
    return sunk.astype(np.float32), away.astype(np.float32)


def _stamp(
    height: Raster,
    frame: Frame,
    rng: np.random.Generator,
    *,
    reach_m: tuple[float, float],
    height_share: float,
    per_km2: float,
    calm: Raster,
) -> None:
    """Set rounded cones (or, with a negative share, hollows) on the ground, in place; lower near the river."""
    count = int(per_km2 * frame.rows * frame.cols * (frame.cell_m / 1000.0) ** 2)
    kinds = np.linspace(*reach_m, 12)
    reach = np.ceil(kinds / frame.cell_m).astype(int)
    unit = [_cone(int(cells), radius / frame.cell_m) for cells, radius in zip(reach, kinds, strict=True)]
    which = rng.integers(0, len(kinds), count)
    row = rng.integers(reach[which], frame.rows - reach[which])
    col = rng.integers(reach[which], frame.cols - reach[which])
    tall = height_share * kinds[which] * rng.uniform(0.6, 1.25, count)
    tall *= 1.0 - np.exp(-((calm[row // FACTOR, col // FACTOR] / 500.0) ** 2))
    for k, r, c, h in zip(which.tolist(), row.tolist(), col.tolist(), tall.astype(np.float32), strict=True):
        cells = reach[k]
        window = height[r - cells : r + cells + 1, c - cells : c + cells + 1]
        if h > 0:
            np.maximum(window, unit[k] * h, out=window)
        else:
            window += unit[k] * h


def _cone(cells: int, radius: float) -> Raster:
    place = np.arange(-cells, cells + 1) / radius
    inside = np.clip(1.0 - place[:, None] ** 2 - place**2, 0.0, None)
    return np.asarray(inside**1.5, np.float32)


def _blocks(frame: Frame) -> list[slice]:
    return [slice(first, min(first + BLOCK_ROWS, frame.rows)) for first in range(0, frame.rows, BLOCK_ROWS)]


def _held(land: shapely.Geometry, frame: Frame, stride: int) -> npt.NDArray[np.bool_]:
    """Whether every `stride`-th cell of every `stride`-th row lies on the land."""
    rows, cols = -(-frame.rows // stride), -(-frame.cols // stride)
    wide = Frame(frame.west_m, frame.north_m, frame.cell_m * stride, rows, cols, frame.crs)
    return np.asarray(features.rasterize([(land, 1)], wide.shape, transform=wide.transform).astype(bool))
