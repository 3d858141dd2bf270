"""
From looking to 'nothing stands undetected now' (当前无在地毒株把握度), per village, township and county.

The chain discounts first with the period's own chance of new planting, then learns from the period's looks
(Cannon 2001; Martin et al. 2007). A plot stays where it stands: each period's sensitivity is that for a plot the
earlier looks have missed. A township that stops looking falls. A find sets it to 0 until destruction is verified. The
interval comes from the uncertainty of W, availability and prior, drawn on histograms of the hazard: the grid is never
recomputed. Never call the result a rate or a score.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypedDict

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis.allocation import hours_needed
from geo.analysis.levers import levers
from geo.analysis.looks import Looks, Sensed, drawn_ground, sum_looks
from geo.analysis.resets import OPEN, Courtyards, current_period, find_restarts
from geo.analysis.standing import Case, arrivals, introductions
from geo.analysis.zonal import Parts
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import AbsenceSettings, Settings

UNKNOWN_SHARE = 0.01
MISSING = ("no_plantable", "ground_unmapped", "no_track")  # reasons that leave no number
FIGURES = ("detection", "detection_with_courtyards", "p_zero", "plots_left")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Assessment:
    """
    The answer of `assess`: `townships` and `villages`, one row each; `county`: see `county_absence`; `periods`: Se_t of
    each period's tracked looks by themselves (zones, periods).
    """

    townships: pd.DataFrame
    villages: pd.DataFrame
    county: dict[str, object]
    periods: Floats


@dataclass(frozen=True)
class Beside:
    """
    Looks beside tracks, of each zone and period.

    `courtyards`: share of the courtyards entered; `class_b`: share of the villages with a signed form; `tips`: chance
    that tips brought a standing plot to light (`resets.tip_sensitivity`).
    """

    courtyards: Floats
    class_b: Floats
    tips: Floats

    @classmethod
    def none(cls, zones_n: int, periods: int) -> "Beside":
        """Nothing but tracks."""
        empty = np.zeros((zones_n, periods))
        return cls(empty, empty, empty)


class _Common(TypedDict):
    """What every step of the chain takes beside the looks."""

    beside: Beside
    restarts: Ints
    current: int
    settings: Settings


@dataclass(frozen=True)
class Since:
    """
    Looks that count towards the chance that nothing stands, where a find has started a township's chain again.

    As in `assess`, without what was looked at before the find's destruction was verified in the month of that day.
    """

    hazards: Iterable[tuple[int, Grid]]
    sensed: Sensed
    courtyards: Courtyards
    class_b: Floats
    village_beside: Beside


def township_cases(looks: Looks, *, beside: Beside, restarts: Ints, current: int, settings: Settings) -> list[Case]:
    """What each zone's probability rests on, from the period its chain starts in; an `OPEN` zone's from the first."""
    return [
        _case(looks.missed[zone], zone, beside=beside, start=int(restarts[zone]), current=current, settings=settings)
        for zone in range(len(looks.totals))
    ]


def _case(ground: Floats, zone: int, *, beside: Beside, start: int, current: int, settings: Settings) -> Case:
    model, span = settings.absence, slice(max(start, 0), current + 1)
    return Case(
        prior=model.prior,
        availability=settings.detection.availability,
        introduction=introductions(model, ground.shape[0])[span],
        ground=np.nan_to_num(ground[span], nan=1.0),
        yards=beside.courtyards[zone, span],
        forms=beside.class_b[zone, span],
        tips=beside.tips[zone, span],
        courtyard_share=model.courtyard_share,
        class_b_sensitivity=model.class_b_sensitivity,
    )


def township_absence(
    looks: Looks,
    *,
    beside: Beside,
    restarts: Ints,
    current: int,
    settings: Settings,
    rng: np.random.Generator,
    season: Looks | None = None,
) -> tuple[dict[str, Floats], Floats, Floats]:
    """
    p_zero with its interval and for priors .5 and .9, of each zone; its draws (zones, draws), and those of detection.

    Drawn are one factor on W (lognormal; hazards scale with its square), availability (normal, clipped) and prior
    (logit-normal), common to the county: they are the same unknowns everywhere. Quantiles 5 and 95 % are widened to
    contain the figure. An `OPEN` zone has probability 0. `season`: the looks of the whole season, where `looks` are
    only those since finds.
    """
    model, whole = settings.absence, season or looks
    factor = np.exp(2.0 * model.sweep_width_sd * rng.standard_normal(model.draws))
    wobble = settings.detection.availability + model.availability_sd * rng.standard_normal(model.draws)
    availability = np.clip(wobble, 0.01, 0.999)
    logit = np.log(model.prior / (1.0 - model.prior)) + model.prior_sd * rng.standard_normal(model.draws)
    priors = 1.0 / (1.0 + np.exp(-logit))
    cases = township_cases(looks, beside=beside, restarts=restarts, current=current, settings=settings)
    base = {"p_zero": model.prior, "p_zero_prior_50": 0.5, "p_zero_prior_90": 0.9}
    result = {name: np.zeros(len(cases)) for name in base}
    draws, seen = np.zeros((len(cases), model.draws)), np.zeros((len(cases), model.draws))
    for zone, case in enumerate(cases):
        full = replace(case, ground=np.nan_to_num(whole.missed[zone, : current + 1], nan=1.0))
        escaped = drawn_ground(whole, zone, full, factor=factor, availability=availability)
        if len(escaped):
            seen[zone] = 1.0 - escaped[0]
        if restarts[zone] == OPEN:
            continue
        ground = escaped[len(escaped) - len(case.ground) :]
        if whole is not looks:
            ground = drawn_ground(looks, zone, case, factor=factor, availability=availability)
        draws[zone] = replace(case, ground=ground, availability=availability, prior=priors).p()
        for name, prior in base.items():
            result[name][zone] = replace(case, prior=prior).p()
    low, high = np.quantile(draws, [0.05, 0.95], axis=1)
    result["p_zero_low"] = np.minimum(low, result["p_zero"])
    result["p_zero_high"] = np.maximum(high, result["p_zero"])
    return result, draws, seen


def detection_interval(detection: Floats, seen: Floats) -> dict[str, Floats]:
    """Quantiles 5 and 95 % of drawn detections, (zones, draws), widened to contain the detection itself."""
    low, high = np.quantile(seen, [0.05, 0.95], axis=1)
    return {"detection_low": np.minimum(low, detection), "detection_high": np.maximum(high, detection)}


def county_detection(looks: Looks, seen: Floats) -> dict[str, object]:
    """
    The county's ΣRR·POD/ΣRR with its interval: one sum over all its plantable ground.

    Unlike p_zero it needs no prior, and ground without any look is in it for what it is: not seen.
    """
    known = looks.totals > 0.0
    if not known.any():
        return dict.fromkeys(("detection", "detection_low", "detection_high"))
    weights = looks.totals[known] / looks.totals[known].sum()
    whole = float(weights @ np.nan_to_num(looks.detection[known]))
    interval = detection_interval(np.array([whole]), (weights @ seen[known])[None, :])
    ends: dict[str, object] = {name: float(value[0]) for name, value in interval.items()}
    return {"detection": whole} | ends


def hours_to_goal(looks: Looks, cases: Sequence[Case], *, restarts: Ints, goal: float) -> Floats:
    """
    Hours of search per zone, from now and in this period, until p reaches the goal; infinite beyond the ceiling.

    Travel is left out and the hours go where they are worth most, so no plan can do with fewer. What caps it:
    availability, and courtyards not entered. NaN for `OPEN` zones and where nothing is plantable.
    """
    hours = np.full(len(cases), np.nan)
    for zone, case in enumerate(cases):
        if restarts[zone] == OPEN or looks.totals[zone] <= 0.0 or looks.unseen is None:
            continue
        free, plot = case.odds()
        hours[zone] = hours_needed(looks.unseen, zone, plot - free * (1.0 / goal - 1.0))
    return hours


def carried(beside: Beside, *, restarts: Ints, current: int, settings: Settings) -> Floats:
    """(zones, periods) chance of a plot in open ground since each period that forms and tips have not shown."""
    zones_n, periods = beside.courtyards.shape
    chance = np.zeros((zones_n, periods))
    ground = np.ones(periods)
    for zone in range(zones_n):
        if restarts[zone] == OPEN or current < 0:
            continue
        case = _case(ground, zone, beside=beside, start=int(restarts[zone]), current=current, settings=settings)
        _, came = arrivals(case.prior, case.introduction)
        chance[zone, int(restarts[zone]) : current + 1] = came * case.beside() * (1.0 - case.courtyard_share)
    return chance


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
    tips: Floats | None = None,
    parts: Parts | None = None,
    village_beside: Beside | None = None,
    sensed: Sensed | None = None,
    since: Since | None = None,
) -> Assessment:
    """
    Every township's detection and probability that nothing stands undetected, its villages' and the county's.

    Parameters
    ----------
    hazards
        (period, Grid int32 in 1/65536 nat), **the last period first**; may be a generator.
    zone_ids, zones
        Township of each 1-based number in `zones` (int16).
    risk
        Relative risk, 0 where nothing can be planted.
    has_tracks
        (zones, periods) whether a foot track of anybody passed in the zone.
    finds, courtyards, class_b, tips
        Finds layer; `courtyard_table`; (zones, periods) share of villages with a class B visit and `tip_sensitivity`.
    parts, village_beside
        Villages' ground, and what was looked at beside tracks in each part, (parts, periods).
    sensed
        What flights and passes of each period have missed, see `looks.Sensed`; None: there were none.
    since
        What counts after finds, where there are any that are verified; detection stays that of the whole season.

    Returns
    -------
    Assessment
        ``townships`` has index ``township_id`` and columns detection (over plantable cells, looks of feet, lookouts and
        second sensors), detection_low and detection_high (5 and 95 % over W and availability),
        detection_with_courtyards (courtyards as a stratum of their share of risk), p_zero, p_zero_low, p_zero_high,
        p_zero_prior_50, p_zero_prior_90, plots_left (plots expected to stand unseen), hours_to_95 (hours), levers
        (see `levers.levers`) and reasons (dict figure → code): no_plantable, ground_unmapped, ground_partly, no_track,
        find_open, ceiling, courtyards_unknown. Looks count where they reach, whoever walked: a township nobody's track
        reached has no number. Hours are NaN with find_open and ceiling; courtyards of unknown number count as unseen.
        ``villages`` has index ``village_id`` and columns township_id, detection, p_zero, risk_share and reasons.
    """
    n, periods, current = len(zone_ids), len(season.months), current_period(season, as_of)
    pieces = parts or Parts.whole(zones, n)
    yards = courtyards or Courtyards(np.full(n, np.nan), np.zeros((n, periods)))
    empty = np.zeros((n, periods))
    beside = Beside(yards.shares, empty if class_b is None else class_b, empty if tips is None else tips)
    restarts = np.zeros(n, np.int64)
    if finds is not None and len(finds):
        restarts = find_restarts(finds, zones, zone_ids=zone_ids, season=season, as_of=as_of)
    restarts = np.minimum(restarts, max(current, 0))
    later = beside if since is None else Beside(since.courtyards.shares, since.class_b, beside.tips)
    common: _Common = {"beside": later, "restarts": restarts, "current": current, "settings": settings}

    def summed(held: Iterable[tuple[int, Grid]], past: Sensed | None) -> Looks:
        return sum_looks(
            held, zones=pieces.grid, parents=pieces.parents, zones_n=n, carried=carried(**common),
            risk=risk, terrain=terrain, season=season, settings=settings, as_of=as_of, sensed=past,
        )  # fmt: skip

    looks = summed(hazards, sensed)
    counted = looks if since is None else summed(since.hazards, since.sensed)
    chances, draws, seen = township_absence(counted, rng=rng, season=looks, **common)
    cases = township_cases(counted, **common)
    hours = hours_to_goal(counted, cases, restarts=restarts, goal=settings.absence.goal)
    share, span = settings.absence.courtyard_share, slice(0, current + 1)
    entered = 1.0 - np.prod(1.0 - settings.detection.availability * yards.shares[:, span], axis=1)
    figures = {
        "detection": looks.detection,
        **detection_interval(looks.detection, seen),
        "detection_with_courtyards": (1.0 - share) * looks.detection + share * entered,
        **chances,
        "plots_left": np.array([case.plots_left() for case in cases]),
        "hours_to_95": hours,
    }
    table = pd.DataFrame(figures, index=pd.Index(list(zone_ids), name="township_id"))
    looked = _looked(has_tracks[:, span], looks.missed[:, 0], beside, settings.absence, span)
    bare = _bare(looks.totals, zones, terrain)
    partly = _partly(zones, terrain, n)
    reasons = _reasons(looks, looked=looked, restarts=restarts, yards=yards, hours=hours, bare=bare, partly=partly)
    for figure in (*FIGURES, "hours_to_95"):
        table[figure] = table[figure].mask(np.array([said.get(figure, "") in MISSING for said in reasons], bool))
    known = np.isfinite(table["p_zero"].to_numpy())
    for companion in chances:
        table[companion] = table[companion].where(known)
    for companion in ("detection_low", "detection_high"):
        table[companion] = table[companion].where(table["detection"].notna())
    table["hours_to_95"] = table["hours_to_95"].where(np.isfinite(table["hours_to_95"].to_numpy()))
    named = [
        levers(counted, zone, case, settings) if known[zone] and restarts[zone] != OPEN else []
        for zone, case in enumerate(cases)
    ]
    table["levers"] = pd.Series(named, index=table.index, dtype=object)
    table["reasons"] = pd.Series(reasons, index=table.index, dtype=object)
    of_parts = since.village_beside if since else village_beside or Beside.none(len(pieces.parents), periods)
    in_parts = np.zeros(len(pieces.parents), np.int64)
    if parts is not None and finds is not None and len(finds):
        names = [name or "" for name in pieces.village_ids]
        in_parts = find_restarts(
            finds.assign(township_id=None), pieces.grid, zone_ids=names, season=season, as_of=as_of
        )
    villages = village_absence(
        looks, counted, pieces, zone_ids=zone_ids, beside=of_parts, restarts=np.minimum(in_parts, max(current, 0)),
        current=current, settings=settings,
    )  # fmt: skip
    whole = county_absence(table, draws, settings.absence) | county_detection(looks, seen)
    return Assessment(table, villages, whole, looks.alone)


def village_absence(
    looks: Looks,
    counted: Looks,
    parts: Parts,
    *,
    zone_ids: Sequence[str],
    beside: Beside,
    restarts: Ints,
    current: int,
    settings: Settings,
) -> pd.DataFrame:
    """
    Detection and p_zero of each village: its prior is the township's to the power of its share of the risk, and so is
    the chance that nothing is planted in a period. Villages without ground on the map are not in the table. Detection
    is that of the season's `looks`, p_zero that of those `counted` since finds.
    """
    rows = []
    model = settings.absence
    for part, village in enumerate(parts.village_ids):
        if village is None:
            continue
        parent, risk = int(parts.parents[part]), float(looks.fine_totals[part])
        share = risk / looks.totals[parent] if risk > 0.0 else 0.0
        escaped, start = counted.fine_missed[part], int(restarts[part])
        case = _case(escaped, part, beside=beside, start=start, current=current, settings=settings)
        own = replace(case, prior=model.prior**share, introduction=1.0 - (1.0 - case.introduction) ** share)
        seen = 1.0 - float(looks.fine_missed[part, 0]) if risk > 0.0 else np.nan
        looked = seen > 0.0 or bool((model.class_b_sensitivity * case.forms > 0.0).any())
        reason = "no_plantable" if share == 0.0 else "" if looked else "no_track"
        p_zero = 0.0 if restarts[part] == OPEN else float(own.p())
        row = {"village_id": village, "township_id": zone_ids[parent], "risk_share": share}
        row |= {"detection": np.nan if reason else seen, "p_zero": np.nan if reason else p_zero}
        rows.append(row | {"reasons": dict.fromkeys(("detection", "p_zero"), reason) if reason else {}})
    columns = ["village_id", "township_id", "risk_share", "detection", "p_zero", "reasons"]
    return pd.DataFrame(rows, columns=columns).set_index("village_id")


def _looked(
    has_tracks: npt.NDArray[np.bool_], missed: Floats, beside: Beside, model: AbsenceSettings, span: slice
) -> npt.NDArray[np.bool_]:
    """Zones somebody looked at: a track of anybody in it or within sight, or forms that are given a sensitivity."""
    forms = (model.class_b_sensitivity * beside.class_b[:, span] > 0.0).any(axis=1)
    return np.asarray(np.asarray(has_tracks, bool).any(axis=1) | (missed < 1.0) | forms)


def _bare(totals: Floats, zones: Grid, terrain: Terrain) -> list[str]:
    """
    Per zone why it has no ground to look at: nothing can be planted, or height or cover is not known; "" where it has.
    """
    said = []
    for zone, total in enumerate(totals):
        if total > 0.0:
            said.append("")
        else:
            unknown = bool(terrain.unknown[zones.values == zone + 1].any())
            said.append("ground_unmapped" if unknown else "no_plantable")
    return said


def _partly(zones: Grid, terrain: Terrain, n: int) -> list[bool]:
    """Per zone whether height or cover is missing of `UNKNOWN_SHARE` of its cells or more."""
    unknown = np.bincount(zones.values[terrain.unknown], minlength=n + 1)[1:]
    if not unknown.any():
        return [False] * n
    held = np.bincount(zones.values.reshape(-1), minlength=n + 1)[1:]
    return list(unknown >= np.maximum(UNKNOWN_SHARE * held, 1.0))


def _reasons(
    looks: Looks,
    *,
    looked: npt.NDArray[np.bool_],
    restarts: Ints,
    yards: Courtyards,
    hours: Floats,
    bare: list[str],
    partly: list[bool],
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
            reasons |= dict.fromkeys(FIGURES, "no_track")
        if restarts[zone] == OPEN:
            reasons |= dict.fromkeys(("p_zero", "hours_to_95"), "find_open")
        if partly[zone] and not bare[zone]:
            reasons["ground"] = "ground_partly"
        if bare[zone]:
            reasons |= dict.fromkeys((*FIGURES, "hours_to_95"), bare[zone])
        said.append(reasons)
    return said


def county_absence(table: pd.DataFrame, draws: Floats, settings: AbsenceSettings) -> dict[str, object]:
    """
    The county: product over townships, beside the lowest township and the number below the goal.

    Townships where nothing can be planted are left out. p_zero and its interval are None while a township's is
    unknown for want of looks or of a map of its ground (`unknown_n`): leaving it out would flatter the county.
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
