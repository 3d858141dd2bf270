"""The register as offices keep it: merged heads, names for codes, history; out and in again without loss."""

from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from geo.formats import Hints
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.workspace.county import County, create, found
from geo.workspace.importing import import_files
from geo.workspace.papers import register_paper
from geo.workspace.register import responsibility_register
from geo.workspace.register_lists import confirm_alias, import_divisions
from geo.workspace.register_sheets import import_register

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
    assert duties["valid_to"].iloc[0] == pd.Timestamp("2026-02-01", tz="Asia/Shanghai")
    assert [entry.kind for entry in county.store.entries()].count("import") == 4


def test_a_post_without_a_first_day_is_refused_with_its_row(county: County, tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("乡镇,村,属地\n凉水乡,上河村,书记岗\n,上河村,书记岗\n", encoding="utf-8")
    report = import_register(county, path, now=NOW)
    assert [(r.row, r.code) for r in report.refused] == [(2, "post_undated"), (3, "unit_ambiguous")]


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
