"""Boundaries, villages, parcels and terrain on small files of our own, with answers worked by hand."""

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pytest
import rasterio
import shapely
from affine import Affine

from geo import formats
from geo.crs import gcj02_from_wgs84, to_metric
from geo.errors import DatumError, GeoError
from geo.formats import Hints
from geo.formats.raster import windows
from geo.grid import Frame, county_frame

SQUARE = [[[105.0, 26.0], [105.1, 26.0], [105.1, 26.1], [105.0, 26.1], [105.0, 26.0]]]
BOWTIE = [[[105.0, 26.0], [105.1, 26.1], [105.1, 26.0], [105.0, 26.1], [105.0, 26.0]]]


def geojson(folder: Path, features: list[tuple[dict[str, object], object]]) -> Path:
    path = folder / "a.geojson"
    held = [{"type": "Feature", "properties": p, "geometry": g} for p, g in features]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": held}), encoding="utf-8")
    return path


def test_townships_get_code_kind_and_multipolygon(tmp_path: Path) -> None:
    area = {"type": "Polygon", "coordinates": SQUARE}
    rows = formats.read("townships", geojson(tmp_path, [({"name": "文昌街道办事处", "code": 520525002000}, area)])).rows
    assert rows[["township_id", "kind"]].to_numpy().tolist() == [["520525002", "街道"]]
    assert rows.geometry.geom_type.tolist() == ["MultiPolygon"]


def test_a_bowtie_is_repaired_with_a_warning_and_a_line_is_refused(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": SQUARE[0]}
    features = [
        ({"name": "甲乡", "id": "1"}, {"type": "Polygon", "coordinates": BOWTIE}),
        ({"name": "乙乡", "id": "2"}, line),
    ]
    reading = formats.read("townships", geojson(tmp_path, features))
    assert reading.warnings == ("geometry_repaired",)
    assert [(r.row, r.code) for r in reading.refused] == [(2, "geometry_kind")]


def test_gcj02_coordinates_come_back_to_where_they_were(tmp_path: Path) -> None:
    lon, lat = gcj02_from_wgs84(105.3, 26.7)
    path = tmp_path / "villages.csv"
    path.write_text(
        f"村代码,乡镇代码,村名,经度,纬度\n520525001001,520525001,上寨,{lon:.9f},{lat:.9f}\n", encoding="gb18030"
    )
    reading = formats.read("villages", path, Hints(crs=4544, datum="gcj02"))
    x, y = to_metric(105.3, 26.7, 4544)
    assert reading.encoding == "gb18030"
    assert shapely.distance(reading.rows.geometry.iloc[0], shapely.Point(x, y)) < 0.01


def test_a_table_with_coordinates_must_say_their_datum(tmp_path: Path) -> None:
    path = tmp_path / "villages.csv"
    path.write_text("村代码,乡镇代码,村名,经度,纬度\n1,2,上寨,105,26\n", encoding="utf-8")
    with pytest.raises(DatumError, match="datum_needed"):
        formats.read("villages", path)


@pytest.mark.parametrize("datum", ["epsg:2345", "epsg:4610", "epsg:4214", "epsg:2422"])
def test_xian_80_and_beijing_54_are_refused(tmp_path: Path, datum: str) -> None:
    path = geojson(tmp_path, [({"name": "甲乡"}, {"type": "Polygon", "coordinates": SQUARE})])
    with pytest.raises(DatumError, match="datum_unsupported"):
        formats.read("townships", path, Hints(datum=datum))


def test_a_workbook_of_parcels_is_read_with_codes_as_text(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["靶标编号", "来源", "下发日期", "经度", "纬度"],
        ["0012", "卫星", "2026/3/5", "105°30'36\"", 26.5],
        ["0013", "卫星", "2026-03-05", "x", 26],
    ):
        sheet.append(row)
    book.save(tmp_path / "p.xlsx")
    reading = formats.read("parcels", tmp_path / "p.xlsx", Hints(datum="wgs84"))
    assert reading.rows[["parcel_id", "source", "status"]].to_numpy().tolist() == [["0012", "satellite", "flagged"]]
    assert reading.rows.geometry.iloc[0].x == pytest.approx(105.51)
    assert [(r.row, r.code) for r in reading.refused] == [(2, "coordinate_bad")]


def test_a_shapefile_in_gbk_without_cpg_or_index_keeps_its_names(tmp_path: Path) -> None:
    area = shapely.Polygon(SQUARE[0])
    gpd.GeoDataFrame({"name": ["中岭镇"], "code": ["520525105"]}, geometry=[area], crs=4326).to_file(
        tmp_path / "t.shp", encoding="GBK"
    )
    (tmp_path / "t.cpg").unlink()
    (tmp_path / "t.shx").unlink()
    reading = formats.read("townships", tmp_path / "t.shp")
    assert reading.rows["name"].tolist() == ["中岭镇"]
    assert not (tmp_path / "t.shx").exists()


def test_boundary_lines_become_areas_named_by_the_points_inside(tmp_path: Path) -> None:
    lines = [[[105, 26], [107, 26], [107, 27], [105, 27], [105, 26]], [[106, 26], [106, 27]], [[105, 27], [104, 28]]]
    path = geojson(tmp_path, [({}, {"type": "LineString", "coordinates": line}) for line in lines])
    table = tmp_path / "names.csv"
    table.write_text(
        "code,name,lon,lat\n520525101000,甲镇,105.5,26.5\n520525202000,乙乡,106.5,26.5\n", encoding="utf-8"
    )
    reading = formats.read("townships", path, Hints(datum="wgs84", name_table=table))
    areas = reading.rows.set_index("name")
    assert areas.loc["甲镇", "geometry"].bounds == (105, 26, 106, 27)
    assert areas.loc["乙乡", "township_id"] == "520525202"
    assert (reading.read, [r.code for r in reading.refused]) == (3, ["line_dangling"])


def raster(path: Path, values: np.ndarray, frame: Frame, *, nodata: float | None = None, crs: int = 4544) -> Path:
    held = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": values.dtype}
    with rasterio.open(path, "w", **held, crs=crs, transform=frame.transform, nodata=nodata) as out:
        out.write(values, 1)
    return path


def test_terrain_on_the_same_frame_is_kept_and_voids_stay_void(tmp_path: Path) -> None:
    frame = county_frame((530_000, 2_960_000, 530_500, 2_960_500), 4544)
    values = np.add.outer(np.arange(frame.rows), np.arange(frame.cols)).astype(np.float32)
    values[5:20, 5:20] = -99999
    grid, cell_m, sources = formats.read_terrain([raster(tmp_path / "d.tif", values, frame, nodata=-99999)], frame)
    assert cell_m == 10
    assert np.isnan(grid.values[8:17, 8:17]).all()
    np.testing.assert_allclose(grid.values[40:, 40:], values[40:, 40:], atol=1e-3)
    assert len(sources[0].sha256) == 64


def test_two_sheets_are_joined_and_a_far_one_is_refused(tmp_path: Path) -> None:
    frame = county_frame((530_000, 2_960_000, 530_500, 2_960_500), 4544)
    half = frame.cols // 2
    pieces = [frame.window(0, 0, frame.rows, half), frame.window(0, half, frame.rows, half)]
    paths = [
        raster(tmp_path / f"{n}.tif", np.full(piece.shape, 100.0 * (n + 1), np.float32), piece)
        for n, piece in enumerate(pieces)
    ]
    grid, _, _ = formats.read_terrain(paths, frame)
    assert np.nanmin(grid.values) == 100
    assert np.nanmax(grid.values) == 200
    assert np.isfinite(grid.values).all()
    with pytest.raises(GeoError, match="raster_outside"):
        formats.read_terrain(paths, county_frame((630_000, 2_960_000, 630_500, 2_960_500), 4544))


def test_a_rotated_raster_lands_where_its_transform_says(tmp_path: Path) -> None:
    frame = county_frame((530_000, 2_960_000, 530_500, 2_960_500), 4544)
    turn = Affine.rotation(30) @ Affine.scale(10, -10) @ Affine.translation(-100, -100)
    turned = Affine.translation(530_250, 2_960_250) @ turn
    path = tmp_path / "r.tif"
    values = np.full((200, 200), 700.0, np.float32)
    held = {"driver": "GTiff", "height": 200, "width": 200, "count": 1, "dtype": "float32", "crs": 4544}
    with rasterio.open(path, "w", **held, transform=turned) as out:
        out.write(values, 1)
    grid, _, _ = formats.read_terrain([path], frame)
    row, col = frame.cells(530_250, 2_960_250)
    assert grid.values[row, col] == pytest.approx(700)


def test_windows_of_two_scenes_tile_the_frame(tmp_path: Path) -> None:
    frame = county_frame((530_000, 2_960_000, 530_500, 2_960_500), 4544)
    paths = [raster(tmp_path / f"{n}.tif", np.full(frame.shape, n + 1.0, np.float32), frame) for n in range(2)]
    tiles = list(windows(paths, frame, bands=[1], tile_cells=100))
    assert sum(tile.rows * tile.cols for tile, _ in tiles) == frame.rows * frame.cols
    assert all((values[0] == 1).all() and (values[1] == 2).all() for _, values in tiles)


@pytest.mark.parametrize("surveyed", [False, True], ids=["degrees", "northing first"])
def test_lines_with_chinese_columns_and_names_in_other_coordinates_become_areas(tmp_path: Path, surveyed: bool) -> None:
    """Boundary lines in zone 35 with prefix, GB18030 without .cpg; the name table in degrees or as surveyors write."""
    ring = shapely.box(35_500_000, 2_940_000, 35_510_000, 2_950_000).exterior
    wall = shapely.LineString([(35_505_000, 2_940_000), (35_505_000, 2_950_000)])
    lines = gpd.GeoDataFrame({"线号": ["1", "2"]}, geometry=[ring, wall], crs=4523)
    lines.to_file(tmp_path / "界线.shp", encoding="GB18030")
    (tmp_path / "界线.cpg").unlink()
    points = gpd.GeoSeries(shapely.points([(35_502_000, 2_945_000)]), crs=4523)
    place = (points.y[0], points.x[0]) if surveyed else points.to_crs(4326)[0].coords[0]
    head = "X,Y" if surveyed else "经度,纬度"
    (tmp_path / "名称.csv").write_text(f"名称,代码,{head}\n甲镇,529901001,{place[0]},{place[1]}\n", encoding="gb18030")
    reading = formats.read("townships", tmp_path / "界线.shp", Hints(name_table=tmp_path / "名称.csv"))
    assert reading.rows["name"].tolist() == ["甲镇"]
    assert (reading.read, [r.code for r in reading.refused]) == (2, ["value_missing"])  # the other half has no name


def test_columns_cut_by_a_shapefile_are_known(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame(
        {"township_i": ["529901001"], "name": ["甲镇"], "source_dat": ["2026-01-01"]},
        geometry=[shapely.box(105, 26, 105.1, 26.1)],
        crs=4326,
    )
    table.to_file(tmp_path / "a.shp")
    held = formats.read("townships", tmp_path / "a.shp").rows.iloc[0]
    assert (held["township_id"], held["source_date"]) == ("529901001", "2026-01-01")


def test_shadows_in_a_zip_are_no_layers(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"name": ["甲镇"]}, geometry=[shapely.box(105, 26, 105.1, 26.1)], crs=4326)
    table.to_file(tmp_path / "a.shp")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("__MACOSX/内/._a.shp", b"x" * 200)
        for suffix in (".shp", ".shx", ".dbf", ".prj"):
            archive.write(tmp_path / f"a{suffix}", f"内/a{suffix}")
    assert formats.read("townships", tmp_path / "a.zip").accepted == 1


def test_an_old_ellipsoid_under_any_name_is_refused(tmp_path: Path) -> None:
    table = gpd.GeoDataFrame({"name": ["甲镇"]}, geometry=[shapely.box(105, 26, 105.1, 26.1)], crs=4326)
    table.to_file(tmp_path / "a.shp")
    (tmp_path / "a.prj").write_text(
        'GEOGCS["自定义",DATUM["D_Local",SPHEROID["Krasovsky_1940",6378245.0,298.3]],PRIMEM["Greenwich",0.0],'
        'UNIT["Degree",0.0174532925199433]]',
        encoding="utf-8",
    )
    with pytest.raises(DatumError, match=r"local parameters|当地|datum_unsupported"):
        formats.read("townships", tmp_path / "a.shp")
