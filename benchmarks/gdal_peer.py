"""
The peer of ``benchmarks.coverage`` that sees terrain: GDAL's viewshed inside this process, and numpy for the rest.

``GDALViewshedGenerate`` is called by ctypes in the GDAL of fiona's wheel, on a raster in memory. Of the three GDALs a
process of ours holds it is the quickest by far: from 3.10 on every call starts threads of its own.
"""

import ctypes
from pathlib import Path
from typing import Any

import fiona
import numpy as np
import numpy.typing as npt

from geo.analysis.pieces import Pieces
from geo.grid import Grid

_POINTER, _DOUBLE, _INT, _TEXT = ctypes.c_void_p, ctypes.c_double, ctypes.c_int, ctypes.c_char_p
_FLOAT32, _BYTE, _READ, _WRITE = 6, 1, 0, 1
_EDGE_MODE, _NORMAL_OUTPUT = 2, 1
_RASTER_IO = (_POINTER, *[_INT] * 5, _POINTER, *[_INT] * 5)
_VIEWSHED = (_POINTER, _TEXT, _TEXT, _POINTER, *[_DOUBLE] * 9, _INT, _DOUBLE, _POINTER, _POINTER, _INT, _POINTER)


class GdalViewshed:
    """A height model held by GDAL, and hazard summed over what it says is seen."""

    def __init__(self, elevation: Grid) -> None:
        (library,) = (Path(fiona.__file__).parents[1] / "fiona.libs").glob("libgdal-*")
        self._library = ctypes.CDLL(str(library))
        self._function("GDALAllRegister", None)()
        frame = elevation.frame
        driver = self._function("GDALGetDriverByName", _POINTER, _TEXT)(b"MEM")
        create = self._function("GDALCreate", _POINTER, _POINTER, _TEXT, *[_INT] * 4, _POINTER)
        dataset = create(driver, b"", frame.cols, frame.rows, 1, _FLOAT32, None)
        place = (_DOUBLE * 6)(frame.west_m, frame.cell_m, 0.0, frame.north_m, 0.0, -frame.cell_m)
        self._function("GDALSetGeoTransform", _INT, _POINTER, _POINTER)(dataset, place)
        self._band = self._function("GDALGetRasterBand", _POINTER, _POINTER, _INT)
        self._source = self._band(dataset, 1)
        self._io = self._function("GDALRasterIO", _INT, *_RASTER_IO)
        heights = np.ascontiguousarray(elevation.values, np.float32)
        size = (frame.cols, frame.rows)
        self._io(self._source, _WRITE, 0, 0, *size, heights.ctypes.data, *size, _FLOAT32, 0, 0)
        self._generate = self._function("GDALViewshedGenerate", _POINTER, *_VIEWSHED)
        self._size = tuple(self._function(f"GDALGetRaster{axis}Size", _INT, _POINTER) for axis in "XY")
        self._place = self._function("GDALGetGeoTransform", _INT, _POINTER, _POINTER)
        self._close = self._function("GDALClose", _INT, _POINTER)
        self._frame = frame

    @property
    def version(self) -> str:
        """Release of the GDAL in use."""
        return str(self._function("GDALVersionInfo", _TEXT, _TEXT)(b"RELEASE_NAME").decode())

    def accumulate(self, hazard: npt.NDArray[np.float32], pieces: Pieces, *, reach_m: float, width_m: float) -> None:
        """
        Add W^2 / (8 pi r^3) times the length of each piece to the cells seen from its middle, r from there.

        Eye 1.6 m, target 0.8 m, no curvature; the distance is clamped to W/10 as ours is.
        """
        frame, half = self._frame, int(reach_m // self._frame.cell_m) + 1
        easting = 0.5 * (pieces.easting0_m + pieces.easting1_m)
        northing = 0.5 * (pieces.northing0_m + pieces.northing1_m)
        weights = (width_m**2 / (8.0 * np.pi) * pieces.lengths()).astype(np.float32)
        seen = np.zeros((2 * half + 1) ** 2, np.uint8)
        place = (_DOUBLE * 6)()
        least = np.float32((0.1 * width_m) ** 2)
        for east, north, weight in zip(easting.tolist(), northing.tolist(), weights.tolist(), strict=True):
            view = self._generate(
                self._source, b"MEM", b"", None, east, north, 1.6, 0.8, 1.0, 0.0, 0.0, -1.0, 0.0, _EDGE_MODE, reach_m,
                None, None, _NORMAL_OUTPUT, None,
            )  # fmt: skip
            across, down = self._size[0](view), self._size[1](view)
            self._io(
                self._band(view, 1), _READ, 0, 0, across, down, seen.ctypes.data, across, down, _BYTE, 0, 0
            )  # fmt: skip
            self._place(view, place)
            self._close(view)
            left, top = (
                round((place[0] - frame.west_m) / frame.cell_m),
                round((frame.north_m - place[3]) / frame.cell_m),
            )
            x = (np.arange(left, left + across, dtype=np.float32) + 0.5) * frame.cell_m - (east - frame.west_m)
            y = (np.arange(top, top + down, dtype=np.float32) + 0.5) * frame.cell_m - (frame.north_m - north)
            square = np.maximum((x * x)[None] + (y * y)[:, None], least)
            share = seen[: across * down].reshape(down, across) * (weight / (square * np.sqrt(square)))
            hazard[top : top + down, left : left + across] += share

    def _function(self, name: str, result: Any, *arguments: Any) -> Any:
        function = getattr(self._library, name)
        function.restype, function.argtypes = result, arguments
        return function
