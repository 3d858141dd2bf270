"""What every store must do; runs against each entry of STORES."""

from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from made_rows import CRS, NOW, fill, rows_of

from geo import ledger
from geo.errors import LayerError, StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change
from geo.store.rows import rows_of as plain_rows_of
from geo.words import explain


def _same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    plain = [name for name in one.columns if name != "geometry"]
    pd.testing.assert_frame_equal(pd.DataFrame(one[plain]), pd.DataFrame(other[plain]))
    if "geometry" in one:
        kept = [shapely.to_wkb(t.geometry.to_numpy(), output_dimension=4).tolist() for t in (one, other)]
        assert kept[0] == kept[1]
        assert other.crs == CRS


@pytest.mark.parametrize("layer", SCHEMAS)
def test_a_layer_comes_back_as_it_went_in(store, layer):
    """Order, types, missing values, missing geometry, Chinese text, NaN heights and times of fixes."""
    rows = rows_of(layer)
    store.append(Entry("import"), Change(layer, rows), now=NOW)
    _same(rows, store.read(layer))
    SCHEMAS[layer].check(store.read(layer))


@pytest.mark.parametrize("layer", SCHEMAS)
def test_an_empty_layer_is_an_empty_table_with_all_its_columns(store, layer):
    """Nobody has to ask whether anything was imported yet."""
    found = store.read(layer)
    assert list(found.columns) == list(rows_of(layer).columns)
    assert len(found) == 0
    assert (found.dtypes == rows_of(layer).dtypes).all()


def test_the_named_rows_come_back_alone(store):
    """`keys` picks rows, in order of arrival; unknown keys are absent, not errors."""
    rows = rows_of("visits")
    store.append(Entry("import"), Change("visits", rows), now=NOW)
    keys = [rows["visit_id"][4], "nobody", rows["visit_id"][1]]
    assert list(store.read("visits", keys)["visit_id"]) == [rows["visit_id"][1], rows["visit_id"][4]]


def test_rows_are_found_by_a_column_counted_and_known_by_key(store):
    """The quick questions agree with reading everything; an unknown column or layer is refused."""
    rows = rows_of("visits")
    assert (store.count("visits"), store.holds("visits", ["nobody"]), store.extent("visits")) == (0, set(), None)
    store.append(Entry("import"), Change("visits", rows), now=NOW)
    found = store.read_where("visits", "team_id", rows["team_id"][3])
    assert list(found["visit_id"]) == [rows["visit_id"][3]]
    assert store.holds("visits", [rows["visit_id"][4], "nobody"]) == {rows["visit_id"][4]}
    assert store.count("visits") == 6
    assert store.extent("visits") == pytest.approx(tuple(rows.total_bounds))
    assert store.extent("teams") is None
    for question in (lambda: store.read_where("visits", "colour", "x"), lambda: store.count("plots")):
        with pytest.raises(StoreError, match="unknown"):
            question()


@pytest.mark.parametrize("layer", SCHEMAS)
def test_rows_come_back_as_plain_values_too(store, layer):
    """What `read_where` has as a table, `rows_where` has as mappings, None where missing."""
    schema, rows = SCHEMAS[layer], rows_of(layer)
    store.append(Entry("import"), Change(layer, rows), now=NOW)
    key = rows[schema.key][2]
    plain = store.rows_where(layer, schema.key, key)
    assert plain == plain_rows_of(store.read_where(layer, schema.key, key))
    assert list(plain[0]) == [*schema.names, *(["geometry"] if schema.geometry else [])]
    assert all(type(plain[0][name]) in (str, float, int, bool, datetime, type(None)) for name in schema.names)
    assert store.rows_where(layer, schema.key, "nobody") == []
    with pytest.raises(StoreError, match="unknown"):
        store.rows_where(layer, "colour", "x")


@pytest.mark.parametrize("key", ["F\udcff", "F\0"])
def test_a_key_no_row_can_have_is_refused_in_words_or_found_nowhere(store, key):
    """Odd bytes out of a terminal: the layer is not called unreadable for them, on either backend."""
    for look in (store.rows_where, store.read_where):
        with pytest.raises(LayerError, match="record_value_bad"):
            look("finds", "find_id", key)
    assert store.holds("finds", [key]) == set()
    assert store.read("finds", [key]).empty


def test_a_key_is_found_however_its_letters_are_composed(store):
    """Rows hold composed letters (NFC); who types them apart means the same row."""
    rows = rows_of("teams").iloc[[0]].assign(team_id="Caf\u00e9")
    store.append(Entry("import"), Change("teams", rows), now=NOW)
    assert [row["team_id"] for row in store.rows_where("teams", "team_id", "Cafe\u0301")] == ["Caf\u00e9"]


@pytest.mark.parametrize("layer", SCHEMAS)
def test_one_row_is_written_like_a_table_of_one(store, layer):
    """The same row, the same digest in the ledger, and the same refusal of a row that replaces what has changed."""
    schema, rows = SCHEMAS[layer], rows_of(layer, 2)
    first, second = plain_rows_of(rows)
    store.append(Entry("import"), Change(layer, rows.iloc[:1]), now=NOW)
    store.append(Entry("import"), Change(layer, second), now=NOW)
    _same(rows, store.read(layer))
    assert store.verify().ok
    store.append(Entry("correction"), Change(layer, first, replace=True, before=first), now=NOW)
    told = [entry.body["rows"][layer][first[schema.key]] for entry in store.entries() if entry.seq != 2]
    assert told[0] == told[1]
    other = next(name for name in schema.names if name != schema.key and first[name] != second[name])
    stale = first | {other: second[other]}
    with pytest.raises(StoreError, match="store_moved"):
        store.append(Entry("correction"), Change(layer, first, replace=True, before=stale), now=NOW)
    with pytest.raises(LayerError, match="rows_bad"):
        store.append(Entry("import"), Change(layer, second | {schema.key: None}), now=NOW)
    _same(rows, store.read(layer))


def test_the_entry_names_every_row_by_its_digest_and_holds_records_whole(store):
    """A record can be re-derived from the ledger: its row there digests to what is named."""
    visits, teams = rows_of("visits"), rows_of("teams")
    linked = store.append(
        Entry("import", {"file": "表.xlsx"}), Change("visits", visits), Change("teams", teams), now=NOW
    )
    assert linked.body["file"] == "表.xlsx"
    assert set(linked.body["rows"]["visits"]) == set(visits["visit_id"])
    assert set(linked.body["rows"]["teams"]) == set(teams["team_id"])
    assert set(linked.body["records"]) == {"visits"}
    for key, row in linked.body["records"]["visits"].items():
        assert ledger.row_digest(row) == linked.body["rows"]["visits"][key]


def test_the_head_is_the_last_entry_and_entries_follow_in_order(store):
    """An empty store has no head."""
    assert store.head() is None
    linked = [store.append(Entry("x", {"n": n}), now=NOW) for n in range(4)]
    assert store.head() == linked[-1]
    assert store.entries() == linked
    assert store.entries(after=2) == linked[2:]


def test_a_filled_store_verifies_also_against_its_head(store):
    """Every layer's rows digest back to what the ledger names."""
    fill(store)
    verdict = store.verify(expected_head=store.head().hash)
    assert (verdict.ok, verdict.entries_n) == (True, len(SCHEMAS))
    assert store.verify(expected_head="f" * 64).first_problem.code == "ledger_head"


def test_a_known_key_is_refused_and_nothing_of_the_append_stays(store):
    """One transaction: the other layer's rows and the entry are not written either."""
    store.append(Entry("import"), Change("visits", rows_of("visits")), now=NOW)
    with pytest.raises(StoreError, match="key_exists"):
        store.append(Entry("import"), Change("teams", rows_of("teams")), Change("visits", rows_of("visits")), now=NOW)
    assert len(store.read("teams")) == 0
    assert len(store.entries()) == 1
    assert store.verify().ok


def test_replacing_a_row_keeps_its_place_and_the_ledger_keeps_the_old_one(store):
    """Corrections are new entries; other rows stay, a new key is added."""
    rows = rows_of("parcels")
    store.append(Entry("import"), Change("parcels", rows), now=NOW)
    more = pd.concat([rows.iloc[[2]].assign(status="visited"), rows_of("parcels", 1, first=9)])
    store.append(Entry("visit"), Change("parcels", more, replace=True), now=NOW)
    found = store.read("parcels")
    assert list(found["parcel_id"][:6]) == list(rows["parcel_id"])
    assert (found["status"][2], len(found)) == ("visited", 7)
    old, new = (entry.body["records"]["parcels"][rows["parcel_id"][2]]["status"] for entry in store.entries())
    assert (old, new) == (rows["status"][2], "visited")
    assert store.verify().ok


def test_a_change_worked_out_on_rows_changed_since_is_refused(store):
    """Nobody overwrites what somebody else wrote in between; changes to other rows do not disturb."""
    store.append(Entry("import"), Change("parcels", rows_of("parcels")), now=NOW)
    mine, other = store.read("parcels").iloc[[1]], store.read("parcels").iloc[[2]]
    store.append(Entry("a"), Change("parcels", other.assign(status="closed"), True, before=other), now=NOW)
    store.append(Entry("b"), Change("parcels", mine.assign(status="closed"), True, before=mine), now=NOW)
    with pytest.raises(StoreError, match="store_moved"):
        store.append(Entry("c"), Change("parcels", mine.assign(status="visited"), True, before=mine), now=NOW)
    assert list(store.read("parcels")["status"][1:3]) == ["closed", "closed"]


@pytest.mark.parametrize(
    ("layer", "spoil", "code"),
    [
        ("visits", {"outcome": "也许"}, "rows_bad"),
        ("visits", {"team_id": None}, "rows_bad"),
        ("finds", {"area_m2": float("inf")}, "rows_bad"),
        ("finds", {"plants_n": 2**70}, "rows_bad"),
        ("parcels", {"accuracy_m": float("inf")}, "value_unstorable"),
        ("teams", {"name": "\ud800"}, "value_unstorable"),
    ],
)
def test_rows_that_break_the_contract_stop_at_the_door(store, layer, spoil, code):
    """The error explains itself and nothing is written."""
    spoilt = {name: pd.Series([value] * 6, dtype=object) for name, value in spoil.items()}
    with pytest.raises(LayerError) as refused:
        store.append(Entry("import"), Change(layer, rows_of(layer).assign(**spoilt)), now=NOW)
    assert refused.value.code == code
    assert "{" not in explain(refused.value)
    assert store.head() is None


def test_rows_in_another_crs_are_refused(store):
    """Nothing is re-projected silently."""
    with pytest.raises(StoreError, match="crs_differs"):
        store.append(Entry("import"), Change("visits", rows_of("visits").set_crs(4545, allow_override=True)), now=NOW)


def test_an_unknown_layer_is_refused(store):
    """By name, with the known ones listed."""
    with pytest.raises(StoreError, match="layer_unknown"):
        store.read("plots")


def test_a_naive_now_is_a_programming_error_and_writes_nothing(store):
    """No zone is guessed for the ledger either."""
    with pytest.raises(ValueError, match="time zone"):
        store.append(Entry("x"), Change("teams", rows_of("teams")), now=datetime(2026, 1, 1))  # noqa: DTZ001
    assert len(store.read("teams")) == 0


class Interrupted(datetime):
    """A moment during whose reading, inside the transaction, the user presses Ctrl-C."""

    def astimezone(self, tz=None):
        raise KeyboardInterrupt


def test_an_interruption_inside_the_transaction_undoes_it(store):
    """Ctrl-C after the rows were written and before the entry: neither stays, and the store goes on."""
    with pytest.raises(KeyboardInterrupt):
        store.append(Entry("x"), Change("teams", rows_of("teams")), now=Interrupted(2026, 1, 1, tzinfo=UTC))
    assert (len(store.read("teams")), store.head()) == (0, None)
    store.append(Entry("x"), Change("teams", rows_of("teams")), now=NOW)
    assert store.verify().ok


def test_ten_thousand_rows_go_in_at_once(store):
    """One transaction, every row verified (speed: benchmarks.record)."""
    points = gpd.points_from_xy(range(10_000), range(10_000), crs=CRS)
    leads = gpd.GeoDataFrame(
        {"lead_id": [f"L{i}" for i in range(10_000)], "kind": "举报", "reported_at": pd.Timestamp(NOW), "weight": 1.0},
        geometry=points,
    )
    store.append(Entry("import"), Change("leads", leads), now=NOW)
    assert len(store.read("leads")) == 10_000
    assert store.verify().ok
