"""The season: January to May, its monthly periods, and the growth stages that climb the mountain."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

CHINA = ZoneInfo("Asia/Shanghai")


class Stage(IntEnum):
    """Growth stage of poppy: how plants look when walked past."""

    SEEDLING = 0
    FLOWER = 1
    CAPSULE = 2


@dataclass(frozen=True)
class Season:
    """
    One season's calendar.

    Parameters
    ----------
    year
        Year in which the plants flower.
    stage_starts
        Month and day on which seedling, flower and capsule stage begin at 1,000 m (*assumption*).
    days_per_100_m
        How many days later per 100 m of height (*assumption*).
    first_month, last_month
        First and last calendar month; a first month above the last begins in the year before.
    """

    year: int
    stage_starts: tuple[tuple[int, int], ...] = ((1, 1), (3, 11), (4, 21))
    days_per_100_m: float = 3.0
    first_month: int = 1
    last_month: int = 5

    def __post_init__(self) -> None:
        if len(self.stage_starts) != len(Stage):
            raise ValueError(f"a season has {len(Stage)} stage starts, got {len(self.stage_starts)}")
        days = self.stage_start_days()
        if not (np.diff(days) > 0.0).all():
            raise ValueError(f"stages must begin one after the other, got {self.stage_starts}")

    @property
    def months(self) -> list[tuple[int, int]]:
        """Year and month of each period, in order."""
        if self.first_month <= self.last_month:
            return [(self.year, month) for month in range(self.first_month, self.last_month + 1)]
        before = [(self.year - 1, month) for month in range(self.first_month, 13)]
        return before + [(self.year, month) for month in range(1, self.last_month + 1)]

    @property
    def bounds(self) -> list[datetime]:
        """Start of every period and end of the last: tz-aware, midnight in China."""
        starts = [datetime(year, month, 1, tzinfo=CHINA) for year, month in self.months]
        year, month = self.months[-1]
        return [*starts, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=CHINA)]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From this season's first moment to the next one's: late work of a season is still its own."""
        return self.bounds[0], replace(self, year=self.year + 1).bounds[0]

    def holds(self, times: pd.Series) -> pd.Series:
        """
        Whether tz-aware times lie in the season's `span`; missing times do not.

        >>> Season(2026).holds(pd.Series(pd.to_datetime(["2025-12-31T15:59Z", "2026-06-01T00:00Z"]))).tolist()
        [False, True]
        """
        begin, end = self.span
        return times.ge(begin) & times.lt(end)

    def period_of(self, times: pd.Series) -> npt.NDArray[np.int64]:
        """
        Index of the period of each tz-aware time; -1 outside the season.

        >>> Season(2026).period_of(pd.Series(pd.to_datetime(["2025-12-31T16:00Z", "2026-06-01T00:00Z"]))).tolist()
        [0, -1]
        """
        edges = pd.DatetimeIndex(self.bounds).tz_convert("UTC").as_unit("ms").asi8
        moments = pd.DatetimeIndex(times).tz_convert("UTC").as_unit("ms").asi8
        found = np.searchsorted(edges, moments, side="right") - 1
        return np.where(found >= len(self.months), -1, found).astype(np.int64)

    def stage_start_days(self) -> npt.NDArray[np.float64]:
        """Days after 1 January of `year` on which each stage begins at 1,000 m; negative in the year before."""
        new_year = date(self.year, 1, 1)
        return np.array([(self.date_of(month, day) - new_year).days for month, day in self.stage_starts], float)

    def date_of(self, month: int, day: int) -> date:
        """
        A day of the season: months from the first one on lie in the year before where the season begins in autumn.

        >>> Season(2026, first_month=11).date_of(11, 15).isoformat(), Season(2026).date_of(3, 11).isoformat()
        ('2025-11-15', '2026-03-11')
        """
        before = self.first_month > self.last_month and month >= self.first_month
        return date(self.year - before, month, day)

    def stage_of(self, day: npt.ArrayLike, elevation_m: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """
        Growth stage (0, 1, 2) by days after 1 January and height; ground not yet sown counts as seedling.

        >>> Season(2026).stage_of([68, 69, 69], [1000.0, 1000.0, 1100.0]).tolist()
        [0, 1, 0]
        """
        shift = (np.asarray(elevation_m, float) - 1000.0) / 100.0 * self.days_per_100_m
        local = np.asarray(day, float) - shift
        stage = np.zeros(local.shape, np.int64)
        for start in self.stage_start_days()[1:]:
            stage += ~(local < start)
        return stage

    def day_of(self, moment: datetime) -> float:
        """Days (with fraction) from midnight of 1 January in China to a tz-aware moment."""
        return (moment - datetime(self.year, 1, 1, tzinfo=CHINA)) / timedelta(days=1)
