"""A find as one form: on its plot, with the scene guarded, the police told, the plants counted and destroyed."""

from datetime import datetime
from typing import Any

import geopandas as gpd

from geo.errors import LayerError
from geo.layers.finds import METHODS
from geo.layers.finds import SCHEMA as FINDS
from geo.layers.parcels import Status
from geo.layers.steps import Act
from geo.ledger import row_digest
from geo.season import CHINA
from geo.store.contract import Row
from geo.workspace.county import County
from geo.workspace.forms import filled_row, is_blank
from geo.workspace.life import record_step, sampled
from geo.workspace.recording import (
    Recorded,
    known_row,
    one_row,
    point_in,
    record_destruction,
    record_find,
    require_find,
)

ACCURACY_M = 10.0
GUARDABLE = (Status.FLAGGED, Status.ASSIGNED, Status.VISITED)


def record_found(
    county: County, find: dict[str, Any], *, now: datetime, scene: dict[str, Any], gone: dict[str, Any] | None = None
) -> Recorded:
    """
    Record a find with all that is known of it at once; a find on no plot gets a plot of its own, so that it has a life.

    Parameters
    ----------
    find
        As for ``recording.record_find`` before anything was destroyed; instead of ``plants_n`` a sample: ``counts``
        (plants in each square), ``quadrat_m2``, ``area_m2``.
    scene
        ``guarded`` (bool), ``station`` and ``receipt`` of the police told (both or none), ``post``.
    gone
        ``method, fraction, destroyed_at`` and ``after_sha256, witnesses`` where it is destroyed already.

    Raises
    ------
    StoreError, LayerError
        The first thing that is missing or contradicts itself; nothing of the find is written then.
    """
    store = county.store
    given = {name: value for name, value in find.items() if value not in (None, "")}
    counts = given.pop("counts", None)
    if counts:
        day = given["found_at"].astimezone(CHINA).date()
        told = sampled(counts, given.pop("quadrat_m2", 1.0), given.get("area_m2") or 0.0, county.settings.plots, day)
        given |= {name: value for name, value in told.items() if name != "straddles"}
    given.pop("quadrat_m2", None)
    scene = {name: None if is_blank(value) else value for name, value in scene.items()}
    if bool(scene.get("station")) != bool(scene.get("receipt")):
        raise LayerError("record_value_missing", field="receipt" if scene.get("station") else "station")
    _require_whole(county, given, gone, now)
    plot = None if given.get("parcel_id") else _plot_for(county, given, now)
    given["parcel_id"] = parcel_id = plot["parcel_id"] if plot else given["parcel_id"]
    is_new = plot is not None and not store.holds("parcels", [parcel_id])
    held = plot if plot and is_new else known_row(store, "parcels", parcel_id, "parcel_unknown")
    step = {"at": given["found_at"], "team_id": given["team_id"], "post": scene.get("post")}
    step |= {"photo_sha256": given.get("photo_sha256")}
    step = {name: value for name, value in step.items() if value not in (None, "")}
    if scene.get("guarded") and held["status"] in GUARDABLE:
        record_step(store, parcel_id, Act.GUARD, step, now=now, role="team", plot=plot)
    done = record_find(store, given, now=now, plot=plot)
    if scene.get("station") and done.is_new:
        told = step | {"station": scene["station"], "receipt": scene["receipt"]}
        record_step(store, parcel_id, Act.HAND_OVER, told, now=now, role="team")
    return record_destruction(store, done.id, gone, now=now) if gone and done.is_new else done


def _require_whole(county: County, given: dict[str, Any], gone: dict[str, Any] | None, now: datetime) -> None:
    """Refuse before anything is written what `record_find` or `record_destruction` would refuse afterwards."""
    base = {"found_by": "自查", "species": "罂粟", "method": METHODS[0], "fraction": 0.0}
    place = point_in(one_row(county.store, "parcels", given.get("parcel_id"), "parcel_unknown"))
    for more in ({}, gone or {}):
        require_find(filled_row(FINDS, base | given | more | {"recorded_at": now}, county.crs, now, place))


def _plot_for(county: County, given: dict[str, Any], now: datetime) -> Row:
    """The plot of a find made on none: found on the ground, at the find's place."""
    form = filled_row(
        FINDS,
        {"found_by": "自查", "species": "罂粟", "method": METHODS[0], "fraction": 0.0, **given, "recorded_at": now},
        county.crs,
        now,
    )
    place, found_at = form["geometry"], form["found_at"]
    townships = gpd.GeoDataFrame(county.store.read("townships"))
    within = townships.loc[townships.intersects(place), "township_id"]
    key = "G" + row_digest({"wkb": place.wkb_hex, "at": found_at.isoformat()})[:12]
    return {
        "parcel_id": key,
        "source": "ground",
        "source_id": f"{found_at.astimezone(CHINA):%m-%d %H:%M}",
        "township_id": None if within.empty else within.iloc[0],
        "flagged_at": found_at,
        "status": str(Status.VISITED),
        "accuracy_m": ACCURACY_M,
        "geometry": place,
    }
