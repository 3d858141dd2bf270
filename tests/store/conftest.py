"""An empty county, in every kind of store; PostGIS where the environment names a server."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from made_rows import CRS

from geo.settings import Settings
from geo.store import STORES, Store, backend

URL = os.environ.get("TACHA_POSTGIS_URL", "")


@pytest.fixture
def settings_of() -> Iterator[Callable[[str], Settings]]:
    """Settings of a new county in a kind of store; what was made on a server is dropped afterwards."""
    made: list[str] = []

    def settings(kind: str) -> Settings:
        if kind != "postgis":
            return Settings(epsg=CRS)
        if not URL:
            pytest.skip("TACHA_POSTGIS_URL names no PostGIS server; make test starts one")
        made.append(f"test_{os.getpid()}_{os.urandom(4).hex()}")
        return Settings(epsg=CRS, store_url=f"{URL}?schema={made[-1]}")

    yield settings
    if made:
        engine = sa.create_engine(URL.replace("postgresql:", "postgresql+psycopg:"))
        with engine.begin() as db:
            for name in made:
                db.execute(sa.text(f'DROP SCHEMA IF EXISTS "{name}" CASCADE'))
        engine.dispose()


@pytest.fixture(params=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path, settings_of: Callable[[str], Settings]) -> Iterator[Store]:
    made = backend(request.param).create(tmp_path, settings_of(request.param))
    yield made
    made.close()
