"""
The hash chain over everything that was recorded: a changed, missing or moved entry no longer fits its successor.

Each entry's hash is the SHA-256 of the canonical JSON of its seq, time, kind, role, body and of the hash before it.
A chain alone cannot show that all of it was rewritten: for that a head must have been published outside.
"""

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from json.encoder import encode_basestring as quoted
from typing import Any

from geo.errors import LayerError, LedgerBroken

GENESIS = "0" * 64
Stored = tuple[int, str, str, str, str, str, str]

_DECODER = json.JSONDecoder()
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Source:
    """The device an entry was typed on, and its two clocks; the server's time is the entry's own `at`."""

    device: str | None = None
    device_at: datetime | None = None
    gps_at: datetime | None = None

    @property
    def plain(self) -> dict[str, str]:
        """What is known of it, as JSON values."""
        times = {"device_at": self.device_at, "gps_at": self.gps_at}
        known = {name: moment_text(moment) for name, moment in times.items() if moment}
        return known | ({"device": self.device} if self.device else {})


@dataclass(frozen=True)
class Entry:
    """Something to be recorded: its kind, what it says (JSON values only), the role of who recorded it, and on what."""

    kind: str
    body: dict[str, Any] = field(default_factory=dict)
    role: str = "planner"
    source: Source | None = None


@dataclass(frozen=True)
class Linked:
    """An entry in its place: `at` is ISO-8601 UTC text with milliseconds, `text` its body as canonical JSON."""

    seq: int
    at: str
    kind: str
    role: str
    text: str
    previous: str
    hash: str

    @cached_property
    def body(self) -> dict[str, Any]:
        """What the entry says."""
        parsed: dict[str, Any] = json.loads(self.text)
        return parsed

    @property
    def stored(self) -> Stored:
        """The entry as a store keeps it, its body as canonical text."""
        return self.seq, self.at, self.kind, self.role, self.text, self.previous, self.hash


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


def link(head: Linked | None, entry: Entry, now: datetime, spelled: Mapping[str, str] | None = None) -> Linked:
    """
    The entry placed after `head` (None: the first of a chain).

    `spelled` holds further parts of the body that are canonical JSON text already, so that nobody spells them twice.
    """
    seq, previous = (head.seq + 1, head.hash) if head else (1, GENESIS)
    at, kind, role = moment_text(now), _composed(entry.kind), _composed(entry.role)
    known = entry.source.plain if entry.source else {}
    parts = {**entry.body, **({"source": known} if known else {})}
    try:
        spelled_parts = {_composed(name): canonical(part).decode() for name, part in parts.items()}
        text = spelled_object(spelled_parts, spelled or {})
        return Linked(seq, at, kind, role, text, previous, _hash(seq, at, kind, role, text, previous))
    except UnicodeEncodeError as wrong:
        odd = ascii(wrong.object[wrong.start : wrong.end])
        raise LayerError("value_unstorable", where=f"ledger.{kind}", value=odd) from None


def spelled_object(*parts: Mapping[str, str]) -> str:
    """
    Canonical JSON of an object whose values are canonical JSON already.

    >>> spelled_object({"b": "1"}, {"a": "[true]"})
    '{"a":[true],"b":1}'
    """
    held = {name: text for part in parts for name, text in part.items()}
    return "{" + ",".join(f"{quoted(name)}:{held[name]}" for name in sorted(held)) + "}"


def spelled_rows(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """
    Canonical JSON of each row of columns that hold text in NFC, numbers, truth values or None.

    >>> spelled_rows({"b": [1, 2.5], "a": ["踏", None]})
    ['{"a":"踏","b":1}', '{"a":null,"b":2.5}']
    """
    names = sorted(columns)
    template = "{" + ",".join(f"{quoted(name).replace('%', '%%')}:%s" for name in names) + "}"
    return [template % row for row in zip(*(map(_spelled, columns[name]) for name in names), strict=True)]


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


def text_digest(spelled: str) -> str:
    """SHA-256 hex of canonical JSON text."""
    return hashlib.sha256(spelled.encode()).hexdigest()


def digests_named(body: str) -> dict[str, dict[str, str]]:
    """
    The rows an entry names: digest by layer and key, out of its body's text.

    As a rule ``rows`` is the body's last part and stands alone at its end; only otherwise is the whole text parsed.

    >>> digests_named('{"n":1,"rows":{"teams":{"T1":"ab"}}}')
    {'teams': {'T1': 'ab'}}
    """
    start = body.rfind('"rows":{')
    if start < 0:
        return {}
    if body[start - 1] != "\\":
        named, end = _DECODER.raw_decode(body, start + 7)
        if end == len(body) - 1:
            return dict(named)
    return dict(json.loads(body).get("rows", {}))


def tree_levels(hashes: Sequence[str]) -> list[list[bytes]]:
    """
    The Merkle tree over entries' hashes, leaves first, as RFC 6962 builds it; derived when asked for, never stored.

    >>> [len(level) for level in tree_levels(["00" * 32] * 5)]
    [5, 3, 2, 1]
    """
    levels = [[hashlib.sha256(b"\0" + bytes.fromhex(own)).digest() for own in hashes]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        pairs = [_node(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)]
        levels.append(pairs + below[len(pairs) * 2 :])
    return levels


def tree_root(levels: Sequence[Sequence[bytes]]) -> str:
    """The tree's root as hex; of an empty tree the SHA-256 of nothing."""
    return levels[-1][0].hex() if levels[-1] else hashlib.sha256().hexdigest()


def tree_path(levels: Sequence[Sequence[bytes]], leaf: int) -> list[str]:
    """What `path_root` needs beside leaf number `leaf` (from 0) to reach the root: the neighbours on the way up."""
    path = []
    for level in levels[:-1]:
        if leaf ^ 1 < len(level):
            path.append(level[leaf ^ 1].hex())
        leaf >>= 1
    return path


def path_root(own: str, leaf: int, size: int, path: Sequence[str]) -> str | None:
    """The root that an entry's hash at place `leaf` of `size` leads to; None where the path does not fit the place."""
    node, steps = hashlib.sha256(b"\0" + bytes.fromhex(own)).digest(), iter(path)
    if not 0 <= leaf < size:
        return None
    while size > 1:
        if leaf ^ 1 < size:
            beside = next(steps, None)
            if beside is None:
                return None
            pair = (bytes.fromhex(beside), node) if leaf & 1 else (node, bytes.fromhex(beside))
            node = _node(*pair)
        leaf, size = leaf >> 1, (size + 1) >> 1
    return node.hex() if next(steps, None) is None else None


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def intact(entry: Linked) -> bool:
    """Whether an entry's hash is that of its content."""
    return _hash(*entry.stored[:6]) == entry.hash


def _hash(seq: int, at: str, kind: str, role: str, body: str, previous: str) -> str:
    """The hash of an entry; the keys are written out in sorted order, so this equals canonical JSON of the whole."""
    text = (
        f'{{"at":{quoted(at)},"body":{body},"kind":{quoted(kind)},'
        f'"previous":{quoted(previous)},"role":{quoted(role)},"seq":{seq}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _spelled(value: Any) -> str:
    """Canonical JSON of one plain value."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    kind = value.__class__
    return repr(value) if kind is int or kind is float else _ENCODER.encode(value)


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
