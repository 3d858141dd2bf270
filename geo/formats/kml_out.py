"""
KML and KMZ out: planned routes, places, and areas to fly.

Files are in WGS 84. Where an app shows KML on shifted tiles without shifting it, the same content can be had in GCJ-02;
such a file says so in its own name and in every folder, so that nobody takes it for the other.
"""

import io
import zipfile
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import gcj02_from_wgs84
from geo.formats.bundle import STAMP
from geo.formats.gpx_out import DATUM_NOTE, Floats, degrees, file_stem, numbered, xml

GCJ_NOTE = "坐标系 GCJ-02（已加偏，仅供不做纠偏的软件显示；不可当作 WGS84 导入）"
GCJ_MARK = "GCJ02"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'


def write_routes(
    routes: gpd.GeoDataFrame, stops: gpd.GeoDataFrame, crs: Any, *, shifted: bool = False
) -> dict[str, bytes]:
    """A KML per day, a folder per route; routes and stops lie in `crs`, the file in WGS 84 (`shifted`: GCJ-02)."""
    files: dict[str, bytes] = {}
    for day, of_day in routes.groupby("day", sort=True):
        folders = "".join(
            _folder(row, stops[stops["route_id"] == row.route_id], crs, shifted) for row in of_day.itertuples()
        )
        name = _named(f"routes-{day}", shifted)
        files[f"{name}.kml"] = _document(_named(str(day), shifted), folders, shifted)
    return files


def zipped(kml: bytes) -> bytes:
    """The same as KMZ: a zip with ``doc.kml``, always the same bytes for the same content."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("doc.kml", STAMP), kml, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def write_places(places: gpd.GeoDataFrame, crs: Any) -> bytes:
    """One KML with a placemark per row: a Point in `crs`, its ``name`` and its ``note``."""
    longitude, latitude = degrees(places.geometry.x, places.geometry.y, crs)
    marks = "".join(
        _mark(str(name), f"<Point><coordinates>{_place(x, y)}</coordinates></Point>", str(note))
        for x, y, name, note in zip(longitude, latitude, places["name"], places["note"], strict=True)
    )
    return f"{_HEAD}<description>{DATUM_NOTE}</description>\n{marks}</Document>\n</kml>\n".encode()


def write_areas(areas: gpd.GeoDataFrame, crs: Any, *, title: str, shifted: bool = False) -> bytes:
    """
    Areas as polygons in one folder, each followed by the place its work starts from.

    Parameters
    ----------
    areas
        (Multi)Polygons in `crs` with ``name``, ``note``, ``start_name``, and ``start_easting_m, start_northing_m``.
    """
    marks: list[str] = []
    for row in areas.itertuples():
        rings = "".join(_polygon(part, crs, shifted) for part in shapely.get_parts(row.geometry))
        x, y = _degrees([row.start_easting_m], [row.start_northing_m], crs, shifted)
        start = f"<Point><coordinates>{_place(x[0], y[0])}</coordinates></Point>"
        name, note = str(row.name), str(row.note)
        shape = f"<MultiGeometry>{rings}</MultiGeometry>"
        marks += [_mark(name, shape, note), _mark(str(row.start_name), start, note)]
    whole = _named(title, shifted)
    return _document(whole, f"<Folder><name>{xml(whole)}</name>\n{''.join(marks)}</Folder>\n", shifted)


def _document(name: str, content: str, shifted: bool) -> bytes:
    note = GCJ_NOTE if shifted else DATUM_NOTE
    head = f"{_HEAD}<name>{xml(name)}</name><description>{note}</description>\n"
    return f"{head}{content}</Document>\n</kml>\n".encode()


def _named(name: str, shifted: bool) -> str:
    return file_stem(f"{name}-{GCJ_MARK}" if shifted else name)


def _folder(route: Any, stops: gpd.GeoDataFrame, crs: Any, shifted: bool) -> str:
    name = f"{route.route_id} {GCJ_MARK}" if shifted else str(route.route_id)
    text = [f"<Folder><name>{xml(name)}</name>\n"]
    for part in shapely.get_parts(route.geometry):
        places = f"<coordinates>{_chain(part, crs, shifted)}</coordinates>"
        text.append(_mark(name, f"<LineString><tessellate>1</tessellate>{places}</LineString>"))
    longitude, latitude = _degrees(stops.geometry.x, stops.geometry.y, crs, shifted)
    for x, y, stop in zip(longitude, latitude, stops.itertuples(), strict=True):
        label = str(stop.name) if isinstance(stop.name, str) and stop.name else str(stop.stop_id)
        note = str(stop.reason) if isinstance(stop.reason, str) else ""
        point = f"<Point><coordinates>{_place(x, y)}</coordinates></Point>"
        text.append(_mark(numbered(int(str(stop.order_n)), label), point, note))
    return "".join([*text, "</Folder>\n"])


def _mark(name: str, shape: str, note: str = "") -> str:
    told = f"<description>{xml(note)}</description>" if note else ""
    return f"<Placemark><name>{xml(name)}</name>{told}{shape}</Placemark>\n"


def _polygon(part: Any, crs: Any, shifted: bool) -> str:
    def ring(tag: str, line: Any) -> str:
        return f"<{tag}><LinearRing><coordinates>{_chain(line, crs, shifted)}</coordinates></LinearRing></{tag}>"

    inner = "".join(ring("innerBoundaryIs", line) for line in part.interiors)
    return f"<Polygon>{ring('outerBoundaryIs', part.exterior)}{inner}</Polygon>"


def _chain(line: Any, crs: Any, shifted: bool) -> str:
    places = shapely.get_coordinates(line)
    return " ".join(_place(x, y) for x, y in zip(*_degrees(places[:, 0], places[:, 1], crs, shifted), strict=True))


def _degrees(easting: Any, northing: Any, crs: Any, shifted: bool) -> tuple[Floats, Floats]:
    longitude, latitude = degrees(np.asarray(easting, float), np.asarray(northing, float), crs)
    return gcj02_from_wgs84(longitude, latitude) if shifted else (longitude, latitude)


def _place(x: float, y: float) -> str:
    return f"{x:.7f},{y:.7f}"
