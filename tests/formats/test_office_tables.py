"""Tables as offices make them: a title over the header, an empty first sheet, shapes as text."""

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from geo.formats import Hints, read
from geo.formats.reading import Reading

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
