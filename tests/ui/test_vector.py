"""Vector tiles are what GDAL reads back from them."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geo.ui import vector

RNG_SEED = 3
PLACE = (12, 3245, 1733)
"""A tile near 105.2 E, 26.9 N."""


def on_tile(
    points: "np.ndarray[tuple[int, int], np.dtype[np.float64]]",
) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """Places given as shares of the tile's width and height, metres of EPSG:3857."""
    west, south, east, north = vector.tile_bounds(*PLACE)
    return np.column_stack([west + points[:, 0] * (east - west), south + points[:, 1] * (north - south)])


def read(tile: bytes, layer: str, folder: Path) -> gpd.GeoDataFrame:
    """The tile as GDAL reads it, in units of the tile (0 to 4,096, north up)."""
    file = folder / "0.pbf"
    file.write_bytes(tile)
    return pyogrio.read_dataframe(file, layer=layer, CLIP="NO")


def indexed(shapes: list[shapely.Geometry], **columns: object) -> vector.Indexed:
    table = pd.DataFrame(columns, index=range(len(shapes)))
    return vector.Indexed(np.array(shapes, object), table)


def test_points_come_back_where_they_lie_with_their_properties(tmp_path: Path) -> None:
    share = np.random.default_rng(RNG_SEED).random((50, 2))
    rows = indexed(list(shapely.points(on_tile(share))), label=[f"块{n}" for n in range(50)], t=np.arange(50) - 20)
    got = read(vector.tile({"parcels": rows}, *PLACE), "parcels", tmp_path)
    assert got["label"].tolist() == [f"块{n}" for n in range(50)]
    assert got["t"].tolist() == list(range(-20, 30))
    assert np.abs(np.column_stack([got.geometry.x, got.geometry.y]) - share * 4096).max() <= 0.5001


def test_lines_are_clipped_a_little_beyond_the_tile(tmp_path: Path) -> None:
    walk = shapely.LineString(on_tile(np.array([[-2.0, 0.25], [0.5, 0.5], [0.5, 0.75], [3.0, 0.75]])))
    got = read(vector.tile({"tracks": indexed([walk], t=[7])}, *PLACE), "tracks", tmp_path)
    west, south, east, north = got.total_bounds / 4096
    edge = vector.BUFFER_PX / vector.PX
    assert (west, east) == pytest.approx((-edge, 1 + edge), abs=1e-3)
    assert (south, north) == pytest.approx((0.25 + (2 - edge) * 0.1, 0.75), abs=1e-3)
    wanted = shapely.LineString([(-edge, 0.25 + (2 - edge) * 0.1), (0.5, 0.5), (0.5, 0.75), (1 + edge, 0.75)])
    assert got.geometry.iloc[0].hausdorff_distance(shapely.transform(wanted, lambda p: p * 4096)) < 3.0


def test_an_area_with_a_hole_keeps_it(tmp_path: Path) -> None:
    ring, hole = shapely.box(0.1, 0.1, 0.9, 0.9), shapely.box(0.4, 0.4, 0.6, 0.6)
    area = shapely.transform(ring.difference(hole), on_tile)
    got = read(vector.tile({"spots": indexed([area, area], label="甲")}, *PLACE), "spots", tmp_path)
    assert len(got) == 2
    assert got.geometry.iloc[1].area == pytest.approx((0.64 - 0.04) * 4096**2, rel=1e-3)
    assert got.geometry.is_valid.all()


def test_where_nothing_lies_a_tile_is_empty() -> None:
    rows = indexed([shapely.Point(0.0, 0.0)], t=[1])
    assert vector.tile({"parcels": rows}, *PLACE) == b""
    assert vector.tile({"parcels": vector.Indexed(np.zeros(0, object), pd.DataFrame())}, *PLACE) == b""


def test_of_alike_marks_on_one_spot_a_crowded_tile_draws_one(tmp_path: Path) -> None:
    share = np.tile([[0.5, 0.5]], (900, 1))
    shape = ["disc"] * 600 + ["cross"] * 300
    rows = indexed(list(shapely.points(on_tile(share))), shape=shape, colour="#000", label="名")
    got = read(vector.tile({"parcels": rows}, *PLACE), "parcels", tmp_path)
    assert sorted(got["shape"]) == ["cross", "disc"]


def test_a_crowded_tile_carries_no_names(tmp_path: Path) -> None:
    share = np.random.default_rng(RNG_SEED).random((3000, 2))
    rows = indexed(list(shapely.points(on_tile(share))), shape="disc", label=[str(n) for n in range(3000)])
    got = read(vector.tile({"parcels": rows}, *PLACE), "parcels", tmp_path)
    assert len(got) > vector.LABELLED
    assert "label" not in got.columns


def test_a_coarser_level_keeps_lines_within_half_a_pixel() -> None:
    steps = np.cumsum(np.random.default_rng(RNG_SEED).normal(0, 12, (400, 2)), axis=0)
    walk = shapely.LineString(on_tile(np.array([[0.5, 0.5]])) + steps)
    rows = indexed([walk], t=[0])
    for z in (14, 11):
        made = rows.level(z)[0][0]
        assert made.hausdorff_distance(walk) <= 1.01 * vector.WORLD_M / 2**z / vector.PX
        assert len(made.coords) < 400


def test_in_a_crowded_tile_the_tracks_of_a_month_are_one_line_of_all_of_them(tmp_path: Path) -> None:
    rng = np.random.default_rng(RNG_SEED)
    share = rng.random((600, 2, 2))
    walks = [shapely.LineString(on_tile(one)) for one in share]
    months = np.where(np.arange(600) % 3 == 0, 31, 0)
    got = read(vector.tile({"tracks": indexed(walks, t=months + 5, m=months)}, *PLACE), "tracks", tmp_path)
    assert got["t"].tolist() == [0, 31]
    assert [len(shape.geoms) for shape in got.geometry] == [400, 200]
    wanted = shapely.MultiLineString([shapely.LineString(one * 4096) for one in share[::3]])
    assert got.geometry.iloc[1].hausdorff_distance(wanted) < 5.0
