"""Every real file goes through the door: a count that adds up or an error of our own, never anything else."""

from pathlib import Path

import pytest

from geo import formats
from geo.errors import GeoError
from geo.formats import Hints, Reading
from geo.grid import county_frame
from geo.words import WORDS


def require_worded(error: GeoError) -> None:
    assert error.code in WORDS


def require_sound(reading: Reading) -> None:
    assert reading.read == reading.accepted + len(reading.refused)
    assert {refusal.code for refusal in reading.refused} | set(reading.warnings) <= set(WORDS)


@pytest.mark.real
@pytest.mark.parametrize("layer", ["tracks", "townships", "leads"])
def test_a_real_file_is_counted_or_refused_with_a_sentence(real_data: Path, real_file: Path, layer: str) -> None:
    try:
        reading = formats.read(layer, real_data / real_file, Hints(datum="wgs84"))
    except GeoError as error:
        require_worded(error)
        return
    require_sound(reading)


@pytest.mark.real
def test_a_real_raster_becomes_terrain_or_a_sentence(real_data: Path, real_raster: Path) -> None:
    frame = county_frame((380_000.0, 3_790_000.0, 384_000.0, 3_794_000.0), 32611)
    try:
        grid, cell_m, _ = formats.read_terrain([real_data / real_raster], frame)
    except GeoError as error:
        require_worded(error)
        return
    assert grid.values.shape == frame.shape
    assert cell_m == pytest.approx(30.0)


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "read", "accepted", "held"),
    [
        ("gpsbabel_mtk_logger_m241_multiple_tracks.gpx", 14263, 14263, 0),
        ("gpxpy_Mojstrovka.gpx", 184, 0, 0),
        ("togeojson_trek.gpx", 120, 0, 120),
        ("gpxpy_korita-zbevnica.gpx", 871, 513, 358),
        ("togeojson_bad.gpx", 3, 0, 0),
        ("gpsbabel_igc1_baro.gpx", 637, 0, 0),
    ],
)
def test_the_fixes_of_known_tracks_are_counted_as_published(
    real_data: Path, file: str, read: int, accepted: int, held: int
) -> None:
    reading = formats.read("tracks", real_data / "tracks" / file)
    assert (reading.read, reading.accepted, reading.held_as_route_n) == (read, accepted, held)


@pytest.mark.real
def test_placeholder_times_are_refused_as_bad_times(real_data: Path) -> None:
    reading = formats.read("tracks", real_data / "tracks" / "gpxpy_Mojstrovka.gpx")
    assert {refusal.code for refusal in reading.refused} == {"time_bad"}


@pytest.mark.real
def test_the_register_of_a_real_county_holds_427_villages_of_which_3_have_a_place(real_data: Path) -> None:
    reading = formats.read("villages", real_data / "boundaries" / "adcode2016_520525.csv", Hints(crs=4544))
    assert len(reading.rows) == 427
    assert int(reading.rows.geometry.notna().sum()) == 3
    assert reading.datum == "gcj02"
    assert reading.rows["township_id"].str.len().unique().tolist() == [9]


@pytest.mark.real
def test_sixteen_real_jurisdictions_keep_their_codes_and_names(real_data: Path) -> None:
    path = real_data / "boundaries" / "guizhou_county_amap_bijie_qianxinan.geojson"
    rows = formats.read("townships", path, Hints(crs=4544)).rows
    assert len(rows) == 16
    assert rows.set_index("township_id").loc["520521", "name"] == "大方县"
    assert set(rows.geom_type) == {"MultiPolygon"}


@pytest.mark.real
def test_attribute_text_without_a_declared_encoding_is_read_as_gb18030(real_data: Path) -> None:
    reading = formats.read("neighbours", real_data / "malformed" / "chinese_poly.shp")
    assert reading.encoding == "gb18030"
    assert reading.rows["name"].tolist() == ["黑龙江省"]


@pytest.mark.real
def test_a_zip_named_kml_is_read_as_what_it_is(real_data: Path) -> None:
    reading = formats.read("tracks", real_data / "malformed" / "mislabelled_锦江区.kml")
    assert reading.other_kinds["waypoints"] == 1


@pytest.mark.real
def test_patrol_fixes_that_repeat_under_another_id_are_duplicates(real_data: Path) -> None:
    reading = formats.read("tracks", real_data / "patrol" / "smart_patrol_tracks_A.parquet")
    assert reading.read == 17427
    assert {refusal.code for refusal in reading.refused} == {"duplicate"}
