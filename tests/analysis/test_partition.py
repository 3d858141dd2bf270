"""Segments tile their jurisdiction, hang together, and keep to what a walker would not cross."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely

from geo.analysis import travel
from geo.analysis.partition import letter_number, letters, partition
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.settings import PlanningSettings

CRS = pyproj.CRS.from_epsg(4544)


@pytest.fixture(scope="module")
def surface():
    """Flat ground of 4.2 km with a river from north to south that nobody crosses."""
    n = 420
    cover = np.full((n, n), Cover.CROPS, np.uint8)
    cover[:, 205:215] = Cover.WATER
    frame = Frame(500_000.0, 2_970_000.0, 10.0, n, n, CRS)
    terrain = Terrain(Grid(np.full((n, n), 1000.0, np.float32), frame), Grid(cover, frame), 10.0)
    return travel.cost_surface(terrain, gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS)), PlanningSettings())


def test_pieces_tile_the_ground_and_do_not_cross_the_river(surface):
    outline = shapely.Polygon([(500_100, 2_966_000), (504_100, 2_966_100), (504_000, 2_969_900), (500_050, 2_969_800)])
    pieces = partition(outline, surface, piece_m2=1e6)
    assert len(pieces) == round(outline.area / 1e6)
    assert pieces.area.sum() == pytest.approx(outline.area)
    assert shapely.union_all(pieces.to_numpy()).symmetric_difference(outline).area == pytest.approx(0.0, abs=1e-3)
    west, east = (shapely.box(a, 2_960_000, b, 2_980_000) for a, b in ((499_000, 502_000), (502_200, 506_000)))
    for shape in pieces:
        assert not (shape.intersection(west).area > 1 and shape.intersection(east).area > 1)


def test_each_part_has_pieces_of_its_own_and_they_run_from_north_to_south(surface):
    parts = [shapely.box(500_300, 2_966_300, 501_800, 2_967_300), shapely.box(502_600, 2_968_500, 503_900, 2_969_700)]
    pieces = partition(shapely.MultiPolygon(parts), surface, piece_m2=5e5)
    owners = [[n for n, part in enumerate(parts) if part.buffer(1).contains(shape)] for shape in pieces]
    assert all(len(one) == 1 for one in owners)
    assert [one[0] for one in owners] == sorted((one[0] for one in owners), reverse=True)


def test_letters_go_on_after_z():
    assert [letters(n) for n in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]
    assert [letter_number(letters(n)) for n in range(2000)] == list(range(2000))
