"""A county on disk: one folder with ``county.toml``, ``county.gpkg`` and ``grids/``."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geo import store as stores
from geo.crs import metric_crs, to_degrees
from geo.errors import StoreError
from geo.formats import Hints, Reading, read
from geo.grid import Frame, Grid, county_frame
from geo.layers.terrain import Cover, Terrain
from geo.ledger import Entry
from geo.season import Season
from geo.settings import Settings
from geo.store import Change, Store, grids
from geo.store.held import HeldStore
from geo.words import Part
from geo.workspace.own_ground import OwnStore
from geo.workspace.rights import DESKTOP, Actor

GAP_M = 0.01
SLIVER_M = 30.0
REASONS = 3
"""So many kinds of refusal are told where no boundary was taken."""
DATED = {
    "tracks": ("ended_at",),
    "lookouts": ("ended_at",),
    "flights": ("taken_at",),
    "passes": ("taken_at",),
    "visits": ("visited_at",),
    "finds": ("found_at", "destroyed_at", "verified_at"),
    "parcels": ("flagged_at",),
    "steps": ("at",),
    "order_steps": ("at",),
    "daily_reports": ("reported_at",),
}


@dataclass(frozen=True)
class County:
    """
    An open county: its folder, settings, and its store as `actor` sees it.

    `whole` is the same county unseen by anybody: what is computed for all, before each is shown their part.
    """

    path: Path
    settings: Settings
    store: Store
    actor: Actor = DESKTOP

    @cached_property
    def whole(self) -> "County":
        """The county with nothing left out, for figures that rest on everybody's tracks."""
        if self.actor == DESKTOP:
            return self
        beneath = self.store.beneath if isinstance(self.store, OwnStore) else stores.open_store(self.path)
        return County(self.path, self.settings, beneath)

    @property
    def crs(self) -> pyproj.CRS:
        """The working CRS, metres."""
        return pyproj.CRS.from_epsg(self.settings.epsg)

    @property
    def season(self) -> Season:
        given = self.settings.calendar
        return Season(
            self.settings.season, given.starts, given.days_per_100_m,
            first_month=given.first_month, last_month=given.last_month,
        )  # fmt: skip

    @property
    def grids(self) -> Path:
        return self.path / "grids"

    @cached_property
    def frame(self) -> Frame:
        """The frame every grid of the county lies on."""
        townships = self.store.read("townships")
        if townships.empty:
            raise StoreError("townships_missing", path=self.path.name)
        west, south, east, north = townships.total_bounds
        return county_frame(
            (west, south, east, north), self.crs, cell_m=self.settings.cell_m, margin_m=self.settings.margin_m
        )

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of the frame's middle, WGS 84 degrees."""
        west, south, east, north = self.frame.bounds
        longitude, latitude = to_degrees(0.5 * (west + east), 0.5 * (south + north), self.crs)
        return float(longitude), float(latitude)

    def has_terrain(self) -> bool:
        """Whether an elevation model was imported."""
        return grids.has_grid(self.path, "elevation")

    def terrain(self) -> Terrain:
        """Elevation and cover; without a cover layer all ground counts as open (`notes` says so)."""
        if not self.has_terrain():
            raise StoreError("terrain_missing", path=self.path.name)
        elevation = grids.read_grid(self.path, "elevation")
        if grids.has_grid(self.path, "cover"):
            cover = grids.read_grid(self.path, "cover")
        else:
            cover = Grid((elevation.values * 0 + Cover.OPEN).astype("uint8"), elevation.frame)
        return Terrain(elevation, cover, self.settings.cell_m)

    def require_inside(self, easting: float, northing: float) -> None:
        """Raise `Denied` unless a place (metres) lies on the ground of whom the county was opened for."""
        if isinstance(self.store, OwnStore):
            self.store.require_inside(easting, northing)

    def as_of(self) -> datetime:
        """Moment of the last record in the store: the default date of every figure."""
        held = {layer: self.whole.store.read(layer) for layer in DATED}
        last = [held[layer][column].max() for layer, columns in DATED.items() for column in columns]
        known = [moment for moment in last if not pd.isna(moment)]
        if not known:  # a register alone: the day its last post begins
            begun = self.whole.store.read("duties")["valid_from"].max()
            known = [self.season.bounds[0], *([] if pd.isna(begun) else [begun])]
        return pd.Timestamp(max(known)).to_pydatetime()


def open_county(path: Path, actor: Actor = DESKTOP, store: Store | None = None) -> County:
    """Open the county in a folder as somebody, over its `store` where the caller holds it; `StoreError` without one."""
    settings = stores.read_settings(path)
    store = store or HeldStore(stores.open_store(path, settings))
    if actor == DESKTOP:
        return County(path, settings, store)
    return County(path, settings, OwnStore(store, actor, strip_m=settings.borders.strip_m), actor)


def create(
    path: Path, files: Sequence[Path], hints: Hints, *, name: str, now: datetime
) -> tuple[County, list[Reading]]:
    """
    A new county from its township boundaries.

    The working CRS follows the boundaries' centroid. Nothing is left behind when no boundary is accepted.
    """
    readings = [read("townships", file, replace(hints, crs=None)) for file in files]
    accepted = [reading.rows for reading in readings if len(reading.rows)]
    if not accepted:
        kinds = {(refusal.field, refusal.code): refusal for reading in readings for refusal in reading.refused}
        why = [Part("refused_field", {"field": r.field, "why": Part(r.code, r.details)}) for r in kinds.values()]
        raise StoreError("townships_none", why=why[:REASONS] or Part("import_none", {}))
    townships = gpd.GeoDataFrame(pd.concat(accepted, ignore_index=True))
    west, south, east, north = townships.total_bounds
    crs = metric_crs((west + east) / 2, (south + north) / 2)
    settings = Settings(name=name, epsg=int(crs.to_epsg() or 0))
    return found(path, settings, townships.to_crs(crs), [reading_note(r) for r in readings], now=now), readings


def unassigned(townships: gpd.GeoDataFrame, grounds: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Ground enclosed by the county that no township and no department ground takes in, largest first (metres)."""
    units = [*townships.geometry, *(grounds.geometry if len(grounds) else [])]
    held = shapely.union_all(shapely.make_valid(np.array(units, dtype=object)), grid_size=GAP_M)
    rings = [ring for part in shapely.get_parts(held) if part.geom_type == "Polygon" for ring in part.interiors]
    holes = [shapely.Polygon(ring).difference(held) for ring in rings]
    wide = [hole for hole in holes if not hole.buffer(-SLIVER_M).is_empty]
    return gpd.GeoSeries(sorted(wide, key=lambda hole: -hole.area), crs=townships.crs)


def scattered(townships: gpd.GeoDataFrame) -> dict[str, int]:
    """Number of parts of every jurisdiction that has more than one, by name."""
    parts = shapely.get_num_geometries(townships.geometry.to_numpy())
    return {str(name): int(n) for name, n in zip(townships["name"], parts, strict=True) if n > 1}


def overlaps(townships: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """Ground two townships both take in, wider than their lines' accuracy: both, and its area (km2), largest first."""
    shapes = shapely.make_valid(townships.geometry.to_numpy())
    one, two = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, two = one[one < two], two[one < two]
    shared = shapely.intersection(shapes[one], shapes[two])
    wide = ~shapely.is_empty(shapely.buffer(shared, -SLIVER_M))
    ids, names = townships["township_id"].to_numpy(), townships["name"].to_numpy()
    found = [
        {"unit_ids": [ids[a], ids[b]], "names": [names[a], names[b]], "km2": _km2(shape)}
        for a, b, shape in zip(one[wide], two[wide], shared[wide], strict=True)
    ]
    return sorted(found, key=lambda pair: -pair["km2"])


def odd_ground(county: County) -> dict[str, list[dict[str, Any]]]:
    """
    Where responsibility slips, as plain values.

    ``unassigned``: the holes of `unassigned`, each with its area (km2) and a point in it; ``several_parts``: every
    township and department ground of more than one part, with their number and the area of the parts (km2);
    ``overlaps``: the pairs of `overlaps`.
    """
    townships, grounds = county.store.read("townships"), county.store.read("grounds")
    holes = unassigned(gpd.GeoDataFrame(townships), gpd.GeoDataFrame(grounds))
    inside = holes.representative_point().to_crs(4326)
    units = [*zip(townships["township_id"], townships["name"], townships.geometry, strict=True)]
    units += [*zip(grounds["ground_id"], grounds["name"], grounds.geometry, strict=True)]
    areas = {
        str(key): (name, sorted((_km2(part) for part in shapely.get_parts(shape)), reverse=True))
        for key, name, shape in units
    }
    return {
        "unassigned": [
            {"km2": _km2(hole), "longitude": round(place.x, 6), "latitude": round(place.y, 6)}
            for hole, place in zip(holes, inside, strict=True)
        ],
        "several_parts": [
            {"unit_id": key, "name": name, "parts_n": len(parts), "parts_km2": parts}
            for key, (name, parts) in areas.items()
            if len(parts) > 1
        ],
        "overlaps": overlaps(gpd.GeoDataFrame(townships)),
    }


def _km2(shape: shapely.Geometry) -> float:
    return round(float(shape.area) / 1e6, 4)


def found(
    path: Path, settings: Settings, townships: gpd.GeoDataFrame, notes: list[dict[str, object]], *, now: datetime
) -> County:
    """Lay a county's folder down with its townships (metres, the settings' CRS)."""
    store = HeldStore(stores.create(path, settings))
    store.append(Entry("import", {"layer": "townships", "files": notes}), Change("townships", townships), now=now)
    return County(path, settings, store)


def reading_note(reading: Reading) -> dict[str, object]:
    """What the ledger keeps of one imported file."""
    return {
        "file": reading.file,
        "sha256": reading.sha256,
        "read": reading.read,
        "accepted": reading.read - len(reading.refused),
        "refused_n": len(reading.refused),
        "datum": reading.datum,
        "encoding": reading.encoding,
        "app": reading.app,
    }
