"""GPX in and out: what is refused, where tracks split, what other programs read of ours."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from lxml import etree

from geo import formats
from geo.crs import gcj02_from_wgs84, to_degrees
from geo.errors import FormatError
from geo.formats import Hints, gpx
from geo.formats.kml_out import write_areas

START = np.datetime64("2026-03-05T01:00:00")


def trackpoint(number: int, *, latitude: str | None = None, time: str | None = None) -> str:
    when = time if time is not None else f"{START + number * np.timedelta64(10, 's')}Z"
    stamp = f"<time>{when}</time>" if when else ""
    return f'<trkpt lat="{latitude or f"{26.5 + number * 1e-4:.6f}"}" lon="105.3"><ele>1500</ele>{stamp}</trkpt>'


def write(folder: Path, points: list[str], *, head: str = "", tail: str = "") -> Path:
    path = folder / "walk.gpx"
    body = "".join(points)
    text = f'<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">{head}<trk><name>走</name><trkseg>{body}</trkseg></trk>{tail}</gpx>'
    path.write_text(text, encoding="utf-8")
    return path


def codes(reading: formats.Reading) -> list[str]:
    return [refusal.code for refusal in reading.refused]


def test_a_sound_track_is_taken_whole(tmp_path: Path) -> None:
    reading = formats.read("tracks", write(tmp_path, [trackpoint(n) for n in range(11)]), Hints(crs=4544, team_id="T1"))
    assert (reading.read, reading.accepted, codes(reading)) == (11, 11, [])
    assert reading.rows["length_m"].iloc[0] == pytest.approx(110.78, abs=0.2)  # ten steps of 1e-4 degree of meridian
    assert reading.rows["team_id"].tolist() == ["T1"]


def test_each_unusable_fix_is_refused_by_row_and_field(tmp_path: Path) -> None:
    points = [
        trackpoint(0),
        trackpoint(1, latitude="26,5"),
        trackpoint(2, latitude="undefined"),
        trackpoint(3, latitude="126.5"),
        trackpoint(4, time=""),
        trackpoint(5, time="1901-12-13T20:45:52Z"),
        trackpoint(6, time="2026-03-05T09:00:00"),
        trackpoint(7),
        trackpoint(7),
    ]
    reading = formats.read("tracks", write(tmp_path, points))
    found = {refusal.row: refusal.code for refusal in reading.refused}
    assert found == {
        2: "coordinate_bad",
        3: "coordinate_bad",
        4: "coordinate_range",
        5: "untimed",
        6: "time_bad",
        7: "time_naive",
        9: "duplicate",
    }
    assert (reading.read, reading.accepted) == (9, 2)


def test_an_untimed_track_is_kept_as_a_route(tmp_path: Path) -> None:
    reading = formats.read("tracks", write(tmp_path, [trackpoint(n, time="") for n in range(4)]))
    assert codes(reading) == ["untimed"] * 4
    assert reading.held_as_route_n == 4
    assert reading.routes is not None
    assert reading.routes["name"].tolist() == ["走"]


def test_a_file_that_breaks_off_keeps_its_whole_points_and_says_where(tmp_path: Path) -> None:
    path = write(tmp_path, [trackpoint(n) for n in range(5)])
    data = path.read_bytes()
    path.write_bytes(data[: data.rfind(b"<time>") + 12])
    reading = formats.read("tracks", path)
    assert (reading.read, reading.accepted, codes(reading)) == (5, 4, ["file_breaks_off"])


def test_midnight_in_shanghai_splits_a_track_and_a_long_silence_only_a_part(tmp_path: Path) -> None:
    times = [
        "2026-03-05T14:00:00Z",
        "2026-03-05T14:00:10Z",
        "2026-03-05T15:59:50Z",
        "2026-03-05T15:59:59Z",
        "2026-03-05T16:00:00Z",
    ]
    reading = formats.read("tracks", write(tmp_path, [trackpoint(n, time=t) for n, t in enumerate(times)]))
    assert reading.rows["fixes_n"].tolist() == [4, 1]
    assert reading.rows.geometry.geom_type.tolist() == ["MultiLineString", "LineString"]


def test_reading_twice_gives_the_same_ids(tmp_path: Path) -> None:
    path = write(tmp_path, [trackpoint(n) for n in range(5)])
    one, two = (formats.read("tracks", path, Hints(crs=crs)).rows["track_id"].tolist() for crs in (None, 4544))
    assert one == two


def test_entities_are_refused_before_they_expand(tmp_path: Path) -> None:
    path = write(tmp_path, [trackpoint(0)])
    path.write_bytes(b'<!DOCTYPE gpx [<!ENTITY a "b">]>' + path.read_bytes())
    with pytest.raises(FormatError, match="doctype_refused"):
        formats.read("tracks", path)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    rows = formats.read("tracks", write(tmp_path, [trackpoint(n) for n in range(30)]), Hints(crs=4544)).rows
    path = tmp_path / "again.gpx"
    path.write_bytes(gpx.write_tracks(rows))
    again = formats.read("tracks", path, Hints(crs=4544)).rows
    assert again["track_id"].tolist() == rows["track_id"].tolist()
    assert shapely.hausdorff_distance(again.geometry.iloc[0], rows.geometry.iloc[0]) < 0.02


def plan() -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    line = shapely.LineString([(530_000 + 10 * n, 2_960_000 + 5 * n) for n in range(400)])
    routes = gpd.GeoDataFrame({"route_id": ["R1"], "day": ["2026-03-05"]}, geometry=[line], crs=4544)
    places = [line.interpolate(d) for d in (100, 900, 2000)]
    held = {
        "stop_id": ["a", "b", "c"], "route_id": ["R1"] * 3, "order_n": [1, 2, 3],
        "name": ["大\x0b坡<&>", "河边\ud800", "岔路"], "reason": ["历史地块", None, "盲区"],
    }  # fmt: skip
    return routes, gpd.GeoDataFrame(pd.DataFrame(held, dtype=object), geometry=places, crs=4544)


@pytest.mark.real
def test_exported_routes_keep_to_the_official_schema(real_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(real_data / "tracks" / "gpx11.xsd"))
    files = formats.write_routes("gpx", *plan(), 4544)
    assert sorted(files) == ["R1-route.gpx", "R1-track.gpx"]
    for data in files.values():
        schema.assertValid(etree.fromstring(data))


def test_a_route_for_handhelds_has_at_most_125_points_and_all_stops_in_order() -> None:
    root = etree.fromstring(formats.write_routes("gpx", *plan(), 4544)["R1-route.gpx"])
    names = [e.findtext("{*}name") for e in root.iter("{*}rtept")]
    assert len(names) == 125
    assert [n for n in names if n and not n.startswith("R")] == ["01 大坡<&>", "02 河边", "03 岔路"]


def test_projected_places_outside_the_earth_are_never_written() -> None:
    routes, stops = plan()
    with pytest.raises(FormatError, match="export_range"):
        formats.write_routes("gpx", routes, stops, 4326)


@pytest.mark.parametrize("program", ["gpsbabel", "ogrinfo"])
def test_other_programs_read_the_same_points_and_names(tmp_path: Path, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    path = tmp_path / "r.gpx"
    path.write_bytes(formats.write_routes("gpx", *plan(), 4544)["R1-track.gpx"])
    if program == "gpsbabel":
        run = ["gpsbabel", "-w", "-t", "-i", "gpx", "-f", str(path), "-x", "track,pack", "-o", "gpx", "-F", "-"]
        text = subprocess.run(run, capture_output=True, check=False).stdout.decode()
        text = text or subprocess.run([*run[:7], *run[9:]], capture_output=True, check=True).stdout.decode()
        assert text.count("<trkpt") == 400
    else:
        run = ["ogrinfo", "-ro", "-al", str(path), "waypoints"]
        text = subprocess.run(run, capture_output=True, check=True).stdout.decode()
        assert "Feature Count: 3" in text
    assert "02 河边" in text


def test_planned_routes_as_kml_hold_line_and_stops() -> None:
    files = formats.write_routes("kml", *plan(), 4544)
    root = etree.fromstring(files["routes-2026-03-05.kml"])
    assert len(list(root.iter("{*}Placemark"))) == 4


def test_the_shifted_kml_says_so_and_lies_where_the_datum_puts_it() -> None:
    """Both files hold the same points, the second moved as GCJ-02 is, and named so everywhere a user looks."""
    plain = etree.fromstring(formats.write_routes("kml", *plan(), 4544)["routes-2026-03-05.kml"])
    files = formats.write_routes("kml-gcj02", *plan(), 4544)
    assert list(files) == ["routes-2026-03-05-GCJ02.kml"]
    moved = etree.fromstring(files["routes-2026-03-05-GCJ02.kml"])
    assert "GCJ-02" in moved.findtext("{*}Document/{*}description")
    assert all("GCJ02" in name.text for name in moved.iterfind(".//{*}Folder/{*}name"))

    def places(root):
        text = " ".join(one.text for one in root.iter("{*}coordinates"))
        return np.array([[float(v) for v in pair.split(",")] for pair in text.split()])

    here, there = places(plain), places(moved)
    assert there == pytest.approx(np.column_stack(gcj02_from_wgs84(here[:, 0], here[:, 1])), abs=2e-7)
    assert (np.hypot(*(there - here).T) > 0.003).all()


def test_kmz_is_the_kml_in_a_zip_that_other_programs_open(tmp_path: Path) -> None:
    kml = formats.write_routes("kml", *plan(), 4544)["routes-2026-03-05.kml"]
    path = tmp_path / "r.kmz"
    path.write_bytes(formats.write_routes("kmz", *plan(), 4544)["routes-2026-03-05.kmz"])
    with zipfile.ZipFile(path) as archive:
        assert archive.read("doc.kml") == kml
    assert pyogrio.read_info(path)["driver"] == "LIBKML"
    assert len(gpd.read_file(path, engine="pyogrio")) == 4


def test_areas_to_fly_are_polygons_with_their_hole_and_their_start() -> None:
    hole = shapely.box(530_040, 2_960_040, 530_060, 2_960_060)
    area = shapely.box(530_000, 2_960_000, 530_100, 2_960_100).difference(hole)
    table = gpd.GeoDataFrame(
        {"name": ["2026-R2-007"], "note": ["断崖<&>"], "start_name": ["起降点"], "start_easting_m": [530_200.0],
         "start_northing_m": [2_960_200.0]}, geometry=[area], crs=4544,
    )  # fmt: skip
    root = etree.fromstring(write_areas(table, 4544, title="flights"))
    assert len(list(root.iter("{*}Polygon"))) == 1
    assert len(list(root.iter("{*}innerBoundaryIs"))) == 1
    assert [one.text for one in root.iterfind(".//{*}Placemark/{*}name")] == ["2026-R2-007", "起降点"]
    start = [float(v) for v in root.findtext(".//{*}Point/{*}coordinates").split(",")]
    assert start == pytest.approx(np.ravel(to_degrees(np.array([530_200.0]), np.array([2_960_200.0]), 4544)), abs=1e-6)
