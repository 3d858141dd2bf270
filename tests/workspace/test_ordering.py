"""Orders: one per village and round, every receipt a record, no closing without a look, no post checking itself."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.analysis.order_book import missing_dailies
from geo.analysis.rounds import season_rounds
from geo.errors import GeoError
from geo.layers.orders import MOVES, ORDER_KINDS, RECTIFY, TASK, Step, allowed, state_of
from geo.season import CHINA
from geo.settings import CampaignSettings
from geo.workspace.county import County
from geo.workspace.ordering import (
    dailies_at,
    issue_orders,
    orders_at,
    raise_problem,
    record_daily,
    take_step,
)
from geo.workspace.papers import order_papers
from geo.workspace.progress import measure_progress, today
from geo.workspace.recording import record_visit
from geo.workspace.returning import enter_form

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
ORDER = "R2026-1-520525001201"


def code_of(job: object) -> str:
    with pytest.raises(GeoError) as caught:
        job()  # type: ignore[operator]
    return caught.value.code


def look(county: County, village: str = "520525001201", day: int = 20, outcome: str = "未发现") -> None:
    values = {"village_id": village, "round": 1, "team_id": "T1", "outcome": outcome, "evidence": "B"}
    record_visit(county.store, values | {"visited_at": datetime(2026, 1, day, 2, tzinfo=UTC)}, now=NOW + timedelta(40))


def test_every_village_gets_one_order_due_by_its_height(village_county: County) -> None:
    """500 m higher is 15 days later; nobody answers for the fourth village, and the order says so by naming nobody."""
    first = issue_orders(village_county, 1, now=NOW)
    assert (first.new_n, len(first.orders)) == (4, 4)
    starts = first.orders["due_from"].dt.tz_convert(CHINA).dt.date.tolist()
    assert starts == [date(2026, 1, 1), date(2026, 1, 16), date(2026, 1, 1), date(2026, 1, 1)]
    assert first.orders["post"].isna().tolist() == [False, False, False, True]
    head = village_county.store.head()
    assert issue_orders(village_county, 1, now=NOW + timedelta(days=1)).new_n == 0
    assert village_county.store.head() == head


def test_an_order_goes_its_way_and_the_same_step_twice_is_one(village_county: County) -> None:
    issue_orders(village_county, 1, now=NOW)
    look(village_county)
    at = datetime(2026, 1, 6, 1, tzinfo=UTC)
    later = NOW + timedelta(days=40)
    slip = "ab" * 32
    one = take_step(village_county, ORDER, Step.SIGNED, post="上河村支部书记", at=at, now=later, slip_sha256=slip)
    again = take_step(village_county, ORDER, Step.SIGNED, post="上河村支部书记", at=at, now=later, slip_sha256=slip)
    assert (one.is_new, again.is_new, again.state) == (True, False, "签收")
    take_step(village_county, ORDER, Step.ANSWERED, post="上河村支部书记", now=later)
    done = take_step(village_county, ORDER, Step.CLOSED, post="乡禁毒办主任", now=later + timedelta(hours=1))
    assert done.state == "销号"
    (row,) = orders_at(village_county, later + timedelta(days=1)).query("order_id == @ORDER").to_dict("records")
    assert (row["signed_at"], row["slip_sha256"], row["unsigned"]) == (pd.Timestamp(at), slip, False)
    assert village_county.store.verify().ok


def test_nothing_closes_before_somebody_looked_or_while_a_problem_is_open(village_county: County) -> None:
    issue_orders(village_county, 1, now=NOW)
    later = NOW + timedelta(days=30)
    look(village_county, outcome="无法到达")
    take_step(village_county, ORDER, Step.ANSWERED, post="村支部书记", now=later)
    assert code_of(lambda: take_step(village_county, ORDER, Step.CLOSED, post="乡", now=later)) == "order_unlooked"
    look(village_county, day=21)
    problem = raise_problem(village_county, ORDER, "北坡未查", post="县督导组", now=later)
    assert code_of(lambda: take_step(village_county, ORDER, Step.CLOSED, post="乡", now=later)) == "order_problem_open"

    number, hour = problem.order_id, timedelta(hours=1)
    take_step(village_county, number, Step.SIGNED, post="村支部书记", now=later + hour)
    take_step(village_county, number, Step.ANSWERED, post="村支部书记", now=later + 2 * hour)
    itself = lambda: take_step(village_county, number, Step.CHECKED, post="村支部书记", now=later + 3 * hour)  # noqa: E731
    assert code_of(itself) == "order_self_check"
    early = lambda: take_step(village_county, number, Step.CLOSED, post="县督导组", now=later + 3 * hour)  # noqa: E731
    assert code_of(early) == "order_move"
    take_step(village_county, number, Step.CHECKED, post="县督导组", now=later + 3 * hour)
    take_step(village_county, number, Step.CLOSED, post="县督导组", now=later + 4 * hour)
    assert take_step(village_county, ORDER, Step.CLOSED, post="乡", now=later + 5 * hour).state == "销号"


def test_what_is_not_answered_by_its_last_day_is_overdue_and_comes_first(village_county: County) -> None:
    issue_orders(village_county, 1, now=NOW)
    take_step(village_county, ORDER, Step.ANSWERED, post="村支部书记", now=NOW + timedelta(days=1))
    book = orders_at(village_county, datetime(2026, 3, 12, tzinfo=UTC))
    assert book["unit_id"].tolist()[:2] == ["520525002203", "520525002204"]
    assert book["overdue_days"].tolist() == [1, 1, 0, 0]
    assert book["unsigned"].all()


def test_an_order_nobody_knows_and_a_time_before_it_are_refused(village_county: County) -> None:
    issue_orders(village_county, 1, now=NOW)
    step = {"post": "村支部书记", "now": NOW}
    assert code_of(lambda: take_step(village_county, "R1", Step.SIGNED, **step)) == "order_unknown"
    early = datetime(2026, 1, 1, tzinfo=UTC)
    assert code_of(lambda: take_step(village_county, ORDER, Step.SIGNED, at=early, **step)) == "order_before"
    assert code_of(lambda: issue_orders(village_county, 4, now=NOW)) == "round_unknown"


def test_a_step_is_not_dated_before_the_one_it_follows_but_a_receipt_may_come_late(village_county: County) -> None:
    """What a step is told to lead to is what the book says; a slip of an earlier day may still come in."""
    issue_orders(village_county, 1, now=NOW)
    look(village_county)
    later, step = NOW + timedelta(days=30), {"post": "村支部书记", "now": NOW + timedelta(days=40)}
    take_step(village_county, ORDER, Step.ANSWERED, at=later, **step)
    head, before = village_county.store.head(), later - timedelta(days=1)
    for early in (Step.CLOSED, Step.RETURNED):
        assert code_of(lambda early=early: take_step(village_county, ORDER, early, at=before, **step)) == "order_early"
    assert village_county.store.head() == head
    assert take_step(village_county, ORDER, Step.SIGNED, at=before, **step).state == "反馈"
    problem = lambda: raise_problem(village_county, ORDER, "北坡", at=NOW - timedelta(days=1), **step)  # noqa: E731
    assert code_of(problem) == "order_before"


def test_no_telephone_is_kept_with_a_post_wherever_one_is_named(village_county: County) -> None:
    named = {"post": "张三13800138000", "now": NOW}
    assert code_of(lambda: issue_orders(village_county, 1, **named)) == "post_personal"
    issue_orders(village_county, 1, now=NOW)
    assert code_of(lambda: take_step(village_county, ORDER, Step.SIGNED, **named)) == "post_personal"
    assert code_of(lambda: raise_problem(village_county, ORDER, "北坡", **named)) == "post_personal"
    assert code_of(lambda: record_daily(village_county, "520525001", date(2026, 1, 2), **named)) == "post_personal"
    form = {"village_id": "520525001201", "visited_on": "2026-01-04", "outcome": "未发现", "post": named["post"]}
    assert code_of(lambda: enter_form(village_county, form, now=NOW)) == "post_personal"


def test_a_new_season_begins_with_nothing_looked_at_and_no_order(village_county: County) -> None:
    """Last season's rounds 1 to 3 are not this one's: neither looks nor orders nor a closing carry over."""
    issue_orders(village_county, 1, now=NOW)
    look(village_county)
    now = datetime(2027, 1, 20, 4, tzinfo=UTC)
    held = replace(village_county, settings=replace(village_county.settings, season=2027))
    answer = measure_progress(held, as_of=now)
    assert (answer.totals["1"]["due"], answer.totals["1"]["looked_b"], answer.by_orders_n) == (4, 0, 0)
    assert today(held, as_of=now)["orders_round"] is None
    assert code_of(lambda: order_papers(held, 1)) == "orders_none"
    issue_orders(held, 1, now=now)
    assert measure_progress(held, as_of=now).by_orders_n == 4
    new = ORDER.replace("R2026", "R2027")
    take_step(held, new, Step.ANSWERED, post="村支部书记", now=now)
    assert code_of(lambda: take_step(held, new, Step.CLOSED, post="乡", now=now)) == "order_unlooked"
    take_step(held, ORDER, Step.ANSWERED, post="村支部书记", now=now)
    assert take_step(held, ORDER, Step.CLOSED, post="乡", now=now).state == "销号"
    assert measure_progress(village_county, as_of=now).totals["1"]["looked_b"] == 1


def test_a_daily_report_of_nothing_is_a_record_and_a_missing_one_is_listed(village_county: County) -> None:
    """Three days of round 1 are over on 4 January; one township sent one report, twice."""
    report = {"post": "乡禁毒办主任", "at": datetime(2026, 1, 2, 10, tzinfo=UTC), "now": NOW}
    assert record_daily(village_county, "520525001", date(2026, 1, 2), **report)[1]
    assert not record_daily(village_county, "520525001", date(2026, 1, 2), **report)[1]
    plain = dailies_at(village_county, datetime(2026, 1, 4, 4, tzinfo=UTC))
    assert (plain["due_n"], plain["missing_n"], plain["contradictory"]) == (6, 5, [])
    assert {"unit_id": "520525001", "day": "2026-01-02", "name": "凉水乡"} not in plain["missing"]
    record_daily(village_county, "520525001", date(2026, 1, 2), finds_n=2, **report)
    told = dailies_at(village_county, datetime(2026, 1, 5, 4, tzinfo=UTC))
    assert told["contradictory"] == [{"unit_id": "520525001", "day": "2026-01-02"}]
    tomorrow = lambda: record_daily(village_county, "520525001", date(2026, 1, 9), **report)  # noqa: E731
    assert code_of(tomorrow) == "time_future"
    old = lambda: record_daily(village_county, "520525001", date(1990, 3, 1), **report)  # noqa: E731
    assert code_of(old) == "time_long_past"


def test_an_order_of_a_season_long_past_is_a_mistyped_year(village_county: County) -> None:
    """Last season's first day is still taken: an office may enter late what it did."""
    at = datetime(2020, 1, 1, tzinfo=UTC)
    assert code_of(lambda: issue_orders(village_county, 1, now=NOW, at=at)) == "time_long_past"
    assert issue_orders(village_county, 1, now=NOW, at=at.replace(year=2025)).new_n > 0


@given(st.sampled_from(ORDER_KINDS), st.lists(st.sampled_from(list(Step)), max_size=12))
def test_a_state_is_reached_only_along_the_table(kind: str, steps: list[Step]) -> None:
    """Steps that were not allowed where they stood might as well not have happened."""
    state, taken = None, []
    for step in steps:
        if step in allowed(kind, state):
            state = MOVES[kind][state][step]
            taken.append(step)
    assert state_of(kind, steps) == state == state_of(kind, taken)


STEPS = st.tuples(st.integers(1, 4), st.sampled_from([s for s in Step if s != Step.ISSUED]), st.integers(0, 50))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=1, max_size=6))
def test_replayed_steps_and_orders_change_nothing(village_county: County, steps: list[tuple[int, Step, int]]) -> None:
    """What was taken and is sent again leaves ledger and states as they are; what was refused left no trace."""
    later = NOW + timedelta(days=60)
    taken = []

    def take(message: tuple[int, Step, int]) -> None:
        village, step, day = message
        order = f"R2026-1-52052500{1 + (village > 2)}20{village}"
        take_step(village_county, order, step, post="某岗位", at=NOW + timedelta(days=day), now=later)
        taken.append(message)

    def replay() -> None:
        issue_orders(village_county, 1, now=later, at=NOW)
        for message in taken[:]:
            take(message)

    issue_orders(village_county, 1, now=later, at=NOW)
    for message in steps:
        with suppress(GeoError):
            take(message)
    head = village_county.store.head()
    states = orders_at(village_county, later)["state"].tolist()
    replay()
    assert len(states) == 4
    assert village_county.store.head() == head
    assert orders_at(village_county, later)["state"].tolist() == states


def test_a_problem_is_never_closed_unchecked() -> None:
    """Every way from issue to 销号 of a 限期整改 passes 复核; a task needs none."""
    assert Step.CLOSED not in MOVES[RECTIFY][Step.ANSWERED]
    assert [state for state, moves in MOVES[RECTIFY].items() if Step.CLOSED in moves] == [Step.CHECKED]
    assert Step.CLOSED in MOVES[TASK][Step.ANSWERED]


@given(st.sets(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 9))), st.integers(0, 12))
def test_daily_reports_sent_and_missing_are_all_that_are_due(sent: set[tuple[str, int]], passed: int) -> None:
    as_of = datetime(2026, 1, 1, 12, tzinfo=CHINA) + timedelta(days=passed)
    rows = [(unit, f"2026-01-{day:02d}", as_of) for unit, day in sent]
    reports = pd.DataFrame(rows, columns=["unit_id", "day", "reported_at"])
    reports["reported_at"] = pd.to_datetime(reports["reported_at"], utc=True)
    missing = missing_dailies(["a", "b"], reports, season_rounds(2026, CampaignSettings()), as_of)
    on_time = sum(day <= passed for _, day in sent)
    assert len(missing) + on_time == 2 * passed
