"""The responsibility register: villages need no place, nobody's ground comes first, officials' own sheets are read."""

from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely

from geo.formats import Hints
from geo.settings import Settings
from geo.workspace.county import County, create, found, open_county
from geo.workspace.importing import import_files
from geo.workspace.ordering import dailies_at
from geo.workspace.register import responsibility_register
from geo.workspace.rights import Actor, Role

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def county(tmp_path: Path) -> County:
    """One township, two villages without a place."""
    shape = shapely.MultiPolygon([shapely.box(500_000, 2_950_000, 510_000, 2_960_000)])
    row = {"township_id": "520525001", "name": "甲乡", "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
    townships = gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[shape], crs=4544)
    made = found(tmp_path / "county", Settings(name="甲县", epsg=4544), townships, [], now=NOW)
    villages = tmp_path / "villages.csv"
    villages.write_text(
        "村代码,乡镇代码,村名\n520525001201,520525001,上村\n520525001202,520525999,下村\n", encoding="utf-8"
    )
    import_files(made, "villages", [villages], Hints(), now=NOW)
    return made


def sheet(path: Path, *rows: list[object]) -> Path:
    """A duties table as an office keeps it."""
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["编号", "单位类型", "单位代码", "责任岗位", "责任类型", "起始日期", "截止日期"])
    for row in rows:
        page.append(row)
    book.save(path)
    return path


def test_an_offices_sheet_of_duties_is_read_as_it_stands(county: County, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "责任表.xlsx",
        ["D1", "行政村", 520525001201, "包村组长", "包保责任", date(2026, 1, 1), None],
        ["D2", "乡镇", "520525001", "乡禁毒办主任", "属地", "2026年1月1日", "2026-12-31"],
        ["D3", "村", "520525001202", "护林员岗", "随便", "2025/11/1", None],
    )
    (report,) = import_files(county, "duties", [path], Hints(), now=NOW).files
    assert (report.read, report.accepted) == (3, 2)
    assert [(r.row, r.field, r.code) for r in report.refused] == [(3, "duty_kind", "value_unknown")]
    begins = county.store.read("duties").set_index("duty_id")["valid_from"]
    assert begins["D1"] == pd.Timestamp("2026-01-01", tz="Asia/Shanghai")


def test_a_village_nobody_answers_for_comes_first(county: County, tmp_path: Path) -> None:
    path = sheet(
        tmp_path / "d.xlsx",
        ["D1", "村", "520525001201", "包村组长", "包保", date(2026, 1, 1), date(2026, 5, 1)],
        ["D2", "乡镇", "520525001", "乡禁毒办主任", "属地", date(2026, 1, 1), None],
    )
    import_files(county, "duties", [path], Hints(), now=NOW)
    march = responsibility_register(county, as_of=MARCH)
    assert march.units["unit_id"].tolist() == ["520525001202", "520525001", "520525001201"]
    assert march.units["posts"].tolist()[1:] == ["乡禁毒办主任", "包村组长"]
    june = responsibility_register(county, as_of=NOW)
    assert june.json()["nobody_n"] == 2
    assert june.json()["placed_n"] == 0


@pytest.mark.real
def test_the_villages_of_a_real_county_become_a_complete_register(real_data: Path, tmp_path: Path) -> None:
    folder = real_data / "boundaries"
    county, _ = create(tmp_path / "ny", [folder / "datav_gcj02_纳雍县.json"], Hints(datum="gcj02"), name="", now=NOW)
    report = import_files(county, "villages", [folder / "adcode2016_520525.csv"], Hints(datum="gcj02"), now=NOW)
    assert (report.files[0].read, report.accepted) == (427, 427)
    register = responsibility_register(county, as_of=MARCH).json()
    assert (register["villages_n"], register["placed_n"], register["nobody_n"]) == (427, 3, 428)


def test_a_township_is_told_of_its_own_units_and_not_that_others_are_nobodys(tmp_path: Path) -> None:
    boxes = [shapely.MultiPolygon([shapely.box(x, 2_950_000, x + 5_000, 2_960_000)]) for x in (500_000, 505_000)]
    rows = [
        {"township_id": f"52052500{n}", "name": name, "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
        for n, name in ((1, "甲乡"), (2, "乙乡"))
    ]
    townships = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=boxes, crs=4544)
    made = found(tmp_path / "county", Settings(name="甲县", epsg=4544), townships, [], now=NOW)
    path = sheet(tmp_path / "责任表.xlsx", *(
        [f"D{n}", "乡镇", f"52052500{n}", f"{name}禁毒办主任", "属地", date(2026, 1, 1), None]
        for n, name in ((1, "甲乡"), (2, "乙乡"))
    ))  # fmt: skip
    import_files(made, "duties", [path], Hints(), now=NOW)
    for role in (Role.TOWNSHIP, Role.MEMBER):
        seen = open_county(made.path, Actor(role, ("520525001",)))
        book = responsibility_register(seen, as_of=MARCH)
        assert book.units["unit_id"].tolist() == ["520525001"]
        assert not book.units["nobody"].any()
    shared = book.edges[book.edges["b_id"] == "520525002"].iloc[0]
    assert (shared["a_posts"], shared["b_posts"]) == ("甲乡禁毒办主任", "乙乡禁毒办主任")
    known = dailies_at(seen, MARCH)
    assert known["today_missing"] == ["520525001"]
    assert 2 * known["due_n"] == dailies_at(made, MARCH)["due_n"]
