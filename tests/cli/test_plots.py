"""`plot step|show|due|count` as they are typed."""

import json
from pathlib import Path

import pytest
from made_county import small_county
from typed import Tacha


@pytest.fixture
def typed_county(tmp_path: Path) -> Path:
    """A county of three parcels."""
    small_county(tmp_path).close()
    return tmp_path


def test_a_plot_is_guarded_and_shown(tacha: Tacha) -> None:
    """State, history and what still forbids closing, in JSON and in words of both languages."""
    code, out, _ = tacha("plot", "step", "P1", "guard", "--at", "2026-03-19T09:00", "--role", "police", "--json")
    assert (code, json.loads(out)["parcel_status"]) == (0, "guarded")
    shown = json.loads(tacha("plot", "show", "P1", "--json")[1])
    assert [row["what"] for row in shown["history"]] == ["flag", "guard"]
    assert shown["cannot_close"] == ["close_unshown", "close_unchecked"]
    assert "疑似已守护" in tacha("plot", "show", "P1")[1]
    assert "nobody looked again" in tacha("plot", "show", "P1", "--lang", "en")[1]


def test_a_look_due_is_said_to_be_open_until_somebody_looked(tacha: Tacha) -> None:
    """A day with nothing behind it is not read as done."""
    find = ("--at", "2026-03-18T09:00", "--plants", 30, "--stage", "开花期")
    gone = ("--method", "强制铲除", "--fraction", 1, "--destroyed-at", "2026-03-18T12:00")
    recorded = tacha("record", "find", "--parcel", "P1", "--team", "T1", *find, *gone)
    assert recorded[0] == 0, recorded[2]
    dues = json.loads(tacha("plot", "show", "P1", "--json")[1])["due"]
    assert [due["met_at"] for due in dues] == [None] * len(dues) != []
    said = tacha("plot", "show", "P1")[1]
    assert said.count("尚未做") == len(dues)
    left = ("--at", "2026-04-02T09:00", "--left", 0)
    assert tacha("plot", "step", "P1", "recheck", *left, "--role", "inspector")[0] == 0
    assert "2026-04-02 09:00 已做" in tacha("plot", "show", "P1")[1]


def test_an_illegal_step_ends_with_one_sentence(tacha: Tacha) -> None:
    """Exit 1, the state and the allowed ones named; an unknown act is a usage error."""
    code, _, why = tacha("plot", "step", "P1", "close")
    assert (code, "销号" in why, "已复查" in why) == (1, True, True)
    assert tacha("plot", "step", "P1", "explode")[0] == 2


def test_nothing_due_says_so_and_a_sample_is_counted(tacha: Tacha) -> None:
    """An empty calendar is a sentence; a sample prints its interval and the open threshold."""
    assert "没有待办" in tacha("plot", "due")[1]
    count = ("plot", "count", "--squares", "4,6,8", "--square-m2", 1, "--area-m2", 100)
    assert json.loads(tacha(*count, "--json")[1])["plants_high_n"] == 1097
    assert "500" in tacha(*count)[1]
    assert tacha("plot", "count", "--squares", "4", "--square-m2", 1, "--area-m2", 100)[0] == 1


def test_a_record_is_corrected_and_a_conflict_waits_for_a_decision(tacha: Tacha) -> None:
    """The second correction that had not seen the first is kept, listed, and decided."""
    assert "没有待裁定" in tacha("conflicts")[1]
    for value, code in (("0.4", 0), ("0.6", 0)):
        words = (
            "correct",
            "parcels",
            "P1",
            "--set",
            f"suspicion={value}",
            "--reason",
            "复核",
            "--based-on",
            1,
            "--json",
        )
        assert tacha(*words)[0] == code
    (waiting,) = json.loads(tacha("conflicts", "--json")[1])["conflicts"]
    assert [field["wanted"] for field in waiting["fields"]] == [0.6]
    assert "suspicion" in tacha("conflicts", "--lang", "en")[1]
    decided = (
        "correct",
        "parcels",
        "P1",
        "--set",
        "suspicion=0.5",
        "--reason",
        "县办裁定",
        "--settles",
        waiting["seq"],
    )
    assert tacha(*decided)[0] == 0
    assert json.loads(tacha("conflicts", "--json")[1]) == {"conflicts": [], "plans": []}
