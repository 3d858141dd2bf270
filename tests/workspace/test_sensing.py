"""A flight log comes in as a table and adds to the feet: never less, never counted twice, nothing under a pixel."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.crs import to_degrees
from geo.formats import Hints
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change, grids
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.evidence import evidence_at
from geo.workspace.explaining import evidence_of_township
from geo.workspace.importing import import_files
from geo.workspace.sensing import measure_sensors
from geo.workspace.timing import measure_timing

NOW = datetime(2026, 5, 21, tzinfo=UTC)
EARLIER = datetime(2026, 3, 1, tzinfo=UTC)


def flown(folder: Path, log: Path, *, pixels: int = 4000) -> County:
    """The county with two flights of three images over the middle of its first township, from a Chinese log."""
    county = open_county(folder)
    middle = county.store.read("townships").geometry.iloc[0].representative_point()
    lines = ["编号,航次,经度,纬度,拍摄时间,离地高度,航向,俯仰离底角,横向视场角,纵向视场角,横向像素"]
    for k in range(6):
        longitude, latitude = to_degrees(middle.x + 60.0 * (k % 3), middle.y, county.crs)
        place = f"{float(longitude):.8f},{float(latitude):.8f}"
        lines.append(f"P{k},F{k // 3},{place},2026-04-0{1 + k // 3}T10:00:00+08:00,90,0,0,84,62,{pixels}")
    log.write_text("\n".join(lines), encoding="utf-8")
    report = import_files(county, "flights", [log], Hints(datum="wgs84"), now=NOW)
    assert (report.accepted, [file.refused for file in report.files]) == (6, [[]])
    return county


def test_a_flight_log_adds_to_the_feet_cell_by_cell(demo_copy: Path, tmp_path: Path) -> None:
    before = measure_coverage(open_county(demo_copy)).townships
    county = flown(demo_copy, tmp_path / "log.csv")
    answer, after = measure_sensors(county), measure_coverage(county).townships
    table, first = answer.townships, answer.townships.iloc[0]
    assert table["foot"].tolist() == pytest.approx(before["detection"].astype(float).tolist(), abs=1e-6)
    assert table["together"].tolist() == pytest.approx(after["detection"].astype(float).tolist(), abs=1e-6)
    assert after["p_zero"].iloc[0] > before["p_zero"].iloc[0]
    assert first["air"] > 0.0
    assert max(first["foot"], first["air"]) <= first["together"] <= first["foot"] + first["air"] + 1e-9
    assert (table["air"].iloc[1:] == 0.0).sum() >= len(table) - 3
    assert answer.flights["images_n"].tolist() == [3, 3]
    air = grids.read_grid(county.path, "air_pod").values
    assert first["imaged"] * 100 > 0.0
    assert air.max() == pytest.approx(1.0 - (1.0 - 0.85) ** 2, abs=0.01)


def test_flights_after_the_moment_are_not_there_yet(demo_copy: Path, tmp_path: Path) -> None:
    county = flown(demo_copy, tmp_path / "log.csv")
    answer = measure_sensors(county, as_of=EARLIER)
    assert answer.flights.empty
    assert (answer.townships["air"] == 0.0).all()
    assert np.allclose(answer.townships["together"], answer.townships["foot"])


def test_a_camera_too_coarse_for_the_plot_adds_nothing(demo_copy: Path, tmp_path: Path) -> None:
    """Forty pixels across 160 m: 4 m each, and the plot of 10 m² is smaller."""
    answer = measure_sensors(flown(demo_copy, tmp_path / "log.csv", pixels=40))
    assert (answer.townships["air"] == 0.0).all()
    assert (answer.flights["counted_km2"] == 0.0).all()


def passed(county: County, *, pixel_m: float = 0.5) -> None:
    """A pass in flower that shows the western half of the first township free of cloud."""
    shape = county.store.read("townships").geometry.iloc[0]
    west, south, east, north = shape.bounds
    clear = shape.intersection(shapely.box(west, south, 0.5 * (west + east), north)).buffer(0)
    row = {"pass_id": "S1", "taken_at": pd.Timestamp("2026-04-01T03:20:00Z"), "pixel_m": pixel_m}
    table = SCHEMAS["passes"].conform(gpd.GeoDataFrame([row], geometry=[clear], crs=county.crs))
    county.store.append(Entry("import", {"layer": "passes"}), Change("passes", table), now=NOW)


def test_a_pass_counts_where_it_is_clear_and_only_when_a_plot_fills_a_pixel(demo_copy: Path) -> None:
    county = open_county(demo_copy)
    before = measure_coverage(county).townships
    passed(county, pixel_m=10.0)
    coarse = measure_coverage(county).townships
    assert coarse["detection"].tolist() == before["detection"].tolist()
    passed_again = open_county(demo_copy)
    row = passed_again.store.read("passes").assign(pass_id="S2", pixel_m=0.5)
    passed_again.store.append(Entry("import", {"layer": "passes"}), Change("passes", row), now=NOW)
    fine, answer = measure_coverage(passed_again).townships, measure_sensors(passed_again)
    assert fine["detection"].iloc[0] > before["detection"].iloc[0] + 0.05
    assert fine["p_zero_low"].iloc[0] <= fine["p_zero"].iloc[0] <= fine["p_zero_high"].iloc[0]
    assert fine["detection"].iloc[1:].tolist() == pytest.approx(before["detection"].iloc[1:].tolist(), abs=0.01)
    assert answer.passes["counted_km2"].tolist()[0] == 0.0 < answer.passes["counted_km2"].tolist()[1]


def test_what_looked_from_above_stands_in_every_explanation(demo_copy: Path, tmp_path: Path) -> None:
    county = flown(demo_copy, tmp_path / "log.csv")
    passed(county)
    figures = measure_coverage(county).townships.iloc[0]
    told = evidence_of_township(county, figures["township_id"])
    assert {"drone", "satellite"} <= set(told.tracks["mode"])
    assert told.detection == pytest.approx(figures["detection"], abs=1e-6)
    assert told.tracks["share"].sum() == pytest.approx(told.detection, abs=1e-6)
    season = grids.read_grid(county.path, "season_pod")
    air = grids.read_grid(county.path, "air_2026-04").values
    row, col = (int(v[0]) for v in np.nonzero(np.where(np.isnan(season.values), 0.0, air) == air.max()))
    longitude, latitude = to_degrees(*season.frame.centres(row, col), county.crs)
    cell = evidence_at(county, float(longitude), float(latitude))
    assert cell.pod == pytest.approx(float(season.values[row, col]), abs=1e-6)
    assert set(cell.tracks.loc[cell.tracks["pod"] > 0.0, "mode"]) >= {"drone"}
    seen = measure_timing(county).townships.iloc[0]
    assert sum(seen[f"air_{stage}"] for stage in ("seedling", "flower", "capsule")) > 0.05
    assert next(month for month in cell.periods if month["month"] == "2026-04")["air"] > 0.5
