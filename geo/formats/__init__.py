"""Files in and out: the one door for vectors, tables and tracks, the readers of rasters, and the writers."""

from typing import Any

import geopandas as gpd

from geo.errors import FormatError
from geo.formats import gpx_out, kml_out
from geo.formats.door import one_area, read, read_outline
from geo.formats.raster import read_cover, read_terrain
from geo.formats.reading import Hints, Reading

__all__ = ["Hints", "Reading", "one_area", "read", "read_cover", "read_outline", "read_terrain", "write_routes"]
ROUTE_FORMS = ("gpx", "kml", "kmz", "kml-gcj02")


def write_routes(form: str, routes: gpd.GeoDataFrame, stops: gpd.GeoDataFrame, crs: Any) -> dict[str, bytes]:
    """Planned routes as files by name; `form` is one of `ROUTE_FORMS`, all WGS 84 but ``kml-gcj02``."""
    if form not in ROUTE_FORMS:
        raise FormatError("format_unknown", file=form)
    if form == "gpx":
        return gpx_out.write_routes(routes, stops, crs)
    files = kml_out.write_routes(routes, stops, crs, shifted=form == "kml-gcj02")
    if form == "kmz":
        return {f"{name.removesuffix('.kml')}.kmz": kml_out.zipped(content) for name, content in files.items()}
    return files
