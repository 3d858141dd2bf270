"""How much light there was to look by: the sun's height, and what twilight and darkness leave of the sweep width."""

import numpy as np
import numpy.typing as npt

from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]

TWILIGHT_DEG = -6.0
_J2000_S = 946728000.0  # UTC seconds since 1970 of noon on 1 January 2000


def sun_altitude(seconds: npt.ArrayLike, *, longitude: float, latitude: float) -> Floats:
    """
    Height of the sun above the horizon, degrees, from UTC seconds since 1970, any shape.

    The short formulae of the Astronomical Almanac, good to a hundredth of a degree from 1950 to 2050; no refraction.

    >>> noon, midnight = 1774155360.0, 1774112160.0  # 2026-03-22 at the meridian, and the midnight before
    >>> sun_altitude([noon, midnight], longitude=106.0, latitude=26.5).round(0).tolist()
    [64.0, -63.0]
    """
    days = (np.asarray(seconds, float) - _J2000_S) / 86400.0
    anomaly = np.radians(357.528 + 0.9856003 * days)
    path = np.radians(280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly))
    tilt = np.radians(23.439 - 4e-7 * days)
    ascension = np.arctan2(np.cos(tilt) * np.sin(path), np.cos(path))
    declination = np.arcsin(np.sin(tilt) * np.sin(path))
    sidereal = np.radians((18.697374558 + 24.06570982441908 * days) % 24.0 * 15.0 + longitude)
    rise = np.sin(np.radians(latitude)) * np.sin(declination)
    rise += np.cos(np.radians(latitude)) * np.cos(declination) * np.cos(sidereal - ascension)
    return np.asarray(np.degrees(np.arcsin(np.clip(rise, -1.0, 1.0))))


def light_share(altitude_deg: npt.ArrayLike, settings: DetectionSettings) -> Floats:
    """
    Share of the sweep width by the sun's height, any shape: day, twilight (down to 6 degrees below), darkness.

    >>> light_share([30.0, -3.0, -10.0], DetectionSettings(light=(1.0, 0.5, 0.1))).tolist()
    [1.0, 0.5, 0.1]
    """
    altitude, (day, twilight, dark) = np.asarray(altitude_deg, float), settings.light
    return np.asarray(np.where(altitude >= 0.0, day, np.where(altitude >= TWILIGHT_DEG, twilight, dark)))
