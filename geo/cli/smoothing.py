"""`dem-range`: how far detection hangs on the roughness of the elevation model."""

import typer

from geo.cli.speaking import session


def register(app: typer.Typer) -> None:
    app.command("dem-range")(dem_range)


def dem_range(context: typer.Context) -> None:
    """地形敏感性 detection on the terrain as it is and on smoother terrain, as a range."""
    from geo.workspace.smoothing import measure_dem_range

    talk = session(context)
    plain = measure_dem_range(talk.open(), as_of=talk.as_of).json()
    talk.answer(plain)
    names = ("detection", "mean_3x3", "block_30m", "low", "high")
    rows = [[row["name"], *(_percent(row[name]) for name in names)] for row in plain["townships"]]
    heads = [talk.say("column_name"), *(talk.say(f"dem_{name}") for name in names)]
    talk.table(talk.say("dem_title"), heads, rows)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}%"
