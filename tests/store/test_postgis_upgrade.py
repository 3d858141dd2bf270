"""A shared county made by an older program is brought up when a newer one opens it, its tables copied first."""

import pytest
import sqlalchemy as sa
from made_rows import fill

from geo import store as stores
from geo.errors import StoreError
from geo.layers import SCHEMAS


def engine_of(settings):
    """The server that holds a county's schema."""
    url = settings.store_url.split("?")[0].replace("postgresql:", "postgresql+psycopg:")
    return sa.create_engine(url, poolclass=sa.pool.NullPool)


@pytest.fixture
def older(tmp_path, settings_of):
    """Settings of a county with fewer columns and without steps; what the upgrade copies is dropped afterwards."""
    from benchmarks.crash_acts import older_layers

    settings = settings_of("postgis")
    with older_layers():
        store = stores.create(tmp_path, settings)
        fill(store)
        store.close()
    yield settings
    engine, name = engine_of(settings), settings.store_url.split("schema=")[1]
    with engine.begin() as db:
        for (copy,) in db.execute(
            sa.text("SELECT nspname FROM pg_namespace WHERE nspname LIKE :n"), {"n": f"{name}_v%"}
        ):
            db.execute(sa.text(f'DROP SCHEMA "{copy}" CASCADE'))
    engine.dispose()


def test_an_older_shared_county_gains_layers_and_columns_and_still_verifies(tmp_path, older):
    """Every row is there, the ledger says what was added, and the next opening changes nothing."""
    store = stores.open_store(tmp_path)
    assert all(len(store.read(layer)) == (0 if layer == "steps" else 6) for layer in SCHEMAS)
    last = store.head()
    assert (last.kind, set(last.body["columns"])) == ("upgrade", {"steps", "finds", "visits"})
    assert store.verify().ok
    store.close()
    again = stores.open_store(tmp_path)
    assert again.head().hash == last.hash
    engine = engine_of(older)
    with engine.connect() as db:
        copies = db.execute(
            sa.text("SELECT count(*) FROM pg_namespace WHERE nspname LIKE :n"), {"n": f"{again.schema}_v%"}
        )
        assert copies.scalar_one() == 1
    engine.dispose()
    again.close()


def test_one_that_disagrees_with_its_ledger_is_left_as_it_is(tmp_path, older):
    engine = engine_of(older)
    name = older.store_url.split("schema=")[1]
    with engine.begin() as db:
        db.execute(sa.text(f'UPDATE "{name}".finds SET plants_n = 1 WHERE fid = 2'))
    with pytest.raises(StoreError) as refused:
        stores.open_store(tmp_path)
    assert refused.value.code == "upgrade_unsound"
    with engine.connect() as db:
        assert db.execute(sa.text("SELECT to_regclass(:t)"), {"t": f'"{name}".steps'}).scalar() is None
    engine.dispose()
