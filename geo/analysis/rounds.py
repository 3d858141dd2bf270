"""
The rounds of a season (第 N 轮集中踏查): from when to when each elevation is due, and the days that matter to them.

A round is a growth stage: it begins where that stage begins and ends where the next one does, later with height as the
plants do. The days of 春节 (people come home) and 清明 (people go up to the graves) fall into rounds 1 and 2.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.season import CHINA, Season
from geo.settings import CampaignSettings

Floats = npt.NDArray[np.float64]
REFERENCE_M = 1000.0

SPRING_FESTIVAL = {
    2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17),
    2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23), 2032: (2, 11), 2033: (1, 31),
    2034: (2, 19), 2035: (2, 8), 2036: (1, 28), 2037: (2, 15), 2038: (2, 4), 2039: (1, 24), 2040: (2, 12),
    2041: (2, 1), 2042: (1, 22), 2043: (2, 10), 2044: (1, 30), 2045: (2, 17), 2046: (2, 6), 2047: (1, 26),
    2048: (2, 14), 2049: (2, 2), 2050: (1, 23),
}  # fmt: skip
"""Month and day of the first day of the lunar year, as published; the tests work them out from sun and moon."""


@dataclass(frozen=True)
class Round:
    """One round at the reference height: `stop` is the first moment after it; both tz-aware, midnight in China."""

    number: int
    stage: str
    start: datetime
    stop: datetime


@dataclass(frozen=True)
class Observance:
    """Days on which people move: from `first` to `last`, both included."""

    name: str
    first: date
    last: date


def spring_festival(year: int) -> date:
    """
    First day of the lunar year (春节) in a year from 2020 to 2050.

    >>> spring_festival(2026).isoformat()
    '2026-02-17'
    """
    if year not in SPRING_FESTIVAL:
        raise ValueError(f"no date of the lunar new year of {year}: known from 2020 to 2050")
    return date(year, *SPRING_FESTIVAL[year])


def tomb_sweeping(year: int) -> date:
    """
    清明 in a year from 2000 to 2099: the day on which the sun stands at 15 degrees, by the almanac's short formula.

    >>> tomb_sweeping(2026).isoformat(), tomb_sweeping(2028).isoformat()
    ('2026-04-05', '2028-04-04')
    """
    if not 2000 <= year <= 2099:
        raise ValueError(f"the formula of 清明 holds from 2000 to 2099, got {year}")
    short = year - 2000
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


def season_rounds(year: int | Season, settings: CampaignSettings) -> tuple[Round, ...]:
    """
    The season's rounds at the reference height: each begins with its stage and ends with the next.

    A year stands for its season by the usual calendar.
    """
    season = _season(year)
    days = [season.date_of(month, day) for month, day in season.stage_starts]
    starts = [datetime(day.year, day.month, day.day, tzinfo=CHINA) for day in days]
    stops = [*starts[1:], season.bounds[-1]]
    given = settings.round_dates or tuple(
        f"{start:%m-%d}~{stop - timedelta(days=1):%m-%d}" for start, stop in zip(starts, stops, strict=True)
    )
    return tuple(
        Round(number, settings.stages[(number - 1) % len(settings.stages)], *_span(season, text))
        for number, text in enumerate(given, 1)
    )


def due_windows(round_: Round, elevation_m: Floats, year: int | Season) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """
    From when to when ground of each height is due in a round, UTC; later with height, never beyond the season.

    Ground of unknown height (NaN) is due as at the reference height.
    """
    season = _season(year)
    begin, end = (pd.Timestamp(moment).tz_convert("UTC") for moment in (season.bounds[0], season.bounds[-1]))
    height = np.where(np.isfinite(elevation_m), elevation_m, REFERENCE_M)
    later = np.round((height - REFERENCE_M) / 100.0 * season.days_per_100_m)
    shift = pd.to_timedelta(later, unit="D")
    last = pd.Timestamp(round_.stop).tz_convert("UTC")
    starts = (pd.Timestamp(round_.start).tz_convert("UTC") + shift).map(lambda at: min(max(at, begin), end))
    stops = end + shift * 0 if last >= end else (last + shift).map(lambda at: min(max(at, begin), end))
    return pd.DatetimeIndex(starts), pd.DatetimeIndex(stops)


def observances(year: int, settings: CampaignSettings) -> tuple[Observance, ...]:
    """春节 (returnees) and 清明 with the days before and after them that the settings give."""
    days = (
        ("春节返乡", spring_festival(year), settings.spring_days),
        ("清明", tomb_sweeping(year), settings.qingming_days),
    )
    return tuple(
        Observance(name, day - timedelta(days=before), day + timedelta(days=after))
        for name, day, (before, after) in days
    )


def calendar(year: int | Season, settings: CampaignSettings) -> dict[str, Any]:
    """Rounds and days as plain values, for papers and screens."""
    season = _season(year)
    return {
        "rounds": [
            {
                "round": one.number,
                "stage": one.stage,
                "from": one.start.date().isoformat(),
                "to": (one.stop - timedelta(days=1)).date().isoformat(),
                "observances": [
                    held.name
                    for held in observances(season.year, settings)
                    if held.first < one.stop.date() and held.last >= one.start.date()
                ],
            }
            for one in season_rounds(season, settings)
        ],
        "observances": [
            {"name": held.name, "from": held.first.isoformat(), "to": held.last.isoformat()}
            for held in observances(season.year, settings)
        ],
        "days_per_100_m": season.days_per_100_m,
        "reference_m": REFERENCE_M,
    }


def _season(year: int | Season) -> Season:
    return year if isinstance(year, Season) else Season(year)


def _span(season: Season, text: str) -> tuple[datetime, datetime]:
    try:
        # Read in a leap year, so that 02-29 is a day; `date_of` refuses it where the year has none.
        parts = [
            datetime.strptime(f"2028-{part.strip()}", "%Y-%m-%d").replace(tzinfo=CHINA) for part in text.split("~")
        ]
        first, last = (datetime.combine(season.date_of(day.month, day.day), time(), tzinfo=CHINA) for day in parts)
    except ValueError as error:
        raise ValueError(f"round_dates: MM-DD~MM-DD is needed, got {text!r}") from error
    if last < first:
        raise ValueError(f"round_dates: {text!r} ends before it begins")
    return first, last + timedelta(days=1)
