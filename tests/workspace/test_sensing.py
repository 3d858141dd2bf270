"""A flight log comes in as a table and adds to the feet: never less, never counted twice, nothing under a pixel."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from geo.crs import to_degrees
from geo.formats import Hints
from geo.store import grids
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.importing import import_files
from geo.workspace.sensing import measure_sensors

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
    county = flown(demo_copy, tmp_path / "log.csv")
    answer = measure_sensors(county)
    table, first = answer.townships, answer.townships.iloc[0]
    before = measure_coverage(county).townships["detection"].astype(float)
    assert table["foot"].tolist() == pytest.approx(before.tolist(), abs=1e-6)
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
