"""Footprints by similar triangles, plots under a pixel unseen, cloud unseen, and sensors in any order."""

from datetime import UTC, datetime
from itertools import permutations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.detection import season_pod
from geo.analysis.sensors import (
    clear_ground,
    clear_shape,
    flight_pod,
    image_pixels,
    looks_of,
    missed_by,
    pass_pod,
    pixel_sensitivity,
)
from geo.grid import Frame, Grid
from geo.layers.flights import SCHEMA
from geo.layers.passes import SCHEMA as PASSES
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import SensorSettings

SEASON, SENSORS = Season(2026), SensorSettings()
APRIL = datetime(2026, 4, 1, 2, tzinfo=UTC)
N = 81
FRAME = Frame(500000.0, 2950000.0, 10.0, N, N, pyproj.CRS(4544))
MIDDLE = shapely.Point(500405.0, 2949595.0)


def ground(heights=1000.0):
    z = np.broadcast_to(np.asarray(heights, np.float32), (N, N)).copy()
    return Terrain(Grid(z, FRAME), Grid(np.full((N, N), Cover.OPEN, np.uint8), FRAME), 10.0)


def images(n=1, *, height=100.0, heading=0.0, tilt=0.0, across=90.0, along=53.130102, pixels=4000, at=MIDDLE):
    """Rows of the layer; the default shows 200 by 100 m straight down from 100 m with pixels of 5 cm."""
    rows = pd.DataFrame(
        {
            "image_id": [f"I{k}" for k in range(n)],
            "flight_id": "F1",
            "taken_at": APRIL,
            "height_m": height,
            "heading_deg": heading,
            "tilt_deg": tilt,
            "fov_across_deg": across,
            "fov_along_deg": along,
            "pixels_across_n": pixels,
        }
    )
    return SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=[at] * n, crs=4544))


def shown(image, terrain=None):
    """East and south offsets in metres of the cells an image shows, and their pixels."""
    got = image_pixels(image.iloc[0], terrain or ground(), SENSORS)
    row, col = np.nonzero(np.isfinite(got.values))
    east, north = got.frame.centres(row, col)
    return east - MIDDLE.x, MIDDLE.y - north, got.values[row, col]


@pytest.mark.parametrize(("heading", "wide", "high"), [(0.0, 95.0, 45.0), (90.0, 45.0, 95.0), (180.0, 95.0, 45.0)])
def test_straight_down_the_footprint_is_that_of_similar_triangles(heading, wide, high):
    """2·100·tan 45° = 200 m across and 2·100·tan 26.57° = 100 m along; ends half a cell inside."""
    east, south, pixels = shown(images(across=90.0, along=53.130102, heading=heading, height=99.0))
    assert np.abs(east).max() == pytest.approx(wide, abs=5.01)
    assert np.abs(south).max() == pytest.approx(high, abs=5.01)
    assert pixels.min() == pytest.approx(99.0 * 2 / 4000)


def test_a_tilted_camera_looks_forward_from_h_tan_low_to_h_tan_high():
    """Tilt 45° with 30° along: from 100·tan 30° = 57.7 m to 100·tan 60° = 173.2 m ahead, here due east."""
    east, south, pixels = shown(images(tilt=45.0, heading=90.0, along=30.0, across=40.0))
    assert east.min() == pytest.approx(57.7, abs=10.0)
    assert east.max() == pytest.approx(173.2, abs=10.0)
    assert east.min() >= 57.7
    assert east.max() <= 173.3
    assert np.abs(south).max() <= 173.3 * np.tan(np.radians(20)) / np.sin(np.radians(60)) + 20
    assert pixels[east.argmax()] > pixels[east.argmin()]


def test_the_footprint_lies_on_the_terrain():
    """Ground 50 m nearer the camera halves the footprint: a plateau all round the foot of the camera's own cell."""
    near = np.full((N, N), 1050.0)
    near[40, 40] = 1000.0
    wide, _, pixels = shown(images(across=90.0, along=90.0), ground(near))
    assert np.abs(wide).max() <= 50.0
    assert pixels[np.hypot(wide, wide) > 0].min() == pytest.approx(50.0 * 2 / 4000, rel=0.02)


def test_what_a_ridge_hides_is_not_shown():
    """Looking east at 70° from 30 m, a wall of 29 m at 100 m hides the ground behind it; without the wall it shows."""
    walled = np.full((N, N), 1000.0)
    walled[:, 50] = 1029.0
    view = images(height=30.0, tilt=75.0, heading=90.0, along=28.0, across=60.0)
    assert shown(view)[0].max() > 200.0
    assert shown(view, ground(walled))[0].max() <= 100.0


def test_a_plot_under_one_pixel_has_sensitivity_nought_and_more_pixels_never_less():
    """10 m²: a pixel of 3.17 m is larger than the plot, one of 10 m far larger."""
    assert pixel_sensitivity([3.17, 10.0, 30.0], SENSORS).tolist() == [0.0, 0.0, 0.0]
    finer = pixel_sensitivity(np.linspace(3.2, 0.01, 200), SENSORS)
    assert (np.diff(finer) >= 0.0).all()
    assert finer[-1] == pytest.approx(0.85)
    assert pixel_sensitivity(np.inf, SENSORS) == 0.0


def test_a_satellite_of_ten_metres_adds_nothing_and_one_of_half_a_metre_only_where_clear():
    clear = Grid(np.arange(N * N).reshape(N, N) % 2 == 0, FRAME)
    assert not pass_pod(clear, 10.0, ground(), SEASON, SENSORS, day=90.0).any()
    seen = pass_pod(clear, 0.5, ground(), SEASON, SENSORS, day=90.0)
    want = 0.85 * -np.expm1(-(40.0 - 1.0) / 25.0)
    assert seen[clear.values].tolist() == pytest.approx([want] * int(clear.values.sum()), rel=1e-6)
    assert not seen[~clear.values].any()
    early = pass_pod(clear, 0.5, ground(), SEASON, SENSORS, day=20.0)
    assert early[clear.values] == pytest.approx(0.2 * want, rel=1e-6)


def test_images_of_one_flight_count_once_and_unplantable_ground_never():
    terrain = ground()
    terrain.cover.values[40, 40:] = Cover.WATER
    one, three = (flight_pod(images(n), terrain, SEASON, SENSORS) for n in (1, 3))
    assert (one == three).all()
    assert one[39, 40] == pytest.approx(0.85, abs=1e-6)
    assert not one[40, 40:].any()


def test_a_camera_outside_the_raster_shows_nothing():
    assert not flight_pod(images(at=shapely.Point(0.0, 0.0)), ground(), SEASON, SENSORS).any()


@settings(max_examples=30)
@given(chances=st.lists(st.floats(0.0, 0.95), min_size=3, max_size=3))
def test_feet_drone_and_satellite_combine_in_any_order(chances):
    layers = [np.full((2, 2), p, np.float32) for p in chances]
    whole = [season_pod(list(order))[0, 0] for order in permutations(layers)]
    assert whole == pytest.approx([1.0 - np.prod([1.0 - p for p in chances])] * 6, abs=1e-6)


@given(seed=st.integers(0, 10_000))
def test_a_cloud_mask_as_a_shape_is_the_mask_again(seed):
    clear = np.random.default_rng(seed).random((N, N)) < 0.5
    assert (clear_ground(clear_shape(Grid(clear, FRAME)), FRAME).values == clear).all()


def test_looks_from_above_miss_together_what_each_misses():
    terrain, row = ground(), images()
    west = shapely.box(500000.0, 2949000.0, 500400.0, 2951000.0)
    table = pd.DataFrame({"pass_id": ["S1"], "taken_at": [APRIL], "pixel_m": [0.5]})
    passes = PASSES.conform(gpd.GeoDataFrame(table, geometry=[west], crs=4544))
    looks = dict(looks_of(row, passes, terrain, SEASON, SENSORS))
    missed = missed_by(looks.items())
    assert set(looks) == {"F1", "S1"}
    assert missed == pytest.approx((1.0 - looks["F1"]) * (1.0 - looks["S1"]), abs=1e-6)
    assert missed_by([]) is None
    assert list(looks_of(row.iloc[:0], passes.assign(pixel_m=10.0), terrain, SEASON, SENSORS)) == []
