"""What a day could visit: flagged parcels, blind spots, historic spots and tips as one table of targets."""

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.layers import parcels as parcel_layer
from geo.settings import PlanningSettings

TARGETS = (
    "target_id", "kind", "name", "easting_m", "northing_m", "mass", "sweep_s", "must", "deadline", "reason",
)  # fmt: skip
"""
Columns of a targets table. Optional: `pod`, how surely a stop finds what is there (default 1); `line` (n, 2), what is
walked at the stop, entered at its first point and left at its last (default: the place itself).
"""
NAME_CHARS = 10
"""Full-width characters of a stop's name after its ASCII id; handhelds cut the rest."""


def budget_s(settings: PlanningSettings) -> float:
    """
    Seconds a team may be away, the reserve kept back.

    >>> budget_s(PlanningSettings(hours=7.0, reserve=0.15))
    21420.0
    """
    return settings.hours * (1.0 - settings.reserve) * 3600.0


def candidate_targets(
    parcels: gpd.GeoDataFrame,
    blind_spots: gpd.GeoDataFrame,
    leads: gpd.GeoDataFrame,
    settings: PlanningSettings | None = None,
    *,
    township_id: str | None = None,
    area: shapely.Geometry | None = None,
    visited: Collection[str] = (),
) -> pd.DataFrame:
    """
    Targets of one township: open parcels (must), the best blind spots by mass per hour, historic spots and tips.

    Parameters
    ----------
    parcels, leads
        Layers, metric CRS of the county.
    blind_spots
        `blind_spot_id`, `mass` (expected plots standing undetected) and `hours` (to search it once), with geometry;
        `name` and `township_id` where known. Best first or not.
    township_id, area
        Keep only rows of this township; rows without a township_id belong to it when they touch `area`. Both None:
        the tables hold one township already.
    visited
        Ids of parcels, blind spots or leads already looked at.
    """
    knobs = settings or PlanningSettings()
    seen = {str(one) for one in visited}
    parts = [
        _parcel_targets(_of_township(parcels, township_id, area), seen, knobs),
        _blind_spot_targets(_of_township(blind_spots, township_id, area), seen, knobs),
        _lead_targets(_of_township(leads, township_id, area), seen, knobs),
    ]
    held = [part for part in parts if len(part)]
    if not held:
        return pd.DataFrame(columns=list(TARGETS))
    return pd.concat(held, ignore_index=True)


def _of_township(table: gpd.GeoDataFrame, township_id: str | None, area: shapely.Geometry | None) -> gpd.GeoDataFrame:
    """Rows that belong to the township by its id or, without one, by touching its area; rows without place go."""
    if not len(table):
        return table
    placed = table[table.geometry.notna() & ~table.geometry.is_empty]
    if township_id is None and area is None:
        return placed
    code = placed["township_id"] if "township_id" in placed else pd.Series(None, index=placed.index, dtype=object)
    touches = placed.intersects(area) if area is not None else pd.Series(False, index=placed.index)
    return gpd.GeoDataFrame(placed[(code == township_id) | (code.isna() & touches)])


def _targets(table: gpd.GeoDataFrame, columns: dict[str, object]) -> pd.DataFrame:
    place = table.geometry.representative_point()
    values = {"easting_m": place.x.to_numpy(), "northing_m": place.y.to_numpy(), **columns}
    return pd.DataFrame(values, index=table.index, columns=list(TARGETS)).reset_index(drop=True)


def _column(table: gpd.GeoDataFrame, name: str, default: object) -> pd.Series:
    if name not in table:
        return pd.Series(default, index=table.index)
    values: pd.Series = table[name] if default is None else table[name].fillna(default)
    return values


def _parcel_targets(parcels: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(parcels):
        return pd.DataFrame(columns=list(TARGETS))
    due = parcels[parcels["status"].isin(parcel_layer.OPEN) & ~parcels["parcel_id"].isin(seen)]
    values = {
        "target_id": due["parcel_id"].to_numpy(),
        "kind": "parcel",
        "name": [str(one)[-NAME_CHARS:].lstrip("-_ ") for one in due["parcel_id"]],
        "mass": _column(due, "suspicion", knobs.unjudged_suspicion).to_numpy(float),
        "sweep_s": knobs.service_min * 60.0,
        "must": True,
        "deadline": _column(due, "deadline", None).to_numpy(),
        "reason": _column(due, "reason", "").to_numpy(),
    }
    return _targets(due, values)


def _blind_spot_targets(spots: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(spots):
        return pd.DataFrame(columns=list(TARGETS))
    hours = np.clip(spots["hours"].to_numpy(float), 1.0 / 60.0, None)
    yields = pd.Series(spots["mass"].to_numpy(float) / hours, index=spots.index)
    fresh = spots[~spots["blind_spot_id"].isin(seen)]
    best = fresh.loc[yields.loc[fresh.index].sort_values(ascending=False, kind="stable").index[: knobs.candidates_n]]
    longest_h = budget_s(knobs) / 3600.0 / 3.0
    need_h = np.clip(best["hours"].to_numpy(float), 1.0 / 60.0, None)
    share = np.minimum(1.0, longest_h / need_h)
    values = {
        "target_id": best["blind_spot_id"].to_numpy(),
        "kind": "blind_spot",
        "name": _column(best, "name", "盲区").to_numpy(),
        "mass": best["mass"].to_numpy(float) * share,
        "sweep_s": need_h * share * 3600.0,
        "must": False,
        "deadline": None,
        "reason": "",
    }
    return _targets(best, values)


def _lead_targets(leads: gpd.GeoDataFrame, seen: set[str], knobs: PlanningSettings) -> pd.DataFrame:
    if not len(leads):
        return pd.DataFrame(columns=list(TARGETS))
    fresh = leads[~leads["lead_id"].isin(seen)]
    values = {
        "target_id": fresh["lead_id"].to_numpy(),
        "kind": "history",
        "name": _column(fresh, "place_text", "").to_numpy(),
        "mass": fresh["weight"].to_numpy(float) * knobs.history_mass,
        "sweep_s": knobs.service_min * 60.0,
        "must": False,
        "deadline": None,
        "reason": fresh["kind"].to_numpy(),
    }
    return _targets(fresh, values)
