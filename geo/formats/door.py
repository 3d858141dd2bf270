"""The one function through which every vector, table and track file passes."""

import hashlib
import warnings
from pathlib import Path

from geo.errors import FormatError, GeoError
from geo.formats import gpx, tables, vector
from geo.formats.reading import Content, Hints, Reading, Records
from geo.formats.shaping import shape
from geo.formats.sniffing import Kind, kind_of, members, read_bytes
from geo.layers import SCHEMAS


def read(layer: str, path: Path, hints: Hints = Hints()) -> Reading:  # noqa: B008 - a frozen value
    """
    One file as records of one layer.

    Raises
    ------
    GeoError
        `FormatError` or `DatumError`, and never anything else: whatever a reader stumbles on is named ``unreadable``.
    """
    path = Path(path)
    try:
        if layer not in SCHEMAS:
            raise FormatError("layer_unknown", layer=layer)
        data = read_bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = _content(layer, path, data, hints, digest)
    except GeoError:
        raise
    except Exception as error:
        raise FormatError("unreadable", file=path.name, why=type(error).__name__) from error
    return Reading.of(content, file=path.name, sha256=digest, layer=layer)


def _content(layer: str, path: Path, data: bytes, hints: Hints, digest: str) -> Content:
    kind = kind_of(data, path.name)
    if layer == "tracks" and kind is Kind.GPX:
        return gpx.read_tracks(data, path.name, hints)
    records = _records(layer, path, data, kind, hints)
    return shape(layer, records, hints, file=path.name, key=digest[:8])


def _records(layer: str, path: Path, data: bytes, kind: Kind, hints: Hints) -> Records:
    name = path.name
    if kind is Kind.GPX:
        return gpx.read_records(data, name)
    if kind is Kind.JSON:
        return vector.read_geojson(data, name)
    if kind is Kind.SHAPEFILE:
        if path.suffix.lower() == ".shx":
            raise FormatError("shapefile_part", file=name)
        return vector.read_shapefile(path, name, hints.encoding)
    if kind is Kind.GEOPACKAGE:
        return vector.read_geopackage(data, name, layer)
    if kind is Kind.TABLE:
        return tables.read_csv(data, name, hints.encoding, layer)
    if kind is Kind.ZIP:
        return _zipped(layer, data, name, hints)
    raise FormatError("format_not_for_layer", file=name, kind=kind, layer=layer)


def _zipped(layer: str, data: bytes, name: str, hints: Hints) -> Records:
    held = [member.lower() for member in members(data, name)]
    if "[content_types].xml" in held:
        return tables.read_xlsx(data, name, layer)
    return vector.read_zipped_shapefile(data, name, hints.encoding)
