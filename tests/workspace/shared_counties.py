"""Copies of the counties that all tests of a run share."""

import shutil
from pathlib import Path

JOURNALS = ("*-wal", "*-shm")
MADE_OF = ("inputs", "truth")


def copy_of(county: Path, to: Path, *left_out: str) -> Path:
    """A copied folder, without journals: they come and go as others look in, and nothing is written that they hold."""
    return Path(shutil.copytree(county, to, ignore=shutil.ignore_patterns(*JOURNALS, *left_out)))
