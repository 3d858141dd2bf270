"""How the chance of noticing a plot falls with distance: lateral range laws, sweep widths and the POD law."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gamma, pi, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import erf

from geo.layers.terrain import COVER_NAMES, Terrain
from geo.season import Season, Stage
from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]

HAZARD_UNITS = 65536
CLAMP_SHARE = 0.1
_FAR = 1e9


class LateralRange(Protocol):
    """How the chance of noticing a plot falls with distance from the walker."""

    @property
    def sweep_width_m(self) -> float:
        """Area under p(x) of one straight endless pass, before the cut at `reach_m`; metres."""

    @property
    def reach_m(self) -> float:
        """Beyond this nothing is seen, metres."""

    def hazard(self, distance: npt.ArrayLike) -> Floats:
        """Detection hazard per metre walked, 1/m; `distance` in metres, any shape."""

    def along(self, offset: npt.ArrayLike, start: npt.ArrayLike, stop: npt.ArrayLike) -> Floats:
        """Hazard summed over a straight piece, from `start` to `stop` metres past the foot of `offset`; no unit."""


@dataclass(frozen=True)
class InverseCube:
    """
    Koopman's inverse-cube law W^2 / (8 pi r^3), the distance clamped to at least W/10.

    The clamp matters only within a tenth of the sweep width, where the plot is seen anyway; it keeps the integral
    finite, and because the distance is clamped, not the sum, cutting a piece in two changes nothing.
    An endless straight pass at distance x gives H = W^2 / (4 pi x^2) (Koopman 1946).

    Parameters
    ----------
    sweep_width_m
        Area under the lateral range curve of one straight pass, metres.
    reach_m
        Beyond this nothing is seen, metres.

    >>> law = InverseCube(20.0, reach_m=1e6)
    >>> round(float(chance(law, 10.0)), 6)
    0.272623
    """

    sweep_width_m: float
    reach_m: float = 150.0

    def __post_init__(self) -> None:
        _check_width(self.sweep_width_m, self.reach_m)

    def hazard(self, distance: npt.ArrayLike) -> Floats:
        """Hazard per metre walked, 1/m; `distance` in metres, any shape."""
        far = np.asarray(distance, float)
        near = np.maximum(far, CLAMP_SHARE * self.sweep_width_m)
        return np.where(far <= self.reach_m, self.sweep_width_m**2 / (8.0 * pi) / near**3, 0.0)

    def along(self, offset: npt.ArrayLike, start: npt.ArrayLike, stop: npt.ArrayLike) -> Floats:
        """Chord inside the clamp circle at constant hazard, closed form outside it, nothing beyond the reach."""
        h, first, last = _cut(offset, start, stop, self.reach_m)
        inner = CLAMP_SHARE * self.sweep_width_m
        chord = np.sqrt(np.maximum(inner**2 - h**2, 0.0))
        inside = np.maximum(np.minimum(last, chord) - np.maximum(first, -chord), 0.0) * (h < inner) / inner**3
        left = _cubed(h, first, np.minimum(last, -chord))
        right = _cubed(h, np.maximum(first, chord), last)
        return np.asarray(self.sweep_width_m**2 / (8.0 * pi) * (inside + left + right))


@dataclass(frozen=True)
class GaussianHazard:
    """
    Hazard that falls as exp(-r^2 / 2 sigma^2).

    A Gaussian hazard is not the half-normal curve: sigma follows from W by integrating 1 - exp(-H(x)).

    Parameters
    ----------
    sweep_width_m
        Area under the lateral range curve of one straight pass, metres.
    reach_m
        Beyond this nothing is seen, metres.
    peak
        Hazard of one endless straight pass right over the plot, nat (*assumption*, ``detection.gaussian_peak``).
    """

    sweep_width_m: float
    reach_m: float = 150.0
    peak: float = 3.0

    def __post_init__(self) -> None:
        _check_width(self.sweep_width_m, self.reach_m)

    @property
    def sigma_m(self) -> float:
        """Standard deviation of the hazard, metres."""
        return self.sweep_width_m / gaussian_width(self.peak)

    def hazard(self, distance: npt.ArrayLike) -> Floats:
        """Hazard per metre walked, 1/m; `distance` in metres, any shape."""
        far, sigma = np.asarray(distance, float), self.sigma_m
        peak = self.peak / (sigma * sqrt(2.0 * pi))
        return np.where(far <= self.reach_m, peak * np.exp(-0.5 * (far / sigma) ** 2), 0.0)

    def along(self, offset: npt.ArrayLike, start: npt.ArrayLike, stop: npt.ArrayLike) -> Floats:
        """Closed form by the error function, nothing beyond the reach."""
        h, first, last = _cut(offset, start, stop, self.reach_m)
        turn = self.sigma_m * sqrt(2.0)
        across = np.exp(-((h / turn) ** 2))
        return np.asarray(self.peak * across * 0.5 * np.maximum(erf(last / turn) - erf(first / turn), 0.0))


@dataclass(frozen=True)
class DefiniteRange:
    """Everything within `range_m` is seen, nothing beyond: a curve for calibration and tests. W = 2R."""

    range_m: float

    def p(self, distance: npt.ArrayLike) -> Floats:
        """Chance to see a plot at lateral distance, metres, any shape."""
        return np.where(np.abs(np.asarray(distance, float)) <= self.range_m, 1.0, 0.0)

    @property
    def sweep_width_m(self) -> float:
        """Twice the range."""
        return 2.0 * self.range_m


@dataclass(frozen=True)
class HalfNormal:
    """
    The half-normal curve p0 exp(-x^2 / 2 s^2). W = p0 s sqrt(2 pi).

    >>> round(HalfNormal(10.0).sweep_width_m, 5)
    25.06628
    """

    scale_m: float
    peak: float = 1.0

    def p(self, distance: npt.ArrayLike) -> Floats:
        """Chance to see a plot at lateral distance, metres, any shape."""
        return np.asarray(self.peak * np.exp(-0.5 * (np.asarray(distance, float) / self.scale_m) ** 2))

    @property
    def sweep_width_m(self) -> float:
        """Area under the curve, metres."""
        return self.peak * self.scale_m * sqrt(2.0 * pi)


@dataclass(frozen=True)
class HazardRate:
    """
    The hazard-rate curve 1 - exp(-(x/s)^-b), b > 1. W = 2 s Gamma(1 - 1/b).

    >>> round(HazardRate(10.0, 2.5).sweep_width_m, 5), round(HazardRate(5.0, 2.0).sweep_width_m, 5)
    (29.78384, 17.72454)
    """

    scale_m: float
    power: float

    def __post_init__(self) -> None:
        if self.power <= 1.0:
            raise ValueError(f"the power of a hazard-rate curve must exceed 1, got {self.power}")

    def p(self, distance: npt.ArrayLike) -> Floats:
        """Chance to see a plot at lateral distance, metres, any shape; 1 underfoot."""
        apart = np.maximum(np.abs(np.asarray(distance, float)), 1e-12 * self.scale_m)
        with np.errstate(over="ignore"):
            return np.asarray(-np.expm1(-((apart / self.scale_m) ** -self.power)))

    @property
    def sweep_width_m(self) -> float:
        """Area under the curve, metres."""
        return 2.0 * self.scale_m * gamma(1.0 - 1.0 / self.power)


MODELS: dict[str, type[InverseCube] | type[GaussianHazard]] = {
    "inverse_cube": InverseCube,
    "gaussian": GaussianHazard,
}


def chance(law: LateralRange, distance: npt.ArrayLike) -> Floats:
    """Lateral range curve p(x) = 1 - exp(-H(x)) of one straight endless pass at `distance` metres, any shape."""
    endless = np.full(np.shape(distance), _FAR)
    return np.asarray(-np.expm1(-law.along(np.abs(np.asarray(distance, float)), -endless, endless)))


def pod(hazard: npt.NDArray[np.int32], availability: float) -> npt.NDArray[np.float32]:
    """
    Chance that a plot in each cell was seen within a period: a (1 - exp(-H)).

    Parameters
    ----------
    hazard
        Summed hazard of the period in units of 1/65536 nat, any shape.
    availability
        Chance that a plot walked over again and again is seen at all, no unit.

    >>> [round(float(p), 4) for p in pod(np.array([0, 65536, 2**31 - 1], np.int32), 0.85)]
    [0.0, 0.5373, 0.85]
    """
    chance_seen = hazard.astype(np.float32)
    chance_seen *= np.float32(-1.0 / HAZARD_UNITS)
    np.expm1(chance_seen, out=chance_seen)
    chance_seen *= np.float32(-availability)
    return np.abs(chance_seen)


def season_pod(pods: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """Chance seen in any of several independent periods or by several sensors: 1 - product of (1 - p)."""
    if not pods:
        raise ValueError("season_pod needs at least one period")
    missed = 1.0 - pods[0]
    for period in pods[1:]:
        missed *= 1.0 - period
    return np.asarray(1.0 - missed, np.float32)


def law_of(settings: DetectionSettings, sweep_width_m: float) -> LateralRange:
    """The law of the settings for one sweep width, metres."""
    if settings.model == "gaussian":
        return GaussianHazard(sweep_width_m, settings.reach_m, settings.gaussian_peak)
    return MODELS[settings.model](sweep_width_m, settings.reach_m)


def gaussian_width(peak: float) -> float:
    """Sweep width of a Gaussian hazard with sigma 1 m: the integral of 1 - exp(-peak exp(-x^2/2)), metres."""
    steps = np.linspace(-12.0, 12.0, 4801)
    return float(np.trapezoid(-np.expm1(-peak * np.exp(-0.5 * steps**2)), steps))


def _check_width(sweep_width_m: float, reach_m: float) -> None:
    if not 0.0 < sweep_width_m < reach_m:
        raise ValueError(f"sweep width must lie between 0 and the reach {reach_m} m, got {sweep_width_m}")


def _cut(
    offset: npt.ArrayLike, start: npt.ArrayLike, stop: npt.ArrayLike, reach_m: float
) -> tuple[Floats, Floats, Floats]:
    """Offset, start and stop of what lies within reach; an empty piece where nothing does."""
    h = np.abs(np.asarray(offset, float))
    half = np.sqrt(np.maximum(min(reach_m, _FAR) ** 2 - h**2, 0.0))
    first = np.clip(np.asarray(start, float), -half, half)
    return h, first, np.maximum(np.clip(np.asarray(stop, float), -half, half), first)


def _cubed(h: Floats, first: Floats, last: Floats) -> Floats:
    """
    Integral of (h^2 + s^2)^-1.5 from `first` to `last`; 0 where last <= first.

    [s / (h^2 r)] loses all digits for h -> 0, so where both ends lie on one side of the foot it is written
    (last^2 - first^2) / (r0 r1 (|last| r0 + |first| r1)), which has no h in it.
    """
    r0, r1 = np.hypot(h, first), np.hypot(h, last)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        below = np.abs(first) * r1 + np.abs(last) * r0
        one_side = np.abs(last - first) * np.abs(last + first) / (r0 * r1 * below)
        both_sides = below / (h * h * r0 * r1)
    return np.where(last > first, np.where(first * last >= 0.0, one_side, both_sides), 0.0)


def sweep_widths(
    terrain: Terrain, season: Season, settings: DetectionSettings, *, day: float
) -> npt.NDArray[np.float32]:
    """Sweep width of every cell, metres, by its cover and its stage on `day` (after 1 January); 0 where none is set."""
    table = np.zeros((256, len(Stage)), np.float32)
    for name, widths in settings.sweep_width_m.items():
        table[COVER_NAMES[name]] = widths
    stage = season.stage_of(day, np.nan_to_num(terrain.elevation.values, nan=1000.0))
    held: npt.NDArray[np.float32] = table[terrain.cover.values, stage]
    return held
