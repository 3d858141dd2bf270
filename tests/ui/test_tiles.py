import io

import numpy as np
import pyproj
from affine import Affine
from PIL import Image
from rasterio.warp import Resampling, reproject
from ui_county import WORLD_M, county_frame_of_two, tile_of

from geo.grid import Frame, Grid
from geo.ui import tiles


def test_a_tile_is_what_gdal_warps_to_the_same_pixels() -> None:
    frame = county_frame_of_two()
    down, across = np.indices(frame.shape)
    values = ((across // 16 + down // 16) % 2 * 100 + 50).astype(np.uint8)
    x, y = tile_of(frame, 14)
    span = WORLD_M / 2**14
    wanted = np.full((tiles.PX, tiles.PX), 255, np.uint8)
    turn = Affine(span / tiles.PX, 0, x * span - WORLD_M / 2, 0, -span / tiles.PX, WORLD_M / 2 - y * span)
    reproject(
        values,
        wanted,
        src_transform=frame.transform,
        src_crs=frame.crs.to_wkt(),
        dst_transform=turn,
        dst_crs="EPSG:3857",
        src_nodata=255,
        dst_nodata=255,
        init_dest_nodata=True,
        resampling=Resampling.nearest,
    )
    ours = tiles.sample(tiles.pyramid(values, frame), 14, x, y)
    assert (ours != 255).any()
    assert (ours == wanted).mean() > 0.995


def test_a_tile_away_from_the_county_holds_nothing() -> None:
    frame = county_frame_of_two()
    ours = tiles.sample(tiles.pyramid(np.zeros(frame.shape, np.uint8), frame), 10, 0, 0)
    assert (ours == tiles.NOTHING).all()


def test_halving_takes_the_mean_of_the_cells_that_hold_something() -> None:
    values = np.full((2 * tiles.PX, 2 * tiles.PX), 255, np.uint8)
    values[0, 0], values[0, 1] = 10, 20
    half = tiles.pyramid(values, Frame(0, 0, 10, *values.shape, pyproj.CRS.from_epsg(4544))).levels[1]
    assert half[0, 0] == 15
    assert (half.reshape(-1)[1:] == 255).all()


def test_a_slope_towards_the_light_is_brighter_than_one_away_from_it() -> None:
    frame = Frame(0.0, 6000.0, 10.0, 600, 600, pyproj.CRS.from_epsg(4544))
    across = np.indices(frame.shape)[1]
    rising = (across * 5.0).astype(np.float32)
    assert tiles.shade(Grid(-rising, frame)).mean() < tiles.shade(Grid(rising, frame)).mean()
    flat = tiles.shade(Grid(np.full(frame.shape, 7.0, np.float32), frame))
    assert set(np.unique(flat)) == {round(254 * np.sin(np.radians(45)) - 0.5)}


def test_hillshade_in_bands_is_the_hillshade_in_one_piece() -> None:
    height = np.random.default_rng(1).normal(1000, 30, (1100, 40)).astype(np.float32)
    whole = Frame(0.0, 0.0, 10.0, 1100, 40, pyproj.CRS.from_epsg(4544))
    shaded = tiles.shade(Grid(height, whole))
    part = tiles.shade(Grid(height[500:560], whole.window(500, 0, 60, 40)))
    assert (shaded[501:559] == part[1:-1]).all()


def test_blind_ground_is_hatched_and_seen_ground_gets_darker() -> None:
    pixels = np.repeat(np.array([[0, 20, 200, 255]], np.uint8), 16, axis=0)
    image = np.asarray(Image.open(io.BytesIO(tiles.detection_png(pixels))).convert("RGBA")).astype(int)
    assert len(np.unique(image[:, 0], axis=0)) == 2
    assert image[0, 1, :3].sum() > image[0, 2, :3].sum()
    assert (image[:, 3, 3] == 0).all()


def test_relative_risk_is_drawn_in_steps_of_its_logarithm_and_not_where_there_is_none() -> None:
    """A quarter is the lightest, sixteen the darkest, two half way between; none at all stays transparent."""
    steps = tiles.risk_steps(np.array([[0.0, 0.25, 2.0], [16.0, 99.0, np.nan]]))
    assert steps.tolist() == [[tiles.NOTHING, 0, 100], [200, 200, tiles.NOTHING]]
    picture = Image.open(io.BytesIO(tiles.risk_png(steps))).convert("RGBA")
    assert [picture.getpixel((column, 0))[3] for column in range(3)] == [0, 190, 190]
    assert picture.getpixel((1, 0))[:3] == tiles.LITTLE
    assert picture.getpixel((0, 1))[:3] == tiles.MUCH
