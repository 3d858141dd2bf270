"""
Recorded fixes of any file → tracks of one day each, with every fix that cannot be used refused by name.

A gap in time or an impossible jump ends a part of a track, never the track; the day boundary is Asia/Shanghai.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.crs import metric_crs
from geo.formats.datum import degrees_of, project
from geo.formats.reading import Content, Hints
from geo.layers.tracks import track_id
from geo.schema import Refusal

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

GAP_S = 1800.0
JUMP_M_S = 60.0
JUMP_M = 300.0
EARLIEST_S = 631_152_000.0  # 1990-01-01
LATEST_S = 4_102_444_800.0  # 2100-01-01
_DAY_S = 86400.0
_SHANGHAI_S = 8 * 3600.0
_LINE_ZM, _MULTILINE_ZM, _FIX_BYTES = 3002, 3005, 32


@dataclass(frozen=True)
class RawFixes:
    """
    Fixes as a file gives them, in its order; NaN where a value is absent or unreadable.

    Parameters
    ----------
    trail, segment
        Number of the track, and of the piece of it, that holds the fix; ``(n,)``.
    longitude, latitude, elevation, seconds
        Degrees of the file's datum, metres, UTC seconds since 1970; ``(n,)``.
    faults
        Refusals of single fixes found while reading, by position.
    names
        Name of each trail.
    routes
        Trails that are plans (``rte``), not records.
    """

    trail: Integers
    segment: Integers
    longitude: Floats
    latitude: Floats
    elevation: Floats
    seconds: Floats
    faults: dict[int, Refusal] = field(default_factory=dict)
    names: Sequence[str] = ()
    routes: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.trail)


def tracks_of(
    raw: RawFixes, hints: Hints, *, source: str, shift: str | None = None, lost: tuple[Refusal, ...] = ()
) -> Content:
    """
    The tracks of a file's fixes.

    Parameters
    ----------
    source
        Name of the file, for `source_id`.
    shift
        Datum shift the file itself declares.
    lost
        Refusals of records that never became fixes, as of a file that breaks off.
    """
    longitude, latitude, datum = degrees_of(raw.longitude, raw.latitude, datum=hints.datum, shift=shift)
    crs = hints.crs if hints.crs is not None else _local_crs(longitude, latitude)
    easting, northing = project(longitude, latitude, crs)
    refused = dict(raw.faults)
    _refuse_swapped(longitude, latitude, hints, refused)
    held = _refuse_places(raw, longitude, latitude, refused)
    _refuse_times(raw, held, hints, refused)
    _refuse(np.isnan(easting + northing) | np.isinf(easting + northing), "lon", "outside_crs", refused)
    _refuse_duplicates(raw, refused)
    day = np.floor((raw.seconds + _SHANGHAI_S) / _DAY_S)
    order = np.flatnonzero(~_bad(refused, len(raw)))
    order = order[np.lexsort((raw.seconds[order], raw.segment[order], day[order], raw.trail[order]))]
    walk = np.cumsum(_starts(raw.trail[order], day[order])) - 1
    ids = _fingerprints(walk, np.column_stack([longitude, latitude])[order], raw.seconds[order])
    place = np.column_stack([easting, northing])
    taken = _refuse_by_county(order, walk, ids, place, hints, refused)
    fixes = _Fixes(order[taken], walk[taken], np.cumsum(~taken, dtype=np.int64)[taken])
    stored = place if hints.crs is not None else np.column_stack([longitude, latitude])
    rows = _assemble(raw, fixes, ids, (place[fixes.position], stored[fixes.position]), hints, source)
    return Content(
        rows=rows,
        read=len(raw) + len(lost),
        refused=(*(refused[position] for position in sorted(refused)), *lost),
        held_as_route_n=int(held.sum()),
        datum=datum,
        routes=_routes(raw, held, longitude, latitude, hints.crs),
    )


def _bad(refused: dict[int, Refusal], n: int) -> Flags:
    bad = np.zeros(n, dtype=bool)
    bad[list(refused)] = True
    return bad


def _refuse(where: Flags, field_name: str, code: str, refused: dict[int, Refusal]) -> None:
    for position in np.flatnonzero(where).tolist():
        if position not in refused:
            refused[position] = Refusal(position + 1, field_name, code)


def _refuse_swapped(longitude: Floats, latitude: Floats, hints: Hints, refused: dict[int, Refusal]) -> None:
    """Name the reason of fixes off the globe that lie in the county with longitude and latitude exchanged."""
    off = np.flatnonzero((np.abs(latitude) > 90.0) & (np.abs(latitude) <= 180.0) & (np.abs(longitude) <= 90.0))
    if hints.within is None or not len(off):
        return
    west, south, east, north = hints.within
    x, y = project(latitude[off], longitude[off], hints.crs)
    for position in off[(x >= west) & (x < east) & (y > south) & (y <= north)].tolist():
        refused.setdefault(position, Refusal(position + 1, "lat", "axes_swapped"))


def _refuse_places(raw: RawFixes, longitude: Floats, latitude: Floats, refused: dict[int, Refusal]) -> Flags:
    """Refuse places that are none; returns which remaining fixes belong to a trail without any time (held as route)."""
    _refuse(np.isnan(latitude), "lat", "coordinate_bad", refused)
    _refuse(np.isnan(longitude), "lon", "coordinate_bad", refused)
    _refuse(np.abs(latitude) > 90.0, "lat", "coordinate_range", refused)
    _refuse(np.abs(longitude) > 180.0, "lon", "coordinate_range", refused)
    _refuse((raw.longitude == 0.0) & (raw.latitude == 0.0), "lat", "coordinate_zero", refused)
    sound = ~_bad(refused, len(raw))
    timed = np.isfinite(raw.seconds)
    for position, refusal in raw.faults.items():
        timed[position] |= refusal.field == "time"
    trails = int(raw.trail.max()) + 1 if len(raw) else 0
    untimed_trail = np.bincount(raw.trail, weights=timed, minlength=trails) == 0
    untimed_trail[[number for number in raw.routes if number < trails]] = True
    held: Flags = sound & untimed_trail[raw.trail]
    return held


def _refuse_times(raw: RawFixes, held: Flags, hints: Hints, refused: dict[int, Refusal]) -> None:
    seconds = raw.seconds
    _refuse(held | np.isnan(seconds), "time", "untimed", refused)
    latest_s = LATEST_S if hints.latest is None else min(hints.latest.timestamp(), LATEST_S)
    for position in np.flatnonzero((seconds > latest_s) & (seconds <= LATEST_S)).tolist():
        refused.setdefault(position, Refusal(position + 1, "time", "fix_future", {"value": _clock(seconds[position])}))
    _refuse_clock(seconds, (seconds < EARLIEST_S) | (seconds > LATEST_S), refused)
    if not len(raw):
        return
    good = ~_bad(refused, len(raw))
    trails = int(raw.trail.max()) + 1
    lowest, highest = np.full((2, trails, 3), np.inf)
    highest = -highest
    values = np.column_stack([seconds, raw.longitude, raw.latitude])[good]
    np.minimum.at(lowest, raw.trail[good], values)
    np.maximum.at(highest, raw.trail[good], values)
    same = lowest == highest
    still = same[:, 0] & ~(same[:, 1] & same[:, 2])
    _refuse_clock(seconds, good & still[raw.trail], refused)


def _refuse_clock(seconds: Floats, where: Flags, refused: dict[int, Refusal]) -> None:
    for position in np.flatnonzero(where).tolist():
        refused.setdefault(position, Refusal(position + 1, "time", "time_bad", {"value": _clock(seconds[position])}))


def _refuse_duplicates(raw: RawFixes, refused: dict[int, Refusal]) -> None:
    """Refuse every fix whose time and place (to 1e-7 degree, 1 ms) the file has given before."""
    good = np.flatnonzero(~_bad(refused, len(raw)))
    if bool((np.diff(raw.seconds[good]) >= 0.001).all()):  # a clock that only goes forward repeats nothing
        return
    keys = np.column_stack([raw.longitude * 1e7, raw.latitude * 1e7, raw.seconds * 1e3])[good]
    again = pd.DataFrame(np.round(keys).astype(np.int64)).duplicated().to_numpy()
    for position in good[again].tolist():
        refused[position] = Refusal(position + 1, "time", "duplicate", {"value": _clock(raw.seconds[position])})


def _refuse_by_county(
    order: Integers, walk: Integers, ids: list[str], place: Floats, hints: Hints, refused: dict[int, Refusal]
) -> Flags:
    """Refuse the fixes of walks the county holds and those outside its bounds; returns which of `order` are left."""
    held = np.array([walk_id in hints.known for walk_id in ids], dtype=bool)
    again = held[walk] if len(walk) else np.zeros(0, dtype=bool)
    for position, number in zip(order[again].tolist(), walk[again].tolist(), strict=True):
        refused[position] = Refusal(position + 1, "track_id", "duplicate", {"value": ids[number]})
    if hints.within is None:
        return ~again
    west, south, east, north = hints.within
    x, y = place[order].T
    outside = ~((x >= west) & (x < east) & (y > south) & (y <= north)) & ~again
    for position in order[outside].tolist():
        refused[position] = Refusal(position + 1, "lon", "outside")
    left: Flags = ~(again | outside)
    return left


def _clock(seconds: float) -> str:
    return f"{np.datetime_as_string(np.datetime64(round(seconds), 's'))}Z"


def _local_crs(longitude: Floats, latitude: Floats) -> Any:
    inside = (np.abs(longitude) <= 180.0) & (np.abs(latitude) <= 90.0)
    if not inside.any():
        return metric_crs(105.0, 27.0)
    return metric_crs(float(np.median(longitude[inside])), float(np.median(latitude[inside])))


@dataclass(frozen=True)
class _Fixes:
    """Accepted fixes in order: position in the file, number of their walk, of their stay in the county; ``(n,)``."""

    position: Integers
    walk: Integers
    stay: Integers


def _assemble(
    raw: RawFixes, fixes: _Fixes, ids: list[str], places: tuple[Floats, Floats], hints: Hints, source: str
) -> gpd.GeoDataFrame:
    """
    One row per walk, as the schema wants it; of `places` the first (n, 2), metres, measures, the second is stored.

    The columns are made in their final dtypes: `Schema.conform` column by column would take most of a small file.
    """
    out_crs = hints.crs if hints.crs is not None else "EPSG:4326"
    place, stored = places
    order = fixes.position
    seconds = raw.seconds[order]
    new_track = _starts(fixes.walk)
    new_part = new_track | _starts(raw.segment[order], fixes.stay) | _breaks(place, seconds)
    step = np.hypot(*np.diff(place, axis=0, prepend=place[:1]).T)
    track = np.cumsum(new_track) - 1
    begins = np.flatnonzero(new_track)
    ends = np.append(begins[1:], len(order)) - 1
    n = len(begins)
    earliest = np.minimum.reduceat(seconds, begins) if n else seconds
    latest = np.maximum.reduceat(seconds, begins) if n else seconds
    shapes = _lines(np.column_stack([stored, raw.elevation[order], seconds]), new_part, track)
    table = {
        "track_id": _texts([ids[number] for number in fixes.walk[begins].tolist()]),
        "team_id": _texts([hints.team_id] * n),
        "township_id": _texts([hints.township_id] * n),
        "started_at": _moments(earliest),
        "ended_at": _moments(latest),
        "mode": _texts([hints.mode] * n),
        "length_m": np.bincount(track, weights=np.where(new_part, 0.0, step), minlength=n).astype(np.float64),
        "fixes_n": pd.array(ends - begins + 1, dtype="Int64"),
        "source_id": _texts([hints.source or source] * n),
        "geometry": gpd.array.GeometryArray(shapes, crs=out_crs),
    }
    return gpd.GeoDataFrame(table, geometry="geometry")


def _texts(values: Sequence[str | None]) -> pd.Series:
    return pd.Series(values, dtype=object)


def _fingerprints(walk: Integers, degrees: Floats, seconds: Floats) -> list[str]:
    """The id of each walk; `degrees` (n, 2) and `seconds` (n,) follow one another walk by walk."""
    if not len(walk):
        return []
    cuts = np.flatnonzero(np.diff(walk)) + 1
    pieces = zip(np.split(degrees, cuts), np.split(seconds, cuts), strict=True)
    return [track_id(place[:, 0], place[:, 1], when) for place, when in pieces]


def _starts(*columns: npt.NDArray[Any]) -> Flags:
    new = np.zeros(len(columns[0]), dtype=bool)
    new[:1] = True
    for column in columns:
        new[1:] |= column[1:] != column[:-1]
    return new


def _breaks(place: Floats, seconds: Floats) -> Flags:
    """Where a part ends before a fix: a long silence, or a jump nobody walks or drives."""
    wait = np.diff(seconds, prepend=seconds[:1])
    step = np.hypot(*np.diff(place, axis=0, prepend=place[:1]).T)
    jump: Flags = (step > JUMP_M) & (step > JUMP_M_S * np.abs(wait))
    gap: Flags = np.abs(wait) > GAP_S
    return jump | gap


def _lines(coordinates: Floats, new_part: Flags, track: Integers) -> npt.NDArray[np.object_]:
    """
    (Multi)LineString ZM per track of fixes ``(n, 4)`` in order; a part of one fix becomes a line of two equal points.

    Built as WKB: shapely's own constructors take no M.
    """
    begins = np.flatnonzero(new_part)
    cuts = np.append(begins, len(coordinates))
    body = np.ascontiguousarray(coordinates, dtype="<f8").tobytes()
    per_track: dict[int, list[bytes]] = {}
    for owner, begin, end in zip(track[begins].tolist(), cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        piece = body[begin * _FIX_BYTES : end * _FIX_BYTES]
        doubled = piece * 2 if end - begin == 1 else piece
        per_track.setdefault(owner, []).append(struct.pack("<BII", 1, _LINE_ZM, max(end - begin, 2)) + doubled)
    shapes = [
        parts[0] if len(parts) == 1 else struct.pack("<BII", 1, _MULTILINE_ZM, len(parts)) + b"".join(parts)
        for parts in per_track.values()
    ]
    return np.asarray(shapely.from_wkb(np.array(shapes, dtype=object)), dtype=object)


def _moments(seconds: Floats) -> pd.DatetimeIndex:
    stamps = np.round(seconds * 1000.0).astype(np.int64).astype("datetime64[ms]")
    return pd.DatetimeIndex(stamps).tz_localize("UTC")


def _routes(raw: RawFixes, held: Flags, longitude: Floats, latitude: Floats, crs: Any) -> gpd.GeoDataFrame | None:
    """Untimed trails as plain lines with their names, in `crs` or degrees."""
    positions = np.flatnonzero(held)
    if not len(positions):
        return None
    x, y = project(longitude[positions], latitude[positions], crs)
    trail = raw.trail[positions]
    shapes, names = [], []
    for number in np.unique(trail):
        place = np.column_stack([x, y])[trail == number]
        shapes.append(shapely.linestrings(place if len(place) > 1 else np.repeat(place, 2, axis=0)))
        names.append(raw.names[number] if number < len(raw.names) else "")
    return gpd.GeoDataFrame({"name": names}, geometry=shapes, crs=crs if crs is not None else "EPSG:4326")
