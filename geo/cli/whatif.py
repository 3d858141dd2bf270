"""`whatif`: the same day with more teams or other hours, side by side; nothing is kept."""

from typing import Annotated

import typer

from geo.cli.speaking import progress, session

SHOWN = ("teams_n", "hours_offered", "hours_used", "stops_n", "expected", "bound", "unmet_must_n")


def register(app: typer.Typer) -> None:
    app.command()(whatif)


def whatif(
    context: typer.Context,
    day: Annotated[str | None, typer.Option(help="日期 YYYY-MM-DD, default: day after the last record")] = None,
    hours: Annotated[float | None, typer.Option(min=0.0, max=24.0, help="每队工时 hours per team, then")] = None,
    more_teams: Annotated[int, typer.Option(min=0, max=20, help="每乡镇增加队伍 more teams per township")] = 0,
    seed: Annotated[int, typer.Option(min=0, help="种子 seed of both plans")] = 7,
    township: Annotated[list[str] | None, typer.Option(help="乡镇代码 only these townships")] = None,
    other_township: Annotated[
        list[str] | None, typer.Option(help="另一方案的乡镇 the townships of the other plan")
    ] = None,
) -> None:
    """两个方案对比：增加队伍或工时 compare two plans of a day: more teams, other hours."""
    from geo.cli.planning import checked_day
    from geo.workspace.comparing import Case, compare_days
    from geo.workspace.planning import next_day

    talk = session(context)
    county = talk.open()
    date = checked_day(day) if day else next_day(county)
    with progress() as tell:
        both = compare_days(
            county,
            day=date,
            other=Case(hours, more_teams, tuple(other_township or ())),
            seed=seed,
            township_ids=township,
            progress=tell,
        )
    per_hour = both.finds_per_extra_hour
    talk.answer({"day": date, "seed": seed, "here": both.here, "other": both.other, "finds_per_extra_hour": per_hour})
    talk.print(talk.say("whatif_head", day=date))
    for name in SHOWN:
        here, other = (f"{side[name]:.4g}" for side in (both.here, both.other))
        talk.print("  " + talk.say("whatif_row", what=talk.say(f"whatif_{name}"), here=here, other=other))
    if per_hour is not None:
        talk.print(talk.say("whatif_gain", finds=f"{per_hour:.2g}"))
