"""
靶标吻合率自查值: targets against filed visits, one to one, within what both places' stated accuracies allow.

The official figure is the supervising centre's and its rule is not public, so `FORMULA` and the tolerance go with
every figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FORMULA = "tacha-1"
"""吻合率 = targets with a matched visit ÷ targets; 及时率 = those matched in time ÷ targets; one visit per target."""
UNREACHED = "无法到达"
SHIFT_LEAST_N, SHIFT_SPREAD = 3, 0.1


class Fate(StrEnum):
    """What became of a filed visit."""

    MATCHED = "matched"
    DUPLICATE = "duplicate"
    UNREACHED = "unreached"
    BEFORE = "before"
    DATUM = "datum"
    STRAY = "stray"
    NO_PLACE = "no_place"


class Stand(StrEnum):
    """How a target stands; claimed: a visit without a place names it."""

    ON_TIME = "on_time"
    LATE = "late"
    TRIED = "tried"
    MISPLACED = "misplaced"
    CLAIMED = "claimed"
    OPEN = "open"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Matching:
    """
    Who matches whom.

    Parameters
    ----------
    targets
        Index as given; ``stand`` (`Stand`), ``visit`` (index of the visit or -1), ``distance_m``, ``tolerance_m``,
        ``tries_n`` (visits within the tolerance in all), ``days_left`` (to the deadline, negative after it; NaN
        without one or once matched).
    visits
        Index as given; ``fate`` (`Fate`), ``target`` (index of the target it matches, repeats or would match in the
        other datum, or -1), ``distance_m``, ``late`` and ``other_name`` (its number names another target), ``variant``
        (under which datum it would fit) and ``late_d``, days after the deadline.
    shift_m
        Metres east and north by which visits lie off the targets they name, where at least three agree; else None.
    """

    targets: pd.DataFrame
    visits: pd.DataFrame
    shift_m: tuple[float, float] | None

    @property
    def rate(self) -> float | None:
        """The self-check's 吻合率: matched ÷ all; None without targets."""
        return _share(self.targets["stand"].isin([Stand.ON_TIME, Stand.LATE]))

    @property
    def on_time_rate(self) -> float | None:
        """Matched in time ÷ all; None without targets."""
        return _share(self.targets["stand"] == Stand.ON_TIME)


def tolerance(target_m: npt.ArrayLike, visit_m: npt.ArrayLike, factor: float) -> Floats:
    """
    How far apart, in metres, two places of stated accuracy (one standard deviation per axis) may lie.

    With `factor` √(−2 ln .05) = 2.448 a true pair lies within it 95 times in 100.

    >>> tolerance(15.0, 10.0, 2.448).round(2).tolist()
    44.13
    """
    allowed: Floats = factor * np.hypot(np.asarray(target_m, float), np.asarray(visit_m, float))
    return allowed


def match_visits(
    targets: gpd.GeoDataFrame,
    visits: gpd.GeoDataFrame,
    *,
    factor: float,
    as_of: datetime,
    variants: Mapping[str, Sequence[Any]] | None = None,
) -> Matching:
    """
    Match visits with targets: as many pairs as there can be, of these the nearest, never one twice.

    Parameters
    ----------
    targets
        ``parcel_id, flagged_at, deadline, accuracy_m`` and a geometry; a visit inside an area is 0 m away.
    visits
        ``visit_id, parcel_id`` (the target it names, or None), ``visited_at, outcome, accuracy_m`` and a point or
        None. A visit before its target was flagged checks nothing; one that could not get there verifies nothing.
    factor
        See `tolerance`.
    variants
        The visits' places had their datum been another one, by its name; tried only for those that match nothing.
    """
    goals, seen = targets.reset_index(drop=True), visits.reset_index(drop=True)
    placed = np.asarray(seen.geometry.notna() & ~seen.geometry.is_empty, bool)
    reached = np.asarray(seen["outcome"] != UNREACHED, bool)
    pairs = _pairs(goals, seen, seen.geometry.to_numpy(), factor, placed)
    chosen = _assigned(pairs[reached[pairs["visit"]] & pairs["after"]], goals, seen)
    told = _visits_told(seen, goals, pairs, chosen, placed, reached)
    told = _in_other_datum(told, goals, seen, chosen, variants or {}, factor, placed & reached)
    stands = _targets_told(goals, seen, pairs, chosen, told, as_of)
    plain = pd.DataFrame(told).set_index(visits.index)
    return Matching(stands.set_index(targets.index), plain, _shift(goals, seen, told))


def _pairs(goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, places: Any, factor: float, which: Any) -> pd.DataFrame:
    """Every visit within the tolerance of a target: ``target, visit, distance_m, tolerance_m, after``."""
    visit_m = seen["accuracy_m"].to_numpy(float)
    shapes, reach = goals.geometry.to_numpy(), tolerance(goals["accuracy_m"], visit_m.max(initial=0.0), factor)
    use = np.flatnonzero(which)
    if not len(goals) or not len(use):
        return pd.DataFrame(
            {"target": np.zeros(0, int), "visit": np.zeros(0, int), "distance_m": [], "tolerance_m": [], "after": []}
        ).astype({"after": bool})
    tree = shapely.STRtree(np.asarray(places, object)[use])
    target, near = tree.query(shapes, predicate="dwithin", distance=reach)
    visit = use[near]
    away = shapely.distance(shapes[target], np.asarray(places, object)[visit])
    allowed = tolerance(goals["accuracy_m"].to_numpy(float)[target], visit_m[visit], factor)
    after = seen["visited_at"].to_numpy()[visit] >= goals["flagged_at"].to_numpy()[target]
    table = pd.DataFrame({"target": target, "visit": visit, "distance_m": away, "tolerance_m": allowed, "after": after})
    return table[table["distance_m"] <= table["tolerance_m"]].reset_index(drop=True)


def _assigned(pairs: pd.DataFrame, goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame) -> pd.DataFrame:
    """
    The pairs of the assignment, by connected group: most pairs first, then names kept, then least distance.

    The cost of a pair is its squared distance in tolerances, below 1; naming another target costs 1 more, and being
    left out more than any choice of pairs can save.
    """
    if pairs.empty:
        return pairs
    names, wanted = seen["parcel_id"].to_numpy(object), goals["parcel_id"].to_numpy(object)
    named, mine = names[pairs["visit"]], wanted[pairs["target"]]
    astray = np.array([one is not None and one == one and one != two for one, two in zip(named, mine, strict=True)])
    allowed = np.maximum(pairs["tolerance_m"].to_numpy(), 1e-9)
    cost = (pairs["distance_m"].to_numpy() / allowed) ** 2 + astray
    size = len(goals) + len(seen)
    links = coo_array((np.ones(len(pairs)), (pairs["target"], len(goals) + pairs["visit"])), shape=(size, size))
    group = connected_components(links, directed=False)[1][pairs["target"].to_numpy()]
    kept = []
    for held in pd.Series(np.arange(len(pairs))).groupby(group).groups.values():
        places = np.asarray(held)
        rows, row = np.unique(pairs["target"].to_numpy()[places], return_inverse=True)
        columns, column = np.unique(pairs["visit"].to_numpy()[places], return_inverse=True)
        left_out = 2.0 * (min(len(rows), len(columns)) + 1)
        table = np.full((len(rows), len(columns)), left_out)
        table[row, column] = cost[places]
        at = np.full(table.shape, -1)
        at[row, column] = places
        kept += [at[i, j] for i, j in zip(*linear_sum_assignment(table), strict=True) if at[i, j] >= 0]
    return pairs.iloc[sorted(kept)].reset_index(drop=True)


def _visits_told(
    seen: gpd.GeoDataFrame,
    goals: gpd.GeoDataFrame,
    pairs: pd.DataFrame,
    chosen: pd.DataFrame,
    placed: Any,
    reached: Any,
) -> dict[str, Any]:
    """What became of each visit, before other datums are tried."""
    n = len(seen)
    fate = np.where(placed, Fate.STRAY, Fate.NO_PLACE).astype(object)
    target, away = np.full(n, -1), np.full(n, np.nan)
    nearest = pairs.sort_values("distance_m", kind="stable").drop_duplicates("visit")
    fresh = pairs[pairs["after"]].sort_values("distance_m", kind="stable").drop_duplicates("visit")
    for table, what in ((nearest, Fate.BEFORE), (fresh, Fate.DUPLICATE), (chosen, Fate.MATCHED)):
        at = table["visit"].to_numpy(int)
        fate[at], target[at], away[at] = what, table["target"], table["distance_m"]
    fate[(fate == Fate.DUPLICATE) & ~reached] = Fate.UNREACHED
    names = seen["parcel_id"].to_numpy(object)
    wanted = goals["parcel_id"].to_numpy(object)
    other = [t >= 0 and isinstance(one, str) and one != wanted[t] for one, t in zip(names, target, strict=True)]
    late = _days_late(seen, goals, target)
    found = {"fate": fate, "target": target, "distance_m": away, "late": late > 0.0, "late_d": late}
    return found | {"other_name": np.array(other, bool), "variant": np.full(n, None, object)}


def _days_late(seen: gpd.GeoDataFrame, goals: gpd.GeoDataFrame, target: Ints) -> Floats:
    """Days after the deadline of its target that a visit was made; NaN without a target or a deadline."""
    held = target >= 0
    late = np.full(len(seen), np.nan)
    if held.any():
        due = goals["deadline"].iloc[target[held]].reset_index(drop=True)
        late[held] = ((seen["visited_at"][held].reset_index(drop=True) - due) / timedelta(days=1)).to_numpy(float)
    return late


def _in_other_datum(
    told: dict[str, Any], goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, chosen: pd.DataFrame,
    variants: Mapping[str, Sequence[Any]], factor: float, usable: Any,
) -> dict[str, Any]:  # fmt: skip
    """Visits that match nothing, matched with the targets left over as if their places were of another datum."""
    for name, places in variants.items():
        stray = usable & (told["fate"] == Fate.STRAY)
        taken = {*chosen["target"], *told["target"][told["fate"] == Fate.DATUM]}
        pairs = _pairs(goals, seen, places, factor, stray)
        pairs = _assigned(pairs[pairs["after"] & ~pairs["target"].isin(taken)], goals, seen)
        at = pairs["visit"].to_numpy(int)
        told["fate"][at], told["target"][at], told["variant"][at] = Fate.DATUM, pairs["target"], name
        told["distance_m"][at] = pairs["distance_m"]
    return told


def _targets_told(
    goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, pairs: pd.DataFrame, chosen: pd.DataFrame, told: dict[str, Any],
    as_of: datetime,
) -> pd.DataFrame:  # fmt: skip
    """How each target stands."""
    n = len(goals)
    visit, away, allowed = np.full(n, -1), np.full(n, np.nan), np.full(n, np.nan)
    at = chosen["target"].to_numpy(int)
    visit[at], away[at], allowed[at] = chosen["visit"], chosen["distance_m"], chosen["tolerance_m"]
    left = (goals["deadline"] - pd.Timestamp(as_of)) / timedelta(days=1)
    left = left.to_numpy(float) if n else np.zeros(0)
    stand = np.where(left < 0.0, Stand.OVERDUE, Stand.OPEN).astype(object)
    tried = np.isin(np.arange(n), told["target"][told["fate"] == Fate.UNREACHED])
    moved = np.isin(np.arange(n), told["target"][told["fate"] == Fate.DATUM])
    told_of = seen["parcel_id"][(told["fate"] == Fate.NO_PLACE) & (seen["outcome"] != UNREACHED)]
    stand[tried], stand[moved] = Stand.TRIED, Stand.MISPLACED
    stand[goals["parcel_id"].isin(told_of.dropna()).to_numpy()] = Stand.CLAIMED
    late = told["late"][visit[at]] if len(at) else np.zeros(0, bool)
    stand[at] = np.where(late, Stand.LATE, Stand.ON_TIME)
    tries = np.bincount(pairs["target"].to_numpy(int), minlength=n) if len(pairs) else np.zeros(n, int)
    days = np.where(visit >= 0, np.nan, np.floor(left))
    held = {"stand": stand, "visit": visit, "distance_m": away, "tolerance_m": allowed}
    return pd.DataFrame(held | {"tries_n": tries, "days_left": days})


def _shift(goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, told: dict[str, Any]) -> tuple[float, float] | None:
    """The common way by which visits lie off the targets they name, however large; None where they do not agree."""
    where = {key: n for n, key in enumerate(goals["parcel_id"])}
    off = np.isin(told["fate"], [Fate.STRAY, Fate.DATUM])
    named = [(n, where[key]) for n, key in enumerate(seen["parcel_id"]) if off[n] and key in where]
    if len(named) < SHIFT_LEAST_N:
        return None
    visit, target = np.array(named).T
    here = shapely.get_coordinates(shapely.centroid(seen.geometry.to_numpy()[visit]))
    there = shapely.get_coordinates(shapely.centroid(goals.geometry.to_numpy()[target]))
    gaps = here - there
    middle = np.median(gaps, axis=0)
    spread = np.median(np.hypot(*(gaps - middle).T))
    size = float(np.hypot(*middle))
    agree = size > 0.0 and spread <= max(SHIFT_SPREAD * size, float(seen["accuracy_m"].to_numpy()[visit].max()))
    return (float(middle[0]), float(middle[1])) if agree else None


def _share(which: Any) -> float | None:
    return float(np.mean(which)) if len(which) else None


def due_targets(parcels: gpd.GeoDataFrame, sources: Sequence[str], lists: Sequence[str] = ()) -> gpd.GeoDataFrame:
    """The parcels that count as targets: of these sources, and of these lists where any is named."""
    held = parcels["source"].isin(sources)
    chosen = parcels[held & parcels["source_id"].isin(lists)] if lists else parcels[held]
    return gpd.GeoDataFrame(chosen.reset_index(drop=True))
