"""
The hash chain over everything that was recorded: a changed, missing or moved entry no longer fits its successor.

Each entry's hash is the SHA-256 of the canonical JSON of its seq, time, kind, role, body and of the hash before it.
A chain alone cannot show that all of it was rewritten: for that a head must have been published outside.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from geo.errors import LedgerBroken

GENESIS = "0" * 64
Stored = tuple[int, str, str, str, str, str, str]

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Entry:
    """Something to be recorded: its kind, what it says (JSON values only), and the role of who recorded it."""

    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    role: str = "planner"


@dataclass(frozen=True)
class Linked:
    """An entry in its place: `at` is ISO-8601 UTC text with milliseconds, `previous` the hash before it."""

    seq: int
    at: str
    kind: str
    role: str
    body: dict[str, Any]
    previous: str
    hash: str

    @property
    def stored(self) -> Stored:
        """The entry as a store keeps it, its body as canonical text."""
        return self.seq, self.at, self.kind, self.role, canonical(self.body).decode(), self.previous, self.hash


@dataclass(frozen=True)
class Verdict:
    """What a check found: entries read, the last hash, and the first problem, if any."""

    ok: bool
    entries_n: int
    head: str
    first_problem: LedgerBroken | None = None


def canonical(value: Any) -> bytes:
    """
    The one spelling of a JSON value: keys sorted, no spaces, UTF-8, NFC, floats by ``repr``; NaN is a ``ValueError``.

    >>> canonical({"b": 1.5, "a": [True, None, "踏查"]}).decode()
    '{"a":[true,null,"踏查"],"b":1.5}'
    """
    text = _ENCODER.encode(value)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = _ENCODER.encode(_composed(value))
    return text.encode()


def moment_text(moment: datetime) -> str:
    """
    A tz-aware moment as UTC text with milliseconds; a naive one is a ``ValueError``.

    >>> moment_text(datetime(2026, 3, 11, 8, 30, tzinfo=UTC))
    '2026-03-11T08:30:00.000Z'
    """
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a time zone, got {moment}")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def link(head: Linked | None, entry: Entry, now: datetime) -> Linked:
    """The entry placed after `head` (None: the first of a chain)."""
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    at, kind, role = moment_text(now), _composed(entry.kind), _composed(entry.role)
    body = canonical(entry.body).decode()
    return Linked(seq, at, kind, role, json.loads(body), previous, _hash(seq, at, kind, role, body, previous))


def verify(entries: Iterable[Linked], expected_head: str | None = None) -> Verdict:
    """
    Whether the entries are an unbroken chain from its first one on, and hold the hash published as `expected_head`.

    The head may have been published before later entries were added: it must occur, not be the last.
    """
    return verify_stored((entry.stored for entry in entries), expected_head)


def verify_stored(rows: Iterable[Stored], expected_head: str | None = None) -> Verdict:
    """As `verify`, of entries as a store keeps them: the body's text is hashed as it stands."""
    count, previous, met = 0, GENESIS, expected_head in (None, GENESIS)
    for row in rows:
        seq, at, kind, role, body, before, own = row
        if seq != count + 1:
            return _broken(count, previous, "ledger_gap", seq=count + 1, got=seq)
        if before != previous:
            return _broken(count, previous, "ledger_link", seq=seq)
        try:
            intact = _hash(seq, at, kind, role, body, before) == own
        except (TypeError, UnicodeError):
            intact = False
        if not intact:
            return _broken(count, previous, "ledger_hash", seq=seq)
        count, previous = seq, own
        met = met or own == expected_head
    if not met:
        return _broken(count, previous, "ledger_head", published=expected_head)
    return Verdict(True, count, previous)


def row_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 hex of a row's canonical JSON; its geometry, if any, is WKB as hex text."""
    return hashlib.sha256(canonical(row)).hexdigest()


def _hash(seq: int, at: str, kind: str, role: str, body: str, previous: str) -> str:
    """The hash of an entry; the keys are written out in sorted order, so this equals canonical JSON of the whole."""
    text = (
        f'{{"at":{quoted(at)},"body":{body},"kind":{quoted(kind)},'
        f'"previous":{quoted(previous)},"role":{quoted(role)},"seq":{seq}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _broken(count: int, head: str, code: str, **fields: object) -> Verdict:
    return Verdict(False, count, head, LedgerBroken(code, **fields))


def _composed(value: Any) -> Any:
    """The value with every text in Unicode's composed form (NFC)."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, Mapping):
        return {_composed(key): _composed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_composed(item) for item in value]
    return value
