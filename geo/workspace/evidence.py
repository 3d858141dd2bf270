"""What a place rests on: who answers, who walked by, when, how near, in whose sight, and what that adds up to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis import coverage
from geo.analysis.detection import HAZARD_UNITS
from geo.analysis.pieces import walked_pieces
from geo.crs import to_metric
from geo.errors import StoreError
from geo.grid import Grid
from geo.layers.duties import post_of
from geo.layers.terrain import COVER_NAMES, Cover, Terrain
from geo.layers.tracks import Mode, fixes_of
from geo.season import CHINA, Stage
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County

NEAR_M = 50.0
NEIGHBOUR_CELLS = 40


@dataclass(frozen=True)
class Evidence:
    """Everything known about one cell; `pod` is None where nothing can be planted."""

    township_id: str | None
    township: str | None
    posts: str | None
    elevation_m: float | None
    cover: str
    stage: str
    pod: float | None
    periods: list[dict[str, Any]]
    tracks: pd.DataFrame
    parcels: pd.DataFrame
    finds: pd.DataFrame
    border_id: str | None
    both_answer: bool


def evidence_at(
    county: County,
    longitude: float,
    latitude: float,
    *,
    as_of: datetime | None = None,
    edges: gpd.GeoDataFrame | None = None,
    tracks: gpd.GeoDataFrame | None = None,
) -> Evidence:
    """
    The evidence of the cell at WGS 84 degrees: each track's nearest distance, and the hazard (nats) it alone added.

    `edges` and `tracks` are the county's jurisdiction edges and its tracks until `as_of`, where the caller holds them
    already; reading them anew for every question is what makes a click slow.

    Raises
    ------
    StoreError
        Outside the county's frame, or without terrain.
    """
    moment = as_of or county.as_of()
    east, north = to_metric(longitude, latitude, county.crs)
    easting, northing = float(east), float(north)
    if not bool(county.frame.holds(easting, northing)):
        raise StoreError("evidence_outside")
    terrain = _around(county, easting, northing)
    row, col = (int(v) for v in terrain.elevation.frame.cells(easting, northing))
    height = float(terrain.elevation.values[row, col])
    cover = Cover(int(terrain.cover.values[row, col]))
    point = shapely.Point(easting, northing)
    townships = county.store.read("townships")
    here = townships[townships.geometry.contains(point)]
    township = str(here["township_id"].iloc[0]) if len(here) else None
    stage = Stage(int(county.season.stage_of(county.season.day_of(moment), height if height == height else 1000.0)))
    border, both = _border(effort.edges_and_strips(county)[0] if edges is None else edges, point)
    walked = effort.tracks_until(county, moment) if tracks is None else tracks
    months = _periods(county, easting, northing)
    plantable = bool(terrain.plantable[row, col])
    missed = float(np.prod([1.0 - month["pod"] for month in months])) if months else 1.0
    return Evidence(
        township_id=township,
        township=str(here["name"].iloc[0]) if len(here) else None,
        posts=post_of(township, county.store.read("duties"), moment) if township else None,
        elevation_m=height if height == height else None,
        cover=next((name for name, known in COVER_NAMES.items() if known == cover), cover.name.lower()),
        stage=stage.name.lower(),
        pod=1.0 - missed if plantable else None,
        periods=months,
        tracks=_tracks(county, terrain, (row, col), walked),
        parcels=_near(county.store.read("parcels"), point),
        finds=_near(county.store.read("finds"), point),
        border_id=border,
        both_answer=both,
    )


def _around(county: County, easting: float, northing: float) -> Terrain:
    """The ground within reach of the place."""
    row, col = (int(v) for v in county.frame.cells(easting, northing))
    side = 2 * NEIGHBOUR_CELLS + 1
    window = county.frame.window(row - NEIGHBOUR_CELLS, col - NEIGHBOUR_CELLS, side, side)
    if not county.has_terrain():
        raise StoreError("terrain_missing", path=county.path.name)
    elevation = grids.read_grid(county.path, "elevation", window)
    if grids.has_grid(county.path, "cover"):
        cover = grids.read_grid(county.path, "cover", window)
    else:
        cover = Grid(np.full(window.shape, Cover.OPEN, np.uint8), window)
    return Terrain(elevation, cover, county.settings.cell_m)


def _tracks(county: County, terrain: Terrain, cell: tuple[int, int], tracks: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every track within reach: ``track_id, team_id, day, nearest_m, hazard, pod, visible``, the strongest first."""
    settings, frame = county.settings.detection, terrain.elevation.frame
    east, north = (float(v) for v in frame.centres(*cell))
    within = tracks.sindex.query(shapely.Point(east, north), predicate="dwithin", distance=settings.reach_m, sort=True)
    near = tracks.iloc[within].reset_index(drop=True)
    rows = []
    target = frame.window(cell[0], cell[1], 1, 1)
    for position in range(len(near)):
        one = near.iloc[[position]].reset_index(drop=True)
        pieces = walked_pieces(fixes_of(one), (one["mode"] == Mode.FOOT).to_numpy(), settings)
        hazard = Grid(np.zeros((1, 1), np.int32), target)
        coverage.accumulate(hazard, pieces, terrain, county.season, settings)
        nats = float(hazard.values[0, 0]) / HAZARD_UNITS
        rows.append(
            {
                "track_id": one["track_id"].iloc[0],
                "team_id": one["team_id"].iloc[0],
                "day": f"{one['started_at'].iloc[0].astimezone(CHINA):%Y-%m-%d}",
                "nearest_m": float(one.geometry.iloc[0].distance(shapely.Point(east, north))),
                "hazard": nats,
                "pod": settings.availability * (1.0 - float(np.exp(-nats))),
                "visible": nats > 0.0,
            }
        )
    columns = ["track_id", "team_id", "day", "nearest_m", "hazard", "pod", "visible"]
    return pd.DataFrame(rows, columns=columns).sort_values("hazard", ascending=False).reset_index(drop=True)


def _periods(county: County, easting: float, northing: float) -> list[dict[str, Any]]:
    """POD of each month at the place, from the county's kept grids; none before the first coverage."""
    row, col = (int(v) for v in county.frame.cells(easting, northing))
    cell = county.frame.window(row, col, 1, 1)
    months = []
    for year, month in county.season.months:
        name = f"hazard_{year}-{month:02d}"
        if grids.has_grid(county.path, name):
            nats = float(grids.read_grid(county.path, name, cell).values[0, 0]) / HAZARD_UNITS
            pod = county.settings.detection.availability * (1.0 - float(np.exp(-nats)))
            months.append({"month": name.removeprefix("hazard_"), "pod": pod})
    return months


def _border(edges: gpd.GeoDataFrame, point: Any) -> tuple[str | None, bool]:
    """The nearest edge within its strip, and whether the place is inside the line's own error (双方共管)."""
    distance = edges.geometry.distance(point)
    if not len(edges) or distance.min() > edges.loc[distance.idxmin(), "strip_m"]:
        return None, False
    nearest = edges.loc[distance.idxmin()]
    return str(nearest["border_id"]), bool(distance.min() <= nearest["line_accuracy_m"])


def _near(rows: gpd.GeoDataFrame, point: Any) -> pd.DataFrame:
    """Rows within 50 m of the place, nearest first, without their geometry."""
    placed = rows[rows.geometry.notna()]
    distance = placed.geometry.distance(point)
    held = placed[distance <= NEAR_M]
    return pd.DataFrame(held.drop(columns="geometry")).assign(distance_m=distance[held.index]).sort_values("distance_m")
