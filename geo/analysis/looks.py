"""
The season's looks, summed over the grid once: what a plot that stands since each period has escaped so far.

A plot stays where it was planted, so looks at the same ground again and again find less new than looks elsewhere.
Sums of risk over cells of Π(1 - POD) say that exactly; the product of the periods' means would flatter a team that
walks one path all season. Histograms of the hazard serve every later question: the grid is never read again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.polynomial.chebyshev as cheb
import numpy.typing as npt

from geo.analysis import _kernels_zonal as kernels
from geo.analysis.allocation import Unseen, unseen
from geo.analysis.detection import HAZARD_UNITS
from geo.analysis.resets import current_period
from geo.analysis.standing import Case
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import Settings

PATTERNS = 65536  # levels of hazard to the power of the periods: what fits two bytes per cell
NATS = (0.1, 10.0)  # hazards between which the edges of the levels lie, evenly in their logarithm
NODES = 24  # Chebyshev nodes over ln(W factor)²

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sensed = Callable[[int], npt.NDArray[np.float32] | None]
"""Per period Π(1 - p) over its flights and passes, cell by cell (rows, cols); None where none saw anything."""

_NONE = np.zeros((0, 0), np.float32)


@dataclass(frozen=True)
class Looks:
    """
    What the season's looks amount to: those of feet and lookouts by their hazard, and second sensors beside them.

    Parameters
    ----------
    missed
        (zones, periods) ΣRR·Π(1 - POD_t)/ΣRR over the periods t from each one to the current; NaN without plantable
        cells, 1 after the current period.
    alone
        (zones, periods) Se_t = ΣRR·POD_t/ΣRR of each period's looks by themselves; NaN likewise.
    totals
        (zones,) ΣRR.
    patterns
        Per zone, for each distinct sequence of hazard levels, the ΣRR that second sensors have missed since each period
        (k, periods), and the levels (k, periods) uint8, 0 unseen.
    nats
        (zones, periods, levels) hazard of each level: what gives its mean share seen.
    unseen
        What the current period has left to see, in units of the chance of a standing plot; None before the season.
    current
        The period of the date asked for, -1 before the season.
    fine_missed, fine_totals
        `missed` and `totals` for the parts zones are made of (villages): (parts, periods) and (parts,).
    """

    missed: Floats
    alone: Floats
    totals: Floats
    patterns: list[tuple[Floats, npt.NDArray[np.uint8]]]
    nats: Floats
    unseen: Unseen | None
    current: int
    fine_missed: Floats
    fine_totals: Floats

    @property
    def detection(self) -> Floats:
        """(zones,) the season's ΣRR·POD/ΣRR, POD = 1 - Π(1 - POD_t) in each cell."""
        return np.asarray(1.0 - self.missed[:, 0])


def levels_of(periods: int) -> Floats:
    """
    Hazards in nats at which a level begins, as many as two bytes hold for a season of `periods`.

    >>> len(levels_of(5)), len(levels_of(7))
    (7, 2)
    """
    n = int(PATTERNS ** (1.0 / periods) + 1e-9)
    return np.geomspace(*NATS, n)[1:-1]


def sum_looks(
    hazards: Iterable[tuple[int, Grid]],
    *,
    zones: Grid,
    parents: Ints,
    zones_n: int,
    carried: Floats,
    risk: Grid,
    terrain: Terrain,
    season: Season,
    settings: Settings,
    as_of: datetime,
    sensed: Sensed | None = None,
) -> Looks:
    """
    `Looks` from one hazard grid per period (int32, 1/65536 nat), **the last period first**, one in memory at a time.

    Periods after the one of `as_of` are passed over; a period that does not come had no looks.

    Parameters
    ----------
    zones, parents
        1-based part of each cell (int16 or int32), and the 0-based zone each part belongs to, (parts,).
    carried
        (zones, periods) chance that a plot stands since each period and has escaped everything but looks at the ground.
    sensed
        What the second sensors of each period have missed, see `Sensed`; None: there were none.
    """
    zones.require_same_frame(risk)
    zones.require_same_frame(terrain.cover)
    if int(zones.values.max(initial=0)) > len(parents):
        raise ValueError(f"zones number up to {zones.values.max()}, only {len(parents)} are named")
    periods, current, shape = len(season.months), current_period(season, as_of), zones.frame.shape
    fine_totals, edges = np.zeros(len(parents)), levels_of(periods)
    kernels.sum_weights(zones.values, risk.values, fine_totals)
    totals = np.asarray(np.bincount(parents, fine_totals, minlength=zones_n), float)
    whole = np.where(totals > 0.0, totals, np.nan)
    weights = np.divide(carried, whole[:, None], out=np.zeros_like(carried), where=totals[:, None] > 0.0)
    now, rest, mass = (np.full(shape, value, np.float32) for value in (0.0, 1.0, 0.0))
    pattern = np.zeros(shape, np.uint16)

    def past(period: int) -> npt.NDArray[np.float32]:
        held = None if sensed is None else sensed(period)
        return _NONE if held is None else held

    alone, missed = np.zeros((periods, len(parents))), np.zeros((periods, len(parents)))
    missed[:] = fine_totals
    bins = np.zeros((periods, zones_n, len(edges) + 2, 2))
    for period, hazard in _downwards(hazards, current, zones):
        missed[period] = 0.0
        last = float(period == current)
        place = float((len(edges) + 2) ** period)
        scale = np.array([settings.detection.availability, float(HAZARD_UNITS), place, last])
        grids = (hazard, zones.values, parents, risk.values, np.ascontiguousarray(weights[:, period]), scale, edges)
        kernels.look(*grids, past(period), now, rest, mass, pattern, alone[period], missed[period], bins[period])
    del rest
    ground = (pattern, zones.values, parents, risk.values)
    table = _pattern_weights(ground, past, zones_n=zones_n, shape=((len(edges) + 2) ** periods, periods), last=current)
    left = None
    if current >= 0:
        left = unseen(
            mass, now, zones=zones, parents=parents, zones_n=zones_n, terrain=terrain, season=season,
            day=season.day_of(as_of), settings=settings.detection,
        )  # fmt: skip
    return Looks(
        missed=_by_parent(missed, parents, zones_n) / whole[:, None],
        alone=_by_parent(alone, parents, zones_n) / whole[:, None],
        totals=totals,
        patterns=[_sequences(row, len(edges) + 2, periods) for row in table],
        nats=_level_nats(bins).transpose(1, 0, 2),
        unseen=left,
        current=current,
        fine_missed=missed.T / np.where(fine_totals > 0.0, fine_totals, np.nan)[:, None],
        fine_totals=fine_totals,
    )


def _downwards(
    hazards: Iterable[tuple[int, Grid]], current: int, zones: Grid
) -> Iterable[tuple[int, npt.NDArray[np.int32]]]:
    """Every period from the current one down to the first with its hazard, zero where none came."""
    due, none = current, np.zeros(zones.frame.shape, np.int32)
    for period, hazard in hazards:
        if period > current or period < 0:
            continue
        if period > due:
            raise ValueError(f"hazards must come last period first: {period} after {due + 1}")
        hazard.require_same_frame(zones)
        for empty in range(due, period, -1):
            yield empty, none
        yield period, hazard.values
        due = period - 1
    for empty in range(due, -1, -1):
        yield empty, none


def _pattern_weights(
    ground: tuple[Any, Any, Any, Any],
    past: Callable[[int], npt.NDArray[np.float32]],
    *,
    zones_n: int,
    shape: tuple[int, int],
    last: int,
) -> Floats:
    """
    ΣRR of each zone and pattern that sensors have missed since each period, (zones, patterns, 1 or periods).

    One column stands for all periods while there are no sensors.
    """
    patterns_n, periods = shape
    one = np.zeros((zones_n, patterns_n))
    kernels.count_patterns(*ground, _NONE, one)
    columns, missed = [one] * periods, _NONE
    for period in range(last, -1, -1):
        now = past(period)
        if now.size:
            missed = now * missed if missed.size else now.copy()
            columns[period] = np.zeros((zones_n, patterns_n))
            kernels.count_patterns(*ground, missed, columns[period])
        elif missed.size:
            columns[period] = columns[period + 1]
    return np.stack(columns if missed.size else columns[:1], axis=2)


def _by_parent(sums: Floats, parents: Ints, zones_n: int) -> Floats:
    """(periods, parts) → (zones, periods)."""
    return np.array([np.bincount(parents, row, minlength=zones_n) for row in sums]).reshape(len(sums), zones_n).T


def _level_nats(bins: Floats) -> Floats:
    """-ln(1 - mean share seen) of each level; 0 where none is held."""
    weight = bins[..., 0]
    share = np.divide(bins[..., 1], weight, out=np.zeros_like(weight), where=weight > 0.0)
    return np.asarray(-np.log1p(-np.minimum(share, 1.0 - 1e-15)))


def _sequences(table: Floats, levels: int, periods: int) -> tuple[Floats, npt.NDArray[np.uint8]]:
    held = np.flatnonzero(table.any(axis=1))
    digits = held[:, None] // levels ** np.arange(periods)[None, :] % levels
    return np.ascontiguousarray(np.broadcast_to(table[held], (len(held), periods))), digits.astype(np.uint8)


def missed_under(looks: Looks, zone: int, *, factor: Floats, availability: Floats) -> Floats:
    """
    `missed` of one zone for other sweep widths and availabilities, shape (periods up to the current, draws).

    Exact at the settings' own values; elsewhere the patterns of hazard levels answer, interpolated between nodes by
    polynomials in ln(factor) and (exactly) in the availability.

    Parameters
    ----------
    factor, availability
        (draws,) each; hazards are multiplied by `factor`, (W/W0)².
    """
    weights, levels = looks.patterns[zone]
    current = looks.current
    logs = np.log(factor)
    ranges = [(logs.min() - 0.01, logs.max() + 0.01), (availability.min() - 0.01, availability.max() + 0.01)]
    counts = (NODES, current + 2)
    nodes = [_nodes(low, high, n) for (low, high), n in zip(ranges, counts, strict=True)]
    seen = -np.expm1(-looks.nats[zone, : current + 1, :, None] * np.exp(nodes[0]))
    sums = np.zeros((current + 1, *counts))
    kernels.escaped(weights, np.ascontiguousarray(levels[:, : current + 1]), seen, nodes[1], sums)
    bases = [cheb.chebvander(_unit(at, *span), n - 1) for at, span, n in zip(nodes, ranges, counts, strict=True)]
    inverse = [np.linalg.inv(base) for base in bases]
    terms = np.einsum("ij,pjk,lk->pil", inverse[0], sums, inverse[1]) / max(looks.totals[zone], 1e-300)
    wide = cheb.chebvander(_unit(logs, *ranges[0]), counts[0] - 1)
    high = cheb.chebvander(_unit(availability, *ranges[1]), counts[1] - 1)
    return np.asarray(np.clip(np.einsum("di,pil,dl->pd", wide, terms, high, optimize=True), 0.0, 1.0))


def drawn_ground(looks: Looks, zone: int, case: Case, *, factor: Floats, availability: Floats) -> Floats:
    """
    What has escaped in open ground, (periods of the case, draws), for other widths and availabilities.

    Levels of hazard are coarse: their answer is scaled so that the settings' own values give the exact sum.
    """
    if not len(case.ground) or looks.totals[zone] <= 0.0:
        return np.repeat(case.ground[:, None], len(factor), axis=1)
    own = np.append(factor, 1.0), np.append(availability, case.availability)
    drawn = missed_under(looks, zone, factor=own[0], availability=own[1])[-len(case.ground) :]
    exact = case.ground[:, None] / np.maximum(drawn[:, -1:], 1e-300)
    return np.clip(drawn[:, :-1] * exact, 0.0, 1.0)


def _nodes(low: float, high: float, n: int) -> Floats:
    return np.asarray(0.5 * (low + high) + 0.5 * (high - low) * np.cos(np.pi * (np.arange(n) + 0.5) / n))


def _unit(at: Floats, low: float, high: float) -> Floats:
    return np.asarray((2.0 * at - low - high) / (high - low))
