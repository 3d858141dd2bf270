"""Lateral range laws and the POD law against closed forms and published numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from geo.analysis.detection import (
    DefiniteRange,
    GaussianHazard,
    HalfNormal,
    HazardRate,
    InverseCube,
    chance,
    law_of,
    pod,
    season_pod,
)
from geo.settings import DetectionSettings

metres = st.floats(-160.0, 160.0)


@pytest.mark.parametrize(
    ("curve", "width"),
    [
        (DefiniteRange(12.5), 25.0),
        (HalfNormal(10.0), 25.06628),
        (HazardRate(10.0, 2.5), 29.78384),
        (HazardRate(5.0, 2.0), 17.72454),
    ],
)
def test_sweep_width_is_the_area_under_the_curve(curve, width):
    """Closed forms of W, and the same by integration."""
    area = 2.0 * (quad(curve.p, 0, 12.5)[0] + quad(curve.p, 12.5, 200)[0] + quad(curve.p, 200, 1e6, limit=500)[0])
    assert curve.sweep_width_m == pytest.approx(width, abs=5e-6)
    assert area == pytest.approx(width, abs=2e-3)


@pytest.mark.parametrize(("x", "p"), [(2.0, 0.999650), (5.0, 0.720077), (10.0, 0.272623)])
def test_one_pass_of_a_20_m_sweep_gives_koopmans_curve(x, p):
    """p(x) = 1 - exp(-W^2 / (4 pi x^2))."""
    assert chance(InverseCube(20.0, reach_m=1e7), x) == pytest.approx(p, abs=5e-7)


def _area(law):
    joints = sorted({0.0, law.sweep_width_m / 10.0, law.sweep_width_m, law.reach_m})
    return 2.0 * sum(quad(lambda x: float(chance(law, x)), a, b, limit=400)[0] for a, b in pairwise(joints))


@pytest.mark.parametrize("width", [4.0, 10.0, 20.0, 30.0])
def test_one_pass_covers_the_sweep_width_less_the_tail_beyond_reach(width):
    """The cut removes 2 integral of p beyond the reach, and by the chord a little of p inside it: both are stated."""
    law = InverseCube(width)
    endless = 2.0 * quad(lambda x: -np.expm1(-(width**2) / (4 * np.pi * x * x)), law.reach_m, np.inf)[0]

    def lost(x):
        full, chord = width**2 / (4 * np.pi * x * x), np.sqrt(1.0 - (x / law.reach_m) ** 2)
        return np.exp(-full * chord) - np.exp(-full)

    chord_tail = 2.0 * quad(lost, 1e-6, law.reach_m, limit=400)[0]
    assert _area(law) == pytest.approx(width - endless - chord_tail, abs=1e-3)
    assert endless + chord_tail > 0.0


def test_a_gaussian_hazard_covers_its_sweep_width():
    """Sigma is solved so that the area under 1 - exp(-H) is W; sigma is not W / sqrt(2 pi)."""
    law = GaussianHazard(20.0)
    assert _area(law) == pytest.approx(20.0, abs=1e-6)
    assert law.sigma_m != pytest.approx(20.0 / np.sqrt(2 * np.pi), rel=0.1)


@pytest.mark.parametrize("peak", [0.5, 3.0, 8.0])
def test_the_settings_peak_is_the_hazard_right_overhead_and_leaves_the_sweep_width(peak):
    """One endless pass at offset 0 gives `gaussian_peak` nat, and W stays what it is called."""
    law = law_of(DetectionSettings(model="gaussian", gaussian_peak=peak), 20.0)
    assert law.along(0.0, -1e6, 1e6) == pytest.approx(peak, rel=1e-6)
    assert _area(law) == pytest.approx(20.0, abs=1e-5)
    assert isinstance(law_of(DetectionSettings(), 20.0), InverseCube)


@given(metres, metres, metres, st.floats(0.0, 1.0), st.sampled_from([InverseCube(20.0), GaussianHazard(20.0)]))
def test_splitting_a_piece_changes_nothing(offset, start, stop, share, law):
    """The clamp is on the distance, so the integral is additive, through clamp circle and reach."""
    start, stop = min(start, stop), max(start, stop)
    middle = start + share * (stop - start)
    whole = law.along(offset, start, stop)
    assert law.along(offset, start, middle) + law.along(offset, middle, stop) == pytest.approx(
        whole, rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("law", [InverseCube(20.0), GaussianHazard(20.0)])
@pytest.mark.parametrize("offset", [0.0, 1.0, 1.9, 2.1, 40.0, 149.0, 151.0])
def test_the_closed_form_is_the_integral_of_the_hazard(law, offset):
    """Numerical integration along a piece, with its corners given."""
    corners = (-np.sqrt(max(4 - offset**2, 0)), np.sqrt(max(4 - offset**2, 0)))
    half = np.sqrt(max(150.0**2 - offset**2, 0.0))
    cuts = sorted({-30.0, 170.0, *corners, *np.clip([half], -30.0, 170.0), 0.0, 10.0})
    numeric = sum(quad(lambda s: float(law.hazard(np.hypot(offset, s))), a, b)[0] for a, b in pairwise(cuts))
    assert law.along(offset, -30.0, 170.0) == pytest.approx(numeric, rel=1e-6, abs=1e-9)


def test_a_plot_straight_ahead_keeps_its_digits():
    """Offset 0 needs the form without h: integral of s^-3 from 10 to 20 is (1/100 - 1/400) / 2."""
    law = InverseCube(20.0)
    assert law.along([0.0, 1e-9], 10.0, 20.0) == pytest.approx(400 / (8 * np.pi) * 0.00375, rel=1e-12)


def test_no_effort_gives_exactly_no_detection_and_endless_effort_gives_availability():
    """POD = a (1 - exp(-H)): 0 stays 0 and a is the ceiling."""
    seen = pod(np.array([0, 1, 65536, 2**31 - 1], np.int32), 0.85)
    assert seen.dtype == np.float32
    assert seen[0] == 0.0
    assert not np.signbit(seen[0])
    assert seen[2] == pytest.approx(0.85 * (1 - np.exp(-1)), rel=1e-6)
    assert seen[3] == pytest.approx(0.85)


def test_periods_multiply_what_they_miss():
    """1 - (1 - .9)(1 - .6)(1 - .2) = .968."""
    periods = [np.array([p], np.float32) for p in (0.9, 0.6, 0.2)]
    assert season_pod(periods)[0] == pytest.approx(0.968, abs=1e-6)


def test_a_sweep_width_beyond_the_reach_is_refused():
    """Nonsense is a ValueError that names both."""
    with pytest.raises(ValueError, match="reach"):
        InverseCube(200.0, reach_m=150.0)
