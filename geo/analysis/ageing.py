"""Looks by the day: what was seen in which growth stage, since when, and what old looks are still worth."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from geo.analysis import coverage
from geo.analysis.detection import HAZARD_UNITS, pod
from geo.analysis.pieces import Pieces
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.season import Season, Stage
from geo.settings import DetectionSettings

Floats32 = npt.NDArray[np.float32]

NEVER = -32768


@dataclass(frozen=True)
class Fading:
    """
    What a look is still worth later (*assumption*).

    Parameters
    ----------
    half_life_days
        Days after which its hazard counts half; 0: it does not age.
    ends_with_stage
        A look counts only while the plants of that place are still in the stage in which they were looked at.
    """

    half_life_days: float = 0.0
    ends_with_stage: bool = False

    def __post_init__(self) -> None:
        if self.half_life_days < 0.0:
            raise ValueError(f"half_life_days must not be negative, got {self.half_life_days}")

    def weight(self, age_days: float) -> float:
        """
        Share of a look's hazard that still counts at its age.

        >>> Fading(14.0).weight(28.0), Fading().weight(90.0)
        (0.25, 1.0)
        """
        return 0.5 ** (age_days / self.half_life_days) if self.half_life_days else 1.0


@dataclass(frozen=True)
class Ages:
    """
    The season's looks by their time, each of shape (rows, cols).

    Parameters
    ----------
    stages
        (3, rows, cols) int32 hazard in 1/65536 nat of looks made while the place was in each stage.
    since
        The same of looks on or after the day asked for.
    faded
        float32 hazard in nats of all looks, each worth what `Fading` leaves of it on the day of the answer.
    last_day
        int16 day after 1 January of the last look that alone gave at least the POD asked for; `NEVER` where none did.
    """

    stages: npt.NDArray[np.int32]
    since: npt.NDArray[np.int32]
    faded: Floats32
    last_day: npt.NDArray[np.int16]


def looks_by_day(
    pieces: Pieces, terrain: Terrain, season: Season, settings: DetectionSettings
) -> Iterator[tuple[int, Grid]]:
    """
    Day after 1 January (in China) and the hazard of that day's looks on the window they reach, in order of days.

    A track that runs over midnight is rounded once for each day: its sum may differ from the whole by one unit.
    """
    day = coverage.days_of(pieces.seconds, season)
    order = np.argsort(day, kind="stable")
    days, first = np.unique(day[order], return_index=True)
    for k, (begin, end) in enumerate(pairwise([*first.tolist(), len(order)])):
        mine = pieces.take(np.sort(order[begin:end]))
        window = coverage.reach_window(mine, terrain.elevation.frame, settings.reach_m)
        local = Grid(np.zeros(window.shape, np.int32), window)
        if local.values.size:
            coverage.accumulate(local, mine, terrain, season, settings)
            yield int(days[k]), local


def ages_of(
    pieces: Pieces,
    terrain: Terrain,
    season: Season,
    settings: DetectionSettings,
    *,
    today: float,
    since_day: float,
    fading: Fading,
    seen_pod: float,
) -> Ages:
    """
    `Ages` of walked pieces.

    Parameters
    ----------
    today, since_day
        Days after 1 January, with fraction; looks of the day of `since_day` itself count.
    seen_pod
        The POD from which a day's look is one, for `last_day`.
    """
    frame = terrain.elevation.frame
    stages, since = np.zeros((len(Stage), *frame.shape), np.int32), np.zeros(frame.shape, np.int32)
    faded, last = np.zeros(frame.shape, np.float32), np.full(frame.shape, NEVER, np.int16)
    for day, local in looks_by_day(pieces, terrain, season, settings):
        row = round((frame.north_m - local.frame.north_m) / frame.cell_m)
        col = round((local.frame.west_m - frame.west_m) / frame.cell_m)
        here = np.s_[row : row + local.frame.rows, col : col + local.frame.cols]
        height = np.nan_to_num(terrain.elevation.values[here], nan=1000.0)
        then, now = season.stage_of(day, height), season.stage_of(today, height)
        for stage in Stage:
            stages[stage][here] += np.where(then == stage, local.values, 0)
        if day >= np.floor(since_day):
            since[here] += local.values
        worth = np.float32(fading.weight(max(np.floor(today) - day, 0.0)) / HAZARD_UNITS)
        faded[here] += np.where((then == now) | (not fading.ends_with_stage), local.values * worth, np.float32(0.0))
        last[here][pod(local.values, settings.availability) >= seen_pod] = day
    return Ages(stages, since, faded, last)


def pod_of_nats(nats: Floats32, availability: float) -> Floats32:
    """
    POD of a hazard in nats: a(1 - e^-H).

    >>> pod_of_nats(np.array([0.0, 1.0], np.float32), 0.85).round(4).tolist()
    [0.0, 0.5372999906539917]
    """
    return np.asarray(-np.float32(availability) * np.expm1(-nats), np.float32)
