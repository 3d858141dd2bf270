"""Where an assignment stands, from what was walked on its ground: scheduled, part done, done or overdue."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis.pieces import Pieces
from geo.grid import Grid
from geo.layers.segments import State

PART_SHARE = 0.1
CHINA_S, DAY_S = 8 * 3600, 86_400

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def state_of(share: float, day_to: str, as_of: str, *, done_share: float, withdrawn: bool = False) -> State:
    """
    The state of an assignment by the share of its work that is done and its last planned day; both days ISO.

    >>> [str(state_of(share, "2026-03-10", "2026-03-11", done_share=0.8)) for share in (0.0, 0.5, 0.8)]
    ['overdue', 'overdue', 'done']
    >>> str(state_of(0.5, "2026-03-10", "2026-03-10", done_share=0.8))
    'part_done'
    """
    if withdrawn:
        return State.WITHDRAWN
    if share >= done_share:
        return State.DONE
    if as_of > day_to:
        return State.OVERDUE
    return State.PART_DONE if share >= PART_SHARE else State.SCHEDULED


def searched_hours(pieces: Pieces, zones: Grid, *, search_speed_kmh: float) -> pd.DataFrame:
    """
    Hours of searching by zone and day: ``zone, day, hours``.

    An hour is what is walked in an hour at search speed; faster walking counts as much less as it sees less, standing
    and driving count nothing. A piece belongs to the zone of its middle; `zone` is the grid's number (0: none, left
    out), `day` days since 1970 in China.
    """
    zone = zones_at(pieces, zones)
    hours = pieces.lengths() * pieces.factor / 1000.0 / search_speed_kmh
    table = pd.DataFrame({"zone": zone, "day": days_of(pieces), "hours": hours})
    return pd.DataFrame(table[table["zone"] > 0].groupby(["zone", "day"])["hours"].sum().reset_index())


def shared_hours(walked: pd.DataFrame, work: pd.DataFrame) -> Floats:
    """
    Hours of searching by assignment, each walked hour counted once.

    What is walked on a segment in a day goes to the assignment planned for that day, else to one that is late, else to
    one of a later day, each until it has its hours; withdrawn ones come last. What is left goes to the first of them.

    Parameters
    ----------
    walked
        ``zone, day, hours`` as `searched_hours` gives them.
    work
        ``zone, first, last`` (days in which walking counts), ``day, day_to`` (days planned), ``hours, withdrawn``.

    >>> walked = pd.DataFrame({"zone": [1], "day": [5], "hours": [9.0]})
    >>> twice = {"zone": 1, "first": 1, "last": 9, "day": [5, 7], "day_to": [5, 7], "hours": 6.0, "withdrawn": False}
    >>> shared_hours(walked, pd.DataFrame(twice)).tolist()
    [6.0, 3.0]
    """
    got = np.zeros(len(work))
    rows = list(work.itertuples(index=False))
    mine = {zone: held.tolist() for zone, held in work.reset_index(drop=True).groupby("zone").groups.items()}
    for zone, day, hours in walked.sort_values("day", kind="stable")[["zone", "day", "hours"]].itertuples(index=False):
        fits = [
            (rows[n].withdrawn, _fit(rows[n], day), rows[n].day, n)
            for n in mine.get(zone, ()) if rows[n].first <= day <= rows[n].last
        ]  # fmt: skip
        may = [n for *_, n in sorted(fits)]
        left = float(hours)
        for n in may:
            taken = min(left, max(0.0, rows[n].hours - got[n]))
            got[n] += taken
            left -= taken
        if may:
            got[may[0]] += left
    return got


def _fit(row: Any, day: int) -> int:
    """How well a day fits an assignment: 0 planned for it, 1 late, 2 ahead of its time."""
    return 0 if row.day <= day <= row.day_to else 1 if row.day_to < day else 2


def zones_at(pieces: Pieces, zones: Grid) -> Integers:
    """The zone in which each piece's middle lies; 0 outside."""
    east, north = (pieces.easting0_m + pieces.easting1_m) / 2.0, (pieces.northing0_m + pieces.northing1_m) / 2.0
    inside = zones.frame.holds(east, north)
    row, col = zones.frame.cells(
        np.where(inside, east, zones.frame.west_m), np.where(inside, north, zones.frame.north_m - 1e-3)
    )
    return np.where(inside, zones.values[row, col], 0).astype(np.int64)


def days_of(pieces: Pieces) -> Integers:
    """Day since 1970 in China of each piece."""
    return np.floor((pieces.seconds + CHINA_S) / DAY_S).astype(np.int64)
