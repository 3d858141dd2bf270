"""Relative risks: each factor where it holds, multiplied, nothing where nothing grows."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geo.analysis.priority import posterior_mass, relative_risk
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.settings import PrioritySettings

CRS = pyproj.CRS.from_epsg(4544)
FRAME = Frame(0.0, 3000.0, 10.0, 300, 300, CRS)
SETTINGS = PrioritySettings()


def terrain(elevation: np.ndarray | None = None, cover: np.ndarray | None = None) -> Terrain:
    height = np.full(FRAME.shape, 1200.0, np.float32) if elevation is None else elevation.astype(np.float32)
    kind = np.full(FRAME.shape, Cover.OPEN, np.uint8) if cover is None else cover
    return Terrain(Grid(height, FRAME), Grid(kind, FRAME), 10.0)


def series(*shapes: shapely.Geometry) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs=CRS)


def test_flat_open_ground_without_any_factor_has_risk_one():
    risk = relative_risk(terrain(), settings=SETTINGS)
    assert risk.values.dtype == np.float32
    assert np.unique(risk.values).tolist() == [1.0]


def test_nothing_grows_on_water_forest_or_where_height_is_unknown():
    cover = np.full(FRAME.shape, Cover.OPEN, np.uint8)
    cover[:10], cover[10:20] = Cover.WATER, Cover.FOREST
    height = np.full(FRAME.shape, 900.0)
    height[20:30] = np.nan
    risk = relative_risk(terrain(height, cover), settings=SETTINGS).values
    assert not risk[:30].any()
    assert risk[32:].all()


def test_factors_multiply_where_they_meet():
    risk = relative_risk(
        terrain(),
        settings=SETTINGS,
        edges=series(shapely.LineString([(0, 0), (0, 3000)])),
        spots=series(shapely.Point(105, 1505)),
        leads=series(shapely.Point(105, 1505)),
        ways=series(shapely.LineString([(0, 1505), (100, 1505)])),
    ).values
    assert risk[149, 10] == pytest.approx(2.0 * 5.0 * 3.0)
    assert risk[149, 49] == pytest.approx(2.0)
    assert risk[149, 51] == pytest.approx(1.0)
    assert risk[149, 111] == pytest.approx(1.5)
    assert risk[0, 10] == pytest.approx(2.0 * 1.5)


def test_a_slope_of_30_degrees_is_steep_and_one_of_20_is_not():
    east = np.arange(300) * 10.0
    height = np.tile(np.where(east < 1500, east * np.tan(np.radians(30)), 0.0), (300, 1))
    height[:, 150:] = height[0, 149] + (east[150:] - east[149]) * np.tan(np.radians(20))
    risk = relative_risk(terrain(height), settings=SETTINGS).values
    assert (risk[:, 1:148] == np.float32(0.7)).all()
    assert (risk[:, 152:] == 1.0).all()


def test_an_empty_road_layer_is_not_remoteness():
    risk = relative_risk(terrain(), settings=SETTINGS, ways=series(), spots=series(None))
    assert (risk.values == 1.0).all()


def test_inside_a_historic_polygon_the_distance_is_zero():
    risk = relative_risk(terrain(), settings=SETTINGS, spots=series(shapely.box(500, 500, 2500, 2500))).values
    assert risk[150, 150] == 5.0
    assert risk[2, 2] == 1.0


def test_posterior_mass_of_a_zone_sums_to_its_chance() -> None:
    """Where nobody looked the mass is RR's share; where everybody looked there is none."""
    frame = Frame(0.0, 20.0, 10.0, 2, 2, CRS)
    risk = Grid(np.array([[1.0, 3.0], [2.0, 0.0]], np.float32), frame)
    pod = Grid(np.array([[0.0, 0.0], [1.0, 0.0]], np.float32), frame)
    zones = Grid(np.array([[1, 1], [1, 0]], np.int16), frame)
    mass = posterior_mass(risk, pod, zones=zones, present=np.array([0.4]))
    assert np.allclose(mass.values, [[0.1, 0.3], [0.0, 0.0]])
