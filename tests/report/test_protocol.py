"""The trial's paper: one page in either language, and a form that is read back as it stands."""

import io
from pathlib import Path

import openpyxl
import pytest

from geo.formats import Hints, read
from geo.report.protocol import FORM, PARTS, protocol_workbook
from geo.settings import DetectionSettings


@pytest.mark.parametrize(
    ("language", "answers"),
    [
        ("zh", [(7.5, "是", 1, "荒地草坡", "开花期"), (12, "否", 2, "灌丛", "播种出苗期")]),
        ("en", [(7.5, "yes", 1, "open", "flower"), (12, "no", 2, "scrub", "seedling")]),
    ],
)
def test_a_filled_in_form_is_read_back_as_trials(tmp_path: Path, language, answers) -> None:
    book = openpyxl.load_workbook(io.BytesIO(protocol_workbook(language, DetectionSettings())))
    for row, answer in enumerate(answers, 2):
        for column, value in enumerate(answer, 1):
            book.worksheets[0].cell(row, column, value)
    book.save(tmp_path / "filled.xlsx")
    reading = read("trials", tmp_path / "filled.xlsx", Hints())
    assert (reading.read, len(reading.refused)) == (2, 0)
    assert reading.rows["distance_m"].tolist() == [7.5, 12.0]
    assert reading.rows["found"].tolist() == [True, False]
    assert reading.rows["passes_n"].tolist() == [1, 2]
    assert reading.rows["cover"].tolist() == ["open", "scrub"]
    assert reading.rows["stage"].tolist() == ["flower", "seedling"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_protocol_names_every_step_and_the_settings_it_rests_on(language) -> None:
    content = protocol_workbook(language, DetectionSettings(reach_m=123.0, search_speed_kmh=0.7))
    book = openpyxl.load_workbook(io.BytesIO(content))
    lines = [row[0].value for row in book.worksheets[1].iter_rows()]
    assert [line.split(".")[0] for line in lines[1:]] == [str(n) for n in range(1, len(PARTS) + 1)]
    assert "123" in " ".join(lines)
    assert "0.7" in " ".join(lines)
    assert len(next(book.worksheets[0].iter_rows(max_row=1))) == len(FORM)
    assert all(sheet.sheet_properties.pageSetUpPr.fitToPage for sheet in book.worksheets)


def test_the_same_settings_give_the_same_bytes() -> None:
    assert protocol_workbook("zh", DetectionSettings()) == protocol_workbook("zh", DetectionSettings())
