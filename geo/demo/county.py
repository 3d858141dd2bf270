"""One made-up county from its seed: every layer, both grids and the hidden truth."""

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.demo import boundaries, people, records, sizes, terrain, truth, walks, ways
from geo.grid import Grid, county_frame
from geo.settings import Settings

RIVER_HALF_WIDTH_M = 14.0
Progress = Callable[[str], None]


@dataclass(frozen=True)
class DemoCounty:
    """A made-up county: layers in EPSG:4544 as their schemas say, grids on one 10 m frame, and the hidden truth."""

    settings: Settings
    townships: gpd.GeoDataFrame
    neighbours: gpd.GeoDataFrame
    grounds: gpd.GeoDataFrame
    villages: gpd.GeoDataFrame
    duties: gpd.GeoDataFrame
    teams: pd.DataFrame
    roads: gpd.GeoDataFrame
    offices: gpd.GeoDataFrame
    elevation: Grid
    cover: Grid
    tracks: gpd.GeoDataFrame
    visits: gpd.GeoDataFrame
    parcels: gpd.GeoDataFrame
    leads: gpd.GeoDataFrame
    alerts: gpd.GeoDataFrame
    register: pd.DataFrame
    truth: gpd.GeoDataFrame


def make(size: str | sizes.Size = "small", seed: int = 7, progress: Progress | None = None) -> DemoCounty:
    """
    The made-up county of a size and seed: the same numbers every time.

    Parameters
    ----------
    size
        "small" (about 110 km2) or "full" (about 2,500 km2), or a `Size` of one's own.
    progress
        Called with the name of each part before it is made.
    """
    kind = sizes.SIZES[size] if isinstance(size, str) else size
    say = progress or (lambda _: None)

    def dice(what: str) -> np.random.Generator:
        return sizes.stream(kind, seed, what)

    say("boundaries")
    townships, neighbours = boundaries.jurisdictions(kind, seed)
    land = shapely.union_all(townships.geometry.to_numpy())
    river, reservoir = boundaries.river(kind, seed, land.bounds)
    grounds = boundaries.grounds(townships, reservoir, dice("grounds"))
    say("terrain")
    frame = county_frame(land.bounds, sizes.EPSG)
    elevation = terrain.elevation(kind, frame, dice("elevation"), river=river, reservoir=reservoir)
    dry = townships.set_geometry(townships.difference(river.buffer(60.0).union(reservoir.buffer(80.0))))
    places, owners = people.village_places(dry, kind, elevation, dice("places"))
    water = [river.buffer(RIVER_HALF_WIDTH_M), reservoir]
    cover = terrain.cover(elevation, dice("cover"), villages=places, water=water, land=land)
    say("people")
    villages = people.village_table(townships, places, owners, dice("villages"))
    teams = people.team_table(townships, villages)
    roads, road_ends = ways.road_table(elevation, cover, places)
    say("tracks")
    walkers = walks.Walkers(elevation, cover, townships, teams, places, owners, roads, road_ends, reservoir)
    tracks = walks.track_table(walkers, kind, dice("tracks"))
    say("records")
    parcels = records.parcel_table(townships, cover, kind, dice("parcels"))
    leads = records.lead_table(townships, cover, villages, dice("leads"))
    history = leads.geometry[leads["kind"] == "历史点位"]
    return DemoCounty(
        settings=Settings(
            county_id=sizes.COUNTY_ID, name=sizes.COUNTY_NAME, made_up=True, epsg=sizes.EPSG, season=sizes.SEASON
        ),
        townships=townships,
        neighbours=neighbours,
        grounds=grounds,
        villages=villages,
        duties=people.duty_table(townships, villages, grounds, dice("duties")),
        teams=teams,
        roads=roads,
        offices=people.office_table(townships, places, owners),
        elevation=elevation,
        cover=cover,
        tracks=tracks,
        visits=records.visit_table(villages, teams, parcels, tracks, dice("visits")),
        parcels=parcels,
        leads=leads,
        alerts=records.alert_table(townships, neighbours),
        register=people.due_table(villages, dice("register")),
        truth=truth.truth_table(townships, cover, history, gpd.GeoSeries(shapely.points(places)), dice("truth")),
    )
