"""What became of made-up orders: signed for late or never, answered, sent back, closed; problems; daily reports."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from geo.analysis.progress import UNREACHED
from geo.demo.records import LAST_MOMENT, moments
from geo.demo.sizes import SEASON
from geo.layers import orders
from geo.layers.orders import RECTIFY, Step

OFFICE, SUPERVISOR, TOWN = "县禁毒办（虚构）", "县督导组（虚构）", "乡镇踏查专班（虚构）"
VILLAGE_DESK, DUTY_DESK = "村委会值班岗（虚构）", "乡镇值班岗（虚构）"
ISSUED_ON = {1: "01-03", 2: "03-09"}
PROBLEMS = ("北侧坡耕地未查到边（虚构）", "庭院台账与户数对不上（虚构）", "记录表缺村级签字（虚构）")
DONE_PARTS = (4, 1, 3, 0)
"""How many of signed, answered, checked, closed each problem gets to, in turn."""
Row = dict[Any, Any]


def issued_at(number: int) -> pd.Timestamp:
    """When the orders of a round went out, UTC; the third round's are left to whoever tries the county."""
    return moments(ISSUED_ON[number], np.array([0.4]))[0]


def order_tables(
    issued: pd.DataFrame, visits: pd.DataFrame, rectify_days: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """
    Layers orders (problems to be put right) and order_steps (all but 下达 of `issued`), as offices keep them.

    Of ten orders seven are signed for within three days, two after one to three weeks, one never. Where somebody
    looked the order is answered, now and then sent back first, and mostly closed; one answer in eight raises a
    problem, and not every problem is put right.

    Parameters
    ----------
    issued, visits
        Layers orders and visits of the same county.
    rectify_days
        Days given to put a problem right.
    """
    there = visits[visits["village_id"].notna() & (visits["outcome"] != UNREACHED)]
    looked = there.groupby(["village_id", "round"])["visited_at"].min().to_dict()
    out = {number: issued_at(number) for number in ISSUED_ON}
    steps: list[Row] = []
    problems: list[Row] = []
    for order in issued.to_dict("records"):
        seen = looked.get((order["unit_id"], order["round"]))
        own = _signed_and_answered(order, out[order["round"]], seen, rng)
        done: pd.Timestamp | None = max((step["at"] for step in own if step["step"] == Step.ANSWERED), default=None)
        if done is not None and rng.random() < 1 / 8:
            problem, told = _problem(order, len(problems), done, rectify_days, rng)
            problems.append(problem)
            steps += told
            done = told[-1]["at"] if told[-1]["step"] == Step.CLOSED else None
        if done is not None and rng.random() < 0.85:
            last = max(done, own[-1]["at"])
            own.append(_step(order["order_id"], Step.CLOSED, last + _days(rng, 1, 6), TOWN))
        steps += own
    table = pd.DataFrame(steps)
    table = table[table["at"] <= LAST_MOMENT].sort_values("at", kind="stable", ignore_index=True)
    table["step_id"] = [f"DEMO-S{n:05d}" for n in range(1, len(table) + 1)]
    raised = pd.DataFrame([row for row in problems if row["due_from"] <= LAST_MOMENT], columns=orders.SCHEMA.names)
    return orders.SCHEMA.conform(raised), orders.STEPS.conform(table)


def daily_table(township_ids: Sequence[str], rng: np.random.Generator) -> pd.DataFrame:
    """
    Layer daily_reports: 零报告 of the days up to the last record, of one township hardly two in three.

    Of the others nearly all are there; a few come the next morning, a few twice; on the last day some are still out.
    """
    first = pd.Timestamp(f"{SEASON}-01-01")
    days_n = (LAST_MOMENT.tz_convert("Asia/Shanghai").tz_localize(None).normalize() - first).days + 1
    unit, day = np.divmod(np.arange(len(township_ids) * days_n), days_n)
    careless = unit == len(township_ids) - 1
    sent = rng.random(len(unit)) < np.where(careless, 0.65, 0.97)
    again = np.flatnonzero(sent & (rng.random(len(unit)) < 0.005))
    hour = np.where(
        rng.random(len(unit)) < 0.05, rng.uniform(32.0, 34.0, len(unit)), rng.uniform(13.0, 19.0, len(unit))
    )
    held = np.concatenate([np.flatnonzero(sent), again])
    at = moments("01-01", day[held] + (hour[held] + np.where(np.arange(len(held)) < sent.sum(), 0.0, 0.5)) / 24.0)
    rows = pd.DataFrame(
        {
            "unit_id": np.array(township_ids, dtype=object)[unit[held]],
            "day": (first + pd.to_timedelta(day[held], unit="D")).strftime("%Y-%m-%d"),
            "post": DUTY_DESK,
            "reported_at": at,
            "finds_n": 0,
        }
    )
    rows = rows[at < LAST_MOMENT].sort_values("reported_at", kind="stable", ignore_index=True)
    rows["report_id"] = [f"DEMO-N{n:05d}" for n in range(1, len(rows) + 1)]
    return orders.DAILIES.conform(rows)


def _signed_and_answered(
    order: Row, out: pd.Timestamp, seen: pd.Timestamp | None, rng: np.random.Generator
) -> list[Row]:
    """An order's steps until it is answered, in the order they happened; it went out at `out`."""
    number = order["order_id"]
    post = order["post"] if isinstance(order["post"], str) else VILLAGE_DESK
    how = rng.random()
    steps = []
    if how < 0.9:
        steps.append(_step(number, Step.SIGNED, out + (_days(rng, 0, 3) if how < 0.7 else _days(rng, 7, 21)), post))
    if seen is not None and rng.random() < 0.93:
        answered = seen + _days(rng, 0, 3)
        steps.append(_step(number, Step.ANSWERED, answered, post))
        if rng.random() < 0.06:
            back = answered + _days(rng, 1, 2)
            steps.append(_step(number, Step.RETURNED, back, TOWN, "亩数未填（虚构）"))
            steps.append(_step(number, Step.ANSWERED, back + _days(rng, 1, 3), post))
    return sorted(steps, key=lambda step: step["at"])


def _problem(
    order: Row, count: int, answered: pd.Timestamp, rectify_days: int, rng: np.random.Generator
) -> tuple[Row, list[Row]]:
    """A problem the county's inspection raises on an order, and how far it has got."""
    at = answered + _days(rng, 1, 4)
    number = f"DEMO-Z{count + 1:04d}"
    post = order["post"] if isinstance(order["post"], str) else VILLAGE_DESK
    told = {"order_id": number, "kind": RECTIFY, "parent_id": order["order_id"], "text": PROBLEMS[count % 3]}
    told |= {"due_from": at, "due_to": at + pd.Timedelta(days=rectify_days)}
    steps = [_step(number, Step.ISSUED, at, SUPERVISOR)]
    way = ((Step.SIGNED, post), (Step.ANSWERED, post), (Step.CHECKED, SUPERVISOR), (Step.CLOSED, SUPERVISOR))
    for step, who in way[: DONE_PARTS[count % 4]]:
        at = at + _days(rng, 0, 2)
        steps.append(_step(number, step, at, who))
    return order | told, steps


def _step(order: str, step: Step, at: pd.Timestamp, post: str, note: str | None = None) -> Row:
    return {"order_id": order, "step": str(step), "at": at, "post": post, "note": note}


def _days(rng: np.random.Generator, low: float, high: float) -> pd.Timedelta:
    """Some days, at least half an hour, in whole minutes."""
    return pd.Timedelta(minutes=round(1440 * rng.uniform(max(low, 0.02), high)))
