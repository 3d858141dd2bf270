"""Made-up jurisdictions keep every promise a real boundary layer breaks."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo.demo import SIZES, as_geojson, boundaries, townships
from geo.demo.sizes import stream
from geo.grid import county_frame
from geo.layers import SCHEMAS
from geo.settings import Settings

FILE = Path(__file__).parents[2] / "data" / "boundaries" / "townships.geojson"


@pytest.mark.parametrize("seed", range(6))
def test_jurisdictions_tile_without_gap_or_overlap(seed: int) -> None:
    """Shared edges share every vertex, the exclave's and the neighbour's too."""
    table, neighbour = boundaries.jurisdictions(SIZES["small"], seed)
    whole = np.append(table.geometry.to_numpy(), neighbour.geometry.to_numpy())
    assert shapely.coverage_is_valid(whole)
    assert shapely.is_valid(whole).all()
    union = shapely.union_all(table.geometry.to_numpy())
    assert union.geom_type == "Polygon"
    assert not union.interiors


def test_the_partition_is_a_coverage_before_the_exclave_too() -> None:
    """The raster partition alone already tiles; one piece per township."""
    rng = stream(SIZES["small"], 7, "boundaries")
    labels, transform = boundaries.lattice(SIZES["small"], rng)
    shapes = boundaries.coverage(labels, transform, rng)
    assert shapely.coverage_is_valid(shapes)
    assert {len(shape.geoms) for shape in shapes} == {1}


@pytest.mark.parametrize(("size", "count", "low", "high"), [("small", 7, 105, 120), ("full", 25, 2450, 2550)])
def test_areas_and_counts_are_as_stated(size: str, count: int, low: float, high: float) -> None:
    """Number of townships, and the county's area in km2."""
    table = townships(size)
    SCHEMAS["townships"].check(table)
    assert len(table) == table["township_id"].nunique() == table["name"].nunique() == count
    assert low < table.area.sum() / 1e6 < high
    assert table["township_id"].str.fullmatch(r"\d{9}").all()


def test_one_township_has_a_part_inside_another() -> None:
    """The exclave: two parts, the second enclosed by exactly one other township."""
    table = townships("small")
    split = table[table.geometry.map(lambda shape: len(shape.geoms)) == 2]
    assert len(split) == 1
    part = min(split.geometry.iloc[0].geoms, key=lambda shape: shape.area)
    around = table[
        table.geometry.map(lambda shape: any(ring.intersects(part) for p in shape.geoms for ring in p.interiors))
    ]
    assert len(around) == 1
    assert part.area > 1e5


def test_two_tri_points_lie_close_together() -> None:
    """Near the middle two points where three townships meet are less than 600 m apart."""
    table = townships("small")
    corners, counts = np.unique(
        np.vstack([np.unique(shapely.get_coordinates(shape), axis=0) for shape in table.geometry]),
        axis=0,
        return_counts=True,
    )
    triple = corners[counts >= 3]
    apart = np.hypot(*(triple[:, None] - triple[None]).transpose(2, 0, 1))
    assert (counts >= 4).any() or apart[apart > 0].min() < 600.0


def test_the_neighbour_is_known_along_one_side_only() -> None:
    """Between a tenth and a half of the county's outline has a known neighbour."""
    table, neighbour = boundaries.jurisdictions(SIZES["small"], 7)
    outline = shapely.union_all(table.geometry.to_numpy()).exterior
    shared = shapely.intersection(outline, neighbour.geometry.iloc[0].boundary).length
    assert 0.1 < shared / outline.length < 0.5


def test_the_committed_file_is_what_the_seed_gives() -> None:
    """data/boundaries is regenerated from the seed: same rows, same places to a metre."""
    text = FILE.read_text(encoding="utf-8")
    assert len(text.encode()) < 200_000
    made = json.loads(as_geojson(townships("full")))
    for one, other in zip(json.loads(text)["features"], made["features"], strict=True):
        assert one["properties"] == other["properties"]
        difference = shapely.symmetric_difference(*(shapely.geometry.shape(f["geometry"]) for f in (one, other)))
        assert difference.area < 1e-8


def test_the_committed_file_is_a_valid_coverage_in_degrees() -> None:
    """Rounding to 1e-6 degrees keeps shared edges shared."""
    table = gpd.GeoDataFrame.from_features(json.loads(FILE.read_text(encoding="utf-8")), crs=4326)
    assert shapely.coverage_is_valid(table.geometry.to_numpy())


@pytest.mark.parametrize("seed", [7, 3, 11])
def test_the_county_begins_on_a_tile(seed: int) -> None:
    """The frame's margin and some metres lie between it and its tiles, whatever the seed: no row of tiles is empty."""
    table, _ = boundaries.jurisdictions(SIZES["small"], seed)
    frame = county_frame(table.total_bounds, table.crs)
    room = table.total_bounds[:2] - np.array(frame.bounds[:2])
    assert room == pytest.approx([Settings().margin_m + boundaries.SPARE_M] * 2, abs=0.01)
