"""The register as offices keep it: merged heads, names for codes, history; out and in again without loss."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from geo.errors import LayerError
from geo.formats import Hints
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import County, create, found
from geo.workspace.importing import import_files
from geo.workspace.papers import register_paper
from geo.workspace.progress import measure_progress
from geo.workspace.register import responsibility_register
from geo.workspace.register_lists import confirm_alias, import_divisions
from geo.workspace.register_rows import add_unit, assign_post, edit_unit, end_post
from geo.workspace.register_sheets import import_register
from geo.workspace.register_values import span_in

NOW = datetime(2026, 1, 4, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def county(tmp_path: Path) -> County:
    """Two townships side by side with a forest farm in the first, three villages without a place."""
    shapes = [shapely.MultiPolygon([shapely.box(5e5 + 1e4 * n, 2.95e6, 5.1e5 + 1e4 * n, 2.96e6)]) for n in (0, 1)]
    plain = pd.DataFrame(
        {
            "township_id": ["520525001", "520525002"],
            "name": ["凉水乡", "白岩镇"],
            "kind": ["乡", "镇"],
            "source": "made",
            "line_accuracy_m": 30.0,
        }
    )
    townships = gpd.GeoDataFrame(plain, geometry=shapes, crs=4544)
    made = found(tmp_path / "county", Settings(name="甲县", epsg=4544), townships, [], now=NOW)
    villages = tmp_path / "villages.csv"
    rows = ["520525001201,520525001,上河村", "520525001202,520525001,下河村", "520525002201,520525002,上河村"]
    villages.write_text("村代码,乡镇代码,村名\n" + "\n".join(rows) + "\n", encoding="utf-8")
    import_files(made, "villages", [villages], Hints(), now=NOW)
    return made


def office_sheet(path: Path) -> Path:
    """A sheet with a title, a head of two rows, and the township merged down over its villages."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["甲县2026年踏查责任表"])
    page.merge_cells("A1:H1")
    page.append(["乡镇", "村（社区）", "组", "户数", "责任岗位", None, "起始日期", "截止日期"])
    page.append([None, None, None, None, "属地", "包保", None, None])
    page.merge_cells("E2:F2")
    for letter in "ABCDGH":
        page.merge_cells(f"{letter}2:{letter}3")
    page.append(["凉水乡", "上河", None, 210, "村支部书记", "副乡长；驻村干部", date(2026, 1, 1), None])
    page.append([None, "下河村", None, 95, None, None, "2026.1.1", None])
    page.append([None, "下河村", "三组", 30, "三组组长", None, "2026年1月1日", "2026-03-01"])
    page.merge_cells("A4:A6")
    page.append(["白岩镇", "不知村", None, 12, "某岗位", None, "2026-01-01", None])
    page.append(["填表说明：本表由各乡镇报送，盖章有效，每季度更新一次。"])
    book.save(path)
    return path


def test_an_offices_sheet_is_read_with_its_merged_cells_and_names(county: County, tmp_path: Path) -> None:
    report = import_register(county, office_sheet(tmp_path / "责任表.xlsx"), now=NOW)
    assert (report.read, report.accepted) == (4, 3)
    assert [(r.row, r.field, r.code) for r in report.refused] == [(7, "village", "unit_unknown")]
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["520525001201", ["属地", "包保", "households_n"]].tolist() == [
        "村支部书记",
        "副乡长、驻村干部",
        210,
    ]
    assert units.loc["520525001202-三组", ["unit_kind", "parent_id", "township_id"]].tolist() == [
        "group",
        "520525001202",
        "520525001",
    ]
    assert county.store.verify().ok


def test_who_has_nobody_comes_first_and_by_round(county: County, tmp_path: Path) -> None:
    """The group's post ends on 1 March: covered in round 1 only until then, and not at all in rounds 2 and 3."""
    import_register(county, office_sheet(tmp_path / "责任表.xlsx"), now=NOW)
    book = responsibility_register(county, as_of=datetime(2026, 2, 1, tzinfo=UTC))
    assert book.units["nobody"].tolist() == sorted(book.units["nobody"], reverse=True)
    rounds = book.units.set_index("unit_id")["nobody_rounds"]
    assert rounds["520525001202-三组"] == [1, 2, 3]
    assert rounds["520525001201"] == []
    assert book.json()["kinds"]["village"] == {"units_n": 3, "nobody_n": 2}


def test_the_same_sheet_twice_changes_nothing(county: County, tmp_path: Path) -> None:
    path = office_sheet(tmp_path / "责任表.xlsx")
    import_register(county, path, now=NOW)
    head = county.store.head()
    import_register(county, path, now=MARCH)
    assert county.store.head() == head


def test_the_exported_register_reads_back_without_loss(county: County, tmp_path: Path) -> None:
    """Into the same county nothing changes; into a county with only the villages everything comes back."""
    import_register(county, office_sheet(tmp_path / "责任表.xlsx"), now=NOW)
    out = tmp_path / "底数册.xlsx"
    out.write_bytes(register_paper(county, as_of=MARCH))
    assert out.read_bytes() == register_paper(county, as_of=MARCH)
    head = county.store.head()
    report = import_register(county, out, now=MARCH)
    assert (report.refused, county.store.head()) == ([], head)
    english = tmp_path / "register.xlsx"
    english.write_bytes(register_paper(county, as_of=MARCH, language="en"))
    again = import_register(county, english, now=MARCH)
    assert (again.read, again.refused, county.store.head()) == (report.read, [], head)

    other = found(tmp_path / "other", county.settings, county.store.read("townships"), [], now=NOW)
    import_files(other, "villages", [tmp_path / "villages.csv"], Hints(), now=NOW)
    assert import_register(other, out, now=NOW).refused == []
    told = ["duty_id", "unit_id", "post", "holder_id", "duty_kind", "valid_from", "valid_to"]
    one, two = (c.store.read("duties").sort_values("duty_id")[told].reset_index(drop=True) for c in (county, other))
    pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))
    told = ["unit_id", "unit_kind", "parent_id", "name", "households_n"]
    one, two = (c.store.read("units").sort_values("unit_id")[told].reset_index(drop=True) for c in (county, other))
    two = two[two["unit_id"].isin(one["unit_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, two)


def test_what_another_layer_says_already_is_not_said_twice(county: County, tmp_path: Path) -> None:
    """Households of the villages layer come out with the register and change nothing on their way in."""
    villages = county.store.read("villages")
    county.store.append(
        Entry("test"), Change("villages", villages.assign(households_n=77), replace=True, before=villages), now=NOW
    )
    head, out = county.store.head(), tmp_path / "底数册.xlsx"
    out.write_bytes(register_paper(county, as_of=MARCH))
    assert import_register(county, out, now=MARCH).accepted == 5
    assert county.store.head() == head


def test_county_ground_lies_under_the_county_and_a_post_ended_twice_ends_once(county: County) -> None:
    whole = replace(county, settings=replace(county.settings, county_id="520525"))
    number = add_unit(whole, "林场", "县国有林场", "520525", now=NOW)
    units = responsibility_register(whole, as_of=MARCH).units.set_index("unit_id")
    assert units.loc[number, ["unit_kind", "parent_id"]].tolist() == ["林场", "520525"]
    duty, _ = assign_post(whole, number, "林场场长", kind="主管部门", valid_from=MARCH, now=NOW)
    may = datetime(2026, 5, 1, tzinfo=UTC)
    end_post(whole, duty, at=may, now=NOW)
    head = whole.store.head()
    end_post(whole, duty, at=may, now=NOW)
    assert whole.store.head() == head


def test_an_ended_post_keeps_its_past_in_the_ledger(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("单元类别,代码,属地,起始日期,截止日期\n村,520525001201,书记岗,2026-01-01,\n", encoding="utf-8")
    import_register(county, path, now=NOW)
    path.write_text(
        "单元类别,代码,属地,起始日期,截止日期\n村,520525001201,书记岗,2026-01-01,2026-02-01\n", encoding="utf-8"
    )
    import_register(county, path, now=NOW)
    duties = county.store.read("duties")
    assert len(duties) == 1
    assert duties["valid_to"].iloc[0] == pd.Timestamp("2026-02-02", tz="Asia/Shanghai")
    assert [entry.kind for entry in county.store.entries()].count("import") == 4


def test_a_name_two_units_have_is_not_guessed(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("乡镇,村,属地\n,上河村,书记岗\n凉水乡,上河村,书记岗\n", encoding="utf-8")
    report = import_register(county, path, now=NOW)
    assert [(r.row, r.code) for r in report.refused] == [(2, "unit_ambiguous")]


def test_department_ground_makes_a_jurisdiction_edge_with_both_posts(county: County, tmp_path: Path) -> None:
    forest = tmp_path / "grounds.geojson"
    box = shapely.MultiPolygon([shapely.box(503_000, 2_953_000, 506_000, 2_956_000)])
    row = {"ground_id": "G1", "kind": "林场", "name": "东山林场", "source": "made", "line_accuracy_m": 30.0}
    gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[box], crs=4544).to_crs(4326).to_file(forest)
    import_files(county, "grounds", [forest], Hints(), now=NOW)
    posts = tmp_path / "d.csv"
    lines = ["林场,G1,东山林场,,场长,2026-01-01", "乡镇,520525001,凉水乡,乡长,,2026-01-01"]
    posts.write_text("单元类别,代码,名称,属地,主管部门,起始日期\n" + "\n".join(lines) + "\n", encoding="utf-8")
    assert import_register(county, posts, now=NOW).refused == []
    edges = responsibility_register(county, as_of=MARCH).edges
    (edge,) = edges[edges["kind"] == "department"].to_dict("records")
    assert (edge["a_name"], edge["a_posts"], edge["b_name"], edge["b_posts"]) == ("凉水乡", "乡长", "东山林场", "场长")
    assert edge["length_km"] == pytest.approx(12.0, abs=0.05)


@pytest.mark.real
def test_two_real_lists_make_one_register_and_lose_nothing(real_data: Path, tmp_path: Path) -> None:
    """2016: 26 townships and 427 villages; 2023: 29 townships. Five recoded, one reordered, one question, three new."""
    folder = real_data / "boundaries"
    county, _ = create(tmp_path / "ny", [folder / "datav_gcj02_纳雍县.json"], Hints(datum="gcj02"), name="", now=NOW)
    lists = [folder / "adcode2016_520525.csv", folder / "townlist2023_guizhou_level4.csv"]
    (older, newer), changes = import_divisions(county, lists, now=NOW)
    assert (older.read, older.accepted, len(older.refused)) == (427, 427, 0)
    assert (newer.read, newer.accepted, newer.other_kinds) == (29, 29, {"other_counties": 1499 - 29})
    counted = changes["change"].value_counts().to_dict()
    assert counted == {"同一单位": 16, "重编代码": 5, "机构名写法": 3, "新设": 3, "族名次序": 1, "异写": 1}
    book = responsibility_register(county, as_of=MARCH)
    kinds = book.units["unit_kind"].value_counts().to_dict()
    assert (kinds["township"], kinds["village"], kinds["county"]) == (29, 427, 1)
    townships = set(book.units.loc[book.units["unit_kind"] == "township", "unit_id"])
    villages = book.units[book.units["unit_kind"] == "village"]
    assert set(villages["township_id"]) <= townships
    assert (int(villages["placed"].sum()), len(townships - set(villages["township_id"]))) == (3, 3)
    assert {row["alias"] for row in book.json()["to_confirm"]} == {"中岭镇", "宣慰街道", "利园街道", "珙桐街道"}
    asked = book.aliases.set_index("alias").loc["中岭镇"]
    confirm_alias(county, asked["alias_id"], post="县民政局区划岗", now=NOW)
    assert "中岭镇" not in {row["alias"] for row in responsibility_register(county, as_of=MARCH).json()["to_confirm"]}
    assert import_divisions(county, lists, now=NOW)[0][0].accepted == 427
    assert county.store.verify().ok


@pytest.mark.real
def test_an_offices_sheet_may_still_use_the_old_code_and_name(real_data: Path, tmp_path: Path) -> None:
    """水东镇 was 520525118 in 2016 and is 520525111 now; 中岭镇 is written 鬃岭镇."""
    folder = real_data / "boundaries"
    county, _ = create(tmp_path / "ny", [folder / "datav_gcj02_纳雍县.json"], Hints(datum="gcj02"), name="", now=NOW)
    lists = [folder / "adcode2016_520525.csv", folder / "townlist2023_guizhou_level4.csv"]
    import_divisions(county, lists, now=NOW)
    path = tmp_path / "posts.csv"
    rows = ["520525118,,镇长岗,2026-01-01", ",中岭镇,镇长岗,2026-01-01"]
    path.write_text("乡镇代码,乡镇,属地,起始日期\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert import_register(county, path, now=NOW).refused == []
    assert set(county.store.read("duties")["unit_id"]) == {"520525111", "520525101"}


OFFICE = [
    ["甲县2026年禁种铲毒踏查责任底数册"],
    ["填报单位：县禁毒办（盖章）", *[None] * 8, "填报时间：2026年1月5日"],
    ["序号", "乡镇\n（街道）", "村（社区）", "村民组", "户  数", "县领导包片", None, None, "镇领导包村", None,
     "网格员包户", "应踏查面积（亩）", "备注"],
    [None, None, None, None, None, "姓名", "职务", "联系电话", "姓名", "职务", None, None, None],
    [1, "凉水乡人民政府", "上河", None, "198户", "某甲", "副县长", "13800000001", "某乙", "镇人大主席", "1号网格员",
     "约1,520.5亩", ""],
    [2, None, "下河村委会", None, 95, None, None, None, None, None, None, None, None],
    ["合计", None, None, None, 293, *[None] * 8],
    ["备注：1.本表一式三份。2.责任人调整的，3日内报县禁毒办。"],
    ["填表人：某某", None, None, "审核人：某某", None, None, "联系电话：0857-1234567"],
]  # fmt: skip


def office_book(path: Path) -> Path:
    """The usual form: merged heads over names, posts and telephones, a sum and remarks below, no dates."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in OFFICE:
        page.append(row)
    for cells in ("A1:M1", "F3:H3", "I3:J3", "B5:B6", "F5:F6", "G5:G6", "H5:H6", "A8:M8"):
        page.merge_cells(cells)
    for letter in "ABCDEKLM":
        page.merge_cells(f"{letter}3:{letter}4")
    book.save(path)
    return path


def test_the_usual_office_form_is_read_with_posts_and_without_names(county: County, tmp_path: Path) -> None:
    report = import_register(county, office_book(tmp_path / "底数.xlsx"), now=NOW)
    assert (report.read, report.accepted) == (2, 2)
    assert [code for code, _ in report.notes] == [
        "register_undated", "register_persons", "register_unused", "register_no_rows",
    ]  # fmt: skip
    duties = county.store.read("duties").sort_values(["unit_id", "post"])
    assert duties[["unit_id", "post", "tier"]].to_numpy().tolist() == [
        ["520525001201", "1号网格员", "网格员包户"],
        ["520525001201", "副县长", "县领导包片"],
        ["520525001201", "镇人大主席", "镇领导包村"],
        ["520525001202", "副县长", "县领导包片"],
    ]
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["520525001201", "households_n"] == 198
    assert units.loc["520525001201", "due_m2"] == pytest.approx(1520.5 * 2000 / 3, abs=0.01)
    kept = "".join(map(str, county.store.read("duties").to_numpy().ravel()))
    assert not any(told in kept for told in ("某甲", "13800000001"))


def test_tiers_of_sponsors_come_out_and_in_again(county: County, tmp_path: Path) -> None:
    import_register(county, office_book(tmp_path / "底数.xlsx"), now=NOW)
    head, out = county.store.head(), tmp_path / "out.xlsx"
    for language in ("zh", "en"):
        out.write_bytes(register_paper(county, as_of=MARCH, language=language))
        assert import_register(county, out, now=MARCH).refused == []
        assert county.store.head() == head


def test_a_tables_lost_merging_and_the_day_of_a_later_list(county: County, tmp_path: Path) -> None:
    """A text table of a workbook leaves merged cells empty; a list of March says who answers since then."""
    path = tmp_path / "d.csv"
    path.write_text(
        "责任表（截至2026年3月15日）,,\n乡镇,村,属地责任人职务\n凉水乡,上河村,书记岗\n,下河,主任岗\n", encoding="gbk"
    )
    report = import_register(county, path, now=MARCH)
    assert (report.read, report.refused) == (2, [])
    assert [code for code, _ in report.notes] == ["register_undated", "register_filled"]
    duties = county.store.read("duties").set_index("unit_id")
    assert set(duties.index) == {"520525001201", "520525001202"}
    assert set(duties["valid_from"]) == {pd.Timestamp("2026-03-15", tz="Asia/Shanghai")}
    other = import_register(county, path, now=MARCH, since=datetime(2026, 2, 1, tzinfo=UTC))
    assert other.notes[0][1]["day"] == "2026-02-01"


@pytest.mark.parametrize(
    ("first", "last", "begin", "end"),
    [
        ("2026.1.1", "2026-03-01", "2026-01-01", "2026-03-02"),
        ("2026年1月1日起", "长期", "2026-01-01", None),
        ("2026.1.1至2026.12.31", "", "2026-01-01", "2027-01-01"),
        ("20260105", "2026年2月", "2026-01-05", "2026-03-01"),
        ("46023", "2026", "2026-01-01", "2027-01-01"),
        ("2026-01-01 09:30", "2026-03-01 10:00", "2026-01-01 09:30", "2026-03-01 10:00"),
    ],
)
def test_days_as_offices_write_them(first: str, last: str, begin: str, end: str | None) -> None:
    """The last day is one of the span's days: it ends as the next begins."""
    spans = span_in({"valid_from": first, "valid_to": last})
    assert spans == tuple(day and pd.Timestamp(day, tz="Asia/Shanghai") for day in (begin, end))


def test_a_predecessor_and_a_successor_leave_no_day_between_them(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        "代码,属地,起始日期,截止日期\n520525001201,前任岗,2025-06-01,2026-01-31\n520525001201,后任岗,2026-02-01,\n",
        encoding="utf-8",
    )
    import_register(county, path, now=NOW)
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["520525001201", "nobody_rounds"] == []


def test_figures_and_days_that_are_none_are_refused_with_their_field(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        "代码,户数,属地,起始日期,截止日期\n520525001201,若干,书记岗,2026-01-01,\n"
        "520525001202,9,书记岗,二月三十,\n520525002201,9,书记岗,2026-02-30,\n"
        "520525002201,9,书记岗,2026-03-01,2026-01-01\n",
        encoding="utf-8",
    )
    high = tmp_path / "h.csv"
    high.write_text("代码,海拔（米）,属地,起始日期\n520525001201,99999,书记岗,2026-01-01\n", encoding="utf-8")
    assert [(r.row, r.field, r.code) for r in import_register(county, high, now=NOW).refused] == [
        (2, "elevation_m", "record_value_bad")
    ]
    report = import_register(county, path, now=NOW)
    assert [(r.row, r.field, r.code) for r in report.refused] == [
        (2, "households_n", "record_value_bad"),
        (3, "valid_from", "record_value_bad"),
        (4, "valid_from", "record_value_bad"),
        (5, "valid_to", "time_backwards"),
    ]


def test_a_code_must_fit_the_name_beside_it(county: County, tmp_path: Path) -> None:
    """Another year's list gives 上河村's code to a village of another name: refused, not taken for it."""
    path = tmp_path / "d.csv"
    path.write_text("村代码,村,属地\n520525001201,石头寨村,甲岗\n520525001201.0,上河村委会,乙岗\n", encoding="utf-8")
    report = import_register(county, path, now=NOW)
    assert [(r.row, r.code) for r in report.refused] == [(2, "unit_code_name")]
    assert county.store.read("duties")["post"].tolist() == ["乙岗"]


def test_a_village_the_register_moves_is_counted_where_it_went(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("单元类别,代码,名称,上级代码\n村,520525001201,上河村,520525002\n", encoding="utf-8")
    assert import_register(county, path, now=NOW).refused == []
    held = county.store.read("villages").set_index("village_id")["township_id"]
    assert held["520525001201"] == "520525002"
    table = measure_progress(county, as_of=MARCH).townships
    assert table[table["round"] == 1].set_index("township_id")["villages_n"].to_dict() == {
        "520525001": 1, "520525002": 2,
    }  # fmt: skip


def test_new_units_need_one_above_them(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text(
        "单元类别,代码,名称,上级代码\n村,520525001250,新村,\n村,999999999250,远村,\n组,G1,一组,520525001250\n"
        "组,G2,二组,没有\n",
        encoding="utf-8",
    )
    report = import_register(county, path, now=NOW)
    assert [(r.row, r.code) for r in report.refused] == [(3, "unit_parent_missing"), (5, "unit_unknown")]
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["G1", "township_id"] == units.loc["520525001250", "township_id"] == "520525001"


def test_department_grounds_are_those_that_are_drawn(county: County, tmp_path: Path) -> None:
    """A forest farm of the map is found by its name; one that is on no map is a new unit of its township."""
    farm = gpd.GeoDataFrame(
        {"ground_id": ["L1"], "kind": "林场", "name": "大坪林场", "source": "made", "line_accuracy_m": 30.0},
        geometry=[shapely.MultiPolygon([shapely.box(5.02e5, 2.952e6, 5.05e5, 2.955e6)])],
        crs=4544,
    )  # fmt: skip
    county.store.append(Entry("test"), Change("grounds", farm), now=NOW)
    path = tmp_path / "d.csv"
    path.write_text(
        "地块类别,地块名称,所在乡镇,主管部门责任人职务,督导单位\n国有林场,国有大坪林场,凉水乡,林业局副局长,县林业局\n"
        ",吊水岩水库,白岩镇,水库所长,县水务局\n",
        encoding="utf-8",
    )
    report = import_register(county, path, now=NOW)
    assert (report.read, report.refused) == (2, [])
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["L1", ["主管部门", "成员单位督导"]].tolist() == ["林业局副局长", "县林业局"]
    assert units.loc["520525002-吊水岩水库", "unit_kind"] == "库区"
    edges = responsibility_register(county, as_of=MARCH).edges
    assert "林业局副局长、县林业局" in set(edges["b_posts"]) | set(edges["a_posts"])


def test_a_unit_is_edited_and_added_by_hand(county: County) -> None:
    """Edits are entries of their own; the same again changes nothing; what cannot be held is refused."""
    assert edit_unit(county, "520525001201", {"households_n": 55, "key_area": True}, now=NOW)
    assert not edit_unit(county, "520525001201", {"households_n": 55}, now=NOW)
    number = add_unit(county, "group", "一组", "520525001201", now=NOW)
    units = responsibility_register(county, as_of=MARCH).units.set_index("unit_id")
    assert units.loc["520525001201", ["name", "households_n", "key_area"]].tolist() == ["上河村", 55, True]
    assert units.loc[number, ["parent_id", "township_id"]].tolist() == ["520525001201", "520525001"]
    for wrong, call in {
        "unit_unknown": lambda: edit_unit(county, "没有", {"name": "甲"}, now=NOW),
        "record_field_unknown": lambda: edit_unit(county, "520525001201", {"colour": 1}, now=NOW),
        "record_value_low": lambda: edit_unit(county, "520525001201", {"households_n": -1}, now=NOW),
        "record_value_bad": lambda: edit_unit(county, "520525001201", {"due_m2": float("nan")}, now=NOW),
        "record_value_high": lambda: edit_unit(county, "520525001201", {"elevation_m": 99_999.0}, now=NOW),
        "unit_exists": lambda: add_unit(county, "group", "一组", "520525001201", now=NOW),
        "unit_parent_wrong": lambda: add_unit(county, "group", "二组", "520525001", now=NOW),
    }.items():
        with pytest.raises(LayerError) as caught:
            call()
        assert caught.value.code == wrong
    assert county.store.verify().ok


def test_the_registers_upper_level_form_has_its_own_columns(county: County, tmp_path: Path) -> None:
    """One more sheet with the heads of the configuration; a field that does not exist is named; nothing changes in."""
    import_register(county, office_book(tmp_path / "底数.xlsx"), now=NOW)
    heads = ("单位名称=name", "包片县领导=县领导包片", "备注")
    own = replace(county.settings.campaign, columns={"register": heads})
    mapped = replace(county, settings=replace(county.settings, campaign=own))
    out = tmp_path / "out.xlsx"
    out.write_bytes(register_paper(mapped, as_of=MARCH))
    rows = list(openpyxl.load_workbook(out)["上级表式"].iter_rows(min_row=3, values_only=True))
    assert rows[0][:3] == ("单位名称", "包片县领导", "备注")
    assert ("上河村", "副县长", None) in {row[:3] for row in rows}
    head = county.store.head()
    import_register(county, out, now=MARCH)
    assert county.store.head() == head
    wrong = replace(own, columns={"register": ("单位=nmae",)})
    with pytest.raises(LayerError) as caught:
        register_paper(replace(county, settings=replace(county.settings, campaign=wrong)), as_of=MARCH)
    assert caught.value.code == "mapping_unknown"


@pytest.mark.parametrize("head", ["代码,名称,海拔", "村代码,村名,海拔"])
def test_a_list_of_codes_and_heights_alone_is_a_register_too(county: County, tmp_path: Path, head: str) -> None:
    sheet = tmp_path / "heights.csv"
    rows = ["520525001201,上河村,1250", "520525001202,下河村,不详", "520525009999,某村,1300"]
    sheet.write_text("\n".join([head, *rows]), encoding="utf-8")
    report = import_register(county, sheet, now=NOW)
    assert (report.read, report.accepted, [one.row for one in report.refused]) == (3, 1, [3, 4])
    units = county.store.read("units").set_index("unit_id")
    assert units.loc["520525001201", "elevation_m"] == 1250


def test_a_telephone_in_a_post_is_refused_and_not_echoed(county: County, tmp_path: Path) -> None:
    """Nothing of the row is kept; posts are required, persons are not."""
    file = tmp_path / "表.csv"
    file.write_text(
        "类别,代码,名称,上级代码,属地,起始日期\n村,520525001999,新村,520525001,书记13800138000,2026-01-01\n", "utf-8"
    )
    report = import_register(county, file, now=NOW)
    assert (report.read, [refusal.code for refusal in report.refused]) == (1, ["post_personal"])
    assert "138" not in " ".join(report.sentences("zh"))
    assert "520525001999" not in set(responsibility_register(county).units["unit_id"])
