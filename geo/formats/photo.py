"""A photo file: what its EXIF says of time and place, a hash of how it looks, and a small copy. Nothing is executed."""

import io
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import imagehash
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from geo.errors import FormatError

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_PIXELS = 200_000_000
LARGEST_BYTES = 64 * 1024 * 1024
THUMB_PX = 320
_HEIC = (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc")
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, KeyError, TypeError, IndexError, OverflowError, MemoryError,
    struct.error, Image.DecompressionBombError,
)  # fmt: skip
_JPEG_SCALE = (1600, 1600)


@dataclass(frozen=True)
class Photo:
    """
    What a photo file says.

    `longitude` and `latitude` are WGS 84 degrees of the EXIF; `taken_at` is tz-aware; `likeness` 16 hex digits;
    `thumbnail` JPEG bytes. A HEIC is kept, but not looked at: likeness and thumbnail are None.
    """

    suffix: str
    taken_at: datetime | None = None
    longitude: float | None = None
    latitude: float | None = None
    likeness: str | None = None
    thumbnail: bytes | None = None


def read_photo(data: bytes, file: str, *, timezone: str) -> Photo:
    """
    Read a JPEG, PNG, WebP or HEIC.

    Parameters
    ----------
    timezone
        Zone of an EXIF time that names none; the satellites' own time comes first.

    Raises
    ------
    FormatError
        No picture, too large, or one that breaks off.
    """
    if len(data) > LARGEST_BYTES:
        raise FormatError("file_too_large", file=file, cap=LARGEST_BYTES // 1024**2)
    if data[4:12] in _HEIC:
        return Photo(".heic")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > LARGEST_PIXELS:
                raise FormatError("photo_too_large", file=file, pixels=LARGEST_PIXELS // 1_000_000)
            suffix = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}[str(picture.format)]
            exif = picture.getexif()
            picture.draft("RGB", _JPEG_SCALE)
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except FormatError:
        raise
    except UnidentifiedImageError as wrong:
        raise FormatError("photo_unknown", file=file) from wrong
    except _BROKEN as wrong:
        raise FormatError("unreadable", file=file, why=wrong) from wrong
    likeness = str(imagehash.dhash(upright))
    upright.thumbnail((THUMB_PX, THUMB_PX))
    stream = io.BytesIO()
    upright.save(stream, "JPEG", quality=80)
    longitude, latitude = _place(exif)
    return Photo(suffix, _moment(exif, timezone), longitude, latitude, likeness, stream.getvalue())


def _moment(exif: Image.Exif, timezone: str) -> datetime | None:
    """The satellites' time, else the camera's with its offset, else in the zone given; None where there is none."""
    gps, more = _part(exif, ExifTags.IFD.GPSInfo), _part(exif, ExifTags.IFD.Exif)
    try:
        day = datetime.strptime(_text(gps[ExifTags.GPS.GPSDateStamp]), "%Y:%m:%d").replace(tzinfo=UTC)
        hours, minutes, seconds = (float(part) for part in gps[ExifTags.GPS.GPSTimeStamp])
        return day + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (KeyError, ValueError, TypeError, ZeroDivisionError, OverflowError):
        pass
    told = more.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        date, _, clock = _text(told).partition(" ")
        naive = datetime.fromisoformat(f"{date.replace(':', '-')}T{clock}")
    except (ValueError, TypeError):
        return None
    offset = more.get(ExifTags.Base.OffsetTimeOriginal)
    try:
        zone: Any = datetime.strptime(_text(offset), "%z").tzinfo
    except (ValueError, TypeError):
        zone = ZoneInfo(timezone)
    return naive.replace(tzinfo=zone).astimezone(UTC)


def _place(exif: Image.Exif) -> tuple[float | None, float | None]:
    """WGS 84 degrees of the EXIF; None where it has none, or zeros, as some phones write without a fix."""
    gps = _part(exif, ExifTags.IFD.GPSInfo)
    try:
        north = _degrees(gps[ExifTags.GPS.GPSLatitude], gps[ExifTags.GPS.GPSLatitudeRef], "S")
        east = _degrees(gps[ExifTags.GPS.GPSLongitude], gps[ExifTags.GPS.GPSLongitudeRef], "W")
    except (KeyError, ValueError, TypeError, ZeroDivisionError):
        return None, None
    real = abs(north) <= 90.0 and abs(east) <= 180.0 and (north, east) != (0.0, 0.0)
    return (east, north) if real else (None, None)


def _part(exif: Image.Exif, part: int) -> Mapping[int, Any]:
    """One table of the EXIF; an unreadable one says nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return exif.get_ifd(part)
        except _BROKEN:
            return {}


def _degrees(parts: Any, side: Any, below: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60.0 + seconds / 3600.0
    return -value if _text(side).upper().startswith(below) else value


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii", "ignore").strip("\0 ")
    if not isinstance(value, str):
        raise ValueError(f"no text: {value!r}")
    return value.strip("\0 ")
