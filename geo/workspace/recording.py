"""Visits, finds and verifications: checked, numbered by their content, and written with their ledger entry."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import shapely

from geo.analysis.plot_life import moved, status_told
from geo.errors import StoreError
from geo.layers import SCHEMAS
from geo.layers.finds import METHODS, contradiction
from geo.layers.finds import SCHEMA as FINDS
from geo.layers.parcels import Status
from geo.layers.steps import DISMISSALS, Act, is_coded
from geo.layers.visits import DISMISSED, Evidence
from geo.layers.visits import SCHEMA as VISITS
from geo.ledger import Entry, Linked, Source
from geo.store import Change, Store
from geo.store.contract import Row
from geo.workspace.forms import content_id, filled_row, require_team, with_digests

T = TypeVar("T")
STANDING = METHODS[0]
NOT_CLEARED, CLEARED = "未铲净", "已铲净"
_DESTRUCTION = ["method", "fraction", "destroyed_at"]
_TRIES = 20
MARGIN_M = 1000.0


@dataclass(frozen=True)
class Recorded:
    """
    What came of a recording.

    `entry` is None where the same content had been recorded before and nothing was added; `parcel_status` is the
    parcel's state afterwards, None without a parcel; `clearance` of a find is 未铲除, 未铲净 or 已铲净.
    """

    id: str
    entry: Linked | None
    parcel_status: str | None = None
    clearance: str | None = None

    @property
    def is_new(self) -> bool:
        return self.entry is not None


def record_visit(
    store: Store, values: dict[str, Any], *, now: datetime, role: str = "team", source: Source | None = None
) -> Recorded:
    """
    Record that ground was looked at, also with nothing found; its parcel moves on to visited or dismissed.

    Parameters
    ----------
    values
        Columns of the visits layer besides ``visit_id``; the place, if known, as ``longitude`` and ``latitude``
        (WGS 84 degrees), ``easting`` and ``northing`` (metres, county CRS) or ``geometry``.
    role, source
        Who writes it down, and the device with its clocks: both stand in the ledger beside the server's time.
    """
    visit = filled_row(VISITS, values, store.crs, now)
    require_visit(visit)
    visit["visit_id"] = visit_id = content_id("V", VISITS, visit)

    def attempt() -> Recorded:
        parcel = known_about(store, visit)
        if store.holds("visits", [visit_id]):
            return Recorded(visit_id, None, _status(parcel))
        status, reason = _after_visit(store, parcel, visit)
        moved = _moved(parcel, status, reason)
        entry = Entry("visit", {"visit_id": visit_id, "parcel_status": status}, role, source)
        linked = store.append(entry, Change("visits", visit), *moved, now=now)
        return Recorded(visit_id, linked, status)

    return unless_moved(attempt)


def record_find(
    store: Store,
    values: dict[str, Any],
    *,
    now: datetime,
    role: str = "team",
    source: Source | None = None,
    plot: Row | None = None,
) -> Recorded:
    """
    Record plants seen and, where so, their destruction; the parcel becomes confirmed, or eradicated when all are gone.

    Parameters
    ----------
    values
        Columns of the finds layer besides ``find_id`` and ``recorded_at``; the place as for a visit, or that of the
        parcel. Left out: 自查, 罂粟, 未铲除 with fraction 0.
    plot
        The parcel itself, where it is not on record yet: both are written at once, so that nobody's find is refused
        because its plot is not yet whose.
    """
    given: dict[str, Any] = {"found_by": "自查", "species": "罂粟", "method": STANDING, "fraction": 0.0}
    given |= {name: value for name, value in with_digests(values).items() if value not in (None, "")}
    place = point_in(plot or one_row(store, "parcels", given.get("parcel_id"), "parcel_unknown"))
    find = filled_row(FINDS, given | {"recorded_at": now}, store.crs, now, place)
    require_find(find)
    find["find_id"] = find_id = content_id("F", FINDS, find, without=("recorded_at", "verified_at"))
    clearance = _clearance(find)

    def attempt() -> Recorded:
        is_new = plot is not None and not store.holds("parcels", [plot["parcel_id"]])
        parcel = known_about(store, find | {"parcel_id": None} if is_new else find) or plot
        _require_there(store, "visits", find["visit_id"], "visit_unknown")
        if store.holds("finds", [find_id]):
            return Recorded(find_id, None, _status(parcel), clearance)
        status = after_find(store, parcel, find)
        body = {"find_id": find_id, "parcel_status": status, "clearance": clearance}
        changes = (Change("finds", find), *_moved(parcel, status, None, is_new=is_new))
        linked = store.append(Entry("find", body, role, source), *changes, now=now)
        return Recorded(find_id, linked, status, clearance)

    return unless_moved(attempt)


def record_destruction(
    store: Store,
    find_id: str,
    values: dict[str, Any],
    *,
    now: datetime,
    role: str = "team",
    source: Source | None = None,
) -> Recorded:
    """
    Record that a find recorded before was destroyed, wholly or in part: `method`, `fraction` and `destroyed_at`.

    The find is the same find; what it was before stays in the ledger. A verified find is not touched again.
    """
    told = with_digests(values)

    def attempt() -> Recorded:
        find = known_row(store, "finds", find_id, "find_unknown")
        if find["verified_at"] is not None:
            raise StoreError("find_verified", find=find_id)
        held = {name: value for name, value in find.items() if name != "find_id"}
        after = filled_row(FINDS, held | told, store.crs, now) | {"find_id": find_id}
        require_find(after)
        clearance = _clearance(after)
        parcel = one_row(store, "parcels", after["parcel_id"], "parcel_unknown")
        if all(after[name] == find[name] for name in _DESTRUCTION):
            return Recorded(find_id, None, _status(parcel), clearance)
        status = after_find(store, parcel, after)
        body = {"find_id": find_id, "parcel_status": status, "clearance": clearance}
        changes = (Change("finds", after, replace=True, before=find), *_moved(parcel, status, None))
        linked = store.append(Entry("destruction", body, role, source), *changes, now=now)
        return Recorded(find_id, linked, status, clearance)

    return unless_moved(attempt)


def record_verification(
    store: Store, find_id: str, *, now: datetime, at: datetime | None = None, role: str = "inspector"
) -> Recorded:
    """Record that a find's destruction was verified on the ground, `at` (now); only one wholly destroyed can be."""
    when = at or now
    if when > now:
        raise StoreError("time_future", field="verified_at", value=when)

    def attempt() -> Recorded:
        find = known_row(store, "finds", find_id, "find_unknown")
        if find["fraction"] < 1.0 or find["method"] == STANDING:
            raise StoreError("find_standing", find=find_id)
        if find["verified_at"] is not None:
            return Recorded(find_id, None, clearance=CLEARED)
        if when < find["destroyed_at"]:
            raise StoreError("time_backwards", later="verified_at", earlier="destroyed_at")
        parcel = one_row(store, "parcels", find["parcel_id"], "parcel_unknown")
        status = _after_verification(store, parcel, find_id)
        entry = Entry("verification", {"find_id": find_id, "parcel_status": status}, role)
        verified = Change("finds", find | {"verified_at": when}, replace=True, before=find)
        changes = (verified, *_moved(parcel, status, None))
        linked = store.append(entry, *changes, now=now)
        return Recorded(find_id, linked, status, CLEARED)

    return unless_moved(attempt)


def _clearance(row: Row) -> str:
    return STANDING if row["method"] == STANDING else CLEARED if row["fraction"] == 1.0 else NOT_CLEARED


def require_visit(row: Mapping[str, Any]) -> None:
    """Refuse a visit whose fields contradict each other."""
    if row["evidence"] == Evidence.A and not row["track_id"]:
        raise StoreError("track_missing")
    if row["outcome"] == DISMISSED and not (row["reason"] and row["parcel_id"]):
        raise StoreError("reason_missing")
    if not (row["parcel_id"] or row["village_id"] or row["geometry"]):
        raise StoreError("visit_nowhere")


def require_find(row: Mapping[str, Any]) -> None:
    """Refuse a find whose fields contradict each other."""
    if row.get("verified_at") is not None:
        raise StoreError("record_field_unknown", field="verified_at", known="record_verification")
    found = contradiction(row)
    if found is not None:
        raise StoreError(found[0], **found[1])


def known_about(store: Store, row: Row) -> Row | None:
    """The row's parcel (None without one), after making sure that all the row names is there, and its place too."""
    _require_inside(store, row["geometry"])
    _require_there(store, "villages", row.get("village_id"), "village_unknown")
    _require_there(store, "tracks", row["track_id"], "track_unknown")
    require_team(store, row["team_id"])
    return one_row(store, "parcels", row["parcel_id"], "parcel_unknown")


def _require_there(store: Store, layer: str, key: str | None, code: str) -> None:
    if key and not store.holds(layer, [str(key)]):
        raise StoreError(code, value=key)


def _require_inside(store: Store, place: Any) -> None:
    """Refuse a place more than a kilometre outside the county: as a rule its digits were swapped."""
    bounds = None if place is None else store.extent("townships")
    if bounds is None:
        return
    west, south, east, north = bounds
    away_m = shapely.distance(shapely.box(west, south, east, north), place)
    if away_m > MARGIN_M:
        raise StoreError("outside_by", km=f"{away_m / 1000.0:,.1f}")


def one_row(store: Store, layer: str, key: str | None, code: str) -> Row | None:
    """The row with this key; None without a key, a `StoreError` where there is none."""
    return known_row(store, layer, key, code) if key else None


def known_row(store: Store, layer: str, key: str, code: str) -> Row:
    """The row with this key; a `StoreError` where there is none."""
    found = store.rows_where(layer, SCHEMAS[layer].key, str(key))
    if not found:
        raise StoreError(code, value=key)
    return found[0]


def _after_visit(store: Store, parcel: Row | None, visit: Row) -> tuple[str | None, str | None]:
    """The parcel's state, and the reason of its dismissal, after a visit, as `plot_life.status_told` has them."""
    if parcel is None:
        return None, None
    key, status = parcel["parcel_id"], str(parcel["status"])
    if visit["outcome"] == DISMISSED:
        require_coded(visit["reason"])
        moved(key, status, Act.DISMISS)
    visits, finds, steps = (store.rows_where(layer, "parcel_id", key) for layer in ("visits", "finds", "steps"))
    after, reason = status_told(key, status, [*visits, visit], finds, steps, newly_found=False)
    return str(after), reason


def require_coded(reason: str | None) -> None:
    """Refuse a dismissal whose reason is none of the known ones, a colon and a note after it aside."""
    if not is_coded(reason):
        raise StoreError("dismissal_uncoded", value=reason, known="、".join(DISMISSALS))


def after_find(store: Store, parcel: Row | None, find: Row) -> str | None:
    """The parcel's state once this find is as given: eradicated when it and every other find there is destroyed."""
    if parcel is None:
        return None
    key = parcel["parcel_id"]
    others = [one["fraction"] for one in _others(store, key, find["find_id"])]
    status = moved(key, str(parcel["status"]), Act.CONFIRM)
    return str(moved(key, status, Act.ERADICATE) if min([*others, find["fraction"]]) == 1.0 else status)


def _after_verification(store: Store, parcel: Row | None, find_id: str) -> str | None:
    """The parcel's state once this find is verified: re-checked when it was eradicated and no other find is open."""
    if parcel is None or parcel["status"] != Status.ERADICATED:
        return _status(parcel)
    key, status = parcel["parcel_id"], str(parcel["status"])
    is_open = any(one["verified_at"] is None for one in _others(store, key, find_id))
    return status if is_open else str(moved(key, status, Act.RECHECK))


def _others(store: Store, parcel_id: str, find_id: str) -> list[Row]:
    """The other finds on a find's parcel."""
    return [one for one in store.rows_where("finds", "parcel_id", parcel_id) if one["find_id"] != find_id]


def _moved(parcel: Row | None, status: str | None, reason: str | None, *, is_new: bool = False) -> list[Change]:
    if parcel is not None and is_new:
        return [Change("parcels", parcel | {"status": status, "reason": reason})]
    if parcel is None or (parcel["status"] == status and reason in (None, parcel["reason"])):
        return []
    return [Change("parcels", parcel | {"status": status, "reason": reason}, replace=True, before=parcel)]


def _status(parcel: Row | None) -> str | None:
    return None if parcel is None else str(parcel["status"])


def point_in(parcel: Row | None) -> Any:
    """A point that surely lies in the parcel; None without one."""
    return None if parcel is None else parcel["geometry"].representative_point()


def unless_moved(attempt: Callable[[], T]) -> T:
    """Try again when somebody else changed the same rows between the look and the append: no edit hides another."""
    for _ in range(_TRIES - 1):
        try:
            return attempt()
        except StoreError as refused:
            if refused.code not in ("store_moved", "key_exists"):
                raise
    return attempt()
