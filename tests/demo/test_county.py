"""The small made-up county: the same every time, within its stated ranges, and with every trait real data have."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from rasterio import features

from geo import demo
from geo.crs import to_degrees
from geo.demo.terrain import at
from geo.layers import SCHEMAS, duties, tracks
from geo.layers.terrain import PLANTABLE, Cover

LAYERS = [
    "townships", "neighbours", "grounds", "villages", "duties", "teams", "roads", "tracks", "visits", "parcels",
    "leads", "alerts", "offices",
]  # fmt: skip


@pytest.fixture(scope="module")
def county() -> demo.DemoCounty:
    return demo.make("small", 7)


@pytest.fixture(scope="module")
def fixes(county: demo.DemoCounty) -> pd.DataFrame:
    return tracks.fixes_of(county.tracks)


def inside(county: demo.DemoCounty) -> np.ndarray:
    land = shapely.union_all(county.townships.geometry.to_numpy())
    frame = county.cover.frame
    return features.rasterize([(land, 1)], frame.shape, transform=frame.transform).astype(bool)


def test_the_same_seed_gives_the_same_county(county: demo.DemoCounty) -> None:
    """Every table and grid is equal the second time; another seed differs."""
    again = demo.make("small", 7)
    for name in [*LAYERS, "truth"]:
        one, other = getattr(county, name), getattr(again, name)
        pd.testing.assert_frame_equal(pd.DataFrame(one).drop(columns="geometry", errors="ignore"),
                                      pd.DataFrame(other).drop(columns="geometry", errors="ignore"))  # fmt: skip
        if "geometry" in one:
            assert one.geometry.to_wkb().equals(other.geometry.to_wkb())
    assert np.array_equal(county.elevation.values, again.elevation.values)
    assert np.array_equal(county.cover.values, again.cover.values)
    assert set(demo.make("small", 8).tracks["track_id"]).isdisjoint(county.tracks["track_id"])


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_keeps_its_contract(county: demo.DemoCounty, layer: str) -> None:
    """Columns, choices, unique ids and geometry as the schemas say, in metres."""
    SCHEMAS[layer].check(getattr(county, layer))


def test_counts_lie_in_the_stated_ranges(county: demo.DemoCounty) -> None:
    """About 19 villages, 112 tracks, 1,100 km, 90,000 fixes and 14 parcels."""
    assert len(county.villages) == 19
    assert len(county.tracks) == 112
    assert 900e3 < county.tracks["length_m"].sum() < 1300e3
    assert 70_000 < county.tracks["fixes_n"].sum() < 110_000
    assert len(county.parcels) == 14
    assert set(county.parcels["status"]) == {"flagged"}


def test_everything_says_that_it_is_made_up(county: demo.DemoCounty) -> None:
    """In both languages."""
    assert county.settings.made_up
    assert "虚构" in county.settings.name
    assert "made up" in county.settings.name
    for table in (county.townships, county.neighbours, county.grounds, county.alerts):
        assert set(table["source"]) == {"虚构 made up"}


def test_the_ground_is_karst_with_two_fifths_plantable(county: demo.DemoCounty) -> None:
    """Height 800-2,200 m as float32, every cover class there, 35-45 % of the land plantable."""
    heights = county.elevation.values
    assert heights.dtype == np.float32
    assert heights.min() >= 800.0
    assert heights.max() <= 2200.0
    land = county.cover.values[inside(county)]
    assert set(np.unique(land)) == {int(kind) for kind in Cover if kind is not Cover.UNKNOWN}
    assert 0.35 < np.isin(land, PLANTABLE).mean() < 0.45


def test_the_reservoir_is_level_water(county: demo.DemoCounty) -> None:
    """The ground 库区 holds water all at one height."""
    ground = county.grounds[county.grounds["kind"] == "库区"].geometry.iloc[0]
    frame = county.cover.frame
    held = features.rasterize([(ground.buffer(-200), 1)], frame.shape, transform=frame.transform).astype(bool)
    wet = held & (county.cover.values == Cover.WATER)
    assert wet.sum() > 500
    _, counts = np.unique(county.elevation.values[wet], return_counts=True)
    assert counts.max() > 0.9 * wet.sum()


def test_walkers_are_slow_and_riders_fast(county: demo.DemoCounty) -> None:
    """Median speed of a foot track 0.5-4 km/h, of a vehicle track 15-50 km/h."""
    hours = (county.tracks["ended_at"] - county.tracks["started_at"]).dt.total_seconds() / 3600.0
    speed = county.tracks["length_m"] / 1000.0 / hours
    on_foot = county.tracks["mode"] == "foot"
    assert speed[on_foot].median() == pytest.approx(1.8, abs=0.8)
    assert (~on_foot).any()
    assert speed[~on_foot].between(15.0, 50.0).all()
    assert hours.max() < 11.0


def test_fixes_come_every_ten_to_thirty_seconds_with_gaps_and_rests(
    county: demo.DemoCounty, fixes: pd.DataFrame
) -> None:
    """Typical interval, whole rising seconds, some silences beyond three minutes, some rests."""
    step = fixes.groupby("track")["seconds"].diff().dropna()
    assert (step >= 1.0).all()
    assert (step == step.round()).all()
    assert 10.0 <= step.median() <= 30.0
    assert (step > 180.0).sum() >= 10
    assert (step == 36.0).sum() > 500


def test_noise_changes_slowly(county: demo.DemoCounty, fixes: pd.DataFrame) -> None:
    """Resting phones wander some metres from their middle, each fix near the one before."""
    still = fixes.groupby("track")["seconds"].diff() == 36.0
    run = (still != still.shift()).cumsum()
    rest = fixes["easting_m"][still & (still.groupby(run).transform("size") >= 30)]
    off = rest - rest.groupby(run).transform("mean")
    assert run[rest.index].nunique() > 20
    assert 1.0 < off.std() < 6.0
    assert np.corrcoef(off.iloc[1:], off.iloc[:-1])[0, 1] > 0.5


def test_track_ids_survive_seven_decimals(county: demo.DemoCounty) -> None:
    """Written as degrees with seven decimals and read back, a track has the same id."""
    for row in county.tracks.head(8).itertuples():
        place = shapely.get_coordinates(row.geometry, include_z=True, include_m=True)
        degrees = [
            [float(f"{v:.7f}") for v in side] for side in to_degrees(place[:, 0], place[:, 1], county.tracks.crs)
        ]
        assert tracks.track_id(*degrees, place[:, 3]) == row.track_id


def test_recorded_height_is_the_ground_plus_noise(county: demo.DemoCounty, fixes: pd.DataFrame) -> None:
    """Deviation about 4 m, no bias."""
    off = fixes["elevation_m"] - at(county.elevation, fixes[["easting_m", "northing_m"]].to_numpy())
    assert abs(off.mean()) < 0.2
    assert 3.5 < off.std() < 4.5


def test_no_team_is_at_two_places_on_a_day(county: demo.DemoCounty) -> None:
    """One recording per team and day, within the season, before the last record."""
    day = county.tracks["started_at"].dt.tz_convert("Asia/Shanghai").dt.date
    assert not pd.DataFrame({"team": county.tracks["team_id"], "day": day}).duplicated().any()
    assert day.min() >= pd.Timestamp("2026-01-05").date()
    assert day.max() <= pd.Timestamp("2026-05-20").date()
    assert set(county.tracks["team_id"]) <= set(county.teams["team_id"])


def test_walking_is_spread_unevenly(county: demo.DemoCounty) -> None:
    """One township has no track, two hardly any."""
    counts = county.tracks.groupby("township_id").size().reindex(county.townships["township_id"], fill_value=0)
    assert (counts == 0).sum() == 1
    assert (counts.sort_values().iloc[1:3] < 0.3 * counts.mean()).all()


def test_walking_is_thin_at_the_edges(county: demo.DemoCounty, fixes: pd.DataFrame) -> None:
    """Fixes per km2 within 200 m of a township edge are fewer than two thirds of those farther inside."""
    edges = shapely.union_all(shapely.boundary(county.townships.geometry.to_numpy()))
    land = shapely.union_all(county.townships.geometry.to_numpy())
    strip = shapely.intersection(edges.buffer(200.0), land)
    places = shapely.points(fixes[["easting_m", "northing_m"]].to_numpy()[::10])
    within, near = (shapely.STRtree(places).query(area, predicate="intersects").size for area in (land, strip))
    assert near / strip.area < 0.67 * (within - near) / (land.area - strip.area)


def test_true_plots_stand_on_plantable_ground(county: demo.DemoCounty) -> None:
    """Inside their township, at most three each, none marked found."""
    truth = county.truth
    place = shapely.get_coordinates(truth.geometry.to_numpy())
    assert np.isin(at(county.cover, place), PLANTABLE).all()
    homes = gpd.GeoSeries(county.townships.set_index("township_id").geometry.loc[truth["township_id"]].to_numpy())
    assert homes.intersects(gpd.GeoSeries(truth.geometry.to_numpy())).all()
    assert truth.groupby("township_id").size().max() <= 3
    assert (truth["plants_n"] >= 1).all()
    assert not truth["found"].any()


def test_some_ground_has_nobody_and_some_villages_no_place(county: demo.DemoCounty) -> None:
    """无人负责 appears for villages and for one ground, a post has expired, a village has no point."""
    moment = pd.Timestamp("2026-05-20", tz="UTC").to_pydatetime()
    answered = duties.posts_by_unit(county.duties, moment)
    nobody = ~county.villages["village_id"].isin(list(answered))
    assert 1 <= nobody.sum() < len(county.villages) / 2
    assert county.grounds["ground_id"].isin(list(answered)).tolist() == [True, False]
    assert duties.in_force(county.duties, moment).shape[0] < len(county.duties)
    assert county.villages.geometry.isna().any()
    assert county.villages["courtyards_n"].isna().any()


def test_visits_have_all_three_classes_and_some_are_missing(county: demo.DemoCounty) -> None:
    """B mostly, C some, fewer than villages x rounds; A visits name the track they rest on."""
    counts = county.visits["evidence"].value_counts()
    assert counts["B"] > counts["C"] > 0
    assert counts["B"] + counts["C"] < 3 * len(county.villages)
    tracked = county.visits[county.visits["evidence"] == "A"]
    assert set(tracked["track_id"]) <= set(county.tracks["track_id"])
    assert len(tracked) > 0


def test_offices_and_roads_join_up(county: demo.DemoCounty) -> None:
    """One office per township, and the roads are one network."""
    assert county.offices["township_id"].tolist() == county.townships["township_id"].tolist()
    joined = shapely.union_all(shapely.buffer(county.roads.geometry.to_numpy(), 1.0))
    assert joined.geom_type == "Polygon"
    assert set(county.roads["kind"]) == {"公路", "机耕道", "小路"}


@pytest.mark.slow
def test_the_full_county_has_the_stated_size() -> None:
    """25 townships, 400 villages, 2,500 tracks, about 25,000 km and 2 M fixes, 300 parcels."""
    county = demo.make("full", 7)
    for layer in LAYERS:
        SCHEMAS[layer].check(getattr(county, layer))
    assert (len(county.townships), len(county.villages), len(county.tracks), len(county.parcels)) == (
        25,
        400,
        2500,
        300,
    )
    assert 22e6 < county.tracks["length_m"].sum() < 28e6
    assert 1.7e6 < county.tracks["fixes_n"].sum() < 2.3e6
    assert 0.35 < np.isin(county.cover.values[inside(county)], PLANTABLE).mean() < 0.45
