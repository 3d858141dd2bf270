"""GPX 1.1 out: recorded tracks in bulk, and planned routes for handheld receivers. Always WGS 84."""

import re
from collections.abc import Iterator, Sequence
from typing import Any
from xml.sax.saxutils import escape

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import FormatError
from geo.formats.datum import transform
from geo.formats.markup import printable
from geo.layers.tracks import fixes_of

CREATOR = "tacha"
DATUM_NOTE = "坐标系 WGS84"
ROUTE_POINTS_MAX = 125
Floats = npt.NDArray[np.float64]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<gpx version="1.1" creator="{CREATOR}" xmlns="http://www.topografix.com/GPX/1/1">\n'
    f"<metadata><desc>{DATUM_NOTE}</desc></metadata>\n"
)


def write_tracks(tracks: gpd.GeoDataFrame, names: Sequence[str] | None = None) -> bytes:
    """
    One GPX with a trk per row of a tracks table (any CRS), a trkseg per part, times in UTC.

    Parameters
    ----------
    names
        A name per track; the track's id where None.
    """
    fixes = fixes_of(tracks)
    longitude, latitude = degrees(fixes["easting_m"], fixes["northing_m"], tracks.crs)
    points = _trackpoints(longitude, latitude, fixes["elevation_m"].to_numpy(), fixes["seconds"].to_numpy())
    part, owner = fixes["part"].to_numpy(), fixes["track"].to_numpy()
    cuts = np.flatnonzero(np.diff(part)) + 1
    begins, ends = np.append(0, cuts), np.append(cuts, len(part))
    labels = list(names) if names is not None else tracks["track_id"].astype(str).tolist()
    text = [_HEAD]
    open_track = -1
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True) if len(part) else ():
        if owner[begin] != open_track:
            text.append("</trk>\n" if open_track >= 0 else "")
            open_track = int(owner[begin])
            text.append(f"<trk><name>{xml(labels[open_track])}</name><desc>{DATUM_NOTE}</desc>\n")
        text.extend(("<trkseg>\n", "\n".join(points[begin:end]), "\n</trkseg>\n"))
    text.append("</trk>\n</gpx>\n" if open_track >= 0 else "</gpx>\n")
    return "".join(text).encode()


def write_routes(routes: gpd.GeoDataFrame, stops: gpd.GeoDataFrame, crs: Any) -> dict[str, bytes]:
    """
    Per planned route a ``-track.gpx`` (trk and stops as wpt) and a ``-route.gpx`` (one rte of at most 125 points).

    Routes and stops lie in `crs`; names of points are those of the stops, never empty.
    """
    files: dict[str, bytes] = {}
    for row in routes.itertuples():
        mine = stops[stops["route_id"] == row.route_id].sort_values("order_n")
        name = xml(str(row.route_id))
        stem = file_stem(str(row.route_id))
        files[f"{stem}-track.gpx"] = _track_file(row.geometry, mine, name, crs)
        files[f"{stem}-route.gpx"] = _route_file(row.geometry, mine, name, crs)
    return files


def write_places(places: gpd.GeoDataFrame, crs: Any) -> bytes:
    """One GPX with a wpt per row: a Point in `crs`, its ``name`` and its ``note``."""
    longitude, latitude = degrees(places.geometry.x, places.geometry.y, crs)
    held = zip(longitude, latitude, places["name"], places["note"], strict=True)
    points = "".join(_point("wpt", float(x), float(y), str(name), str(note)) for x, y, name, note in held)
    return f"{_HEAD}{points}</gpx>\n".encode()


def _track_file(line: Any, stops: gpd.GeoDataFrame, name: str, crs: Any) -> bytes:
    waypoints = "".join(_point("wpt", *stop) for stop in _stop_points(stops, crs))
    segments = []
    for part in shapely.get_parts(line):
        longitude, latitude = places_of(part, crs)
        points = [f'<trkpt lat="{y:.7f}" lon="{x:.7f}"/>' for x, y in zip(longitude, latitude, strict=True)]
        segments.append("<trkseg>" + "\n".join(points) + "</trkseg>\n")
    track = f"<trk><name>{name}</name><desc>{DATUM_NOTE}</desc>\n{''.join(segments)}</trk>\n"
    return f"{_HEAD}{waypoints}{track}</gpx>\n".encode()


def _route_file(line: Any, stops: gpd.GeoDataFrame, name: str, crs: Any) -> bytes:
    """Stops in order, and between them as many of the line's own points as 125 allow."""
    held = list(_stop_points(stops, crs))[:ROUTE_POINTS_MAX]
    along = shapely.get_coordinates(line)
    passed = _passed(along, shapely.get_coordinates(stops.geometry.to_numpy())[: len(held)])
    entries = [(int(vertex), _point("rtept", *stop)) for vertex, stop in zip(passed, held, strict=True)]
    free = np.setdiff1d(np.arange(len(along)), passed)
    spare = min(ROUTE_POINTS_MAX - len(entries), len(free))
    chosen = free[np.unique(np.linspace(0, len(free) - 1, spare).astype(np.int64))] if spare else free[:0]
    longitude, latitude = degrees(along[chosen, 0], along[chosen, 1], crs)
    for number, (vertex, x, y) in enumerate(zip(chosen, longitude, latitude, strict=True), 1):
        entries.append((int(vertex), _point("rtept", float(x), float(y), f"R{number:03d}", "")))
    points = "".join(point for _, point in sorted(entries, key=lambda entry: entry[0]))
    return f"{_HEAD}<rte><name>{name}</name><desc>{DATUM_NOTE}</desc>\n{points}</rte>\n</gpx>\n".encode()


def _passed(along: Floats, stops: Floats) -> npt.NDArray[np.int64]:
    """
    The line's vertex at which each stop is met, never before the one of the stop ahead of it.

    A walk comes back to its start and crosses itself: the nearest vertex of all would put stops out of order.
    """
    if not len(stops):
        return np.zeros(0, np.int64)
    away = np.hypot(along[None, :, 0] - stops[:, None, 0], along[None, :, 1] - stops[:, None, 1])
    total = away[0]
    came = np.zeros(away.shape, np.int64)
    steps = np.arange(len(along))
    for k in range(1, len(stops)):
        best = np.minimum.accumulate(total)
        came[k] = np.maximum.accumulate(np.where(total == best, steps, 0))
        total = best + away[k]
    vertices = [len(along) - 1 - int(total[::-1].argmin())]
    for k in range(len(stops) - 1, 0, -1):
        vertices.append(int(came[k, vertices[-1]]))
    return np.array(vertices[::-1], np.int64)


def numbered(order_n: int, label: str) -> str:
    """A stop's name with its number in front, once."""
    return label if label.startswith(f"{order_n:02d}") else f"{order_n:02d} {label}"


def _stop_points(stops: gpd.GeoDataFrame, crs: Any) -> Iterator[tuple[float, float, str, str]]:
    longitude, latitude = degrees(stops.geometry.x, stops.geometry.y, crs)
    for x, y, row in zip(longitude, latitude, stops.itertuples(), strict=True):
        label = str(row.name) if isinstance(row.name, str) and row.name else str(row.stop_id)
        reason = str(row.reason) if isinstance(row.reason, str) else ""
        yield float(x), float(y), numbered(int(str(row.order_n)), label), reason


def _point(tag: str, x: float, y: float, name: str, note: str) -> str:
    described = f"<desc>{xml(note)}</desc>" if note else ""
    return f'<{tag} lat="{y:.7f}" lon="{x:.7f}"><name>{xml(name)}</name>{described}</{tag}>\n'


def degrees(easting: Any, northing: Any, crs: Any) -> tuple[Floats, Floats]:
    """WGS 84 degrees of coordinates in `crs`; raises `FormatError` rather than write a place that is none."""
    if crs is None:
        raise FormatError("export_range", place="CRS")
    move = transform(crs, 4326)
    longitude, latitude = move(np.asarray(easting, float), np.asarray(northing, float))
    wrong = ~((np.abs(longitude) <= 180.0) & (np.abs(latitude) <= 90.0))
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise FormatError("export_range", place=f"{np.asarray(easting)[first]:.1f}, {np.asarray(northing)[first]:.1f}")
    return longitude, latitude


def places_of(line: Any, crs: Any) -> tuple[Floats, Floats]:
    """WGS 84 degrees of a geometry's vertices in `crs`."""
    places = shapely.get_coordinates(line)
    return degrees(places[:, 0], places[:, 1], crs)


def xml(text: str) -> str:
    """Text as XML content, without what XML cannot hold."""
    return escape(printable(text))


def file_stem(text: str) -> str:
    """Text as the stem of a file name on any system."""
    return re.sub(r'[\\/:*?"<>|\s\x00-\x1f]+', "_", printable(text)).strip("._")[:80] or "route"


def _trackpoints(longitude: Floats, latitude: Floats, elevation: Floats, seconds: Floats) -> list[str]:
    whole = bool(np.all(seconds == np.floor(seconds)))
    unit, scale = ("s", 1.0) if whole else ("ms", 1000.0)
    stamps = np.datetime_as_string(np.round(seconds * scale).astype(np.int64).astype(f"datetime64[{unit}]")).tolist()
    places = zip(latitude.tolist(), longitude.tolist(), elevation.tolist(), stamps, strict=True)
    if np.isfinite(elevation).all():
        full = '<trkpt lat="%.7f" lon="%.7f"><ele>%.1f</ele><time>%sZ</time></trkpt>'
        return [full % place for place in places]
    plain = '<trkpt lat="%.7f" lon="%.7f">%s<time>%sZ</time></trkpt>'
    heights = (f"<ele>{z:.1f}</ele>" if z == z else "" for z in elevation.tolist())
    return [plain % (y, x, z, when) for (y, x, _, when), z in zip(places, heights, strict=True)]
