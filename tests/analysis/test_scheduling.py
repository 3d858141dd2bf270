"""A season's team-days: windows and capacity kept, deadlines first, the best days first, some kept free."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.analysis import allocation, campaigns, routing, scheduling
from geo.analysis.campaigns import Campaign, Due, Edge, Piece
from geo.layers.segments import Purpose


def piece(worth, host=0, first=0, last=9, away_h=1.0, rate=0.02, pace=1.0):
    """A segment of one cell with `worth` plots, one round."""
    return Piece(campaigns.curve([worth], [rate]), host, (pace,), (first,), (last,), away_h)


def campaign(pieces, **more):
    options = {
        "dues": (), "edges": (), "teams_n": np.array([1]), "workdays": np.arange(10), "helpers": ((),), "budget_h": 6.0,
        "weather_share": 0.0, "explore_share": 0.0,
    }  # fmt: skip
    return Campaign(pieces=pieces, **(options | more))


def made(asked, seed=1, **more):
    return scheduling.schedule(asked, np.random.default_rng(seed), **more)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_the_curve_is_the_allocation_of_search_theory(seed):
    """At any number of hours the curve is what the exact allocation over the same cells finds."""
    rng = np.random.default_rng(seed)
    mass, km2 = rng.uniform(0.01, 1.0, 12), rng.uniform(0.5, 2.0, 12)
    width = rng.choice([10.0, 20.0], 12)
    curve = campaigns.curve(mass, allocation.rates(km2, width, 1.0), points=10_000)
    assert (np.diff(curve.hours) > 0).all()
    slopes = np.diff(curve.finds) / np.diff(curve.hours)
    assert (slopes[:-1] >= slopes[1:] - 1e-9).all()
    for at in (0, 5, 11, 15):
        _, best = allocation.allocate(mass, km2, width, 1.0, float(curve.hours[at]))
        assert curve.finds[at] == pytest.approx(best, abs=1e-9)


def test_the_next_day_goes_where_it_finds_most():
    """Rate .02, 5 h a day: one day in a segment of 1 plot finds 1 - e^-.1 = .0952, its second .0861; .5 gives .0476."""
    got = made(campaign([piece(1.0), piece(0.5)], workdays=np.arange(9)))
    days = [sum(one.piece == n for one in got.days) for n in (0, 1)]
    assert days == [8, 1]
    assert got.expected == pytest.approx(1 - np.exp(-0.8) + 0.5 * (1 - np.exp(-0.1)), rel=0.01)
    assert got.even <= got.expected <= got.bound


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_every_team_day_keeps_its_window_and_no_day_has_more_teams_than_there_are(seed):
    rng = np.random.default_rng(seed)
    hosts = rng.integers(0, 3, 12)
    first = rng.integers(0, 20, 12)
    pieces = [
        piece(float(rng.uniform(0.1, 1)), int(h), int(f), int(f + rng.integers(0, 12)), float(rng.uniform(0, 7)))
        for h, f in zip(hosts, first, strict=True)
    ]
    dues = [Due(f"P{n}", int(rng.integers(0, 12)), 0, int(rng.integers(0, 30))) for n in range(6)]
    edges = [Edge("a~b~1", (0, 1), 2, 0, 5, 15), Edge("b~0~1", (1, None), 1, 0, 0, 25)]
    asked = campaign(
        pieces, dues=dues, edges=edges, teams_n=np.array([2, 1, 3]),
        workdays=np.array([1, 2, 3, 5, 8, 9, 10, 13, 20, 21]),
        helpers=(((1, 0.5),), ((0, 0.5), (2, 1.0)), ((1, 1.0),)), weather_share=0.2, explore_share=0.1,
    )  # fmt: skip
    got = made(asked, seed, variety=0.1)
    for one in got.days:
        assert one.day in asked.workdays
        assert one.first <= one.day <= one.last
        assert one.hours >= 0
    used = np.array([[sum(o.home == h and o.day == d for o in got.days) for d in asked.workdays] for h in range(3)])
    assert (used <= asked.teams_n[:, None]).all()
    assert (used.sum(axis=1) + got.kept_free_n <= asked.teams_n * len(asked.workdays)).all()
    met = {due for one in got.days for due in one.due_ids}
    assert met.isdisjoint(name for name, _ in got.unmet)
    assert met | {name for name, _ in got.unmet} >= {due.due_id for due in dues}
    assert got.expected <= got.bound + 1e-9
    for left, right in pairwise([o for o in got.days if o.border_id == "a~b~1" and o.home == 0]):
        assert left.day < right.day
    assert {o.day for o in got.days if o.border_id == "a~b~1" and o.home == 0} == {
        o.day for o in got.days if o.border_id == "a~b~1" and o.home == 1
    }


def test_days_are_moved_aside_to_make_room():
    """The rich segment can be walked on any of two days, the poor one on the first alone: both are walked."""
    rich = replace(piece(1.0, last=1), curve=campaigns.Curve(np.array([0.0, 5.0]), np.array([0.0, 0.5])))
    got = made(campaign([rich, piece(0.1, last=0)], workdays=np.arange(2)))
    assert [(one.piece, one.day) for one in got.days] == [(1, 0), (0, 1)]


def test_what_has_a_deadline_comes_before_what_finds_more():
    dues = [Due(f"P{n}", 1, 0, 0) for n in range(9)]
    got = made(campaign([piece(1.0), piece(0.001)], dues=dues, workdays=np.arange(2), target_h=0.75))
    first = got.days[0]
    assert (first.day, first.piece, first.purpose) == (0, 1, Purpose.TARGET)
    assert len(first.due_ids) == 6
    assert got.unmet == [(f"P{n}", "hours") for n in (6, 7, 8)]


def test_what_nobody_can_walk_to_is_named():
    lost = replace(piece(1.0), away_h=float("inf"))
    got = made(campaign([piece(0.1), lost], dues=[Due("P", 1, 0, 9), Due("Q", 0, -5, -1)]))
    assert sorted(got.unmet) == [("P", "unreachable"), ("Q", "past")]
    assert not any(one.piece == 1 for one in got.days)


def test_teams_come_to_help_where_that_finds_more():
    pieces = [piece(1.0, host=0), piece(0.001, host=1)]
    shared = {"teams_n": np.array([1, 1]), "workdays": np.arange(4)}
    alone = made(campaign(pieces, helpers=((), ()), **shared))
    helped = made(campaign(pieces, helpers=(((1, 0.5),), ()), **shared))
    assert helped.expected > alone.expected
    assert {one.home for one in helped.days if one.piece == 0} == {0, 1}
    assert all(one.hours == pytest.approx(4.5) for one in helped.days if one.home == 1 and one.piece == 0)


def test_shares_are_kept_free_and_given_to_neglected_ground():
    pieces = [piece(1.0, last=99), *(piece(1e-9, last=99) for _ in range(30))]
    got = made(campaign(pieces, workdays=np.arange(100), weather_share=0.2, explore_share=0.1))
    lots = [one for one in got.days if one.purpose == Purpose.EXPLORE]
    assert got.kept_free_n.tolist() == [pytest.approx(20, abs=2)]
    assert len(lots) == pytest.approx(10, abs=2)
    assert len({one.piece for one in lots}) == len(lots)
    assert len(got.days) == 100 - got.kept_free_n[0]


def test_a_seed_gives_one_schedule_and_another_gives_another():
    pieces = [piece(0.5 + 0.01 * n, last=99) for n in range(20)]
    asked = campaign(pieces, workdays=np.arange(40))
    runs = [[(o.day, o.piece) for o in made(asked, seed, variety=0.1).days] for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


def test_a_schedule_can_be_stopped():
    with pytest.raises(routing.Cancelled):
        made(campaign([piece(1.0, last=999)], workdays=np.arange(300)), cancelled=lambda: True)
