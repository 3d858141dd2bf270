"""Yesterday's routes against the tracks that came back: what was seen, and why the rest was not."""

from datetime import datetime, time
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis.coverage import reach_window
from geo.analysis.debrief import Debrief, Fate, debrief, line_pieces, percents
from geo.analysis.pieces import walked_pieces
from geo.errors import StoreError
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain
from geo.layers.tracks import Mode, fixes_of
from geo.season import CHINA
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.planning import kept_routes

NEAR_M = 500.0


def debrief_day(county: County, *, day: str, team_id: str | None = None) -> list[dict[str, Any]]:
    """
    Per standing route of a day (of one team) its planned cells by fate, and the tracks they were judged by.

    All foot tracks of the day that come near the route count, whoever walked them; `own_tracks_n` says how many are
    of the route's own team. ``planned_n`` cells are the sum of the four ``…_n``; shares are of them.

    Raises
    ------
    StoreError
        Where no route stands on that day, or the county has no terrain.
    """
    routes, _ = kept_routes(county, day=day)
    routes = routes if team_id is None else routes[routes["team_id"] == team_id]
    if routes.empty:
        raise StoreError("routes_missing")
    tracks = effort.tracks_until(county, county.as_of())
    begun = tracks["started_at"].dt.tz_convert(CHINA).dt.strftime("%Y-%m-%d")
    walked = tracks[(begun == day) & (tracks["mode"] == Mode.FOOT)].reset_index(drop=True)
    noon_s = datetime.combine(datetime.fromisoformat(day).date(), time(12), CHINA).timestamp()
    answers = []
    for row in routes.itertuples():
        near = walked[walked.intersects(shapely.buffer(row.geometry, NEAR_M))].reset_index(drop=True)
        told = _debrief(county, row.geometry, gpd.GeoDataFrame(near), noon_s)
        answers.append(
            {
                "route_id": str(row.route_id),
                "team_id": str(row.team_id),
                "tracks_n": len(near),
                "own_tracks_n": int((near["team_id"] == row.team_id).sum()),
                "planned_ha": told.planned_n * told.fates.frame.cell_m**2 / 1e4,
                "planned_n": told.planned_n,
                **{f"{fate.value}_n": told.cells_n[fate] for fate in Fate},
                **{f"{fate.value}_share": told.share(fate) for fate in Fate},
            }
        )
    return answers


def shown_shares(row: dict[str, Any]) -> dict[str, str]:
    """The shares of a route's fates as they are said, by fate: whole per cent that add up to 100."""
    names = [fate.value for fate in Fate]
    return dict(zip(names, percents([row[f"{name}_n"] for name in names]), strict=True))


def _debrief(county: County, line: Any, tracks: gpd.GeoDataFrame, noon_s: float) -> Debrief:
    settings = county.settings.detection
    planned = line_pieces(line, noon_s)
    whole = grids.grid_frame(county.path, "elevation")
    window = reach_window(planned, whole, 3.0 * settings.reach_m)
    terrain = Terrain(grids.read_grid(county.path, "elevation", window), _cover(county, window), county.settings.cell_m)
    pieces = walked_pieces(
        fixes_of(tracks), np.ones(len(tracks), bool), settings,
        entered=tracks["entered"].to_numpy(bool), light=lambda seconds: effort.light_at(county, seconds),
    )  # fmt: skip
    return debrief(planned, pieces, terrain, county.season, settings, least_pod=county.settings.coverage.blind_pod)


def _cover(county: County, window: Frame) -> Grid:
    if grids.has_grid(county.path, "cover"):
        return grids.read_grid(county.path, "cover", window)
    return Grid(np.full(window.shape, Cover.OPEN, np.uint8), window)
