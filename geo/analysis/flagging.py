"""
Candidates from a season of index images, by a rule that can be read out. It ranks; it claims no accuracy.

A cell is a candidate when, within the season, (1) its index reaches `vegetated` while poppy flowers, (2) it has risen
by `rise` or more since some earlier scene, (3) its highest value does not fall into the rapeseed days, and (4) it
differs from its surroundings by `contrast` or more robust deviations: |value - median| / (1.4826 · MAD) of the cells
around it. The settings are assumptions until the county's own verified plots calibrate them; a plot smaller than a
cell cannot be seen at all.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from geo.analysis import _kernels_flagging as kernels
from geo.season import Season, Stage
from geo.settings import FlaggingSettings

Reals = npt.NDArray[np.float32]

HIGH_GROUND_DAYS = 30.0
_SMALLEST_DEVIATION = 0.01


@dataclass(frozen=True)
class Signals:
    """What the rule measured, each (rows, cols): value in flower, its scene, rise, deviations, and the verdict."""

    value: Reals
    scene: npt.NDArray[np.int64]
    rise: Reals
    deviations: Reals
    candidate: npt.NDArray[np.bool_]


def ppv(sensitivity: float, specificity: float, prevalence: float) -> float:
    """
    Share of flags that are right (Bayes): Se·π / (Se·π + (1 - Sp)(1 - π)). Shown beside every list of flags.

    >>> round(ppv(0.85, 0.999, 1e-4), 3)
    0.078
    """
    right = sensitivity * prevalence
    return right / (right + (1.0 - specificity) * (1.0 - prevalence))


def flowering_days(season: Season) -> tuple[float, float]:
    """First and last day after 1 January on which poppy may flower, with 30 days for ground 1,000 m higher."""
    starts = season.stage_start_days()
    return float(starts[Stage.FLOWER]), float(starts[Stage.CAPSULE]) + HIGH_GROUND_DAYS


def signals(
    index: Reals, days: npt.NDArray[np.float64], *, season: Season, cell_m: float, settings: FlaggingSettings
) -> Signals:
    """
    The rule on one stack.

    Parameters
    ----------
    index
        Shape (scenes, rows, cols), scenes in order of time, NaN under cloud.
    days
        Days after 1 January of the season's year, shape (scenes,).
    """
    first, last = flowering_days(season)
    held = np.where(np.isfinite(index), index, -np.inf).astype(np.float32)
    flowers = (days >= first) & (days <= last)
    in_flower = np.where(flowers[:, None, None], held, np.float32(-np.inf))
    scene, value = in_flower.argmax(axis=0), in_flower.max(axis=0)
    earlier = np.arange(len(days))[:, None, None] < scene
    lowest = np.where(earlier & np.isfinite(index), index, np.inf).min(axis=0)
    rise = np.where(np.isfinite(value) & np.isfinite(lowest), value - lowest, -np.inf).astype(np.float32)
    peak = days[held.argmax(axis=0)] + 1.0
    rapeseed = (peak >= settings.rapeseed_days[0]) & (peak <= settings.rapeseed_days[1])
    plausible = (value >= settings.vegetated) & (rise >= settings.rise) & ~rapeseed
    reach = max(round(settings.surroundings_m / cell_m), 1)
    deviations = kernels.deviations(value, plausible, reach, _SMALLEST_DEVIATION)
    return Signals(value, scene, rise, deviations, plausible & (np.abs(deviations) >= settings.contrast))


def groups(candidate: npt.NDArray[np.bool_], *, cell_m: float, settings: FlaggingSettings) -> npt.NDArray[np.int32]:
    """Connected candidates (8-neighbour) numbered from 1; groups below the smallest area become 0."""
    label, _ = ndimage.label(candidate, structure=np.ones((3, 3), bool), output=np.int32)
    area = np.bincount(label.ravel()) * cell_m**2
    area[0] = 0.0
    keep = area >= settings.smallest_m2
    number: npt.NDArray[np.int32] = (np.cumsum(keep) * keep).astype(np.int32)[label]
    return number


def suspicion(rise: npt.ArrayLike, deviations: npt.ArrayLike, settings: FlaggingSettings) -> npt.NDArray[np.float64]:
    """A rank between 0 and 1, not a probability: half for the rise, half for the deviation, full at four thresholds."""
    parts = [
        np.clip(np.abs(np.asarray(measured, float)) / (4.0 * threshold), 0.0, 1.0)
        for measured, threshold in ((rise, settings.rise), (deviations, settings.contrast))
    ]
    return np.asarray((parts[0] + parts[1]) / 2.0)
