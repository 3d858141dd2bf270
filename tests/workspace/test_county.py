"""A county is laid down from township boundaries: its CRS, its frame, and the ground nobody was given."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.errors import StoreError
from geo.formats import Hints
from geo.words import explain
from geo.workspace import county as counties
from geo.workspace.covering import measure_borders, measure_coverage
from geo.workspace.register import responsibility_register

NOW = datetime(2026, 6, 1, tzinfo=UTC)
GUIZHOU = "boundaries/guizhou_county_amap_bijie_qianxinan.geojson"
NANTOU = "boundaries/township_nantou_13.geojson"


def ring_of_four(hole_m: float) -> gpd.GeoDataFrame:
    """Two townships around a square hole in the middle of a 10 km square."""
    square = shapely.box(500_000, 2_950_000, 510_000, 2_960_000)
    hole = shapely.box(505_000 - hole_m / 2, 2_955_000 - hole_m / 2, 505_000 + hole_m / 2, 2_955_000 + hole_m / 2)
    west = shapely.box(500_000, 2_950_000, 505_000, 2_960_000)
    shapes = [square.intersection(west).difference(hole), square.difference(west).difference(hole)]
    return gpd.GeoDataFrame({"name": ["甲", "乙"]}, geometry=shapes, crs=4544)


def test_a_hole_of_four_square_kilometres_is_unassigned_ground() -> None:
    left = counties.unassigned(ring_of_four(2000.0), gpd.GeoDataFrame())
    assert left.area.tolist() == pytest.approx([4e6], rel=1e-6)


def test_a_hole_narrower_than_the_line_is_no_ground() -> None:
    assert counties.unassigned(ring_of_four(40.0), gpd.GeoDataFrame()).empty


def test_a_hole_that_a_forest_farm_fills_is_assigned() -> None:
    farm = gpd.GeoDataFrame(geometry=[shapely.box(504_000, 2_954_000, 506_000, 2_956_000)], crs=4544)
    assert counties.unassigned(ring_of_four(2000.0), farm).empty


def test_jurisdictions_of_several_parts_are_named_with_their_number() -> None:
    table = ring_of_four(2000.0)
    table.loc[0, "geometry"] = shapely.MultiPolygon([shapely.box(0, 0, 1, 1), shapely.box(3, 3, 4, 4)])
    assert counties.scattered(table) == {"甲": 2}


def test_townships_that_overlap_beyond_their_lines_are_named_with_the_area() -> None:
    table = gpd.GeoDataFrame(
        {"township_id": ["1", "2", "3"], "name": ["甲", "乙", "丙"]},
        geometry=[shapely.box(0, 0, 1000, 1000), shapely.box(500, 0, 2000, 1000), shapely.box(1980, 0, 3000, 1000)],
        crs=4544,
    )
    assert counties.overlaps(table) == [{"unit_ids": ["1", "2"], "names": ["甲", "乙"], "km2": 0.5}]


def test_a_file_without_townships_leaves_no_folder(tmp_path: Path) -> None:
    points = tmp_path / "points.geojson"
    points.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    with pytest.raises(StoreError):
        counties.create(tmp_path / "county", [points], Hints(), name="", now=NOW)
    assert not (tmp_path / "county").exists()


@pytest.mark.real
def test_sixteen_real_jurisdictions_hold_one_hole_and_two_scattered_ones(real_data: Path, tmp_path: Path) -> None:
    county, readings = counties.create(tmp_path / "gz", [real_data / GUIZHOU], Hints(), name="", now=NOW)
    townships = county.store.read("townships")
    assert (len(townships), readings[0].read) == (16, 16)
    hole = counties.unassigned(townships, county.store.read("grounds"))
    assert len(hole) == 1
    assert 94e6 < hole.area.iloc[0] < 99e6
    west, south, east, north = hole.to_crs(4326).total_bounds
    assert 104.59 <= west < east <= 104.705
    assert 26.73 <= south < north <= 26.875
    assert counties.scattered(townships) == {"黔西市": 2, "安龙县": 2}


@pytest.mark.real
def test_the_real_hole_is_an_enclave_of_both_its_neighbours_and_nobodys_in_the_register(
    real_data: Path, tmp_path: Path
) -> None:
    county, _ = counties.create(tmp_path / "gz", [real_data / GUIZHOU], Hints(), name="", now=NOW)
    borders = measure_borders(county).borders
    around = borders[borders["neighbour_id"] == "enclave"]
    assert set(around["township_id"]) == {"520526", "520527"}
    register = responsibility_register(county).units
    ground = register[register["unit_kind"] == "enclave"]
    assert ground["nobody"].tolist() == [True]
    with pytest.raises(StoreError) as refusal:
        measure_coverage(county)
    assert refusal.value.code == "terrain_missing"


@pytest.mark.real
def test_thirteen_real_townships_fill_their_union(real_data: Path, tmp_path: Path) -> None:
    county, _ = counties.create(tmp_path / "nt", [real_data / NANTOU], Hints(), name="", now=NOW)
    townships = county.store.read("townships")
    assert len(townships) == 13
    assert np.isclose(townships.area.sum(), townships.union_all().area, rtol=1e-6)


@pytest.mark.parametrize(
    ("properties", "zh", "en"),
    [
        (['{"name": "甲"}'] * 2, "类型：缺少必填的内容", "kind: a required value is missing"),
        ([], "文件里没有本图层的记录", "nothing of this layer in the file"),
    ],
)
def test_why_no_boundary_was_taken_is_told_once_in_the_readers_language(
    tmp_path: Path, properties: list[str], zh: str, en: str
) -> None:
    square = '{"type": "Polygon", "coordinates": [[[105, 26], [105.1, 26], [105.1, 26.1], [105, 26]]]}'
    features = [f'{{"type": "Feature", "properties": {held}, "geometry": {square}}}' for held in properties]
    file = tmp_path / "a.geojson"
    file.write_text(f'{{"type": "FeatureCollection", "features": [{",".join(features)}]}}', encoding="utf-8")
    with pytest.raises(StoreError) as refused:
        counties.create(tmp_path / "county", [file], Hints(datum="wgs84"), name="甲县", now=NOW)
    assert explain(refused.value, "zh") == f"没有可用的乡镇界：{zh}"
    assert explain(refused.value, "en") == f"no township boundary could be used: {en}"
    assert not (tmp_path / "county").exists()
