"""Dated scenes of a vegetation index, handed over window by window so that no whole image is ever in memory."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from geo.errors import GridMismatch
from geo.grid import Frame


@dataclass(frozen=True)
class Window:
    """
    One window of a stack of scenes.

    Parameters
    ----------
    dates
        Day of each scene, in order.
    index
        Vegetation index (NDVI), shape (dates, rows, cols), float32; NaN under cloud and outside the image.
    frame
        Place of the window, halo included.
    core
        First row, first column, row and column after the last of the part this window answers for; the rest is halo.
    """

    dates: tuple[date, ...]
    index: npt.NDArray[np.float32]
    frame: Frame
    core: tuple[int, int, int, int]

    def __post_init__(self) -> None:
        wanted = (len(self.dates), *self.frame.shape)
        if self.index.shape != wanted:
            raise GridMismatch("grid_shape", values=self.index.shape, frame=wanted)
