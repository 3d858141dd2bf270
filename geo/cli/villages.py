"""`progress`, `today`, `form …`, `if-b`, `claims`: who has looked, and work without GPS for what it is."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geo.cli.speaking import Session, now, session

form = typer.Typer(no_args_is_help=True, help="踏查记录表 signed forms in")
SHOWN = 25
Rounds = Annotated[list[int] | None, typer.Option("--round", help="轮次，可重复 round, repeatable")]


def register(app: typer.Typer) -> None:
    app.command()(progress)
    app.command()(today)
    app.command("if-b")(if_b)
    app.command()(claims)
    app.add_typer(form, name="form")


def progress(context: typer.Context, round_: Rounds = None) -> None:
    """踏查进度：应查、已查（A/B/C）、未报，乡镇 × 轮次 due, looked at and not reported, by round and class."""
    from geo.workspace.progress import measure_progress

    talk = session(context)
    answer = measure_progress(talk.open(), as_of=talk.as_of, rounds=round_)
    talk.answer(answer.json())
    names = ("name", "round", "due_n", "looked_a", "looked_b", "looked_c", "unreached", "overdue", "due", "not_due")
    shares = ("rate_villages_a", "rate_villages_ab", "rate_villages_abc", "rate_area_abc")
    rows = [
        [str(row[name]) for name in names] + [_percent(row[name]) for name in shares]
        for row in answer.townships.to_dict("records")
    ]
    titles = [talk.say(f"column_progress_{name}") for name in (*names, *shares)]
    talk.table(talk.say("progress_title"), titles, rows)
    total = answer.totals["all"]
    shown = {name: _percent(total.get(name)) for name in shares}
    counts = {name: value for name, value in total.items() if name not in shares}
    talk.print(talk.say("progress_total", **counts, **shown) if total else talk.say("ui_load_villages"))
    if any(answer.progress.unplaced.values()):
        talk.print(talk.say("progress_unplaced", **answer.progress.unplaced))
    _foot(talk, answer.as_of, answer.ledger_head)


def today(context: typer.Context) -> None:
    """今天：未报与逾期、未签收、缺报、靶标临期、无人负责 the first page."""
    from geo.workspace.progress import today as first_page

    talk = session(context)
    county = talk.open()
    as_of = talk.as_of or county.as_of()
    page = first_page(county, as_of=as_of)
    talk.answer(page)
    total = page["totals"]
    looked = sum(total.get(f"looked_{letter}", 0) for letter in "abc")
    talk.print(talk.say("today_round", round=page["round"], days=page["days_left"], looked=looked, **_of(total)))
    names = ("township", "village", "round", "state", "overdue_days")
    towns = {row["township_id"]: row["name"] for row in page["townships"]}
    rows = [
        [
            str(towns.get(row["township_id"]) or row["township_id"]),
            row["name"],
            str(row["round"]),
            talk.say(f"state_{row['state']}"),
            str(row["overdue_days"] or ""),
        ]
        for row in page["open"][:SHOWN]
    ]
    talk.table(talk.say("today_open", n=page["open_n"]), [talk.say(f"column_progress_{name}") for name in names], rows)
    counts = {name: value for name, value in page.items() if name.endswith("_n")}
    talk.print(talk.say("today_rest", **counts, **_dailies(page), orders=_orders(page, talk)))
    _foot(talk, as_of, page["ledger_head"])


def if_b(
    context: typer.Context,
    sensitivity: Annotated[float, typer.Argument(help="签字表按看到多少份额计 0–1 share counted as seen")],
) -> None:
    """如果 B 类计入：把握度会是多少（假设并列，不改设置） what the figures would be if class B counted."""
    from geo.workspace.returning import if_class_b_counted

    talk = session(context)
    answer = if_class_b_counted(talk.open(), sensitivity, as_of=talk.as_of)
    talk.answer(answer)
    names = ("detection_stands", "detection_would", "p_zero_stands", "p_zero_would")
    rows = [[row["name"], *(_percent(row[name]) for name in names)] for row in answer["townships"]]
    title = talk.say("if_b_title", own=answer["assumption"]["class_b_sensitivity"], other=sensitivity)
    talk.table(title, [talk.say("column_name"), *(talk.say(f"column_{name}") for name in names)], rows)


def claims(context: typer.Context) -> None:
    """申报核对：申报的亩数、人次与可能查到的对照（只列比值，不作结论） claimed beside what could be searched."""
    from geo.workspace.claims import check_claims

    talk = session(context)
    answer = check_claims(talk.open(), as_of=talk.as_of)
    talk.answer(answer.json())
    counts = ("name", "claims_n", "person_trips_n", "large_n", "unpeopled_n")
    rows = [
        [*(str(row[name]) for name in counts), _mu(row["claimed_m2"]), _mu(row["searchable_m2"]), _times(row["ratio"])]
        for row in answer.townships.to_dict("records")
    ]
    names = (*counts, "claimed_m2", "searchable_m2", "ratio")
    title = talk.say("claims_title", **answer.assumptions)
    talk.table(title, [talk.say(f"column_claim_{name}") for name in names], rows)
    talk.print(talk.say("claims_note"))
    _foot(talk, answer.as_of, answer.ledger_head)


@form.command("import")
def bring(context: typer.Context, files: list[Path]) -> None:
    """导入填好的踏查记录表（XLSX/CSV） filled-in forms: signed with photos counts as B, said only as C."""
    from geo.workspace.importing import ImportReport
    from geo.workspace.returning import import_forms

    talk = session(context)
    county = talk.open()
    report = ImportReport([import_forms(county, file, now=now()) for file in files])
    for one in report.files:
        talk.print(*one.sentences(talk.language))
    talk.answer(report.json(talk.language))
    if not report.accepted:
        raise typer.Exit(1)


@form.command()
def enter(
    context: typer.Context,
    village: Annotated[str, typer.Option(help="村代码 village id")],
    day: Annotated[str, typer.Option(help="踏查日期 YYYY-MM-DD")],
    round_: Annotated[int | None, typer.Option("--round")] = None,
    order: Annotated[str | None, typer.Option(help="任务单 order id")] = None,
    team: Annotated[str | None, typer.Option(help="队伍代码 team id")] = None,
    ground: Annotated[str | None, typer.Option(help="庭院/田间/荒山野岭")] = None,
    outcome: Annotated[str, typer.Option(help="未发现/发现/核查排除/无法到达")] = "未发现",
    reason: Annotated[str | None, typer.Option()] = None,
    group: Annotated[str | None, typer.Option(help="组 group")] = None,
    persons: Annotated[int | None, typer.Option(help="人数")] = None,
    hours: Annotated[float | None, typer.Option(help="每人工时 hours each")] = None,
    mu: Annotated[float | None, typer.Option(help="面积（亩）")] = None,
    courtyards: Annotated[int | None, typer.Option(help="已查户数")] = None,
    of: Annotated[int | None, typer.Option("--of", help="应查户数 N")] = None,
    photos: Annotated[int, typer.Option(help="照片张数")] = 0,
    signed: Annotated[bool, typer.Option(help="已签字")] = False,
    post: Annotated[str | None, typer.Option(help="签字岗位 post")] = None,
) -> None:
    """手工录入一行踏查记录表 one line of a form typed in."""
    from geo.workspace.returning import enter_form

    talk = session(context)
    values: dict[str, Any] = {
        "village_id": village, "visited_on": day, "round": round_, "order_id": order, "team_id": team,
        "ground": ground, "outcome": outcome, "reason": reason, "group_name": group, "persons_n": persons,
        "hours": hours, "area_mu": mu, "courtyards_n": courtyards, "courtyards_due_n": of, "photos_n": photos,
        "signed": "是" if signed else "否", "post": post,
    }  # fmt: skip
    number, added = enter_form(talk.open(), values, now=now())
    talk.answer({"visit_id": number, "new": added})
    talk.print(talk.say("form_entered" if added else "recorded_already", id=number))


@form.command()
def work(context: typer.Context) -> None:
    """已做工作：按村、轮次、地类和证据类别 what was done, by village, round, ground and class."""
    from geo.workspace.register import plain_records
    from geo.workspace.returning import work_until

    talk = session(context)
    county = talk.open()
    as_of = talk.as_of or county.as_of()
    table = work_until(county, as_of)
    talk.answer({"as_of": as_of.isoformat(), "work": plain_records(table)})
    names = (
        "village_id",
        "round",
        "ground",
        "evidence",
        "reports_n",
        "person_hours",
        "courtyards_n",
        "courtyards_due_n",
    )
    rows = [[_text(row[name]) for name in names] for row in table.head(SHOWN).to_dict("records")]
    talk.table(talk.say("work_title", n=len(table)), [talk.say(f"column_work_{name}") for name in names], rows)


@form.command()
def upgrade(
    context: typer.Context,
    visit: Annotated[str | None, typer.Argument()] = None,
    track: Annotated[str | None, typer.Argument()] = None,
) -> None:
    """凭轨迹升为 A 类；不带参数时列出可升的 a track lifts a form to class A; without arguments: which could be."""
    from geo.workspace.register import plain_records
    from geo.workspace.returning import upgradable, upgrade_visit

    talk = session(context)
    county = talk.open()
    if visit and track:
        changed = upgrade_visit(county, visit, track, now=now())
        talk.answer({"visit_id": visit, "track_id": track, "changed": changed})
        talk.print(talk.say("visit_upgraded", visit=visit, track=track))
        return
    found = upgradable(county)
    talk.answer({"upgradable": plain_records(found)})
    names = ("visit_id", "track_id", "village_id", "evidence", "day", "tracks_n")
    rows = [[str(row[name]) for name in names] for row in found.head(SHOWN).to_dict("records")]
    talk.table(talk.say("upgrades_title", n=len(found)), list(names), rows)


def _of(total: dict[str, Any]) -> dict[str, Any]:
    return {name: total.get(name, 0) for name in ("villages_n", "due_n", "overdue", "unreached")}


def _orders(page: dict[str, Any], talk: Session) -> str:
    """The orders of the last round issued, and that the running one has none yet."""
    waiting = [] if page["orders_round"] == page["round"] else [talk.say("ui_no_orders", round=page["round"])]
    names = ("orders_round", "orders_n", "orders_unsigned_n", "orders_closed_n")
    held = [talk.say("today_orders", **{name: page[name] for name in names})] if page["orders_round"] else []
    return talk.say("between").join(sentence.rstrip("。.") for sentence in (*waiting, *held))


def _dailies(page: dict[str, Any]) -> dict[str, Any]:
    return {"missing_n": page["dailies"]["missing_n"], "problems_n": len(page["problems"])}


def _foot(talk: Session, as_of: Any, head: str | None) -> None:
    from geo.season import CHINA

    moment = f"{as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"
    talk.print(talk.say("foot", moment=moment, head=(head or "-")[:16]))


def _mu(value: float) -> str:
    return f"{value * 3 / 2000:,.0f}"


def _times(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:.1f}"


def _text(value: Any) -> str:
    return "–" if value is None or value != value else f"{value:g}" if isinstance(value, float) else str(value)


def _percent(value: Any) -> str:
    return "–" if value is None or value != value else f"{100 * value:.0f}%"
