"""`make demo`: what stands is used again."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def steps(folder: Path) -> list[str]:
    """The program's commands that `make demo SERVE=0` would run, without their options."""
    words = ["make", "-n", "-o", "install", "-o", "assets", "demo", "SERVE=0", f"DEMO={folder}"]
    told = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in told.stdout.splitlines() if line.startswith(".venv/bin/tacha")]
    plain = [line.replace(f"--county {folder} ", "").split() for line in lines]
    return [words[1] for words in plain]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_second_demo_only_tells_what_the_first_found(tmp_path: Path) -> None:
    assert steps(tmp_path) == ["demo", "plan", "export", "export", "report", "summary"]
    (tmp_path / "exports").mkdir()
    for mark in (tmp_path / ".done", tmp_path / "exports" / ".done"):
        mark.touch()
    assert steps(tmp_path) == ["summary"]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_a_demo_broken_off_before_its_exports_goes_on_there(tmp_path: Path) -> None:
    (tmp_path / ".done").touch()
    assert steps(tmp_path) == ["plan", "export", "export", "report", "summary"]
