"""Sunrise and sunset against an almanac."""

from datetime import date

import pytest

from geo.analysis.daylight import light_left, sun_hours


@pytest.mark.parametrize(
    ("day", "latitude", "longitude", "rise", "fall"),
    [
        (date(2026, 6, 21), 39.9, 116.4, 4 + 46 / 60, 19 + 46 / 60),
        (date(2026, 12, 22), 39.9, 116.4, 7 + 32 / 60, 16 + 53 / 60),
        (date(2026, 3, 20), 0.0, 120.0, 6 + 4 / 60, 18 + 11 / 60),
    ],
)
def test_the_sun_rises_and_sets_as_published(day, latitude, longitude, rise, fall):
    """Beijing's solstices and the equator's equinox, to four minutes."""
    got = sun_hours(day, latitude, longitude)
    assert got[0] == pytest.approx(rise, abs=4 / 60)
    assert got[1] == pytest.approx(fall, abs=4 / 60)


def test_the_day_ends_before_the_light_does():
    day = date(2026, 1, 10)
    _, fall = sun_hours(day, 26.5, 105.0)
    assert light_left(day, 26.5, 105.0, start_clock=8.5, spare_min=30.0) == pytest.approx(fall - 9.0)
    assert light_left(day, 26.5, 105.0, start_clock=20.0, spare_min=30.0) == 0.0
    rise, _ = sun_hours(day, 26.5, 105.0)
    assert light_left(day, 26.5, 105.0, start_clock=3.0, spare_min=0.0) == pytest.approx(fall - rise)
