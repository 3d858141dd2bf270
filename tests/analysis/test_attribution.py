"""A figure taken apart: the parts add up to the engine's own grid, unit for unit, and shares to the detection."""

from math import sqrt

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.attribution import Area, Part, attribute, parts_of, season_chance, sight, totals_of
from geo.analysis.coverage import accumulate
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings

SEASON, SETTINGS = Season(2026), DetectionSettings()
APRIL = 1775000000.0
N = 60
FRAME = Frame(512000.0, 2945280.0, 10.0, N, N, pyproj.CRS(4544))


def ground(heights):
    """Mixed cover on given heights, so that some cells can be seen and not planted."""
    kinds = np.tile([Cover.OPEN, Cover.CROPS, Cover.SCRUB, Cover.FOREST], N * N // 4).astype(np.uint8).reshape(N, N)
    return Terrain(Grid(np.asarray(heights, np.float32), FRAME), Grid(kinds, FRAME), 10.0)


def rough(seed):
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:N, :N]
    return 1000.0 + 25 * np.sin(rows / 5.0) + 25 * np.cos(cols / 6.0) + rng.normal(0, 2.0, (N, N))


def walk(east, north, track=0, seconds=APRIL, factor=1.0):
    """Pieces through points in metres from the north-west corner, north counting southwards."""
    e, n = 512000.0 + np.asarray(east, float), 2945280.0 - np.asarray(north, float)
    k = len(e) - 1
    return Pieces(np.full(k, track), e[:-1], n[:-1], e[1:], n[1:], np.full(k, factor), np.full(k, seconds))


def joined(walks):
    return Pieces(*(np.concatenate([getattr(w, name) for w in walks]) for name in Pieces.__dataclass_fields__))


def some_walks(seed, n=4):
    """Random walks of different tracks; the last crosses from one period to the next."""
    rng = np.random.default_rng(seed)
    walks = [
        walk(300 + np.cumsum(rng.normal(0, 12, 30)), 300 + np.cumsum(rng.normal(0, 12, 30)), track=k, factor=0.7)
        for k in range(n)
    ]
    pieces = joined(walks)
    period = np.where(pieces.track == n - 1, np.arange(len(pieces)) % 2, pieces.track % 2)
    return pieces, period


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_the_parts_of_any_area_add_up_to_the_engines_grid_unit_for_unit(seed):
    """Chosen cells anywhere, several tracks, two periods: the same integers as one pass over the whole raster."""
    rng, terrain = np.random.default_rng(seed), ground(rough(seed))
    pieces, period = some_walks(seed)
    cells = np.sort(rng.choice(N * N, 200, replace=False))
    area = Area(cells, np.ones(200), FRAME)
    parts = list(parts_of(pieces, period, area, terrain, SEASON, SETTINGS))
    for when in (0, 1):
        whole = Grid(np.zeros((N, N), np.int32), FRAME)
        accumulate(whole, pieces.take(period == when), terrain, SEASON, SETTINGS)
        assert (totals_of(parts, area, 2)[when] == whole.values.reshape(-1)[cells]).all()
    assert sum(int(part.units.sum()) for part in parts) > 0


@settings(max_examples=10)
@given(seed=st.integers(0, 10_000))
def test_shares_add_up_to_the_detection_and_losses_to_no_more(seed):
    """Tracks stand in for each other, so without each alone less is lost than its share."""
    terrain, rng = ground(rough(seed)), np.random.default_rng(seed)
    pieces, period = some_walks(seed)
    area = Area(np.arange(N * N), rng.choice([0.0, 1.0, 5.0], N * N), FRAME)
    parts = list(parts_of(pieces, period, area, terrain, SEASON, SETTINGS))
    totals = totals_of(parts, area, 2)
    worth = attribute(parts, totals, area, availability=0.85)
    detection = (area.weights * season_chance(totals, 0.85)).sum() / area.weights.sum()
    assert worth["share"].sum() == pytest.approx(detection, rel=1e-12)
    assert worth["units"].sum() == totals.sum(dtype=np.int64)
    assert (worth["lost"] <= worth["share"] + 1e-7).all()
    assert (worth["lost"] >= 0.0).all()


def test_pieces_outside_the_season_have_no_part():
    pieces, _ = some_walks(1)
    area = Area(np.arange(N * N), np.ones(N * N), FRAME)
    outside = np.full(len(pieces), -1)
    assert list(parts_of(pieces, outside, area, ground(rough(1)), SEASON, SETTINGS)) == []


def test_two_equal_looks_share_alike_and_each_loses_only_the_difference():
    """One cell, H = ln 2 each: POD a·3/4 together, a/2 alone; share 3a/8 each, lost a/4. The second cell is unseen."""
    area = Area(np.array([5, 9]), np.array([1.0, 1.0]), FRAME)
    units = np.array([round(np.log(2.0) * 65536)], np.int32)
    parts = [Part(source, 0, np.array([0]), units) for source in (3, 8)]
    worth = attribute(parts, totals_of(parts, area, 1), area, availability=0.8)
    assert worth.index.tolist() == [3, 8]
    assert worth["share"].tolist() == pytest.approx([0.15, 0.15], abs=1e-5)
    assert worth["lost"].tolist() == pytest.approx([0.1, 0.1], abs=1e-5)
    assert worth["cells_n"].tolist() == [1, 1]


def test_between_periods_a_track_alone_is_worth_what_its_period_gave():
    """Two periods at H = ln 2: 1 - (1 - a/2)^2 together; without one a/2 stays."""
    area = Area(np.array([0]), np.ones(1), FRAME)
    units = np.array([round(np.log(2.0) * 65536)], np.int32)
    parts = [Part(source, source, np.array([0]), units) for source in (0, 1)]
    worth = attribute(parts, totals_of(parts, area, 2), area, availability=0.8)
    assert worth["lost"].tolist() == pytest.approx([0.64 - 0.4] * 2, abs=1e-5)


def test_on_flat_ground_all_that_is_within_reach_is_in_sight():
    """A line passing 90 m away is within 150 m for 240 m (3-4-5)."""
    terrain = ground(np.full((N, N), 1000.0))
    passed = sight(walk([5.0, 595.0], [215.0, 215.0]), 512305.0, 2945280.0 - 305.0, terrain, SETTINGS)
    assert passed[:2].tolist() == pytest.approx([2 * sqrt(150.0**2 - 90.0**2)] * 2, abs=2.0)
    assert passed[2:4].tolist() == pytest.approx([90.0, 90.0], abs=0.01)
    assert passed[4] == pytest.approx(1.0)


def test_a_wall_hides_the_walk_behind_it_but_not_its_distance():
    heights = np.full((N, N), 1000.0)
    heights[25, :] = 1020.0
    place = (512305.0, 2945280.0 - 305.0)
    passed = sight(walk([5.0, 595.0], [215.0, 215.0], factor=0.4), *place, ground(heights), SETTINGS)
    assert passed[0] == pytest.approx(240.0, abs=2.0)
    assert passed[1] == 0.0
    assert passed[2] == pytest.approx(90.0, abs=0.01)
    assert np.isnan(passed[3:]).all()


def test_the_speed_factor_is_that_of_what_was_walked_in_sight():
    heights = np.full((N, N), 1000.0)
    slow, fast = walk([5.0, 595.0], [305.0, 305.0], factor=0.5), walk([5.0, 595.0], [325.0, 325.0], factor=1.0)
    passed = sight(joined([slow, fast]), 512305.0, 2945280.0 - 315.0, ground(heights), SETTINGS)
    assert passed[4] == pytest.approx(0.75, abs=0.01)
