"""The county's key for bundles: 32 random bytes in a file of the county's folder that no bundle and no export holds."""

import os
import secrets
from pathlib import Path

from geo.errors import StoreError
from geo.store.durable import replace_file

NAME = "bundle.key"
KEY_BYTES = 32


def county_key(folder: Path) -> bytes:
    """The county's key, made when first asked for; only its owner may read the file."""
    file = folder / NAME
    if not file.exists():
        replace_file(file, lambda beside: _fill(beside, secrets.token_bytes(KEY_BYTES)))
    try:
        key = bytes.fromhex(file.read_text("ascii").strip())
    except ValueError as wrong:
        raise StoreError("county_key_bad", file=file) from wrong
    if len(key) != KEY_BYTES:
        raise StoreError("county_key_bad", file=file)
    return key


def _fill(beside: Path, key: bytes) -> None:
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(key.hex() + "\n")
