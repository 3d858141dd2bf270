"""
踏查进度: every village of every round once, in one of seven states, and what each township makes of them.

A village has been looked at in a round when any report says somebody was there, whatever it found; it counts in the
best class of evidence it has (A a track, B a signed form with photos, C claimed). 踏查率 is what was looked at over
what is due: villages whose days have begun, or that were looked at before them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STATES = ("looked_a", "looked_b", "looked_c", "unreached", "overdue", "due", "not_due")
CLASSES = ("A", "B", "C")
UNREACHED = "无法到达"
_NEVER = np.iinfo(np.int64).max
_DAY_MS = 86_400_000
_CHINA_MS = 8 * 3_600_000


@dataclass(frozen=True)
class Progress:
    """
    Parameters
    ----------
    cells
        One row per village and round, villages in the order given: ids, ``round, state, evidence, first_at, late,
        overdue_days, due_from, due_to, reports_n, duplicates_n, contradictory, due_m2, looked_a_m2, looked_b_m2,
        looked_c_m2``; areas are what was reported, no more than what is due, the better class first.
    townships
        One row per township and round: villages, states, areas and rates.
    unplaced
        Reports that belong to no village and round: ``unknown_village``, ``no_round``; and ``later`` than the moment.
    """

    cells: pd.DataFrame
    townships: pd.DataFrame
    unplaced: dict[str, int]


def village_progress(
    villages: pd.DataFrame, due_from: Ints, due_to: Ints, visits: pd.DataFrame, as_of: datetime
) -> Progress:
    """
    Where every village stands in every round at a moment.

    Parameters
    ----------
    villages
        ``village_id, township_id, name, edge, key_area, due_m2``; each village once.
    due_from, due_to
        Milliseconds UTC, (villages, rounds): first moment due, first moment too late.
    visits
        ``village_id, round, team_id, visited_at, ground, outcome, evidence, area_m2``; a visit without a round belongs
        to the round in whose days it falls.
    """
    rounds = due_from.shape[1]
    moment = int(as_of.timestamp() * 1000)
    named = visits[visits["village_id"].notna()]
    moments = named["visited_at"].astype("datetime64[ms, UTC]").astype("int64")
    at: Ints = np.asarray(moments, dtype=np.int64)
    known = pd.Index(villages["village_id"])
    village: Ints = np.asarray(known.get_indexer(pd.Index(named["village_id"])), dtype=np.int64)
    round_ = _rounds_of(named["round"], village, at, due_from, due_to)
    later = at > moment
    placed = ~later & (village >= 0) & (round_ >= 0)
    unplaced = {
        "unknown_village": int((~later & (village < 0)).sum()),
        "no_round": int((~later & (village >= 0) & (round_ < 0)).sum()),
        "later": int(later.sum()),
    }
    reports = named[placed].assign(cell=village[placed] * rounds + round_[placed], at=at[placed])
    cells = _cells(villages, due_from.ravel(), due_to.ravel(), reports, moment, rounds)
    return Progress(cells, _townships(cells), unplaced)


def overdue_first(cells: pd.DataFrame) -> pd.DataFrame:
    """What has not been looked at, the overdue first; 重点 and edge villages before the others, then by days late."""
    open_ = cells[cells["state"].isin(["overdue", "unreached", "due"])]
    rank = open_["state"].map({"overdue": 0, "unreached": 1, "due": 2})
    order = open_.assign(rank=rank, top=~(open_["key_area"] | open_["edge"]))
    order = order.sort_values(
        ["rank", "top", "overdue_days", "due_to"], ascending=[True, True, False, True], kind="stable"
    )
    return order.drop(columns=["rank", "top"]).reset_index(drop=True)


def totals(table: pd.DataFrame) -> dict[str, Any]:
    """One row of sums over a townships table, with its rates."""
    names = [str(name) for name in table.columns if name.endswith(("_n", "_m2")) or name in STATES]
    sums: dict[str, Any] = {}
    for name in names:
        values = table[name].to_numpy(float)
        known = values[~np.isnan(values)]
        sums[name] = None if not len(known) else float(known.sum()) if name.endswith("_m2") else int(known.sum())
    return sums | {name: _plain(value) for name, value in _rates(sums).items()}


def _rounds_of(given: pd.Series, village: Ints, at: Ints, due_from: Ints, due_to: Ints) -> Ints:
    """Position of each visit's round: as given, else the one in whose days it falls; -1 where neither is any."""
    told = pd.to_numeric(given, errors="coerce").fillna(0).to_numpy(np.int64) - 1
    found = np.where(told < due_from.shape[1], told, -1)
    for number in range(due_from.shape[1]):
        known = np.maximum(village, 0)
        within = (village >= 0) & (at >= due_from[known, number]) & (at < due_to[known, number])
        found = np.where(given.isna().to_numpy() & (found < 0) & within, number, found)
    return np.where(found < 0, -1, found).astype(np.int64)


def _cells(
    villages: pd.DataFrame, due_from: Ints, due_to: Ints, reports: pd.DataFrame, moment: int, rounds: int
) -> pd.DataFrame:
    size = len(due_from)
    cell = reports["cell"].to_numpy(np.int64)
    there = (reports["outcome"] != UNREACHED).to_numpy()
    letter = pd.Index(CLASSES).get_indexer(pd.Index(reports["evidence"]))
    first = np.full(size, _NEVER)
    np.minimum.at(first, cell[there], reports["at"].to_numpy(np.int64)[there])
    best = np.full(size, len(CLASSES), np.int64)
    np.minimum.at(best, cell[there], letter[there])
    reported = np.bincount(cell, minlength=size)
    state = np.select(
        [best < len(CLASSES), reported > 0, due_to <= moment, due_from <= moment], [best, 3, 4, 5], default=6
    )
    twice, against = _repeated(reports, size)
    table: dict[str, Any] = {
        name: np.repeat(villages[name].to_numpy(), rounds) for name in ("village_id", "township_id", "name")
    }
    table |= {
        "round": np.tile(np.arange(1, rounds + 1), len(villages)),
        "state": np.array(STATES, dtype=object)[state],
        "evidence": np.array([*CLASSES, None], dtype=object)[best],
        "first_at": pd.to_datetime(np.where(first == _NEVER, np.iinfo(np.int64).min, first), unit="ms", utc=True),
        "late": (first < _NEVER) & (first >= due_to),
        "overdue_days": np.where(np.isin(state, (3, 4)), np.maximum(0, (moment - due_to) // _DAY_MS), 0),
        "due_from": pd.to_datetime(due_from, unit="ms", utc=True),
        "due_to": pd.to_datetime(due_to, unit="ms", utc=True),
        "reports_n": reported,
        "duplicates_n": twice,
        "contradictory": against,
        "due_m2": np.repeat(pd.to_numeric(villages["due_m2"], errors="coerce").to_numpy(float), rounds),
    }
    table |= {name: np.repeat(_flags(villages[name]), rounds) for name in ("edge", "key_area")}
    return pd.DataFrame(table | _areas(reports, cell, letter, there, table["due_m2"]))


def _flags(values: pd.Series) -> npt.NDArray[np.bool_]:
    return values.isin([True]).to_numpy(bool)  # missing is not true


def _same(reports: pd.DataFrame, names: list[str]) -> Ints:
    """A number per report, equal where cell, day in China and the named columns are."""
    day = (reports["at"].to_numpy(np.int64) + _CHINA_MS) // _DAY_MS
    number = reports["cell"].to_numpy(np.int64) * 1_000_003 + day
    for name in names:
        codes = pd.factorize(reports[name])[0].astype(np.int64) + 1
        number = np.unique(number, return_inverse=True)[1] * (codes.max(initial=0) + 1) + codes
    return np.asarray(number)


def _repeated(reports: pd.DataFrame, size: int) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Per cell the reports that say what another says, and whether two of one day and ground contradict each other."""
    cell = reports["cell"].to_numpy(np.int64)
    same = _same(reports, ["ground", "team_id", "outcome", "evidence", "area_m2"])
    twice = np.bincount(cell[_again(same)], minlength=size)
    place, told = _same(reports, ["ground"]), _same(reports, ["ground", "outcome"])
    distinct = ~_again(told)
    against = np.zeros(size, bool)
    against[cell[distinct][_again(place[distinct])]] = True
    return twice, against


def _again(numbers: Ints) -> npt.NDArray[np.bool_]:
    """True where a number occurred before."""
    again = np.ones(len(numbers), bool)
    again[np.unique(numbers, return_index=True)[1]] = False
    return again


def _areas(
    reports: pd.DataFrame, cell: Ints, letter: Ints, there: npt.NDArray[np.bool_], due: Floats
) -> dict[str, Floats]:
    """Square metres looked at per class, what is said twice once, never more than is due; NaN where that is unknown."""
    once = there & ~_again(_same(reports, ["ground", "team_id", "outcome", "evidence", "area_m2"]))
    area = np.nan_to_num(reports["area_m2"].to_numpy(float))
    left = due.copy()
    found = {}
    for number, name in enumerate(CLASSES):
        mine = once & (letter == number)
        said = np.bincount(cell[mine], weights=area[mine], minlength=len(due))
        found[f"looked_{name.lower()}_m2"] = np.minimum(said, left)
        left = left - found[f"looked_{name.lower()}_m2"]
    return found


def _townships(cells: pd.DataFrame) -> pd.DataFrame:
    keys = [cells["township_id"], cells["round"]]
    counts = pd.DataFrame({name: (cells["state"] == name).astype(int) for name in STATES})
    counts["villages_n"] = 1
    counts["late_n"] = cells["late"].astype(int)
    counts["duplicates_n"] = cells["duplicates_n"]
    counts["contradictory_n"] = cells["contradictory"].astype(int)
    begun = cells["state"] != "not_due"
    counts["due_n"] = begun.astype(int)
    counts["area_unknown_n"] = (begun & cells["due_m2"].isna()).astype(int)
    known = begun & cells["due_m2"].notna()
    for name in ("due_m2", "looked_a_m2", "looked_b_m2", "looked_c_m2"):
        counts[name] = cells[name].where(known)
    sums = counts.groupby(keys, sort=True, dropna=False).sum(min_count=1).reset_index()
    return sums.assign(**_rates(sums))


def _rates(sums: Any) -> dict[str, Any]:
    """Shares looked at, in villages and in area: class A alone, A and B, and all three; NaN where nothing is due."""
    rates: dict[str, Any] = {}
    for unit, suffix, due in (("villages", "", "due_n"), ("area", "_m2", "due_m2")):
        whole = np.asarray(sums[due], float)
        whole = np.where(whole > 0.0, whole, np.nan)
        looked = np.zeros_like(whole)
        for number, letter in enumerate("abc"):
            looked = looked + np.asarray(sums[f"looked_{letter}{suffix}"], float)
            rates[f"rate_{unit}_{'abc'[: number + 1]}"] = looked / whole
    return rates


def _plain(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
