"""The days of a township's teams: jobs within their windows, moved aside to make room, and put into an order."""

import heapq
from collections import deque

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


class Diary:
    """The days of one township's teams: jobs with windows, moved aside where that makes room."""

    def __init__(self, free: Integers) -> None:
        self.free = free.copy()
        self.jobs: list[list[int]] = [[] for _ in free]
        self.window: dict[int, tuple[int, int]] = {}
        self.tight = np.zeros(len(free), bool)

    def place(self, job: int, low: int, high: int) -> bool:
        """Whether the job found a day in the positions `low` to `high`, others moved within theirs if need be."""
        if low > high or bool(self.tight[low : high + 1].all()):
            return False
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(range(low, high + 1))
        queue = deque(range(low, high + 1))
        while queue:
            day = queue.popleft()
            if self.free[day] > 0:
                self._move(came, day, job)
                self.window[job] = (low, high)
                return True
            for held in self.jobs[day]:
                for other in range(self.window[held][0], self.window[held][1] + 1):
                    if other not in came:
                        came[other] = (day, held)
                        queue.append(other)
        self.tight[list(came)] = True
        return False

    def _move(self, came: dict[int, tuple[int, int] | None], day: int, job: int) -> None:
        """Take a place on a free day, moving jobs along the way that led there; the new job's day is the first."""
        self.free[day] -= 1
        step = came[day]
        while step is not None:
            before, held = step
            self.jobs[before].remove(held)
            self.jobs[day].append(held)
            day, step = before, came[before]
        self.jobs[day].append(job)


def earliest_deadline_first(
    window: dict[int, tuple[int, int]], capacity: Integers, keys: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """(position of day, job): the open job whose window closes first; where any order fits, this one does."""
    waiting = sorted(window, key=lambda job: window[job][0])
    ready: list[tuple[int, int, int]] = []
    placed = []
    for position, room in enumerate(capacity.tolist()):
        while waiting and window[waiting[0]][0] <= position:
            job = waiting.pop(0)
            heapq.heappush(ready, (window[job][1], keys[job][1], job))
        placed += [(position, heapq.heappop(ready)[2]) for _ in range(min(room, len(ready)))]
    return placed
