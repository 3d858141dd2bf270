"""The one place where tests may look outside the project: real files, read where present, never committed."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from geo.workspace.demonstrating import make_demo

REAL_DATA = Path(os.environ.get("TACHA_REAL_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()
FOLDERS = ("tracks", "patrol", "dem", "malformed", "boundaries")
REAL_FILES = [
    path.relative_to(REAL_DATA)
    for folder in FOLDERS
    if (REAL_DATA / folder).is_dir()
    for path in sorted((REAL_DATA / folder).iterdir())
]

# Time limits belong to benchmarks; a loaded machine must not fail a property.
settings.register_profile("tacha", deadline=None, print_blob=True)
settings.load_profile("tacha")


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


@pytest.fixture(scope="session")
def measured_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small demo county, imported and measured once; not to be written to."""
    folder = tmp_path_factory.mktemp("measured") / "county"
    make_demo(folder, size="small", seed=7, progress=lambda what, done, total: None)
    return folder


@pytest.fixture
def demo_copy(measured_demo: Path, tmp_path: Path) -> Path:
    """A copy of the measured county that a test may change."""
    shutil.copytree(measured_demo, tmp_path / "county", ignore=shutil.ignore_patterns("inputs", "truth"))
    return tmp_path / "county"
