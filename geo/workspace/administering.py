"""What an administrator changes besides accounts: the county's settings, checked before they count, on the record."""

import tempfile
from datetime import datetime
from pathlib import Path

from geo.errors import StoreError
from geo.ledger import Entry, Linked
from geo.settings import Settings, to_mapping
from geo.store import read_settings
from geo.store.county_file import NAME
from geo.store.durable import put_aside, write_text
from geo.workspace.county import County
from geo.workspace.rights import Action, require

FIXED = ("county_id", "epsg")


def settings_text(county: County) -> str:
    """The county's settings file as it stands."""
    require(county.actor, Action.ADMINISTER)
    return (county.path / NAME).read_text("utf-8")


def change_settings(county: County, text: str, *, now: datetime) -> Linked | None:
    """
    Put other settings in the place of those that stand; the old file goes to ``backups``. None where nothing differs.

    Raises
    ------
    StoreError
        The text is no settings file, a value is out of its range, or it would change what the stored data rest on.
    """
    require(county.actor, Action.ADMINISTER)
    before, after = to_mapping(county.settings), to_mapping(_read(text))
    for name in FIXED:
        if before.get(name) != after.get(name):
            raise StoreError("settings_fixed", name=name, value=before.get(name))
    changed = _differences(before, after)
    if not changed:
        return None
    put_aside(county.path / NAME, "settings", now)
    write_text(county.path / NAME, text if text.endswith("\n") else text + "\n")
    body = {"settings": {name: {"before": old, "after": new} for name, (old, new) in changed.items()}}
    return county.store.append(Entry("settings", body, "admin"), now=now)


def _read(text: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_text(text, "utf-8")
        return read_settings(Path(folder))


def _differences(before: object, after: object, name: str = "") -> dict[str, tuple[object, object]]:
    """Dotted name -> old and new value, of everything that differs."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        parts = [_differences(before.get(key), after.get(key), f"{name}.{key}" if name else key) for key in keys]
        return {key: pair for part in parts for key, pair in part.items()}
    return {} if before == after else {name: (before, after)}
