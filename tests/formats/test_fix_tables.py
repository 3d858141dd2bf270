"""Tables of fixes: places with times are tracks, places without are not."""

from pathlib import Path

from geo.formats import Hints, read

LINES = [
    "时间,经度,纬度,海拔,轨迹编号",
    "2026-03-01 10:00:00,105.050,26.65,900,甲",
    "2026-03-01 10:00:10,105.051,26.65,901,甲",
    "2026-03-01 10:00:00,105.060,26.65,,乙",
    "2026-03-01 10:00:20,坏,26.65,,乙",
    "没有,105.062,26.65,,乙",
    "2026-03-01 10:00:40,105.063,26.65,,乙",
]


def fixes(folder: Path, lines: list[str]) -> Path:
    (folder / "轨迹.csv").write_text("\n".join(lines), encoding="gb18030")
    return folder / "轨迹.csv"


def test_places_with_times_become_one_track_per_name_and_bad_rows_are_named(tmp_path: Path) -> None:
    reading = read("tracks", fixes(tmp_path, LINES), Hints(datum="wgs84", timezone="Asia/Shanghai"))
    assert (reading.read, reading.accepted) == (6, 4)
    assert sorted((r.row, r.code) for r in reading.refused) == [(4, "coordinate_bad"), (5, "time_bad")]
    assert sorted(reading.rows["fixes_n"]) == [2, 2]
    assert {f"{moment:%H:%M}" for moment in reading.rows["started_at"]} == {"02:00"}
    assert reading.rows.geometry.iloc[0].wkt.startswith("LINESTRING ZM (105.05 26.65 900 ")


def test_places_without_times_are_no_tracks(tmp_path: Path) -> None:
    lines = [",".join(line.split(",")[1:3]) for line in LINES[:3]]
    reading = read("tracks", fixes(tmp_path, lines), Hints(datum="wgs84"))
    assert [refusal.code for refusal in reading.refused] == ["geometry_kind"] * 2
