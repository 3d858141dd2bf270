"""Line of sight over an elevation model: exact R3 (every ray from the eye to every target, every crossing)."""

from functools import lru_cache
from math import gcd, hypot
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.analysis._kernels_lanes import LANES
from geo.analysis._kernels_sight import see_all
from geo.grid import Grid

Program = tuple[npt.NDArray[Any], ...]


def viewsheds(
    elevation: Grid,
    rows: npt.ArrayLike,
    cols: npt.ArrayLike,
    *,
    radius_m: float,
    eye_m: float = 1.6,
    target_m: float = 0.8,
    floor: Grid | None = None,
) -> npt.NDArray[np.bool_]:
    """
    What is seen from the centre of each observer's cell.

    Along the straight line to a target's centre the ground's height is linearly interpolated at every crossing of a
    grid line through cell centres; the target is seen when no crossing rises above the line of sight. Voids block
    nothing and are no targets; from a void nothing is seen. The earth is flat: under 500 m that is 1.7 cm.

    Parameters
    ----------
    elevation
        Ground height, metres, NaN where void.
    rows, cols
        Observers' cells inside the raster, shape (n,).
    radius_m
        Targets whose centre lies within this distance of the observer's centre.
    floor
        Ground that observers stand on where it is not `elevation`, such as between buildings; same frame.

    Returns
    -------
    array of bool, shape (n, 2 k + 1, 2 k + 1)
        Seen or not, the observer in the middle, k = floor(radius / cell); False beyond the radius.
    """
    cell = elevation.frame.cell_m
    half = half_width(radius_m, cell)
    side = 2 * half + 1
    at_row, at_col = (np.ascontiguousarray(np.atleast_1d(values), np.int64) for values in (rows, cols))
    bits = np.zeros((-(-len(at_row) // LANES), side * side + LANES), np.uint16)
    heights = (float(eye_m), float(target_m), float(cell))
    surface = np.ascontiguousarray(elevation.values, np.float32)
    below = surface if floor is None else np.ascontiguousarray(floor.values, np.float32)
    see_all(
        surface, below, at_row, at_col, half, heights,
        ray_program(radius_m / cell, cell), sight_room(half), bits,
    )  # fmt: skip
    seen = bits[:, None, : side * side] >> np.arange(LANES, dtype=np.uint16)[:, None] & 1
    return seen.reshape(-1, side, side)[: len(at_row)].astype(bool)


def half_width(radius_m: float, cell_m: float) -> int:
    """
    Cells from the observer to the edge of its window.

    >>> half_width(150.0, 10.0)
    15
    """
    return int(np.floor(radius_m / cell_m + 1e-9))


def sight_room(half: int) -> tuple[npt.NDArray[Any], ...]:
    """Working memory of `see` for one thread."""
    return aligned(((2 * half + 1) ** 2 + LANES) * LANES), np.zeros(LANES, np.int64), aligned(2 * LANES)


def aligned(count: int) -> npt.NDArray[np.float32]:
    """Zeros that begin a line of the cache: a vector that straddles two lines is read twice."""
    room = np.zeros(count + LANES, np.float32)
    skip = -room.ctypes.data // 4 % LANES
    return room[skip : skip + count]


@lru_cache(maxsize=8)
def ray_program(radius_cells: float, cell_m: float) -> Program:
    """
    Every ray of a window, one per primitive direction of the first octant, as crossings in order of distance.

    A ray stands for its eight mirror images: a place ``major`` rows down and ``minor`` columns right is met by the
    others at (major, -minor), (minor, major), (-minor, major) and the opposites of these four.

    Returns
    -------
    tuple
        ``begin`` (rays + 1); per crossing the flat window offsets, from the middle, of the two cells it lies between
        in the first four images, times 16, int64 (4 n,) each; the share of either divided by the distance, float32
        1/m (second share -1: the crossing is a target's centre); major and minor of both cells, int32 (n, 4); share
        of the second (-1); inverse distance of every window cell, float32 1/m; distance of each crossing, metres.
    """
    half = half_width(radius_cells, 1.0)
    side = 2 * half + 1
    begin, found = [0], []
    for major, minor in _directions(radius_cells, half):
        found += _crossings(major, minor, radius_cells)
        begin.append(len(found))
    places = np.array([crossing[:4] for crossing in found], np.int32)
    share, distance = np.array([crossing[4:] for crossing in found]).T.copy()
    distance *= cell_m
    part = np.maximum(share, 0.0)
    first, second = ((1.0 - part) / distance).astype(np.float32), (part / distance).astype(np.float32)
    second[share < 0.0] = -1.0
    near, far = (_mirrored(places[:, k], places[:, k + 1], side) for k in (0, 2))
    away = np.hypot(*np.mgrid[-half : half + 1, -half : half + 1]) * cell_m
    away[half, half] = cell_m
    inverse = (1.0 / away).astype(np.float32).ravel()
    return np.array(begin), near, far, first, second, places, share, inverse, distance


def _mirrored(major: npt.NDArray[Any], minor: npt.NDArray[Any], side: int) -> npt.NDArray[np.int64]:
    """Sixteen times the flat offsets of a place in the first four images, shape (4 n,)."""
    images = (major * side + minor, major * side - minor, minor * side + major, major - minor * side)
    return np.stack(images, axis=1).astype(np.int64).ravel() * LANES


def _directions(radius_cells: float, half: int) -> list[tuple[int, int]]:
    """Primitive directions of the first octant that have a target within the radius, by angle."""
    limit = radius_cells**2 + 1e-9
    pairs = [(a, b) for a in range(1, half + 1) for b in range(a + 1) if gcd(a, b) == 1 and a * a + b * b <= limit]
    return sorted(pairs, key=lambda pair: pair[1] / pair[0])


def _crossings(major: int, minor: int, radius_cells: float) -> list[tuple[int, int, int, int, float, float]]:
    """
    Crossings of a ray with lines through cell centres, in order, up to its last target.

    Each is major and minor of the two cells it lies between, share of the second (-1: a centre), distance in cells.
    """
    targets = int(np.floor(np.sqrt(radius_cells**2 + 1e-9) / hypot(major, minor)))
    found = []
    for i in range(1, major * targets + 1):
        low, rest = divmod(minor * i, major)
        share = rest / major if rest else -1.0
        found.append((i, low, i, low + (rest > 0), share, hypot(i, minor * i / major)))
    for i in range(1, minor * targets + 1):
        low, rest = divmod(major * i, minor)
        if rest:
            found.append((low, i, low + 1, i, rest / minor, hypot(major * i / minor, i)))
    return sorted(found, key=lambda crossing: crossing[-1])
