"""Corrections: new entries that say what was wrong and why; two that contradict are both kept until decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from geo.analysis.plot_life import status_at
from geo.errors import StoreError
from geo.layers import SCHEMAS
from geo.layers.parcels import Status
from geo.layers.steps import Act
from geo.layers.visits import DISMISSED
from geo.ledger import Entry, Linked, Source
from geo.schema import Schema
from geo.store import Change, Store
from geo.store.contract import Row
from geo.store.rows import plain_rows, rows_of
from geo.workspace.forms import PLACES, filled_form, with_digests
from geo.workspace.recording import after_find, known_about, require_coded, require_find, require_visit, unless_moved

CORRECTABLE = ("visits", "finds", "parcels", "leads", "villages", "teams", "duties")
_MOVING = {
    "visits": ("parcel_id", "visited_at", "outcome", "reason"),
    "finds": ("parcel_id", "fraction", "method"),
}
FIXED = {"parcels": ("status",), "finds": ("recorded_at", "verified_at")}


@dataclass(frozen=True)
class Corrected:
    """What came of a correction: its entry, and the fields in which it contradicts what somebody wrote meanwhile."""

    entry: Linked | None
    changed: dict[str, list[Any]]
    contradicts: tuple[str, ...] = ()


def correct(
    store: Store,
    layer: str,
    key: str,
    values: dict[str, Any],
    *,
    reason: str,
    now: datetime,
    based_on: int | None = None,
    settles: int | None = None,
    role: str = "planner",
    source: Source | None = None,
) -> Corrected:
    """
    Correct a record; the old content stays in the ledger, and so does the reason.

    Parameters
    ----------
    based_on
        Ledger number up to which the corrector had seen the county (None: all of it). Where one of the same fields was
        changed later to something else, the correction is kept as a conflict and the record stays as it is.
    settles
        Number of the conflict that this correction decides.
    """
    if layer not in CORRECTABLE:
        raise StoreError("correct_layer", layer=layer, known="/".join(CORRECTABLE))
    if not reason.strip():
        raise StoreError("correct_reason")
    for field in values:
        if field in FIXED.get(layer, ()):
            raise StoreError("correct_fixed", field=field)
    schema, values = SCHEMAS[layer], with_digests(values)

    def attempt() -> Corrected:
        held = store.read(layer, [key])
        if held.empty:
            raise StoreError("row_unknown", value=key)
        after = _filled(store, schema, held, values, now)
        changed = _differences(schema, held, after)
        if not changed:
            return Corrected(None, {})
        body: dict[str, Any] = {"layer": layer, "key": key, "changed": changed, "reason": reason.strip()}
        body |= {} if settles is None else {"settles": settles}
        if layer in ("visits", "finds"):
            known_about(store, {name: value if name in changed else None for name, value in rows_of(after)[0].items()})
        touched = _touched_since(store, layer, key, based_on, changed)
        if touched:
            body |= {"based_on": based_on, "contradicts": touched}
            return Corrected(store.append(Entry("conflict", body, role, source), now=now), changed, tuple(touched))
        changes = [Change(layer, after, replace=True, before=held), *_moves(store, layer, held, after, now)]
        return Corrected(store.append(Entry("correction", body, role, source), *changes, now=now), changed)

    return unless_moved(attempt)


def open_conflicts(store: Store) -> list[dict[str, Any]]:
    """Corrections that nobody has decided yet: what was wanted, what the record says now, who wanted it, and when."""
    entries = [entry for entry in store.entries() if entry.kind in ("conflict", "correction")]
    settled = {entry.body.get("settles") for entry in entries}
    found = []
    for entry in (one for one in entries if one.kind == "conflict" and one.seq not in settled):
        layer, key = entry.body["layer"], entry.body["key"]
        held = plain_rows(SCHEMAS[layer], store.read(layer, [key]))[0]
        fields = [
            {"field": field, "wanted": wanted, "before": before, "now": held[field]}
            for field, (before, wanted) in entry.body["changed"].items()
        ]
        about = {"seq": entry.seq, "at": entry.at, "role": entry.role, "layer": layer, "key": key}
        found.append(about | {"reason": entry.body["reason"], "fields": fields})
    return found


def _filled(store: Store, schema: Schema, held: pd.DataFrame, values: dict[str, Any], now: datetime) -> pd.DataFrame:
    """The record with the corrected fields, held to its layer's contract and to the rules of its kind."""
    known = {str(name): value for name, value in held.iloc[0].items() if name != schema.key}
    wanted = {name: value for name, value in values.items() if value not in (None, "")}
    emptied = [name for name in values if name not in wanted]
    if not wanted.keys().isdisjoint(PLACES):  # a new place is no longer the old one
        emptied.append("geometry")
    kept = {name: value for name, value in known.items() if name not in emptied and not _missing(value)}
    after = filled_form(schema, kept | wanted, store.crs, now)
    after = pd.DataFrame(after) if not schema.geometry else after
    after[schema.key] = held[schema.key].iloc[0]
    if schema.name == "finds":
        require_find(rows_of(after)[0] | {"verified_at": None})
    if schema.name == "visits":
        visit = rows_of(after)[0]
        require_visit(visit)
        if visit["outcome"] == DISMISSED:
            require_coded(visit["reason"])
    return after


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)


def _differences(schema: Schema, held: pd.DataFrame, after: pd.DataFrame) -> dict[str, list[Any]]:
    """Fields that change, each with its old and its new value."""
    old, new = plain_rows(schema, held)[0], plain_rows(schema, after)[0]
    return {name: [old[name], new[name]] for name in old if old[name] != new[name]}


def _touched_since(
    store: Store, layer: str, key: str, based_on: int | None, changed: dict[str, list[Any]]
) -> list[str]:
    """The fields wanted otherwise by somebody whom the corrector had not seen."""
    if based_on is None:
        return []
    touched: list[str] = []
    for entry in store.entries(after=based_on):
        if entry.kind == "correction" and entry.body["layer"] == layer and entry.body["key"] == key:
            touched += [field for field in entry.body["changed"] if field in changed and field not in touched]
    return touched


def _moves(store: Store, layer: str, held: pd.DataFrame, after: pd.DataFrame, now: datetime) -> list[Change]:
    """The states of the plots that a corrected visit or find named, or names now."""
    if layer not in ("visits", "finds"):
        return []
    was, told = rows_of(held)[0], rows_of(after)[0]
    if all(was[name] == told[name] for name in _MOVING[layer]):
        return []
    found_on = told["parcel_id"] if layer == "finds" else None
    changes = []
    for key in sorted({was["parcel_id"], told["parcel_id"]} - {None}):
        parcel = next(iter(store.rows_where("parcels", "parcel_id", key)), None)
        if parcel is None and key != told["parcel_id"]:  # a list named a plot that never came: put right by this
            continue
        if parcel is None:
            raise StoreError("parcel_unknown", value=key)
        status = after_find(store, parcel, told) if key == found_on else _by_history(store, parcel, layer, told, now)
        dismissed = [] if status != Status.DISMISSED else _dismissals(store, parcel, layer, told)
        kept = parcel["reason"] if status == parcel["status"] else None
        reason = max(dismissed, key=lambda one: one[0])[1] if dismissed else kept
        if (status, reason) != (parcel["status"], parcel["reason"]):
            moved = parcel | {"status": status, "reason": reason}
            changes.append(Change("parcels", moved, replace=True, before=parcel))
    return changes


def _history(store: Store, parcel_id: str, layer: str, told: Row | None = None) -> tuple[list[Row], ...]:
    """Finds, visits and steps of a plot, a corrected row (`told`) as it reads now."""
    known = {name: store.rows_where(name, "parcel_id", parcel_id) for name in ("finds", "visits", "steps")}
    if told is not None:
        key = SCHEMAS[layer].key
        others = [row for row in known[layer] if row[key] != told[key]]
        known[layer] = [*others, *([told] if told["parcel_id"] == parcel_id else [])]
    return known["finds"], known["visits"], known["steps"]


def _by_history(store: Store, parcel: Row, layer: str, told: Row, now: datetime) -> str:
    """The state that a plot's history leads to once corrected; as it is where the history never explained it."""
    key, held = parcel["parcel_id"], str(parcel["status"])
    finds, visits, steps = _history(store, key, layer)
    if status_at(finds, visits, steps, now) != held:
        return held
    finds, visits, steps = _history(store, key, layer, told)
    return str(status_at(finds, visits, steps, now))


def _dismissals(store: Store, parcel: Row, layer: str, told: Row) -> list[tuple[datetime, str]]:
    """When a plot was dismissed, and why."""
    _, visits, steps = _history(store, parcel["parcel_id"], layer, told)
    found = [(row["visited_at"], row["reason"]) for row in visits if row["outcome"] == DISMISSED]
    return found + [(row["at"], row["reason"]) for row in steps if row["act"] == Act.DISMISS]
