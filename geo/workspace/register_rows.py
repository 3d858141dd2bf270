"""What the rows of a register amount to, and writing it: units, posts and refusals in one transaction."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.errors import LayerError
from geo.layers import SCHEMAS
from geo.layers.duties import DUTY_KINDS, TIERS
from geo.layers.leads import PERSONAL_NUMBER
from geo.layers.townships import GROUND_KINDS
from geo.ledger import Entry, row_digest
from geo.schema import Refusal
from geo.store import Change
from geo.words import Word
from geo.workspace.county import County
from geo.workspace.importing import FileReport
from geo.workspace.register import register_units

MU_M2 = 2000.0 / 3.0


@dataclass
class Gathered:
    """What the rows of a file amount to, before it is written."""

    units: dict[str, dict[str, Any]] = field(default_factory=dict)
    duties: dict[tuple[str, ...], dict[str, Any]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def unit_row(kind: str, unit: str, name: str, *, source: str, parent_id: str | None = None) -> dict[str, Any]:
    plain: dict[str, Any] = dict.fromkeys(SCHEMAS["units"].names)
    return plain | {"unit_kind": kind, "unit_id": unit, "name": name, "parent_id": parent_id, "source": source}


def duty_key(duty: Mapping[Any, Any]) -> tuple[str, ...]:
    since = pd.Timestamp(duty["valid_from"]).tz_convert("UTC").isoformat()
    holder = duty["holder_id"]
    tier = duty.get("tier")
    key = duty["unit_id"], duty["duty_kind"], duty["post"], "" if holder is None or pd.isna(holder) else holder, since
    return key if tier is None or pd.isna(tier) else (*key, tier)


def duty_id(duty: dict[str, Any]) -> str:
    """The number of a post's duty by its content: the same row read twice is the same duty."""
    return "D" + row_digest({"key": list(duty_key(duty))})[:12]


def write_gathered(
    county: County,
    found: Gathered,
    report: FileReport,
    now: datetime,
    *,
    villages: Sequence[gpd.GeoDataFrame] = (),
    aliases: pd.DataFrame | None = None,
    notes: list[dict[str, Any]] | None = None,
) -> None:
    """What is new or says otherwise, in one transaction; nothing at all where nothing is."""
    changes = [*_unit_changes(county, found), *_moved_villages(county, found), *_duty_changes(county, found)]
    for rows in villages:
        changes += _village_changes(county, rows)
    if aliases is not None:
        known = set(county.store.read("aliases")["alias_id"])
        fresh = aliases[~aliases["alias_id"].isin(known)]
        changes += [Change("aliases", fresh)] if len(fresh) else []
    changes += _refusal_changes(county, report)
    if changes:
        body = {"layer": "duties", "files": notes or [file_note(report)]}
        county.store.append(Entry("import", body), *changes, now=now)


_ABOVE: dict[str, tuple[str, ...]] = {
    "group": ("village",),
    "责任网格": ("village", "group", "township"),
    **dict.fromkeys(GROUND_KINDS, ("county", "township", "village")),
}
"""What a unit typed in may lie under; townships and villages come from lists, whose codes others know too."""
_SAID = ("households_n", "due_m2", "elevation_m", "key_area", "edge")


def _unit_changes(county: County, found: Gathered) -> list[Change]:
    """Units the register adds or says more of; what a row leaves out keeps what was known."""
    held = county.store.read("units", list(found.units))
    known = {row["unit_id"]: row for row in held.to_dict("records")}
    drawn = register_units(county).set_index("unit_id")
    wanted, before = [], []
    for unit, row in found.units.items():
        old = known.get(unit)
        base = old or (drawn.loc[unit].to_dict() if unit in drawn.index else {})
        filled = {n: (base.get(n) if row[n] is None or (n in ("name", "source") and old) else row[n]) for n in row}
        if base.get("name") and not old:
            filled["name"] = base["name"]
        said = tuple(n for n in _SAID if row[n] is not None)
        if old is None and unit in drawn.index and not _differs(row, base, said):
            continue
        if old is None or _differs(filled, old, tuple(SCHEMAS["units"].names)):
            wanted.append(filled)
            before.append(unit)
    if not wanted:
        return []
    table = SCHEMAS["units"].conform(pd.DataFrame(wanted, columns=SCHEMAS["units"].names))
    return [Change("units", table, replace=True, before=held[held["unit_id"].isin(before)])]


def _moved_villages(county: County, found: Gathered) -> list[Change]:
    """Villages the register puts under another township: the layer of villages follows."""
    said = {unit: row["parent_id"] for unit, row in found.units.items() if row["unit_kind"] == "village"}
    held = county.store.read("villages", [unit for unit, parent in said.items() if parent])
    townships = held["village_id"].map(said)
    moved = held[held["township_id"] != townships]
    if moved.empty:
        return []
    after = moved.assign(township_id=townships[moved.index])
    return [Change("villages", after, replace=True, before=moved)]


def _differs(row: dict[str, Any], old: dict[Any, Any], names: tuple[str, ...]) -> bool:
    for name in names:
        one, other = row.get(name), old.get(name)
        if (one is None or pd.isna(one)) and (other is None or pd.isna(other)):
            continue
        if one is None or other is None or pd.isna(one) or pd.isna(other) or one != other:
            return True
    return False


def _duty_changes(county: County, found: Gathered) -> list[Change]:
    held = county.store.read("duties")
    known = {duty_key(row): row for row in held.to_dict("records")}
    fresh = [duty | {"duty_id": duty_id(duty)} for key, duty in found.duties.items() if key not in known]
    ended = [
        known[key] | {"valid_to": duty["valid_to"]}
        for key, duty in found.duties.items()
        if key in known and not _same_moment(known[key]["valid_to"], duty["valid_to"])
    ]
    changes = [Change("duties", _duty_table(fresh, held))] if fresh else []
    if ended:
        before = held[held["duty_id"].isin([row["duty_id"] for row in ended])]
        changes.append(Change("duties", _duty_table(ended, held), replace=True, before=before))
    return changes


def _same_moment(one: Any, other: Any) -> bool:
    missing = [moment is None or bool(pd.isna(moment)) for moment in (one, other)]
    return all(missing) if any(missing) else bool(pd.Timestamp(one) == pd.Timestamp(other))


def _duty_table(rows: Sequence[Mapping[Any, Any]], held: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    plain = pd.DataFrame(rows)
    for name in ("valid_from", "valid_to"):
        plain[name] = pd.to_datetime(plain[name], utc=True)
    shapes = plain["geometry"] if "geometry" in plain else [None] * len(plain)
    return gpd.GeoDataFrame(plain.drop(columns="geometry", errors="ignore"), geometry=list(shapes), crs=held.crs)


def _village_changes(county: County, rows: gpd.GeoDataFrame) -> list[Change]:
    held = county.store.read("villages", list(rows["village_id"]))
    fresh = rows[~rows["village_id"].isin(held["village_id"])]
    townships = rows.set_index("village_id")["township_id"]
    moved = held[held["township_id"] != held["village_id"].map(townships)]
    changes = [Change("villages", fresh)] if len(fresh) else []
    if len(moved):
        after = moved.assign(township_id=moved["village_id"].map(townships))
        changes.append(Change("villages", after, replace=True, before=moved))
    return changes


def _refusal_changes(county: County, report: FileReport) -> list[Change]:
    schema = SCHEMAS["refusals"]
    rows = [
        {
            "refusal_id": f"{report.sha256[:16]}:duties:{r.row}:{r.field}",
            "layer": "duties",
            "file": report.file,
            "sha256": report.sha256,
            "row": str(r.row),
            "field": r.field,
            "code": r.code,
            "details": json.dumps(r.details, ensure_ascii=False, default=str),
        }
        for r in report.refused
        if r.code != "duplicate"
    ]
    table = schema.conform(pd.DataFrame(rows, columns=schema.names)).drop_duplicates("refusal_id")
    known = county.store.read("refusals", list(table["refusal_id"]))["refusal_id"]
    fresh = table[~table["refusal_id"].isin(known)]
    return [Change("refusals", fresh)] if len(fresh) else []


def file_note(report: FileReport) -> dict[str, Any]:
    plain = report.json("en")
    return {k: plain[k] for k in ("file", "sha256", "read", "accepted")} | {"refused_n": len(report.refused)}


def assign_post(
    county: County,
    unit_id: str,
    post: str,
    *,
    kind: str,
    valid_from: datetime,
    now: datetime,
    holder_id: str | None = None,
    tier: str | None = None,
) -> tuple[str, bool]:
    """A post answers for a unit from a moment on: the duty's id, and whether it is new."""
    units = register_units(county).set_index("unit_id")
    if unit_id not in units.index:
        raise LayerError("unit_unknown", value=unit_id)
    if kind not in DUTY_KINDS:
        raise LayerError("record_value_unknown", field="duty_kind", value=kind, known="/".join(DUTY_KINDS))
    if tier is not None and (tier not in TIERS or kind != "包保"):
        raise LayerError("record_value_unknown", field="tier", value=tier, known="包保：" + "/".join(TIERS))
    require_post(post)
    unit = units.loc[unit_id]
    parent = unit["parent_id"] if isinstance(unit["parent_id"], str) else None
    row = {"unit_kind": unit["unit_kind"], "unit_id": unit_id, "parent_id": parent, "post": post.strip()}
    row |= {"holder_id": holder_id, "duty_kind": kind, "valid_from": valid_from, "valid_to": None, "tier": tier}
    number = duty_id(row)
    held = county.store.read("duties")
    if duty_key(row) in {duty_key(one) for one in held.to_dict("records")}:
        return number, False
    entry = Entry("duty_assigned", {"duty_id": number})
    county.store.append(entry, Change("duties", _duty_table([row | {"duty_id": number}], held)), now=now)
    return number, True


def require_post(post: str) -> None:
    """`LayerError` where no post is named, or a telephone or identity number stands in it; it is not echoed."""
    if not post.strip():
        raise LayerError("record_value_missing", field="post")
    if re.search(PERSONAL_NUMBER, post):
        raise LayerError("post_personal", field="post")


def end_post(county: County, number: str, *, at: datetime, now: datetime) -> None:
    """The duty ends at a moment; its past stays, in its row and in the ledger. Said again it changes nothing."""
    held = county.store.read("duties", [number])
    if held.empty:
        raise LayerError("duty_unknown", value=number)
    if held["valid_to"].iloc[0] == at:
        return
    if at < held["valid_from"].iloc[0]:
        raise LayerError("time_backwards", later="valid_to", earlier="valid_from")
    ended = _duty_table([held.iloc[0].to_dict() | {"valid_to": at}], held)
    change = Change("duties", ended, replace=True, before=held)
    county.store.append(Entry("duty_ended", {"duty_id": number}), change, now=now)


def edit_unit(county: County, unit_id: str, values: Mapping[str, Any], *, now: datetime) -> bool:
    """
    Change what the register says of a unit; False where it says so already.

    `values` may be ``name, households_n, due_m2, elevation_m, key_area, edge``.

    Raises
    ------
    LayerError
        No such unit, another field, or a value the register cannot hold.
    """
    units = register_units(county).set_index("unit_id")
    if unit_id not in units.index or units.loc[unit_id, "unit_kind"] == "enclave":
        raise LayerError("unit_unknown", value=unit_id)
    unknown = set(values) - {"name", *_SAID}
    if unknown:
        raise LayerError("record_field_unknown", field=min(unknown), known="/".join(("name", *_SAID)))
    for name, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise LayerError("record_value_bad", field=name, value=value)
    base = units.loc[unit_id]
    row = {name: None if pd.isna(base.get(name)) else base.get(name) for name in SCHEMAS["units"].names}
    wanted = row | {"unit_id": unit_id, "source": row["source"] or "-"} | dict(values)
    if not str(wanted["name"] or "").strip():
        raise LayerError("record_value_missing", field="name")
    if not _differs(wanted, row | {"unit_id": unit_id, "source": wanted["source"]}, tuple(SCHEMAS["units"].names)):
        return False
    _save_unit(county, wanted, "unit_edited", now)
    return True


def add_unit(county: County, kind: str, name: str, parent_id: str, *, now: datetime, unit_id: str | None = None) -> str:
    """
    A new group, grid or department ground under a unit: its id.

    Raises
    ------
    LayerError
        A kind that lists or maps bring in, a unit above that does not fit, or a unit of that id.
    """
    units = register_units(county).set_index("unit_id")
    whole = bool(parent_id) and parent_id == county.settings.county_id
    if not whole and parent_id not in units.index:
        raise LayerError("unit_unknown", value=parent_id)
    above = "county" if whole else str(units.loc[parent_id, "unit_kind"])
    if above not in _ABOVE.get(kind, ()):
        raise LayerError("unit_parent_wrong", kind=Word(f"unit_{kind}"), parent=Word(f"unit_{above}"))
    if not name.strip():
        raise LayerError("record_value_missing", field="name")
    number = (unit_id or "").strip() or f"{parent_id}-{name.strip()}"
    if number in units.index:
        raise LayerError("unit_exists", name=units.loc[number, "name"], id=number)
    _save_unit(county, unit_row(kind, number, name.strip(), source="-", parent_id=parent_id), "unit_added", now)
    return number


def _save_unit(county: County, row: dict[str, Any], what: str, now: datetime) -> None:
    table = SCHEMAS["units"].conform(pd.DataFrame([row], columns=SCHEMAS["units"].names))
    for refusal in SCHEMAS["units"].refusals(table):
        raise LayerError(f"record_{refusal.code}", field=refusal.field, **refusal.details)
    held = county.store.read("units", [row["unit_id"]])
    change = Change("units", table, replace=True, before=held)
    county.store.append(Entry(what, {"unit_id": row["unit_id"]}), change, now=now)
