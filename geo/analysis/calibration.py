"""
The sweep width measured in the field: from decoys, from double sweeps, and from the range of detection.

Sources: Robe & Frost 2002 (detection experiments with targets at known lateral distances); Koester et al. 2014 (range
of detection); Chapman 1951 and Seber 1982 (two independent samples); intervals by likelihood ratio and by
Clopper & Pearson 1934.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import pi, sqrt

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special, stats

from geo.analysis.detection import MODELS
from geo.season import Stage
from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]

LEVEL = 0.9
"""Of every interval: its ends are the 5 and 95 % limits, as everywhere in this program."""
NARROWEST_M = 0.05
STEPS = 400
BAND_EDGES_M = (0.0, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 1e9)
RANGE_FACTORS = {"high": 1.8, "medium": 1.6, "low": 1.1}
_FAR = 1e9


@dataclass(frozen=True)
class Estimate:
    """
    A measured value with its interval at `LEVEL`.

    `value` and `high` are None where the trials set no upper limit; `reason` then says why (``none_found``,
    ``all_found``).
    """

    value: float | None
    low: float
    high: float | None
    n: int
    found_n: int
    reason: str | None = None


@dataclass(frozen=True)
class Calibration:
    """
    What a table of decoys says.

    Parameters
    ----------
    widths
        One row per ground cover and stage: ``cover, stage, n, found_n, width_m, low_m, high_m, assumed_m, reason``.
    factor
        One multiplier on all assumed widths together, for stages and covers tried too seldom alone; None where no
        trial names its cover and stage.
    bands
        ``from_m, to_m, n, found_n, expected_n`` by lateral distance: whether the law itself fits.
    beyond_reach_n
        Decoys found beyond the reach of the settings: the reach is too short.
    """

    widths: pd.DataFrame
    factor: Estimate | None
    bands: pd.DataFrame
    beyond_reach_n: int


def calibrate(trials: pd.DataFrame, settings: DetectionSettings) -> Calibration:
    """
    The sweep widths under which the decoys would most likely have been found as they were.

    A decoy at lateral distance x, passed k times within one period, is found with a(1 - e^(-k·H(x))), H that of one
    straight endless pass under the settings' law, at search speed.

    Parameters
    ----------
    trials
        Layer `trials`: ``distance_m``, ``found``, and where known ``passes_n`` (else 1), ``cover``, ``stage``.
    """
    rows = trials.assign(passes_n=trials["passes_n"].fillna(1).astype(float), found=trials["found"].astype(bool))
    beyond = rows["found"] & (rows["distance_m"] > settings.reach_m)
    furthest = float(rows.loc[beyond, "distance_m"].max()) if beyond.any() else 0.0
    law = replace(settings, reach_m=max(settings.reach_m, 1.001 * furthest))
    groups, expected = [], pd.Series(np.nan, index=rows.index)
    for (cover, stage), held in rows.groupby(["cover", "stage"], dropna=False, sort=True):
        found = width_of(held, law)
        groups.append(_row(cover, stage, found, _assumed(cover, stage, settings)))
        if found.value:
            expected[held.index] = chance_found(held, np.full(len(held), found.value), law)
    assumed = [_assumed(*pair, settings) for pair in zip(rows["cover"], rows["stage"], strict=True)]
    base = np.array(assumed, np.float64)
    known = np.isfinite(base)
    factor = _fit(rows[known], base[known], law) if known.any() else None
    columns = ["cover", "stage", "n", "found_n", "width_m", "low_m", "high_m", "assumed_m", "reason"]
    return Calibration(pd.DataFrame(groups, columns=columns), factor, _bands(rows, expected), int(beyond.sum()))


def width_of(trials: pd.DataFrame, settings: DetectionSettings) -> Estimate:
    """
    Sweep width, metres, by maximum likelihood with the likelihood-ratio interval.

    Half of the decoys at 10 m found, a = 1 in the limit: H = ln 2 = W²/(4π·100), so W = 10·√(4π ln 2).

    >>> rows = pd.DataFrame({"distance_m": [10.0] * 40, "found": [True, False] * 20, "passes_n": [1.0] * 40})
    >>> round(width_of(rows, DetectionSettings(availability=1 - 1e-9, reach_m=1e6)).value, 2)
    29.51
    """
    return _fit(trials, np.ones(len(trials)), settings)


def chance_found(trials: pd.DataFrame, widths_m: Floats, settings: DetectionSettings) -> Floats:
    """Chance that each decoy is found at a sweep width of its own, shape (n,)."""
    distance, passes = (trials[name].to_numpy(np.float64) for name in ("distance_m", "passes_n"))
    hazard = np.zeros(len(distance))
    for width in np.unique(widths_m):
        mine = widths_m == width
        endless = np.full(int(mine.sum()), _FAR)
        hazard[mine] = MODELS[settings.model](float(width), settings.reach_m).along(distance[mine], -endless, endless)
    return np.asarray(-settings.availability * np.expm1(-passes * hazard))


def width_from_range(range_m: npt.ArrayLike, visibility: str) -> Estimate:
    """
    Sweep width from measured ranges of detection Rd: 1.8, 1.6 or 1.1 times their mean (Koester et al. 2014).

    Parameters
    ----------
    range_m
        Distances at which a dummy was just lost or just seen, walking from or towards it, metres, shape (n,).
    visibility
        Of the dummy against its ground: ``high``, ``medium``, ``low``.

    >>> round(width_from_range([10.0, 12.0, 14.0], "medium").value, 6)
    19.2
    """
    if visibility not in RANGE_FACTORS:
        raise ValueError(f"visibility: {visibility!r} is not one of {sorted(RANGE_FACTORS)}")
    ranges = np.atleast_1d(np.asarray(range_m, float))
    if not len(ranges) or (ranges <= 0.0).any():
        raise ValueError("range_m needs one or more distances above 0 m")
    factor, mean, n = RANGE_FACTORS[visibility], float(ranges.mean()), len(ranges)
    if n == 1:
        return Estimate(factor * mean, 0.0, None, 1, 1, "single_range")
    spread = float(stats.t.ppf(0.5 + LEVEL / 2.0, n - 1)) * float(ranges.std(ddof=1)) / sqrt(n)
    return Estimate(factor * mean, max(factor * (mean - spread), 0.0), factor * (mean + spread), n, n)


@dataclass(frozen=True)
class DoubleSweep:
    """
    Two independent sweeps of the same ground within one period (交叉复查), nothing pulled or marked in between.

    The second team should walk across the first one's lines: along them, plots near both or far from both would make
    the samples alike and the interval too narrow.

    Parameters
    ----------
    first_n, second_n, both_n
        Plots found by each team, and by both.
    """

    first_n: int
    second_n: int
    both_n: int

    def __post_init__(self) -> None:
        if not 0 <= self.both_n <= min(self.first_n, self.second_n):
            raise ValueError(f"both_n must lie between 0 and the smaller of the two, got {self}")

    @property
    def plots(self) -> Estimate:
        """
        Plots that could be seen at all, by Chapman: (n1 + 1)(n2 + 1)/(m + 1) - 1, with its log-normal interval.

        Plots hidden from both teams are in no sample. Where some plots are easier to see than others, the two samples
        resemble each other: the number is then too low and the detection too high.

        >>> round(DoubleSweep(10, 15, 5).plots.value, 2)
        28.33
        """
        n1, n2, m = self.first_n, self.second_n, self.both_n
        plots, seen = (n1 + 1) * (n2 + 1) / (m + 1) - 1.0, n1 + n2 - m
        variance = (n1 + 1) * (n2 + 1) * (n1 - m) * (n2 - m) / ((m + 1) ** 2 * (m + 2))
        hidden = plots - seen
        if hidden <= 0.0:
            return Estimate(plots, float(seen), plots, seen, m)
        # Chao 1987: the number still hidden is log-normal, so the interval never falls below what was seen.
        width = float(stats.norm.ppf(0.5 + LEVEL / 2.0)) * sqrt(np.log1p(variance / hidden**2))
        return Estimate(plots, float(seen + hidden * np.exp(-width)), float(seen + hidden * np.exp(width)), seen, m)

    def detection(self, team: int) -> Estimate:
        """
        Share of the other team's plots that this team (1 or 2) found too, with its exact interval.

        A plot out of sight for one is out of sight for both within a period, so this is 1 - e^-H, without the
        availability.

        >>> round(DoubleSweep(10, 15, 5).detection(1).value, 4), DoubleSweep(10, 15, 5).detection(2).value
        (0.3333, 0.5)
        """
        other, both = (self.second_n if team == 1 else self.first_n), self.both_n
        if not other:
            return Estimate(None, 0.0, 1.0, 0, 0, "none_found")
        tail = (1.0 - LEVEL) / 2.0
        low = float(stats.beta.ppf(tail, both, other - both + 1)) if both else 0.0
        high = float(stats.beta.ppf(1.0 - tail, both + 1, other - both)) if both < other else 1.0
        return Estimate(both / other, low, high, other, both)

    def width(self, team: int, *, walked_m: float, area_m2: float, pattern: str = "random") -> Estimate:
        """
        Sweep width of a team, metres, from its detection and the metres it walked searching in `area_m2`.

        `pattern` is how it walked: ``random`` (1 - e^-C) or ``parallel`` evenly spaced lines (erf(√π/2·C), inverse
        cube, uncut), C = W·L/A.
        """
        if walked_m <= 0.0 or area_m2 <= 0.0:
            raise ValueError(f"walked_m and area_m2 must be above 0, got {walked_m} and {area_m2}")
        seen = self.detection(team)
        scale = area_m2 / walked_m
        low, high = (None if p >= 1.0 else coverage_of(p, pattern) * scale for p in (seen.low, seen.high or 1.0))
        if seen.value is None or seen.value >= 1.0:
            return Estimate(None, low or 0.0, None, seen.n, seen.found_n, seen.reason or "all_found")
        reason = None if seen.found_n else "none_found"
        return Estimate(coverage_of(seen.value, pattern) * scale, low or 0.0, high, seen.n, seen.found_n, reason)


def coverage_of(detection: float, pattern: str) -> float:
    """
    Coverage C at which a pattern of lines detects with this chance (Koopman 1946).

    >>> round(coverage_of(0.632121, "random"), 5), round(coverage_of(0.789909, "parallel"), 5)
    (1.0, 1.0)
    """
    laws: dict[str, Callable[[float], float]] = {
        "random": lambda p: -float(np.log1p(-p)),
        "parallel": lambda p: float(special.erfinv(p)) * 2.0 / sqrt(pi),
    }
    if pattern not in laws:
        raise ValueError(f"pattern: {pattern!r} is not one of {sorted(laws)}")
    return laws[pattern](detection)


def _fit(trials: pd.DataFrame, base: Floats, settings: DetectionSettings) -> Estimate:
    """The scale on `base` (metres per trial) of greatest likelihood, and its likelihood-ratio interval."""
    found = trials["found"].to_numpy(bool)
    n, found_n = len(found), int(found.sum())

    def score(scale: float) -> float:
        p = chance_found(trials, scale * base, settings)
        return float(np.log(np.maximum(np.where(found, p, 1.0 - p), 1e-300)).sum())

    widest = 0.999 * settings.reach_m / float(base.max())
    scales = np.geomspace(NARROWEST_M / float(base.min()), widest, STEPS)
    scores = np.array([score(scale) for scale in scales])
    best, drop = int(scores.argmax()), 0.5 * float(stats.chi2.ppf(LEVEL, 1))
    top = scores[best]
    if scores[0] >= top - 1e-9:
        return Estimate(0.0, 0.0, _crossing(score, scales, scores, 0, top - drop, 1), n, found_n, "none_found")
    if scores[-1] >= top - 1e-9:
        low = _crossing(score, scales, scores, STEPS - 1, top - drop, -1)
        return Estimate(None, low or 0.0, None, n, found_n, "all_found")
    around = (float(scales[best - 1]), float(scales[best + 1]))
    fitted = optimize.minimize_scalar(lambda s: -score(s), bounds=around, method="bounded", options={"xatol": 1e-7})
    limit = -float(fitted.fun) - drop
    low, high = (_crossing(score, scales, scores, best, limit, way) for way in (-1, 1))
    return Estimate(float(fitted.x), low or 0.0, high, n, found_n)


def _crossing(
    score: Callable[[float], float], scales: Floats, scores: Floats, begin: int, limit: float, way: int
) -> float | None:
    """Where the likelihood falls below the limit, going one way from the best; None where it never does."""
    at = begin
    while 0 <= at + way < len(scales):
        if scores[at + way] < limit:
            ends = sorted((float(scales[at]), float(scales[at + way])))
            return float(optimize.brentq(lambda s: score(s) - limit, ends[0], ends[1], xtol=1e-9))
        at += way
    return None


def _assumed(cover: object, stage: object, settings: DetectionSettings) -> float | None:
    """The sweep width the settings assume, metres; None for ground or stages they do not name."""
    if not isinstance(cover, str) or not isinstance(stage, str) or cover not in settings.sweep_width_m:
        return None
    return float(settings.sweep_width_m[cover][Stage[stage.upper()]])


def _row(cover: object, stage: object, found: Estimate, assumed: float | None) -> dict[str, object]:
    return {
        "cover": cover if isinstance(cover, str) else None,
        "stage": stage if isinstance(stage, str) else None,
        "n": found.n,
        "found_n": found.found_n,
        "width_m": found.value,
        "low_m": found.low,
        "high_m": found.high,
        "assumed_m": assumed,
        "reason": found.reason,
    }


def _bands(rows: pd.DataFrame, expected: pd.Series) -> pd.DataFrame:
    """Trials by lateral distance: how many, how many found, how many the fitted widths expect (NaN: no fit)."""
    edges = np.array(BAND_EDGES_M)
    band = np.clip(np.searchsorted(edges, rows["distance_m"], side="right") - 1, 0, len(edges) - 2)
    table = []
    for k in sorted(set(band.tolist())):
        held = band == k
        counts = int(held.sum()), int(rows["found"][held].sum()), expected[held].sum(min_count=1)
        table.append((edges[k], edges[k + 1], *counts))
    return pd.DataFrame(table, columns=["from_m", "to_m", "n", "found_n", "expected_n"])
