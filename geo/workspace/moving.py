"""A county carried from one store to another, ledger and all: nothing is written anew, only where it lies changes."""

from dataclasses import dataclass, replace
from datetime import datetime

from geo import store as stores
from geo.errors import StoreError
from geo.ledger import Entry
from geo.store import write_settings
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

    The old place takes no more records from the moment it is read, and is kept; a move that fails opens it again.

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
    kind = stores.kind_of(settings)
    new = stores.backend(kind).create(county.path, settings)
    place = new.place
    old.leave(place)
    try:
        with old.contents() as held:
            new.fill(held)
        new.append(Entry("move", {"from": old.place, "to": place}), now=now)
        carried = new.verify()
        if carried.first_problem:
            raise StoreError("move_unsound", why=carried.first_problem)
    except BaseException:
        old.leave(None)
        new.discard()
        raise
    write_settings(county.path, settings)
    old.close()
    new.close()
    if not before:
        put_aside(county.path / stores.FILE, "moved", now)
    return Moved(place, carried.entries_n, carried.head)
