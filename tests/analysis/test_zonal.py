"""Zones, buffers and shares against brute force and hand-worked answers."""

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import zonal
from geo.grid import Frame, Grid
from geo.settings import CoverageSettings

CRS = pyproj.CRS.from_epsg(4544)
FRAME = Frame(1000.0, 2000.0, 10.0, 60, 50, CRS)
PLACE = st.tuples(st.floats(900.0, 1600.0), st.floats(1300.0, 2100.0))


def distances(frame: Frame, shape: shapely.Geometry) -> np.ndarray:
    row, col = np.indices(frame.shape)
    return shapely.distance(shapely.points(*frame.centres(row, col)), shape)


def walked(day: int, *places: tuple[float, float]) -> shapely.Geometry:
    """A line ZM walked at noon of a day in China."""
    seconds = day * 86400.0 + 4 * 3600.0
    return measured([(e, n, 0.0, seconds + 10.0 * i) for i, (e, n) in enumerate(places)])


def measured(fixes: list[tuple[float, float, float, float]]) -> shapely.Geometry:
    return shapely.from_wkt(f"LINESTRING ZM ({', '.join(' '.join(map(repr, fix)) for fix in fixes)})")


def series(*shapes: shapely.Geometry) -> gpd.GeoSeries:
    return gpd.GeoSeries(list(shapes), crs=CRS)


def test_a_cell_belongs_to_the_polygon_that_holds_its_centre_and_the_first_of_two():
    zones = gpd.GeoDataFrame(geometry=series(shapely.box(1000, 1900, 1104, 2000), shapely.box(1050, 1900, 1206, 2000)))
    grid = zonal.zone_grid(zones, FRAME)
    assert grid.values.dtype == np.int16
    assert grid.values[0, :22].tolist() == [1] * 10 + [2] * 11 + [0]
    assert not grid.values[10:].any()


def test_an_exclave_hole_belongs_to_nobody():
    holed = shapely.box(1000, 1800, 1200, 2000) - shapely.box(1050, 1850, 1100, 1900)
    grid = zonal.zone_grid(gpd.GeoDataFrame(geometry=series(holed)), FRAME)
    assert int((grid.values == 1).sum()) == 400 - 25


@settings(max_examples=60, deadline=None)
@given(st.lists(PLACE, min_size=2, max_size=6), st.floats(3.0, 120.0))
def test_the_buffer_is_every_centre_within_the_distance(places, buffer_m):
    line = shapely.LineString(places)
    exact = distances(FRAME, line)
    clear = np.abs(exact - buffer_m) > 1e-6
    mask = zonal.buffer_mask(series(line), FRAME, buffer_m)
    assert np.array_equal(mask[clear], (exact <= buffer_m)[clear])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(PLACE, min_size=2, max_size=12), min_size=1, max_size=3), st.floats(0.5, 40.0))
def test_a_tolerance_moves_a_buffer_by_no_more_than_itself(lines, tolerance_m):
    """Loops smaller than it too; rings round areas as well as lines."""
    shapes = [shapely.LineString(places) for places in lines]
    shapes += [shapely.Point(lines[0][0]).buffer(tolerance_m / 3.0, 4), shapely.LineString([*lines[-1], lines[-1][0]])]
    exact = distances(FRAME, shapely.union_all([s.boundary if s.geom_type == "Polygon" else s for s in shapes]))
    mask = zonal.buffer_mask(series(*shapes), FRAME, 120.0, tolerance_m=tolerance_m)
    assert mask[exact <= 120.0 - tolerance_m - 1e-6].all()
    assert not mask[exact > 120.0 + tolerance_m + 1e-6].any()


def test_points_polygon_outlines_and_multi_parts_are_buffered_too():
    shapes = (
        shapely.Point(1205, 1795),
        shapely.box(1300, 1500, 1400, 1600),
        shapely.MultiLineString([[(1005, 1400), (1100, 1400)], [(1400, 1950), (1450, 1990)]]),
    )
    exact = np.min([distances(FRAME, s.boundary if s.geom_type == "Polygon" else s) for s in shapes], axis=0)
    assert np.array_equal(zonal.buffer_mask(series(*shapes), FRAME, 33.0), exact <= 33.0)


def test_a_centre_at_exactly_the_distance_is_inside():
    mask = zonal.buffer_mask(series(shapely.LineString([(1205, 1300), (1205, 2000)])), FRAME, 50.0)
    assert np.flatnonzero(mask[30]).tolist() == list(range(15, 26))


def test_the_buffer_crosses_row_blocks_without_a_seam(monkeypatch):
    line = series(shapely.LineString([(1010, 1410), (1480, 1990), (1300, 1420)]))
    whole = zonal.buffer_mask(line, FRAME, 70.0)
    monkeypatch.setattr(zonal, "BLOCK_ROWS", 7)
    assert np.array_equal(zonal.buffer_mask(line, FRAME, 70.0), whole)


def test_no_track_passes_nothing():
    assert not zonal.buffer_mask(series(), FRAME, 50.0).any()
    assert not zonal.passed_days(series(), FRAME, 50.0).any()


def test_a_cell_counts_twice_only_on_two_days_in_china():
    one, again = walked(20000, (1100, 1700), (1200, 1700)), walked(20000, (1100, 1690), (1200, 1690))
    late = walked(20001, (1200, 1700), (1300, 1700))
    passed = zonal.passed_days(series(one, again, late), FRAME, 30.0)
    assert passed[30, 10] == 1
    assert passed[30, 20] == 2
    assert passed[30, 30] == 1
    assert passed[0, 0] == 0
    assert np.array_equal(passed > 0, zonal.buffer_mask(series(one, again, late), FRAME, 30.0))


def test_the_day_turns_at_midnight_in_china_not_in_greenwich():
    evening = measured([(1100, 1700, 0, 15.9 * 3600), (1200, 1700, 0, 15.9 * 3600)])
    night = measured([(1100, 1700, 0, 16.1 * 3600), (1200, 1700, 0, 16.1 * 3600)])
    assert zonal.passed_days(series(evening, night), FRAME, 10.0).max() == 2


def test_shares_of_a_township_worked_by_hand():
    frame = Frame(0.0, 10.0, 10.0, 1, 6, CRS)
    zones = Grid(np.array([[1, 1, 1, 1, 2, 0]], np.int16), frame)
    risk = Grid(np.array([[1, 2, 1, 0, 0, 1]], np.float32), frame)
    pod = np.array([[0.5, 0.75, 0.0, 0.9, 0.0, 1.0]], np.float32)
    near = np.array([[True, True, False, True, False, True]])
    days = np.array([[1, 2, 0, 2, 0, 2]], np.uint8)
    passes = zonal.Passes(near, np.ones((1, 6), bool), days)
    table = zonal.township_shares(
        zones, zone_ids=["甲", "乙"], risk=risk, pod=pod, near=passes, settings=CoverageSettings()
    )
    first = table.loc["甲"]
    assert first["area_km2"] == pytest.approx(4e-4)
    assert first["plantable_km2"] == pytest.approx(3e-4)
    assert first["buffer_share"] == pytest.approx(2 / 3)
    assert first["buffer500_share"] == 1.0
    assert first["pod_mean"] == pytest.approx(1.25 / 3)
    assert first["detection"] == pytest.approx((0.5 + 1.5) / 4)
    assert first["watched"] == pytest.approx(2 / 3)
    assert first["blind"] == pytest.approx(1 / 3)
    assert first["repeated"] == pytest.approx(0.5)
    assert table.loc["乙"].drop(["area_km2", "plantable_km2"]).isna().all()


def test_sums_of_a_changed_window_bring_those_of_the_county_up_to_date():
    """One more track changes POD in a window: whole - before + after is what summing the whole again gives."""
    rng = np.random.default_rng(3)
    zones, risk = rng.integers(0, 4, (40, 50)).astype(np.int16), rng.integers(0, 3, (40, 50)).astype(np.float32)
    pod = rng.random((40, 50), np.float32)
    near = zonal.Passes(
        rng.random(pod.shape) < 0.5, rng.random(pod.shape) < 0.8, rng.integers(0, 3, pod.shape, np.uint8)
    )

    def sums(rows, cols):
        held = [np.ascontiguousarray(a[rows, cols]) for a in (zones, risk, pod, near.near, near.wide, near.days)]
        return zonal.zone_sums(*held[:3], zonal.Passes(*held[3:]), zones_n=3, settings=CoverageSettings())

    window, everywhere = (slice(5, 30), slice(20, 45)), (slice(None), slice(None))
    whole, before = sums(*everywhere), sums(*window)
    pod[window] = np.sqrt(pod[window])
    updated = whole - before + sums(*window)
    assert np.abs(updated - whole).max() > 1.0
    assert updated == pytest.approx(sums(*everywhere), rel=1e-6)


def test_the_wide_buffer_is_within_a_hundredth_of_its_width():
    frame = Frame(0.0, 3000.0, 10.0, 300, 300, CRS)
    rng = np.random.default_rng(3)
    places = np.cumsum(rng.normal(0, 15, (300, 2)), axis=0) + 1500
    line = walked(20000, *places.tolist())
    passes = zonal.passes(series(line), frame, CoverageSettings())
    exact = distances(frame, line)
    clear = np.abs(exact - 500.0) > 5.0
    assert np.array_equal(passes.wide[clear], (exact <= 500.0)[clear])
