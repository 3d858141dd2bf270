"""A plot's life: the table of moves, closing, days of re-check, hours between hands, and sampled counts."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.plot_life import (
    MOVES,
    PlantCount,
    closing_faults,
    hours_between,
    moved,
    rechecks_due,
    sampled_count,
    status_at,
    straddled,
    thresholds_in_force,
)
from geo.errors import StoreError
from geo.layers.finds import SCHEMA as FINDS
from geo.layers.parcels import Status
from geo.layers.steps import SCHEMA as STEPS
from geo.layers.steps import Act
from geo.layers.visits import SCHEMA as VISITS
from geo.season import Season
from geo.settings import PlotSettings
from geo.words import WORDS, explain

DAY = datetime(2026, 3, 15, 2, 0, tzinfo=UTC)


def told(schema, *rows):
    """Rows as a store tells them: every column of the layer, None where nothing is known."""
    return [dict.fromkeys(schema.names) | row for row in rows]


def find(**values):
    known = {"found_at": DAY, "stage": "开花期", "fraction": 1.0, "method": "强制铲除", "plants_n": 9}
    return known | {"destroyed_at": DAY + timedelta(hours=5)} | values


def step(act, hours, **values):
    return {"act": act, "at": DAY + timedelta(hours=hours)} | values


FORM = {"visited_at": DAY, "outcome": "发现", "evidence": "B"}


def faults(finds=(), visits=(FORM,), steps=(), *, photographed=False):
    rows = told(FINDS, *finds), told(VISITS, *visits), told(STEPS, *steps)
    return closing_faults(*rows, photographed=lambda: photographed)


def test_a_plot_can_be_closed_only_from_rechecked():
    """No other state leads to closed, and every state but closed can be left."""
    assert [act for act, (_, after) in MOVES.items() if after == Status.CLOSED] == [Act.CLOSE]
    assert MOVES[Act.CLOSE][0] == {Status.RECHECKED}
    for status in Status:
        assert any(status in origins and after != status for origins, after in MOVES.values())


def test_a_find_is_taken_whatever_the_plots_state():
    """Who finds plants on dismissed or closed ground is never refused."""
    assert {moved("P", status, Act.CONFIRM) for status in Status} == {Status.CONFIRMED}


def test_the_long_way_from_flag_to_closed():
    """Every step of the life as the police and the county know it, in order."""
    acts = [Act.ASSIGN, Act.VISIT, Act.GUARD, Act.HAND_OVER, Act.CONFIRM, Act.ERADICATE, Act.RECHECK, Act.CLOSE]
    status = Status.FLAGGED
    seen = [status := moved("P", status, act) for act in acts]
    assert [str(s) for s in seen] == [
        "assigned", "visited", "guarded", "handed_over", "confirmed", "eradicated", "rechecked", "closed",
    ]  # fmt: skip


@given(st.lists(st.sampled_from(list(Act)), max_size=30))
def test_no_order_of_acts_closes_a_plot_without_a_later_check(acts):
    """Whatever is tried in whatever order: before every closing stands a re-check, with no find in between."""
    status, done = Status.FLAGGED, []
    for act in acts:
        try:
            status = moved("P", status, act)
        except StoreError:
            continue
        done.append(act)
        if act == Act.CLOSE:
            since = done[::-1].index(Act.RECHECK)
            assert not {Act.CONFIRM, Act.DISMISS, Act.ERADICATE, Act.REGROW} & set(done[len(done) - since :])


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("status", Status)
def test_an_illegal_move_is_refused_in_a_sentence(status, act):
    """Every cell of the table: allowed, or refused in both languages without a bare code."""
    if status in MOVES[act][0]:
        assert moved("P1", status, act) == MOVES[act][1]
        return
    with pytest.raises(StoreError) as refused:
        moved("P1", status, act)
    for language, name in (("zh", 0), ("en", 1)):
        said = explain(refused.value, language)
        assert "P1" in said
        assert WORDS[f"ui_status_{status}"][name] in said
        assert not {"{", "?", "_"} & set(said)


STANDING = find(fraction=0.0, method="未铲除", destroyed_at=None)
DISMISSED = FORM | {"outcome": "核查排除"}
CHECKED = step(Act.RECHECK, 240, plants_left_n=0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"finds": [find()], "steps": [CHECKED]}, []),
        ({"finds": [find(fraction=0.9)], "steps": [CHECKED]}, ["close_standing"]),
        ({"finds": [find(), STANDING], "steps": [CHECKED]}, ["close_standing"]),
        ({"finds": [find()]}, ["close_unchecked"]),
        ({"finds": [find()], "steps": [step(Act.RECHECK, 4)]}, ["close_unchecked"]),
        ({"finds": [find()], "steps": [CHECKED, step(Act.REGROW, 300)]}, ["close_unchecked"]),
        ({"finds": [find()], "steps": [step(Act.REGROW, 200), CHECKED]}, []),
        ({"finds": [find(verified_at=DAY + timedelta(days=3))]}, []),
        ({"finds": [find()], "visits": [FORM | {"evidence": "C"}], "steps": [CHECKED]}, ["close_unshown"]),
        ({"finds": [find(photo_sha256="ab")], "visits": [], "steps": [CHECKED]}, ["close_unshown"]),
        ({"finds": [find()], "visits": [], "steps": [CHECKED], "photographed": True}, []),
        ({"finds": [find()], "visits": [], "steps": [CHECKED | {"track_id": "ab"}]}, []),
        ({"visits": [DISMISSED], "steps": [CHECKED]}, []),
        ({"visits": [DISMISSED | {"visited_at": DAY + timedelta(days=30)}], "steps": [CHECKED]}, ["close_unchecked"]),
        ({"visits": []}, ["close_unshown", "close_unchecked"]),
    ],
)  # fmt: skip
def test_what_forbids_closing(given, expected):
    """Full destruction, something that shows it, and a later clean look: each alone is not enough."""
    assert faults(**given) == expected


def test_rechecks_fall_due_by_stage_and_once_more_next_season():
    """Destroyed 15 March in flower: 25 March, 14 April, and 11 March of the next year, by the default settings."""
    dues = rechecks_due(told(FINDS, find()), [], Season(2026), PlotSettings())
    assert [(due.day, due.why) for due in dues] == [
        (date(2026, 3, 25), "due_recheck"),
        (date(2026, 4, 14), "due_recheck"),
        (date(2027, 3, 11), "due_revisit"),
    ]
    assert not rechecks_due(told(FINDS, find(destroyed_at=None, fraction=0.0)), [], Season(2026), PlotSettings())


def test_a_look_meets_the_days_it_is_not_too_early_for():
    """A look on 24 March, one day early, meets the first day and not the second; one before the destruction none."""
    looks = [DAY - timedelta(days=1), datetime(2026, 3, 24, 3, 0, tzinfo=UTC)]
    first, second, third = rechecks_due(told(FINDS, find()), looks, Season(2026), PlotSettings())
    assert (first.met_at, second.met_at, third.met_at) == (looks[1], None, None)


def test_hours_run_from_found_to_police_to_destroyed():
    """Guarded at 0 h, found formally at 1 h, police at 3 h, destroyed at 5 h; what is unknown is None, never slow."""
    finds = told(FINDS, find(found_at=DAY + timedelta(hours=1)))
    steps = told(STEPS, step(Act.GUARD, 0), step(Act.HAND_OVER, 3))
    assert hours_between(finds, steps) == {
        "found_to_police_h": 3.0,
        "police_to_destroyed_h": 2.0,
        "found_to_destroyed_h": 5.0,
    }
    standing = told(FINDS, find(), find(fraction=0.5))
    assert set(hours_between(standing, told(STEPS)).values()) == {None}


def test_a_sampled_count_by_hand():
    """Squares of 1 m² with 4, 6 and 8: mean 6, sd 2, t = 4.303, so 6 ± 4.968 per m²; on 100 m² 600 (103 to 1,097)."""
    assert sampled_count([4, 6, 8], 1.0, 100.0, 0.95) == PlantCount(600, 103, 1097)
    assert sampled_count([5, 5], 1.0, 10.0, 0.95) == PlantCount(50, 50, 50)


@pytest.mark.parametrize(("counts", "square", "area"), [([4], 1, 9), ([4, 5], 0, 9), ([4, 5], 5, 9), ([4, -1], 1, 9)])
def test_a_sample_that_is_none_is_refused(counts, square, area):
    with pytest.raises(ValueError, match="squares"):
        sampled_count(counts, square, area, 0.95)


def test_the_interval_holds_the_true_number_as_often_as_it_says():
    """2,000 plots of 400 m², plants normally spread over squares, 6 squares each: 95 % within two in a hundred."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        plot = np.maximum(rng.normal(30.0, 6.0, 400).round(), 0).astype(int)
        count = sampled_count(rng.choice(plot, 6, replace=False).tolist(), 1.0, 400.0, 0.95)
        held += count.low_n <= plot.sum() <= count.high_n
    assert 0.93 < held / 2000 < 0.97


@pytest.mark.parametrize(
    ("low", "high", "open_ones"),
    [(480, 560, [500]), (500, 560, []), (400, 499, []), (400, 3000, [500, 3000])],
)
def test_a_threshold_is_open_when_the_interval_holds_numbers_on_both_sides_of_it(low, high, open_ones):
    """500 plants are at the threshold: an interval that begins there decides it."""
    assert straddled(PlantCount(low, low, high), (500, 3000)) == open_ones


def test_the_law_of_the_day_counts():
    """Before the first date nothing is known; the default is that of 1 October 1997."""
    law = PlotSettings().plants_law
    assert thresholds_in_force(law, date(1997, 9, 30)) == ()
    assert thresholds_in_force(law, date(2026, 3, 1)) == (500, 3000)


LIFE = st.lists(st.sampled_from([*Act, "visit", "unreached", "dismissed", "find"]), max_size=9)


@given(LIFE, st.randoms(use_true_random=False), st.integers(0, 9))
def test_a_plots_state_at_a_moment_is_that_of_the_acts_before_it_one_by_one(acts, dice, hours):
    """In whatever order the rows lie; an act the table forbids, or that would leave plants standing, moves nothing."""
    finds, visits, steps, status = [], [], [], Status.FLAGGED
    for hour, act in enumerate(acts):
        at = DAY + timedelta(hours=hour)
        if act == "find":
            finds.append({"found_at": at, "destroyed_at": None, "verified_at": None, "fraction": 0.0})
            does = Act.CONFIRM
        elif act in ("visit", "unreached", "dismissed"):
            outcome = {"visit": "未发现", "unreached": "无法到达", "dismissed": "核查排除"}[act]
            visits.append({"visited_at": at, "outcome": outcome})
            does = {"visit": Act.VISIT, "unreached": None, "dismissed": Act.DISMISS}[act]
        else:
            steps.append({"at": at, "act": str(act)})
            does = act
        held = finds and does in (Act.ERADICATE, Act.RECHECK)
        if hour <= hours and does is not None and not held and status in MOVES[does][0]:
            status = moved("P1", status, does)
    for rows in (finds, visits, steps):
        dice.shuffle(rows)
    assert status_at(finds, visits, steps, DAY + timedelta(hours=hours)) == status
