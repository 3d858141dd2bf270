"""Tables as offices make them: a title over the header, an empty first sheet, shapes as text."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from geo.errors import FormatError
from geo.formats import Hints, read
from geo.formats.reading import Reading
from geo.words import explain

HEADER, ROW = ["编号", "经度", "纬度"], ["P1", 105.05, 26.65]


def parcels(file: Path) -> Reading:
    return read("parcels", file, Hints(datum="wgs84", date=date(2026, 3, 1)))


def book(folder: Path, *sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.worksheets[0])
    for number, rows in enumerate(sheets):
        sheet = made.create_sheet(f"表{number}")
        for row in rows:
            sheet.append(row)
        if len(rows) > 2:
            sheet.merge_cells("A1:C1")
    made.save(folder / "靶标 清单.xlsx")
    return folder / "靶标 清单.xlsx"


@pytest.mark.parametrize(
    "sheets",
    [
        [[HEADER, ROW]],
        [[["疑似地块清单"], HEADER, ROW]],
        [[["疑似地块清单"], ["填报单位：县禁毒办"], HEADER, ROW]],
        [[], [["清单"], HEADER, ROW]],
    ],
    ids=["plain", "merged title", "title and remark", "second sheet"],
)
def test_the_header_is_found_under_titles_and_on_later_sheets(tmp_path: Path, sheets: list[list[list[object]]]) -> None:
    reading = parcels(book(tmp_path, *sheets))
    assert (reading.read, reading.accepted) == (1, 1)
    assert reading.rows["parcel_id"].tolist() == ["P1"]
    assert reading.rows.geometry.iloc[0].coords[0] == (105.05, 26.65)


def test_shapes_written_as_text_are_shapes_and_nonsense_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wkt.csv"
    file.write_text('编号,WKT\nP1,"POINT (105 26.6)"\nP2,nonsense\nP3,\n', encoding="utf-8")
    reading = parcels(file)
    assert reading.rows.geometry.to_wkt().tolist() == ["POINT (105 26.6)"]
    assert [(r.row, r.code) for r in reading.refused] == [(2, "geometry_bad"), (3, "geometry_missing")]


def test_a_table_of_one_column_has_its_first_row_as_header(tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("编号\nP1\n", encoding="utf-8")
    assert parcels(file).read == 1


def test_a_head_of_two_rows_under_a_title_and_a_remark_of_two_cells_is_one_head(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["靶标表"],
        ["填报单位：县禁毒办", None, None, None, "2026-03-01"],
        ["序号", "靶标编号", "位置", None, "下发日期"],
        [None, None, "经度", "纬度", None],
        [1, "T1", 105.05, 26.65, "2026年3月1日"],
    ]
    reading = read("parcels", book(tmp_path, rows), Hints(datum="wgs84"))
    assert (reading.read, reading.rows["parcel_id"].tolist()) == (1, ["T1"])
    assert str(reading.rows["flagged_at"].iloc[0].date()) == "2026-02-28"  # midnight in Shanghai


def listed(folder: Path, *lines: str) -> Reading:
    file = folder / "村名单.csv"
    file.write_text("\n".join(lines), encoding="gb18030")
    return read("villages", file)


def test_a_lower_head_says_what_of_the_upper_one(tmp_path: Path) -> None:
    reading = listed(tmp_path, "村,,户数,乡镇代码", "代码,名称,,", "529901001901,上村,120,529901001")
    held = reading.rows.iloc[0]
    assert (held["village_id"], held["name"], held["households_n"]) == ("529901001901", "上村", 120)


def test_a_first_record_under_a_blank_head_is_no_head(tmp_path: Path) -> None:
    assert listed(tmp_path, "村名,乡镇,", "上村,甲镇,远", "下村,甲镇,").read == 2


@pytest.mark.parametrize(
    "text",
    [
        "编号,经度（°）,纬度（°）\nP1,105.05,26.65\n",
        "编号,经度,纬度\nP1,E105.05°,北纬26.65°\n",
        "编号,经度,纬度\nP1,105°02′60.00″,26°39′00″\n",
        '编号,经纬度\nP1,"26.65, 105.05"\n',
        "编号,中心坐标\nP1,105°03′00″E 26°39′00″N\n",
    ],
)
def test_a_place_is_read_in_the_notations_of_office_lists(tmp_path: Path, text: str) -> None:
    file = tmp_path / "名单.csv"
    file.write_text(text, encoding="gb18030")
    assert parcels(file).rows.geometry.iloc[0].coords[0] == pytest.approx((105.05, 26.65), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("编号,经度,纬度\nP1,26.65,105.05\n", "wgs84"),
        ("编号,X,Y\nP1,2948777.5,35504973.4\n", "epsg:4523"),
    ],
    ids=["degrees", "northing first with zone prefix"],
)
def test_exchanged_axes_are_named_as_such(tmp_path: Path, text: str, datum: str) -> None:
    file = tmp_path / "反了.csv"
    file.write_text(text, encoding="utf-8")
    hints = Hints(datum=datum, date=date(2026, 3, 1), crs="EPSG:4544", within=(490_000, 2_940_000, 520_000, 2_960_000))
    assert [r.code for r in read("parcels", file, hints).refused] == ["axes_swapped"]
    right = tmp_path / "对了.csv"
    right.write_text(text.replace("经度,纬度", "纬度,经度").replace("X,Y", "北坐标,东坐标"), encoding="utf-8")
    assert read("parcels", right, hints).accepted == 1


def test_a_place_nowhere_is_refused_and_the_next_is_read(tmp_path: Path) -> None:
    file = tmp_path / "gk.csv"
    file.write_text("编号,东坐标,北坐标\nP1,35504973.4,2948777.5\nP2,9e15,9e15\n", encoding="utf-8")
    reading = read("parcels", file, Hints(datum="epsg:4523", date=date(2026, 3, 1), crs="EPSG:4544"))
    assert (reading.rows["parcel_id"].tolist(), [r.code for r in reading.refused]) == (["P1"], ["outside_crs"])


@pytest.mark.parametrize("keep", [0.5, 0.9])
def test_a_workbook_cut_off_or_overwritten_is_told_as_damaged(tmp_path: Path, keep: float) -> None:
    """Cut off on the way, or with a hole in the middle: the same sentence, and never a program's own word."""
    book = openpyxl.Workbook()
    for number in range(200):
        book.active.append([f"村{number}", number])
    book.save(tmp_path / "整.xlsx")
    whole = (tmp_path / "整.xlsx").read_bytes()
    cut, holed = whole[: int(keep * len(whole))], whole[:1500] + bytes(800) + whole[2300:]
    for data in (cut, holed):
        (tmp_path / "坏.xlsx").write_bytes(data)
        with pytest.raises(FormatError) as refused:
            read("villages", tmp_path / "坏.xlsx")
        assert refused.value.code == "zip_broken"
        assert "重新" in explain(refused.value)
