"""The county cut into permanent, lettered segments: made once for every township, never renamed or redrawn."""

from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio.features
import shapely

from geo.analysis import travel
from geo.analysis.partition import letter_number, letters, partition
from geo.errors import StoreError
from geo.layers import SCHEMAS
from geo.layers.terrain import Terrain
from geo.ledger import Entry
from geo.store import Change, grids
from geo.workspace.county import County
from geo.workspace.preparing import cover_of

MARGIN_M = 600.0
LEAST_M2 = 50_000.0
Progress = Any


def segments_of(county: County, *, now: datetime, progress: Progress = None) -> gpd.GeoDataFrame:
    """
    Every segment of the county; ground that belongs to none yet is cut and kept first.

    A second call changes nothing. Where a township's line has moved, its new ground gets new letters and the old
    segments stay as they are.

    Raises
    ------
    StoreError
        The county has no terrain.
    """
    if not county.has_terrain():
        raise StoreError("terrain_missing", path=county.path.name)
    held = gpd.GeoDataFrame(county.store.read("segments"))
    townships = county.store.read("townships")
    fresh = []
    for number, township in enumerate(townships.itertuples()):
        mine = held[held["township_id"] == township.township_id]
        bare = _bare(township.geometry, mine)
        if bare is not None:
            if progress:
                progress(str(township.name), number, len(townships))
            fresh.append(_cut(county, str(township.township_id), bare, mine))
    if fresh:
        rows = gpd.GeoDataFrame(pd.concat(fresh, ignore_index=True), crs=county.crs)
        told = {"townships_n": len(fresh), "segments_n": len(rows)}
        county.store.append(Entry("segments", told), Change("segments", rows), now=now)
        held = gpd.GeoDataFrame(county.store.read("segments"))
    return held


def _bare(outline: Any, segments: gpd.GeoDataFrame) -> Any:
    """A township's ground without a segment; None where it is hardly any."""
    left = outline if not len(segments) else shapely.difference(outline, shapely.union_all(segments.geometry))
    parts = [one for one in shapely.get_parts(left) if one.geom_type == "Polygon"]
    wide = [one for one in parts if one.area > LEAST_M2 and not shapely.buffer(one, -30.0).is_empty]
    if not len(segments):
        return outline
    return shapely.MultiPolygon(wide) if wide else None


def _cut(county: County, township_id: str, ground: Any, known: gpd.GeoDataFrame) -> pd.DataFrame:
    """New segments of a township: their letters go on from those it has."""
    terrain, surface = window_of(county, ground.bounds)
    pieces = partition(ground, surface, piece_m2=county.settings.scheduling.segment_ha * 1e4)
    first = max((letter_number(str(label)) for label in known["label"]), default=-1) + 1
    labels = [letters(first + n) for n in range(len(pieces))]
    rows = gpd.GeoDataFrame(
        {
            "segment_id": [f"{township_id}-{label}" for label in labels],
            "township_id": township_id,
            "label": labels,
            "area_m2": pieces.area.to_numpy(),
            **_figures(county, township_id, terrain, surface, pieces),
        },
        geometry=pieces.to_numpy(),
        crs=county.crs,
    )
    return SCHEMAS["segments"].conform(rows)


def window_of(county: County, bounds: tuple[float, float, float, float]) -> tuple[Terrain, travel.CostSurface]:
    """Ground and walking surface round a box (west, south, east, north, metres)."""
    frame = grids.grid_frame(county.path, "elevation")
    factor = max(1, round(county.settings.planning.cell_m / frame.cell_m))
    west, south, east, north = bounds
    (top, bottom), (left, right) = frame.cells([west - MARGIN_M, east + MARGIN_M], [north + MARGIN_M, south - MARGIN_M])
    row, col = max(int(top), 0) // factor * factor, max(int(left), 0) // factor * factor
    window = frame.window(row, col, int(bottom) + 1 - row, int(right) + 1 - col)
    elevation = grids.read_grid(county.path, "elevation", window)
    terrain = Terrain(elevation, cover_of(county, elevation), county.settings.cell_m)
    roads = gpd.GeoDataFrame(county.store.read("roads"))
    return terrain, travel.cost_surface(terrain, roads, county.settings.planning)


def _figures(
    county: County, township_id: str, terrain: Terrain, surface: travel.CostSurface, pieces: gpd.GeoSeries
) -> dict[str, npt.NDArray[np.float64]]:
    """Per piece: mean height of its plantable ground, walk from the office and back, and what no walker can enter."""
    frame = surface.frame
    label = rasterio.features.rasterize(
        [(shape, n + 1) for n, shape in enumerate(pieces)], frame.shape, transform=frame.transform, dtype="int32"
    )
    factor = round(frame.cell_m / terrain.elevation.frame.cell_m)
    fine = terrain.plantable[: frame.rows * factor, : frame.cols * factor]
    ground = fine.reshape(frame.rows, factor, frame.cols, factor).mean(axis=(1, 3))
    away = np.full(frame.shape, np.inf)
    offices = county.store.read("offices")
    for place in offices.geometry[offices["township_id"] == township_id]:
        spot = np.array([[place.x, place.y]])
        there, back = (travel.field(surface, spot, backwards=turned) for turned in (False, True))
        away = np.minimum(away, there + back)
    walkable = np.isfinite(away) if len(offices) else ~surface.closed
    height = np.nan_to_num(surface.elevation.values)
    one = np.ones(frame.shape)
    whole, cells = _sums(label, ground, one, len(pieces)), _sums(label, one, one, len(pieces))
    walked = _sums(label, np.where(walkable, ground + 1e-6, 0.0), one, len(pieces))
    away_s = _sums(label, np.where(walkable, ground + 1e-6, 0.0), np.where(np.isfinite(away), away, 0.0), len(pieces))
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "elevation_m": np.where(whole > 0, _sums(label, ground, height, len(pieces)) / whole,
                                    _sums(label, one, height, len(pieces)) / cells),
            "away_s": np.where(walked > 0, away_s / walked, np.nan) if len(offices) else np.full(len(pieces), np.nan),
            "unwalkable": np.where(
                whole > 0, 1.0 - np.minimum(_sums(label, ground * walkable, one, len(pieces)) / whole, 1.0), 0.0
            ),
        }  # fmt: skip


def _sums(label: npt.NDArray[np.int32], weight: Any, values: Any, n: int) -> npt.NDArray[np.float64]:
    return np.asarray(np.bincount(label.ravel(), (weight * values).ravel(), minlength=n + 1)[1:], float)
