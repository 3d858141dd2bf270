"""Layer to disk and back, with its ledger: a county is a folder of county.toml, county.gpkg and grids/."""

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from geo.errors import StoreError
from geo.settings import Settings
from geo.store import grids
from geo.store.contract import RECORDS, Change, Store
from geo.store.county_file import NAME, read_settings, write_settings
from geo.store.durable import make_folder

FILE = "county.gpkg"
STORES = {"geopackage": "geo.store.geopackage", "postgis": "geo.store.postgis"}

__all__ = ["RECORDS", "STORES", "Change", "Store", "create", "grids", "open_store", "read_settings", "write_settings"]


class Backend(Protocol):
    """What each module of `STORES` offers."""

    def create(self, path: Path, settings: Settings) -> Store:
        """An empty county; one that is already there is left alone."""

    def place_of(self, path: Path, settings: Settings) -> str:
        """What such a county is called, whether it is there or not; `StoreError` for an address that is none."""

    def open_store(self, path: Path, settings: Settings) -> Store:
        """The county that is there."""


def backend(kind: str) -> Backend:
    """One of `STORES`, loaded when first asked for: an office PC without a server never loads the driver for one."""
    return cast(Backend, import_module(STORES[kind]))


def create(path: Path, settings: Settings) -> Store:
    """A new county in a folder, made if need be; where one already is, it is left alone (`StoreError`)."""
    if (path / FILE).exists():
        raise StoreError("store_exists", path=path)
    make_folder(path)
    write_settings(path, settings)
    return backend(kind_of(settings)).create(path, settings)


def open_store(path: Path, settings: Settings | None = None) -> Store:
    """The store of the county in a folder: county.gpkg beside its settings, unless these name a database."""
    if settings is None:
        settings = read_settings(path) if (path / NAME).is_file() else Settings()
    return backend(kind_of(settings)).open_store(path, settings)


def kind_of(settings: Settings) -> str:
    """Which of `STORES` a county's settings ask for."""
    return "postgis" if settings.store_url else "geopackage"
