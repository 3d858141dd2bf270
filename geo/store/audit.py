"""Whether a store still holds what its ledger says: the chain first, then every row of every layer."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from geo.errors import LedgerBroken
from geo.layers import SCHEMAS
from geo.ledger import Stored, Verdict, digests_named, spelled_rows, text_digest, verify_stored
from geo.schema import Schema

FRAME = "row_crs"
Digests = dict[str, dict[str, str]]
Columns = Mapping[str, Sequence[Any]]
Batches = Callable[[Schema], Iterable[Columns]]


class Foreign:
    """A stored value that this store cannot have written; it spells itself so that no digest fits it."""


def audit(entries: Iterable[Stored], batches: Batches, epsg: int, expected_head: str | None) -> Verdict:
    """
    The verdict on a ledger and on the rows of every layer, all as they stood at one moment.

    Parameters
    ----------
    batches
        Gives a layer's rows in order of arrival, as columns: ``fid`` and those of the Schema, geometry as WKB in hex.
    epsg
        The CRS the store claims; the ledger names the one its coordinates were written in.
    """
    named: Digests = {}
    frames: set[str] = set()
    verdict = verify_stored(_remembering(entries, named, frames), expected_head)
    if not verdict.ok:
        return verdict
    if frames - {str(epsg)}:
        problem: LedgerBroken | None = LedgerBroken("crs_changed", crs=epsg, wanted="/".join(sorted(frames)))
        return Verdict(False, verdict.entries_n, verdict.head, problem)
    for schema in SCHEMAS.values():
        try:
            problem = _first_difference(schema, batches(schema), named.get(schema.name, {}))
        except LedgerBroken as unreadable:
            problem = unreadable
        if problem:
            return Verdict(False, verdict.entries_n, verdict.head, problem)
    return verdict


def _remembering(rows: Iterable[Stored], named: Digests, frames: set[str]) -> Iterator[Stored]:
    """The rows as they come, noting in `named` the last digest each entry gives a row of a layer."""
    for row in rows:
        yield row
        text = row[4]
        at = text.rfind(f'"{FRAME}":')
        if at > 0:
            frames.add(text[at + len(FRAME) + 3 : text.index(",", at)])
        for layer, digests in digests_named(text).items():
            named.setdefault(layer, {}).update(digests)


def _first_difference(schema: Schema, batches: Iterable[Columns], named: dict[str, str]) -> LedgerBroken | None:
    missing = dict(named)
    for columns in batches:
        for key, digest in zip(columns[schema.key], _digests(columns), strict=True):
            if key not in missing:
                return LedgerBroken("row_extra", layer=schema.name, key=key)
            if digest != missing.pop(key):
                return LedgerBroken("row_changed", layer=schema.name, key=key)
    for key in missing:
        return LedgerBroken("row_missing", layer=schema.name, key=key)
    return None


def _digests(columns: Columns) -> list[str | None]:
    """The digest of each row as it stands in its table; None where it could not have been written by this store."""
    try:
        return [_digest(text) for text in spelled_rows(columns)]
    except (TypeError, ValueError):
        names = list(columns)
        rows = zip(*columns.values(), strict=True)
        return [_digest_of(dict(zip(names, ([value] for value in row), strict=True))) for row in rows]


def _digest_of(row: Columns) -> str | None:
    try:
        return _digest(spelled_rows(row)[0])
    except (TypeError, ValueError):
        return None


def _digest(text: str) -> str | None:
    """None for text not in NFC, as all of it was written: the digest alone would not tell."""
    return text_digest(text) if text.isascii() or unicodedata.is_normalized("NFC", text) else None
