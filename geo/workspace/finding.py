"""A place somebody asks for: coordinates in any notation, the name of a township or village, or the id of a record."""

import re
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from geo.crs import to_metric
from geo.errors import LayerError
from geo.formats.datum import datum_of
from geo.formats.typed_places import degrees_in
from geo.workspace.county import County

DATUMS = ("wgs84", "gcj02", "bd09")
MOST = 12
NAMED = (
    ("townships", "township_id", ("name",)),
    ("grounds", "ground_id", ("name",)),
    ("villages", "village_id", ("name",)),
    ("parcels", "parcel_id", ("source_id",)),
    ("finds", "find_id", ()),
)
"""Layers searched by name, their key and further columns a name may stand in."""


@dataclass(frozen=True)
class Place:
    """A place found, WGS 84 degrees; `kind` is ``coordinates`` or the layer it was found in."""

    kind: str
    name: str
    longitude: float
    latitude: float


def search(county: County, text: str, *, datum: str = "wgs84") -> list[Place]:
    """
    Places a text may mean, the likeliest first: at most `MOST`.

    Parameters
    ----------
    datum
        What degrees in the text are in: one of `DATUMS`. Metres are CGCS2000 Gauss-Krüger, zone prefix or the county's
        own zone.

    Raises
    ------
    LayerError
        Coordinates that no notation allows, or a place outside the county.
    """
    asked = text.strip()
    if not asked:
        return []
    degrees = degrees_in(asked, county.crs)
    if degrees is not None:
        return [_placed(county, asked, *degrees.wgs84(datum_of(datum)))]
    return [place for layer, key, columns in NAMED for place in _named(county, layer, key, columns, asked)][:MOST]


def _placed(county: County, text: str, longitude: float, latitude: float) -> Place:
    east, north = to_metric(longitude, latitude, county.crs)
    if not (np.isfinite([east, north]).all() and bool(county.frame.holds(float(east), float(north)))):
        raise LayerError("place_beyond", place=f"{longitude:.5f}, {latitude:.5f}")
    return Place("coordinates", re.sub(r"\s+", " ", text)[:60], longitude, latitude)


def _named(county: County, layer: str, key: str, columns: tuple[str, ...], text: str) -> list[Place]:
    """Rows whose key is the text, or whose name holds it, exact ones first."""
    table = gpd.GeoDataFrame(county.store.read(layer))
    if table.empty:
        return []
    texts = [table[column].fillna("").astype(str) for column in (*columns, key)]
    exact = np.logical_or.reduce([(one == text).to_numpy(bool) for one in texts])
    within = np.logical_or.reduce([one.str.contains(text, case=False, regex=False).to_numpy(bool) for one in texts])
    known = (exact | within) & table.geometry.notna().to_numpy(bool)
    held = table[known].assign(exact=exact[known])
    held = held.sort_values("exact", ascending=False, kind="stable").head(MOST)
    if held.empty:
        return []
    points = held.geometry.representative_point().to_crs(4326)
    names = held[columns[0]].fillna(held[key]) if columns else held[key]
    return [Place(layer, str(name), float(at.x), float(at.y)) for name, at in zip(names, points, strict=True)]
