"""The hidden truth: where plots really stand. No command but the demo's own checks reads it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.demo.people import points_in
from geo.demo.sizes import EPSG, SEASON
from geo.demo.terrain import at
from geo.grid import Grid
from geo.layers.terrain import PLANTABLE
from geo.settings import PrioritySettings

PLOTS_N = ((0, 0.5), (1, 0.34), (2, 0.11), (3, 0.05))
MEDIAN_PLANTS, SPREAD = 55.0, 1.6  # quartiles 18.5 and 159 of the finds in the news
COLUMNS = ["plot_id", "township_id", "plants_n", "area_m2", "sown_on", "found"]


def truth_table(
    townships: gpd.GeoDataFrame, cover: Grid, history: gpd.GeoSeries, homes: gpd.GeoSeries, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """True plots on plantable ground (Point): likelier near edges, near historic spots and far from houses."""
    counts = rng.choice([n for n, _ in PLOTS_N], len(townships), p=[share for _, share in PLOTS_N])
    if counts.sum() == 0:
        counts[0] = 1
    places, owners = [], []
    for township, shape, count in zip(townships["township_id"], townships.geometry, counts, strict=True):
        place = points_in(shape, 1200, rng)
        place = place[np.isin(at(cover, place), PLANTABLE)]
        risk = _relative_risk(shapely.points(place), shape, history, homes)
        places.append(place[rng.choice(len(place), int(count), replace=False, p=risk / risk.sum())])
        owners += [township] * int(count)
    total = len(owners)
    plants = np.maximum(1, np.round(rng.lognormal(np.log(MEDIAN_PLANTS), SPREAD, total))).astype(int)
    sown = pd.Timestamp(f"{SEASON - 1}-09-15") + pd.to_timedelta(rng.integers(0, 180, total), unit="D")
    rows = {
        "plot_id": [f"DEMO-P{n:03d}" for n in range(1, total + 1)],
        "township_id": owners,
        "plants_n": plants,
        "area_m2": np.round(plants / rng.uniform(8.0, 20.0, total), 2),
        "sown_on": sown.strftime("%Y-%m-%d"),
        "found": False,
    }
    return gpd.GeoDataFrame(rows, columns=[*COLUMNS, "geometry"], geometry=shapely.points(np.vstack(places)), crs=EPSG)


def _relative_risk(
    place: np.ndarray, shape: shapely.Geometry, history: gpd.GeoSeries, homes: gpd.GeoSeries
) -> np.ndarray:
    """The default relative risks of `PrioritySettings` at points."""
    belief = PrioritySettings()
    near_edge = shapely.distance(place, shapely.boundary(shape)) < belief.edge_m
    near_history = shapely.distance(place, shapely.multipoints(history.to_numpy())) < belief.near_m
    far = shapely.distance(place, shapely.multipoints(homes.to_numpy())) > belief.remote_m
    return (
        np.where(near_edge, belief.edge, 1)
        * np.where(near_history, belief.history, 1)
        * np.where(far, belief.remote, 1)
    )
