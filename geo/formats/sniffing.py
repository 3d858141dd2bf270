"""
What a file really is, by its first bytes, and zip members read in memory under caps.

Extensions lie: a file named ``.kml`` may be a ZIP, a ``.tif`` may be a VRT that fetches an address.
"""

import io
import re
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path

from geo.errors import FormatError

FILE_CAP = 256 * 2**20
UNPACKED_CAP = 512 * 2**20
RATIO_CAP = 200
MEMBERS_CAP = 5000

_HEAD_BYTES = 2**16
_FOREIGN = (
    (8, b".FIT", "Garmin FIT"),
    (0, b"OziExplorer", "OziExplorer"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "XLS/DOC (Office 97–2003)"),
    (0, b"%PDF", "PDF"),
    (0, b"Rar!", "RAR"),
    (0, b"7z\xbc\xaf", "7z"),
    (0, b"AC10", "DWG"),
    (0, b"\xff\xd8\xff", "JPEG"),
    (0, b"\x89PNG", "PNG"),
)
"""Where, by which bytes, and by what name formats are known that people bring and this program does not read."""
_COMMENT = re.compile(rb"<!--.*?(?:-->|$)", re.DOTALL)
_MARKUP = re.compile(rb"<\s*(?:[A-Za-z_][\w.-]*:)?(gpx|kml|Folder|Document|Placemark)\b")


class Kind(StrEnum):
    """Kinds of file Tacha tells apart."""

    GPX = "GPX"
    KML = "KML"
    ZIP = "ZIP"
    SHAPEFILE = "SHP"
    GEOPACKAGE = "GPKG"
    JSON = "JSON"
    PARQUET = "Parquet"
    TIFF = "GeoTIFF"
    TABLE = "CSV"
    OVITAL_OBJECT = "ovobj"


def read_bytes(path: Path) -> bytes:
    """The whole file, refused above `FILE_CAP` bytes and when there is none."""
    if path.is_dir():
        raise FormatError("folder_empty", folder=path.name)
    if not path.is_file():
        raise FormatError("file_missing", file=path.name)
    if path.stat().st_size > FILE_CAP:
        raise FormatError("file_too_large", file=path.name, cap=FILE_CAP // 2**20)
    data = path.read_bytes()
    if not data:
        raise FormatError("file_empty", file=path.name)
    return data


def kind_of(data: bytes, name: str) -> Kind:
    """The kind of a file's bytes; its name counts only for plain tables of text."""
    magic = {
        b"PK\x03\x04": Kind.ZIP,
        b"PK\x05\x06": Kind.ZIP,
        b"\x00\x00\x27\x0a": Kind.SHAPEFILE,
        b"SQLi": Kind.GEOPACKAGE,
        b"PAR1": Kind.PARQUET,
        b"II*\x00": Kind.TIFF,
        b"MM\x00*": Kind.TIFF,
        b"II+\x00": Kind.TIFF,
        b"MM\x00+": Kind.TIFF,
        b"OviO": Kind.OVITAL_OBJECT,
    }.get(data[:4])
    if magic:
        return magic
    head = data[:_HEAD_BYTES]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "replace").encode()
    head = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        return _kind_of_markup(head, name)
    if head.startswith((b"{", b"[")):
        return Kind.JSON
    for offset, mark, kind in _FOREIGN:
        if data[offset : offset + len(mark)] == mark:
            raise FormatError("format_foreign", file=name, kind=kind)
    if Path(name).suffix.lower() in {".csv", ".tsv", ".txt"} and b"\x00" not in head:
        return Kind.TABLE
    raise FormatError("format_unknown", file=name)


def _kind_of_markup(head: bytes, name: str) -> Kind:
    refuse_doctype(head, name)
    found = _MARKUP.search(_COMMENT.sub(b"", head))
    if found and found[1] == b"gpx":
        return Kind.GPX
    if found:
        return Kind.KML
    raise FormatError("format_unknown", file=name)


def refuse_doctype(data: bytes, name: str) -> None:
    """Raise when markup declares a document type: entities can expand without end or name other files."""
    if re.search(rb"<!\s*(?:DOCTYPE|ENTITY)", data, re.IGNORECASE):
        raise FormatError("doctype_refused", file=name)


def members(data: bytes, name: str) -> dict[str, zipfile.ZipInfo]:
    """Files of a zip by name (names without the UTF-8 flag as GB18030); refused when too large unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise FormatError("zip_broken", file=name) from error
    size = sum(info.file_size for info in infos)
    if len(infos) > MEMBERS_CAP or size > UNPACKED_CAP or (size > 2**20 and size > RATIO_CAP * len(data)):
        raise FormatError("zip_too_large", file=name, cap=UNPACKED_CAP // 2**20)
    return {_member_name(info): info for info in infos}


def unpack(data: bytes, member: zipfile.ZipInfo, name: str) -> bytes:
    """One member's bytes, never more than its header promised."""
    if member.flag_bits & 1:
        raise FormatError("zip_encrypted", file=name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(member) as stream:
            held = stream.read(member.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise FormatError("zip_broken", file=name) from error
    if len(held) > member.file_size:
        raise FormatError("zip_broken", file=name)
    return held


def _member_name(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename
