"""A photo file's own word on time and place, how it looks, and what is no photo."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import ExifTags, Image

from geo.errors import FormatError
from geo.formats.photo import THUMB_PX, read_photo

ZONE = "Asia/Shanghai"


def picture(seed: int = 1, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """A made-up scene: soft blobs, so that a smaller or paler copy still looks like it."""
    small = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)


def jpeg(
    seed: int = 1, *, exif: Image.Exif | None = None, quality: int = 90, size: tuple[int, int] = (640, 480)
) -> bytes:
    stream = io.BytesIO()
    picture(seed, size).save(stream, "JPEG", quality=quality, **({} if exif is None else {"exif": exif}))
    return stream.getvalue()


def tagged(*, gps: dict[int, object] | None = None, taken: str | None = None, offset: str | None = None) -> Image.Exif:
    exif = Image.Exif()
    more = exif.get_ifd(ExifTags.IFD.Exif)
    if taken:
        more[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        more[ExifTags.Base.OffsetTimeOriginal] = offset
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(gps)
    return exif


PLACE = {1: "N", 2: (26.0, 30.0, 36.0), 3: "E", 4: (105.0, 15.0, 18.0)}


@pytest.mark.parametrize(
    ("exif", "taken"),
    [
        (tagged(taken="2026:03:11 09:30:00"), datetime(2026, 3, 11, 1, 30, tzinfo=UTC)),
        (tagged(taken="2026:03:11 09:30:00", offset="+05:00"), datetime(2026, 3, 11, 4, 30, tzinfo=UTC)),
        (
            tagged(gps={29: "2026:03:11", 7: (2.0, 3.0, 4.0)}, taken="2019:01:01 00:00:00"),
            datetime(2026, 3, 11, 2, 3, 4, tzinfo=UTC),
        ),
        (tagged(taken="0000:00:00 00:00:00"), None),
        (tagged(taken="gestern"), None),
        (tagged(), None),
    ],
)
def test_the_satellites_time_comes_before_the_cameras_and_nonsense_is_no_time(exif: Image.Exif, taken: object) -> None:
    assert read_photo(jpeg(exif=exif), "a.jpg", timezone=ZONE).taken_at == taken


@pytest.mark.parametrize(
    ("gps", "place"),
    [
        (PLACE, (105.255, 26.51)),
        (PLACE | {3: "W"}, (-105.255, 26.51)),
        (PLACE | {2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, None),
        (PLACE | {2: (95.0, 0.0, 0.0)}, None),
        ({2: (26.0, 30.0, 36.0)}, None),
    ],
)
def test_a_place_is_read_in_degrees_and_zeros_are_none(gps: dict[int, object], place: object) -> None:
    read = read_photo(jpeg(exif=tagged(gps=gps)), "a.jpg", timezone=ZONE)
    if place is None:
        assert (read.longitude, read.latitude) == (None, None)
    else:
        assert (read.longitude, read.latitude) == pytest.approx(place)


def bits(one: str, two: str) -> int:
    return (int(one, 16) ^ int(two, 16)).bit_count()


def test_a_smaller_and_paler_copy_looks_the_same_and_another_scene_does_not() -> None:
    """As a picture comes through a chat: half the size, low quality."""
    first = read_photo(jpeg(1), "a.jpg", timezone=ZONE).likeness
    copy = read_photo(jpeg(1, quality=30, size=(320, 240)), "b.jpg", timezone=ZONE).likeness
    others = [read_photo(jpeg(seed), "c.jpg", timezone=ZONE).likeness for seed in range(2, 30)]
    assert bits(first, copy) <= 4
    assert min(bits(first, other) for other in others) > 8


def test_a_thumbnail_is_small_and_upright() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    small = Image.open(io.BytesIO(read_photo(jpeg(exif=exif), "a.jpg", timezone=ZONE).thumbnail))
    assert small.height == THUMB_PX > small.width


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GIF89a" + bytes(40), "photo_unknown"),
        (b"hello, world", "photo_unknown"),
        (jpeg()[:2000], "unreadable"),
        (b"", "photo_unknown"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "unreadable"),
    ],
)
def test_what_is_no_photo_or_breaks_off_is_refused_in_words(data: bytes, code: str) -> None:
    with pytest.raises(FormatError) as refused:
        read_photo(data, "x.jpg", timezone=ZONE)
    assert refused.value.code in (code, "photo_unknown")


def test_every_cut_and_flipped_byte_is_our_error_or_a_photo() -> None:
    """Two hundred damaged files: nothing foreign escapes."""
    whole, dice = bytearray(jpeg(exif=tagged(gps=PLACE, taken="2026:03:11 09:30:00"))), np.random.default_rng(5)
    for _ in range(200):
        damaged = bytearray(whole[: dice.integers(1, len(whole))] if dice.random() < 0.3 else whole)
        for at in dice.integers(0, min(len(damaged), 600), 4):
            damaged[at] = dice.integers(0, 256)
        try:
            read_photo(bytes(damaged), "x.jpg", timezone=ZONE)
        except FormatError:
            continue


def test_a_heic_is_kept_without_being_looked_at() -> None:
    read = read_photo(b"\0\0\0\x18ftypheic" + bytes(64), "a.heic", timezone=ZONE)
    assert (read.suffix, read.likeness, read.thumbnail) == (".heic", None, None)
