"""KML as it is passed around: cut out of its document, with prefixes nobody declared, after a long comment."""

from datetime import date
from pathlib import Path

import pytest

from geo.formats import Hints, read

PLACE = "<Placemark><name>靶标1</name><Point><coordinates>105.05,26.65</coordinates></Point></Placemark>"
FIXES = "".join(f"<when>2026-03-01T01:00:{s:02d}Z</when><gx:coord>105.05{s} 26.65 900</gx:coord>" for s in (0, 10, 20))
TRACK = f"<Placemark><name>一组</name><gx:Track>{FIXES}</gx:Track></Placemark>"
LISTED = Hints(date=date(2026, 3, 2))


def written(folder: Path, text: str) -> Path:
    file = folder / "piece.kml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "<Folder><name>三月</name>{}</Folder>",
        "<Document><Folder>{}</Folder></Document>",
        "<?xml version='1.0'?><!--" + "导出" * 9000 + "--><kml xmlns='http://www.opengis.net/kml/2.2'>{}</kml>",
    ],
    ids=["placemark", "folder", "document", "after a long comment"],
)
def test_a_piece_of_kml_is_read_like_the_whole(tmp_path: Path, frame: str) -> None:
    reading = read("parcels", written(tmp_path, frame.format(PLACE)), LISTED)
    assert (reading.read, reading.accepted, list(reading.rows["parcel_id"])) == (1, 1, ["靶标1"])


def test_a_prefix_nobody_declared_is_no_broken_file(tmp_path: Path) -> None:
    reading = read("tracks", written(tmp_path, f"<Folder>{TRACK}</Folder>"))
    assert (reading.read, reading.accepted, reading.refused) == (3, 3, ())


def test_a_folder_without_records_is_empty_rather_than_unknown(tmp_path: Path) -> None:
    assert read("parcels", written(tmp_path, "<Folder><name>空</name></Folder>")).read == 0


def test_a_list_without_days_needs_one_and_says_how_to_give_it(tmp_path: Path) -> None:
    file = written(tmp_path, f"<Folder>{PLACE}</Folder>")
    (refusal,) = read("parcels", file).refused
    assert (refusal.field, refusal.code) == ("flagged_at", "date_missing")
    told = read("parcels", file, LISTED)
    assert f"{told.rows['flagged_at'].iloc[0]:%Y-%m-%dT%H:%M%z}" == "2026-03-01T16:00+0000"  # midnight in China
    assert told.warnings == ("date_given",)


def test_a_day_given_for_a_list_changes_no_day_the_list_has(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("编号,经度,纬度,下发日期\nP1,105.05,26.65,2026-02-03\nP2,105.05,26.66,\n", encoding="utf-8")
    rows = read("parcels", file, Hints(datum="wgs84", date=date(2026, 3, 2))).rows
    assert list(rows["flagged_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%m-%d")) == ["02-03", "03-02"]
