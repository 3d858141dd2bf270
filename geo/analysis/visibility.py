"""Line of sight over an elevation model: exact R3 (every ray from the eye to every target, every crossing)."""

from functools import lru_cache
from math import gcd

import numpy as np
import numpy.typing as npt

from geo.analysis._kernels import see_from
from geo.grid import Grid

Program = tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.int64],
    npt.NDArray[np.float64],
    npt.NDArray[np.float64],
    npt.NDArray[np.int64],
]


def viewsheds(
    elevation: Grid,
    rows: npt.ArrayLike,
    cols: npt.ArrayLike,
    *,
    radius_m: float,
    eye_m: float = 1.6,
    target_m: float = 0.8,
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

    Returns
    -------
    array of bool, shape (n, 2 k + 1, 2 k + 1)
        Seen or not, the observer in the middle, k = floor(radius / cell); False beyond the radius.
    """
    cell = elevation.frame.cell_m
    half = half_width(radius_m, cell)
    at_row, at_col = np.atleast_1d(np.asarray(rows, np.int64)), np.atleast_1d(np.asarray(cols, np.int64))
    seen = np.zeros((len(at_row), 2 * half + 1, 2 * half + 1), np.uint8)
    heights = np.ascontiguousarray(elevation.values, np.float32)
    see_from(heights, at_row, at_col, half, eye_m, target_m, ray_program(radius_m / cell, cell), seen)
    return seen.astype(bool)


def half_width(radius_m: float, cell_m: float) -> int:
    """
    Cells from the observer to the edge of its window.

    >>> half_width(150.0, 10.0)
    15
    """
    return int(np.floor(radius_m / cell_m + 1e-9))


@lru_cache(maxsize=8)
def ray_program(radius_cells: float, cell_m: float) -> Program:
    """
    Every ray of a window, one per primitive direction, as a list of crossings in order of distance.

    Returns
    -------
    tuple
        ``ray_start`` (rays + 1), and per crossing: flat window index of the two cells it lies between, share of the
        second, 1 / distance in metres, flat index of the target whose centre it is (-1: none).
    """
    half = half_width(radius_cells, 1.0)
    side = 2 * half + 1
    starts, first, second, share, inverse, target = [0], [], [], [], [], []
    for down, right in _directions(radius_cells, half):
        for row, col, part, is_row_line in _crossings(down, right, radius_cells):
            low = (row + half) * side + col + half
            first.append(low)
            second.append(low if part == 0.0 else low + (1 if is_row_line else side))
            share.append(part)
            at = (row, col + part) if is_row_line else (row + part, col)
            inverse.append(1.0 / (float(np.hypot(*at)) * cell_m))
            target.append(low if part == 0.0 else -1)
        starts.append(len(first))
    whole = [np.array(values, np.int64) for values in (starts, first, second, target)]
    return whole[0], whole[1], whole[2], np.array(share), np.array(inverse), whole[3]


def _directions(radius_cells: float, half: int) -> list[tuple[int, int]]:
    """Primitive directions (rows down, columns right) that have a target within the radius."""
    span = range(-half, half + 1)
    limit = radius_cells**2 + 1e-9
    return [(r, c) for r in span for c in span if gcd(r, c) == 1 and r * r + c * c <= limit]


def _crossings(down: int, right: int, radius_cells: float) -> list[tuple[int, int, float, bool]]:
    """Row, column, share and kind of each crossing of a ray with lines through cell centres, in order."""
    targets = int(np.floor(np.sqrt((radius_cells**2 + 1e-9) / (down**2 + right**2))))
    found: list[tuple[float, tuple[int, int, float, bool]]] = []
    for i in range(1, abs(down) * targets + 1):
        row = i if down > 0 else -i
        col, rest = divmod(right * i, abs(down))
        found.append((i / abs(down), (row, col, rest / abs(down), True)))
    for i in range(1, abs(right) * targets + 1):
        col = i if right > 0 else -i
        row, rest = divmod(down * i, abs(right))
        if rest or not down:
            found.append((i / abs(right), (row, col, rest / abs(right), False)))
    return [crossing for _, crossing in sorted(found)]
