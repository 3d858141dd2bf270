"""What the ledger says of one plot, and a proof of it that an auditor checks with a printed root alone."""

import copy
import json
from datetime import UTC, datetime

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo import store as stores
from geo.errors import StoreError
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.words import explain
from geo.workspace.proving import check_proof, plot_entries, plot_proof, published
from geo.workspace.recording import record_find, record_visit

NOW = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
PLOT = 'P"1'


@pytest.fixture
def store(tmp_path):
    """Two parcels; one was visited and holds a find; seven entries in all."""
    made = stores.create(tmp_path, Settings(epsg=4544))
    parcels = gpd.GeoDataFrame(
        {"parcel_id": [PLOT, "P2"], "source": "tip", "source_id": "x", "flagged_at": pd.Timestamp(NOW)},
        geometry=[shapely.Point(4e5, 3e6), shapely.Point(5e5, 3e6)],
        crs=4544,
    ).assign(status="flagged", accuracy_m=10.0)
    made.append(Entry("import"), Change("parcels", parcels), now=NOW)
    made.append(Entry("note", {"text": f"about {PLOT}, but no record of it"}), now=NOW)
    common = {"team_id": "T1", "parcel_id": PLOT}
    visit = {"visited_at": NOW, "outcome": "未发现", "evidence": "C"}
    record_visit(made, common | visit, now=NOW)
    record_visit(made, common | visit | {"parcel_id": "P2"}, now=NOW)
    record_find(made, common | {"found_at": NOW, "plants_n": 3, "stage": "开花期"}, now=NOW)
    made.append(Entry("decision", {"parcel_id": PLOT}), now=NOW)
    made.append(Entry("x"), now=NOW)
    yield made
    made.close()


def test_a_plot_is_told_of_by_its_own_rows_by_what_happened_on_it_and_by_decisions(store):
    """A note that merely mentions its name is not about it; another plot's visit neither."""
    assert [entry.seq for entry in plot_entries(store, PLOT)] == [1, 3, 5, 6]
    assert [entry.seq for entry in plot_entries(store, "P2")] == [1, 4]


def test_a_proof_holds_without_the_county(store):
    """Through JSON and back; against the root printed the same day."""
    proof = json.loads(json.dumps(plot_proof(store, PLOT)))
    assert check_proof(proof, published(store)["root"].upper()).ok
    assert proof["head"] == published(store)["hash"] == store.head().hash


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda p: p["entries"][1].update(text=p["entries"][1]["text"].replace("未发现", "发现")), "ledger_hash"),
        (lambda p: p["entries"][1].update(role="committee"), "ledger_hash"),
        (lambda p: p["entries"][1]["path"].pop(), "proof_path"),
        (lambda p: p["entries"][1]["path"].reverse(), "proof_path"),
        (lambda p: p["entries"][1].update(path=["zz"]), "proof_path"),
        (lambda p: p.update(entries_n=6), "proof_path"),
    ],
)
def test_a_doctored_proof_is_found_and_named(store, spoil, code):
    """Content, author, path and size; the entry that does not hold is named."""
    proof = copy.deepcopy(plot_proof(store, PLOT))
    spoil(proof)
    verdict = check_proof(proof, published(store)["root"])
    assert (verdict.ok, verdict.first_problem.code) == (False, code)
    assert not {"{", "?"} & set(explain(verdict.first_problem))


def test_a_proof_made_from_a_rewritten_ledger_does_not_reach_the_printed_root(store, tmp_path):
    """The forger's ledger is whole in itself; the paper is not."""
    forged = stores.create(tmp_path / "forged", Settings(epsg=4544))
    for entry in store.entries():
        forged.append(Entry(entry.kind, {k: v for k, v in entry.body.items() if k != "note"}, "forger"), now=NOW)
    forged.append(Entry("decision", {"parcel_id": "P9"}), now=NOW)
    assert not check_proof(plot_proof(forged, "P9"), published(store)["root"]).ok


@pytest.mark.parametrize(
    "proof",
    [
        {},
        {"form": 9, "entries_n": 1, "entries": []},
        {"form": 1, "entries_n": "x"},
        {"form": 1, "entries_n": float("inf"), "entries": []},
        {"form": 1, "entries_n": 1, "entries": []},
    ],
)
def test_what_is_no_proof_is_refused_in_words(proof):
    """A foreign file is our error, not a traceback."""
    with pytest.raises(StoreError, match="proof_foreign"):
        check_proof(proof, "00")


def test_a_plot_nobody_knows_has_no_proof(store):
    with pytest.raises(StoreError, match="parcel_unknown"):
        plot_proof(store, "P7")
    with pytest.raises(StoreError, match="parcel_unknown"):
        plot_proof(store, "P\udcff")
