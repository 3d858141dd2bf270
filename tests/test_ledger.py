"""The hash chain: its first link worked by hand, and every kind of tampering with it."""

import dataclasses
import hashlib
import json
import unicodedata
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import ledger
from geo.ledger import Entry, Linked
from geo.words import explain

NOW = datetime(2026, 3, 11, 8, 30, tzinfo=UTC)


def chain(n: int) -> list[Linked]:
    entries: list[Linked] = []
    for i in range(n):
        entry = Entry("visit", {"n": i, "村": "甲", "share": i / 7}, "team")
        entries.append(ledger.link(entries[-1] if entries else None, entry, NOW + timedelta(seconds=i)))
    return entries


def test_the_first_link_is_the_sha256_of_its_spelled_out_json():
    """Worked by hand: keys sorted, no spaces, UTF-8, the hash before the first is 64 zeros."""
    linked = ledger.link(None, Entry("find", {"b": 1.5, "a": "罂粟"}, "team"), NOW)
    spelled = (
        '{"at":"2026-03-11T08:30:00.000Z","body":{"a":"罂粟","b":1.5},"kind":"find","previous":"' + "0" * 64 + '",'
        '"role":"team","seq":1}'
    )
    assert linked.hash == hashlib.sha256(spelled.encode()).hexdigest()


def test_the_second_link_holds_the_hash_of_the_first():
    """seq counts on and previous is the hash before; the hash is that of the plain canonical JSON."""
    first, second = chain(2)
    whole = {k: getattr(second, k) for k in ("seq", "at", "kind", "role", "body", "previous")}
    assert (second.seq, second.previous) == (2, first.hash)
    assert second.hash == hashlib.sha256(ledger.canonical(whole)).hexdigest()


def test_an_untouched_chain_is_whole():
    """Also an empty one, whose head is 64 zeros."""
    entries = chain(5)
    assert ledger.verify(entries) == ledger.Verdict(True, 5, entries[-1].hash)
    assert ledger.verify([]) == ledger.Verdict(True, 0, "0" * 64)


def test_composed_and_decomposed_letters_are_the_same_text():
    """NFC: é in one or two code points digests alike, also in keys and their order."""
    one, two = {"é": 1, "f": "é"}, {unicodedata.normalize("NFD", "é"): 1, "f": unicodedata.normalize("NFD", "é")}
    assert ledger.canonical(one) == ledger.canonical(two)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {"x": [float("-inf")]}])
def test_a_number_that_is_none_is_refused(value):
    """NaN and the infinities have no JSON."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        ledger.canonical(value)


def test_a_naive_moment_is_refused():
    """No zone is guessed."""
    with pytest.raises(ValueError, match="time zone"):
        ledger.link(None, Entry("x"), datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_same_moment_in_another_zone_links_alike():
    """16:30 in China is 08:30 UTC."""
    china = datetime(2026, 3, 11, 16, 30, tzinfo=timezone(timedelta(hours=8)))
    assert ledger.link(None, Entry("x"), china) == ledger.link(None, Entry("x"), NOW)


def _edited(entry: Linked, draw: st.DrawFn) -> Linked:
    name = draw(st.sampled_from(["at", "kind", "role", "previous", "hash"]))
    text = getattr(entry, name)
    at = draw(st.integers(0, len(text) - 1))
    letter = draw(st.sampled_from("0123456789abcdefXYZ").filter(lambda c: c != text[at]))
    return dataclasses.replace(entry, **{name: text[:at] + letter + text[at + 1 :]})


@st.composite
def tampered(draw: st.DrawFn) -> list[Linked]:
    """A chain of 6 with one edit, deletion, swap, repetition or cut."""
    entries = chain(6)
    i = draw(st.integers(0, 5))
    how = draw(st.sampled_from(["edit", "body", "delete", "swap", "repeat", "cut"]))
    if how == "edit":
        entries[i] = _edited(entries[i], draw)
    elif how == "body":
        entries[i] = dataclasses.replace(
            entries[i], text=ledger.canonical(entries[i].body | {"n": draw(st.integers(6, 99))}).decode()
        )
    elif how == "delete":
        del entries[i]
    elif how == "swap":
        j = draw(st.integers(0, 5).filter(lambda j: j != i))
        entries[i], entries[j] = entries[j], entries[i]
    elif how == "repeat":
        entries.insert(i, entries[i])
    else:
        del entries[i:]
    return entries


@given(tampered())
@settings(max_examples=400, deadline=None)
def test_every_tampering_is_caught_against_a_published_head(entries):
    """Edit, deletion, reordering, repetition and truncation, wherever they fall."""
    verdict = ledger.verify(entries, expected_head=chain(6)[-1].hash)
    assert not verdict.ok
    assert "{" not in explain(verdict.first_problem)


def test_every_byte_of_every_stored_field_matters():
    """Exhaustive: each character of each text of a chain of three, changed alone, is caught at its entry."""
    rows = [entry.stored for entry in chain(3)]
    for i, row in enumerate(rows):
        for column in range(1, 7):
            for at, letter in enumerate(row[column]):
                text = row[column][:at] + ("0" if letter != "0" else "1") + row[column][at + 1 :]
                changed = [*rows[:i], (*row[:column], text, *row[column + 1 :]), *rows[i + 1 :]]
                assert not ledger.verify_stored(changed, rows[-1][6]).ok


def test_a_full_rewrite_needs_a_published_head_to_be_caught():
    """A chain rewritten from the first entry on is whole in itself; only the head outside tells."""
    entries = chain(4)
    rewritten: list[Linked] = []
    for entry in entries:
        forged = Entry(entry.kind, entry.body | {"村": "乙"}, entry.role)
        rewritten.append(ledger.link(rewritten[-1] if rewritten else None, forged, NOW))
    assert ledger.verify(rewritten).ok
    assert ledger.verify(rewritten, expected_head=entries[-1].hash).first_problem.code == "ledger_head"


def test_a_head_published_earlier_still_holds():
    """Entries added after the head was printed do not contradict it."""
    entries = chain(5)
    assert ledger.verify(entries, expected_head=entries[2].hash).ok


def test_the_problem_names_the_first_entry_that_is_wrong():
    """Entry 3 of 6 edited: 3 is named, and two entries count as whole."""
    entries = chain(6)
    entries[2] = dataclasses.replace(entries[2], role="committee")
    verdict = ledger.verify(entries)
    assert (verdict.entries_n, verdict.first_problem.code, verdict.first_problem.fields) == (
        2,
        "ledger_hash",
        {"seq": 3},
    )


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text('aé罂\u0301\n"'),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text("aeé\u0301", max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(deadline=None)
def test_canonical_json_reads_back_and_spells_itself_alike(value):
    """Reading canonical JSON and spelling it again changes no byte."""
    spelled = ledger.canonical(value)
    assert ledger.canonical(json.loads(spelled)) == spelled


def test_a_row_digest_follows_its_values_and_not_their_order():
    """Geometry is hex text like any other value."""
    row = {"visit_id": "V1", "geometry": "0101000000", "hours": 1.0}
    assert ledger.row_digest(row) == ledger.row_digest(dict(reversed(row.items())))
    assert ledger.row_digest(row) != ledger.row_digest(row | {"geometry": "0101000001"})


def test_a_long_chain_is_checked_to_its_last_entry():
    """Ten thousand entries agree; one changed near the end is found (speed: benchmarks.record)."""
    rows = [entry.stored for entry in chain(10_000)]
    assert ledger.verify_stored(rows).ok
    assert not ledger.verify_stored(rows[:9_990] + rows[9_991:]).ok


# The leaves of the reference tree, and its roots for 1 to 8 of them, as published with Certificate Transparency.
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_tree_has_the_published_roots(size):
    """The reference leaves of RFC 6962's implementation; every leaf's path leads to the same root."""
    levels = ledger.tree_levels(LEAVES[:size])
    assert ledger.tree_root(levels) == ROOTS[size - 1]
    for leaf in range(size):
        path = ledger.tree_path(levels, leaf)
        assert ledger.path_root(LEAVES[leaf], leaf, size, path) == ROOTS[size - 1]


def _half(hashes: list[bytes]) -> bytes:
    """The tree as RFC 6962 writes it down: split at the largest power of two below the size."""
    if len(hashes) == 1:
        return hashlib.sha256(b"\0" + hashes[0]).digest()
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _half(hashes[:split]) + _half(hashes[split:])).digest()


@given(st.integers(1, 300), st.data())
@settings(deadline=None, max_examples=60)
def test_a_path_proves_its_own_entry_at_its_own_place_only(size, data):
    """Against the recursive definition; another leaf, place, size, a cut or an added step reach another root."""
    hashes = [hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(size)]
    levels = ledger.tree_levels(hashes)
    root = _half([bytes.fromhex(own) for own in hashes]).hex()
    leaf = data.draw(st.integers(0, size - 1))
    path = ledger.tree_path(levels, leaf)
    assert ledger.path_root(hashes[leaf], leaf, size, path) == root == ledger.tree_root(levels)
    other = data.draw(st.integers(-1, size + 1).filter(lambda n: n != leaf))
    assert ledger.path_root(hashes[leaf], other, size, path) != root
    assert ledger.path_root(hashes[leaf][::-1], leaf, size, path) != root
    assert ledger.path_root(hashes[leaf], leaf, size, path[:-1]) != root or size == 1
    assert ledger.path_root(hashes[leaf], leaf, size, [*path, "00" * 32]) is None


def test_the_device_and_its_clocks_stand_in_the_entry():
    """Three times: the server's, the device's and the satellites'; what is not known is not written."""
    later = NOW + timedelta(seconds=7)
    entry = Entry("visit", {"n": 1}, "team", ledger.Source("手机-3", device_at=later, gps_at=NOW))
    linked = ledger.link(None, entry, NOW)
    times = {"device_at": "2026-03-11T08:30:07.000Z", "gps_at": "2026-03-11T08:30:00.000Z"}
    assert linked.body == {"n": 1, "source": times | {"device": "手机-3"}}
    assert ledger.link(None, Entry("visit", {}, "team", ledger.Source()), NOW).body == {}


def test_parts_spelled_beforehand_enter_as_they_would_have_been_spelled():
    """The same body, in parts or whole, gives the same entry."""
    whole = ledger.link(None, Entry("x", {"b": [1.5, "é"], "a": {"踏": None}}), NOW)
    parts = ledger.link(None, Entry("x", {"b": [1.5, "é"]}), NOW, {"a": '{"踏":null}'})
    assert parts == whole


@pytest.mark.parametrize(
    "body",
    [
        {"rows": {"teams": {"T1": "ab"}}},
        {"rows": {"teams": {"T1": "ab"}}, "source": {"device": "x"}},
        {"n": {"rows": {"teams": {"T1": "ab"}}}},
        {"records": {"visits": {"rows": {"x": 1}}}, "z": '"rows":{'},
        {'x"rows': {"a": {"b": "c"}}},
        {"records": {'"rows': {"a": {"b": "c"}}}, "rows": {"t": {'k"rows': "ab"}}},
        {},
    ],
)
def test_the_rows_an_entry_names_are_those_of_its_parsed_body(body):
    """The short way through the text finds what parsing finds, also where somebody named a plot to confuse it."""
    assert ledger.digests_named(ledger.canonical(body).decode()) == body.get("rows", {})


@given(
    st.dictionaries(
        st.text('aé"\\\n', max_size=3),
        st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text('aé罂"\\%', max_size=4),
        max_size=5,
    )
)
@settings(deadline=None)
def test_rows_spelled_by_column_are_canonical(row):
    """Column by column or whole: the same text, also for names and texts with quotes, backslashes and percent signs."""
    import unicodedata as u

    composed = {u.normalize("NFC", k): u.normalize("NFC", v) if isinstance(v, str) else v for k, v in row.items()}
    if composed:
        assert ledger.spelled_rows({k: [v] for k, v in composed.items()})[0].encode() == ledger.canonical(composed)
