"""Made-up villages, teams, offices, and who answers for which ground, by post."""

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.demo.boundaries import place_names
from geo.demo.sizes import COUNTY_ID, COUNTY_NAME, EPSG, SEASON, Floats, Size
from geo.demo.terrain import at
from geo.grid import Grid
from geo.layers import duties, roads, teams, villages

YEAR_START = pd.Timestamp(f"{SEASON}-01-01", tz="Asia/Shanghai").tz_convert("UTC")
WITHOUT_PLACE = 0.08
PHONES = 5


def village_places(
    townships: gpd.GeoDataFrame, size: Size, ground: Grid, rng: np.random.Generator
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Middles of villages on flat low ground, metres, (n, 2), and the position of their township."""
    quota = _shared_out(townships.area.to_numpy(), size.villages_n)
    apart = 0.45 * np.sqrt(size.area_km2 / size.villages_n) * 1000.0
    places: list[Floats] = []
    owners: list[int] = []
    for position, (shape, wanted) in enumerate(zip(townships.geometry, quota, strict=True)):
        candidates = points_in(shape, 80 * int(wanted), rng)
        for place in candidates[np.argsort(_roughness(ground, candidates))]:
            if len(places) and np.hypot(*(np.array(places) - place).T).min() < apart:
                continue
            places.append(place)
            owners.append(position)
            if owners.count(position) == wanted:
                break
    return np.array(places), np.array(owners)


def village_table(
    townships: gpd.GeoDataFrame, places: Floats, owners: npt.NDArray[np.int64], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Layer villages: some without a place, some without a count of courtyards, those near an edge marked."""
    count = len(places)
    order = pd.Series(owners).groupby(owners).cumcount().to_numpy()
    ids = townships["township_id"].to_numpy()[owners]
    points = shapely.points(places)
    edge = shapely.distance(points, shapely.boundary(townships.geometry.to_numpy())[owners]) < 800.0
    households = np.round(rng.lognormal(5.7, 0.4, count)).astype(int)
    courtyards = np.where(rng.random(count) < 0.75, np.round(households * rng.uniform(0.7, 1.0, count)), np.nan)
    shapes = np.where(_some(rng, count, WITHOUT_PLACE), None, points)
    rows = {
        "village_id": [f"{township}{200 + n:03d}" for township, n in zip(ids, order, strict=True)],
        "township_id": ids,
        "name": [f"{name}村" for name in _village_names(count, rng)],
        "households_n": households,
        "courtyards_n": courtyards,
        "edge": edge,
    }
    return villages.SCHEMA.conform(gpd.GeoDataFrame(rows, geometry=gpd.GeoSeries(shapes, crs=EPSG), crs=EPSG))


def team_table(townships: gpd.GeoDataFrame, villages_held: gpd.GeoDataFrame) -> pd.DataFrame:
    """Layer teams: per township a special team, rangers and village groups with phones; one team of the county."""
    rows: list[tuple[str, str | None, str, str]] = [(f"{COUNTY_ID}-T00", None, "县踏查专班", "专班")]
    for township, name in zip(townships["township_id"], townships["name"], strict=True):
        rows += [
            (f"{township}-T01", township, f"{name}踏查专班", "专班"),
            (f"{township}-T02", township, f"{name}护林员组", "护林员"),
        ]
        held = villages_held.loc[villages_held["township_id"] == township, "name"].head(PHONES - 2)
        rows += [(f"{township}-T{n:02d}", township, f"{village}村组", "村组") for n, village in enumerate(held, 3)]
    return teams.SCHEMA.conform(pd.DataFrame(rows, columns=teams.SCHEMA.names))


def office_table(townships: gpd.GeoDataFrame, places: Floats, owners: npt.NDArray[np.int64]) -> gpd.GeoDataFrame:
    """Layer offices: where each township's teams start, in a village near its middle."""
    seats = []
    for position, (_, row) in enumerate(townships.iterrows()):
        held = places[owners == position] if (owners == position).any() else places
        middle = shapely.get_coordinates(shapely.point_on_surface(row.geometry))[0]
        seats.append(held[np.argmin(np.hypot(*(held - middle).T))])
    rows = {
        "office_id": townships["township_id"] + "-O1",
        "township_id": townships["township_id"],
        "name": townships["name"] + "人民政府（虚构）",
    }
    return roads.OFFICES.conform(gpd.GeoDataFrame(rows, geometry=shapely.points(np.array(seats)), crs=EPSG))


def duty_table(
    townships: gpd.GeoDataFrame, villages_held: gpd.GeoDataFrame, grounds: gpd.GeoDataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Layer duties: posts for county, townships, villages, forest farm; some villages and the reservoir have none."""
    rows: list[tuple[object, ...]] = [("county", COUNTY_ID, None, f"{COUNTY_NAME.split()[0]}县长", "属地", None)]
    for township, name in zip(townships["township_id"], townships["name"], strict=True):
        rows.append(("township", township, COUNTY_ID, f"{name}主要负责人", "属地", None))
        rows.append(("township", township, COUNTY_ID, f"县包保领导（{name}）", "包保", None))
    count = len(villages_held)
    nobody = _some(rng, count, 0.05)
    ended = _some(rng, count, 0.04) & ~nobody
    expiry = pd.Timestamp(f"{SEASON}-03-01", tz="Asia/Shanghai").tz_convert("UTC")
    for position, (village, township, name) in enumerate(
        zip(villages_held["village_id"], villages_held["township_id"], villages_held["name"], strict=True)
    ):
        if not nobody[position]:
            rows.append(("village", village, township, f"{name}支部书记", "属地", expiry if ended[position] else None))
    forest = grounds[grounds["kind"] == "林场"].iloc[0]
    rows.append(("林场", forest["ground_id"], COUNTY_ID, "县林业主管部门负责人", "主管部门", None))
    names = ["unit_kind", "unit_id", "parent_id", "post", "duty_kind", "valid_to"]
    table = pd.DataFrame(rows, columns=names)
    table["duty_id"] = [f"D{n:05d}" for n in range(1, len(table) + 1)]
    table["valid_from"] = YEAR_START
    shapes = gpd.GeoSeries([None] * (len(table) - 1) + [forest.geometry], crs=EPSG)
    return duties.SCHEMA.conform(gpd.GeoDataFrame(table, geometry=shapes, crs=EPSG))


def due_table(villages_held: gpd.GeoDataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """What the register says of villages as an office writes it: 亩 due for most, and which are 重点."""
    count = len(villages_held)
    area = np.round(rng.lognormal(7.2, 0.5, count))
    return pd.DataFrame(
        {
            "单元类别": "村",
            "代码": villages_held["village_id"],
            "名称": villages_held["name"],
            "上级代码": villages_held["township_id"],
            "应踏查面积（亩）": np.where(_some(rng, count, 0.06), np.nan, area),
            "重点": np.where(_some(rng, count, 0.1), "是", "否"),
        }
    )


def points_in(shape: shapely.Geometry, count: int, rng: np.random.Generator) -> Floats:
    """`count` places spread evenly over an area, (count, 2)."""
    shapely.prepare(shape)
    west, south, east, north = shape.bounds
    found: list[Floats] = []
    while sum(map(len, found)) < count:
        drawn = rng.uniform((west, south), (east, north), (4 * count, 2))
        found.append(drawn[shapely.contains_xy(shape, drawn[:, 0], drawn[:, 1])])
    return np.vstack(found)[:count]


def _roughness(ground: Grid, place: Floats) -> Floats:
    """Spread of heights within 150 m of each place, metres."""
    turn = np.linspace(0, 2 * np.pi, 9)[:-1]
    ring = place[:, None, :] + 150.0 * np.column_stack([np.cos(turn), np.sin(turn)])
    return np.asarray(at(ground, ring.reshape(-1, 2)).reshape(len(place), -1).astype(float).std(axis=1))


def _shared_out(weight: Floats, total: int) -> npt.NDArray[np.int64]:
    """Whole numbers in proportion to `weight`, at least 1 each, summing to `total`."""
    exact = weight / weight.sum() * total
    parts = np.maximum(np.floor(exact), 1).astype(np.int64)
    parts[np.argsort(parts - exact)[: total - parts.sum()]] += 1
    return np.asarray(parts)


def _some(rng: np.random.Generator, count: int, share: float) -> npt.NDArray[np.bool_]:
    """Exactly max(1, share of count) true values, drawn at random."""
    chosen = np.zeros(count, bool)
    chosen[rng.choice(count, max(1, round(share * count)), replace=False)] = True
    return chosen


def _village_names(count: int, rng: np.random.Generator) -> list[str]:
    first = place_names(min(count, 300), rng)
    return first + [f"{part}{'上下大小新老'[n % 6]}寨" for n, part in enumerate(place_names(max(count - 300, 0), rng))]
