"""The one place where tests may look outside the project: real files, read where present, never committed."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

REAL_DATA = Path(os.environ.get("TACHA_REAL_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()


# Time limits belong to benchmarks; a loaded machine must not fail a property.
settings.register_profile("tacha", deadline=None, print_blob=True)
settings.load_profile("tacha")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real files; the test is skipped, saying so, where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real data at {REAL_DATA}; set TACHA_REAL_DATA to run this")
    return REAL_DATA
