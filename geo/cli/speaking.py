"""
What every command shares: the session's options, and how answers, progress and failures are printed.

Commands import what they call when they are called, so that `tacha --help` and small commands answer at once.
"""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from geo.words import Language, say, step_word

if TYPE_CHECKING:
    from geo.workspace.county import County

Report = Callable[[str, int, int], None]
OVERLAPS_SHOWN = 5
FIRST_LINE_S, NEXT_LINES_S = 2.0, 5.0


@dataclass(frozen=True)
class Session:
    """The global options of one call."""

    county: Path
    json: bool
    language: Language
    as_of: datetime | None
    opened: list["County"] = field(default_factory=list)

    def open(self) -> "County":
        """The county of this call; `close` closes it."""
        from geo.workspace.county import open_county

        self.opened.append(open_county(self.county))
        return self.opened[-1]

    def close(self) -> None:
        """Close what was opened: a database that is not closed leaves its journal behind."""
        for county in self.opened:
            county.store.close()

    def say(self, code: str, **fields: object) -> str:
        return say(code, self.language, **fields)

    def print(self, *lines: str) -> None:
        """Lines for people; silent when JSON is asked for."""
        if not self.json:
            for line in lines:
                sys.stdout.write(line + "\n")

    def answer(self, plain: dict[str, Any]) -> None:
        """The JSON object, when asked for."""
        if self.json:
            sys.stdout.write(json.dumps(plain, ensure_ascii=False, allow_nan=False, default=str) + "\n")

    def table(self, title: str, columns: list[str], rows: list[list[str]]) -> None:
        """A table for people; silent when JSON is asked for."""
        if self.json:
            return
        from rich.console import Console
        from rich.table import Column, Table

        table = Table(*(Column(name, overflow="fold") for name in columns), title=title, title_justify="left")
        for row in rows:
            table.add_row(*row)
        Console(width=None if sys.stdout.isatty() else 150).print(table)

    def odd_ground(self, county: "County") -> None:
        """Ground inside that belongs to nobody, and jurisdictions of several parts: where responsibility slips."""
        from geo.workspace.county import overlaps, scattered, unassigned

        townships = county.store.read("townships")
        holes, parts = unassigned(townships, county.store.read("grounds")), scattered(townships)
        if len(holes):
            self.print(self.say("county_unassigned", n=len(holes), km2=f"{holes.area.sum() / 1e6:.1f}"))
        if parts:
            names = ("、" if self.language == "zh" else ", ").join(f"{name} {n}" for name, n in parts.items())
            self.print(self.say("county_scattered", n=len(parts), names=names))
        if twice := overlaps(townships):
            pairs = [f"{' × '.join(pair['names'])} {pair['km2']:.2f} km²" for pair in twice[:OVERLAPS_SHOWN]]
            self.print(self.say("county_overlaps", n=len(twice), pairs="; ".join(pairs)))


def session(context: typer.Context) -> Session:
    """The session of a command's context."""
    found: Session = context.obj
    return found


def now() -> datetime:
    """The clock, read here and nowhere deeper."""
    return datetime.now(UTC)


@contextmanager
def progress(language: Language = "zh") -> Iterator[Report]:
    """Progress on standard error: a bar on a terminal, elsewhere a plain line after two seconds and then every five."""
    if not sys.stderr.isatty():
        with _plain_progress(language) as report:
            yield report
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def report(what: str, done: int, total: int) -> None:
            bar.update(task, description=step_word(what, language), completed=done, total=total)

        yield report


@contextmanager
def _plain_progress(language: Language) -> Iterator[Report]:
    """Lines of a thread of its own, so that a long step is told too."""
    latest: list[tuple[str, int, int]] = []
    over = threading.Event()

    def tell() -> None:
        wait_s = FIRST_LINE_S
        while not over.wait(wait_s):
            wait_s = NEXT_LINES_S
            if latest:
                what, done, total = latest[-1]
                sys.stderr.write(
                    say("progress", language, what=step_word(what, language), done=done, total=total) + "\n"
                )
                sys.stderr.flush()

    teller = threading.Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield lambda what, done, total: latest.append((what, done, total))
    finally:
        over.set()
        teller.join()
