"""Many hands at once, in every kind of store: every record kept, every conflict kept and shown."""

import os
import warnings
from collections.abc import Callable

import pytest

from benchmarks.crowd import run
from geo.settings import Settings
from geo.store import STORES


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", STORES)
def test_twenty_five_writers_lose_nothing(kind: str, settings_of: Callable[[str], Settings]) -> None:
    """Twenty appends each, read back by us, pyogrio and fiona (a thousand each by hand: benchmarks.crowd)."""
    settings_of(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        done = run(25, 20, os.environ["TACHA_POSTGIS_URL"] if kind == "postgis" else "")
    assert (done["failed_writers"], done["chain_ok"], set(done["read_back"].values())) == (0, True, {500})
