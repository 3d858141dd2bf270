"""Targets against filed visits: one to one, best in all, whatever order; doubles, shifts and datums told apart."""

from datetime import UTC, datetime, timedelta
from itertools import combinations, permutations
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis.matching import Fate, Matching, Stand, match_visits, tolerance

START = datetime(2026, 3, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=40)
FACTOR = 2.448


def goals(places: Any, accuracy: float = 15.0, deadline_d: float | None = 20.0) -> gpd.GeoDataFrame:
    points = np.atleast_2d(np.asarray(places, float))
    due = None if deadline_d is None else START + timedelta(days=deadline_d)
    dues = pd.Series([due] * len(points), dtype="datetime64[ms, UTC]")
    table = {"parcel_id": [f"P{n}" for n in range(len(points))], "flagged_at": pd.Timestamp(START), "deadline": dues}
    return gpd.GeoDataFrame(table, geometry=shapely.points(points), crs=4544).assign(accuracy_m=accuracy)


def visits(places: Any, names: Any = None, accuracy: Any = 10.0, day: Any = 10.0, outcome: str = "未发现"):
    points = [None if place is None else shapely.Point(place) for place in places]
    days = np.broadcast_to(np.asarray(day, float), len(points))
    table = {
        "visit_id": [f"V{n}" for n in range(len(points))],
        "parcel_id": pd.Series([None] * len(points) if names is None else list(names), dtype=object),
        "visited_at": pd.to_datetime([START + timedelta(days=float(d)) for d in days]),
        "outcome": outcome,
    }
    return gpd.GeoDataFrame(table, geometry=points, crs=4544).assign(accuracy_m=accuracy)


def matched(found: Matching) -> dict[int, int]:
    held = found.visits[found.visits["fate"] == Fate.MATCHED]
    return dict(zip(held.index, held["target"], strict=True))


def check(*args: Any, **more: Any) -> Matching:
    return match_visits(*args, factor=FACTOR, as_of=AS_OF, **more)


TRUE = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 25), st.floats(5.0, 30.0), st.integers(0, 8), st.booleans())


@given(TRUE)
def test_true_pairs_are_found_under_gps_error_with_doubles(case: tuple[int, int, float, int, bool]) -> None:
    """Targets far apart, errors of 5 to 30 m cut at the tolerance: every pair is the true one, doubles are doubles."""
    seed, n, sigma, doubles, named = case
    dice = np.random.default_rng(seed)
    cells = dice.choice(400, n, replace=False)
    truth = np.column_stack([cells // 20, cells % 20]) * 400.0 + 4e5
    of = np.concatenate([np.arange(n), dice.integers(0, n, doubles)])
    error = dice.normal(0.0, sigma, (len(of), 2))
    allowed = float(tolerance(15.0, sigma, FACTOR))
    error *= np.minimum(1.0, 0.999 * allowed / np.maximum(np.hypot(*error.T), 1e-9))[:, None]
    order = dice.permutation(len(of))
    names = [f"P{t}" for t in of[order]] if named else None
    found = check(goals(truth), visits((truth[of] + error)[order], names, accuracy=sigma))
    assert found.rate == found.on_time_rate == 1.0
    assert all(of[order][visit] == target for visit, target in matched(found).items())
    fates = found.visits["fate"].value_counts()
    assert (fates[Fate.MATCHED], fates.get(Fate.DUPLICATE, 0)) == (n, doubles)
    assert found.targets["tries_n"].sum() == len(of)
    assert not found.visits["other_name"].any()


def best(allowed: np.ndarray, cost: np.ndarray) -> tuple[int, float]:
    """By trying everything: the most pairs, and the least cost of so many."""
    rows, columns = allowed.shape
    for size in range(min(rows, columns), 0, -1):
        costs = [
            sum(cost[i, j] for i, j in zip(chosen, way, strict=True))
            for chosen in combinations(range(rows), size)
            for way in permutations(range(columns), size)
            if all(allowed[i, j] for i, j in zip(chosen, way, strict=True))
        ]
        if costs:
            return size, min(costs)
    return 0, 0.0


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 5))
def test_crowded_targets_are_matched_as_trying_everything_would(seed: int, n: int, m: int) -> None:
    """Within a few tolerances of each other nearest is not best: most pairs, then least squared distance."""
    dice = np.random.default_rng(seed)
    there, here = dice.uniform(0, 120, (n, 2)), dice.uniform(0, 120, (m, 2))
    found = check(goals(there), visits(here))
    away = np.hypot(*(there[:, None] - here[None]).transpose(2, 0, 1))
    allowed = float(tolerance(15.0, 10.0, FACTOR))
    pairs = [(target, visit) for visit, target in matched(found).items()]
    assert len({t for t, _ in pairs}) == len({v for _, v in pairs}) == len(pairs)
    size, cost = best(away <= allowed, (away / allowed) ** 2)
    assert len(pairs) == size
    assert sum((away[t, v] / allowed) ** 2 for t, v in pairs) == pytest.approx(cost)


def test_the_nearest_visit_is_not_taken_where_that_leaves_another_target_alone() -> None:
    """V0 lies nearer to P0 but is P1's only one; V1 reaches P0 alone."""
    found = check(goals([(0, 0), (40, 0)]), visits([(15, 0), (-30, 0)]))
    assert matched(found) == {0: 1, 1: 0}


def test_places_exchanged_between_two_targets_match_by_place_and_say_so() -> None:
    found = check(goals([(0, 0), (500, 0)]), visits([(500, 3), (4, 0)], names=["P0", "P1"]))
    assert (found.rate, matched(found)) == (1.0, {0: 1, 1: 0})
    assert found.visits["other_name"].all()


@given(st.integers(0, 2**32 - 1), st.integers(3, 12), st.floats(5.0, 30.0))
def test_a_shifted_list_is_told_as_shifted_and_fits_in_its_own_datum(seed: int, n: int, sigma: float) -> None:
    """Everything 400 m east and 300 m south: nothing matches, the variant does, and the common shift is measured."""
    dice = np.random.default_rng(seed)
    cells = dice.choice(100, n, replace=False)
    truth = np.column_stack([cells // 10, cells % 10]) * 5000.0
    seen = truth + np.clip(dice.normal(0.0, sigma, (n, 2)), -1.5 * sigma, 1.5 * sigma)
    moved = seen + np.array([400.0, -300.0])
    table = visits(moved, [f"P{t}" for t in range(n)], accuracy=sigma)
    found = check(goals(truth), table, variants={"gcj02": shapely.points(seen)})
    assert (found.rate, set(found.targets["stand"])) == (0.0, {Stand.MISPLACED})
    assert list(found.visits["target"]) == list(range(n))
    assert set(found.visits["variant"]) == {"gcj02"}
    assert found.shift_m == pytest.approx((400.0, -300.0), abs=1.51 * sigma)


def test_exchanged_axes_are_found_as_a_variant() -> None:
    """A table with X for north: nothing fits until the axes are turned."""
    table = visits([(3e6, 4e5)])
    found = check(goals([(4e5, 3e6)]), table, variants={"axes": [shapely.Point(4e5, 3e6)]})
    assert list(found.visits["variant"]) == ["axes"]
    assert list(found.targets["stand"]) == [Stand.MISPLACED]


def test_late_early_unreached_and_placeless_visits_are_each_called_what_they_are() -> None:
    there = [(1000.0 * n, 0.0) for n in range(6)]
    table = pd.concat(
        [
            visits([(0, 0)], day=25.0),
            visits([(1000, 0)], day=-1.0),
            visits([(2000, 0)], outcome="无法到达"),
            visits([None], names=["P3"]),
            visits([(9e5, 0)]),
        ],
        ignore_index=True,
    )
    found = check(goals(there), gpd.GeoDataFrame(table))
    wanted = [Fate.MATCHED, Fate.BEFORE, Fate.UNREACHED, Fate.NO_PLACE, Fate.STRAY]
    assert list(found.visits["fate"]) == wanted
    wanted = [Stand.LATE, Stand.OVERDUE, Stand.TRIED, Stand.CLAIMED, Stand.OVERDUE, Stand.OVERDUE]
    assert list(found.targets["stand"]) == wanted
    assert found.visits.loc[0, "late_d"] == pytest.approx(5.0)
    assert list(found.targets["days_left"][1:]) == [-20.0] * 5
    assert (found.rate, found.on_time_rate) == (pytest.approx(1 / 6), 0.0)


def test_inside_an_area_is_no_distance_and_nothing_in_is_nothing_out() -> None:
    areas = goals([(0, 0)]).set_geometry([shapely.box(-300, -300, 300, 300)])
    found = check(areas, visits([(290, 290)]))
    assert found.targets["distance_m"].tolist() == [0.0]
    assert check(goals([(0, 0)]), visits([])).rate == 0.0
    assert check(goals([(0, 0)]).iloc[:0], visits([(0, 0)])).rate is None
    assert check(goals([(0, 0)], deadline_d=None), visits([])).targets["stand"].tolist() == [Stand.OPEN]


def test_ninety_five_of_a_hundred_true_pairs_lie_within_the_tolerance() -> None:
    """Rayleigh: with the default factor, of 200,000 pairs with both errors drawn."""
    dice = np.random.default_rng(3)
    gaps = dice.normal(0.0, 15.0, (200_000, 2)) + dice.normal(0.0, 10.0, (200_000, 2))
    assert (np.hypot(*gaps.T) <= tolerance(15.0, 10.0, FACTOR)).mean() == pytest.approx(0.95, abs=0.003)
