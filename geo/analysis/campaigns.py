"""What a season's schedule is made of: segments and what hours find there, what is due, edges, and team-days."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.layers.segments import Purpose

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
POINTS_MOST = 96


@dataclass(frozen=True)
class Curve:
    """Expected finds by hours of searching, both rising from 0, concave; flat beyond the last point."""

    hours: Floats
    finds: Floats

    def at(self, hours: float) -> float:
        """Expected finds after so many hours."""
        return float(np.interp(hours, self.hours, self.finds))


@dataclass(frozen=True)
class Piece:
    """
    A segment.

    Parameters
    ----------
    curve
        What hours of searching in the best stage find there.
    host
        Position of its township.
    pace
        By round, how much of a best-stage hour one hour is worth, 0 to 1.
    first, last
        By round, first and last day of its window (days after 1 January, both included).
    away_h
        Hours from the township's office and back; infinite where nobody can walk there.
    ground_m2, seen
        Plantable ground, and the share of it already seen, for the days that go to neglected ground.
    """

    curve: Curve
    host: int
    pace: tuple[float, ...]
    first: tuple[int, ...]
    last: tuple[int, ...]
    away_h: float
    ground_m2: float = 1.0
    seen: float = 0.0


@dataclass(frozen=True)
class Due:
    """A flagged plot or a re-check in a segment, from `first` to `last` day."""

    due_id: str
    piece: int
    first: int
    last: int
    purpose: Purpose = Purpose.TARGET


@dataclass(frozen=True)
class Edge:
    """A shared edge to sweep together: positions of its townships (None: outside the county), days it takes, window."""

    border_id: str
    sides: tuple[int, int | None]
    days_n: int
    round: int
    first: int
    last: int


@dataclass(frozen=True)
class Campaign:
    """
    What there is to give out.

    Parameters
    ----------
    pieces, dues, edges
        Segments; what has a deadline; shared edges, the one to sweep first in front.
    teams_n
        Teams by township.
    workdays
        Days after 1 January on which teams are out, rising.
    helpers
        By township the others whose teams may come to help, with the hours their drive takes from the day.
    budget_h
        Hours a team may be away, the reserve kept back.
    weather_share, explore_share, joint_share
        Of the team-days: kept free, given to neglected ground, and given to joint sweeps at most.
    target_h
        Hours one due takes.
    """

    pieces: Sequence[Piece]
    dues: Sequence[Due]
    edges: Sequence[Edge]
    teams_n: Integers
    workdays: Integers
    helpers: Sequence[Sequence[tuple[int, float]]]
    budget_h: float
    weather_share: float = 0.15
    explore_share: float = 0.15
    joint_share: float = 0.1
    target_h: float = 0.75


@dataclass(frozen=True)
class TeamDay:
    """
    One team's day: whose team, where, in which round (from 0), which day, what for, and what it adds.

    `first` and `last` are the window it belongs to.
    """

    home: int
    piece: int | None
    round: int
    day: int
    purpose: Purpose
    hours: float
    finds: float
    first: int
    last: int
    due_ids: tuple[str, ...] = ()
    border_id: str | None = None


@dataclass(frozen=True)
class Schedule:
    """
    A season's proposal.

    Parameters
    ----------
    days
        Team-days by day.
    unmet
        Ids of dues and edges that could not be fitted in, each with its reason: ``past``, ``unreachable``, ``hours``.
    expected, even, bound
        Expected finds; those of the same team-days spread evenly over the segments, every township for itself; and
        what no schedule of these teams can exceed (no ways, no windows, every hour in the best stage).
    kept_free_n
        Team-days by township kept free for bad weather.
    """

    days: list[TeamDay]
    unmet: list[tuple[str, str]]
    expected: float
    even: float
    bound: float
    kept_free_n: Integers


def curve(mass: npt.ArrayLike, rates: npt.ArrayLike, *, points: int = POINTS_MOST) -> Curve:
    """
    The most that hours of searching find over cells: `mass` expected plots and `rates` hazard per hour of each cell.

    Σ p(1 - e^(-rt)) under Σt = T is best where p·r·e^(-rt) is the same in every cell searched (Charnes & Cooper 1958);
    at the level where the n-th best cell is opened, T = Σ ln(v_i/v_n)/r_i and found = Σ (p_i - v_n/r_i), v = p·r.
    Cells of one p·r are merged by this alone. At most `points` of the curve are kept.

    >>> two = curve([0.5, 0.2], [0.02, 0.02])
    >>> round(two.at(45.8145), 4)
    0.3
    """
    chance, rate = np.asarray(mass, float), np.asarray(rates, float)
    held = (chance > 0.0) & (rate > 0.0)
    chance, rate = chance[held], rate[held]
    if not len(chance):
        return Curve(np.zeros(2), np.zeros(2))
    value = chance * rate
    order = np.argsort(-value, kind="stable")
    chance, rate, value = chance[order], rate[order], value[order]
    logs, each, total = np.cumsum(np.log(value) / rate), np.cumsum(1.0 / rate), np.cumsum(chance)
    beyond = value[-1] * np.exp(-np.linspace(0.1, 8.0, 80))
    hours = np.r_[logs - np.log(value) * each, logs[-1] - np.log(beyond) * each[-1]]
    finds = np.r_[total - value * each, total[-1] - beyond * each[-1]]
    if len(hours) > points:
        wanted = np.linspace(0.0, 1.0, points) ** 2 * hours[-1]
        return Curve(wanted, np.interp(wanted, hours, finds))
    return Curve(hours, np.maximum(finds, 0.0))
