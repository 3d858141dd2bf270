"""Raw records of any file → the columns, ids, CRS and geometry of one layer; what does not fit is refused."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.errors import FormatError
from geo.formats import boundaries
from geo.formats.columns import choices, renamed
from geo.formats.datum import Move, datum_of, project
from geo.formats.reading import Content, Hints, Records
from geo.formats.values import utc_seconds
from geo.layers import SCHEMAS, finds
from geo.layers.parcels import Status
from geo.layers.steps import DISMISSALS, is_coded
from geo.layers.visits import DISMISSED, Evidence
from geo.schema import Kind, Refusal, Schema
from geo.season import CHINA
from geo.words import LANGUAGES, say

DATED = {"parcels": "flagged_at", "leads": "reported_at", "alerts": "issued_at", "duties": "valid_from"}
"""The day a list was handed down, which `Hints.date` may say for records without one."""
HAPPENED = {
    "visits": ("visited_at",),
    "finds": ("found_at", "destroyed_at", "verified_at", "recorded_at"),
    "parcels": ("flagged_at",),
    "leads": ("reported_at", "verified_at"),
    "alerts": ("issued_at",),
}
"""Times of what has happened: none of them lies in the future."""
COUNTY_DIGITS = 6
BLANKS = frozenset({"", "-", "—", "－", "–", "/", "无", "N/A", "NA", "nan", "null", "None"})
"""What people write where there is nothing to write."""
FORM_MARKS = tuple({say(f"head_{name}", one) for name in ("order_id", "ground", "signed")} for one in LANGUAGES)
"""Columns by which a filled-in 踏查记录表 is known."""
DEFAULT_ACCURACY_M = {"townships": 30.0, "neighbours": 30.0, "grounds": 30.0, "parcels": 10.0}


def shape(layer: str, records: Records, hints: Hints, *, file: str, key: str) -> Content:
    """
    Records as rows of a layer.

    Parameters
    ----------
    file
        Name of the file, the source of rows that name none.
    key
        Short fingerprint of the file; ids of rows without one are ``key-row``.
    """
    schema = SCHEMAS[layer]
    if layer == "visits" and any(marks <= set(map(str, records.table.columns)) for marks in FORM_MARKS):
        raise FormatError("filled_form", file=file)
    refused: dict[Any, Refusal] = {}
    table, datum = placed(records, hints, refused, file)
    table = renamed(layer, table, required=schema.names, file=file)
    warnings = list(records.warnings)
    table = _dated(layer, table, hints, warnings)
    if schema.geometry and isinstance(table, gpd.GeoDataFrame):
        table = boundaries.repaired(table, schema.geometry, refused, warnings)
    for column in schema.columns:
        if column.kind is Kind.TIME and column.name in table:
            table[column.name] = _times(table[column.name], hints.timezone, refused)
    table = _filled(layer, table, schema, hints, (file, key))
    if schema.geometry and not isinstance(table, gpd.GeoDataFrame):
        table = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries([None] * len(table), index=table.index))
    if schema.geometry and table.crs is None:
        table = table.set_crs(hints.crs if hints.crs is not None else "EPSG:4326")
    sound = schema.conform(table[~table.index.isin(list(refused))])
    found = [*_held(sound, schema, hints), *schema.refusals(sound), *_outside(sound, schema, hints)]
    found += [*_to_come(sound, layer, hints), *_contradicting(sound, layer)]
    for refusal in (*found, *_foreign(sound, layer, hints), *_unfounded(sound, layer), *_unheard_of(sound, hints)):
        refused.setdefault(refusal.row, _by_what_stood(refusal, layer, table))
    rows = sound[~sound.index.isin(list(refused))]
    if layer == "villages" and hints.homes and not rows["township_id"].isin(hints.homes).all():
        warnings.append("villages_unhoused")
    every = (*records.refused, *(refused[row] for row in sorted(refused)))
    return Content(
        rows=rows.reset_index(drop=True),
        read=len(records.table) + len(records.refused),
        refused=every,
        other_kinds=records.other_kinds,
        datum=datum,
        encoding=records.encoding,
        app=records.app,
        warnings=tuple(warnings),
        notes=tuple(_emptied(schema, table, rows)),
    )


def _dated(layer: str, table: pd.DataFrame, hints: Hints, warnings: list[str]) -> pd.DataFrame:
    """The table with the hinted day where its records carry none, and a warning that it was taken."""
    column = DATED.get(layer)
    if hints.date is None or column is None:
        return table
    held = table[column].astype(object) if column in table else pd.Series(None, index=table.index, dtype=object)
    if held.isna().any():
        warnings.append("date_given")
    return table.assign(**{column: held.where(held.notna(), hints.date.isoformat())})


def _by_what_stood(refusal: Refusal, layer: str, table: pd.DataFrame) -> Refusal:
    """
    A refusal with the better reason, where there is one: no day, or text for a number, in place of a missing value; and
    with the words a list may use, where only codes were named.
    """
    column = next((one for one in SCHEMAS[layer].columns if one.name == refusal.field), None)
    if refusal.code == "value_unknown" and column is not None:
        known = choices(layer, refusal.field, column.choices)
        return dataclasses.replace(refusal, details=refusal.details | {"known": known})
    if refusal.code != "value_missing":
        return refusal
    if refusal.field == DATED.get(layer):
        return Refusal(refusal.row, refusal.field, "date_missing")
    stood: Any = table.at[refusal.row, refusal.field] if refusal.field in table else None
    is_number = column is not None and column.kind in (Kind.INTEGER, Kind.REAL)
    if not is_number or pd.isna(stood) or not str(stood).strip():
        return refusal
    return Refusal(refusal.row, refusal.field, "value_number", {"value": stood})


def _emptied(schema: Schema, table: pd.DataFrame, rows: pd.DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    """Optional numbers and yes-or-no that stood in accepted rows as something else and are left empty, by column."""
    for column in schema.columns:
        if column.kind not in (Kind.INTEGER, Kind.REAL, Kind.FLAG) or column.name not in table:
            continue
        stood = table.loc[rows.index[rows[column.name].isna()], column.name].dropna()
        lost = stood[[str(value).strip() not in BLANKS for value in stood]]
        if len(lost):
            told = {"row": lost.index[0], "value": lost.iloc[0], "n": len(lost)}
            yield "values_emptied", {"field": column.name} | told


def _held(rows: pd.DataFrame, schema: Schema, hints: Hints) -> list[Refusal]:
    """Rows whose id the county holds already."""
    if not schema.key or not hints.known:
        return []
    again = rows.index[rows[schema.key].isin(hints.known)]
    return [Refusal(row, schema.key, "duplicate", {"value": rows.at[row, schema.key]}) for row in again]


def _unfounded(rows: pd.DataFrame, layer: str) -> Iterator[Refusal]:
    """Visits said to be tracked (class A) that name no track, and dismissals without a parcel or a known reason."""
    if layer != "visits":
        return
    for row in rows.index[(rows["evidence"] == Evidence.A) & rows["track_id"].isna()]:
        yield Refusal(row, "track_id", "track_missing")
    dismissed = rows.loc[rows["outcome"] == DISMISSED, ["parcel_id", "reason"]]
    for row, parcel_id, reason in zip(dismissed.index, dismissed["parcel_id"], dismissed["reason"], strict=True):
        if pd.isna(parcel_id) or pd.isna(reason):
            yield Refusal(row, "reason", "reason_missing")
        elif not is_coded(reason):
            yield Refusal(row, "reason", "dismissal_uncoded", {"value": reason, "known": "、".join(DISMISSALS)})


def _to_come(rows: pd.DataFrame, layer: str, hints: Hints) -> Iterator[Refusal]:
    """Rows that say of something that it happened after the latest moment anything can have."""
    for column in HAPPENED.get(layer, ()) if hints.latest is not None else ():
        late = rows[column][rows[column] > hints.latest].dt.tz_convert(CHINA).dt.strftime("%Y-%m-%d %H:%M")
        for row, moment in zip(late.index, late, strict=True):
            yield Refusal(row, column, "moment_future", {"value": moment})


def _contradicting(rows: pd.DataFrame, layer: str) -> Iterator[Refusal]:
    """Finds whose destruction contradicts itself, as a form would not take them."""
    if layer != "finds":
        return
    needed, later = ["found_at", "plants_n", "method", "fraction"], ["destroyed_at", "verified_at"]
    asked = pd.DataFrame(rows)[needed + later]
    asked = asked[asked[needed].notna().all(axis=1)]
    asked = asked.astype(object).where(asked.notna(), None)
    for row in asked.index:
        found = finds.contradiction(asked.loc[row].to_dict())
        if found is not None:
            of_check = found[0] == "verified_standing" or found[1].get("later") == "verified_at"
            yield Refusal(row, "verified_at" if of_check else "destroyed_at", found[0], dict(found[1]))


def _unheard_of(rows: pd.DataFrame, hints: Hints) -> Iterator[Refusal]:
    """Rows that rest on a track, a team, a village or a parcel nobody has recorded."""
    for column in [one for one in hints.on_record if one in rows]:
        unheard = rows.index[rows[column].notna() & ~rows[column].isin(hints.on_record[column])]
        for row in unheard:
            yield Refusal(row, column, f"{column.removesuffix('_id')}_unknown", {"value": rows.at[row, column]})


def _outside(rows: pd.DataFrame, schema: Schema, hints: Hints) -> list[Refusal]:
    """Rows with a place, no part of which lies within the county's bounds."""
    if not schema.geometry or hints.within is None or rows.empty:
        return []
    placed = rows.index[rows.geometry.notna()]
    bounds = shapely.box(*hints.within)
    return [Refusal(row, "geometry", "outside") for row in placed[~rows.loc[placed].geometry.intersects(bounds)]]


def _foreign(rows: pd.DataFrame, layer: str, hints: Hints) -> list[Refusal]:
    """Villages of townships with another county's code that this county does not know."""
    if layer != "villages" or not hints.homes:
        return []
    own = {home[:COUNTY_DIGITS] for home in hints.homes}
    homes = rows["township_id"].astype(str)
    away = rows.index[~homes.isin(hints.homes) & ~homes.str[:COUNTY_DIGITS].isin(own)]
    told = {"own": "、".join(sorted(own))}
    return [Refusal(row, "township_id", "village_foreign", {"value": homes[row]} | told) for row in away]


def placed(records: Records, hints: Hints, refused: dict[Any, Refusal], file: str) -> tuple[pd.DataFrame, str | None]:
    """The records' geometry in the wanted CRS; places that cannot be expressed there are refused."""
    table = records.table
    if not isinstance(table, gpd.GeoDataFrame):
        return table.copy(), None
    if not bool(table.geometry.notna().any()):
        target = hints.crs if hints.crs is not None else "EPSG:4326"
        return table.set_crs(target, allow_override=True), None
    source = datum_of(hints.datum, records.crs, records.shift, what=file)
    moved, bad = [], []
    for row, geometry in zip(table.index, shapely.force_2d(table.geometry.to_numpy()), strict=True):
        if geometry is not None and not _in_range(geometry, source.move is None):
            bad.append(row)
            geometry = None
        moved.append(geometry)
    given = np.array(moved, dtype=object)
    into = None if hints.crs is None else lambda x, y: project(x, y, hints.crs)
    shapes = _through(given, source.move, into)
    for row in bad:
        refused[row] = Refusal(row, "geometry", "coordinate_range")
    for position, (row, geometry) in enumerate(zip(table.index, shapes, strict=True)):
        if geometry is not None and not np.isfinite(shapely.get_coordinates(geometry)).all():
            refused.setdefault(row, Refusal(row, "geometry", "outside_crs"))
            shapes[position] = None
    _refuse_swapped(table, shapes, (source.move, into), hints, refused)
    target = hints.crs if hints.crs is not None else "EPSG:4326"
    plain = pd.DataFrame(table.drop(columns=table.geometry.name))
    return gpd.GeoDataFrame(plain, geometry=gpd.GeoSeries(shapes, index=table.index), crs=target), source.name


def _through(shapes: Any, *moves: Move | None) -> Any:
    for move in moves:
        if move is not None:
            shapes = _moved(shapes, move)
    return shapes


def _refuse_swapped(
    table: gpd.GeoDataFrame, shapes: Any, moves: tuple[Move | None, ...], hints: Hints, refused: dict[Any, Refusal]
) -> None:
    """Name the reason of places that lie nowhere, or outside the county, and inside it with their axes exchanged."""
    if hints.within is None:
        return
    county = shapely.box(*hints.within)
    lost = np.flatnonzero(~shapely.is_missing(table.geometry.to_numpy()) & ~shapely.intersects(shapes, county))
    turned = shapely.transform(shapely.force_2d(table.geometry.to_numpy()[lost]), lambda places: places[:, ::-1])
    fits = [_in_range(shape, moves[0] is None) for shape in turned]
    again = _through(turned[fits], *moves)
    inside = [bool(np.isfinite(shapely.get_coordinates(shape)).all() and shape.intersects(county)) for shape in again]
    for position in lost[fits][inside].tolist():
        row = table.index[position]
        refused[row] = Refusal(row, "geometry", "axes_swapped")


def _in_range(geometry: Any, in_degrees: bool) -> bool:
    places = shapely.get_coordinates(geometry)
    if not np.isfinite(places).all():
        return False
    return not in_degrees or bool((np.abs(places) <= (180.0, 90.0)).all())


def _moved(shapes: Any, move: Move) -> Any:
    return shapely.transform(shapes, lambda places: np.column_stack(move(places[:, 0], places[:, 1])))


def _times(values: pd.Series, zone: str | None, refused: dict[Any, Refusal]) -> pd.Series:
    """Times of text or timestamps as UTC; a date alone is midnight in `zone`, else in Asia/Shanghai."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values
    texts = [None if pd.isna(value) else _stamp(value) for value in values]
    faults: dict[int, Refusal] = {}
    dates = [text is not None and len(text) <= 10 for text in texts]
    seconds = np.where(
        dates,
        utc_seconds([t if d else None for t, d in zip(texts, dates, strict=True)], zone or "Asia/Shanghai", faults),
        utc_seconds([None if d else t for t, d in zip(texts, dates, strict=True)], zone, faults),
    )
    for position, fault in faults.items():
        row = values.index[position]
        refused.setdefault(row, Refusal(row, str(values.name), fault.code, fault.details))
    moments = pd.to_datetime(pd.Series(seconds, index=values.index), unit="s", utc=True)
    return moments.astype("datetime64[ms, UTC]")


def _stamp(value: Any) -> str:
    """A time as ISO text: 2026/3/5, 2026年3月5日, 2026.3.5 and a sheet's date cell (midnight) are read as dates."""
    text = str(value.isoformat() if hasattr(value, "isoformat") else value).strip()
    for mark in ("年", "月", "/", "."):
        head, _, tail = text.partition(" ")
        if mark != "." or head.count(".") == 2:
            text = f"{head.replace(mark, '-')} {tail}".strip()
    text = text.replace("日", "")
    if text.endswith(("T00:00:00", " 00:00:00")):
        text = text[:-9]
    head, _, tail = text.partition(" ")
    pieces = head.split("-")
    if len(pieces) == 3 and all(piece.isdigit() for piece in pieces):
        head = f"{pieces[0]}-{int(pieces[1]):02d}-{int(pieces[2]):02d}"
    return f"{head}T{tail}" if tail else head


def _filled(layer: str, table: pd.DataFrame, schema: Schema, hints: Hints, named: tuple[str, str]) -> pd.DataFrame:
    """The columns a file may leave out, filled by rule: ids, source, accuracy, kind, status."""
    file, key = named
    known: Mapping[str, object] = {
        "source": hints.source or (file if layer in DEFAULT_ACCURACY_M and layer != "parcels" else None),
        "source_id": hints.source or file,
        "team_id": hints.team_id,
        "township_id": hints.township_id,
        "line_accuracy_m": DEFAULT_ACCURACY_M.get(layer),
        "accuracy_m": DEFAULT_ACCURACY_M.get(layer),
        "status": str(Status.FLAGGED) if layer == "parcels" else None,
        "weight": 1.0 if layer == "leads" else None,
        "kind": "其他" if layer == "leads" else None,
    }
    for name, value in known.items():
        if name not in schema.names or value is None:
            continue
        if name not in table:
            table[name] = pd.Series([value] * len(table), index=table.index, dtype=object)
        else:
            table[name] = table[name].astype(object).where(table[name].notna(), value)
    if layer == "parcels" and ("source" not in table or table["source"].isna().any()):
        table["source"] = table.get("source", pd.Series(None, index=table.index, dtype=object)).fillna("ground")
    if layer in {"townships", "neighbours", "grounds"}:
        table = boundaries.named(layer, table)
    if schema.key:
        fallback = pd.Series([f"{key}-{row}" for row in table.index], index=table.index, dtype=object)
        table[schema.key] = (
            table[schema.key].where(table[schema.key].notna(), fallback) if schema.key in table else fallback
        )
    return table
