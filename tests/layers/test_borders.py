"""Jurisdiction edges and their strips: answers worked by hand, brute force, and two real counties."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from geo.crs import metric_crs
from geo.errors import DatumError
from geo.grid import Frame, county_frame
from geo.layers import borders
from geo.settings import BorderSettings

SETTINGS = BorderSettings(strip_m=500.0, line_accuracy_m=30.0)
SQUARE = (box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000))


def units(shapes: dict[str, object], **kinds: str) -> gpd.GeoDataFrame:
    """Units by id, townships unless `kinds` says otherwise, lines good to 30 m."""
    table = {"unit_id": list(shapes), "kind": [kinds.get(k, "township") for k in shapes], "line_accuracy_m": 30.0}
    return gpd.GeoDataFrame(table, geometry=list(shapes.values()), crs=4544)


def lengths(table: gpd.GeoDataFrame) -> dict[str, float]:
    return dict(zip(table["border_id"], table["length_m"].round(6), strict=True))


def read_units(path: Path, name: str) -> gpd.GeoDataFrame:
    table = gpd.read_file(path)
    middle = table.union_all().centroid
    table = table.to_crs(metric_crs(middle.x, middle.y))
    kinds = {"unit_id": table[name].astype(str), "kind": "township", "line_accuracy_m": 30.0}
    return gpd.GeoDataFrame(kinds, geometry=table.geometry)


def test_two_townships_share_one_edge_and_the_rest_faces_the_unknown() -> None:
    table = borders.shared_edges(units({"A": SQUARE[0], "B": SQUARE[1]}), SETTINGS)
    borders.SCHEMA.check(table)
    assert lengths(table) == {"0~A~1": 3000.0, "0~B~1": 3000.0, "A~B~1": 1000.0}
    assert table.set_index("border_id").loc["0~A~1", ["township_id", "neighbour_id"]].tolist() == ["A", "0"]


def test_a_known_neighbour_replaces_the_unknown_along_its_edge() -> None:
    shapes = {"A": SQUARE[0], "B": SQUARE[1], "N": box(0, 1000, 3000, 2000)}
    table = borders.shared_edges(units(shapes, N="neighbour"), SETTINGS)
    assert lengths(table) == {"0~A~1": 2000.0, "0~B~1": 2000.0, "A~B~1": 1000.0, "A~N~1": 1000.0, "B~N~1": 1000.0}


def test_the_outline_of_department_ground_is_an_edge_with_its_township() -> None:
    table = borders.shared_edges(units({"A": SQUARE[0], "G": box(200, 200, 400, 500)}, G="ground"), SETTINGS)
    assert lengths(table) == {"0~A~1": 4000.0, "A~G~1": 1000.0}


def test_department_ground_beats_the_township_even_when_its_id_is_lower() -> None:
    table = borders.shared_edges(units({"T": SQUARE[0], "G": box(200, 200, 400, 500)}, G="ground"), SETTINGS)
    row = table.set_index("border_id").loc["G~T~1"]
    assert (row["township_id"], row["neighbour_id"]) == ("T", "G")


def test_a_hole_nobody_covers_is_an_enclave() -> None:
    table = borders.shared_edges(units({"A": SQUARE[0].difference(box(400, 400, 600, 600))}), SETTINGS)
    assert lengths(table) == {"0~A~1": 4000.0, "A~enclave~1": 800.0}


def test_an_exclave_has_a_border_of_its_own_numbered_from_the_west() -> None:
    home = shapely.MultiPolygon([box(-1000, 0, 0, 1000), box(400, 400, 600, 600)])
    table = borders.shared_edges(units({"A": SQUARE[0].difference(box(400, 400, 600, 600)), "B": home}), SETTINGS)
    assert lengths(table) == {"0~A~1": 3000.0, "0~B~1": 3000.0, "A~B~1": 1000.0, "A~B~2": 800.0}


def test_ground_claimed_twice_falls_to_the_lower_id() -> None:
    table = borders.shared_edges(units({"A": box(0, 0, 1200, 1000), "B": box(1000, 0, 2000, 1000)}), SETTINGS)
    assert lengths(table) == {"0~A~1": 3400.0, "0~B~1": 2600.0, "A~B~1": 1000.0}


@pytest.mark.parametrize("kind", ["township", "neighbour"])
def test_a_gap_within_the_accuracy_is_the_line_of_the_first_unit(kind: str) -> None:
    """Two neighbours digitised 20 m apart share one edge of 1000 m, counted once."""
    table = borders.shared_edges(units({"A": SQUARE[0], "B": box(1020, 0, 2000, 1000)}, B=kind), SETTINGS)
    assert lengths(table)["A~B~1"] == 1000.0
    assert lengths(table)["0~A~1"] == 3000.0


def test_a_gap_wider_than_the_accuracy_is_unknown_ground() -> None:
    table = borders.shared_edges(units({"A": SQUARE[0], "B": box(1040, 0, 2000, 1000)}), SETTINGS)
    assert lengths(table) == {"0~A~1": 4000.0, "0~B~1": 3920.0}


def test_a_wavering_line_with_gaps_and_overlaps_is_one_border() -> None:
    """The neighbour's own line sways 10 m around ours, with crossings every 25 m."""
    sway = [(1000 + 10 * (-1) ** k, 25.0 * k + 12.5) for k in range(40)]
    other = Polygon([(1000, 0), *sway, (1000, 1000), (2000, 1000), (2000, 0)])
    found = lengths(borders.shared_edges(units({"A": SQUARE[0], "N": other}, N="neighbour"), SETTINGS))
    assert found["A~N~1"] == pytest.approx(1000.0)
    assert found["0~A~1"] == pytest.approx(3000.0)


def test_a_sharp_corner_of_unknown_ground_is_not_closed() -> None:
    """Outside ground narrows to 53 degrees at a tri-point: the last metres still face the unknown."""
    two = Polygon([(1000, 0), (2000, 0), (1500, 1000)])
    table = borders.shared_edges(units({"A": Polygon([(0, 0), (1000, 0), (500, 1000)]), "B": two}), SETTINGS)
    assert set(table["border_id"]) == {"0~A~1", "0~B~1"}
    assert table["length_m"].sum() == pytest.approx(two.length * 2)


def test_degrees_are_refused() -> None:
    with pytest.raises(DatumError):
        borders.shared_edges(units({"A": SQUARE[0]}).set_crs(4326, allow_override=True), SETTINGS)


def jigsaw(seed: int) -> gpd.GeoDataFrame:
    """Six townships of a crooked county (Voronoi cells), a ground, a known neighbour."""
    rng = np.random.default_rng(seed)
    county = Polygon([(300, 250), (2900, 420), (2700, 1500), (2980, 2800), (1400, 2500), (220, 2890)])
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(rng.uniform(300, 2900, (6, 2)))))
    shapes = {f"T{k}": cell.intersection(county) for k, cell in enumerate(cells)}
    shapes |= {"G": shapely.Point(1500, 1500).buffer(333, 5), "N": box(1500, 0, 3500, 3200).difference(county)}
    return units({k: s for k, s in shapes.items() if s.area > 0}, G="ground", N="neighbour")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strips_agree_with_brute_force(seed: int) -> None:
    """Nearest edge and side of every cell against shapely's distances to every border."""
    ground = jigsaw(seed)
    settings = BorderSettings(strip_m=170.0)
    table = borders.shared_edges(ground, settings)
    frame = Frame(0.0, 3200.0, 10.0, 320, 350, ground.crs)
    strips = borders.strips(table, ground, frame=frame)
    row, col = np.divmod(np.arange(320 * 350), 350)
    points = shapely.points(*frame.centres(row, col))
    away = np.array([shapely.distance(points, line) for line in table.geometry])
    owner = np.full(len(points), "", object)
    for kind in ("neighbour", "township", "ground"):
        for unit in ground[ground["kind"] == kind].itertuples():
            owner[shapely.contains_xy(unit.geometry, *frame.centres(row, col))] = unit.unit_id
    near = away.min(axis=0)
    parties = table.loc[away.argmin(axis=0), ["township_id", "neighbour_id"]].to_numpy()
    expected = (near <= 170.0) & ((owner[:, None] == parties).any(axis=1) | ((owner == "") & (near <= 30.0)))
    found = np.zeros(len(points), bool)
    found[strips.cells] = True
    sure = (np.sort(away, axis=0)[1] - near > 1e-6) & (near > 1e-6)  # neither a tie nor on the line itself
    assert len(np.unique(strips.cells)) == len(strips.cells)
    known = expected & (parties[:, 1] != "0") | expected & (owner == parties[:, 0])
    assert np.count_nonzero((found != known) & sure) == 0
    assert np.abs(away[strips.border, strips.cells] - near[strips.cells]).max() < 1e-6
    first = table["township_id"].to_numpy()[strips.border]
    assert np.count_nonzero(((strips.side == 0) != (owner[strips.cells] == first)) & (near[strips.cells] > 1e-6)) == 0
    assert np.count_nonzero(strips.both_answer != (near[strips.cells] <= 30.0)) == 0


def test_an_unknown_neighbour_has_no_strip_beyond_the_line() -> None:
    ground = units({"A": box(0, 0, 2000, 2000)})
    table = borders.shared_edges(ground, SETTINGS)
    strips = borders.strips(table, ground, frame=county_frame((0, 0, 2000, 2000), 4544))
    assert len(strips.cells) * 100 == 2000**2 - 1000**2
    assert (strips.side == 0).all()


def test_a_tie_goes_to_the_border_of_the_cell_s_own_ground() -> None:
    """Nearest to all of a tri-point's edges is the point itself; C's cells behind it fall to C's lowest border."""
    ground = units({"A": box(0, 0, 1000, 1000), "B": box(1000, 0, 2000, 1000), "C": box(0, -1000, 2000, 0)})
    table = borders.shared_edges(ground, SETTINGS)
    strips = borders.strips(table, ground, frame=county_frame((0, -1000, 2000, 1000), 4544))
    ids = table["border_id"].to_numpy()[strips.border]
    _, north = strips.frame.centres(strips.cells // strips.frame.cols, strips.cells % strips.frame.cols)
    assert not ((ids == "A~B~1") & (north < 0)).any()


@pytest.mark.slow
@pytest.mark.real
def test_a_real_county_of_mountain_townships_is_tiled(real_data: Path) -> None:
    """13 townships: lengths sum to the union of boundaries; every own cell within 500 m of an edge is in one strip."""
    ground = read_units(real_data / "boundaries" / "township_nantou_13.geojson", "TOWNCODE")
    table = borders.shared_edges(ground, SETTINGS)
    lines = shapely.union_all(shapely.boundary(ground.geometry.to_numpy()))
    assert table["length_m"].sum() == pytest.approx(lines.length, rel=1e-3)
    strips = borders.strips(table, ground, frame=county_frame(tuple(ground.total_bounds), ground.crs))
    frame = strips.frame
    found = np.zeros(frame.rows * frame.cols, bool)
    found[strips.cells] = True
    assert np.count_nonzero(found) == len(strips.cells)
    cell = np.random.default_rng(4).integers(0, frame.rows * frame.cols, 4_000)
    centre = shapely.points(*frame.centres(cell // frame.cols, cell % frame.cols))
    pieces = shapely.STRtree(shapely.get_parts(lines))  # noded: two points each, so the tree is quick
    near, inside = np.zeros(len(cell), bool), np.zeros(len(cell), bool)
    near[pieces.query(centre, predicate="dwithin", distance=500.0)[0]] = True
    inside[shapely.STRtree(centre).query(ground.geometry.to_numpy(), predicate="contains")[1]] = True
    assert np.count_nonzero(found[cell] != (near & inside)) == 0


@pytest.mark.real
def test_the_real_hole_between_two_prefectures_is_an_enclave(real_data: Path) -> None:
    ground = read_units(real_data / "boundaries" / "guizhou_county_amap_bijie_qianxinan.geojson", "district_adcode")
    table = borders.shared_edges(ground, SETTINGS)
    inside = table[table["neighbour_id"] == "enclave"]
    hole = shapely.get_parts(shapely.polygonize(inside.geometry.to_numpy()))
    assert 94e6 <= shapely.area(hole).sum() <= 99e6
    assert table["border_id"].is_unique
    lines = shapely.union_all(shapely.boundary(ground.geometry.to_numpy()))
    assert table["length_m"].sum() == pytest.approx(lines.length, rel=1e-3)
