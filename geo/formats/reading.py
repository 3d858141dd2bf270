"""What a reader is told (`Hints`), what it hands back (`Reading`), and the two shapes in between."""

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.schema import Refusal


@dataclass(frozen=True)
class Hints:
    """
    What the file cannot say itself.

    Parameters
    ----------
    crs
        CRS of the rows handed back; None leaves them in WGS 84 degrees.
    datum
        ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``epsg:NNNN``; overrides what the file declares.
    timezone
        IANA zone of times without one; without it such times are refused.
    encoding
        Of attribute text; None finds it.
    name_table
        Table of names and codes for a township layer that arrives as boundary lines.
    within
        West, south, east, north in metres of `crs`: what lies wholly outside is refused; None takes every place.
    date
        Day of lists (parcels, leads, alerts, duties) whose records carry none; without it they are refused.
    known
        Ids the county holds already: their records are refused as duplicates.
    latest
        Moment after which no fix can have been recorded: a phone whose clock is wrong; None: the year 2100.
    homes
        Codes of the townships the county knows: villages of other counties' townships are refused; none: not asked.
    on_record
        Per column the ids the county holds (tracks, teams, villages, parcels): visits and finds that name another are
        refused; a column that is left out is not asked about.
    """

    crs: Any = None
    datum: str | None = None
    timezone: str | None = None
    encoding: str | None = None
    township_id: str | None = None
    team_id: str | None = None
    mode: str = "foot"
    source: str | None = None
    name_table: Path | None = None
    within: tuple[float, float, float, float] | None = None
    date: datetime.date | None = None
    known: frozenset[str] = frozenset()
    latest: datetime.datetime | None = None
    homes: frozenset[str] = frozenset()
    on_record: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """A file's records in the shape of one layer; see `Reading`."""

    rows: pd.DataFrame
    read: int
    refused: tuple[Refusal, ...]
    held_as_route_n: int = 0
    other_kinds: Mapping[str, int] = field(default_factory=dict)
    datum: str | None = None
    encoding: str | None = None
    app: str | None = None
    warnings: tuple[str, ...] = ()
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()
    routes: gpd.GeoDataFrame | None = None

    @property
    def accepted(self) -> int:
        """Accepted records: fixes for tracks, rows for every other layer."""
        return sum(self.rows["fixes_n"].tolist()) if "fixes_n" in self.rows else len(self.rows)

    def __post_init__(self) -> None:
        if self.read != self.accepted + len(self.refused):
            raise ValueError(f"read {self.read}, accepted {self.accepted}, refused {len(self.refused)}")


@dataclass(frozen=True)
class Reading(Content):
    """
    One file, read.

    `rows` keep the layer's Schema; ``read == accepted + len(refused)`` always holds. `held_as_route_n` counts the
    untimed points kept in `routes`; `other_kinds` counts records of kinds the layer does not take; `warnings` are
    codes of ``geo.words``, `notes` codes with what fills their blanks.
    """

    file: str = ""
    sha256: str = ""
    layer: str = ""

    @classmethod
    def of(cls, content: Content, *, file: str, sha256: str, layer: str) -> "Reading":
        """A reader's content under the name and fingerprint of its file."""
        held = {f.name: getattr(content, f.name) for f in dataclasses.fields(Content)}
        return cls(**held, file=file, sha256=sha256, layer=layer)


@dataclass(frozen=True)
class Records:
    """
    Features or rows as a file gives them, before they are fitted to a layer.

    Parameters
    ----------
    table
        Raw columns, indexed by the record's number in the file (first is 1); a GeoDataFrame when it has geometry.
    crs
        Declared CRS of the geometry; None where the file says nothing.
    shift
        ``gcj02`` or ``bd09`` where the file itself says its coordinates are shifted.
    refused
        Records that could not be read at all; not in `table`.
    """

    table: pd.DataFrame
    crs: Any = None
    shift: str | None = None
    refused: tuple[Refusal, ...] = ()
    other_kinds: Mapping[str, int] = field(default_factory=dict)
    encoding: str | None = None
    app: str | None = None
    warnings: tuple[str, ...] = ()
