"""Detection at the end of each period, against the definition written out cell by cell."""

import numpy as np
import pytest

from geo.analysis.trend import seen_by_period
from geo.grid import Grid, county_frame

FRAME = county_frame((500_000.0, 2_964_000.0, 500_300.0, 2_964_200.0), 4544)


def grid(values: np.ndarray) -> Grid:
    return Grid(values, FRAME)


def test_it_is_the_definition_cell_by_cell_and_never_falls():
    rng = np.random.default_rng(3)
    zones = rng.integers(0, 3, FRAME.shape).astype(np.int16)
    risk = (rng.random(FRAME.shape) * (rng.random(FRAME.shape) < 0.7)).astype(np.float32)
    hazards = [
        rng.integers(0, 4 * 65536, FRAME.shape).astype(np.int32) * (rng.random(FRAME.shape) < 0.4) for _ in "abc"
    ]
    hazards = [one.astype(np.int32) for one in hazards]
    seen, whole = seen_by_period(map(grid, hazards), zones=grid(zones), risk=grid(risk), zones_n=2, availability=0.85)
    for zone in (1, 2):
        held = zones == zone
        assert whole[zone - 1] == pytest.approx(risk[held].sum(), rel=1e-6)
        missed = np.ones(held.sum())
        for period, one in enumerate(hazards):
            missed *= 1.0 - 0.85 * -np.expm1(-one[held] / 65536.0)
            assert seen[zone - 1, period] == pytest.approx(float((risk[held] * (1.0 - missed)).sum()), rel=1e-5)
    assert (np.diff(seen, axis=1) >= 0.0).all()


def test_where_nothing_can_be_planted_there_is_nothing_to_see():
    nothing = np.zeros(FRAME.shape, np.float32)
    seen, whole = seen_by_period(
        [grid(np.ones(FRAME.shape, np.int32))], zones=grid(np.ones(FRAME.shape, np.int16)), risk=grid(nothing),
        zones_n=1, availability=0.85,
    )  # fmt: skip
    assert (whole[0], seen[0, 0]) == (0.0, 0.0)
