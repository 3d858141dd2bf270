"""Photo files of a county: each original once, under the SHA-256 of its content, and small copies of them."""

import hashlib
from pathlib import Path

from geo.store.durable import make_folder, write_file

FOLDER, THUMBS = "photos", "thumbs"


def keep_original(county: Path, data: bytes, suffix: str, thumbnail: bytes | None) -> str:
    """Keep a file's content, if it is not there yet; the SHA-256 it is found under."""
    digest = hashlib.sha256(data).hexdigest()
    path = _path(county, digest, suffix)
    if original(county, digest) is None:
        make_folder(path.parent)
        write_file(path, data)
    small = _thumb(county, digest)
    if thumbnail is not None and not small.is_file():
        make_folder(small.parent)
        write_file(small, thumbnail)
    return digest


def original(county: Path, digest: str) -> Path | None:
    """The file kept under a hash; None where there is none."""
    _require_digest(digest)
    found = sorted((county / FOLDER / digest[:2]).glob(f"{digest}.*"))
    return found[0] if found else None


def thumbnail(county: Path, digest: str) -> Path | None:
    """The small copy of a photo; None where there is none."""
    _require_digest(digest)
    path = _thumb(county, digest)
    return path if path.is_file() else None


def is_intact(path: Path) -> bool:
    """Whether a kept file still has the content it is named by."""
    return hashlib.sha256(path.read_bytes()).hexdigest() == path.stem


def _path(county: Path, digest: str, suffix: str) -> Path:
    return county / FOLDER / digest[:2] / f"{digest}{suffix}"


def _thumb(county: Path, digest: str) -> Path:
    return county / FOLDER / THUMBS / digest[:2] / f"{digest}.jpg"


def _require_digest(digest: str) -> None:
    """A hash is a file's name: nothing else may be one."""
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"no SHA-256: {digest!r}")
