"""The one function through which every vector, table and track file passes."""

import contextlib
import dataclasses
import hashlib
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.errors import FormatError, GeoError
from geo.formats import gpx, kml, ovital, patrol, tables, vector
from geo.formats.boundaries import polygonized
from geo.formats.line_fixes import tracks_of_records
from geo.formats.reading import Content, Hints, Reading, Records
from geo.formats.shaping import placed, shape
from geo.formats.sniffing import Kind, kind_of, members, read_bytes
from geo.layers import SCHEMAS

SHAPEFILE_PARTS = frozenset({".shx", ".dbf", ".prj", ".cpg", ".sbn", ".sbx"})

NOTHING_SAID = Hints()
"""No datum, no time zone, nothing else told beside the file."""


def read(layer: str, path: Path, hints: Hints = NOTHING_SAID) -> Reading:
    """
    One file as records of one layer.

    Raises
    ------
    GeoError
        `FormatError` or `DatumError`, and never anything else: whatever a reader stumbles on is named ``unreadable``.
    """
    path = Path(path)
    with _named(path):
        if layer not in SCHEMAS:
            raise FormatError("layer_unknown", layer=layer)
        data = read_bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        content = _content(layer, path, data, hints, digest)
    return Reading.of(content, file=path.name, sha256=digest, layer=layer)


def read_outline(path: Path, hints: Hints = NOTHING_SAID) -> shapely.Polygon:
    """
    The one area in a file (its areas joined), longitude and latitude, WGS 84 degrees; its holes are left out.

    Raises
    ------
    GeoError
        `FormatError` or `DatumError`; also where it holds no area, or several that do not touch.
    """
    with _named(path):
        data = read_bytes(path)
        kind = kind_of(data, path.name)
        if kind is Kind.ZIP and _holds(data, path.name, ".kml"):
            kind, data = Kind.KML, kml.document_of(data, path.name)
        table, _ = placed(_records("townships", path, data, kind, hints), hints, {}, path.name)
        shapes = table.geometry.to_numpy() if isinstance(table, gpd.GeoDataFrame) else np.array([], object)
        return one_area(shapes, path.name)


def one_area(shapes: npt.ArrayLike, name: str) -> shapely.Polygon:
    """The areas among shapes joined into one, without holes; `FormatError` where that is none or several."""
    held = np.asarray(shapes, object)
    areas = shapely.make_valid(held[shapely.get_dimensions(held) == 2])
    parts = shapely.get_parts(shapely.union_all(areas)) if len(areas) else []
    if len(parts) != 1 or not isinstance(parts[0], shapely.Polygon):
        raise FormatError("outline_not_one", file=name, n=len(parts))
    return shapely.Polygon(parts[0].exterior)


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Whatever a reader stumbles on is a `GeoError` with the file's name."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GeoError:
        raise
    except zipfile.BadZipFile as error:
        raise FormatError("zip_broken", file=path.name) from error
    except Exception as error:
        raise FormatError("unreadable", file=path.name, why=type(error).__name__) from error


def _content(layer: str, path: Path, data: bytes, hints: Hints, digest: str) -> Content:
    if path.suffix.lower() in SHAPEFILE_PARTS and path.with_suffix(".shp").is_file():
        raise FormatError("shapefile_part", file=path.name)
    kind = kind_of(data, path.name)
    if kind is Kind.ZIP and _holds(data, path.name, ".kml"):
        kind, data = Kind.KML, kml.document_of(data, path.name)
    if layer == "tracks":
        return _tracks(path, data, kind, hints)
    records = _records(layer, path, data, kind, hints)
    if layer == "townships" and hints.name_table is not None:
        records = _enclosed(records, hints)
    return shape(layer, records, hints, file=path.name, key=digest[:8])


def _enclosed(records: Records, hints: Hints) -> Records:
    """Boundary lines as areas, named by the points of the name table (see `boundaries.placed_like`)."""
    path = Path(str(hints.name_table))
    data = read_bytes(path)
    names = _records("townships", path, data, kind_of(data, path.name), hints).table
    lines = records.table
    if not isinstance(lines, gpd.GeoDataFrame) or not isinstance(names, gpd.GeoDataFrame):
        raise FormatError("table_no_columns", file=path.name, columns="经度、纬度")
    if not lines.geom_type.isin(["LineString", "MultiLineString"]).any():
        return records
    refused = list(records.refused)
    held = lines[lines.geom_type.isin(["LineString", "MultiLineString"])]
    areas = polygonized(held, names[names.geometry.notna()], records.crs, refused)
    return dataclasses.replace(records, table=areas, refused=tuple(refused))


def _tracks(path: Path, data: bytes, kind: Kind, hints: Hints) -> Content:
    if kind is Kind.GPX:
        return gpx.read_tracks(data, path.name, hints)
    if kind is Kind.KML:
        return kml.read_tracks(data, path.name, hints)
    if kind is Kind.PARQUET:
        return patrol.read_tracks(data, path.name, hints)
    return tracks_of_records(_records("tracks", path, data, kind, hints), hints, source=path.name)


def _records(layer: str, path: Path, data: bytes, kind: Kind, hints: Hints) -> Records:
    name = path.name
    if kind is Kind.SHAPEFILE:
        if path.suffix.lower() in SHAPEFILE_PARTS:
            raise FormatError("shapefile_part", file=name)
        return vector.read_shapefile(path, name, hints.encoding)
    readers = {
        Kind.GPX: lambda: gpx.read_records(data, name),
        Kind.KML: lambda: kml.read_records(data, name),
        Kind.JSON: lambda: _json(data, name),
        Kind.GEOPACKAGE: lambda: vector.read_geopackage(data, name, layer),
        Kind.TABLE: lambda: tables.read_csv(data, name, hints.encoding, layer),
        Kind.ZIP: lambda: _zipped(layer, data, name, hints),
    }
    if kind not in readers:
        raise FormatError("format_not_for_layer", file=name, kind=kind, layer=layer)
    return readers[kind]()


def _json(data: bytes, name: str) -> Records:
    document = vector.load_json(data, name)
    return ovital.read_records(document) if ovital.is_ovital(document) else vector.read_geojson(document, name)


def _zipped(layer: str, data: bytes, name: str, hints: Hints) -> Records:
    if _holds(data, name, "[content_types].xml"):
        return tables.read_xlsx(data, name, layer)
    return vector.read_zipped_shapefile(data, name, hints.encoding)


def _holds(data: bytes, name: str, ending: str) -> bool:
    return any(member.lower().endswith(ending) for member in members(data, name))
