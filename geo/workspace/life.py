"""The life of a plot on record: its steps, what is still due, and why it cannot be closed yet."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pandas as pd

from geo.analysis import plot_life
from geo.analysis.plot_life import Due, PlantCount, moved
from geo.errors import LayerError, StoreError
from geo.layers.steps import SCHEMA as STEPS
from geo.layers.steps import Act
from geo.ledger import Entry, Source
from geo.season import CHINA, Season
from geo.settings import PlotSettings
from geo.store import Change, Store
from geo.words import Word
from geo.workspace.county import County
from geo.workspace.forms import content_id, filled_form
from geo.workspace.recording import Recorded, finds_of, one_row, require_coded, unless_moved

NEEDED: dict[Act, tuple[str, ...]] = {
    Act.ASSIGN: ("team_id",),
    Act.HAND_OVER: ("station", "receipt"),
    Act.DISMISS: ("reason",),
    Act.RECHECK: ("plants_left_n",),
}
DONE_AS = {Act.RECHECK: Act.REGROW}


@dataclass(frozen=True)
class PlotLife:
    """
    A plot at a moment: its state, all that happened in order, what is due, and what still forbids closing it.

    `history` has ``at, what, who, id, status`` (see `plot_life`); `faults` are codes of ``geo.words``.
    """

    parcel_id: str
    status: str
    history: pd.DataFrame
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
) -> Recorded:
    """
    Record one step of a plot: assigned, guarded, handed over, dismissed, re-checked or closed.

    Parameters
    ----------
    values
        ``at`` and what the act asks for (`NEEDED`); ``plants_left_n`` above 0 at a re-check means that plants grew
        again: the plot is confirmed anew.

    Raises
    ------
    StoreError
        An act the plot's state or the moment of its last step does not allow, or a closing without evidence, later
        check or full destruction.
    """
    for field in NEEDED.get(act, ()):
        if values.get(field) in (None, ""):
            raise StoreError("step_missing", act=Word(f"act_{act}"), field=field)
    if act == Act.DISMISS:
        require_coded(values["reason"])
    done = DONE_AS[act] if act in DONE_AS and int(values["plants_left_n"]) > 0 else act
    filled = {"at": now, **values, "parcel_id": parcel_id, "act": str(done), "recorded_at": now}
    step = pd.DataFrame(filled_form(STEPS, filled, store.crs, now).drop(columns="geometry", errors="ignore"))
    step["step_id"] = step_id = content_id("S", STEPS, step, without=("recorded_at",))

    def attempt() -> Recorded:
        parcels = one_row(store, "parcels", parcel_id, "parcel_unknown")
        if store.holds("steps", [step_id]):
            return Recorded(step_id, None, str(parcels["status"].iloc[0]))
        one_row(store, "tracks", step["track_id"].iloc[0], "track_unknown")
        status = moved(parcel_id, str(parcels["status"].iloc[0]), done)
        _require_later(store, parcel_id, step["at"].iloc[0])
        if done == Act.CLOSE:
            _require_closable(store, parcel_id)
        reason = values["reason"] if act == Act.DISMISS else parcels["reason"].iloc[0]
        after = parcels.assign(status=str(status), reason=reason)
        changes = [Change("steps", step), Change("parcels", after, replace=True, before=parcels)]
        changes += _verified(store, parcel_id, step) if done == Act.RECHECK else []
        body = {"parcel_id": parcel_id, "step_id": step_id, "act": str(done), "parcel_status": str(status)}
        return Recorded(step_id, store.append(Entry("step", body, role, source), *changes, now=now), str(status))

    return unless_moved(attempt)


def plot_life_of(county: County, parcel_id: str, *, as_of: datetime) -> PlotLife:
    """All that is known of a plot at a moment; `StoreError` for one that is not there."""
    parcel = one_row(county.store, "parcels", parcel_id, "parcel_unknown")
    finds, visits, steps = _told(county.store, parcel_id, as_of)
    settings = county.settings.plots
    return PlotLife(
        parcel_id,
        str(parcel["status"].iloc[0]),
        _history(parcel, finds, visits, steps),
        plot_life.rechecks_due(finds, _looks(finds, visits, steps), _season_of(finds, county.season), settings),
        plot_life.closing_faults(finds, visits, steps, _photos_n(county.store, parcel_id)),
        plot_life.hours_between(finds, steps),
        None if finds.empty else float(finds["fraction"].min()),
        [undecided for _, find in finds.iterrows() if (undecided := _undecided(find, settings))],
    )


def recheck_calendar(county: County, *, as_of: datetime) -> pd.DataFrame:
    """Every look that is still due: ``parcel_id, township_id, day, why, days_left, status``, the nearest first."""
    store, today = county.store, as_of.astimezone(CHINA).date()
    parcels = store.read("parcels").set_index("parcel_id")
    rows = []
    for parcel_id in store.read("finds")["parcel_id"].dropna().unique():
        for due in plot_life_of(county, str(parcel_id), as_of=as_of).dues:
            if due.met_at is None:
                known = parcels.loc[parcel_id]
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
    store = county.store
    finds, steps = store.read("finds"), store.read("steps")
    finds, steps = finds[finds["found_at"] <= as_of], steps[steps["at"] <= as_of]
    guarded = steps.loc[steps["act"] == Act.GUARD, "parcel_id"]
    keys = sorted({*finds["parcel_id"].dropna(), *guarded})
    parcels = store.read("parcels").set_index("parcel_id")
    of_finds, of_steps = finds.groupby("parcel_id"), steps.groupby("parcel_id")
    rows = []
    for key in keys:
        mine = [groups.get_group(key) if key in groups.groups else table.iloc[:0]
                for groups, table in ((of_finds, finds), (of_steps, steps))]  # fmt: skip
        known = {"parcel_id": key, "township_id": parcels["township_id"].get(key), "status": parcels["status"].get(key)}
        rows.append(known | plot_life.hours_between(*mine))
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
    finds, visits, steps = (store.read_where(layer, "parcel_id", parcel_id) for layer in ("finds", "visits", "steps"))
    faults = plot_life.closing_faults(finds, visits, steps, _photos_n(store, parcel_id))
    if faults:
        raise StoreError("close_refused", parcel=parcel_id, why=[Word(fault) for fault in faults])


def _require_later(store: Store, parcel_id: str, at: pd.Timestamp) -> None:
    """A step happens after those before it: hours from found to police to destroyed rest on that."""
    last = store.read_where("steps", "parcel_id", parcel_id)["at"].max()
    if at < last:
        raise StoreError("step_before", parcel=parcel_id, at=in_china(at), last=in_china(last))


def in_china(moment: pd.Timestamp) -> str:
    """A moment to the minute, as people in China read it."""
    return f"{moment.tz_convert(CHINA):%Y-%m-%d %H:%M}"


def _photos_n(store: Store, parcel_id: str) -> int:
    """Photos on record of a plot."""
    return len(store.read_where("photos", "parcel_id", parcel_id))


def _verified(store: Store, parcel_id: str, step: pd.DataFrame) -> list[Change]:
    """The plot's destroyed finds, verified by a re-check that found nothing left."""
    finds = finds_of(store, parcel_id)
    at = step["at"].iloc[0]
    seen = finds[finds["verified_at"].isna() & (finds["fraction"] == 1.0) & (finds["destroyed_at"] < at)]
    if seen.empty:
        return []
    moment = pd.Series([at] * len(seen), index=seen.index, dtype="datetime64[ms, UTC]")
    return [Change("finds", seen.assign(verified_at=moment), replace=True, before=seen)]


def _told(store: Store, parcel_id: str, as_of: datetime) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Finds, visits and steps of a plot until a moment."""
    times = {"finds": "found_at", "visits": "visited_at", "steps": "at"}
    held = {layer: store.read_where(layer, "parcel_id", parcel_id) for layer in times}
    finds, visits, steps = (held[layer][held[layer][time] <= as_of] for layer, time in times.items())
    return finds, visits, steps


def _looks(finds: pd.DataFrame, visits: pd.DataFrame, steps: pd.DataFrame) -> list[datetime]:
    checks = steps.loc[steps["act"].isin([Act.RECHECK, Act.REGROW]), "at"]
    been = visits.loc[visits["outcome"] != "无法到达", "visited_at"]
    return [moment.to_pydatetime() for moment in pd.concat([checks, been, finds["verified_at"].dropna()])]


def _season_of(finds: pd.DataFrame, season: Season) -> Season:
    """The season in which a plot was last destroyed."""
    last = finds["destroyed_at"].max()
    return season if pd.isna(last) else replace(season, year=last.astimezone(CHINA).year)


def _history(parcel: pd.DataFrame, finds: pd.DataFrame, visits: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """``at, what, who, id`` of everything that happened, in order of time."""
    flagged = parcel.assign(what="flag", who=parcel["source"], at=parcel["flagged_at"], id=parcel["parcel_id"])
    seen = visits.assign(what="visit", who=visits["team_id"], at=visits["visited_at"], id=visits["visit_id"])
    found = finds.assign(what="find", who=finds["team_id"], at=finds["found_at"], id=finds["find_id"])
    gone, checked = (found[found[moment].notna()] for moment in ("destroyed_at", "verified_at"))
    gone = gone.assign(what="eradicate", at=gone["destroyed_at"])
    checked = checked.assign(what="verify", at=checked["verified_at"])
    done = steps.assign(what=steps["act"], who=steps["team_id"].fillna(steps["post"]), id=steps["step_id"])
    names = ["at", "what", "who", "id"]
    tables = [pd.DataFrame(table)[names] for table in (flagged, seen, found, gone, checked, done) if len(table)]
    return pd.concat(tables).sort_values("at", kind="stable").reset_index(drop=True)


def _undecided(find: pd.Series, settings: PlotSettings) -> dict[str, Any] | None:
    """A find whose counted interval does not decide a legal threshold of its day."""
    low, high = (find[name] if pd.notna(find[name]) else find["plants_n"] for name in ("plants_low_n", "plants_high_n"))
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
