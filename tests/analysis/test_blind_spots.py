"""Blind spots and border shares: answers worked by hand."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from geo.analysis.blind_spots import blind_spots, border_statistics, search_hours
from geo.grid import Frame, Grid
from geo.layers import borders
from geo.settings import BorderSettings, CoverageSettings

FRAME = Frame(0.0, 2000.0, 10.0, 200, 200, 4544)
SETTINGS = CoverageSettings()


def county() -> gpd.GeoDataFrame:
    table = {"unit_id": ["A", "B"], "kind": "township", "line_accuracy_m": 30.0}
    return gpd.GeoDataFrame(table, geometry=[box(0, 0, 1000, 2000), box(1000, 0, 2000, 2000)], crs=4544)


def spots_of(pod: np.ndarray, mass: np.ndarray | None = None, **more: object) -> gpd.GeoDataFrame:
    zones = np.ones((200, 200), np.int16)
    zones[:, 100:] = 2
    weight = np.ones((200, 200), np.float32) if mass is None else mass
    hours = np.full((200, 200), 0.01, np.float32)
    ground = {"plantable": np.ones((200, 200), bool), "zones": Grid(zones, FRAME), "township_ids": ["A", "B"]}
    return blind_spots(
        Grid(pod, FRAME), Grid(weight, FRAME), hours=Grid(hours, FRAME), settings=SETTINGS, **(ground | more)
    )


def seen() -> np.ndarray:
    return np.full((200, 200), 0.9, np.float32)


def test_a_spot_of_half_a_hectare_counts_and_one_cell_less_does_not() -> None:
    pod = seen()
    pod[10:15, 10:20] = 0.0
    pod[50:57, 50:57] = 0.0
    spots = spots_of(pod)
    assert spots["area_m2"].tolist() == [5000.0]
    assert spots.geometry[0].equals(box(100, 1850, 200, 1900))
    assert spots["hours"][0] == pytest.approx(0.5)


def test_cells_that_touch_at_a_corner_are_connected() -> None:
    pod = seen()
    pod[10:15, 10:15] = 0.0
    pod[15:20, 15:20] = 0.0
    assert spots_of(pod)["area_m2"].tolist() == [5000.0]


def test_the_spot_worth_most_per_hour_comes_first_however_small() -> None:
    pod, mass = seen(), np.ones((200, 200), np.float32)
    pod[10:30, 10:30] = 0.0
    pod[50:60, 50:60] = 0.0
    mass[50:60, 50:60] = 3.0
    spots = spots_of(pod, mass)
    assert spots["area_m2"].tolist() == [10_000.0, 40_000.0]
    assert spots["mass_per_hour"].tolist() == pytest.approx([300.0, 100.0])
    assert spots["rank"].tolist() == [1, 2]


def test_a_county_nobody_walked_falls_into_walkable_spots_that_cover_it() -> None:
    spots = spots_of(np.zeros((200, 200), np.float32))
    assert spots["area_m2"].max() <= 500.0**2
    assert spots["area_m2"].sum() == 2000.0**2
    assert spots["blind_spot_id"].is_unique


def test_a_spot_astride_an_edge_is_one_spot_with_both_owners() -> None:
    units, pod = county(), seen()
    edges = borders.shared_edges(units, BorderSettings())
    pod[100:110, 98:103] = 0.0
    spots = spots_of(pod, strips=borders.strips(edges, units, frame=FRAME), borders=edges)
    assert spots[["township_id", "neighbour_id", "border_id"]].to_numpy().tolist() == [["A", "B", "A~B~1"]]
    assert spots["both_answer"].tolist() == [True]


@pytest.mark.parametrize(("columns", "township", "other"), [((85, 98), "A", "B"), ((102, 115), "B", "A")])
def test_a_spot_in_a_strip_belongs_to_the_township_it_lies_in(
    columns: tuple[int, int], township: str, other: str
) -> None:
    units, pod = county(), seen()
    edges = borders.shared_edges(units, BorderSettings())
    pod[100:110, columns[0] : columns[1]] = 0.0
    spots = spots_of(pod, strips=borders.strips(edges, units, frame=FRAME), borders=edges)
    assert spots[["township_id", "neighbour_id", "border_id"]].to_numpy().tolist() == [[township, other, "A~B~1"]]
    assert spots["both_answer"].tolist() == [False]


def test_both_sides_answer_when_half_of_a_spot_lies_within_the_lines_accuracy() -> None:
    """Columns 94 to 105: six of twelve have their centre within 30 m of the line; one column more and it is less."""
    units = county()
    edges = borders.shared_edges(units, BorderSettings())
    strips = borders.strips(edges, units, frame=FRAME)
    for last, both in ((106, True), (107, False)):
        pod = seen()
        pod[100:110, 94:last] = 0.0
        assert spots_of(pod, strips=strips, borders=edges)["both_answer"].tolist() == [both]


def test_unplantable_ground_is_no_blind_spot() -> None:
    assert spots_of(np.zeros((200, 200), np.float32), plantable=np.zeros((200, 200), bool)).empty


def test_the_shares_of_a_strip_are_those_of_its_plantable_cells() -> None:
    """A sees the whole of A's side of the strip, B nothing; half the strip is seen by neither."""
    units = county()
    edges = borders.shared_edges(units, BorderSettings())
    strips = borders.strips(edges, units, frame=FRAME)
    pod_a = np.where(strips.side == 0, 0.6, 0.0).astype(np.float32)
    pod_b = np.zeros(len(strips.cells), np.float32)
    plantable = np.ones(len(strips.cells), bool)
    table = border_statistics(strips, edges, pod_a=pod_a, pod_b=pod_b, plantable=plantable, settings=SETTINGS)
    table = table.set_index("border_id")
    assert table.loc["A~B~1"].tolist()[1:] == pytest.approx([0.5, 0.0, 0.5], abs=1e-3)
    assert table["strip_km2"].sum() == pytest.approx(4.0 - 0.0, abs=1e-9)
    assert np.isnan(table.loc["0~A~1", "seen_from_b"])
    assert table.loc["0~A~1", "seen_by_neither"] == 0.0


def test_a_strip_without_plantable_cells_has_no_shares() -> None:
    units = county()
    edges = borders.shared_edges(units, BorderSettings())
    strips = borders.strips(edges, units, frame=FRAME)
    nothing = np.zeros(len(strips.cells), np.float32)
    table = border_statistics(strips, edges, pod_a=nothing, pod_b=nothing, plantable=nothing > 0, settings=SETTINGS)
    assert table[["seen_from_a", "seen_from_b", "seen_by_neither"]].isna().all(axis=None)


def test_hours_are_area_over_width_times_speed() -> None:
    assert search_hours(np.array([20.0, 0.0], np.float32), cell_m=10.0, speed_kmh=1.0).tolist() == pytest.approx(
        [0.005, np.inf]
    )
