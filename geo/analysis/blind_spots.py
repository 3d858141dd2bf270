"""
Blind spots (盲区): unseen ground, ranked by what an hour there is worth, and what each border strip has seen.

A blind spot is connected (8-neighbour) plantable cells below the blind POD. On a county with few tracks the unseen
ground is one piece; a piece larger than a block is therefore cut along the blocks of a coarse tiling, the strips of
the borders and the township lines. A strip is not cut along its edge: a spot astride an edge is one spot with two
owners. Cut-off scraps below the smallest size are left out of the list, not out of any share.
"""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from rasterio import features
from scipy import ndimage

from geo.analysis import _kernels_spots as kernels
from geo.grid import Array, Frame, Grid
from geo.layers.borders import ENCLAVE, UNKNOWN, Strips
from geo.settings import CoverageSettings

BLOCK_M = 500.0
OUTLINED = 200
SHEET_CELLS = 1024
"""Width of the sheet that outlines are traced on."""


def search_hours(sweep_width_m: npt.NDArray[np.float32], *, cell_m: float, speed_kmh: float) -> npt.NDArray[np.float32]:
    """
    Hours to search each cell once at coverage 1: area / (W·v); infinite where nothing can be seen.

    >>> float(search_hours(np.array([20.0], np.float32), cell_m=100.0, speed_kmh=1.0)[0])
    0.5
    """
    with np.errstate(divide="ignore"):
        hours: npt.NDArray[np.float32] = np.float32(cell_m**2 / (1000.0 * speed_kmh)) / sweep_width_m
    return hours


def border_statistics(
    strips: Strips,
    borders: gpd.GeoDataFrame,
    *,
    pod_a: npt.NDArray[np.float32],
    pod_b: npt.NDArray[np.float32],
    plantable: npt.NDArray[np.bool_],
    settings: CoverageSettings,
) -> pd.DataFrame:
    """
    What each border's strip has seen, on the index of `borders`.

    Parameters
    ----------
    pod_a, pod_b
        POD (0-1) in each strip cell from the teams of `township_id` and of `neighbour_id`; NaN where not known.
    plantable
        Whether poppy could stand in each strip cell.

    Returns
    -------
    pd.DataFrame
        ``strip_km2`` (all strip cells; at an unknown neighbour the county's side only), and over its plantable cells
        the shares ``seen_from_a``, ``seen_from_b`` with POD at or above the watched one, and ``seen_by_neither``.
        Null without plantable cells; ``seen_from_b`` also where the neighbour is unknown, an enclave, or not known.
    """
    n = len(borders)
    held = strips.border[plantable]
    cells = np.bincount(held, minlength=n)
    known_b = np.bincount(held[np.isfinite(pod_b[plantable])], minlength=n) > 0
    nobody = borders["neighbour_id"].isin([UNKNOWN, ENCLAVE]).to_numpy()
    a = pod_a[plantable] >= settings.watched_pod
    b = (pod_b[plantable] >= settings.watched_pod) & ~nobody[held]
    with np.errstate(invalid="ignore"):
        shares = [np.bincount(held, mark, minlength=n) / cells for mark in (a, b, ~a & ~b)]
    return pd.DataFrame(
        {
            "border_id": borders["border_id"].to_numpy(),
            "strip_km2": np.bincount(strips.border, minlength=n) * strips.frame.cell_m**2 / 1e6,
            "seen_from_a": shares[0],
            "seen_from_b": np.where(known_b & ~nobody, shares[1], np.nan),
            "seen_by_neither": shares[2],
        },
        index=borders.index,
    )


def blind_spots(
    pod: Grid,
    mass: Grid,
    *,
    hours: Grid,
    plantable: npt.NDArray[np.bool_],
    zones: Grid,
    township_ids: list[str],
    settings: CoverageSettings,
    strips: Strips | None = None,
    borders: gpd.GeoDataFrame | None = None,
    outlined: int = OUTLINED,
) -> gpd.GeoDataFrame:
    """
    Every blind spot, the one worth most per hour first.

    Parameters
    ----------
    pod, mass, hours
        Per cell: POD (0-1), posterior mass (no unit), hours to search it (`search_hours`).
    zones, township_ids
        1-based position of each cell's township, 0 for none.
    strips, borders
        Strips on the same frame, and their borders; a spot in a strip carries its border and both owners.

    Returns
    -------
    gpd.GeoDataFrame
        ``blind_spot_id, township_id, neighbour_id, border_id, area_m2, mass, hours, mass_per_hour, rank, both_answer,
        easting_m, northing_m`` (a cell of the spot); geometry is the outline of the first `outlined`, then that point.
        ``both_answer``: at least half of its cells lie within the border line's accuracy.
    """
    for other in (mass, hours, zones):
        pod.require_same_frame(other)
    blind = plantable & (pod.values < settings.blind_pod) & (zones.values > 0) & np.isfinite(hours.values)
    smallest = int(np.ceil(settings.blind_spot_ha * 1e4 / pod.frame.cell_m**2 - 1e-9))
    key, near = _keys(zones, strips)
    spot = _pieces(blind, key, block=round(BLOCK_M / pod.frame.cell_m), smallest=smallest)
    sums = kernels.sums(spot, mass.values, hours.values, near)
    table = _table(pod.frame, sums, key, zones, township_ids, borders)
    keep = (sums[:, 0] >= smallest) & (sums[:, 1] >= 0.0)
    table = table[keep].sort_values(["mass_per_hour", "area_m2"], ascending=False, kind="stable")
    table["rank"] = np.arange(1, len(table) + 1)
    points = shapely.points(table["easting_m"], table["northing_m"])
    outlines = _outlines(spot, np.asarray(table.index[:outlined] + 1), sums[:, 4:8].astype(np.int64), pod.frame)
    shapes = np.append(outlines, points[len(outlines) :])
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=shapes, crs=pod.frame.crs)


def _keys(zones: Grid, strips: Strips | None) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]:
    """What a cell belongs to: its township's position, or minus (1 + its border's); and where both sides answer."""
    key = zones.values.astype(np.int32)
    near = np.zeros(key.shape, bool)
    if strips is not None:
        key.ravel()[strips.cells] = -1 - strips.border
        near.ravel()[strips.cells] = strips.both_answer
    return key, near


def _pieces(
    blind: npt.NDArray[np.bool_], key: npt.NDArray[np.int32], *, block: int, smallest: int
) -> npt.NDArray[np.int32]:
    """Number of the spot each cell belongs to, 0 for none: whole pieces up to a block, larger ones cut."""
    label, n = ndimage.label(blind, structure=np.ones((3, 3), bool), output=np.int32)
    size = np.bincount(label.ravel(), minlength=n + 1)
    size[0] = 0
    whole = np.where((size >= smallest) & (size <= block * block), 1, 0)
    number = np.where(whole > 0, np.cumsum(whole), np.where(size > block * block, -1, 0)).astype(np.int32)
    relabelled: npt.NDArray[np.int32] = kernels.relabel(label, key, number, block, int(whole.sum()))
    return relabelled


def _table(
    frame: Frame,
    sums: Array,
    key: npt.NDArray[np.int32],
    zones: Grid,
    township_ids: list[str],
    borders: gpd.GeoDataFrame | None,
) -> pd.DataFrame:
    """Spots by number: the township their heaviest cell lies in, and in a strip who is on the edge's other side."""
    cell = sums[:, 8].astype(np.int64)
    easting, northing = frame.centres(cell // frame.cols, cell % frame.cols)
    township = np.array(["", *township_ids], object)[zones.values.ravel()[cell]]
    neighbour, border = np.full((2, len(cell)), None, object)
    owner = key.ravel()[cell]
    inside = owner < 0
    if borders is not None and inside.any():
        pair = borders.iloc[-1 - owner[inside]]
        first, second = (pair[name].to_numpy(object) for name in ("township_id", "neighbour_id"))
        neighbour[inside] = np.where(second == township[inside], first, second)
        border[inside] = pair["border_id"].to_numpy()
    return pd.DataFrame(
        {
            "blind_spot_id": [f"B{e:.0f}-{n:.0f}" for e, n in zip(easting, northing, strict=True)],
            "township_id": township,
            "neighbour_id": neighbour,
            "border_id": border,
            "area_m2": sums[:, 0] * frame.cell_m**2,
            "mass": sums[:, 1],
            "hours": sums[:, 2],
            "mass_per_hour": sums[:, 1] / np.maximum(sums[:, 2], 1e-12),
            "both_answer": sums[:, 3] * 2.0 >= sums[:, 0],
            "easting_m": easting,
            "northing_m": northing,
        }
    )


def _outlines(
    spot: npt.NDArray[np.int32], labels: npt.NDArray[np.int64], boxes: npt.NDArray[np.int64], frame: Frame
) -> npt.NDArray[np.object_]:
    """
    A MultiPolygon per label, metres; `boxes` are the first and last row and column (top, left, bottom, right) by label.

    The spots are laid out on shelves of one sheet and traced at once: one by one each would take half a millisecond.
    """
    top, left, bottom, right = boxes[labels - 1].T
    high, wide = bottom - top + 1, right - left + 1
    width = max(SHEET_CELLS, int(wide.max(initial=0)))
    row, col = np.zeros((2, len(labels)), np.int64)
    down = across = shelf = 0
    for k in range(len(labels)):
        if across + wide[k] > width:
            down, across, shelf = down + shelf, 0, 0
        row[k], col[k] = down, across
        across, shelf = across + wide[k], max(shelf, high[k])
    sheet = np.zeros((down + shelf, width), np.int32)
    for k, label in enumerate(labels):
        inside = spot[top[k] : bottom[k] + 1, left[k] : right[k] + 1] == label
        sheet[row[k] : row[k] + high[k], col[k] : col[k] + wide[k]] = np.where(inside, k + 1, 0)
    traced = list(features.shapes(sheet, mask=sheet > 0, connectivity=4)) if len(labels) else []
    parts = np.array([shapely.geometry.shape(part) for part, _ in traced], object)
    owner = np.array([value for _, value in traced], np.int64) - 1
    order = np.argsort(owner, kind="stable")
    places, part = shapely.get_coordinates(parts[order], return_index=True)
    whose = owner[order][part]
    across_m = frame.west_m + (places[:, 0] + (left - col)[whose]) * frame.cell_m
    down_m = frame.north_m - (places[:, 1] + (top - row)[whose]) * frame.cell_m
    placed = shapely.set_coordinates(parts[order], np.column_stack([across_m, down_m]))
    return np.asarray(shapely.multipolygons(placed, indices=owner[order]), object)
