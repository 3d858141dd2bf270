"""Planned routes as KML: a folder per route with its line and its stops in order."""

from typing import Any

import geopandas as gpd
import shapely

from geo.formats.gpx_out import DATUM_NOTE, degrees, file_stem, numbered, places_of, xml


def write_routes(routes: gpd.GeoDataFrame, stops: gpd.GeoDataFrame, crs: Any) -> dict[str, bytes]:
    """One KML file per day; routes and stops lie in `crs`, the file in WGS 84."""
    files: dict[str, bytes] = {}
    for day, of_day in routes.groupby("day", sort=True):
        folders = "".join(_folder(row, stops[stops["route_id"] == row.route_id], crs) for row in of_day.itertuples())
        head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        text = (
            f"{head}<name>{xml(str(day))}</name><description>{DATUM_NOTE}</description>\n{folders}</Document>\n</kml>\n"
        )
        files[f"{file_stem(f'routes-{day}')}.kml"] = text.encode()
    return files


def write_places(places: gpd.GeoDataFrame, crs: Any) -> bytes:
    """One KML with a placemark per row: a Point in `crs`, its ``name`` and its ``note``."""
    longitude, latitude = degrees(places.geometry.x, places.geometry.y, crs)
    marks = "".join(
        f"<Placemark><name>{xml(str(name))}</name><description>{xml(str(note))}</description>"
        f"<Point><coordinates>{_place(x, y)}</coordinates></Point></Placemark>\n"
        for x, y, name, note in zip(longitude, latitude, places["name"], places["note"], strict=True)
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
    return f"{head}<description>{DATUM_NOTE}</description>\n{marks}</Document>\n</kml>\n".encode()


def _folder(route: Any, stops: gpd.GeoDataFrame, crs: Any) -> str:
    text = [f"<Folder><name>{xml(str(route.route_id))}</name>\n"]
    for part in shapely.get_parts(route.geometry):
        places = " ".join(_place(x, y) for x, y in zip(*places_of(part, crs), strict=True))
        line = f"<LineString><tessellate>1</tessellate><coordinates>{places}</coordinates></LineString>"
        text.append(f"<Placemark><name>{xml(str(route.route_id))}</name>{line}</Placemark>\n")
    longitude, latitude = degrees(stops.geometry.x, stops.geometry.y, crs)
    for x, y, stop in zip(longitude, latitude, stops.itertuples(), strict=True):
        label = str(stop.name) if isinstance(stop.name, str) and stop.name else str(stop.stop_id)
        note = f"<description>{xml(str(stop.reason))}</description>" if isinstance(stop.reason, str) else ""
        point = f"<Point><coordinates>{_place(x, y)}</coordinates></Point>"
        text.append(
            f"<Placemark><name>{xml(numbered(int(str(stop.order_n)), label))}</name>{note}{point}</Placemark>\n"
        )
    return "".join([*text, "</Folder>\n"])


def _place(x: float, y: float) -> str:
    return f"{x:.7f},{y:.7f}"
