"""Work by ground and class: what adds up, what does not, and what nobody said."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from geo.analysis.work import work_done
from geo.layers import SCHEMAS

AT = datetime(2026, 2, 1, tzinfo=UTC)


def rows(*changes: dict[str, object]) -> pd.DataFrame:
    plain = {"village_id": "v1", "round": 1, "team_id": "T", "visited_at": AT, "outcome": "未发现", "evidence": "B"}
    table = [plain | {"visit_id": f"V{n}"} | change for n, change in enumerate(changes)]
    return pd.DataFrame(SCHEMAS["visits"].conform(pd.DataFrame(table)))


def returned(*changes: dict[str, object]) -> pd.DataFrame:
    plain = {"village_id": "v1", "signed": True, "photos_n": 0, "entered": "手工录入"}
    table = [plain | {"return_id": f"B{n}"} | change for n, change in enumerate(changes)]
    return SCHEMAS["returns"].conform(pd.DataFrame(table, columns=SCHEMAS["returns"].names))


def test_person_hours_add_up_and_the_number_of_courtyards_does_not() -> None:
    """4 × 5 h and 2 × 3 h are 26; two forms of one village say 100 courtyards, which stay 100; 60 were entered."""
    visits = rows(
        {"ground": "庭院", "persons_n": 4, "hours": 5.0, "courtyards_n": 40},
        {"ground": "庭院", "persons_n": 2, "hours": 3.0, "courtyards_n": 20},
    )
    forms = returned(
        {"visit_id": "V0", "courtyards_due_n": 100, "photos_n": 3, "group_name": "二组"},
        {"visit_id": "V1", "courtyards_due_n": 100, "photos_n": 1, "group_name": "一组"},
    )
    (row,) = work_done(visits, forms, pd.Series({"v1": "t1"})).to_dict("records")
    assert (row["person_hours"], row["person_trips_n"], row["courtyards_n"], row["courtyards_due_n"]) == (
        26.0,
        6,
        60,
        100,
    )
    assert (row["photos_n"], row["groups"], row["township_id"]) == (4, "一组、二组", "t1")


def test_classes_and_grounds_stay_apart_and_unknown_hours_are_counted_as_unknown() -> None:
    visits = rows(
        {"ground": "田间", "persons_n": 3, "area_m2": 500.0},
        {"ground": "田间", "persons_n": 3, "hours": 2.0, "evidence": "C"},
        {"ground": None},
    )
    table = work_done(visits, returned(), pd.Series({"v1": "t1"}))
    assert len(table) == 3
    one = table[(table["ground"] == "田间") & (table["evidence"] == "B")].iloc[0]
    assert (one["hours_unknown_n"], one["person_hours"], one["area_m2"]) == (1, 0.0, 500.0)
    assert np.isnan(one["courtyards_due_n"])
    assert table["reports_n"].sum() == 3
