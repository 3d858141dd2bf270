"""`seen`: detection by growth stage, since a date, and with old looks faded."""

from typing import Annotated, Any

import typer

from geo.cli.speaking import session


def register(app: typer.Typer) -> None:
    app.command()(seen)


def seen(
    context: typer.Context,
    since: Annotated[str | None, typer.Option(help="自哪天起 YYYY-MM-DD, default 30 days before")] = None,
    half_life: Annotated[float, typer.Option(min=0.0, help="旧踏查每过几天折半，0 不折 days to half")] = 0.0,
    until_next_stage: Annotated[
        bool, typer.Option("--until-next-stage", help="只算到下一生长期 looks end with their stage")
    ] = False,
) -> None:
    """何时看过 detection by growth stage (round), since a date, and with old looks faded."""
    from geo.analysis.ageing import Fading
    from geo.workspace.timing import measure_timing

    talk = session(context)
    begin = None if since is None else _day(since)
    fading = Fading(half_life, until_next_stage)
    answer = measure_timing(talk.open(), since=begin, fading=fading, as_of=talk.as_of)
    plain = answer.json()
    talk.answer(plain)
    shares = ("seedling", "flower", "capsule", "since", "unseen_since", "faded", "season")
    rows = [
        [row["name"], *(_percent(row[name]) for name in shares), row["last_day"] or "–"] for row in plain["townships"]
    ]
    heads = [talk.say("column_name"), *(talk.say(f"seen_{name}") for name in (*shares, "last_day"))]
    talk.table(talk.say("seen_title", since=plain["since"][:10]), heads, rows)
    talk.print(talk.say("seen_basis", days=f"{half_life:g}", ends=talk.say("ui_yes" if until_next_stage else "ui_no")))


def _day(text: str) -> Any:
    from datetime import datetime

    from geo.season import CHINA

    try:
        return datetime.fromisoformat(text).replace(tzinfo=CHINA)
    except ValueError as error:
        raise typer.BadParameter(f"{text}: YYYY-MM-DD", param_hint="--since") from error


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}%"
