"""A plot's steps as they are recorded: state, row and ledger together, or a refusal in words and nothing."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from made_county import NOW, small_county

from geo.errors import GeoError
from geo.layers.steps import Act
from geo.ledger import Entry, Source
from geo.store import Change, read_settings
from geo.words import explain
from geo.workspace.correcting import correct
from geo.workspace.county import County
from geo.workspace.life import handling_hours, plot_life_of, recheck_calendar, record_step, sampled
from geo.workspace.photographing import PhotoIn, add_photos
from geo.workspace.recording import record_destruction, record_find, record_verification, record_visit

FIND = {"parcel_id": "P1", "team_id": "T1", "found_at": NOW - timedelta(days=9), "plants_n": 40, "stage": "开花期"}
GONE = {"fraction": 1.0, "method": "强制铲除", "destroyed_at": NOW - timedelta(days=8)}
VISIT = {"parcel_id": "P1", "team_id": "T1", "visited_at": NOW - timedelta(days=9), "outcome": "发现", "evidence": "B"}


@pytest.fixture
def county(tmp_path):
    """Parcels P1 (flagged), P2 (assigned), P3 (closed)."""
    store = small_county(tmp_path)
    yield County(tmp_path, read_settings(tmp_path), store)
    assert store.verify().ok
    store.close()


def status(county, parcel="P1"):
    return county.store.read("parcels", [parcel])["status"].iloc[0]


def test_a_plot_lives_from_flag_to_closed(county):
    """Assigned, guarded, handed over, found and destroyed, checked, closed: each a row and an entry of its own."""
    store = county.store
    record_step(store, "P1", Act.ASSIGN, {"team_id": "T1", "at": NOW - timedelta(days=10)}, now=NOW)
    record_visit(store, VISIT, now=NOW)
    guarded = {"team_id": "T1", "photo_sha256": "ab" * 32, "at": NOW - timedelta(days=8, hours=20)}
    record_step(store, "P1", Act.GUARD, guarded, now=NOW)
    police = {"station": "镇派出所", "receipt": "回执-7", "at": NOW - timedelta(days=8, hours=12)}
    assert record_step(store, "P1", Act.HAND_OVER, police, now=NOW).parcel_status == "handed_over"
    assert record_find(store, FIND | GONE, now=NOW).parcel_status == "eradicated"
    record_step(store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    closed = record_step(store, "P1", Act.CLOSE, {"post": "县禁毒办"}, now=NOW)
    assert closed.parcel_status == status(county) == "closed"
    life = plot_life_of(county, "P1", as_of=NOW)
    assert [row["what"] for row in life.history] == [
        "flag", "assign", "visit", "find", "guard", "hand_over", "eradicate", "verify", "recheck", "close",
    ]  # fmt: skip
    assert (life.faults, life.clearance, life.hours["police_to_destroyed_h"]) == ([], 1.0, 12.0)


def test_a_plot_not_wholly_destroyed_cannot_be_closed(county):
    """未铲净: neither checked off nor closed, and the sentence says why."""
    record_find(county.store, FIND | GONE | {"fraction": 0.9}, now=NOW)
    for act, values in ((Act.RECHECK, {"plants_left_n": 0}), (Act.CLOSE, {})):
        with pytest.raises(GeoError, match="parcel_move"):
            record_step(county.store, "P1", act, values, now=NOW)
    assert "close_standing" in plot_life_of(county, "P1", as_of=NOW).faults


@pytest.mark.parametrize(
    ("act", "values", "code"),
    [
        (Act.HAND_OVER, {"station": " ", "receipt": "x"}, "step_missing"),
        (Act.RECHECK, {"plants_left_n": "几株"}, "record_value_bad"),
        (Act.RECHECK, {"plants_left_n": 10**400}, "record_value_bad"),
        (Act.GUARD, {"at": datetime(1500, 1, 1, tzinfo=UTC)}, "record_value_bad"),
    ],
)
def test_a_step_filled_with_nothing_or_nonsense_is_refused(county, act, values, code):
    """A blank is no station, a word no number, and the year 1500 no time of a record."""
    with pytest.raises(GeoError, match=code) as refused:
        record_step(county.store, "P1", act, values, now=NOW)
    assert "{" not in explain(refused.value)
    assert status(county) == "flagged"


@pytest.mark.parametrize("about_the_find", [False, True])
def test_the_number_of_a_photo_that_was_never_taken_in_is_no_evidence(county, about_the_find):
    """Any 64 digits can be typed: only a photo on record, of the find or under that number, lets it be closed."""
    done = record_find(county.store, FIND | GONE | {"photo_sha256": "AB" * 32}, now=NOW)
    record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    with pytest.raises(GeoError, match="close_refused"):
        record_step(county.store, "P1", Act.CLOSE, {}, now=NOW)
    about = {"sha256": "cd" * 32, "find_id": done.id} if about_the_find else {"sha256": "ab" * 32}
    told = {"photo_id": "H1", "file": "a.jpg", "bytes_n": 1, "shows": "铲除前", "added_at": NOW}
    photo = Change("photos", told | about | {"time_by": "无", "placed_by": "无"})
    county.store.append(Entry("photos"), photo, now=NOW)
    assert "close_unshown" not in plot_life_of(county, "P1", as_of=NOW).faults
    assert record_step(county.store, "P1", Act.CLOSE, {}, now=NOW).parcel_status == "closed"


@pytest.mark.parametrize("digest", ["zzz", "ab" * 31, "ab" * 33, "g" * 64, "ａｂ" * 32])
def test_what_is_no_sha256_is_refused_wherever_it_is_typed(county, digest):
    """A find, a destruction, a step and a correction say so in words; nothing is recorded."""
    store = county.store
    find_id = record_find(store, FIND, now=NOW).id
    told = {"method": "强制铲除", "fraction": 1.0, "destroyed_at": NOW - timedelta(hours=1), "after_sha256": digest}
    head = store.head()
    for refused in (
        lambda: record_find(store, FIND | {"photo_sha256": digest}, now=NOW),
        lambda: record_destruction(store, find_id, told, now=NOW),
        lambda: record_step(
            store, "P1", Act.HAND_OVER, {"station": "a", "receipt": "b", "photo_sha256": digest}, now=NOW
        ),
        lambda: correct(store, "finds", find_id, {"photo_sha256": digest}, reason="错", now=NOW),
    ):
        with pytest.raises(GeoError, match="record_digest_bad") as said:
            refused()
        assert "SHA-256" in explain(said.value)
    assert store.head() == head


def test_a_plot_without_evidence_cannot_be_closed(county):
    """Claimed only: the refusal names what is missing, in both languages."""
    record_find(county.store, FIND | GONE, now=NOW)
    record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    with pytest.raises(GeoError) as refused:
        record_step(county.store, "P1", Act.CLOSE, {}, now=NOW)
    assert "证据" in explain(refused.value, "zh")
    assert "no track" in explain(refused.value, "en")
    assert status(county) == "rechecked"


def test_plants_left_at_a_recheck_open_the_plot_again(county):
    """Grown again: the step says so, the plot is confirmed, and the find stays unverified."""
    record_find(county.store, FIND | GONE, now=NOW)
    done = record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 3}, now=NOW)
    assert done.parcel_status == "confirmed"
    assert county.store.read("steps")["act"].iloc[0] == "regrow"
    assert county.store.read("finds")["verified_at"].isna().all()


def test_a_clean_recheck_verifies_the_finds_of_its_plot_only(county):
    """Those destroyed before it; another plot's find stays open."""
    record_find(county.store, FIND | GONE, now=NOW)
    record_find(county.store, FIND | GONE | {"parcel_id": "P2"}, now=NOW)
    record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    finds = county.store.read("finds").set_index("parcel_id")["verified_at"]
    assert finds["P1"] == pd.Timestamp(NOW)
    assert pd.isna(finds["P2"])


def test_the_last_find_verified_moves_its_plot_on(county):
    """Two finds on one plot: the first verification alone does not."""
    one, other = (record_find(county.store, FIND | GONE | {"plants_n": n}, now=NOW).id for n in (3, 4))
    assert record_verification(county.store, one, now=NOW).parcel_status == "eradicated"
    assert record_verification(county.store, other, now=NOW).parcel_status == status(county) == "rechecked"


@pytest.mark.parametrize(
    ("act", "values", "code"),
    [
        (Act.ASSIGN, {}, "step_missing"),
        (Act.HAND_OVER, {"station": "所"}, "step_missing"),
        (Act.RECHECK, {}, "step_missing"),
        (Act.DISMISS, {"reason": "看着像草"}, "dismissal_uncoded"),
        (Act.HAND_OVER, {"station": "所", "receipt": "1"}, "parcel_move"),
        (Act.GUARD, {"track_id": "ffff"}, "track_unknown"),
        (Act.GUARD, {"at": NOW + timedelta(days=3)}, "time_future"),
        (Act.GUARD, {"colour": "红"}, "record_field_unknown"),
    ],
)
def test_a_wrong_step_is_refused_in_words_and_leaves_nothing(county, act, values, code):
    """No row, no entry, no move."""
    with pytest.raises(GeoError) as refused:
        record_step(county.store, "P1", act, values, now=NOW)
    assert refused.value.code == code
    for language in ("zh", "en"):
        assert not {"{", "?"} & set(explain(refused.value, language))
    assert (status(county), len(county.store.read("steps")), len(county.store.entries())) == ("flagged", 0, 1)


def test_the_same_step_entered_twice_is_one_step(county):
    """Nothing is added the second time."""
    values = {"at": NOW, "team_id": "T1"}
    first = record_step(county.store, "P1", Act.ASSIGN, values, now=NOW)
    again = record_step(county.store, "P1", Act.ASSIGN, values, now=NOW + timedelta(hours=1))
    assert (again.id, again.is_new, len(county.store.read("steps"))) == (first.id, False, 1)


def test_author_device_and_clocks_stand_in_the_ledger(county):
    """Role, device time and satellite time beside the server's."""
    source = Source("手机-3", device_at=NOW + timedelta(minutes=4), gps_at=NOW)
    done = record_step(county.store, "P1", Act.GUARD, {}, now=NOW, role="police", source=source)
    assert done.entry.role == "police"
    assert done.entry.body["source"] == {
        "device": "手机-3", "device_at": "2026-03-20T02:04:00.000Z", "gps_at": "2026-03-20T02:00:00.000Z",
    }  # fmt: skip


def test_the_calendar_lists_what_is_still_due_nearest_first(county):
    """Destroyed 12 March in flower: due 22 March and 11 April, and next season; a look takes the first away."""
    record_find(county.store, FIND | GONE, now=NOW)
    due = recheck_calendar(county, as_of=NOW)
    assert list(due["days_left"]) == [2, 22, 356]
    record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    assert list(recheck_calendar(county, as_of=NOW)["why"]) == ["due_recheck", "due_revisit"]


def test_a_sampled_count_that_the_law_does_not_decide_is_shown(county):
    """600 plants, 103 to 1,097: 500 lies inside, so every plant has to be counted."""
    columns = sampled([4, 6, 8], 1.0, 100.0, county.settings.plots, NOW.date())
    assert columns.pop("straddles") == [500]
    record_find(county.store, FIND | columns, now=NOW)
    assert plot_life_of(county, "P1", as_of=NOW).undecided_counts[0]["limits"] == [500]


def test_hours_of_handling_count_what_is_known_and_say_what_is_not(county):
    """P1: found, police after 3 h, destroyed after 10 h; P2: only found. Medians rest on P1 alone."""
    store, begin = county.store, NOW - timedelta(days=9)
    first = record_find(store, FIND, now=NOW)
    told = {"at": begin + timedelta(hours=3), "station": "甲所", "receipt": "R1"}
    record_step(store, "P1", Act.HAND_OVER, told, now=NOW)
    record_destruction(store, first.id, GONE | {"destroyed_at": begin + timedelta(hours=10)}, now=NOW)
    record_find(store, FIND | {"parcel_id": "P2"}, now=NOW)
    found = handling_hours(county, as_of=NOW)
    assert list(found.plots["parcel_id"]) == ["P1", "P2"]
    assert [leg["median_h"] for leg in found.legs.values()] == [3.0, 7.0, 10.0]
    assert all((leg["known_n"], leg["unknown_n"]) == (1, 1) for leg in found.legs.values())


def test_a_photo_on_record_shows_a_plot_as_much_as_a_form(county):
    record_visit(county.store, VISIT | {"outcome": "未发现", "evidence": "C"}, now=NOW)
    assert "close_unshown" in plot_life_of(county, "P1", as_of=NOW).faults
    picture = PhotoIn("a.heic", b"\0\0\0\x18ftypheic" + bytes(9), {"parcel_id": "P1"})
    add_photos(county, [picture], now=NOW)
    assert "close_unshown" not in plot_life_of(county, "P1", as_of=NOW).faults


def test_a_history_until_a_moment_tells_nothing_that_came_later(county):
    """A find known by then was destroyed and verified afterwards: neither is told of the day before."""
    record_find(county.store, FIND | GONE, now=NOW)
    record_step(county.store, "P1", Act.RECHECK, {"plants_left_n": 0}, now=NOW)
    early = plot_life_of(county, "P1", as_of=FIND["found_at"] + timedelta(hours=1)).history
    assert "find" in [row["what"] for row in early]
    assert not {"eradicate", "verify", "recheck"} & {row["what"] for row in early}


def test_a_find_still_standing_has_one_line_in_the_plots_history(county):
    """Not destroyed, not verified: no further line without a moment."""
    record_find(county.store, FIND, now=NOW)
    history = plot_life_of(county, "P1", as_of=NOW).history
    assert [row["what"] for row in history] == ["flag", "find"]
    assert all(row["at"] is not None for row in history)


def test_a_step_cannot_happen_before_the_one_it_follows(county):
    """Handed over before it was guarded: refused in words, nothing recorded."""
    guarded = {"team_id": "T1", "photo_sha256": "ab" * 32, "at": NOW - timedelta(hours=3)}
    record_step(county.store, "P1", Act.GUARD, guarded, now=NOW)
    police = {"station": "镇派出所", "receipt": "回执-7", "at": NOW - timedelta(hours=4)}
    with pytest.raises(GeoError, match="step_before") as refused:
        record_step(county.store, "P1", Act.HAND_OVER, police, now=NOW)
    assert "早于上一步" in explain(refused.value)
    assert status(county) == "guarded"


def test_the_state_of_a_moment_is_that_of_the_moment(county):
    """What came later changes nothing then; today's state is the one on record."""
    store, found = county.store, FIND["found_at"]
    record_step(store, "P1", Act.ASSIGN, {"team_id": "T1", "at": found - timedelta(days=1)}, now=NOW)
    record_visit(store, VISIT, now=NOW)
    record_find(store, FIND | GONE, now=NOW)
    record_step(store, "P1", Act.RECHECK, {"plants_left_n": 0, "at": NOW - timedelta(days=2)}, now=NOW)
    record_step(store, "P1", Act.CLOSE, {"post": "县禁毒办", "at": NOW - timedelta(days=1)}, now=NOW)
    hours = {-30: "flagged", -20: "assigned", 1: "confirmed", 25: "eradicated", 24 * 7: "rechecked", 24 * 9: "closed"}
    assert {h: plot_life_of(county, "P1", as_of=found + timedelta(hours=h)).status for h in hours} == hours


def test_a_state_nothing_explains_is_unknown_before_the_last_act_and_stands_after_it(county):
    """P3 came closed: of the time before plants grew on it again nothing is known."""
    record_step(county.store, "P3", Act.RECHECK, {"plants_left_n": 3, "at": NOW - timedelta(days=2)}, now=NOW)
    states = [plot_life_of(county, "P3", as_of=NOW - timedelta(days=d)).status for d in (1, 3)]
    assert states == ["confirmed", "unknown"]


def test_before_a_plot_was_flagged_it_was_not_and_before_its_plants_fell_they_stood(county):
    """Nobody knew of P1 in February; between find and destruction nothing was cleared, and no hour had passed."""
    record_find(county.store, FIND | GONE, now=NOW)
    early = plot_life_of(county, "P1", as_of=datetime(2026, 2, 1, tzinfo=UTC))
    assert (early.status, early.history) == ("unflagged", [])
    between = plot_life_of(county, "P1", as_of=FIND["found_at"] + timedelta(hours=1))
    assert (between.status, between.clearance, between.hours["found_to_destroyed_h"]) == ("confirmed", 0.0, None)
    assert "close_standing" in between.faults
    assert between.dues == []


def test_a_find_that_does_not_say_when_it_was_destroyed_leaves_the_past_unknown(county):
    """A store of an earlier version may hold one: the past is then not known, and telling so is no failure."""
    record_visit(county.store, VISIT, now=NOW)
    record_find(county.store, FIND | GONE, now=NOW)
    find = county.store.read("finds")
    bare = Change("finds", find.assign(destroyed_at=pd.NaT), replace=True, before=find)
    county.store.append(Entry("import"), bare, now=NOW)
    assert plot_life_of(county, "P1", as_of=FIND["found_at"] - timedelta(hours=1)).status == "unknown"
