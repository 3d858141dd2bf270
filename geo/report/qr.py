"""QR codes for paper: a short text as a picture, the same text always the same bytes."""

import io

import segno

MASK = 2


def qr_png(text: str, *, scale: int = 3) -> bytes:
    """PNG bytes of a text as a QR code that survives a smudge (level M); `scale` pixels per module."""
    stream = io.BytesIO()
    _code(text).save(stream, kind="png", scale=scale, border=2)
    return stream.getvalue()


def qr_modules(text: str) -> list[list[bool]]:
    """The dark modules of a text's QR code, row by row, without a border."""
    return [[bool(module) for module in row] for row in _code(text).matrix]


def _code(text: str) -> segno.QRCode:
    """
    One fixed mask: trying all eight takes six times as long and reads no better on paper.

    Chinese text says that it is UTF-8: readers guess otherwise, and some guess Shift-JIS.
    """
    if text.isascii():
        return segno.make(text, error="m", micro=False, mask=MASK)
    return segno.make(text, error="m", micro=False, mask=MASK, encoding="utf-8", eci=True)
