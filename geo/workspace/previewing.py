"""What a file would bring, before anybody takes it: read in full, counted, placed, and nothing changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.crs import to_degrees
from geo.errors import GeoError
from geo.formats import Hints, read
from geo.layers import SCHEMAS
from geo.workspace.county import County
from geo.workspace.importing import FileReport, file_report, told_of

RECORDS = ("visits", "finds")
"""Layers no other list is taken for: a record says by whom, when, and with what outcome."""
DROPPABLE = (
    "tracks", "townships", "villages", "duties", "parcels", "leads", "alerts", "teams", "roads", "offices", *RECORDS,
)  # fmt: skip
"""Layers a dropped file is tried as; of those that take equally much of it, the first."""
RASTERS = (".tif", ".tiff")
PLACES = 300

Place = tuple[float, float]


@dataclass(frozen=True)
class Preview:
    """
    A file as one layer.

    Parameters
    ----------
    layer
        Layer it was read as.
    report
        Counts, refusals, datum and warnings, as an import would give them.
    places
        Longitude and latitude of at most `PLACES` of its points and areas and as many along its lines, WGS 84 degrees.
    """

    layer: str
    report: FileReport
    places: tuple[Place, ...] = ()


Told = Mapping[str, Any]
"""Fields of `Hints` that the county knows, for one layer."""


def known_of(county: County, layer: str) -> Told:
    """What the county tells a reader of a layer (`importing.told_of`), with the ids it holds already."""
    return told_of(county, layer) | {"known": frozenset(county.store.read(layer)[SCHEMAS[layer].key])}


def preview(county: County, layer: str, path: Path, hints: Hints, told: Told | None = None) -> Preview:
    """The file read as one layer, as an import would read it; the county stays as it is. `told` is its `known_of`."""
    try:
        reading = read(layer, path, replace(hints, **(told or known_of(county, layer))))
    except GeoError as error:
        return Preview(layer, FileReport(path.name, "", 0, [], error=error))
    return Preview(layer, file_report(reading), _places(reading.rows))


def recognise(county: County, path: Path, hints: Hints, told: Mapping[str, Told] | None = None) -> list[Preview]:
    """
    The file read as every layer it could be, records of patrols first, then the one that takes most of it.

    A file that asks for its datum counts as one that could be read, so that the question reaches the user. Of a file
    that is no layer's, the one that finds most records in it. A GPX file without waypoints is read as tracks alone:
    it holds no other records. `told` is the `known_of` of each layer of `DROPPABLE`, where it is at hand.
    """
    found = []
    for layer in DROPPABLE:
        seen = preview(county, layer, path, hints, told[layer] if told else None)
        if layer == "tracks" and path.suffix.lower() == ".gpx" and seen.report.other_kinds.get("waypoints") == 0:
            return [seen]
        found.append(seen)
    useful = [one for one in found if one.report.accepted or one.report.needs_datum]
    most = max(found, key=lambda one: one.report.read)
    return sorted(useful or [most], key=likelihood, reverse=True)


def likelihood(seen: Preview) -> tuple[bool, int]:
    """What sorts readings of one file, the likeliest greatest: almost any dated table could be a list of leads."""
    return seen.layer in RECORDS and seen.report.accepted > 0, seen.report.accepted


def _places(rows: object) -> tuple[Place, ...]:
    if not isinstance(rows, gpd.GeoDataFrame) or rows.active_geometry_name is None or rows.crs is None:
        return ()
    placed = rows.geometry[rows.geometry.notna() & ~rows.geometry.is_empty]
    walked = shapely.get_dimensions(placed.to_numpy()) == 1
    along = shapely.get_coordinates(placed[walked].to_numpy())
    inside = shapely.get_coordinates(placed[~walked].representative_point().to_numpy())
    found = np.vstack([some[:: max(-(-len(some) // PLACES), 1)] for some in (along, inside)])
    longitude, latitude = to_degrees(found[:, 0], found[:, 1], rows.crs)
    return tuple(zip(longitude.round(5).tolist(), latitude.round(5).tolist(), strict=True))
