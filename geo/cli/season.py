"""`season`: permanent segments, the season's numbered assignments, and where each of them stands."""

from pathlib import Path
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
    seed: Annotated[int, typer.Option(min=0, help="换一个种子得到另一方案 another seed, another schedule")] = 7,
    keep: Annotated[bool, typer.Option(help="采纳为编号任务 keep as numbered assignments")] = True,
) -> None:
    """从今天排到季末：已走的计入，未完成的重排 the rest of the season, what was walked counted."""
    from geo.workspace import campaign

    talk = session(context)
    county = talk.open()
    days = [checked_day(one, "--off") for one in off or ()]
    with progress(talk.language) as tell:
        made = campaign.plan_season(
            county,
            now=now(),
            from_day=checked_day(from_day, "--from") if from_day else None,
            off_days=days,
            seed=seed,
            progress=tell,
        )
    if keep:
        campaign.accept_season(county, made, now=now())
    talk.answer(made.json() | {"kept": keep})
    for line in made.sentences(talk.language):
        talk.print(line)
    for name, reason in made.schedule.unmet[:SHOWN]:
        talk.print("  " + talk.say("plan_unmet", name=name, why=talk.say(f"unmet_{reason}")))
    if len(made.schedule.unmet) > SHOWN:
        talk.print("  " + talk.say("season_more", n=len(made.schedule.unmet) - SHOWN))


@season.command()
def flights(
    context: typer.Context,
    round_: Annotated[
        int | None, typer.Option("--round", help="轮次，默认当前轮 round, default: the one that runs")
    ] = None,
    out: Annotated[Path, typer.Option(help="文件夹 folder")] = Path("exports"),
    again: Annotated[bool, typer.Option(help="重新划定未飞的任务 plan those not yet flown anew")] = True,
) -> None:
    """无人机任务：断崖、远处盲区和交界带、屋顶，含面积、起降点、高差 drone tasks as KML polygons, numbered."""
    from geo.workspace import aerial
    from geo.workspace.progress import running_round

    talk = session(context)
    county = talk.open()
    number = running_round(county, talk.as_of or county.as_of()) if round_ is None else round_
    if again:
        with progress(talk.language) as tell:
            aerial.plan_flights(county, number, now=now(), progress=tell)
    files = aerial.flight_files(county, number, language=talk.language)
    out.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    talk.answer({"round": number, "folder": str(out), "files": sorted(files)})
    talk.print(talk.say("flights_round", round=number), talk.say("files_written", n=len(files), folder=out))


@season.command()
def modes(context: typer.Context) -> None:
    """每个单元宜徒步、航测还是望远镜，及理由 how each segment is best looked at, and why."""
    from geo.workspace.aerial import segment_modes

    talk = session(context)
    county = talk.open()
    with progress(talk.language) as tell:
        rows = segment_modes(county, now=now(), progress=tell)
    finite = rows.assign(away_h=rows["away_h"].where(rows["away_h"] < float("inf")))
    plain = finite.astype(object).where(finite.notna(), None)
    counts = {str(mode): int(n) for mode, n in rows["mode"].value_counts().items()}
    talk.answer({"counts": counts, "segments": plain.to_dict("records")})
    heads = ("season_where", "season_mode", "season_why", "season_way")
    first = rows.sort_values("mode", key=lambda column: column == "徒步", kind="stable").head(SHOWN)
    table = [
        [row["segment_id"], row["mode"], talk.say(f"why_{row['why']}"), f"{row['away_h']:.1f}"]
        for row in first.to_dict("records")
    ]
    title = talk.say("season_modes_title", counts="、".join(f"{mode} {n}" for mode, n in counts.items()))
    talk.table(title, [talk.say(code) for code in heads], table)


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
    title = talk.say("season_board_title", n=sum(counts.values()) - counts["withdrawn"], **counts)
    if state == "withdrawn":
        title += talk.say("season_board_withdrawn", n=counts["withdrawn"])
    talk.table(title, [talk.say(code) for code in heads], table)
    if len(shown) > SHOWN:
        talk.print(talk.say("season_more", n=len(shown) - SHOWN))


def _row(talk: Session, row: "dict[Any, Any] | pd.Series") -> list[str]:
    where = f"{row['township_name']} {row['label']}" if isinstance(row["label"], str) else str(row["border_id"])
    days = row["day"] if row["day"] == row["day_to"] else f"{row['day']}–{row['day_to'][5:]}"
    hours = f"{row['searched_h']:.1f} / {row['hours']:.1f}"
    state = talk.say(f"assignment_{row['state']}")
    return [row["assignment_id"], where, f"{row['purpose']}（{row['mode']}）", days, state, hours]
