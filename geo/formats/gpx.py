"""GPX 1.0 and 1.1, read strictly value by value, and written as 1.1 in WGS 84."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from lxml import etree

from geo.errors import FormatError
from geo.formats.fixes import RawFixes, tracks_of
from geo.formats.gpx_out import write_routes, write_tracks
from geo.formats.markup import Markup, child_text, local, parse
from geo.formats.reading import Content, Hints, Records
from geo.formats.values import numbers, utc_seconds
from geo.schema import Refusal

__all__ = ["read_records", "read_tracks", "write_routes", "write_tracks"]

_Point = tuple[str | None, str | None, str | None, str | None]


def read_tracks(data: bytes, name: str, hints: Hints) -> Content:
    """Tracks of a GPX file: every trkpt and rtept is a record; waypoints are counted only."""
    markup = _open(data, name)
    raw, wpt_n, rte_n = _fixes(markup, data, hints)
    lost = _break(markup, data, len(raw) + wpt_n)
    content = tracks_of(raw, hints, source=name, lost=lost)
    held: dict[str, int] = {"waypoints": wpt_n, "routes": rte_n}
    return dataclasses.replace(content, other_kinds=held, app=markup.root.get("creator"))


def read_records(data: bytes, name: str) -> Records:
    """Waypoints of a GPX file as point records; tracks and routes are counted only."""
    markup = _open(data, name)
    points = [element for element in markup.root if local(element) == "wpt"]
    faults: dict[int, Refusal] = {}
    latitude = numbers([p.get("lat") for p in points], "lat", faults)
    longitude = numbers([p.get("lon") for p in points], "lon", faults)
    for position in np.flatnonzero(~((np.abs(latitude) <= 90) & (np.abs(longitude) <= 180))).tolist():
        faults.setdefault(position, Refusal(position + 1, "lat", "coordinate_range"))
    fields = {field: [child_text(p, field) for p in points] for field in ("name", "time", "desc", "cmt", "type", "ele")}
    rows = pd.RangeIndex(1, len(points) + 1)
    table = gpd.GeoDataFrame(fields, index=rows, geometry=shapely.points(longitude, latitude), crs=4326)
    kept = table[[position not in faults for position in range(len(points))]]
    kinds = [local(element) for element in markup.root]
    others = {"tracks": kinds.count("trk"), "routes": kinds.count("rte")}
    lost = (*faults.values(), *_break(markup, data, 0))
    return Records(kept, "EPSG:4326", refused=lost, other_kinds=others, app=markup.root.get("creator"))


def _open(data: bytes, name: str) -> Markup:
    markup = parse(data, name)
    if local(markup.root) != "gpx":
        raise FormatError("format_unknown", file=name)
    return markup


def _break(markup: Markup, data: bytes, records_n: int) -> tuple[Refusal, ...]:
    """The one refusal of a file that breaks off: whatever record stood there is lost."""
    if markup.ends_at_byte is None:
        return ()
    return (Refusal(records_n + 1, "file", "file_breaks_off", {"byte": markup.ends_at_byte}),)


def _fixes(markup: Markup, data: bytes, hints: Hints) -> tuple[RawFixes, int, int]:
    columns: list[list[str | None]] = [[], [], [], []]
    trail: list[int] = []
    segment: list[int] = []
    names: list[str] = []
    routes: set[int] = set()
    wpt_n, pieces = 0, 0
    for element in markup.root:
        kind = local(element)
        wpt_n += kind == "wpt"
        if kind not in {"trk", "rte"}:
            continue
        if kind == "rte":
            routes.add(len(names))
        for piece in _pieces(element, kind):
            found = _points(piece, "trkpt" if kind == "trk" else "rtept")
            for column, values in zip(columns, found, strict=True):
                column.extend(values)
            trail.extend([len(names)] * len(found[0]))
            segment.extend([pieces] * len(found[0]))
            pieces += 1
        names.append(child_text(element, "name") or "")
    if markup.ends_at_byte is not None and _last_is_open(data) and trail:
        for column in columns:
            column.pop()
        trail.pop()
        segment.pop()
    faults: dict[int, Refusal] = {}
    latitude = numbers(columns[0], "lat", faults)
    longitude = numbers(columns[1], "lon", faults)
    seconds = utc_seconds(columns[3], hints.timezone, faults)
    elevation = numbers(columns[2], "ele", {})
    places = np.array(trail, dtype=np.int64), np.array(segment, dtype=np.int64)
    raw = RawFixes(*places, longitude, latitude, elevation, seconds, faults, names, frozenset(routes))
    return raw, wpt_n, len(routes)


def _pieces(element: etree._Element, kind: str) -> Iterator[etree._Element]:
    if kind == "rte":
        yield element
        return
    for child in element:
        if local(child) == "trkseg":
            yield child


def _points(piece: etree._Element, kind: str) -> list[list[str | None]]:
    """Latitude, longitude, elevation and time of each point; column by column where every point has one of each."""
    space = piece.tag.rpartition("}")[0].removeprefix("{") if isinstance(piece.tag, str) else ""
    prefix = {"g": space} if space else {}
    mark = "g:" if space else ""
    columns: list[Any] = [
        piece.xpath(f"{mark}{kind}/{what}", namespaces=prefix, smart_strings=False)
        for what in ("@lat", "@lon", f"{mark}ele/text()", f"{mark}time/text()")
    ]
    full = f"count({mark}{kind}[@lat and @lon and {mark}ele/text() and {mark}time/text()])"
    whole = piece.xpath(full, namespaces=prefix)
    if all(len(column) == whole for column in (piece, *columns)):  # at least one of each, and no more than points
        return columns
    found = [_point(point) for point in piece if local(point) == kind]
    return [[row[column] for row in found] for column in range(4)]


def _point(point: etree._Element) -> _Point:
    elevation = time = None
    for child in point:
        name = local(child)
        if name == "ele":
            elevation = child.text
        elif name == "time":
            time = child.text
    return point.get("lat"), point.get("lon"), elevation, time


def _last_is_open(data: bytes) -> bool:
    """Whether the last point of a broken-off file was still being written."""
    opened = max(data.rfind(b"<trkpt"), data.rfind(b"<rtept"))
    if opened < 0:
        return False
    closed = max(data.rfind(b"</trkpt"), data.rfind(b"</rtept"))
    alone = data.find(b">", opened)
    return closed < opened and not (alone > 0 and data[alone - 1 : alone] == b"/")
