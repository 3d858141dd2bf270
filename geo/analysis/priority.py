"""Where planting is likelier: relative risks per cell, multiplied, each from one stated factor (*assumption*)."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
from rasterio.features import geometry_mask

from geo.analysis.zonal import buffer_mask
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain, slope_degrees
from geo.settings import PrioritySettings

STEEP_DEG = 25.0
BLOCK_ROWS = 512


def relative_risk(
    terrain: Terrain,
    *,
    settings: PrioritySettings,
    edges: gpd.GeoSeries | None = None,
    spots: gpd.GeoSeries | None = None,
    leads: gpd.GeoSeries | None = None,
    ways: gpd.GeoSeries | None = None,
) -> Grid:
    """
    Relative risk of planting, Grid float32 on the terrain's frame; 0 where nothing can be planted.

    RR = edge^[within edge_m of a jurisdiction edge] · history^[within near_m of a historic spot]
    · lead^[within near_m of a tip] · steep^[slope ≥ 25°] · remote^[farther than remote_m from every road and village].
    A factor whose layer is missing or empty is left out: unknown is not remote.

    Parameters
    ----------
    edges, spots, leads, ways
        Jurisdiction edges (lines); historic spots; tips; roads and villages: points, lines or polygons in the
        terrain's CRS. Distances are from the cell's centre; inside a polygon the distance is 0.
    """
    frame = terrain.cover.frame
    risk = terrain.plantable.astype(np.float32)
    risk[_near(edges, frame, settings.edge_m)] *= np.float32(settings.edge)
    risk[_near(spots, frame, settings.near_m)] *= np.float32(settings.history)
    risk[_near(leads, frame, settings.near_m)] *= np.float32(settings.lead)
    if _held(ways):
        risk[~_near(ways, frame, settings.remote_m)] *= np.float32(settings.remote)
    risk[_steep(terrain.elevation)] *= np.float32(settings.steep)
    return Grid(risk, frame)


def _held(places: gpd.GeoSeries | None) -> bool:
    return places is not None and bool((~(places.isna() | places.is_empty)).any())


def _near(places: gpd.GeoSeries | None, frame: Frame, distance_m: float) -> npt.NDArray[np.bool_]:
    if places is None or not _held(places):
        return np.zeros(frame.shape, np.bool_)
    near = buffer_mask(places, frame, distance_m)
    solid = places[places.geom_type.isin(("Polygon", "MultiPolygon"))]
    if len(solid):
        near |= geometry_mask(solid, out_shape=frame.shape, transform=frame.transform, invert=True)
    return near


def _steep(elevation: Grid) -> npt.NDArray[np.bool_]:
    """Slope of 25° and more, by blocks of rows with one row of margin: a county's gradients need not stand at once."""
    frame = elevation.frame
    steep = np.zeros(frame.shape, np.bool_)
    for top in range(0, frame.rows, BLOCK_ROWS):
        first, last = max(top - 1, 0), min(top + BLOCK_ROWS + 1, frame.rows)
        if last - first < 2 or frame.cols < 2:
            continue
        window = Grid(elevation.values[first:last], frame.window(first, 0, last - first, frame.cols))
        steep[top : top + BLOCK_ROWS] = (slope_degrees(window) >= STEEP_DEG)[top - first :][:BLOCK_ROWS]
    return steep


def posterior_mass(risk: Grid, pod: Grid, *, zones: Grid, present: npt.NDArray[np.float64]) -> Grid:
    """
    Expected undetected plots per cell, float32: each zone's chance of one, spread as RR·(1 - POD).

    Parameters
    ----------
    zones, present
        1-based zone of each cell (0 none), and per zone the chance that a plot stands there undetected.
    """
    weight = risk.values * (np.float32(1.0) - pod.values)
    sums = np.bincount(zones.values.ravel(), weight.ravel(), minlength=len(present) + 1)
    sums[0] = 0.0
    factor = np.divide(np.concatenate([[0.0], present]), sums, out=np.zeros(len(sums)), where=sums > 0.0)
    return Grid((weight * factor.astype(np.float32)[zones.values]).astype(np.float32), risk.frame)
