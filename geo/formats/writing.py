"""Layers out as files: vector formats by suffix, tables as CSV, always to a temporary name first."""

import os
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geo.errors import FormatError

DRIVERS = {".geojson": "GeoJSON", ".gpkg": "GPKG", ".shp": "ESRI Shapefile"}


def write_layer(
    rows: gpd.GeoDataFrame, path: Path, *, encoding: str | None = None, written_at: datetime | None = None
) -> None:
    """
    A layer as GeoJSON (WGS 84), GeoPackage or Shapefile, by the suffix of `path`; times become ISO text.

    `written_at` is the moment a GeoPackage notes as its last change; without it the library takes the clock's.

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
            plain[name] = plain[name].map(lambda moment: moment.isoformat(), na_action="ignore").astype(object)
    if driver == "GeoJSON":
        plain = plain.to_crs(4326)
    options = {"encoding": encoding} if encoding else {}
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
            plain[name] = plain[name].map(lambda moment: moment.isoformat(), na_action="ignore").astype(object)
    part = path.with_name(path.name + ".part")
    plain.to_csv(part, index=False, encoding="utf-8-sig")
    os.replace(part, path)
