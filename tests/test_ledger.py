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
