"""Sunrise and sunset, so that nobody is planned to walk back in the dark."""

from datetime import date

import numpy as np

ZENITH_DEG = 90.833
CHINA_MERIDIAN_DEG = 120.0


def sun_hours(day: date, latitude: float, longitude: float) -> tuple[float, float]:
    """
    Clock hours of sunrise and sunset in China's one time zone, on level ground, to about two minutes.

    Declination and equation of time by Spencer's series (1971), upper limb with the usual refraction. Mountains take
    more of the day than this says.

    >>> [round(hour, 1) for hour in sun_hours(date(2026, 3, 20), 26.0, 105.0)]
    [7.1, 19.2]
    """
    turn = 2.0 * np.pi / 365.0 * (day.timetuple().tm_yday - 1 + 0.5)
    declination = (
        0.006918 - 0.399912 * np.cos(turn) + 0.070257 * np.sin(turn) - 0.006758 * np.cos(2 * turn)
        + 0.000907 * np.sin(2 * turn) - 0.002697 * np.cos(3 * turn) + 0.00148 * np.sin(3 * turn)
    )  # fmt: skip
    equation_min = 229.18 * (
        0.000075 + 0.001868 * np.cos(turn) - 0.032077 * np.sin(turn) - 0.014615 * np.cos(2 * turn)
        - 0.040849 * np.sin(2 * turn)
    )  # fmt: skip
    north = np.radians(latitude)
    cosine = np.cos(np.radians(ZENITH_DEG)) / (np.cos(north) * np.cos(declination)) - np.tan(north) * np.tan(
        declination
    )
    half = float(np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))) / 15.0
    noon = 12.0 - (longitude - CHINA_MERIDIAN_DEG) / 15.0 - float(equation_min) / 60.0
    return noon - half, noon + half


def light_left(day: date, latitude: float, longitude: float, *, start_clock: float, spare_min: float) -> float:
    """Hours from setting out, or from sunrise where that is later, until `spare_min` minutes before sunset."""
    rise, fall = sun_hours(day, latitude, longitude)
    return max(0.0, fall - spare_min / 60.0 - max(start_clock, rise))
