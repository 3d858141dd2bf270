"""Fixes of ranger patrol systems (EarthRanger, SMART) kept as Parquet."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from geo.errors import FormatError
from geo.formats.fixes import RawFixes, tracks_of
from geo.formats.reading import Content, Hints
from geo.schema import Refusal

ROWS_CAP = 5_000_000
TIMES = ("fixtime", "extra__recorded_at", "recorded_at")
TRAILS = ("patrol_id", "groupby_col", "extra__subject_id")


def read_tracks(data: bytes, name: str, hints: Hints) -> Content:
    """Tracks of a table of fixes; tables of events or of patrols hold none and are refused."""
    try:
        source = pq.ParquetFile(io.BytesIO(data))
        schema = source.schema_arrow
        time = next((column for column in TIMES if column in schema.names), None)
        trail = next((column for column in TRAILS if column in schema.names), None)
        if time is None or trail is None or "geometry" not in schema.names:
            raise FormatError("no_fixes", file=name)
        if source.metadata.num_rows > ROWS_CAP:
            raise FormatError("table_too_large", file=name, cap=ROWS_CAP)
        table = source.read(columns=[time, trail, "geometry"])
    except (pa.ArrowException, OSError) as error:
        raise FormatError("unreadable", file=name, why=type(error).__name__) from error
    faults: dict[int, Refusal] = {}
    places = _places(table["geometry"].to_pylist(), faults)
    stamps = pd.to_datetime(pd.Series(table[time].to_pandas()), utc=True, errors="coerce")
    seconds = stamps.astype("datetime64[ms, UTC]").astype("int64").to_numpy() / 1000.0
    seconds = np.where(stamps.isna().to_numpy(), np.nan, seconds)
    trails, names = pd.factorize(pd.Series(table[trail].to_pylist(), dtype=object).fillna(""))
    number = trails.astype(np.int64)
    raw = RawFixes(
        number,
        number,
        places[:, 0],
        places[:, 1],
        np.full(len(number), np.nan),
        seconds,
        faults,
        [str(n) for n in names],
    )
    content = tracks_of(raw, hints, source=name)
    return Content(**{**content.__dict__, "app": "EarthRanger" if time.startswith("extra") else "EarthRanger / SMART"})


def _places(blobs: list[Any], faults: dict[int, Refusal]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Longitude and latitude ``(n, 2)`` of WKB points; anything else is a fault."""
    shapes = shapely.from_wkb(np.array([*blobs, None], dtype=object)[:-1], on_invalid="ignore")
    places = np.full((len(blobs), 2), np.nan)
    point = shapely.get_type_id(shapes) == 0
    places[point] = np.column_stack([shapely.get_x(shapes[point]), shapely.get_y(shapes[point])])
    for position in np.flatnonzero(~point).tolist():
        faults[position] = Refusal(position + 1, "geometry", "geometry_missing")
    return places
