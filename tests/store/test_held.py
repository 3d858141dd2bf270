"""A store kept in memory answers as the one beneath it."""

from datetime import UTC, datetime
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo import store as stores
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.store.held import HeldStore

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def teams(*names: str) -> pd.DataFrame:
    return SCHEMAS["teams"].conform(pd.DataFrame({"team_id": names, "name": names, "kind": "专班"}))


def made(path: Path) -> stores.Store:
    store = stores.create(path, Settings(county_id="520000", name="甲县", made_up=True))
    store.append(Entry("import", {"layer": "teams"}), Change("teams", teams("一队")), now=NOW)
    return store


def test_it_reads_again_what_somebody_else_has_written(tmp_path: Path) -> None:
    store = made(tmp_path / "县")
    held = HeldStore(stores.open_store(tmp_path / "县"))
    assert list(held.read("teams")["team_id"]) == ["一队"]
    store.append(Entry("import", {"layer": "teams"}), Change("teams", teams("二队")), now=NOW)
    assert list(held.read("teams")["team_id"]) == ["一队", "二队"]
    assert [entry.hash for entry in held.entries()] == [entry.hash for entry in store.entries()]
    assert [entry.seq for entry in held.entries(1)] == [2]


def test_a_layer_nobody_wrote_to_is_not_read_again(tmp_path: Path) -> None:
    store = made(tmp_path / "县")
    held = HeldStore(store)
    held.read("teams")
    first = held._tables["teams"]
    places = gpd.GeoDataFrame(
        {"office_id": ["O"], "township_id": ["T"], "name": ["所"]}, geometry=[shapely.Point(5e5, 3e6)], crs=4544
    )
    store.append(Entry("import"), Change("offices", SCHEMAS["offices"].conform(places)), now=NOW)
    held.read("offices")
    assert held._tables["teams"] is first


def test_what_one_reader_changes_the_next_does_not_see(tmp_path: Path) -> None:
    held = HeldStore(made(tmp_path / "县"))
    mine = held.read("teams")
    mine.loc[0, "name"] = "改过"
    mine["more"] = 1
    assert list(held.read("teams")["name"]) == ["一队"]
    assert "more" not in held.read("teams").columns
