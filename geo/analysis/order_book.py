"""Where every order stands: its state, who signed and answered when, what is late; and the daily reports missing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import pandas as pd

from geo.analysis.rounds import Round
from geo.layers.orders import RECTIFY, Step, state_of
from geo.season import CHINA

STANDING = ("state", "signed_at", "signed_post", "slip_sha256", "answered_at", "answered_post", "closed_at")


def order_book(orders: pd.DataFrame, steps: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """
    The orders issued by a moment with `STANDING`, ``unsigned``, ``overdue`` and ``overdue_days``; the latest first.

    An order is overdue when it is neither answered nor closed and its last day is over.
    """
    held = steps[steps["at"] <= as_of].sort_values("at", kind="stable")
    by_order = dict(iter(held.groupby("order_id", sort=False))) if len(held) else {}
    standing = [
        _standing(kind, by_order.get(order)) for order, kind in zip(orders["order_id"], orders["kind"], strict=True)
    ]
    table = orders.join(pd.DataFrame(standing, columns=list(STANDING), index=orders.index, dtype=object))
    table = table[table["state"].notna()].copy()
    table["unsigned"] = table["signed_at"].isna()
    waiting = table["state"].isin([Step.ISSUED, Step.SIGNED, Step.RETURNED])
    table["overdue"] = waiting & (table["due_to"] <= as_of)
    late = (pd.Timestamp(as_of) - table["due_to"]).dt.days
    table["overdue_days"] = late.where(table["overdue"], 0).astype(int)
    order = ["overdue_days", "due_to", "order_id"]
    return table.sort_values(order, ascending=[False, True, True], kind="stable", ignore_index=True)


def open_problems(book: pd.DataFrame) -> pd.DataFrame:
    """Problems not yet put right, checked and closed."""
    return book[(book["kind"] == RECTIFY) & (book["state"] != Step.CLOSED)]


def missing_dailies(
    units: Sequence[str], reports: pd.DataFrame, rounds: Sequence[Round], as_of: datetime
) -> pd.DataFrame:
    """
    The days of the rounds that are over by a moment for which a unit has sent no daily report: ``unit_id, day``.

    A day is missing once it is over in China; the day of `as_of` is not.
    """
    days = due_days(rounds, as_of)
    known = reports[reports["reported_at"] <= as_of]
    sent = set(zip(known["unit_id"], known["day"], strict=True))
    rows = [(unit, day.isoformat()) for day in days for unit in units if (unit, day.isoformat()) not in sent]
    return pd.DataFrame(rows, columns=["unit_id", "day"])


def due_days(rounds: Sequence[Round], as_of: datetime) -> list[date]:
    """Every day of a round that is over at a moment, each once."""
    today = as_of.astimezone(CHINA).date()
    days: set[date] = set()
    for one in rounds:
        first, last = one.start.astimezone(CHINA).date(), min(one.stop.astimezone(CHINA).date(), today)
        days |= {first + timedelta(days=n) for n in range((last - first).days)}
    return sorted(days)


def _standing(kind: str, steps: pd.DataFrame | None) -> tuple[object, ...]:
    if steps is None:
        return (None,) * len(STANDING)
    names = steps["step"].tolist()

    def last(step: Step, column: str) -> object:
        place = next((n for n in range(len(names) - 1, -1, -1) if names[n] == step), None)
        return None if place is None else steps[column].iloc[place]

    state = state_of(kind, names)
    closed = last(Step.CLOSED, "at") if state == Step.CLOSED else None
    signed = [last(Step.SIGNED, column) for column in ("at", "post", "slip_sha256")]
    return (state, *signed, last(Step.ANSWERED, "at"), last(Step.ANSWERED, "post"), closed)
