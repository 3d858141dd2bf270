"""Files into a county: read = accepted + refused, twice adds nothing, an interruption leaves the store as it was."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely

from geo.errors import GeoError
from geo.formats import Hints, fixes
from geo.formats.fixes import RawFixes, tracks_of
from geo.layers import SCHEMAS
from geo.layers.parcels import Status
from geo.layers.steps import Act
from geo.layers.tracks import SCHEMA, fixes_of
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.words import WORDS
from geo.workspace.county import County, found, open_county
from geo.workspace.importing import FileReport, import_files, import_terrain, listed
from geo.workspace.life import record_step

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WEST, SOUTH, EAST, NORTH = 500_000.0, 2_950_000.0, 510_000.0, 2_960_000.0
TO_DEGREES = pyproj.Transformer.from_crs(4544, 4326, always_xy=True)


@pytest.fixture
def county(tmp_path: Path) -> County:
    """One made-up township of 10 km by 10 km."""
    return make_county(tmp_path)


@pytest.fixture(scope="module")
def shared_county(tmp_path_factory: pytest.TempPathFactory) -> County:
    return make_county(tmp_path_factory.mktemp("shared"))


def make_county(folder: Path) -> County:
    shape = shapely.MultiPolygon([shapely.box(WEST, SOUTH, EAST, NORTH)])
    row = {"township_id": "520525001", "name": "甲乡", "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
    townships = gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[shape], crs=4544)
    return found(folder / "county", Settings(name="甲县", epsg=4544), townships, [], now=NOW)


def gpx_of(places: list[tuple[float, float]], *, start: str = "2026-03-11T02:00:00") -> str:
    """A GPX file of fixes 10 s apart at eastings and northings."""
    first = pd.Timestamp(start)
    points = []
    for number, (easting, northing) in enumerate(places):
        longitude, latitude = TO_DEGREES.transform(easting, northing)
        moment = (first + pd.Timedelta(seconds=10 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
        points.append(f'<trkpt lat="{latitude:.8f}" lon="{longitude:.8f}"><ele>1200</ele><time>{moment}</time></trkpt>')
    body = "".join(points)
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1"><trk><trkseg>{body}</trkseg></trk></gpx>'


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def only(county: County, layer: str, path: Path, hints: Hints = Hints()) -> FileReport:  # noqa: B008 - frozen
    (report,) = import_files(county, layer, [path], hints, now=NOW).files
    return report


def test_fixes_beyond_the_county_are_refused_by_their_own_row_and_cut_the_line(county: County, tmp_path: Path) -> None:
    inside = [(504_000.0 + 10 * step, 2_955_000.0) for step in range(3)]
    away = [(400_000.0, 2_955_000.0), (400_010.0, 2_955_000.0)]
    back = [(504_100.0 + 10 * step, 2_955_000.0) for step in range(3)]
    report = only(county, "tracks", write(tmp_path / "a.gpx", gpx_of(inside + away + back)))
    assert (report.read, report.accepted) == (8, 6)
    assert [(r.row, r.code) for r in report.refused] == [(4, "outside"), (5, "outside")]
    tracks = county.store.read("tracks")
    assert tracks["fixes_n"].tolist() == [6]
    assert shapely.get_num_geometries(tracks.geometry.iloc[0]) == 2
    assert tracks["length_m"].iloc[0] == pytest.approx(40.0, abs=0.1)


def test_a_part_of_a_single_fix_is_counted_once(county: County, tmp_path: Path) -> None:
    """A part of one fix is stored as two equal points; outside the county it must not be refused twice."""
    lone = [(400_000.0, 2_955_000.0), (504_000.0, 2_955_000.0), (300_000.0, 2_955_000.0)]
    report = only(county, "tracks", write(tmp_path / "a.gpx", gpx_of(lone)))
    assert (report.read, report.accepted, len(report.refused)) == (3, 1, 2)
    assert county.store.read("tracks")["fixes_n"].tolist() == [1]


def test_a_recording_keeps_its_id_when_part_of_it_lies_outside(tmp_path: Path) -> None:
    wide, narrow = make_county(tmp_path / "a"), make_county(tmp_path / "b")
    places = [(504_000.0, 2_955_000.0), (504_010.0, 2_955_000.0), (505_500.0, 2_955_000.0)]
    path = write(tmp_path / "a.gpx", gpx_of(places))
    only(wide, "tracks", path)
    raw = RawFixes(
        np.zeros(3, np.int64),
        np.zeros(3, np.int64),
        *TO_DEGREES.transform(*np.array(places).T),
        np.full(3, 1200.0),
        np.array([1.0, 2.0, 3.0]) + 1_773_194_400.0,
    )
    hints = Hints(crs=narrow.crs)
    whole = tracks_of(raw, hints, source="a")
    cut = tracks_of(raw, Hints(crs=narrow.crs, within=(WEST, SOUTH, 505_000.0, NORTH)), source="a")
    assert cut.rows["fixes_n"].tolist() == [2]
    assert cut.rows["track_id"].tolist() == whole.rows["track_id"].tolist()


def test_rows_of_tracks_are_as_the_schema_casts_them(tmp_path: Path) -> None:
    """They are built in their final dtypes for speed; a cast by the schema must change nothing."""
    county = make_county(tmp_path)
    path = write(tmp_path / "a.gpx", gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)]))
    rows = fixes_rows(path, county)
    pd.testing.assert_frame_equal(pd.DataFrame(SCHEMA.conform(rows)), pd.DataFrame(rows))
    assert SCHEMA.refusals(rows) == []
    assert len(fixes_of(rows)) == 5


def fixes_rows(path: Path, county: County) -> gpd.GeoDataFrame:
    from geo import formats

    rows: gpd.GeoDataFrame = formats.read("tracks", path, Hints(crs=county.crs, team_id="T1")).rows
    return rows


def test_no_fix_at_all_makes_an_empty_table_of_the_right_columns() -> None:
    nothing = np.zeros(0)
    raw = RawFixes(nothing.astype(np.int64), nothing.astype(np.int64), nothing, nothing, nothing, nothing)
    content = fixes.tracks_of(raw, Hints(crs=pyproj.CRS.from_epsg(4544)), source="a")
    assert list(content.rows.columns) == [*SCHEMA.names, "geometry"]
    assert (content.read, len(content.rows)) == (0, 0)


def test_importing_twice_adds_nothing_and_says_duplicate_of_every_fix(county: County, tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpx", gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)]))
    only(county, "tracks", path)
    before = county.store.read("tracks")
    again = only(county, "tracks", path)
    assert [(r.row, r.code) for r in again.refused] == [(row, "duplicate") for row in range(1, 6)]
    pd.testing.assert_frame_equal(county.store.read("tracks"), before)


def test_the_same_file_twice_in_one_import_is_taken_once(county: County, tmp_path: Path) -> None:
    text = gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)])
    paths = [write(tmp_path / "a.gpx", text), write(tmp_path / "b.gpx", text)]
    report = import_files(county, "tracks", paths, Hints(), now=NOW).json()
    assert (report["read"], report["accepted"], report["refused_n"]) == (10, 5, 5)


def test_many_files_read_by_several_processes_are_what_one_reads(tmp_path: Path) -> None:
    """Fresh walks, walks given before in the same import and broken files: same reports, rows and order."""
    paths = []
    for number in range(40):
        places = [(504_000.0 + 10 * step, 2_955_000.0 + 30 * (number % 25)) for step in range(4)]
        text = gpx_of(places) if number % 7 else gpx_of(places)[:-90]
        paths.append(write(tmp_path / f"{number:02d}.gpx", text if number % 11 else "no file of fixes"))
    answers: list[tuple[dict[str, Any], pd.DataFrame]] = []

    def bring(folder: Path) -> None:
        county = make_county(folder)
        report = import_files(county, "tracks", paths, Hints(), now=NOW)
        answers.append((report.json(), pd.DataFrame(county.store.read("tracks"))))

    bring(tmp_path / "several")
    alone = Thread(target=bring, args=(tmp_path / "one",))  # no thread but the main one splits the program
    alone.start()
    alone.join()
    (several, rows), (one, same_rows) = answers
    assert several == one
    pd.testing.assert_frame_equal(rows, same_rows)
    assert rows["track_id"].is_unique
    assert {r["code"] for file in several["files"] for r in file["refused"]} == {"duplicate", "file_breaks_off"}


def test_an_interruption_leaves_the_store_as_it_was(county: County, tmp_path: Path) -> None:
    text = gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)])
    paths = [write(tmp_path / name, text) for name in ("a.gpx", "b.gpx")]
    head = county.store.head()

    def ctrl_c(_: str, done: int, __: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files(county, "tracks", paths, Hints(), now=NOW, progress=ctrl_c)
    assert county.store.read("tracks").empty
    assert county.store.head() == head


def test_rows_outside_are_refused_by_their_number_in_the_file(county: County, tmp_path: Path) -> None:
    here, there = TO_DEGREES.transform(505_000, 2_955_000), (116.4, 39.9)
    lines = ["编号,经度,纬度,下发日期", f"P1,{there[0]},{there[1]},2026-03-01", f"P2,{here[0]},{here[1]},2026-03-01"]
    path = write(tmp_path / "targets.csv", "\n".join(lines))
    report = only(county, "parcels", path, Hints(datum="wgs84", township_id="520525001"))
    assert (report.read, report.accepted) == (2, 1)
    assert [(r.row, r.code) for r in report.refused] == [(1, "outside")]


def test_villages_of_another_county_are_refused_and_of_an_unlisted_township_flagged(
    county: County, tmp_path: Path
) -> None:
    """Nothing is lost: what is refused is named by its row, what is taken without a township is said to be."""
    rows = ["520525001201,520525001,甲村", "520524001201,520524001,乙村", "520525099201,520525099,丙村"]
    file = write(tmp_path / "村.csv", "\n".join(["village_id,township_id,name", *rows]))
    (report,) = import_files(county, "villages", [file], Hints(), now=NOW).files
    assert (report.read, report.accepted) == (3, 2)
    assert [(r.row, r.field, r.code, r.details["value"]) for r in report.refused] == [
        (2, "township_id", "village_foreign", "520524001")
    ]
    assert report.warnings == ("villages_unhoused",)
    assert county.store.read("refusals")["code"].tolist() == ["village_foreign"]
    listed = {"unit_id": "520524001", "unit_kind": "township", "name": "乙乡", "source": "made"}
    units = SCHEMAS["units"].conform(pd.DataFrame([listed]))
    county.store.append(Entry("import"), Change("units", units), now=NOW)
    (again,) = import_files(county, "villages", [file], Hints(), now=NOW).files
    assert [refusal.code for refusal in again.refused] == ["duplicate", "duplicate"]


@pytest.mark.parametrize(("layer", "away_m", "accepted"), [
    ("neighbours", 0.0, 1), ("neighbours", 5_000.0, 0), ("townships", 5_000.0, 1), ("townships", 50_000.0, 0),
])  # fmt: skip
def test_a_neighbour_touches_the_county_and_a_township_lies_not_far(
    tmp_path: Path, layer: str, away_m: float, accepted: int
) -> None:
    shape = shapely.box(EAST + away_m, SOUTH, EAST + away_m + 1000, NORTH)
    code = {"neighbours": "520999", "townships": "520525009"}[layer]
    table = gpd.GeoDataFrame({"name": ["乙乡"], "code": [code]}, geometry=[shape], crs=4544)
    table.to_file(tmp_path / "a.geojson")
    assert only(make_county(tmp_path), layer, tmp_path / "a.geojson").accepted == accepted


def test_a_file_with_nothing_for_the_layer_says_so(county: County, tmp_path: Path) -> None:
    path = write(tmp_path / "w.gpx", '<gpx version="1.1"><wpt lat="26.6" lon="105.1"/></gpx>')
    report = only(county, "tracks", path)
    assert (report.read, report.refused) == (0, [])
    assert "waypoints 1" in report.sentences("en")[1]


def test_a_file_that_cannot_be_read_keeps_its_fingerprint(county: County, tmp_path: Path) -> None:
    report = only(county, "tracks", write(tmp_path / "a.xyz", "nothing known"))
    assert report.error is not None
    assert report.error.code == "format_unknown"
    assert len(report.sha256) == 64


@pytest.mark.parametrize("name", ["missing.gpx", "folder", "empty.gpx"])
def test_no_file_a_folder_or_an_empty_file_end_with_a_sentence(county: County, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.gpx").touch()
    report = only(county, "tracks", tmp_path / name)
    assert report.error is not None
    assert report.error.code in WORDS
    assert report.json("en")["accepted"] == 0


@pytest.mark.real
@pytest.mark.parametrize("layer", ["tracks", "leads", "townships", "terrain"])
def test_every_real_file_ends_with_counts_that_add_up(
    real_data: Path, real_files: list[Path], shared_county: County, layer: str
) -> None:
    paths = [real_data / file for file in real_files]
    if layer == "terrain":
        whole = import_terrain(shared_county, paths, [], now=NOW)
    else:
        whole = import_files(shared_county, layer, paths, Hints(datum="wgs84"), now=NOW)
    assert len(whole.files) == len(paths)
    for report in whole.files:
        plain = report.json("en")
        assert plain["read"] == plain["accepted"] + len(plain["refused"]), report.file
        assert plain["accepted"] >= 0, report.file
        assert {refusal["code"] for refusal in plain["refused"]} <= set(WORDS), report.file
        sentences = report.sentences("zh")
        assert (1 if plain["accepted"] else 2) <= len(sentences) < 12, report.file


def test_a_fix_of_the_future_is_refused_and_moves_no_date(county: County, tmp_path: Path) -> None:
    """A phone that lives in another year: every fix told as such, and the county's last record stays what it was."""
    before = county.as_of()
    fixes = "".join(
        f'<trkpt lat="26.7{n}" lon="105.3{n}"><ele>1200</ele><time>2031-04-02T0{n}:00:00Z</time></trkpt>'
        for n in range(5)
    )
    file = tmp_path / "手机.gpx"
    head = '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="x"><trk><trkseg>'
    file.write_text(f"{head}{fixes}</trkseg></trk></gpx>", "utf-8")
    report = import_files(county, "tracks", [file], Hints(), now=NOW).files[0]
    assert (report.read, report.accepted) == (5, 0)
    assert {one.code for one in report.refused} == {"fix_future"}
    assert any("时钟" in line for line in report.sentences("zh"))
    assert county.as_of() == before


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (Hints(team_id="nobody"), "team_unknown"),
        (Hints(township_id="520525999"), "township_unknown"),
        (Hints(timezone="Mars/Base"), "timezone_unknown"),
    ],
)
def test_who_walked_where_and_in_which_zone_are_asked_before_a_file_is_read(
    county: County, tmp_path: Path, told: Hints, code: str
) -> None:
    """A mistyped code would give somebody else's work to nobody; times with a zone do not excuse an unknown one."""
    team = pd.DataFrame([{"team_id": "t1", "township_id": "520525001", "name": "一队", "kind": "专班"}])
    county.store.append(Entry("import", {"layer": "teams"}), Change("teams", SCHEMAS["teams"].conform(team)), now=NOW)
    path = write(tmp_path / "a.gpx", gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)]))
    with pytest.raises(GeoError) as refused:
        import_files(county, "tracks", [path], told, now=NOW)
    assert refused.value.code == code
    assert county.store.count("tracks") == 0
    known = Hints(team_id="t1", township_id="520525001", timezone="Asia/Shanghai")
    assert import_files(county, "tracks", [path], known, now=NOW).accepted == 5


def test_a_folder_leaves_out_the_county_inside_it_and_an_empty_one_is_reported_beside_others(
    county: County, tmp_path: Path
) -> None:
    (tmp_path / "空").mkdir()
    (county.path / "inputs").mkdir()
    file = write(county.path / "inputs" / "a.gpx", gpx_of([(504_000.0, 2_955_000.0), (504_010.0, 2_955_000.0)]))
    other = write(tmp_path / "b.gpx", gpx_of([(504_000.0, 2_955_100.0), (504_010.0, 2_955_100.0)]))
    assert listed([tmp_path], beside=county.path) == [other]
    assert listed([county.path / "inputs"], beside=county.path) == [file]
    report = import_files(county, "tracks", listed([tmp_path / "空", file], beside=county.path), Hints(), now=NOW)
    assert [(one.file, one.read, one.accepted) for one in report.files] == [("空", 0, 0), ("a.gpx", 2, 2)]
    assert report.sentences("en")[1] == "  空: the folder holds no file"
    with pytest.raises(GeoError, match="folder_empty"):
        listed([tmp_path / "空"])


def test_visits_that_name_what_is_not_on_record_are_refused_row_by_row(county: County, tmp_path: Path) -> None:
    """A track that does not exist is no evidence; teams, villages and parcels are asked about once there are any."""
    track = write(tmp_path / "a.gpx", gpx_of([(504_000.0 + 10 * n, 2_955_000.0) for n in range(5)]))
    assert import_files(county, "tracks", [track], Hints(), now=NOW).accepted == 5
    known = str(county.store.read("tracks")["track_id"].iloc[0])
    head = "visit_id,team_id,village_id,parcel_id,visited_at,outcome,evidence,track_id\n"
    rows = [
        "v1,t1,c1,p1,2026-03-11T10:00:00+08:00,未发现,A," + known,
        "v2,t1,,,2026-03-11T10:00:00+08:00,未发现,A,none",
    ]
    first = only(county, "visits", write(tmp_path / "first.csv", head + "\n".join(rows)))
    assert [(one.row, one.field, one.code) for one in first.refused] == [(2, "track_id", "track_unknown")]
    teams = pd.DataFrame([{"team_id": "t1", "township_id": "520525001", "name": "一队", "kind": "专班"}])
    villages = pd.DataFrame([{"village_id": "520525001201", "township_id": "520525001", "name": "甲村", "edge": False}])
    for layer, table in (("teams", teams), ("villages", villages)):
        held = SCHEMAS[layer].conform(table)
        placed = gpd.GeoDataFrame(held, geometry=[None], crs=county.crs) if SCHEMAS[layer].geometry else held
        county.store.append(Entry("import", {"layer": layer}), Change(layer, placed), now=NOW)
    rows = [
        "v3,t1,520525001201,,2026-03-11T10:00:00+08:00,未发现,C,",
        "v4,t2,520525001201,,2026-03-11T10:00:00+08:00,未发现,C,",
        "v5,t1,520525001999,,2026-03-11T10:00:00+08:00,未发现,C,",
    ]
    second = only(county, "visits", write(tmp_path / "second.csv", head + "\n".join(rows)))
    told = [(one.row, one.code, one.details) for one in second.refused]
    assert told == [(2, "team_unknown", {"value": "t2"}), (3, "village_unknown", {"value": "520525001999"})]
    assert (second.read, second.accepted) == (3, 1)


def test_visits_finds_and_lists_of_the_future_are_refused_and_move_no_date(county: County, tmp_path: Path) -> None:
    """One mistyped year would be the day of every figure: 2029 is in no season, and nothing can be planned."""
    before = county.as_of()
    visits = "visit_id,team_id,parcel_id,visited_at,outcome,evidence\nv1,t1,p1,2029-03-11T10:00:00+08:00,未发现,C\n"
    leads = "lead_id,kind,reported_at,longitude,latitude\nl1,举报,2062-03-11T10:00:00+08:00,,\n"
    for layer, text, field in (("visits", visits, "visited_at"), ("leads", leads, "reported_at")):
        report = only(county, layer, write(tmp_path / f"{layer}.csv", text))
        assert [(one.field, one.code) for one in report.refused] == [(field, "moment_future")]
        assert (report.read, report.accepted) == (1, 0)
    assert county.as_of() == before


def test_finds_whose_destruction_contradicts_itself_are_refused_by_the_rule_of_the_form(
    county: County, tmp_path: Path
) -> None:
    """Gone before it was seen, gone and standing, gone at no time: none is evidence that anything was destroyed."""
    head = (
        "find_id,team_id,found_by,found_at,recorded_at,species,plants_n,stage,fraction,method,destroyed_at,verified_at"
    )
    day = "2026-05-01T10:00:00+08:00"
    told = {
        "f1": "5,开花期,1.0,强制铲除,2026-05-02T10:00:00+08:00,",
        "f2": "5,开花期,1.0,强制铲除,2026-04-02T10:00:00+08:00,",
        "f3": "5,开花期,1.0,未铲除,,",
        "f4": "5,开花期,1.0,强制铲除,,",
        "f5": "5,开花期,0,未铲除,,",
        "f6": f"0,开花期,1.0,强制铲除,{day},",
        "f7": "5,开花期,1.0,强制铲除,2027-05-02T10:00:00+08:00,",
        "f8": f"5,开花期,1.0,强制铲除,{day},2026-05-03T10:00:00+08:00",
        "f9": f"5,开花期,1.0,强制铲除,2026-05-03T10:00:00+08:00,{day}",
        "f10": f"5,开花期,0.5,强制铲除,{day},2026-05-03T10:00:00+08:00",
        "f11": f"5,开花期,0,未铲除,,{day}",
    }
    x, y = pyproj.Transformer.from_crs(county.crs, 4326, always_xy=True).transform(504_000.0, 2_955_000.0)
    rows = [f"{key},t1,自查,{day},{day},罂粟,{rest},{x:.7f},{y:.7f}" for key, rest in told.items()]
    path = write(tmp_path / "finds.csv", "\n".join([head + ",longitude,latitude", *rows]))
    report = only(county, "finds", path, Hints(datum="wgs84"))
    assert {one.row: one.code for one in report.refused} == {
        2: "time_backwards", 3: "destruction_unclear", 4: "destruction_unclear", 6: "plants_uncounted",
        7: "moment_future", 9: "time_backwards", 10: "verified_standing", 11: "verified_standing",
    }  # fmt: skip
    assert set(county.store.read("finds")["find_id"]) == {"f1", "f5", "f8"}
    said = "".join(report.sentences("zh"))
    assert "铲除时间 早于 发现时间" in said
    assert "须已全部铲除" in said


def with_plots(county: County, plots: dict[str, tuple[str, str | None]], *, flagged_at: datetime = NOW) -> None:
    """Parcels by id: state and reason."""
    table = gpd.GeoDataFrame(
        [
            {"parcel_id": key, "source": "satellite", "source_id": key, "flagged_at": flagged_at, "status": state}
            | {"reason": reason, "accuracy_m": 10.0}
            for key, (state, reason) in plots.items()
        ],
        geometry=[shapely.Point(504_000.0, 2_955_000.0)] * len(plots),
        crs=county.crs,
    )
    change = Change("parcels", SCHEMAS["parcels"].conform(table))
    county.store.append(Entry("import", {"layer": "parcels"}), change, now=NOW)


def plots_of(county: County) -> dict[str, tuple[str, str | None]]:
    held = county.store.read("parcels")
    reasons = held["reason"].astype(object).where(held["reason"].notna(), None)
    return dict(zip(held["parcel_id"], zip(held["status"], reasons, strict=True), strict=True))


def test_imported_finds_move_the_plots_they_name_as_recorded_ones_do(county: County, tmp_path: Path) -> None:
    """Plants found on a plot make it confirmed, and eradicated once all are gone; a closed one stays closed."""
    with_plots(
        county,
        {"P1": ("flagged", None), "P2": ("dismissed", "草坪"), "P3": ("closed", None), "P4": ("flagged", None)},
    )
    head = "find_id,parcel_id,team_id,found_by,found_at,recorded_at,species,plants_n,stage,fraction,method,destroyed_at"
    day = "2026-05-01T10:00:00+08:00"
    gone = f"1.0,强制铲除,{day}"
    told = [("f1", "P1", gone), ("f2", "P2", gone), ("f3", "P2", "0,未铲除,"), ("f4", "P3", gone)]
    x, y = pyproj.Transformer.from_crs(county.crs, 4326, always_xy=True).transform(504_000.0, 2_955_000.0)
    rows = [f"{key},{plot},t1,自查,{day},{day},罂粟,5,开花期,{end},{x:.7f},{y:.7f}" for key, plot, end in told]
    path = write(tmp_path / "finds.csv", "\n".join([head + ",longitude,latitude", *rows]))
    assert only(county, "finds", path, Hints(datum="wgs84")).accepted == 4
    assert plots_of(county) == {
        "P1": ("eradicated", None), "P2": ("confirmed", None), "P3": ("closed", None), "P4": ("flagged", None),
    }  # fmt: skip
    assert county.store.verify().ok


def test_imported_visits_move_the_plots_they_name_and_no_find_is_undone(county: County, tmp_path: Path) -> None:
    """Who looked is not sent there again; of two dismissals the later one tells the reason, in whatever order."""
    with_plots(
        county,
        {
            "P1": ("flagged", None), "P2": ("assigned", None), "P3": ("flagged", None), "P4": ("confirmed", None),
            "P5": ("dismissed", "滑坡"), "P6": ("closed", None), "P7": ("flagged", None),
        },
    )  # fmt: skip
    head = "visit_id,team_id,parcel_id,visited_at,outcome,reason,evidence"
    told = [
        ("v1", "P1", "02", "未发现", ""),
        ("v2", "P2", "03", "核查排除", "其他作物：油菜"),
        ("v3", "P2", "02", "核查排除", "裸地"),
        ("v4", "P3", "02", "无法到达", ""),
        ("v5", "P4", "02", "核查排除", "裸地"),
        ("v6", "P5", "02", "未发现", ""),
        ("v7", "P6", "02", "未发现", ""),
    ]
    rows = [f"{key},t1,{plot},2026-05-{day}T10:00:00+08:00,{out},{why},B" for key, plot, day, out, why in told]
    assert only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows]))).accepted == 7
    assert plots_of(county) == {
        "P1": ("visited", None), "P2": ("dismissed", "其他作物：油菜"), "P3": ("flagged", None),
        "P4": ("confirmed", None), "P5": ("dismissed", "滑坡"), "P6": ("closed", None), "P7": ("flagged", None),
    }  # fmt: skip
    assert county.store.verify().ok


FINDS_HEAD = (
    "find_id,parcel_id,team_id,found_by,found_at,recorded_at,species,plants_n,stage,"
    "fraction,method,destroyed_at,verified_at,longitude,latitude"
)


def found_on(county: County, *told: tuple[str, str, str, str]) -> str:
    """A list of finds by plot, day of May found, and the days it was destroyed and verified (empty: not)."""
    x, y = TO_DEGREES.transform(504_000.0, 2_955_000.0)

    def at(one: str) -> str:
        return f"2026-05-{one}T10:00:00+08:00" if one else ""

    lines = [FINDS_HEAD]
    for number, (plot, day, gone, seen) in enumerate(told):
        end = f"{1.0 if gone else 0.0},{'强制铲除' if gone else '未铲除'},{at(gone)},{at(seen)}"
        lines.append(f"{plot}-{day}-{number},{plot},t1,自查,{at(day)},{at(day)},罂粟,5,开花期,{end},{x:.7f},{y:.7f}")
    return "\n".join(lines)


def stepped(county: County, plot: str, act: Act, day: int, **more: object) -> None:
    record_step(county.store, plot, act, {"at": datetime(2026, 5, day, 2, tzinfo=UTC)} | more, now=NOW)


def test_a_listed_find_later_than_the_last_look_opens_a_settled_plot_again(county: County, tmp_path: Path) -> None:
    """Plants that grew again had stood on a plot that was told as closed; what the look had seen stays settled."""
    with_plots(county, {"P1": ("flagged", None), "P2": ("flagged", None)}, flagged_at=datetime(2026, 3, 1, tzinfo=UTC))
    gone = found_on(county, ("P1", "01", "02", ""), ("P2", "01", "02", ""))
    assert only(county, "finds", write(tmp_path / "a.csv", gone), Hints(datum="wgs84")).accepted == 2
    for plot in ("P1", "P2"):
        stepped(county, plot, Act.RECHECK, 10, plants_left_n=0)
    later = found_on(county, ("P1", "12", "", ""), ("P2", "03", "04", ""))
    assert only(county, "finds", write(tmp_path / "b.csv", later), Hints(datum="wgs84")).accepted == 2
    assert plots_of(county) == {"P1": ("confirmed", None), "P2": ("rechecked", None)}


def test_listed_finds_that_are_verified_leave_their_plot_as_a_verification_does(county: County, tmp_path: Path) -> None:
    with_plots(county, {"P1": ("flagged", None), "P2": ("flagged", None)})
    told = found_on(county, ("P1", "01", "02", "03"), ("P2", "01", "02", "03"), ("P2", "02", "03", ""))
    assert only(county, "finds", write(tmp_path / "f.csv", told), Hints(datum="wgs84")).accepted == 3
    assert plots_of(county) == {"P1": ("rechecked", None), "P2": ("eradicated", None)}


def test_a_listed_find_verified_while_it_stands_or_before_it_fell_is_refused(county: County, tmp_path: Path) -> None:
    with_plots(county, {"P1": ("flagged", None)})
    told = found_on(county, ("P1", "01", "", "03"), ("P1", "01", "05", "03"), ("P1", "01", "05", "06"))
    report = only(county, "finds", write(tmp_path / "f.csv", told), Hints(datum="wgs84"))
    assert [(one.row, one.field, one.code) for one in report.refused] == [
        (1, "verified_at", "verified_standing"), (2, "verified_at", "time_backwards"),
    ]  # fmt: skip
    assert (report.read, report.accepted) == (3, 1)


def test_a_listed_dismissal_undoes_no_later_step(county: County, tmp_path: Path) -> None:
    """Police had taken the plot over; a list brought in late told it as nothing."""
    day = datetime(2026, 3, 1, tzinfo=UTC)
    with_plots(county, dict.fromkeys(("P1", "P2", "P3", "P4"), ("visited", None)), flagged_at=day)
    stepped(county, "P1", Act.HAND_OVER, 5, station="所", receipt="1")
    stepped(county, "P2", Act.DISMISS, 5, reason="草坪")
    stepped(county, "P3", Act.DISMISS, 5, reason="草坪")
    stepped(county, "P4", Act.GUARD, 5)
    head = "visit_id,team_id,parcel_id,visited_at,outcome,reason,evidence"
    told = [("P1", "04"), ("P2", "04"), ("P3", "06"), ("P4", "06")]
    rows = [f"v{plot},t1,{plot},2026-05-{at}T10:00:00+08:00,核查排除,裸地,B" for plot, at in told]
    assert only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows]))).accepted == 4
    assert plots_of(county) == {
        "P1": ("handed_over", None), "P2": ("dismissed", "草坪"),
        "P3": ("dismissed", "裸地"), "P4": ("dismissed", "裸地"),
    }  # fmt: skip


def test_plots_that_come_after_their_visits_and_finds_come_as_these_left_them(county: County, tmp_path: Path) -> None:
    """Before any plot is on record visits may name any; the list of plots that came then told them as unvisited."""
    head = "visit_id,team_id,parcel_id,visited_at,outcome,reason,evidence"
    told = [("P1", "未发现", ""), ("P2", "核查排除", "裸地"), ("P3", "无法到达", "")]
    rows = [f"v{plot},t1,{plot},2026-05-01T10:00:00+08:00,{out},{why},B" for plot, out, why in told]
    assert only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows]))).accepted == 3
    found = found_on(county, ("P4", "01", "", ""), ("P5", "01", "", ""))
    assert only(county, "finds", write(tmp_path / "f.csv", found), Hints(datum="wgs84")).accepted == 2
    x, y = TO_DEGREES.transform(504_000.0, 2_955_000.0)
    plots = [f"P{n},satellite,{state},2026-03-01,{x:.7f},{y:.7f}" for n, state in enumerate(["疑似"] * 4 + ["办结"], 1)]
    listed = "\n".join(["parcel_id,source,status,flagged_at,longitude,latitude", *plots])
    assert only(county, "parcels", write(tmp_path / "p.csv", listed), Hints(datum="wgs84")).accepted == 5
    assert plots_of(county) == {
        "P1": ("visited", None), "P2": ("dismissed", "裸地"), "P3": ("flagged", None), "P4": ("confirmed", None),
        "P5": ("confirmed", None),  # plants stood on it after it was flagged, as when the plot comes first
    }  # fmt: skip
    assert county.store.verify().ok


def test_lists_that_name_the_same_plots_at_once_all_come_in(county: County, tmp_path: Path) -> None:
    """Who recorded a visit while a list was coming in had made the whole list fail."""
    plots = [f"P{n}" for n in range(30)]
    with_plots(county, dict.fromkeys(plots, ("flagged", None)))
    head = "visit_id,team_id,parcel_id,visited_at,outcome,reason,evidence"

    def listed_by(team: int) -> Path:
        rows = [f"v{team}{p},t{team},{p},2026-05-0{team}T10:00:00+08:00,核查排除,裸地：{team},B" for p in plots]
        return write(tmp_path / f"{team}.csv", "\n".join([head, *rows]))

    def bring(path: Path) -> int:
        with closing(open_county(county.path).store) as store:
            return only(replace(county, store=store), "visits", path).accepted

    with ThreadPoolExecutor(4) as hands:
        assert list(hands.map(bring, [listed_by(team) for team in (1, 2, 3, 4)])) == [30] * 4
    assert set(plots_of(county).values()) == {("dismissed", "裸地：4")}
    assert county.store.verify().ok


def test_a_list_may_say_the_state_of_a_plot_as_the_screen_does(county: County, tmp_path: Path) -> None:
    x, y = TO_DEGREES.transform(504_000.0, 2_955_000.0)
    words = [WORDS[f"ui_status_{one}"][language] for language in (0, 1) for one in Status]
    rows = [f"P{n},satellite,{word},2026-03-01,{x:.7f},{y:.7f}" for n, word in enumerate(words)]
    listed = "\n".join(["parcel_id,source,status,flagged_at,longitude,latitude", *rows])
    assert only(county, "parcels", write(tmp_path / "p.csv", listed), Hints(datum="wgs84")).accepted == len(rows)
    assert [plots_of(county)[f"P{n}"][0] for n in range(len(rows))] == [*Status, *Status]


def test_a_text_where_a_number_belongs_is_named_and_not_called_missing(county: County, tmp_path: Path) -> None:
    with_plots(county, {"P1": ("flagged", None)})
    told = found_on(county, ("P1", "01", "02", ""), ("P1", "02", "", ""), ("P1", "03", "", ""), ("P1", "04", "", ""))
    head, gone, units, half, none = told.split("\n")
    lines = [head, gone.replace(",1.0,", ",100%,"), *(row.replace("罂粟,5,", f"罂粟,{said},") for row, said in (
        (units, "5株"), (half, "2.5"), (none, ""),
    ))]  # fmt: skip
    report = only(county, "finds", write(tmp_path / "f.csv", "\n".join(lines)), Hints(datum="wgs84"))
    assert [(one.field, one.code, one.details.get("value")) for one in report.refused] == [
        ("fraction", "value_number", "100%"), ("plants_n", "value_number", "5株"),
        ("plants_n", "value_number", "2.5"), ("plants_n", "value_missing", None),
    ]  # fmt: skip


def test_a_dismissal_says_why_under_the_name_its_refusal_calls_for(county: County, tmp_path: Path) -> None:
    with_plots(county, {"P1": ("flagged", None)})
    told = "踏查编号,队伍,地块编号,踏查时间,结果,理由,证据\nv1,t1,P1,2026-05-01T10:00:00+08:00,核查排除,裸地,B"
    assert only(county, "visits", write(tmp_path / "v.csv", told)).accepted == 1
    assert plots_of(county) == {"P1": ("dismissed", "裸地")}


def test_a_dismissal_in_a_list_needs_its_plot_and_a_known_reason_as_in_a_form(county: County, tmp_path: Path) -> None:
    with_plots(county, {"P1": ("flagged", None)})
    head = "visit_id,team_id,parcel_id,visited_at,outcome,reason,evidence"
    day = "2026-05-02T10:00:00+08:00"
    told = [
        ("v1", "P1", ""),
        ("v2", "", "草坪"),
        ("v3", "P1", "我说不是"),
        ("v4", "P1", "其他: 看过"),
        ("v5", "P1", "草坪"),
    ]
    rows = [f"{key},t1,{plot},{day},核查排除,{why},C" for key, plot, why in told]
    report = only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows])))
    assert {one.row: one.code for one in report.refused} == {
        1: "reason_missing", 2: "reason_missing", 3: "dismissal_uncoded",
    }  # fmt: skip
    assert report.accepted == 2
    assert "我说不是" in "".join(report.sentences("zh"))


def test_what_an_optional_number_could_not_take_is_said_and_not_dropped_in_silence(
    county: County, tmp_path: Path
) -> None:
    head = "visit_id,team_id,village_id,visited_at,outcome,evidence,persons_n,hours"
    told = ["约5,2", "3,nan", "4,/", "6,两小时", "7,一天"]
    rows = [f"v{n},t1,,2026-05-02T10:00:00+08:00,未发现,C,{rest}" for n, rest in enumerate(told)]
    report = only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows])))
    assert (report.read, report.accepted) == (5, 5)
    said = [(code, told["field"], told["row"], told["n"]) for code, told in report.notes]
    assert said == [("values_emptied", "persons_n", 1, 1), ("values_emptied", "hours", 4, 2)]
    assert "“约5”" in "".join(report.sentences("zh"))


def test_lines_a_stray_quote_has_joined_are_pointed_out(county: County, tmp_path: Path) -> None:
    head = "visit_id,team_id,visited_at,outcome,evidence,reason"
    rows = [f"v{n},t1,2026-05-02T10:00:00+08:00,未发现,C,{why}" for n, why in enumerate(["", '"看过', "", ""])]
    report = only(county, "visits", write(tmp_path / "v.csv", "\n".join([head, *rows])))
    assert report.warnings == ("lines_joined",)
    assert "引号" in "".join(report.sentences("zh"))


def test_a_word_no_column_takes_is_answered_with_those_it_takes(county: County, tmp_path: Path) -> None:
    """Chinese words a list may use, each with its code; a column without codes names its words."""
    x, y = pyproj.Transformer.from_crs(county.crs, 4326, always_xy=True).transform(504_000.0, 2_955_000.0)
    head, place = "parcel_id,source,status,flagged_at,longitude,latitude", f"2026-03-01,{x:.7f},{y:.7f}"
    rows = [f"p1,卫星,怪,{place}", f"p2,怪,疑似,{place}", f"p3,卫星,疑似,{place}"]
    hints = Hints(datum="wgs84", timezone="Asia/Shanghai")
    report = only(county, "parcels", write(tmp_path / "p.csv", "\n".join([head, *rows])), hints)
    assert [(one.row, one.field, one.code) for one in report.refused] == [
        (1, "status", "value_unknown"), (2, "source", "value_unknown"),
    ]  # fmt: skip
    said = "".join(report.sentences("zh"))
    assert "疑似 flagged、" in said
    assert "卫星 satellite、" in said


def test_a_line_break_a_cell_may_hold_is_no_joined_line(county: County, tmp_path: Path) -> None:
    head = 'visit_id,team_id,visited_at,outcome,evidence,"reason\n（可空）"'
    row = 'v1,t1,2026-05-02T10:00:00+08:00,未发现,C,"看过\n两遍"'
    assert only(county, "visits", write(tmp_path / "v.csv", f"{head}\n{row}")).warnings == ()


@pytest.mark.parametrize("lists", [[["f1", "f2"]], [["f1"], ["f2"]], [["f2"], ["f1"]]])
def test_older_finds_leave_a_plot_that_came_closed_closed_however_they_are_split(
    county: County, tmp_path: Path, lists: list[list[str]]
) -> None:
    with_plots(county, {"P1": ("closed", None)})  # flagged at NOW
    days = {"f1": "2026-05-01", "f2": "2026-05-03"}
    head = "find_id,parcel_id,team_id,found_by,found_at,recorded_at,species,plants_n,stage,fraction,method,destroyed_at"
    x, y = pyproj.Transformer.from_crs(county.crs, 4326, always_xy=True).transform(504_000.0, 2_955_000.0)
    for number, keys in enumerate(lists):
        rows = [
            f"{key},P1,t1,自查,{days[key]}T10:00:00+08:00,{days[key]}T10:00:00+08:00,罂粟,5,开花期,1.0,强制铲除,"
            f"{days[key]}T12:00:00+08:00,{x:.7f},{y:.7f}"
            for key in keys
        ]
        path = write(tmp_path / f"{number}.csv", "\n".join([head + ",longitude,latitude", *rows]))
        assert only(county, "finds", path, Hints(datum="wgs84")).accepted == len(keys)
    assert plots_of(county)["P1"] == ("closed", None)
