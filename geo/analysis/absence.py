"""
From looking to 'nothing stands undetected now' (当前无在地毒株把握度), per township and for the county.

The chain discounts first with the period's own chance of new planting, then learns from the period's looks
(Cannon 2001; Martin et al. 2007). A township that stops looking falls. A find sets it to 0 until destruction is
verified. The interval comes from the uncertainty of W, availability and prior, drawn on histograms of the hazard:
the grid is never recomputed. Never call the result a rate or a score.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.interpolate import CubicSpline

from geo.analysis import _kernels_zonal as kernels
from geo.analysis.allocation import Unseen, allocate, hours_needed, unseen
from geo.analysis.detection import HAZARD_UNITS
from geo.analysis.resets import OPEN, Courtyards, courtyard_table, current_period, find_restarts
from geo.grid import Grid
from geo.layers.terrain import PLANTABLE, Terrain
from geo.season import Season
from geo.settings import AbsenceSettings, Settings

__all__ = [
    "OPEN",
    "Assessment",
    "Courtyards",
    "Looks",
    "allocate",
    "assess",
    "ceiling",
    "chain",
    "county_absence",
    "courtyard_table",
    "current_period",
    "find_restarts",
    "hazard_histograms",
    "sensitivity_for",
    "township_absence",
    "update",
]

BINS, BINS_PER_FOLD = 321, 20.0
NODES = 97  # of ln(W factor), between which the sensitivity is a cubic spline
MISSING = ("no_plantable", "no_track")  # reasons that leave no number

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Looks:
    """
    The season's looks, summed over the grid once.

    Parameters
    ----------
    sensitivity
        (zones, periods) ΣRR·POD_t/ΣRR, exact from the grid; NaN without plantable cells.
    detection
        (zones,) the same of the season's POD, 1 - Π(1 - POD_t) in each cell.
    weights, hazards
        (zones, periods, covers, bins) Σ RR and RR-weighted mean hazard in nats of each bin; bin 0 is H = 0.
    totals
        (zones,) ΣRR.
    unseen
        What the current period has left to see, for `hours_to_95`; None before the season.
    """

    sensitivity: Floats
    detection: Floats
    weights: Floats
    hazards: Floats
    totals: Floats
    unseen: Unseen | None = None


@dataclass(frozen=True)
class Assessment:
    """`townships`: one row each (see `assess`); `county`: see `county_absence`; `periods`: Se_t (zones, periods)."""

    townships: pd.DataFrame
    county: dict[str, object]
    periods: Floats


def update(p: npt.ArrayLike, sensitivity: npt.ArrayLike, introduction: npt.ArrayLike = 0.0) -> Floats:
    """
    One period: discount first, p ← p(1 - π), with this period's own π, then p ← p/(1 - Se(1 - p)). Any shapes.

    >>> round(float(update(0.5, 0.6, 0.02)), 9)
    0.706051873
    """
    stayed = np.asarray(p, float) * (1.0 - np.asarray(introduction, float))
    evidence = 1.0 - np.asarray(sensitivity, float) * (1.0 - stayed)
    return np.asarray(np.divide(stayed, evidence, out=np.zeros(np.shape(stayed / 1.0 + evidence)), where=evidence > 0))


def chain(prior: npt.ArrayLike, sensitivities: npt.ArrayLike, introductions: npt.ArrayLike) -> Floats:
    """
    The probability after each period: `sensitivities` and `introductions` have periods as their first axis.

    >>> chain(0.5, [0.6, 0.6], [0.02, 0.02]).round(9).tolist()
    [0.706051873, 0.84882981]
    """
    p, steps = np.asarray(prior, float), []
    for sensitivity, introduction in zip(np.asarray(sensitivities), np.asarray(introductions), strict=True):
        p = update(p, sensitivity, introduction)
        steps.append(p)
    return np.array(steps)


def ceiling(sensitivity: npt.ArrayLike, introduction: npt.ArrayLike) -> Floats:
    """
    Where the chain settles when every period has this Se and π: (1 - π/Se)/(1 - π); 0 where Se ≤ π.

    >>> round(float(ceiling(0.6, 0.02)), 9)
    0.986394558
    """
    looked, planted = np.asarray(sensitivity, float), np.asarray(introduction, float)
    safe = np.where(looked > planted, looked, 1.0)
    return np.asarray(np.where(looked > planted, (1.0 - planted / safe) / (1.0 - planted), 0.0))


def sensitivity_for(p: npt.ArrayLike, goal: float) -> Floats:
    """
    The sensitivity that lifts an already discounted p to `goal`: (1 - p/goal)/(1 - p); 0 where it is there.

    >>> round(float(sensitivity_for(0.5, 0.95)), 9)
    0.947368421
    """
    chance = np.minimum(np.asarray(p, float), goal)
    return np.asarray((1.0 - chance / goal) / (1.0 - chance))


def hazard_histograms(
    hazards: Iterable[tuple[int, Grid]],
    *,
    zones: Grid,
    zones_n: int,
    risk: Grid,
    terrain: Terrain,
    season: Season,
    settings: Settings,
    as_of: datetime,
) -> Looks:
    """
    `Looks` from one hazard grid per period (int32, 1/65536 nat), of which one stands in memory at a time.

    Periods after the one of `as_of` are passed over; a period that does not come had no looks. Memory beside the
    grids given: one float32 grid, and the current period's hazard where nobody looked yet.
    """
    zones.require_same_frame(risk)
    zones.require_same_frame(terrain.cover)
    if int(zones.values.max(initial=0)) > zones_n:
        raise ValueError(f"zones number up to {zones.values.max()}, only {zones_n} are named")
    periods, current = len(season.months), current_period(season, as_of)
    totals = np.zeros((zones_n, 2))
    kernels.sum_weights(zones.values, risk.values, totals)
    detected, bins = np.zeros((periods, zones_n)), np.zeros((zones_n, periods, len(PLANTABLE), BINS, 2))
    miss = np.ones(zones.frame.shape, np.float32)
    scale = np.array([settings.detection.availability, float(HAZARD_UNITS), BINS_PER_FOLD])
    left: Unseen | None = None

    def remaining(hazard: Grid) -> Unseen:
        return unseen(
            hazard, zones=zones, zones_n=zones_n, risk=risk, terrain=terrain, season=season,
            day=season.day_of(as_of), settings=settings.detection,
        )  # fmt: skip

    for period, hazard in hazards:
        if not 0 <= period <= current:
            continue
        hazard.require_same_frame(zones)
        args = (zones.values, risk.values, terrain.cover.values, scale, miss, detected[period], bins[:, period])
        kernels.look(hazard.values, *args)
        if period == current:
            left = remaining(hazard)
    if left is None and current >= 0:
        left = remaining(Grid(np.zeros(zones.frame.shape, np.int32), zones.frame))
    season_sum = np.zeros((zones_n, 10))
    none = np.zeros(zones.frame.shape, np.bool_)
    kernels.sum_zones(zones.values, risk.values, miss, none, none, none, np.ones(2), season_sum)
    whole = np.where(totals[:, 0] > 0.0, totals[:, 0], np.nan)
    weight = bins[..., 0]
    mean = np.divide(bins[..., 1], weight, out=np.zeros_like(weight), where=weight > 0.0)
    return Looks(detected.T / whole[:, None], 1.0 - season_sum[:, 6] / whole, weight, mean, totals[:, 0], left)


def introductions(settings: AbsenceSettings, periods: int) -> Floats:
    """
    π of each period: the settings name the last months of the season; months before them take the first one's.

    >>> introductions(AbsenceSettings(introduction=(0.02, 0.01)), 4).tolist()
    [0.02, 0.02, 0.02, 0.01]
    """
    given = np.asarray(settings.introduction, float)[-periods:]
    return np.asarray(np.concatenate([np.full(periods - len(given), given[0]), given]))


def township_absence(
    looks: Looks,
    *,
    courtyards: Floats,
    class_b: Floats,
    restarts: Ints,
    current: int,
    settings: Settings,
    rng: np.random.Generator,
) -> tuple[dict[str, Floats], Floats]:
    """
    p_zero with its interval and for priors .5 and .9, of each zone, and the draws (zones, draws).

    Drawn are one factor on W (lognormal; hazards scale with its square), availability (normal, clipped) and prior
    (logit-normal), common to the county: they are the same unknowns everywhere. Quantiles 5 and 95 % are widened to
    contain p_zero.

    Parameters
    ----------
    courtyards, class_b
        (zones, periods) share of courtyards entered; share of villages with a class B visit.
    restarts
        Of `find_restarts`: an `OPEN` zone has probability 0.
    """
    model, zones_n = settings.absence, len(looks.totals)
    factor = np.exp(2.0 * model.sweep_width_sd * rng.standard_normal(model.draws))
    wobble = settings.detection.availability + model.availability_sd * rng.standard_normal(model.draws)
    availability = np.clip(wobble, 0.01, 0.999)
    logit = np.log(model.prior / (1.0 - model.prior)) + model.prior_sd * rng.standard_normal(model.draws)
    priors = 1.0 / (1.0 + np.exp(-logit))
    exact = np.nan_to_num(looks.sensitivity)
    base = {"p_zero": model.prior, "p_zero_prior_50": 0.5, "p_zero_prior_90": 0.9}
    result = {name: np.zeros(zones_n) for name in base}
    draws = np.zeros((zones_n, model.draws))
    for zone in range(zones_n):
        if restarts[zone] == OPEN:
            continue
        span = slice(int(restarts[zone]), current + 1)
        introduction = introductions(model, looks.sensitivity.shape[1])[span]
        yards, forms = courtyards[zone, span], class_b[zone, span]
        drawn = _drawn_sensitivity(looks, zone, span, factor) * availability
        whole = _with_others(drawn, yards[:, None] * availability, forms[:, None], model)
        draws[zone] = chain(priors, whole, introduction)[-1] if len(whole) else priors
        single = _with_others(exact[zone, span], yards * settings.detection.availability, forms, model)
        for name, prior in base.items():
            result[name][zone] = chain(prior, single, introduction)[-1] if len(single) else prior
    low, high = np.quantile(draws, [0.05, 0.95], axis=1)
    result["p_zero_low"] = np.minimum(low, result["p_zero"])
    result["p_zero_high"] = np.maximum(high, result["p_zero"])
    return result, draws


def _drawn_sensitivity(looks: Looks, zone: int, span: slice, factor: Floats) -> Floats:
    """
    ΣRR·(1 - e^(-H·factor))/ΣRR of each period in `span`, shape (periods, draws), from the histograms.

    Smooth in ln(factor): worked out at `NODES` of them and drawn through by a cubic spline, to 1e-6.
    """
    logs = np.log(factor)
    nodes = np.linspace(logs.min(), logs.max(), NODES)
    if nodes[-1] - nodes[0] < 1e-9 or len(logs) <= NODES:
        nodes = logs
    weights = looks.weights[zone, span].sum(axis=1)
    sums = (looks.weights[zone, span] * looks.hazards[zone, span]).sum(axis=1)
    drawn = np.zeros((len(weights), len(factor)))
    for period, weight in enumerate(weights):
        held = np.flatnonzero(sums[period] > 0.0)
        hazard = sums[period, held] / weight[held]
        seen = -np.expm1(-np.multiply.outer(np.exp(nodes), hazard)) @ weight[held] / max(looks.totals[zone], 1e-300)
        drawn[period] = seen if nodes is logs else CubicSpline(nodes, seen)(logs)
    return drawn


def _with_others(tracked: Floats, yards: Floats, forms: Floats, model: AbsenceSettings) -> Floats:
    """Se_t of the township: tracked ground with signed forms (default 0), and the courtyard stratum by its share."""
    ground = 1.0 - (1.0 - tracked) * (1.0 - model.class_b_sensitivity * forms)
    return np.asarray((1.0 - model.courtyard_share) * ground + model.courtyard_share * yards)


def hours_to_goal(
    looks: Looks, *, courtyards: Floats, class_b: Floats, restarts: Ints, current: int, settings: Settings
) -> Floats:
    """
    Hours of search per zone, from now and in this period, until p reaches the goal; infinite beyond the ceiling.

    Travel is left out and the hours go where they are worth most, so no plan can do with fewer. What caps it:
    availability, and courtyards not entered. NaN for `OPEN` zones and where nothing is plantable.
    """
    model, a = settings.absence, settings.detection.availability
    hours = np.full(len(looks.totals), np.nan)
    for zone in range(len(hours)):
        if restarts[zone] == OPEN or looks.totals[zone] <= 0.0 or looks.unseen is None:
            continue
        span = slice(int(restarts[zone]), current + 1)
        introduction = introductions(model, looks.sensitivity.shape[1])[span]
        yards, forms = courtyards[zone, span] * a, class_b[zone, span]
        whole = _with_others(looks.sensitivity[zone, span], yards, forms, model)
        before = chain(model.prior, whole[:-1], introduction[:-1])
        p = (before[-1] if len(before) else model.prior) * (1.0 - introduction[-1])
        needed = float(sensitivity_for(p, model.goal))
        ground = (needed - model.courtyard_share * yards[-1]) / (1.0 - model.courtyard_share)
        tracked = 1.0 - (1.0 - ground) / (1.0 - model.class_b_sensitivity * forms[-1])
        gain = (tracked - looks.sensitivity[zone, span][-1]) / a * looks.totals[zone]
        hours[zone] = hours_needed(looks.unseen, zone, gain)
    return hours


def assess(
    hazards: Iterable[tuple[int, Grid]],
    *,
    zone_ids: Sequence[str],
    zones: Grid,
    risk: Grid,
    terrain: Terrain,
    season: Season,
    settings: Settings,
    as_of: datetime,
    rng: np.random.Generator,
    has_tracks: npt.NDArray[np.bool_],
    finds: pd.DataFrame | None = None,
    courtyards: Courtyards | None = None,
    class_b: Floats | None = None,
) -> Assessment:
    """
    Every township's detection and probability that nothing stands undetected, and the county's.

    Parameters
    ----------
    hazards
        (period, Grid int32 in 1/65536 nat), one per period with tracks; may be a generator.
    zone_ids, zones
        Township of each 1-based number in `zones` (int16).
    risk
        Relative risk, 0 where nothing can be planted.
    has_tracks
        (zones, periods) whether a foot track passed in the zone.
    finds, courtyards, class_b
        Finds layer; `courtyard_table`; (zones, periods) share of villages with a class B visit.

    Returns
    -------
    Assessment
        ``townships`` has index ``township_id`` and columns detection (over plantable cells, tracked looks alone),
        detection_with_courtyards (courtyards as a stratum of their share of risk; what p_zero rests on), p_zero,
        p_zero_low, p_zero_high, p_zero_prior_50, p_zero_prior_90, hours_to_95 (hours) and reasons (dict figure →
        code): no_plantable, no_track, find_open, ceiling, courtyards_unknown. A figure with a reason of the first two
        is NaN; hours are NaN with find_open and ceiling; courtyards of unknown number count as unseen.
    """
    n, current = len(zone_ids), current_period(season, as_of)
    looks = hazard_histograms(
        hazards, zones=zones, zones_n=n, risk=risk, terrain=terrain, season=season, settings=settings, as_of=as_of
    )
    periods = len(season.months)
    yards = courtyards or Courtyards(np.full(n, np.nan), np.zeros((n, periods)))
    forms = np.zeros((n, periods)) if class_b is None else class_b
    restarts = np.zeros(n, np.int64)
    if finds is not None and len(finds):
        restarts = find_restarts(finds, zones, zone_ids=zone_ids, season=season, as_of=as_of)
    restarts = np.minimum(restarts, max(current, 0))
    common = {"courtyards": yards.shares, "class_b": forms, "restarts": restarts, "current": current}
    chances, draws = township_absence(looks, settings=settings, rng=rng, **common)  # type: ignore[arg-type]
    hours = hours_to_goal(looks, settings=settings, **common)  # type: ignore[arg-type]
    share, span = settings.absence.courtyard_share, slice(0, current + 1)
    entered = 1.0 - np.prod(1.0 - settings.detection.availability * yards.shares[:, span], axis=1)
    with_yards = (1.0 - share) * looks.detection + share * entered
    figures = {"detection": looks.detection, "detection_with_courtyards": with_yards, **chances, "hours_to_95": hours}
    table = pd.DataFrame(figures, index=pd.Index(list(zone_ids), name="township_id"))
    tracked = np.asarray(has_tracks, bool)[:, span] | (settings.absence.class_b_sensitivity * forms[:, span] > 0.0)
    looked = np.asarray(tracked.any(axis=1))
    reasons = _reasons(looks, looked=looked, restarts=restarts, yards=yards, hours=hours)
    for figure in ("detection", "detection_with_courtyards", "p_zero", "hours_to_95"):
        table[figure] = table[figure].mask(np.array([said.get(figure, "") in MISSING for said in reasons], bool))
    known = np.isfinite(table["p_zero"].to_numpy())
    for companion in chances:
        table[companion] = table[companion].where(known)
    table["hours_to_95"] = table["hours_to_95"].where(np.isfinite(table["hours_to_95"].to_numpy()))
    table["reasons"] = pd.Series(reasons, index=table.index, dtype=object)
    return Assessment(table, county_absence(table, draws, settings.absence), looks.sensitivity)


def _reasons(
    looks: Looks, *, looked: npt.NDArray[np.bool_], restarts: Ints, yards: Courtyards, hours: Floats
) -> list[dict[str, str]]:
    """Per zone: figure → code of ``words`` for every figure that is missing, 0 by rule, or rests on an unknown."""
    said: list[dict[str, str]] = []
    for zone in range(len(looks.totals)):
        reasons: dict[str, str] = {}
        if not yards.total[zone] > 0:
            reasons["courtyards"] = "courtyards_unknown"
        if not np.isfinite(hours[zone]):
            reasons["hours_to_95"] = "ceiling" if np.isinf(hours[zone]) else "no_track"
        if not looked[zone]:
            reasons |= dict.fromkeys(("detection", "detection_with_courtyards", "p_zero"), "no_track")
        if restarts[zone] == OPEN:
            reasons |= dict.fromkeys(("p_zero", "hours_to_95"), "find_open")
        if looks.totals[zone] <= 0.0:
            figures = ("detection", "detection_with_courtyards", "p_zero", "hours_to_95")
            reasons |= dict.fromkeys(figures, "no_plantable")
        said.append(reasons)
    return said


def county_absence(table: pd.DataFrame, draws: Floats, settings: AbsenceSettings) -> dict[str, object]:
    """
    The county: product over townships, beside the lowest township and the number below the goal.

    Townships where nothing can be planted are left out. p_zero and its interval are None while a township's is
    unknown for want of looks (`unknown_n`): leaving it out would flatter the county.
    """
    bare = np.array([said.get("p_zero") == "no_plantable" for said in table["reasons"]], bool)
    known = table["p_zero"].notna().to_numpy()
    unknown_n = int((~known & ~bare).sum())
    values = table["p_zero"][known]
    county: dict[str, object] = {
        "p_zero": None, "p_zero_low": None, "p_zero_high": None, "unknown_n": unknown_n,
        "below_goal_n": int((values < settings.goal).sum()), "goal": settings.goal,
        "lowest_township_id": str(values.idxmin()) if len(values) else None,
        "lowest_p_zero": float(values.min()) if len(values) else None,
    }  # fmt: skip
    if unknown_n == 0 and len(values):
        product = float(np.prod(values.to_numpy()))
        low, high = np.quantile(draws[known].prod(axis=0), [0.05, 0.95])
        county |= {"p_zero": product, "p_zero_low": min(float(low), product), "p_zero_high": max(float(high), product)}
    return county
