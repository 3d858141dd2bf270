"""A typed place in every notation of the field."""

import numpy as np
import pyproj
import pytest

from geo.crs import gcj02_from_wgs84, to_metric
from geo.formats.datum import datum_of
from geo.formats.typed_places import degrees_in

COUNTY = pyproj.CRS(4544)
EAST, NORTH = 105.2345, 26.7123


@pytest.mark.parametrize(
    "text",
    [
        "26.7123, 105.2345",
        "105.2345 26.7123",
        "105.2345，26.7123",
        "E105.2345 N26.7123",
        "N26.7123 E105.2345",
        "26.7123N,105.2345E",
        "26.7123 N 105.2345 E",
        "北纬26.7123 东经105.2345",
        "东经：105.2345；北纬：26.7123",
        "经度105.2345 纬度26.7123",
        "北纬26°42′44.28″ 东经105°14′4.2″",
        "E105°14′4.2″ N26°42′44.28″",
        "105°14'4.2\"E 26°42'44.28\"N",
        "26度42分44.28秒，105度14分4.2秒",
        "105°14.07' 26°42.738'",
    ],
)
def test_degrees_in_any_notation_and_order_are_the_same_place(text: str) -> None:
    found = degrees_in(text, COUNTY)
    assert found is not None
    assert (found.longitude, found.latitude) == pytest.approx((EAST, NORTH), abs=1e-7)
    assert not found.exact


@pytest.mark.parametrize(("zone", "prefix"), [(4544, 0), (4523, 35e6), (4496, 18e6)])
def test_metres_with_a_zone_prefix_or_in_the_countys_own_zone(zone: int, prefix: float) -> None:
    east, north = to_metric(EAST, NORTH, pyproj.CRS(zone))
    assert prefix == 0 or east > prefix
    for text in (f"{float(east):.3f}, {float(north):.3f}", f"X={float(north):.3f} Y={float(east):.3f}"):
        found = degrees_in(text, COUNTY)
        assert found is not None
        assert found.exact
        assert (found.longitude, found.latitude) == pytest.approx((EAST, NORTH), abs=1e-7)


@pytest.mark.parametrize(
    "text",
    [
        "长洞镇",
        "DEMO-2026-0001",
        "105.2",
        "26.7 26.8",
        "105°75′ 26°42′",
        "N105.2 N26.7",
        "12 村 34",
        "1 2 3",
        "500 600",
    ],
)
def test_what_is_no_place_is_none(text: str) -> None:
    assert degrees_in(text, COUNTY) is None


def test_a_shifted_datum_is_taken_off_degrees_and_not_off_metres() -> None:
    shifted = [float(v) for v in gcj02_from_wgs84(EAST, NORTH)]
    typed = degrees_in(f"{shifted[0]:.9f}, {shifted[1]:.9f}", COUNTY)
    assert typed is not None
    assert typed.wgs84(datum_of("gcj02")) == pytest.approx((EAST, NORTH), abs=1e-8)
    east, north = (float(v) for v in to_metric(EAST, NORTH, COUNTY))
    metres = degrees_in(f"{east:.3f} {north:.3f}", COUNTY)
    assert metres is not None
    assert np.allclose(metres.wgs84(datum_of("gcj02")), (EAST, NORTH), atol=1e-7)
