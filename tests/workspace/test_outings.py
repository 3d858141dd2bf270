"""A team's day: stops said to be looked at, the walk beside the plan, a find with its scene in one go."""

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import GeoError
from geo.layers.routes import SCHEMA as ROUTES
from geo.layers.routes import STOPS
from geo.layers.tracks import SCHEMA as TRACKS
from geo.ledger import Entry
from geo.season import CHINA
from geo.store import Change
from geo.workspace.county import County, open_county
from geo.workspace.discovery import record_found
from geo.workspace.outings import outing_files, outings_of, record_look, walk_of
from geo.workspace.rights import Actor, Role

DAY, TEAM = "2026-03-20", "T1"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture
def county(tmp_path):
    from ui_county import EPSG, SOUTH, WEST, make_county

    held = open_county(make_county(tmp_path / "县"))
    line = shapely.LineString([(WEST + 300, SOUTH + 900), (WEST + 500, SOUTH + 500), (WEST + 1500, SOUTH + 900)])
    route = {"route_id": f"{DAY}-X-{TEAM}", "township_id": "520000001", "team_id": TEAM, "day": DAY, "walked_s": 3600.0,
             "service_s": 600.0, "length_m": line.length, "expected_finds": 0.1, "stops_n": 2}  # fmt: skip
    kinds = (("start", None), ("parcel", "P1"), ("sweep", None), ("end", None))
    stops = [
        {"stop_id": f"{DAY}-{n}", "route_id": route["route_id"], "order_n": n, "kind": kind, "name": f"{n:02d} 点{n}",
         "arrive_s": 60.0 * n, "target_id": target, "gain": 0.0}
        for n, (kind, target) in enumerate(kinds)
    ]  # fmt: skip
    places = [line.interpolate(0), shapely.Point(WEST + 500, SOUTH + 500), shapely.Point(WEST + 1500, SOUTH + 900)]
    rows = ROUTES.conform(gpd.GeoDataFrame([route], geometry=[line], crs=EPSG))
    points = STOPS.conform(gpd.GeoDataFrame(stops, geometry=[*places, places[0]], crs=EPSG))
    entry = Entry("plan", {"day": DAY, "teams": [TEAM], "seed": 1})
    held.store.append(entry, Change("routes", rows), Change("stops", points), now=NOW)
    return held


def walked(county: County, *places: tuple[float, float], pause_s: float = 0.0) -> str:
    """A track over some places at 1 m/s from 9 o'clock of the day, with one pause in its middle; its id."""
    line = shapely.LineString(places)
    steps = np.arange(0.0, line.length, 10.0)
    begin = datetime(2026, 3, 20, 9, tzinfo=CHINA)
    late = np.where(np.arange(len(steps)) > len(steps) // 2, pause_s, 0.0)
    seconds = begin.timestamp() + steps + late
    at = [line.interpolate(step) for step in steps]
    text = ",".join(f"{p.x} {p.y} 1000 {s}" for p, s in zip(at, seconds, strict=True))
    row = {"track_id": "bb", "team_id": TEAM, "started_at": begin, "ended_at": begin + timedelta(seconds=steps[-1]),
           "mode": "foot", "length_m": line.length, "fixes_n": len(steps), "source_id": "g"}  # fmt: skip
    table = gpd.GeoDataFrame([row], geometry=[shapely.from_wkt(f"LINESTRING ZM ({text})")], crs=county.crs)
    county.store.append(Entry("import", {"layer": "tracks"}), Change("tracks", TRACKS.conform(table)), now=NOW)
    return "bb"


def stop(county: County, n: int) -> dict:
    return outings_of(county, TEAM)[0].stops.iloc[n].to_dict()


def test_a_stop_said_to_be_looked_at_is_done_and_class_c_without_a_track(county):
    outing = outings_of(county, TEAM)[0]
    assert outing.stops["kind"].tolist() == ["parcel", "sweep"]
    assert outing.stops["done"].tolist() == [None, None]
    for n in (0, 1):
        assert record_look(county, outing, stop(county, n), "未发现", now=NOW).is_new
    assert outings_of(county, TEAM)[0].stops["done"].tolist() == ["未发现", "未发现"]
    visits = county.store.read("visits")
    assert visits["evidence"].tolist() == ["C", "C"]
    assert county.store.read("parcels", ["P1"])["status"].iloc[0] == "visited"


def test_with_a_track_past_it_the_look_is_class_a(county):
    from ui_county import SOUTH, WEST

    walked(county, (WEST + 300, SOUTH + 510), (WEST + 700, SOUTH + 510))
    record_look(county, outings_of(county, TEAM)[0], stop(county, 0), "未发现", now=NOW)
    visit = county.store.read("visits").iloc[-1]
    assert (visit["evidence"], visit["track_id"]) == ("A", "bb")


def test_the_walk_is_measured_beside_the_plan(county):
    from ui_county import SOUTH, WEST

    track = walked(county, (WEST + 300, SOUTH + 900), (WEST + 500, SOUTH + 500), pause_s=900.0)
    walk = walk_of(county, TEAM, [track])
    assert walk.length_m == pytest.approx(447.2, abs=0.1)
    assert walk.gaps_n == 1
    assert walk.longest_gap_min == pytest.approx(15.0, abs=0.5)
    assert walk.missed == ["2 点2"]
    assert sum(walk.planned[0][f"{name}_share"] for name in ("seen", "too_fast", "out_of_sight", "not_walked")) == 1.0
    assert 0.0 < walk.seen_share < 1.0


def test_the_route_comes_as_files_for_phones(county):
    files = outing_files(county, outings_of(county, TEAM)[0])
    assert sorted(name.rsplit(".", 1)[1] for name in files) == ["geojson", "gpx", "gpx", "kml", "kml", "kmz"]


def test_a_find_on_no_plot_gets_one_and_its_whole_story_in_one_form(county):
    at = datetime(2026, 3, 20, 10, tzinfo=CHINA)
    find = {"team_id": TEAM, "found_at": at, "easting": 501_000.0, "northing": 2_965_000.0, "plants_n": 12,
            "stage": "开花期"}  # fmt: skip
    scene = {"guarded": True, "station": "凉水派出所", "receipt": "2026-7"}
    gone = {"method": "强制铲除", "fraction": 1.0, "destroyed_at": at + timedelta(hours=3)}
    photo = "ab" * 32
    done = record_found(county, find | {"photo_sha256": photo}, now=NOW, scene=scene, gone=gone)
    assert done.parcel_status == "eradicated"
    held = county.store.read("finds").iloc[0]
    plot = county.store.read("parcels", [held["parcel_id"]]).iloc[0]
    assert (plot["source"], plot["status"], plot["township_id"]) == ("ground", "eradicated", "520000001")
    assert county.store.read("steps")["act"].tolist() == ["guard", "hand_over"]
    entries = len(county.store.entries())
    assert not record_found(county, find | {"photo_sha256": photo}, now=NOW, scene={}).is_new
    assert len(county.store.entries()) == entries


@pytest.mark.parametrize(
    ("change", "scene", "gone"),
    [
        ({"plants_n": None}, {}, None),
        ({}, {"station": "派出所"}, None),
        ({}, {"guarded": True}, {"method": "强制铲除", "fraction": 1.0}),
        ({"counts": [3]}, {}, None),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(county, change, scene, gone):
    at = datetime(2026, 3, 20, 10, tzinfo=CHINA)
    find = {"team_id": TEAM, "found_at": at, "parcel_id": "P1", "plants_n": 12, "stage": "开花期"} | change
    before = len(county.store.entries())
    with pytest.raises(GeoError):
        record_found(county, find, now=NOW, scene=scene, gone=gone)
    assert len(county.store.entries()) == before


def test_a_sample_stands_for_a_count_with_its_interval(county):
    at = datetime(2026, 3, 20, 10, tzinfo=CHINA)
    find = {"team_id": TEAM, "found_at": at, "parcel_id": "P1", "counts": [10, 12, 14], "quadrat_m2": 1.0,
            "area_m2": 50.0, "stage": "开花期"}  # fmt: skip
    record_found(county, find, now=NOW, scene={})
    held = county.store.read("finds").iloc[0]
    assert held["counted"] == "抽样"
    assert held["plants_low_n"] < held["plants_n"] == 600 < held["plants_high_n"]


@pytest.mark.parametrize("guarded", [True, False])
def test_a_team_account_records_a_find_where_nobody_knew_a_plot(county, guarded):
    """Its own plot from then on, seen by it and moved on by it; another team sees nothing of it."""
    at = datetime(2026, 3, 20, 10, tzinfo=CHINA)
    find = {"team_id": TEAM, "found_at": at, "easting": 501_000.0, "northing": 2_965_000.0, "plants_n": 12,
            "stage": "开花期"}  # fmt: skip
    teams = pd.DataFrame({"team_id": [TEAM, "T-other"], "name": ["一队", "二队"], "kind": "专班"})
    county.store.append(Entry("import", {"layer": "teams"}), Change("teams", teams), now=NOW)
    mine = open_county(county.path, Actor(Role.TEAM, (TEAM,), "一队"))
    scene = {"guarded": guarded, "station": "凉水派出所", "receipt": "2026-7"}
    gone = {"method": "强制铲除", "fraction": 1.0, "destroyed_at": at + timedelta(hours=3)}
    done = record_found(mine, find, now=NOW, scene=scene, gone=gone)
    assert done.parcel_status == "eradicated"
    plot = str(county.store.read("finds")["parcel_id"].iloc[0])
    assert plot in set(mine.store.read("parcels")["parcel_id"])
    other = open_county(county.path, Actor(Role.TEAM, ("T-other",), "二队"))
    assert plot not in set(other.store.read("parcels")["parcel_id"])
    assert county.store.verify().ok
    with pytest.raises(GeoError):
        record_found(other, find | {"plants_n": 13, "easting": 501_200.0}, now=NOW, scene=scene)
