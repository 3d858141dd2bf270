"""Working coordinate systems and the removal of the Chinese map shifts."""

import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import crs
from geo.errors import DatumError

IN_CHINA = {"longitude": st.floats(98.0, 110.0), "latitude": st.floats(21.0, 32.0)}


@pytest.mark.parametrize(
    ("longitude", "epsg"), [(105.0, 4544), (106.49, 4544), (106.51, 4545), (75.0, 4534), (135.0, 4554)]
)
def test_the_zone_with_the_nearest_meridian_is_chosen(longitude: float, epsg: int) -> None:
    """Guizhou needs zones 35 and 36, cut at 106.5 E."""
    assert crs.metric_crs(longitude, 26.5).to_epsg() == epsg


def test_outside_china_utm_is_used() -> None:
    """36.8 E, 1.3 S is UTM zone 37 south."""
    assert crs.metric_crs(36.8, -1.3).to_epsg() == 32737


def test_degrees_are_refused_where_metres_are_needed() -> None:
    """A geographic CRS and a missing one both raise."""
    with pytest.raises(DatumError, match="crs_not_metric"):
        crs.require_metric(4326, "parcels")
    with pytest.raises(DatumError, match="crs_missing"):
        crs.require_metric(None, "parcels")
    crs.require_metric(4544, "parcels")


@given(**IN_CHINA)
def test_gcj02_there_and_back_is_below_a_micrometre(longitude: float, latitude: float) -> None:
    """A one-step inverse errs by metres; the fixed point does not."""
    lon, lat = crs.wgs84_from_gcj02(*crs.gcj02_from_wgs84(longitude, latitude))
    assert abs(lon - longitude) * 111_000 < 1e-6
    assert abs(lat - latitude) * 111_000 < 1e-6


@given(**IN_CHINA)
def test_bd09_there_and_back_is_below_a_micrometre(longitude: float, latitude: float) -> None:
    """Through GCJ-02 and back."""
    lon, lat = crs.wgs84_from_bd09(*crs.bd09_from_gcj02(*crs.gcj02_from_wgs84(longitude, latitude)))
    assert abs(lon - longitude) * 111_000 < 1e-6
    assert abs(lat - latitude) * 111_000 < 1e-6


def test_the_shift_in_guizhou_is_what_was_measured_there() -> None:
    """382-598 m over the province."""
    lon, lat = np.meshgrid(np.linspace(103.6, 109.5, 20), np.linspace(24.7, 29.2, 20))
    east, north = crs.gcj02_from_wgs84(lon, lat)
    metres = np.hypot((east - lon) * 111_320 * np.cos(np.radians(lat)), (north - lat) * 110_800)
    assert 370 < metres.min() < 400
    assert 580 < metres.max() < 610


def test_outside_china_nothing_is_shifted() -> None:
    """Europe stays where it is."""
    assert crs.gcj02_from_wgs84(15.0, 46.0) == (15.0, 46.0)


@given(longitude=st.floats(104.0, 106.4), latitude=st.floats(25.0, 28.0))
def test_metres_and_degrees_round_trip(longitude: float, latitude: float) -> None:
    """Projection and back to 1e-9 degrees."""
    lon, lat = crs.to_degrees(*crs.to_metric(longitude, latitude, 4544), 4544)
    assert float(lon) == pytest.approx(longitude, abs=1e-9)
    assert float(lat) == pytest.approx(latitude, abs=1e-9)


@given(x=st.floats(4e5, 6e5), y=st.floats(2.8e6, 3.1e6), epsg=st.sampled_from([4490, 4544, 4549, 32648]))
def test_the_way_back_is_the_librarys_own_transformation(x: float, y: float, epsg: int) -> None:
    """One transformation serves both directions; its inverse is what pyproj sets up for that direction."""
    place = (x, y) if epsg != 4490 else (100.0 + x / 1e5, y / 1e5)
    there = pyproj.Transformer.from_crs(epsg, 4326, always_xy=True).transform(*place)
    assert np.array(crs.turned(*place, epsg, 4326)) == pytest.approx(np.array(there), abs=1e-12)
