"""What the season's records say to the chain of absence: finds that reset it, and courtyards that were entered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.grid import Grid
from geo.layers.finds import STAGES
from geo.layers.visits import Evidence
from geo.season import Season
from geo.settings import AbsenceSettings

TIPS = ("举报", "村民反映", "网络线索")
OPEN = -1  # restart of a township whose find still stands or is not verified
BANNED = ("罂粟", "大麻")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Courtyards:
    """
    Courtyards looked at: `total` (zones,), NaN where unknown, and `visited` (zones, periods), evidence A or B.
    """

    total: Floats
    visited: Floats

    @property
    def shares(self) -> Floats:
        """Share of the courtyards visited per zone and period; 0 where their number is unknown."""
        known = np.where(self.total > 0, self.total, np.inf)
        return np.minimum(self.visited / known[:, None], 1.0)


def current_period(season: Season, as_of: datetime) -> int:
    """Period of `as_of`; -1 before the season, the last one after it."""
    begun = sum(start <= as_of for start in season.bounds)
    return min(begun, len(season.months)) - 1


def planted(finds: pd.DataFrame) -> pd.DataFrame:
    """Finds that break zero planting: plants of a banned kind, or ground sown with it that has not sprouted yet."""
    held = (finds["plants_n"] > 0) | (finds["area_m2"].fillna(0.0) > 0.0)
    return finds[finds["species"].isin(BANNED) & held]


def find_restarts(
    finds: pd.DataFrame, zones: Grid, *, zone_ids: Sequence[str], season: Season, as_of: datetime
) -> Ints:
    """
    Per zone the period from which its chain starts: 0 without a find, `OPEN` (-1) while one is not destroyed and
    verified, else the period of the last verification.

    Counted is what `planted` holds, found this season up to `as_of`; a find is closed when all of it is destroyed
    (`fraction` 1) and `verified_at` has come. A find without township belongs to the zone its point lies in.
    """
    start = np.zeros(len(zone_ids), np.int64)
    for zone, moment in find_closings(finds, zones, zone_ids=zone_ids, season=season, as_of=as_of).items():
        start[zone] = OPEN if moment is None else current_period(season, moment)
    return start


def find_closings(
    finds: pd.DataFrame, zones: Grid, *, zone_ids: Sequence[str], season: Season, as_of: datetime
) -> dict[int, datetime | None]:
    """
    Per zone (0-based) with finds, as `find_restarts` counts them: the last verification; None while one is open.
    """
    closings: dict[int, datetime | None] = {}
    if not len(finds):
        return closings
    moment = pd.Timestamp(as_of)
    counted = planted(finds)
    counted = counted[counted["found_at"] <= moment]
    counted = counted[season.period_of(counted["found_at"]) >= 0]
    place_of = {zone: place for place, zone in enumerate(zone_ids)}
    verified = counted["verified_at"].where(counted["verified_at"] <= moment)
    for row in counted.index:
        zone = place_of.get(counted["township_id"].loc[row], _zone_at(counted, row, zones))
        if zone < 0:
            continue
        closed = pd.notna(verified.loc[row]) and counted["fraction"].loc[row] >= 1.0
        own = verified.loc[row].to_pydatetime() if closed else None
        last = closings.get(zone, own)
        closings[zone] = None if own is None or last is None else max(own, last)
    return closings


def _zone_at(finds: pd.DataFrame, row: Any, zones: Grid) -> int:
    point = finds["geometry"].loc[row] if "geometry" in finds else None
    if point is None or point.is_empty or not bool(zones.frame.holds(point.x, point.y)):
        return -1
    return int(zones.values[zones.frame.cells(point.x, point.y)]) - 1


def courtyard_table(
    villages: pd.DataFrame, visits: pd.DataFrame, *, zone_ids: Sequence[str], season: Season, as_of: datetime
) -> Courtyards:
    """
    Courtyards per township and how many were entered in each period, from visits of evidence A or B up to `as_of`.

    A village without a number of courtyards is taken at the mean of its township's counted villages, all unseen;
    a township without any number is unknown (NaN). No village counts more than all its courtyards in a period.
    """
    periods = len(season.months)
    total, visited = np.full(len(zone_ids), np.nan), np.zeros((len(zone_ids), periods))
    numbers = villages.set_index("village_id")["courtyards_n"].astype("float64")
    owner = villages.set_index("village_id")["township_id"]
    known = visits["visited_at"] <= pd.Timestamp(as_of)
    known &= visits["evidence"].isin([Evidence.A, Evidence.B]) & visits["courtyards_n"].notna()
    used = visits[known & visits["village_id"].isin(numbers.index[numbers > 0])]
    used = used.assign(period=season.period_of(used["visited_at"]))
    used = used[used["period"] >= 0]
    for place, zone in enumerate(zone_ids):
        mine = numbers[owner == zone]
        if (mine > 0).any():
            total[place] = float(mine[mine > 0].mean()) * len(mine)
    place_of = {zone: place for place, zone in enumerate(zone_ids)}
    entered = used.groupby(["village_id", "period"], as_index=False)["courtyards_n"].sum()
    for village, period, number in zip(entered["village_id"], entered["period"], entered["courtyards_n"], strict=True):
        place = place_of.get(owner.loc[village], -1)
        if place >= 0:
            visited[place, int(period)] += min(float(number), float(numbers.loc[village]))
    return Courtyards(total, visited)


def tip_sensitivity(
    leads: pd.DataFrame, *, zone_ids: Sequence[str], season: Season, settings: AbsenceSettings, as_of: datetime
) -> Floats:
    """
    (zones, periods) chance that a standing plot would have come to light by a tip: reported · verified · acted on.

    0 where a tip of the period still waits to be verified: an open tip is no silence.

    Parameters
    ----------
    leads
        Leads layer with ``township_id`` of each, None where unknown; only `TIPS` up to `as_of` count.
    """
    periods, current = len(season.months), current_period(season, as_of)
    chance = np.zeros((len(zone_ids), periods))
    chance[:, : current + 1] = settings.tip_reported * settings.tip_verified * settings.tip_acted
    known = leads[leads["kind"].isin(TIPS) & (leads["reported_at"] <= pd.Timestamp(as_of))]
    waiting = known[~(known["verified_at"] <= pd.Timestamp(as_of))]
    place_of = {zone: place for place, zone in enumerate(zone_ids)}
    for zone, period in zip(waiting["township_id"], season.period_of(waiting["reported_at"]), strict=True):
        if zone in place_of and period >= 0:
            chance[place_of[zone], period:] = 0.0
    return chance


def reached_lancing(finds: pd.DataFrame, settings: AbsenceSettings, as_of: datetime) -> npt.NDArray[np.object_]:
    """
    Of each find whether it was lanced or could have been: True, False, or None while it stands and time is left.

    A plot is out of time `days_to_lancing` after it was seen in its stage; one seen as capsules was so already.
    """
    days = finds["stage"].map(dict(zip(STAGES, settings.days_to_lancing, strict=True))).astype(float)
    due = finds["found_at"] + pd.to_timedelta(days, unit="D")
    moment = pd.Timestamp(as_of)
    gone = (finds["fraction"] >= 1.0) & (finds["destroyed_at"] <= moment)
    ended = finds["destroyed_at"].where(gone, moment)
    late = (days <= 0.0) | (ended >= due)
    answer = np.full(len(finds), None, dtype=object)
    answer[gone.to_numpy()] = False
    answer[late.to_numpy()] = True
    return answer


def zero_planting(finds: pd.DataFrame, *, claimed_n: int) -> bool | None:
    """
    Whether nothing was found: a fact, or None while `claimed_n` visits tell of plants that no find tells of.
    """
    return False if len(finds) else None if claimed_n else True


def zero_yield(finds: pd.DataFrame, settings: AbsenceSettings, as_of: datetime, *, claimed_n: int = 0) -> bool | None:
    """
    Whether every find was destroyed before lancing: a fact, or None while one stands that still can be.

    Plants that `claimed_n` visits tell of, and no find, may stand until they are lanced.
    """
    states = reached_lancing(finds, settings, as_of) if len(finds) else np.array([], object)
    if any(state is True for state in states):
        return False
    return None if claimed_n or any(state is None for state in states) else True
