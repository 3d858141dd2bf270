import shutil
from pathlib import Path

import pytest
from ui_county import make_county


@pytest.fixture(scope="session")
def two_townships(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a county with two townships."""
    return make_county(tmp_path_factory.mktemp("county") / "县 甲")


@pytest.fixture
def served(two_townships: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the county as the one this process serves."""
    copy = tmp_path / "县 甲"
    shutil.copytree(two_townships, copy)
    monkeypatch.setenv("TACHA_COUNTY", str(copy))
    return copy
