"""`calibrate` as a user types it: tables of decoys, two teams, ranges, and the paper for the field."""

import json
from collections.abc import Callable
from math import log, pi, sqrt
from pathlib import Path

import pytest

from geo.analysis.calibration import width_of
from geo.cli.main import main
from geo.formats import Hints, read
from geo.settings import DetectionSettings

Tacha = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tacha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command in an empty folder, no county open."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Twenty decoys at 12 m in Chinese, half of them found, and two bad rows."""
    rows = ["距离,是否发现,地类,生长期", *(f"12,{'是' if n < 10 else '否'},耕地,开花期" for n in range(20))]
    file = tmp_path / "诱饵.csv"
    file.write_text("\n".join([*rows, ",是,耕地,开花期", "12,是,水田,开花期"]), encoding="utf-8")
    return file


def test_a_table_of_decoys_gives_the_width_beside_the_assumed_one(tacha: Tacha, table: Path) -> None:
    code, out, _ = tacha("calibrate", table, "--json")
    plain = json.loads(out)
    assert code == 0
    assert (plain["read"], plain["accepted"], plain["refused_n"]) == (22, 20, 2)
    assert {row["code"] for row in plain["refused"]} == {"value_missing", "value_unknown"}
    row = plain["widths"][0]
    # a(1 - e^-H) = 1/2 at 12 m with a = .85, but for what the reach of 150 m cuts off
    by_hand = 12.0 * sqrt(4 * pi * -log(1 - 0.5 / 0.85))
    assert row["width_m"] == pytest.approx(by_hand, rel=5e-3)
    assert (row["cover"], row["stage"], row["n"], row["found_n"], row["assumed_m"]) == ("crops", "flower", 20, 10, 20.0)
    assert row["low_m"] < row["width_m"] < row["high_m"]
    assert plain["factor"]["value"] == pytest.approx(row["width_m"] / 20.0, rel=1e-4)
    rows = read("trials", table, Hints()).rows.assign(passes_n=1.0)
    assert width_of(rows, DetectionSettings()).value == pytest.approx(row["width_m"])
    for language, said in (("zh", "有效扫视宽度"), ("en", "sweep width W")):
        assert said in tacha("calibrate", table, "--lang", language)[1]


def test_two_teams_give_plots_detection_and_width(tacha: Tacha) -> None:
    words = ["calibrate", "--double", "10,15,5", "--walked-km", "20,30", "--area-ha", "50"]
    plain = json.loads(tacha(*words, "--json")[1])
    assert plain["plots"]["value"] == pytest.approx(28.3333, abs=1e-4)
    widths = [team["width_m"]["value"] for team in plain["teams"]]
    assert widths == pytest.approx([-log(2 / 3) * 5e5 / 2e4, -log(1 / 2) * 5e5 / 3e4])
    assert "28.3" in tacha(*words, "--lang", "en")[1]


def test_ranges_of_detection_give_koesters_width(tacha: Tacha) -> None:
    plain = json.loads(tacha("calibrate", "--ranges-m", "10,12,14", "--visibility", "high", "--json")[1])
    assert plain["width_m"]["value"] == pytest.approx(21.6)
    assert "21.6" in tacha("calibrate", "--ranges-m", "10,12,14", "--visibility", "high")[1]


def test_the_protocol_is_written_and_its_empty_form_says_there_is_nothing(tacha: Tacha, tmp_path: Path) -> None:
    out = tmp_path / "paper" / "protocol.xlsx"
    assert tacha("calibrate", "--protocol", out)[0] == 0
    code, _, complaint = tacha("calibrate", out, "--lang", "en")
    assert code == 1
    assert "no trial that can be used" in complaint


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "--double"),
        (["--double", "1,2"], 2, "--double"),
        (["--double", "3,4,4", "--walked-km", "1,1", "--area-ha", "1"], 2, "both_n"),
        (["--double", "3,4,2", "--walked-km", "1,1"], 2, "area_m2"),
        (["--ranges-m", "x"], 2, "--ranges-m"),
        (["--ranges-m", "5", "--visibility", "fog"], 2, "visibility"),
        (["nowhere.csv"], 1, "nowhere.csv"),
    ],
)
def test_a_wrong_calibration_is_told_why(tacha: Tacha, words: list[str], code: int, said: str) -> None:
    left, out, complaint = tacha("calibrate", *words, "--lang", "en")
    assert (left, out.replace("no county is open: default settings are used\n", "")) == (code, "")
    assert said in complaint
    assert "Traceback" not in complaint
