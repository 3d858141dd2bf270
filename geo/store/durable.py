"""Files that are whole or absent: written beside, flushed to the disk, then moved into place."""

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from geo.errors import StoreError

BACKUPS = "backups"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_SAID = (
    ("full", "disk_full"),
    ("readonly", "disk_readonly"),
    ("disk I/O error", "disk_fails"),
    ("locked", "store_busy"),
    ("busy", "store_busy"),
)


def replace_file(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a new file, then put it in the place of `path`; on any failure the old file stays."""
    beside = path.with_name(f".{path.stem}-{os.getpid()}-{os.urandom(4).hex()}{path.suffix}")
    if not path.parent.is_dir():
        raise StoreError("folder_missing", folder=path.parent)
    with explained(path):
        try:
            write(beside)
            _flush(beside)
            beside.replace(path)
            _flush(path.parent)
        finally:
            beside.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """The folder, made if need be."""
    with explained(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a disk that is full, closed or broken into a `StoreError`; other failures stay what they are."""
    try:
        yield
    except (OSError, sqlite3.Error) as wrong:
        code = refusal_of(wrong)
        if code == "store_refuses" and isinstance(wrong, OSError):
            raise
        raise StoreError(code, path=path, why=wrong) from wrong
    except UnicodeDecodeError as wrong:  # SQLite's own message quotes bytes of a damaged file
        raise StoreError("store_refuses", path=path, why=wrong.reason) from wrong


def back_up(file: Path, why: str, now: datetime) -> Path:
    """A whole copy of a county as it is, in ``backups`` beside it, while others read and write."""

    def copy(beside: Path) -> None:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(beside)) as target:
            source.backup(target)

    copied = file.parent / BACKUPS / f"{file.stem}-{why}-{now:%Y%m%dT%H%M%S}{file.suffix}"
    make_folder(copied.parent)
    replace_file(copied, copy)
    return copied


def put_aside(path: Path, why: str, now: datetime) -> None:
    """Move a file of no more use into ``backups`` beside it, with its journal."""
    make_folder(path.parent / BACKUPS)
    name = f"{path.stem}-{why}-{now:%Y%m%dT%H%M%S}"
    for suffix in ("-wal", "-shm", ""):
        file = path.with_name(path.name + suffix)
        if file.exists():
            file.replace(path.parent / BACKUPS / f"{name}{path.suffix}{suffix}")


def write_file(path: Path, content: bytes) -> None:
    """A file of this content, whole or as it was before."""
    replace_file(path, lambda beside: _fill(beside, content))


def write_text(path: Path, text: str) -> None:
    """A text file, whole or as it was before."""
    write_file(path, text.encode())


def _fill(beside: Path, content: bytes) -> None:
    beside.write_bytes(content)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def refusal_of(wrong: OSError | sqlite3.Error) -> str:
    """The code of ``geo.words`` for a disk that is full or closed to writing, a store in use, or anything else."""
    if isinstance(wrong, OSError):
        return "disk_full" if wrong.errno in _FULL else "disk_readonly" if wrong.errno in _CLOSED else "store_refuses"
    return next((code for word, code in _SAID if word in str(wrong)), "store_refuses")
