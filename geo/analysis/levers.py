"""What would change a township's probability most: one assumption, or one kind of work, moved at a time."""

from dataclasses import replace
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from geo.analysis.allocation import gain_of
from geo.analysis.looks import Looks, drawn_ground
from geo.analysis.standing import Case
from geo.layers.terrain import COVER_NAMES, PLANTABLE
from geo.settings import Settings

Floats = npt.NDArray[np.float64]


class Lever(TypedDict):
    """
    One thing moved: its `code`, the two values tried and the p_zero each gives; `change` is the larger step from now.
    """

    code: str
    low: float
    high: float
    p_low: float
    p_high: float
    change: float


def levers(looks: Looks, zone: int, case: Case, settings: Settings) -> list[Lever]:
    """
    Every assumption and every kind of work moved alone, the largest change of p_zero first.

    Assumptions (low and high value): sweep_width, availability and prior by one standard deviation; introduction
    halved and doubled; courtyard_share 0 and doubled; class_b from 0 to the availability, where there are forms.
    Work (nothing, and done): courtyards, all entered in this period; hours_open, hours_crops and hours_scrub,
    `lever_hours` of search there in this period, spent where they are worth most.
    """
    if not len(case.ground):
        return []
    now = float(case.p())
    moved = [*_assumptions(looks, zone, case, settings), *_work(looks, zone, case, settings)]
    found = [
        Lever(
            code=code, low=low, high=high, p_low=p_low, p_high=p_high, change=max(abs(p_low - now), abs(p_high - now))
        )
        for code, low, high, p_low, p_high in moved
    ]
    return sorted(found, key=lambda lever: -lever["change"])


def _assumptions(
    looks: Looks, zone: int, case: Case, settings: Settings
) -> list[tuple[str, float, float, float, float]]:
    model, a = settings.absence, settings.detection.availability

    def p(**moved: Any) -> float:
        return float(replace(case, **moved).p())

    width = [float(np.exp(sign * model.sweep_width_sd)) for sign in (-1.0, 1.0)]
    seen = [float(np.clip(a + sign * model.availability_sd, 0.01, 0.999)) for sign in (-1.0, 1.0)]
    factor, availability = np.array([width[0] ** 2, width[1] ** 2, 1.0, 1.0]), np.array([a, a, *seen])
    ground = drawn_ground(looks, zone, case, factor=factor, availability=availability).T
    logit = np.log(model.prior / (1.0 - model.prior)) + model.prior_sd * np.array([-1.0, 1.0])
    prior = [float(1.0 / (1.0 + np.exp(-one))) for one in logit]
    share = [0.0, min(2.0 * case.courtyard_share, 1.0)]
    planted = [k * case.introduction for k in (0.5, 2.0)]
    dimmer, brighter = (p(ground=ground[2 + k], availability=seen[k]) for k in (0, 1))
    rows = [
        ("sweep_width", width[0], width[1], p(ground=ground[0]), p(ground=ground[1])),
        ("availability", seen[0], seen[1], dimmer, brighter),
        ("prior", prior[0], prior[1], p(prior=prior[0]), p(prior=prior[1])),
        ("introduction", 0.5, 2.0, p(introduction=planted[0]), p(introduction=planted[1])),
        ("courtyard_share", share[0], share[1], p(courtyard_share=share[0]), p(courtyard_share=share[1])),
    ]  # fmt: skip
    if case.forms.any():
        rows.append(("class_b", 0.0, a, p(class_b_sensitivity=0.0), p(class_b_sensitivity=a)))
    return rows


def _work(looks: Looks, zone: int, case: Case, settings: Settings) -> list[tuple[str, float, float, float, float]]:
    now, rows = float(case.p()), []
    if case.yards[-1] < 1.0 and case.courtyard_share > 0.0:
        entered = case.yards.copy()
        entered[-1] = 1.0
        share = float(case.yards[-1])
        rows.append(("courtyards", share, 1.0, now, float(replace(case, yards=entered).p())))
    if looks.unseen is None:
        return rows
    names = {number: name for name, number in COVER_NAMES.items()}
    hours, (free, standing) = settings.absence.lever_hours, case.odds()
    for place, cover in enumerate(PLANTABLE):
        gain = gain_of(looks.unseen, zone, hours, cover=place)
        if gain > 0.0:
            rows.append((f"hours_{names[cover]}", 0.0, hours, now, free / (free + standing - gain)))
    return rows
