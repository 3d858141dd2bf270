"""`sensors`: what drone flights and satellite passes added to the feet."""

import typer

from geo.cli.speaking import session


def register(app: typer.Typer) -> None:
    app.command()(sensors)


def sensors(context: typer.Context) -> None:
    """航拍与卫星补充 detection on foot, from flights and satellite passes, and both together."""
    from geo.workspace.sensing import measure_sensors

    talk = session(context)
    answer = measure_sensors(talk.open(), as_of=talk.as_of)
    plain = answer.json()
    talk.answer(plain)
    shares = ("foot", "air", "together", "imaged")
    rows = [[row["name"], *(_percent(row[name]) for name in shares)] for row in plain["townships"]]
    heads = [talk.say("column_name"), *(talk.say(f"sensors_{name}") for name in shares)]
    talk.table(talk.say("sensors_title", n=len(plain["flights"]), passes=len(plain["passes"])), heads, rows)
    for flight in plain["flights"]:
        shown = {"id": flight["flight_id"], "n": flight["images_n"], "km2": f"{flight['counted_km2']:.2f}"}
        talk.print(talk.say("sensors_flight", **shown))
    for one in plain["passes"]:
        shown = {"id": one["pass_id"], "pixel": f"{one['pixel_m']:g}", "km2": f"{one['counted_km2']:.2f}"}
        talk.print(talk.say("sensors_pass", **shown))
    basis = answer.assumptions["sensors"]
    talk.print(talk.say("sensors_basis", plot=f"{basis['plot_m2']:g}", best=f"{basis['best']:g}"))


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f}%"
