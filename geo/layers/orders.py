"""
Orders to villages and what became of them: 任务单 → 签收 → 反馈 → 销号; 问题 → 限期整改 → 复核 → 销号 likewise.

An order is written once; all that happens to it are steps, each a record of its own. Its state is what the steps in
their order make of it (`state_of`), by the one table `MOVES`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from geo.schema import Column, Kind, Schema


class Step(StrEnum):
    """What can happen to an order."""

    ISSUED = "下达"
    SIGNED = "签收"
    ANSWERED = "反馈"
    RETURNED = "退回"
    CHECKED = "复核"
    CLOSED = "销号"


TASK, RECTIFY, JOINT = "踏查任务", "限期整改", "联合踏查"
ORDER_KINDS = (TASK, RECTIFY, JOINT)

SCHEMA = Schema(
    "orders",
    "order_id",
    (
        Column("order_id"),
        Column("kind", choices=ORDER_KINDS),
        Column("unit_id"),
        Column("township_id", required=False),
        Column("round", Kind.INTEGER, low=1),
        Column("parent_id", required=False),
        Column("due_from", Kind.TIME),
        Column("due_to", Kind.TIME),
        Column("post", required=False),
        Column("text", required=False),
    ),
)
"""`due_to` is the first moment too late; `post` answers for the unit when the order is issued (None: 无人负责)."""

STEPS = Schema(
    "order_steps",
    "step_id",
    (
        Column("step_id"),
        Column("order_id"),
        Column("step", choices=tuple(Step)),
        Column("at", Kind.TIME),
        Column("post"),
        Column("slip_sha256", required=False),
        Column("note", required=False),
    ),
)

DAILIES = Schema(
    "daily_reports",
    "report_id",
    (
        Column("report_id"),
        Column("unit_id"),
        Column("day"),
        Column("post"),
        Column("reported_at", Kind.TIME),
        Column("finds_n", Kind.INTEGER, low=0),
        Column("note", required=False),
    ),
)
"""The daily 零报告: `finds_n` 0 says that nothing was found; `day` is a date in China, YYYY-MM-DD."""

_TASK: dict[Step | None, dict[Step, Step]] = {
    None: {Step.ISSUED: Step.ISSUED},
    Step.ISSUED: {Step.SIGNED: Step.SIGNED, Step.ANSWERED: Step.ANSWERED},
    Step.SIGNED: {Step.ANSWERED: Step.ANSWERED},
    Step.ANSWERED: {Step.SIGNED: Step.ANSWERED, Step.RETURNED: Step.RETURNED, Step.CLOSED: Step.CLOSED},
    Step.RETURNED: {Step.SIGNED: Step.RETURNED, Step.ANSWERED: Step.ANSWERED},
    Step.CLOSED: {},
}
_RECTIFY = _TASK | {
    Step.ANSWERED: {Step.SIGNED: Step.ANSWERED, Step.RETURNED: Step.RETURNED, Step.CHECKED: Step.CHECKED},
    Step.CHECKED: {Step.RETURNED: Step.RETURNED, Step.CLOSED: Step.CLOSED},
}
MOVES: Mapping[str, Mapping[Step | None, Mapping[Step, Step]]] = {TASK: _TASK, RECTIFY: _RECTIFY, JOINT: _TASK}
"""Per kind of order and state, what may happen and the state it leads to; a late 签收 changes no state."""


def state_of(kind: str, steps: Iterable[str]) -> Step | None:
    """
    The state an order's steps lead to, in order; a step that is not allowed where it stands changes nothing.

    >>> steps = ["下达", "签收", "反馈", "复核", "销号"]
    >>> str(state_of(RECTIFY, steps)), str(state_of(RECTIFY, ["下达", "反馈", "销号"]))
    ('销号', '反馈')
    """
    state: Step | None = None
    for step in steps:
        state = MOVES[kind][state].get(Step(step), state)
    return state


def allowed(kind: str, state: Step | None) -> tuple[Step, ...]:
    """What may happen next to an order in a state."""
    return tuple(MOVES[kind][state])
