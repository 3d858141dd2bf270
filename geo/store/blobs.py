"""GeoPackage geometry: a header with the CRS and the envelope, then well-known binary."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geo.store.audit import Foreign

HEADER_BYTES = 40
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_HEADER = struct.Struct("<2sBBi4d")
_LITTLE_ENDIAN_XY = 0b0000_0011


def wkb_of(shapes: npt.NDArray[Any], *, with_zm: bool) -> list[bytes | None]:
    """ISO well-known binary per geometry, little-endian; None and empty geometries become None."""
    dimensions = 4 if with_zm else 3
    binary = shapely.to_wkb(shapes, output_dimension=dimensions, flavor="iso", byte_order=1)
    return [None if empty else data for data, empty in zip(binary, shapely.is_empty(shapes), strict=True)]


def blobs_of(binary: Sequence[bytes | None], srs_id: int) -> list[bytes | None]:
    """GeoPackage blobs, envelope included, of well-known binary."""
    bounds = shapely.bounds(shapely.from_wkb(np.array(binary, dtype=object))).reshape(-1, 4)
    return [
        None if data is None else _HEADER.pack(b"GP", 0, _LITTLE_ENDIAN_XY, srs_id, west, east, south, north) + data
        for data, (west, south, east, north) in zip(binary, bounds.tolist(), strict=True)
    ]


def wkb_in(blob: bytes | None) -> bytes | None:
    """The well-known binary inside a GeoPackage blob, whatever envelope it has."""
    if blob is None:
        return None
    return blob[8 + _ENVELOPE_BYTES[min(blob[3] >> 1 & 0b111, 4)] :]


def shapes_of(blobs: Sequence[bytes | None]) -> npt.NDArray[Any]:
    """Geometries of GeoPackage blobs."""
    shapes: npt.NDArray[Any] = shapely.from_wkb(np.array([wkb_in(blob) for blob in blobs], dtype=object))
    return shapes


def hexes_of(blobs: Sequence[Any], srs_id: int) -> list[Any]:
    """Well-known binary in hex inside GeoPackage blobs; `Foreign` for one that `blobs_of` would not have made."""
    try:
        binary = [wkb_in(blob) for blob in blobs]
        same = [one == other for one, other in zip(blobs_of(binary, srs_id), blobs, strict=True)]
    except (ValueError, TypeError, IndexError, shapely.errors.ShapelyError):
        return [Foreign()] if len(blobs) == 1 else [hexes_of([blob], srs_id)[0] for blob in blobs]
    return [
        Foreign() if not equal else None if data is None else data.hex()
        for data, equal in zip(binary, same, strict=True)
    ]
