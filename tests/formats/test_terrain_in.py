"""Elevation models as they come: in degrees, with voids nobody declared, with several bands."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.warp import Resampling, reproject

from geo.crs import metric_crs, to_degrees, to_metric
from geo.errors import FormatError
from geo.formats import read_terrain
from geo.grid import Frame

CRS = metric_crs(105.0, 26.6)
EAST, NORTH = (float(v) for v in to_metric(105.05, 26.65, CRS.to_epsg()))
FRAME = Frame(round(EAST, -1) - 500.0, round(NORTH, -1) + 500.0, 10.0, 100, 100, CRS)
STEP = 0.0002


def plane(folder: Path, *, dtype: str = "float32", bands: int = 1, hole: bool = False) -> Path:
    """Height 1,000 m at 105° E 26.6° N, 1 m more per 0.0001° east, 2 m more per 0.0001° north; cells of 0.0002°."""
    place = (np.arange(500) + 0.5) * STEP
    heights = 1000.0 + (place[None, :] + 2.0 * place[::-1, None]) * 1e4
    if hole:
        heights[240:260, 240:260] = -32768
    turn = Affine(STEP, 0, 105.0, 0, -STEP, 26.7)
    file = folder / "高程 dem.tif"
    shape = {"width": 500, "height": 500, "count": bands, "crs": 4326, "transform": turn}
    with rasterio.open(file, "w", driver="GTiff", dtype=dtype, **shape) as target:
        for band in range(1, bands + 1):
            target.write((heights + 100.0 * (band - 1)).astype(dtype), band)
    return file


def truth() -> np.ndarray:
    row, col = np.indices(FRAME.shape)
    longitude, latitude = to_degrees(*FRAME.centres(row, col), CRS.to_epsg())
    return np.asarray(1000.0 + ((longitude - 105.0) + 2.0 * (latitude - 26.6)) * 1e4)


@pytest.mark.parametrize(("dtype", "slack_m"), [("float32", 0.1), ("int16", 1.1)])
def test_a_plane_in_degrees_is_the_same_plane_in_metres(tmp_path: Path, dtype: str, slack_m: float) -> None:
    """1 m per 0.0001 degree: a shift by half a cell would show as 1-3 m."""
    grid, cell_m, _ = read_terrain([plane(tmp_path, dtype=dtype)], FRAME)
    assert np.abs(grid.values - truth()).max() < slack_m
    assert cell_m == pytest.approx(0.0002 * 111_195 * np.cos(np.radians(26.65)) ** 0.5, rel=1e-3)


@pytest.mark.parametrize(("down", "across"), [(0, 0), (-30, 12), (25, -40), (90, 90), (-20, -20)])
def test_cells_on_the_countys_own_cells_are_taken_as_they_are(tmp_path: Path, down: int, across: int) -> None:
    """Nothing is resampled: every value to the last bit, wherever the raster begins, and NaN beyond it."""
    heights = np.random.default_rng(1).uniform(0.0, 3000.0, (110, 95)).astype(np.float32)
    file, turn = tmp_path / "dem.tif", FRAME.transform @ Affine.translation(across, down)
    shape = {"width": 95, "height": 110, "count": 1, "dtype": "float32", "crs": CRS.to_epsg(), "transform": turn}
    with rasterio.open(file, "w", driver="GTiff", **shape) as target:
        target.write(heights, 1)
    grid, cell_m, (source,) = read_terrain([file], FRAME)
    expected = np.full(FRAME.shape, np.nan, np.float32)
    for row in range(110):
        for col in range(95):
            if 0 <= row + down < 100 and 0 <= col + across < 100:
                expected[row + down, col + across] = heights[row, col]
    np.testing.assert_array_equal(grid.values, expected)
    assert (cell_m, source.cells_n) == (10.0, int(np.isfinite(expected).sum()))


def test_cells_half_a_cell_off_are_resampled(tmp_path: Path) -> None:
    slope = np.tile(np.arange(100, dtype=np.float32) * 10.0, (100, 1))
    file, turn = tmp_path / "dem.tif", FRAME.transform @ Affine.translation(0.5, 0.0)
    shape = {"width": 100, "height": 100, "count": 1, "dtype": "float32", "crs": CRS.to_epsg(), "transform": turn}
    with rasterio.open(file, "w", driver="GTiff", **shape) as target:
        target.write(slope, 1)
    grid, _, _ = read_terrain([file], FRAME)
    assert np.abs(grid.values[:, 1:-1] - (slope[:, 1:-1] - 5.0)).max() < 1e-3


def test_a_void_nobody_declared_does_not_bleed_into_its_neighbours(tmp_path: Path) -> None:
    grid, _, _ = read_terrain([plane(tmp_path, dtype="int16", hole=True)], FRAME)
    known = np.isfinite(grid.values)
    assert 0 < (~known).sum() < known.sum()
    assert np.abs(grid.values - truth())[known].max() < 5.0


def test_of_several_bands_somebody_says_which(tmp_path: Path) -> None:
    file = plane(tmp_path, bands=2)
    with pytest.raises(FormatError, match="raster_band_needed"):
        read_terrain([file], FRAME)
    with pytest.raises(FormatError, match="raster_band"):
        read_terrain([file], FRAME, band=3)
    grid, _, _ = read_terrain([file], FRAME, band=2)
    assert np.abs(grid.values - 100.0 - truth()).max() < 0.1


@pytest.mark.real
@pytest.mark.parametrize("gaps_first", [True, False])
def test_tiles_fill_each_others_gaps_whatever_their_order(real_data: Path, gaps_first: bool) -> None:
    """The file with gaps is the whole one with holes: together they are the whole one."""
    whole, gaps = (real_data / "dem" / name for name in ("qgis_dem_lonlat_fine.tif", "qgis_dem_gaps.tif"))
    crs = metric_crs(18.685, 45.794)
    east, north = (float(v) for v in to_metric(18.685, 45.794, crs.to_epsg()))
    frame = Frame(round(east, -1) - 1000.0, round(north, -1) + 1000.0, 10.0, 200, 200, crs)
    holed, full = (read_terrain([file], frame)[0].values for file in (gaps, whole))
    both = read_terrain([gaps, whole] if gaps_first else [whole, gaps], frame)[0].values
    assert np.isfinite(holed).sum() < np.isfinite(full).sum()
    assert np.array_equal(np.isfinite(both), np.isfinite(full))
    away = np.abs(both - full)[np.isfinite(full)]
    assert float(np.quantile(away, 0.99)) < 0.5


@pytest.mark.real
def test_a_real_model_lies_where_a_second_warp_lays_it(real_data: Path) -> None:
    """Against a plain warp of the same file: the same heights within 1 cm."""
    file = real_data / "dem" / "bigtujunga_srtm30m_utm11.tif"
    with rasterio.open(file) as source:
        west, north = source.bounds.left + 9000.0, source.bounds.top - 5000.0
        crs = metric_crs(-118.2, 34.3)
        frame = Frame(round(west, -1), round(north, -1), 10.0, 300, 300, crs)
        wanted = np.full(frame.shape, np.nan, np.float32)
        reproject(
            rasterio.band(source, 1), wanted, dst_transform=frame.transform, dst_crs=crs.to_wkt(),
            dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
    assert np.abs(read_terrain([file], frame)[0].values - wanted).max() < 0.01
