"""The GeoPackage itself: other programs read it, raw edits are found, and neither crowds nor kills harm it."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import fiona
import pyogrio
import pytest
from made_rows import CRS, NOW, fill, rows_of

from geo import store as stores
from geo.errors import LedgerBroken, StoreError
from geo.layers import SCHEMAS
from geo.layers.tracks import fixes_of
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.words import explain

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import pandas as pd
from geo.ledger import Entry
from geo.store import Change, open_store
store, name = open_store(Path(sys.argv[1])), sys.argv[2]
for n in range(int(sys.argv[3])):
    teams = pd.DataFrame({"team_id": [f"{name}-{n}-{k}" for k in range(3)], "name": "x", "kind": "专班"})
    entry = store.append(Entry("import", {"by": name}), Change("teams", teams), now=datetime.now(UTC))
    print(entry.seq, n, flush=True)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Folder of a county with six rows in every layer; not to be written to."""
    folder = tmp_path_factory.mktemp("filled") / "county"
    store = stores.create(folder, Settings(epsg=CRS))
    fill(store)
    store.close()
    return folder


@pytest.fixture
def county(filled, tmp_path):
    """A copy of that county, held open by a store."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    store = stores.open_store(tmp_path)
    yield store
    store.close()


def _raw(store, sql: str, *values: object) -> None:
    db = sqlite3.connect(store.file)
    with db:
        db.execute(sql, values)
    db.close()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layer", SCHEMAS)
def test_pyogrio_and_fiona_read_every_layer_while_it_is_open_for_writing(county, layer):
    """Counts, CRS and Chinese text, with the write lock taken meanwhile."""
    db = sqlite3.connect(county.file, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    table = pyogrio.read_dataframe(county.file, layer=layer, use_arrow=True)
    with fiona.open(county.file, layer=layer) as source:
        assert len(list(source)) == len(table) == 6
        if SCHEMAS[layer].geometry:
            assert source.crs.to_epsg() == table.crs.to_epsg() == CRS
    assert list(table[SCHEMAS[layer].key]) == list(rows_of(layer)[SCHEMAS[layer].key])
    db.close()


@pytest.mark.filterwarnings("ignore")
def test_gdal_lists_every_layer_and_the_ledger(county):
    """Layers without geometry are attributes; pyogrio names every geometry type without an error."""
    listed = dict(pyogrio.list_layers(county.file).tolist())
    assert set(listed) == {*SCHEMAS, "ledger"}
    assert all((kind is None) == (name == "ledger" or not SCHEMAS[name].geometry) for name, kind in listed.items())


@pytest.mark.filterwarnings("ignore")
def test_pyogrio_sees_the_time_of_every_fix(county):
    """M is the UTC second of a fix; Arrow carries it."""
    tracks = pyogrio.read_dataframe(county.file, layer="tracks", use_arrow=True)
    assert tracks.geometry.iloc[0].coords[0][3] == 1.77e9


def test_the_database_keeps_its_own_rules(county):
    """No broken foreign key, no damaged page, WAL, GeoPackage 1.3."""
    db = sqlite3.connect(county.file)
    asked = ("foreign_key_check", "integrity_check", "journal_mode", "user_version")
    answers = [db.execute(f"PRAGMA {name}").fetchall() for name in asked]
    assert answers == [[], [("ok",)], [("wal",)], [(10300,)]]
    db.close()


def _columns():
    for schema in SCHEMAS.values():
        for name in [*schema.names, *(["geometry"] if schema.geometry else [])]:
            yield schema.name, name


@pytest.mark.parametrize("layer", SCHEMAS)
def test_a_row_edited_by_sql_is_found_and_named(county, layer):
    """Every column of every layer, one at a time, also the order of arrival and a single byte of the geometry."""
    key = rows_of(layer)[SCHEMAS[layer].key][2]
    for column in ["fid", *(name for of, name in _columns() if of == layer)]:
        value = county._db.execute(f'SELECT "{column}" FROM "{layer}" WHERE fid = 3').fetchone()[0]
        fake = value[:9] + bytes([value[9] ^ 1]) + value[10:] if isinstance(value, bytes) else 99
        _raw(county, f'UPDATE "{layer}" SET "{column}" = ? WHERE fid = 3', fake)
        verdict = county.verify()
        assert not verdict.ok, column
        named = key if column != SCHEMAS[layer].key else "99"
        assert (verdict.first_problem.fields["layer"], verdict.first_problem.fields["key"]) == (layer, named)
        _raw(county, f'UPDATE "{layer}" SET "{column}" = ? WHERE fid = ?', value, 99 if column == "fid" else 3)
    assert county.verify().ok


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM visits WHERE fid = 2", "row_missing"),
        ("INSERT INTO teams (team_id, name, kind) VALUES ('鬼', '无', '专班')", "row_extra"),
        ("DELETE FROM ledger WHERE seq = 4", "ledger_gap"),
        ("DELETE FROM ledger WHERE seq = (SELECT max(seq) FROM ledger)", "row_extra"),
        ("UPDATE ledger SET body = '{}' WHERE seq = 5", "ledger_hash"),
        ("UPDATE ledger SET body = x'00ff' WHERE seq = 5", "ledger_hash"),
        ("UPDATE ledger SET previous = 'x' WHERE seq = 5", "ledger_link"),
        ("DROP TABLE roads", "table_unreadable"),
        ("DROP TABLE ledger", "ledger_unreadable"),
        ("UPDATE visits SET reason = 'e' || char(769) || char(0) WHERE fid = 1", "row_changed"),
        ("UPDATE visits SET hours = 9e999 WHERE fid = 1", "row_changed"),
        ("UPDATE visits SET team_id = x'ff' WHERE fid = 1", "row_changed"),
        ("UPDATE parcels SET geometry = x'00' WHERE fid = 1", "row_changed"),
        ("UPDATE parcels SET geometry = 'text' WHERE fid = 1", "row_changed"),
        ("UPDATE parcels SET geometry = NULL WHERE fid = 1", "row_changed"),
    ],
)
def test_every_other_meddling_is_found(county, sql, code):
    """Rows and entries removed, invented, or filled with what cannot be read: a verdict in words, never a traceback."""
    _raw(county, sql)
    problem = county.verify().first_problem
    assert problem.code == code
    assert "{" not in explain(problem)


@pytest.mark.parametrize("sql", ["UPDATE finds SET geometry = x'00'", "UPDATE finds SET found_at = '昨天'"])
def test_a_layer_that_cannot_be_read_says_so(county, sql):
    """Reading after such an edit is our error, in words."""
    _raw(county, sql)
    with pytest.raises(LedgerBroken, match="table_unreadable"):
        county.read("finds")


def test_a_letter_respelled_in_another_unicode_form_is_found(county):
    """The digest composes letters; the check insists that the text was stored composed."""
    _raw(county, "UPDATE teams SET name = replace(name, 'é', 'e' || char(769)) WHERE fid = 1")
    assert county.verify().first_problem.code == "row_changed"


def _write(county: Path, name: str, n: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(county), name, str(n)], stdout=subprocess.PIPE, text=True
    )


def test_two_processes_writing_at_once_lose_nothing(tmp_path):
    """100 appends each: 200 entries, 600 rows, an unbroken chain."""
    store = stores.create(tmp_path, Settings(epsg=CRS))
    for writer in [_write(tmp_path, "a", 100), _write(tmp_path, "b", 100)]:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    assert (len(store.entries()), len(store.read("teams")), store.verify().ok) == (200, 600, True)


def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(tmp_path):
    """kill -9 five times: each printed seq is there with its three rows, nothing is there by halves."""
    store = stores.create(tmp_path, Settings(epsg=CRS))
    for run in range(5):
        writer = _write(tmp_path, str(run), 100_000)
        acknowledged = [writer.stdout.readline()]
        time.sleep(0.02 + 0.037 * run)
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += writer.communicate(timeout=10)[0].splitlines()
        kept = {entry.seq: entry.body["rows"]["teams"] for entry in store.entries()}
        for line in filter(str.strip, acknowledged[:-1]):
            seq, n = line.split()
            assert set(kept[int(seq)]) == {f"{run}-{n}-{k}" for k in range(3)}
    assert store.verify().ok
    assert len(store.read("teams")) == 3 * len(store.entries())


def test_threads_share_one_store(tmp_path):
    """Each thread gets its own connection; eight of them append and read at once."""
    from concurrent.futures import ThreadPoolExecutor

    store = stores.create(tmp_path, Settings(epsg=CRS))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: store.append(Entry("x", {"n": n}), now=NOW), range(80)))
    assert sorted(entry.body["n"] for entry in store.entries()) == list(range(80))
    assert store.verify().ok


@pytest.mark.parametrize("content", [b"", b"not a database, surely", b"SQLite format 3\x00" + bytes(200)])
def test_a_file_that_is_no_county_is_refused_in_words(tmp_path, content):
    """Empty, text and a broken database."""
    (tmp_path / "county.gpkg").write_bytes(content)
    with pytest.raises(StoreError) as refused:
        stores.open_store(tmp_path)
    assert refused.value.code in ("store_foreign", "store_refuses")
    assert "{" not in explain(refused.value)


def test_a_missing_a_newer_and_an_existing_county_are_told_apart(tmp_path):
    """Each has its own sentence, and creating twice changes nothing."""
    with pytest.raises(StoreError, match="store_missing"):
        stores.open_store(tmp_path)
    store = stores.create(tmp_path, Settings(epsg=CRS, name="甲县"))
    with pytest.raises(StoreError, match="store_exists"):
        stores.create(tmp_path, Settings(name="乙县"))
    assert stores.read_settings(tmp_path).name == "甲县"
    _raw(store, "UPDATE tacha_meta SET value = '99' WHERE name = 'schema_version'")
    with pytest.raises(StoreError, match="store_newer"):
        stores.open_store(tmp_path)


def test_a_county_outside_china_keeps_its_utm_zone(tmp_path):
    """The CRS comes from the settings and is read back from the file."""
    stores.create(tmp_path, Settings(epsg=32611)).close()
    assert stores.open_store(tmp_path).crs.to_epsg() == 32611


def test_two_million_fixes_are_read_back_whole(tmp_path):
    """A county's season of 2,500 tracks of 800 fixes (speed: benchmarks.record)."""
    import geopandas as gpd
    from made_rows import track_line

    store = stores.create(tmp_path, Settings(epsg=CRS))
    plain = rows_of("tracks", 2500).drop(columns="geometry")
    tracks = gpd.GeoDataFrame(plain, geometry=[track_line(800)] * 2500, crs=CRS)
    store.append(Entry("import"), Change("tracks", tracks), now=NOW)
    assert fixes_of(store.read("tracks")).shape[0] == 2_000_000
