"""The county's line under a table of townships: a number, or whose number is missing and why."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from geo.cli.looking import _county_sentence, _percent
from geo.cli.speaking import Session
from geo.workspace.covering import CoverageAnswer

FACTS = {
    "p_zero": None, "p_zero_low": None, "p_zero_high": None, "unknown_n": 1, "below_goal_n": 1, "lowest_p_zero": 0.62,
    "finds_n": 2, "finds_standing_n": 1,
}  # fmt: skip
ROWS = [
    {"name": "甲乡", "p_zero": 0.62, "reasons": {}},
    {"name": "乙镇", "p_zero": None, "reasons": {"courtyards": "courtyards_unknown", "p_zero": "no_track"}},
    {"name": "水面街道", "p_zero": None, "reasons": {"p_zero": "no_plantable"}},
]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_unknown_township_is_named_with_its_reason(language: str) -> None:
    """One township of three has no track: it is named, no dash stands for a figure; bare ground is not blamed."""
    answer = CoverageAnswer(datetime(2026, 5, 1, tzinfo=UTC), None, {}, pd.DataFrame(ROWS), pd.DataFrame(), FACTS, [])
    talk = Session(Path(), False, "zh" if language == "zh" else "en", None)
    said = _county_sentence(talk, answer)
    assert "乙镇" in said
    assert ("没有轨迹" if language == "zh" else "no track") in said
    assert "62%" in said
    assert "–" not in said
    assert "甲乡" not in said
    assert "水面街道" not in said
    assert "庭院" not in said
    assert "courtyard" not in said


@pytest.mark.parametrize("unknown_n", [0, 1])
def test_no_township_to_speak_of_gives_no_dashes(unknown_n: int) -> None:
    facts = FACTS | {"unknown_n": unknown_n, "lowest_p_zero": None}
    bare = pd.DataFrame(ROWS[2:])
    answer = CoverageAnswer(datetime(2026, 5, 1, tzinfo=UTC), None, {}, bare, pd.DataFrame(), facts, [])
    assert "–" not in _county_sentence(Session(Path(), False, "zh", None), answer)


def test_what_is_not_quite_all_or_nothing_is_never_said_to_be() -> None:
    assert [_percent(v) for v in (0.0, 0.004, 0.006, 0.994, 0.996, 1.0, None)] == [
        "0%", "<1%", "1%", "99%", ">99%", "100%", "–",
    ]  # fmt: skip
