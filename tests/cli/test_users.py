"""`tacha users`: accounts from the command line, passwords from standard input."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo.cli.main import main
from geo.formats import Hints
from geo.workspace.county import create

Tacha = Callable[..., "subprocess.CompletedProcess[str]"]
PASSWORD = "一个够长的密码-第 1"
SQUARE = (
    '{"type":"Feature","properties":{"name":"甲乡","code":"520525001"},"geometry":{"type":"Polygon",'
    '"coordinates":[[[105.0,26.6],[105.1,26.6],[105.1,26.7],[105.0,26.7],[105.0,26.6]]]}}'
)


@pytest.fixture
def county(tmp_path: Path) -> Path:
    (tmp_path / "square.geojson").write_text(SQUARE, encoding="utf-8")
    now = datetime(2026, 3, 1, tzinfo=UTC)
    create(tmp_path / "county", [tmp_path / "square.geojson"], Hints(), name="county", now=now)
    return tmp_path / "county"


def process(county: Path, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """One call in a process of its own, with what is typed into it."""
    command = [sys.executable, "-c", "from geo.cli import main; main()", "--county", str(county), *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture
def tacha(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """One call in this process."""

    def run(county: Path, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        command = ["tacha", "--county", str(county), *words]
        monkeypatch.setattr("sys.argv", command)
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(command, int(left.value.code or 0), said.out, said.err)

    return run


def test_accounts_are_made_listed_changed_and_locked(tacha: Tacha, county: Path) -> None:
    assert process(county, "users", "add", "admin", "--role", "admin", given=PASSWORD + "\n").returncode == 0
    made = tacha(county, "users", "add", "甲", "--role", "township", "--ground", "520525001", "--json", given=PASSWORD)
    assert json.loads(made.stdout) == {"name": "甲", "role": "township", "grounds": ["520525001"]}
    assert tacha(county, "users", "role", "甲", "--role", "auditor").returncode == 0
    assert tacha(county, "users", "lock", "甲").returncode == 0
    told = tacha(county, "users", "list", "--json")
    assert json.loads(told.stdout)["accounts"] == [
        {"name": "admin", "role": "admin", "grounds": [], "state": "open"},
        {"name": "甲", "role": "auditor", "grounds": [], "state": "locked"},
    ]
    assert "argon2" not in tacha(county, "users", "list").stdout


def test_a_wrong_wish_is_one_sentence_and_exit_code_one(tacha: Tacha, county: Path) -> None:
    told = tacha(county, "users", "add", "甲", "--role", "township", given=PASSWORD)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "管理员" in told.stderr


def test_the_map_listens_to_the_network_only_with_accounts(tacha: Tacha, county: Path) -> None:
    told = tacha(county, "app", "--listen", "0.0.0.0")
    assert told.returncode == 1
    assert "tacha users add" in told.stderr
