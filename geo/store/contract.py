"""What every store does, whatever lies behind it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import geopandas as gpd
import pandas as pd
import pyproj

from geo.ledger import Entry, Linked, Stored, Verdict
from geo.schema import Schema

Bounds = tuple[float, float, float, float]
Row = dict[str, Any]
RECORDS = (
    "visits", "finds", "parcels", "leads", "steps", "duties", "units", "aliases", "orders", "order_steps",
    "daily_reports", "returns", "photos",
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """
    Rows for one layer, as a table, or a single one as a mapping with its geometry in the county's CRS.

    `replace` lets a row with a known key take the place of the old one (the ledger keeps it). `before` are the old
    rows the change was worked out on: where they are no longer so, the store refuses.
    """

    layer: str
    rows: pd.DataFrame | Row
    replace: bool = False
    before: pd.DataFrame | Row | None = None

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a table."""
        if not isinstance(self.rows, dict):
            return self.rows
        table = pd.DataFrame([self.rows])
        return gpd.GeoDataFrame(table, geometry="geometry") if "geometry" in table else table


@dataclass(frozen=True)
class Contents:
    """All of a store at one moment: its ledger, and each layer's rows as `audit.audit` takes them."""

    entries: Iterable[Stored]
    batches: Callable[[Schema], Iterable[Mapping[str, Sequence[Any]]]]


class Store(Protocol):
    """Layers with their ledger: rows enter only together with the entry that says so."""

    @property
    def crs(self) -> pyproj.CRS:
        """The county's metric CRS, in which every layer lies."""

    @property
    def place(self) -> str:
        """Where the county lies: a file, or an address without its password."""

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The layer in order of arrival, as its Schema has it; only the rows with these keys where `keys` is given."""

    def read_where(self, layer: str, column: str, value: str) -> pd.DataFrame:
        """The rows whose text `column` holds `value`, in order of arrival."""

    def rows_where(self, layer: str, column: str, value: str) -> list[Row]:
        """As `read_where`, each row a mapping (`Schema.conform_row`): a hundred times quicker for a handful of rows."""

    def holds(self, layer: str, keys: Sequence[str]) -> set[str]:
        """Which of these keys the layer has; quicker than reading its rows."""

    def count(self, layer: str) -> int:
        """How many rows the layer has."""

    def extent(self, layer: str) -> Bounds | None:
        """A box that holds all the layer ever held: west, south, east, north in metres; None without geometry."""

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        """
        Write the changes and their ledger entry, or neither.

        The entry's body gains ``rows`` (layer, key, digest) and, for records, ``records`` with the whole rows.
        A change whose `before` is no longer what the store holds is refused (``store_moved``).
        """

    def entries(self, after: int = 0) -> list[Linked]:
        """Ledger entries with seq above `after`, in order."""

    def head(self) -> Linked | None:
        """The last ledger entry; None in a new county."""

    def verify(self, expected_head: str | None = None) -> Verdict:
        """The chain, and every row against the last entry that names it."""

    def contents(self) -> AbstractContextManager[Contents]:
        """Everything the county holds, as it stands at one moment."""

    def fill(self, held: Contents) -> None:
        """Take over another store's rows and entries, as they are; this one is still empty."""

    def leave(self, where: str | None) -> None:
        """Close the county to writing, because it has moved; None opens it again."""

    def left_for(self) -> str | None:
        """Where the county has moved, as `leave` was told; None where it takes records."""

    def discard(self) -> None:
        """Undo the making of this store: a move into it failed."""

    def close(self) -> None:
        """Let go of the files or connections of this thread."""
