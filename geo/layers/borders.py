"""
Borders: every shared jurisdiction edge once, and the strip of ground on both sides of it.

The units (townships, department grounds, known neighbours) are cut into faces that do not overlap. Each metre of line
between two faces of different owners belongs to one border; the owner of a face is the first unit that covers it, in
the order ground, township, neighbour, then by id. So department ground beats the township it lies in, and ground
claimed twice falls to the lower id. Ground that nobody covers is `0` (unknown neighbour) outside the county and
`enclave` in its holes. Where two units were digitised apart, a gap no wider than the lines' accuracy is no ground of
its own: the line of the first unit is their border.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from numba import njit, prange
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.crs import require_metric
from geo.grid import TILE_CELLS, Frame
from geo.schema import Column, Kind, Schema
from geo.settings import BorderSettings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

UNKNOWN, ENCLAVE = "0", "enclave"
UNIT_KINDS = ("ground", "township", "neighbour")
_OUTSIDE, _HOLE, _NOBODY = -1, -2, -3
_BLOCK, _BATCH = 8, 256
_TOUCH_M = 1e-3

SCHEMA = Schema(
    "borders",
    "border_id",
    (
        Column("border_id"),
        Column("township_id"),
        Column("neighbour_id"),
        Column("length_m", Kind.REAL, low=0.0),
        Column("line_accuracy_m", Kind.REAL, low=0.0),
        Column("strip_m", Kind.REAL, low=0.0),
    ),
    geometry=("MultiLineString",),
)


@dataclass(frozen=True)
class Strips:
    """
    The cells near jurisdiction edges, each once.

    Parameters
    ----------
    cells
        Flat index (row · cols + col) into `frame`, int64.
    border
        Position of the cell's border in the borders table, int32: the nearest edge.
    side
        0 on the ground of the border's `township_id`, 1 beyond it, int8.
    both_answer
        Within the accuracy of the line: both sides answer (双方共管).
    """

    cells: Ints
    border: npt.NDArray[np.int32]
    side: npt.NDArray[np.int8]
    both_answer: npt.NDArray[np.bool_]
    frame: Frame


@dataclass(frozen=True)
class _Faces:
    """Noded lines: segments (n, 4) metres, west end first, with owner (unit position or a negative code) and face."""

    units: gpd.GeoDataFrame
    segments: Floats
    left: Ints
    right: Ints
    thin: npt.NDArray[np.bool_]


def units_of(
    townships: gpd.GeoDataFrame, grounds: gpd.GeoDataFrame | None = None, neighbours: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """The units of a county as one table: unit_id, kind (ground, township, neighbour), line_accuracy_m, geometry."""
    named = ((grounds, "ground"), (townships, "township"), (neighbours, "neighbour"))
    tables = [
        table.rename(columns={f"{kind}_id": "unit_id"}).assign(kind=kind)[
            ["unit_id", "kind", "line_accuracy_m", "geometry"]
        ]
        for table, kind in named
        if table is not None and len(table)
    ]
    return gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), geometry="geometry", crs=townships.crs)


def shared_edges(units: gpd.GeoDataFrame, settings: BorderSettings) -> gpd.GeoDataFrame:
    """
    One row per connected piece of line between two owners, each metre once.

    Parameters
    ----------
    units
        `units_of`: unit_id, kind, line_accuracy_m, polygons; metric CRS.

    Returns
    -------
    gpd.GeoDataFrame
        Layer `borders`, ordered by ``border_id`` = lower id ~ higher id ~ n, pieces of one pair numbered from west to
        east. ``township_id`` is the county's own side (a township before a ground, then the lower id),
        ``neighbour_id`` the other, `0` where unknown, `enclave` where nobody answers inside.
    """
    faces = _faces(units)
    segments, own, other = _facing(faces)
    piece = _connected(segments, own * (len(faces.units) + 4) + other)
    order = np.argsort(piece, kind="stable")
    lines = shapely.multilinestrings(
        shapely.linestrings(segments[order].reshape(-1, 2, 2)), indices=np.asarray(piece[order])
    )
    first = order[np.searchsorted(piece[order], np.arange(len(lines)))]
    return _table(faces.units, shapely.line_merge(lines), own[first], other[first], settings)


def strips(borders: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, frame: Frame) -> Strips:
    """
    Every cell within a border's ``strip_m`` whose nearest edge it is; ties go to the lower border_id.

    A cell on neither side's ground belongs to no strip: at an unknown neighbour only the county's side counts. Ground
    nobody covers, within the line's accuracy of a known neighbour, counts as beyond the line.

    Parameters
    ----------
    borders
        `shared_edges` of the same units, in its order.
    frame
        Cells, in the units' CRS. Only tiles near an edge are looked at; no array of the whole frame is made.
    """
    faces = _faces(units)
    lines, owner = _segments_of(borders)
    if not len(lines):
        none = np.empty(0, np.int64)
        return Strips(none, none.astype(np.int32), none.astype(np.int8), none.astype(bool), frame)
    parties = _parties(borders, faces.units)
    limits = borders[["strip_m", "line_accuracy_m"]].to_numpy(float)
    place = np.array([frame.west_m, frame.north_m, frame.cell_m])
    starts, places, east = _crossings(faces, frame)
    tiles_wide = -(-frame.cols // TILE_CELLS)
    tiles, first, member = _bins(lines, place, float(limits[:, 0].max()), -(-frame.rows // TILE_CELLS), tiles_wide)
    found = [
        _cut(
            _nearest(tiles[k : k + _BATCH], first[k : k + _BATCH + 1], member, lines, owner, parties, limits, place,
                     frame.rows, frame.cols, tiles_wide, starts, places, east)
        )
        for k in range(0, len(tiles), _BATCH)
    ]  # fmt: skip
    cells, border, side, both = (np.concatenate(part) for part in zip(*found, strict=True))
    return Strips(cells, border, side, both, frame)


def _faces(units: gpd.GeoDataFrame) -> _Faces:
    """Cut the units into faces and label both sides of every segment between them."""
    require_metric(units.crs, "borders")
    rank = units["kind"].map(UNIT_KINDS.index)
    order = units.assign(rank=rank).sort_values(["rank", "unit_id"], kind="stable").reset_index(drop=True)
    shapes = order.geometry.to_numpy()
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(shapely.boundary(shapes))]))
    label = _owners(faces, shapes, shapes[order["kind"].to_numpy() != "neighbour"])
    thin = (label < 0) & shapely.is_empty(shapely.buffer(faces, -float(order["line_accuracy_m"].max()) / 2.0))
    segments, left, right = _two_sided(shapely.orient_polygons(faces))
    codes, slivers = np.append(label, _OUTSIDE), np.append(thin, False)
    return _Faces(order, segments, codes[left], codes[right], slivers[left] | slivers[right])


def _owners(faces: npt.NDArray[np.object_], shapes: npt.NDArray[np.object_], own: npt.NDArray[np.object_]) -> Ints:
    """Position of the first unit that covers each face; -2 in a hole of the county, -1 outside."""
    inside = shapely.point_on_surface(faces)
    label = np.full(len(faces), len(shapes), np.int64)
    face, unit = shapely.STRtree(shapes).query(inside, predicate="within")
    np.minimum.at(label, face, unit)
    rings = [ring for part in shapely.get_parts(shapely.union_all(own)) for ring in part.interiors]
    holed = shapely.STRtree(shapely.polygons(rings)).query(inside, predicate="within")[0] if rings else []
    bare = label == len(shapes)
    label[bare] = _OUTSIDE
    in_hole = np.zeros(len(faces), bool)
    in_hole[holed] = True
    label[bare & in_hole] = _HOLE
    return label


def _two_sided(faces: npt.NDArray[np.object_]) -> tuple[Floats, Ints, Ints]:
    """Every segment of the faces once, its lesser end first, with the face on its left and right (-1: none)."""
    rings, face = shapely.get_rings(faces, return_index=True)
    places, ring = shapely.get_coordinates(rings, return_index=True)
    nodes, node = np.unique(places[:, 0] + 1j * places[:, 1], return_inverse=True)
    same = ring[1:] == ring[:-1]
    start, stop, owner = node[:-1][same], node[1:][same], face[ring[1:][same]]
    key, segment = np.unique(np.minimum(start, stop) * len(nodes) + np.maximum(start, stop), return_inverse=True)
    left, right = np.full(len(key), -1, np.int64), np.full(len(key), -1, np.int64)
    forward = start < stop
    left[segment[forward]] = owner[forward]
    right[segment[~forward]] = owner[~forward]
    one, two = nodes[key // len(nodes)], nodes[key % len(nodes)]
    return np.column_stack([one.real, one.imag, two.real, two.imag]), left, right


def _facing(faces: _Faces) -> tuple[Floats, Ints, Ints]:
    """Border segments with the county's own unit and the one it faces (or a negative code); gaps are closed."""
    neighbours = np.append((faces.units["kind"] == "neighbour").to_numpy(), [True, True])  # -2 and -1 are no units
    differ = (faces.left != faces.right) & ~(neighbours[faces.left] & neighbours[faces.right])
    segments, left, right, thin = (a[differ] for a in (faces.segments, faces.left, faces.right, faces.thin))
    turn = np.append(faces.units["kind"].map(("township", "ground", "neighbour").index).to_numpy(), [3, 3])
    rank = turn * len(turn) + np.arange(len(turn))
    swap = rank[left] > rank[right]
    own, other = np.where(swap, right, left), np.where(swap, left, right)
    segments = np.where(swap[:, None], segments[:, [2, 3, 0, 1]], segments)  # the own side on the left
    return _close_gaps(faces.units, segments, own, other, thin)


def _close_gaps(
    units: gpd.GeoDataFrame, segments: Floats, own: Ints, other: Ints, thin: npt.NDArray[np.bool_]
) -> tuple[Floats, Ints, Ints]:
    """Where a line faces nobody but another unit lies within the lines' accuracy, it faces that unit, once."""
    shapes, accuracy = units.geometry.to_numpy(), units["line_accuracy_m"].to_numpy(float)
    bare = np.flatnonzero(other < 0)
    lines = shapely.linestrings(segments[bare].reshape(-1, 2, 2))
    near, unit = shapely.STRtree(shapes).query(lines, predicate="dwithin", distance=float(accuracy.max()))
    open_ended = np.unique(bare[near[unit != own[bare[near]]]])
    if not len(open_ended):
        return segments, own, other
    cut, source = _subdivide(segments[open_ended], float(accuracy.max()))
    source = open_ended[source]
    faced = _across(cut, own[source], shapes, accuracy, thin[source])
    found = faced >= 0
    run = _connected(cut, own[source] * len(shapes) + np.where(found, faced, len(shapes) ** 2))
    length = np.bincount(run, np.hypot(cut[:, 2] - cut[:, 0], cut[:, 3] - cut[:, 1]))
    found &= thin[source] | (length[run] >= 4.0 * accuracy.max())
    keep = ~found | (own[source] < faced)
    rest = np.ones(len(segments), bool)
    rest[open_ended] = False
    return (
        np.concatenate([segments[rest], cut[keep]]),
        np.concatenate([own[rest], own[source][keep]]),
        np.concatenate([other[rest], np.where(found, faced, other[source])[keep]]),
    )


def _across(
    cut: Floats, own: Ints, shapes: npt.NDArray[np.object_], accuracy: Floats, thin: npt.NDArray[np.bool_]
) -> Ints:
    """The nearest other unit over a gap from each short piece, -1 where there is none or it only meets at a corner."""
    middle = shapely.points((cut[:, 0] + cut[:, 2]) / 2.0, (cut[:, 1] + cut[:, 3]) / 2.0)
    piece, unit = shapely.STRtree(shapes).query(middle, predicate="dwithin", distance=float(accuracy.max()))
    away = unit != own[piece]
    piece, unit = piece[away], unit[away]
    bridge = shapely.shortest_line(middle[piece], shapes[unit])
    gap = shapely.length(bridge)
    corner = shapely.distance(shapely.get_point(bridge, -1), shapes[own[piece]]) <= _TOUCH_M
    touching = (gap <= _TOUCH_M) & shapely.dwithin(_beyond(cut, 2.0 * _TOUCH_M)[piece], shapes[unit], 0.0)
    fits = (gap <= np.maximum(accuracy[unit], accuracy[own[piece]])) & (~corner | touching | thin[piece])
    faced = np.full(len(cut), -1, np.int64)
    order = np.argsort(-gap[fits], kind="stable")
    faced[piece[fits][order]] = unit[fits][order]
    return faced


def _beyond(cut: Floats, step_m: float) -> npt.NDArray[np.object_]:
    """Points a step to the right of the middle of each piece: off the ground of its own unit."""
    de, dn = cut[:, 2] - cut[:, 0], cut[:, 3] - cut[:, 1]
    step = step_m / np.hypot(de, dn)
    points: npt.NDArray[np.object_] = shapely.points(
        (cut[:, 0] + cut[:, 2]) / 2.0 + dn * step, (cut[:, 1] + cut[:, 3]) / 2.0 - de * step
    )
    return points


def _subdivide(segments: Floats, longest_m: float) -> tuple[Floats, Ints]:
    """Segments cut into equal parts no longer than `longest_m`, with the row each came from."""
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    n = np.maximum(np.ceil(length / max(longest_m, 1.0)), 1).astype(np.int64)
    source = np.repeat(np.arange(len(segments)), n)
    k = np.arange(len(source)) - np.repeat(np.cumsum(n) - n, n)
    one, two = segments[source, :2], segments[source, 2:]
    start, stop = (k / n[source])[:, None], ((k + 1) / n[source])[:, None]
    begin = np.where(start == 0.0, one, one + (two - one) * start)
    end = np.where(stop == 1.0, two, one + (two - one) * stop)
    return np.hstack([begin, end]), source


def _connected(segments: Floats, group: Ints) -> Ints:
    """A number per segment, the same for those of one group that hang together by their ends."""
    nodes, node = np.unique(segments[:, [0, 2]].ravel() + 1j * segments[:, [1, 3]].ravel(), return_inverse=True)
    _, code = np.unique(group, return_inverse=True)
    _, vertex = np.unique(np.repeat(code, 2) * len(nodes) + node, return_inverse=True)
    ends = vertex.reshape(-1, 2)
    n = int(vertex.max()) + 1 if len(vertex) else 0
    links = coo_array((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(n, n))
    label = connected_components(links, directed=False)[1][ends[:, 0]]
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _table(
    units: gpd.GeoDataFrame, lines: npt.NDArray[np.object_], own: Ints, other: Ints, settings: BorderSettings
) -> gpd.GeoDataFrame:
    names = np.append(units["unit_id"].to_numpy(object), [ENCLAVE, UNKNOWN])
    accuracy = np.append(units["line_accuracy_m"].to_numpy(float), [0.0, 0.0])
    a, b = names[own], names[other]
    box = shapely.bounds(lines)
    table = pd.DataFrame(
        {
            "township_id": a,
            "neighbour_id": b,
            "pair": [f"{min(x, y)}~{max(x, y)}" for x, y in zip(a, b, strict=True)],
            "length_m": shapely.length(lines),
            "line_accuracy_m": np.maximum(accuracy[own], accuracy[other]),
            "west": box[:, 0],
            "south": box[:, 1],
        }
    )
    table["strip_m"] = table["line_accuracy_m"].clip(lower=settings.strip_m)
    ranked = table.sort_values(["pair", "west", "south", "length_m"], kind="stable")
    table["border_id"] = table["pair"] + "~" + (ranked.groupby("pair").cumcount() + 1).astype(str)
    parts = [shapely.multilinestrings(shapely.get_parts(line)) for line in lines]
    shaped = gpd.GeoDataFrame(table, geometry=parts, crs=units.crs).sort_values("border_id", ignore_index=True)
    return SCHEMA.conform(shaped)


def _segments_of(borders: gpd.GeoDataFrame) -> tuple[Floats, npt.NDArray[np.int32]]:
    lines, border = shapely.get_parts(borders.geometry.to_numpy(), return_index=True)
    places, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    return np.hstack([places[:-1][same], places[1:][same]]), border[line[1:][same]].astype(np.int32)


def _parties(borders: gpd.GeoDataFrame, units: gpd.GeoDataFrame) -> Ints:
    """Owner codes of both sides of each border (n, 2); an unknown neighbour owns nothing."""
    code = {name: k for k, name in enumerate(units["unit_id"])} | {ENCLAVE: _HOLE, UNKNOWN: _NOBODY}
    return np.column_stack([borders[side].map(code).to_numpy(np.int64) for side in ("township_id", "neighbour_id")])


def _crossings(faces: _Faces, frame: Frame) -> tuple[Ints, Floats, Ints]:
    """
    Where the middle lines of the frame's rows cross from one owner to the next: per row the first crossing, and per
    crossing its easting in cells and the owner to its east.
    """
    west, north = faces.segments[:, [0, 2]], faces.segments[:, [1, 3]]
    v = (frame.north_m - north) / frame.cell_m - 0.5
    top, bottom = np.ceil(v.min(axis=1)), np.ceil(v.max(axis=1))
    top, bottom = np.clip([top, bottom], 0, frame.rows).astype(np.int64)
    n = bottom - top
    source = np.repeat(np.arange(len(n)), n)
    row = top[source] + np.arange(len(source)) - np.repeat(np.cumsum(n) - n, n)
    share = (row - v[source, 0]) / (v[source, 1] - v[source, 0])
    col = (west[source, 0] + (west[source, 1] - west[source, 0]) * share - frame.west_m) / frame.cell_m - 0.5
    rises = north[source, 1] > north[source, 0]
    before = np.where(rises, faces.left[source], faces.right[source])
    after = np.where(rises, faces.right[source], faces.left[source])
    order = np.lexsort((col, row))
    row, col, before, after = row[order], col[order], before[order], after[order]
    # Lines a hair apart may come in the wrong order: the later must start from the owner where the earlier ends.
    close = (np.diff(col) < 1e-6) & (np.diff(row) == 0)
    wrong = np.flatnonzero(close & (after[:-1] != before[1:]) & (after[1:] == before[:-1]))
    after[wrong], after[wrong + 1] = after[wrong + 1].copy(), after[wrong].copy()
    return np.searchsorted(row, np.arange(frame.rows + 1)), col, after


def _cut(found: tuple[Ints, Ints, Ints, Ints]) -> tuple[Ints, Ints, Ints, Ints]:
    cells, border, side, both = found
    held = border >= 0
    return cells[held], border[held], side[held], both[held]


@njit(cache=True)
def _square(east: float, north: float, line: Floats) -> float:
    """Squared distance from a point to a segment; at a clamped end exactly that end's, so that ties are exact."""
    de, dn = line[2] - line[0], line[3] - line[1]
    along = (east - line[0]) * de + (north - line[1]) * dn
    whole = de * de + dn * dn
    square: float
    if along <= 0.0:
        square = (east - line[0]) ** 2 + (north - line[1]) ** 2
    elif along >= whole:
        square = (east - line[2]) ** 2 + (north - line[3]) ** 2
    else:
        square = ((east - line[0]) * dn - (north - line[1]) * de) ** 2 / whole
    return square


def _bins(lines: Floats, place: Floats, reach: float, tiles_high: int, tiles_wide: int) -> tuple[Ints, Ints, Ints]:
    """Tiles with a segment in reach, and the segments of each: tile numbers, first position per tile, segments."""
    tile, segment = _in_reach(lines, place, reach, tiles_high, tiles_wide)
    order = np.argsort(tile, kind="stable")
    tiles, starts = np.unique(tile[order], return_index=True)
    return tiles, np.append(starts, len(tile)), segment[order]


@njit(cache=True)
def _in_reach(lines: Floats, place: Floats, reach: float, tiles_high: int, tiles_wide: int) -> tuple[Ints, Ints]:
    """Pairs of a tile and a segment in reach of it."""
    size = place[2] * TILE_CELLS
    limit = (reach + size * 0.7072) ** 2
    tile, segment = [np.int64(0) for _ in range(0)], [np.int64(0) for _ in range(0)]
    for k in range(len(lines)):
        left = max(int(np.floor((min(lines[k, 0], lines[k, 2]) - reach - place[0]) / size)), 0)
        right = min(int(np.floor((max(lines[k, 0], lines[k, 2]) + reach - place[0]) / size)), tiles_wide - 1)
        top = max(int(np.floor((place[1] - max(lines[k, 1], lines[k, 3]) - reach) / size)), 0)
        bottom = min(int(np.floor((place[1] - min(lines[k, 1], lines[k, 3]) + reach) / size)), tiles_high - 1)
        for r in range(top, bottom + 1):
            for c in range(left, right + 1):
                if _square(place[0] + (c + 0.5) * size, place[1] - (r + 0.5) * size, lines[k]) <= limit:
                    tile.append(np.int64(r * tiles_wide + c))
                    segment.append(np.int64(k))
    return np.array(tile), np.array(segment)


@njit(cache=True, parallel=True)
def _nearest(tiles, first, member, lines, owner, parties, limits, place, rows, cols, wide, starts, places, east):  # type: ignore[no-untyped-def]  # noqa: C901
    """Per cell of each tile the nearest border (-1: none), its side, and whether it lies within the line's accuracy."""
    n = TILE_CELLS * TILE_CELLS
    cells, border = np.empty((len(tiles), n), np.int64), np.full((len(tiles), n), -1, np.int32)
    side, both = np.zeros((len(tiles), n), np.int8), np.zeros((len(tiles), n), np.bool_)
    half = place[2] * _BLOCK * 0.7072
    reach = limits[:, 0].max()
    for t in prange(len(tiles)):
        row0, col0 = tiles[t] // wide * TILE_CELLS, tiles[t] % wide * TILE_CELLS
        mine = member[first[t] : first[t + 1]]
        label = np.full(n, -1, np.int64)
        for r in range(min(TILE_CELLS, rows - row0)):
            low, high = starts[row0 + r], starts[row0 + r + 1]
            k = low + np.searchsorted(places[low:high], col0, side="right")
            for c in range(TILE_CELLS):
                while k < high and places[k] <= col0 + c:
                    k += 1
                label[r * TILE_CELLS + c] = east[k - 1] if k > low else -1
        away, close = np.empty(len(mine)), np.empty(len(mine), np.int64)
        for b in range(n // (_BLOCK * _BLOCK)):
            r0, c0 = b // (TILE_CELLS // _BLOCK) * _BLOCK, b % (TILE_CELLS // _BLOCK) * _BLOCK
            e0 = place[0] + (col0 + c0 + _BLOCK / 2) * place[2]
            n0 = place[1] - (row0 + r0 + _BLOCK / 2) * place[2]
            least = np.inf
            for m in range(len(mine)):
                away[m] = np.sqrt(_square(e0, n0, lines[mine[m]]))
                least = min(least, away[m])
            if least - half > reach:
                continue
            kept = 0
            for m in range(len(mine)):
                if away[m] <= least + 2.0 * half + 1e-6:
                    close[kept] = mine[m]
                    kept += 1
            for q in range(_BLOCK * _BLOCK):
                r, c = r0 + q // _BLOCK, c0 + q % _BLOCK
                if row0 + r >= rows or col0 + c >= cols:
                    continue
                here = r * TILE_CELLS + c
                e, h = place[0] + (col0 + c + 0.5) * place[2], place[1] - (row0 + r + 0.5) * place[2]
                best, which, party = np.inf, -1, False
                for m in range(kept):
                    square = _square(e, h, lines[close[m]])
                    if square <= best:
                        one = owner[close[m]]
                        is_party = label[here] == parties[one, 0] or label[here] == parties[one, 1]
                        if square < best or (is_party and not party) or (is_party == party and one < which):
                            best, which, party = square, one, is_party
                sliver = label[here] < 0 and parties[which, 1] >= 0 and best <= limits[which, 1] ** 2
                if best <= limits[which, 0] ** 2 and (party or sliver):
                    cells[t, here] = (row0 + r) * cols + col0 + c
                    border[t, here] = which
                    side[t, here] = 0 if label[here] == parties[which, 0] else 1
                    both[t, here] = best <= limits[which, 1] ** 2
    return cells, border, side, both
