"""Working coordinate systems of a county, and the removal of the GCJ-02 and BD-09 shifts."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.enums import TransformDirection

from geo.errors import DatumError

Floats = npt.NDArray[np.float64]

_KRASOVSKY_A = 6378245.0
_KRASOVSKY_E2 = 0.00669342162296594323
_BD_TURN = np.pi * 3000.0 / 180.0


def metric_crs(longitude: float, latitude: float) -> pyproj.CRS:
    """
    The metric CRS a county at this place works in.

    CGCS2000 3-degree zone without prefix (EPSG:4534-4554) whose meridian is nearest; UTM outside 73-136 E.

    >>> metric_crs(105.4, 26.8).to_epsg()
    4544
    >>> metric_crs(-118.0, 34.3).to_epsg()
    32611
    """
    if 73.0 <= longitude <= 136.0 and 0.0 <= latitude <= 56.0:
        step = min(max(round((longitude - 75.0) / 3.0), 0), 20)
        return pyproj.CRS.from_epsg(4534 + step)
    zone = int((longitude + 180.0) // 6.0) % 60 + 1
    return pyproj.CRS.from_epsg((32600 if latitude >= 0 else 32700) + zone)


def require_metric(crs: Any, what: str) -> None:
    """Raise `DatumError` unless `crs` is projected in metres; `what` names the data in the message."""
    if crs is None:
        raise DatumError("crs_missing", what=what)
    parsed = pyproj.CRS.from_user_input(crs)
    if not parsed.is_projected or parsed.axis_info[0].unit_name != "metre":
        raise DatumError("crs_not_metric", what=what, crs=parsed.name)


def to_metric(longitude: npt.ArrayLike, latitude: npt.ArrayLike, crs: Any) -> tuple[Floats, Floats]:
    """Easting and northing, metres in `crs`, of WGS 84 degrees (taken as CGCS2000: they agree within 0.1 m)."""
    return turned(longitude, latitude, 4326, crs)


def to_degrees(easting: npt.ArrayLike, northing: npt.ArrayLike, crs: Any) -> tuple[Floats, Floats]:
    """WGS 84 longitude and latitude, degrees, of metric coordinates in `crs`."""
    return turned(easting, northing, crs, 4326)


def turned(x: npt.ArrayLike, y: npt.ArrayLike, source: Any, target: Any) -> tuple[Floats, Floats]:
    """Coordinates of one system in another, easting or longitude first; infinite where undefined."""
    before, after = _text(source), _text(target)
    back = after == _text(4326)  # there and back are one transformation: setting one up takes 50 ms
    turn = _transformer(after, before) if back else _transformer(before, after)
    direction = TransformDirection.INVERSE if back else TransformDirection.FORWARD
    east, north = turn.transform(np.asarray(x, float), np.asarray(y, float), direction=direction)
    return np.asarray(east, float), np.asarray(north, float)


def _text(crs: Any) -> str:
    """A CRS as a short text: its EPSG code where it has one."""
    if isinstance(crs, int):
        return f"EPSG:{crs}"
    return crs if isinstance(crs, str) else _coded(crs)


@lru_cache(maxsize=64)
def _coded(crs: Any) -> str:
    known = pyproj.CRS.from_user_input(crs)
    code = known.to_epsg()
    return f"EPSG:{code}" if code and pyproj.CRS.from_epsg(code) == known else str(known.to_wkt())


@lru_cache(maxsize=64)
def _transformer(source: str, target: str) -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(source, target, always_xy=True)


def gcj02_from_wgs84(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """GCJ-02 degrees of WGS 84 degrees. The public approximation of an unpublished rule: good to 1-2 m."""
    lon, lat = np.asarray(longitude, float), np.asarray(latitude, float)
    east, north = _gcj02_shift(lon, lat)
    return lon + east, lat + north


def wgs84_from_gcj02(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """
    WGS 84 degrees of GCJ-02 degrees, by fixed-point iteration (round trip below 1e-6 m).

    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84(105.0, 26.5))
    >>> bool(abs(lon - 105.0) < 1e-11 and abs(lat - 26.5) < 1e-11)
    True
    """
    target_lon, target_lat = np.asarray(longitude, float), np.asarray(latitude, float)
    lon, lat = target_lon.copy(), target_lat.copy()
    for _ in range(8):
        east, north = _gcj02_shift(lon, lat)
        lon, lat = target_lon - east, target_lat - north
    return lon, lat


def bd09_from_gcj02(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """BD-09 degrees of GCJ-02 degrees (public formula)."""
    lon, lat = np.asarray(longitude, float), np.asarray(latitude, float)
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def wgs84_from_bd09(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> tuple[Floats, Floats]:
    """WGS 84 degrees of BD-09 degrees, by fixed-point iteration through GCJ-02."""
    target_lon, target_lat = np.asarray(longitude, float), np.asarray(latitude, float)
    lon, lat = target_lon - 0.0065, target_lat - 0.006
    for _ in range(12):
        again_lon, again_lat = bd09_from_gcj02(lon, lat)
        lon, lat = lon + target_lon - again_lon, lat + target_lat - again_lat
    return wgs84_from_gcj02(lon, lat)


def _gcj02_shift(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Degrees that GCJ-02 adds to WGS 84 at this place; nothing is added outside China's box."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (wave + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (wave + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    north_degrees = np.degrees(north * magic**1.5 / (_KRASOVSKY_A * (1.0 - _KRASOVSKY_E2)))
    east_degrees = np.degrees(east * np.sqrt(magic) / (_KRASOVSKY_A * np.cos(phi)))
    inside = (lon > 72.004) & (lon < 137.8347) & (lat > 0.8293) & (lat < 55.8271)
    return np.where(inside, east_degrees, 0.0), np.where(inside, north_degrees, 0.0)
