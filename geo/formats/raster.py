"""Elevation and cover rasters in, mosaicked and warped to a county's frame; dated scenes, window by window."""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
from rasterio.enums import Resampling
from rasterio.warp import reproject

from geo.errors import DatumError, FormatError, GeoError
from geo.formats.datum import datum_of
from geo.formats.sniffing import Kind, kind_of
from geo.grid import Frame, Grid

CELLS_CAP = 400_000_000
DRIVER = "GTiff"
HIGHEST_M, LOWEST_M = 9000.0, -500.0
CELL_SHARE = 1e-6
"""Cells that lie this share of a cell apart coincide: what is left of their places' digits."""
METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Source:
    """One raster file as it was used: its cell size in metres, how many cells of the frame it gave."""

    file: str
    sha256: str
    cell_m: float
    band: int
    crs: str
    cells_n: int


def read_terrain(
    paths: Sequence[Path], frame: Frame, *, band: int | None = None, datum: str | None = None
) -> tuple[Grid, float, tuple[Source, ...]]:
    """
    Elevation of a frame from one or several files, the first file winning where they overlap.

    Returns
    -------
    Grid
        float32 metres, NaN where no file has a value.
    float
        Cell size of the finest file that gave anything, metres.
    tuple of Source
        Per file.
    """
    values = np.full(frame.shape, np.nan, dtype=np.float32)
    sources = []
    for path in paths:
        piece, source = _warped(Path(path), frame, band, datum, Resampling.bilinear, between=(LOWEST_M, HIGHEST_M))
        free = np.isnan(values) & np.isfinite(piece)
        values[free] = piece[free]
        sources.append(Source(**{**source.__dict__, "cells_n": int(free.sum())}))
    _require_cells(sources)
    return Grid(values, frame), min(s.cell_m for s in sources if s.cells_n), tuple(sources)


def read_cover(
    paths: Sequence[Path], frame: Frame, *, band: int | None = None, datum: str | None = None
) -> tuple[Grid, tuple[Source, ...]]:
    """Ground cover classes (uint8, 0 unknown) of a frame by nearest neighbour, first file first."""
    values = np.zeros(frame.shape, dtype=np.uint8)
    sources = []
    for path in paths:
        piece, source = _warped(Path(path), frame, band, datum, Resampling.nearest)
        free = (values == 0) & np.isfinite(piece) & (piece > 0) & (piece <= 255)
        values[free] = piece[free].astype(np.uint8)
        sources.append(Source(**{**source.__dict__, "cells_n": int(free.sum())}))
    _require_cells(sources)
    return Grid(values, frame), tuple(sources)


def _require_cells(sources: Sequence[Source]) -> None:
    if not any(source.cells_n for source in sources):
        raise FormatError("raster_outside", file="、".join(source.file for source in sources))


def _warped(
    path: Path,
    frame: Frame,
    band: int | None,
    datum: str | None,
    resampling: Resampling,
    *,
    between: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[npt.NDArray[np.float32], Source]:
    """One band of a file (its only one where None) on the frame, float32; voids and what is not `between` are NaN."""
    digest = _digest(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with rasterio.open(path, driver=DRIVER) as source:
                chosen = _band(source, path.name, band)
                return _warp(source, path.name, digest, frame, chosen, datum, resampling, between)
    except GeoError:
        raise
    except Exception as error:
        raise FormatError("unreadable", file=path.name, why=type(error).__name__) from error


def _warp(
    source: Any,
    name: str,
    digest: str,
    frame: Frame,
    band: int,
    datum: str | None,
    resampling: Resampling,
    between: tuple[float, float],
) -> tuple[npt.NDArray[np.float32], Source]:
    if source.width * source.height > CELLS_CAP or frame.rows * frame.cols > CELLS_CAP:
        raise FormatError("raster_too_large", file=name, cap=CELLS_CAP // 10**6)
    declared = source.crs.to_wkt() if source.crs else None
    crs = pyproj.CRS.from_user_input(_crs_of(datum, declared, name))
    data = source.read(band, masked=True).astype(np.float32).filled(np.nan)
    # Before warping: a void that nobody declared would bleed into its neighbours.
    data[(data < between[0]) | (data > between[1])] = np.nan
    if not np.isfinite(data).any():
        raise FormatError("raster_void", file=name)
    out = np.full(frame.shape, np.nan, dtype=np.float32)
    offset = _cell_on_cell(source.transform, frame) if frame.crs.equals(crs) else None
    if offset is not None:
        _lay(data, out, *offset)
    else:
        reproject(
            data, out, src_transform=source.transform, src_crs=crs.to_wkt(), src_nodata=np.nan,
            dst_transform=frame.transform, dst_crs=frame.crs.to_wkt(), dst_nodata=np.nan, resampling=resampling,
        )  # fmt: skip
    cell = float(np.sqrt(abs(source.transform.determinant)))
    middle = np.radians((source.bounds.bottom + source.bounds.top) / 2.0)
    metres = cell * METRES_PER_DEGREE * float(np.sqrt(np.cos(middle))) if crs.is_geographic else cell
    return out, Source(name, digest, metres, band, crs.name, 0)


def _cell_on_cell(transform: Any, frame: Frame) -> tuple[int, int] | None:
    """Row and column of the frame on which a raster's first cell lies; None where the cells do not coincide."""
    if (transform.a, transform.b, transform.d, transform.e) != (frame.cell_m, 0.0, 0.0, -frame.cell_m):
        return None
    row, col = (frame.north_m - transform.f) / frame.cell_m, (transform.c - frame.west_m) / frame.cell_m
    apart = max(abs(row - round(row)), abs(col - round(col)))
    return (round(row), round(col)) if apart < CELL_SHARE else None


def _lay(data: npt.NDArray[np.float32], out: npt.NDArray[np.float32], row: int, col: int) -> None:
    """Put cells of `data` into `out`, the first of them at a row and column that may lie outside."""
    (top, bottom), (left, right) = (
        (max(first, 0), min(first + given, held))
        for first, given, held in zip((row, col), data.shape, out.shape, strict=True)
    )
    if top < bottom and left < right:
        out[top:bottom, left:right] = data[top - row : bottom - row, left - col : right - col]


def _band(source: Any, name: str, band: int | None) -> int:
    """The band to read; of a file of several somebody must say which."""
    if band is None and source.count > 1:
        raise FormatError("raster_band_needed", file=name, n=source.count)
    if band is not None and not 1 <= band <= source.count:
        raise FormatError("raster_band", file=name, band=band, n=source.count)
    return band or 1


def _crs_of(datum: str | None, declared: str | None, name: str) -> str:
    """The CRS a raster lies in; shifted datums cannot be undone cell by cell and are refused."""
    if datum in {"gcj02", "bd09"}:
        raise DatumError("datum_unsupported", datum=datum)
    datum_of(datum, declared, what=name)
    if datum is None:
        return str(declared)
    return "EPSG:4326" if datum in {"wgs84", "cgcs2000"} else datum


def _digest(path: Path) -> str:
    if not path.is_file():
        raise FormatError("file_missing", file=path.name)
    with path.open("rb") as stream:
        head = stream.read(8192)
        stream.seek(0)
        if not head:
            raise FormatError("file_empty", file=path.name)
        if kind_of(head, path.name) is not Kind.TIFF:
            raise FormatError("format_not_for_layer", file=path.name, kind=kind_of(head, path.name), layer="terrain")
        return hashlib.file_digest(stream, "sha256").hexdigest()


def windows(
    paths: Sequence[Path], frame: Frame, *, bands: Sequence[int], tile_cells: int = 512
) -> Iterator[tuple[Frame, npt.NDArray[np.float32]]]:
    """
    Scenes of several dates, tile by tile of a frame.

    Yields
    ------
    Frame
        The tile, cell on cell of `frame`.
    ndarray
        ``(scenes, bands, rows, cols)`` float32, NaN where a scene has no value, in the order of `paths` and `bands`.
    """
    for row in range(0, frame.rows, tile_cells):
        for col in range(0, frame.cols, tile_cells):
            tile = frame.window(row, col, tile_cells, tile_cells)
            scenes = [[_warped(Path(p), tile, band, None, Resampling.bilinear)[0] for band in bands] for p in paths]
            yield tile, np.array(scenes, dtype=np.float32)
