"""The life of a plot on record: its steps, what is still due, and why it cannot be closed yet."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from geo.analysis import plot_life
from geo.analysis.plot_life import Due, PlantCount, Rows, moved
from geo.errors import LayerError, StoreError
from geo.layers.steps import SCHEMA as STEPS
from geo.layers.steps import Act
from geo.layers.visits import UNREACHED
from geo.ledger import Entry, Source
from geo.season import CHINA
from geo.settings import PlotSettings
from geo.store import Change, Store
from geo.store.contract import Row
from geo.store.rows import rows_of
from geo.words import Word
from geo.workspace.county import County
from geo.workspace.forms import DIGESTS, content_id, filled_row, is_blank, with_digests
from geo.workspace.recording import Recorded, known_row, require_coded, unless_moved

NEEDED: dict[Act, tuple[str, ...]] = {
    Act.ASSIGN: ("team_id",),
    Act.HAND_OVER: ("station", "receipt"),
    Act.DISMISS: ("reason",),
    Act.RECHECK: ("plants_left_n",),
}
UNFLAGGED, UNKNOWN = "unflagged", "unknown"
DONE_AS = {Act.RECHECK: Act.REGROW}
TIMES = {"finds": "found_at", "visits": "visited_at", "steps": "at"}
"""The layers that tell a plot's life, in the order `plot_life` takes them, and when each of their rows happened."""


@dataclass(frozen=True)
class PlotLife:
    """
    A plot at a moment: its state, all that happened in order, what is due, and what still forbids closing it.

    `status` is `UNKNOWN` at a moment before the last thing that happened where what is on record does not explain the
    state of today, and `UNFLAGGED` before anybody knew of the plot. `history` has ``at, what, who, id`` in order of
    time; `faults` are codes of ``geo.words``.
    """

    parcel_id: str
    status: str
    history: list[Row]
    dues: list[Due]
    faults: list[str]
    hours: dict[str, float | None]
    clearance: float | None
    undecided_counts: list[dict[str, Any]]


def record_step(
    store: Store,
    parcel_id: str,
    act: Act,
    values: dict[str, Any],
    *,
    now: datetime,
    role: str = "planner",
    source: Source | None = None,
    plot: Row | None = None,
) -> Recorded:
    """
    Record one step of a plot: assigned, guarded, handed over, dismissed, re-checked or closed.

    Parameters
    ----------
    values
        ``at`` and what the act asks for (`NEEDED`); ``plants_left_n`` above 0 at a re-check means that plants grew
        again: the plot is confirmed anew.
    plot
        The parcel itself, where it is not on record yet: it is written with its first step.

    Raises
    ------
    StoreError
        An act the plot's state or the moment of its last step does not allow, or a closing without evidence, later
        check or full destruction.
    """
    for field in NEEDED.get(act, ()):
        if is_blank(values.get(field)):
            raise StoreError("step_missing", act=Word(f"act_{act}"), field=field)
    if act == Act.DISMISS:
        require_coded(values["reason"])
    grown = act in DONE_AS and (STEPS.conform_row(values)["plants_left_n"] or 0) > 0
    done = DONE_AS[act] if grown else act
    filled = {"at": now, **with_digests(values), "parcel_id": parcel_id, "act": str(done), "recorded_at": now}
    step = filled_row(STEPS, filled, store.crs, now)
    step["step_id"] = step_id = content_id("S", STEPS, step, without=("recorded_at",))

    def attempt() -> Recorded:
        is_new = plot is not None and not store.holds("parcels", [parcel_id])
        parcel = plot if plot and is_new else known_row(store, "parcels", parcel_id, "parcel_unknown")
        if store.holds("steps", [step_id]):
            return Recorded(step_id, None, str(parcel["status"]))
        if step["track_id"] and not store.holds("tracks", [step["track_id"]]):
            raise StoreError("track_unknown", value=step["track_id"])
        status = moved(parcel_id, str(parcel["status"]), done)
        _require_later(store, parcel_id, step["at"])
        if done == Act.CLOSE:
            _require_closable(store, parcel_id)
        reason = values["reason"] if act == Act.DISMISS else parcel.get("reason")
        after = parcel | {"status": str(status), "reason": reason}
        changed = Change("parcels", after) if is_new else Change("parcels", after, replace=True, before=parcel)
        changes = [Change("steps", step), changed]
        changes += _verified(store, parcel_id, step["at"]) if done == Act.RECHECK else []
        body = {"parcel_id": parcel_id, "step_id": step_id, "act": str(done), "parcel_status": str(status)}
        return Recorded(step_id, store.append(Entry("step", body, role, source), *changes, now=now), str(status))

    return unless_moved(attempt)


def plot_life_of(county: County, parcel_id: str, *, as_of: datetime) -> PlotLife:
    """All that is known of a plot at a moment; `StoreError` for one that is not there."""
    store, settings = county.store, county.settings.plots
    parcel = known_row(store, "parcels", parcel_id, "parcel_unknown")
    every = {layer: store.rows_where(layer, "parcel_id", parcel_id) for layer in TIMES}
    told = _until(every, as_of)
    flagged = parcel["flagged_at"] <= as_of or any(told.values())
    finds, visits, steps = told["finds"], told["visits"], told["steps"]
    return PlotLife(
        parcel_id,
        _status_at(str(parcel["status"]), every, as_of) if flagged else UNFLAGGED,
        [row for row in _history(parcel, finds, visits, steps) if row["at"] <= as_of],
        _dues(finds, visits, steps, county),
        plot_life.closing_faults(finds, visits, steps, photographed=lambda: _is_photographed(store, parcel_id, told)),
        plot_life.hours_between(finds, steps),
        min((find["fraction"] for find in finds), default=None),
        [undecided for find in finds if (undecided := _undecided(find, settings))],
    )


def _status_at(today: str, told: Mapping[str, Rows], as_of: datetime) -> str:
    """The plot's state at a moment; `UNKNOWN` where its rows do not even lead to the state it has today."""
    rows = told["finds"], told["visits"], told["steps"]
    last = max((row["at"] for row in _happened(*rows)), default=as_of)
    if last <= as_of:
        return today
    return str(plot_life.status_at(*rows, as_of)) if plot_life.status_at(*rows, last) == today else UNKNOWN


def recheck_calendar(county: County, *, as_of: datetime) -> pd.DataFrame:
    """Every look that is still due: ``parcel_id, township_id, day, why, days_left, status``, the nearest first."""
    today = as_of.astimezone(CHINA).date()
    parcels = county.store.read("parcels").set_index("parcel_id")
    rows = []
    for parcel_id, told in _by_plot(county.store, as_of).items():
        known = parcels.loc[parcel_id]
        for due in _dues(told["finds"], told["visits"], told["steps"], county):
            if due.met_at is None:
                left = (due.day - today).days
                rows.append((parcel_id, known["township_id"], due.day, due.why, left, known["status"]))
    columns = ["parcel_id", "township_id", "day", "why", "days_left", "status"]
    return pd.DataFrame(rows, columns=columns).sort_values(["day", "parcel_id"]).reset_index(drop=True)


@dataclass(frozen=True)
class Handling:
    """
    How long finds took to reach the police and to be destroyed.

    `plots` has one row per plot with a find or a guarded scene: ``parcel_id, township_id, status`` and the three legs
    in hours, NaN where unknown; `legs` per leg how many are known, their median and 90 % quantile, how many unknown.
    """

    as_of: datetime
    plots: pd.DataFrame
    legs: dict[str, dict[str, Any]]


def handling_hours(county: County, *, as_of: datetime) -> Handling:
    """Hours found → police → destroyed of every plot; an unknown hour is counted as unknown, never as a slow one."""
    parcels = county.store.read("parcels").set_index("parcel_id")
    rows = []
    for key, told in sorted(_by_plot(county.store, as_of).items()):
        if told["finds"] or any(step["act"] == Act.GUARD for step in told["steps"]):
            place = {name: parcels[name].get(key) for name in ("township_id", "status")}
            rows.append({"parcel_id": key, **place, **plot_life.hours_between(told["finds"], told["steps"])})
    names = ["found_to_police_h", "police_to_destroyed_h", "found_to_destroyed_h"]
    plots = pd.DataFrame(rows, columns=["parcel_id", "township_id", "status", *names])
    plots = plots.astype(dict.fromkeys(names, "float64"))
    legs = {}
    for name in names:
        held = plots[name].dropna()
        low, high = (float(held.quantile(q)) if len(held) else None for q in (0.5, 0.9))
        legs[name] = {"known_n": len(held), "unknown_n": len(plots) - len(held), "median_h": low, "p90_h": high}
    return Handling(as_of, plots.sort_values("found_to_destroyed_h", ascending=False, kind="stable"), legs)


def _require_closable(store: Store, parcel_id: str) -> None:
    told = {layer: store.rows_where(layer, "parcel_id", parcel_id) for layer in TIMES}
    faults = plot_life.closing_faults(
        told["finds"], told["visits"], told["steps"], photographed=lambda: _is_photographed(store, parcel_id, told)
    )
    if faults:
        raise StoreError("close_refused", parcel=parcel_id, why=[Word(fault) for fault in faults])


def _require_later(store: Store, parcel_id: str, at: datetime) -> None:
    """A step happens after those before it: hours from found to police to destroyed rest on that."""
    last = max((step["at"] for step in store.rows_where("steps", "parcel_id", parcel_id)), default=None)
    if last is not None and at < last:
        raise StoreError("step_before", parcel=parcel_id, at=in_china(at), last=in_china(last))


def in_china(moment: datetime) -> str:
    """A moment to the minute, as people in China read it."""
    return f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"


def is_kept(store: Store, digest: str) -> bool:
    """Whether a photo of this SHA-256 was taken in: a number alone shows nothing."""
    return bool(store.rows_where("photos", "sha256", digest))


def _is_photographed(store: Store, parcel_id: str, told: Mapping[str, Rows]) -> bool:
    """Whether a photo is on record of a plot, of a find or visit on it, or under a digest that one of them names."""
    about = [("parcel_id", parcel_id)]
    about += [("find_id", find["find_id"]) for find in told["finds"]]
    about += [("visit_id", visit["visit_id"]) for visit in told["visits"]]
    named = {row[name] for rows in told.values() for row in rows for name in DIGESTS if row.get(name)}
    return any(store.rows_where("photos", *one) for one in about) or any(is_kept(store, one) for one in named)


def _verified(store: Store, parcel_id: str, at: datetime) -> list[Change]:
    """The plot's destroyed finds, verified by a re-check that found nothing left."""
    finds = store.rows_where("finds", "parcel_id", parcel_id)
    seen = [one for one in finds if one["verified_at"] is None and one["fraction"] == 1.0 and one["destroyed_at"] < at]
    return [Change("finds", one | {"verified_at": at}, replace=True, before=one) for one in seen]


def _until(told: Mapping[str, Rows], as_of: datetime) -> dict[str, list[Row]]:
    """What had happened by a moment, finds as they were then."""
    until = {layer: [dict(row) for row in rows if row[TIMES[layer]] <= as_of] for layer, rows in told.items()}
    return until | {"finds": [plot_life.find_at(find, as_of) for find in until["finds"]]}


def _by_plot(store: Store, as_of: datetime) -> dict[str, dict[str, list[Row]]]:
    """Finds, visits and steps until a moment of every plot that has any of them."""
    plots: dict[str, dict[str, list[Row]]] = {}
    for layer, rows in _until({layer: rows_of(store.read(layer)) for layer in TIMES}, as_of).items():
        for row in rows:
            if row["parcel_id"] is not None:
                plots.setdefault(row["parcel_id"], {name: [] for name in TIMES})[layer].append(row)
    return plots


def _dues(finds: Rows, visits: Rows, steps: Rows, county: County) -> list[Due]:
    """The looks due at a plot, each with the moment it was taken."""
    looks = [
        *(step["at"] for step in steps if step["act"] in (Act.RECHECK, Act.REGROW)),
        *(visit["visited_at"] for visit in visits if visit["outcome"] != UNREACHED),
        *(find["verified_at"] for find in finds if find["verified_at"] is not None),
    ]
    gone = [find["destroyed_at"] for find in finds if find["destroyed_at"] is not None]
    season = replace(county.season, year=max(gone).astimezone(CHINA).year) if gone else county.season
    return plot_life.rechecks_due(finds, looks, season, county.settings.plots)


def _history(parcel: Row, finds: Rows, visits: Rows, steps: Rows) -> list[Row]:
    """``at, what, who, id`` of everything that happened, in order of time."""
    flagged = {"at": parcel["flagged_at"], "what": "flag", "who": parcel["source"], "id": parcel["parcel_id"]}
    return sorted([flagged, *_happened(finds, visits, steps)], key=lambda row: row["at"])


def _happened(finds: Rows, visits: Rows, steps: Rows) -> list[Row]:
    """As `_history`, without the flag and in no order."""
    told = [
        *(("visit", visit["visited_at"], visit["team_id"], visit["visit_id"]) for visit in visits),
        *(("find", find["found_at"], find["team_id"], find["find_id"]) for find in finds),
        *(("eradicate", find["destroyed_at"], find["team_id"], find["find_id"]) for find in finds),
        *(("verify", find["verified_at"], find["team_id"], find["find_id"]) for find in finds),
        *((step["act"], step["at"], step["team_id"] or step["post"], step["step_id"]) for step in steps),
    ]
    return [{"at": at, "what": what, "who": who, "id": key} for what, at, who, key in told if at is not None]


def _undecided(find: Mapping[str, Any], settings: PlotSettings) -> dict[str, Any] | None:
    """A find whose counted interval does not decide a legal threshold of its day."""
    low, high = (find["plants_n"] if find[name] is None else find[name] for name in ("plants_low_n", "plants_high_n"))
    day = find["found_at"].astimezone(CHINA).date()
    count = PlantCount(int(find["plants_n"]), int(low), int(high))
    limits = plot_life.straddled(count, plot_life.thresholds_in_force(settings.plants_law, day))
    return {"find_id": find["find_id"], "low": count.low_n, "high": count.high_n, "limits": limits} if limits else None


def sampled(counts: list[int], quadrat_m2: float, area_m2: float, settings: PlotSettings, day: date) -> dict[str, Any]:
    """A sampled count as the columns of a find, with the thresholds it leaves open."""
    try:
        count = plot_life.sampled_count(counts, quadrat_m2, area_m2, settings.confidence)
    except ValueError as wrong:
        raise LayerError("sample_bad") from wrong
    limits = plot_life.straddled(count, plot_life.thresholds_in_force(settings.plants_law, day))
    columns = {"plants_n": count.plants_n, "plants_low_n": count.low_n, "plants_high_n": count.high_n}
    return columns | {"counted": "抽样", "area_m2": area_m2, "straddles": limits}
