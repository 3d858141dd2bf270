"""Files that are not what they say, or ask the reader to fetch, expand or look elsewhere."""

import zipfile
from pathlib import Path

import pytest

from geo import formats
from geo.errors import FormatError, GeoError
from geo.formats import Hints
from geo.grid import county_frame
from geo.words import explain

SECRET = "secret.geojson"
RASTER = '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1"/></VRTDataset>'


def vector_trap(folder: Path) -> str:
    point = '{"type":"Feature","properties":{"name":"gone"},"geometry":{"type":"Point","coordinates":[105,26]}}'
    (folder / SECRET).write_text(f'{{"type":"FeatureCollection","features":[{point}]}}')
    layer = f'<OGRVRTLayer name="secret"><SrcDataSource>{folder / SECRET}</SrcDataSource></OGRVRTLayer>'
    return f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>"


@pytest.mark.parametrize("suffix", ["shp", "gpkg", "kml", "geojson", "tif", "gpx", "csv"])
@pytest.mark.parametrize("layer", ["leads", "tracks"])
def test_a_vrt_under_another_name_reads_nothing(tmp_path: Path, suffix: str, layer: str) -> None:
    path = tmp_path / f"innocent.{suffix}"
    path.write_text(vector_trap(tmp_path))
    with pytest.raises(FormatError, match="format_unknown"):
        formats.read(layer, path, Hints(datum="wgs84"))


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("走.fit", b"\x0e\x10\x8c\x00\x7c\x73\x00\x00.FIT\x00\x00", "Garmin FIT"),
        ("走.plt", b"OziExplorer Track Point File Version 2.1\r\nWGS 84\r\n", "OziExplorer"),
        ("表.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "XLS/DOC"),
        ("轨迹.gpx", b"Rar!\x1a\x07\x01\x00", "RAR"),
    ],
)
@pytest.mark.parametrize("layer", ["villages", "tracks"])
def test_a_known_format_that_is_not_read_is_refused_by_its_name(
    tmp_path: Path, name: str, head: bytes, kind: str, layer: str
) -> None:
    (tmp_path / name).write_bytes(head)
    with pytest.raises(FormatError, match="format_foreign") as refused:
        formats.read(layer, tmp_path / name, Hints(datum="wgs84"))
    assert kind in explain(refused.value)


@pytest.mark.parametrize("text", [RASTER, "<x/>", "plain"])
def test_a_raster_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "innocent.tif"
    path.write_text(text)
    with pytest.raises(GeoError):
        formats.read_terrain([path], county_frame((0, 0, 1000, 1000), 4544))


@pytest.mark.parametrize("library", ["fiona", "pyogrio", "rasterio"])
def test_no_library_opens_a_vrt_by_itself(tmp_path: Path, library: str) -> None:
    import fiona
    import pyogrio
    import rasterio

    path = tmp_path / "innocent.shp"
    path.write_text(RASTER if library == "rasterio" else vector_trap(tmp_path))
    opens = {"fiona": fiona.open, "pyogrio": pyogrio.read_dataframe, "rasterio": rasterio.open}
    known = (fiona.errors.FionaError, pyogrio.errors.DataSourceError, rasterio.errors.RasterioIOError)
    with pytest.raises(known):
        opens[library](path)


def test_a_zip_that_would_unpack_too_large_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("layer.shp", b"\0" * 40_000_000)
    with pytest.raises(FormatError, match="zip_too_large"):
        formats.read("townships", path)


def test_a_link_in_kml_is_counted_and_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    path.write_text('<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link/></NetworkLink></kml>')
    assert formats.read("leads", path).other_kinds == {"links": 1}


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, b"SQLite format 3\0", b"PK\x03\x04zz", b"{", b"<gpx>", b"\x00\x00\x27\x0a"]
)
def test_fragments_are_our_own_errors_or_counted(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(data)
    try:
        reading = formats.read("tracks", path, Hints(datum="wgs84"))
    except GeoError:
        return
    assert reading.read == reading.accepted + len(reading.refused)
