"""The season on the demo county: segments cut once, assignments numbered, walked ground counted, then planned anew."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from geo.errors import LayerError
from geo.workspace.aerial import flight_files, plan_flights
from geo.workspace.assignments import assignment_board
from geo.workspace.campaign import accept_season, plan_season, workdays
from geo.workspace.county import open_county
from geo.workspace.planning import assigned_ground, plan_day
from geo.workspace.segmenting import segments_of

NOW = datetime(2026, 5, 30, tzinfo=UTC)


@pytest.fixture
def county(demo_copy: Path):
    return open_county(demo_copy)


def test_a_season_is_planned_kept_walked_and_planned_anew(county, tmp_path: Path) -> None:
    """One test, for cutting and planning a county takes its seconds."""
    segments = segments_of(county, now=NOW)
    townships = county.store.read("townships")
    for township in townships.itertuples():
        mine = segments[segments["township_id"] == township.township_id]
        assert mine.area.sum() == pytest.approx(township.geometry.area)
        assert shapely.union_all(mine.geometry).symmetric_difference(township.geometry).area < 1.0
    assert segments["segment_id"].equals(segments["township_id"] + "-" + segments["label"])
    head = county.store.head().hash
    assert segments_of(county, now=NOW)["segment_id"].equals(segments["segment_id"])
    assert county.store.head().hash == head

    first = plan_season(county, now=NOW, from_day="2026-03-01", off_days=["2026-03-10"])
    told = first.json()
    assert county.store.head().hash == head
    assert told["expected_even"] < told["expected"] <= told["bound"]
    days = {day for row in told["assignments"] for day in (row["day"], row["day_to"])}
    assert min(days) >= "2026-03-01"
    assert "2026-03-10" not in days
    for row in told["assignments"]:
        assert row["due_from"] <= row["day"] <= row["day_to"] <= row["due_to"]
    joint = [row for row in told["assignments"] if row["purpose"] == "联合踏查"]
    assert joint
    assert all(row["partner_id"] and row["longitude"] and row["team_days_n"] >= 1 for row in joint)

    accept_season(county, first, now=NOW)
    board = assignment_board(county)
    assert set(board["state"]) >= {"done", "overdue"}
    done = board[(board["state"] == "done") & (board["purpose"] == "踏查")]
    assert (done["searched_h"] >= 0.8 * done["hours"] - 1e-9).all()
    early = assignment_board(county, as_of=datetime(2026, 3, 1, tzinfo=UTC))
    assert set(early["state"]) == {"scheduled"} | ({"done"} & set(early["state"]))

    sweeps = board[(board["purpose"] == "踏查") & (board["township_id"] == "529901003") & (board["round"] == 2)]
    day = str(sweeps["day"].iloc[0])
    ground = assigned_ground(county, "529901003", day)
    plan = plan_day(county, day=day, township_ids=["529901003"], assigned=True)
    walked = plan.stops[plan.stops["kind"] == "sweep"]
    assert walked.within(ground.buffer(150.0)).all()
    assert assigned_ground(county, "529901003", "2026-01-05") is None

    again = plan_season(county, now=NOW, from_day="2026-05-01")
    accept_season(county, again, now=NOW)
    after = assignment_board(county, withdrawn=True)
    gone = after[after["state"] == "withdrawn"]
    assert set(gone["assignment_id"]) == set(again.withdrawn)
    assert (gone["due_to"] >= "2026-05-01").all()
    assert after["assignment_id"].is_unique
    kept_done = set(done["assignment_id"]) & set(again.withdrawn)
    assert not kept_done
    assert len(assignment_board(county, township_id="529901003", round_=2)) < len(after)

    flown = plan_flights(county, 2, now=NOW)
    assert not set(flown["assignment_id"]) & set(after["assignment_id"])
    assert set(flown["reason"]) <= {"cliff", "far", "strip", "roof"}
    assert flown["area_m2"].to_numpy() == pytest.approx(flown.area.to_numpy())
    assert (flown["relief_m"] >= 0).all()
    files = flight_files(county, 2)
    assert sorted(files) == ["flights-2026-R2-GCJ02.kml", "flights-2026-R2.kml", "flights-2026-R2.kmz"]
    (tmp_path / "f.kml").write_bytes(files["flights-2026-R2.kml"])
    shown = gpd.read_file(tmp_path / "f.kml", engine="pyogrio")
    assert shown.geom_type.eq("Point").sum() == len(flown)
    assert len(shown) == 2 * len(flown)
    assert county.store.verify().ok


def test_holidays_and_days_off_are_no_workdays(county) -> None:
    """New year's eve of 2026 is 16 February; a week is off by default."""
    days = workdays(county, "2026-02-14", ["2026-02-25"])
    assert days[0] == 44
    assert not set(range(46, 54)) & set(days.tolist())
    assert 55 not in days
    assert days[-1] == 150
    with pytest.raises(LayerError, match="day_bad"):
        workdays(county, "2026-02-30")
