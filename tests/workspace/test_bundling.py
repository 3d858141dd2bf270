"""Bundles out: what a township gets, that it gets nothing of others, and what it packs to bring back."""

import io
import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import openpyxl
import pytest
from bundle_county import NOW, OTHER, TOWN, gpx, standing, with_targets
from lxml import etree

from geo.errors import FormatError, GeoError, StoreError
from geo.formats.bundle import opened
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change
from geo.words import explain
from geo.workspace.bundling import bundle_out, key_for, open_bundle, pack_return
from geo.workspace.county import County, open_county
from geo.workspace.merging import bundle_in
from geo.workspace.ordering import issue_orders
from geo.workspace.planning import accept_plan, plan_day

GPX = "{http://www.topografix.com/GPX/1/1}"


@pytest.fixture
def county(village_county: County) -> County:
    issue_orders(village_county, 1, now=datetime(2026, 1, 5, tzinfo=UTC))
    return with_targets(village_county)


def texts(files: dict[str, bytes]) -> str:
    """Every text in the files, those inside workbooks too."""
    said = []
    for content in files.values():
        if content[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                said += [book.read(name).decode() for name in book.namelist() if name.endswith(".xml")]
        else:
            said.append(content.decode())
    return "\n".join(said)


def test_a_township_gets_its_own_targets_and_forms_and_nothing_of_others(county: County) -> None:
    """Its plots in GPX, KML and GeoJSON, its village form and its target form; no id of the neighbour anywhere."""
    manifest, content = bundle_out(county, TOWN, now=NOW)
    _, files = opened(content, "b.zip", key_for(county, TOWN))
    assert sorted(files) == [
        "forms/踏查记录表-第1轮-凉水乡.xlsx", "forms/靶标与发现登记表-凉水乡.xlsx", "targets/targets.geojson",
        "targets/targets.gpx", "targets/targets.kml", "township.geojson", "说明.txt",
    ]  # fmt: skip
    names = [point.findtext(f"{GPX}name") for point in etree.fromstring(files["targets/targets.gpx"]).iter(f"{GPX}wpt")]
    assert names == ["靶P1", "靶P2", "靶P3"]
    assert gpd.read_file(io.BytesIO(files["targets/targets.geojson"]))["parcel_id"].tolist() == ["靶P1", "靶P2", "靶P3"]
    said = texts(files)
    assert "靶P3" in said
    assert not any(word in said for word in ("靶Q1", OTHER, "白岩镇", "岩脚村", "T2", "suspicion"))
    assert manifest.ledger_head is not None


def test_a_closed_plot_stays_at_home(county: County) -> None:
    parcels = county.store.read("parcels", ["靶P2"])
    county.store.append(Entry("x"), Change("parcels", parcels.assign(status="closed"), replace=True), now=NOW)
    _, content = bundle_out(county, TOWN, now=NOW)
    assert "靶P2" not in texts(opened(content, "b.zip", key_for(county, TOWN))[1])


def test_the_ledger_notes_what_went_out(county: County) -> None:
    """To whom, which bundle, and the fingerprint of every file."""
    manifest, content = bundle_out(county, TOWN, now=NOW)
    last = county.store.entries()[-1]
    assert (last.kind, last.body["bundle_id"], last.body["township_id"]) == ("bundle_out", manifest.id, TOWN)
    assert last.body["files"] == opened(content, "b.zip", key_for(county, TOWN))[0].files


def test_the_key_lies_in_the_county_alone_and_only_its_owner_reads_it(county: County) -> None:
    """Made once, 0600, the same ever after; another township has another."""
    key = key_for(county, TOWN)
    file = county.path / "bundle.key"
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_for(open_county(county.path), TOWN) == key != key_for(county, OTHER)
    files = opened(bundle_out(county, TOWN, now=NOW)[1], "b.zip", key)[1]
    assert not {file.read_text().strip(), key.hex()} & set(texts(files).split())
    with pytest.raises(StoreError, match="township_unknown"):
        key_for(county, "999")


def test_a_township_works_offline_and_what_it_brings_goes_in(county: County, tmp_path: Path) -> None:
    """Opened, the forms typed in, a walk and a picture added, packed, taken in: the whole way round."""
    key, find = key_for(county, TOWN), standing(county)
    file = tmp_path / "out.zip"
    file.write_bytes(bundle_out(county, TOWN, now=NOW)[1])
    folder = tmp_path / "work"
    open_bundle(file, key, folder)
    form = folder / "forms" / "靶标与发现登记表-凉水乡.xlsx"
    book = openpyxl.load_workbook(form)
    type_in(book.worksheets[0], 0, {"踏查日期": "2026-04-03", "队伍代码": "T1", "结果": "未发现", "照片文件": "a.jpg"})
    type_in(book.worksheets[1], 0, {"铲除方式": "强制铲除", "铲除时间": "2026-04-04", "铲除后照片": "a.jpg"})
    place = {"经度": 105.02, "纬度": 26.70, "队伍代码": "T1", "发现时间": "2026-04-03", "株数": 7, "生长期": "开花期"}
    type_in(book.worksheets[1], 1, place | {"照片文件": "a.jpg"})
    book.save(form)
    (folder / "tracks" / "T1").mkdir()
    (folder / "tracks" / "T1" / "w.gpx").write_bytes(gpx(county, 0.0))
    (folder / "photos" / "a.jpg").write_bytes(b"\xff\xd8x")
    manifest, content = pack_return(folder, key, now=NOW)
    back = tmp_path / "back.zip"
    back.write_bytes(content)
    merged = bundle_in(county, back, now=NOW)
    refused = {file.file: [(r.row, r.field, r.code) for r in file.refused] for file in merged.report.files}
    assert not any(refused.values()), refused
    assert merged.new == {"tracks": 1, "visits": 1, "finds": 1, "photos": 3}
    held = county.store.read("finds").set_index("find_id")
    assert (held.loc[find, "fraction"], held["photo_sha256"].notna().sum()) == (1.0, 1)
    assert county.store.read("parcels").set_index("parcel_id")["status"].to_dict() == {
        "靶P1": "visited", "靶P2": "flagged", "靶P3": "eradicated", "靶Q1": "flagged",
    }  # fmt: skip
    assert manifest.answers == county.store.entries()[-2].body["bundle_id"] == merged.manifest.answers
    pack = pack_return(folder, key, now=datetime(2026, 4, 22, tzinfo=UTC))[1]
    back.write_bytes(pack)
    assert bundle_in(county, back, now=datetime(2026, 4, 22, tzinfo=UTC)).entry is None


def type_in(sheet: object, line: int, values: dict[str, object]) -> None:
    """Values into a line of a form, by their heads (line 0 is the first below them)."""
    upper, lower = ([cell.value for cell in sheet[n]] for n in (3, 4))  # type: ignore[index]
    heads = [two or one for one, two in zip(upper, lower, strict=True)]
    for head, value in values.items():
        sheet.cell(5 + line, heads.index(head) + 1, value)  # type: ignore[attr-defined]


def test_a_bundle_is_not_laid_over_other_files_and_its_own_is_not_taken_for_a_return(
    county: County, tmp_path: Path
) -> None:
    """A folder that holds something, a key that does not fit, an outgoing bundle brought back as it is."""
    file = tmp_path / "out.zip"
    file.write_bytes(bundle_out(county, TOWN, now=NOW)[1])
    with pytest.raises(FormatError, match="bundle_folder_taken"):
        open_bundle(file, key_for(county, TOWN), tmp_path)
    with pytest.raises(FormatError, match="bundle_tampered"):
        open_bundle(file, key_for(county, OTHER), tmp_path / "new")
    assert not (tmp_path / "new").exists()
    with pytest.raises(FormatError, match="bundle_outgoing"):
        bundle_in(county, file, now=NOW)


def test_what_has_no_place_in_a_return_is_said_before_it_is_packed(county: County, tmp_path: Path) -> None:
    """No bundle's folder, nothing in it, a program among the pictures; office lock files are left behind."""
    key = key_for(county, TOWN)
    file, folder = tmp_path / "out.zip", tmp_path / "work"
    file.write_bytes(bundle_out(county, TOWN, now=NOW)[1])

    def refused() -> str:
        with pytest.raises(GeoError) as told:
            pack_return(folder, key, now=NOW)
        assert "\n" not in explain(told.value)
        return told.value.code

    assert refused() == "bundle_folder_foreign"
    open_bundle(file, key, folder)
    (folder / "photos" / "x.exe").write_bytes(b"MZ")
    assert refused() == "bundle_file_foreign"
    (folder / "photos" / "x.exe").unlink()
    (folder / "forms" / "~$靶标.xlsx").write_bytes(b"lock")
    assert not any("~$" in name for name in pack_return(folder, key, now=NOW)[0].files)
    shutil.rmtree(folder / "forms")
    assert refused() == "bundle_nothing"


def test_the_routes_are_those_of_the_townships_own_teams(demo_copy: Path, tmp_path: Path) -> None:
    """On the demo county: one route per team of the township, readable by GDAL, and no stop at a neighbour's plot."""
    county = open_county(demo_copy)
    where = ["529901001", "529901003"]
    accept_plan(county, plan_day(county, day="2026-04-12", township_ids=where), now=datetime(2026, 5, 21, tzinfo=UTC))
    _, content = bundle_out(county, where[0], now=datetime(2026, 5, 21, tzinfo=UTC))
    files = opened(content, "b.zip", key_for(county, where[0]))[1]
    routes = [name for name in files if name.startswith("routes/") and name.endswith("-track.gpx")]
    assert routes == [f"routes/2026-04-12-{where[0]}-{where[0]}-T01-track.gpx"]
    (tmp_path / "r.gpx").write_bytes(files[routes[0]])
    done = subprocess.run(["ogrinfo", "-so", "-al", tmp_path / "r.gpx"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    others = county.store.read("parcels")
    others = others.loc[others["township_id"].notna() & (others["township_id"] != where[0]), "parcel_id"]
    targets = {name: content for name, content in files.items() if not name.startswith("routes/")}
    said = texts(targets)
    assert len(others)
    assert not [key for key in others if f">{key}<" in said or f'"{key}"' in said]


def test_a_plot_without_a_township_goes_to_the_one_it_lies_in(county: County) -> None:
    parcels = SCHEMAS["parcels"].conform(gpd.GeoDataFrame(county.store.read("parcels", ["靶Q1"])))
    loose = parcels.assign(township_id=None)
    county.store.append(Entry("x"), Change("parcels", loose, replace=True), now=NOW)
    held = {}
    for town in (TOWN, OTHER):
        content = bundle_out(county, town, now=NOW)[1]
        held[town] = "靶Q1" in texts(opened(content, "b.zip", key_for(county, town))[1])
    assert held == {TOWN: False, OTHER: True}


def test_the_manifest_in_an_opened_folder_names_the_bundle(county: County, tmp_path: Path) -> None:
    file = tmp_path / "out.zip"
    manifest, content = bundle_out(county, TOWN, now=NOW)
    file.write_bytes(content)
    open_bundle(file, key_for(county, TOWN), tmp_path / "w")
    assert json.loads((tmp_path / "w" / "manifest.json").read_text("utf-8"))["bundle_id"] == manifest.id
