"""A piece of ground somebody drew: what lies in it, what is unseen there, and what hours of search would find."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo.analysis import allocation, priority, zonal
from geo.crs import to_metric
from geo.errors import FormatError, LayerError, StoreError
from geo.formats import one_area, read_outline
from geo.grid import Frame, Grid
from geo.layers.parcels import OPEN
from geo.layers.terrain import Cover, Terrain
from geo.store import grids
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage

LARGEST_KM2 = 2000.0
SHARES = (0.5, 0.8)
Outline = Sequence[tuple[float, float]]
"""Longitude and latitude of the corners of an area, WGS 84 degrees."""


@dataclass(frozen=True)
class AreaFigures:
    """
    What is known of a drawn area.

    Parameters
    ----------
    plantable_km2, blind_km2
        Ground where something can be planted, and of it what nobody has seen (POD below the county's limit).
    townships
        Ids of the townships it touches, most ground first; `parcels` and `finds` are ids inside it, `due` of the
        parcels those still open.
    standing
        Expected plots standing there undetected.
    hours_for
        Hours of search for a share of what a search could still find there, by share; travel is left out.
    hours, expected
        What was offered, and the expected finds of spending it in the best order; travel left out.
    """

    as_of: datetime
    area_km2: float
    plantable_km2: float
    blind_km2: float
    pod_mean: float | None
    townships: list[str]
    villages_n: int
    parcels: list[str]
    due: list[str]
    finds: list[str]
    standing: float
    hours_for: dict[float, float]
    hours: float
    expected: float


def area_figures(
    county: County, outline: Sequence[tuple[float, float]], *, hours: float, as_of: datetime | None = None
) -> AreaFigures:
    """
    Figures of the polygon with this outline (longitude, latitude), for `hours` of search in it.

    The chance that a plot stands undetected is each township's own (1 - p_zero), spread over its cells as for plans.

    Raises
    ------
    LayerError
        The outline is no area, lies outside the county, or is larger than `LARGEST_KM2`.
    StoreError
        The county has no terrain.
    """
    moment = as_of or county.as_of()
    shape = drawn_shape(county, outline)
    if not county.has_terrain():
        raise StoreError("terrain_missing", path=county.path.name)
    whole = county.whole
    townships = gpd.GeoDataFrame(county.store.read("townships"))
    touched = townships[townships.intersects(shape)]
    west, south, east, north = touched.total_bounds
    frame = _window(grids.grid_frame(county.path, "elevation"), (west, south, east, north))
    here = np.asarray(zonal.zone_grid(_single(county, shape), frame).values > 0)
    chance = measure_coverage(whole, as_of=moment).townships.set_index("township_id")["p_zero"]
    present = 1.0 - chance.reindex(list(townships["township_id"])).astype("float64").fillna(
        county.settings.absence.prior
    )
    zones, risk, seen = (grids.read_grid(county.path, name, frame) for name in ("zones", "risk", "season_pod"))
    pod = Grid(np.nan_to_num(seen.values), frame)
    mass = priority.posterior_mass(
        risk, pod, zones=_complete(zones, townships, touched), present=np.asarray(present, np.float64)
    )
    terrain = _terrain(county, frame)
    plantable = terrain.plantable & here
    inside = Grid(np.where(here, 1, 0).astype(np.int32), frame)
    left = allocation.unseen(
        np.where(here, mass.values, np.float32(0.0)),
        np.zeros(frame.shape, np.float32),
        zones=inside,
        parents=np.zeros(1, np.int64),
        zones_n=1,
        terrain=terrain,
        season=county.season,
        day=county.season.day_of(moment),
        settings=county.settings.detection,
    )
    findable = float(left.bins[..., 1].sum())
    parcels, finds, villages = (gpd.GeoDataFrame(county.store.read(name)) for name in ("parcels", "finds", "villages"))
    held, found, lived = (_inside(table, shape) for table in (parcels, finds, villages))
    return AreaFigures(
        as_of=moment,
        area_km2=shape.area / 1e6,
        plantable_km2=float(plantable.sum()) * frame.cell_m**2 / 1e6,
        blind_km2=float((plantable & (pod.values < county.settings.coverage.blind_pod)).sum()) * frame.cell_m**2 / 1e6,
        pod_mean=float(pod.values[plantable].mean()) if plantable.any() else None,
        townships=list(
            touched.assign(held=touched.intersection(shape).area).sort_values("held", ascending=False)["township_id"]
        ),
        villages_n=len(lived),
        parcels=list(held["parcel_id"]),
        due=list(held.loc[held["status"].isin([str(status) for status in OPEN]), "parcel_id"]),
        finds=list(found["find_id"]),
        standing=float(mass.values[here].sum(dtype=np.float64)),
        hours_for={share: allocation.hours_needed(left, 0, share * findable) for share in SHARES},
        hours=hours,
        expected=allocation.gain_of(left, 0, hours),
    )


def outline_of(text: str) -> Outline:
    """
    An area as somebody writes it: the name of a file with one area, or its outline as WKT in degrees.

    >>> len(outline_of("POLYGON ((105 26, 105.1 26, 105.1 26.1, 105 26))"))
    4

    Raises
    ------
    FormatError, DatumError
        Neither of both, or not one area.
    """
    if os.path.isfile(text):  # unlike `Path.is_file` it takes a text too long to name a file
        area = read_outline(Path(text))
    else:
        try:
            shape = shapely.from_wkt(text)
        except shapely.errors.ShapelyError as error:
            raise FormatError("outline_bad", value=text[:60]) from error
        area = one_area([shape], text[:60])
    return [(float(east), float(north)) for east, north in area.exterior.coords[:]]


def drawn_shape(county: County, outline: Outline) -> shapely.Polygon:
    """The area in the county's metric CRS; `LayerError` where it is none, too large, or touches no township."""
    places = np.asarray(outline, float).reshape(-1, 2)
    if len(places) < 3 or not np.isfinite(places).all():
        raise LayerError("area_no_area")
    shape = shapely.make_valid(shapely.Polygon(np.column_stack(to_metric(places[:, 0], places[:, 1], county.crs))))
    if shape.area < 100.0:
        raise LayerError("area_no_area")
    if shape.area / 1e6 > LARGEST_KM2:
        raise LayerError("area_too_large", area=round(shape.area / 1e6), most=round(LARGEST_KM2))
    if not gpd.GeoDataFrame(county.store.read("townships")).intersects(shape).any():
        raise LayerError("area_outside")
    return shape


def _single(county: County, shape: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"township_id": ["area"]}, geometry=[shape], crs=county.crs)


def _window(frame: Frame, bounds: tuple[float, float, float, float]) -> Frame:
    west, south, east, north = bounds
    (top, bottom), (left, right) = (np.asarray(v) for v in frame.cells([west, east], [north, south]))
    return frame.window(int(top), int(left), int(bottom - top) + 1, int(right - left) + 1)


def _complete(zones: Grid, townships: gpd.GeoDataFrame, touched: gpd.GeoDataFrame) -> Grid:
    """Zones of the townships that lie in the window whole; the others' chances would be spread over a part of them."""
    wanted = np.flatnonzero(townships["township_id"].isin(touched["township_id"])) + 1
    return Grid(np.where(np.isin(zones.values, wanted), zones.values, 0), zones.frame)


def _terrain(county: County, frame: Frame) -> Terrain:
    elevation = grids.read_grid(county.path, "elevation", frame)
    if grids.has_grid(county.path, "cover"):
        cover = grids.read_grid(county.path, "cover", frame)
    else:
        cover = Grid(np.full(frame.shape, Cover.OPEN, np.uint8), frame)
    return Terrain(elevation, cover, county.settings.cell_m)


def _inside(table: gpd.GeoDataFrame, shape: shapely.Geometry) -> gpd.GeoDataFrame:
    placed = table[table.geometry.notna()]
    return placed[placed.geometry.representative_point().within(shape)] if len(placed) else placed
