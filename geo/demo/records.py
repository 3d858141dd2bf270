"""Made-up records: suspected parcels, visits with and without GPS, historic spots, tips and a neighbour's find."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.demo.people import points_in
from geo.demo.sizes import EPSG, MADE_UP, SEASON, Floats, Size
from geo.demo.terrain import at
from geo.grid import Grid
from geo.layers import alerts, leads, parcels, visits
from geo.layers.terrain import PLANTABLE

ROUNDS = (("01-20", 12), ("03-18", 20), ("05-01", 18))  # middle day and spread of each round's signed forms
LAST_MOMENT = pd.Timestamp(f"{SEASON}-05-20 16:00", tz="Asia/Shanghai").tz_convert("UTC")
NEAR_TRACK_M = 60.0


def moments(day: str, after_days: Floats) -> pd.DatetimeIndex:
    """UTC moments some days after midnight of a day of the season, whole minutes, none after the last record."""
    start = pd.Timestamp(f"{SEASON}-{day}", tz="Asia/Shanghai").tz_convert("UTC")
    times = (start + pd.to_timedelta(after_days, unit="D")).round("min")
    return pd.DatetimeIndex(times.where(times <= LAST_MOMENT, LAST_MOMENT))


def parcel_table(townships: gpd.GeoDataFrame, cover: Grid, size: Size, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Layer parcels: the list from above, on plantable ground, all still flagged; three in four are outlines."""
    county = shapely.union_all(townships.geometry.to_numpy())
    place = points_in(county, size.parcels_n * 8, rng)
    place = place[np.isin(at(cover, place), PLANTABLE)][: size.parcels_n]
    points = shapely.points(place)
    count = len(points)
    outlined = rng.random(count) < 0.75
    shapes = np.where(outlined, _outlines(place, rng), points)
    flagged = moments("03-10", rng.choice([0.0, 14.0, 30.0, 45.0], count) + 0.4)
    inside = shapely.STRtree(townships.geometry.to_numpy()).query(points, predicate="intersects")
    owner = pd.Series(inside[1], index=inside[0]).groupby(level=0).first().reindex(range(count))
    rows = {
        "parcel_id": [f"DEMO-{SEASON}-{n:04d}" for n in range(1, count + 1)],
        "source": "satellite",
        "source_id": [f"{MADE_UP} {n:04d}" for n in range(1, count + 1)],
        "township_id": townships["township_id"].to_numpy()[owner.to_numpy(int)],
        "flagged_at": flagged,
        "deadline": flagged + pd.to_timedelta(15, unit="D"),
        "suspicion": np.round(rng.beta(2.0, 3.0, count), 2),
        "scene_id": [f"made-up-{moment:%Y%m%d}" for moment in flagged],
        "status": parcels.Status.FLAGGED.value,
        "accuracy_m": np.where(outlined, 10.0, 30.0),
    }
    return parcels.SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=shapes, crs=EPSG))


def lead_table(
    townships: gpd.GeoDataFrame, cover: Grid, villages: gpd.GeoDataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Layer leads: historic spots on plantable ground, and tips of which half name only a village."""
    county = shapely.union_all(townships.geometry.to_numpy())
    spots_n = max(4, round(county.area / 4e7))
    tips_n = max(3, spots_n // 4)
    place = points_in(county, 8 * (spots_n + tips_n), rng)
    place = place[np.isin(at(cover, place), PLANTABLE)][: spots_n + tips_n]
    named = np.arange(spots_n + tips_n) >= spots_n + tips_n // 2
    village = villages.iloc[rng.integers(0, len(villages), spots_n + tips_n)]
    reported = moments(
        "01-02", np.where(np.arange(spots_n + tips_n) < spots_n, 0.4, rng.uniform(5, 120, spots_n + tips_n))
    )
    rows = {
        "lead_id": [f"DEMO-L{n:03d}" for n in range(1, spots_n + tips_n + 1)],
        "kind": ["历史点位"] * spots_n + ["举报" if n % 2 else "村民反映" for n in range(tips_n)],
        "reported_at": reported,
        "weight": 1.0,
        "village_id": np.where(named, village["village_id"], None),
        "place_text": np.where(named, village["name"] + "附近（虚构）", None),
    }
    shapes = gpd.GeoSeries(np.where(named, None, shapely.points(place)), crs=EPSG)
    return leads.SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=shapes, crs=EPSG))


def alert_table(townships: gpd.GeoDataFrame, neighbours: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Layer alerts: the neighbour found plants 400 m beyond the common edge."""
    beyond = neighbours.geometry.iloc[0]
    shared = shapely.intersection(beyond, shapely.union_all(townships.geometry.to_numpy()).buffer(400.0))
    rows = {
        "alert_id": ["DEMO-A001"],
        "kind": ["邻县发现"],
        "unit_id": neighbours["neighbour_id"].to_numpy(),
        "issued_at": moments("04-08", np.array([0.4])),
        "source": [MADE_UP],
    }
    return alerts.SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=[shapely.point_on_surface(shared)], crs=EPSG))


def visit_table(
    villages: gpd.GeoDataFrame,
    teams: pd.DataFrame,
    parcels_held: gpd.GeoDataFrame,
    tracks: gpd.GeoDataFrame,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """
    Layer visits: every village's three rounds by form, by word or on foot with a phone, and parcels passed on foot.

    As in life some reports are missing, some come months late, some twice, and some contradict each other.
    """
    rounds = pd.concat(
        [_round(villages, teams, number, rng) for number in range(1, len(ROUNDS) + 1)], ignore_index=True
    )
    others = [_parcel_visits(parcels_held, tracks), _odd_reports(rounds, villages, teams, rng)]
    table = pd.concat([rounds, *others, _village_walks(villages, tracks, rng)], ignore_index=True)
    table = table.sort_values("visited_at", kind="stable", ignore_index=True)
    table["visit_id"] = [f"DEMO-V{n:05d}" for n in range(1, len(table) + 1)]
    return visits.SCHEMA.conform(gpd.GeoDataFrame(table, geometry="geometry", crs=EPSG))


def _round(villages: gpd.GeoDataFrame, teams: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """One round: about 15 % of villages send nothing, a quarter of the rest only says so, some are two weeks late."""
    count = len(villages)
    day, spread = ROUNDS[number - 1]
    late = np.where(rng.random(count) < 0.1, 14.0, 0.0)
    yards = villages["courtyards_n"].astype("float64").to_numpy()
    first_team = teams.drop_duplicates("township_id").set_index("township_id")["team_id"]
    rows = pd.DataFrame(
        {
            "village_id": villages["village_id"].to_numpy(),
            "round": number,
            "team_id": first_team.loc[villages["township_id"]].to_numpy(),
            "visited_at": moments(day, rng.uniform(0.35, spread, count) + late),
            "ground": rng.choice(visits.GROUNDS, count, p=(0.5, 0.35, 0.15)),
            "outcome": "未发现",
            "evidence": np.where(rng.random(count) < 0.75, visits.Evidence.B, visits.Evidence.C),
            "persons_n": rng.integers(2, 9, count),
            "hours": np.round(rng.uniform(2.0, 7.0, count), 1),
            "area_m2": np.round(rng.uniform(40, 900, count)) * 2000.0 / 3.0,
            "courtyards_n": np.where(rng.random(count) < 0.6, np.floor(yards * rng.uniform(0.3, 1.0, count)), np.nan),
            "geometry": villages.geometry.to_numpy(),
        }
    )
    rows.loc[rng.random(count) < 0.02, ["outcome", "reason"]] = ["无法到达", "道路中断"]
    return rows[rng.random(count) < 0.85]


def _odd_reports(
    rounds: pd.DataFrame, villages: gpd.GeoDataFrame, teams: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Reports sent twice, told otherwise by somebody else, and sent in May for rounds that were over."""
    count = len(rounds)
    twice = rounds[rng.random(count) < 0.02]
    against = rounds[rng.random(count) < 0.015].assign(
        outcome="无法到达", reason="电话中说没有去", evidence=visits.Evidence.C, area_m2=np.nan, courtyards_n=np.nan
    )
    late = [_round(villages, teams, number, rng) for number in (1, 2)]
    silent = [
        table[~table["village_id"].isin(rounds.loc[rounds["round"] == number, "village_id"])]
        for number, table in enumerate(late, 1)
    ]
    sent = pd.concat(silent, ignore_index=True)
    sent = sent[rng.random(len(sent)) < 0.4]
    sent = sent.assign(visited_at=moments("05-12", rng.uniform(0.35, 7.0, len(sent))))
    return pd.concat([twice, against, sent], ignore_index=True)


def _village_walks(villages: gpd.GeoDataFrame, tracks: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A class A visit for some of the villages a foot track passes within 200 m, the first such track of a round."""
    placed = villages[villages.geometry.notna()]
    on_foot = tracks[(tracks["mode"] == "foot") & tracks["team_id"].notna()]
    village, track = shapely.STRtree(on_foot.geometry.to_numpy()).query(
        placed.geometry.to_numpy(), predicate="dwithin", distance=200.0
    )
    walked = on_foot.iloc[track].assign(village=village)
    day = walked["started_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%m-%d")
    walked = walked.assign(round=1 + (day >= "03-11").astype(int) + (day >= "04-21").astype(int))
    walked = walked.sort_values("started_at", kind="stable").drop_duplicates(["village", "round"])
    walked = walked[rng.random(len(walked)) < 0.25]
    held = placed.iloc[walked["village"]]
    return pd.DataFrame(
        {
            "village_id": held["village_id"].to_numpy(),
            "round": walked["round"].to_numpy(),
            "team_id": walked["team_id"].to_numpy(),
            "visited_at": walked["started_at"].to_numpy(),
            "ground": "荒山野岭",
            "outcome": "未发现",
            "evidence": visits.Evidence.A,
            "track_id": walked["track_id"].to_numpy(),
            "persons_n": rng.integers(2, 5, len(walked)),
            "area_m2": np.round(rng.uniform(60, 500, len(walked))) * 2000.0 / 3.0,
            "geometry": held.geometry.to_numpy(),
        }
    )


def _parcel_visits(parcels_held: gpd.GeoDataFrame, tracks: gpd.GeoDataFrame) -> pd.DataFrame:
    """A class A visit for every flagged parcel that a foot track then passed within 60 m: the first such pass."""
    places = shapely.point_on_surface(parcels_held.geometry.to_numpy())
    on_foot = tracks[tracks["mode"] == "foot"]
    parcel, track = shapely.STRtree(on_foot.geometry.to_numpy()).query(
        places, predicate="dwithin", distance=NEAR_TRACK_M
    )
    passed = on_foot["started_at"].to_numpy()[track] > parcels_held["flagged_at"].to_numpy()[parcel]
    first = pd.DataFrame({"parcel": parcel[passed], "track": track[passed]}).sort_values(["parcel", "track"])
    first = first.drop_duplicates("parcel")
    shapes = on_foot.geometry.to_numpy()[first["track"]]
    held = on_foot.iloc[first["track"]]
    return pd.DataFrame(
        {
            "parcel_id": parcels_held["parcel_id"].to_numpy()[first["parcel"]],
            "team_id": held["team_id"].to_numpy(),
            "visited_at": pd.to_datetime(_passing_seconds(shapes, places[first["parcel"]]), unit="s", utc=True),
            "ground": "田间",
            "outcome": ["核查排除" if n % 5 < 3 else "未发现" for n in range(len(first))],
            "reason": ["其他作物：油菜" if n % 5 < 3 else None for n in range(len(first))],
            "evidence": visits.Evidence.A,
            "track_id": held["track_id"].to_numpy(),
            "geometry": places[first["parcel"]],
        }
    )


def _passing_seconds(lines: npt.NDArray[np.object_], places: npt.NDArray[np.object_]) -> Floats:
    """When each line's nearest fix to its place was recorded, UTC seconds."""
    found = np.empty(len(lines))
    for i, (line, place) in enumerate(zip(lines, shapely.get_coordinates(places), strict=True)):
        fixes = shapely.get_coordinates(line, include_m=True)
        found[i] = fixes[np.argmin(np.hypot(*(fixes[:, :2] - place).T)), 2]
    return found


def _outlines(place: Floats, rng: np.random.Generator) -> npt.NDArray[np.object_]:
    """A small irregular field of 5-30 m round each place."""
    turn = np.linspace(0, 2 * np.pi, 9)[:-1]
    reach = rng.uniform(2.5, 15.0, (len(place), 1)) * rng.uniform(0.7, 1.2, (len(place), 8))
    ring = place[:, None, :] + reach[..., None] * np.column_stack([np.cos(turn), np.sin(turn)])
    return np.asarray(shapely.polygons(np.round(ring, 2)))
