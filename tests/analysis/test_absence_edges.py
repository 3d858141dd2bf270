"""From fixes to probability on two small townships: voids, water, tracks outside, across an edge, back in time."""

from datetime import datetime

import numpy as np
import pandas as pd
import pyproj
import pytest

from geo.analysis import absence, coverage
from geo.analysis.pieces import walked_pieces
from geo.analysis.priority import relative_risk
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import AbsenceSettings, Settings

CRS = pyproj.CRS.from_epsg(4544)
FRAME = Frame(0.0, 600.0, 10.0, 60, 120, CRS)
SEASON = Season(2026)
MARCH = datetime(2026, 3, 25, tzinfo=CHINA)
NOON = datetime(2026, 3, 20, 12, tzinfo=CHINA).timestamp()
SETTINGS = Settings(absence=AbsenceSettings(courtyard_share=0.0, draws=50))


def ground(*, void: slice | None = None, water: slice | None = None) -> Terrain:
    height = np.full(FRAME.shape, 1000.0, np.float32)
    cover = np.full(FRAME.shape, Cover.OPEN, np.uint8)
    if void is not None:
        height[:, void] = np.nan
    if water is not None:
        cover[:, water] = Cover.WATER
    return Terrain(Grid(height, FRAME), Grid(cover, FRAME), 10.0)


def straight(west: float, east: float, north: float = 305.0, *, backwards: bool = False) -> pd.DataFrame:
    """A walk at 1 km/h along one northing, a fix every 36 s and 10 m."""
    places = np.arange(west, east + 1.0, 10.0)
    seconds = NOON + np.arange(len(places)) * 36.0
    return pd.DataFrame(
        {"track": 0, "part": 0, "easting_m": places, "northing_m": north,
         "seconds": seconds[::-1] if backwards else seconds}
    )  # fmt: skip


def assessed(fixes: pd.DataFrame, terrain: Terrain) -> pd.DataFrame:
    return whole(fixes, terrain).townships


def whole(fixes: pd.DataFrame, terrain: Terrain) -> absence.Assessment:
    """Township a in the west, b in the east, 100 m of nobody in the south; a track passed where a fix lies in it."""
    zones = Grid(np.where(np.arange(120) < 60, 1, 2).astype(np.int16) + np.zeros(FRAME.shape, np.int16), FRAME)
    zones.values[50:] = 0
    pieces = walked_pieces(fixes, np.ones(1, bool), SETTINGS.detection)
    hazard = Grid(np.zeros(FRAME.shape, np.int32), FRAME)
    coverage.accumulate(hazard, pieces, terrain, SEASON, SETTINGS.detection)
    inside = FRAME.holds(fixes["easting_m"], fixes["northing_m"])
    here = zones.values[FRAME.cells(fixes["easting_m"][inside], fixes["northing_m"][inside])]
    tracks = np.zeros((2, 5), bool)
    tracks[:, 2] = [(here == 1).any(), (here == 2).any()]
    return absence.assess(
        [(2, hazard)], zone_ids=["a", "b"], zones=zones, risk=relative_risk(terrain, settings=SETTINGS.priority),
        terrain=terrain, season=SEASON, settings=SETTINGS, as_of=MARCH, rng=np.random.default_rng(1), has_tracks=tracks,
    )  # fmt: skip


def test_a_township_that_is_all_void_has_no_figure_and_its_neighbour_keeps_its_own():
    table = assessed(straight(50.0, 1150.0), ground(void=slice(0, 60)))
    assert table.loc["a", ["detection", "p_zero", "plots_left", "hours_to_95"]].isna().all()
    assert table.loc["a", "reasons"]["p_zero"] == "ground_unmapped"
    assert table.loc["b", "detection"] > 0.03


def test_a_township_with_voids_here_and_there_keeps_its_figures_and_says_so():
    """From one cell in a hundred on; its neighbour, without any, says nothing."""
    for width, said in ((1, "ground_partly"), (0, None)):
        table = assessed(straight(50.0, 1150.0), ground(void=slice(0, width)))
        assert table.loc["a", "detection"] > 0.03
        assert table.loc["a", "reasons"].get("ground") == said
        assert "ground" not in table.loc["b", "reasons"]


def test_ground_without_height_or_cover_keeps_the_county_unknown_and_water_does_not():
    """Left out as if nothing could be planted there, a township nobody has a map of would flatter the county."""
    unmapped = ground()
    unmapped.cover.values[:, :60] = Cover.UNKNOWN
    for terrain in (ground(void=slice(0, 60)), unmapped):
        county = whole(straight(50.0, 1150.0), terrain).county
        assert (county["p_zero"], county["unknown_n"]) == (None, 1)
    county = whole(straight(50.0, 1150.0), ground(water=slice(0, 60))).county
    assert (county["p_zero"] is not None, county["unknown_n"]) == (True, 0)


def test_a_township_of_water_has_no_figure_whoever_walked_past():
    table = assessed(straight(50.0, 1150.0), ground(water=slice(0, 60)))
    assert table.loc["a", "reasons"]["detection"] == "no_plantable"
    assert table.loc["a", "levers"] == []


def test_a_track_outside_the_county_is_no_track():
    table = assessed(straight(50.0, 1150.0, north=-5000.0), ground())
    assert [said["p_zero"] for said in table["reasons"]] == ["no_track", "no_track"]
    assert table[["detection", "p_zero"]].isna().all().all()


def test_a_track_just_outside_counts_on_the_ground_it_reached():
    table = assessed(straight(50.0, 1150.0, north=55.0), ground())
    assert (table["detection"] > 0.0).all()
    assert "p_zero" not in table.loc["a", "reasons"]


def test_a_track_across_the_edge_counts_on_both_sides_and_most_where_it_was_walked():
    table = assessed(straight(100.0, 700.0), ground())
    assert table.loc["a", "detection"] > table.loc["b", "detection"] > 0.0
    even = assessed(straight(305.0, 895.0), ground())
    assert even.loc["a", "detection"] == pytest.approx(even.loc["b", "detection"], rel=1e-3)


def test_time_that_goes_backwards_is_no_walk():
    """A fix passed in the township, so there is a figure; nothing was looked at, so it is 0 and p only falls by π."""
    table = assessed(straight(100.0, 500.0, backwards=True), ground())
    assert table.loc["a", "detection"] == 0.0
    assert table.loc["a", "p_zero"] == pytest.approx(0.5 * 0.98**3, abs=1e-9)
    assert table.loc["b", "reasons"]["p_zero"] == "no_track"
