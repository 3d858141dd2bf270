"""`flag`: candidates from dated scenes, with their reasons and without a claim."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geo.cli.speaking import Session, now, progress, session

if TYPE_CHECKING:
    from geo.workspace.flagging import FlagAnswer

SHOWN = 15


def register(app: typer.Typer) -> None:
    app.command()(flag)


def flag(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(help="NDVI GeoTIFF，或含红、近红外波段 or red and near infrared bands")
    ],
    dates: Annotated[
        str, typer.Option(help="各景日期，依文件次序 days in the order of the files: 2026-02-10,2026-03-25")
    ],
    bands: Annotated[str, typer.Option(help="指数波段，或红,近红外 index band, or red,infrared: 3,4")] = "1",
) -> None:
    """从两景以上影像标出疑似地块 candidate parcels from two or more dated scenes; nothing is claimed about accuracy."""
    from geo.workspace.flagging import Scene, flag_scenes

    talk = session(context)
    days = [_day(text) for text in dates.split(",")]
    if len(days) != len(files):
        raise typer.BadParameter(f"{len(files)} 景 scenes, {len(days)} 个日期 dates", param_hint="--dates")
    numbers = _bands(bands)
    scenes = [Scene(file, day, numbers) for file, day in zip(files, days, strict=True)]
    with progress(talk.language) as tell:
        answer = flag_scenes(talk.open(), scenes, now=talk.as_of or now(), progress=tell)
    talk.answer(answer.json())
    _tell(talk, answer)


def _tell(talk: Session, answer: "FlagAnswer") -> None:
    plain = answer.json()
    talk.print(
        talk.say("flag_scenes", days="、".join(plain["scenes"]), seen=plain["seen_km2"], unseen=plain["unseen_km2"])
    )
    counts = ("candidates_n", "added_n", "known_n", "outside_n")
    talk.print(talk.say("flag_counts", **{name: plain[name] for name in counts}))
    for row in plain["parcels"][:SHOWN]:
        measured = dict(part.split("=") for part in row["reason"].split(";") if "=" in part)
        where = {"id": row["parcel_id"], "township": row["township_id"], "rank": f"{row['suspicion']:.2f}"}
        talk.print("  " + talk.say("flag_reason", **where, **measured))
    talk.print(talk.say("flag_no_claim"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise typer.BadParameter(f"{text}: YYYY-MM-DD", param_hint="--dates") from error


def _bands(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if len(parts) > 2 or not all(part.strip().isdigit() and int(part) > 0 for part in parts):
        raise typer.BadParameter(f"{text}: 1 | 3,4", param_hint="--bands")
    return tuple(int(part) for part in parts)
