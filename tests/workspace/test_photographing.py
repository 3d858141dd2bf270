"""Photos on record: kept by content, typed from watermarks with their datum, compared with tracks and each other."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from made_county import NOW, small_county

from geo.analysis.photo_checks import alike, beside_track
from geo.cli.main import main
from geo.crs import gcj02_from_wgs84, to_degrees
from geo.layers.photos import EXIF, NOTHING, WATERMARK
from geo.settings import Settings
from geo.store import photos as files
from geo.workspace.county import County, open_county
from geo.workspace.photographing import PhotoIn, add_photos, like_photos, photo_findings, photos_of, plot_photos
from geo.workspace.rights import Actor, Role

sys.path.insert(0, str(Path(__file__).parents[1] / "formats"))
from test_photo import PLACE, jpeg, tagged


@pytest.fixture
def county(tmp_path: Path) -> County:
    small_county(tmp_path / "county", Settings(epsg=4544)).close()
    return open_county(tmp_path / "county")


def typed(county: County, easting: float, *, datum: str = "gcj02", **more: object) -> dict[str, object]:
    """A watermark's words for a place in the county, printed in GCJ-02."""
    longitude, latitude = (float(v) for v in to_degrees(easting, 3e6 + 10, county.crs))
    if datum == "gcj02":
        longitude, latitude = (float(v) for v in gcj02_from_wgs84(longitude, latitude))
    return {"longitude": longitude, "latitude": latitude, "datum": datum, "taken_at": NOW - timedelta(days=1)} | more


def test_exif_comes_first_and_a_watermark_is_marked_as_copied_with_its_datum(county: County) -> None:
    """Place and time each say who tells them; GCJ-02 becomes the true place within two metres."""
    told = tagged(gps=PLACE, taken="2026:03:11 09:30:00")
    given = [
        PhotoIn("exif.jpg", jpeg(1, exif=told), taken_at=NOW),
        PhotoIn("chat.jpg", jpeg(2), {"parcel_id": "P1"}, **typed(county, 4e5 + 10)),
        PhotoIn("bare.jpg", jpeg(3)),
    ]
    assert all(one.is_new for one in add_photos(county, given, now=NOW))
    held = county.store.read("photos")
    assert list(held["placed_by"]) == [EXIF, WATERMARK, NOTHING]
    assert list(held["time_by"]) == [EXIF, WATERMARK, NOTHING]
    assert list(held["datum"]) == ["wgs84", "gcj02", None]
    assert held.geometry.iloc[1].distance(county.store.read("parcels").geometry.iloc[0]) < 2.0
    assert county.store.head().kind == "photos"
    assert county.store.verify().ok


def test_a_place_without_its_datum_is_refused_and_stops_no_other(county: County) -> None:
    given = [
        PhotoIn("a.jpg", jpeg(1), longitude=105.0, latitude=26.5),
        PhotoIn("b.jpg", jpeg(2)),
        PhotoIn("c.jpg", b"no"),
    ]
    taken = add_photos(county, given, now=NOW)
    assert [one.error.code if one.error else None for one in taken] == ["datum_needed", None, "photo_unknown"]
    assert county.store.count("photos") == 1


def test_originals_lie_under_their_content_once_and_a_change_is_seen(county: County) -> None:
    data = jpeg(1)
    first = add_photos(county, [PhotoIn("a.jpg", data, {"parcel_id": "P1"})] * 2, now=NOW)
    again = add_photos(county, [PhotoIn("other name.jpg", data, {"parcel_id": "P1"})], now=NOW)
    assert [one.is_new for one in [*first, *again]] == [True, False, False]
    (row,) = plot_photos(county, "P1")
    kept = files.original(county.path, row["sha256"])
    assert kept is not None
    assert kept.read_bytes() == data
    assert row["path"].stat().st_size < len(data)
    assert [row["kept"] for row in photo_findings(county)] == ["intact"]
    kept.write_bytes(data[:-1])
    assert [row["kept"] for row in photo_findings(county)] == ["changed"]
    kept.unlink()
    assert [row["kept"] for row in photo_findings(county)] == ["missing"]


def test_the_same_scene_for_two_plots_is_shown_and_for_one_plot_is_not(county: County) -> None:
    """One file used twice first, then the paler copy; pictures of one plot may look alike."""
    given = [
        PhotoIn("a.jpg", jpeg(1), {"parcel_id": "P1"}),
        PhotoIn("a.jpg", jpeg(1), {"parcel_id": "P2"}),
        PhotoIn("b.jpg", jpeg(1, quality=30, size=(320, 240)), {"parcel_id": "P3"}),
        PhotoIn("c.jpg", jpeg(1, quality=40), {"parcel_id": "P1"}),
        PhotoIn("d.jpg", jpeg(7), {"parcel_id": "P2"}),
    ]
    add_photos(county, given, now=NOW)
    pairs = like_photos(county)
    assert pairs[0]["same_file"]
    told = {tuple(sorted(side["file"] for side in pair["photos"])) for pair in pairs}
    assert told == {("a.jpg", "a.jpg"), ("a.jpg", "b.jpg"), ("a.jpg", "c.jpg"), ("b.jpg", "c.jpg")}
    assert not any({side["parcel_id"] for side in pair["photos"]} == {"P1"} for pair in pairs)


def test_missing_is_said_as_missing(county: County) -> None:
    given = [PhotoIn("a.jpg", jpeg(1), {"parcel_id": "P1"}, "T1", **typed(county, 4e5 + 4000))]
    add_photos(county, [*given, PhotoIn("b.jpg", jpeg(2), team_id="T1")], now=NOW)
    one, two = photo_findings(county)
    assert (one["code"], one["far"], round(one["about_m"], -2)) == ("photo_no_track", True, 4000.0)
    assert two["code"] == "photo_no_time"


FIXES = np.array([[0.0, 0.0, 0.0], [60.0, 60.0, 0.0], [4000.0, 999.0, 0.0]])


@pytest.mark.parametrize(
    ("place", "seconds", "code", "metres"),
    [
        ((30.0, 40.0), 30.0, "photo_on_track", 40.0),
        ((30.0, 400.0), 30.0, "photo_off_track", 400.0),
        ((60.0, 30.0), 150.0, "photo_on_track", 30.0),
        ((0.0, 0.0), 2000.0, "photo_no_track", None),
        (None, 30.0, "photo_no_place", None),
        ((0.0, 0.0), None, "photo_no_time", None),
    ],
)
def test_a_photo_is_held_against_where_the_track_was_then(place, seconds, code, metres) -> None:
    """Between two fixes by interpolation; near one alone, that one; far in time, nothing is said."""
    found = beside_track(place, seconds, FIXES, within_s=120.0, within_m=100.0)
    assert (found.code, found.distance_m) == (code, None if metres is None else pytest.approx(metres))


def test_likeness_by_pairs_is_that_of_every_pair() -> None:
    dice = np.random.default_rng(2)
    values = [int(v) for v in dice.integers(0, 2**63, 60)] + [int(v) for v in dice.integers(0, 64, 40)]
    texts = [f"{value:016x}" for value in values]
    wanted = [
        (i, j, (values[i] ^ values[j]).bit_count())
        for i in range(100)
        for j in range(i + 1, 100)
        if (values[i] ^ values[j]).bit_count() <= 2
    ]
    assert alike(texts, 2) == wanted


def test_a_team_sees_its_own_photos_alone(county: County) -> None:
    given = [PhotoIn("a.jpg", jpeg(1), team_id="T1"), PhotoIn("b.jpg", jpeg(2), {"parcel_id": "P1"})]
    first, second = add_photos(county, given, now=NOW)
    own = open_county(county.path, Actor(Role.TEAM, ("T1",)))
    assert [row["photo_id"] for row in photo_findings(own)] == [first.photo_id]
    assert plot_photos(own, "P1") == []
    assert [row["photo_id"] for row in plot_photos(county, "P1")] == [second.photo_id]


def test_several_files_with_a_list_of_watermarks(county: County, tmp_path: Path, monkeypatch, capsys) -> None:
    """As somebody does it who got five pictures by chat: a folder, a list, one command."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    lines = ["文件,时间,经度,纬度,坐标系,地块编号"]
    for n in range(5):
        (folder / f"{n}.jpg").write_bytes(jpeg(n + 1))
        words = typed(county, 4e5 + 100 * min(n, 2))
        lines.append(
            f"{n}.jpg,2026-03-10 09:30,{words['longitude']:.7f},{words['latitude']:.7f},gcj02,P{min(n, 2) + 1}"
        )
    (tmp_path / "list.csv").write_text("\n".join(lines), encoding="gb18030")
    command = ["tacha", "--county", str(county.path), "photo"]
    monkeypatch.setattr(
        "sys.argv", [*command, "add", str(folder), "--team", "T1", "--list", str(tmp_path / "list.csv")]
    )
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code in (0, None)
    held = county.store.read("photos")
    assert (len(held), set(held["placed_by"]), set(held["datum"])) == (5, {WATERMARK}, {"gcj02"})
    assert held["taken_at"].iloc[0].hour == 1
    monkeypatch.setattr("sys.argv", [*command, "check", "--all"])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.count("无法核对") == 5


@pytest.mark.parametrize("digest", ["../../etc/passwd", "a" * 63, "A" * 64])
def test_a_name_that_is_no_hash_opens_no_file(tmp_path: Path, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        files.original(tmp_path, digest)


def test_files_that_are_not_there_or_empty_are_refused_and_stop_no_other(county: County, tmp_path: Path) -> None:
    """Four named, one accepted, three refused, each with its reason."""
    (tmp_path / "good.jpg").write_bytes(jpeg(1))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "empty.png").write_bytes(b"")
    named = [tmp_path / name for name in ("absent.jpg", "empty.jpg", "none", "good.jpg")]
    taken = add_photos(county, photos_of(named), now=NOW)
    told = [one.error.code if one.error else None for one in taken]
    assert told == ["file_missing", "file_empty", "file_empty", None]


@pytest.mark.parametrize(("name", "told"), [("照片.jpg".encode("gbk"), "照片.jpg"), (b"z\xff.jpg", "z\ufffd.jpg")])
def test_a_file_named_in_another_code_is_taken_under_a_name_that_can_be_written(
    county: County, tmp_path: Path, name: bytes, told: str
) -> None:
    """An archive from Chinese Windows leaves such names; the content counts, and the record stays Unicode."""
    file = tmp_path / os.fsdecode(name)
    file.write_bytes(jpeg(1))
    (taken,) = add_photos(county, photos_of([file], about={"parcel_id": "P1"}), now=NOW)
    assert taken.is_new
    assert list(county.store.read("photos")["file"]) == [told]
    (refused,) = add_photos(county, photos_of([file], about={}, team_id="\udcff"), now=NOW)
    assert refused.error is not None
    assert refused.error.code == "record_value_bad"
