"""QR codes for paper: a short text as a picture, the same text always the same bytes."""

import io

import segno


def qr_png(text: str, *, scale: int = 3) -> bytes:
    """PNG bytes of a text as a QR code that survives a smudge (level M); `scale` pixels per module."""
    stream = io.BytesIO()
    segno.make(text, error="m", micro=False).save(stream, kind="png", scale=scale, border=2)
    return stream.getvalue()


def qr_modules(text: str) -> list[list[bool]]:
    """The dark modules of a text's QR code, row by row, without a border."""
    return [[bool(module) for module in row] for row in segno.make(text, error="m", micro=False).matrix]
