"""The season on the demo county: segments cut once, assignments numbered, walked ground counted, then planned anew."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shared_counties import MADE_OF, copy_of

from geo.errors import LayerError, StoreError
from geo.layers.tracks import line_of
from geo.ledger import Entry
from geo.store import Change
from geo.workspace.aerial import flight_files, plan_flights
from geo.workspace.assignments import assignment_board
from geo.workspace.campaign import accept_season, plain_assignments, plan_season, workdays
from geo.workspace.county import County, open_county
from geo.workspace.effort import pieces_of, tracks_until
from geo.workspace.planning import assigned_ground, plan_day
from geo.workspace.segmenting import segments_of

NOW = datetime(2026, 5, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def cut(measured_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> County:
    """A copy of the demo county with its segments; the tests below only add to it."""
    folder = tmp_path_factory.mktemp("season") / "county"
    copy_of(measured_demo, folder, *MADE_OF)
    county = open_county(folder)
    segments_of(county, now=NOW)
    return county


@pytest.fixture(scope="module")
def season(cut: County) -> County:
    """The same with the season planned from March on."""
    accept_season(cut, plan_season(cut, now=NOW, from_day="2026-03-01", off_days=["2026-03-10"]), now=NOW)
    return cut


def test_segments_tile_every_township_and_are_cut_once(cut: County) -> None:
    head = cut.store.head().hash
    segments = segments_of(cut, now=NOW)
    assert cut.store.head().hash == head
    assert segments["segment_id"].equals(segments["township_id"] + "-" + segments["label"])
    for township in cut.store.read("townships").itertuples():
        mine = segments[segments["township_id"] == township.township_id]
        assert mine.area.sum() == pytest.approx(township.geometry.area)
        assert shapely.union_all(mine.geometry).symmetric_difference(township.geometry).area < 1.0


def test_assignments_keep_their_windows_and_joint_sweeps_have_two_sides(season: County) -> None:
    rows = season.store.read("assignments")
    rows = rows[(rows["purpose"] != "航测") & (rows["made_at"] < "2026-03-02")]
    assert (rows["due_from"] <= rows["day"]).all()
    assert (rows["day"] <= rows["day_to"]).all()
    assert (rows["day_to"] <= rows["due_to"]).all()
    assert rows["day"].min() >= "2026-03-01"
    assert "2026-03-10" not in {*rows["day"], *rows["day_to"]}
    joint = rows[rows["purpose"] == "联合踏查"]
    assert len(joint)
    assert joint["partner_id"].notna().all()
    assert joint.geometry.notna().all()


def test_states_follow_from_what_was_walked(season: County) -> None:
    board = assignment_board(season, withdrawn=True)
    board = board[board["made_at"] < "2026-03-02"]
    assert set(board["state"]) >= {"done", "overdue"} or set(board["state"]) >= {"done", "withdrawn"}
    done = board[(board["state"] == "done") & (board["purpose"] == "踏查")]
    assert (done["searched_h"] >= 0.8 * done["hours"] - 1e-9).all()
    early = assignment_board(season, as_of=datetime(2026, 3, 1, tzinfo=UTC))
    assert not set(early.loc[early["purpose"] == "踏查", "state"]) & {"done", "overdue", "part_done"}


def test_walking_in_the_dark_is_no_searching(season: County, tmp_path: Path) -> None:
    """The same walks twelve hours later count as much less as they see less: nothing by night."""
    by_day = assignment_board(season)["searched_h"].sum()
    shutil.copytree(season.path, tmp_path / "night")
    county = open_county(tmp_path / "night")
    tracks = county.store.read("tracks")
    late = pd.Timedelta(hours=12)
    places = [shapely.get_coordinates(line, include_z=True, include_m=True) for line in tracks.geometry]
    moved = [line_of(*xyzm[:, :3].T, xyzm[:, 3] + late.total_seconds()) for xyzm in places]
    tracks = tracks.set_geometry(gpd.GeoSeries(moved, index=tracks.index, crs=tracks.crs))
    tracks = tracks.assign(started_at=tracks["started_at"] + late, ended_at=tracks["ended_at"] + late)
    county.store.append(Entry("import", {}), Change("tracks", tracks, replace=True), now=NOW)
    assert 0.0 <= assignment_board(county)["searched_h"].sum() < 0.1 * by_day


def test_a_days_plan_keeps_to_the_assigned_segments_and_to_the_area_drawn(season: County) -> None:
    rows = season.store.read("assignments")
    sweeps = rows[(rows["purpose"] == "踏查") & (rows["township_id"] == "529901003") & (rows["round"] == 2)]
    day = str(sweeps["day"].iloc[0])
    ground = assigned_ground(season, "529901003", day)
    west, south, _, north = ground.bounds
    drawn = shapely.box(west, south, ground.centroid.x, north)
    outline = shapely.get_coordinates(gpd.GeoSeries([drawn], crs=season.crs).to_crs(4326)).tolist()
    plan = plan_day(season, day=day, township_ids=["529901003"], assigned=True, area=outline)
    walked = plan.stops[plan.stops["kind"] == "sweep"]
    assert len(walked)
    assert walked.within(ground.intersection(drawn).buffer(150.0)).all()
    assert assigned_ground(season, "529901003", "2026-01-05") is None


def test_a_later_plan_takes_the_place_of_what_is_not_done(season: County) -> None:
    before = assignment_board(season)
    again = plan_season(season, now=NOW, from_day="2026-05-01")
    told = again.json()
    assert told["expected_even"] <= told["expected"] <= told["bound"]
    accept_season(season, again, now=NOW)
    with pytest.raises(StoreError, match="season_moved"):
        accept_season(season, again, now=NOW)  # as somebody who had not seen it would
    after = assignment_board(season, withdrawn=True)
    gone = after[after["state"] == "withdrawn"]
    assert set(gone["assignment_id"]) == set(again.withdrawn)
    assert (gone["due_to"] >= "2026-05-01").all()
    assert not set(before.loc[before["state"] == "done", "assignment_id"]) & set(again.withdrawn)
    assert after["assignment_id"].is_unique
    assert season.store.verify().ok


def test_what_is_flown_is_numbered_and_other_programs_read_it(cut: County, tmp_path: Path) -> None:
    known = set(cut.store.read("assignments")["assignment_id"])
    flown = plan_flights(cut, 2, now=NOW)
    assert not set(flown["assignment_id"]) & known
    assert set(flown["reason"]) <= {"cliff", "far", "strip", "roof"}
    assert flown["area_m2"].to_numpy() == pytest.approx(flown.area.to_numpy())
    assert (flown["relief_m"] >= 0).all()
    plain = plain_assignments(flown)
    inside = gpd.GeoSeries(gpd.points_from_xy(*zip(*[(o["longitude"], o["latitude"]) for o in plain], strict=True)))
    assert inside.set_crs(4326).to_crs(flown.crs).distance(flown.geometry, align=False).max() < 1.0
    files = flight_files(cut, 2)
    assert sorted(files) == ["flights-2026-R2-GCJ02.kml", "flights-2026-R2.kml", "flights-2026-R2.kmz"]
    (tmp_path / "f.kml").write_bytes(files["flights-2026-R2.kml"])
    shown = gpd.read_file(tmp_path / "f.kml", engine="pyogrio")
    assert shown.geom_type.eq("Point").sum() == len(flown)
    assert len(shown) == 2 * len(flown)


def test_planning_the_season_anew_leaves_drone_tasks_standing(season: County) -> None:
    """They are planned by themselves, and nothing on foot takes their place."""
    flown = set(plan_flights(season, 2, now=NOW)["assignment_id"])
    again = plan_season(season, now=NOW, from_day="2026-04-15")
    assert not flown & set(again.withdrawn)
    assert again.withdrawn


def test_holidays_and_days_off_are_no_workdays(cut: County) -> None:
    """New year's eve of 2026 is 16 February; a week is off by default."""
    days = workdays(cut, "2026-02-14", ["2026-02-25"])
    assert days[0] == 44
    assert not set(range(46, 54)) & set(days.tolist())
    assert 55 not in days
    assert days[-1] == 150
    with pytest.raises(LayerError, match="day_bad"):
        workdays(cut, "2026-02-30")


def test_a_round_a_township_or_a_day_that_is_none_is_refused(cut: County) -> None:
    with pytest.raises(LayerError, match="round_unknown"):
        assignment_board(cut, round_=9)
    with pytest.raises(StoreError, match="township_unknown"):
        assignment_board(cut, township_id="999")
    with pytest.raises(StoreError, match="day_outside"):
        plan_season(cut, now=NOW, from_day="2026-06-01")


def test_no_walking_counts_for_two_assignments_of_a_segment(season: County) -> None:
    """Over all its assignments a segment has no more hours than were walked searching on it, whatever is shown."""
    board = assignment_board(season, withdrawn=True)
    afoot = board[board["segment_id"].notna() & (board["purpose"] != "航测")]
    one = afoot.loc[afoot["searched_h"].idxmax()]
    mine = afoot[afoot["segment_id"] == one["segment_id"]]
    (place,) = gpd.GeoDataFrame(season.store.read("segments", [one["segment_id"]])).itertuples()
    tracks = tracks_until(season, season.as_of())
    pieces, _ = pieces_of(season, gpd.GeoDataFrame(tracks[tracks["mode"] == "foot"].reset_index(drop=True)))
    middle = (pieces.easting0_m + pieces.easting1_m) / 2, (pieces.northing0_m + pieces.northing1_m) / 2
    inside = shapely.contains_xy(place.geometry, *middle)
    walked_h = (pieces.lengths() * pieces.factor)[inside].sum() / 1000.0
    assert mine["searched_h"].sum() <= walked_h * 1.02 + 0.05
    by_round = assignment_board(season, round_=int(one["round"])).set_index("assignment_id")["searched_h"]
    assert by_round[one["assignment_id"]] == pytest.approx(one["searched_h"])
