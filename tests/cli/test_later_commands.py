"""`flag`, `plan`, `export`, `record`, `ledger` and `report` as a user types them."""

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
import rasterio
from lxml import etree
from typed import Tacha, answer

from geo.workspace.county import open_county

TEAM, TOWNSHIP, PARCEL = "529901001-T01", "529901001", "DEMO-2026-0004"
DATES = "2026-02-10,2026-03-25"


@pytest.fixture
def scenes(demo_copy: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two NDVI images: noise, then the same with a plot in each of four townships and one outside them all."""
    county = open_county(demo_copy)
    frame, rng = county.frame, np.random.default_rng(3)
    before = rng.normal(0.3, 0.02, frame.shape).astype(np.float32)
    flower = before + rng.normal(0.0, 0.01, frame.shape).astype(np.float32)
    for shape in county.store.read("townships").geometry.iloc[:4]:
        point = shape.representative_point()
        row, col = (int(n) for n in frame.cells(point.x, point.y))
        flower[row : row + 3, col : col + 4] = 0.7
    flower[5:8, 5:8] = 0.7
    for name, values in (("before.tif", before), ("flower.tif", flower)):
        place = {"crs": frame.crs.to_wkt(), "transform": frame.transform, "height": frame.rows, "width": frame.cols}
        with rasterio.open(tmp_path / name, "w", driver="GTiff", count=1, dtype="float32", **place) as target:
            target.write(values, 1)
    return tmp_path / "before.tif", tmp_path / "flower.tif"


def test_flagging_keeps_each_plot_once_with_its_township_and_reason(
    tacha: Tacha, scenes: tuple[Path, Path], demo_copy: Path
) -> None:
    first = answer(tacha("flag", *scenes, "--dates", DATES, "--json", "--as-of", "2026-03-26"))
    assert (first["candidates_n"], first["added_n"], first["known_n"], first["outside_n"]) == (5, 4, 0, 1)
    assert first["accuracy"] is None
    kept = (
        open_county(demo_copy)
        .store.read("parcels")
        .set_index("parcel_id")
        .loc[[p["parcel_id"] for p in first["parcels"]]]
    )
    assert set(kept["status"]) == {"flagged"}
    assert set(kept["source"]) == {"satellite"}
    assert sorted(kept["township_id"]) == [f"52990100{n}" for n in (1, 2, 3, 4)]
    assert set(kept["source_id"]) == {"flower.tif"}
    assert (kept["accuracy_m"] == 10.0).all()
    assert set(kept.geometry.area) == {1200.0}
    again = answer(tacha("flag", *scenes, "--dates", DATES, "--json", "--as-of", "2026-03-26"))
    assert (again["added_n"], again["known_n"]) == (0, 4)
    assert again["ledger_head"] == first["ledger_head"]


def test_flagging_says_its_reasons_and_claims_nothing(tacha: Tacha, scenes: tuple[Path, Path]) -> None:
    _, chinese, _ = tacha("flag", *scenes, "--dates", DATES)
    assert "新增疑似地块 4" in chinese
    assert "不是概率" in chinese
    _, english, _ = tacha("flag", *scenes, "--dates", DATES, "--lang", "en")
    assert "4 known already" in english
    assert "nothing is claimed" in english


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--dates", "2026-02-10"], 2, "--dates"),
        (["--dates", "2026-02-10,x"], 2, "YYYY-MM-DD"),
        (["--dates", "2026-02-10,2026-02-20"], 1, "one in flower"),
        (["--dates", DATES, "--bands", "3,4"], 1, "no band 3"),
        (["--dates", DATES, "--bands", "0"], 2, "--bands"),
    ],
)
def test_a_wrong_flag_command_is_told_why(
    tacha: Tacha, scenes: tuple[Path, Path], words: list[str], code: int, said: str
) -> None:
    left, _, complaint = tacha("flag", *scenes, *words, "--lang", "en")
    assert left == code
    assert said in complaint
    assert "Traceback" not in complaint


def test_a_plan_keeps_to_its_hours_and_its_files_hold_the_same_stops(
    tacha: Tacha, tmp_path: Path, demo_copy: Path
) -> None:
    made = answer(tacha("plan", "--day", "2026-05-21", "--township", TOWNSHIP, "--json"))
    assert made["day"] == "2026-05-21"
    assert made["routes"]
    assert all(hours <= made["budget_h"] + 1e-9 for hours in made["hours_used"].values())
    assert 0.0 < made["expected"] <= made["bound"]
    for form, count in (("gpx", 2 * len(made["routes"])), ("kml", 1)):
        files = answer(tacha("export", "routes", "--format", form, "--out", tmp_path / form, "--json"))["files"]
        assert len(files) == count
    route = made["routes"][0]["route_id"]
    stops = [stop for stop in made["stops"] if stop["route_id"] == route]
    handheld = etree.parse(tmp_path / "gpx" / f"{route}-route.gpx")
    names = [name.text for name in handheld.iterfind(".//{*}rtept/{*}name")]
    assert [name for name in names if not name.startswith("R")] == [stop["name"] for stop in stops]
    assert (names[0], names[-1]) == (stops[0]["name"], stops[-1]["name"])


def test_a_plan_of_few_teams_says_whom_it_leaves_in(tacha: Tacha) -> None:
    """Two townships and one team: the other township's due plots are named, and an empty area is no area."""
    asked = ("plan", "--day", "2026-05-21", "--township", TOWNSHIP, "--township", "529901002", "--hours", "1")
    made = answer(tacha(*asked, "--teams", "1", "--json"))
    assert len(made["hours_used"]) == 1
    assert "stays_in" in {one["reason"] for one in made["unmet"]}
    left, _, complaint = tacha(*asked, "--area", "")
    assert left == 1
    assert "Traceback" not in complaint


@pytest.mark.real
def test_a_day_that_has_routes_keeps_them_and_another_is_planned(tacha: Tacha) -> None:
    """`--if-missing` asks for the days wanted, not for any day there ever was a plan for."""
    asked = ("plan", "--township", TOWNSHIP, "--if-missing", "--json")
    made = answer(tacha(*asked, "--day", "2026-05-21"))
    assert answer(tacha(*asked, "--day", "2026-05-21"))["kept"] == [one["route_id"] for one in made["routes"]]
    assert answer(tacha(*asked, "--day", "2026-05-22"))["day"] == "2026-05-22"


def test_exported_plans_keep_to_the_official_gpx_schema(tacha: Tacha, tmp_path: Path, real_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(real_data / "tracks" / "gpx11.xsd"))
    answer(tacha("plan", "--township", TOWNSHIP, "--json"))
    answer(tacha("export", "routes", "--out", tmp_path, "--json"))
    files = sorted(tmp_path.glob("*.gpx"))
    assert files
    for file in files:
        schema.assertValid(etree.parse(file))


def test_reasons_for_what_the_plan_leaves_out_are_sentences(tacha: Tacha) -> None:
    short = ("plan", "--day", "2026-05-21", "--township", "529901002", "--hours", "0.3")
    _, chinese, _ = tacha(*short)
    assert "工时不够" in chinese
    _, english, _ = tacha(*short, "--lang", "en")
    assert "not enough hours" in english
    assert "unmet_" not in chinese + english


def test_a_find_recorded_standing_is_destroyed_and_verified_step_by_step(tacha: Tacha, demo_copy: Path) -> None:
    """It breaks the year's fact at once and empties p_zero until verified; at one moment, detection stays."""
    moment = ("--as-of", "2026-05-23")  # an hour later every alert is an hour older, so weights move without any find
    before = answer(tacha("coverage", "--json", *moment))
    visit = answer(tacha(*visit_words(), "--json"))
    assert (visit["new"], visit["parcel_status"]) == (True, "visited")
    find = answer(tacha(*find_words(demo_copy), "--json"))
    assert (find["parcel_status"], find["clearance"]) == ("confirmed", "未铲除")
    standing = answer(tacha("coverage", "--json"))
    assert of(standing)["p_zero"] == 0.0
    assert of(standing)["reasons"]["p_zero"] == "find_open"
    assert (of(standing)["finds_n"], standing["county"]["zero_planting"]) == (1, False)
    part = answer(tacha("record", "destruction", find["id"], "--at", "2026-05-21T15:00", "--fraction", 0.5, "--json"))
    assert part["clearance"] == "未铲净"
    code, _, complaint = tacha("record", "verification", find["id"])
    assert (code, complaint.count("\n")) == (1, 1)
    assert "尚未铲净" in complaint
    whole = answer(tacha("record", "destruction", find["id"], "--at", "2026-05-21T16:00", "--json"))
    assert (whole["clearance"], whole["parcel_status"]) == ("已铲净", "eradicated")
    done = answer(tacha("record", "verification", find["id"], "--at", "2026-05-22T10:00", "--json"))
    assert done["new"]
    after = answer(tacha("coverage", "--json", *moment))
    assert of(after)["p_zero"] > 0.0
    assert "p_zero" not in of(after)["reasons"]
    assert (after["county"]["zero_planting"], after["county"]["finds_standing_n"]) == (False, 0)
    assert of(after)["detection"] == of(before)["detection"]
    yesterday = answer(tacha("coverage", "--json", "--as-of", "2026-05-21"))
    assert of(yesterday)["p_zero"] == 0.0


def test_plants_a_visit_tells_of_leave_the_years_facts_undecided(tacha: Tacha, demo_copy: Path) -> None:
    """Nobody's plants are no zero planting: in the county and in the township the visit was made in."""
    held = answer(tacha("coverage", "--json"))
    assert (held["county"]["zero_planting"], of(held)["zero_planting"]) == (True, True)
    assert answer(tacha(*visit_words(), "--outcome", "发现", "--json"))["new"]
    after = answer(tacha("coverage", "--json"))
    assert (after["county"]["claimed_n"], after["county"]["zero_yield_reason"]) == (1, "find_unrecorded")
    for facts in (after["county"], of(after)):
        assert (facts["zero_planting"], facts["zero_yield"]) == (None, None)
    others = {one["zero_planting"] for one in after["townships"] if one["township_id"] != of(after)["township_id"]}
    assert others == {True}


def test_each_class_of_evidence_is_recorded_as_what_it_is(tacha: Tacha, demo_copy: Path) -> None:
    track = open_county(demo_copy).store.read("tracks")["track_id"].iloc[0]
    before = of(answer(tacha("coverage", "--json")))["effort"]
    for letter, more in (("A", ["--track", track]), ("B", []), ("C", [])):
        words = ["record", "visit", "--team", TEAM, "--at", "2026-05-20T09:00", "--parcel", PARCEL, "--hours", 2]
        assert answer(tacha(*words, "--evidence", letter, *more, "--json"))["new"]
    after = of(answer(tacha("coverage", "--json")))["effort"]
    assert after["A"] == before["A"]
    assert after["B"]["records_n"] == before["B"]["records_n"] + 1
    assert after["C"]["hours"] == pytest.approx(before["C"]["hours"] + 2.0)
    words = ["record", "visit", "--team", TEAM, "--at", "2026-05-20T10:00", "--parcel", PARCEL, "--hours", 3]
    assert answer(tacha(*words, "--outcome", "无法到达", "--reason", "道路中断", "--evidence", "B", "--json"))["new"]
    assert of(answer(tacha("coverage", "--json")))["effort"] == after, "who never got there has not looked"


@pytest.mark.parametrize(
    ("words", "chinese", "english"),
    [
        (["visit", "--team", TEAM, "--at", "2026-05-20T10:00"], "请说明踏查的是哪个", "say which parcel"),
        (["visit", "--team", "x", "--at", "2026-05-20T10:00", "--parcel", PARCEL], "没有队伍 x", "no team x"),
        (
            ["visit", "--team", TEAM, "--at", "2026-05-20T10:00", "--parcel", PARCEL, "--evidence", "A"],
            "A 类证据须有轨迹编号",
            "needs a track",
        ),
        (
            [
                "find",
                "--team",
                TEAM,
                "--at",
                "2026-05-20T10:00",
                "--lon",
                5.3,
                "--lat",
                26.7,
                "--plants",
                3,
                "--stage",
                "开花期",
            ],
            "县",
            "county",
        ),
        (["verification", "nix"], "没有发现记录 nix", "no find nix"),
        (["verification", "F\udcff"], "无效", "not a valid value"),
    ],
)
def test_a_wrong_record_is_refused_in_one_sentence(
    tacha: Tacha, words: list[object], chinese: str, english: str
) -> None:
    for language, said in (("zh", chinese), ("en", english)):
        code, out, complaint = tacha("record", *words, "--lang", language)
        assert (code, out, complaint.count("\n")) == (1, "", 1)
        assert said in complaint


def test_a_file_for_a_folder_that_is_not_there_is_refused_in_one_sentence(tacha: Tacha, tmp_path: Path) -> None:
    code, out, complaint = tacha("ledger", "proof", "DEMO-2026-0001", "--out", tmp_path / "nowhere" / "proof.json")
    assert (code, out, complaint.count("\n")) == (1, "", 1)
    assert "nowhere 不存在" in complaint


def test_recording_the_same_twice_adds_nothing_and_says_so(tacha: Tacha) -> None:
    tacha(*visit_words())
    head = answer(tacha("ledger", "head", "--json"))
    code, out, _ = tacha(*visit_words())
    assert code == 0
    assert "未重复添加" in out
    assert answer(tacha("ledger", "head", "--json")) == head


def test_the_ledger_names_the_row_somebody_changed_behind_it(tacha: Tacha, demo_copy: Path) -> None:
    find = answer(tacha(*find_words(demo_copy), "--json"))
    good = answer(tacha("ledger", "verify", "--json"))
    assert (good["ok"], good["first_problem"]) == (True, None)
    with sqlite3.connect(demo_copy / "county.gpkg") as db:
        db.execute("UPDATE finds SET plants_n = 1")
    db.close()
    code, out, _ = tacha("ledger", "verify", "--json", "--lang", "en")
    assert code == 1
    assert find["id"] in json.loads(out)["first_problem"]
    assert "不一致" in tacha("ledger", "verify")[1]


def test_the_workbook_says_what_the_json_says(tacha: Tacha, tmp_path: Path) -> None:
    figures = answer(tacha("coverage", "--json"))
    answer(tacha("report", "--out", tmp_path / "t.xlsx", "--json"))
    sheet = openpyxl.load_workbook(io.BytesIO((tmp_path / "t.xlsx").read_bytes())).worksheets[0]
    rows = list(sheet.iter_rows(min_row=5, values_only=True))
    place = {head: n for n, head in enumerate(rows[0])}
    columns = {
        "发现把握度": "detection",
        "当前无在地毒株把握度": "p_zero",
        "盲区率（本系统定义）": "blind",
        "面积 km²": "area_km2",
    }
    for row, township in zip(rows[1:], figures["townships"], strict=False):
        assert row[0] == township["township_id"]
        assert {name: row[place[head]] for head, name in columns.items()} == {n: township[n] for n in columns.values()}
    assert figures["ledger_head"] in str(rows[len(figures["townships"]) + 2][0])


def visit_words() -> list[object]:
    return ["record", "visit", "--team", TEAM, "--at", "2026-05-21T10:00", "--evidence", "B", "--parcel", PARCEL]


def find_words(demo: Path) -> list[object]:
    """A find in the middle of the parcel."""
    parcels = open_county(demo).store.read("parcels")
    middle = parcels[parcels["parcel_id"] == PARCEL].centroid.to_crs(4326).iloc[0]
    place = ["--lon", round(middle.x, 6), "--lat", round(middle.y, 6), "--plants", 12, "--stage", "开花期"]
    return ["record", "find", "--team", TEAM, "--at", "2026-05-21T11:00", "--parcel", PARCEL, *place]


def of(plain: Any) -> Any:
    """The figures of the township under test."""
    return next(row for row in plain["townships"] if row["township_id"] == TOWNSHIP)
