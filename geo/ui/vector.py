"""
Vector tiles: a layer's rows indexed once and encoded tile by tile, for layers too large to send whole.

Tiles follow the Mapbox Vector Tile specification 2.1: protobuf, integer coordinates, one cursor per feature. Encoding
is vectorised over all features of a tile; its coordinates and its tags become bytes in two calls.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Ints = npt.NDArray[np.int64]
Shapes = npt.NDArray[np.object_]

EXTENT = 4096
PX = 512
BUFFER_PX = 12
WORLD_M = 2 * np.pi * 6378137.0
LABELLED = 400
"""Names go into a tile of at most so many features; in a fuller one nobody could point at one of them."""
APART_PX = 6.0
SIMPLER_PX = 0.7
_POINT, _LINE, _POLYGON = 1, 2, 3
_RAW_ZOOM = 16


@dataclass(frozen=True)
class Indexed:
    """
    The rows of one layer, as somebody may see them, ready to be cut into tiles.

    Parameters
    ----------
    shapes
        Points, lines or polygons in EPSG:3857, flat; one kind only.
    properties
        One row per shape; texts have gone through `maps.h`. ``label`` is left out of crowded tiles.
    """

    shapes: Shapes
    properties: pd.DataFrame
    _levels: dict[int, tuple[Shapes, shapely.STRtree]] = field(default_factory=dict, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    def level(self, z: int) -> tuple[Shapes, shapely.STRtree]:
        """The shapes as a zoom level needs them (simplified by less than a pixel), and their tree."""
        known = min(z, _RAW_ZOOM)
        with self._making:
            if known not in self._levels:
                self._levels[known] = self._made(known)
            return self._levels[known]

    def _made(self, z: int) -> tuple[Shapes, shapely.STRtree]:
        if not len(self.shapes) or shapely.get_dimensions(self.shapes[0]) == 0:
            first = next(iter(self._levels.values()), None)
            return first or (self.shapes, shapely.STRtree(self.shapes))
        # Each level is made from the next finer one that stands, so that the raw lines are walked once.
        finer = min((level for level in self._levels if level > z), default=None)
        source = self.shapes if finer is None else self._levels[finer][0]
        shapes = shapely.simplify(source, SIMPLER_PX * WORLD_M / 2**z / PX, preserve_topology=False)
        return shapes, shapely.STRtree(shapes)


def index(table: gpd.GeoDataFrame, properties: pd.DataFrame) -> Indexed:
    """The rows of a table in metres that have a geometry, in web Mercator; heights and times of lines are dropped."""
    held = (table.geometry.notna() & ~table.geometry.is_empty).to_numpy()
    flat = gpd.GeoSeries(shapely.force_2d(table.geometry.to_numpy()[held]), crs=table.crs).to_crs(3857)
    return Indexed(flat.to_numpy(), properties[held].reset_index(drop=True))


def tile_bounds(z: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east, north of a tile, metres of EPSG:3857."""
    span = WORLD_M / 2**z
    west, north = x * span - WORLD_M / 2, WORLD_M / 2 - y * span
    return west, north - span, west + span, north


def tile(layers: Mapping[str, Indexed], z: int, x: int, y: int) -> bytes:
    """One tile of some layers; empty bytes where nothing lies in it."""
    return b"".join(_layer(name, one, (z, x, y)) for name, one in layers.items())


def _layer(name: str, rows: Indexed, place: tuple[int, int, int]) -> bytes:
    west, south, east, north = tile_bounds(*place)
    span = east - west
    edge = span * BUFFER_PX / PX
    box = (west - edge, south - edge, east + edge, north + edge)
    shapes, tree = rows.level(place[0])
    found = np.sort(tree.query(shapely.box(*box)))
    if not len(found):
        return b""
    kind = {0: _POINT, 1: _LINE, 2: _POLYGON}[int(shapely.get_dimensions(shapes[found[0]]))]
    held = shapes[found]
    if kind != _POINT:
        held = shapely.clip_by_rect(held, *box)
    if kind == _POLYGON:
        held = shapely.orient_polygons(held, exterior_cw=False)
    places, part, owner = _coordinates(held, kind)
    table = rows.properties.iloc[found]
    if kind == _LINE and len(found) > LABELLED and "m" in table.columns:
        table, places, part, owner = _by_month(table, places, part, owner)
    grid = np.column_stack([places[:, 0] - west, north - places[:, 1]]) * (EXTENT / span)
    whole = np.round(grid).astype(np.int64)
    if kind == _POINT:
        keep = _apart(whole, table)
        whole, owner, part = whole[keep], owner[keep], part[keep]
    geometry, of = _commands(whole, part, owner, kind)
    used = np.unique(of)
    if not len(used):
        return b""
    table = table.iloc[used].drop(columns="m", errors="ignore")
    if len(table) > LABELLED:
        table = table.drop(columns="label", errors="ignore")
    tags, keys, values = _tags(table)
    shape_bytes = _split(geometry, of, used)
    tag_bytes = _split(tags.reshape(-1), np.repeat(np.arange(len(used)), tags.shape[1]), np.arange(len(used)))
    features = b"".join(
        _message(2, _message(2, tag) + bytes((0x18, kind)) + _message(4, shape))
        for tag, shape in zip(tag_bytes, shape_bytes, strict=True)
    )
    head = _message(1, name.encode()) + features
    head += b"".join(_message(3, key.encode()) for key in keys) + b"".join(_message(4, value) for value in values)
    return _message(3, head + b"\x28" + _varint(EXTENT) + b"\x78\x02")


def _coordinates(shapes: Shapes, kind: int) -> tuple[npt.NDArray[np.float64], Ints, Ints]:
    """Every coordinate with its part (line or ring, rising) and the position of its shape."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    if kind == _POLYGON:
        rings, of = shapely.get_rings(parts, return_index=True)
        parts, owner = rings, owner[of]
    places, part = shapely.get_coordinates(parts, return_index=True)
    return places, part.astype(np.int64), owner[part].astype(np.int64) if len(part) else part.astype(np.int64)


def _by_month(
    table: pd.DataFrame, places: npt.NDArray[np.float64], part: Ints, owner: Ints
) -> tuple[pd.DataFrame, npt.NDArray[np.float64], Ints, Ints]:
    """The lines of each month as one feature: few strokes for a crowded tile, and the slider works the same."""
    month, first = pd.factorize(table["m"], sort=True)
    order = np.argsort(month[owner], kind="stable")
    owner, part = month[owner][order].astype(np.int64), part[order]
    new = np.ones(len(part), np.int64)
    new[1:] = part[1:] != part[:-1]
    return pd.DataFrame({"t": np.asarray(first)}), places[order], np.cumsum(new), owner


def _apart(whole: Ints, table: pd.DataFrame) -> Ints:
    """Marks to draw: of those that look alike within the same few pixels one, so that zooming out costs no more."""
    looks = [column for column in ("shape", "colour", "t") if column in table.columns]
    if len(whole) <= LABELLED or not looks:
        return np.arange(len(whole))
    alike = table.groupby(looks, dropna=False, sort=False).ngroup().to_numpy()
    cell = np.floor_divide(whole, round(APART_PX * EXTENT / PX))
    key = pd.DataFrame({"x": cell[:, 0], "y": cell[:, 1], "look": alike})
    return np.flatnonzero(~key.duplicated().to_numpy())


def _commands(whole: Ints, part: Ints, owner: Ints, kind: int) -> tuple[Ints, Ints]:
    """The command integers of all features after one another, and the feature of each integer."""
    if kind == _POINT:
        steps = np.column_stack([np.full(len(whole), 9), _zigzag(whole)]).reshape(-1)
        return steps, np.repeat(owner, 3)
    same = np.zeros(len(whole), bool)
    same[1:] = (part[1:] == part[:-1]) & (whole[1:] == whole[:-1]).all(axis=1)
    whole, part, owner = whole[~same], part[~same], owner[~same]
    if kind == _POLYGON:
        last = np.ones(len(part), bool)
        last[:-1] = part[1:] != part[:-1]
        whole, part, owner = whole[~last], part[~last], owner[~last]
    _, number, count = np.unique(part, return_inverse=True, return_counts=True)
    enough = count[number] >= (3 if kind == _POLYGON else 2)
    whole, part, owner = whole[enough], part[enough], owner[enough]
    if not len(whole):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    _, first, number, count = np.unique(part, return_index=True, return_inverse=True, return_counts=True)
    before = np.zeros_like(whole)
    before[1:] = np.where((owner[1:] == owner[:-1])[:, None], whole[:-1], 0)
    moves = _zigzag(whole - before)
    closing = 1 if kind == _POLYGON else 0
    sizes = 2 + 2 * count + closing
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    out = np.zeros(int(sizes.sum()), np.int64)
    out[starts] = 9
    out[starts + 3] = ((count - 1) << 3) | 2
    nth = np.arange(len(whole)) - first[number]
    at = starts[number] + np.where(nth == 0, 1, 2 + 2 * nth)
    out[at], out[at + 1] = moves[:, 0], moves[:, 1]
    if closing:
        out[starts + sizes - 1] = 15
    return out, np.repeat(owner[first], sizes)


def _tags(table: pd.DataFrame) -> tuple[Ints, list[str], list[bytes]]:
    """Key and value numbers of every row (rows, 2 x columns), the keys, and the values as messages."""
    keys = list(table.columns)
    values: list[bytes] = []
    numbers: list[Ints] = []
    for key_number, key in enumerate(keys):
        codes, known = pd.factorize(table[key], use_na_sentinel=False)
        numbers += [np.full(len(table), key_number), codes + len(values)]
        values += [_value(one) for one in known]
    tags = np.column_stack(numbers).astype(np.int64) if numbers else np.zeros((len(table), 0), np.int64)
    return tags, keys, values


def _value(value: Any) -> bytes:
    if isinstance(value, bool | np.bool_):
        return bytes((0x38, int(value)))
    if isinstance(value, int | np.integer):
        return b"\x30" + _varint(int(_zigzag(np.array([value]))[0]))
    if isinstance(value, float | np.floating):
        return b"\x19" + np.float64(value).tobytes()
    return _message(1, str(value).encode())


def _zigzag(values: Ints) -> Ints:
    """
    Signed integers so that small ones stay small.

    >>> _zigzag(np.array([0, -1, 1, -2])).tolist()
    [0, 1, 2, 3]
    """
    return (values << 1) ^ (values >> 63)


def _split(values: Ints, of: Ints, wanted: Ints) -> list[bytes]:
    """Variable-length bytes of the values of each wanted feature; `of` rises, and is the feature of each value."""
    data, ends = _varints(values)
    upto = np.concatenate([[0], ends])[np.searchsorted(of, wanted, side="right")]
    since = np.concatenate([[0], ends])[np.searchsorted(of, wanted, side="left")]
    raw = data.tobytes()
    return [raw[start:stop] for start, stop in zip(since.tolist(), upto.tolist(), strict=True)]


def _varints(values: Ints) -> tuple[npt.NDArray[np.uint8], Ints]:
    """
    Protobuf's variable-length integers of all values after one another, and where each ends.

    >>> data, ends = _varints(np.array([1, 300]))
    >>> data.tolist(), ends.tolist()
    ([1, 172, 2], [1, 3])
    """
    sizes = np.ones(len(values), np.int64)
    for bits in (7, 14, 21, 28, 35, 42, 49, 56):
        sizes += values >= (1 << bits)
    ends = np.cumsum(sizes)
    data = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sizes
    for nth in range(int(sizes.max()) if len(sizes) else 0):
        more = sizes > nth
        low = (values[more] >> (7 * nth)) & 0x7F
        data[starts[more] + nth] = low | np.where(sizes[more] > nth + 1, 0x80, 0)
    return data, ends


def _varint(value: int) -> bytes:
    return _varints(np.array([value], np.int64))[0].tobytes()


def _message(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size = len(content)
    if size < 128:
        return bytes(((number << 3) | 2, size)) + content
    return bytes(((number << 3) | 2,)) + _varint(size) + content
