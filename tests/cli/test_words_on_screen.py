"""What the commands say in text: odd ground first, nothing falls off the end in silence, no codes for words."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from geo.cli import duties as duty_commands
from geo.cli import orders, plots
from geo.cli.main import main
from geo.layers import orders as layer_orders

Tacha = Callable[..., tuple[int, str, str]]
SIDE = 0.01


@pytest.fixture
def tacha(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command: exit code, what was printed, what was complained."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def square(column: int, row: int) -> list[list[list[float]]]:
    west, south = 105.0 + column * SIDE, 26.6 + row * SIDE
    return [[[west, south], [west + SIDE, south], [west + SIDE, south + SIDE], [west, south + SIDE], [west, south]]]


def boundaries(folder: Path, side_n: int) -> Path:
    """Squares side by side, the one in the middle left out, the first of two parts far from each other."""
    features: list[dict[str, Any]] = []
    for number in range(side_n * side_n):
        column, row = number % side_n, number // side_n
        if (column, row) == (side_n // 2, side_n // 2):
            continue
        parts = [square(column, row)] + ([square(side_n + 2, 0)] if number == 0 else [])
        named = {"name": f"第{number:02d}乡", "code": f"5205250{number:02d}"}
        shape = {"type": "MultiPolygon", "coordinates": parts}
        features.append({"type": "Feature", "properties": named, "geometry": shape})
    file = folder / "乡镇界.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return file


@pytest.fixture
def county(tacha: Tacha, tmp_path: Path) -> Path:
    assert tacha("--county", tmp_path / "county", "new", boundaries(tmp_path, 5))[0] == 0
    return tmp_path / "county"


def test_a_hole_and_a_scattered_township_are_named_before_the_table_of_edges(tacha: Tacha, county: Path) -> None:
    _, said, _ = tacha("--county", county, "borders")
    lines = said.splitlines()
    head = lines[: lines.index(next(line for line in lines if "交界编号" in line))]
    assert any("1 块未划归的地" in line for line in head)
    assert any("第00乡 2" in line for line in head)
    enclave = [number for number, line in enumerate(lines) if "飞地/未划归" in line and "│" in line]
    shared = [number for number, line in enumerate(lines) if "第01乡" in line and "第02乡" in line]
    assert len(enclave) == 4
    assert max(enclave) < min(shared)


def test_rows_left_out_are_counted_and_all_lists_them(tacha: Tacha, county: Path) -> None:
    """36 pairs of neighbours in a square of 25 without its middle: 25 shown, 11 not."""
    _, some, _ = tacha("--county", county, "--lang", "en", "borders")
    _, every, _ = tacha("--county", county, "--lang", "en", "borders", "--all")
    assert "11 more rows are not shown; --all lists them" in some
    assert "not shown" not in every
    assert every.count("│ 5205250") - some.count("│ 5205250") == 11


@pytest.mark.parametrize(("language", "word", "foreign"), [("zh", "乡镇", "township"), ("en", "township", "乡镇")])
def test_the_register_says_kinds_in_the_language_asked_for(
    tacha: Tacha, county: Path, language: str, word: str, foreign: str
) -> None:
    _, said, _ = tacha("--county", county, "--lang", language, "register")
    rows = [line for line in said.splitlines() if line.startswith("│")]
    assert rows
    assert any(word in row for row in rows)
    assert not any(foreign in row for row in rows)


def test_a_folder_stands_for_the_files_in_it(tacha: Tacha, county: Path, tmp_path: Path) -> None:
    folder = tmp_path / "三月 轨迹" / "一组"
    folder.mkdir(parents=True)
    for minute in (1, 2):
        fix = f'<trkpt lat="26.605" lon="105.005"><time>2026-03-11T02:0{minute}:00Z</time></trkpt>'
        text = f'<gpx version="1.1"><trk><trkseg>{fix}</trkseg></trk></gpx>'
        (folder / f"轨迹 {minute}.gpx").write_text(text, encoding="utf-8")
    (folder / ".hidden").write_text("x", encoding="utf-8")
    code, said, _ = tacha("--county", county, "import", "tracks", folder.parent, "--json")
    assert code == 0
    assert [file["file"] for file in json.loads(said)["files"]] == ["轨迹 1.gpx", "轨迹 2.gpx"]


def test_a_county_is_made_from_a_folder_of_boundaries(tacha: Tacha, tmp_path: Path) -> None:
    ring = [[105.0, 26.6], [105.1, 26.6], [105.1, 26.7], [105.0, 26.7], [105.0, 26.6]]
    town = {"type": "Feature", "properties": {"name": "甲乡", "code": "520525001"}}
    town["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    (tmp_path / "界").mkdir()
    (tmp_path / "界" / "乡镇.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [town]}))
    code, said, _ = tacha("--county", tmp_path / "neu", "new", tmp_path / "界", "--datum", "wgs84", "--json")
    assert code == 0
    assert [file["file"] for file in json.loads(said)["files"]] == ["乡镇.geojson"]


def test_a_mode_nobody_knows_is_told_with_those_there_are(tacha: Tacha, county: Path, tmp_path: Path) -> None:
    code, _, told = tacha("--county", county, "import", "tracks", tmp_path / "a.gpx", "--mode", "flying")
    assert code == 2
    assert "foot | vehicle | drone" in told


def test_an_empty_folder_is_one_sentence(tacha: Tacha, county: Path, tmp_path: Path) -> None:
    (tmp_path / "空").mkdir()
    assert tacha("--county", county, "import", "tracks", tmp_path / "空") == (1, "", "空：文件夹里没有文件\n")


def on_a_terminal(words: list[str], typed: str) -> tuple[int, str]:
    """Exit code and screen of a command on a terminal where somebody types."""
    pid, screen = pty.fork()
    if pid == 0:
        command = "from geo.cli import main; main()"
        os.execv(sys.executable, [sys.executable, "-c", command, *words])
    os.write(screen, typed.encode())
    said = b""
    while True:
        try:
            chunk = os.read(screen, 4096)
        except OSError:
            break
        if not chunk:
            break
        said += chunk
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


@pytest.mark.slow
def test_a_missing_datum_is_asked_for_on_a_terminal(tacha: Tacha, county: Path, tmp_path: Path) -> None:
    file = tmp_path / "靶标.csv"
    file.write_text("编号,经度,纬度,下发日期\nP1,105.005,26.605,2026-03-01\n", encoding="utf-8")
    words = ["--county", str(county), "import", "parcels", str(file)]
    assert tacha(*words)[0] == 2
    code, screen = on_a_terminal(words, "wgs84\n")
    assert code == 0, screen
    assert "靶标.csv：没有说明坐标系" in screen
    assert "读 1，收 1，未收 0" in screen


@pytest.mark.slow
def test_a_new_county_asks_for_the_datum_of_its_boundaries(tmp_path: Path) -> None:
    file = tmp_path / "界.csv"
    file.write_text("名称,代码,经度,纬度\n甲乡,520525001,105.0,26.6\n", encoding="utf-8")
    code, screen = on_a_terminal(["--county", str(tmp_path / "neu"), "new", str(file)], "wgs84\n")
    assert "界.csv：没有说明坐标系" in screen
    assert code == 1  # a point is no boundary
    assert not (tmp_path / "neu").exists()


def test_help_offers_the_words_the_layers_know(tacha: Tacha, monkeypatch: pytest.MonkeyPatch) -> None:
    from geo.layers import duties, finds, leads, steps, visits

    monkeypatch.setenv("COLUMNS", "250")
    shown = tacha("record", "find", "--help")[1] + tacha("record", "visit", "--help")[1]
    for known in (finds.FOUND_BY, finds.SPECIES, finds.STAGES, finds.METHODS, visits.GROUNDS, visits.OUTCOMES):
        assert "/".join(known) in shown
    entered = tacha("form", "enter", "--help")[1]
    assert "/".join(visits.GROUNDS) in entered
    assert "/".join(visits.OUTCOMES) in entered
    assert " → ".join(leads.REWARD_STATES) in tacha("reward", "--help")[1]
    assert "/".join(steps.DISMISSALS) in tacha("plot", "step", "--help")[1]
    assert set(plots.STEPS) <= set(steps.Act)
    assert {orders.STEPS[name][0] for name in orders.STEPS} <= {str(step) for step in layer_orders.Step}
    assert "/".join(duties.DUTY_KINDS) in Path(duty_commands.__file__).read_text("utf-8")


def test_help_waits_for_no_library_of_tables_or_maps() -> None:
    """Commands import what they need when they are called."""
    heavy = {"pandas", "numpy", "geopandas", "scipy", "numba", "rasterio", "shapely", "openpyxl"}
    told = f"import geo.cli.main, sys; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_bringing_files_in_waits_for_no_library_of_statistics() -> None:
    """Loading all of scipy.stats takes as long as reading a hundred tracks; of it nothing is needed here."""
    heavy = {"scipy.stats", "scipy.optimize", "openpyxl", "docx", "reportlab", "streamlit", "folium"}
    told = f"import geo.workspace.demonstrating, sys; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
