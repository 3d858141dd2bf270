"""
Made-up jurisdictions: a warped Voronoi partition drawn on a raster, so that shared edges share every vertex.

Two tri-points lie close together near the middle, one township owns a detached part inside another (an exclave), one
neighbour is known along the east side, and a forest farm and a reservoir ground lie across the townships.
"""

import json

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
import shapely.ops
from affine import Affine
from rasterio import features
from scipy import ndimage
from scipy.spatial import cKDTree

from geo.demo.sizes import CENTRE_M, COUNTY_ID, EPSG, MADE_UP, SIZES, Floats, Size, smooth_noise, stream
from geo.grid import county_frame
from geo.layers import townships as layer
from geo.settings import Settings

Labels = npt.NDArray[np.int16]
FIRST = "云石青松龙凤白响双新花竹银雨麻红月长落干"
SECOND = "岩坪塘坝箐坳溪洞林寨井坡湾关冲"
SOURCE_DATE = "2026-01-01"
SPARE_M = 10.0
"""Between the frame's margin and the tile it begins on: coordinates written as degrees come back a little elsewhere."""


def townships(size: str = "small", seed: int = 7) -> gpd.GeoDataFrame:
    """The made-up townships (layer townships, EPSG:4544); quick: no terrain and no tracks are made."""
    return jurisdictions(SIZES[size], seed)[0]


def as_geojson(table: gpd.GeoDataFrame) -> str:
    """A boundary layer as GeoJSON text, WGS 84 degrees to 1e-6."""
    degrees = table.to_crs(4326)
    shapes = shapely.transform(degrees.geometry.to_numpy(), lambda xy: np.round(xy, 6))
    rows = degrees.drop(columns="geometry").to_dict("records")
    found = [
        {"type": "Feature", "properties": row, "geometry": json.loads(shapely.to_geojson(shape))}
        for row, shape in zip(rows, shapes, strict=True)
    ]
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in found)
    return f'{{"type":"FeatureCollection","features":[\n{lines}\n]}}\n'


def jurisdictions(size: Size, seed: int) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """The townships, and the one known neighbour, as one valid coverage."""
    rng = stream(size, seed, "boundaries")
    labels, transform = lattice(size, rng)
    drawn = coverage(with_exclave(labels, size.townships_n, rng), transform, rng)
    shapes = _on_tiles(drawn, size.townships_n)
    names = place_names(size.townships_n, rng)
    kinds = ["街道", *["镇" if i % 3 else "乡" for i in range(1, size.townships_n)]]
    table = gpd.GeoDataFrame(
        {
            "township_id": [f"{COUNTY_ID}{i + 1:03d}" for i in range(size.townships_n)],
            "name": [f"{name}{kind}" for name, kind in zip(names, kinds, strict=True)],
            "kind": kinds,
            "source": MADE_UP,
            "source_date": SOURCE_DATE,
            "line_accuracy_m": 30.0,
        },
        geometry=shapes[:-1],
        crs=EPSG,
    )
    beside: dict[str, list[object]] = {
        "neighbour_id": ["529902"],
        "name": ["邻县（虚构）"],
        "source": [MADE_UP],
    }
    beside |= {"source_date": [SOURCE_DATE], "line_accuracy_m": [30.0]}
    neighbour = gpd.GeoDataFrame(beside, geometry=shapes[-1:], crs=EPSG)
    return layer.SCHEMA.conform(table), layer.NEIGHBOURS.conform(neighbour)


def _on_tiles(shapes: npt.NDArray[np.object_], county_n: int) -> npt.NDArray[np.object_]:
    """The shapes moved by less than a tile, so that the frame of the first `county_n` is hardly larger than they."""
    bounds = shapely.total_bounds(shapes[:county_n])
    margin_m = Settings().margin_m
    spare = bounds[:2] - margin_m - county_frame(bounds, EPSG, margin_m=margin_m).bounds[:2]
    return np.asarray(shapely.transform(shapes, lambda xy: np.round(xy - spare + SPARE_M, 2)))


def lattice(size: Size, rng: np.random.Generator) -> tuple[Labels, Affine]:
    """Township number from 1, `townships_n + 1` for the neighbour and 0 elsewhere, per cell of the drawing raster."""
    radius = float(np.sqrt(size.area_km2 / np.pi)) * 1000.0
    cells = int(radius * 3.2 / size.lattice_m)
    half = cells / 2 * size.lattice_m
    transform = Affine(size.lattice_m, 0, CENTRE_M[0] - half, 0, -size.lattice_m, CENTRE_M[1] + half)
    place = (np.arange(cells) - (cells - 1) / 2) * size.lattice_m
    east, north = np.meshgrid(place, -place)
    spacing = float(np.sqrt(size.area_km2 / size.townships_n)) * 1000.0
    east = east + sum(_warp(rng, cells, spacing, share, size.lattice_m) for share in (0.9, 0.3, 0.12))
    north = north + sum(_warp(rng, cells, spacing, share, size.lattice_m) for share in (0.9, 0.3, 0.12))
    angle = np.arctan2(north, east)
    bulge = sum(a * np.cos(k * angle + rng.uniform(0, 6.3)) for k, a in ((2, 0.06), (3, 0.05), (5, 0.03)))
    level = np.hypot(east, north) / (1.0 + bulge)
    inside = level <= np.quantile(level, size.area_km2 * 1e6 / (cells * size.lattice_m) ** 2)
    inside = ndimage.binary_fill_holes(_largest(inside))
    points = np.column_stack([east[inside], north[inside]])
    labels = np.zeros((cells, cells), np.int16)
    labels[inside] = cKDTree(_seeds(points, size, spacing, rng)).query(points)[1] + 1
    labels = _whole(labels, inside)
    away = ndimage.distance_transform_edt(~inside) * size.lattice_m
    band = ~inside & (away < 0.16 * radius) & (np.abs(angle) < 0.9)
    labels[_largest(band)] = size.townships_n + 1
    return labels, transform


def with_exclave(labels: Labels, townships_n: int, rng: np.random.Generator) -> Labels:
    """The labels with a round piece of the roomiest township given to the one whose middle lies farthest away."""
    around = np.pad(labels, 1)  # each township's own window with a cell of what is beside it
    windows = [tuple(slice(cut.start, cut.stop + 2) for cut in box) for box in ndimage.find_objects(labels)]
    depth = [float(ndimage.distance_transform_edt(around[windows[i]] == i + 1).max()) for i in range(townships_n)]
    host = int(np.argmax(depth)) + 1
    room = ndimage.distance_transform_edt(labels == host)
    row, col = np.unravel_index(int(np.argmax(room)), room.shape)
    middles = np.array(ndimage.center_of_mass(labels > 0, labels, np.arange(1, townships_n + 1)))
    owner = int(np.argmax(np.hypot(*(middles - (row, col)).T))) + 1
    down, across = np.indices(labels.shape)
    turn = np.arctan2(down - row, across - col)
    reach = room.max() * (0.42 + 0.05 * np.cos(3 * turn + rng.uniform(0, 6)) + 0.03 * np.cos(5 * turn))
    out = labels.copy()
    out[np.hypot(down - row, across - col) < reach] = owner
    return out


def coverage(labels: Labels, transform: Affine, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """One MultiPolygon per label from 1 up: a valid coverage without the raster's stairs; metres."""
    parts: dict[int, list[shapely.Polygon]] = {}
    for shape, value in features.shapes(labels, mask=labels > 0):
        parts.setdefault(int(value), []).append(shapely.geometry.shape(shape))
    whole = np.array([shapely.MultiPolygon(parts[value]) for value in sorted(parts)], dtype=object)
    plain = shapely.coverage_simplify(shapely.segmentize(whole, 1.0), 1.6)  # in cells: every corner is a vertex of both
    across, down = (smooth_noise(rng, labels.shape, 10.0) * 0.35 for _ in range(2))

    def bent(place: Floats) -> Floats:
        shift = [
            ndimage.map_coordinates(field, place.T[::-1] - 0.5, order=1, mode="nearest") for field in (across, down)
        ]
        col, row = place.T + shift
        return np.round(np.column_stack([transform.c + col * transform.a, transform.f + row * transform.e]), 2)

    curved = shapely.transform(plain, bent)
    return np.array([shapely.multipolygons(shapely.get_parts(shape)) for shape in curved], dtype=object)


def river(size: Size, seed: int, bounds: npt.ArrayLike) -> tuple[shapely.LineString, shapely.Polygon]:
    """The river from west to east across `bounds` (metres), and the reservoir on a stretch of it."""
    rng = stream(size, seed, "river")
    west, south, east, north = np.asarray(bounds, float)
    along = np.linspace(0.0, 1.0, 161)
    swing = sum(a * np.sin(2 * np.pi * (k * along + rng.random())) for k, a in ((1, 0.05), (3, 0.03), (7, 0.012)))
    place = np.column_stack([west - 4000 + along * (east - west + 8000), (south + north) / 2 + swing * (north - south)])
    place[:, 1] += 0.12 * (north - south)
    line = shapely.LineString(place)
    stretch = shapely.ops.substring(line, 0.36, 0.47, normalized=True)
    return line, stretch.buffer(0.011 * (east - west)).simplify(10.0)


def grounds(table: gpd.GeoDataFrame, reservoir: shapely.Polygon, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """A forest farm inside one township and the reservoir's ground across others (layer grounds)."""
    county = shapely.union_all(table.geometry.to_numpy())
    water = reservoir.buffer(0.35 * np.sqrt(reservoir.area)).simplify(15.0).intersection(county)
    single = table.geometry[table.geometry.map(lambda shape: len(shape.geoms) == 1 and not shape.geoms[0].interiors)]
    circles = shapely.maximum_inscribed_circle(single.to_numpy(), 20.0)
    room = shapely.length(circles) * (shapely.distance(circles, water) > 2 * shapely.length(circles))
    middle, edge = shapely.get_coordinates(circles[int(np.argmax(room))])
    turn = np.linspace(0, 2 * np.pi, 37)[:-1]
    reach = np.hypot(*(edge - middle)) * (0.55 + 0.12 * np.cos(2 * turn + rng.uniform(0, 6)) + 0.06 * np.cos(5 * turn))
    forest = shapely.Polygon(middle + reach[:, None] * np.column_stack([np.cos(turn), np.sin(turn)]))
    shapes = [shapely.multipolygons(shapely.get_parts(shape)) for shape in (forest, water)]
    rows = {
        "ground_id": [f"{COUNTY_ID}F01", f"{COUNTY_ID}R01"],
        "kind": ["林场", "库区"],
        "name": ["青松岭林场（虚构）", "长溪水库库区（虚构）"],
        "source": MADE_UP,
        "source_date": SOURCE_DATE,
        "line_accuracy_m": 30.0,
    }
    return layer.GROUNDS.conform(gpd.GeoDataFrame(rows, geometry=shapes, crs=EPSG))


def place_names(count: int, rng: np.random.Generator) -> list[str]:
    """Different invented two-character place names."""
    drawn = rng.choice(len(FIRST) * len(SECOND), size=count, replace=False)
    return [FIRST[i // len(SECOND)] + SECOND[i % len(SECOND)] for i in drawn]


def _warp(rng: np.random.Generator, cells: int, spacing: float, share: float, cell_m: float) -> Floats:
    return smooth_noise(rng, (cells, cells), share * spacing / cell_m) * 0.07 * share * spacing


def _seeds(points: Floats, size: Size, spacing: float, rng: np.random.Generator) -> Floats:
    """Township middles, spread by Lloyd's rule round four fixed ones that almost meet in a point."""
    half, lean = 0.5 * spacing, 1.5 * size.lattice_m
    corners = np.array([(half + lean, half), (-half + lean, half), (half - lean, -half), (-half - lean, -half)])
    corners = corners * 1.0 + 0.08 * spacing
    sample = points[rng.integers(0, len(points), 4000)]
    seeds = np.vstack([corners, sample[: size.townships_n - 4]])
    for _ in range(25):
        owner = cKDTree(seeds).query(sample)[1]
        for i in range(4, size.townships_n):
            if (owner == i).any():
                seeds[i] = sample[owner == i].mean(axis=0)
    return seeds


def _largest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    pieces, _ = ndimage.label(mask)
    counts = np.bincount(pieces.ravel())
    counts[0] = 0
    return np.asarray(pieces == counts.argmax())


def _whole(labels: Labels, inside: npt.NDArray[np.bool_]) -> Labels:
    """Every label in one piece: loose scraps go to the nearest township."""
    kept = np.zeros_like(labels)
    for value in range(1, int(labels.max()) + 1):
        kept[_largest(labels == value)] = value
    row, col = ndimage.distance_transform_edt(kept == 0, return_distances=False, return_indices=True)
    return np.asarray(np.where(inside, kept[row, col], 0).astype(np.int16))
