"""In which encoding a shapefile's or table's text was written."""

import codecs

from geo.errors import FormatError

_LDID = {0x4D: "gb18030", 0x4E: "cp949", 0x4F: "big5", 0x50: "cp874", 0x13: "cp932", 0x03: "cp1252", 0x01: "cp437"}


def dbf_encoding(dbf: bytes, cpg: bytes, wanted: str | None, name: str) -> str:
    """
    Encoding of a dBASE table's text: the user's word, the .cpg, strict UTF-8, the language byte, else GB18030.

    A .cpg that the text contradicts is not believed.
    """
    texts = _texts(dbf)
    if wanted is not None:
        try:
            codecs.lookup(wanted)
        except LookupError as error:
            raise FormatError("encoding_bad", file=name, encoding=wanted) from error
        return wanted
    declared = _codec(cpg.decode("ascii", "ignore").strip())
    for candidate in (declared, "utf-8", _LDID.get(dbf[29]) if len(dbf) > 29 else None, "gb18030"):
        if candidate and all(_fits(text, candidate) for text in texts):
            return candidate
    return "latin-1"


def table_text(data: bytes, wanted: str | None, name: str) -> tuple[str, str]:
    """A text table decoded, and its encoding: the user's word, UTF-8 (BOM or not), UTF-16 with BOM, else GB18030."""
    candidates = [wanted] if wanted else ["utf-8-sig", "gb18030"]
    if not wanted and data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    for encoding in candidates:
        try:
            return data.decode(encoding), encoding
        except (UnicodeDecodeError, LookupError):
            continue
    raise FormatError("encoding_bad", file=name, encoding=candidates[-1])


def _codec(text: str) -> str | None:
    cleaned = text.lower().replace("ansi ", "cp").replace("oem ", "cp")
    for candidate in (cleaned, f"cp{cleaned}"):
        try:
            found = codecs.lookup(candidate).name
        except (LookupError, ValueError):
            continue
        return "gb18030" if found in {"gbk", "gb2312", "cp936"} else found
    return None


def _texts(dbf: bytes) -> list[bytes]:
    """Bytes of every field's name and every text with characters beyond ASCII."""
    if len(dbf) < 33:
        return []
    header, width = int.from_bytes(dbf[8:10], "little"), int.from_bytes(dbf[10:12], "little")
    fields, names, offset = [], [], 1
    for start in range(32, min(header, len(dbf)) - 31, 32):
        if dbf[start] == 0x0D:
            break
        size = dbf[start + 16]
        names.append(dbf[start : start + 11].split(b"\x00")[0])
        if dbf[start + 11] in b"C":
            fields.append((offset, offset + size))
        offset += size
    names = [name for name in names if not name.isascii()]
    if width == 0:
        return names
    rows = range(header, len(dbf) - width + 1, width)
    cells = (dbf[row + begin : row + end].rstrip(b" \x00") for row in rows for begin, end in fields)
    return [*names, *(cell for cell in cells if not cell.isascii())]


def _fits(text: bytes, encoding: str) -> bool:
    """Whether text decodes; a character cut off at the field's end is forgiven."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        decoder.decode(text, final=False)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
