"""Walking time: Tobler's golden values, barriers, roads and the laws every travel matrix must keep."""

from itertools import pairwise

import geopandas as gpd
import numpy as np
import pyproj
import pytest
from scipy.sparse import csgraph
from shapely.geometry import LineString

from geo.analysis import travel
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.settings import PlanningSettings

CRS = pyproj.CRS.from_epsg(4544)
SETTINGS = PlanningSettings()
NO_ROADS = gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS))
FLAT_KMH = 6.0 * np.exp(-0.175) * 0.6


def terrain(elevation, cover=None, cell_m=10.0):
    values = np.asarray(elevation, dtype=np.float32)
    frame = Frame(500000.0, 2970000.0, cell_m, *values.shape, CRS)
    ground = np.full(values.shape, Cover.OPEN, np.uint8) if cover is None else cover
    return Terrain(Grid(values, frame), Grid(ground, frame), 30.0)


def hills(rng, cells=240):
    """Smooth hills, slopes up to about 35 degrees."""
    y, x = np.mgrid[:cells, :cells] * 10.0
    shift = rng.random(4) * 1000.0
    return (
        1200 + 90 * np.sin((x + shift[0]) / 260) * np.cos((y + shift[1]) / 310) + 40 * np.sin((x + y + shift[2]) / 140)
    )


def centre(surface, row, col):
    return np.array(surface.frame.centres(row, col), float)


@pytest.mark.parametrize(("slope", "kmh"), [(0.0, 5.0367), (-0.05, 6.0), (0.3, 1.7625), (-0.3, 2.5012)])
def test_tobler_walks_at_the_published_speeds(slope, kmh):
    assert float(travel.tobler_kmh(slope)) == pytest.approx(kmh, abs=5e-5)


def test_sixteen_neighbours_overestimate_flat_distance_by_at_most_2_75_percent():
    surface = travel.cost_surface(terrain(np.zeros((243, 243))), NO_ROADS, SETTINGS)
    row, col = (axis.ravel() for axis in np.mgrid[:81, :81])
    targets = np.column_stack(surface.frame.centres(row, col))
    start = centre(surface, 40, 40)
    straight_s = np.hypot(*(targets - start).T) * 3.6 / FLAT_KMH
    ratio = travel.times(surface, [start], targets)[0][straight_s > 0] / straight_s[straight_s > 0]
    assert ratio.min() > 1 - 1e-9
    assert 1.02 < ratio.max() < 1.0276


def test_one_step_up_a_known_slope_takes_the_time_worked_by_hand():
    rise = np.repeat(np.repeat(np.arange(3) * 9.0, 3)[None, :], 9, axis=0)
    surface = travel.cost_surface(terrain(rise), NO_ROADS, SETTINGS)
    up = travel.times(surface, [centre(surface, 1, 0)], [centre(surface, 1, 1)])[0, 0]
    down = travel.times(surface, [centre(surface, 1, 1)], [centre(surface, 1, 0)])[0, 0]
    assert up == pytest.approx(np.hypot(30, 9) * 3.6 / (1.76246 * 0.6), rel=1e-4)
    assert down == pytest.approx(np.hypot(30, 9) * 3.6 / (2.50118 * 0.6), rel=1e-4)


@pytest.mark.parametrize("cell_m", [10.0, 12.5, 20.0, 50.0])
def test_a_walk_is_timed_over_the_ground_there_is_whatever_the_cells(cell_m):
    ground = terrain(np.zeros((120, 120)), cell_m=cell_m)
    surface = travel.cost_surface(ground, NO_ROADS, SETTINGS)
    a, b = centre(surface, 5, 3), centre(surface, 5, 23)
    seconds = travel.times(surface, [a], [b])[0, 0]
    assert seconds == pytest.approx(np.hypot(*(b - a)) * 3.6 / FLAT_KMH, rel=1e-9)


def test_a_road_is_walked_at_road_speed():
    ground = terrain(np.zeros((30, 300)))
    west, _, east, north = ground.elevation.frame.bounds
    road = gpd.GeoDataFrame(geometry=[LineString([(west, north - 45), (east, north - 45)])], crs=CRS)
    surface = travel.cost_surface(ground, road, SETTINGS)
    seconds = travel.times(surface, [centre(surface, 1, 0)], [centre(surface, 1, 99)])[0, 0]
    assert seconds == pytest.approx(99 * 30 * 3.6 / SETTINGS.road_kmh)


@pytest.mark.parametrize("diagonal", [False, True])
def test_a_river_one_fine_cell_wide_cannot_be_jumped_but_a_bridge_crosses_it(diagonal):
    cover = np.full((90, 90), Cover.OPEN, np.uint8)
    for i in range(90):
        cover[i, 45 if not diagonal else slice(max(89 - i - 2, 0), 89 - i + 1)] = Cover.WATER
    ground = terrain(np.zeros((90, 90)), cover)
    dry = travel.cost_surface(ground, NO_ROADS, SETTINGS)
    a, b = centre(dry, 3, 3), centre(dry, 25, 25)
    assert np.isinf(travel.times(dry, [a], [b])[0, 0])
    assert travel.path(dry, a, b)[0].shape == (0, 2)
    bridge = gpd.GeoDataFrame(geometry=[LineString([a, b])], crs=CRS)
    assert np.isfinite(travel.times(travel.cost_surface(ground, bridge, SETTINGS), [a], [b])[0, 0])


def test_a_cliff_is_walked_around():
    height = np.zeros((150, 150))
    height[:120, 75:] = 200.0
    surface = travel.cost_surface(terrain(height), NO_ROADS, SETTINGS)
    line, seconds = travel.path(surface, centre(surface, 5, 5), centre(surface, 5, 45))
    assert not np.isfinite(seconds) or line[:, 1].min() < surface.frame.north_m - 1200


def test_there_and_back_differ_and_the_triangle_inequality_holds():
    rng = np.random.default_rng(3)
    surface = travel.cost_surface(terrain(hills(rng)), NO_ROADS, SETTINGS)
    west, south, east, north = surface.frame.bounds
    points = np.column_stack([rng.uniform(west, east, 12), rng.uniform(south, north, 12)])
    seconds = travel.times(surface, points, points)
    assert np.isfinite(seconds).all()
    assert np.abs(seconds - seconds.T).max() > 30
    assert (seconds[:, None, :] <= seconds[:, :, None] + seconds[None, :, :] + 1e-6).all()
    assert travel.times(surface, points, points, backwards=True) == pytest.approx(seconds.T)


def test_a_path_takes_the_time_of_the_matrix_and_leads_from_point_to_point():
    rng = np.random.default_rng(5)
    surface = travel.cost_surface(terrain(hills(rng)), NO_ROADS, SETTINGS)
    west, south, east, north = surface.frame.bounds
    points = np.column_stack([rng.uniform(west, east, 5), rng.uniform(south, north, 5)])
    for a in points[:2]:
        for b in points[2:]:
            line, seconds = travel.path(surface, a, b)
            assert seconds == pytest.approx(travel.times(surface, [a], [b])[0, 0])
            assert (line[0] == a).all()
            assert (line[-1] == b).all()


def test_the_limit_leaves_far_points_out():
    surface = travel.cost_surface(terrain(np.zeros((90, 300))), NO_ROADS, SETTINGS)
    a, b = centre(surface, 10, 2), centre(surface, 10, 90)
    exact = 88 * 30 * 3.6 / FLAT_KMH
    assert travel.times(surface, [a], [b], limit_s=exact + 1)[0, 0] == pytest.approx(exact)
    assert np.isinf(travel.times(surface, [a], [b], limit_s=exact - 1)[0, 0])


def test_points_outside_or_deep_in_water_are_closed_and_near_the_shore_are_moved():
    cover = np.full((90, 90), Cover.OPEN, np.uint8)
    cover[:, 30:] = Cover.WATER
    surface = travel.cost_surface(terrain(np.zeros((90, 90)), cover), NO_ROADS, SETTINGS)
    shore, deep, outside = centre(surface, 5, 11), centre(surface, 5, 25), centre(surface, 5, 40)
    assert travel.is_open(surface, [shore, deep, outside]).tolist() == [True, False, False]
    assert np.isfinite(travel.times(surface, [shore], [centre(surface, 5, 2)])[0, 0])


def test_the_window_lies_on_the_terrain_and_averages_its_cells():
    ground = terrain(np.arange(300 * 300, dtype=float).reshape(300, 300) / 1e4)
    frame = ground.elevation.frame
    bounds = (frame.west_m + 1000, frame.north_m - 2000, frame.west_m + 1500, frame.north_m - 1500)
    surface = travel.cost_surface(ground, NO_ROADS, SETTINGS, bounds=bounds, margin_m=200.0)
    assert surface.frame.west_m <= bounds[0] - 200
    assert surface.frame.north_m >= bounds[3] + 200
    row, col = frame.cells(surface.frame.west_m + 1, surface.frame.north_m - 1)
    block = ground.elevation.values[row : row + 3, col : col + 3]
    assert surface.elevation.values[0, 0] == pytest.approx(float(block.mean()))
    assert surface.frame.bounds[1] <= bounds[1] - 200


@pytest.mark.parametrize("limit_s", [np.inf, 1500.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_gives_the_numbers_of_a_reference_search_to_the_last_bit(seed, limit_s):
    rng = np.random.default_rng(seed)
    height = hills(rng) if seed else np.zeros((240, 240))  # flat ground: as many ties as there can be
    cover = np.where(rng.random((240, 240)) < 0.05, Cover.WATER, Cover.OPEN).astype(np.uint8)
    road = LineString([(500000.0 + 300, 2970000.0 - 100), (500000.0 + 2300, 2970000.0 - 2200)])
    surface = travel.cost_surface(
        terrain(height, cover), gpd.GeoDataFrame(geometry=gpd.GeoSeries([road], crs=CRS)), SETTINGS
    )
    cells = rng.choice(np.flatnonzero(~surface.closed.ravel()), 25)
    points = np.column_stack(surface.frame.centres(*np.divmod(cells, surface.frame.cols)))
    for backwards, graph in ((False, surface.graph), (True, surface.graph.T.tocsr())):
        known = csgraph.dijkstra(graph, indices=cells, limit=limit_s)
        seconds = travel.times(surface, points[:9], points, limit_s=limit_s, backwards=backwards)
        assert np.array_equal(seconds, known[:9][:, cells])
        whole = travel.field(surface, points[0], limit_s=limit_s, backwards=backwards)
        assert np.array_equal(whole.ravel(), known[0])
    assert np.isfinite(known).any()


def test_every_step_of_a_path_is_a_move_and_together_they_take_its_time():
    rng = np.random.default_rng(8)
    surface = travel.cost_surface(terrain(hills(rng)), NO_ROADS, SETTINGS)
    line, seconds = travel.path(surface, centre(surface, 3, 4), centre(surface, 70, 61))
    cells = np.ravel_multi_index(surface.frame.cells(line[:, 0], line[:, 1]), surface.frame.shape)
    steps = [surface.graph[int(a), int(b)] for a, b in pairwise(cells)]
    assert min(steps) > 0
    assert sum(steps) == pytest.approx(seconds)


def test_ground_nobody_can_move_on_is_searched_too():
    """Two open cells with a cliff between them: no move at all."""
    height = np.repeat([[0.0, 900.0]], 3, axis=0).repeat(3, axis=1)
    surface = travel.cost_surface(terrain(height), NO_ROADS, SETTINGS)
    ends = [centre(surface, 0, 0), centre(surface, 0, 1)]
    assert surface.graph.nnz == 0
    assert travel.times(surface, ends, ends).tolist() == [[0.0, np.inf], [np.inf, 0.0]]
    assert np.isinf(travel.path(surface, *ends)[1])


def test_ground_too_steep_to_move_on_is_no_way_however_steep_is_declared_passable():
    """A move of a million years had asked for a ring of buckets larger than any memory."""
    spike = np.zeros((9, 9))
    spike[3:6, 3:6] = 4000.0
    surface = travel.cost_surface(
        terrain(spike, cell_m=30.0), NO_ROADS, PlanningSettings(cell_m=30.0, impassable_deg=89.9)
    )
    assert surface.buckets[1] <= 1 << 20
    low, high, beyond = (centre(surface, *cell) for cell in ((0, 0), (4, 4), (8, 8)))
    [[up, across]] = travel.times(surface, [low], [high, beyond])
    assert np.isinf(up)
    assert 0.0 < across < 3600.0
