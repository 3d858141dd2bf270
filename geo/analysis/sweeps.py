"""
Sweep segments: small pieces of ground searched line by line along the contour, at a spacing from the sweep width.

A block of ground is offered where the expected plots and the sweep width make its lines worth their time. The lines
run along the mean contour of the block (on one block of 150 m a straight line keeps close to it), turn back at its
far side like a plough, skip what cannot be planted at their ends, and are left out where they would cross closed
ground. What a segment sees is what the engine says a walker on its line at search speed would see, line of sight and
all, on planning cells of a few metres' detail.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geo.analysis.coverage import accumulate, reach_window
from geo.analysis.detection import pod
from geo.analysis.pieces import Pieces
from geo.analysis.routing import Views
from geo.analysis.travel import tobler_kmh
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import DetectionSettings, PlanningSettings

Floats = npt.NDArray[np.float64]
STEP_M = 10.0
LEAST_POD = 0.01
"""A planning cell seen less surely than this is left out of a segment's view."""


@dataclass(frozen=True)
class Ground:
    """
    What sweeps are cut from; all on one frame.

    Parameters
    ----------
    terrain
        Elevation and cover, metric CRS.
    mass
        Expected plots per cell that stand undetected; 0 outside the ground to plan for.
    width_m
        Sweep width of each cell, metres; 0 where nothing can be seen or planted.
    """

    terrain: Terrain
    mass: Grid
    width_m: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Sweep:
    """One segment: its line (n, 2) metres, the seconds to search it, and its block's row and column."""

    line: Floats
    seconds: float
    block: tuple[int, int]


def block_cells(settings: PlanningSettings, cell_m: float) -> int:
    """Cells along one side of a block."""
    return max(2, round(settings.block_m / cell_m))


def block_values(ground: Ground, settings: PlanningSettings, speed_kmh: float) -> tuple[Floats, Floats]:
    """
    Expected finds and seconds of sweeping each block once; (rows, cols) of blocks.

    Finds by parallel lines at `spacing_widths`: coverage 1 / spacing_widths, chance 1 - exp(-coverage); seconds from
    the plantable area, the mean spacing and the search speed.
    """
    size = block_cells(settings, ground.mass.frame.cell_m)
    held = ground.width_m > 0
    caught = -np.expm1(-1.0 / settings.spacing_widths)
    finds = _sums(ground.mass.values * held, size) * caught
    width, cells = _sums(ground.width_m * held, size), _sums(held.astype(np.float32), size)
    spacing = settings.spacing_widths * np.divide(width, cells, out=np.ones_like(width), where=cells > 0)
    metres = cells * ground.mass.frame.cell_m**2 / np.maximum(spacing, 1.0)
    return finds, metres * 3.6 / speed_kmh


def block_centres(shape: tuple[int, ...], ground: Ground, settings: PlanningSettings) -> Floats:
    """Easting and northing of the middle of every block, (rows * cols, 2)."""
    frame = ground.mass.frame
    side = block_cells(settings, frame.cell_m) * frame.cell_m
    row, col = (axis.ravel() for axis in np.mgrid[: shape[0], : shape[1]])
    return np.column_stack([frame.west_m + (col + 0.5) * side, frame.north_m - (row + 0.5) * side])


def sweep_of(
    ground: Ground, block: tuple[int, int], settings: PlanningSettings, detection: DetectionSettings
) -> Sweep | None:
    """The lines of one block as one way back and forth; None where no line is worth walking."""
    frame = ground.mass.frame
    size = block_cells(settings, frame.cell_m)
    rows, cols = (slice(n * size, (n + 1) * size) for n in block)
    width, mass = ground.width_m[rows, cols], ground.mass.values[rows, cols]
    wanted = (width > 0) & (mass > 0)
    if not wanted.any():
        return None
    height = ground.terrain.elevation.values[rows, cols]
    along = _contour(height)
    spacing = settings.spacing_widths * float(np.median(width[wanted]))
    row, col = np.nonzero(wanted)
    place = np.column_stack(frame.centres(row + rows.start, col + cols.start))
    lines = _lines(place, along, max(spacing, frame.cell_m), frame.cell_m)
    if not lines:
        return None
    line = np.vstack([one if n % 2 == 0 else one[::-1] for n, one in enumerate(lines)])
    return Sweep(line, walking_s(line, ground.terrain.elevation, settings, detection.search_speed_kmh), block)


def walking_s(line: Floats, elevation: Grid, settings: PlanningSettings, at_most_kmh: float) -> float:
    """Seconds along a line at search speed, slower where Tobler off paths is slower; steps of about 10 m."""
    dense = densified(line, STEP_M)
    height = at(elevation, dense)
    ground_m = np.hypot(*np.diff(dense, axis=0).T)
    rise_m = np.nan_to_num(np.diff(height))
    tobler = tobler_kmh(rise_m / np.maximum(ground_m, 1e-9)) * settings.off_path
    return float((np.hypot(ground_m, rise_m) * 3.6 / np.clip(tobler, 0.2, at_most_kmh)).sum())


def densified(line: Floats, step_m: float) -> Floats:
    """The line with a point at least every `step_m` metres."""
    run = np.r_[0.0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
    marks = np.unique(np.r_[run, np.arange(0.0, run[-1], step_m)])
    return np.column_stack([np.interp(marks, run, line[:, axis]) for axis in (0, 1)])


def at(elevation: Grid, place: Floats) -> Floats:
    """Height between cell centres, metres, linear both ways; `place` (n, 2) inside the frame."""
    frame, values = elevation.frame, elevation.values
    down = np.clip((frame.north_m - place[:, 1]) / frame.cell_m - 0.5, 0.0, frame.rows - 1.001)
    across = np.clip((place[:, 0] - frame.west_m) / frame.cell_m - 0.5, 0.0, frame.cols - 1.001)
    r, c = down.astype(int), across.astype(int)
    a, b = down - r, across - c
    top = values[r, c] * (1 - b) + values[r, c + 1] * b
    return np.asarray(top * (1 - a) + (values[r + 1, c] * (1 - b) + values[r + 1, c + 1] * b) * a, float)


def views_of(
    lines: list[Floats], ground: Ground, season: Season, detection: DetectionSettings, *, noon_s: float, cells: int
) -> Views:
    """
    What a walker at search speed sees from each line, on planning cells of `cells` x `cells` of the ground's.

    The chance in a planning cell is the mean over its cells, weighed by mass; lines are looked at one by one, as
    passes of their own.

    Parameters
    ----------
    noon_s
        A moment of the day, UTC seconds since 1970: it decides the growth stage.
    """
    frame = ground.mass.frame
    rows, cols = -(-frame.rows // cells), -(-frame.cols // cells)
    total = _summed(ground.mass.values.astype(float), cells, rows, cols)
    parts = [_seen(line, ground, season, detection, noon_s, cells, cols) for line in lines]
    first = np.r_[0, np.cumsum([len(index) for index, _ in parts])].astype(np.int64)
    index = np.concatenate([one for one, _ in parts]) if parts else np.zeros(0, np.int64)
    found = np.concatenate([one for _, one in parts]) if parts else np.zeros(0)
    used, numbered = np.unique(index, return_inverse=True)
    mass = total.reshape(-1)[used]
    chance = np.divide(found, mass[numbered], out=np.zeros_like(found), where=mass[numbered] > 0)
    return Views(first, numbered.astype(np.int64).reshape(-1), np.clip(chance, 0.0, 0.999), mass)


def _seen(
    line: Floats,
    ground: Ground,
    season: Season,
    detection: DetectionSettings,
    noon_s: float,
    cells: int,
    cols: int,
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Planning cells a line sees, and the expected finds in each."""
    n = len(line) - 1
    (east0, north0), (east1, north1) = line[:-1].T.copy(), line[1:].T.copy()
    pieces = Pieces(np.zeros(n, np.int64), east0, north0, east1, north1, np.ones(n), np.full(n, float(noon_s)))
    frame = ground.mass.frame
    window = reach_window(pieces, frame, detection.reach_m)
    row0 = round((frame.north_m - window.north_m) / frame.cell_m)
    col0 = round((window.west_m - frame.west_m) / frame.cell_m)
    hazard = Grid(np.zeros(window.shape, np.int32), window)
    accumulate(hazard, pieces, ground.terrain, season, detection, threads=1)
    chance = pod(hazard.values, detection.availability)
    mass = ground.mass.values[row0 : row0 + window.rows, col0 : col0 + window.cols]
    row, col = np.nonzero((chance > 0) & (mass > 0))
    number = (row + row0) // cells * cols + (col + col0) // cells
    used, which = np.unique(number, return_inverse=True)
    finds = np.bincount(which.reshape(-1), (chance * mass)[row, col], minlength=len(used))
    whole = np.bincount(which.reshape(-1), mass[row, col], minlength=len(used))
    kept = finds >= LEAST_POD * whole
    return used[kept].astype(np.int64), np.asarray(finds[kept], float)


def _contour(height: npt.NDArray[np.float32]) -> Floats:
    """Unit vector (east, north) along the mean contour of a block; eastward where it is flat."""
    down, right = np.gradient(np.nan_to_num(height, nan=float(np.nanmean(height)) if np.isfinite(height).any() else 0))
    east, north = float(right.mean()), -float(down.mean())
    steep = float(np.hypot(east, north))
    return np.array([1.0, 0.0]) if steep < 1e-9 else np.array([-north, east]) / steep


def _lines(place: Floats, along: Floats, spacing_m: float, cell_m: float) -> list[Floats]:
    """Ends (2, 2) of parallel lines over the wanted places, in order across, each from its first to its last place."""
    across = np.array([-along[1], along[0]])
    u, v = place @ along, place @ across
    low, high = float(v.min()) - cell_m / 2, float(v.max()) + cell_m / 2
    count = max(1, round((high - low) / spacing_m))
    gap = (high - low) / count
    lines = []
    for n in range(count):
        middle = low + (n + 0.5) * gap
        near = np.abs(v - middle) <= gap / 2 + 1e-9
        if near.sum() * cell_m < 2 * gap:
            continue
        ends = np.array([[u[near].min()], [u[near].max()]])
        lines.append(ends * along + middle * across)
    return lines


def _sums(values: npt.NDArray[np.generic], size: int) -> Floats:
    rows, cols = values.shape[0] // size, values.shape[1] // size
    cut = np.asarray(values[: rows * size, : cols * size], float)
    return np.asarray(cut.reshape(rows, size, cols, size).sum(axis=(1, 3)))


def _summed(values: Floats, cells: int, rows: int, cols: int) -> Floats:
    """Sums over planning cells, the last ones possibly cut by the edge."""
    full = np.zeros((rows * cells, cols * cells))
    full[: values.shape[0], : values.shape[1]] = values
    return np.asarray(full.reshape(rows, cells, cols, cells).sum(axis=(1, 3)))
