"""`order` and `daily`: orders per village and round with their receipts, problems put right, and daily reports."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.recording import moment
from geo.cli.speaking import Session, now, session

order = typer.Typer(no_args_is_help=True, help="任务单 orders, receipts, problems put right")
daily = typer.Typer(no_args_is_help=True, help="零报告 daily reports")
SHOWN = 25
STEPS = {
    "sign": ("签收", "签收 signed for"),
    "answer": ("反馈", "反馈 answered"),
    "return": ("退回", "退回 sent back"),
    "check": ("复核", "复核（不能由反馈岗位自己复核） checked by another post"),
    "close": ("销号", "销号 closed"),
}
Post = Annotated[str, typer.Option(help="岗位 post")]
At = Annotated[str | None, typer.Option(help="YYYY-MM-DDTHH:MM 北京时间, default: now")]


def register(app: typer.Typer) -> None:
    for name, (step, told) in STEPS.items():
        order.command(name, help=told)(_stepper(step))
    app.add_typer(order, name="order")
    app.add_typer(daily, name="daily")


@order.command()
def issue(
    context: typer.Context,
    round_: Annotated[int, typer.Option("--round", help="轮次 round")],
    post: Annotated[str, typer.Option(help="下达岗位 post that issues")] = "",
    at: At = None,
    text: Annotated[str | None, typer.Option(help="任务要求 what is asked")] = None,
) -> None:
    """按轮次给每个村下达任务单（已有的不重复） an order to every village for a round."""
    from geo.workspace.ordering import issue_orders

    talk = session(context)
    at_ = moment(at) if at else None
    issued = issue_orders(talk.open(), round_, now=now(), at=at_, post=post, text=text)
    talk.answer({"round": round_, "new_n": issued.new_n, "orders_n": len(issued.orders)})
    talk.print(talk.say("orders_issued", round=round_, new_n=issued.new_n, n=len(issued.orders)))


@order.command()
def problem(
    context: typer.Context,
    order_id: str,
    text: Annotated[str, typer.Option(help="问题 what is wrong")],
    post: Post,
    at: At = None,
    deadline: Annotated[str | None, typer.Option(help="整改限期 YYYY-MM-DD")] = None,
) -> None:
    """登记问题并限期整改 a problem, to be put right by a day."""
    from geo.workspace.ordering import raise_problem

    talk = session(context)
    times = {"at": moment(at) if at else None, "deadline": moment(deadline) if deadline else None}
    done = raise_problem(talk.open(), order_id, text, post=post, now=now(), **times)
    talk.answer({"order_id": done.order_id, "state": done.state, "new": done.is_new})
    talk.print(talk.say("order_stepped", id=done.order_id, state=done.state))


@order.command("list")
def listed(
    context: typer.Context,
    round_: Annotated[int | None, typer.Option("--round")] = None,
    open_only: Annotated[bool, typer.Option("--open", help="只列未销号 open ones only")] = False,
) -> None:
    """任务单台账：逾期在前 where every order stands, overdue first."""
    from geo.layers.orders import Step
    from geo.workspace.ordering import orders_at
    from geo.workspace.register import plain_records

    talk = session(context)
    county = talk.open()
    as_of = talk.as_of or county.as_of()
    book = orders_at(county, as_of)
    book = book if round_ is None else book[(book["round"] == round_) & county.season.holds(book["due_from"])]
    book = book[book["state"] != Step.CLOSED] if open_only else book
    plain = {"as_of": as_of.isoformat(), "orders_n": len(book), "states": book["state"].value_counts().to_dict()}
    talk.answer(plain | {"orders": plain_records(book)})
    names = ("order_id", "order_kind", "state", "post", "due_to", "overdue_days")
    rows = [_row(row, talk) for row in book.head(SHOWN).to_dict("records")]
    talk.table(talk.say("orders_title", n=len(book)), [talk.say(f"column_{name}") for name in names], rows)


@daily.command("report")
def report(
    context: typer.Context,
    unit: str,
    post: Post,
    day: Annotated[str, typer.Option(help="YYYY-MM-DD")],
    finds: Annotated[int, typer.Option(help="发现处数，0 为零报告 finds")] = 0,
    at: At = None,
    note: Annotated[str | None, typer.Option()] = None,
) -> None:
    """登记当日报告（零报告也要登记） a unit's daily report, also with nothing found."""
    from geo.workspace.ordering import record_daily

    talk = session(context)
    try:
        when = date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter(f"{day}: YYYY-MM-DD") from error
    at_ = moment(at) if at else None
    number, added = record_daily(talk.open(), unit, when, post=post, now=now(), at=at_, finds_n=finds, note=note)
    talk.answer({"report_id": number, "new": added})
    talk.print(
        talk.say("daily_recorded" if added else "recorded_already", id=number, day=day, unit=unit, finds_n=finds)
    )


@daily.command()
def missing(context: typer.Context) -> None:
    """缺报清单 daily reports that are due and missing."""
    from geo.workspace.ordering import dailies_at

    talk = session(context)
    county = talk.open()
    plain = dailies_at(county, talk.as_of or county.as_of())
    talk.answer(plain)
    rows = [[row["day"], row["name"] or row["unit_id"]] for row in plain["missing"][-SHOWN:]]
    talk.table(talk.say("dailies_title", **plain), [talk.say("column_day"), talk.say("column_name")], rows)


def _stepper(step: str) -> Any:
    def command(
        context: typer.Context,
        order_id: str,
        post: Post,
        at: At = None,
        slip: Annotated[Path | None, typer.Option(help="回执扫描件 scanned slip")] = None,
        note: Annotated[str | None, typer.Option()] = None,
    ) -> None:
        from geo.layers.orders import Step
        from geo.workspace.ordering import keep_slip, take_step

        talk = session(context)
        county, at_ = talk.open(), moment(at) if at else None
        digest = keep_slip(county, slip) if slip else None
        done = take_step(county, order_id, Step(step), post=post, now=now(), at=at_, slip_sha256=digest, note=note)
        talk.answer({"order_id": order_id, "step_id": done.step_id, "state": done.state, "new": done.is_new})
        talk.print(talk.say("order_stepped", id=order_id, state=done.state))

    return command


def _row(row: dict[Any, Any], talk: Session) -> list[str]:
    from geo.season import CHINA

    due = f"{row['due_to'].tz_convert(CHINA):%Y-%m-%d}"
    post = row["post"] if isinstance(row["post"], str) else talk.say("nobody")
    return [row["order_id"], row["kind"], row["state"], post, due, str(row["overdue_days"] or "")]
