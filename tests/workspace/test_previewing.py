"""What a file would bring: counted and placed as an import would, with nothing changed."""

from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.formats import Hints
from geo.settings import Settings
from geo.workspace.county import County, found
from geo.workspace.importing import import_files
from geo.workspace.previewing import DROPPABLE, PLACES, known_of, preview, recognise

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WEST, SOUTH = 500_000.0, 2_950_000.0


@pytest.fixture
def county(tmp_path: Path) -> County:
    shape = shapely.MultiPolygon([shapely.box(WEST, SOUTH, WEST + 10_000, SOUTH + 10_000)])
    row = {"township_id": "520525001", "name": "甲乡", "kind": "乡", "source": "made", "line_accuracy_m": 30.0}
    townships = gpd.GeoDataFrame(pd.DataFrame([row]), geometry=[shape], crs=4544)
    return found(tmp_path / "county", Settings(name="甲县", epsg=4544), townships, [], now=NOW)


def parcels(path: Path, n: int) -> Path:
    points = [shapely.Point(WEST + 1000 + i, SOUTH + 1000) for i in range(n)]
    table = gpd.GeoDataFrame({"编号": [f"T{i}" for i in range(n)]}, geometry=points, crs=4544).to_crs(4326)
    table["发现时间"] = "2026-03-11"
    table["来源"] = "satellite"
    table.to_file(path, driver="GeoJSON")
    return path


def test_a_recording_is_read_as_tracks_alone_and_one_with_waypoints_as_all_it_could_be(
    county: County, tmp_path: Path
) -> None:
    head = '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1">'
    point = 'lat="26.70" lon="105.05"'
    walk = f"<trk><trkseg><trkpt {point}><time>2026-03-18T01:00:00Z</time></trkpt></trkseg></trk>"
    plain, marked = tmp_path / "a.gpx", tmp_path / "b.gpx"
    plain.write_text(f"{head}{walk}</gpx>", "utf-8")
    marked.write_text(f"{head}<wpt {point}><name>点</name></wpt>{walk}</gpx>", "utf-8")
    told = {layer: known_of(county, layer) for layer in DROPPABLE}
    assert [one.layer for one in recognise(county, plain, Hints(), told)] == ["tracks"]
    assert len(recognise(county, marked, Hints(date=date(2026, 3, 18)), told)) > 1
    assert recognise(county, marked, Hints(), told) == recognise(county, marked, Hints())


def test_a_preview_counts_as_the_import_will_and_changes_nothing(county: County, tmp_path: Path) -> None:
    path, before = parcels(tmp_path / "靶标.geojson", 3), county.store.entries()
    seen = preview(county, "parcels", path, Hints(datum="wgs84", timezone="Asia/Shanghai"))
    assert (seen.report.read, seen.report.accepted) == (3, 3)
    longitude, latitude = seen.places[0]
    assert (longitude, latitude) == pytest.approx((105.01, 26.67), abs=0.02)
    assert county.store.entries() == before
    taken = import_files(county, "parcels", [path], Hints(datum="wgs84", timezone="Asia/Shanghai"), now=NOW)
    assert taken.files[0].json("zh") == seen.report.json("zh")


def test_what_the_county_has_already_is_previewed_as_duplicate(county: County, tmp_path: Path) -> None:
    path, hints = parcels(tmp_path / "靶标.geojson", 3), Hints(datum="wgs84", timezone="Asia/Shanghai")
    import_files(county, "parcels", [path], hints, now=NOW)
    again = preview(county, "parcels", path, hints)
    assert (again.report.read, again.report.accepted) == (3, 0)
    assert {one.code for one in again.report.refused} == {"duplicate"}


def test_a_large_file_shows_a_sample_of_its_places(county: County, tmp_path: Path) -> None:
    hints = Hints(datum="wgs84", timezone="Asia/Shanghai")
    seen = preview(county, "parcels", parcels(tmp_path / "many.geojson", 2 * PLACES), hints)
    assert seen.report.accepted == 2 * PLACES
    assert len(seen.places) == PLACES


def test_a_track_is_recognised_as_a_track(county: County, tmp_path: Path) -> None:
    points = "".join(
        f'<trkpt lat="{26.67 + i * 1e-4}" lon="105.01"><time>2026-03-11T02:00:{i:02d}Z</time></trkpt>' for i in range(9)
    )
    path = tmp_path / "a.gpx"
    path.write_text(f'<gpx version="1.1"><trk><trkseg>{points}</trkseg></trk></gpx>', "utf-8")
    assert next(one.layer for one in recognise(county, path, Hints())) == "tracks"


def test_a_file_nothing_can_be_made_of_is_one_sentence(county: County, tmp_path: Path) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("nothing known")
    found_as = recognise(county, path, Hints())
    assert len(found_as) == 1
    assert found_as[0].report.error is not None
