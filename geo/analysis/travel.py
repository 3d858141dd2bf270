"""
Walking time over a mountain county: signed slope to seconds on a directed 16-neighbour grid.

Tobler's speed is 6 exp(-3.5 |S + 0.05|) km/h on paths, S the signed slope; off paths it is multiplied by 0.6.
The model knows nothing of walls, hedges or thickets, and paths between cell centres overestimate flat distances
by at most 2.75 %.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio.features
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from geo.analysis import _kernels_travel
from geo.grid import Frame, Grid
from geo.layers.terrain import Cover, Terrain, slope_degrees
from geo.settings import PlanningSettings

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Points = npt.ArrayLike

CLOSED_SHARE = 1.0 / 3.0
"""Share of fine cells that closes a coarse one: a river one fine cell wide closes what it runs through."""
SLOWEST_KMH = 1e-3
"""A move slower than a metre an hour is none: where steep ground is declared passable, it would take years."""
SNAP_CELLS = 3.0
"""A point on closed ground is moved to open ground at most this many cells away."""
_SPAN_SHARE = 0.999
"""Share of the shortest move that a bucket of the search spans: less than one, so that rounding joins no two moves."""
_THREADS, _SHARES = 2, 8
_KINGS = [(0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1)]
_KNIGHTS = [(r, c) for r in (-2, -1, 1, 2) for c in (-2, -1, 1, 2) if abs(r) != abs(c)]
MOVES = (*_KINGS, *_KNIGHTS)


@dataclass(frozen=True)
class CostSurface:
    """
    Ground to walk on.

    Parameters
    ----------
    elevation
        Metres, one value per coarse cell.
    closed, road
        Cells nobody can enter; cells with a road or path, shape of `elevation`.
    graph
        Seconds from cell to neighbouring cell, (cells, cells), directed.
    region
        Number of the strongly connected piece of ground each cell belongs to, (cells,).
    flat_kmh
        Off-path speed on flat ground, for the few metres between a point and the centre of its cell.
    """

    elevation: Grid
    closed: Flags
    road: Flags
    graph: sparse.csr_array
    region: npt.NDArray[np.int32]
    flat_kmh: float

    @property
    def frame(self) -> Frame:
        return self.elevation.frame

    @cached_property
    def nearest_open(self) -> tuple[Floats, npt.NDArray[np.int32]]:
        """Of every cell the distance to open ground, in cells, and the row and column of its nearest open cell."""
        away, nearest = ndimage.distance_transform_edt(self.closed, return_indices=True)
        return away, nearest

    @cached_property
    def reversed_graph(self) -> sparse.csr_array:
        """Seconds of each move by the cell it leads to."""
        return self.graph.T.tocsr()

    @cached_property
    def buckets(self) -> tuple[float, int]:
        """How many buckets of the search a second fills, and how many make the ring (a power of two)."""
        moves_s = self.graph.data
        if not moves_s.size:
            return 1.0, 2
        per_s = 1.0 / (_SPAN_SHARE * float(moves_s.min()))
        return per_s, 1 << int(float(moves_s.max()) * per_s + 3.0).bit_length()


def tobler_kmh(slope: npt.ArrayLike) -> Floats:
    """
    Tobler's walking speed on a path, km/h, by signed slope (rise over run; downhill negative).

    >>> [round(float(v), 4) for v in tobler_kmh([0.0, -0.05, 0.3, -0.3])]
    [5.0367, 6.0, 1.7625, 2.5012]
    """
    return np.asarray(6.0 * np.exp(-3.5 * np.abs(np.asarray(slope, float) + 0.05)))


def cost_surface(
    terrain: Terrain,
    roads: gpd.GeoDataFrame,
    settings: PlanningSettings,
    *,
    bounds: tuple[float, float, float, float] | None = None,
    margin_m: float = 2000.0,
) -> CostSurface:
    """
    The cost surface of a window of the county: elevation by block mean, roads burnt in, barriers closed.

    Parameters
    ----------
    roads
        Roads layer, metric CRS of the terrain; a road opens the closed ground it crosses (bridges, cuttings).
    settings
        Its `cell_m` is rounded to whole cells of the terrain, at least one.
    bounds
        West, south, east, north of the ground to plan for, metres; None for the whole terrain.
    """
    factor = max(1, round(settings.cell_m / terrain.elevation.frame.cell_m))
    rows, cols, frame = _coarse_window(terrain.elevation.frame, factor, bounds, margin_m)
    fine_frame = terrain.elevation.frame.window(rows.start, cols.start, rows.stop - rows.start, cols.stop - cols.start)
    fine = Grid(terrain.elevation.values[rows, cols], fine_frame)
    barred = terrain.cover.values[rows, cols] == Cover.WATER
    if min(fine_frame.shape) > 1:
        barred = barred | (slope_degrees(fine) > settings.impassable_deg)
    elevation = _block_mean(fine.values, factor)
    road = _road_cells(roads, frame)
    closed = (~road & (_block_mean(barred.astype(float), factor) >= CLOSED_SHARE - 1e-9)) | ~np.isfinite(elevation)
    graph = _graph(elevation, closed, road, settings, frame.cell_m)
    _, region = csgraph.connected_components(graph, directed=True, connection="strong")
    flat = float(tobler_kmh(0.0)) * settings.off_path
    return CostSurface(Grid(elevation, frame), closed, road & ~closed, graph, region.astype(np.int32), flat)


def is_open(surface: CostSurface, points: Points) -> Flags:
    """Whether each point (n, 2: easting, northing) lies on walkable ground, or within three cells of some."""
    return np.asarray(_snap(surface, points)[0] >= 0)


def regions(surface: CostSurface, points: Points) -> npt.NDArray[np.int32]:
    """The piece of connected ground each point (n, 2) stands on; -1 on closed ground."""
    cell, _ = _snap(surface, points)
    return np.where(cell >= 0, surface.region[np.maximum(cell, 0)], -1).astype(np.int32)


def times(
    surface: CostSurface, sources: Points, targets: Points, *, limit_s: float = np.inf, backwards: bool = False
) -> Floats:
    """
    Walking seconds from every source to every target (from target to source with `backwards`).

    Parameters
    ----------
    sources, targets
        (n, 2) and (m, 2) easting and northing, metres, CRS of the surface.
    limit_s
        Longer walks are not searched.

    Returns
    -------
    (n, m) seconds; infinite where closed, unconnected or beyond the limit; 0 from a point to itself.
    """
    origin, origin_s = _snap(surface, sources)
    goal, goal_s = _snap(surface, targets)
    seconds = np.full((len(origin), len(goal)), np.inf)
    known, wanted = origin >= 0, goal >= 0
    if known.any() and wanted.any():
        moves, ends = _moves_of(surface, backwards), goal[wanted].astype(np.int32)

        def each(starts: npt.NDArray[np.int32]) -> Floats:
            per_s, ring = surface.buckets
            return np.asarray(_kernels_travel.search_each(*moves, starts, ends, float(limit_s), per_s, ring))

        shares = np.array_split(origin[known].astype(np.int32), min(_SHARES, int(known.sum())))
        with ThreadPoolExecutor(_THREADS) as pool:
            reached = np.vstack(list(pool.map(each, shares)))
        seconds[np.ix_(known, wanted)] = reached + origin_s[known, None] + goal_s[None, wanted]
    a, b = np.asarray(sources, float).reshape(-1, 2), np.asarray(targets, float).reshape(-1, 2)
    seconds[(a[:, None, :] == b[None, :, :]).all(axis=2)] = 0.0
    return seconds


def field(surface: CostSurface, source: Points, *, backwards: bool = False, limit_s: float = np.inf) -> Floats:
    """
    Walking seconds from a place to every cell of the surface (from every cell to it with `backwards`), (rows, cols).

    Infinite where closed, unconnected or beyond the limit.
    """
    cell, aside_s = _snap(surface, source)
    if not surface.closed.size or cell[0] < 0:
        return np.full(surface.closed.shape, np.inf)
    reached, _ = _search(surface, cell[0], limit_s=limit_s, backwards=backwards)
    return np.asarray(reached.reshape(surface.closed.shape) + aside_s[0])


@dataclass(frozen=True)
class Matrix:
    """Seconds from bases to stops (bases, stops), from stops to bases, and from leaving a stop to entering another."""

    out: Floats
    back: Floats
    leg: Floats


def matrix(
    surface: CostSurface,
    bases: Points,
    entries: Points,
    exits: Points,
    *,
    longest_s: float,
    approach: CostSurface | None = None,
) -> Matrix:
    """
    All walking times of a day's planning.

    Parameters
    ----------
    bases, entries, exits
        (n, 2) easting and northing; `entries` and `exits` row by row of the same stop.
    longest_s
        Longer ways are not searched, and ways from stop to stop not beyond a third of it: such pairs are priced by
        way of the nearest base.
    approach
        The ground as it is crossed from and to the bases where that is by car along its roads; stops are then never
        joined by way of a base.
    """
    way = approach or surface
    places, which = np.unique(np.asarray(bases, float).reshape(-1, 2), axis=0, return_inverse=True)
    out = times(way, places, entries, limit_s=longest_s)[which.reshape(-1)]
    back = times(way, places, exits, limit_s=longest_s, backwards=True)[which.reshape(-1)].T
    leg = times(surface, exits, entries, limit_s=longest_s / 3.0)
    if out.size and approach is None:
        leg = np.minimum(leg, (back[:, :, None] + out[None, :, :]).min(axis=1))
    return Matrix(out, np.ascontiguousarray(back), leg)


def path(surface: CostSurface, start: Points, stop: Points, *, limit_s: float = np.inf) -> tuple[Floats, float]:
    """
    The least-cost walk between two points: coordinates (n, 2) from `start` to `stop`, and its seconds.

    An unreachable stop gives an empty line and infinite seconds.
    """
    ends = np.array([start, stop], dtype=float).reshape(2, 2)
    if bool((ends[0] == ends[1]).all()):
        return ends, 0.0
    cell, aside_s = _snap(surface, ends)
    if (cell < 0).any():
        return np.empty((0, 2)), np.inf
    reached, before = _search(surface, cell[0], limit_s=limit_s, until=int(cell[1]))
    if not np.isfinite(reached[cell[1]]):
        return np.empty((0, 2)), np.inf
    chain = [int(cell[1])]
    while chain[-1] != cell[0]:
        chain.append(int(before[chain[-1]]))
    row, col = np.divmod(np.array(chain[::-1]), surface.frame.cols)
    walked = np.column_stack(surface.frame.centres(row, col))
    line = np.vstack([ends[:1], walked, ends[1:]])
    fresh = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
    return line[fresh], float(reached[cell[1]] + aside_s.sum())


def _moves_of(surface: CostSurface, backwards: bool) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats]:
    """Where each cell's moves begin, where they lead (came from with `backwards`), and their seconds."""
    graph = surface.reversed_graph if backwards else surface.graph
    return graph.indptr, graph.indices, graph.data


def _search(
    surface: CostSurface, cell: int, *, limit_s: float, backwards: bool = False, until: int | None = None
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Seconds from a cell to every other, and the cell each was walked from; with `until` good for that cell alone."""
    n = surface.closed.size
    per_s, ring = surface.buckets
    wanted = np.zeros(n, np.uint8)
    wanted[[] if until is None else [until]] = 1
    reached, before = np.empty(n), np.empty(n, np.int32)
    heads, after, ahead = (np.empty(size, np.int32) for size in (ring, n, n))
    ask = (np.int32(cell), float(limit_s), per_s, wanted, int(until is not None))
    _kernels_travel.search(*_moves_of(surface, backwards), *ask, reached, before, heads, after, ahead)
    return reached, before


def _coarse_window(
    frame: Frame, factor: int, bounds: tuple[float, float, float, float] | None, margin_m: float
) -> tuple[slice, slice, Frame]:
    """Fine rows and columns of the window in whole coarse cells, and the coarse frame."""
    west, south, east, north = bounds if bounds is not None else frame.bounds
    margin = margin_m if bounds is not None else 0.0
    (top, bottom), (left, right) = frame.cells(
        [west - margin, east + margin - 1e-6], [north + margin - 1e-6, south - margin]
    )
    first_row, first_col = max(int(top), 0) // factor, max(int(left), 0) // factor
    last_row = min(-(-(int(bottom) + 1) // factor), frame.rows // factor)
    last_col = min(-(-(int(right) + 1) // factor), frame.cols // factor)
    rows, cols = max(last_row - first_row, 0), max(last_col - first_col, 0)
    size = frame.cell_m * factor
    coarse = Frame(frame.west_m + first_col * size, frame.north_m - first_row * size, size, rows, cols, frame.crs)
    return (
        slice(first_row * factor, (first_row + rows) * factor),
        slice(first_col * factor, (first_col + cols) * factor),
        coarse,
    )


def _block_mean(values: npt.NDArray[np.generic], factor: int) -> Floats:
    """Mean of each block of factor × factor cells; NaN where all of them are void."""
    rows, cols = values.shape[0] // factor, values.shape[1] // factor
    blocks = values.astype(float).reshape(rows, factor, cols, factor)
    held = np.isfinite(blocks)
    count = held.sum(axis=(1, 3))
    total = np.where(held, blocks, 0.0).sum(axis=(1, 3))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _road_cells(roads: gpd.GeoDataFrame, frame: Frame) -> Flags:
    lines = [line for line in roads.geometry if line is not None and not line.is_empty] if len(roads) else []
    if not lines or 0 in frame.shape:
        return np.zeros(frame.shape, bool)
    burnt = rasterio.features.rasterize(
        lines, out_shape=frame.shape, transform=frame.transform, all_touched=True, dtype="uint8"
    )
    return np.asarray(burnt == 1)


def _graph(
    elevation: Floats, closed: Flags, road: Flags, settings: PlanningSettings, cell_m: float
) -> sparse.csr_array:
    """Seconds of every allowed move between cells of `cell_m` metres as a sparse matrix; row = from, column = to."""
    rows, cols = elevation.shape
    number = np.arange(rows * cols, dtype=np.int32).reshape(rows, cols)
    parts = [_moves(elevation, closed, road, settings, cell_m, move) for move in MOVES]
    origin = np.concatenate([number[here][allowed] for here, _, allowed, _ in parts])
    goal = np.concatenate([number[there][allowed] for _, there, allowed, _ in parts])
    seconds = np.concatenate([cost[allowed] for _, _, allowed, cost in parts])
    return sparse.csr_array(sparse.coo_array((seconds, (origin, goal)), shape=(number.size, number.size)))


def _moves(
    elevation: Floats, closed: Flags, road: Flags, settings: PlanningSettings, cell_m: float, move: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice], Flags, Floats]:
    """From-window, to-window, whether the move is allowed, and its seconds, for one of the 16 directions."""
    here, there = _shifted(elevation.shape, move, (0, 0)), _shifted(elevation.shape, move, move)
    ground_m = cell_m * float(np.hypot(*move))
    rise_m = elevation[there] - elevation[here]
    slope = rise_m / ground_m
    crossed = [_shifted(elevation.shape, move, between) for between in _between(move)]
    allowed = ~closed[here] & ~closed[there] & (np.abs(slope) <= np.tan(np.radians(settings.impassable_deg)))
    on_road = road[here] & road[there]
    if crossed:
        one, other = (closed[window] for window in crossed)
        blocked = (one | other) if abs(move[0]) != abs(move[1]) else (one & other & ~on_road)
        allowed &= ~blocked
    if abs(move[0]) != abs(move[1]) and crossed:
        on_road &= road[crossed[0]] | road[crossed[1]]
    pace = np.where(on_road, settings.road_kmh / float(tobler_kmh(0.0)), settings.off_path)
    with np.errstate(invalid="ignore"):
        kmh = tobler_kmh(slope) * pace
        seconds = np.hypot(ground_m, rise_m) * 3.6 / np.maximum(kmh, SLOWEST_KMH)
        allowed &= (kmh >= SLOWEST_KMH) & np.isfinite(seconds)
    return here, there, np.asarray(allowed), np.asarray(seconds)


def _between(move: tuple[int, int]) -> list[tuple[int, int]]:
    """The two cells a diagonal or knight's move crosses (none for a straight one)."""
    r, c = move
    if 0 in move:
        return []
    if abs(r) == abs(c):
        return [(r, 0), (0, c)]
    return [(r // 2, 0), (r // 2, c)] if abs(r) == 2 else [(0, c // 2), (r, c // 2)]


def _shifted(shape: tuple[int, ...], move: tuple[int, int], by: tuple[int, int]) -> tuple[slice, slice]:
    """The window of all cells from which `move` stays inside, moved by `by`."""

    def span(size: int, step: int, offset: int) -> slice:
        low, high = max(0, -step), max(size - max(0, step), max(0, -step))
        return slice(low + offset, high + offset)

    return span(shape[0], move[0], by[0]), span(shape[1], move[1], by[1])


def _snap(surface: CostSurface, points: Points) -> tuple[npt.NDArray[np.int64], Floats]:
    """Flat index of the open cell each point walks from (-1: none near), and the seconds aside to its centre."""
    xy = np.asarray(points, float).reshape(-1, 2)
    frame = surface.frame
    row, col = frame.cells(xy[:, 0], xy[:, 1])
    inside = np.asarray(frame.holds(xy[:, 0], xy[:, 1]))
    row, col = np.where(inside, row, 0), np.where(inside, col, 0)
    if inside.any() and bool(surface.closed[row[inside], col[inside]].any()):
        away, nearest = surface.nearest_open
        inside = inside & (away[row, col] <= SNAP_CELLS)
        row, col = nearest[0][row, col], nearest[1][row, col]
    if not surface.closed.size:
        return np.full(len(xy), -1, np.int64), np.zeros(len(xy))
    east, north = frame.centres(row, col)
    aside_s = np.hypot(xy[:, 0] - east, xy[:, 1] - north) * 3.6 / surface.flat_kmh
    inside = inside & ~surface.closed[row, col]
    return np.where(inside, row * frame.cols + col, -1), np.where(inside, aside_s, 0.0)
