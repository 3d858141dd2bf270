"""奥维 .ovjsn: latitude comes first, and each object says whether it is shifted (GCJ-02)."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import wgs84_from_gcj02
from geo.formats.reading import Records
from geo.schema import Refusal

DEPTH_CAP = 64


def is_ovital(document: Any) -> bool:
    """Whether a JSON document is an export of 奥维."""
    return isinstance(document, dict) and isinstance(document.get("ObjItems"), list)


def read_records(document: dict[str, Any]) -> Records:
    """Points, lines and areas of the export in WGS 84, each by its own flag."""
    rows: list[dict[str, Any]] = []
    shapes: list[Any] = []
    kept: list[int] = []
    refused: list[Refusal] = []
    for number, item in enumerate(_objects(document["ObjItems"], 0), 1):
        detail = item.get("ObjectDetail")
        try:
            shapes.append(_shape(detail))
        except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError):
            refused.append(Refusal(number, "geometry", "geometry_broken"))
            continue
        rows.append({"name": item.get("Name") or None, "desc": item.get("Comment") or None})
        kept.append(number)
    table = gpd.GeoDataFrame(
        pd.DataFrame(rows, index=kept, dtype=object),
        geometry=gpd.GeoSeries(np.array([*shapes, None], dtype=object)[:-1], index=kept),
    )
    version = document.get("Version")
    return Records(
        table, "EPSG:4326", refused=tuple(refused), encoding="UTF-8", app=f"奥维互动地图 {version or ''}".strip()
    )


def _objects(items: list[Any], depth: int) -> Iterator[dict[str, Any]]:
    """Objects of the tree that are places; folders are entered, not counted."""
    for item in items:
        held = item.get("Object") if isinstance(item, dict) else None
        if not isinstance(held, dict):
            continue
        inside = (
            (held.get("ObjectDetail") or {}).get("ObjChildren") if isinstance(held.get("ObjectDetail"), dict) else None
        )
        if isinstance(inside, list) and depth < DEPTH_CAP:
            yield from _objects(inside, depth + 1)
        else:
            yield held


def _shape(detail: Any) -> Any:
    flat = detail.get("Latlng")
    if flat is None:
        latitude, longitude = np.array([float(detail["Lat"])]), np.array([float(detail["Lng"])])
    else:
        pairs = np.array(flat, dtype=float).reshape(-1, 2)
        latitude, longitude = pairs[:, 0], pairs[:, 1]
    if int(detail.get("Gcj02", 0)) == 1:
        longitude, latitude = wgs84_from_gcj02(longitude, latitude)
    places = np.column_stack([longitude, latitude])
    return shapely.points(places[0]) if len(places) == 1 else shapely.linestrings(places)
