"""Hazard on the ground: published tables, exactness properties, visibility, seasons and windows."""

from dataclasses import replace
from math import erf, pi, sqrt

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.coverage import accumulate, days_of, reach_window
from geo.analysis.detection import GaussianHazard, InverseCube, pod
from geo.analysis.pieces import Pieces
from geo.analysis.visibility import viewsheds
from geo.errors import GridMismatch
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings

CRS = pyproj.CRS(4544)
SEASON = Season(2026)
FLOWERING = 1775000000.0  # 1 April 2026, at 1,000 m flowers stand
PLAIN = DetectionSettings(sweep_width_m={"open": (20.0, 20.0, 20.0)})


def frame(n, cell_m=10.0):
    """A square frame at a real easting and northing, where float rounding is what it is."""
    return Frame(512000.0, 2945280.0, cell_m, n, n, CRS)


def terrain(heights, cover=Cover.OPEN, cell_m=10.0):
    """Terrain of one cover."""
    heights = np.asarray(heights, np.float32)
    place = frame(len(heights), cell_m)
    kinds = np.broadcast_to(np.asarray(cover, np.uint8), heights.shape).copy()
    return Terrain(Grid(heights, place), Grid(kinds, place), cell_m)


def flat(n, cell_m=10.0, cover=Cover.OPEN):
    """Level open ground at 1,000 m."""
    return terrain(np.full((n, n), 1000.0), cover, cell_m)


def rough(n, seed=5):
    """Hills with noise and some voids, mixed cover."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:n, :n]
    z = 1000 + 40 * np.sin(rows / 6.0) + 40 * np.cos(cols / 8.0) + rng.normal(0, 3.0, (n, n))
    z[rng.uniform(size=z.shape) < 0.005] = np.nan
    return terrain(z, rng.integers(0, 8, (n, n)))


def path(east, north, *, track=0, factor=1.0, seconds=FLOWERING):
    """Pieces through points given in metres from the frame's north-west corner (north counts southwards)."""
    e, n = 512000.0 + np.asarray(east, float), 2945280.0 - np.asarray(north, float)
    k = len(e) - 1
    return Pieces(np.full(k, track), e[:-1], n[:-1], e[1:], n[1:], np.full(k, factor), np.full(k, seconds))


def together(*walks):
    """Several walks in one set of pieces."""
    return Pieces(*(np.concatenate([getattr(w, name) for w in walks]) for name in Pieces.__dataclass_fields__))


def hazard_of(pieces, ground, config=PLAIN, place=None, threads=1):
    """The raster of some pieces on a fresh grid."""
    place = place or ground.elevation.frame
    out = Grid(np.zeros(place.shape, np.int32), place)
    accumulate(out, pieces, ground, SEASON, config, threads=threads)
    return out.values


def wander(rng, size_m, n=40, step=9.0, track=0):
    """A random walk inside a square, turning back at its edges."""
    turn = np.cumsum(rng.normal(0, 0.5, n))
    east = size_m / 2 + np.cumsum(step * np.cos(turn)) + rng.uniform(-80, 80)
    north = size_m / 2 + np.cumsum(step * np.sin(turn)) + rng.uniform(-80, 80)
    return path(east, north, track=track)


@pytest.mark.parametrize(("spacing", "share"), [(20.0, 1.0), (40.0, 0.5), (100.0, 0.2)])
@pytest.mark.parametrize("cell_m", [pytest.param(15.0, marks=pytest.mark.slow), 30.0])
def test_parallel_tracks_give_koopmans_table(spacing, share, cell_m):
    """Mean POD is erf(sqrt(pi)/2 C) for the uncut law, over 200 random headings, offsets drawn one from each 200th."""
    rng = np.random.default_rng(17)
    law = replace(PLAIN, reach_m=420.0)
    size = 2 * round(450.0 / cell_m) + 3
    ground, middle, found = flat(size, cell_m), size // 2, []
    centre = np.array([(middle + 0.5) * cell_m] * 2)
    one = ground.elevation.frame.window(middle, middle, 1, 1)
    for k in range(200):
        heading, offset = rng.uniform(0, 2 * pi), (k + rng.uniform()) / 200 * spacing
        along, across = np.array([np.cos(heading), np.sin(heading)]), np.array([-np.sin(heading), np.cos(heading)])
        lines = np.arange(-500.0, 500.0, spacing) + offset
        ends = [(centre + across * x - along * 500.0, centre + across * x + along * 500.0) for x in lines]
        walks = [path([a[0], b[0]], [a[1], b[1]], track=i) for i, (a, b) in enumerate(ends)]
        found.append(-np.expm1(-hazard_of(together(*walks), ground, law, one) / 65536.0).mean())
    assert np.mean(found) == pytest.approx(erf(sqrt(pi) / 2 * share), abs=0.006)


def test_one_pass_adds_up_to_the_law_on_every_cell():
    """On flat ground each cell gets `along` of the whole line, so the area under p is W less the stated tail."""
    ground, law = flat(81), InverseCube(20.0)
    east = np.linspace(3.0, 807.0, 140)
    values = hazard_of(path(east, np.full(140, 404.0)), ground) / 65536.0
    rows, cols = np.mgrid[:81, :81]
    x, offset = (cols + 0.5) * 10.0, np.abs((rows + 0.5) * 10.0 - 404.0)
    assert np.abs(values - law.along(offset, 3.0 - x, 807.0 - x)).max() <= 0.6 / 65536


def test_a_gaussian_hazard_drives_the_engine_too():
    """The same check with the other law of the settings."""
    ground, law = flat(61), GaussianHazard(20.0, peak=2.0)
    config = replace(PLAIN, model="gaussian", gaussian_peak=2.0)
    values = hazard_of(path([3.0, 250.0, 607.0], [304.0] * 3), ground, config) / 65536.0
    rows, cols = np.mgrid[:61, :61]
    x, offset = (cols + 0.5) * 10.0, np.abs((rows + 0.5) * 10.0 - 304.0)
    assert np.abs(values - law.along(offset, 3.0 - x, 607.0 - x)).max() <= 0.6 / 65536


def test_the_engine_is_visibility_times_law_by_piece():
    """Rough ground with voids and mixed cover, one short piece in one cell: law x line of sight x cover, each cell."""
    ground = rough(50)
    row, col = 24, 25
    ground.elevation.values[row, col] = 1050.0
    east, north = np.array([251.0, 258.5]), np.array([243.0, 248.0])
    values = hazard_of(path(east, north), ground, DetectionSettings())
    seen = np.zeros((50, 50), bool)
    seen[24 - 15 : 24 + 16, 25 - 15 : 25 + 16] = viewsheds(ground.elevation, row, col, radius_m=157.072)[0]
    rows, cols = np.mgrid[:50, :50]
    dx, dy = (cols + 0.5) * 10.0 - east[0], (rows + 0.5) * 10.0 - north[0]
    ux, uy = np.array([7.5, 5.0]) / np.hypot(7.5, 5.0)
    foot, offset = dx * ux + dy * uy, dx * uy - dy * ux
    expected = np.zeros((50, 50))
    stages = SEASON.stage_of(days_of(np.array([FLOWERING]), SEASON)[0], np.nan_to_num(ground.elevation.values))
    for kind, widths in ((1, (10, 30, 20)), (2, (6, 20, 12)), (3, (4, 12, 8))):
        for stage, width in enumerate(widths):
            chosen = seen & (ground.cover.values == kind) & (stages == stage)
            expected[chosen] = InverseCube(float(width)).along(offset, -foot, np.hypot(7.5, 5.0) - foot)[chosen]
    assert np.abs(values / 65536.0 - expected).max() <= 0.6 / 65536
    assert (values > 0).sum() > 60


@pytest.mark.parametrize(("reach", "often"), [(150.0, 3e4), (300.0, 1.2e5)])
@pytest.mark.parametrize(
    ("start", "stop"), [((0.01, 0.01), (1.0, 0.02)), ((9.99, 0.01), (9.0, 0.9)), ((4.0, 9.9), (6.0, 9.99))]
)
def test_a_piece_in_the_worst_corner_of_its_cell_keeps_a_thousandth_on_every_cell(reach, often, start, stop):
    """The series of the far field and the polynomial of the ring, checked cell by cell against the closed form."""
    size = 2 * int(reach / 10.0) + 5
    ground, corner, law = flat(size), 10.0 * (size // 2), InverseCube(20.0, reach_m=reach)
    ends = np.array([start, stop]) + corner
    values = hazard_of(path(ends[:, 0], ends[:, 1], factor=often), ground, replace(PLAIN, reach_m=reach)) / 65536.0
    rows, cols = np.mgrid[:size, :size]
    away = np.stack([(cols + 0.5) * 10.0 - ends[0, 0], (rows + 0.5) * 10.0 - ends[0, 1]])
    length = np.hypot(*(ends[1] - ends[0]))
    ux, uy = (ends[1] - ends[0]) / length
    foot, offset = away[0] * ux + away[1] * uy, away[0] * uy - away[1] * ux
    expected = often * law.along(offset, -foot, length - foot)
    held = (expected > 0.05) & (expected < 31.0)
    assert held.sum() > 0.7 * np.pi * (reach / 10.0) ** 2
    assert np.abs(values[held] / expected[held] - 1.0).max() <= 1.2e-3
    assert (values[expected == 0.0] == 0.0).all()


def test_a_walk_longer_than_the_working_square_is_the_sum_of_its_windows():
    """13 km on one track: every window of the raster holds what the whole holds, and the law far from the ends."""
    heights = np.full((40, 1330), 1000.0, np.float32)
    place = Frame(512000.0, 2945280.0, 10.0, 40, 1330, CRS)
    ground = Terrain(Grid(heights, place), Grid(np.ones(heights.shape, np.uint8), place), 10.0)
    walk = path(np.linspace(20.0, 13280.0, 900), np.full(900, 204.0))
    whole = hazard_of(walk, ground)
    for col in (0, 500, 1000):
        part = place.window(0, col, 40, 330)
        assert (hazard_of(walk, ground, place=part) == whole[:, col : col + 330]).all()
    rows, cols = np.mgrid[:40, :1330]
    x, offset = (cols + 0.5) * 10.0, np.abs((rows + 0.5) * 10.0 - 204.0)
    expected = InverseCube(20.0).along(offset, 20.0 - x, 13280.0 - x)
    assert np.abs(whole / 65536.0 - expected).max() <= 0.6 / 65536


def test_a_track_of_two_days_takes_each_days_sweep_width_and_is_rounded_once():
    """5 January (seedlings, W 10) and 1 April (flowers, W 30) over the same ground in one track."""
    winter, ground, config = 1767571200.0, flat(41), DetectionSettings()
    out, back = path([150.0, 260.0], [204.0] * 2, seconds=winter), path([260.0, 150.0], [204.0] * 2)
    values = hazard_of(together(out, back), ground, config) / 65536.0
    rows, cols = np.mgrid[:41, :41]
    x, offset = (cols + 0.5) * 10.0, np.abs((rows + 0.5) * 10.0 - 204.0)
    expected = sum(InverseCube(width).along(offset, 150.0 - x, 260.0 - x) for width in (10.0, 30.0))
    assert np.abs(values - expected).max() <= 0.6 / 65536


def test_no_track_gives_exactly_nothing():
    """An empty set of pieces leaves every cell 0 and POD exactly 0."""
    values = hazard_of(path([5.0], [5.0]), flat(20))
    assert not values.any()
    assert not pod(values, 0.85).any()


def test_hidden_ground_gets_nothing_and_open_ground_the_law():
    """V = 0 behind a wall, V = 1 before it, cell by cell as on flat ground."""
    heights = np.full((40, 40), 1000.0)
    heights[:, 22] = 1040.0
    walk = path([150.0, 155.0, 158.0], [120.0, 200.0, 280.0])
    walled, open_ground = hazard_of(walk, terrain(heights)), hazard_of(walk, flat(40))
    assert not walled[:, 23:].any()
    assert (walled[:, :22] == open_ground[:, :22]).all()
    assert open_ground[:, 23:28].any()


def village(seed=9):
    """Rough ground with a fifth of it built up."""
    ground = rough(50, seed)
    built = np.random.default_rng(seed).random((50, 50)) < 0.2
    cover = np.where(built, Cover.BUILT, Cover.OPEN).astype(np.uint8)
    return Terrain(ground.elevation, Grid(cover, ground.cover.frame), 10.0)


def test_houses_hide_what_lies_behind_them_unless_the_courtyards_were_entered():
    """A row of houses is a wall 4 m high; whoever is on record as having gone in sees as if it were not there."""
    ground = flat(40)
    ground.cover.values[:, 22] = Cover.BUILT
    walk = path([150.0, 155.0, 158.0], [120.0, 200.0, 280.0])
    inside = replace(walk, entered=np.ones(len(walk), bool))
    hidden, bare = hazard_of(walk, ground), hazard_of(walk, ground, replace(PLAIN, building_m=0.0))
    assert not hidden[:, 23:].any()
    assert bare[:, 23:28].any()
    assert (hidden[:, :22] == bare[:, :22]).all()
    assert (hazard_of(inside, ground) == bare).all()


def test_a_walker_among_houses_stands_on_the_ground_and_not_on_the_roofs():
    """From a lane one built-up cell away from the field the field is seen; from two away the houses hide it."""
    ground = flat(40)
    ground.cover.values[:, 10:20] = Cover.BUILT
    last, second = (hazard_of(path([east, east], [150.0, 250.0]), ground) for east in (195.0, 185.0))
    assert last[20, 20:24].all()
    assert not second[20, 20:].any()


def test_tracks_inside_and_outside_houses_come_and_go_bit_for_bit():
    rng, ground = np.random.default_rng(2), village()
    outside, inside = wander(rng, 500.0, track=0), wander(rng, 500.0, track=1)
    inside = replace(inside, entered=np.ones(len(inside), bool))
    both = hazard_of(together(outside, inside), ground)
    assert (both == hazard_of(outside, ground) + hazard_of(inside, ground)).all()
    assert (hazard_of(inside, ground) >= hazard_of(replace(inside, entered=np.zeros(len(inside), bool)), ground)).all()
    out = Grid(both.copy(), ground.elevation.frame)
    accumulate(out, inside, ground, SEASON, PLAIN, sign=-1)
    assert (out.values == hazard_of(outside, ground)).all()


def test_endless_effort_reaches_availability_and_no_more():
    """A thousand tracks over one cell: POD is a."""
    one = path([100.0, 110.0], [105.0, 105.0])
    ground = flat(21)
    out = Grid(np.zeros((21, 21), np.int32), ground.elevation.frame)
    many = together(*(replace(one, track=one.track + k) for k in range(1000)))
    accumulate(out, many, ground, SEASON, PLAIN)
    assert pod(out.values, 0.85)[10, 10] == pytest.approx(0.85)
    assert (out.values >= 0).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_splitting_reversing_and_added_vertices_change_at_most_a_unit(seed):
    """Same path, other vertices or direction: within one unit of 1/65536 nat on every cell."""
    rng = np.random.default_rng(seed)
    ground = rough(64, seed)
    walk = wander(rng, 640.0, 25, step=30.0)
    share = rng.uniform(0.01, 0.99, len(walk))
    e, n = (a + share * (b - a) for a, b in ((walk.easting0_m, walk.easting1_m), (walk.northing0_m, walk.northing1_m)))
    first = replace(walk, easting1_m=e, northing1_m=n)
    second = replace(walk, easting0_m=e, northing0_m=n)
    back = walk.take(np.arange(len(walk))[::-1].copy())
    swapped = (back.easting1_m, back.northing1_m, back.easting0_m, back.northing0_m)
    reverse = Pieces(back.track, *swapped, back.factor, back.seconds)
    whole = hazard_of(walk, ground)
    assert whole.any()
    for other in (together(first, second), reverse):
        assert np.abs(hazard_of(other, ground) - whole).max() <= 1


def test_order_and_threads_are_bit_exact():
    """Tracks in any order, shuffled together, on one thread or three, over several tiles."""
    rng = np.random.default_rng(2)
    ground = rough(300)
    walks = [wander(rng, rng.uniform(1000, 5000), 60, track=k) for k in range(6)]
    whole = hazard_of(together(*walks), ground)
    assert whole.any()
    assert (hazard_of(together(*walks[::-1]), ground, threads=3) == whole).all()
    out = Grid(np.zeros_like(whole), ground.elevation.frame)
    for walk in walks[::-1]:
        accumulate(out, walk, ground, SEASON, PLAIN)
    assert (out.values == whole).all()


def test_taking_a_track_away_restores_every_bit():
    """Add two, remove one: the other's raster."""
    rng = np.random.default_rng(8)
    ground, place = rough(120), rough(120).elevation.frame
    first, second = wander(rng, 1200.0, 80), wander(rng, 1200.0, 80, track=1)
    out = Grid(hazard_of(first, ground), place)
    before = out.values.copy()
    accumulate(out, second, ground, SEASON, PLAIN)
    assert (out.values != before).any()
    accumulate(out, second, ground, SEASON, PLAIN, sign=-1)
    assert (out.values == before).all()


def test_a_window_holds_what_the_whole_holds():
    """Any window, whole tiles or not, and the reach window holds everything there is."""
    ground = rough(290)
    walk = wander(np.random.default_rng(4), 2900.0, 120)
    whole = hazard_of(walk, ground)
    place = ground.elevation.frame
    for row, col, rows, cols in ((0, 0, 290, 150), (131, 127, 40, 77), (140, 0, 1, 290)):
        window = hazard_of(walk, ground, place=place.window(row, col, rows, cols))
        assert (window == whole[row : row + rows, col : col + cols]).all()
    near = reach_window(walk, place, PLAIN.reach_m)
    assert near.rows < 290
    assert hazard_of(walk, ground, place=near).sum(dtype=np.int64) == whole.sum(dtype=np.int64)


def test_more_walking_never_lowers_and_speed_scales_the_hazard():
    """Monotone in effort; a factor of one half halves, 0 counts nothing."""
    rng = np.random.default_rng(6)
    ground = rough(80)
    walk, more = wander(rng, 800.0), wander(rng, 800.0, track=1)
    full = hazard_of(walk, ground)
    assert (hazard_of(together(walk, more), ground) >= full).all()
    half = hazard_of(replace(walk, factor=walk.factor * 0.5), ground)
    assert np.abs(half - full / 2).max() <= 1.0
    assert not hazard_of(replace(walk, factor=walk.factor * 0.0), ground).any()


def test_only_plantable_cover_and_known_ground_get_hazard():
    """Forest, water, built, rock, unknown and voids stay 0."""
    ground = rough(80)
    values = hazard_of(wander(np.random.default_rng(6), 800.0, 80), ground)
    assert not values[~np.isin(ground.cover.values, [1])].any()
    assert not values[np.isnan(ground.elevation.values)].any()
    assert values.any()


def test_growth_stage_climbs_the_mountain():
    """On 15 March flowers stand at 1,000 m (W 30) and not yet at 1,300 m (W 10): hazard 9 to 1."""
    ides = 1773547200.0
    walk = path([200.0, 230.0], [205.0, 205.0], seconds=ides)
    low, high = flat(41), terrain(np.full((41, 41), 1300.0))
    low_values, high_values = (hazard_of(walk, ground, DetectionSettings()) for ground in (low, high))
    far = high_values > 60
    far[18:23] = False
    assert far.any()
    assert low_values[far] / high_values[far] == pytest.approx(9.0, rel=0.02)


def test_walks_outside_the_raster_and_across_its_edge_are_harmless():
    """Outside adds nothing; across the edge the part inside counts."""
    ground = flat(40)
    assert not hazard_of(path([-900.0, -500.0], [100.0, 120.0]), ground).any()
    across = hazard_of(path([-300.0, 100.0], [200.0, 200.0]), ground)
    assert (across == hazard_of(path([0.0, 100.0], [200.0, 200.0]), ground)).all()
    assert across.any()


def test_an_all_void_terrain_gives_nothing():
    """Nothing is known, nothing is seen, nothing fails."""
    assert not hazard_of(path([100.0, 200.0], [100.0, 150.0]), terrain(np.full((30, 30), np.nan))).any()


def test_a_raster_that_does_not_lie_on_the_terrains_cells_is_refused():
    """Shifted by half a cell, or reaching beyond the terrain."""
    place = frame(30)
    for bad in (replace(place, west_m=place.west_m + 5.0), replace(place, rows=31)):
        with pytest.raises(GridMismatch):
            accumulate(Grid(np.zeros(bad.shape, np.int32), bad), path([1.0, 2.0], [1.0, 2.0]), flat(30), SEASON, PLAIN)
