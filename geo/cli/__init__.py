"""The command line: `tacha --county DIR COMMAND`. One file per job; every command calls ``workspace``."""

import os
import signal
import sys


class Stopped(BaseException):
    """Ctrl-C, or asked to end: no failure of the program, and nothing that a library may take for one."""


def main() -> None:
    """
    Run the program; stopped at any moment, even while it loads, it says so and leaves nothing half done.

    The exit code is then 128 and the signal's number: 130 after Ctrl-C, 143 after a plain `kill`.
    """
    _let_speak()
    try:
        for number in _ENDING:
            signal.signal(number, _stop)
        from geo.cli.main import main as run

        run()
    except BaseException as error:
        if not (_asked or isinstance(error, (Stopped, KeyboardInterrupt))) or isinstance(error, SystemExit):
            raise
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)
        from geo.words import say

        english = "--lang=en" in sys.argv or "--lang en" in " ".join(sys.argv)
        sys.stderr.write(say("stopped", "en" if english else "zh") + "\n")
        sys.exit(128 + (_asked or [signal.SIGINT])[0])


def _let_speak() -> None:
    """Streams that whoever started this closed lead nowhere; else the next file opened would take their place."""
    for name, way in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, way))  # noqa: SIM115  # open as long as the program


_ENDING = (signal.SIGINT, signal.SIGTERM)
_asked: list[int] = []
"""Signals that came: what a library half loaded makes of a stop is still a stop."""


def _stop(number: int, _frame: object) -> None:
    _asked.append(number)
    raise Stopped
