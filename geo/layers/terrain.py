"""Terrain: elevation and ground cover of a county, cell on cell."""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
import numpy.typing as npt

from geo.grid import Grid


class Cover(IntEnum):
    """Ground cover class of a cell; 0 where unknown."""

    UNKNOWN = 0
    OPEN = 1
    CROPS = 2
    SCRUB = 3
    FOREST = 4
    WATER = 5
    BUILT = 6
    ROCK = 7


PLANTABLE = (Cover.OPEN, Cover.CROPS, Cover.SCRUB)
COVER_NAMES = {"open": Cover.OPEN, "crops": Cover.CROPS, "scrub": Cover.SCRUB}


@dataclass(frozen=True)
class Terrain:
    """
    Elevation (float32 metres, NaN where void) and cover (uint8 of `Cover`) on one frame.

    `source_cell_m` is the cell size of the elevation model before it was resampled.
    """

    elevation: Grid
    cover: Grid
    source_cell_m: float

    def __post_init__(self) -> None:
        self.elevation.require_same_frame(self.cover)

    def surface(self, building_m: float) -> npt.NDArray[np.float32]:
        """What hides the ground behind it: the elevation, built-up cells raised by `building_m`; float32 metres."""
        if building_m not in self._surfaces:
            raised = self.elevation.values.astype(np.float32, copy=False)
            built = self.cover.values == Cover.BUILT if building_m else np.zeros((0, 0), bool)
            if built.any():
                raised = raised + np.where(built, np.float32(building_m), np.float32(0.0))
            self._surfaces[building_m] = raised
        return self._surfaces[building_m]

    @cached_property
    def _surfaces(self) -> dict[float, npt.NDArray[np.float32]]:
        return {}

    @cached_property
    def plantable(self) -> npt.NDArray[np.bool_]:
        """Cells where poppy could stand and the ground's height is known; not to be written to."""
        return self._growing & np.isfinite(self.elevation.values)

    @cached_property
    def unknown(self) -> npt.NDArray[np.bool_]:
        """Cells nobody can judge: no cover given, or no height where poppy could stand."""
        void = ~np.isfinite(self.elevation.values)
        if void.any():
            void &= self._growing
        return np.asarray(void | (self.cover.values == Cover.UNKNOWN))

    @property
    def _growing(self) -> npt.NDArray[np.bool_]:
        """Cells of a cover on which poppy grows, by a table of all 256 codes."""
        grows: npt.NDArray[np.bool_] = np.isin(np.arange(256), PLANTABLE)[self.cover.values]
        return grows


def slope_degrees(elevation: Grid) -> npt.NDArray[np.float32]:
    """Slope in degrees by central differences; NaN beside voids."""
    down, across = np.gradient(elevation.values.astype(np.float32), elevation.frame.cell_m)
    slope: npt.NDArray[np.float32] = np.degrees(np.arctan(np.hypot(down, across))).astype(np.float32)
    return slope
