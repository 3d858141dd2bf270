"""Power cuts, full disks and disks closed to writing: nothing acknowledged is lost, nothing is there by halves."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from made_rows import CRS, NOW, rows_of

from geo import store as stores
from geo.errors import GeoError, StoreError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change, write_settings
from geo.store.durable import write_file
from geo.words import explain

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_hundred_kills_lose_nothing():
    """kill -9 at work and after the acknowledgement of every act (2,000 and more by hand: benchmarks.crash)."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.crash", "--runs", "100", "--json"], cwd=ROOT, capture_output=True, text=True
    )
    counts = json.loads(done.stdout)
    assert (counts["runs"], counts["lost"], counts["partial"], counts["unreadable"]) == (100, 0, 0, 0), done.stderr
    assert min(counts["acknowledged"].values()) > 0
    assert min(counts["cut_off"].values()) > 0


def limited(work, largest: int) -> None:
    """Run `work` in a child whose files cannot grow beyond `largest` bytes; a sentence is the only way it may fail."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
        try:
            work()
            os._exit(0)
        except GeoError as refused:
            said = explain(refused)
            os._exit(1 if refused.code in ("disk_full", "disk_fails") and not {"{", "?"} & set(said) else 2)
        except BaseException:
            os._exit(3)
    left = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert left in (0, 1), f"ended with {left}"


@pytest.mark.filterwarnings("ignore:This process")
@pytest.mark.parametrize("room", [0, 100, 1000, 4000, 8000, 20_000, 60_000, 200_000])
def test_a_full_disk_at_any_byte_of_an_append_loses_nothing(tmp_path, room):
    """The write stops after so many bytes: the batch is there whole or not at all, and the store goes on."""
    store = stores.create(tmp_path, Settings(epsg=CRS))
    store.append(Entry("import"), Change("visits", rows_of("visits")), now=NOW)
    store.close()
    limited(
        lambda: stores.open_store(tmp_path).append(Entry("more"), Change("teams", rows_of("teams", 200)), now=NOW), room
    )
    again = stores.open_store(tmp_path)
    assert (len(again.read("teams")), len(again.entries())) in ((0, 1), (200, 2))
    again.append(Entry("after"), now=NOW)
    assert again.verify().ok


@pytest.mark.filterwarnings("ignore:This process")
@pytest.mark.parametrize("room", [0, 10, 1000, 40_000, 200_000])
def test_a_full_disk_while_a_county_is_made_or_written_out_leaves_nothing_half(tmp_path, room):
    """New county, settings, an exported file: the old one, the new one, or none."""
    limited(lambda: stores.create(tmp_path / "new", Settings(epsg=CRS)), room)
    if (tmp_path / "new" / "county.gpkg").exists():
        assert stores.open_store(tmp_path / "new").verify().ok
    write_settings(tmp_path, Settings(name="旧"))
    limited(lambda: write_settings(tmp_path, Settings(name="新")), room)
    assert stores.read_settings(tmp_path).name in ("旧", "新")
    (tmp_path / "out").write_bytes(b"old")
    limited(lambda: write_file(tmp_path / "out", b"new" * 30_000), room)
    assert (tmp_path / "out").read_bytes() in (b"old", b"new" * 30_000)


@pytest.fixture
def disk(tmp_path):
    """A file system of one megabyte, where this machine lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place]).returncode:
        pytest.skip("a disk of its own needs root and mount")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_a_disk_closed_to_writing_is_said_at_every_write_step(disk):
    """Opening, appending, settings, an exported file: each ends with a sentence that names the place."""
    store = stores.create(disk, Settings(epsg=CRS))
    store.append(Entry("x"), now=NOW)
    store.close()
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    steps = [
        lambda: stores.open_store(disk).append(Entry("x"), now=NOW),
        lambda: stores.create(disk / "other", Settings(epsg=CRS)),
        lambda: write_settings(disk, Settings()),
        lambda: write_file(disk / "out", b"x"),
    ]
    for step in steps:
        with pytest.raises(StoreError) as refused:
            step()
        assert refused.value.code in ("disk_readonly", "disk_fails", "store_refuses")
        assert str(disk) in explain(refused.value)


def _fill_up(store: stores.Store) -> tuple[int, str]:
    """Appends until the disk refuses; how many were acknowledged, and what it said."""
    for done in range(1000):
        try:
            store.append(Entry("x"), Change("teams", rows_of("teams", 20, first=20 * done)), now=NOW)
        except StoreError as refused:
            return done, refused.code
    raise AssertionError("the disk never filled up")


def test_a_disk_that_fills_up_is_said_and_loses_nothing(disk):
    """Filled to the brim by appends: the last one fails in words, all others are there."""
    store = stores.create(disk, Settings(epsg=CRS))
    done, said = _fill_up(store)
    store.close()
    assert said == "disk_full"
    again = stores.open_store(disk)
    assert 3 < done == len(again.entries())
    assert again.verify().ok
    again.close()


def test_an_older_county_is_brought_up_with_a_whole_copy_kept(tmp_path):
    """Version 1, with fewer columns and no steps: every row is there, the ledger says what was done, the copy opens."""
    from benchmarks.crash_acts import older_county, older_layers

    older_county(tmp_path)
    store = stores.open_store(tmp_path)
    assert all(len(store.read(layer)) == (0 if layer == "steps" else 6) for layer in SCHEMAS)
    last = store.entries()[-1]
    assert (last.kind, last.body["from"], set(last.body["columns"])) == ("upgrade", 1, {"steps", "finds", "visits"})
    assert store.verify().ok
    store.close()
    (tmp_path / "old").mkdir()
    (copy,) = (tmp_path / "backups").iterdir()
    shutil.copy(copy, tmp_path / "old" / "county.gpkg")
    with older_layers():
        kept = stores.open_store(tmp_path / "old")
        assert len(kept.read("finds")) == 6
        kept.close()
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_a_county_that_disagrees_with_its_ledger_is_not_brought_up(tmp_path):
    """Nothing that somebody meddled with is laundered by an upgrade: it is refused and left as it is."""
    import sqlite3

    from benchmarks.crash_acts import older_county

    older_county(tmp_path)
    with sqlite3.connect(tmp_path / "county.gpkg") as db:
        db.execute("UPDATE finds SET plants_n = 1 WHERE fid = 2")
    db.close()
    with pytest.raises(StoreError) as refused:
        stores.open_store(tmp_path)
    assert refused.value.code == "upgrade_unsound"
    assert not (tmp_path / "backups").exists()
