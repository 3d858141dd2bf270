"""Visits and finds as somebody enters them: what is written, what moves on, and what is refused in words."""

import struct
from datetime import UTC, datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import store as stores
from geo.errors import GeoError
from geo.layers.steps import Act
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.words import explain
from geo.workspace.life import record_step
from geo.workspace.recording import record_destruction, record_find, record_verification, record_visit

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
VISIT = {
    "parcel_id": "P1",
    "team_id": "T1",
    "visited_at": "2026-03-19T09:00+08:00",
    "outcome": "未发现",
    "evidence": "B",
}
FIND = {
    "parcel_id": "P1",
    "team_id": "T1",
    "found_at": "2026-03-19T09:00+08:00",
    "plants_n": 40,
    "stage": "开花期",
    "longitude": 105.0,
    "latitude": 27.0,
}
DESTROYED = {"fraction": 1.0, "method": "强制铲除", "destroyed_at": "2026-03-19T11:00+08:00"}


@pytest.fixture
def store(tmp_path):
    """A county with three parcels, a village, a team and a track."""
    made = stores.create(tmp_path, Settings(epsg=4544))
    boxes = [shapely.box(4e5 + 100 * i, 3e6, 4e5 + 100 * i + 20, 3e6 + 20) for i in range(3)]
    parcels = gpd.GeoDataFrame(
        {
            "parcel_id": ["P1", "P2", "P3"],
            "source": "satellite",
            "source_id": "list",
            "flagged_at": pd.Timestamp("2026-03-01", tz="UTC"),
            "status": ["flagged", "assigned", "closed"],
            "accuracy_m": 15.0,
        },
        geometry=boxes,
        crs=4544,
    )
    villages = gpd.GeoDataFrame({"village_id": ["520525001001"], "township_id": "x", "name": "村"}, geometry=[None])
    teams = pd.DataFrame({"team_id": ["T1"], "name": "一队", "kind": "专班"})
    fixes = np.array([[4e5, 3e6, 1200.0, 1.77e9], [4e5 + 9, 3e6, 1200.0, 1.77e9 + 9]])
    tracks = gpd.GeoDataFrame(
        {"track_id": ["ab12"], "started_at": NOW, "ended_at": NOW, "mode": "foot", "length_m": 9.0, "fixes_n": 2},
        geometry=[shapely.from_wkb(struct.pack("<BII", 1, 3002, 2) + fixes.tobytes())],
        crs=4544,
    ).assign(source_id="s")
    changes = (Change("parcels", parcels), Change("villages", villages), Change("teams", teams))
    made.append(Entry("import"), *changes, Change("tracks", tracks), now=NOW)
    yield made
    assert made.verify().ok
    made.close()


def status(store, parcel: str = "P1") -> str:
    return store.read("parcels", [parcel])["status"].iloc[0]


def test_a_visit_with_nothing_found_is_a_record_and_moves_its_parcel_on(store):
    """One entry holds both: the visit and the parcel's new state."""
    done = record_visit(store, VISIT, now=NOW)
    assert (done.is_new, done.parcel_status, status(store)) == (True, "visited", "visited")
    assert done.id == store.read("visits")["visit_id"].iloc[0]
    assert (done.id[0], len(done.id)) == ("V", 13)
    assert set(done.entry.body["rows"]) == set(done.entry.body["records"]) == {"visits", "parcels"}
    assert store.read("visits")["visited_at"].iloc[0] == pd.Timestamp("2026-03-19T01:00Z")


def test_a_visit_to_a_village_without_any_place_is_a_record(store):
    """No GPS is normal."""
    done = record_visit(store, VISIT | {"parcel_id": "", "village_id": "520525001001", "hours": "3.5"}, now=NOW)
    assert done.parcel_status is None
    assert store.read("visits").geometry.iloc[0] is None
    assert store.read("visits")["hours"].iloc[0] == 3.5


def test_the_same_visit_entered_twice_is_one_visit(store):
    """Same content, same id: nothing is added, also when fields come in another order or as text."""
    first = record_visit(store, VISIT | {"round": 2}, now=NOW)
    again = record_visit(store, {"round": "2"} | VISIT, now=datetime(2026, 3, 21, tzinfo=UTC))
    assert (again.id, again.is_new, again.parcel_status) == (first.id, False, "visited")
    assert (len(store.entries()), len(store.read("visits"))) == (2, 1)


def test_a_dismissal_needs_its_reason_and_keeps_it(store):
    """核查排除 with 草坪: the parcel says why."""
    with pytest.raises(GeoError, match="reason_missing"):
        record_visit(store, VISIT | {"outcome": "核查排除"}, now=NOW)
    with pytest.raises(GeoError, match="dismissal_uncoded"):
        record_visit(store, VISIT | {"outcome": "核查排除", "reason": "没什么"}, now=NOW)
    record_visit(store, VISIT | {"outcome": "核查排除", "reason": "草坪：屋后"}, now=NOW)
    row = store.read("parcels", ["P1"]).iloc[0]
    assert (row["status"], row["reason"]) == ("dismissed", "草坪：屋后")


@pytest.mark.parametrize(
    ("parcel", "outcome", "after"),
    [
        ("P2", "未发现", "visited"),
        ("P2", "无法到达", "assigned"),
        ("P3", "未发现", "closed"),
        ("P1", "发现", "visited"),
    ],
)
def test_a_visit_moves_only_parcels_still_waiting_for_one(store, parcel, outcome, after):
    """Ground that could not be reached was not visited; a closed parcel stays closed."""
    record_visit(store, VISIT | {"parcel_id": parcel, "outcome": outcome}, now=NOW)
    assert status(store, parcel) == after


def test_a_confirmed_parcel_cannot_be_dismissed(store):
    """A find is never undone by a visit."""
    record_find(store, FIND, now=NOW)
    with pytest.raises(GeoError, match="parcel_move"):
        record_visit(store, VISIT | {"outcome": "核查排除", "reason": "草坪"}, now=NOW)


def test_a_dismissal_entered_late_undoes_no_step_and_no_plants(store):
    """The police had taken the plot over, with plants on record; an older look, entered late, told it as nothing."""
    dismissal = VISIT | {"outcome": "核查排除", "reason": "裸地"}
    police = {"station": "所", "receipt": "1"}
    for parcel in ("P1", "P2"):
        record_visit(store, VISIT | {"parcel_id": parcel, "visited_at": "2026-03-15T09:00+08:00"}, now=NOW)
    record_find(store, FIND | {"parcel_id": "P2", "found_at": "2026-03-15T09:00+08:00"}, now=NOW)
    for parcel in ("P1", "P2"):
        record_step(store, parcel, Act.HAND_OVER, police | {"at": "2026-03-16T09:00+08:00"}, now=NOW)
    record_visit(store, dismissal | {"visited_at": "2026-03-14T09:00+08:00"}, now=NOW)
    record_visit(store, dismissal | {"parcel_id": "P2"}, now=NOW)
    assert (status(store), status(store, "P2")) == ("handed_over", "handed_over")
    record_visit(store, dismissal, now=NOW)
    assert status(store) == "dismissed"


def test_of_two_dismissals_recorded_the_later_one_tells_the_reason(store):
    for day, reason in ((17, "裸地"), (18, "草坪"), (16, "滑坡")):
        told = {"outcome": "核查排除", "reason": reason, "visited_at": f"2026-03-{day}T09:00+08:00"}
        record_visit(store, VISIT | told, now=NOW)
    assert store.read("parcels", ["P1"])["reason"].iloc[0] == "草坪"


def test_evidence_of_class_a_rests_on_a_track_that_is_there(store):
    """Without a track, or with an unknown one, it is refused."""
    with pytest.raises(GeoError, match="track_missing"):
        record_visit(store, VISIT | {"evidence": "A"}, now=NOW)
    with pytest.raises(GeoError, match="track_unknown"):
        record_visit(store, VISIT | {"evidence": "A", "track_id": "ffff"}, now=NOW)
    assert record_visit(store, VISIT | {"evidence": "A", "track_id": "ab12"}, now=NOW).is_new


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"parcel_id": "P9"}, "parcel_unknown"),
        ({"team_id": "T9"}, "team_unknown"),
        ({"team_id": None}, "record_value_missing"),
        ({"village_id": "9"}, "village_unknown"),
        ({"parcel_id": None}, "visit_nowhere"),
        ({"outcome": "也许"}, "record_value_unknown"),
        ({"evidence": None}, "record_value_missing"),
        ({"hours": "三"}, "record_value_bad"),
        ({"hours": -1}, "record_value_low"),
        ({"visited_at": "2026-03-19 09:00"}, "record_time_naive"),
        ({"visited_at": "昨天"}, "record_value_bad"),
        ({"visited_at": "2026-03-29T09:00+08:00"}, "time_future"),
        ({"longitude": 105.0}, "place_half"),
        ({"longitude": 105.0, "latitude": 127.0}, "place_outside"),
        ({"longitude": "105°", "latitude": 27.0}, "place_outside"),
        ({"easting": float("inf"), "northing": 1.0}, "place_outside"),
        ({"geometry": shapely.LineString([(0, 0), (1, 1)])}, "record_geometry_kind"),
        ({"reason": "\udcff"}, "record_value_bad"),
        ({"visit_id": "V1"}, "record_field_unknown"),
        ({"colour": "红"}, "record_field_unknown"),
    ],
)
def test_a_wrong_visit_is_refused_in_words_and_leaves_nothing(store, wrong, code):
    """Each refusal has its sentence in both languages; the parcel does not move."""
    with pytest.raises(GeoError) as refused:
        record_visit(store, VISIT | wrong, now=NOW)
    assert refused.value.code == code
    for language in ("zh", "en"):
        assert not {"{", "?"} & set(explain(refused.value, language))
    assert (len(store.entries()), status(store)) == (1, "flagged")


def test_a_place_in_degrees_and_the_same_in_metres_agree(store):
    """105 E lies on the meridian of EPSG:4544: easting 500,000 m."""
    record_visit(store, VISIT | {"longitude": "105", "latitude": "27"}, now=NOW)
    record_visit(store, VISIT | {"easting": 500_000.0, "northing": 2_987_621.0}, now=NOW)
    one, other = store.read("visits").geometry
    assert one.x == pytest.approx(500_000.0, abs=0.001)
    assert one.distance(other) < 60.0


def test_a_find_confirms_its_parcel(store):
    """Seen, not yet pulled; recorded_at is the server's time."""
    done = record_find(store, FIND, now=NOW)
    row = store.read("finds").iloc[0]
    assert (done.clearance, done.parcel_status, status(store)) == ("未铲除", "confirmed", "confirmed")
    assert (row["species"], row["found_by"], row["fraction"]) == ("罂粟", "自查", 0.0)
    assert row["recorded_at"] == pd.Timestamp(NOW)


def test_a_find_wholly_destroyed_eradicates_and_one_partly_destroyed_does_not(store):
    """铲除率 below 1 is 未铲净 and the parcel stays confirmed, whatever else on it is gone, until that is gone too."""
    partly = record_find(store, FIND | DESTROYED | {"fraction": 0.9}, now=NOW)
    assert (partly.clearance, status(store)) == ("未铲净", "confirmed")
    assert record_find(store, FIND | DESTROYED, now=NOW).clearance == "已铲净"
    assert status(store) == "confirmed"
    assert record_destruction(store, partly.id, DESTROYED, now=NOW).parcel_status == status(store) == "eradicated"
    assert record_find(store, FIND | DESTROYED | {"parcel_id": "P2"}, now=NOW).parcel_status == "eradicated"


def test_a_find_without_a_place_lies_in_its_parcel(store):
    """The parcel was the place; without either there is none."""
    bare = {name: value for name, value in FIND.items() if name not in ("longitude", "latitude")}
    record_find(store, bare, now=NOW)
    assert store.read("parcels", ["P1"]).geometry.iloc[0].contains(store.read("finds").geometry.iloc[0])
    with pytest.raises(GeoError, match="record_geometry_missing"):
        record_find(store, bare | {"parcel_id": None}, now=NOW)


def test_the_same_find_entered_twice_is_one_find(store):
    """The time of recording is not part of what was found."""
    first = record_find(store, FIND, now=NOW)
    again = record_find(store, FIND, now=datetime(2026, 3, 22, tzinfo=UTC))
    assert (again.id, again.is_new, len(store.entries())) == (first.id, False, 2)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (DESTROYED | {"plants_n": 0}, "plants_uncounted"),
        (DESTROYED | {"plants_n": None}, "record_value_missing"),
        (DESTROYED | {"method": None}, "destruction_unclear"),
        (DESTROYED | {"fraction": 0}, "destruction_unclear"),
        (DESTROYED | {"destroyed_at": None}, "destruction_unclear"),
        (DESTROYED | {"destroyed_at": "2026-03-19T08:00+08:00"}, "time_backwards"),
        ({"fraction": 1.2}, "record_value_high"),
        ({"plants_n": 1.5}, "record_value_bad"),
        ({"parcel_id": "P9"}, "parcel_unknown"),
        ({"visit_id": "V9"}, "visit_unknown"),
        ({"track_id": "ffff"}, "track_unknown"),
        ({"team_id": "T9"}, "team_unknown"),
        ({"verified_at": "2026-03-19T12:00+08:00"}, "record_field_unknown"),
    ],
)
def test_a_wrong_find_is_refused_in_words_and_leaves_nothing(store, wrong, code):
    """Plants are counted before they are destroyed, and a destruction says how, how much and when."""
    with pytest.raises(GeoError) as refused:
        record_find(store, FIND | wrong, now=NOW)
    assert refused.value.code == code
    assert not {"{", "?"} & set(explain(refused.value))
    assert (len(store.entries()), status(store)) == (1, "flagged")


def test_a_destruction_is_verified_later_and_once(store):
    """verified_at enters by its own ledger entry; the row keeps everything else."""
    find = record_find(store, FIND | DESTROYED, now=NOW)
    before = store.read("finds").drop(columns="verified_at")
    later = datetime(2026, 3, 25, tzinfo=UTC)
    assert record_verification(store, find.id, now=later).is_new
    assert not record_verification(store, find.id, now=datetime(2026, 3, 26, tzinfo=UTC)).is_new
    assert store.read("finds")["verified_at"].iloc[0] == pd.Timestamp(later)
    assert store.read("finds").drop(columns="verified_at").equals(before)


def test_a_find_still_standing_or_unknown_cannot_be_verified(store):
    """Nor one partly destroyed."""
    partly = record_find(store, FIND | DESTROYED | {"fraction": 0.5}, now=NOW)
    for find_id, code in ((partly.id, "find_standing"), ("F0", "find_unknown")):
        with pytest.raises(GeoError, match=code):
            record_verification(store, find_id, now=NOW)


def test_a_county_without_teams_takes_any_team(store, tmp_path):
    """A list that nobody imported cannot refuse."""
    empty = stores.create(tmp_path / "other", Settings(epsg=4544))
    done = record_visit(empty, VISIT | {"parcel_id": None, "easting": 4e5, "northing": 3e6, "team_id": "甲"}, now=NOW)
    assert done.is_new


def test_many_hands_at_once_lose_no_record(store):
    """Eight threads record on the same parcel: every visit is kept, the parcel moved once."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: record_visit(store, VISIT | {"round": n}, now=NOW), range(1, 25)))
    assert len(store.read("visits")) == len({one.id for one in done}) == 24
    assert sum("parcels" in entry.body["rows"] for entry in store.entries(after=1)) == 1
