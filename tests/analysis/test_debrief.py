"""Debrief: four fates that add up, each from a walk made to show it."""

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.debrief import Fate, debrief, line_pieces, percents
from geo.analysis.pieces import Pieces
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings

CRS = pyproj.CRS.from_epsg(4544)
DETECTION, SEASON, NOON_S = DetectionSettings(), Season(2026), 1_775_966_400.0
WEST, NORTH, CELLS = 500_000.0, 2_970_000.0, 60


def plain(ridge_m=0.0):
    """Level crops at 1,200 m with a ridge across the middle row."""
    height = np.full((CELLS, CELLS), 1200.0, np.float32)
    height[28:30] += ridge_m
    frame = Frame(WEST, NORTH, 10.0, CELLS, CELLS, CRS)
    cover = Grid(np.full(height.shape, Cover.CROPS, np.uint8), frame)
    return Terrain(Grid(height, frame), cover, 10.0)


def along(south_m, *, first_m=100.0, last_m=500.0):
    return shapely.LineString([(WEST + first_m, NORTH - south_m), (WEST + last_m, NORTH - south_m)])


def walk(line, factor=1.0):
    pieces = line_pieces(line, NOON_S)
    return Pieces(**{**pieces.__dict__, "factor": np.full(len(pieces), factor)})


def told(terrain, planned, walked):
    return debrief(line_pieces(planned, NOON_S), walked, terrain, SEASON, DETECTION)


def test_a_route_walked_as_planned_is_seen_whole():
    answer = told(plain(), along(300), walk(along(300)))
    assert answer.planned_n > 100
    assert answer.share(Fate.SEEN) == 1.0


def test_a_route_nobody_went_near_is_not_walked():
    answer = told(plain(), along(50), walk(along(550)))
    assert answer.share(Fate.NOT_WALKED) == 1.0


def test_a_route_run_through_was_too_fast():
    answer = told(plain(), along(300), walk(along(300), 0.0))
    assert answer.share(Fate.TOO_FAST) == 1.0


def test_behind_a_ridge_is_within_reach_and_out_of_sight():
    """Planned 40 m south of the ridge, walked 40 m north of it: near, and blind."""
    answer = told(plain(80.0), along(340), walk(along(240)))
    assert answer.share(Fate.OUT_OF_SIGHT) > 0.9
    assert answer.share(Fate.NOT_WALKED) == 0.0


def test_half_a_route_is_about_half_seen():
    answer = told(plain(), along(300), walk(along(300, last_m=300)))
    assert 0.4 < answer.share(Fate.SEEN) < 0.6


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000))
def test_the_fates_add_up_to_what_was_planned(seed):
    rng = np.random.default_rng(seed)
    lines = [shapely.LineString(rng.uniform([WEST, NORTH - 600], [WEST + 600, NORTH], (4, 2))) for _ in range(2)]
    answer = told(plain(40.0), lines[0], walk(lines[1], float(rng.choice([0.0, 0.3, 1.0]))))
    assert answer.planned_n == int((answer.fates.values > 0).sum())
    assert sum(answer.share(fate) for fate in Fate) == pytest.approx(1.0)


def test_without_a_plan_there_is_nothing_to_reconcile():
    answer = told(plain(), shapely.LineString(), walk(along(300)))
    assert answer.planned_n == 0
    assert answer.share(Fate.SEEN) is None


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=6))
def test_whole_per_cent_add_up_to_a_hundred(counts):
    said = percents(counts)
    if not sum(counts):
        assert set(said) == {"–"}
        return
    whole = {"<1%": 0, ">99%": 100}
    assert sum(whole[one] if one in whole else int(one[:-1]) for one in said) == 100
    assert all(n == 0 for n, one in zip(counts, said, strict=True) if one == "0%")
    assert all(n == sum(counts) for n, one in zip(counts, said, strict=True) if one == "100%")
