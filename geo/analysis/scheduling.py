"""
A season's team-days over segments and rounds: what is due first, then the days that find most, some days left over.

What more hours find in a segment is a concave curve (search theory's own allocation inside the segment), so team-days
are given out one by one to the segment, round and township where the next one finds most. A day can be used only if a
team of its township is still free within the round's window there; given days are moved aside to make room, so that
nothing is refused that could have been fitted in (a transversal matroid: greedy finds at least half of the best value;
Fisher, Nemhauser & Wolsey 1978). Plots sown later are not foreseen: a re-plan from the day then takes them in.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from geo.analysis.campaigns import Campaign, Schedule, TeamDay
from geo.analysis.diaries import Diary, earliest_deadline_first
from geo.analysis.routing import Cancelled
from geo.layers.segments import Purpose

Integers = npt.NDArray[np.int64]
GOLDEN = 0.6180339887498949
LEAST_H = 0.5
"""A day with less than half an hour of searching left is not worth its way."""
_TELL_EVERY = 100


def schedule(
    campaign: Campaign,
    rng: np.random.Generator,
    *,
    variety: float = 0.0,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Schedule:
    """
    The season's team-days.

    In this order: dues by deadline, joint sweeps, the days that find most, and neglected ground by lot.

    Parameters
    ----------
    variety
        A segment's worth is taken up or down by at most this share, so that growers cannot learn the schedule.
    """
    work = _Work(campaign, rng, variety)
    work.give_dues()
    work.give_edges()
    total = max(sum(int(diary.free.sum()) for diary in work.diaries), 1)
    for given in work.give_best():
        if given % _TELL_EVERY == 1:
            if progress is not None:
                progress(min(1.0, given / total))
            if cancelled is not None and cancelled():
                raise Cancelled
    work.give_neglected(rng)
    days = work.settled()
    return Schedule(
        days=days,
        unmet=work.unmet,
        expected=float(sum(one.finds for one in days)),
        even=even_spread(campaign, days),
        bound=bound(campaign),
        kept_free_n=work.kept_free_n,
    )


def bound(campaign: Campaign) -> float:
    """Finds of all team-hours without ways, windows or kept days, every hour in the best stage: never less."""
    hours = float(campaign.teams_n.sum()) * len(campaign.workdays) * campaign.budget_h
    steps = [np.diff(piece.curve.hours) for piece in campaign.pieces]
    gains = [np.diff(piece.curve.finds) for piece in campaign.pieces]
    if not steps:
        return 0.0
    step, gain = np.concatenate(steps), np.concatenate(gains)
    order = np.argsort(-np.divide(gain, step, out=np.zeros_like(gain), where=step > 0), kind="stable")
    left = hours - np.r_[0.0, np.cumsum(step[order])[:-1]]
    share = np.clip(np.divide(left, step[order], out=np.zeros_like(left), where=step[order] > 0), 0.0, 1.0)
    return float((gain[order] * share).sum())


def even_spread(campaign: Campaign, days: Sequence[TeamDay]) -> float:
    """Finds if each township's searching team-days were spread evenly over its segments and the season."""
    found = 0.0
    for host in range(len(campaign.teams_n)):
        mine = [piece for piece in campaign.pieces if piece.host == host and np.isfinite(piece.away_h)]
        count = sum(1 for one in days if one.home == host and one.piece is not None)
        if not mine:
            continue
        for piece in mine:
            hours = max(0.0, campaign.budget_h - piece.away_h) * count / len(mine)
            found += piece.curve.at(hours * float(np.mean(piece.pace)))
    return found


class _Work:
    """The state of giving out."""

    def __init__(self, campaign: Campaign, rng: np.random.Generator, variety: float) -> None:
        self.campaign = campaign
        self.given: list[list[TeamDay]] = [[] for _ in campaign.teams_n]
        self.unmet: list[tuple[str, str]] = []
        self.hours = np.zeros(len(campaign.pieces))
        self.touched: set[tuple[int, int]] = set()
        self.taste = 1.0 + variety * rng.uniform(-1.0, 1.0, len(campaign.pieces))
        slots = [self._slots(int(n), float(rng.random())) for n in campaign.teams_n]
        regular, self.spare, free = zip(*slots, strict=True)
        self.diaries = [Diary(capacity) for capacity in regular]
        self.kept_free_n = np.array([int(one.sum()) for one in free], np.int64)

    def _slots(self, teams: int, offset: float) -> tuple[Integers, Integers, Integers]:
        """By workday the teams that work, go to neglected ground, and are kept free; spread evenly over the season."""
        share = np.mod(np.arange(1, len(self.campaign.workdays) * teams + 1) * GOLDEN + offset, 1.0)
        share = share.reshape(len(self.campaign.workdays), teams)
        free = share < self.campaign.weather_share
        spare = ~free & (share < self.campaign.weather_share + self.campaign.explore_share)
        regular, neglected, kept = (np.asarray(one.sum(axis=1), np.int64) for one in (~free & ~spare, spare, free))
        return regular, neglected, kept

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Positions of the first and last workday from `first` to `last`."""
        low = int(np.searchsorted(self.campaign.workdays, first, side="left"))
        high = int(np.searchsorted(self.campaign.workdays, last, side="right")) - 1
        return low, high

    def searching_h(self, home: int, piece: int) -> float:
        """Hours left for searching when a team of `home` goes to a segment; below 0 where it cannot."""
        one = self.campaign.pieces[piece]
        if home == one.host:
            return self.campaign.budget_h - one.away_h
        drive = dict(self.campaign.helpers[one.host]).get(home, np.inf)
        return self.campaign.budget_h - one.away_h - drive

    def gain(self, piece: int, hours: float) -> float:
        """What more best-stage hours find in a segment."""
        one = self.campaign.pieces[piece].curve
        return one.at(self.hours[piece] + hours) - one.at(float(self.hours[piece]))

    def book(self, home: int, day: TeamDay, low: int, high: int) -> bool:
        """Keep a team-day, if a team of `home` can be free for it."""
        if not self.diaries[home].place(len(self.given[home]), low, high):
            return False
        self.given[home].append(day)
        return True

    def give_dues(self) -> None:
        """One team-day for as many dues of a segment as fit into it, the next deadline first."""
        waiting = sorted(self.campaign.dues, key=lambda due: (due.last, due.due_id))
        while waiting:
            due = waiting[0]
            piece = self.campaign.pieces[due.piece]
            left_h = self.searching_h(piece.host, due.piece)
            fits = int((left_h + 1e-9) / self.campaign.target_h) if np.isfinite(left_h) else 0
            low, high = self.span(due.first, due.last)
            if fits < 1 or low > high:
                reason = "past" if low > high else "unreachable" if not np.isfinite(piece.away_h) else "hours"
                self.unmet.append((due.due_id, reason))
                waiting.pop(0)
                continue
            same = [one for one in waiting if (one.piece, one.purpose) == (due.piece, due.purpose)]
            mine = [one for one in same if one.first <= due.last][:fits]
            low, _ = self.span(max(one.first for one in mine), due.last)
            spare_h = self.searching_h(piece.host, due.piece) - len(mine) * self.campaign.target_h
            number = self._round_of(due.piece, due.last)
            worth = spare_h * piece.pace[number]
            told = tuple(one.due_id for one in mine)
            day = TeamDay(
                piece.host,
                due.piece,
                number,
                low,
                due.purpose,
                spare_h,
                self.gain(due.piece, worth),
                due.first,
                due.last,
                told,
            )
            if self.book(piece.host, day, low, high):
                self.hours[due.piece] += worth
                waiting = [one for one in waiting if one not in mine]
            else:
                self.unmet.append((due.due_id, "hours"))
                waiting.pop(0)

    def _round_of(self, piece: int, day: int) -> int:
        """The round whose window in a segment holds the day, else the nearest one before it."""
        first = self.campaign.pieces[piece].first
        return max((k for k in range(len(first)) if first[k] <= day), default=0)

    def give_edges(self) -> None:
        """Joint sweeps: both sides' teams on the same days, as long as their share lasts."""
        left = [int(self.campaign.joint_share * diary.free.sum()) for diary in self.diaries]
        for edge in self.campaign.edges:
            homes = [side for side in edge.sides if side is not None]
            low, high = self.span(edge.first, edge.last)
            free = np.array([self.diaries[home].free[low : high + 1] for home in homes]).min(axis=0, initial=10**6)
            common = low + np.flatnonzero(free > 0)[: edge.days_n] if low <= high else np.zeros(0, int)
            if len(common) < edge.days_n or min(left[home] for home in homes) < edge.days_n:
                self.unmet.append((edge.border_id, "past" if low > high else "hours"))
                continue
            for home in homes:
                left[home] -= edge.days_n
                for day in common.tolist():
                    told = TeamDay(
                        home, None, edge.round, day, Purpose.JOINT, self.campaign.budget_h, 0.0, edge.first,
                        edge.last, border_id=edge.border_id,
                    )  # fmt: skip
                    self.book(home, told, day, day)

    def give_best(self) -> Iterator[int]:
        """Team-days one by one where the next one finds most; yields how many were given."""
        heap: list[tuple[float, int, int, int]] = []
        for number, piece in enumerate(self.campaign.pieces):
            homes = [piece.host, *(home for home, _ in self.campaign.helpers[piece.host])]
            for home in homes:
                if self.searching_h(home, number) >= LEAST_H:
                    heap += [(-self._worth(home, number, k), home, number, k) for k in range(len(piece.pace))]
        heapq.heapify(heap)
        given = 0
        while heap:
            _, home, number, k = heapq.heappop(heap)
            worth = self._worth(home, number, k)
            if worth <= 0.0:
                continue
            if heap and worth < -heap[0][0]:
                heapq.heappush(heap, (-worth, home, number, k))
                continue
            piece = self.campaign.pieces[number]
            hours = self.searching_h(home, number)
            low, high = self.span(piece.first[k], piece.last[k])
            found = self.gain(number, hours * piece.pace[k])
            window = piece.first[k], piece.last[k]
            if self.book(home, TeamDay(home, number, k, low, Purpose.SWEEP, hours, found, *window), low, high):
                self.hours[number] += hours * piece.pace[k]
                self.touched.add((number, k))
                heapq.heappush(heap, (-self._worth(home, number, k), home, number, k))
                given += 1
                yield given

    def _worth(self, home: int, number: int, k: int) -> float:
        hours = self.searching_h(home, number) * self.campaign.pieces[number].pace[k]
        return self.gain(number, hours) * float(self.taste[number])

    def give_neglected(self, rng: np.random.Generator) -> None:
        """The days kept for it go to segments nobody is sent to in the round, by lot over ground not yet seen."""
        for home in range(len(self.diaries)):
            mine = [
                n for n, one in enumerate(self.campaign.pieces)
                if one.host == home and self.searching_h(home, n) >= LEAST_H
            ]  # fmt: skip
            for position in np.repeat(np.arange(len(self.spare[home])), self.spare[home]).tolist():
                day = int(self.campaign.workdays[position])
                open_ = [(n, k) for n in mine if (k := self._open_round(n, day)) is not None]
                fresh = [pair for pair in open_ if pair not in self.touched] or open_
                if not fresh:
                    continue
                pieces = [self.campaign.pieces[n] for n, _ in fresh]
                weight = np.array([max(one.ground_m2, 1.0) * (1.0 - one.seen) + 1e-9 for one in pieces])
                number, k = fresh[int(rng.choice(len(fresh), p=weight / weight.sum()))]
                hours = self.searching_h(home, number)
                worth = hours * self.campaign.pieces[number].pace[k]
                found = self.gain(number, worth)
                self.hours[number] += worth
                self.touched.add((number, k))
                self.diaries[home].free[position] += 1
                window = self.campaign.pieces[number].first[k], self.campaign.pieces[number].last[k]
                told = TeamDay(home, number, k, position, Purpose.EXPLORE, hours, found, *window)
                self.diaries[home].tight[position] = False
                self.book(home, told, position, position)

    def _open_round(self, number: int, day: int) -> int | None:
        piece = self.campaign.pieces[number]
        return next((k for k in range(len(piece.first)) if piece.first[k] <= day <= piece.last[k]), None)

    def settled(self) -> list[TeamDay]:
        """Every team-day on its day: within its window, the window that closes first before others, richest first."""
        rank = np.argsort(np.argsort([-piece.curve.finds[-1] for piece in self.campaign.pieces], kind="stable"))
        days = []
        for home, diary in enumerate(self.diaries):
            capacity = diary.free + np.array([len(jobs) for jobs in diary.jobs], np.int64)
            for position, job in earliest_deadline_first(diary.window, capacity, self._keys(home, rank)):
                told = self.given[home][job]
                days.append(TeamDay(**{**told.__dict__, "day": int(self.campaign.workdays[position])}))
        return sorted(days, key=lambda one: (one.day, one.home))

    def _keys(self, home: int, rank: Integers) -> list[tuple[int, int]]:
        return [(n, -1 if day.piece is None else int(rank[day.piece])) for n, day in enumerate(self.given[home])]
