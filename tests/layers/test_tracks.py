"""Tracks as lines that hold their fixes."""

import geopandas as gpd
import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo.layers import tracks

EAST, NORTH = np.array([0.0, 10.0, 20.0, 30.0]), np.array([5.0, 5.0, 5.0, 5.0])
HEIGHT, SECONDS = np.array([np.nan, 1.0, 2.0, 3.0]), np.array([100.0, 110.0, 120.0, 130.0])


def one_track() -> gpd.GeoDataFrame:
    moments = pd.to_datetime([100.0, 130.0], unit="s", utc=True).as_unit("ms")
    row = {
        "track_id": ["t"],
        "team_id": ["a"],
        "township_id": ["x"],
        "started_at": moments[:1],
        "ended_at": moments[1:],
    }
    more = {"mode": ["foot"], "length_m": [30.0], "fixes_n": [4], "source_id": ["f"]}
    return gpd.GeoDataFrame(row | more, geometry=[tracks.line_of(EAST, NORTH, HEIGHT, SECONDS)], crs=4544)


def test_a_line_gives_its_fixes_back() -> None:
    """Easting, northing, elevation (also unknown) and time survive."""
    fixes = tracks.fixes_of(one_track())
    assert np.array_equal(fixes["easting_m"], EAST)
    assert np.array_equal(fixes["elevation_m"], HEIGHT, equal_nan=True)
    assert np.array_equal(fixes["seconds"], SECONDS)


def test_a_single_fix_is_still_a_line() -> None:
    """Two equal points."""
    assert tracks.line_of([1.0], [2.0], [3.0], [4.0]).wkt == "LINESTRING ZM (1 2 3 4, 1 2 3 4)"


def test_a_single_fix_is_given_back_once_and_a_rest_of_two_fixes_twice() -> None:
    """A lone fix is stored as two equal points; two fixes at one place at two times are two fixes."""
    lone = tracks.line_of([1.0], [2.0], [3.0], [4.0])
    rest = tracks.line_of([1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 9.0])
    table = gpd.GeoDataFrame({"track_id": ["a", "b"]}, geometry=[lone, rest], crs=4544)
    fixes = tracks.fixes_of(table)
    assert fixes[["track", "part", "seconds"]].to_numpy().tolist() == [[0, 0, 4.0], [1, 1, 4.0], [1, 1, 9.0]]


@given(st.lists(st.tuples(st.floats(73, 135), st.floats(4, 53), st.integers(0, 2_000_000_000)), min_size=1, max_size=5))
def test_the_id_depends_on_every_fix_and_their_order(fixes: list[tuple[float, float, int]]) -> None:
    """The same fixes give the same id; one moved by a metre another."""
    lon, lat, seconds = (np.array(column, float) for column in zip(*fixes, strict=True))
    assert tracks.track_id(lon, lat, seconds) == tracks.track_id(lon.copy(), lat, seconds)
    moved = lon.copy()
    moved[-1] += 1e-5
    assert tracks.track_id(moved, lat, seconds) != tracks.track_id(lon, lat, seconds)
