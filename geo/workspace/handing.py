"""A day's routes handed out: a folder per team and day with files for phones and handhelds and a sheet, and a zip."""

from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import shapely

from geo.crs import to_degrees
from geo.errors import StoreError
from geo.formats import write_routes
from geo.formats.bundle import zipped
from geo.report.route_sheet import Outing, route_sheet, view_of
from geo.store import grids
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.fonts import chinese_font
from geo.workspace.papers import paper_of
from geo.workspace.planning import kept_routes

Progress = Callable[[str, int, int], None]


def hand_out(
    county: County,
    *,
    day: str | None = None,
    sheets: bool = True,
    font: Path | None = None,
    language: Language = "zh",
    progress: Progress | None = None,
) -> dict[str, bytes]:
    """
    Path to content of everything the teams of a day (or of all days) get.

    In each ``DAY/ROUTE/``: ``-track.gpx`` (trk and wpt, for phone apps), ``-route.gpx`` (rte of at most 125 points,
    for handhelds), ``.kml``, ``.kmz``, ``.geojson`` (all WGS 84), ``-GCJ02.kml`` for apps that show KML on shifted
    tiles without shifting it, and the A4 sheet as PDF; beside the folders ``DAY.zip`` with all of them. The same routes
    give the same bytes.

    Raises
    ------
    StoreError
        Where no route stands.
    """
    routes, stops = kept_routes(county, day=day)
    if routes.empty:
        raise StoreError("routes_missing")
    files: dict[str, bytes] = {}
    for number, (position, row) in enumerate(routes.iterrows()):
        if progress:
            progress(str(row["route_id"]), number, len(routes))
        one, mine = routes.loc[[position]], stops[stops["route_id"] == row["route_id"]].sort_values("order_n")
        folder = f"{row['day']}/{row['route_id']}"
        files |= {f"{folder}/{name}": content for name, content in route_files(county, one, mine)}
        if sheets:
            files[f"{folder}/{row['route_id']}.pdf"] = route_pdf(county, one, mine, font=font, language=language)
    days = sorted({name.split("/")[0] for name in files})
    return files | {f"{one}.zip": zipped({n: c for n, c in files.items() if n.startswith(f"{one}/")}) for one in days}


def route_files(county: County, route: gpd.GeoDataFrame, stops: gpd.GeoDataFrame) -> Iterator[tuple[str, bytes]]:
    """A route as files for phones and handhelds, by name."""
    yield from write_routes("gpx", route, stops, county.crs).items()
    name = str(route["route_id"].iloc[0])
    for form, end in (("kml", ".kml"), ("kmz", ".kmz"), ("kml-gcj02", "-GCJ02.kml")):
        (content,) = write_routes(form, route, stops, county.crs).values()
        yield f"{name}{end}", content
    shown = gpd.GeoDataFrame(
        {"name": [name, *stops["name"]]}, geometry=[route.geometry.iloc[0], *stops.geometry], crs=county.crs
    )
    yield f"{name}.geojson", shown.to_crs(4326).to_json(ensure_ascii=False).encode()


def route_pdf(
    county: County,
    route: gpd.GeoDataFrame,
    stops: gpd.GeoDataFrame,
    *,
    font: Path | None = None,
    language: Language = "zh",
) -> bytes:
    """A route (one row) with its stops as the A4 sheet."""
    row = route.iloc[0]
    west, south, east, north = view_of(row["geometry"])
    frame = grids.grid_frame(county.path, "elevation")
    (top, bottom), (left, right) = frame.cells([west, east], [north, south])
    first_row, first_col = max(int(top), 0), max(int(left), 0)
    window = frame.window(
        first_row, first_col, min(int(bottom) + 1, frame.rows) - first_row, min(int(right) + 1, frame.cols) - first_col
    )
    longitude, latitude = to_degrees(stops.geometry.x.to_numpy(), stops.geometry.y.to_numpy(), county.crs)
    roads = gpd.GeoDataFrame(county.store.read("roads"))
    near = roads[roads.intersects(shapely.box(west, south, east, north))] if len(roads) else roads
    outing = Outing(
        route=row,
        stops=stops.assign(longitude=longitude, latitude=latitude),
        elevation=grids.read_grid(county.path, "elevation", window),
        roads=gpd.GeoDataFrame(near),
        start_clock=county.settings.planning.start_clock,
    )
    head = county.store.head()
    paper = paper_of(county, "route_sheet_title", county.as_of(), head.hash if head else None, language=language)
    return route_sheet(outing, paper=paper, font=chinese_font(font), language=language)
