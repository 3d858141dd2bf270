"""Made-up roads and paths between villages, over gentle ground."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import Delaunay

from geo.demo.sizes import COUNTY_ID, EPSG, Floats
from geo.grid import Array, Grid
from geo.layers import roads
from geo.layers.terrain import Cover

STEP_CELLS = 6
MARGIN_STEPS = 12
WATER_WALL_M = 80.0


def links(places: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """Pairs of villages to connect, (n, 2), and each way's kind: a spanning tree and the shortest other links."""
    triangles = Delaunay(places).simplices
    pairs = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [0, 2]]].reshape(-1, 2), axis=1), axis=0)
    length = np.hypot(*(places[pairs[:, 0]] - places[pairs[:, 1]]).T)
    graph = sparse.coo_array((length, (pairs[:, 0], pairs[:, 1])), shape=(len(places),) * 2)
    tree = csgraph.minimum_spanning_tree(graph).tocoo()
    in_tree = np.isin(pairs @ (len(places), 1), tree.row.astype(np.int64) * len(places) + tree.col)
    extra = ~in_tree & (length < np.quantile(length, 0.45))
    branches = np.bincount(pairs[in_tree].ravel(), minlength=len(places))
    busy = in_tree & (branches[pairs].min(axis=1) >= 2)
    kind = np.where(busy, "公路", np.where(in_tree, "机耕道", "小路"))
    return pairs[in_tree | extra].astype(np.int64), kind[in_tree | extra]


def road_table(ground: Grid, cover: Grid, places: Floats) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.int64]]:
    """Layer roads, and the pair of villages each road joins."""
    pairs, kind = links(places)
    shunned = Grid(ground.values + np.float32(WATER_WALL_M) * (cover.values == Cover.WATER), ground.frame)
    shapes = [gentle_way(shunned, places[one], places[other]) for one, other in pairs]
    ids = [f"{COUNTY_ID}W{n:04d}" for n in range(1, len(pairs) + 1)]
    table = gpd.GeoDataFrame({"road_id": ids, "kind": kind}, geometry=shapes, crs=EPSG)
    return roads.SCHEMA.conform(table), pairs


def gentle_way(ground: Grid, start: Floats, goal: Floats) -> shapely.LineString:
    """A way from `start` to `goal` (metres) that avoids slopes, on every sixth cell of a window round both."""
    row, col = ground.frame.cells(*np.column_stack([start, goal]))
    reach = MARGIN_STEPS * STEP_CELLS
    top, left = max(int(row.min()) - reach, 0), max(int(col.min()) - reach, 0)
    height = ground.values[top : row.max() + reach : STEP_CELLS, left : col.max() + reach : STEP_CELLS].astype(float)
    source, target = (np.stack([row - top, col - left]) // STEP_CELLS).T
    rows, cols = height.shape
    node = np.arange(rows * cols).reshape(rows, cols)
    graph = _graph(height, node, STEP_CELLS * ground.frame.cell_m)
    first, last = (int(np.clip(r, 0, rows - 1) * cols + np.clip(c, 0, cols - 1)) for r, c in (source, target))
    _, before = csgraph.dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    path = [last]
    while path[-1] != first:
        path.append(int(before[path[-1]]))
    found = np.array(path[::-1])[1:-1]
    east, north = ground.frame.centres(top + found // cols * STEP_CELLS, left + found % cols * STEP_CELLS)
    line = shapely.LineString(np.vstack([start, np.column_stack([east, north]), goal]))
    return _rounded(line)


def _graph(height: Array, node: Array, step_m: float) -> sparse.csr_array:
    """Cost of stepping to the 8 neighbours: distance times 1 + (10 x slope) squared."""
    shifts = ((0, 1), (1, 0), (1, 1), (1, -1))
    start, stop, cost = [], [], []
    for down, across in shifts:
        here = (slice(0, -down or None), slice(max(-across, 0), -across if across > 0 else None))
        there = (slice(down, None), slice(max(across, 0), across if across < 0 else None))
        length = step_m * float(np.hypot(down, across))
        slope = np.abs(height[there] - height[here]) / length
        start.append(node[here].ravel())
        stop.append(node[there].ravel())
        cost.append((length * (1.0 + (10.0 * slope) ** 2)).ravel())
    pairs = (np.concatenate(start), np.concatenate(stop))
    return sparse.csr_array((np.concatenate(cost), pairs), shape=(node.size, node.size))


def _rounded(line: shapely.LineString) -> shapely.LineString:
    """The line with its corners cut once (Chaikin), ends kept."""
    place = shapely.get_coordinates(line.simplify(25.0))
    near, far = 0.75 * place[:-1] + 0.25 * place[1:], 0.25 * place[:-1] + 0.75 * place[1:]
    cut = np.stack([near, far], axis=1).reshape(-1, 2)
    return shapely.LineString(np.round(np.vstack([place[:1], cut, place[-1:]]), 2))
