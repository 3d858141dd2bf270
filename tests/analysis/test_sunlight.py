"""The sun's height against the almanac: equinox, solstices, sunrise; and what is left of the sweep width."""

from datetime import UTC, datetime

import numpy as np
import pytest

from geo.analysis.sunlight import light_share, sun_altitude
from geo.settings import DetectionSettings


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("moment", "latitude", "altitude"),
    [
        ("2026-03-20T12:07:26", 0.0, 90.0),  # equinox (14:46 UTC) day, noon at Greenwich by the equation of time
        ("2026-06-21T12:01:50", 23.436, 90.0),  # solstice: the sun stands over the tropic
        ("2026-12-21T11:58:05", 26.5, 90.0 - 26.5 - 23.436),
    ],
)
def test_noon_heights_are_those_of_the_almanac(moment, latitude, altitude):
    assert float(sun_altitude(at(moment), longitude=0.0, latitude=latitude)) == pytest.approx(altitude, abs=0.1)


def test_at_the_equinox_the_sun_stands_on_the_horizon_six_hours_from_noon():
    """At 106.7 E noon is 4 h 53 min 12 s UTC, later by the equation of time of that day, 7 min 26 s."""
    for hours in (-6.0, 6.0):
        moment = at("2026-03-20T05:00:38") + 3600.0 * hours
        assert float(sun_altitude(moment, longitude=106.7, latitude=26.6)) == pytest.approx(0.0, abs=0.2)


def test_day_twilight_and_dark_take_their_shares():
    hours = at("2026-03-20T00:00") + 3600.0 * np.arange(24)
    shares = light_share(sun_altitude(hours, longitude=106.7, latitude=26.6), DetectionSettings())
    assert set(shares.tolist()) <= {1.0, 0.6, 0.2}
    assert shares[2] == 1.0  # ten in the morning
    assert shares[16] == 0.2  # midnight


@pytest.mark.parametrize("light", [(1.0, 0.5), (1.0, 1.5, 0.0), (1.0, 0.5, -0.1)])
def test_impossible_light_is_refused(light):
    with pytest.raises(ValueError, match="light"):
        DetectionSettings(light=light)
