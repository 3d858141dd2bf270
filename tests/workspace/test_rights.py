"""Role × layer × township, role × act × township, and role × page, in full, against tables written by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.schema import Column, Kind, Schema
from geo.settings import Settings
from geo.store import Change, Store
from geo.workspace.county import County, found, open_county
from geo.workspace.own_ground import COARSE_M, OPEN_TO_ALL, RULES, OwnStore
from geo.workspace.rights import DESKTOP, PAGES, RIGHTS, Action, Actor, Denied, Role, may, may_open, require

NOW = datetime(2026, 3, 18, 1, tzinfo=UTC)
TOWNS = ("520525001", "520525002")
WEST, SOUTH, SIDE = 5e5, 2.95e6, 1e4
GROUND_OF = {Role.TOWNSHIP: TOWNS[0], Role.POLICE: TOWNS[0], Role.MEMBER: "ground-0", Role.TEAM: "team_id-0"}
ACTORS = {role: Actor(role, (GROUND_OF[role],) if role in GROUND_OF else (), f"一号{role}") for role in Role}
LEADS_KINDS = {0: "举报", 1: "举报"}


def value(column: Column, n: int, layer: str) -> object:
    """What a column of a layer holds in township n: ids name the same thing everywhere."""
    named = {"township_id": TOWNS[n], "unit_id": f"{TOWNS[n]}201", "village_id": f"{TOWNS[n]}201",
             "parent_id": TOWNS[n], "target_id": f"parcel_id-{n}", "kind": None}  # fmt: skip
    if column.name == "ground_id":
        return f"ground-{n}"
    if named.get(column.name) and not (layer == "townships" and column.name != "township_id"):
        return named[column.name]
    if layer == "leads" and column.name == "kind":
        return LEADS_KINDS[n]
    if column.choices:
        return column.choices[0]
    return {
        Kind.TEXT: f"{column.name}-{n}",
        Kind.REAL: column.low or 0.0,
        Kind.INTEGER: int(column.low or 0) + 1,
        Kind.TIME: pd.Timestamp(NOW),
        Kind.FLAG: True,
    }[column.kind]


def shape(schema: Schema, n: int) -> shapely.Geometry | None:
    """A piece of ground in the middle of township n, kilometres from its edges; a whole half for boundaries."""
    middle = shapely.Point(WEST + SIDE * n + SIDE / 2, SOUTH + SIDE / 2)
    if schema.name == "townships":
        return shapely.MultiPolygon([shapely.box(WEST + SIDE * n, SOUTH, WEST + SIDE * (n + 1), SOUTH + SIDE)])
    if schema.name in ("grounds", "neighbours"):
        return shapely.MultiPolygon([shapely.buffer(middle, 2000.0)])
    kinds = {"Point": middle, "Polygon": shapely.buffer(middle, 50.0)}
    line = shapely.LineString([(middle.x, middle.y, 0.0), (middle.x + 100.0, middle.y, 0.0)])
    return kinds.get(schema.geometry[0], line)


def row(layer: str, n: int) -> pd.DataFrame:
    """The one row of a layer in township n."""
    return made_row(layer, n).copy()


@cache
def made_row(layer: str, n: int) -> pd.DataFrame:
    """The same, made once; not to be changed."""
    schema = SCHEMAS[layer]
    plain = pd.DataFrame([{column.name: value(column, n, layer) for column in schema.columns}])
    if not schema.geometry:
        return schema.conform(plain)
    return schema.conform(gpd.GeoDataFrame(plain, geometry=[shape(schema, n)], crs=4544))


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """One row of every layer in each of two townships, with a department ground in the middle of each."""
    both = gpd.GeoDataFrame(pd.concat([row("townships", 0), row("townships", 1)], ignore_index=True))
    made = found(tmp_path_factory.mktemp("rights") / "县", Settings(name="甲县"), both, [], now=NOW)
    for layer in SCHEMAS:
        if layer != "townships":
            for n in (0, 1):
                made.store.append(Entry("import", {"layer": layer}), Change(layer, row(layer, n)), now=NOW)
    return made


EVERY = frozenset(SCHEMAS)
OF_ALL = frozenset({"townships", "neighbours", "grounds", "roads", "offices", "trials"})
WORK = frozenset({"tracks", "lookouts", "visits", "finds", "routes", "stops"})
TOWNSHIP = EVERY - OF_ALL - {"refusals", "leads"}
OWN: dict[Role, frozenset[str]] = {
    Role.TOWNSHIP: TOWNSHIP,
    Role.POLICE: TOWNSHIP | {"leads"},
    Role.MEMBER: frozenset(
        {"villages", "tracks", "lookouts", "flights", "passes", "visits", "parcels", "finds", "steps", "alerts",
         "returns", "routes", "stops", "photos"}
    ),
    Role.TEAM: WORK | {"teams", "parcels", "steps", "returns", "photos"},
}  # fmt: skip
"""Layers of which somebody sees their own ground's rows; what is neither here nor `OF_ALL` they see nothing of."""
WHOLE: dict[Role, frozenset[str]] = {
    Role.ADMIN: EVERY,
    Role.COUNTY: EVERY,
    Role.AUDITOR: EVERY - {"leads"},
    Role.COMMITTEE: EVERY - {"leads", "refusals", "routes", "stops", "photos"},
}


def matrix() -> Iterator[tuple[Role, str, int, bool]]:
    for role in Role:
        for layer in SCHEMAS:
            for n in (0, 1):
                own = n == 0 and layer in OWN.get(role, ())
                yield role, layer, n, layer in OF_ALL or layer in WHOLE.get(role, ()) or own


def keys_seen(store: Store, layer: str) -> set[str]:
    return set(store.read(layer)[SCHEMAS[layer].key])


@pytest.mark.parametrize("role", Role)
def test_everybody_sees_of_every_layer_and_township_what_the_table_says(county: County, role: Role) -> None:
    store = open_county(county.path, ACTORS[role]).store
    wrong = []
    for actor, layer, n, seen in matrix():
        key = row(layer, n)[SCHEMAS[layer].key].iloc[0]
        if actor is role and (key in keys_seen(store, layer)) is not seen:
            wrong.append((layer, n, seen))
    assert wrong == []


def test_every_layer_has_a_rule() -> None:
    assert set(OPEN_TO_ALL) | set(RULES) == set(SCHEMAS)
    assert not set(OPEN_TO_ALL) & set(RULES)


@pytest.mark.parametrize("role", Role)
def test_one_row_asked_for_by_its_key_is_seen_or_not_like_all(county: County, role: Role) -> None:
    """No way of asking goes round the rules: by key, by value, by count."""
    store = open_county(county.path, ACTORS[role]).store
    for layer, schema in SCHEMAS.items():
        seen = keys_seen(store, layer)
        for n in (0, 1):
            key = row(layer, n)[schema.key].iloc[0]
            assert len(store.read(layer, [key])) == (key in seen), layer
            assert len(store.read_where(layer, schema.key, key)) == (key in seen), layer
            assert len(store.rows_where(layer, schema.key, key)) == (key in seen), layer
        assert store.count(layer) == len(seen), layer


ENTRIES: dict[str, tuple[Entry, str]] = {
    "visit": (Entry("visit"), "visits"),
    "find": (Entry("find"), "finds"),
    "forms": (Entry("forms"), "returns"),
    "photos": (Entry("photos"), "photos"),
    "rows under an export": (Entry("export"), "visits"),
    "step": (Entry("step", {"act": "guard"}), "steps"),
    "dismissal": (Entry("step", {"act": "dismiss"}), "steps"),
    "verification": (Entry("verification"), "finds"),
    "flag": (Entry("flag"), "parcels"),
    "tracks": (Entry("import", {"layer": "tracks"}), "tracks"),
    "terrain": (Entry("import", {"layer": "terrain"}), "parcels"),
    "duties": (Entry("import", {"layer": "duties"}), "duties"),
    "duty": (Entry("duty_assigned"), "duties"),
    "plan": (Entry("plan"), "routes"),
    "orders": (Entry("orders_issued"), "orders"),
    "signing": (Entry("order_step"), "order_steps"),
    "daily": (Entry("daily_report"), "daily_reports"),
    "correction": (Entry("correction"), "visits"),
    "unheard-of": (Entry("unheard-of"), "visits"),
}
FIELD = {"visit", "find", "forms", "step", "tracks", "photos"}
MAY: dict[Role, set[str]] = {
    Role.ADMIN: set(ENTRIES),
    Role.COUNTY: set(ENTRIES) - {"unheard-of", "rows under an export"},
    Role.COMMITTEE: set(),
    Role.TOWNSHIP: FIELD | {"dismissal", "verification", "flag", "plan", "orders", "signing", "daily"},
    Role.POLICE: FIELD | {"dismissal", "verification", "flag", "signing", "daily"},
    Role.MEMBER: FIELD,
    Role.TEAM: FIELD,
    Role.AUDITOR: set(),
}
"""What each may write on their own ground; a member unit and a team have no order and no village of their own here."""


def fresh(layer: str, n: int) -> pd.DataFrame:
    """A new row in township n."""
    made = row(layer, n)
    made[SCHEMAS[layer].key] = f"new-{layer}-{n}"
    if layer == "order_steps":
        made["step"] = "签收"
    return made


@pytest.mark.parametrize("n", [0, 1])
@pytest.mark.parametrize("act", ENTRIES)
@pytest.mark.parametrize("role", Role)
def test_everybody_writes_what_the_table_says_and_on_their_own_ground(
    county: County, role: Role, act: str, n: int
) -> None:
    """The store below notes what reaches it; nothing of a refused act did."""
    entry, layer = ENTRIES[act]
    reached: list[Entry] = []

    store = OwnStore(Listening(county.store, reached), ACTORS[role], strip_m=500.0)  # type: ignore[arg-type]
    allowed = act in MAY[role] and (n == 0 or role in WHOLE)
    try:
        store.append(entry, Change(layer, fresh(layer, n)), now=NOW)
    except Denied:
        assert (allowed, reached) == (False, [])
    else:
        assert allowed
        assert reached[0].body["account"] == ACTORS[role].name


class Listening:
    """A store that reads like another and notes what is to be written instead of writing it."""

    def __init__(self, store: Store, reached: list[Entry]) -> None:
        self.store, self.reached = store, reached

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)

    def append(self, entry: Entry, *changes: Change, now: datetime) -> None:
        self.reached.append(entry)


def test_a_row_of_others_cannot_be_replaced_by_one_on_own_ground(county: County) -> None:
    store = open_county(county.path, ACTORS[Role.TOWNSHIP]).store
    moved = row("parcels", 0)
    moved["parcel_id"] = "parcel_id-1"
    with pytest.raises(Denied):
        store.append(Entry("flag"), Change("parcels", moved, replace=True), now=NOW)


def test_an_order_and_its_steps_are_taken_together(county: County) -> None:
    store = open_county(county.path, ACTORS[Role.TOWNSHIP]).store
    steps = fresh("order_steps", 0).assign(order_id="new-orders-0", step="下达")
    linked = store.append(
        Entry("orders_issued"), Change("orders", fresh("orders", 0)), Change("order_steps", steps), now=NOW
    )
    assert linked.body["account_role"] == "township"


def test_the_committee_is_told_the_square_and_not_the_place(county: County) -> None:
    exact = county.store.read("parcels").geometry
    told = open_county(county.path, ACTORS[Role.COMMITTEE]).store.read("parcels").geometry
    assert (told.x % COARSE_M == COARSE_M / 2).all()
    assert (told.distance(exact.centroid) <= COARSE_M * 0.5**0.5).all()
    assert not told.geom_equals(exact).any()


def test_who_may_not_trace_reads_no_entry_that_holds_a_row(county: County) -> None:
    for role in Role:
        entries = open_county(county.path, ACTORS[role]).store.entries()
        assert bool(entries) is (role in (Role.ADMIN, Role.COUNTY, Role.AUDITOR)), role


def test_what_the_strip_holds_is_both_sides_to_see(tmp_path: Path) -> None:
    """A parcel 400 m beyond the edge lies in the strip of 500 m, one 600 m beyond does not."""
    both = gpd.GeoDataFrame(pd.concat([row("townships", 0), row("townships", 1)], ignore_index=True))
    made = found(tmp_path / "县", Settings(name="甲县"), both, [], now=NOW)
    for name, beyond in (("near", 400.0), ("far", 600.0)):
        parcel = row("parcels", 1).set_geometry([shapely.Point(WEST + SIDE + beyond, SOUTH + SIDE / 2)], crs=4544)
        made.store.append(Entry("import"), Change("parcels", parcel.assign(parcel_id=name)), now=NOW)
    assert keys_seen(open_county(made.path, ACTORS[Role.TOWNSHIP]).store, "parcels") == {"near"}


def test_a_desktop_without_accounts_sees_the_store_itself(county: County) -> None:
    opened = open_county(county.path)
    assert opened.actor == DESKTOP
    assert not isinstance(opened.store, OwnStore)


@pytest.mark.parametrize("role", Role)
def test_a_right_reaches_own_ground_and_no_other(role: Role) -> None:
    for action in Action:
        actor, held = ACTORS[role], action in RIGHTS[role]
        assert may(actor, action) is held
        assert may(actor, action, "520525999") is (held and actor.whole)
        assert may(actor, action, GROUND_OF.get(role, TOWNS[0])) is held
        if not held:
            with pytest.raises(Denied):
                require(actor, action)


def test_an_account_without_ground_may_nothing() -> None:
    assert not any(may(Actor(Role.TOWNSHIP), action) for action in Action)


PAGES_OF = {
    Role.ADMIN: {"guide", "today", "map", "team", "record", "borders", "targets", "register", "committee", "trace",
                 "data", "admin"},
    Role.COUNTY: {"guide", "today", "map", "team", "record", "borders", "targets", "register", "committee", "trace",
                  "data"},
    Role.COMMITTEE: {"guide", "today", "map", "borders", "register", "committee"},
    Role.TOWNSHIP: {"guide", "today", "map", "team", "record", "borders", "targets", "register", "committee", "data"},
    Role.POLICE: {"guide", "today", "map", "team", "record", "borders", "targets", "register", "data"},
    Role.MEMBER: {"guide", "today", "map", "team", "record", "borders", "targets", "register", "data"},
    Role.TEAM: {"guide", "team", "record"},
    Role.AUDITOR: {"guide", "today", "map", "borders", "targets", "register", "committee", "trace"},
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_every_role_opens_its_pages_and_no_other(role: Role) -> None:
    assert {page for page in [*PAGES, "elsewhere", ""] if may_open(ACTORS[role], page)} == PAGES_OF[role]


def test_denials_are_sentences_in_both_languages() -> None:
    from geo.words import explain

    with pytest.raises(GeoError) as told:
        require(ACTORS[Role.TEAM], Action.PLAN)
    assert "踏查队" in explain(told.value)
    assert "make and accept plans" in explain(told.value, "en")
