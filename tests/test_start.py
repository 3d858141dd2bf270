"""Starting as users start it: from a folder with Chinese and spaces in its name, without installing the package."""

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """The program as unpacked by somebody, with a small county of their own beside it."""
    folder = tmp_path / "我的 文件 (1)" / "踏查 程序"
    folder.mkdir(parents=True)
    for name in ("start.py", "start.sh", "启动.bat", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "geo").symlink_to(ROOT / "geo", target_is_directory=True)
    return folder


def environment(folder: Path, **more: str) -> dict[str, str]:
    """As on a desktop where this Python is the one on the path, and a browser that only notes what it was asked."""
    note = folder / "opened.txt"
    browser = folder / "browser.sh"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{note}"\n')
    browser.chmod(0o755)
    held = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "TACHA_COUNTY")}
    path = os.pathsep.join([str(Path(sys.executable).parent), held["PATH"]])
    return held | {"PATH": path, "BROWSER": f"'{browser}' %s", "DISPLAY": ""} | more


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="start.sh is for Linux desktops")
def test_one_command_opens_ones_own_county_in_the_browser(unpacked: Path, county_of_one: Path) -> None:
    shutil.copytree(county_of_one, unpacked / "我的县")
    command = ["sh", str(unpacked / "start.sh")]
    child = subprocess.Popen(command, env=environment(unpacked), cwd="/", start_new_session=True)
    note = unpacked / "opened.txt"
    try:
        for _ in range(600):
            assert child.poll() is None
            if note.is_file() and note.read_text():
                break
            time.sleep(0.2)
        with urllib.request.urlopen(note.read_text(), timeout=10) as page:
            assert b"tacha-old" in page.read()
    finally:
        os.killpg(child.pid, signal.SIGTERM)
        child.wait(60)


@pytest.fixture
def county_of_one(tmp_path: Path) -> Path:
    from datetime import UTC, datetime

    from geo.formats import Hints
    from geo.workspace.county import create

    square = (
        '{"type":"Feature","properties":{"name":"甲乡","code":"520525001"},"geometry":{"type":"Polygon",'
        '"coordinates":[[[105.0,26.6],[105.1,26.6],[105.1,26.7],[105.0,26.7],[105.0,26.6]]]}}'
    )
    (tmp_path / "square.geojson").write_text(square, encoding="utf-8")
    create(tmp_path / "县 一", [tmp_path / "square.geojson"], Hints(), name="县", now=datetime(2026, 3, 1, tzinfo=UTC))
    return tmp_path / "县 一"


@pytest.mark.skipif(os.name == "nt", reason="start.sh is for Linux desktops")
def test_without_a_python_that_fits_it_says_what_to_install(unpacked: Path) -> None:
    empty = unpacked / "nothing here"
    empty.mkdir()
    for tool in ("sh", "dirname", "printf"):
        (empty / tool).symlink_to(shutil.which(tool) or f"/bin/{tool}")
    told = subprocess.run(
        ["sh", str(unpacked / "start.sh")], env={"PATH": str(empty)}, capture_output=True, text=True, check=False
    )
    assert told.returncode == 1
    assert "Python 3.11" in told.stderr
    assert "conda" in told.stderr


def test_the_windows_starter_is_what_its_console_reads() -> None:
    """CRLF, UTF-8 without a mark and said so first, every path in quotes, no label missing."""
    held = (ROOT / "启动.bat").read_bytes()
    assert not held.startswith(b"\xef\xbb\xbf")
    assert held.count(b"\r\n") == held.count(b"\n")
    lines = held.decode("utf-8").splitlines()
    assert "chcp 65001 >nul" in lines[:3]
    assert all('"%HERE%start.py"' in line for line in lines if "start.py" in line)
    goes = {word for line in lines if "goto " in line for word in [line.split("goto ")[1].strip()]}
    assert goes <= {line[1:] for line in lines if line.startswith(":")}


def test_the_package_carries_what_the_pages_read_beside_their_sources() -> None:
    """A wheel holds the guide, the shell's script, the list of the map's scripts and, where npm fetched them, those."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["package-data"]["geo"]
    packed = {file for pattern in told for file in (ROOT / "geo").glob(pattern)}
    beside = {file for file in (ROOT / "geo" / "ui").rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    assert {file for file in beside if file.suffix not in (".py", ".nbi", ".nbc")} <= packed


def test_the_guide_stands_in_the_package_and_in_the_docs_alike() -> None:
    for language, name in (("zh", "guide.zh-CN.md"), ("en", "guide.md")):
        packed = (ROOT / "geo" / "ui" / "guide" / f"{language}.md").read_text("utf-8")
        assert (ROOT / "docs" / name).read_text("utf-8") == packed
