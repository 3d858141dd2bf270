"""
Tracks: recorded lines, and their fixes as plain columns.

A track's geometry is a (Multi)LineString ZM in the county's CRS: z is the recorded elevation in metres (NaN where
unknown), m the time in seconds since 1970 UTC. One geometry therefore holds every fix, any GIS opens it, and
`fixes_of` gives the columns the engine takes.
"""

import hashlib
import struct
from enum import StrEnum
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.schema import Column, Kind, Schema

_LINESTRING_ZM = 3002


class Mode(StrEnum):
    """How the recorder moved."""

    FOOT = "foot"
    VEHICLE = "vehicle"
    DRONE = "drone"


SCHEMA = Schema(
    "tracks",
    "track_id",
    (
        Column("track_id"),
        Column("team_id", required=False),
        Column("township_id", required=False),
        Column("started_at", Kind.TIME),
        Column("ended_at", Kind.TIME),
        Column("mode", choices=tuple(Mode)),
        Column("length_m", Kind.REAL, low=0.0),
        Column("fixes_n", Kind.INTEGER, low=1),
        Column("source_id"),
    ),
    geometry=("LineString", "MultiLineString"),
)

FIXES = Schema(
    "fixes",
    "",
    (
        Column("track_id"),
        Column("easting_m", Kind.REAL),
        Column("northing_m", Kind.REAL),
        Column("recorded_at", Kind.TIME),
        Column("elevation_m", Kind.REAL, required=False),
        Column("accuracy_m", Kind.REAL, required=False),
    ),
)


def track_id(longitude: npt.ArrayLike, latitude: npt.ArrayLike, seconds: npt.ArrayLike) -> str:
    """
    First 16 hex digits of the sha-256 of a track's fixes: WGS 84 degrees to 1e-7 and UTC milliseconds, in order.

    >>> track_id([105.0], [26.5], [0.0]) == track_id([105.00000000001], [26.5], [0.0])
    True
    """
    places = np.round(np.column_stack([np.atleast_1d(longitude), np.atleast_1d(latitude)]) * 1e7).astype("<i8")
    times = np.round(np.atleast_1d(np.asarray(seconds, float)) * 1000.0).astype("<i8")
    return hashlib.sha256(np.column_stack([places, times]).tobytes()).hexdigest()[:16]


def line_of(easting: npt.ArrayLike, northing: npt.ArrayLike, elevation: npt.ArrayLike, seconds: npt.ArrayLike) -> Any:
    """The LineString ZM of fixes in order; a single fix becomes a line of two equal points."""
    stack = np.column_stack([np.asarray(a, float) for a in (easting, northing, elevation, seconds)])
    places = np.repeat(stack, 2, axis=0) if len(stack) == 1 else stack
    # Through WKB: shapely builds lines of two or three ordinates only.
    return shapely.from_wkb(struct.pack("<BII", 1, _LINESTRING_ZM, len(places)) + places.astype("<f8").tobytes())


def fixes_of(tracks: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    Every fix of the tracks, once, as plain columns, in the order of the tracks and of time within each part.

    The second of the two equal points a part of a single fix is stored as is no fix.

    Returns
    -------
    pd.DataFrame
        ``track`` (position of the track in the table, int64), ``part`` (int64), ``easting_m``, ``northing_m``,
        ``elevation_m``, ``seconds`` (UTC seconds since 1970, float64).
    """
    parts, owner = shapely.get_parts(tracks.geometry.to_numpy(), return_index=True)
    places, part = shapely.get_coordinates(parts, include_z=True, include_m=True, return_index=True)
    again = _second_of_one(places, part)
    places, part = places[~again], part[~again]
    return pd.DataFrame(
        {
            "track": owner[part].astype(np.int64),
            "part": part.astype(np.int64),
            "easting_m": places[:, 0],
            "northing_m": places[:, 1],
            "elevation_m": places[:, 2],
            "seconds": places[:, 3],
        }
    )


def _second_of_one(places: npt.NDArray[np.float64], part: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Which of the places (n, 4) repeat the other one of a part of two (see `line_of`)."""
    again = np.zeros(len(part), dtype=bool)
    two = np.bincount(part, minlength=1)[part] == 2
    same = (places[1:, [0, 1, 3]] == places[:-1, [0, 1, 3]]).all(axis=1)
    again[1:] = two[1:] & (part[1:] == part[:-1]) & same
    return again
