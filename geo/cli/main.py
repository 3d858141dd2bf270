"""The program: global options, and the commands of each job."""

import errno
import itertools
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from geo.cli import (
    bringing,
    bundles,
    calibrating,
    correcting,
    debriefing,
    duties,
    explaining,
    flagging,
    looking,
    moving,
    orders,
    papers,
    photos,
    planning,
    plots,
    proving,
    recording,
    rewards,
    running,
    season,
    sensing,
    smoothing,
    timing,
    users,
    villages,
    whatif,
)
from geo.cli.speaking import Session
from geo.errors import GeoError
from geo.words import explain, say

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="踏查 Tacha")


@app.callback()
def options(
    context: typer.Context,
    county: Annotated[Path, typer.Option(help="县文件夹 county folder")] = Path(),
    json: Annotated[bool, typer.Option("--json", help="输出一个 JSON 对象 print one JSON object")] = False,
    lang: Annotated[str, typer.Option(help="zh | en")] = "zh",
    as_of: Annotated[str | None, typer.Option(help="截至日期 YYYY-MM-DD[THH:MM], default: last record")] = None,
) -> None:
    """踏查与铲毒地图系统 Patrol coverage, blind spots and eradication records for mountain counties."""
    if lang not in ("zh", "en"):
        raise typer.BadParameter("zh | en", param_hint="--lang")
    context.obj = Session(county, json, "zh" if lang == "zh" else "en", _moment(as_of))
    context.call_on_close(context.obj.close)


for module in (
    bringing,
    bundles,
    looking,
    explaining,
    calibrating,
    correcting,
    timing,
    sensing,
    smoothing,
    flagging,
    planning,
    season,
    moving,
    photos,
    plots,
    proving,
    recording,
    running,
    duties,
    orders,
    papers,
    villages,
    rewards,
    whatif,
    debriefing,
    users,
):
    module.register(app)


def main() -> None:
    """Run the program; our errors, and files the system refuses, become one sentence and exit code 1."""
    argv = _global_first(sys.argv[1:])
    following = dict(itertools.pairwise(argv))
    english = "--lang=en" in argv or following.get("--lang") == "en"
    try:
        try:
            app(args=argv)
        finally:
            sys.stdout.flush()
    except GeoError as error:
        sys.stderr.write(explain(error, "en" if english else "zh") + "\n")
        sys.exit(1)
    except OSError as error:
        if error.filename is None and error.errno != errno.ENOSPC:
            raise
        if error.filename is None:  # standard output; what is left of it has nowhere to go
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        fields = {"file": error.filename or "stdout", "reason": error.strerror}
        sys.stderr.write(say("path_refused", "en" if english else "zh", **fields) + "\n")
        sys.exit(1)


def _global_first(argv: list[str]) -> list[str]:
    """`--json`, `--lang` and `--as-of` may stand after the command too."""
    front: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--json":
            front.append(word)
        elif word in ("--lang", "--as-of", "--county"):
            front += [word, next(words, "")]
        elif word.split("=")[0] in ("--lang", "--as-of", "--county"):
            front.append(word)
        else:
            rest.append(word)
    return front + rest


def _moment(text: str | None) -> datetime | None:
    """A moment given by the user, China time unless it says otherwise; a bare date means the end of that day."""
    if text is None:
        return None
    from geo.season import CHINA

    try:
        moment = datetime.fromisoformat(text)
        if len(text) == 10:
            moment = moment.replace(hour=23, minute=59, second=59)
        placed = moment if moment.tzinfo else moment.replace(tzinfo=CHINA)
        placed.astimezone(CHINA)  # the first and the last day of the calendar are not everywhere
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter("YYYY-MM-DD[THH:MM]", param_hint="--as-of") from error
    return placed
