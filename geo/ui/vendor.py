"""Copies the map's scripts from ``node_modules`` into the package, each checked against its sha-256."""

import hashlib
import shutil
import sys
from pathlib import Path

from geo.errors import FormatError
from geo.words import explain

PACKAGE = Path(__file__).parent
ASSETS = PACKAGE / "assets"
LIST = PACKAGE / "assets.sha256"


def listed(text: str) -> dict[str, str]:
    """
    Path under ``node_modules`` -> sha-256, from the lines of ``sha256sum``.

    >>> listed("ab12  leaflet/LICENSE\\n")
    {'leaflet/LICENSE': 'ab12'}
    """
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}


def complete() -> bool:
    """Whether every file the map needs is in the package."""
    return all((ASSETS / name).is_file() for name in listed(LIST.read_text("utf-8")))


def stands(folder: Path, name: str, digest: str) -> bool:
    """Whether a file stands in a folder with the digest it must have."""
    path = folder / name
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == digest


def copy_assets(source: Path, target: Path, wanted: dict[str, str]) -> int:
    """
    Copy the wanted files that do not stand yet; how many were copied.

    Raises
    ------
    FormatError
        A wanted file is missing in `source` or has another digest; nothing of it is copied.
    """
    missing = {name: digest for name, digest in wanted.items() if not stands(target, name, digest)}
    for name, digest in missing.items():
        if not stands(source, name, digest):
            raise FormatError("asset_wrong", name=name)
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target / name)
    return len(missing)


def main() -> int:
    """Copy from ``node_modules`` of the working directory; 1 when a file is missing or altered."""
    try:
        copied = copy_assets(Path.cwd() / "node_modules", ASSETS, listed(LIST.read_text("utf-8")))
    except FormatError as error:
        sys.stderr.write(f"{explain(error)} / {explain(error, 'en')}\n")
        return 1
    sys.stdout.write(f"{copied} copied to {ASSETS.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
