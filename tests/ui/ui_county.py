"""A county of two townships with terrain, a track and a POD grid, made through the store."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry import MultiPolygon, Point, box

from geo import store as stores
from geo.grid import Frame, Grid, county_frame
from geo.layers.tracks import SCHEMA as TRACKS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change, grids

NOW = datetime(2026, 3, 18, 1, tzinfo=UTC)
EPSG = 4544
WEST, SOUTH = 500_000.0, 2_964_000.0
WORLD_M = 2 * np.pi * 6378137.0
NAMES = ("凉水乡<img src=x onerror=alert(1)>", "白岩镇")


def county_frame_of_two() -> Frame:
    return county_frame((WEST, SOUTH, WEST + 4000.0, SOUTH + 3000.0), EPSG)


def tile_of(frame: Frame, z: int) -> tuple[int, int]:
    """The tile that holds the frame's centre."""
    west, south, east, north = frame.bounds
    to_web = pyproj.Transformer.from_crs(frame.crs, 3857, always_xy=True)
    across, down = to_web.transform((west + east) / 2, (south + north) / 2)
    span = WORLD_M / 2**z
    return int((across + WORLD_M / 2) // span), int((WORLD_M / 2 - down) // span)


def make_county(path: Path) -> Path:
    """Make the county in a folder; the first township's name carries markup."""
    store = stores.create(path, Settings(county_id="520000", name="甲县", made_up=True, epsg=EPSG))
    halves = [box(WEST, SOUTH, WEST + 2000, SOUTH + 3000), box(WEST + 2000, SOUTH, WEST + 4000, SOUTH + 3000)]
    townships = gpd.GeoDataFrame(
        {
            "township_id": ["520000001", "520000002"],
            "name": NAMES,
            "kind": ["乡", "镇"],
            "source": "demo",
            "source_date": None,
            "line_accuracy_m": 30.0,
        },
        geometry=[MultiPolygon([half]) for half in halves],
        crs=EPSG,
    )
    store.append(Entry("import", {"layer": "townships"}), Change("townships", townships), now=NOW)
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ["P1", "P2"],
            "source": "satellite",
            "source_id": ["图斑`${alert(1)}`", "T2"],
            "flagged_at": [NOW, NOW],
            "status": ["flagged", "dismissed"],
            "accuracy_m": 10.0,
        },
        geometry=[Point(WEST + 500, SOUTH + 500), Point(WEST + 2500, SOUTH + 1500)],
        crs=EPSG,
    )
    store.append(Entry("import", {"layer": "parcels"}), Change("parcels", parcels), now=NOW)
    seconds = NOW.timestamp() + np.arange(100) * 30.0
    places = ",".join(f"{WEST + 200 + step * 8.0} {SOUTH + 900} 1000 {moment}" for step, moment in enumerate(seconds))
    tracks = gpd.GeoDataFrame(
        {
            "track_id": ["aa"],
            "team_id": [None],
            "started_at": [NOW],
            "ended_at": [NOW],
            "mode": ["foot"],
            "length_m": [792.0],
            "fixes_n": [100],
            "source_id": ["f"],
        },
        geometry=[shapely.from_wkt(f"LINESTRING ZM ({places})")],
        crs=EPSG,
    )
    store.append(Entry("import", {"layer": "tracks"}), Change("tracks", TRACKS.conform(tracks)), now=NOW)
    frame = county_frame_of_two()
    down, across = np.indices(frame.shape)
    height = (1000 + 120 * np.sin(across / 25) * np.cos(down / 31)).astype(np.float32)
    pod = np.where(across < frame.cols // 2, np.minimum(across, 170), 255).astype(np.uint8)
    grids.write_grid(path, "elevation", Grid(height, frame))
    grids.write_grid(path, "cover", Grid(np.ones(frame.shape, np.uint8), frame))
    grids.write_grid(path, "pod", Grid(pod, frame))
    return path
