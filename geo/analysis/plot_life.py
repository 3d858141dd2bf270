"""
The life of a plot: one table of moves, what closing needs, how long each hand took, and when to look again.

A plot's finds, visits and steps are rows: a mapping each from column to plain value, None where missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from scipy.special import stdtrit

from geo.errors import StoreError
from geo.layers.finds import METHODS
from geo.layers.parcels import Status
from geo.layers.steps import Act
from geo.layers.visits import DISMISSED, UNREACHED, Evidence
from geo.season import CHINA, Season, Stage
from geo.settings import PlotSettings
from geo.words import Word

Rows = Sequence[Mapping[str, Any]]

EVERY = frozenset(Status)
WAITING = frozenset({Status.FLAGGED, Status.ASSIGNED})
UNDECIDED = WAITING | {Status.VISITED, Status.GUARDED, Status.HANDED_OVER}
CHECKABLE = frozenset({Status.ERADICATED, Status.DISMISSED, Status.RECHECKED})

LARGEST_M2, DENSEST_PER_M2 = 1e8, 1e4
"""A plot larger or a stand denser than any that grows is a slip of the keyboard."""

MOVES: Mapping[Act, tuple[frozenset[Status], Status]] = {
    Act.ASSIGN: (WAITING, Status.ASSIGNED),
    Act.VISIT: (WAITING | {Status.VISITED}, Status.VISITED),
    Act.GUARD: (WAITING | {Status.VISITED}, Status.GUARDED),
    Act.HAND_OVER: (frozenset({Status.GUARDED, Status.VISITED, Status.CONFIRMED}), Status.HANDED_OVER),
    Act.CONFIRM: (EVERY, Status.CONFIRMED),
    Act.DISMISS: (UNDECIDED | {Status.DISMISSED}, Status.DISMISSED),
    Act.ERADICATE: (frozenset({Status.CONFIRMED, Status.HANDED_OVER, Status.ERADICATED}), Status.ERADICATED),
    Act.RECHECK: (CHECKABLE, Status.RECHECKED),
    Act.REGROW: (CHECKABLE | {Status.CLOSED}, Status.CONFIRMED),
    Act.CLOSE: (frozenset({Status.RECHECKED}), Status.CLOSED),
}


@dataclass(frozen=True)
class Due:
    """A look that is due: its day, why, and the moment it was taken (None: not yet)."""

    day: date
    why: str
    met_at: datetime | None


@dataclass(frozen=True)
class PlantCount:
    """Plants of a plot: the number, and the interval it lies in (the number itself where they were counted)."""

    plants_n: int
    low_n: int
    high_n: int


def moved(parcel_id: str, status: str, act: Act) -> Status:
    """
    The state after an act.

    Raises
    ------
    StoreError
        The table of moves does not allow it; the sentence names the states it can be done in.
    """
    origins, after = MOVES[act]
    if status not in origins:
        known = [Word(f"ui_status_{origin}") for origin in Status if origin in origins]
        raise StoreError(
            "parcel_move", parcel=parcel_id, status=Word(f"ui_status_{status}"), act=Word(f"act_{act}"), known=known
        )
    return after


def status_told(
    parcel_id: str, status: str, visits: Rows, finds: Rows, steps: Rows, *, newly_found: bool
) -> tuple[Status, str | None]:
    """
    The state and reason that all a plot's visits and finds lead to, in whatever order they became known.

    Plants outweigh a dismissal, and of several dismissals the latest gives the reason; one before the last step, an
    assignment aside, changes nothing: whoever took that step knew better. Without a new find, or new word of one
    (`newly_found`), a plot that is past its visits stays as it is.
    """
    now = Status(status)
    if len(finds):
        if not newly_found:
            return now, None
        confirmed = moved(parcel_id, now, Act.CONFIRM)
        if not all(find["fraction"] == 1.0 for find in finds):
            return confirmed, None
        gone = moved(parcel_id, confirmed, Act.ERADICATE)
        verified = all(find["verified_at"] is not None for find in finds)
        return (moved(parcel_id, gone, Act.RECHECK) if verified else gone), None
    acted = max((step["at"] for step in steps if step["act"] != Act.ASSIGN), default=None)
    dismissed = [visit for visit in visits if visit["outcome"] == DISMISSED]
    dismissed = [visit for visit in dismissed if acted is None or visit["visited_at"] > acted]
    if dismissed and now in MOVES[Act.DISMISS][0]:
        latest = max(dismissed, key=lambda visit: (visit["visited_at"], visit["visit_id"]))
        return Status.DISMISSED, str(latest["reason"])
    reached = any(visit["outcome"] != UNREACHED for visit in visits)
    return (Status.VISITED if now in WAITING and reached else now), None


def status_at(finds: Rows, visits: Rows, steps: Rows, moment: datetime) -> Status:
    """
    The state that what had happened to a flagged plot by a moment leads to, act by act in order of time.

    Acts become known in another order than they happened: one that the table of moves does not allow changes nothing.
    """
    acts = [(step["at"], Act(step["act"])) for step in steps]
    reached = [visit for visit in visits if visit["outcome"] != UNREACHED]
    acts += [(visit["visited_at"], Act.DISMISS if visit["outcome"] == DISMISSED else Act.VISIT) for visit in reached]
    for find in finds:
        acts += [(find["found_at"], Act.CONFIRM), (find["destroyed_at"], Act.ERADICATE)]
        acts.append((find["verified_at"], Act.RECHECK))
    status = Status.FLAGGED
    for at, act in sorted((one for one in acts if one[0] is not None and one[0] <= moment), key=lambda one: one[0]):
        known = [find for find in finds if find["found_at"] <= at]
        standing = any(find["fraction"] < 1.0 or not _by(find["destroyed_at"], at) for find in known)
        if status in MOVES[act][0] and not (standing and act in (Act.ERADICATE, Act.RECHECK)):
            status = MOVES[act][1]
    return status


def find_at(find: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
    """A find as it was at a moment: what was destroyed or verified later still stood, or was not looked at yet."""
    then = dict(find)
    if find["destroyed_at"] is not None and find["destroyed_at"] > moment:
        then |= {"fraction": 0.0, "method": METHODS[0], "destroyed_at": None}
    if find["verified_at"] is not None and find["verified_at"] > moment:
        then["verified_at"] = None
    return then


def _by(happened: datetime | None, moment: datetime) -> bool:
    """Whether it had happened by a moment; what has no time on record had not, as far as anybody knows."""
    return happened is not None and happened <= moment


def closing_faults(finds: Rows, visits: Rows, steps: Rows, *, photographed: Callable[[], bool]) -> list[str]:
    """
    Why a plot cannot be closed, as codes of ``geo.words``; empty where it can.

    Everything found is destroyed; something shows it (a track, a signed form, a photo that was taken in:
    `photographed`, asked where nothing else does); and somebody looked again after the last of it, and found nothing
    left.
    """
    faults = []
    if any(find["fraction"] < 1.0 or find["method"] == METHODS[0] for find in finds):
        faults.append("close_standing")
    shown = (
        any(visit["evidence"] in (Evidence.A, Evidence.B) for visit in visits)
        or any(row["track_id"] is not None for row in (*finds, *steps))
        or photographed()
    )
    if not shown:
        faults.append("close_unshown")
    if not _checked_since(finds, visits, steps):
        faults.append("close_unchecked")
    return faults


def _moments(rows: Rows, name: str, column: str = "", *among: str) -> list[datetime]:
    """The known moments of the rows, of those alone whose `column` is one of `among` where it is given."""
    return [row[name] for row in rows if row[name] is not None and (not column or row[column] in among)]


def _checked_since(finds: Rows, visits: Rows, steps: Rows) -> bool:
    """Whether the last look came after the last thing done, and found nothing left."""
    done = [
        *_moments(finds, "found_at"),
        *_moments(finds, "destroyed_at"),
        *_moments(visits, "visited_at", "outcome", DISMISSED),
        *_moments(steps, "at", "act", Act.DISMISS),
    ]
    looks = [clean for clean in _moments(steps, "at", "act", Act.RECHECK) if not done or clean > max(done)]
    verified = [(find["verified_at"], find["destroyed_at"]) for find in finds]
    if verified and all(seen and gone and seen > gone for seen, gone in verified):
        looks.append(max(seen for seen, _ in verified))
    regrown = _moments(steps, "at", "act", Act.REGROW)
    return bool(looks) and (not regrown or max(looks) > max(regrown))


def rechecks_due(finds: Rows, looks: Sequence[datetime], season: Season, settings: PlotSettings) -> list[Due]:
    """
    When somebody has to look again at a plot, in order of days.

    After each destruction on the days its growth stage asks for, and once more when the next season's plants flower
    at 1,000 m. A look meets every day of its own find that lies at most `early_days` after it.
    """
    destroyed = [(find["stage"], find["destroyed_at"]) for find in finds if find["destroyed_at"] is not None]
    dues = []
    for stage, moment in destroyed:
        day = moment.astimezone(CHINA).date()
        later = [day + timedelta(days=int(days)) for days in settings.recheck_days.get(stage, ())]
        dues += [_due(one, "due_recheck", looks, moment, settings) for one in later]
    if destroyed:
        flower = date(season.year + 1, *season.stage_starts[Stage.FLOWER])
        dues.append(_due(flower, "due_revisit", looks, max(moment for _, moment in destroyed), settings))
    return sorted(dues, key=lambda due: (due.day, due.why))


def _due(day: date, why: str, looks: Sequence[datetime], since: datetime, settings: PlotSettings) -> Due:
    earliest = day - timedelta(days=settings.early_days)
    met = [look for look in looks if look > since and look.astimezone(CHINA).date() >= earliest]
    return Due(day, why, min(met, default=None))


def hours_between(finds: Rows, steps: Rows) -> dict[str, float | None]:
    """
    Hours from found to police, from police to destroyed, and from found to destroyed; None where one is unknown.

    Found is the first of finds and guarded scenes; destroyed the last of the plot's finds, once all of them are.
    An unknown hour is not a slow one: it is shown as unknown and counted nowhere.
    """
    found = min([*_moments(finds, "found_at"), *_moments(steps, "at", "act", Act.GUARD)], default=None)
    police = min(_moments(steps, "at", "act", Act.HAND_OVER), default=None)
    gone = _moments(finds, "destroyed_at")
    whole = len(gone) == len(finds) > 0 and all(find["fraction"] == 1.0 for find in finds)
    destroyed = max(gone) if whole else None
    return {
        "found_to_police_h": _hours(found, police),
        "police_to_destroyed_h": _hours(police, destroyed),
        "found_to_destroyed_h": _hours(found, destroyed),
    }


def _hours(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start) / timedelta(hours=1), 3)


def sampled_count(counts: Sequence[int], quadrat_m2: float, area_m2: float, confidence: float) -> PlantCount:
    """
    Plants of a plot from counts in sample squares: mean per m² × area, with Student's interval of that mean.

    Parameters
    ----------
    counts
        Plants in each square, at least two.
    quadrat_m2, area_m2
        Size of one square and of the plot, m².
    confidence
        Chance that such an interval holds the true number, where squares were laid at random.
    """
    inside = quadrat_m2 > 0.0 and quadrat_m2 * len(counts) <= area_m2 <= LARGEST_M2
    if len(counts) < 2 or not inside or min(counts) < 0 or max(counts) > DENSEST_PER_M2 * quadrat_m2:
        raise ValueError("at least two squares, inside the plot, with counts of 0 or more")
    each = np.asarray(counts, float)
    scale = area_m2 / quadrat_m2
    error = float(stdtrit(len(each) - 1, 0.5 + confidence / 2.0) * each.std(ddof=1) / np.sqrt(len(each)))
    mean, seen = float(each.mean()), int(each.sum())
    low = max(seen, int(np.floor((mean - error) * scale)))
    return PlantCount(max(seen, round(mean * scale)), low, max(seen, int(np.ceil((mean + error) * scale))))


def thresholds_in_force(dated: Mapping[str, tuple[float, ...]], day: date) -> tuple[float, ...]:
    """
    The numbers of the latest date that is not after `day`; none before the first.

    >>> thresholds_in_force({"2020-01-01": (1.0,), "2026-01-01": (2.0,)}, date(2025, 12, 31))
    (1.0,)
    """
    known = [text for text in sorted(dated) if date.fromisoformat(text) <= day]
    return tuple(dated[known[-1]]) if known else ()


def straddled(count: PlantCount, thresholds: Sequence[float]) -> list[float]:
    """
    The thresholds that a count's interval does not decide: count every plant before one of them matters.

    >>> straddled(PlantCount(520, 480, 560), (500.0, 3000.0))
    [500.0]
    """
    return [limit for limit in thresholds if count.low_n < limit <= count.high_n]
