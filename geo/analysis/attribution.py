"""Who saw what: the hazard of the ground taken apart into its tracks, unit for unit, and what each was worth."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis import coverage
from geo.analysis.detection import HAZARD_UNITS, pod
from geo.analysis.pieces import Pieces
from geo.analysis.visibility import half_width, viewsheds
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEP_M = 1.0


@dataclass(frozen=True)
class Area:
    """
    Chosen cells of a raster, each once.

    Parameters
    ----------
    cells
        Flat index (row · cols + col) into `frame`, ascending, shape (n,).
    weights
        What each cell counts, such as its relative risk; 0 where nothing can be planted, shape (n,).
    """

    cells: Ints
    weights: Floats
    frame: Frame

    def window(self) -> Frame:
        """The smallest window that holds every cell."""
        if not len(self.cells):
            return self.frame.window(0, 0, 0, 0)
        row, col = np.divmod(self.cells, self.frame.cols)
        top, left = int(row.min()), int(col.min())
        return self.frame.window(top, left, int(row.max()) - top + 1, int(col.max()) - left + 1)

    def within(self, window: Frame) -> tuple[Ints, Ints, Ints]:
        """Positions of the cells inside a window of the frame, and their rows and columns there."""
        row, col = np.divmod(self.cells, self.frame.cols)
        row = row - round((self.frame.north_m - window.north_m) / self.frame.cell_m)
        col = col - round((window.west_m - self.frame.west_m) / self.frame.cell_m)
        held = np.flatnonzero((row >= 0) & (row < window.rows) & (col >= 0) & (col < window.cols))
        return held, row[held], col[held]


@dataclass(frozen=True)
class Part:
    """What one source (a track, by its position) added in one period: units of 1/65536 nat at positions of an area."""

    source: int
    period: int
    at: Ints
    units: npt.NDArray[np.int32]


@dataclass(frozen=True)
class Glance:
    """What one flight or pass of a second sensor left unseen: 1 - p at positions of an area, for the whole season."""

    source: int
    at: Ints
    missed: Floats


def parts_of(
    pieces: Pieces,
    period: Ints,
    area: Area,
    terrain: Terrain,
    season: Season,
    settings: DetectionSettings,
) -> Iterator[Part]:
    """
    The hazard of each track and period on the cells of an area; sums are those of `coverage.accumulate`, bit for bit.

    Parameters
    ----------
    period
        Period of each piece, shape of `pieces`; pieces outside the season (-1) count nowhere and are passed over.
    """
    whole = area.window()
    pairs = np.unique(np.stack([pieces.track, period])[:, period >= 0], axis=1)
    for source, when in pairs.T.tolist():
        mine = pieces.take((pieces.track == source) & (period == when))
        window = _overlap(coverage.reach_window(mine, area.frame, settings.reach_m), whole, area.frame)
        local = Grid(np.zeros(window.shape, np.int32), window)
        if local.values.size:
            coverage.accumulate(local, mine, terrain, season, settings)
        held, row, col = area.within(window)
        units = local.values[row, col]
        yield Part(source, when, held[units != 0], units[units != 0])


def totals_of(parts: Sequence[Part], area: Area, periods: int) -> npt.NDArray[np.int32]:
    """Units of each period and cell, shape (periods, n): the sum of all parts."""
    totals = np.zeros((periods, len(area.cells)), np.int32)
    for part in parts:
        totals[part.period, part.at] += part.units
    return totals


def season_chance(totals: npt.NDArray[np.int32], availability: float) -> Floats:
    """Season's POD of each cell from units per period (periods, n): 1 - Π(1 - a(1 - e^-H)), shape (n,)."""
    return np.asarray(1.0 - np.prod(1.0 - pod(totals, availability).astype(np.float64), axis=0))


def sensed_by(glances: Sequence[Glance], area: Area) -> Floats:
    """What second sensors together have missed in each cell of the area, Π(1 - p), shape (n,)."""
    missed = np.ones(len(area.cells))
    for glance in glances:
        missed[glance.at] *= glance.missed
    return missed


def attribute(
    parts: Sequence[Part],
    totals: npt.NDArray[np.int32],
    area: Area,
    *,
    availability: float,
    glances: Sequence[Glance] = (),
) -> pd.DataFrame:
    """
    What each source was worth to the area's detection Σw·POD/Σw.

    Parameters
    ----------
    totals
        Units per period and cell (periods, n) of all parts together, and of whatever else counts.
    glances
        Looks of second sensors, whose sources are not those of parts; they share by -ln(1 - p), in the same units.

    Returns
    -------
    pd.DataFrame
        Index ``source``. ``units`` (int, its sum over the area), ``cells_n`` cells it added anything to, ``share``:
        each cell's POD divided in proportion to the units given there, so the shares add up to the detection; a glance
        has a share, but no units; and
        ``lost``: by how much the detection would fall without it. Where several saw the same ground their losses add
        up to less than their shares.
    """
    sensed, worth = sensed_by(glances, area), [np.rint(-np.log(one.missed) * HAZARD_UNITS) for one in glances]
    chance = 1.0 - (1.0 - season_chance(totals, availability)) * sensed
    given = totals.sum(axis=0, dtype=np.int64)
    for one, units in zip(glances, worth, strict=True):
        given[one.at] += units.astype(np.int64)
    whole = float(area.weights.sum())
    rows = []
    for source in sorted({part.source for part in parts}):
        mine = [part for part in parts if part.source == source]
        at = np.unique(np.concatenate([part.at for part in mine])) if mine else np.zeros(0, np.int64)
        without, units = totals[:, at].copy(), np.zeros(len(at), np.int64)
        for part in mine:
            place = np.searchsorted(at, part.at)
            without[part.period, place] -= part.units
            units[place] += part.units
        weight = area.weights[at] / whole if whole > 0.0 else np.zeros(len(at))
        share = float((weight * chance[at] * units / given[at]).sum())
        left = 1.0 - (1.0 - season_chance(without, availability)) * sensed[at]
        rows.append((source, int(units.sum()), len(at), share, float((weight * (chance[at] - left)).sum())))
    for one, units in zip(glances, worth, strict=True):
        weight = area.weights[one.at] / whole if whole > 0.0 else np.zeros(len(one.at))
        seen = np.divide(units, given[one.at], out=np.zeros(len(units)), where=units > 0)
        lost = float((weight * (1.0 - chance[one.at]) * (1.0 / one.missed - 1.0)).sum())
        rows.append((one.source, 0, len(one.at), float((weight * chance[one.at] * seen).sum()), lost))
    return pd.DataFrame(rows, columns=["source", "units", "cells_n", "share", "lost"]).set_index("source")


def sight(pieces: Pieces, easting_m: float, northing_m: float, terrain: Terrain, settings: DetectionSettings) -> Floats:
    """
    How a walk passed one place, by steps of `STEP_M` along its pieces; sight is judged as the engine does.

    Returns
    -------
    array, shape (5,)
        Metres walked within reach, of those in line of sight, nearest distance, nearest distance in sight (metres,
        NaN where never), and mean speed factor (1 searching, 0 too fast) of what was walked in sight (NaN).
    """
    east, north, factor, length = _steps(pieces)
    far = np.hypot(east - easting_m, north - northing_m)
    near = far <= settings.reach_m
    if not near.any():
        return np.array([0.0, 0.0, far.min() if len(far) else np.nan, np.nan, np.nan])
    walls = 0.0 if pieces.entered.any() else settings.building_m
    settings = replace(settings, building_m=walls)
    seen = _in_sight(east[near], north[near], (easting_m, northing_m), terrain, settings)
    walked, weight = length[near], length[near] * seen
    mean = (weight * factor[near]).sum() / weight.sum() if weight.sum() > 0.0 else np.nan
    nearest = far[near][seen].min() if seen.any() else np.nan
    return np.array([walked.sum(), weight.sum(), far.min(), nearest, mean])


def _steps(pieces: Pieces) -> tuple[Floats, Floats, Floats, Floats]:
    """Middles of equal steps along each piece: easting, northing, speed factor and length of the step, metres."""
    lengths = pieces.lengths()
    counts = np.maximum(np.ceil(lengths / STEP_M), 1.0).astype(np.int64)
    owner = np.repeat(np.arange(len(pieces)), counts)
    first = np.cumsum(counts) - counts
    share = (np.arange(len(owner)) - first[owner] + 0.5) / counts[owner]
    east = pieces.easting0_m[owner] + share * (pieces.easting1_m - pieces.easting0_m)[owner]
    north = pieces.northing0_m[owner] + share * (pieces.northing1_m - pieces.northing0_m)[owner]
    return east, north, pieces.factor[owner], (lengths / counts)[owner]


def _in_sight(
    east: Floats, north: Floats, place: tuple[float, float], terrain: Terrain, settings: DetectionSettings
) -> npt.NDArray[np.bool_]:
    """Whether the place's cell is seen from the centre of the cell each step lies in."""
    frame = terrain.elevation.frame
    to_row, to_col = (int(v) for v in frame.cells(*place))
    rows, cols = frame.cells(east, north)
    held = frame.holds(east, north)
    spots, which = np.unique(np.stack([rows, cols])[:, held], axis=1, return_inverse=True)
    radius = settings.reach_m + 2.0 * frame.cell_m
    views = viewsheds(
        Grid(terrain.surface(settings.building_m), frame), spots[0], spots[1], radius_m=radius,
        eye_m=settings.eye_m, target_m=settings.target_m, floor=terrain.elevation,
    )  # fmt: skip
    half = half_width(radius, frame.cell_m)
    down, right = to_row - spots[0] + half, to_col - spots[1] + half
    inside = (down >= 0) & (down <= 2 * half) & (right >= 0) & (right <= 2 * half)
    answer = np.zeros(spots.shape[1], bool)
    answer[inside] = views[np.flatnonzero(inside), down[inside], right[inside]]
    seen = np.zeros(len(east), bool)
    seen[held] = answer[which.ravel()]
    return seen


def _overlap(one: Frame, other: Frame, whole: Frame) -> Frame:
    """The window of `whole` common to two of its windows; empty where they do not meet."""
    top = max(round((whole.north_m - f.north_m) / whole.cell_m) for f in (one, other))
    left = max(round((f.west_m - whole.west_m) / whole.cell_m) for f in (one, other))
    bottom = min(round((whole.north_m - f.north_m) / whole.cell_m) + f.rows for f in (one, other))
    right = min(round((f.west_m - whole.west_m) / whole.cell_m) + f.cols for f in (one, other))
    return whole.window(top, left, max(bottom - top, 0), max(right - left, 0))
