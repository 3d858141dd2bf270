"""Sums over townships: which polygon holds a cell, which cells a track passes, and the shares of each township."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio.features import rasterize

from geo.analysis import _kernels_zonal as kernels
from geo.grid import Frame, Grid
from geo.settings import CoverageSettings

BLOCK_ROWS = 512
CHINA_OFFSET_S = 8 * 3600
DAY_S = 86400

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Passes:
    """
    What lies near the season's foot tracks, each of shape (rows, cols).

    `near` and `wide`: centre within the buffer and the contrast buffer; `days` uint8: 0 never, 1 on one day,
    2 on two days or more within the buffer.
    """

    near: Mask
    wide: Mask
    days: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Parts:
    """
    The parts townships are made of: villages, and what belongs to none.

    `grid` holds the 1-based part of each cell, `parents` the 0-based township of each part, `village_ids` the village
    of each part, None for ground of no village.
    """

    grid: Grid
    parents: Ints
    village_ids: list[str | None]

    @classmethod
    def whole(cls, zones: Grid, zones_n: int) -> "Parts":
        """Townships without villages."""
        return cls(zones, np.arange(zones_n), [None] * zones_n)


def zone_grid(zones: gpd.GeoDataFrame, frame: Frame) -> Grid:
    """
    Grid int16 of the 1-based row position of the polygon that holds each cell's centre; 0 none, overlaps the first.

    Parameters
    ----------
    zones
        Polygons in the CRS of `frame`, fewer than 32,768.
    """
    shapes = [(shape, place + 1) for place, shape in enumerate(zones.geometry) if shape is not None and shape.area > 0]
    if not shapes:
        return Grid(np.zeros(frame.shape, np.int16), frame)
    values = rasterize(shapes[::-1], out_shape=frame.shape, transform=frame.transform, fill=0, dtype="int16")
    return Grid(values, frame)


def village_parts(zones: Grid, villages: gpd.GeoDataFrame, *, zone_ids: Sequence[str]) -> Parts:
    """
    The villages' ground inside their township: their polygon, else what lies nearest to their point.

    Parameters
    ----------
    zones, zone_ids
        1-based township of each cell, and its id.
    villages
        ``village_id, township_id`` and geometry, metres; rows without place have no ground.
    """
    placed = villages[villages.geometry.notna() & ~villages.geometry.is_empty & villages["township_id"].isin(zone_ids)]
    solid = placed.geometry.geom_type.isin(("Polygon", "MultiPolygon"))
    listed = pd.concat([placed[~solid].drop_duplicates("geometry"), placed[solid]])
    parents = np.concatenate([np.arange(len(zone_ids)), listed["township_id"].map(list(zone_ids).index).to_numpy(int)])
    values, numbers = zones.values.astype(np.int32), np.arange(len(zone_ids) + 1, len(parents) + 1)
    shape, owner = listed.geometry.to_numpy(), parents[len(zone_ids) :]
    is_point = ~solid[listed.index].to_numpy(bool)
    for township in np.unique(owner):
        mine = owner == township
        ground = [*_nearest_ground(shape[mine & is_point]), *shape[mine & ~is_point]]
        _burn(values, zones, ground, numbers[mine], int(township) + 1)
    ids: list[str | None] = [None] * len(zone_ids)
    return Parts(Grid(values, zones.frame), parents.astype(np.int64), [*ids, *listed["village_id"]])


def _nearest_ground(points: npt.NDArray[Any]) -> list[shapely.Geometry]:
    """The ground nearest to each point (its Voronoi cell, out to a thousand kilometres), in their order."""
    if not len(points):
        return []
    far = shapely.box(*shapely.total_bounds(points)).buffer(1e6)
    if len(points) == 1:
        return [far]
    return list(shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=far, ordered=True)))


def _burn(
    values: npt.NDArray[np.int32], zones: Grid, shapes: list[shapely.Geometry], numbers: npt.NDArray[Any], zone: int
) -> None:
    """Write each shape's number into the cells of its zone, in place; work is done in the zone's rectangle."""
    rows, cols = np.flatnonzero((zones.values == zone).any(axis=1)), np.flatnonzero((zones.values == zone).any(axis=0))
    if not len(rows):
        return
    window = zones.frame.window(int(rows[0]), int(cols[0]), int(np.ptp(rows)) + 1, int(np.ptp(cols)) + 1)
    drawn = rasterize(
        list(zip(shapes, numbers.tolist(), strict=True)),
        out_shape=window.shape,
        transform=window.transform,
        dtype="int32",
    )
    part = values[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    held = (zones.values[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1] == zone) & (drawn > 0)
    part[held] = drawn[held]


def buffer_mask(lines: gpd.GeoSeries, frame: Frame, buffer_m: float, *, tolerance_m: float = 0.0) -> Mask:
    """
    Cells (rows, cols) whose centre lies within `buffer_m` of a line or point; polygons count by their outline.

    Each segment is a capsule that covers one run of columns per row; runs are counted by their ends, so the work
    does not grow with the width of the buffer's runs. `tolerance_m` simplifies the lines first, for wide buffers: the
    answer is then exact to that many metres.
    """
    segments, _ = _segments(lines, frame, tolerance_m)
    mask = np.zeros(frame.shape, np.bool_)
    order = np.argsort(segments[:, [1, 3]].min(axis=1)) if len(segments) else np.zeros(0, np.int64)
    segments = segments[order]
    radius = buffer_m / frame.cell_m
    lowest, highest = segments[:, [1, 3]].min(axis=1), segments[:, [1, 3]].max(axis=1)
    for top in range(0, frame.rows, BLOCK_ROWS):
        block = mask[top : top + BLOCK_ROWS]
        held = (lowest <= top + len(block) + radius) & (highest >= top - 1 - radius)
        edges = np.zeros((len(block), frame.cols + 1), np.int32)
        kernels.count_edges(segments[held], radius, top, edges)
        kernels.fill_runs(edges, block)
    return mask


def passed_days(tracks: gpd.GeoSeries, frame: Frame, buffer_m: float) -> npt.NDArray[np.uint8]:
    """
    Per cell (rows, cols): 0 no track within `buffer_m` of its centre, 1 on one day, 2 on two or more different days.

    Parameters
    ----------
    tracks
        Lines with m = UTC seconds in the CRS of `frame`. The day is that of Asia/Shanghai (UTC + 8 h) at which a
        segment begins.
    """
    segments, seconds = _segments(tracks, frame)
    days = np.floor((seconds + CHINA_OFFSET_S) / DAY_S)
    days = np.where(np.isfinite(days), days, -1.0).astype(np.int32)
    passed, first_day = np.zeros(frame.shape, np.uint8), np.zeros(frame.shape, np.int32)
    kernels.stamp_days(segments, days, buffer_m / frame.cell_m, first_day, passed)
    return passed


def passes(tracks: gpd.GeoSeries, frame: Frame, settings: CoverageSettings) -> Passes:
    """`Passes` of the season's foot tracks; the contrast buffer is exact to a hundredth of its width."""
    days = passed_days(tracks, frame, settings.buffer_m)
    wide_m = settings.contrast_buffer_m
    return Passes(days > 0, buffer_mask(tracks, frame, wide_m, tolerance_m=wide_m / 100.0), days)


def township_shares(
    zones: Grid,
    *,
    zone_ids: list[str],
    risk: Grid,
    pod: npt.NDArray[np.float32],
    near: Passes,
    settings: CoverageSettings,
) -> pd.DataFrame:
    """
    One row per zone: areas by cells, and shares over its plantable cells (RR > 0), NaN where it has none.

    Parameters
    ----------
    pod
        The season's POD, float32 (rows, cols).

    Returns
    -------
    pd.DataFrame
        Index ``township_id``; area_km2, plantable_km2, buffer_share, buffer500_share, pod_mean, detection, watched,
        blind, repeated (share of watched cells passed on two days or more; NaN also where nothing is watched).
    """
    zones.require_same_frame(risk)
    if int(zones.values.max(initial=0)) > len(zone_ids):
        raise ValueError(f"zones number up to {zones.values.max()}, only {len(zone_ids)} are named")
    sums = zone_sums(zones.values, risk.values, pod, near, zones_n=len(zone_ids), settings=settings)
    return shares_of(sums, zone_ids, cell_m=zones.frame.cell_m)


def zone_sums(
    zones: npt.NDArray[np.int16],
    risk: npt.NDArray[np.float32],
    pod: npt.NDArray[np.float32],
    near: Passes,
    *,
    zones_n: int,
    settings: CoverageSettings,
) -> Floats:
    """
    What `shares_of` is made of, summed over the cells given: the whole county, or a window of it (same shape each).

    Sums of a window before and after a change bring those of the county up to date: whole − before + after.
    """
    sums = np.zeros((zones_n, 10))
    limits = np.array([settings.watched_pod, settings.blind_pod])
    kernels.sum_zones(zones, risk, pod, near.near, near.wide, near.days, limits, sums)
    return sums


def shares_of(sums: Floats, zone_ids: list[str], *, cell_m: float) -> pd.DataFrame:
    """The table of `township_shares` from sums of `zone_sums` (zones, 10)."""
    cell_km2 = (cell_m / 1000.0) ** 2
    plantable, watched = sums[:, 1], sums[:, 7]
    columns = {
        "area_km2": sums[:, 0] * cell_km2,
        "plantable_km2": plantable * cell_km2,
        "buffer_share": _share(sums[:, 2], plantable),
        "buffer500_share": _share(sums[:, 3], plantable),
        "pod_mean": _share(sums[:, 4], plantable),
        "detection": _share(sums[:, 6], sums[:, 5]),
        "watched": _share(watched, plantable),
        "blind": _share(sums[:, 8], plantable),
        "repeated": _share(sums[:, 9], watched),
    }
    return pd.DataFrame(columns, index=pd.Index(zone_ids, name="township_id"))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0), float)


def _segments(lines: gpd.GeoSeries, frame: Frame, tolerance_m: float = 0.0) -> tuple[Floats, Floats]:
    """
    Segments (n, 4) x0 y0 x1 y1 in cells from the first cell's centre, rows downwards, and m at each start (n,).

    With a tolerance vertices are left out (Douglas and Peucker), and m is not to be relied on.
    """
    shapes = np.asarray(lines.to_numpy())
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    flat = shapely.get_parts(shapes)
    solid = shapely.get_dimensions(flat) == 2
    parts = np.concatenate([flat[~solid], shapely.get_parts(shapely.boundary(flat[solid]))])
    if tolerance_m > 0.0:  # line by line: what keeps lines from crossing one another takes ten times as long
        parts = shapely.simplify(parts, tolerance_m, preserve_topology=False)
    places, part = shapely.get_coordinates(parts, include_m=True, return_index=True)
    x = (places[:, 0] - frame.west_m) / frame.cell_m - 0.5
    y = (frame.north_m - places[:, 1]) / frame.cell_m - 0.5
    joined = np.flatnonzero(part[1:] == part[:-1])
    alone = np.flatnonzero(np.bincount(part, minlength=len(parts))[part] == 1)
    start, stop = np.concatenate([joined, alone]), np.concatenate([joined + 1, alone])
    return np.column_stack([x[start], y[start], x[stop], y[stop]]), places[start, 2]
