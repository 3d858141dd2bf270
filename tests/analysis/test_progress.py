"""Progress against a count by hand: every village of every round exactly once, whatever the reports say."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.progress import STATES, overdue_first, totals, village_progress
from geo.layers import SCHEMAS

DAY = 86_400_000
START = datetime(2026, 1, 1, tzinfo=UTC)
ZERO = int(START.timestamp() * 1000)
VILLAGES = pd.DataFrame(
    {
        "village_id": ["v1", "v2", "v3"],
        "township_id": ["t1", "t1", "t2"],
        "name": ["一村", "二村", "三村"],
        "edge": [False, True, None],
        "key_area": [None, False, True],
        "due_m2": [1000.0, 500.0, None],
    }
)
DUE_FROM = ZERO + DAY * np.array([[0, 30, 60], [0, 30, 60], [10, 40, 70]])
DUE_TO = DUE_FROM + 30 * DAY

REPORT = st.fixed_dictionaries(
    {
        "village_id": st.sampled_from(["v1", "v2", "v3", "v9", None]),
        "round": st.sampled_from([1, 2, 3, None, 7]),
        "team_id": st.sampled_from(["T1", "T2"]),
        "day": st.integers(0, 110),
        "ground": st.sampled_from(["庭院", "田间", None]),
        "outcome": st.sampled_from(["未发现", "发现", "无法到达"]),
        "evidence": st.sampled_from(["A", "B", "C"]),
        "area_m2": st.sampled_from([None, 200.0, 700.0]),
    }
)


def visits_of(reports: list[dict[str, object]]) -> pd.DataFrame:
    rows = pd.DataFrame(
        reports, columns=["village_id", "round", "team_id", "day", "ground", "outcome", "evidence", "area_m2"]
    )
    rows["visited_at"] = pd.Timestamp(START) + pd.to_timedelta(rows["day"].astype(float), unit="D")
    rows["visit_id"] = [f"V{n}" for n in range(len(rows))]
    return SCHEMAS["visits"].conform(rows)


def by_hand(reports: list[dict[str, object]], now: int) -> Counter[str]:
    """States counted one village and round at a time, from the rule as it is written."""
    counted: Counter[str] = Counter()
    for v, village in enumerate(["v1", "v2", "v3"]):
        for r in range(3):
            mine = []
            for one in reports:
                day = one["day"]
                given_ = one["round"]
                inside = DUE_FROM[v, r] <= ZERO + day * DAY < DUE_TO[v, r]
                if one["village_id"] == village and day <= now and (given_ == r + 1 or (given_ is None and inside)):
                    mine.append(one)
            there = sorted(one["evidence"] for one in mine if one["outcome"] != "无法到达")
            moment = ZERO + now * DAY
            if there:
                counted[f"looked_{there[0].lower()}"] += 1
            elif mine:
                counted["unreached"] += 1
            elif DUE_TO[v, r] <= moment:
                counted["overdue"] += 1
            else:
                counted["due" if DUE_FROM[v, r] <= moment else "not_due"] += 1
    return counted


@given(st.lists(REPORT, max_size=25), st.integers(0, 115))
def test_every_village_of_every_round_stands_in_exactly_one_state(reports: list[dict[str, object]], now: int) -> None:
    """Late, missing, double, contradictory, misaddressed: the states are those counted by hand, and add up."""
    found = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(reports), START + timedelta(days=now))
    sums = totals(found.townships)
    assert {state: sums[state] for state in STATES} == {state: by_hand(reports, now)[state] for state in STATES}
    assert sum(sums[state] for state in STATES) == sums["villages_n"] == len(VILLAGES) * 3
    named = sum(report["village_id"] is not None for report in reports)
    assert found.cells["reports_n"].sum() + sum(found.unplaced.values()) == named
    assert found.townships.groupby("township_id")["villages_n"].sum().to_dict() == {"t1": 6, "t2": 3}


@given(st.lists(REPORT, max_size=12), st.randoms(use_true_random=False))
def test_order_and_repetition_of_reports_change_no_state_and_no_area(
    reports: list[dict[str, object]], dice: object
) -> None:
    shuffled = [*reports, *reports]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    as_of = START + timedelta(days=100)
    once, twice = (village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(r), as_of) for r in (reports, shuffled))
    same = [name for name in once.cells if name not in ("reports_n", "duplicates_n")]
    pd.testing.assert_frame_equal(once.cells[same], twice.cells[same])
    more = twice.cells["reports_n"] - once.cells["reports_n"]
    assert (twice.cells["duplicates_n"] - once.cells["duplicates_n"]).tolist() == more.tolist()


@given(st.lists(REPORT, max_size=12))
def test_area_looked_at_is_never_more_than_is_due(reports: list[dict[str, object]]) -> None:
    cells = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(reports), START + timedelta(days=115)).cells
    looked = cells["looked_a_m2"] + cells["looked_b_m2"] + cells["looked_c_m2"]
    known = cells["due_m2"].notna()
    assert (looked[known] <= cells["due_m2"][known] + 1e-9).all()
    assert looked[~known].isna().all()


def report(**changes: object) -> dict[str, object]:
    plain = {"village_id": "v1", "round": 1, "team_id": "T1", "day": 5, "ground": "田间"}
    return plain | {"outcome": "未发现", "evidence": "B", "area_m2": 400.0} | changes


def test_a_later_track_lifts_the_class_and_takes_the_area_first() -> None:
    """400 of class B and 700 of class A on 1,000 due: 700 stand in A, the remaining 300 in B."""
    reports = [report(), report(evidence="A", area_m2=700.0, day=6)]
    cells = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(reports), START + timedelta(days=20)).cells
    assert cells.loc[0, ["state", "evidence"]].tolist() == ["looked_a", "A"]
    assert cells.loc[0, ["looked_a_m2", "looked_b_m2", "looked_c_m2"]].tolist() == [700.0, 300.0, 0.0]


def test_two_reports_of_one_day_and_ground_that_disagree_are_marked() -> None:
    reports = [
        report(),
        report(outcome="发现"),
        report(village_id="v2"),
        report(village_id="v2", ground="庭院", outcome="发现"),
    ]
    cells = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(reports), START + timedelta(days=20)).cells
    assert cells.loc[cells["contradictory"], ["village_id", "round"]].to_numpy().tolist() == [["v1", 1]]


def test_rates_by_class_stand_side_by_side() -> None:
    """Of three villages due in round 1 one has a track, one a form, one nothing; 900 of 1,500 m2 were looked at."""
    reports = [report(evidence="A", area_m2=400.0), report(village_id="v2", area_m2=9000.0)]
    found = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of(reports), START + timedelta(days=29))
    sums = totals(found.townships[found.townships["round"] == 1])
    assert [sums[f"rate_villages_{c}"] for c in ("a", "ab", "abc")] == pytest.approx([1 / 3, 2 / 3, 2 / 3])
    assert [sums[f"rate_area_{c}"] for c in ("a", "ab", "abc")] == pytest.approx([400 / 1500, 0.6, 0.6])
    assert sums["area_unknown_n"] == 1


def test_overdue_comes_first_and_key_and_edge_villages_before_the_others() -> None:
    cells = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of([]), START + timedelta(days=45)).cells
    shown = overdue_first(cells)[["village_id", "round", "state", "overdue_days"]].to_numpy().tolist()
    assert shown[:3] == [["v2", 1, "overdue", 15], ["v3", 1, "overdue", 5], ["v1", 1, "overdue", 15]]
    assert [row[2] for row in shown[3:]] == ["due", "due", "due"]


def test_late_is_after_the_last_day_and_still_counts() -> None:
    cells = village_progress(VILLAGES, DUE_FROM, DUE_TO, visits_of([report(day=30)]), START + timedelta(days=31)).cells
    assert cells.loc[0, ["state", "late"]].tolist() == ["looked_b", True]


def test_a_village_of_no_township_is_counted_too() -> None:
    lost = VILLAGES.assign(township_id=["t1", None, "t2"])
    found = village_progress(lost, DUE_FROM, DUE_TO, visits_of([]), START + timedelta(days=115))
    assert found.townships["villages_n"].sum() == len(found.cells) == 9
    assert totals(found.townships)["overdue"] == 9
