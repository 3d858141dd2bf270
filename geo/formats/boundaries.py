"""Boundary layers: repaired polygons, codes cut to their level, kinds by the last character of the name."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo.schema import Refusal

TOWNSHIP_DIGITS = 9
_KINDS = {"县": "县", "区": "县", "市": "县", "乡": "乡", "镇": "镇"}


def repaired(
    table: gpd.GeoDataFrame, wanted: tuple[str, ...], refused: dict[Any, Refusal], warnings: list[str]
) -> gpd.GeoDataFrame:
    """
    Invalid geometry made valid, single parts promoted where the layer holds only MultiPolygon.

    What a repair leaves as another kind of shape is refused: an area may lose its stray lines, never become one.
    """
    shapes = table.geometry.to_numpy().copy()
    wrong = np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes))
    if len(wrong):
        shapes[wrong] = shapely.make_valid(shapes[wrong])
        warnings.append("geometry_repaired")
    for position in np.flatnonzero(~shapely.is_missing(shapes)).tolist():
        shapes[position] = _fitted(shapes[position], wanted)
    out: gpd.GeoDataFrame = table.set_geometry(gpd.GeoSeries(shapes, index=table.index, crs=table.crs))
    return out


def _fitted(geometry: Any, wanted: tuple[str, ...]) -> Any:
    kind = geometry.geom_type
    if kind == "GeometryCollection" and "MultiPolygon" in wanted:
        areas = [part for part in _leaves(geometry) if part.geom_type == "Polygon"]
        if areas:
            return shapely.multipolygons(areas)
    if kind not in wanted and f"Multi{kind}" in wanted and not geometry.is_empty:
        return {"MultiPolygon": shapely.multipolygons, "MultiLineString": shapely.multilinestrings}[f"Multi{kind}"](
            [geometry]
        )
    if kind == "MultiPoint" and "Point" in wanted and shapely.get_num_geometries(geometry) == 1:
        return shapely.get_geometry(geometry, 0)
    return geometry


def _leaves(geometry: Any) -> list[Any]:
    parts = list(shapely.get_parts(geometry))
    if geometry.geom_type in {"Polygon", "LineString", "Point"}:
        return [geometry]
    return [leaf for part in parts for leaf in _leaves(part)]


def polygonized(lines: gpd.GeoDataFrame, names: gpd.GeoDataFrame, crs: Any, refused: list[Refusal]) -> gpd.GeoDataFrame:
    """
    Areas enclosed by boundary lines (in `crs`, None where unknown), each with the columns of the named point inside it.

    One record per area and per line that encloses none: the latter are refused. An area without a named point has no
    name, for the schema to refuse; the first of several points names it.
    """
    merged = shapely.unary_union(lines.geometry.to_numpy())
    areas, cuts, dangles, broken = shapely.polygonize_full(list(shapely.get_parts(merged)))
    shapes = np.array([*shapely.get_parts(areas), None], dtype=object)[:-1]
    index = list(range(1, len(shapes) + 1))
    polygons = gpd.GeoDataFrame(geometry=gpd.GeoSeries(shapes, index=index), crs=lines.crs)
    columns = names.drop(columns=names.geometry.name)
    names = placed_like(names, shapes, crs)
    found = [_inside(area, names) for area in shapes]
    held = pd.DataFrame(columns).astype(object).reindex(found).set_axis(index)
    loose = [part for kind in (cuts, dangles, broken) for part in shapely.get_parts(kind)]
    refused.extend(Refusal(len(index) + n, "geometry", "line_dangling") for n in range(1, len(loose) + 1))
    joined: gpd.GeoDataFrame = polygons.join(held)
    return joined


def placed_like(names: gpd.GeoDataFrame, areas: Any, crs: Any) -> gpd.GeoDataFrame:
    """
    The named points as most of them fall into an area: as they stand, from degrees of the lines' own datum, or, as
    surveyors write, northing first. Points prove their own reading: none is taken that names fewer areas.
    """
    places = shapely.get_coordinates(names.geometry.to_numpy())
    readings = [places, places[:, ::-1]]
    projected = None if crs is None else pyproj.CRS.from_user_input(crs)
    if projected is not None and projected.is_projected and projected.geodetic_crs is not None:
        turn = pyproj.Transformer.from_crs(projected.geodetic_crs, projected, always_xy=True)
        readings += [np.column_stack(turn.transform(*pair.T)) for pair in readings]
    tree = shapely.STRtree(areas)
    counts = []
    for reading in readings:
        sound = np.isfinite(reading).all(axis=1)
        counts.append(len(np.unique(tree.query(shapely.points(reading[sound]), predicate="within")[1])))
    best = readings[int(np.argmax(counts))]
    out: gpd.GeoDataFrame = names.set_geometry(gpd.GeoSeries(shapely.points(best), index=names.index))
    return out


def _inside(area: Any, names: gpd.GeoDataFrame) -> Any:
    inside = names.index[shapely.contains(area, names.geometry.to_numpy())]
    return inside[0] if len(inside) else None


def named(layer: str, table: pd.DataFrame) -> pd.DataFrame:
    """Boundary rows with codes as text cut to their level, and the kind of townships by name where none is given."""
    key = {"townships": "township_id", "neighbours": "neighbour_id"}.get(layer)
    if key and key in table:
        table[key] = table[key].map(code_of, na_action="ignore")
    if layer == "townships":
        given = table["kind"] if "kind" in table else pd.Series(None, index=table.index, dtype=object)
        known = given.where(given.isin([*_KINDS.values(), "街道"]))
        names = table["name"] if "name" in table else pd.Series(None, index=table.index, dtype=object)
        table["kind"] = known.where(known.notna(), names.map(kind_of_name, na_action="ignore"))
    return table


def code_of(value: object) -> str | None:
    """
    A code as text: 12-digit codes of townships lose the village's zeros, 12-digit codes of counties all six.

    >>> code_of(520525001000), code_of("520525000000"), code_of("520525001"), code_of(520525.0)
    ('520525001', '520525', '520525001', '520525')
    """
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
    if len(text) == 12 and text.isdigit() and text.endswith("000"):
        text = text[:TOWNSHIP_DIGITS]
        return text[:6] if text.endswith("000") else text
    return text or None


def kind_of_name(name: object) -> str | None:
    """
    The kind of a jurisdiction by its name; None where the name does not tell.

    >>> [kind_of_name(n) for n in ("雍熙街道办事处", "厍东关乡", "纳雍县", "毕节市")]
    ['街道', '乡', '县', '县']
    """
    text = str(name).strip().removesuffix("办事处")
    if text.endswith("街道"):
        return "街道"
    return _KINDS.get({"縣": "县", "區": "县", "鄉": "乡", "鎮": "镇"}.get(text[-1:], text[-1:]))
