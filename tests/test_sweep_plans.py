"""Plans with segments: walked from end to end, timed whole, and arranged by a leader with the hours checked again."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import patrol
from geo.analysis import sweeps, targets, travel
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.season import Season
from geo.settings import DetectionSettings, PlanningSettings

CRS = pyproj.CRS.from_epsg(4544)
KNOBS = PlanningSettings(hours=4.0, sweeps_n=25)
DETECTION, SEASON, NOON_S = DetectionSettings(), Season(2026), 1_775_966_400.0
CELLS = 300


def county(seed):
    """Hills of 3 km, likelier ground in the north-east, water in a corner."""
    y, x = np.mgrid[:CELLS, :CELLS] * 10.0
    height = 1200 + 70 * np.sin(x / 240 + seed) * np.cos(y / 300) + 25 * np.sin((x + y) / 150)
    cover = np.full(height.shape, Cover.CROPS, np.uint8)
    cover[250:, :50] = Cover.WATER
    frame = Frame(500_000.0, 2_970_000.0, 10.0, CELLS, CELLS, CRS)
    terrain = Terrain(Grid(height.astype(np.float32), frame), Grid(cover, frame), 10.0)
    rich = np.where((x > 1500) & (y < 1500), 5e-5, 1e-5) * (cover == Cover.CROPS)
    return sweeps.Ground(terrain, Grid(rich.astype(np.float32), frame), np.full(height.shape, np.float32(20.0)))


def request_over(seed, teams=2, **more):
    ground = county(seed)
    surface = travel.cost_surface(ground.terrain, gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS)), KNOBS)
    base = 500_000 + np.random.default_rng(seed).uniform(600, 2400, (teams, 2))
    squad = pd.DataFrame(
        [(f"T{n}", f"{n}号", e, n_m + 2_467_000) for n, (e, n_m) in enumerate(base)],
        columns=["team_id", "name", "easting_m", "northing_m"],
    )
    table = targets.sweep_targets(ground, surface, squad[["easting_m", "northing_m"]].to_numpy(), KNOBS, DETECTION)
    views = sweeps.views_of(targets.lines_to_see(table), ground, SEASON, DETECTION, noon_s=NOON_S, cells=5)
    options = {"settings": KNOBS, "seed": seed, "iterations": 400, "views": views, **more}
    return patrol.SweepRequest("2026-04-12", surface, squad, table, **options)


def test_rich_ground_nobody_can_walk_to_takes_no_place_from_ground_nearby():
    """Beyond a river lie hundreds of blocks, ten times as rich; three are asked for, all on the base's side."""
    ground = county(1)
    cover = ground.terrain.cover.values.copy()
    cover[:, 140:160] = Cover.WATER
    mass = ground.mass.values.copy() * (cover == Cover.CROPS)
    mass[:, 160:] *= 10.0
    terrain = replace(ground.terrain, cover=Grid(cover, ground.terrain.cover.frame))
    split = replace(ground, terrain=terrain, mass=Grid(mass.astype(np.float32), ground.mass.frame))
    surface = travel.cost_surface(terrain, gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=CRS)), KNOBS)
    base = np.array([[500_600.0, 2_969_000.0]])
    found = targets.sweep_targets(split, surface, base, replace(KNOBS, sweeps_n=3), DETECTION)
    assert len(found) == 3
    assert (found["easting_m"] < 501_400.0).all()


def tobler_again(surface, line):
    """Seconds of a line by Tobler's formula written out again, heights read between the surface's cell centres."""
    points = shapely.get_coordinates(shapely.segmentize(line, 15.0))
    frame, height = surface.frame, surface.elevation.values
    row, col = (frame.north_m - points[:, 1]) / frame.cell_m - 0.5, (points[:, 0] - frame.west_m) / frame.cell_m - 0.5
    r, c = np.clip(row.astype(int), 0, frame.rows - 2), np.clip(col.astype(int), 0, frame.cols - 2)
    a, b = row - r, col - c
    high = (height[r, c] * (1 - b) + height[r, c + 1] * b) * (1 - a)
    high += (height[r + 1, c] * (1 - b) + height[r + 1, c + 1] * b) * a
    flat, rise = np.hypot(*np.diff(points, axis=0).T), np.diff(high)
    kmh = 0.6 * 6.0 * np.exp(-3.5 * np.abs(rise / flat + 0.05))
    return float((np.hypot(flat, rise) * 3.6 / kmh).sum())


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 500))
def test_no_day_with_segments_is_longer_than_its_hours_when_walked_again(seed):
    request = request_over(seed)
    plan = patrol.plan_sweep(request)
    line = request.targets.set_index("target_id")["line"]
    assert len(plan.routes)
    for route in plan.routes.itertuples():
        stops = plan.stops[(plan.stops["route_id"] == route.route_id) & plan.stops["target_id"].notna()]
        searched_m = sum(shapely.LineString(line[one]).length for one in stops["target_id"])
        searching_s = searched_m * 3.6 / DETECTION.search_speed_kmh
        walking_s = tobler_again(request.surface, route.geometry)
        on_lines_s = sum(tobler_again(request.surface, shapely.LineString(line[one])) for one in stops["target_id"])
        assert walking_s - on_lines_s + max(searching_s, on_lines_s) <= KNOBS.hours * 3600
        assert route.walked_s + route.service_s <= request.budget_s
        assert plan.hours_used[route.team_id] * 3600 == pytest.approx(route.walked_s + route.service_s)


def test_a_route_walks_each_of_its_segments_from_end_to_end():
    request = request_over(3)
    plan = patrol.plan_sweep(request)
    line = request.targets.set_index("target_id")["line"]
    for route in plan.routes.itertuples():
        walked = [tuple(p) for p in shapely.get_coordinates(route.geometry)]
        for one in plan.stops.loc[plan.stops["route_id"] == route.route_id, "target_id"].dropna():
            begin = walked.index(tuple(line[one][0]))
            assert walked[begin : begin + len(line[one])] == [tuple(p) for p in line[one]]


def test_what_two_teams_see_together_is_paid_once():
    request = request_over(5)
    plan = patrol.plan_sweep(request)
    alone = [row.expected_finds for row in plan.routes.itertuples()]
    assert plan.expected == pytest.approx(sum(alone))
    assert plan.expected <= plan.tighter_bound <= plan.bound


def test_a_leaders_order_is_timed_again_and_too_long_a_day_shows():
    request = request_over(4, teams=1)
    plan = patrol.plan_sweep(request)
    order = plan.stops["target_id"].dropna().tolist()
    same = patrol.arranged(request, {"T0": order})
    turned = patrol.arranged(request, {"T0": order[::-1]})
    full = patrol.arranged(request, {"T0": request.targets["target_id"].tolist()})
    assert same.hours_used["T0"] == pytest.approx(plan.hours_used["T0"])
    assert turned.expected == pytest.approx(plan.expected)
    assert turned.hours_used["T0"] != same.hours_used["T0"]
    assert full.hours_used["T0"] > full.budget_h


def test_a_short_day_leaves_a_leaders_order_the_time_it_takes():
    """Ways longer than the day's hours are not looked for when planning, and are timed where a leader asks for them."""
    request = request_over(4, teams=1)
    order = patrol.plan_sweep(request).stops["target_id"].dropna().tolist()
    whole, short = (patrol.arranged(replace(request, hours=hours), {"T0": order}) for hours in (None, 1.0))
    assert short.hours_used["T0"] == whole.hours_used["T0"] > short.budget_h
    assert short.expected == whole.expected


def test_a_must_visit_that_a_leader_leaves_out_is_named_as_his_choice():
    request = request_over(4, teams=1)
    first, second = request.targets["target_id"].head(2)
    asked = patrol.arranged(replace(request, pinned=[first, second]), {"T0": [first]})
    told = asked.unmet[asked.unmet["must"]]
    assert told[["target_id", "reason"]].to_numpy().tolist() == [[second, "left_out"]]


@pytest.mark.parametrize("orders", [{"nobody": []}, {"T0": ["nothing"]}, {"T0": ["first"], "T1": ["first"]}])
def test_an_order_that_cannot_be_is_refused(orders):
    request = request_over(4)
    first = request.targets["target_id"].iloc[0]
    named = {team: [first if one == "first" else one for one in order] for team, order in orders.items()}
    with pytest.raises(ValueError, match="not in the request"):
        patrol.arranged(request, named)


def test_known_travel_times_give_the_same_plan():
    request = request_over(6)
    kept = replace(request, matrix=patrol.travel_matrix(request))
    assert patrol.plan_sweep(kept).stops.equals(patrol.plan_sweep(request).stops)


def test_segments_keep_off_water_and_the_likelier_ground_comes_first():
    table = request_over(1).targets
    lines = np.vstack(table["line"].to_list())
    in_water = (lines[:, 0] < 500_500) & (lines[:, 1] < 2_967_500)
    rich = (table["easting_m"] > 501_450) & (table["northing_m"] > 2_968_450)
    assert not in_water.any()
    assert rich.mean() > 0.9
    assert table["target_id"].is_unique


def test_a_driven_team_gets_out_and_in_at_a_road_and_keeps_its_hours():
    """A road through the middle at 30 km/h: more is found than on foot alone, and the day is no longer."""
    walked = request_over(2, teams=1)
    middle = walked.teams["northing_m"].iloc[0]
    road = gpd.GeoDataFrame(geometry=[shapely.LineString([(500_000, middle), (503_000, middle)])], crs=CRS)
    terrain = county(2).terrain
    surface = travel.cost_surface(terrain, road, KNOBS)
    car = travel.cost_surface(terrain, road, replace(KNOBS, road_kmh=30.0))
    request = replace(walked, surface=surface, approach=car)
    driven, on_foot = patrol.plan_sweep(request), patrol.plan_sweep(replace(request, approach=None))
    assert driven.expected >= on_foot.expected
    assert (driven.hours_used <= driven.budget_h).all()
    (route,) = driven.routes.itertuples()
    stops = driven.stops
    assert stops["kind"].iloc[[0, -1]].tolist() == ["start", "end"]
    heads = stops[stops["kind"] == "road_head"]
    assert len(heads) in (0, 2)
    row, col = car.frame.cells(heads.geometry.x, heads.geometry.y)
    assert car.road[row, col].all()
    assert stops["arrive_s"].is_monotonic_increasing
    assert stops["arrive_s"].iloc[-1] == pytest.approx(route.walked_s + route.service_s)
    assert list(stops["order_n"]) == list(range(len(stops)))
    assert "road_head" not in set(on_foot.stops["kind"])
