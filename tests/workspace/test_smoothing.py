"""The range of detection over smoother ground on the demo county."""

from pathlib import Path

import pytest

from geo.workspace.county import open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.smoothing import FIGURES, measure_dem_range


def test_the_range_holds_the_figure_and_smoother_ground_sees_differently(measured_demo: Path) -> None:
    """The ground as it is gives the table's own figure; the ends hold all three; somewhere they differ."""
    county = open_county(measured_demo)
    table = measure_dem_range(county).townships
    assert list(table.columns) == list(FIGURES)
    figure = measure_coverage(county).townships["detection"].astype(float)
    assert table["detection"].tolist() == pytest.approx(figure.tolist(), abs=1e-6)
    for name in ("detection", "mean_3x3", "block_30m"):
        assert (table["low"] <= table[name]).all()
        assert (table[name] <= table["high"]).all()
    assert (table["high"] > table["low"]).any()
