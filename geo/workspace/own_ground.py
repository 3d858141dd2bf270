"""
The store as one account sees it: rows of its own ground, places as exact as its role allows, and no other writing.

Every page, paper and command works through the store a county is opened with, so what is left out here is seen nowhere.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from geo.layers import SCHEMAS
from geo.layers.orders import Step
from geo.layers.steps import Act
from geo.ledger import Entry, Linked, Verdict
from geo.store import Change, Store
from geo.store.contract import Bounds, Contents, Row
from geo.store.rows import rows_of
from geo.workspace.rights import Action, Actor, Denied, Places, Role, may, require

Mask = npt.NDArray[np.bool_]
COARSE_M = 1000.0
HISTORY = "历史点位"
OPEN_TO_ALL = ("townships", "neighbours", "grounds", "roads", "offices", "trials")
"""Boundaries, ways and trials with decoys say nothing of where anybody looked or what stands where."""

_IMPORTED = dict.fromkeys(("tracks", "lookouts", "flights", "passes"), Action.TRACKS) | dict.fromkeys(
    ("duties", "units", "aliases", "villages", "teams"), Action.REGISTER
)
_KINDS = {
    **dict.fromkeys(("forms", "visit_upgraded", "visit", "find", "destruction", "photos"), Action.RECORD),
    **dict.fromkeys(("verification", "flag", "reward"), Action.JUDGE),
    **dict.fromkeys(("correction", "conflict"), Action.CORRECT),
    **dict.fromkeys(("alias_confirmed", "duty_assigned", "duty_ended"), Action.REGISTER),
    **dict.fromkeys(("orders_issued", "problem"), Action.ORDER),
    **dict.fromkeys(("plan", "plan_conflict", "segments", "season_plan"), Action.PLAN),
    "daily_report": Action.ANSWER,
    "export": Action.EXPORT,
}
PLANS = ("plan", "plan_conflict")
JUDGED = (Act.DISMISS, Act.CLOSE, Act.RECHECK, Act.ASSIGN)
_ANSWERED = (Step.SIGNED, Step.ANSWERED)


def action_of(entry: Entry, changes: Iterable[Change]) -> Action:
    """The right an entry needs; what nobody thought of is for the administrator."""
    if entry.kind == "import":
        return _IMPORTED.get(str(entry.body.get("layer")), Action.LAYERS)
    if entry.kind == "step":
        return Action.JUDGE if entry.body.get("act") in JUDGED else Action.RECORD
    if entry.kind == "order_step":
        steps = {step for change in changes if change.layer == "order_steps" for step in change.table["step"]}
        return Action.ANSWER if steps <= set(_ANSWERED) else Action.ORDER
    if entry.kind == "export" and any(len(change.rows) for change in changes):
        return Action.ADMINISTER  # an export takes nothing in
    return _KINDS.get(entry.kind, Action.ADMINISTER)


@dataclass(frozen=True)
class Ground:
    """
    What belongs to somebody whose ground is not the county.

    `fresh` are keys by layer that come with the rows being judged: an order's steps are as much one's own as the order.
    `found` are plots among them on which one's own team found something or kept the scene.
    """

    store: Store
    actor: Actor
    strip_m: float
    fresh: dict[str, set[str]] = field(default_factory=dict)
    found: frozenset[str] = frozenset()

    def holds(self, layer: str, table: pd.DataFrame) -> Mask:
        """Which rows are one's own, by the rule of their layer."""
        if layer in OPEN_TO_ALL:
            return np.ones(len(table), bool)
        return np.asarray(RULES[layer](self, table), bool)

    def keys(self, layer: str) -> set[str]:
        """Keys of a layer's rows that are one's own."""
        table = self.store.read(layer)
        own = table.loc[self.holds(layer, table), SCHEMAS[layer].key]
        return set(own) | self.fresh.get(layer, set())

    @cached_property
    def ids(self) -> set[str]:
        return set(self.actor.grounds)

    @cached_property
    def townships(self) -> set[str]:
        """Townships that are one's own; a team's is where it walks, and not its own."""
        return self.ids & set(self.store.read("townships")["township_id"])

    @cached_property
    def teams(self) -> set[str]:
        """Teams named, and those of one's townships."""
        table = self.store.read("teams")
        return (self.ids | set(table.loc[table["township_id"].isin(self.townships), "team_id"])) & set(table["team_id"])

    @cached_property
    def units(self) -> set[str]:
        """One's own units of the register and all below them."""
        units, villages = self.store.read("units"), self.store.read("villages")
        parents = dict(zip(villages["village_id"], villages["township_id"], strict=True))
        parents |= dict(zip(units["unit_id"], units["parent_id"], strict=True))
        own = set(self.ids)
        while True:
            below = {unit for unit, parent in parents.items() if parent in own and unit not in own}
            if not below:
                return own
            own |= below

    @cached_property
    def bare(self) -> Any:
        """One's own ground without the strip beyond its edges, metres."""
        shapes = [
            table.geometry[table[key].isin(self.ids)]
            for table, key in ((self.store.read("townships"), "township_id"), (self.store.read("grounds"), "ground_id"))
        ]
        return shapely.union_all([shape for held in shapes for shape in held])

    @cached_property
    def area(self) -> Any:
        """One's own ground with the strip on both sides of its edges, for which both sides answer, metres."""
        area = shapely.buffer(self.bare, self.strip_m)
        shapely.prepare(area)
        return area

    @cached_property
    def villages(self) -> set[str]:
        return self.keys("villages")

    @cached_property
    def tasks(self) -> set[str]:
        """Parcels a team was sent to (stops of its routes, and those assigned to it), and those it found itself."""
        stops, steps, finds = (self.store.read(layer) for layer in ("stops", "steps", "finds"))
        sent = stops.loc[stops["route_id"].isin(self.keys("routes")), "target_id"].dropna()
        told = steps.loc[steps["team_id"].isin(self.ids), "parcel_id"]
        return {*sent, *told, *finds.loc[finds["team_id"].isin(self.ids), "parcel_id"].dropna()} | self.found

    @cached_property
    def parcels(self) -> set[str]:
        return self.keys("parcels")

    def inside(self, table: pd.DataFrame) -> Mask:
        """Rows whose geometry touches one's own ground or its strip."""
        return np.asarray(shapely.intersects(self.area, table.geometry.to_numpy()), bool)

    def walked(self, table: pd.DataFrame) -> Mask:
        """Rows of one's own teams and townships, and for others than a team what crosses its ground."""
        own = _in(table, "team_id", self.teams) | _in(table, "township_id", self.townships)
        return own if self.actor.role is Role.TEAM else own | self.inside(table)


def _in(table: pd.DataFrame, column: str, held: set[str]) -> Mask:
    return np.asarray(table[column].isin(held), bool)


def _none(ground: Ground, table: pd.DataFrame) -> Mask:
    return np.zeros(len(table), bool)


def _parcels(ground: Ground, table: pd.DataFrame) -> Mask:
    if ground.actor.places is Places.TASKED:
        return _in(table, "parcel_id", ground.tasks)
    return ground.inside(table) | _in(table, "township_id", ground.townships)


def _leads(ground: Ground, table: pd.DataFrame) -> Mask:
    """Police hear of every tip on their ground, townships of old spots alone, the others of none."""
    if ground.actor.role not in (Role.POLICE, Role.TOWNSHIP):
        return _none(ground, table)
    known = np.asarray(table["kind"] == HISTORY) | (ground.actor.role is Role.POLICE)
    return known & (ground.inside(table) | _in(table, "village_id", ground.villages))


def _finds(ground: Ground, table: pd.DataFrame) -> Mask:
    own = _in(table, "team_id", ground.teams)
    return own if ground.actor.role is Role.TEAM else own | ground.inside(table)


def _visits(ground: Ground, table: pd.DataFrame) -> Mask:
    own = _in(table, "team_id", ground.teams)
    if ground.actor.role is Role.TEAM:
        return own
    where = _in(table, "village_id", ground.villages) | _in(table, "parcel_id", ground.parcels)
    return own | where | ground.inside(table)


def _photos(ground: Ground, table: pd.DataFrame) -> Mask:
    """Those of one's own teams, and those of one's own plots, visits, finds and villages."""
    own = _in(table, "team_id", ground.teams)
    about = {"parcel_id": "parcels", "visit_id": "visits", "find_id": "finds", "village_id": "villages"}
    for column, layer in about.items():
        own = own | _in(table, column, ground.keys(layer))
    return own


Rule = Callable[[Ground, pd.DataFrame], Mask]
RULES: dict[str, Rule] = {
    "villages": lambda g, t: _in(t, "township_id", g.townships) | shapely.intersects(g.bare, t.geometry.to_numpy()),
    "duties": lambda g, t: _in(t, "unit_id", g.units),
    "units": lambda g, t: _in(t, "unit_id", g.units),
    "aliases": lambda g, t: _in(t, "unit_id", g.units),
    "teams": lambda g, t: _in(t, "team_id", g.teams),
    "tracks": Ground.walked,
    "lookouts": Ground.walked,
    "flights": Ground.inside,
    "passes": Ground.inside,
    "visits": _visits,
    "parcels": _parcels,
    "finds": _finds,
    "steps": lambda g, t: _in(t, "parcel_id", g.parcels),
    "photos": _photos,
    "leads": _leads,
    "alerts": lambda g, t: _in(t, "unit_id", g.units) | g.inside(t),
    "orders": lambda g, t: _in(t, "unit_id", g.units) | _in(t, "township_id", g.townships),
    "order_steps": lambda g, t: _in(t, "order_id", g.keys("orders")),
    "daily_reports": lambda g, t: _in(t, "unit_id", g.units),
    "returns": lambda g, t: _in(t, "village_id", g.villages) | _in(t, "visit_id", g.keys("visits")),
    "refusals": _none,
    "segments": lambda g, t: _in(t, "township_id", g.townships),
    "assignments": lambda g, t: _in(t, "township_id", g.townships) | _in(t, "partner_id", g.townships),
    "routes": Ground.walked,
    "stops": lambda g, t: _in(t, "route_id", g.keys("routes")),
}
BLURRED = ("parcels", "finds", "visits")
HIDDEN_FROM_COARSE = ("leads", "refusals", "routes", "stops", "photos")
"""Layers that would tell an exact place to those who are told coarse ones."""


class OwnStore:
    """A store seen by one account: the `Store` protocol over another store."""

    def __init__(self, store: Store, actor: Actor, *, strip_m: float) -> None:
        self._store = store
        self._actor = actor
        self._strip_m = strip_m

    @property
    def beneath(self) -> Store:
        """The store with nothing left out, for figures that rest on everybody's work."""
        return self._store

    @property
    def crs(self) -> pyproj.CRS:
        return self._store.crs

    @property
    def place(self) -> str:
        return self._store.place

    def read(self, layer: str, keys: Sequence[str] | None = None) -> pd.DataFrame:
        """The layer's rows that are this account's to see, places as exact as its role allows."""
        return self._seen(layer, self._store.read(layer, keys))

    def read_where(self, layer: str, column: str, value: str) -> pd.DataFrame:
        return self._seen(layer, self._store.read_where(layer, column, value))

    def rows_where(self, layer: str, column: str, value: str) -> list[Row]:
        return rows_of(self.read_where(layer, column, value))

    def holds(self, layer: str, keys: Sequence[str]) -> set[str]:
        """Which keys are taken, whoever's they are: a key says nothing, and a second row with it would be refused."""
        return self._store.holds(layer, keys)

    def count(self, layer: str) -> int:
        return self._store.count(layer) if self._open(layer) else len(self.read(layer))

    def extent(self, layer: str) -> Bounds | None:
        return self._store.extent(layer)

    def append(self, entry: Entry, *changes: Change, now: datetime) -> Linked:
        """
        Write, with the account's name in the entry, what its role and ground allow.

        Raises
        ------
        Denied
            The role may not do this, or a row, or one it would replace, lies on others' ground.
        """
        require(self._actor, action_of(entry, changes))
        if not self._actor.whole:
            self._require_own(changes)
        body = entry.body | {"account": self._actor.name, "account_role": str(self._actor.role)}
        return self._store.append(replace(entry, body=body), *changes, now=now)

    def entries(self, after: int = 0) -> list[Linked]:
        """All entries for those who trace; for the others plans alone, which name routes and no place."""
        held = self._store.entries(after)
        return held if may(self._actor, Action.TRACE) else [entry for entry in held if entry.kind in PLANS]

    def head(self) -> Linked | None:
        return self._store.head()

    def verify(self, expected_head: str | None = None) -> Verdict:
        return self._store.verify(expected_head)

    def contents(self) -> AbstractContextManager[Contents]:
        require(self._actor, Action.ADMINISTER)
        return self._store.contents()

    def fill(self, held: Contents) -> None:
        require(self._actor, Action.ADMINISTER)
        self._store.fill(held)

    def leave(self, where: str | None) -> None:
        require(self._actor, Action.ADMINISTER)
        self._store.leave(where)

    def left_for(self) -> str | None:
        return self._store.left_for()

    def discard(self) -> None:
        require(self._actor, Action.ADMINISTER)
        self._store.discard()

    def close(self) -> None:
        self._store.close()

    def require_inside(self, easting: float, northing: float) -> None:
        """Raise `Denied` unless a place (metres) lies on one's own ground or its strip."""
        if not self._actor.whole and not shapely.intersects_xy(self._now().area, easting, northing):
            raise Denied("not_your_place")

    def _open(self, layer: str) -> bool:
        return layer in OPEN_TO_ALL or (self._actor.whole and self._actor.places is Places.EXACT and layer != "leads")

    def _ground(self, fresh: dict[str, set[str]] | None = None, found: Iterable[str] = ()) -> Ground:
        return Ground(self._store, self._actor, self._strip_m, fresh or {}, frozenset(found))

    def _found(self, held: Iterable[tuple[Change, pd.DataFrame]]) -> set[str]:
        """Plots that are new and come with a find or step of one's own team."""
        brought = {change.layer: rows for change, rows in held}
        if "parcels" not in brought:
            return set()
        new = set(brought["parcels"]["parcel_id"])
        new -= self._store.holds("parcels", list(new))
        told = [brought[layer] for layer in ("finds", "steps") if layer in brought]
        return new & {key for rows in told for key in rows.loc[rows["team_id"].isin(self._actor.grounds), "parcel_id"]}

    @cached_property
    def _standing(self) -> tuple[str, Ground]:
        head = self._store.head()
        return head.hash if head else "", self._ground()

    def _now(self) -> Ground:
        """One's own ground as the store stands; worked out anew once the ledger has grown."""
        head = self._store.head()
        if self._standing[0] != (head.hash if head else ""):
            del self._standing
        return self._standing[1]

    def _seen(self, layer: str, table: pd.DataFrame) -> pd.DataFrame:
        if self._open(layer):
            return table
        if not self._actor.whole:
            own: pd.DataFrame = table[self._now().holds(layer, table)].reset_index(drop=True)
            return own
        if layer == "leads" and self._actor.role in (Role.ADMIN, Role.COUNTY):
            return table
        if layer == "leads" or (self._actor.places is Places.COARSE and layer in HIDDEN_FROM_COARSE):
            nothing: pd.DataFrame = table.iloc[:0]
            return nothing
        blurred = layer in BLURRED and self._actor.places is Places.COARSE
        shown: pd.DataFrame = coarse(table) if blurred else table
        return shown

    def _require_own(self, changes: Iterable[Change]) -> None:
        held = [(change, SCHEMAS[change.layer].conform(change.table)) for change in changes if len(change.rows)]
        fresh = {change.layer: set(rows[SCHEMAS[change.layer].key]) for change, rows in held}
        known, after = self._now(), self._ground(fresh, self._found(held))
        for change, rows in held:
            if isinstance(rows, gpd.GeoDataFrame) and rows.crs is not None and rows.crs != self.crs:
                rows = gpd.GeoDataFrame(rows).to_crs(self.crs)
            key = SCHEMAS[change.layer].key
            old = self._store.read(change.layer, list(rows[key]))
            own = {*old.loc[known.holds(change.layer, old), key]}
            # A row that is replaced must have been one's own; what is new must lie on one's own ground.
            mine = after.holds(change.layer, rows) & ~rows[key].isin(set(old[key]) - own).to_numpy()
            if not mine.all() or change.layer in OPEN_TO_ALL:
                raise Denied("not_your_ground", n=int((~mine).sum()) or len(rows), layer=change.layer)


def coarse(table: gpd.GeoDataFrame) -> pd.DataFrame:
    """The rows with the middle of their 1 km square as their place, so that nobody can walk there."""
    held = table.geometry.notna() & ~table.geometry.is_empty
    points = shapely.centroid(table.geometry.to_numpy())
    squares = [np.floor(axis(points) / COARSE_M) * COARSE_M + COARSE_M / 2 for axis in (shapely.get_x, shapely.get_y)]
    places = np.where(held, shapely.points(*(np.nan_to_num(middle) for middle in squares)), None)
    blurred: pd.DataFrame = gpd.GeoDataFrame(table.drop(columns="geometry"), geometry=list(places), crs=table.crs)
    return blurred
