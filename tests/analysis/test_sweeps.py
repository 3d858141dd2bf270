"""Sweep segments: lines along the contour, at the spacing asked for, and what a walker on them sees."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import routing, sweeps
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings, PlanningSettings

CRS = pyproj.CRS.from_epsg(4544)
KNOBS = PlanningSettings(block_m=150.0, spacing_widths=2.5)
DETECTION = DetectionSettings()
NOON_S = 1_775_966_400.0  # 12 April 2026, flowering below 1,700 m


def ground(height, mass=1e-3, width=20.0):
    """Crops at 1,200 m and above; `mass` expected plots per cell of 10 m."""
    values = np.asarray(height, np.float32) + np.float32(1200.0)
    frame = Frame(500_000.0, 2_970_000.0, 10.0, *values.shape, CRS)
    cover = Grid(np.full(values.shape, Cover.CROPS, np.uint8), frame)
    weight = np.broadcast_to(np.float32(mass), values.shape).copy()
    return sweeps.Ground(
        Terrain(Grid(values, frame), cover, 10.0), Grid(weight, frame), np.full(values.shape, np.float32(width))
    )


def headings(line):
    """Length along and across the east axis of every straight piece."""
    return np.abs(np.diff(line, axis=0))


def test_lines_lie_two_and_a_half_sweep_widths_apart_and_reach_across_the_block():
    """150 m over 50 m: three lines of 140 m between the outer cell centres, and two turns of 50 m."""
    sweep = sweeps.sweep_of(ground(np.zeros((15, 15))), (0, 0), KNOBS, DETECTION)
    pieces = np.hypot(*np.diff(sweep.line, axis=0).T)
    assert pieces == pytest.approx([140, 50, 140, 50, 140])
    assert sweep.seconds == pytest.approx(520 * 3.6)


@pytest.mark.parametrize(("axis", "along"), [(0, 0), (1, 1)])
def test_lines_follow_the_contour(axis, along):
    """A slope to the south or to the east: the long pieces keep their height."""
    slope = np.moveaxis(np.broadcast_to(np.arange(15) * 4.0, (15, 15)), -1, axis)
    sweep = sweeps.sweep_of(ground(slope), (0, 0), KNOBS, DETECTION)
    long_pieces = headings(sweep.line)[::2]
    assert long_pieces[:, along] == pytest.approx(140.0)
    assert long_pieces[:, 1 - along] == pytest.approx(0, abs=1e-6)


def test_no_line_goes_where_nothing_can_be_planted():
    rich = np.zeros((15, 15))
    rich[:, :6] = 1e-3
    place = ground(np.zeros((15, 15)), rich)
    sweep = sweeps.sweep_of(place, (0, 0), KNOBS, DETECTION)
    assert sweep.line[:, 0].max() <= 500_060
    assert sweeps.sweep_of(ground(np.zeros((15, 15)), 0.0), (0, 0), KNOBS, DETECTION) is None


def test_a_segment_sees_about_what_search_theory_says():
    """Lines 2.5 W apart over 450 m: coverage .4, so between random search .33 and parallel lines .38, times a = .85."""
    knobs = PlanningSettings(block_m=450.0, spacing_widths=2.5)
    place = ground(np.zeros((45, 45)))
    line = sweeps.sweep_of(place, (0, 0), knobs, DETECTION).line
    views = sweeps.views_of([line], place, Season(2026), DETECTION, noon_s=NOON_S, cells=3)
    share = routing.value_of(views, [0]) / place.mass.values.sum()
    assert 0.85 * 0.25 < share < 0.85 * 0.39


def test_ground_behind_a_ridge_is_not_seen():
    height = np.zeros((15, 45))
    open_share, hidden_share = [], []
    for ridge, shares in ((0.0, open_share), (60.0, hidden_share)):
        height[:, 18:20] = ridge
        place = ground(height, np.where(np.arange(45) >= 20, 1e-3, 0.0) * np.ones((15, 1)))
        line = np.array([[500_170.0, 2_969_990.0], [500_170.0, 2_969_860.0]])
        views = sweeps.views_of([line], place, Season(2026), DETECTION, noon_s=NOON_S, cells=1)
        shares.append(routing.value_of(views, [0]))
    assert hidden_share[0] < 0.2 * open_share[0]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 5))
def test_two_looks_find_less_than_both_alone_and_never_more_than_is_there(seed, cells):
    rng = np.random.default_rng(seed)
    place = ground(rng.normal(0, 5, (30, 30)).cumsum(axis=0), rng.random((30, 30)) * 1e-3)
    lines = [sweeps.sweep_of(place, block, KNOBS, DETECTION).line for block in ((0, 0), (0, 1))]
    views = sweeps.views_of(lines, place, Season(2026), DETECTION, noon_s=NOON_S, cells=cells)
    one, other, both = (routing.value_of(views, chosen) for chosen in ([0], [1], [0, 1]))
    assert max(one, other) <= both <= one + other + 1e-12
    assert both <= place.mass.values.sum()


def test_walking_uphill_takes_tobler_time_and_level_ground_search_time():
    """Up a slope of .5: 6 e^(-3.5 x .55) x .6 = .5251 km/h on 111.8 m; level: 1 km/h on 100 m."""
    steep = np.broadcast_to(np.arange(30)[:, None] * 5.0, (30, 30))
    place = ground(steep)
    up = np.array([[500_100.0, 2_969_900.0], [500_100.0, 2_969_800.0]])
    level = np.array([[500_100.0, 2_969_900.0], [500_200.0, 2_969_900.0]])
    climb_s = sweeps.walking_s(up, place.terrain.elevation, KNOBS, 1.0)
    assert climb_s == pytest.approx(100 * np.hypot(1, 0.5) * 3.6 / (6 * np.exp(-3.5 * 0.55) * 0.6), rel=1e-3)
    assert sweeps.walking_s(level, place.terrain.elevation, KNOBS, 1.0) == pytest.approx(360.0)


def test_block_values_count_plantable_ground_only():
    """Coverage .4 finds 1 - e^-.4 of what is there; lines 50 m apart, 1 km/h."""
    place = ground(np.zeros((15, 30)), 1e-3)
    place.width_m[:, ::2] = 0.0
    finds, seconds = sweeps.block_values(place, KNOBS, 1.0)
    held = int((place.width_m[:, :15] > 0).sum())
    assert finds[0, 0] == pytest.approx(held * 1e-3 * (1 - np.exp(-0.4)), rel=1e-6)
    assert seconds[0, 0] == pytest.approx(held * 100 / 50 * 3.6)
