"""Layers out as files: vector formats by suffix, tables as CSV, always to a temporary name first."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.errors import FormatError

DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}


def write_layer(
    rows: gpd.GeoDataFrame,
    path: Path,
    *,
    encoding: str | None = None,
    written_at: datetime | None = None,
    layer: str | None = None,
) -> None:
    """
    A layer as GeoJSON (WGS 84), GeoPackage or Shapefile, by the suffix of `path`; times become ISO text.

    `written_at` is the moment a GeoPackage notes as its last change; without it the library takes the clock's. With
    `layer` a GeoPackage that is there gains one.

    Raises
    ------
    FormatError
        For any other suffix.
    """
    driver = DRIVERS.get(path.suffix)
    if driver is None:
        raise FormatError("suffix_unknown", file=path.name, known=" ".join(DRIVERS))
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = rows.copy()
    for name in plain.columns:
        if isinstance(plain[name].dtype, pd.DatetimeTZDtype):
            plain[name] = _iso_texts(plain[name])
    if driver == "GeoJSON":
        plain = plain.to_crs(4326)
    options: dict[str, Any] = {"encoding": encoding} if encoding else {}
    if layer is not None:
        options |= {"layer": layer, "append": path.exists()}
    if driver == "ESRI Shapefile":
        plain = plain.rename(columns={name: name[:10] for name in plain.columns})
    stamp = f"{written_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}" if written_at else None
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        plain.to_file(path, driver=driver, engine="pyogrio", **options)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def write_table(rows: pd.DataFrame, path: Path) -> None:
    """A layer as CSV with a byte-order mark; points as ``longitude, latitude`` (WGS 84), other geometry left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = pd.DataFrame(rows.drop(columns="geometry", errors="ignore"))
    if isinstance(rows, gpd.GeoDataFrame) and rows.active_geometry_name and rows.crs is not None:
        places = rows.geometry.to_crs(4326)
        points = places.where(places.geom_type == "Point")
        plain["longitude"], plain["latitude"] = points.x.round(7), points.y.round(7)
    for name in plain.columns:
        if isinstance(plain[name].dtype, pd.DatetimeTZDtype):
            plain[name] = _iso_texts(plain[name])
    part = path.with_name(path.name + ".part")
    plain.to_csv(part, index=False, encoding="utf-8-sig")
    os.replace(part, path)


def _iso_texts(moments: pd.Series) -> pd.Series:
    """Moments as ISO text, what is missing as None; also where all are missing."""
    texts = [None if pd.isna(moment) else moment.isoformat() for moment in moments]
    return pd.Series(texts, index=moments.index, dtype=object)
