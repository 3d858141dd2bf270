"""Records that contradict each other, whatever order they came in: all are kept, somebody has to decide."""

from dataclasses import dataclass

import pandas as pd

from geo.layers.visits import DISMISSED, FOUND
from geo.season import CHINA


@dataclass(frozen=True, order=True)
class Contradiction:
    """What contradicts (a code of ``geo.words``), about which plot or village, and the ids of the records."""

    kind: str
    subject: str
    ids: tuple[str, ...]


def contradictions(visits: pd.DataFrame, finds: pd.DataFrame) -> list[Contradiction]:
    """
    Contradictions among records of the same plots and villages, sorted.

    A plot dismissed although plants were found on it; two visits, or two finds, of one team at one place on one day
    that say different things.
    """
    return sorted({*_dismissed_though_found(visits, finds), *_twice(visits), *_found_twice(finds)})


def found_unrecorded(visits: pd.DataFrame, finds: pd.DataFrame) -> pd.DataFrame:
    """
    Visits that told of plants no find tells of: none of that visit or plot; for ground of no plot, none of that team
    and day.
    """
    told = visits[visits["outcome"] == FOUND]
    of_plot = told["parcel_id"].notna()
    days = set(zip(finds["team_id"], finds["found_at"].dt.tz_convert(CHINA).dt.date, strict=True))
    same_day = pd.Series(
        [one in days for one in zip(told["team_id"], told["visited_at"].dt.tz_convert(CHINA).dt.date, strict=True)],
        index=told.index, dtype=bool,
    )  # fmt: skip
    answered = told["visit_id"].isin(finds["visit_id"].dropna())
    answered |= told["parcel_id"].isin(finds["parcel_id"].dropna()).where(of_plot, same_day)
    return pd.DataFrame(told[~answered])


def _dismissed_though_found(visits: pd.DataFrame, finds: pd.DataFrame) -> list[Contradiction]:
    dismissed = visits[visits["outcome"] == DISMISSED].groupby("parcel_id")["visit_id"].agg(list)
    found = finds.groupby("parcel_id")["find_id"].agg(list)
    return [
        Contradiction("conflict_dismissed", str(key), tuple(sorted([*dismissed[key], *found[key]])))
        for key in dismissed.index.intersection(found.index)
    ]


def _twice(visits: pd.DataFrame) -> list[Contradiction]:
    keys = {
        "subject": visits["parcel_id"].fillna(visits["village_id"]),
        "team": visits["team_id"],
        "day": visits["visited_at"].dt.tz_convert(CHINA).dt.date,
        "round": visits["round"],
        "ground": visits["ground"],
    }
    return _alike(pd.DataFrame(keys).assign(id=visits["visit_id"]), "conflict_visits")


def _found_twice(finds: pd.DataFrame) -> list[Contradiction]:
    keys = {
        "subject": finds["parcel_id"],
        "team": finds["team_id"],
        "day": finds["found_at"].dt.tz_convert(CHINA).dt.date,
    }
    return _alike(pd.DataFrame(keys).assign(id=finds["find_id"]), "conflict_finds")


def _alike(rows: pd.DataFrame, kind: str) -> list[Contradiction]:
    """Groups of more than one record with the same keys; records of no plot or village are left out."""
    named = rows[rows["subject"].notna()]
    groups = named.groupby([name for name in rows if name != "id"], dropna=False)["id"].agg(list)
    return [
        Contradiction(kind, str(key[0]), tuple(sorted(ids)))
        for key, ids in groups.items()
        if len(ids) > 1 and isinstance(key, tuple)
    ]
