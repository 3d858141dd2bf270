"""Figures kept with the county until what they rest on changes, and their tables as plain values."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.grid import Grid
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County

G = TypeVar("G", bound=Grid | None)
FORM = 4
"""Kept figures of another form are computed anew."""
PAPERWORK = (
    "plan", "plan_conflict", "segments", "season_plan", "orders_issued", "order_step", "problem", "daily_report",
    "export", "bundle_out",
)  # fmt: skip
"""Kinds of ledger entries that no figure rests on: what is to be done, who has received it, what was handed out."""


def head_of(county: County) -> str | None:
    """Hash of the county's last ledger entry; None without one."""
    head = county.store.head()
    return head.hash if head else None


def kept_answer(county: County, name: str, moment: datetime) -> dict[str, Any] | None:
    """What was kept under a name for a moment; None where there is none or anything it rests on is another now."""
    file = county.grids / f"{name}.json"
    if not file.exists():
        return None
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return kept if (kept.get("key"), kept.get("effort")) == (_key(county, moment), effort.stamp(county)) else None


def keep_answer(county: County, name: str, moment: datetime, plain: dict[str, Any]) -> None:
    """Keep plain values under a name, with the mark of all they rest on."""
    county.grids.mkdir(exist_ok=True)
    stamps = {"key": _key(county, moment), "effort": effort.stamp(county)}
    text = json.dumps(plain | stamps, ensure_ascii=False, allow_nan=False)
    part = county.grids / f"{name}.json.part"
    part.write_text(text, "utf-8")
    part.replace(county.grids / f"{name}.json")


def _key(county: County, moment: datetime) -> str:
    """Figures hold while nothing but `PAPERWORK` was recorded since, the ground is the same, and the moment is."""
    ground = {name: grids.fingerprint(county.path, name) for name in ("elevation", "cover")}
    rest = [FORM, _last_record(county), moment.isoformat(), ground, assumptions(county.settings)]
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _last_record(county: County) -> int:
    """Number of the last ledger entry that is no `PAPERWORK`, 0 without one; the chain is looked at from its end."""
    head = county.store.head()
    back = 64
    while head is not None:
        after = max(head.seq - back, 0)
        found = [entry.seq for entry in county.store.entries(after) if entry.kind not in PAPERWORK]
        if found or not after:
            return max(found, default=0)
        back *= 4
    return 0


def kept_grid(county: County, name: str, rests_on: Sequence[Any], make: Callable[[], G]) -> Grid | G:
    """
    A raster kept under a name in ``grids/``, made anew where anything it rests on is another now.

    Parameters
    ----------
    rests_on
        Plain values, and tables by their content.
    make
        The raster; None is not kept.
    """
    mark = county.grids / f"{name}.key"
    plain = [table_digest(one) if isinstance(one, pd.DataFrame) else one for one in rests_on]
    key = hashlib.sha256(json.dumps([FORM, plain], sort_keys=True).encode()).hexdigest()
    if mark.is_file() and mark.read_text("utf-8") == key and grids.has_grid(county.path, name):
        return grids.read_grid(county.path, name)
    mark.unlink(missing_ok=True)
    made = make()
    if made is not None:
        grids.write_grid(county.path, name, made)
        mark.write_text(key, "utf-8")
    return made


def table_digest(table: pd.DataFrame) -> str:
    """SHA-256 of a table's values and places."""
    shapes = table.geometry.to_wkb(hex=True) if isinstance(table, gpd.GeoDataFrame) else []
    told = pd.DataFrame(table.drop(columns="geometry", errors="ignore")).to_json(orient="values", date_unit="ms")
    return hashlib.sha256(json.dumps([told, list(shapes)]).encode()).hexdigest()


def to_plain(table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, geometry as WKB in hex (``wkb``)."""
    rows = pd.DataFrame(table.drop(columns="geometry")).to_dict("records")
    return [plain_row(row) | {"wkb": shape.wkb_hex} for row, shape in zip(rows, table.geometry, strict=True)]


def from_plain(rows: list[dict[str, Any]], none: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table that `to_plain` took apart; `none` is what it is without a row."""
    if not rows:
        return none
    table = pd.DataFrame(rows).drop(columns="wkb")
    return gpd.GeoDataFrame(table, geometry=shapely.from_wkb([row["wkb"] for row in rows]), crs=none.crs)


def plain_row(row: dict[Any, Any]) -> dict[str, Any]:
    """A table's row as JSON values."""
    return {str(name): plain_value(value) for name, value in row.items()}


def plain_value(value: Any) -> Any:
    """A JSON value; NaN and the like become null."""
    if isinstance(value, dict):
        return {k: plain_value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(v) for v in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if value != value else round(value, 9)
    return value
