"""The contract of a raster: values with a place. Grids of different places refuse to be combined."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
from affine import Affine

from geo.errors import GridMismatch

TILE_CELLS = 128
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Frame:
    """Place and shape of a raster: north-up square cells of `cell_m` metres; west and north are its outer corner."""

    west_m: float
    north_m: float
    cell_m: float
    rows: int
    cols: int
    crs: pyproj.CRS

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.cols

    @property
    def transform(self) -> Affine:
        return Affine(self.cell_m, 0.0, self.west_m, 0.0, -self.cell_m, self.north_m)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, metres."""
        return self.west_m, self.north_m - self.rows * self.cell_m, self.west_m + self.cols * self.cell_m, self.north_m

    def cells(self, easting_m: npt.ArrayLike, northing_m: npt.ArrayLike) -> tuple[Array, Array]:
        """Row and column (int64, any shape) of the cell that holds each point; may lie outside the frame."""
        col = np.floor((np.asarray(easting_m, float) - self.west_m) / self.cell_m).astype(np.int64)
        row = np.floor((self.north_m - np.asarray(northing_m, float)) / self.cell_m).astype(np.int64)
        return row, col

    def holds(self, easting_m: npt.ArrayLike, northing_m: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each point lies inside the frame."""
        row, col = self.cells(easting_m, northing_m)
        return np.asarray((row >= 0) & (row < self.rows) & (col >= 0) & (col < self.cols))

    def centres(self, row: npt.ArrayLike, col: npt.ArrayLike) -> tuple[Array, Array]:
        """Easting and northing of cell centres, metres."""
        east = self.west_m + (np.asarray(col) + 0.5) * self.cell_m
        return east, self.north_m - (np.asarray(row) + 0.5) * self.cell_m

    def window(self, row: int, col: int, rows: int, cols: int) -> "Frame":
        """The frame of a rectangle of cells of this one, cut at its edges."""
        top, left = max(row, 0), max(col, 0)
        bottom, right = min(row + rows, self.rows), min(col + cols, self.cols)
        west, north = self.west_m + left * self.cell_m, self.north_m - top * self.cell_m
        return Frame(west, north, self.cell_m, max(bottom - top, 0), max(right - left, 0), self.crs)


@dataclass(frozen=True)
class Grid:
    """A raster: `values` of shape (rows, cols) on `frame`."""

    values: Array
    frame: Frame

    def __post_init__(self) -> None:
        if self.values.shape != self.frame.shape:
            raise GridMismatch("grid_shape", values=self.values.shape, frame=self.frame.shape)

    def require_same_frame(self, other: "Grid") -> None:
        """Raise `GridMismatch` unless both rasters lie cell on cell."""
        if self.frame != other.frame:
            raise GridMismatch("grid_mismatch", one=self.frame.bounds, other=other.frame.bounds)


def county_frame(
    bounds: tuple[float, float, float, float], crs: Any, *, cell_m: float = 10.0, margin_m: float = 1000.0
) -> Frame:
    """
    The frame of a county: its bounds plus a margin, widened to whole tiles of 128 cells.

    Parameters
    ----------
    bounds
        West, south, east, north of the county in metres of `crs`.

    >>> frame = county_frame((5000.0, 5000.0, 6000.0, 6000.0), 4544)
    >>> frame.west_m, frame.north_m, frame.shape
    (3840.0, 7680.0, (384, 384))
    """
    tile_m = TILE_CELLS * cell_m
    west, south = (np.floor((v - margin_m) / tile_m) * tile_m for v in bounds[:2])
    east, north = (np.ceil((v + margin_m) / tile_m) * tile_m for v in bounds[2:])
    rows, cols = round((north - south) / cell_m), round((east - west) / cell_m)
    return Frame(float(west), float(north), cell_m, rows, cols, pyproj.CRS.from_user_input(crs))
