"""Rounds and days: the lunar new year worked out from sun and moon, dates that climb the mountain."""

import math
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from geo.analysis.rounds import (
    SPRING_FESTIVAL,
    calendar,
    due_windows,
    season_rounds,
    spring_festival,
    tomb_sweeping,
)
from geo.season import CHINA
from geo.settings import CampaignSettings

J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def solar_longitude(moment: datetime) -> float:
    """Apparent longitude of the sun, degrees (Meeus, chapter 25, low accuracy: 0.01 degrees)."""
    t = (moment - J2000) / timedelta(days=36525)
    mean = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    anomaly = math.radians(357.52911 + 35999.05029 * t)
    centre = (1.914602 - 0.004817 * t) * math.sin(anomaly) + 0.019993 * math.sin(2 * anomaly)
    centre += 0.000289 * math.sin(3 * anomaly)
    return (mean + centre - 0.00569 - 0.00478 * math.sin(math.radians(125.04 - 1934.136 * t))) % 360


def new_moon(number: int) -> datetime:
    """Moment of a new moon, UT, counted from January 2000 (Meeus, chapter 49, the greater terms: minutes)."""
    t = number / 1236.85
    days = 2451550.09766 + 29.530588861 * number + 0.00015437 * t * t
    e = 1 - 0.002516 * t
    sun, moon, node = (
        math.radians(angle)
        for angle in (2.5534 + 29.1053567 * number, 201.5643 + 385.81693528 * number, 160.7108 + 390.67050284 * number)
    )
    days += -0.40720 * math.sin(moon) + 0.17241 * e * math.sin(sun) + 0.01608 * math.sin(2 * moon)
    days += 0.01039 * math.sin(2 * node) + 0.00739 * e * math.sin(moon - sun) - 0.00514 * e * math.sin(moon + sun)
    days += 0.00208 * e * e * math.sin(2 * sun) - 0.00111 * math.sin(moon - 2 * node)
    return J2000 + timedelta(days=days - 2451545.0, seconds=-69.0)


def beijing_day(moment: datetime) -> date:
    return (moment + timedelta(hours=8)).date()


def sun_reaches(degrees: float, start: datetime) -> date:
    moment = start
    while (solar_longitude(moment) - degrees) % 360 > 180:
        moment += timedelta(minutes=10)
    return beijing_day(moment)


def months_from_solstice(year: int) -> list[date]:
    """First days of the lunar months from the one that holds the winter solstice of `year` on."""
    solstice = sun_reaches(270.0, datetime(year, 12, 15, tzinfo=UTC))
    near = round((year + 1 - 2000) * 12.3685)
    moons = [beijing_day(new_moon(near + n)) for n in range(-3, 17)]
    return moons[max(n for n, day in enumerate(moons) if day <= solstice) :]


@pytest.mark.parametrize("year", SPRING_FESTIVAL)
def test_the_lunar_year_begins_two_months_after_the_month_of_the_solstice(year: int) -> None:
    """With thirteen months between two solstices the first without a middle of a sign is leap, and pushes it on."""
    months = months_from_solstice(year - 1)
    leap_year = months.index(months_from_solstice(year)[0]) == 13
    middles = [
        sun_reaches(angle, datetime(year, 1, 18, tzinfo=UTC) + timedelta(days=30 * n))
        for n, angle in enumerate((300, 330))
    ]
    leap = [not any(months[n] <= day < months[n + 1] for day in middles) for n in (1, 2)]
    assert months[2 + (leap_year and any(leap))] == spring_festival(year)


@pytest.mark.parametrize("year", [*range(2020, 2051), 2080])
def test_tomb_sweeping_is_the_day_the_sun_stands_at_fifteen_degrees(year: int) -> None:
    moment = datetime(year, 4, 2, tzinfo=UTC)
    while solar_longitude(moment) < 15:
        moment += timedelta(minutes=5)
    assert tomb_sweeping(year) == beijing_day(moment)


def test_rounds_follow_the_stages_and_meet() -> None:
    """11 March and 21 April, as the stages at 1,000 m."""
    one, two, three = season_rounds(2026, CampaignSettings())
    assert (one.start.date(), one.stop, two.stop) == (date(2026, 1, 1), two.start, three.start)
    assert (two.start.date(), three.start.date(), three.stop.date()) == (
        date(2026, 3, 11),
        date(2026, 4, 21),
        date(2026, 6, 1),
    )


def test_higher_ground_is_due_three_days_later_per_hundred_metres() -> None:
    second = season_rounds(2026, CampaignSettings())[1]
    starts, stops = due_windows(second, np.array([1000.0, 1500.0, np.nan]), 2026)
    days = [moment.tz_convert(CHINA).date() for moment in starts]
    assert days == [date(2026, 3, 11), date(2026, 3, 26), date(2026, 3, 11)]
    assert [moment.tz_convert(CHINA).date() for moment in stops][:2] == [date(2026, 4, 21), date(2026, 5, 6)]


def test_low_ground_is_never_due_before_the_season_nor_the_last_round_after_it() -> None:
    first, _, last = season_rounds(2026, CampaignSettings())
    assert due_windows(first, np.array([400.0]), 2026)[0][0].tz_convert(CHINA) == datetime(2026, 1, 1, tzinfo=CHINA)
    assert due_windows(last, np.array([1900.0]), 2026)[1][0].tz_convert(CHINA) == datetime(2026, 6, 1, tzinfo=CHINA)


def test_a_county_sets_its_own_days() -> None:
    own = CampaignSettings(round_dates=("01-05~02-28", "03-01~04-10"), spring_days=(0, 0), qingming_days=(1, 1))
    plain = calendar(2026, own)
    assert [(one["from"], one["to"], one["observances"]) for one in plain["rounds"]] == [
        ("2026-01-05", "2026-02-28", ["春节返乡"]),
        ("2026-03-01", "2026-04-10", ["清明"]),
    ]
    assert plain["observances"][1] == {"name": "清明", "from": "2026-04-04", "to": "2026-04-06"}


def test_dates_nobody_can_read_are_refused() -> None:
    for text in ("13-40~01-01", "02-01~01-01", "春天"):
        with pytest.raises(ValueError, match="round_dates"):
            season_rounds(2026, CampaignSettings(round_dates=(text,)))
    with pytest.raises(ValueError, match="lunar"):
        spring_festival(2060)
