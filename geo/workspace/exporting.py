"""Records out for QGIS and for the upstream platform: what whoever exports may see, in the columns that are wanted."""

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import bd09_from_gcj02, gcj02_from_wgs84, to_degrees
from geo.errors import FormatError, LayerError
from geo.formats.table_out import csv_table, xlsx_table
from geo.formats.writing import write_layer
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.season import CHINA
from geo.store import photos as stored_photos
from geo.words import Language, say
from geo.workspace.county import County
from geo.workspace.papers import paper_of
from geo.workspace.photographing import place_of
from geo.workspace.rights import Action, require

FORMS = ("gpkg", "geojson", "xlsx", "csv")
DATUMS = ("cgcs2000", "gcj02", "bd09")
ADDED = ("longitude", "latitude", "easting_m", "northing_m", "township", "village")


@dataclass(frozen=True)
class Exported:
    """Files by name, and how many rows of each layer they hold."""

    files: dict[str, bytes]
    rows_n: dict[str, int]


def export_layers(
    county: County,
    layers: Sequence[str],
    form: str,
    *,
    now: datetime,
    columns: Sequence[str] = (),
    datum: str = DATUMS[0],
    language: Language = "zh",
) -> Exported:
    """
    Layers as files: one GeoPackage, or a GeoJSON, XLSX or CSV file per layer; the ledger notes what went out.

    Rows and places are those the county's store shows to whoever opened it: own ground, and coarse where the role is
    told coarse places.

    Parameters
    ----------
    columns
        For tables, the columns of an upper-level form: each ``head=field``, or a head alone for an empty column. Fields
        are the layer's columns and `ADDED`. Empty: those of ``[campaign] columns`` in county.toml, else all.
    datum
        Of longitude and latitude in tables: ``cgcs2000`` (as WGS 84), ``gcj02`` or ``bd09``.

    Raises
    ------
    LayerError
        A layer or a field that there is not.
    Denied
        The role may not export.
    """
    require(county.actor, Action.EXPORT)
    if form not in FORMS:
        raise FormatError("export_form", value=form, known="/".join(FORMS))
    if datum not in DATUMS:
        raise LayerError("value_unknown", value=datum, known="/".join(DATUMS))
    for layer in layers:
        if layer not in SCHEMAS:
            raise LayerError("layer_unknown", layer=layer)
    held = {layer: county.store.read(layer) for layer in layers}
    head = county.store.head()
    if form in ("xlsx", "csv"):
        note = say("export_datum", language, datum=datum)
        lines = paper_of(county, "export_title", now, head.hash if head else None, note, language=language)
        files = {
            f"{layer}.{form}": _table(county, layer, rows, form, columns, datum, lines.foot(language))
            for layer, rows in held.items()
        }
    else:
        files = _vectors(held, form, now)
    counts = {name: len(rows) for name, rows in held.items()}
    body = {
        "form": form, "datum": datum, "columns": list(columns), "rows_n": counts,
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }  # fmt: skip
    county.store.append(Entry("export", body), now=now)
    return Exported(files, counts)


def export_photos(county: County, *, now: datetime, language: Language = "zh") -> Exported:
    """The originals of all photos on record as files named by what they are of and when, with a list of them."""
    require(county.actor, Action.EXPORT)
    rows = county.store.read("photos").to_dict("records")
    files: dict[str, bytes] = {}
    listed = []
    for row in rows:
        path = stored_photos.original(county.path, str(row["sha256"]))
        longitude, latitude = place_of(county, row)
        name = _photo_name(row, path.suffix) if path else None
        if path and name:
            files[name] = path.read_bytes()
        taken = None if pd.isna(row["taken_at"]) else f"{row['taken_at'].astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
        listed.append([name, *(row[key] for key in PHOTO_KEYS), taken, longitude, latitude])
    heads = [say(f"head_{key}", language) for key in ("photos", *PHOTO_KEYS, "taken_at", "longitude", "latitude")]
    files["照片清单.csv"] = csv_table(heads, listed)
    body = {"form": "photos", "rows_n": {"photos": len(rows)}, "files": {name: hashlib.sha256(data).hexdigest()
                                                                          for name, data in files.items()}}  # fmt: skip
    county.store.append(Entry("export", body), now=now)
    return Exported(files, {"photos": len(rows)})


PHOTO_KEYS = ("parcel_id", "visit_id", "find_id", "village_id", "team_id", "shows", "time_by", "placed_by", "sha256")


def _photo_name(row: dict[Any, Any], suffix: str) -> str:
    """What it is of, what it shows, when, and the first digits of its content."""
    about = next((row[key] for key in PHOTO_KEYS[:4] if isinstance(row[key], str)), "未归属")
    when = "无时间" if pd.isna(row["taken_at"]) else f"{row['taken_at'].astimezone(CHINA):%Y%m%d-%H%M%S}"
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in str(about))
    return f"{safe}/{row['shows']}_{when}_{str(row['sha256'])[:8]}{suffix}"


def _vectors(held: dict[str, pd.DataFrame], form: str, now: datetime) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        if form == "gpkg":
            path = Path(folder) / "county.gpkg"
            for layer, rows in held.items():
                write_layer(_as_frame(rows), path, written_at=now, layer=layer)
            return {"踏查数据.gpkg": path.read_bytes()}
        files = {}
        for layer, rows in held.items():
            path = Path(folder) / f"{layer}.geojson"
            write_layer(_as_frame(rows), path)
            files[path.name] = path.read_bytes()
        return files


def _as_frame(rows: pd.DataFrame) -> gpd.GeoDataFrame:
    """Rows as features, also those of a layer without places; of tracks the line, which OGR takes without times."""
    if isinstance(rows, gpd.GeoDataFrame):
        timed = bool(shapely.has_m(rows.geometry.to_numpy()).any())
        return gpd.GeoDataFrame(rows.set_geometry(rows.geometry.force_2d())) if timed else rows
    return gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries([None] * len(rows), index=rows.index), crs=4326)


def _table(
    county: County, layer: str, rows: pd.DataFrame, form: str, columns: Sequence[str], datum: str, notes: Sequence[str]
) -> bytes:
    wanted = list(columns) or list(county.settings.campaign.columns.get(layer, ()))
    fields = {str(name): rows[name] for name in rows.columns if name != "geometry"} | _added(county, rows, datum)
    pairs = [_pair(text) for text in wanted] or [(name, name) for name in fields]
    for _, name in pairs:
        if name and name not in fields:
            raise LayerError("export_field", layer=layer, value=name, known=" ".join(fields))
    shown = [[_plain(value) for value in fields[name]] if name else [None] * len(rows) for _, name in pairs]
    lines = [list(row) for row in zip(*shown, strict=True)]
    heads = [head for head, _ in pairs]
    return csv_table(heads, lines) if form == "csv" else xlsx_table(heads, lines, name=layer, notes=notes)


def _pair(text: str) -> tuple[str, str]:
    head, _, name = text.partition("=")
    return head.strip(), name.strip()


def _added(county: County, rows: pd.DataFrame, datum: str) -> dict[str, pd.Series]:
    """Places as numbers and names of units, by `ADDED`."""
    names = {
        "township": ("townships", "township_id"),
        "village": ("villages", "village_id"),
    }
    found: dict[str, pd.Series] = {}
    if isinstance(rows, gpd.GeoDataFrame):
        points = rows.geometry.representative_point()
        east, north = points.x.to_numpy(float), points.y.to_numpy(float)
        longitude, latitude = to_degrees(east, north, county.crs)
        if datum != DATUMS[0]:
            longitude, latitude = gcj02_from_wgs84(longitude, latitude)
        if datum == "bd09":
            longitude, latitude = bd09_from_gcj02(longitude, latitude)
        values = {
            "longitude": (longitude, 7),
            "latitude": (latitude, 7),
            "easting_m": (east, 2),
            "northing_m": (north, 2),
        }
        for name, (numbers, digits) in values.items():
            finite = np.where(np.isfinite(numbers), np.round(numbers, digits), np.nan)
            found[name] = pd.Series(finite, index=rows.index)
    for name, (layer, key) in names.items():
        if key in rows.columns:
            known = county.store.read(layer)
            found[name] = rows[key].map(dict(zip(known[key], known["name"], strict=True)))
    return found


def _plain(value: Any) -> Any:
    """A cell: moments in China to the second, numbers as they are, nothing for what is missing."""
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, datetime):
        return f"{value.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    plain = value.item() if isinstance(value, np.generic) else value
    return say("yes" if plain else "no") if isinstance(plain, bool) else plain
