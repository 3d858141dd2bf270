"""Corrections are new entries; two that contradict are both kept and shown until somebody decides."""

from datetime import timedelta

import pandas as pd
import pytest
from made_county import NOW, small_county

from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change
from geo.words import explain
from geo.workspace.correcting import correct, open_conflicts
from geo.workspace.recording import record_find, record_visit

FIND = {"parcel_id": "P1", "team_id": "T1", "found_at": NOW - timedelta(days=9), "plants_n": 40, "stage": "开花期"}
GONE = {"fraction": 1.0, "method": "强制铲除", "destroyed_at": NOW - timedelta(days=8)}
VISIT = {"parcel_id": "P1", "team_id": "T1", "visited_at": NOW, "outcome": "未发现", "evidence": "B"}


@pytest.fixture
def store(tmp_path):
    """A county of three parcels."""
    made = small_county(tmp_path)
    yield made
    assert made.verify().ok
    made.close()


def test_a_correction_keeps_what_was_wrong_and_why(store):
    """The record changes, its key stays, and the entry holds the old value, the new one, the reason and the author."""
    visit = record_visit(store, VISIT | {"hours": 3.0}, now=NOW).id
    done = correct(store, "visits", visit, {"hours": "5"}, reason="笔误", now=NOW, role="team")
    assert done.changed == {"hours": [3.0, 5.0]}
    assert store.read("visits", [visit])["hours"].iloc[0] == 5.0
    assert (done.entry.kind, done.entry.role, done.entry.body["reason"]) == ("correction", "team", "笔误")


def test_a_field_is_emptied_and_a_correction_without_change_is_none(store):
    """An empty value takes an optional one away; the same value again adds no entry."""
    visit = record_visit(store, VISIT | {"hours": 3.0}, now=NOW).id
    assert correct(store, "visits", visit, {"hours": ""}, reason="不详", now=NOW).changed == {"hours": [3.0, None]}
    before = len(store.entries())
    assert correct(store, "visits", visit, {"hours": ""}, reason="不详", now=NOW).entry is None
    assert len(store.entries()) == before


def test_a_place_is_corrected_and_half_of_one_is_refused(store):
    """A new place is no longer the old one; a half, an unreadable or an impossible one is refused in words."""
    visit = record_visit(store, VISIT | {"easting": 400100.0, "northing": 3000100.0}, now=NOW).id
    done = correct(store, "visits", visit, {"easting": "400200", "northing": "3000100"}, reason="笔误", now=NOW)
    assert list(done.changed) == ["geometry"]
    assert store.read("visits", [visit]).geometry.iloc[0].x == 400200.0
    head = store.head()
    for place, code in (({"longitude": 105.0}, "place_half"), ({"geometry": "这里"}, "record_value_bad")):
        with pytest.raises(GeoError, match=code):
            correct(store, "visits", visit, place, reason="笔误", now=NOW)
    assert store.head() == head


@pytest.mark.parametrize(
    ("values", "code"),
    [({"parcel_id": "P99"}, "parcel_unknown"), ({"track_id": "t"}, "track_unknown"), ({"village_id": "v"}, "village")],
)
def test_a_correction_may_name_only_what_is_on_record(store, values, code):
    """What a visit may not name in the first place, a correction may not name either."""
    visit = record_visit(store, VISIT, now=NOW).id
    with pytest.raises(GeoError, match=code):
        correct(store, "visits", visit, values, reason="笔误", now=NOW)


def test_odd_bytes_in_a_reason_or_a_role_are_refused_in_words(store):
    """The ledger is Unicode: half a letter out of a broken terminal is named, and nothing is written."""
    visit = record_visit(store, VISIT, now=NOW).id
    head = store.head()
    for said in ({"reason": "笔\udcff"}, {"reason": "x", "role": "\udcff"}):
        with pytest.raises(GeoError, match="value_unstorable") as refused:
            correct(store, "visits", visit, {"hours": 5}, now=NOW, **said)
        assert "udcff" in explain(refused.value)
    assert store.head() == head


def test_two_that_contradict_are_both_kept_and_shown(store):
    """The second had not seen the first: the record stays with the first, the second waits, and a decision ends it."""
    visit = record_visit(store, VISIT | {"hours": 3.0}, now=NOW).id
    seen = store.head().seq
    correct(store, "visits", visit, {"hours": 4.0}, reason="甲说", now=NOW, based_on=seen)
    second = correct(store, "visits", visit, {"hours": 6.0}, reason="乙说", now=NOW, based_on=seen, role="township")
    assert (second.contradicts, second.entry.kind) == (("hours",), "conflict")
    assert store.read("visits", [visit])["hours"].iloc[0] == 4.0
    (waiting,) = open_conflicts(store)
    assert waiting["fields"] == [{"field": "hours", "wanted": 6.0, "before": 4.0, "now": 4.0}]
    assert (waiting["role"], waiting["seq"]) == ("township", second.entry.seq)
    correct(store, "visits", visit, {"hours": 6.0}, reason="以签字表为准", now=NOW, settles=waiting["seq"])
    assert open_conflicts(store) == []
    assert store.read("visits", [visit])["hours"].iloc[0] == 6.0


def test_corrections_of_different_fields_do_not_contradict(store):
    """Both apply, whatever the order."""
    visit = record_visit(store, VISIT, now=NOW).id
    seen = store.head().seq
    correct(store, "visits", visit, {"hours": 4.0}, reason="甲", now=NOW, based_on=seen)
    done = correct(store, "visits", visit, {"persons_n": 3}, reason="乙", now=NOW, based_on=seen)
    row = store.read("visits", [visit]).iloc[0]
    assert (done.contradicts, row["hours"], row["persons_n"]) == ((), 4.0, 3)


def states(store) -> dict[str, tuple[str, str | None]]:
    held = store.read("parcels")
    reasons = held["reason"].astype(object).where(held["reason"].notna(), None)
    return dict(zip(held["parcel_id"], zip(held["status"], reasons, strict=True), strict=True))


def test_a_find_corrected_onto_another_plot_moves_both(store):
    """Plants had stood on a plot told as dismissed, and the plot without any stayed confirmed."""
    record_visit(store, VISIT | {"parcel_id": "P2", "outcome": "核查排除", "reason": "草坪"}, now=NOW)
    before = states(store)
    find = record_find(store, FIND, now=NOW).id
    assert states(store)["P1"] == ("confirmed", None)
    correct(store, "finds", find, {"parcel_id": "P2"}, reason="地块写错", now=NOW)
    assert states(store) == before | {"P2": ("confirmed", None)}


def test_a_visit_corrected_moves_its_plot_as_the_history_leads(store):
    early, late = (VISIT | {"outcome": "核查排除", "reason": why} for why in ("草坪", "裸地"))
    record_visit(store, early | {"visited_at": NOW - timedelta(days=3)}, now=NOW)
    second = record_visit(store, late, now=NOW).id
    assert states(store)["P1"] == ("dismissed", "裸地")
    correct(store, "visits", second, {"reason": "滑坡"}, reason="录错", now=NOW)
    assert states(store)["P1"] == ("dismissed", "滑坡")
    correct(store, "visits", second, {"outcome": "未发现", "reason": ""}, reason="录错", now=NOW)
    assert states(store)["P1"] == ("dismissed", "草坪")
    first = store.read("visits")["visit_id"].iloc[0]
    correct(store, "visits", first, {"outcome": "未发现", "reason": ""}, reason="录错", now=NOW)
    assert states(store)["P1"] == ("visited", None)


def test_a_visit_is_put_right_from_a_plot_that_never_came_onto_one_on_record(store):
    """A list may come before its plots; a mistyped one among them must be mendable."""
    looked = {"team_id": "T1", "visited_at": NOW - timedelta(days=3), "outcome": "未发现", "evidence": "C"}
    visit = SCHEMAS["visits"].conform(pd.DataFrame([looked | {"visit_id": "v1", "parcel_id": "PX"}]))
    store.append(Entry("import", {"layer": "visits"}), Change("visits", visit), now=NOW)
    correct(store, "visits", "v1", {"parcel_id": "P1"}, reason="编号抄错", now=NOW)
    assert states(store)["P1"][0] == "visited"


def test_a_dismissal_corrected_needs_a_known_reason_as_a_new_one_does(store):
    looked = {"team_id": "T1", "parcel_id": "P1", "visited_at": NOW - timedelta(days=3), "evidence": "C"}
    done = record_visit(store, looked | {"outcome": "核查排除", "reason": "草坪"}, now=NOW)
    with pytest.raises(GeoError) as refused:
        correct(store, "visits", done.id, {"reason": "我说不是"}, reason="改", now=NOW)
    assert refused.value.code == "dismissal_uncoded"
    assert states(store)["P1"] == ("dismissed", "草坪")


def test_a_corrected_share_moves_the_plot_back(store):
    """Typed 1.0, was 0.9: the plot is confirmed again; corrected once more it is eradicated."""
    find = record_find(store, FIND | GONE, now=NOW).id
    correct(store, "finds", find, {"fraction": 0.9}, reason="笔误", now=NOW)
    assert store.read("parcels", ["P1"])["status"].iloc[0] == "confirmed"
    correct(store, "finds", find, {"fraction": 1.0}, reason="复核", now=NOW)
    assert store.read("parcels", ["P1"])["status"].iloc[0] == "eradicated"


@pytest.mark.parametrize(
    ("layer", "key", "values", "reason", "code"),
    [
        ("tracks", "ab12", {"mode": "drone"}, "x", "correct_layer"),
        ("parcels", "P1", {"status": "closed"}, "x", "correct_fixed"),
        ("parcels", "P9", {"suspicion": 0.5}, "x", "row_unknown"),
        ("parcels", "P1", {"suspicion": 0.5}, " ", "correct_reason"),
        ("parcels", "P1", {"suspicion": 2}, "x", "record_value_high"),
        ("parcels", "P1", {"colour": 2}, "x", "record_field_unknown"),
    ],
)
def test_a_wrong_correction_is_refused_in_words_and_leaves_nothing(store, layer, key, values, reason, code):
    with pytest.raises(GeoError) as refused:
        correct(store, layer, key, values, reason=reason, now=NOW)
    assert refused.value.code == code
    assert not {"{", "?"} & set(explain(refused.value))
    assert len(store.entries()) == 1
