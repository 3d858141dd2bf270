"""A county carried from one store to another, ledger and all: nothing is written anew, only where it lies changes."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from geo import store as stores
from geo.errors import StoreError
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Store, write_settings
from geo.store.durable import put_aside
from geo.workspace.county import County


@dataclass(frozen=True)
class Moved:
    """Where the county lies now, how many ledger entries came along, and its head."""

    place: str
    entries_n: int
    head: str


def move_county(county: County, store_url: str, *, now: datetime) -> Moved:
    """
    Carry a county into the database that `store_url` names, or back into its folder's county.gpkg (empty text).

    The old place takes no more records from the moment it is read, and is kept; a move that fails opens it again. One
    that was cut off is finished by asking for it once more: the old place says where it was bound for.

    Raises
    ------
    StoreError
        The county does not agree with its ledger, or there is a county already where it should go.
    """
    old, before = county.store, county.settings.store_url
    if store_url == before:
        raise StoreError("move_nowhere")
    verdict = old.verify()
    if verdict.first_problem:
        raise StoreError("move_unsound", why=verdict.first_problem) from verdict.first_problem
    settings = replace(county.settings, store_url=store_url)
    place = stores.backend(stores.kind_of(settings)).place_of(county.path, settings)
    if not store_url:
        _clear_folder(county.path, old.place, now)
    begun = old.left_for() == place
    old.leave(place)
    new, is_made = None, False
    try:
        new, is_made = _target(county.path, settings, begun=begun)
        _carry(old, new, place, now)
        carried = new.verify()
        if carried.first_problem:
            raise StoreError("move_unsound", why=carried.first_problem)
    except BaseException:
        if new is None or is_made:
            old.leave(None)
        if new is not None:
            new.discard() if is_made else new.close()
        raise
    write_settings(county.path, settings)
    old.close()
    new.close()
    if not before:
        put_aside(county.path / stores.FILE, "moved", now)
    return Moved(place, carried.entries_n, carried.head)


def _target(path: Path, settings: Settings, *, begun: bool) -> tuple[Store, bool]:
    """The store to move into, and whether it was made just now; an older one only if this move was `begun` before."""
    kind = stores.backend(stores.kind_of(settings))
    try:
        return kind.create(path, settings), True
    except StoreError as wrong:
        if wrong.code != "store_exists":
            raise
        held = kind.open_store(path, settings)
        if begun:
            return held, False
        gone = held.left_for()
        held.close()
        raise StoreError("move_left_there", place=held.place, where=gone) if gone else wrong from wrong


def _carry(old: Store, new: Store, place: str, now: datetime) -> None:
    """Everything into the new store, or what a move that was cut off had not done yet."""
    if not new.entries():
        with old.contents() as held:
            new.fill(held)
    there, come = old.entries(), new.entries()
    since = come[len(there) :]
    if come[: len(there)] != there or any(entry.kind != "move" for entry in since):
        raise StoreError("store_exists", path=place)
    if not since:
        new.append(Entry("move", {"from": old.place, "to": place}), now=now)


def _clear_folder(path: Path, current: str, now: datetime) -> None:
    """Put a county.gpkg aside that was left for where the county lies now: the last step of a move that was cut off."""
    if not (path / stores.FILE).exists():
        return
    kept = stores.backend("geopackage").open_store(path, Settings())
    gone = kept.left_for() == current
    kept.close()
    if gone:
        put_aside(path / stores.FILE, "moved", now)
