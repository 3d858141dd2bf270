"""One filled form as a table of one row: its place, its times, and every field held to the layer's contract."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.crs import to_metric
from geo.errors import LayerError, StoreError
from geo.ledger import row_digest
from geo.schema import Kind, Schema
from geo.store.contract import Row, Store
from geo.store.rows import is_writable, plain_row, plain_rows

DIGESTS = ("photo_sha256", "after_sha256")
CLOCK_SLACK = timedelta(days=1)
PLACES = ("longitude", "latitude", "easting", "northing", "geometry")


def filled_row(schema: Schema, values: Mapping[str, Any], crs: pyproj.CRS, now: datetime, place: Any = None) -> Row:
    """
    The conformed row of a form's values, its key left empty; `place` is used where the form gives none.

    Raises
    ------
    LayerError
        The first field that is unknown, missing or wrong, in a sentence that names it.
    """
    given = {name: value for name, value in values.items() if not is_blank(value)}
    known = [name for name in (*schema.names, *PLACES) if name != schema.key]
    for name in given:
        if name not in known:
            raise LayerError("record_field_unknown", field=name, known="/".join(known))
        if isinstance(given[name], str) and not is_writable(given[name]):
            raise LayerError("record_value_bad", field=name, value=ascii(given[name]))
    for column in schema.columns:
        if column.kind is Kind.TIME and column.name in given:
            given[column.name] = _moment(given[column.name], column.name, now)
    fields = {name: value for name, value in given.items() if name not in PLACES}
    row = schema.conform_row({schema.key: "-", **fields, "geometry": _place(given, crs) or place})
    for name, value in fields.items():
        if row[name] is None:
            raise LayerError("record_value_bad", field=name, value=str(value))
    refusal = schema.row_refusal(row)
    if refusal:
        raise LayerError(f"record_{refusal.code}", field=refusal.field, **refusal.details)
    return row


def filled_form(
    schema: Schema, values: Mapping[str, Any], crs: pyproj.CRS, now: datetime, place: Any = None
) -> gpd.GeoDataFrame:
    """As `filled_row`, as a table of one row."""
    row = filled_row(schema, values, crs, now, place)
    shape = gpd.array.GeometryArray(np.array([row.get("geometry")], dtype=object), crs=crs)
    columns = {name: [value] for name, value in row.items()} | {"geometry": shape}
    return gpd.GeoDataFrame(schema.conform(gpd.GeoDataFrame(columns, geometry="geometry")))


def content_id(prefix: str, schema: Schema, row: pd.DataFrame | Row, without: tuple[str, ...] = ()) -> str:
    """The prefix and 12 hex digits of the digest of a row's content, its key and `without` set aside."""
    content = plain_row(schema, row) if isinstance(row, dict) else plain_rows(schema, row)[0]
    return prefix + row_digest({n: v for n, v in content.items() if n not in (schema.key, *without)})[:12]


def with_digests(values: Mapping[str, Any]) -> dict[str, Any]:
    """
    The values, the SHA-256 of photos in small letters.

    Raises
    ------
    LayerError
        A digest is anything but 64 hex digits.
    """
    held = dict(values)
    for name in DIGESTS:
        if not is_blank(held.get(name)):
            held[name] = str(held[name]).strip().lower()
            if not re.fullmatch("[0-9a-f]{64}", held[name]):
                raise LayerError("record_digest_bad", field=name, value=ascii(values[name]))
    return held


def is_blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _moment(value: Any, field: str, now: datetime) -> pd.Timestamp:
    moment: pd.Timestamp = pd.to_datetime(value, errors="coerce")
    if pd.isna(moment):
        raise LayerError("record_value_bad", field=field, value=value)
    if moment.tzinfo is None:
        raise LayerError("record_time_naive", field=field, value=value)
    if moment > now + CLOCK_SLACK:
        raise LayerError("time_future", field=field, value=value)
    return moment


def _place(given: Mapping[str, Any], crs: pyproj.CRS) -> Any:
    """The form's geometry in the county's CRS; None where it gives no place."""
    if "geometry" in given:
        if not isinstance(given["geometry"], shapely.Geometry):
            raise LayerError("record_value_bad", field="geometry", value=str(given["geometry"]))
        return given["geometry"]
    for names, turn in ((("longitude", "latitude"), True), (("easting", "northing"), False)):
        pair = [given[name] for name in names if name in given]
        if len(pair) == 1:
            raise LayerError("place_half")
        if pair:
            return _point(pair, crs, turn)
    return None


def _point(pair: list[Any], crs: pyproj.CRS, degrees: bool) -> Any:
    try:
        one, other = (float(value) for value in pair)
        possible = not degrees or (abs(one) <= 180.0 and abs(other) <= 90.0)
        if degrees and possible:
            one, other = (float(value) for value in to_metric(one, other, crs))
    except (ValueError, TypeError):
        possible, one, other = False, np.nan, np.nan
    if not possible or not np.isfinite([one, other]).all():
        raise LayerError("place_outside", place=", ".join(map(str, pair)))
    return shapely.Point(one, other)


def require_team(store: Store, team_id: str | None) -> None:
    """Refuse a team nobody has heard of, once there are any: as a rule its code was mistyped."""
    if team_id and store.count("teams") and not store.holds("teams", [team_id]):
        raise StoreError("team_unknown", value=team_id)
