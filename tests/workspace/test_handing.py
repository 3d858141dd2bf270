"""What teams are handed: a folder per team and day, readable by other programs, and one zip of them."""

import io
import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree
from shared_counties import MADE_OF, copy_of

from geo.errors import StoreError
from geo.formats.bundle import zipped
from geo.report.qr import qr_modules
from geo.report.route_sheet import CODE_MOST, gpx_text
from geo.workspace.county import County, open_county
from geo.workspace.handing import hand_out
from geo.workspace.planning import accept_plan, kept_routes, plan_day

DAY, WHERE = "2026-04-12", ["529901001", "529901003"]
GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture(scope="module")
def county(measured_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> County:
    """A copy of the demo county with a day's routes accepted; the tests below only read it."""
    folder = tmp_path_factory.mktemp("handed") / "county"
    copy_of(measured_demo, folder, *MADE_OF)
    opened = open_county(folder)
    accept_plan(opened, plan_day(opened, day=DAY, township_ids=WHERE), now=datetime(2026, 5, 21, tzinfo=UTC))
    return opened


def test_a_folder_per_team_and_day_and_a_zip_of_all(county) -> None:
    files = hand_out(county)
    folders = {name.rsplit("/", 1)[0] for name in files if "/" in name}
    assert folders == {f"{DAY}/{DAY}-{one}-{one}-T01" for one in WHERE}
    for folder in folders:
        stem = folder.split("/")[1]
        ends = ("-track.gpx", "-route.gpx", ".kml", ".kmz", "-GCJ02.kml", ".geojson", ".pdf")
        assert {name for name in files if name.startswith(folder)} == {f"{folder}/{stem}{end}" for end in ends}
    with zipfile.ZipFile(io.BytesIO(files[f"{DAY}.zip"])) as bundle:
        assert {name: bundle.read(name) for name in bundle.namelist()} == {n: c for n, c in files.items() if "/" in n}


def test_the_same_routes_give_the_same_bytes(county) -> None:
    assert hand_out(county) == hand_out(county)


def test_handhelds_get_at_most_125_points_with_every_stop_among_them(county) -> None:
    files = hand_out(county, sheets=False)
    for name, content in files.items():
        if not name.endswith("-route.gpx"):
            continue
        names = [point.findtext(f"{GPX}name") for point in etree.fromstring(content).iter(f"{GPX}rtept")]
        shown = json.loads(files[name.replace("-route.gpx", ".geojson")])
        stops = [one["properties"]["name"] for one in shown["features"][1:]]
        assert len(names) <= 125
        assert [one for one in names if one in set(stops)] == stops
        assert len(set(names)) == len(names)


def test_the_sheet_is_one_page_with_its_font_inside(county, tmp_path: Path) -> None:
    if shutil.which("pdffonts") is None:
        pytest.skip("needs poppler-utils")
    pages = {name: content for name, content in hand_out(county).items() if name.endswith(".pdf")}
    file = tmp_path / "sheet.pdf"
    file.write_bytes(next(iter(pages.values())))
    told = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True).stdout
    fonts = subprocess.run(["pdffonts", file], capture_output=True, text=True, check=True).stdout.splitlines()[2:]
    words = subprocess.run(["pdftotext", file, "-"], capture_output=True, text=True, check=True).stdout
    assert "Pages:           1" in told
    assert "A4" in told
    assert fonts
    assert all(line.split()[-5] == "yes" for line in fonts)
    assert "路线单" in words


def test_the_code_on_the_sheet_is_a_gpx_of_the_stops(county) -> None:
    """Five decimals are about a metre; twelve stops fit a code that is read from paper."""
    _, stops = kept_routes(county)
    one = stops[stops["route_id"] == stops["route_id"].iloc[0]].sort_values("order_n").head(12)
    placed = one.to_crs(4326)
    text = gpx_text(one.assign(longitude=placed.geometry.x, latitude=placed.geometry.y))
    read = list(etree.fromstring(text).iter(f"{GPX}rtept"))
    assert [point.findtext(f"{GPX}name") for point in read] == [f"{n:02d}" for n in one["order_n"]]
    assert [float(point.get("lon")) for point in read] == pytest.approx(list(placed.geometry.x), abs=6e-6)
    assert [float(point.get("lat")) for point in read] == pytest.approx(list(placed.geometry.y), abs=6e-6)
    assert len(text) <= CODE_MOST
    assert len(qr_modules(text)) <= 125


@pytest.mark.real
def test_the_code_keeps_to_the_official_gpx_schema(real_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(real_data / "tracks" / "gpx11.xsd"))
    stops = pd.DataFrame({"order_n": [0, 1], "latitude": [26.5, 26.6], "longitude": [105.1, 105.2]})
    schema.assertValid(etree.fromstring(gpx_text(stops)))


def test_a_county_without_routes_says_so(demo_copy: Path) -> None:
    with pytest.raises(StoreError, match="routes_missing"):
        hand_out(open_county(demo_copy), day="2026-01-01")


def test_a_zip_does_not_depend_on_the_order_of_its_files() -> None:
    assert zipped({"a": b"1", "路": b"2"}) == zipped({"路": b"2", "a": b"1"})


def test_walking_times_are_kept_until_the_longest_walk_is_another(demo_copy: Path) -> None:
    """A day of five hours and one of six look as far; one of three does not look for walks of four."""
    shutil.rmtree(demo_copy / "travel")
    opened = open_county(demo_copy)
    first = plan_day(opened, day=DAY, township_ids=WHERE[:1])
    (file,) = (demo_copy / "travel").glob("*.npz")
    before = file.stat().st_mtime_ns
    again = plan_day(opened, day=DAY, township_ids=WHERE[:1])
    assert file.stat().st_mtime_ns == before
    assert again.stops.equals(first.stops)
    plan_day(opened, day=DAY, township_ids=WHERE[:1], hours=5.0)
    assert [one.name for one in (demo_copy / "travel").glob("*.npz")] == [file.name]
    plan_day(opened, day=DAY, township_ids=WHERE[:1], hours=3.0)
    (other,) = (demo_copy / "travel").glob("*.npz")
    assert other.name != file.name
