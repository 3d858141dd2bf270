"""Sealed bundles: what was put in comes out, and nothing that was touched on the way does."""

import contextlib
import hashlib
import io
import json
import unicodedata
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from geo.errors import FormatError
from geo.formats.bundle import (
    MANIFEST,
    OUT,
    Manifest,
    is_plain_path,
    key_of,
    manifest_of,
    opened,
    sealed,
    township_key,
    zipped,
)
from geo.words import explain

KEY = township_key(bytes(32), "520525001")
PLAIN = Manifest(OUT, "甲县", "520525001", "凉水乡", "2026-03-01T00:00:00.000Z", ledger_head="ab" * 32)
FILES = {"forms/表.csv": "村代码\n1".encode(), "tracks/一队/a.gpx": b"<gpx/>", "空": b""}
BUNDLE = sealed(PLAIN, FILES, KEY)


def rezipped(**changed: bytes | None) -> bytes:
    """The bundle with members replaced, added or (None) left out, as somebody with a zip program would."""
    with zipfile.ZipFile(io.BytesIO(BUNDLE)) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    return zipped({name: content for name, content in (held | changed).items() if content is not None})


def refused(data: bytes, key: bytes = KEY) -> FormatError:
    with pytest.raises(FormatError) as told:
        opened(data, "b.zip", key)
    said = explain(told.value)
    assert said
    assert not {"\n", "{", "}"} & set(said)
    return told.value


def test_what_was_sealed_comes_out_and_the_same_content_has_the_same_bytes() -> None:
    """Manifest, id and every file; packed twice, byte for byte alike."""
    manifest, files = opened(BUNDLE, "b.zip", KEY)
    assert files == FILES
    assert (manifest.township, manifest.ledger_head, len(manifest.id)) == ("凉水乡", "ab" * 32, 16)
    assert sealed(PLAIN, dict(reversed(FILES.items())), KEY) == BUNDLE


def test_the_digest_is_the_hmac_of_the_manifest_that_anybody_can_work_out() -> None:
    """RFC 2104 by hand: H(K ^ opad, H(K ^ ipad, text)), the key one block long."""
    manifest, digest = manifest_of(BUNDLE, "b.zip")
    block = KEY.ljust(64, b"\0")
    inner, outer = (bytes(one ^ pad for one in block) for pad in (0x36, 0x5C))
    by_hand = hashlib.sha256(outer + hashlib.sha256(inner + manifest.text).digest()).hexdigest()
    assert digest == by_hand


def test_the_key_is_not_in_the_bundle_and_differs_by_township() -> None:
    """Neither the county's nor the township's; another township's opens nothing."""
    assert KEY not in BUNDLE
    assert KEY.hex().encode() not in BUNDLE
    assert refused(BUNDLE, township_key(bytes(32), "520525002")).code == "bundle_tampered"


@pytest.mark.parametrize(
    "changed",
    [
        {"forms/表.csv": "村代码\n2".encode()},
        {"空": None},
        {"tracks/二队/b.gpx": b"<gpx/>"},
        {"tracks/一队/a.gpx": b""},
    ],
)
def test_a_file_changed_left_out_added_or_emptied_is_refused_in_one_sentence(changed: dict[str, bytes | None]) -> None:
    assert refused(rezipped(**changed)).code == "bundle_tampered"


@pytest.mark.parametrize("field", ["kind", "county", "township_id", "township", "made_at", "ledger_head", "answers"])
def test_every_word_of_the_manifest_is_sealed(field: str) -> None:
    plain = json.loads(zipfile.ZipFile(io.BytesIO(BUNDLE)).read(MANIFEST))
    changed = json.dumps(plain | {field: "other"}).encode()
    assert refused(rezipped(**{MANIFEST: changed})).code == "bundle_tampered"


@given_settings(max_examples=150, deadline=None)
@given(st.integers(0, len(BUNDLE) - 1), st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_refused_or_changes_nothing(at: int, change: int) -> None:
    """Zips hold bytes that say nothing (times, attributes): those may change, the content may not."""
    data = bytearray(BUNDLE)
    data[at] ^= change
    with contextlib.suppress(FormatError):
        assert opened(bytes(data), "b.zip", KEY) == opened(BUNDLE, "b.zip", KEY)


@pytest.mark.parametrize(
    "path",
    [
        "../out.gpx", "tracks/../../out", "/etc/passwd", "C:/x", "tracks\\x", "tracks//x", "tracks/", "a/./b", "nul",
        "forms/CON.xlsx", "x ", "a\x00b", "a/b/c/d/e/f", "长" * 90, unicodedata.normalize("NFD", "é"), "name.",
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_never_sealed_and_never_opened(path: str) -> None:
    """Even with the right key: a township's program may have been another one."""
    assert not is_plain_path(path)
    with pytest.raises(FormatError, match="bundle_path"):
        sealed(PLAIN, {path: b"x"}, KEY)
    whole = Manifest(OUT, "甲县", "520525001", "凉水乡", "x", files={path: hashlib.sha256(b"x").hexdigest()})
    text = json.loads(whole.text) | {"hmac_sha256": whole.digest(KEY), "files": whole.files}
    assert refused(zipped({path: b"x", MANIFEST: json.dumps(text).encode()})).code in ("bundle_path", "bundle_tampered")


def test_a_second_spelling_of_a_name_cannot_slip_a_file_in() -> None:
    """The digest takes é and e + accent for one name: the second is refused although the digest still fits."""
    one, two = "é.gpx", unicodedata.normalize("NFD", "é.gpx")
    bundle = sealed(PLAIN, {one: b"honest"}, KEY)
    plain = json.loads(zipfile.ZipFile(io.BytesIO(bundle)).read(MANIFEST))
    plain["files"] = {two: hashlib.sha256(b"forged").hexdigest()} | plain["files"]
    forged = zipped({one: b"honest", two: b"forged", MANIFEST: json.dumps(plain).encode()})
    assert refused(forged).code == "bundle_path"


def test_two_members_of_one_name_are_refused() -> None:
    """Programs differ in which of the two they read."""
    stream = io.BytesIO(BUNDLE)
    with zipfile.ZipFile(stream, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(MANIFEST, archive.read(MANIFEST))
    assert refused(stream.getvalue()).code == "bundle_tampered"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    """A gigabyte of zeros in a megabyte, and a header that promises less than it holds."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as member:
        for _ in range(1024):
            member.write(bytes(2**20))
    assert refused(stream.getvalue()).code == "zip_too_large"
    packed = bytearray(zipped({MANIFEST: b"{" + b" " * 3_000_000 + b"}"}))
    real = (3_000_002).to_bytes(4, "little")
    assert packed.count(real) == 2
    assert refused(bytes(packed.replace(real, (10).to_bytes(4, "little")))).code in ("zip_broken", "bundle_foreign")


@pytest.mark.parametrize(
    "manifest",
    [
        b"", b"[]", b"{}", b"nul", b'{"form": 1}', b'{"form": 1, "hmac_sha256": 5}', b"[" * 100_000,
        b'{"form":1,"hmac_sha256":"x","kind":"out","county":"\\ud800","township_id":"","township":"","made_at":""}',
        '{"form":1,"hmac_sha256":"密","kind":"out","county":"","township_id":"","township":"","made_at":""}'.encode(),
        b'{"form":1,"hmac_sha256":"x","kind":"out","county":"","township_id":"","township":"","made_at":"","files":[1]}',
        b'{"form":1,"hmac_sha256":"x","kind":"out","county":NaN,"township_id":"","township":"","made_at":""}',
    ],
)  # fmt: skip
def test_what_is_no_manifest_is_refused_in_words(manifest: bytes) -> None:
    assert refused(zipped({MANIFEST: manifest})).code == "bundle_foreign"


def test_a_zip_without_a_manifest_and_a_newer_bundle_are_told_apart() -> None:
    assert refused(zipped({"a": b"1"})).code == "bundle_foreign"
    plain = json.loads(zipfile.ZipFile(io.BytesIO(BUNDLE)).read(MANIFEST))
    newer = rezipped(**{MANIFEST: json.dumps(plain | {"form": 9}).encode()})
    assert refused(newer).code == "bundle_newer"


@given(st.binary(max_size=200))
def test_noise_is_refused_in_words(noise: bytes) -> None:
    assert refused(noise).code == "zip_broken"


def test_a_damaged_member_is_refused() -> None:
    """The stream of one member is cut: its checksum no longer fits."""
    content = zlib.compress(b"<gpx/>")[2:-4]
    data = BUNDLE.replace(content, bytes(len(content)))
    assert data != BUNDLE
    assert refused(data).code == "zip_broken"


@pytest.mark.parametrize("text", ["", "ab", "zz" * 32, "ab" * 33, "１" * 64])
def test_a_mistyped_key_is_refused_in_words(text: str) -> None:
    with pytest.raises(FormatError, match="bundle_key_bad"):
        key_of(text)
