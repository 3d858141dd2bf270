"""GeoJSON, shapefiles and GeoPackages as raw records, salvaged one by one."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fiona
import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from fiona.errors import FionaError

from geo.errors import FormatError
from geo.formats.attributes import dbf_encoding
from geo.formats.reading import Records
from geo.formats.sniffing import members, unpack
from geo.schema import Refusal

SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
LAYERS_CAP = 64


def read_geojson(document: Any, name: str) -> Records:
    """Features of a GeoJSON document: a collection, one feature, or a bare geometry."""
    features = _features(document)
    if features is None:
        raise FormatError("format_unknown", file=name)
    properties: list[dict[str, Any]] = []
    shapes: list[Any] = []
    refused: list[Refusal] = []
    kept: list[int] = []
    for row, feature in enumerate(features, 1):
        try:
            geometry, held = _feature(feature)
        except (TypeError, ValueError, AttributeError, RecursionError, shapely.errors.ShapelyError):
            refused.append(Refusal(row, "geometry", "geometry_broken"))
            continue
        shapes.append(geometry)
        properties.append(held)
        kept.append(row)
    table = gpd.GeoDataFrame(pd.DataFrame(properties, index=kept), geometry=_series(shapes, kept))
    return Records(table, _declared(document), refused=tuple(refused), encoding="UTF-8")


def load_json(data: bytes, name: str) -> Any:
    """A JSON document of UTF-8, with or without BOM, else GB18030."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return json.loads(data.decode(encoding))
        except UnicodeDecodeError:
            continue
        except (ValueError, RecursionError) as error:
            raise FormatError("unreadable", file=name, why=f"JSON: {error}"[:120]) from error
    raise FormatError("unreadable", file=name, why="JSON")


def _features(document: Any) -> list[Any] | None:
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("features"), list):
        return list(document["features"])
    if document.get("type") == "Feature":
        return [document]
    if "coordinates" in document or "geometries" in document:
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    return None


def _feature(feature: Any) -> tuple[Any, dict[str, Any]]:
    properties = feature.get("properties") or {}
    geometry = feature.get("geometry")
    shape = None
    if geometry is not None:
        shape = shapely.from_geojson(json.dumps(geometry), on_invalid="raise")
    held = {key: value for key, value in properties.items() if key != "geometry" and not isinstance(value, dict | list)}
    if "id" in feature and "id" not in held:
        held["id"] = feature["id"]
    return shape, held


def _declared(document: Mapping[str, Any]) -> str:
    """The CRS an old-style GeoJSON names, else WGS 84."""
    crs = document.get("crs")
    named = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
    if isinstance(named, str) and "CRS84" not in named:
        return named
    return "EPSG:4326"


def read_shapefile(path: Path, name: str, encoding: str | None) -> Records:
    """A shapefile and whichever of its companion files lie beside it."""
    parts = {}
    for beside in sorted(path.parent.iterdir()):
        if beside.stem == path.stem and beside.suffix.lower() in SHAPEFILE_PARTS:
            parts[beside.suffix.lower()] = beside.read_bytes()
    parts[".shp"] = path.read_bytes()
    return _from_parts(parts, name, encoding)


def read_zipped_shapefile(data: bytes, name: str, encoding: str | None) -> Records:
    """The first shapefile of a zip; other layers of the archive are named in a warning."""
    held = members(data, name)
    stems = sorted(member[:-4] for member in held if member.lower().endswith(".shp") and not _resource_fork(member))
    if not stems:
        raise FormatError("zip_no_layer", file=name)
    parts = {}
    for member, info in held.items():
        stem, suffix = member[:-4], member[-4:].lower()
        if stem == stems[0] and suffix in SHAPEFILE_PARTS:
            parts[suffix] = unpack(data, info, name)
    records = _from_parts(parts, name, encoding)
    if len(stems) > 1:
        return Records(**{**records.__dict__, "warnings": (*records.warnings, "layers_skipped")})
    return records


def _resource_fork(member: str) -> bool:
    """Whether a zip's member is one of the shadows some systems pack beside every file."""
    return member.startswith("__MACOSX/") or member.rpartition("/")[2].startswith("._")


def _from_parts(parts: Mapping[str, bytes], name: str, encoding: str | None) -> Records:
    """Copied to a folder of its own under a plain name: missing indexes are rebuilt there, never beside the source."""
    if parts[".shp"][:4] != b"\x00\x00\x27\x0a":
        raise FormatError("unreadable", file=name, why="SHP")
    chosen = dbf_encoding(parts.get(".dbf", b""), parts.get(".cpg", b""), encoding, name)
    with tempfile.TemporaryDirectory(prefix="tacha-") as folder:
        for suffix, data in parts.items():
            if suffix != ".cpg":
                (Path(folder) / f"layer{suffix}").write_bytes(data)
        path = Path(folder) / "layer.shp"
        with fiona.Env(SHAPE_RESTORE_SHX="NO" if ".shx" in parts else "YES", GDAL_DISABLE_READDIR_ON_OPEN="NO"):
            table, refused, crs = _salvage(path, "ESRI Shapefile", None, name, encoding=chosen)
    return Records(table, crs if ".prj" in parts else None, refused=refused, encoding=chosen)


def read_geopackage(data: bytes, name: str, layer: str) -> Records:
    """A GeoPackage's layer of the wanted name, else its first; read from a copy, nothing is written beside it."""
    with tempfile.TemporaryDirectory(prefix="tacha-") as folder:
        path = Path(folder) / "layer.gpkg"
        path.write_bytes(data)
        with _Foreign(name):
            layers = fiona.listlayers(path)[:LAYERS_CAP]
        if not layers:
            raise FormatError("zip_no_layer", file=name)
        chosen = layer if layer in layers else layers[0]
        table, refused, crs = _salvage(path, "GPKG", chosen, name)
    warnings = ("layers_skipped",) if len(layers) > 1 and chosen != layer else ()
    return Records(table, crs, refused=refused, encoding="UTF-8", warnings=warnings)


def _salvage(
    path: Path, driver: str, layer: str | None, name: str, **options: Any
) -> tuple[gpd.GeoDataFrame, tuple[Refusal, ...], Any]:
    """Every feature fiona can read, the others refused by number."""
    properties: list[dict[str, Any]] = []
    shapes: list[Any] = []
    kept: list[int] = []
    refused: list[Refusal] = []
    with (
        _Foreign(name),
        fiona.open(path, layer=layer, allow_unsupported_drivers=False, enabled_drivers=[driver], **options) as source,
    ):
        crs = source.crs_wkt or None
        features = iter(source)
        for row in range(1, len(source) + 1):
            try:
                feature = next(features)
                shape = None if feature.geometry is None else shapely.geometry.shape(feature.geometry)
            except StopIteration:
                refused.append(Refusal(row, "record", "record_bad", {"why": "EOF"}))
                continue
            except Exception:  # whatever one feature raises, the next may be sound
                refused.append(Refusal(row, "geometry", "geometry_broken"))
                continue
            shapes.append(shape)
            properties.append({key: value for key, value in feature.properties.items() if key != "geometry"})
            kept.append(row)
    return gpd.GeoDataFrame(pd.DataFrame(properties, index=kept), geometry=_series(shapes, kept)), tuple(refused), crs


class _Foreign:
    """Failures of the library under our own name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if isinstance(error, (FionaError, OSError, ValueError, AttributeError)):
            raise FormatError("unreadable", file=self.name, why=type(error).__name__) from error


def _series(shapes: list[Any], index: list[int]) -> gpd.GeoSeries:
    return gpd.GeoSeries(np.array([*shapes, None], dtype=object)[:-1], index=index)
