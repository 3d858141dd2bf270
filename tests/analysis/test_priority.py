"""Relative risks: each factor where it holds, multiplied, nothing where nothing grows."""

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.priority import (
    designated_areas,
    learned_rates,
    placed_alerts,
    posterior_mass,
    relative_risk,
    walking_metres,
    warm_finds,
    warmed,
)
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.settings import PlanningSettings, PrioritySettings

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
        walk_m=np.where(np.arange(300) * 10.0 > 1090.0, 1200.0, 0.0).astype(np.float32)[None, :].repeat(300, 0),
    ).values
    assert risk[149, 10] == pytest.approx(2.0 * 5.0 * 3.0)
    assert risk[149, 49] == pytest.approx(2.0)
    assert risk[149, 51] == pytest.approx(1.0)
    assert risk[149, 111] == pytest.approx(1.5)
    assert risk[0, 10] == pytest.approx(2.0)


def test_a_slope_of_30_degrees_is_steep_and_one_of_20_is_not():
    east = np.arange(300) * 10.0
    height = np.tile(np.where(east < 1500, east * np.tan(np.radians(30)), 0.0), (300, 1))
    height[:, 150:] = height[0, 149] + (east[150:] - east[149]) * np.tan(np.radians(20))
    risk = relative_risk(terrain(height), settings=SETTINGS).values
    assert (risk[:, 1:148] == np.float32(0.7)).all()
    assert (risk[:, 152:] == 1.0).all()


def roads(*lines: shapely.Geometry) -> gpd.GeoDataFrame:
    names = {"road_id": [str(n) for n in range(len(lines))], "kind": ["公路"] * len(lines)}
    return gpd.GeoDataFrame(names, geometry=list(lines), crs=CRS)


def walk(ground: Terrain, ways: gpd.GeoDataFrame, villages: gpd.GeoSeries) -> np.ndarray | None:
    return walking_metres(ground, roads=ways, villages=villages, planning=PlanningSettings(), cell_m=60.0)


def test_without_road_or_village_nobody_knows_what_is_remote():
    assert walk(terrain(), roads(), series(None)) is None
    risk = relative_risk(terrain(), settings=SETTINGS, walk_m=None, spots=series(None))
    assert (risk.values == 1.0).all()


def test_on_flat_ground_remoteness_is_the_distance_walked():
    """Cells of 60 m and sixteen directions: within two cells of the straight distance."""
    metres = walk(terrain(), roads(shapely.LineString([(0, 0), (0, 3000)])), series())
    assert metres[150, [50, 100, 200]] == pytest.approx([505.0, 1005.0, 2005.0], abs=120.0)


def test_a_steep_way_is_longer_than_the_map_says():
    east = np.arange(300) * 10.0
    height = np.tile(np.where(east < 300, 0.0, (east - 300) * np.tan(np.radians(30))), (300, 1))
    home = series(shapely.Point(15, 1500))
    steep, flat = walk(terrain(height), roads(), home), walk(terrain(), roads(), home)
    assert steep[150, 150] > 3.0 * flat[150, 150]


def test_ground_falling_to_the_south_is_sunny():
    south = np.tile((3000.0 - np.arange(300) * 10.0)[:, None] * np.tan(np.radians(10)), (1, 300))
    risk = relative_risk(terrain(south), settings=SETTINGS).values
    assert np.unique(risk).tolist() == [np.float32(1.2)]
    for other in (south[::-1], south.T, south.T[:, ::-1]):
        assert np.unique(relative_risk(terrain(other), settings=SETTINGS).values).tolist() == [1.0]


EDGES = gpd.GeoDataFrame(
    {"township_id": ["a", "a"], "neighbour_id": ["b", "x"]},
    geometry=[shapely.LineString([(1500, 0), (1500, 3000)]), shapely.LineString([(0, 0), (0, 3000)])], crs=CRS,
)  # fmt: skip
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def alert(**values) -> gpd.GeoDataFrame:
    row = {"alert_id": "1", "kind": "邻县发现", "unit_id": "b", "issued_at": pd.Timestamp(NOW), "source": "函"} | values
    return gpd.GeoDataFrame([row], geometry=[values.get("geometry")], crs=CRS)


def alerted(alerts: gpd.GeoDataFrame) -> np.ndarray:
    placed = placed_alerts(alerts, EDGES, as_of=NOW)
    return relative_risk(terrain(), settings=SETTINGS, alerts=placed).values


def test_an_alert_of_a_neighbour_raises_both_sides_of_the_edge_alike_and_fades_with_distance():
    risk = alerted(alert())
    assert risk[150, 100] == pytest.approx(risk[150, 200], rel=0.02)
    assert risk[150, 150] == pytest.approx(3.0, rel=0.02)
    assert risk[150, 250] == pytest.approx(1.0 + 2.0 * np.exp(-1.0), rel=0.02)
    assert (np.diff(risk[150, 151:]) <= 0.0).all()


def test_an_alert_fades_by_half_in_its_half_life_and_has_not_happened_before_it_was_issued():
    half = alerted(alert(issued_at=pd.Timestamp(NOW) - pd.Timedelta(days=180)))
    assert half[150, 150] == pytest.approx(2.0, rel=0.02)
    assert (alerted(alert(issued_at=pd.Timestamp(NOW) + pd.Timedelta(days=1))) == 1.0).all()


def test_two_alerts_at_one_place_count_once():
    both = gpd.GeoDataFrame(pd.concat([alert(), alert(alert_id="2")], ignore_index=True), crs=CRS)
    assert np.array_equal(alerted(both), alerted(alert()))


def test_a_find_warms_its_surroundings_across_the_edge_from_the_day_it_was_made():
    find = gpd.GeoDataFrame({"found_at": [pd.Timestamp(NOW)]}, geometry=[shapely.Point(1305, 1495)], crs=CRS)
    flat = relative_risk(terrain(), settings=SETTINGS)
    risk = warmed(flat, warm_finds(find, as_of=NOW), SETTINGS).values
    assert risk[150, 130] == pytest.approx(3.0)
    assert risk[150, 160] == pytest.approx(1.0 + 2.0 * np.exp(-0.3), rel=1e-3)
    assert warmed(flat, warm_finds(find, as_of=NOW - timedelta(days=1)), SETTINGS) is flat


def test_an_alert_far_outside_the_map_changes_nothing_and_one_beyond_its_rim_does():
    assert (alerted(alert(geometry=shapely.Point(-9000, 1500))) == 1.0).all()
    assert alerted(alert(geometry=shapely.Point(-505, 1505)))[149, 0] == pytest.approx(1 + 2 * np.exp(-0.51), rel=0.01)


def test_a_listing_raises_the_township_it_names_while_it_is_in_force():
    towns = gpd.GeoDataFrame({"township_id": ["a"]}, geometry=[shapely.box(0, 0, 1500, 3000)], crs=CRS)
    listing = alert(kind="重点整治", unit_id="a", issued_at=pd.Timestamp(NOW) - pd.Timedelta(days=100))
    area = designated_areas(listing, towns, settings=SETTINGS, as_of=NOW)
    risk = relative_risk(terrain(), settings=SETTINGS, designated=area).values
    assert (risk[:, :150] == 2.0).all()
    assert (risk[:, 150:] == 1.0).all()
    later = datetime(2027, 3, 1, tzinfo=UTC)
    assert designated_areas(listing, towns, settings=SETTINGS, as_of=later).empty


def test_finds_are_weighed_by_the_effort_that_could_have_made_them():
    """Gamma(2, 2) prior: two finds in ten units and none in thirty; the ground nobody searched keeps its 1."""
    table = learned_rates([2, 0, 0], [10.0, 30.0, 0.0])
    assert table["expected"].to_list() == pytest.approx([0.5, 1.5, 0.0])
    assert table["factor"].to_list() == pytest.approx([4 / 2.5, 2 / 3.5, 1.0])
    assert (table["factor_low"] < table["factor"]).all()
    assert (table["factor"] < table["factor_high"]).all()


def test_searching_long_without_a_find_never_learns_absent():
    table = learned_rates([50, 0], [50.0, 1e6])
    assert table["factor"].iloc[1] > 0.0
    assert learned_rates([0, 0], [1e6, 0.0])["factor"].to_list() == [1.0, 1.0]


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0.0, 50.0)), min_size=1, max_size=6))
def test_more_finds_in_a_stratum_never_lower_its_rate(strata):
    found, work = zip(*strata, strict=True)
    before = learned_rates(found, work)["factor"].iloc[0]
    after = learned_rates([found[0] + 1, *found[1:]], work)["factor"].iloc[0]
    assert after >= before - 1e-12


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
