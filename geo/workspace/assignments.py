"""The board of assignments: every numbered piece of work of the season with its state, worked out from the records."""

from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.assignment_book import days_of, searched_hours, shared_hours, state_of
from geo.analysis.pieces import Pieces
from geo.analysis.zonal import zone_grid
from geo.errors import StoreError
from geo.grid import Frame
from geo.layers.parcels import OPEN
from geo.layers.segments import Purpose, State
from geo.layers.tracks import Mode
from geo.season import CHINA
from geo.workspace.county import County
from geo.workspace.covering import measure_borders
from geo.workspace.effort import pieces_of, tracks_until
from geo.workspace.life import recheck_calendar
from geo.workspace.ordering import round_of

CELL_M = 30.0
EPOCH = date(1970, 1, 1)
SHOWN = ("township_name", "label", "state", "share", "searched_h", "forms_n")


def assignment_board(
    county: County,
    *,
    as_of: datetime | None = None,
    round_: int | None = None,
    township_id: str | None = None,
    withdrawn: bool = False,
) -> gpd.GeoDataFrame:
    """
    Assignments with where they stand; overdue first, then by day.

    Columns are those of the layer and ``township_name``, ``label`` (the segment's letter), ``state`` (`State`),
    ``share`` of the work done, ``searched_h`` (hours walked searching on its ground, from ``due_from`` to ``due_to``,
    each hour counted for one assignment alone) and ``forms_n`` (signed or claimed visits without a track on its ground:
    shown, never counted).

    Targets and re-checks are done when their plots are; joint sweeps when teams of both sides walked the strip.

    Parameters
    ----------
    as_of
        Moment of the answer (default: the last record).
    withdrawn
        Also those a later plan took the place of.

    Raises
    ------
    LayerError, StoreError
        No such round or township.
    """
    if round_ is not None:
        round_of(county, round_)
    if township_id is not None and township_id not in set(county.store.read("townships")["township_id"]):
        raise StoreError("township_unknown", value=township_id)
    moment = as_of or county.as_of()
    held = gpd.GeoDataFrame(county.store.read("assignments"))
    chosen = held[held["withdrawn_at"].isna() | withdrawn]
    if round_ is not None:
        chosen = chosen[chosen["round"] == round_]
    if township_id is not None:
        chosen = chosen[(chosen["township_id"] == township_id) | (chosen["partner_id"] == township_id)]
    chosen = gpd.GeoDataFrame(chosen.reset_index(drop=True))
    segments = gpd.GeoDataFrame(county.store.read("segments")).reset_index(drop=True)
    names = county.store.read("townships").set_index("township_id")["name"]
    label = segments.set_index("segment_id")["label"]
    work = _work(county, held, chosen, segments, moment)
    today = moment.astimezone(CHINA).date().isoformat()
    share = county.settings.scheduling.done_share
    state = [
        str(state_of(done, row.day_to, today, done_share=share, withdrawn=not pd.isna(row.withdrawn_at)))
        for done, row in zip(work["share"], chosen.itertuples(), strict=True)
    ]
    board = chosen.assign(
        township_name=chosen["township_id"].map(names), label=chosen["segment_id"].map(label), state=state, **work
    )
    rank = board["state"].map({str(one): n for n, one in enumerate(RANKS)})
    order = board.assign(rank=rank).sort_values(["rank", "day", "assignment_id"], kind="stable").index
    return gpd.GeoDataFrame(board.loc[order].reset_index(drop=True))


RANKS = (State.OVERDUE, State.PART_DONE, State.SCHEDULED, State.DONE, State.WITHDRAWN)


def standing_assignments(county: County, as_of: datetime | None = None) -> gpd.GeoDataFrame:
    """The board of all rounds with ``done``: whether nothing is left to do for it."""
    board = assignment_board(county, as_of=as_of)
    return gpd.GeoDataFrame(board.assign(done=board["state"] == str(State.DONE)))


def _work(
    county: County, held: gpd.GeoDataFrame, chosen: gpd.GeoDataFrame, segments: gpd.GeoDataFrame, moment: datetime
) -> dict[str, Any]:
    """Share, hours and forms of each chosen assignment; hours are shared out among all that are `held`."""
    n = len(chosen)
    empty = {"share": np.zeros(n), "searched_h": np.zeros(n), "forms_n": np.zeros(n, np.int64)}
    if not n:
        return empty
    first, today = str(held["due_from"].min()), moment.astimezone(CHINA).date()
    tracks = tracks_until(county, moment)
    begun = tracks["started_at"].dt.tz_convert(CHINA).dt.strftime("%Y-%m-%d")
    walked = gpd.GeoDataFrame(tracks[(begun >= first) & (tracks["mode"] == Mode.FOOT)].reset_index(drop=True))
    pieces, _ = pieces_of(county, walked)
    place = {str(name): number + 1 for number, name in enumerate(segments["segment_id"])}
    hours = _searched(_hours(county, segments, pieces), held, place)
    forms = _forms(county, segments, moment)
    dues = (
        set(recheck_calendar(county, as_of=moment)["parcel_id"])
        if (chosen["purpose"] == Purpose.RECHECK).any()
        else set()
    )
    parcels = county.store.read("parcels").set_index("parcel_id")["status"]
    open_ = set(parcels.index[parcels.isin([str(one) for one in OPEN])])
    joint = (chosen["purpose"] == Purpose.JOINT).any() and len(pieces)
    edges = measure_borders(county, as_of=moment).borders.set_index("border_id") if joint else gpd.GeoDataFrame()
    images = gpd.GeoDataFrame(county.store.read("flights"))
    images = gpd.GeoDataFrame(images[images["taken_at"] <= moment])
    for i, row in enumerate(chosen.itertuples()):
        span = [_day(row.due_from), _day(min(row.due_to, today.isoformat()))]
        if isinstance(row.segment_id, str):
            zone = place.get(row.segment_id, -1)
            empty["searched_h"][i] = hours[str(row.assignment_id)]
            signed = forms[(forms["zone"] == zone) & forms["day"].between(span[0], span[1])]
            empty["forms_n"][i] = len(signed)
        if row.purpose in (Purpose.TARGET, Purpose.RECHECK):
            ids = str(row.reason).split("、")
            left = open_ if row.purpose == Purpose.TARGET else dues
            empty["share"][i] = sum(one not in left for one in ids) / len(ids)
        elif row.purpose == Purpose.JOINT:
            empty["share"][i] = _joint_share(county, edges, row, walked, pieces, span)
        elif row.purpose == Purpose.FLIGHT:
            empty["share"][i] = _flown_share(row, images, span)
        else:
            empty["share"][i] = min(1.0, empty["searched_h"][i] / row.hours) if row.hours else 0.0
    return empty


def _searched(walked: pd.DataFrame, held: gpd.GeoDataFrame, place: dict[str, int]) -> dict[str, float]:
    """Hours walked searching by assignment; flights have none."""
    afoot = held[held["segment_id"].notna() & (held["purpose"] != Purpose.FLIGHT)]
    spans = {"first": "due_from", "last": "due_to", "day": "day", "day_to": "day_to"}
    work = pd.DataFrame({name: afoot[column].map(_day) for name, column in spans.items()}).assign(
        zone=afoot["segment_id"].map(place).fillna(-1), hours=afoot["hours"], withdrawn=afoot["withdrawn_at"].notna()
    )
    found = dict.fromkeys(held["assignment_id"].map(str), 0.0)
    return found | dict(zip(afoot["assignment_id"].map(str), shared_hours(walked, work).tolist(), strict=True))


def _day(iso: str) -> int:
    """Days since 1970 of an ISO date."""
    return (date.fromisoformat(iso) - EPOCH).days


def _hours(county: County, segments: gpd.GeoDataFrame, pieces: Pieces) -> pd.DataFrame:
    if not len(segments) or not len(pieces):
        return pd.DataFrame({"zone": [], "day": [], "hours": []})
    zones = zone_grid(segments, _frame(county, segments))
    return searched_hours(pieces, zones, search_speed_kmh=county.settings.detection.search_speed_kmh)


def _frame(county: County, segments: gpd.GeoDataFrame) -> Frame:
    west, south, east, north = segments.total_bounds
    rows, cols = int(np.ceil((north - south) / CELL_M)), int(np.ceil((east - west) / CELL_M))
    return Frame(float(west), float(north), CELL_M, rows, cols, county.crs)


def _forms(county: County, segments: gpd.GeoDataFrame, moment: datetime) -> pd.DataFrame:
    """Visits without a track, with the segment of their place or village and their day."""
    visits = gpd.GeoDataFrame(county.store.read("visits"))
    without = visits[(visits["evidence"] != "A") & (visits["visited_at"] <= moment)].reset_index(drop=True)
    if without.empty or segments.empty:
        return pd.DataFrame({"zone": [], "day": []})
    homes = county.store.read("villages").set_index("village_id").geometry
    told = without.geometry.to_numpy()
    place = np.where(shapely.is_missing(told), homes.reindex(without["village_id"]).to_numpy(), told)
    inside = shapely.STRtree(segments.geometry.to_numpy()).query(shapely.centroid(place), predicate="intersects")
    day = without["visited_at"].dt.tz_convert(CHINA).dt.date.to_numpy()
    return pd.DataFrame({"zone": inside[1] + 1, "day": [(day[n] - EPOCH).days for n in inside[0]]})


def _flown_share(row: Any, images: gpd.GeoDataFrame, span: list[int]) -> float:
    """Share of a flight's area below its images, each taken to show a circle as wide as its view across."""
    day = np.array([(one - EPOCH).days for one in images["taken_at"].dt.tz_convert(CHINA).dt.date], int)
    held = images[(day >= span[0]) & (day <= span[1])]
    if not len(held) or row.geometry is None:
        return 0.0
    wide = held["height_m"].to_numpy(float) * np.tan(np.radians(held["fov_across_deg"].to_numpy(float)) / 2.0)
    shown = shapely.union_all(shapely.buffer(held.geometry.to_numpy(), wide))
    return float(shapely.intersection(shown, row.geometry).area / row.geometry.area)


def _joint_share(
    county: County, edges: gpd.GeoDataFrame, row: Any, walked: gpd.GeoDataFrame, pieces: Pieces, span: list[int]
) -> float:
    """Of both sides the lesser share of its half: metres walked in the strip, of the edge's length."""
    if row.border_id not in edges.index or not len(pieces):
        return 0.0
    line = edges.loc[row.border_id, "geometry"]
    strip = shapely.buffer(line, county.settings.borders.strip_m)
    shapely.prepare(strip)
    east, north = (pieces.easting0_m + pieces.easting1_m) / 2.0, (pieces.northing0_m + pieces.northing1_m) / 2.0
    day = days_of(pieces)
    held = shapely.contains_xy(strip, east, north) & (day >= span[0]) & (day <= span[1])
    metres = np.bincount(pieces.track[held], pieces.lengths()[held], minlength=len(walked))
    own = county.store.read("teams").set_index("team_id")["township_id"]
    side = walked["team_id"].map(own)
    inside = [one for one in (row.township_id, row.partner_id) if one in set(own)]
    shares = [float(metres[(side == one).to_numpy()].sum()) / max(line.length, 1.0) for one in inside]
    return min(1.0, min(shares, default=0.0))
