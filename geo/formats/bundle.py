"""
Bundles carried by hand between the county and a township: one zip, its files named by a manifest with a keyed digest.

The digest is HMAC-SHA-256 over the manifest, which names every file by its SHA-256; the key never travels in a bundle.
A township's key is derived from the county's, so that no township can write in another's name.
"""

import hashlib
import hmac
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from geo.errors import FormatError
from geo.formats.sniffing import members, unpack
from geo.ledger import canonical

FORM = 1
MANIFEST = "manifest.json"
OUT, RETURN = "out", "return"
STAMP = (1980, 1, 1, 0, 0, 0)
KEY_DIGITS = 64

_MANIFEST_CAP = 4 * 2**20
_PARTS_CAP, _PATH_BYTES_CAP = 5, 240
_FORBIDDEN = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Manifest:
    """
    What a bundle says of itself.

    Parameters
    ----------
    kind
        `OUT` from the county to a township, or `RETURN`.
    made_at
        ISO-8601 UTC text.
    ledger_head
        Hash of the county's last ledger entry when the bundle went out; None before the first.
    answers
        `id` of the bundle that a return answers.
    files
        SHA-256 hex by path.
    """

    kind: str
    county: str
    township_id: str
    township: str
    made_at: str
    ledger_head: str | None = None
    answers: str | None = None
    files: dict[str, str] = field(default_factory=dict)

    @property
    def text(self) -> bytes:
        """The one spelling of the manifest, without its digest."""
        return canonical({"form": FORM, **asdict(self)})

    @property
    def id(self) -> str:
        """First 16 hex digits of the SHA-256 of the manifest: the same content has the same name."""
        return hashlib.sha256(self.text).hexdigest()[:16]

    def digest(self, key: bytes) -> str:
        """The keyed digest."""
        return hmac.new(key, self.text, hashlib.sha256).hexdigest()


def township_key(county_key: bytes, township_id: str) -> bytes:
    """The key of one township; the county's own cannot be worked out from it."""
    return hmac.new(county_key, f"tacha bundle {township_id}".encode(), hashlib.sha256).digest()


def key_of(text: str) -> bytes:
    """
    A key as its 64 hex digits, blanks and capitals aside.

    >>> key_of("00FF " * 16) == bytes([0, 255] * 16)
    True
    """
    digits = "".join(text.split()).lower()
    if len(digits) != KEY_DIGITS or set(digits) - set("0123456789abcdef"):
        raise FormatError("bundle_key_bad")
    return bytes.fromhex(digits)


def sealed(manifest: Manifest, files: Mapping[str, bytes], key: bytes) -> bytes:
    """The bundle of these files, always the same bytes for the same content; the manifest's own files are replaced."""
    for path in files:
        if not is_plain_path(path):
            raise FormatError("bundle_path", file=path)
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    whole = Manifest(**{**asdict(manifest), "files": digests})
    plain = {"form": FORM, **asdict(whole), "hmac_sha256": whole.digest(key)}
    return zipped({**files, MANIFEST: json.dumps(plain, ensure_ascii=False, indent=1, sort_keys=True).encode()})


def manifest_of(data: bytes, name: str) -> tuple[Manifest, str]:
    """
    What a bundle says of itself and the digest it carries, both still to be checked by `opened`.

    Raises
    ------
    FormatError
        The file is no bundle, or one of a newer program.
    """
    held = members(data, name)
    if MANIFEST not in held or held[MANIFEST].file_size > _MANIFEST_CAP:
        raise FormatError("bundle_foreign", file=name)
    return _parsed(unpack(data, held[MANIFEST], name), name)


def opened(data: bytes, name: str, key: bytes) -> tuple[Manifest, dict[str, bytes]]:
    """
    The manifest and files of a bundle whose digest fits the key; nothing is written to the disk.

    Raises
    ------
    FormatError
        A byte, a name or a file is not as it was sealed, or the key is another one.
    """
    manifest, digest = manifest_of(data, name)
    if not hmac.compare_digest(manifest.digest(key), digest):
        raise FormatError("bundle_tampered", file=name, what=MANIFEST)
    held = members(data, name)
    if set(held) != {MANIFEST, *manifest.files} or _names_n(data) != len(held):
        strange = sorted(set(held) ^ {MANIFEST, *manifest.files})
        raise FormatError("bundle_tampered", file=name, what=strange[0] if strange else MANIFEST)
    for path in manifest.files:
        if not is_plain_path(path):
            raise FormatError("bundle_path", file=path)
    files = {path: unpack(data, held[path], name) for path in manifest.files}
    for path, content in files.items():
        if hashlib.sha256(content).hexdigest() != manifest.files[path]:
            raise FormatError("bundle_tampered", file=name, what=path)
    return manifest, files


def zipped(files: Mapping[str, bytes]) -> bytes:
    """One zip of files by path, names in UTF-8, always the same bytes for the same files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, STAMP), files[name], zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def is_plain_path(path: str) -> bool:
    """
    Whether a path leads down from a folder and can be written on any system.

    >>> [is_plain_path(p) for p in ("tracks/一队/a.gpx", "../a", "/etc/a", "a//b", "C:a", "a/nul.txt", "a.")]
    [True, False, False, False, False, False, False]
    """
    parts = path.split("/")
    if len(parts) > _PARTS_CAP or len(path.encode()) > _PATH_BYTES_CAP or _FORBIDDEN.search(path):
        return False
    if not unicodedata.is_normalized("NFC", path):  # the digest takes two spellings of a name for one
        return False
    return all(part and part == part.strip().rstrip(".") and not _RESERVED.fullmatch(part) for part in parts)


def _names_n(data: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return len(archive.infolist())


def _parsed(data: bytes, name: str) -> tuple[Manifest, str]:
    try:
        plain: dict[str, Any] = json.loads(data)
        form, digest = plain.pop("form"), plain.pop("hmac_sha256")
        manifest = Manifest(**plain)
        texts = [manifest.kind, manifest.county, manifest.township_id, manifest.township, manifest.made_at, digest]
        texts += [*manifest.files, *manifest.files.values()]
        fits = all(isinstance(text, str) for text in texts) and digest.isascii() and bool(manifest.text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as wrong:
        raise FormatError("bundle_foreign", file=name) from wrong
    if isinstance(form, int) and form > FORM:
        raise FormatError("bundle_newer", file=name, form=form, known=FORM)
    if form != FORM or not fits:
        raise FormatError("bundle_foreign", file=name)
    return manifest, digest
