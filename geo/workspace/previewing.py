"""What a file would bring, before anybody takes it: read in full, counted, placed, and nothing changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd

from geo.errors import GeoError
from geo.formats import Hints, read
from geo.layers import SCHEMAS
from geo.workspace.county import County
from geo.workspace.importing import FileReport, file_report, hints_for

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
        Longitude and latitude of at most `PLACES` of its records, WGS 84 degrees.
    """

    layer: str
    report: FileReport
    places: tuple[Place, ...] = ()


def preview(county: County, layer: str, path: Path, hints: Hints) -> Preview:
    """The file read as one layer, the way an import would read it; the county stays as it is."""
    known = frozenset(county.store.read(layer)[SCHEMAS[layer].key])
    try:
        reading = read(layer, path, replace(hints_for(county, layer, hints), known=known))
    except GeoError as error:
        return Preview(layer, FileReport(path.name, "", 0, [], error=error))
    return Preview(layer, file_report(reading), _places(reading.rows))


def recognise(county: County, path: Path, hints: Hints, layers: Sequence[str] = DROPPABLE) -> list[Preview]:
    """
    The file read as every layer it could be, records of patrols first, then the one that takes most of it.

    A file that asks for its datum counts as one that could be read, so that the question reaches the user. Of a file
    that is no layer's, the one that finds most records in it.
    """
    found = [preview(county, layer, path, hints) for layer in layers]
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
    step = max(len(placed) // PLACES, 1)
    points = placed.iloc[::step].representative_point().to_crs(4326)
    return tuple(zip(points.x.round(5), points.y.round(5), strict=True))
