"""`explain` as a user types it: one place, one township, one edge; JSON and words say the same."""

import json
from pathlib import Path

import pytest
from typed import Tacha

from geo.workspace.county import open_county


@pytest.fixture
def typed_county(measured_demo: Path) -> Path:
    """The demo county itself: its commands only read."""
    return measured_demo


def test_a_place_is_explained_in_numbers_that_add_up(tacha: Tacha, measured_demo: Path) -> None:
    county = open_county(measured_demo)
    track = county.store.read("tracks").to_crs(4326).geometry.iloc[0].representative_point()
    code, out, _ = tacha("explain", "--at", f"{track.x},{track.y}", "--json")
    plain = json.loads(out)
    assert code == 0
    assert {"as_of", "assumptions", "ledger_head", "tracks", "periods", "pod"} <= set(plain)
    assert sum(row["units"] for row in plain["tracks"]) == plain["units"]
    assert "看得到这里的轨迹" in tacha("explain", "--at", f"{track.x},{track.y}")[1]


@pytest.mark.parametrize(("option", "value"), [("--township", "529901003"), ("--border", "0~529901002~1")])
def test_an_area_is_explained_in_shares_that_add_up(tacha: Tacha, option: str, value: str) -> None:
    plain = json.loads(tacha("explain", option, value, "--json")[1])
    assert plain["id"] == value
    assert sum(row["share"] for row in plain["tracks"]) == pytest.approx(plain["detection"], rel=1e-9)
    code, out, _ = tacha("explain", option, value, "--lang", "en")
    assert code == 0
    assert f"tracks within reach: {len(plain['tracks'])}" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--at"),
        (["--at", "105.3,26.7", "--township", "x"], 2, "--at"),
        (["--at", "here"], 2, "LON,LAT"),
        (["--at", "5.3,26.7"], 1, "outside this county"),
        (["--township", "x"], 1, "no township x"),
        (["--border", "x"], 1, "no jurisdiction edge x"),
    ],
)
def test_a_wrong_question_is_told_why(tacha: Tacha, words: list[str], code: int, said: str) -> None:
    left, out, complaint = tacha("explain", *words, "--lang", "en")
    assert (left, out) == (code, "")
    assert said in complaint
