"""The one function through which every vector, table and track file passes."""

import hashlib
import warnings
from pathlib import Path

from geo.errors import FormatError, GeoError
from geo.formats import gpx
from geo.formats.reading import Content, Hints, Reading
from geo.formats.sniffing import Kind, kind_of, read_bytes
from geo.layers import SCHEMAS


def read(layer: str, path: Path, hints: Hints = Hints()) -> Reading:  # noqa: B008 - a frozen value
    """
    One file as records of one layer.

    Raises
    ------
    GeoError
        `FormatError` or `DatumError`, and never anything else: whatever a reader stumbles on is named ``unreadable``.
    """
    path = Path(path)
    try:
        if layer not in SCHEMAS:
            raise FormatError("layer_unknown", layer=layer)
        data = read_bytes(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = _content(layer, path, data, hints)
    except GeoError:
        raise
    except Exception as error:
        raise FormatError("unreadable", file=path.name, why=type(error).__name__) from error
    return Reading.of(content, file=path.name, sha256=hashlib.sha256(data).hexdigest(), layer=layer)


def _content(layer: str, path: Path, data: bytes, hints: Hints) -> Content:
    kind = kind_of(data, path.name)
    if layer == "tracks" and kind is Kind.GPX:
        return gpx.read_tracks(data, path.name, hints)
    raise FormatError("format_not_for_layer", file=path.name, kind=kind, layer=layer)
