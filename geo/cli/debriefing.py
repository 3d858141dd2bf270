"""`debrief`: planned against walked, with the reason of each miss."""

from typing import Annotated

import typer

from geo.cli.speaking import session


def register(app: typer.Typer) -> None:
    app.command("debrief")(debrief)


def debrief(
    context: typer.Context,
    day: Annotated[str, typer.Option(help="日期 YYYY-MM-DD")],
) -> None:
    """计划与实走对照 planned against walked: seen, too fast, out of sight, not walked."""
    from geo.cli.planning import checked_day
    from geo.workspace.debriefing import debrief_day, shown_shares

    talk = session(context)
    rows = debrief_day(talk.open(), day=checked_day(day))
    talk.answer({"day": day, "routes": rows})
    for row in rows:
        told = {"route": row["route_id"], "ha": f"{row['planned_ha']:.1f}", "tracks": row["tracks_n"]}
        talk.print(talk.say("debrief_row", **told, **shown_shares(row)))
