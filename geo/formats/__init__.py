"""Files in and out: the one door for vectors, tables and tracks, the readers of rasters, and the writers."""

from typing import Any

import geopandas as gpd

from geo.errors import FormatError
from geo.formats import gpx_out, kml_out
from geo.formats.door import read
from geo.formats.raster import read_cover, read_terrain
from geo.formats.reading import Hints, Reading

__all__ = ["Hints", "Reading", "read", "read_cover", "read_terrain", "write_routes"]


def write_routes(form: str, routes: gpd.GeoDataFrame, stops: gpd.GeoDataFrame, crs: Any) -> dict[str, bytes]:
    """Planned routes as files by name; `form` is ``gpx`` or ``kml``."""
    writers = {"gpx": gpx_out.write_routes, "kml": kml_out.write_routes}
    if form not in writers:
        raise FormatError("format_unknown", file=form)
    return writers[form](routes, stops, crs)
