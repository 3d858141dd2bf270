"""
What is claimed beside what could have been searched: a ratio to look at, never a charge.

A person searching at speed v with sweep width W covers v·W of ground an hour (Koopman's sweep rate). The people and
hours of a form give one bound, a track's length times W the other. The widest W of the stage is taken (open ground), so
the bound is generous; ground can also be seen from afar or looked at from a vehicle, which a form does not say.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.season import Season
from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]
COLUMNS = (
    "visit_id", "village_id", "round", "evidence", "visited_at", "persons_n", "hours", "hours_assumed", "claimed_m2",
    "searchable_m2", "tracked_m2", "ratio", "ratio_tracked", "per_person_m2",
)  # fmt: skip


def claimed_against_searchable(
    visits: pd.DataFrame, track_m: pd.Series, *, season: Season, detection: DetectionSettings, hours_per_day: float
) -> pd.DataFrame:
    """
    Every visit that claims an area, with what its people and hours, and its track, could have searched.

    Parameters
    ----------
    visits
        Layer visits; `hours` are those of each person.
    track_m
        Length of each foot track, metres, by track_id.
    hours_per_day
        Hours taken where a form gives none (`hours_assumed`).

    Returns
    -------
    pd.DataFrame
        `COLUMNS`, m²; ratios are claimed over searchable, NaN where people or a track are not on record. Largest first.
    """
    claims = visits[visits["area_m2"] > 0.0]
    days = np.array([season.day_of(moment) for moment in claims["visited_at"]])
    widths = np.array(detection.sweep_width_m["open"])
    width = widths[season.stage_of(days, 1000.0)] if len(days) else np.empty(0)
    assumed = claims["hours"].isna()
    hours: Floats = np.array(claims["hours"].fillna(hours_per_day), dtype=np.float64)
    persons: Floats = np.array(pd.to_numeric(claims["persons_n"]).astype(float).replace(0.0, np.nan), dtype=np.float64)
    claimed: Floats = np.array(claims["area_m2"], dtype=np.float64)
    searchable = persons * hours * detection.search_speed_kmh * 1000.0 * width
    tracked: Floats = np.array(claims["track_id"].map(track_m), dtype=np.float64) * width
    table = {
        **{name: claims[name] for name in ("visit_id", "village_id", "round", "evidence", "visited_at", "persons_n")},
        "hours": hours,
        "hours_assumed": assumed,
        "claimed_m2": claimed,
        "searchable_m2": searchable,
        "tracked_m2": tracked,
        "ratio": _over(claimed, searchable),
        "ratio_tracked": _over(claimed, tracked),
        "per_person_m2": _over(claimed, persons),
    }
    shown = pd.DataFrame(table, columns=list(COLUMNS))
    return shown.sort_values("ratio", ascending=False, na_position="last", kind="stable", ignore_index=True)


def claims_by_township(claims: pd.DataFrame, townships: pd.Series, *, large: float) -> pd.DataFrame:
    """
    Per township the sums of `claimed_against_searchable`: claims, person-trips, areas, their ratio, and how many claims
    stand above `large` times what could be searched or have no people on record.

    Parameters
    ----------
    townships
        township_id by village_id.
    """
    held = claims.assign(township_id=claims["village_id"].map(townships))
    known = held["searchable_m2"].notna()
    parts = pd.DataFrame(
        {
            "claims_n": 1,
            "person_trips_n": pd.to_numeric(held["persons_n"]).fillna(0).astype(int),
            "claimed_m2": held["claimed_m2"].where(known, 0.0),
            "searchable_m2": held["searchable_m2"].fillna(0.0),
            "unpeopled_n": (~known).astype(int),
            "large_n": (held["ratio"] > large).astype(int),
        }
    )
    sums = parts.groupby(held["township_id"]).sum().reset_index()
    return sums.assign(ratio=_over(sums["claimed_m2"].to_numpy(float), sums["searchable_m2"].to_numpy(float)))


def _over(one: Floats, other: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(other > 0.0, one / other, np.nan)
