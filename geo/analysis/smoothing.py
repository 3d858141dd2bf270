"""The same ground, smoother: how far the answer hangs on the elevation model's own roughness."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from geo.grid import Grid
from geo.layers.terrain import Terrain


def moving_mean(terrain: Terrain, cells: int = 3) -> Terrain:
    """
    Each height as the mean of the `cells` x `cells` around it (odd); voids stay void and enter no mean.

    A model smoothed like this has lost the ridges and ditches that hide ground, so it sees too much; the rough one may
    hold noise that hides ground that lies open. The truth is thought to lie between: hence a range, not one factor.
    """
    if cells < 1 or cells % 2 == 0:
        raise ValueError(f"cells must be odd and above 0, got {cells}")
    heights = terrain.elevation.values.astype(np.float64)
    known = np.isfinite(heights)
    total = ndimage.uniform_filter(np.where(known, heights, 0.0), cells, mode="constant")
    share = ndimage.uniform_filter(known.astype(np.float64), cells, mode="constant")
    return _with(terrain, np.where(known, total / np.where(known, share, 1.0), np.nan))


def block_mean(terrain: Terrain, block_m: float = 30.0) -> Terrain:
    """Heights as a coarse model would have them: every block of `block_m` at its mean; voids stay void."""
    n = max(round(block_m / terrain.elevation.frame.cell_m), 1)
    heights = terrain.elevation.values.astype(np.float64)
    rows, cols = heights.shape
    block = (np.arange(rows) // n)[:, None] * (-(-cols // n)) + np.arange(cols) // n
    known = np.isfinite(heights)
    count = np.bincount(block.ravel(), known.ravel().astype(np.float64))
    total = np.bincount(block.ravel(), np.where(known, heights, 0.0).ravel())
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0.0)
    return _with(terrain, np.where(known, mean[block], np.nan))


def _with(terrain: Terrain, heights: npt.NDArray[np.float64]) -> Terrain:
    return replace(terrain, elevation=Grid(heights.astype(np.float32), terrain.elevation.frame))
