"""Orders per village and round: issued, signed for, answered, checked and closed; and the daily reports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis.order_book import due_days, missing_dailies, order_book
from geo.analysis.rounds import Round, due_windows, season_rounds
from geo.errors import LayerError, StoreError
from geo.formats.sniffing import read_bytes
from geo.layers import SCHEMAS
from geo.layers.orders import JOINT, MOVES, RECTIFY, TASK, Step, allowed, state_of
from geo.ledger import Entry, row_digest
from geo.season import CHINA, Season
from geo.store import Change, grids, photos
from geo.workspace.county import County
from geo.workspace.register import joined, own_units, posts_of, register_units
from geo.workspace.register_rows import require_post

SLACK = timedelta(days=1)
NOBODY = "无人负责"


@dataclass(frozen=True)
class Issued:
    """Orders of one round: how many are new, and all of them."""

    new_n: int
    orders: pd.DataFrame


@dataclass(frozen=True)
class Stepped:
    """What a step came to: its id, the order's state afterwards, and whether it was new."""

    step_id: str
    order_id: str
    state: str
    is_new: bool


def round_of(county: County, number: int) -> Round:
    """A round of the season by its number; `LayerError` where there is none."""
    rounds = season_rounds(county.season, county.settings.campaign)
    if not 1 <= number <= len(rounds):
        raise LayerError("round_unknown", value=number, n=len(rounds))
    return rounds[number - 1]


def issue_orders(
    county: County, number: int, *, now: datetime, at: datetime | None = None, post: str = "", text: str | None = None
) -> Issued:
    """
    An order to every village for a round, due by its height; a village that has one already keeps it.

    Parameters
    ----------
    at
        When the orders count as issued (now).
    post
        Post that issues them; the county's issuer by default.
    """
    moment = _moment(county, at or now, now)
    round_ = round_of(county, number)
    if post:
        require_post(post)
    units = register_units(county)
    villages = units[units["unit_kind"] == "village"].reset_index(drop=True)
    posts = posts_of(county.store.read("duties"), moment)
    starts, stops = due_windows(round_, village_heights(county, villages), county.season)
    schema = SCHEMAS["orders"]
    orders = pd.DataFrame(
        {
            "order_id": [order_id(county.settings.season, number, unit) for unit in villages["unit_id"]],
            "kind": TASK,
            "unit_id": villages["unit_id"],
            "township_id": villages["township_id"],
            "round": number,
            "due_from": starts,
            "due_to": stops,
            "post": [joined(posts, unit) for unit in villages["unit_id"]],
            "text": text,
        }
    )
    orders = schema.conform(orders)
    known = set(county.store.read("orders", list(orders["order_id"]))["order_id"])
    fresh = orders[~orders["order_id"].isin(known)].reset_index(drop=True)
    if len(fresh):
        steps = _steps(fresh["order_id"], Step.ISSUED, moment, post or county.settings.campaign.issuer or NOBODY)
        entry = Entry("orders_issued", {"round": number, "orders_n": len(fresh)})
        county.store.append(entry, Change("orders", fresh), Change("order_steps", steps), now=now)
    return Issued(len(fresh), orders)


def season_tasks(county: County) -> pd.DataFrame:
    """The orders to villages of the season that is on; those of other seasons stay in the store."""
    orders = county.store.read("orders")
    return pd.DataFrame(orders[(orders["kind"] == TASK) & county.season.holds(orders["due_from"])])


def season_of(county: County, moment: datetime) -> Season:
    """The season, by the county's calendar, in whose span a moment lies."""
    season = replace(county.season, year=moment.year + 1)
    while moment < season.span[0]:
        season = replace(season, year=season.year - 1)
    return season


def order_id(season: int, number: int, unit_id: str) -> str:
    """The number of a village's order in a round."""
    return f"R{season}-{number}-{unit_id}"


def raise_problem(
    county: County, parent: str, text: str, *, post: str, now: datetime, at: datetime | None = None,
    deadline: datetime | None = None,
) -> Stepped:  # fmt: skip
    """A problem on an order's ground becomes an order of its own (限期整改), to be answered, checked and closed."""
    moment = _moment(county, at or now, now)
    order = _order(county, parent)
    due = deadline or moment + timedelta(days=county.settings.campaign.rectify_days)
    if due <= moment:
        raise LayerError("time_backwards", later="deadline", earlier="at")
    if not text.strip():
        raise LayerError("record_value_missing", field="text")
    require_post(post)
    if moment < _steps_of(county, parent)["at"].iloc[0]:
        raise StoreError("order_before", order=parent)
    row = {
        "kind": RECTIFY, "unit_id": order["unit_id"], "township_id": order["township_id"], "round": order["round"],
        "parent_id": parent, "due_from": moment, "due_to": due, "post": order["post"], "text": text.strip(),
    }  # fmt: skip
    number = "Z" + row_digest({"parent": parent, "text": text.strip(), "at": moment.isoformat()})[:12]
    steps = _steps([number], Step.ISSUED, moment, post)
    if county.store.read("orders", [number]).empty:
        table = SCHEMAS["orders"].conform(pd.DataFrame([row | {"order_id": number}]))
        entry = Entry("problem", {"order_id": number, "parent_id": parent})
        county.store.append(entry, Change("orders", table), Change("order_steps", steps), now=now)
        return Stepped(steps["step_id"].iloc[0], number, Step.ISSUED, True)
    return Stepped(steps["step_id"].iloc[0], number, str(_state(county, number, RECTIFY)), False)


def take_step(
    county: County, number: str, step: Step, *, post: str, now: datetime, at: datetime | None = None,
    slip_sha256: str | None = None, note: str | None = None,
) -> Stepped:  # fmt: skip
    """
    Something happened to an order; the same step again changes nothing.

    Raises
    ------
    StoreError
        The order's state does not allow it, it is dated before the step it follows, nobody has looked yet, a problem
        is still open, or a post would check its own answer.
    """
    moment = _moment(county, at or now, now)
    order = _order(county, number)
    require_post(post)
    row = _steps([number], step, moment, post.strip(), slip_sha256=slip_sha256, note=note)
    steps = _steps_of(county, number)
    known = row["step_id"].iloc[0]
    state = state_of(order["kind"], steps["step"])
    if (steps["step_id"] == known).any():
        return Stepped(known, number, str(state), False)
    _require_allowed(order, step, state)
    if moment < steps["at"].iloc[0]:
        raise StoreError("order_before", order=number)
    after = MOVES[order["kind"]][state][step]
    if state_of(order["kind"], _in_time(pd.concat([steps, row]))["step"]) != after:
        raise StoreError("order_early", order=number, step=step)
    if step == Step.CHECKED and steps.loc[steps["step"] == Step.ANSWERED, "post"].iloc[-1] == post.strip():
        raise StoreError("order_self_check", order=number, post=post)
    if step == Step.CLOSED:
        _require_looked(county, order)
    county.store.append(
        Entry("order_step", {"order_id": number, "state": str(after)}), Change("order_steps", row), now=now
    )
    return Stepped(known, number, str(after), True)


def keep_slip(county: County, file: Path) -> str:
    """Keep a scanned slip under its content, as photos are; the SHA-256 that the step names it by."""
    return photos.keep_original(county.path, read_bytes(file), file.suffix.lower() or ".bin", None)


def record_daily(
    county: County, unit_id: str, day: date, *, post: str, now: datetime, at: datetime | None = None,
    finds_n: int = 0, note: str | None = None,
) -> tuple[str, bool]:  # fmt: skip
    """A unit's daily report (零报告 with 0 finds): its id, and whether it is new."""
    moment = _moment(county, at or now, now)
    if day > moment.astimezone(CHINA).date():
        raise LayerError("time_future", field="day", value=day)
    _require_near(county, "day", day)
    if unit_id not in set(register_units(county)["unit_id"]):
        raise LayerError("unit_unknown", value=unit_id)
    require_post(post)
    if finds_n < 0:
        raise LayerError("value_low", value=finds_n, low=0)
    content = {"unit_id": unit_id, "day": day.isoformat(), "post": post.strip(), "finds_n": finds_n, "note": note}
    number = "L" + row_digest(content)[:12]
    if len(county.store.read("daily_reports", [number])):
        return number, False
    plain = pd.DataFrame([content | {"report_id": number, "reported_at": moment}])
    table = SCHEMAS["daily_reports"].conform(plain)
    county.store.append(Entry("daily_report", {"report_id": number}), Change("daily_reports", table), now=now)
    return number, True


def orders_at(county: County, as_of: datetime) -> pd.DataFrame:
    """`order_book` of the county at a moment."""
    return order_book(county.store.read("orders"), county.store.read("order_steps"), as_of)


def dailies_at(county: County, as_of: datetime) -> dict[str, Any]:
    """Which daily reports are due, sent, missing and contradicted by another, per township, as plain values."""
    rounds = season_rounds(county.season, county.settings.campaign)
    units = own_units(county, register_units(county))
    towns = units[units["unit_kind"] == "township"]
    reports = county.store.read("daily_reports")
    reports = reports[reports["reported_at"] <= as_of]
    missing = missing_dailies(list(towns["unit_id"]), reports, rounds, as_of)
    names = dict(zip(towns["unit_id"], towns["name"], strict=True))
    told = reports.groupby(["unit_id", "day"])["finds_n"].nunique()
    today = as_of.astimezone(CHINA).date().isoformat()
    sent = set(reports.loc[reports["day"] == today, "unit_id"])
    return {
        "due_n": len(due_days(rounds, as_of)) * len(towns),
        "missing_n": len(missing),
        "contradictory": [{"unit_id": unit, "day": day} for unit, day in told[told > 1].index],
        "today": today,
        "today_missing": [unit for unit in towns["unit_id"] if unit not in sent],
        "missing": [row | {"name": names.get(row["unit_id"])} for row in missing.to_dict("records")],
    }


def village_heights(county: County, villages: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Height of each village, metres: the register's, else the ground at its place; NaN where neither is known."""
    told: npt.NDArray[np.float64] = pd.to_numeric(villages["elevation_m"], errors="coerce").to_numpy(float)
    if not county.has_terrain() or np.isfinite(told).all():
        return told
    held = county.store.read("villages").set_index("village_id")
    places = shapely.centroid(held.geometry.reindex(villages["unit_id"]).to_numpy())
    found = grids.grid_at(county.path, "elevation", shapely.get_x(places), shapely.get_y(places))
    return np.where(np.isfinite(told), told, found)


def _steps(
    numbers: Sequence[str] | pd.Series, step: Step, at: datetime, post: str, *, slip_sha256: str | None = None,
    note: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    rows = []
    for number in numbers:
        row = {"order_id": number, "step": str(step), "at": at.isoformat(), "post": post, "slip_sha256": slip_sha256}
        row |= {"note": note}
        rows.append(row | {"step_id": "S" + row_digest(row)[:16]})
    return SCHEMAS["order_steps"].conform(pd.DataFrame(rows))


def _moment(county: County, at: datetime, now: datetime) -> datetime:
    if at.tzinfo is None:
        raise LayerError("record_time_naive", field="at", value=at)
    if at > now + SLACK:
        raise LayerError("time_future", field="at", value=at)
    _require_near(county, "at", at.astimezone(CHINA).date())
    return at.astimezone(UTC)


def _require_near(county: County, field: str, day: date) -> None:
    """Refuse a day of a season long past: as a rule its year is mistyped."""
    if day < replace(county.season, year=county.season.year - 1).bounds[0].date():
        raise LayerError("time_long_past", field=field, value=day)


def _order(county: County, number: str) -> dict[Any, Any]:
    held = county.store.read("orders", [number])
    if held.empty:
        raise StoreError("order_unknown", value=number)
    return {name: None if pd.isna(value) else value for name, value in held.iloc[0].items()}


def _state(county: County, number: str, kind: str) -> Step | None:
    return state_of(kind, _steps_of(county, number)["step"])


def _steps_of(county: County, number: str) -> pd.DataFrame:
    steps = county.store.read("order_steps")
    return _in_time(steps[steps["order_id"] == number])


def _in_time(steps: pd.DataFrame) -> pd.DataFrame:
    return steps.sort_values("at", kind="stable")


def _require_allowed(order: dict[Any, Any], step: Step, state: Step | None) -> None:
    if step not in allowed(order["kind"], state):
        known = "、".join(allowed(order["kind"], state)) or "–"
        raise StoreError("order_move", order=order["order_id"], state=state, step=step, known=known)


def _require_looked(county: County, order: dict[Any, Any]) -> None:
    """A task closes only when somebody looked at its village in its round and no problem of it is open."""
    if order["kind"] in (RECTIFY, JOINT):
        return
    visits = county.store.read("visits")
    mine = (visits["village_id"] == order["unit_id"]) & (visits["outcome"] != "无法到达")
    within = (visits["visited_at"] >= order["due_from"]) & (visits["visited_at"] < order["due_to"])
    mine &= season_of(county, order["due_from"]).holds(visits["visited_at"])
    if not (mine & ((visits["round"] == order["round"]) | (visits["round"].isna() & within))).any():
        raise StoreError("order_unlooked", order=order["order_id"])
    orders = county.store.read("orders")
    for child in orders.loc[orders["parent_id"] == order["order_id"], "order_id"]:
        if _state(county, child, RECTIFY) != Step.CLOSED:
            raise StoreError("order_problem_open", order=order["order_id"], problem=child)
