"""A county carried into a database and back: the same rows, the same ledger, one more entry each way."""

import json
import os
import signal
import sqlite3
import sys

import pytest
from made_rows import CRS, NOW, fill, rows_of

from geo import store as stores
from geo.cli.main import main
from geo.errors import StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.words import explain
from geo.workspace.county import open_county
from geo.workspace.moving import move_county


@pytest.fixture
def county(tmp_path):
    """A county in its folder, with six rows in every layer."""
    store = stores.create(tmp_path, Settings(epsg=CRS))
    fill(store)
    store.close()
    return open_county(tmp_path)


def test_a_county_goes_into_a_database_and_comes_back_with_its_ledger(county, settings_of):
    """Entries keep their hashes, rows their order and digests; the head published before the move still holds."""
    head, rows = county.store.head().hash, {layer: county.store.read(layer) for layer in SCHEMAS}
    entries = county.store.entries()
    move_county(county, settings_of("postgis").store_url, now=NOW)
    shared = open_county(county.path)
    assert shared.store.place.startswith("postgresql://")
    assert shared.store.entries()[:-1] == entries
    shared.store.append(Entry("visit"), Change("teams", rows_of("teams", 1, first=77)), now=NOW)
    move_county(shared, "", now=NOW)
    back = open_county(county.path)
    assert back.store.verify(head).ok
    assert [entry.kind for entry in back.store.entries()[-3:]] == ["move", "visit", "move"]
    for layer, table in rows.items():
        assert back.store.read(layer, list(table[SCHEMAS[layer].key])).equals(table), layer


def test_the_old_place_takes_no_more_records(county, settings_of):
    """Somebody who still has it open is told where the county went; nothing is written to either."""
    other = open_county(county.path)
    place = move_county(county, settings_of("postgis").store_url, now=NOW).place
    with pytest.raises(StoreError) as refused:
        other.store.append(Entry("late"), now=NOW)
    assert (refused.value.code, refused.value.fields["where"]) == ("store_moved_away", place)
    assert not (county.path / "county.gpkg").exists()
    assert len(list((county.path / "backups").iterdir())) >= 1


def test_a_county_that_disagrees_with_its_ledger_is_not_moved(county, settings_of):
    """And goes on as it was."""
    with sqlite3.connect(county.path / "county.gpkg") as db:
        db.execute("UPDATE teams SET name = 'x' WHERE fid = 1")
    db.close()
    with pytest.raises(StoreError, match="move_unsound"):
        move_county(county, settings_of("postgis").store_url, now=NOW)
    assert county.store.append(Entry("still"), now=NOW).kind == "still"


def test_a_move_onto_another_county_is_refused_and_leaves_both(county, settings_of, tmp_path_factory):
    """The database holds one already: the county in the folder goes on taking records."""
    settings = settings_of("postgis")
    taken = stores.create(tmp_path_factory.mktemp("other"), settings)
    with pytest.raises(StoreError, match="store_exists"):
        move_county(county, settings.store_url, now=NOW)
    assert county.store.append(Entry("still"), now=NOW).kind == "still"
    assert taken.head() is None
    taken.close()


def test_a_place_the_county_once_left_is_named_as_such(county, settings_of):
    """Over, back, and over again into the same schema: refused in words that say what lies there and what to do."""
    there = settings_of("postgis").store_url
    move_county(county, there, now=NOW)
    move_county(open_county(county.path), "", now=NOW)
    back = open_county(county.path)
    with pytest.raises(StoreError, match="move_left_there") as refused:
        move_county(back, there, now=NOW)
    assert "schema" in explain(refused.value)
    assert back.store.left_for() is None
    assert back.store.verify().ok


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/none", "mysql://x/y", "what?", "postgresql://h/d?schema=a;b"]
)
def test_an_address_that_leads_nowhere_is_refused_in_words(county, url):
    """No server, another kind, no address, a name that is none: the county stays where it is."""
    with pytest.raises(StoreError) as refused:
        move_county(county, url, now=NOW)
    assert refused.value.code in ("store_url_bad", "store_unreachable")
    assert county.store.append(Entry("still"), now=NOW).kind == "still"


def test_the_command_carries_it_over_and_back(county, settings_of, monkeypatch, capsys):
    """`county move --to`, without the password in what it prints."""
    county.store.close()
    url = settings_of("postgis").store_url.replace("tacha@", "tacha:geheim@")
    for to in (url, "folder"):
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(county.path), "county", "move", "--to", to, "--json"])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        assert not left.value.code, said.err
        assert "geheim" not in said.out
    assert json.loads(said.out)["entries"] == len(SCHEMAS) + 2


WRITES = ("create", "leave", "fill", "append", "write_settings", "put_aside")


def killed_after(step: str, work) -> bool:
    """Do `work` in a child that is killed as soon as the `step` of a move is done; whether it was."""
    child = os.fork()
    if child == 0:

        def watch(frame, event, _):
            if frame.f_code.co_name == step and "/store/" in frame.f_code.co_filename and event == "return":
                os.kill(os.getpid(), signal.SIGKILL)
            return watch if frame.f_code.co_name == step else None

        sys.settrace(watch)
        try:
            work()
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.filterwarnings("ignore:This process")
@pytest.mark.parametrize("way", ["over", "back"])
@pytest.mark.parametrize("step", WRITES)
def test_a_move_killed_after_any_step_is_finished_by_asking_once_more(county, settings_of, step, way):
    """kill -9 behind every step that writes: the same command again, and the county takes records and moves on."""
    there, other = (settings_of("postgis").store_url for _ in range(2))
    before, to, onward = ("", there, "") if way == "over" else (there, "", other)
    if way == "back":
        move_county(county, there, now=NOW)
    county = open_county(county.path)
    had = len(county.store.entries())
    county.store.close()
    cut_off = killed_after(step, lambda: move_county(open_county(county.path), to, now=NOW))
    assert cut_off or (step, way) == ("put_aside", "back")
    county = open_county(county.path)
    if county.settings.store_url == before:
        move_county(county, to, now=NOW)
    county.store.close()
    moved = open_county(county.path)
    moved.store.append(Entry("after"), now=NOW)
    assert [entry.kind for entry in moved.store.entries(after=had)] == ["move", "after"]
    assert moved.store.verify().ok
    move_county(moved, onward, now=NOW)
