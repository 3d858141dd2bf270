"""
Segments: a jurisdiction's ground cut once into pieces for one team each, along what a walker would not cross.

Seeds spread evenly over the ground are moved to the middle of their pieces a few times; every cell goes to the seed it
is reached from soonest on foot, so that the lines between pieces run along ridges, cliffs and rivers, and every piece
can be walked without leaving it where the ground allows. Pieces tile their jurisdiction exactly.
"""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio.features
import shapely
from scipy import ndimage
from scipy.sparse import csgraph

from geo.analysis.travel import CostSurface
from geo.grid import Frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
TURNS = 3


def letters(number: int) -> str:
    """
    The label of the n-th piece: A … Z, AA, AB …

    >>> [letters(n) for n in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    text, left = "", number + 1
    while left:
        left, digit = divmod(left - 1, 26)
        text = chr(ord("A") + digit) + text
    return text


def letter_number(label: str) -> int:
    """
    The position of a label, as `letters` gives it.

    >>> letter_number("AB"), letter_number(letters(700))
    (27, 700)
    """
    number = 0
    for sign in label:
        number = number * 26 + ord(sign) - ord("A") + 1
    return number - 1


def partition(outline: shapely.Geometry, surface: CostSurface, *, piece_m2: float) -> gpd.GeoSeries:
    """
    The ground of one jurisdiction in pieces of about `piece_m2`, from north to south and west to east.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon in the surface's CRS; each of its parts gets pieces of its own.
    surface
        Ground to walk on, in a window that holds the outline.

    Returns
    -------
    gpd.GeoSeries
        (Multi)Polygons that tile the outline.
    """
    parts = [part for part in shapely.get_parts(outline) if part.geom_type == "Polygon" and part.area > 0]
    pieces = [piece for part in parts for piece in _pieces(part, surface, piece_m2)]
    middle = shapely.centroid(np.array(pieces, dtype=object))
    band = np.floor(-shapely.get_y(middle) / np.sqrt(piece_m2))
    order = np.lexsort((shapely.get_x(middle), band))
    return gpd.GeoSeries([pieces[n] for n in order], crs=surface.frame.crs)


def _pieces(part: shapely.Polygon, surface: CostSurface, piece_m2: float) -> list[shapely.Geometry]:
    count = round(part.area / piece_m2)
    if count < 2:
        return [part]
    frame, row, col = _window(part, surface.frame)
    window = (slice(row, row + frame.rows), slice(col, col + frame.cols))
    inside = rasterio.features.geometry_mask([part], frame.shape, frame.transform, invert=True)
    ground = inside & ~surface.closed[window]
    if ground.sum() < 2 * count:
        return [part]
    cells = np.flatnonzero(ground.ravel())
    number = np.arange(surface.closed.size).reshape(surface.closed.shape)[window].ravel()[cells]
    graph = surface.graph[number][:, number]
    place = np.column_stack(np.divmod(cells, frame.cols)).astype(float)
    seeds = _spread(place, count)
    for turn in range(TURNS + 1):
        owner = _owners(graph, seeds)
        if turn < TURNS:
            seeds = _middles(place, owner, seeds)
    used, label = np.unique(owner, return_inverse=True)
    values = np.zeros(frame.shape, np.int32)
    values.ravel()[cells[owner >= 0]] = label[owner >= 0] + 1
    nearest = ndimage.distance_transform_edt(values == 0, return_indices=True)[1]
    return _shapes(values[tuple(nearest)], frame, part, int(used.size))


def _window(part: shapely.Polygon, frame: Frame) -> tuple[Frame, int, int]:
    """The surface's cells round a part, with its first row and column there."""
    west, south, east, north = part.bounds
    (top, bottom), (left, right) = frame.cells([west, east], [north, south])
    row, col = max(int(top) - 1, 0), max(int(left) - 1, 0)
    cut = frame.window(row, col, min(int(bottom) + 2, frame.rows) - row, min(int(right) + 2, frame.cols) - col)
    return cut, row, col


def _spread(place: Floats, count: int) -> Integers:
    """Positions of `count` places far from each other: the middle first, then always the farthest one."""
    chosen = [int(np.argmin(((place - place.mean(axis=0)) ** 2).sum(axis=1)))]
    away = np.full(len(place), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, ((place - place[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(np.argmax(away)))
    return np.array(chosen)


def _owners(graph: object, seeds: Integers) -> Integers:
    """The seed from which each cell is reached soonest, as position among the seeds; -1 where from none."""
    _, _, source = csgraph.dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    position = {int(seed): n for n, seed in enumerate(seeds)}
    known, which = np.unique(source, return_inverse=True)
    return np.array([position.get(int(one), -1) for one in known])[which.reshape(-1)]


def _middles(place: Floats, owner: Integers, seeds: Integers) -> Integers:
    """The cell of each piece nearest to its middle."""
    moved = seeds.copy()
    order = np.argsort(owner, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(owner[order])) + 1):
        if owner[mine[0]] >= 0:
            off = ((place[mine] - place[mine].mean(axis=0)) ** 2).sum(axis=1)
            moved[owner[mine[0]]] = mine[int(np.argmin(off))]
    return moved


def _shapes(values: npt.NDArray[np.int32], frame: Frame, part: shapely.Polygon, most: int) -> list[shapely.Geometry]:
    """The labelled cells as polygons, cut at the part's own line."""
    found: dict[int, list[shapely.Geometry]] = {}
    for shape, label in rasterio.features.shapes(values, transform=frame.transform):
        found.setdefault(int(label), []).append(shapely.geometry.shape(shape))
    pieces = []
    for label in range(1, most + 1):
        whole = shapely.intersection(shapely.union_all(np.array(found.get(label, []), dtype=object)), part)
        areas = [one for one in shapely.get_parts(whole) if one.geom_type == "Polygon" and one.area > 0]
        if areas:
            pieces.append(areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas))
    return pieces
