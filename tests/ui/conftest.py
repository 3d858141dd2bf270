import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from browsing import browsing, serving
from playwright.sync_api import Browser
from shared_counties import copy_of
from ui_county import make_county

from geo.workspace import accounts
from geo.workspace.county import open_county
from geo.workspace.planning import accept_plan, next_day, plan_day

PLANNED = ["529901001", "529901002"]


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Passwords hashed with less memory and fewer rounds: how well they are guarded is tested with the accounts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accounts, "_HASHER", PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1))
        yield


@pytest.fixture(scope="session")
def two_townships(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a county with two townships."""
    return make_county(tmp_path_factory.mktemp("county") / "县 甲")


@pytest.fixture(scope="session")
def small_demo(measured_demo: Path, once_per_run: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """Folder of the small demo county, measured, with a day of two townships accepted; not to be written to."""

    def planned(path: Path) -> None:
        copy_of(measured_demo, path)
        county, now = open_county(path), datetime(2026, 5, 20, 8, tzinfo=UTC)
        accept_plan(county, plan_day(county, day=next_day(county), township_ids=PLANNED), now=now)
        county.store.close()

    return once_per_run("planned", planned)


@pytest.fixture(scope="session")
def served_demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the small demo county, or of the county TACHA_BROWSER_COUNTY names, for a browser; only looked at."""
    named = os.environ.get("TACHA_BROWSER_COUNTY")
    source = Path(named) if named else request.getfixturevalue("small_demo")
    return copy_of(source, tmp_path_factory.mktemp("served") / "示例 县")


@pytest.fixture(scope="session")
def address(served_demo: Path) -> Iterator[str]:
    """The app's address, served as users serve it."""
    with serving(served_demo) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, the network cut."""
    with browsing() as opened:
        yield opened


@pytest.fixture
def served(two_townships: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the county as the one this process serves."""
    copy = tmp_path / "县 甲"
    shutil.copytree(two_townships, copy)
    monkeypatch.setenv("TACHA_COUNTY", str(copy))
    return copy
