"""`season`: permanent segments, the season's numbered assignments, and where each of them stands."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from geo.cli.planning import checked_day
from geo.cli.speaking import Session, now, progress, session

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 25
season = typer.Typer(
    no_args_is_help=True, help="全年安排：踏查单元、任务、进展 the season: segments, assignments, states"
)


def register(app: typer.Typer) -> None:
    app.add_typer(season, name="season")


@season.command()
def segments(context: typer.Context) -> None:
    """踏查单元：首次运行划定并编号，以后不变 permanent lettered segments; cut once, never renamed."""
    from geo.workspace.segmenting import segments_of

    talk = session(context)
    county = talk.open()
    with progress(talk.language) as tell:
        rows = segments_of(county, now=now(), progress=tell)
    names = county.store.read("townships").set_index("township_id")["name"]
    plain = rows.drop(columns="geometry").astype(object).where(rows.drop(columns="geometry").notna(), None)
    talk.answer({"segments_n": len(rows), "segments": plain.to_dict("records")})
    table = [
        [str(names.get(one)), str(len(mine)), f"{mine['area_m2'].sum() / 1e6:.1f}", " ".join(mine["label"])]
        for one, mine in rows.groupby("township_id", sort=True)
    ]
    heads = ("column_name", "season_segments", "season_km2", "season_labels")
    talk.table(talk.say("season_segments_title", n=len(rows)), [talk.say(code) for code in heads], table)


@season.command()
def plan(
    context: typer.Context,
    from_day: Annotated[
        str | None, typer.Option("--from", help="从哪天起 YYYY-MM-DD, default: day after the last record")
    ] = None,
    off: Annotated[list[str] | None, typer.Option(help="停工日（节假日、天气）days lost, may be given again")] = None,
    seed: Annotated[int, typer.Option(help="换一个种子得到另一方案 another seed, another schedule")] = 7,
    keep: Annotated[bool, typer.Option(help="采纳为编号任务 keep as numbered assignments")] = True,
) -> None:
    """从今天排到季末：已走的计入，未完成的重排 the rest of the season, what was walked counted."""
    from geo.workspace import campaign

    talk = session(context)
    county = talk.open()
    days = [checked_day(one) for one in off or ()]
    with progress(talk.language) as tell:
        made = campaign.plan_season(
            county,
            now=now(),
            from_day=checked_day(from_day) if from_day else None,
            off_days=days,
            seed=seed,
            progress=tell,
        )
    if keep:
        campaign.accept_season(county, made, now=now())
    talk.answer(made.json() | {"kept": keep})
    told = {"n": len(made.assignments), "days": len(made.schedule.days), "from_day": made.from_day}
    figures = {"expected": made.schedule.expected, "even": made.schedule.even, "bound": made.schedule.bound}
    talk.print(talk.say("season_made", **told, **{name: f"{value:.2f}" for name, value in figures.items()}))
    rests = made.assumptions
    shares = {name: f"{rests[name]:.0%}" for name in ("weather_share", "explore_share")}
    talk.print(
        talk.say("season_rests", teams=rests["teams_n"], days=rests["workdays_n"], prior=rests["prior"], **shares)
    )
    if made.withdrawn:
        talk.print(talk.say("season_withdrawn", n=len(made.withdrawn)))
    for name, reason in made.schedule.unmet[:SHOWN]:
        talk.print("  " + talk.say("plan_unmet", name=name, why=talk.say(f"unmet_{reason}")))
    if len(made.schedule.unmet) > SHOWN:
        talk.print("  " + talk.say("season_more", n=len(made.schedule.unmet) - SHOWN))


@season.command()
def board(
    context: typer.Context,
    round_: Annotated[int | None, typer.Option("--round", help="轮次 round")] = None,
    township: Annotated[str | None, typer.Option(help="乡镇代码 township")] = None,
    state: Annotated[str | None, typer.Option(help="scheduled | part_done | done | overdue | withdrawn")] = None,
) -> None:
    """任务进展：逾期在前，按实际踏查推算 where every assignment stands, from what was walked."""
    from geo.workspace.assignments import RANKS, assignment_board
    from geo.workspace.campaign import plain_assignments

    talk = session(context)
    if state is not None and state not in [str(one) for one in RANKS]:
        raise typer.BadParameter(" | ".join(RANKS), param_hint="--state")
    county = talk.open()
    moment = talk.as_of or county.as_of()
    rows = assignment_board(county, as_of=moment, round_=round_, township_id=township, withdrawn=state == "withdrawn")
    counts = {str(one): int((rows["state"] == str(one)).sum()) for one in RANKS}
    shown = rows if state is None else rows[rows["state"] == state]
    talk.answer({"as_of": moment.isoformat(), "states": counts, "assignments": plain_assignments(shown)})
    heads = ("season_number", "season_where", "season_purpose", "season_days", "season_state", "season_hours")
    table = [_row(talk, row) for row in shown.head(SHOWN).to_dict("records")]
    title = talk.say(
        "season_board_title", n=len(rows), **{name: counts[name] for name in counts if name != "withdrawn"}
    )
    talk.table(title, [talk.say(code) for code in heads], table)
    if len(shown) > SHOWN:
        talk.print(talk.say("season_more", n=len(shown) - SHOWN))


def _row(talk: Session, row: "dict[Any, Any] | pd.Series") -> list[str]:
    where = f"{row['township_name']} {row['label']}" if isinstance(row["label"], str) else str(row["border_id"])
    days = row["day"] if row["day"] == row["day_to"] else f"{row['day']}–{row['day_to'][5:]}"
    hours = f"{row['searched_h']:.1f} / {row['hours']:.1f}"
    state = talk.say(f"assignment_{row['state']}")
    return [row["assignment_id"], where, f"{row['purpose']}（{row['mode']}）", days, state, hours]
