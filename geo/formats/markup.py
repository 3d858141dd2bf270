"""XML read with every door shut: no entities, no document type, no network; broken files salvaged to the break."""

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from geo.errors import FormatError
from geo.formats.sniffing import refuse_doctype


@dataclass(frozen=True)
class Markup:
    """A parsed tree; `ends_at_byte` where the file breaks off or stops being XML, else None."""

    root: etree._Element
    ends_at_byte: int | None


def parse(data: bytes, name: str) -> Markup:
    """
    The tree of an XML file.

    Raises
    ------
    FormatError
        ``doctype_refused``, or ``not_xml`` when not even a root can be read.
    """
    refuse_doctype(data, name)
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    try:
        return Markup(_tree(data, _parser()), None)
    except etree.XMLSyntaxError as error:
        first = str(error.msg)
    salvage = _parser(recover=True)
    try:
        root = _tree(data, salvage)
    except etree.XMLSyntaxError:
        root = None
    if root is None:
        raise FormatError("not_xml", file=name, why=first[:120])
    # A prefix nobody declared (fragments, careless exports) loses nothing.
    broken = [entry for entry in salvage.error_log if entry.domain != etree.ErrorDomains.NAMESPACE]
    return Markup(root, _offset(data, broken[0].line, broken[0].column) if broken else None)


def _parser(*, recover: bool = False) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover, remove_comments=True
    )


def _tree(data: bytes, parser: etree.XMLParser) -> etree._Element:
    root = etree.fromstring(data, parser)
    if root is not None and _doctype(root):
        raise FormatError("doctype_refused", file="")
    return root


def _doctype(root: etree._Element) -> str:
    info: Any = root.getroottree().docinfo
    return str(info.doctype)


def _offset(data: bytes, line: int, column: int) -> int:
    """Byte of an error given by line and column."""
    start = 0
    for _ in range((line or 1) - 1):
        start = data.find(b"\n", start) + 1
    return min(start + max((column or 1) - 1, 0), len(data))


def local(element: etree._Element) -> str:
    """The element's name without its namespace, or without a prefix nobody declared."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def child_text(element: etree._Element, name: str) -> str | None:
    """Text of the first child of this local name, stripped; None where there is none."""
    for child in element:
        if local(child) == name:
            return (child.text or "").strip() or None
    return None


_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def printable(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _UNPRINTABLE.sub("", text)
