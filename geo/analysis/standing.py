"""
What an unseen plot may have escaped, and the chance that none stands: the chain in closed form.

With exactly one plot or none, the chain of `update` over periods is Bayes' rule on when the plot came: it stands since
the start with 1 - prior, or came in period s with prior·Π_{u<s}(1 - π_u)·π_s, and has escaped every look since.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.settings import AbsenceSettings

Floats = npt.NDArray[np.float64]


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


def introductions(settings: AbsenceSettings, periods: int) -> Floats:
    """
    π of each period: the settings name the last months of the season; months before them take the first one's.

    >>> introductions(AbsenceSettings(introduction=(0.02, 0.01)), 4).tolist()
    [0.02, 0.02, 0.02, 0.01]
    """
    given = np.asarray(settings.introduction, float)[-periods:]
    return np.asarray(np.concatenate([np.full(periods - len(given), given[0]), given]))


def escapes(sensitivities: Floats) -> Floats:
    """
    Chance that what stands since each period escaped all looks from then on, Π_{t ≥ s}(1 - Se_t); periods first.

    >>> escapes(np.array([0.5, 0.2])).tolist()
    [0.4, 0.8]
    """
    return np.asarray(np.cumprod(1.0 - sensitivities[::-1], axis=0)[::-1])


def arrivals(prior: float | Floats, introduction: Floats) -> tuple[Floats, Floats]:
    """
    Chance that nothing ever came, and that a plot stands since each period, before any look.

    Parameters
    ----------
    prior
        Chance of nothing at the start; a number or (draws,).
    introduction
        (periods,) π. What stood before the first period is counted with the first.

    >>> free, came = arrivals(0.5, np.array([0.02, 0.1]))
    >>> round(float(free), 3), came.round(3).tolist()
    (0.441, [0.51, 0.049])
    """
    start = np.asarray(prior, float)
    if not len(introduction):
        return start, np.zeros((0, *start.shape))
    stays = np.cumprod(1.0 - introduction)
    before = np.concatenate([[1.0], stays[:-1]])
    came = (before * introduction).reshape(-1, *[1] * start.ndim) * start
    came[0] += 1.0 - start
    return np.asarray(start * stays[-1]), came


def posterior(prior: float | Floats, introduction: Floats, missed: Floats) -> Floats:
    """
    Chance that nothing stands undetected, (draws,) or a number: free / (free + Σ_s came_s·missed_s).

    `missed` (periods, …): chance that what stands since each period has escaped every look so far. Where every
    period's looks are independent of the others', it is the chain:

    >>> round(float(posterior(0.5, np.array([0.02, 0.02]), escapes(np.array([0.6, 0.6])))), 9)
    0.84882981
    """
    free, came = arrivals(prior, introduction)
    present = (came * missed).sum(axis=0) if len(introduction) else 1.0 - free
    return np.asarray(free / (free + present), float)


@dataclass(frozen=True)
class Case:
    """
    All that one township's probability rests on; `dataclasses.replace` one field to see what it changes.

    Parameters
    ----------
    prior, availability
        Numbers or (draws,).
    introduction, yards, forms, tips
        (periods,) π; share of courtyards entered; share of villages with a signed form; sensitivity of tips.
    ground
        (periods,) or (periods, draws) share of the risk in open ground that has escaped tracked looks since each.
    courtyard_share, class_b_sensitivity
        As in the settings.
    """

    prior: float | Floats
    availability: float | Floats
    introduction: Floats
    ground: Floats
    yards: Floats
    forms: Floats
    tips: Floats
    courtyard_share: float
    class_b_sensitivity: float

    def beside(self) -> Floats:
        """(periods,) what forms and tips leave of what stands in open ground."""
        return escapes(self.class_b_sensitivity * self.forms) * escapes(self.tips)

    def missed(self) -> Floats:
        """What stands since each period has escaped all looks: open ground and courtyards by their shares of risk."""
        wide = (-1, *[1] * (self.ground.ndim - 1))
        entered = self.yards.reshape(wide) * self.availability
        ground = (1.0 - self.courtyard_share) * self.ground * self.beside().reshape(wide)
        return np.asarray(ground + self.courtyard_share * escapes(entered) * escapes(self.tips).reshape(wide))

    def p(self) -> Floats:
        """Chance that nothing stands undetected now."""
        return posterior(self.prior, self.introduction, self.missed())

    def odds(self) -> tuple[float, float]:
        """Weights of nothing, and of a plot that stands unseen: p = nothing / (nothing + plot). One prior only."""
        free, came = arrivals(self.prior, self.introduction)
        plot = (came * self.missed()).sum() if len(came) else 1.0 - free
        return float(free), float(plot)

    def plots_left(self) -> float:
        """
        Plots expected to stand unseen when their number is Poisson with the same chance of none: Σ ρ_s·missed_s.

        ρ = -ln prior at the start and -ln(1 - π) in each period (after Barnes et al. 2023, without growth).
        """
        came = -np.log1p(-self.introduction)
        if not len(came):
            return float(-np.log(self.prior))
        came[0] -= np.log(self.prior)
        return float((came * self.missed()).sum())
