"""A store whose layers are kept in memory for as long as its ledger does not grow."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from threading import RLock

import pandas as pd
import pyproj

from geo.ledger import Entry, Linked, Verdict
from geo.store.contract import Bounds, Change, Contents, Row, Store


class HeldStore:
    """
    The `Store` protocol over another store; one may serve many threads.

    Whoever reads gets a frame of their own over shared columns (pandas copies what is written to), so nobody changes
    what the next one reads. Another process may write too: the head is asked before anything kept is handed out.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = RLock()
        self._last: Linked | None = None
        self._tables: dict[str, pd.DataFrame] = {}
        self._entries: list[Linked] = []

    @property
    def crs(self) -> pyproj.CRS:
        return self._store.crs

    @property
    def place(self) -> str:
        return self._store.place

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        if keys is not None:
            return self._store.read(layer, keys)
        with self._lock:
            self._refresh()
            if layer not in self._tables:
                self._tables[layer] = self._store.read(layer)
            return self._tables[layer].copy(deep=False)

    def read_where(self, layer: str, column: str, value: str) -> pd.DataFrame:
        return self._store.read_where(layer, column, value)

    def rows_where(self, layer: str, column: str, value: str) -> list[Row]:
        return self._store.rows_where(layer, column, value)

    def holds(self, layer: str, keys: Sequence[str]) -> set[str]:
        return self._store.holds(layer, keys)

    def count(self, layer: str) -> int:
        return self._store.count(layer)

    def extent(self, layer: str) -> Bounds | None:
        return self._store.extent(layer)

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        return self._store.append(entry, *changes, now=now)

    def entries(self, after: int = 0) -> list[Linked]:
        with self._lock:
            self._refresh()
            if after and not self._entries:  # the end of the chain alone
                return self._store.entries(after)
            last = self._entries[-1].seq if self._entries else 0
            self._entries = [*self._entries, *self._store.entries(last)]
            return [entry for entry in self._entries if entry.seq > after] if after else list(self._entries)

    def head(self) -> Linked | None:
        return self._store.head()

    def verify(self, expected_head: str | None = None) -> Verdict:
        return self._store.verify(expected_head)

    def contents(self) -> AbstractContextManager[Contents]:
        return self._store.contents()

    def fill(self, held: Contents) -> None:
        self._store.fill(held)

    def leave(self, where: str | None) -> None:
        self._store.leave(where)

    def left_for(self) -> str | None:
        return self._store.left_for()

    def discard(self) -> None:
        self._store.discard()

    def close(self) -> None:
        self._store.close()

    def _refresh(self) -> None:
        """Forget the layers the ledger's new entries name; all of them where it is another ledger."""
        head, last = self._store.head(), self._last
        if head == last:
            return
        new = self._store.entries(last.seq) if last else []
        if last is None or not new or new[0].previous != last.hash:
            self._tables, self._entries, self._last = {}, [], head
            return
        for entry in new:
            for layer in entry.body.get("rows", ()):
                self._tables.pop(layer, None)
        self._last = new[-1]
