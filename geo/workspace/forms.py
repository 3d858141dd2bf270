"""One filled form as a table of one row: its place, its times, and every field held to the layer's contract."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.crs import to_metric
from geo.errors import LayerError
from geo.ledger import row_digest
from geo.schema import Kind, Schema
from geo.store.rows import plain_rows

CLOCK_SLACK = timedelta(days=1)
_PLACES = ("longitude", "latitude", "easting", "northing", "geometry")


def filled_form(
    schema: Schema, values: Mapping[str, Any], crs: pyproj.CRS, now: datetime, place: Any = None
) -> gpd.GeoDataFrame:
    """
    The conformed row of a form's values, its key left empty; `place` is used where the form gives none.

    Raises
    ------
    LayerError
        The first field that is unknown, missing or wrong, in a sentence that names it.
    """
    given = {name: value for name, value in values.items() if not _blank(value)}
    known = [name for name in (*schema.names, *_PLACES) if name != schema.key]
    for name in given:
        if name not in known:
            raise LayerError("record_field_unknown", field=name, known="/".join(known))
        if isinstance(given[name], str) and not _writable(given[name]):
            raise LayerError("record_value_bad", field=name, value=ascii(given[name]))
    for column in schema.columns:
        if column.kind is Kind.TIME and column.name in given:
            given[column.name] = _moment(given[column.name], column.name, now)
    fields = {name: value for name, value in given.items() if name not in _PLACES}
    shape = gpd.array.GeometryArray(np.array([_place(given, crs) or place], dtype=object), crs=crs)
    columns = {schema.key: ["-"], **{name: [value] for name, value in fields.items()}, "geometry": shape}
    row = schema.conform(gpd.GeoDataFrame(columns, geometry="geometry"))
    held = pd.DataFrame(row)
    for name, value in fields.items():
        if pd.isna(held[name].iloc[0]):
            raise LayerError("record_value_bad", field=name, value=value)
    for refusal in schema.refusals(row):
        raise LayerError(f"record_{refusal.code}", field=refusal.field, **refusal.details)
    return row


def content_id(prefix: str, schema: Schema, row: pd.DataFrame, without: tuple[str, ...] = ()) -> str:
    """The prefix and 12 hex digits of the digest of a row's content, its key and `without` set aside."""
    content = plain_rows(schema, row)[0]
    return prefix + row_digest({n: v for n, v in content.items() if n not in (schema.key, *without)})[:12]


def give_content_id(prefix: str, schema: Schema, row: pd.DataFrame, without: tuple[str, ...] = ()) -> str:
    """Fill a row's key with its `content_id`, and return that."""
    key = content_id(prefix, schema, row, without)
    row[schema.key] = pd.Series([key], index=row.index, dtype=object)
    return key


def _blank(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _writable(text: str) -> bool:
    """Whether a text is Unicode at all: half a surrogate pair, as a broken terminal sends it, is not."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


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
