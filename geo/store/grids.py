"""Rasters of a county: ``grids/NAME.tif``, tiled GeoTIFF with zstd, replaced whole."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyproj
import rasterio
from rasterio.windows import Window

from geo.errors import GridMismatch, StoreError
from geo.grid import Frame, Grid
from geo.store.durable import replace_file

FOLDER = "grids"
TILE_CELLS = 256
Floats = npt.NDArray[np.float64]
_NAME = re.compile(r"[\w-]+")


def has_grid(path: Path, name: str) -> bool:
    """Whether the county in a folder has this raster."""
    return _file(path, name).is_file()


def write_grid(path: Path, name: str, grid: Grid) -> None:
    """Keep a raster under a name; truth values are kept as 0 and 1 (uint8)."""
    file = _file(path, name)
    file.parent.mkdir(exist_ok=True)
    replace_file(file, lambda beside: _write(beside, grid))


def read_grid(path: Path, name: str, window: Frame | None = None) -> Grid:
    """The raster of that name, or the part of it in `window`, a frame cut out of the raster's own."""
    file = _file(path, name)
    if not file.is_file():
        raise StoreError("grid_missing", name=name)
    try:
        with rasterio.open(file, driver="GTiff", num_threads="ALL_CPUS") as source:
            whole = _frame(source)
            return _cut(source, whole, window or whole)
    except rasterio.errors.RasterioError as wrong:
        raise StoreError("grid_unreadable", name=name, why=wrong) from wrong


def grid_at(path: Path, name: str, east: Floats, north: Floats) -> Floats:
    """The raster's values at places in its own metres, NaN beyond it; only the tiles that hold a place are read."""
    file = _file(path, name)
    if not file.is_file():
        raise StoreError("grid_missing", name=name)
    found = np.full(len(east), np.nan)
    try:
        with rasterio.open(file, driver="GTiff") as source:
            inside = np.isfinite(east) & np.isfinite(north)
            inside[inside] = _frame(source).holds(east[inside], north[inside])
            places = zip(east[inside], north[inside], strict=True)
            found[inside] = [value[0] for value in source.sample(places)]
    except rasterio.errors.RasterioError as wrong:
        raise StoreError("grid_unreadable", name=name, why=wrong) from wrong
    return found


def fingerprint(path: Path, name: str) -> str | None:
    """Hash of a raster file, the same wherever the county is copied to; None where there is none."""
    file = _file(path, name)
    if not file.is_file():
        return None
    told = file.stat()
    return _fingerprint(file, told.st_mtime_ns, told.st_size)


@lru_cache(maxsize=64)
def _fingerprint(file: Path, _written_ns: int, _size: int) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def grid_frame(path: Path, name: str) -> Frame:
    """Place and shape of a raster, without its values."""
    if not has_grid(path, name):
        raise StoreError("grid_missing", name=name)
    with rasterio.open(_file(path, name), driver="GTiff") as source:
        return _frame(source)


def _file(path: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise StoreError("grid_missing", name=name)
    return path / FOLDER / f"{name}.tif"


def _write(beside: Path, grid: Grid) -> None:
    values = grid.values.astype(np.uint8) if grid.values.dtype == bool else grid.values
    floating = np.issubdtype(values.dtype, np.floating)
    with rasterio.open(
        beside,
        "w",
        driver="GTiff",
        height=grid.frame.rows,
        width=grid.frame.cols,
        count=1,
        dtype=values.dtype.name,
        crs=_crs(grid.frame.crs.to_wkt()),
        transform=grid.frame.transform,
        nodata=float("nan") if floating else None,
        tiled=True,
        blockxsize=TILE_CELLS,
        blockysize=TILE_CELLS,
        compress="zstd",
        zstd_level=1,
        predictor=3 if floating else 2,
        bigtiff="IF_SAFER",
        num_threads="ALL_CPUS",
    ) as target:
        target.write(values, 1)


@lru_cache(maxsize=16)
def _crs(wkt: str) -> rasterio.CRS:
    """A CRS as rasterio has it; turning one over takes as long as writing a small raster."""
    return rasterio.CRS.from_user_input(pyproj.CRS.from_wkt(wkt))


def _frame(source: rasterio.DatasetReader) -> Frame:
    if source.crs is None:
        raise StoreError("grid_unreadable", name=Path(source.name).stem, why="no coordinate system")
    epsg = source.crs.to_epsg()
    crs = pyproj.CRS.from_epsg(epsg) if epsg else pyproj.CRS.from_wkt(source.crs.to_wkt())
    turn = source.transform
    return Frame(turn.c, turn.f, turn.a, source.height, source.width, crs)


def _cut(source: rasterio.DatasetReader, whole: Frame, part: Frame) -> Grid:
    rows, cols = whole.cells(part.west_m + part.cell_m / 2.0, part.north_m - part.cell_m / 2.0)
    row, col = int(rows), int(cols)
    inside = row >= 0 and col >= 0 and row + part.rows <= whole.rows and col + part.cols <= whole.cols
    if not inside or whole.window(row, col, part.rows, part.cols) != part:
        raise GridMismatch("grid_mismatch", one=part.bounds, other=whole.bounds)
    return Grid(source.read(1, window=Window(col, row, part.cols, part.rows)), part)
