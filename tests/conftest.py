"""The one place where tests may look outside the project: real files, read where present, never committed."""

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest
from hypothesis import settings
from shared_counties import MADE_OF, copy_of

from geo.cli import YOUNG_OBJECTS
from geo.workspace.covering import measure_both
from geo.workspace.demonstrating import make_demo
from geo.workspace.planning import plan_day

REAL_DATA = Path(os.environ.get("TACHA_REAL_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()
FOLDERS = ("tracks", "patrol", "dem", "malformed", "boundaries")
REAL_FILES = [
    path.relative_to(REAL_DATA)
    for folder in FOLDERS
    if (REAL_DATA / folder).is_dir()
    for path in sorted((REAL_DATA / folder).iterdir())
]

# Time limits belong to benchmarks: a loaded machine must not fail a property. The same cases on every machine and day.
settings.register_profile("tacha", deadline=None, derandomize=True)
settings.load_profile("tacha")

# The libraries, the tests and what they share are a million objects that stay: looked through less often.
gc.set_threshold(YOUNG_OBJECTS)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped, saying so, where there is none."""
    if not REAL_DATA.is_dir():
        assert "TACHA_REAL_DATA" not in os.environ, f"TACHA_REAL_DATA names no folder: {REAL_DATA}"
        pytest.skip(f"no real data at {REAL_DATA}; set TACHA_REAL_DATA to run this")
    return REAL_DATA


@pytest.fixture(scope="session")
def real_files(real_data: Path) -> list[Path]:
    """Every real file, relative to `real_data`."""
    return REAL_FILES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `real_file` or `real_raster` once for each of them."""
    chosen = {"real_file": REAL_FILES, "real_raster": [file for file in REAL_FILES if file.suffix == ".tif"]}
    for name, files in chosen.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, files, ids=str)


OncePerRun = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once_per_run(tmp_path_factory: pytest.TempPathFactory) -> OncePerRun:
    """Make a folder by name, once for all worker processes of the run; not to be written to afterwards."""
    shared = tmp_path_factory.getbasetemp()
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    shared = shared if alone else shared.parent

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder = shared / f"once-{name}" / "示例 县"
        folder.parent.mkdir(exist_ok=True)
        with nullcontext() if alone else locked(folder.parent / "lock"):
            if not folder.exists():
                beside = folder.parent / f"{os.getpid()}" / folder.name
                make(beside)
                os.replace(beside, folder)
        return folder

    return once


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Alone among the processes that name the same file, until the end of the block."""
    import fcntl

    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def walked_demo(path: Path) -> None:
    """The small demo county, imported and measured; walking times of three townships kept, as after a day's plan."""
    county, _ = make_demo(path, size="small", seed=7, progress=lambda what, done, total: None)
    measure_both(county)
    plan_day(county, day="2026-04-12", township_ids=[f"52990100{n}" for n in (1, 2, 3)])
    county.store.close()


@pytest.fixture(scope="session")
def measured_demo(once_per_run: OncePerRun) -> Path:
    """Folder of the small demo county, imported and measured once; not to be written to."""
    return once_per_run("measured", walked_demo)


@pytest.fixture
def demo_copy(measured_demo: Path, tmp_path: Path) -> Path:
    """A copy of the measured county that a test may change."""
    return copy_of(measured_demo, tmp_path / "county", *MADE_OF)
