"""KML, KMZ and 奥维 .ovkml: placemarks as records, gx:Track as fixes. Links are never followed."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from lxml import etree

from geo.errors import FormatError
from geo.formats.fixes import RawFixes, tracks_of
from geo.formats.markup import Markup, child_text, local, parse
from geo.formats.reading import Content, Hints, Records
from geo.formats.sniffing import members, unpack
from geo.formats.values import numbers, utc_seconds
from geo.schema import Refusal

_GEOMETRIES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack")
_ROOTS = frozenset({"kml", "Document", "Folder", "Placemark"})  # fragments lack the outer kml
_OVITAL_SHIFTS = {"GCJ02": "gcj02", "GCJ-02": "gcj02", "BD09": "bd09", "BD-09": "bd09"}


def document_of(data: bytes, name: str) -> bytes:
    """The KML of a KMZ: ``doc.kml`` at the top, else the first in the archive's order; other files are left alone."""
    held = members(data, name)
    kmls = [member for member in held if member.lower().endswith(".kml")]
    if not kmls:
        raise FormatError("zip_no_layer", file=name)
    chosen = next((member for member in kmls if member.lower() == "doc.kml"), kmls[0])
    return unpack(data, held[chosen], name)


def read_records(data: bytes, name: str) -> Records:
    """Every placemark with a geometry that is no track, from all folders."""
    markup = _open(data, name)
    rows: list[dict[str, str | None]] = []
    shapes: list[Any] = []
    kept: list[int] = []
    refused: list[Refusal] = []
    for number, placemark in enumerate(_placemarks(markup.root), 1):
        try:
            shape = _shape(_geometry(placemark))
        except (ValueError, TypeError, shapely.errors.ShapelyError):
            refused.append(Refusal(number, "geometry", "geometry_broken"))
            continue
        shapes.append(shape)
        rows.append(_attributes(placemark))
        kept.append(number)
    table = gpd.GeoDataFrame(
        pd.DataFrame(rows, index=kept, dtype=object),
        geometry=gpd.GeoSeries(np.array([*shapes, None], dtype=object)[:-1], index=kept),
    )
    lost = _break(markup, len(rows) + len(refused))
    return Records(
        table, "EPSG:4326", shift=_shift(markup.root), refused=(*refused, *lost),
        other_kinds=_others(markup.root), encoding="UTF-8",
    )  # fmt: skip


def read_tracks(data: bytes, name: str, hints: Hints) -> Content:
    """Every gx:Track as a trail of fixes; lines without times are routes, their vertices refused as untimed."""
    markup = _open(data, name)
    columns: list[list[str | None]] = [[], [], [], []]
    trail: list[int] = []
    segment: list[int] = []
    names: list[str] = []
    points_n, pieces = 0, 0
    for placemark in _placemarks(markup.root):
        geometry = _geometry(placemark)
        lines = list(_lines(geometry)) if geometry is not None else []
        points_n += geometry is not None and not lines
        for fixes in lines:
            for column, values in zip(columns, zip(*fixes, strict=True), strict=False):
                column.extend(values)
            trail.extend([len(names)] * len(fixes))
            segment.extend([pieces] * len(fixes))
            pieces += 1
        names.append(child_text(placemark, "name") or "")
    faults: dict[int, Refusal] = {}
    longitude, latitude = numbers(columns[0], "lon", faults), numbers(columns[1], "lat", faults)
    elevation = numbers(columns[2], "ele", {})
    seconds = utc_seconds(columns[3], hints.timezone, faults)
    places = np.array(trail, dtype=np.int64), np.array(segment, dtype=np.int64)
    raw = RawFixes(*places, longitude, latitude, elevation, seconds, faults, names)
    content = tracks_of(raw, hints, source=name, shift=_shift(markup.root), lost=_break(markup, len(raw)))
    others = {**_others(markup.root), "waypoints": points_n, "routes": int(content.held_as_route_n > 0)}
    return Content(**{**content.__dict__, "other_kinds": others})


def _open(data: bytes, name: str) -> Markup:
    markup = parse(data, name)
    if local(markup.root) not in _ROOTS and not any(local(e) == "Placemark" for e in markup.root.iter(etree.Element)):
        raise FormatError("format_unknown", file=name)
    return markup


def _break(markup: Markup, records_n: int) -> tuple[Refusal, ...]:
    if markup.ends_at_byte is None:
        return ()
    return (Refusal(records_n + 1, "file", "file_breaks_off", {"byte": markup.ends_at_byte}),)


def _placemarks(root: etree._Element) -> Iterator[etree._Element]:
    return (element for element in root.iter(etree.Element) if local(element) == "Placemark")


def _others(root: etree._Element) -> dict[str, int]:
    """Links and overlays, counted and never followed."""
    kinds = [local(element) for element in root.iter(etree.Element)]
    counts = {"links": kinds.count("NetworkLink"), "overlays": sum(kind.endswith("Overlay") for kind in kinds)}
    return {kind: count for kind, count in counts.items() if count}


def _shift(root: etree._Element) -> str | None:
    """The datum shift 奥维 declares for the file's placemarks; a file that mixes datums is refused."""
    told = {
        (element.text or "").strip().upper() for element in root.iter(etree.Element) if local(element) == "OvCoordType"
    }
    shifts = {_OVITAL_SHIFTS.get(word) for word in told}
    if len(shifts) > 1:
        raise FormatError("datum_mixed", datums="、".join(sorted(told)))
    return shifts.pop() if shifts else None


def _geometry(placemark: etree._Element) -> etree._Element | None:
    return next((child for child in placemark if local(child) in _GEOMETRIES), None)


def _attributes(placemark: etree._Element) -> dict[str, str | None]:
    held: dict[str, str | None] = {"name": child_text(placemark, "name"), "desc": child_text(placemark, "description")}
    for element in placemark.iter(etree.Element):
        kind = local(element)
        if kind == "Data" and element.get("name"):
            held[str(element.get("name"))] = child_text(element, "value")
        elif kind == "SimpleData" and element.get("name"):
            held[str(element.get("name"))] = (element.text or "").strip() or None
        elif kind == "when" and "time" not in held:
            held["time"] = (element.text or "").strip() or None
    return held


def _shape(element: etree._Element | None) -> Any:
    """The geometry of a KML element; ValueError where its coordinates are none."""
    if element is None:
        return None
    kind = local(element)
    if kind == "Polygon":
        rings = [
            _places(_descend(e, "coordinates")) for e in element if local(e) in {"outerBoundaryIs", "innerBoundaryIs"}
        ]
        if not rings:
            raise ValueError("no outer boundary")
        return shapely.polygons(rings[0], rings[1:] or None)
    if kind == "MultiGeometry":
        parts = [_shape(child) for child in element if local(child) in _GEOMETRIES]
        kinds = {part.geom_type for part in parts}
        many = {"Point": shapely.multipoints, "LineString": shapely.multilinestrings, "Polygon": shapely.multipolygons}
        return (
            many[kinds.pop()](parts) if len(kinds) == 1 and kinds <= set(many) else shapely.geometrycollections(parts)
        )
    if kind in {"Track", "MultiTrack"}:
        lines = [
            shapely.linestrings([(float(x or ""), float(y or "")) for x, y, _, _ in fixes]) for fixes in _lines(element)
        ]
        return lines[0] if len(lines) == 1 else shapely.multilinestrings(lines)
    places = _places(_descend(element, "coordinates"))
    return shapely.points(places[0]) if kind == "Point" else shapely.linestrings(places)


def _descend(element: etree._Element, name: str) -> str:
    return next((e.text or "" for e in element.iter(etree.Element) if local(e) == name), "")


def _places(text: str) -> list[tuple[float, float]]:
    """Longitude and latitude of each tuple of a coordinates text."""
    places = []
    for piece in text.split():
        values = piece.split(",")
        places.append((float(values[0]), float(values[1]) if len(values) > 1 else float("")))
    if not places:
        raise ValueError("no coordinates")
    return places


_Fix = tuple[str | None, str | None, str | None, str | None]


def _lines(element: etree._Element) -> Iterator[list[_Fix]]:
    """Longitude, latitude, elevation and time, as text, of every vertex of every line of a geometry."""
    kind = local(element)
    if kind == "Track":
        times = [(child.text or "").strip() or None for child in element if local(child) == "when"]
        places = [(child.text or "").split() for child in element if local(child) == "coord"]
        yield [(*_three(place), times[number] if number < len(times) else None) for number, place in enumerate(places)]
    elif kind in {"MultiTrack", "MultiGeometry"}:
        for child in element:
            yield from _lines(child)
    elif kind == "LineString":
        yield [(*_three(piece.split(",")), None) for piece in _descend(element, "coordinates").split()]


def _three(values: list[str]) -> tuple[str | None, str | None, str | None]:
    held: list[str | None] = [*values[:3], None, None, None]
    return held[0], held[1], held[2]
