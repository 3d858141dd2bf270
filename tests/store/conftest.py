"""An empty county, in every kind of store."""

import pytest
from made_rows import CRS

from geo.settings import Settings
from geo.store import STORES


@pytest.fixture(params=list(STORES))
def store(request, tmp_path):
    made = STORES[request.param].create(tmp_path, Settings(epsg=CRS))
    yield made
    made.close()
