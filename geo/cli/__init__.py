"""The command line: `tacha --county DIR COMMAND`. One file per job; every command calls ``workspace``."""

from geo.cli.main import main

__all__ = ["main"]
