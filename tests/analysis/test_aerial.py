"""What is flown: cliffs, far blind strips and roofs, cut to one flight each, with a place to take off from."""

import numpy as np
import pyproj
import pytest

from geo.analysis.aerial import Sky, Why, flights, mode_of
from geo.grid import Frame, Grid
from geo.layers.segments import Mode

CRS = pyproj.CRS.from_epsg(4544)
KNOBS = {"fly_unwalkable": 0.5, "fly_away_share": 0.6}


def sky(**more):
    """Ground of 3 km rising eastwards 1 m a cell of 30 m, all blind, near, with a road along its west."""
    shape = (100, 100)
    height = np.tile(np.arange(100.0), (100, 1)) + 1000
    plain = {
        "blind": np.ones(shape, bool), "mass": np.full(shape, 1e-5), "away_s": np.full(shape, 3600.0),
        "strip": np.zeros(shape, bool), "road": np.zeros(shape, bool), "roofs": np.zeros(shape, bool),
    }  # fmt: skip
    plain["road"][:, 0] = True
    return Sky(Grid(height, Frame(500_000.0, 2_970_000.0, 30.0, 100, 100, CRS)), **(plain | more))


def test_ground_within_reach_is_walked():
    assert len(flights(sky(), far_s=10_000.0, strip_s=5_000.0)) == 0


def test_a_cliff_is_one_task_with_its_relief_and_a_road_to_take_off_from():
    """10 by 10 cells, columns 40 to 49: 9 m within it, its top 49 m above the road at column 0, 1.3 km away."""
    away = np.full((100, 100), 3600.0)
    away[42:52, 40:50] = np.inf
    (task,) = flights(sky(away_s=away), far_s=10_000.0, strip_s=5_000.0, flight_m=9_000.0).to_dict("records")
    assert (task["reason"], task["area_m2"]) == ("cliff", 90_000.0)
    assert task["geometry"].area == pytest.approx(90_000.0)
    assert (task["relief_m"], task["above_m"]) == (9.0, 49.0)
    assert task["start_easting_m"] == 500_015.0
    assert task["start_away_m"] == pytest.approx(44.5 * 30, abs=16)


def test_large_ground_is_cut_into_flights_and_small_left_out():
    far = np.full((100, 100), 3600.0)
    far[0:60, 20:60] = 20_000.0
    far[90, 90] = 20_000.0
    tasks = flights(sky(away_s=far), far_s=10_000.0, strip_s=5_000.0)
    assert tasks["area_m2"].sum() == pytest.approx(60 * 40 * 900)
    assert (tasks["area_m2"] <= 600.0**2).all()
    assert set(tasks["reason"]) == {"far"}


def test_a_strip_is_flown_sooner_than_other_ground_and_roofs_come_last():
    strip, roofs, away = np.zeros((3, 100, 100))
    strip[:, 95:] = 1
    away[:] = 6_000.0
    roofs[10:20, 10:20] = 1
    tasks = flights(sky(strip=strip > 0, roofs=roofs > 0, away_s=away), far_s=10_000.0, strip_s=5_000.0)
    assert set(tasks["reason"]) == {"strip", "roof"}
    assert tasks["reason"].iloc[-1] == "roof"


def test_ground_with_no_road_is_flown_from_the_nearest_place_one_can_walk_to():
    away = np.full((100, 100), 3600.0)
    away[40:50, 40:50] = np.inf
    task = flights(sky(away_s=away, road=np.zeros((100, 100), bool)), far_s=1e4, strip_s=5e3).iloc[0]
    assert task["start_away_m"] < 300


@pytest.mark.parametrize(
    ("away_s", "unwalkable", "visible", "mode", "why"),
    [
        (1000.0, 0.0, 1.0, Mode.FOOT, Why.WALKABLE),
        (1000.0, 0.6, 0.0, Mode.FLIGHT, Why.CLIFF),
        (20_000.0, 0.0, 0.6, Mode.GLASS, Why.VISIBLE),
        (float("inf"), 0.0, 0.0, Mode.FLIGHT, Why.FAR),
        (float("nan"), 0.0, 0.0, Mode.FLIGHT, Why.FAR),
    ],
)
def test_a_unit_is_walked_where_that_can_be_done(away_s, unwalkable, visible, mode, why):
    assert mode_of(away_s, unwalkable, 21_420.0, visible=visible, **KNOBS) == (mode, why)
