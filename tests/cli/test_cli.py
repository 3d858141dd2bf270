"""The command line as a new user meets it: exit codes, one sentence instead of a traceback, one JSON object."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from geo.cli.main import main

Tacha = Callable[..., subprocess.CompletedProcess[str]]
SQUARE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "甲乡", "code": "520525001"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[105.0, 26.6], [105.1, 26.6], [105.1, 26.7], [105.0, 26.7], [105.0, 26.6]]],
            },
        }
    ],
}
POINT = '<trkpt lat="26.65" lon="105.0{n}"><time>2026-03-11T02:0{n}:00Z</time></trkpt>'


def process(*words: object) -> subprocess.CompletedProcess[str]:
    """One call in a process of its own."""
    command = [sys.executable, "-c", "from geo.cli import main; main()", *map(str, words)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert "Traceback" not in found.stderr + found.stdout
    return found


@pytest.fixture
def tacha(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """One call in this process: an error that no sentence explains ends the test."""

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = ["tacha", *map(str, words)]
        monkeypatch.setattr("sys.argv", command)
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(command, int(left.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A boundary, a track of three fixes, and a county made of the boundary."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "square.geojson").write_text(json.dumps(SQUARE), encoding="utf-8")
    points = "".join(POINT.format(n=n) for n in range(1, 4))
    track = f'<gpx version="1.1"><trk><trkseg>{points}</trkseg></trk></gpx>'
    (folder / "a.gpx").write_text(track, encoding="utf-8")
    (folder / "nodatum.csv").write_text("编号,经度,纬度,下发日期\nP1,105.05,26.65,2026-03-01\n", encoding="utf-8")
    (folder / "empty.gpx").touch()
    assert process("--county", folder / "county", "new", folder / "square.geojson").returncode == 0
    return folder


def test_an_import_answers_with_one_json_object_and_twice_exits_one(inputs: Path) -> None:
    words = ("--county", inputs / "county", "import", "tracks", inputs / "a.gpx", "--json")
    first, second = process(*words), process(*words)
    assert (first.returncode, second.returncode) == (0, 1)
    counts = [{k: json.loads(found.stdout)[k] for k in ("read", "accepted", "refused_n")} for found in (first, second)]
    assert counts[0] == {"read": 3, "accepted": 3, "refused_n": 0}
    assert counts[1] == {"read": 3, "accepted": 0, "refused_n": 3}


def test_refusals_are_grouped_in_text_and_listed_in_json(tacha: Tacha, inputs: Path) -> None:
    away = inputs / "away.gpx"
    away.write_text((inputs / "a.gpx").read_text(encoding="utf-8").replace("105.0", "95.0"), encoding="utf-8")
    words = ("--county", inputs / "county", "--lang", "en", "import", "tracks", away)
    text, plain = tacha(*words), tacha(*words, "--json")
    assert text.stdout.splitlines() == [
        "away.gpx: 3 read, 0 accepted, 3 refused",
        "  3 refused, field longitude: outside this county (for example row 1)",
    ]
    assert [r["row"] for r in json.loads(plain.stdout)["files"][0]["refused"]] == [1, 2, 3]


def test_several_files_end_with_their_sum(tacha: Tacha, inputs: Path) -> None:
    """Two good fixes twice (one file and its copy), one file that holds nothing."""
    points = "".join(POINT.format(n=n) for n in (7, 8))
    for name in ("b.gpx", "c.gpx"):
        (inputs / name).write_text(f'<gpx version="1.1"><trk><trkseg>{points}</trkseg></trk></gpx>', encoding="utf-8")
    files = [inputs / name for name in ("b.gpx", "c.gpx", "empty.gpx")]
    told = tacha("--county", inputs / "county", "import", "tracks", *files)
    assert told.stdout.splitlines()[-1] == "共 3 个文件：读 4，收 2，未收 2"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("import", "tracks", "missing.gpx"), 1),
        (("import", "tracks", "empty.gpx"), 1),
        (("import", "tracks", "no.where"), 1),
        (("import", "parcels", "nodatum.csv"), 2),
        (("import", "parcels", "nodatum.csv", "--datum", "epsg:99999"), 1),
        (("import", "tracks", "a.gpx", "--timezone", "Mars/North"), 1),
        (("import", "nothing", "a.gpx"), 2),
        (("coverage",), 1),
        (("import", "tracks", "a.gpx", "--lang", "fr"), 2),
        (("coverage", "--as-of", "yesterday"), 2),
        (("new", "square.geojson"), 1),
    ],
)
def test_each_mistake_ends_with_its_exit_code_and_a_sentence(
    tacha: Tacha, inputs: Path, words: tuple[str, ...], code: int
) -> None:
    placed = [inputs / word if "." in word else word for word in words]
    found = tacha("--county", inputs / "county", *placed)
    assert found.returncode == code, found.stdout + found.stderr
    assert (found.stdout + found.stderr).strip()


def test_a_folder_without_a_county_is_named_in_both_languages(tacha: Tacha, tmp_path: Path) -> None:
    chinese, english = (tacha("--county", tmp_path, "coverage", "--lang", lang) for lang in ("zh", "en"))
    assert (chinese.returncode, english.returncode) == (1, 1)
    assert "县文件夹" in chinese.stderr
    assert "not a county folder" in english.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_county_that_cannot_be_written_is_one_sentence(tacha: Tacha, inputs: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    found = tacha("--county", tmp_path / "county", "new", inputs / "square.geojson")
    assert found.returncode == 1


RING = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"name": "回乡", "code": "520525002"},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [
                    [
                        [[105.0, 26.6], [105.1, 26.6], [105.1, 26.7], [105.0, 26.7], [105.0, 26.6]],
                        [[105.04, 26.64], [105.04, 26.65], [105.05, 26.65], [105.05, 26.64], [105.04, 26.64]],
                    ],
                    [[[105.2, 26.6], [105.21, 26.6], [105.21, 26.61], [105.2, 26.61], [105.2, 26.6]]],
                ],
            },
        }
    ],
}


def test_ground_of_nobody_and_units_of_several_parts_are_in_the_json_of_every_register(
    tacha: Tacha, tmp_path: Path
) -> None:
    """A hole of 0.01 by 0.01 degrees (995 m x 1,108 m) and a second part of the same size, told by three commands."""
    (tmp_path / "ring.geojson").write_text(json.dumps(RING), encoding="utf-8")
    county = ("--county", tmp_path / "county", "--json")
    for words in (("new", tmp_path / "ring.geojson"), ("borders",), ("register",)):
        told = json.loads(tacha(*county, *words).stdout)
        (hole,) = told["unassigned"]
        assert hole["km2"] == pytest.approx(0.995 * 1.108, rel=0.01)
        assert (hole["longitude"], hole["latitude"]) == pytest.approx((105.045, 26.645), abs=1e-3)
        (unit,) = told["several_parts"]
        assert (unit["unit_id"], unit["name"], unit["parts_n"]) == ("520525002", "回乡", 2)
        assert unit["parts_km2"][1] == pytest.approx(hole["km2"], rel=0.01)


def test_a_missing_map_script_is_told_on_the_first_line(inputs: Path) -> None:
    """The app starts all the same; what its pages will lack is said before any address."""
    code = "from pathlib import Path; from geo.cli import running; running.SCRIPTS = Path('nowhere'); "
    words = [sys.executable, "-u", "-c", code + "from geo.cli.main import main; main()"]
    words += ["--county", str(inputs / "county"), "app", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, encoding="utf-8") as app:
        assert app.stdout is not None
        first = app.stdout.readline()
        app.terminate()
    assert "npm ci" in first
