"""`tacha app`: the server lives and ends with the command that started it."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo.formats import Hints
from geo.workspace.county import create

PATIENCE_S = 60.0


SQUARE = (
    '{"type":"Feature","properties":{"name":"甲乡","code":"520525001"},"geometry":{"type":"Polygon",'
    '"coordinates":[[[105.0,26.6],[105.1,26.6],[105.1,26.7],[105.0,26.7],[105.0,26.6]]]}}'
)


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """A county of one township and nothing else."""
    (tmp_path / "square.geojson").write_text(SQUARE, encoding="utf-8")
    hints, now = Hints(), datetime(2026, 3, 1, tzinfo=UTC)
    create(tmp_path / "county", [tmp_path / "square.geojson"], hints, name="county", now=now)
    return tmp_path / "county"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as page:
            return bool(page.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def children(pid: int) -> list[int]:
    """Living processes started by `pid`."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name)
def test_a_signal_to_the_command_ends_the_server_too(county: Path, told: signal.Signals) -> None:
    port = free_port()
    words = ["--county", str(county), "app", "--port", str(port)]
    command = subprocess.Popen(
        [sys.executable, "-c", "from geo.cli import main; main()", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        waited = time.monotonic()
        while not answers(port):
            assert command.poll() is None
            assert time.monotonic() - waited < PATIENCE_S
            time.sleep(0.2)
        (server,) = children(command.pid)
        command.send_signal(told)
        said = command.communicate(timeout=PATIENCE_S)[1]
        assert "Traceback" not in said, said
        assert not Path(f"/proc/{server}").exists()
        assert not answers(port)
    finally:
        for pid in children(command.pid) if command.poll() is None else []:
            subprocess.run(["kill", "-9", str(pid)], check=False)
        command.kill()


def test_a_county_that_is_none_is_not_served(tmp_path: Path) -> None:
    words = ["--county", str(tmp_path), "app", "--port", str(free_port())]
    told = subprocess.run(
        [sys.executable, "-c", "from geo.cli import main; main()", *words], capture_output=True, check=False
    )
    assert told.returncode == 1
