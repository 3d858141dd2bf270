"""A county of three parcels, a village, a team and a track: what recording needs, without terrain."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo import store as stores
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change, Store

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)


def small_county(path: Path, settings: Settings | None = None) -> Store:
    """Parcels P1 (flagged), P2 (assigned), P3 (closed); one import entry."""
    made = stores.create(path, settings or Settings(epsg=4544))
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ["P1", "P2", "P3"],
            "source": "satellite",
            "source_id": "list",
            "flagged_at": pd.Timestamp("2026-03-01", tz="UTC"),
            "status": ["flagged", "assigned", "closed"],
            "accuracy_m": 15.0,
        },
        geometry=[shapely.box(4e5 + 100 * i, 3e6, 4e5 + 100 * i + 20, 3e6 + 20) for i in range(3)],
        crs=4544,
    )
    villages = gpd.GeoDataFrame({"village_id": ["520525001001"], "township_id": "x", "name": "村"}, geometry=[None])
    teams = pd.DataFrame({"team_id": ["T1"], "name": "一队", "kind": "专班"})
    fixes = np.array([[4e5, 3e6, 1200.0, 1.77e9], [4e5 + 9, 3e6, 1200.0, 1.77e9 + 9]])
    tracks = gpd.GeoDataFrame(
        {"track_id": ["ab12"], "started_at": NOW, "ended_at": NOW, "mode": "foot", "length_m": 9.0, "fixes_n": 2},
        geometry=[shapely.from_wkb(struct.pack("<BII", 1, 3002, 2) + fixes.tobytes())],
        crs=4544,
    ).assign(source_id="s")
    changes = (Change("parcels", parcels), Change("villages", villages), Change("teams", teams))
    made.append(Entry("import"), *changes, Change("tracks", tracks), now=NOW)
    return made
