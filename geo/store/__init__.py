"""Layer to disk and back, with its ledger: a county is a folder of county.toml, county.gpkg and grids/."""

from pathlib import Path

from geo.errors import StoreError
from geo.settings import Settings
from geo.store import geopackage, grids
from geo.store.contract import RECORDS, Change, Store
from geo.store.county_file import read_settings, write_settings
from geo.store.durable import make_folder

STORES = {"geopackage": geopackage}

__all__ = ["RECORDS", "STORES", "Change", "Store", "create", "grids", "open_store", "read_settings", "write_settings"]


def create(path: Path, settings: Settings) -> Store:
    """A new county in a folder, made if need be; where one already is, it is left alone (`StoreError`)."""
    if (path / geopackage.NAME).exists():
        raise StoreError("store_exists", path=path)
    make_folder(path)
    write_settings(path, settings)
    return geopackage.create(path, settings)


def open_store(path: Path) -> Store:
    """The store of the county in a folder."""
    return geopackage.open_store(path)
