"""``county.toml``: a county's settings on disk."""

import tomllib
from pathlib import Path

import tomli_w

from geo.errors import StoreError
from geo.settings import Settings, from_mapping, to_mapping
from geo.store.durable import replace_file

NAME = "county.toml"


def read_settings(path: Path) -> Settings:
    """The settings of the county in a folder."""
    file = path / NAME
    try:
        return from_mapping(Settings, tomllib.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        raise StoreError("store_missing", path=path) from None
    except (ValueError, TypeError) as wrong:
        raise StoreError("settings_bad", file=NAME, why=wrong) from wrong


def write_settings(path: Path, settings: Settings) -> None:
    """Put the settings into the county's folder."""
    text = tomli_w.dumps(to_mapping(settings))
    replace_file(path / NAME, lambda beside: _write(beside, text))


def _write(file: Path, text: str) -> None:
    file.write_text(text, "utf-8")
