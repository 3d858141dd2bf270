"""Records out: what the exporter may see, in the columns wanted, with a ledger entry; photos with their list."""

import csv
import io
import json
from pathlib import Path

import fiona
import openpyxl
import pyogrio
import pytest
from made_county import NOW, small_county

from geo.crs import gcj02_from_wgs84, to_degrees
from geo.errors import FormatError, LayerError
from geo.formats.table_out import csv_table, xlsx_table
from geo.settings import CampaignSettings, Settings
from geo.workspace.county import County, open_county
from geo.workspace.exporting import export_layers, export_photos
from geo.workspace.photographing import PhotoIn, add_photos
from geo.workspace.recording import record_visit
from geo.workspace.rights import Actor, Role


@pytest.fixture
def county(tmp_path: Path) -> County:
    columns = {"parcels": ("编号=parcel_id", "经度=longitude", "纬度=latitude", "备注")}
    settings = Settings(name="甲县", epsg=4544, campaign=CampaignSettings(columns=columns))
    small_county(tmp_path / "county", settings).close()
    made = open_county(tmp_path / "county")
    visit = {"parcel_id": "P1", "team_id": "T1", "visited_at": NOW, "outcome": "未发现", "evidence": "C"}
    record_visit(made.store, visit | {"reason": "=HYPERLINK(1)"}, now=NOW)
    return made


def lines(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_a_geopackage_holds_every_layer_asked_for(county: County, tmp_path: Path) -> None:
    """Read back whole by pyogrio and fiona; also a layer without places, and lines with times."""
    made = export_layers(county, ["parcels", "visits", "teams", "tracks"], "gpkg", now=NOW)
    file = tmp_path / "out.gpkg"
    file.write_bytes(made.files["踏查数据.gpkg"])
    assert made.rows_n == {"parcels": 3, "visits": 1, "teams": 1, "tracks": 1}
    for layer, n in made.rows_n.items():
        assert len(pyogrio.read_dataframe(file, layer=layer)) == n
        with fiona.open(file, layer=layer) as source:
            assert len(list(source)) == n
    assert made.files == export_layers(county, ["parcels", "visits", "teams", "tracks"], "gpkg", now=NOW).files


def test_the_ledger_notes_what_went_out(county: County) -> None:
    export_layers(county, ["parcels"], "csv", now=NOW)
    entry = county.store.head()
    assert (entry.kind, entry.body["rows_n"], list(entry.body["files"])) == ("export", {"parcels": 3}, ["parcels.csv"])
    assert county.store.verify().ok


def test_columns_follow_the_upstream_form_in_its_datum(county: County) -> None:
    """From county.toml, or as asked; an empty column stays empty; GCJ-02 is told in GCJ-02."""
    rows = lines(export_layers(county, ["parcels"], "csv", now=NOW, datum="gcj02").files["parcels.csv"])
    assert list(rows[0]) == ["编号", "经度", "纬度", "备注"]
    place = county.store.read("parcels").geometry.iloc[0].representative_point()
    told = gcj02_from_wgs84(*to_degrees(place.x, place.y, county.crs))
    assert (float(rows[0]["经度"]), float(rows[0]["纬度"])) == pytest.approx([float(v) for v in told], abs=1e-6)
    assert rows[0]["备注"] == ""
    asked = export_layers(county, ["parcels"], "xlsx", now=NOW, columns=["地块=parcel_id", "东=easting_m"])
    book = openpyxl.load_workbook(io.BytesIO(asked.files["parcels.xlsx"]))
    assert [cell.value for cell in book.worksheets[0][1]] == ["地块", "东"]
    assert book.worksheets[0]["B2"].value == pytest.approx(place.x, abs=0.01)
    assert county.store.entries()[-2].hash in str([cell.value for row in book["说明"].iter_rows() for cell in row])


def test_text_is_never_a_formula(county: County) -> None:
    row = lines(export_layers(county, ["visits"], "csv", now=NOW).files["visits.csv"])[0]
    assert row["reason"] == "'=HYPERLINK(1)"
    assert csv_table(["a"], [["-1+1"], [-1.5]]).decode("utf-8-sig") == "a\r\n'-1+1\r\n-1.5\r\n"
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_table(["a"], [["=1+1"]], name="x"))).worksheets[0]
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("=1+1", "s")


def test_roles_take_what_they_may_see(county: County) -> None:
    """A team without orders gets no plot; the committee gets squares of a kilometre, not places."""
    team = open_county(county.path, Actor(Role.TEAM, ("T1",), "队一"))
    assert export_layers(team, ["parcels"], "csv", now=NOW).rows_n == {"parcels": 0}
    assert county.store.head().body["account"] == "队一"
    committee = open_county(county.path, Actor(Role.COMMITTEE))
    plain = json.loads(export_layers(committee, ["parcels"], "geojson", now=NOW).files["parcels.geojson"])
    assert {feature["geometry"]["type"] for feature in plain["features"]} == {"Point"}
    assert len({str(feature["geometry"]["coordinates"]) for feature in plain["features"]}) == 1


def test_photos_go_out_by_plot_with_a_list(county: County) -> None:
    add_photos(county, [PhotoIn("a.heic", b"\0\0\0\x18ftypheic" + bytes(9), {"parcel_id": "P1"}, "T1")], now=NOW)
    made = export_photos(county, now=NOW)
    (name,) = (name for name in made.files if name != "照片清单.csv")
    assert name.startswith("P1/现场_无时间_")
    assert lines(made.files["照片清单.csv"])[0]["照片文件"] == name


@pytest.mark.parametrize(
    ("layer", "form", "columns", "code"),
    [
        ("nothing", "csv", (), "layer_unknown"),
        ("parcels", "shp", (), "export_form"),
        ("parcels", "csv", ("x=nothing",), "export_field"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_words(county: County, layer, form, columns, code) -> None:
    with pytest.raises((LayerError, FormatError)) as refused:
        export_layers(county, [layer], form, now=NOW, columns=columns)
    assert refused.value.code == code
