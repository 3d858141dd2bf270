"""The probability that nothing stands undetected: published numbers, properties, and brute force on small grids."""

import json
import runpy
import tracemalloc
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from geo.analysis import absence, allocation, looks, resets, standing
from geo.grid import Frame, Grid
from geo.layers import finds, visits
from geo.layers.terrain import Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import AbsenceSettings, DetectionSettings, Settings

CRS = pyproj.CRS.from_epsg(4544)
FRAME = Frame(0.0, 400.0, 10.0, 40, 40, CRS)
SEASON = Season(2026)
MARCH = datetime(2026, 3, 25, tzinfo=CHINA)
BENCHMARK = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "absence.py"), run_name="benchmark")
FIXTURES = Path(__file__).with_name("absence_fixtures.json")
CASES = json.loads(FIXTURES.read_text(encoding="utf-8"))["cases"]
CHANCE = st.floats(0.01, 0.99)
SOME = st.lists(CHANCE, min_size=1, max_size=6)
NO_YARDS = Settings(absence=AbsenceSettings(courtyard_share=0.0))


def grid(values: np.ndarray, dtype: type = np.float32) -> Grid:
    return Grid(np.broadcast_to(np.asarray(values, dtype), FRAME.shape).copy(), FRAME)


def terrain(cover: Cover = Cover.OPEN) -> Terrain:
    return Terrain(grid(np.array(1000.0)), grid(np.array(cover), np.uint8), 10.0)


def halves() -> Grid:
    """Township 1 west, township 2 east."""
    return grid(np.where(np.arange(40) < 20, 1, 2), np.int16)


def hazard(nats: np.ndarray | float) -> Grid:
    return grid(np.round(np.asarray(nats) * 65536), np.int32)


def everywhere(periods: int = 5) -> np.ndarray:
    return np.ones((2, periods), bool)


def assess(hazards, *, settings: Settings = NO_YARDS, as_of: datetime = MARCH, **given):
    values = {"risk": grid(np.array(1.0)), "terrain": terrain(), "has_tracks": everywhere()} | given
    last_first = sorted(hazards, key=lambda one: -one[0])
    return absence.assess(
        last_first, zone_ids=["a", "b"], zones=halves(), season=SEASON, settings=settings, as_of=as_of,
        rng=np.random.default_rng(7), **values,
    )  # fmt: skip


def find(**values) -> gpd.GeoDataFrame:
    row = {
        "find_id": "f", "team_id": "t", "found_by": "自查", "species": "罂粟", "plants_n": 9, "stage": "开花期",
        "fraction": 1.0, "method": "强制铲除", "township_id": "a",
        "found_at": pd.Timestamp("2026-02-10T03:00Z"), "recorded_at": pd.Timestamp("2026-02-10T03:00Z"),
    } | values  # fmt: skip
    table = gpd.GeoDataFrame([row], geometry=[shapely.Point(55.0, 55.0)], crs=CRS)
    return finds.SCHEMA.conform(table)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_published_numbers_come_out(case):
    answer = BENCHMARK["check"](case)
    assert answer["error"] is None
    assert answer["passed"], answer


def test_every_function_the_benchmark_knows_has_a_case():
    assert {case["function"] for case in CASES} == set(BENCHMARK["FUNCTIONS"])


def test_a_wrong_number_fails_the_benchmark(tmp_path, capsys):
    wrong = {"name": "x", "function": "update", "inputs": {"p": 0.5, "sensitivity": 0.5}, "expected": 0.5}
    (tmp_path / "wrong.json").write_text(json.dumps({"cases": [wrong]}), encoding="utf-8")
    assert BENCHMARK["main"]([str(tmp_path / "wrong.json"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["failed_n"] == 1


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({"function": "guess", "inputs": {}, "expected": 1}, "unknown function 'guess'; known are adjusted_risks"),
        ({"function": "update", "inputs": {"p": 0.5}}, "lacks expected"),
        ({"function": "update", "inputs": {"q": 0.5}, "expected": 1}, "unexpected keyword"),
        ({"function": "update", "inputs": {"p": 0.5, "sensitivity": 0.1}, "expected": [1]}, "nested differently"),
        ({"function": "sweep_width", "inputs": {"curve": "cube", "scale": 1}, "expected": 1}, "'cube' is not one of"),
    ],
)
def test_a_case_that_cannot_be_run_fails_with_a_sentence(case, told):
    answer = BENCHMARK["check"](case)
    assert not answer["passed"]
    assert told in answer["error"]


def test_a_file_that_holds_no_cases_is_told_of_without_a_traceback(tmp_path, capsys):
    (tmp_path / "none.json").write_text('{"cases": 3}', encoding="utf-8")
    assert BENCHMARK["main"]([str(tmp_path / "none.json")]) == 1
    assert "list of cases" in capsys.readouterr().err


def test_discount_by_the_previous_periods_introduction_is_another_chain():
    """The fault of a known package: the vector of science.md §2 needs each period's own π."""
    own = [0.01, 0.01, 0.01, 0.02, 0.04, 0.10, 0.10, 0.10]
    right = standing.chain(0.5, [0.65] * 8, own)
    late = standing.chain(0.5, [0.65] * 8, [own[0], *own[:-1]])
    assert right[-3] == pytest.approx(0.954130, abs=1e-6)
    assert abs(late[-3] - right[-3]) > 0.005


@given(CHANCE, CHANCE, CHANCE, st.floats(0.0, 0.5))
def test_more_looking_never_lowers_and_none_never_raises(p, less, more, introduction):
    less, more = sorted((less, more))
    assert standing.update(p, more, introduction) >= standing.update(p, less, introduction)
    assert standing.update(p, 0.0, introduction) <= p


@given(CHANCE, SOME, st.randoms(use_true_random=False))
def test_the_order_of_looks_within_a_period_does_not_matter(prior, looks, random):
    shuffled = random.sample(looks, len(looks))
    none = [0.0] * len(looks)
    ends = standing.chain(prior, looks, none)[-1], standing.chain(prior, shuffled, none)[-1]
    assert ends[0] == pytest.approx(ends[1], rel=1e-12)
    together = standing.update(prior, 1.0 - np.prod(1.0 - np.array(looks)))
    assert ends[0] == pytest.approx(float(together), rel=1e-12)


@given(CHANCE, st.floats(0.5, 0.99))
def test_the_sensitivity_for_a_goal_reaches_it_exactly(p, goal):
    reached = float(standing.update(p, standing.sensitivity_for(p, goal)))
    assert reached == pytest.approx(max(p, goal), rel=1e-9)


def test_certain_planting_stays_certain_whatever_the_looks():
    assert standing.update(0.0, 1.0, 0.0) == 0.0


def test_detection_is_risk_weighted_and_exact_over_periods():
    risk = grid(np.where(np.arange(40) % 2 == 0, 3.0, 1.0))
    first = hazard(np.where(np.arange(40) % 2 == 0, 1.0, 0.0))
    third = hazard(np.where(np.arange(40) % 4 == 0, 0.5, 0.0))
    found = assess([(0, first), (2, third)], risk=risk)
    one, two = 0.85 * (1 - np.exp(-1.0)), 0.85 * (1 - np.exp(-0.5))
    both = 1 - (1 - one) * (1 - two)
    assert found.townships["detection"].to_list() == pytest.approx([3 * (one + both) / 8] * 2, abs=1e-6)
    assert found.periods[0].tolist() == pytest.approx([0.75 * one, 0, 0.375 * two, 0, 0], abs=1e-6)
    missed = np.array([1 - 3 * (one + both) / 8, 1 - 0.375 * two, 1 - 0.375 * two])
    p = standing.posterior(0.5, np.full(3, 0.02), missed)
    assert found.townships["p_zero"].to_list() == pytest.approx([float(p)] * 2, abs=1e-6)


def every_history(prior: float, introduction: np.ndarray, pods: np.ndarray, risk: np.ndarray) -> float:
    """P(nothing | nothing found), adding up the chance of every cell and period a plot may have come in."""
    came, stays = [1.0 - prior], prior
    for pi in introduction:
        came.append(stays * pi)
        stays *= 1.0 - pi
    unseen = 0.0
    for cell, share in enumerate(risk / risk.sum()):
        for start, chance in zip([0, *range(len(introduction))], came, strict=True):
            unseen += chance * share * np.prod(1.0 - pods[start:, cell])
    return stays / (stays + unseen)


@given_settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.9]), st.integers(0, 4))
def test_the_probability_is_bayes_over_every_place_and_month_a_plot_may_have_come(seed, prior, current):
    """Ground walked again and again finds less new: the product of the months' means would say too much."""
    rng = np.random.default_rng(seed)
    nats = [rng.lognormal(-0.5, 1.5, FRAME.shape) * (rng.random(FRAME.shape) < 0.5) for _ in range(5)]
    again = rng.random(FRAME.shape) < 0.3
    nats = [np.where(again, 2.0, one) for one in nats]
    risk = rng.choice([0.7, 1.0, 5.0], FRAME.shape)
    settings = Settings(absence=AbsenceSettings(courtyard_share=0.0, prior=prior, draws=10))
    day = datetime(2026, current + 1, 15, tzinfo=CHINA)
    found = assess([(t, hazard(one)) for t, one in enumerate(nats)], settings=settings, as_of=day, risk=grid(risk))
    pods = np.array([0.85 * (1 - np.exp(-hazard(one).values[:, :20].ravel() / 65536)) for one in nats[: current + 1]])
    pi = np.array([0.02, 0.02, 0.02, 0.01, 0.01])[: current + 1]
    exact = every_history(prior, pi, pods, risk[:, :20].ravel())
    assert found.townships.loc["a", "p_zero"] == pytest.approx(exact, abs=1e-5)


def air(rng: np.random.Generator, period: int) -> np.ndarray | None:
    """What the sensors of a period missed: a pass over half the cells in the second, a flight in the third."""
    half = rng.random(FRAME.shape) < 0.5
    return {1: np.where(half, 0.4, 1.0), 2: np.where(half, 0.15, 1.0)}.get(period)


def test_feet_and_second_sensors_are_one_probability_cell_by_cell():
    rng = np.random.default_rng(4)
    nats = [rng.lognormal(-0.5, 1.5, FRAME.shape) * (rng.random(FRAME.shape) < 0.5) for _ in range(3)]
    overhead = {t: air(rng, t) for t in range(3)}
    found = assess(
        [(t, hazard(one)) for t, one in enumerate(nats)],
        sensed=lambda t: None if overhead[t] is None else overhead[t].astype(np.float32),
    )
    miss = [1 - 0.85 * (1 - np.exp(-hazard(one).values[:, :20].ravel() / 65536)) for one in nats]
    miss = [m * (1.0 if overhead[t] is None else overhead[t][:, :20].ravel()) for t, m in enumerate(miss)]
    exact = every_history(0.5, np.full(3, 0.02), 1.0 - np.array(miss), np.ones(800))
    assert found.townships.loc["a", "p_zero"] == pytest.approx(exact, abs=1e-5)
    assert found.townships.loc["a", "detection"] == pytest.approx(1 - np.prod(miss, axis=0).mean(), abs=1e-6)
    assert found.periods[0, :3] == pytest.approx([1 - m.mean() for m in miss], abs=1e-6)
    low, high = (found.townships.loc["a", f"p_zero_{end}"] for end in ("low", "high"))
    assert low < exact < high


def test_ground_seen_from_above_alone_has_a_figure_though_nobody_walked():
    nowhere = {"has_tracks": np.zeros((2, 5), bool)}
    only = assess([], sensed=lambda t: np.full(FRAME.shape, 0.9, np.float32) if t == 2 else None, **nowhere)
    assert only.townships["detection"].tolist() == pytest.approx([0.1, 0.1], abs=1e-6)
    assert only.townships["p_zero"].iloc[0] == pytest.approx(
        float(standing.posterior(0.5, np.full(3, 0.02), np.full(3, 0.9))), abs=1e-6
    )


@given(CHANCE, SOME, st.floats(0.0, 0.3))
def test_where_looks_are_independent_bayes_is_the_chain(prior, looks, introduction):
    pi = np.full(len(looks), introduction)
    closed = standing.posterior(prior, pi, standing.escapes(np.array(looks)))
    assert float(closed) == pytest.approx(float(standing.chain(prior, looks, pi)[-1]), rel=1e-12)


def test_the_same_path_walked_five_times_is_worth_less_than_five_paths():
    rows = np.arange(40)[:, None]
    same = [(t, hazard(np.where(rows < 8, 2.0, 0.0) + np.zeros(40))) for t in range(3)]
    apart = [(t, hazard(np.where((rows >= 8 * t) & (rows < 8 * t + 8), 2.0, 0.0) + np.zeros(40))) for t in range(3)]
    one, other = assess(same).townships, assess(apart).townships
    assert (one["p_zero"] < other["p_zero"] - 0.05).all()
    assert (one["detection"] < other["detection"]).all()


def sums(
    hazards, *, risk: Grid | None = None, settings: Settings = NO_YARDS, as_of: datetime = MARCH, **given
) -> looks.Looks:
    return looks.sum_looks(
        hazards, zones=halves(), parents=np.arange(2), zones_n=2, carried=np.full((2, 5), 0.1),
        risk=risk or grid(np.array(1.0)), terrain=terrain(), season=SEASON, settings=settings, as_of=as_of, **given,
    )  # fmt: skip


@pytest.mark.parametrize("sensors", [False, True])
def test_the_histogram_answers_as_the_grid_does(sensors):
    rng = np.random.default_rng(1)
    nats = [rng.lognormal(-1.5, 2.0, FRAME.shape) * (rng.random(FRAME.shape) < 0.6) for _ in range(3)]
    risk = grid(rng.choice([0.7, 1.0, 5.0, 30.0], FRAME.shape))
    overhead = {t: air(rng, t) for t in range(3)} if sensors else dict.fromkeys(range(3))
    held = sums(
        [(t, hazard(nats[t])) for t in (2, 1, 0)], risk=risk,
        sensed=lambda t: None if overhead[t] is None else overhead[t].astype(np.float32),
    )  # fmt: skip
    west = risk.values[:, :20].astype(float)
    factor, availability = np.array([0.3, 1.0, 2.5, 1.4, 1.0]), np.array([0.8, 0.7, 0.9, 0.95, 0.85])
    case = absence.township_cases(
        held, beside=absence.Beside.none(2, 5), restarts=np.zeros(2, int), current=2, settings=NO_YARDS
    )[0]
    drawn = looks.drawn_ground(held, 0, case, factor=factor, availability=availability)
    for k, (f, a) in enumerate(zip(factor, availability, strict=True)):
        miss = [1 - a * (1 - np.exp(-hazard(one).values[:, :20] / 65536 * f)) for one in nats]
        miss = [m * (1.0 if overhead[t] is None else overhead[t][:, :20]) for t, m in enumerate(miss)]
        exact = [(west * np.prod(miss[start:], axis=0)).sum() / west.sum() for start in range(3)]
        assert drawn[:, k] == pytest.approx(exact, abs=8e-3)
    assert drawn[:, -1] == pytest.approx(held.missed[0, :3], abs=1e-12)


def test_hazards_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="last period first"):
        sums([(0, hazard(1.0)), (1, hazard(1.0))])


def test_a_township_that_stops_looking_falls():
    april = datetime(2026, 4, 20, tzinfo=CHINA)
    looks = [(period, hazard(1.0)) for period in range(3)]
    assert (assess(looks, as_of=april).townships["p_zero"] < assess(looks).townships["p_zero"]).all()


def test_looks_after_the_date_asked_for_do_not_count():
    later = assess([(0, hazard(1.0)), (4, hazard(3.0))])
    assert later.townships["p_zero"].equals(assess([(0, hazard(1.0))]).townships["p_zero"])


def test_no_track_and_no_plantable_ground_have_a_reason_instead_of_a_number():
    risk = grid(np.where(np.arange(40) < 20, 1.0, 0.0))
    found = assess([(0, hazard(0.0))], risk=risk, has_tracks=np.zeros((2, 5), bool))
    west, east = found.townships.loc["a"], found.townships.loc["b"]
    assert west["reasons"]["p_zero"] == "no_track"
    assert east["reasons"]["p_zero"] == "no_plantable"
    figures = ["detection", "p_zero", "p_zero_low", "p_zero_high", "p_zero_prior_50", "p_zero_prior_90"]
    assert found.townships[figures].isna().all().all()
    assert np.isnan(east["hours_to_95"])
    assert found.county["p_zero"] is None
    assert found.county["unknown_n"] == 1


def test_before_the_season_nothing_is_said():
    found = assess([], as_of=datetime(2025, 12, 20, tzinfo=CHINA)).townships
    assert found[["p_zero", "detection", "hours_to_95"]].isna().all().all()
    assert found.loc["a", "reasons"]["hours_to_95"] == "no_track"


def test_a_season_that_begins_in_november_has_seven_introductions():
    season = Season(2026, first_month=11)
    found = absence.assess(
        [(0, hazard(1.0))], zone_ids=["a", "b"], zones=halves(), risk=grid(np.array(1.0)), terrain=terrain(),
        season=season, settings=NO_YARDS, as_of=MARCH, rng=np.random.default_rng(1), has_tracks=np.ones((2, 7), bool),
    ).townships  # fmt: skip
    se = 0.85 * (1 - np.exp(-1.0))
    expected = standing.chain(0.5, [se, 0, 0, 0, 0], [0.02] * 5)[-1]
    assert found.loc["a", "p_zero"] == pytest.approx(expected, abs=1e-5)


def test_more_zones_than_names_are_refused():
    with pytest.raises(ValueError, match="only 1 are named"):
        looks.sum_looks(
            [], zones=halves(), parents=np.zeros(1, int), zones_n=1, carried=np.zeros((1, 5)),
            risk=grid(np.array(1.0)), terrain=terrain(), season=SEASON, settings=NO_YARDS, as_of=MARCH,
        )  # fmt: skip


def test_ground_without_a_sweep_width_cannot_be_searched():
    found = assess([(2, hazard(1.0))], terrain=terrain(Cover.FOREST)).townships
    assert found.loc["a", "detection"] == pytest.approx(0.85 * (1 - np.exp(-1.0)), abs=1e-5)
    assert found.loc["a", "reasons"]["hours_to_95"] == "ceiling"


def test_an_open_find_makes_it_zero_and_verified_destruction_starts_again():
    looks = [(period, hazard(1.0)) for period in range(3)]
    still = assess(looks, finds=find()).townships
    assert still.loc["a", ["p_zero", "p_zero_low", "p_zero_high", "p_zero_prior_90"]].tolist() == [0.0] * 4
    assert still.loc["a", "reasons"]["p_zero"] == "find_open"
    assert np.isnan(still.loc["a", "hours_to_95"])
    assert still.loc["b", "p_zero"] > 0.5
    done = assess(looks, finds=find(verified_at=pd.Timestamp("2026-02-20T00:00Z"))).townships
    se = 0.85 * (1 - np.exp(-1.0))
    assert done.loc["a", "p_zero"] == pytest.approx(standing.chain(0.5, [se] * 2, [0.02] * 2)[-1], abs=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        {"found_at": pd.Timestamp("2026-04-10T03:00Z")},
        {"found_at": pd.Timestamp("2025-12-10T03:00Z")},
        {"plants_n": 0},
        {"species": "其他"},
        {"township_id": "elsewhere", "geometry": shapely.Point(9999.0, 0.0)},
    ],
)
def test_a_find_that_does_not_concern_this_season_and_ground_changes_nothing(values):
    table = find(**{k: v for k, v in values.items() if k != "geometry"})
    if "geometry" in values:
        table = table.set_geometry([values["geometry"]], crs=CRS)
    assert assess([(0, hazard(1.0))], finds=table).townships.loc["a", "p_zero"] > 0.5


def test_a_find_without_township_belongs_to_where_it_lies():
    restarts = resets.find_restarts(find(township_id=None), halves(), zone_ids=["a", "b"], season=SEASON, as_of=MARCH)
    assert restarts.tolist() == [resets.OPEN, 0]


def test_verification_after_the_date_asked_for_leaves_the_find_open():
    late, partial = pd.Timestamp("2026-04-01T00:00Z"), pd.Timestamp("2026-02-20T00:00Z")
    for table in (find(verified_at=late), find(verified_at=partial, fraction=0.9)):
        restarts = resets.find_restarts(table, halves(), zone_ids=["a", "b"], season=SEASON, as_of=MARCH)
        assert restarts[0] == resets.OPEN


def test_courtyards_weigh_by_their_share_and_unknown_ones_count_as_unseen():
    yards = resets.Courtyards(np.array([100.0, np.nan]), np.array([[50.0, 0, 0, 0, 0], [50.0, 0, 0, 0, 0]]))
    found = assess([(0, hazard(1.0))], settings=Settings(), courtyards=yards).townships
    ground = 0.85 * (1 - np.exp(-1.0))
    assert found["detection"].to_list() == pytest.approx([ground] * 2, abs=1e-6)
    assert found["detection_with_courtyards"].to_list() == pytest.approx(
        [0.7 * ground + 0.3 * 0.425, 0.7 * ground], abs=1e-6
    )
    assert "courtyards" not in found.loc["a", "reasons"]
    assert found.loc["b", "reasons"]["courtyards"] == "courtyards_unknown"
    chain = standing.chain(0.5, [0.7 * ground + 0.3 * 0.425, 0, 0], [0.02] * 3)[-1]
    assert found.loc["a", "p_zero"] == pytest.approx(chain, abs=1e-6)


def test_courtyards_come_from_visits_of_evidence_a_and_b_only():
    villages = pd.DataFrame(
        {"village_id": ["v", "w", "x"], "township_id": ["a", "a", "b"], "courtyards_n": [40, None, None]}
    )
    when = pd.Timestamp("2026-02-03T00:00Z")
    rows = [("B", 30), ("A", 30), ("C", 9)]
    table = pd.DataFrame(
        [
            {"visit_id": str(i), "village_id": "v", "team_id": "t", "visited_at": when, "outcome": "未发现",
             "evidence": kind, "courtyards_n": n}
            for i, (kind, n) in enumerate(rows)
        ]
    )  # fmt: skip
    yards = resets.courtyard_table(
        villages, visits.SCHEMA.conform(table), zone_ids=["a", "b"], season=SEASON, as_of=MARCH
    )
    assert yards.total[0] == 80.0
    assert np.isnan(yards.total[1])
    assert yards.visited.tolist() == [[0, 40.0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert yards.shares[0, 1] == 0.5


def test_signed_forms_count_only_when_a_sensitivity_is_configured():
    forms = np.ones((2, 5))
    quiet = assess([(0, hazard(1.0))], class_b=forms).townships["p_zero"]
    assert quiet.equals(assess([(0, hazard(1.0))]).townships["p_zero"])
    trusted = Settings(absence=AbsenceSettings(courtyard_share=0.0, class_b_sensitivity=0.2))
    assert (assess([(0, hazard(1.0))], class_b=forms, settings=trusted).townships["p_zero"] > quiet).all()


@given_settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.booleans())
def test_whoever_finds_reports_and_destroys_in_time_never_looks_worse_seen(seed, found_n, verified):
    """Detection is the score: finds of one's own, promptly dealt with, leave it and its interval where they were."""
    rng = np.random.default_rng(seed)
    nats = [(t, hazard(rng.lognormal(-0.5, 1.5, FRAME.shape))) for t in range(3)]
    rows = [
        find(
            find_id=f"f{n}", stage=rng.choice(finds.STAGES), plants_n=int(rng.integers(1, 400)),
            destroyed_at=pd.Timestamp("2026-02-11T03:00Z"),
            verified_at=pd.Timestamp("2026-02-12T03:00Z") if verified else None,
        )
        for n in range(found_n)
    ]  # fmt: skip
    before, after = assess(nats).townships, assess(nats, finds=pd.concat(rows, ignore_index=True)).townships
    for figure in ("detection", "detection_low", "detection_high", "detection_with_courtyards"):
        assert (after[figure] >= before[figure]).all()
    assert after.loc["b", "p_zero"] == before.loc["b", "p_zero"]


def test_sown_ground_is_planting_though_nothing_has_sprouted():
    sown = find(plants_n=0, area_m2=300.0, verified_at=None, fraction=0.0)
    assert assess([(0, hazard(1.0))], finds=sown).townships.loc["a", "p_zero"] == 0.0
    assert len(resets.planted(find(plants_n=0))) == len(resets.planted(find(species="其他"))) == 0


def test_the_interval_holds_the_figure_and_the_same_dice_repeat_it():
    one, two = assess([(2, hazard(0.7))]), assess([(2, hazard(0.7))])
    table = one.townships
    assert (table["p_zero_low"] < table["p_zero"]).all()
    assert (table["p_zero"] < table["p_zero_high"]).all()
    assert (table["p_zero_prior_50"] < table["p_zero_prior_90"]).all()
    assert table.drop(columns="reasons").equals(two.townships.drop(columns="reasons"))
    assert one.county["p_zero"] == pytest.approx(float(table["p_zero"].prod()))
    assert one.county["below_goal_n"] == 2


def test_detection_has_an_interval_of_its_own_that_knows_no_prior():
    one = assess([(2, hazard(np.linspace(0, 3, 40)))])
    table = one.townships
    assert (table["detection_low"] < table["detection"]).all()
    assert (table["detection"] < table["detection_high"]).all()
    other = assess([(2, hazard(np.linspace(0, 3, 40)))], settings=Settings(absence=AbsenceSettings(prior=0.9)))
    names = ["detection", "detection_low", "detection_high"]
    assert other.townships[names].equals(table[names])
    assert one.county["detection_low"] < one.county["detection"] < one.county["detection_high"]
    sure = AbsenceSettings(sweep_width_sd=0.0, availability_sd=0.0)
    closed = assess([(2, hazard(np.linspace(0, 3, 40)))], settings=Settings(absence=sure)).townships
    assert closed["detection_low"].to_list() == pytest.approx(closed["detection"].to_list(), abs=1e-6)


def test_without_uncertainty_the_interval_closes_on_the_figure():
    sure = AbsenceSettings(courtyard_share=0.0, sweep_width_sd=0.0, availability_sd=0.0, prior_sd=0.0)
    table = assess([(2, hazard(np.linspace(0, 3, 40)))], settings=Settings(absence=sure)).townships
    assert table["p_zero_low"].to_list() == pytest.approx(table["p_zero"].to_list(), abs=1e-4)
    assert table["p_zero_high"].to_list() == pytest.approx(table["p_zero"].to_list(), abs=1e-4)


def brute_hours(weights: np.ndarray, nats: np.ndarray, rates: np.ndarray, gain: float) -> float:
    """Hours spent slice by slice, each in the cell where it is worth most, until Σ w(e^-H - e^-(H + r t)) ≥ gain."""
    left, slice_h, hours, gained = weights * np.exp(-nats), 2e-6, 0.0, 0.0
    seen = -np.expm1(-rates * slice_h)
    while gained < gain:
        best = int(np.argmax(left * seen))
        gained += left[best] * seen[best]
        left[best] *= 1.0 - seen[best]
        hours += slice_h
    return hours


@given_settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 0.8))
def test_hours_needed_are_the_least_any_allocation_needs(seed, share):
    rng = np.random.default_rng(seed)
    frame = Frame(0.0, 30.0, 10.0, 3, 4, CRS)
    weights, nats = rng.choice([1e-3, 2e-3, 1e-2], (3, 4)), rng.choice([0.0, 0.3, 2.0], (3, 4))
    cover = rng.choice([Cover.OPEN, Cover.CROPS, Cover.SCRUB], (3, 4)).astype(np.uint8)
    ground = Terrain(Grid(np.full((3, 4), 1000, np.float32), frame), Grid(cover, frame), 10.0)
    seen = (0.85 * (1 - np.exp(-nats))).astype(np.float32)
    left = allocation.unseen(
        weights.astype(np.float32), seen, zones=Grid(np.ones((3, 4), np.int16), frame), parents=np.zeros(1, int),
        zones_n=1, terrain=ground, season=SEASON, day=80.0, settings=DetectionSettings(),
    )  # fmt: skip
    widths = np.array([0.0, 30.0, 20.0, 12.0])[cover]
    gain = share * 0.85 * float((weights * np.exp(-nats)).sum())
    least = brute_hours(0.85 * weights.ravel(), nats.ravel(), (widths * 1000.0 / 100.0).ravel(), gain)
    needed = allocation.hours_needed(left, 0, gain)
    assert needed == pytest.approx(least, rel=2e-3, abs=3e-6)
    assert allocation.gain_of(left, 0, needed) == pytest.approx(gain, rel=1e-4)


def test_the_hours_named_bring_the_township_to_the_goal():
    """Uniform ground in flower: W = 30 m, 1 km/h, cells of 100 m²: 300 nats per hour and cell."""
    before = [(period, hazard(1.5)) for period in range(2)]
    hours = assess(before).townships.loc["a", "hours_to_95"]
    nats = hours / 800 * 300.0
    after = assess([*before, (2, hazard(nats))]).townships
    assert after.loc["a", "p_zero"] == pytest.approx(0.95, abs=1e-4)
    assert assess([*before, (2, hazard(nats * 1.001))]).townships.loc["a", "hours_to_95"] == 0.0


def test_seedlings_take_longer_than_flowers():
    sown = [(0, hazard(0.0))]
    patient = Settings(absence=AbsenceSettings(courtyard_share=0.0, prior=0.85))
    january = assess(sown, settings=patient, as_of=datetime(2026, 1, 20, tzinfo=CHINA)).townships["hours_to_95"]
    widths = DetectionSettings().sweep_width_m["open"]
    flat = DetectionSettings(sweep_width_m={"open": (widths[1],) * 3})
    flowers = Settings(absence=patient.absence, detection=flat)
    easy = assess(sown, settings=flowers, as_of=datetime(2026, 1, 20, tzinfo=CHINA)).townships["hours_to_95"]
    assert (january / easy).to_list() == pytest.approx([3.0, 3.0], rel=1e-9)


def test_availability_caps_what_hours_can_do():
    found = assess([(0, hazard(0.1))], as_of=datetime(2026, 1, 20, tzinfo=CHINA)).townships
    assert found["hours_to_95"].isna().all()
    assert [said["hours_to_95"] for said in found["reasons"]] == ["ceiling"] * 2


@given(st.floats(0.5, 200.0), st.lists(st.floats(0.01, 1.0), min_size=2, max_size=5))
def test_no_split_of_the_hours_beats_the_allocation(hours, prior):
    areas, widths = np.linspace(0.5, 3.0, len(prior)), np.linspace(8.0, 30.0, len(prior))
    times, found = allocation.allocate(prior, areas, widths, 1.0, hours)
    assert times.sum() == pytest.approx(hours)
    rate = widths / 1000.0 / areas
    for split in np.random.default_rng(2).dirichlet(np.ones(len(prior)), 50):
        assert np.sum(np.array(prior) * (1 - np.exp(-rate * split * hours))) <= found + 1e-12


def test_splits_by_prior_and_evenly_find_less_than_the_allocation():
    prior, rate = np.array([0.5, 0.3, 0.2]), np.array([0.02, 0.02, 0.005])
    for times, found in ((prior * 50, 0.284243), (np.full(3, 50 / 3), 0.242766)):
        assert np.sum(prior * (1 - np.exp(-rate * times))) == pytest.approx(found, abs=1e-6)


def county_looks(rng: np.random.Generator, *, zones_n: int = 25, patterns_n: int = 5000) -> looks.Looks:
    """A county's sums, drawn: as many patterns per township as a season of dense walking leaves."""
    levels = rng.integers(0, 9, (patterns_n, 5)).astype(np.uint8)
    nats = np.tile(np.linspace(0.0, 3.0, 9), (zones_n, 5, 1))
    weights = rng.random(patterns_n)
    pods = 0.85 * -np.expm1(-nats[0, np.arange(5), levels])
    missed = np.array([(weights * np.prod(1 - pods[:, t:], axis=1)).sum() / weights.sum() for t in range(5)])
    return looks.Looks(
        np.tile(missed, (zones_n, 1)), np.zeros((zones_n, 5)), np.full(zones_n, weights.sum()),
        [(np.repeat(weights[:, None], 5, axis=1), levels)] * zones_n, nats, None, 4,
        np.tile(missed, (zones_n, 1)), np.ones(zones_n),
    )  # fmt: skip


def test_a_county_is_drawn_from_histograms_small_enough_to_keep():
    """Two thousand draws for 25 townships touch no grid: memory stays far below one grid of a county."""
    held = county_looks(np.random.default_rng(5))
    tracemalloc.start()
    chances, draws, seen = absence.township_absence(
        held, beside=absence.Beside.none(25, 5), restarts=np.zeros(25, np.int64), current=4, settings=Settings(),
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()
    assert draws.shape == seen.shape == (25, 2000)
    assert (chances["p_zero_low"] <= chances["p_zero"]).all()
