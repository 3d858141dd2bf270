"""The command line: `tacha --county DIR COMMAND`. One file per job; every command calls ``workspace``."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

YOUNG_OBJECTS = 50_000
"""After so many new objects Python looks for those that hold one another; the libraries alone make half a million."""


class Stopped(BaseException):
    """Ctrl-C, or asked to end: no failure of the program, and nothing that a library may take for one."""


def main() -> None:
    """
    Run the program; stopped at any moment, even while it loads, it says so and leaves nothing half done.

    The exit code is then 128 and the signal's number: 130 after Ctrl-C, 143 after a plain `kill`.
    """
    _let_speak()
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        _hear(_stop)
        from geo.cli.main import main as run

        run()
        _leave(0)
    except SystemExit as ended:
        _leave(ended.code)
    except BaseException as error:
        if not (_asked or isinstance(error, (Stopped, KeyboardInterrupt))):
            raise
        _hear(signal.SIG_IGN)
        from geo.words import say

        english = "--lang=en" in sys.argv or "--lang en" in " ".join(sys.argv)
        sys.stderr.write(say("stopped", "en" if english else "zh") + "\n")
        _leave(128 + (_asked or [signal.SIGINT])[0])


def _leave(code: int | str | None) -> NoReturn:
    """
    End here, with all said and what was registered for the end done.

    Python would take every library apart first, object by object, which takes a fifth of a second and changes nothing.
    """
    _hear(signal.SIG_IGN)
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
    number = 1 if isinstance(code, str) else code or 0
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            number = number or 1
    os._exit(number)


def _hear(what: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, what)


def _let_speak() -> None:
    """Streams that whoever started this closed lead nowhere; else the next file opened would take their place."""
    for name, way in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, way))  # noqa: SIM115  # open as long as the program


_asked: list[int] = []
"""Signals that came: what a library half loaded makes of a stop is still a stop."""


def _stop(number: int, _frame: object) -> None:
    _asked.append(number)
    raise Stopped
