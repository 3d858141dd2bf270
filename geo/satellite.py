"""Ground seen from above: the second front door."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio import features

from geo.analysis.flagging import Signals, flowering_days, groups, signals, suspicion
from geo.errors import GeoError
from geo.layers import parcels
from geo.layers.scenes import Window
from geo.season import Season
from geo.settings import FlaggingSettings

__all__ = ["Flagged", "Window", "flag_parcels"]


@dataclass(frozen=True)
class Flagged:
    """
    Candidate parcels, and what they rest on. Nothing is claimed about how many are right.

    Parameters
    ----------
    parcels
        Layer `parcels`; ``suspicion`` is a rank, ``reason`` holds what was measured, ``scene_id`` the scene's day.
    scenes
        Days of the scenes used.
    seen_km2, unseen_km2
        Ground with and without a cloud-free scene in flower: no flag on unseen ground says nothing.
    """

    parcels: gpd.GeoDataFrame
    scenes: tuple[date, ...]
    seen_km2: float
    unseen_km2: float


def flag_parcels(
    windows: Iterable[Window], *, season: Season, settings: FlaggingSettings, flagged_at: datetime
) -> Flagged:
    """
    Candidates of a season from windows of dated scenes, by the rule of `analysis.flagging`.

    A group of cells belongs to the window whose core holds its most suspicious cell, so the halo should be wider than
    ``surroundings_m``. Raises `GeoError` ``scenes_few`` without a scene in flower and an earlier one.
    """
    tables, days, areas = [], set[date](), np.zeros(2)
    for window in windows:
        one = _in_season(window, season)
        found = signals(one.index, _days(one.dates, season), season=season, cell_m=one.frame.cell_m, settings=settings)
        tables.append(_parcels(one, found, settings=settings, flagged_at=flagged_at))
        days |= set(one.dates)
        areas += _seen(one, found)
    if not tables:
        raise GeoError("scenes_few", season=season.year, n=0, needed=2)
    held = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), geometry="geometry", crs=tables[0].crs)
    ranked = held.sort_values("suspicion", ascending=False, kind="stable", ignore_index=True)
    return Flagged(parcels.SCHEMA.conform(ranked), tuple(sorted(days)), float(areas[0]), float(areas[1]))


def _in_season(window: Window, season: Season) -> Window:
    """The window's scenes of the season, in order of time."""
    edges = season.bounds
    order = sorted(range(len(window.dates)), key=lambda k: window.dates[k])
    kept = [k for k in order if edges[0].date() <= window.dates[k] < edges[-1].date()]
    dates = tuple(window.dates[k] for k in kept)
    first, last = flowering_days(season)
    days = _days(dates, season)
    if len(kept) < 2 or not ((days[1:] >= first) & (days[1:] <= last)).any():
        raise GeoError("scenes_few", season=season.year, n=len(kept), needed=2)
    return Window(dates, window.index[kept], window.frame, window.core)


def _days(dates: tuple[date, ...], season: Season) -> npt.NDArray[np.float64]:
    return np.array([(day - date(season.year, 1, 1)).days for day in dates], float)


def _seen(window: Window, found: Signals) -> npt.NDArray[np.float64]:
    """Square kilometres of the core with and without a value in flower."""
    top, left, bottom, right = window.core
    seen = np.isfinite(found.value[top:bottom, left:right])
    return np.array([seen.sum(), (~seen).sum()]) * window.frame.cell_m**2 / 1e6


def _parcels(window: Window, found: Signals, *, settings: FlaggingSettings, flagged_at: datetime) -> gpd.GeoDataFrame:
    label = groups(found.candidate, cell_m=window.frame.cell_m, settings=settings)
    score = suspicion(found.rise, found.deviations, settings)
    top, left, bottom, right = window.core
    rows = []
    for number in range(1, int(label.max(initial=0)) + 1):
        cells = np.argwhere(label == number)
        row, col = cells[score[cells[:, 0], cells[:, 1]].argmax()]
        if top <= row < bottom and left <= col < right:
            rows.append(
                _parcel(window, found, label == number, row=int(row), col=int(col), score=float(score[row, col]))
            )
    table = pd.DataFrame(rows, columns=["parcel_id", "scene_id", "suspicion", "reason", "geometry"])
    fixed = {"source": "satellite", "source_id": "index stack", "status": parcels.Status.FLAGGED.value}
    table = table.assign(**fixed, flagged_at=pd.Timestamp(flagged_at), accuracy_m=window.frame.cell_m)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=window.frame.crs)


def _parcel(
    window: Window, found: Signals, inside: npt.NDArray[np.bool_], *, row: int, col: int, score: float
) -> dict[str, object]:
    parts = features.shapes(inside.astype(np.uint8), mask=inside, connectivity=4, transform=window.frame.transform)
    east, north = window.frame.centres(row, col)
    day = window.dates[int(found.scene[row, col])].isoformat()
    return {
        "parcel_id": f"S{day.replace('-', '')}-{east:.0f}-{north:.0f}",
        "scene_id": day,
        "suspicion": score,
        "reason": f"vegetated={found.value[row, col]:.2f};rise={found.rise[row, col]:.2f};"
        f"contrast={found.deviations[row, col]:.1f};not_rapeseed",
        "geometry": shapely.multipolygons([shapely.geometry.shape(part) for part, _ in parts]),
    }
