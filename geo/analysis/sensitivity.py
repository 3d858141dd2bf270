"""
Closed forms of surveillance: the chance that looking would have found planting, had there been any.

Sources: Cannon 2001; Martin et al. 2007; Anderson et al. 2013; Barnes et al. 2023 (plots left).
"""

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln, xlogy

Floats = npt.NDArray[np.float64]


def combined(sensitivities: npt.ArrayLike) -> float:
    """
    One sensitivity from independent looks, passes or sensors: 1 - Π(1 - p).

    >>> round(combined([0.5, 0.5]), 12)
    0.75
    """
    return float(1.0 - np.prod(1.0 - np.asarray(sensitivities, float)))


def adjusted_risks(relative_risks: npt.ArrayLike, shares: npt.ArrayLike) -> Floats:
    """
    Relative risks scaled so that their mean over the ground is 1: RR / Σ RR·share (Martin et al. 2007).

    >>> adjusted_risks([5, 3, 1], [0.1, 0.1, 0.8]).tolist()
    [3.125, 1.875, 0.625]
    """
    risks, parts = np.asarray(relative_risks, float), np.asarray(shares, float)
    return np.asarray(risks / (risks * parts).sum() * parts.sum(), float)


def risk_weighted(weights: npt.ArrayLike, detections: npt.ArrayLike, *, plots: float = 1.0) -> float:
    """
    Sensitivity of a township for a design of `plots` plots: 1 - (1 - ΣRR·POD/ΣRR)^plots.

    The form of `detection` in this program, there with one plot; `weights` are RR or RR × area, any shape.

    >>> round(risk_weighted([0.5, 0.3, 0.8], [0.9, 0.6, 0.2]), 6)
    0.49375
    """
    weight, pod = np.asarray(weights, float), np.asarray(detections, float)
    return float(1.0 - (1.0 - (weight * pod).sum() / weight.sum()) ** plots)


def form_2013(unit_sensitivity: float, searched_n: float, *, units_n: float, risk_sum: float, plots: float) -> float:
    """
    Anderson et al. 2013: 1 - (1 - SeU·n/N)^(Pu·ΣAR/n), for `searched_n` of `units_n` cells with adjusted risks ΣAR.

    >>> form_2013(0.5, 10, units_n=10, risk_sum=10, plots=1)
    0.5
    """
    return float(1.0 - (1.0 - unit_sensitivity * searched_n / units_n) ** (plots * risk_sum / searched_n))


def binomial(units_n: float, *, prevalence: float, unit_sensitivity: float) -> float:
    """
    Chance of at least one detection among `units_n` units at the design prevalence: 1 - (1 - p*·Se)^n.

    >>> round(binomial(300, prevalence=0.01, unit_sensitivity=0.95), 12)
    0.942938397725
    """
    return float(1.0 - (1.0 - prevalence * unit_sensitivity) ** units_n)


def census(infested_n: int, *, unit_sensitivity: float) -> float:
    """
    Every unit looked at, `infested_n` of them planted: 1 - (1 - Se)^d.

    >>> round(census(5, unit_sensitivity=0.8), 5)
    0.99968
    """
    return float(1.0 - (1.0 - unit_sensitivity) ** infested_n)


def units_needed(units_n: int, *, infested_n: int, unit_sensitivity: float, goal: float = 0.95) -> int:
    """
    Units to look at for `goal`, by Cannon's approximation N/Se·(1 - (1 - goal)^(1/d)), rounded up.

    >>> units_needed(20000, infested_n=100, unit_sensitivity=0.9)
    656
    """
    return int(np.ceil(units_n / unit_sensitivity * (1.0 - (1.0 - goal) ** (1.0 / infested_n))))


def hypergeometric(units_n: int, *, infested_n: int, searched_n: int, unit_sensitivity: float) -> float:
    """
    Chance of at least one detection when `searched_n` of `units_n` are looked at, `infested_n` being planted.

    1 - Σ_k Hypergeometric(k)·(1 - Se)^k, exact, without replacement (Cannon 2001).

    >>> round(hypergeometric(4, infested_n=1, searched_n=2, unit_sensitivity=0.5), 12)
    0.25
    """
    hit = np.arange(max(0, searched_n + infested_n - units_n), min(infested_n, searched_n) + 1)
    ways = _ln_ways(infested_n, hit) + _ln_ways(units_n - infested_n, searched_n - hit) - _ln_ways(units_n, searched_n)
    return float(1.0 - np.exp(ways + xlogy(hit, 1.0 - unit_sensitivity)).sum())


def _ln_ways(n: npt.ArrayLike, k: npt.ArrayLike) -> Floats:
    whole, part = np.asarray(n, float), np.asarray(k, float)
    return np.asarray(gammaln(whole + 1.0) - gammaln(part + 1.0) - gammaln(whole - part + 1.0))


def clean_records(false_share: float, *, goal: float = 0.95) -> int:
    """
    Records that must all prove right to say with `goal` that at most `false_share` of very many are false.

    >>> clean_records(0.05)
    59
    """
    return int(np.ceil(np.log(1.0 - goal) / np.log(1.0 - false_share)))


def predictive_value(sensitivity: float, *, specificity: float, prevalence: float) -> float:
    """
    Share of alarms that are true: Se·π/(Se·π + (1 - Sp)(1 - π)).

    >>> round(predictive_value(0.85, specificity=0.999, prevalence=0.0001), 3)
    0.078
    """
    true = sensitivity * prevalence
    return float(true / (true + (1.0 - specificity) * (1.0 - prevalence)))


def units_needed_exact(units_n: int, *, infested_n: int, unit_sensitivity: float, goal: float = 0.95) -> int:
    """
    Fewest units for `goal` without replacement: Σ_k Hypergeometric(k)·(1 - Se)^k ≤ 1 - goal; all + 1 if unreachable.

    >>> units_needed_exact(10, infested_n=10, unit_sensitivity=0.5, goal=0.7)
    2
    """
    low, high = 1, units_n + 1
    while low < high:
        middle = (low + high) // 2
        seen = hypergeometric(
            units_n, infested_n=infested_n, searched_n=min(middle, units_n), unit_sensitivity=unit_sensitivity
        )
        if seen >= goal:
            high = middle
        else:
            low = middle + 1
    return low


def plots_left(plots: float, *, sensitivity: float, sweeps: int) -> float:
    """
    Expected hidden plots after sweeps that found none: ρ(1 - δ)^k. Poppy does not multiply within a season.

    >>> plots_left(0.5, sensitivity=0.5, sweeps=5)
    0.015625
    """
    return float(plots * (1.0 - sensitivity) ** sweeps)


def no_plots_left(plots: float, *, sensitivity: float, sweeps: int) -> float:
    """
    Chance that no plot is left, their number being Poisson: exp(-ρ(1 - δ)^k) (after Barnes et al. 2023).

    >>> round(no_plots_left(0.5, sensitivity=0.5, sweeps=5), 9)
    0.984496437
    """
    return float(np.exp(-plots_left(plots, sensitivity=sensitivity, sweeps=sweeps)))


def village_prior(prior: float, risk_share: float) -> float:
    """
    Prior chance of zero planting in a village that bears `risk_share` of its township's risk: prior^share.

    >>> village_prior(0.25, 0.5)
    0.5
    """
    return float(prior**risk_share)
