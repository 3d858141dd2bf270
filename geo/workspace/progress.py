"""踏查进度 of a county: due, looked at and not reported by township, village, round and class; and the first page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from geo.analysis import progress as science
from geo.analysis.contradictions import found_unrecorded
from geo.analysis.order_book import open_problems
from geo.analysis.progress import Ints, Progress
from geo.analysis.rounds import calendar, due_windows, season_rounds
from geo.layers.duties import in_force
from geo.layers.orders import TASK, Step
from geo.layers.parcels import OPEN
from geo.layers.steps import Act
from geo.season import CHINA
from geo.workspace.county import County
from geo.workspace.ordering import dailies_at, orders_at, round_of, season_tasks
from geo.workspace.register import plain_records, responsibility_register
from geo.workspace.rights import Role

OPEN_SHOWN = 50


@dataclass(frozen=True)
class ProgressAnswer:
    """
    `progress` is by village and round, `townships` names them; `calendar` says which days the rounds rest on and
    whether they are those of the orders (`by_orders_n` villages and rounds) or of the calendar.
    """

    as_of: datetime
    ledger_head: str | None
    progress: Progress
    townships: pd.DataFrame
    totals: dict[str, dict[str, Any]]
    calendar: dict[str, Any]
    by_orders_n: int

    def json(self) -> dict[str, Any]:
        """The progress as plain values; what cannot be computed is null."""
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": self.calendar | {"by_orders_n": self.by_orders_n},
            "villages_n": int(self.progress.cells["village_id"].nunique()),
            "cells_n": len(self.progress.cells),
            "unplaced": self.progress.unplaced,
            "totals": self.totals,
            "townships": plain_records(self.townships),
            "open": plain_records(science.overdue_first(self.progress.cells)),
        }


@dataclass(frozen=True)
class ProgressTables:
    """
    What progress rests on, read once: ``villages`` (see `villages_due`), names of townships, first and last
    milliseconds due (villages, rounds), how many of those are of orders, and the visits; all of the season alone.
    """

    villages: pd.DataFrame
    names: dict[str, str]
    due_from: Ints
    due_to: Ints
    by_orders_n: int
    visits: pd.DataFrame


def progress_tables(county: County) -> ProgressTables:
    """The tables as they stand; good until the store changes."""
    units = county.store.read("units")
    villages = villages_due(county, units)
    due_from, due_to, by_orders = _windows(county, villages)
    names = township_names(county, units)
    visits = county.store.read("visits")
    visits = pd.DataFrame(visits[county.season.holds(visits["visited_at"])])
    return ProgressTables(villages, names, due_from, due_to, by_orders, visits)


def measure_progress(
    county: County,
    *,
    as_of: datetime | None = None,
    rounds: Sequence[int] | None = None,
    tables: ProgressTables | None = None,
) -> ProgressAnswer:
    """Where every village stands in every round (or in those named) at a moment."""
    moment = as_of or county.as_of()
    for number in rounds or ():
        round_of(county, number)
    held = tables or progress_tables(county)
    found = science.village_progress(held.villages, held.due_from, held.due_to, held.visits, moment)
    if rounds:
        cells, table = (part[part["round"].isin(list(rounds))] for part in (found.cells, found.townships))
        found = Progress(cells.reset_index(drop=True), table.reset_index(drop=True), found.unplaced)
    head = county.store.head()
    named = found.townships.assign(name=found.townships["township_id"].map(held.names))
    sums = {str(number): science.totals(rows) for number, rows in found.townships.groupby("round")}
    sums["all"] = science.totals(found.townships) if len(found.townships) else {}
    days = calendar(county.season, county.settings.campaign)
    return ProgressAnswer(moment, head.hash if head else None, found, named, sums, days, held.by_orders_n)


def today(county: County, *, as_of: datetime | None = None) -> dict[str, Any]:
    """
    Everything the first page shows, in one call: the running round, what is overdue first, receipts, daily reports,
    problems, targets with few days left, finds still standing, and ground nobody answers for.

    The orders are those of `orders_round`, the last round that any were issued for (None: none yet). Of
    `targets_open_n`, `targets_shared_n` lie in the border strip that a township account answers for with its
    neighbour, outside its own ground; the committee's row of the township does not count them.
    """
    moment = as_of or county.as_of()
    answer = measure_progress(county, as_of=moment)
    running = [one for one in season_rounds(county.season, county.settings.campaign) if one.start <= moment]
    number = running_round(county, moment)
    book = orders_at(county, moment)
    tasks = book[(book["kind"] == TASK) & (book["round"] <= number) & county.season.holds(book["due_from"])]
    issued = None if tasks.empty else int(tasks["round"].max())
    tasks = tasks[tasks["round"] == issued]
    parcels, finds = county.store.read("parcels"), county.store.read("finds")
    waiting = parcels[parcels["status"].isin([str(status) for status in OPEN]) & (parcels["flagged_at"] <= moment)]
    left = (waiting["deadline"] - pd.Timestamp(moment)).dt.days
    alone = county.actor.role is Role.TOWNSHIP
    shared = waiting[~waiting["township_id"].isin(county.actor.grounds)] if alone else waiting[:0]
    standing = finds[(finds["found_at"] <= moment) & ((finds["fraction"] < 1.0) | finds["destroyed_at"].isna())]
    untold = finds_untold(finds[finds["found_at"] <= moment], county.store.read("steps"), parcels)
    mine = finds[county.season.holds(finds["found_at"]) & (finds["found_at"] <= moment)]
    claimed = found_unrecorded(visits_until(county, moment), mine)
    cells = answer.progress.cells
    day = moment.astimezone(CHINA).date()
    new = cells["first_at"].dt.tz_convert(CHINA).dt.date == day
    register = responsibility_register(county, as_of=moment)
    open_ = science.overdue_first(cells[cells["round"] <= number])
    return {
        "as_of": moment.isoformat(),
        "ledger_head": answer.ledger_head,
        "round": number,
        "days_left": max(0, (running[-1].stop - moment).days) if running else None,
        "calendar": answer.calendar,
        "totals": answer.totals.get(str(number), {}),
        "townships": plain_records(answer.townships[answer.townships["round"] == number]),
        "new_today_n": int(new.sum()),
        "new_today": plain_records(cells.loc[new, ["village_id", "township_id", "name", "state"]]),
        "posts": _posts(county, moment),
        "open_n": len(open_),
        "open": plain_records(open_.head(OPEN_SHOWN)),
        "contradictory": plain_records(cells[cells["contradictory"]][["village_id", "name", "round"]]),
        "found_unrecorded_n": len(claimed),
        "found_unrecorded": plain_records(
            claimed[["visit_id", "parcel_id", "village_id", "team_id", "visited_at"]]
            .sort_values("visited_at")
            .head(OPEN_SHOWN)
        ),
        "orders_round": issued,
        "orders_unsigned_n": int(tasks["unsigned"].sum()),
        "orders_unsigned": plain_records(tasks[tasks["unsigned"]][["order_id", "unit_id", "post"]]),
        "orders_closed_n": int((tasks["state"] == Step.CLOSED).sum()),
        "orders_n": len(tasks),
        "problems": plain_records(
            open_problems(book)[["order_id", "unit_id", "text", "due_to", "state", "overdue_days"]]
        ),
        "dailies": dailies_at(county, moment),
        "targets_open_n": len(waiting),
        "targets_shared_n": len(shared),
        "targets_urgent_n": int((left <= 3).sum()),
        "targets_open": plain_records(
            waiting.assign(days_left=left)[["parcel_id", "source_id", "township_id", "status", "days_left"]]
            .sort_values("days_left", na_position="last", kind="stable")
            .head(OPEN_SHOWN)
        ),
        "finds_standing_n": len(standing),
        "finds_untold_n": len(untold),
        "finds_untold": [
            {name: row[name] for name in ("find_id", "parcel_id", "township_id", "plants_n")}
            | {"found_at": row["found_at"].isoformat(), "hours": (moment - row["found_at"]).total_seconds() / 3600.0}
            for row in untold.sort_values("found_at").head(OPEN_SHOWN).to_dict("records")
        ],
        "nobody_n": int(register.units["nobody"].sum()),
        "nobody": plain_records(
            register.units.loc[register.units["nobody"], ["unit_kind", "unit_id", "name", "township_id"]]
        ),
    }


def visits_until(county: County, moment: datetime) -> pd.DataFrame:
    """The season's visits made by a moment."""
    visits = county.store.read("visits")
    return pd.DataFrame(visits[county.season.holds(visits["visited_at"]) & (visits["visited_at"] <= moment)])


def finds_untold(finds: pd.DataFrame, steps: pd.DataFrame, parcels: pd.DataFrame) -> pd.DataFrame:
    """Finds no police station has been told of (发现未移交): on plots without a hand-over, or on no plot at all."""
    told = set(steps.loc[steps["act"] == Act.HAND_OVER, "parcel_id"])
    plain = pd.DataFrame(finds[~finds["parcel_id"].isin(told)].drop(columns="geometry", errors="ignore"))
    township = dict(zip(parcels["parcel_id"], parcels["township_id"], strict=True))
    return plain.assign(township_id=plain["township_id"].fillna(plain["parcel_id"].map(township)))


def _posts(county: County, moment: datetime) -> dict[str, str]:
    """Village -> the posts that answer for it at a moment."""
    duties = in_force(county.store.read("duties"), moment)
    own = duties[duties["unit_kind"] == "village"]
    joined = own.groupby("unit_id")["post"].agg(lambda posts: "、".join(dict.fromkeys(posts)))
    return {str(unit): str(posts) for unit, posts in joined.items()}


def village_states(county: County, *, as_of: datetime | None = None) -> dict[str, str]:
    """Village -> where it stands in the round that runs at a moment (`science.STATES`)."""
    moment = as_of or county.as_of()
    cells = measure_progress(county, as_of=moment).progress.cells
    own = cells[cells["round"] == running_round(county, moment)]
    return dict(zip(own["village_id"], own["state"], strict=True))


def running_round(county: County, moment: datetime) -> int:
    """Number of the round that has begun last; the first before any has."""
    begun = [one for one in season_rounds(county.season, county.settings.campaign) if one.start <= moment]
    return begun[-1].number if begun else 1


def villages_due(county: County, units: pd.DataFrame) -> pd.DataFrame:
    """Villages with what the register says: ``village_id, township_id, name, edge, key_area, due_m2, elevation_m``."""
    villages = pd.DataFrame(county.store.read("villages").drop(columns="geometry"))
    said = units[units["unit_kind"] == "village"].set_index("unit_id")
    unlisted = said[~said.index.isin(villages["village_id"])]
    more = pd.DataFrame(
        {
            "village_id": unlisted.index,
            "township_id": unlisted["parent_id"].to_numpy(),
            "name": unlisted["name"].to_numpy(),
        }
    )
    whole = pd.concat([villages, more], ignore_index=True) if len(more) else villages
    index = pd.Index(whole["village_id"])
    for name in ("key_area", "due_m2", "elevation_m"):
        whole[name] = said[name].reindex(index).to_numpy()
    told = said["edge"].reindex(index).to_numpy()
    whole["edge"] = np.where(pd.isna(told), whole["edge"].to_numpy(), told)
    return whole


def township_names(county: County, units: pd.DataFrame) -> dict[str, str]:
    """Names of the townships, as drawn or as the register has them."""
    townships = county.store.read("townships")
    said = units[units["unit_kind"] == "township"]
    drawn = dict(zip(townships["township_id"], townships["name"], strict=True))
    return dict(zip(said["unit_id"], said["name"], strict=True)) | drawn


def _windows(county: County, villages: pd.DataFrame) -> tuple[Ints, Ints, int]:
    """Milliseconds, (villages, rounds): the days of the orders where there are any, else of the calendar by height."""
    settings = county.settings
    rounds = season_rounds(county.season, settings.campaign)
    heights = pd.to_numeric(villages["elevation_m"], errors="coerce").to_numpy(float)
    kinds, place = np.unique(heights, return_inverse=True, equal_nan=True)
    due_from = np.empty((len(villages), len(rounds)), np.int64)
    due_to = due_from.copy()
    for number, one in enumerate(rounds):
        starts, stops = due_windows(one, kinds, county.season)
        due_from[:, number], due_to[:, number] = _ms(starts)[place], _ms(stops)[place]
    orders = season_tasks(county)
    orders = orders[orders["round"].between(1, len(rounds))]
    village = pd.Index(villages["village_id"]).get_indexer(pd.Index(orders["unit_id"]))
    held = village >= 0
    at = village[held], orders["round"].to_numpy(np.int64)[held] - 1
    due_from[at] = _ms(pd.DatetimeIndex(orders["due_from"]))[held]
    due_to[at] = _ms(pd.DatetimeIndex(orders["due_to"]))[held]
    return due_from, due_to, int(held.sum())


def _ms(times: pd.DatetimeIndex) -> Ints:
    return np.asarray(times.as_unit("ms").asi8)
