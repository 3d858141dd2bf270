"""Search effort on the ground: the hazard of every walked piece on every cell in sight, summed bit for bit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels, _kernels_spread
from geo.analysis._far_field import window_shape
from geo.analysis._kernels_lanes import LANES
from geo.analysis.detection import CLAMP_SHARE, MODELS, gaussian_width
from geo.analysis.pieces import Pieces
from geo.analysis.visibility import aligned, half_width, ray_program, sight_room
from geo.errors import GridMismatch
from geo.grid import Frame, Grid
from geo.layers.terrain import COVER_NAMES, Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import DetectionSettings

BATCH = 100_000
SHARE = 20_000  # pieces a thread takes at once
LOT = 4096
SQUARE = 1024
_HALF_DIAGONAL = 0.7072
_DAY_S = 86400.0


def accumulate(
    hazard: Grid,
    pieces: Pieces,
    terrain: Terrain,
    season: Season,
    settings: DetectionSettings,
    *,
    sign: int = 1,
    threads: int = 2,
) -> None:
    """
    Add the detection hazard of walked pieces to a raster, in place; ``sign=-1`` takes it away again.

    Each piece is cut at cell boundaries; what is seen is judged from the centre of the cell walked in, how well by
    the true piece. The sum of one track on one cell is rounded once to 1/65536 nat, so taking a track away restores
    the raster bit for bit and neither order nor threads matter. Pass all pieces of a track in one call.

    Parameters
    ----------
    hazard
        int32 raster in units of 1/65536 nat; its frame is a window of the terrain's, cell on cell.
    terrain
        Ground height and cover; only open ground, crops and scrub have a sweep width, voids are never targets.
        Built-up cells hide what lies behind them from all walks but those on record as visits to courtyards.
    season
        Its stage calendar gives the sweep width by the day (in China) and the target's height.
    """
    if pieces.entered.any() and settings.building_m:
        for some, walls in ((~pieces.entered, settings), (pieces.entered, replace(settings, building_m=0.0))):
            mine = replace(pieces.take(some), entered=np.zeros(int(some.sum()), bool))
            accumulate(hazard, mine, terrain, season, walls, sign=sign, threads=threads)
        return
    kernel = _Kernel.of(hazard, terrain, season, settings)
    ordered = pieces
    if len(pieces) and np.any(np.diff(pieces.track) < 0):
        ordered = pieces.take(np.argsort(pieces.track, kind="stable"))
    corner, turn = np.array(kernel.box[:2]), Lock()

    def add(some: Pieces) -> None:
        for lot in kernel.lots(some):
            where, units = kernel.spread(lot)
            with turn:  # blocks of two lots may overlap; a thread adds while the others still look
                _kernels_spread.add_blocks(hazard.values, corner, where, units, np.int32(sign))

    if threads <= 1:
        for batch in _cut(ordered, BATCH):
            add(batch)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(add, _cut(ordered, min(max(len(ordered) // (8 * threads), 1), SHARE))):
            pass


def reach_window(pieces: Pieces, frame: Frame, reach_m: float) -> Frame:
    """The smallest window of `frame` that holds every cell the pieces can reach; empty where they reach none."""
    if not len(pieces):
        return frame.window(0, 0, 0, 0)
    east = np.concatenate([pieces.easting0_m, pieces.easting1_m])
    north = np.concatenate([pieces.northing0_m, pieces.northing1_m])
    top, left = frame.cells(east.min() - reach_m, north.max() + reach_m)
    bottom, right = frame.cells(east.max() + reach_m, north.min() - reach_m)
    top, left = np.clip(top, 0, frame.rows), np.clip(left, 0, frame.cols)
    bottom, right = np.clip(bottom + 1, top, frame.rows), np.clip(right + 1, left, frame.cols)
    return frame.window(int(top), int(left), int(bottom - top), int(right - left))


@dataclass(frozen=True)
class _Kernel:
    """Everything the compiled loops need that does not change from lot to lot."""

    terrain: Terrain
    season: Season
    settings: DetectionSettings
    box: tuple[int, int, int, int]
    idle: list[tuple[Any, ...]]

    @classmethod
    def of(cls, hazard: Grid, terrain: Terrain, season: Season, settings: DetectionSettings) -> "_Kernel":
        """Check that everything fits together."""
        if hazard.values.dtype != np.int32:
            raise ValueError(f"hazard must be int32, got {hazard.values.dtype}")
        if settings.model not in MODELS:
            raise ValueError(f"detection.model: {settings.model!r} is not one of {sorted(MODELS)}")
        return cls(terrain, season, settings, _window_in(hazard.frame, terrain.elevation.frame), [])

    def lots(self, pieces: Pieces) -> list[tuple[Any, ...]]:
        """The pieces cut at cell boundaries, in lots of whole tracks: runs, ends, weights."""
        frame = self.terrain.elevation.frame
        u0, v0 = (pieces.easting0_m - frame.west_m) / frame.cell_m, (frame.north_m - pieces.northing0_m) / frame.cell_m
        u1, v1 = (pieces.easting1_m - frame.west_m) / frame.cell_m, (frame.north_m - pieces.northing1_m) / frame.cell_m
        near = self._near(u0, v0, u1, v1)
        day = days_of(pieces.seconds, self.season)
        cut = (u0[near], v0[near], u1[near], v1[near], pieces.factor[near], pieces.track[near], day[near])
        ends, weights, runs = _kernels.cut_at_cells(*cut, frame.rows, frame.cols)
        track = runs[:-1, 3]
        begins = np.flatnonzero(np.diff(track, prepend=-1))
        first = begins[np.unique(np.searchsorted(begins, np.arange(0, len(track), LOT)).clip(max=len(begins) - 1))]
        return [(runs[a : b + 1], ends, weights) for a, b in pairwise([*first.tolist(), len(track)])]

    def spread(self, lot: tuple[Any, ...]) -> Any:
        """Blocks of whole units of one lot. Each thread takes its own working memory and gives it back clean."""
        cell, settings = self.terrain.elevation.frame.cell_m, self.settings
        half = half_width(self._radius_m, cell)
        shape, offsets = window_shape(settings.reach_m / cell, half, self._clamp(), settings.model == "inverse_cube")
        program = ray_program(self._radius_m / cell, cell)
        heights = (float(settings.eye_m), float(settings.target_m), float(cell))
        spans = [int(np.ptp(lot[0][:-1, axis])) + 1 + 2 * half for axis in (1, 2)]
        square = min(max(*spans, _kernels_spread.BLOCK), SQUARE)
        room = self.idle.pop() if self.idle else _room(half, square, sum(shape[6]))
        if len(room[0]) < square + 2 * (2 * half + LANES):
            room = _room(half, square, sum(shape[6]))
        fixed = (program, shape, offsets, self._law(), heights, half)
        blocks = _kernels_spread.spread_tracks(self._ground(), self.box, *lot, *fixed, room)
        self.idle.append(room)
        return blocks

    @property
    def _radius_m(self) -> float:
        """Cells whose centre lies further from the observer's cannot be reached from anywhere in its cell."""
        return self.settings.reach_m + _HALF_DIAGONAL * self.terrain.elevation.frame.cell_m

    def _near(self, u0: Any, v0: Any, u1: Any, v1: Any) -> npt.NDArray[np.bool_]:
        """Pieces that can reach the window at all."""
        reach = self._radius_m / self.terrain.elevation.frame.cell_m + 1.0
        top, left, bottom, right = self.box
        across = (np.maximum(u0, u1) >= left - reach) & (np.minimum(u0, u1) <= right + reach)
        return np.asarray(across & (np.maximum(v0, v1) >= top - reach) & (np.minimum(v0, v1) <= bottom + reach))

    def _ground(self) -> tuple[Any, ...]:
        """Surface that hides, elevation, cover, widths by cover and stage (cells), stage starts and days per 100 m."""
        starts = self.season.stage_start_days()
        table = np.zeros((256, len(starts)))
        for name, widths in self.settings.sweep_width_m.items():
            table[_cover_of(name)] = np.array(widths) / self.terrain.elevation.frame.cell_m
        heights = np.ascontiguousarray(self.terrain.elevation.values, np.float32)
        cover = np.ascontiguousarray(self.terrain.cover.values, np.uint8)
        surface = np.ascontiguousarray(self.terrain.surface(self.settings.building_m), np.float32)
        return surface, heights, cover, table, starts, float(self.season.days_per_100_m)

    def _clamp(self) -> int:
        """Rows and columns around the observer whose cells the widest clamp circle can reach."""
        widest = max(max(widths) for widths in self.settings.sweep_width_m.values())
        return int(np.ceil(max(CLAMP_SHARE * widest / self.terrain.elevation.frame.cell_m - 0.5, 0.0)))

    def _law(self) -> tuple[int, float, float, float]:
        """Model, reach in cells, factor of the sweep width inside the law, factor of the law."""
        reach = self.settings.reach_m / self.terrain.elevation.frame.cell_m
        if self.settings.model == "gaussian":
            peak = self.settings.gaussian_peak
            return _kernels_spread.GAUSSIAN, reach, 1.0 / gaussian_width(peak), peak
        return _kernels_spread.INVERSE_CUBE, reach, CLAMP_SHARE, 1.0 / (8.0 * np.pi)


def _room(half: int, square: int, listed: int) -> tuple[Any, ...]:
    """
    Working memory for one thread: a square of targets with a margin, twice, and what sixteen observers need.
    """
    blocks = -(-(square + 2 * (2 * half + LANES)) // _kernels_spread.BLOCK)
    shape = (blocks * _kernels_spread.BLOCK,) * 2
    lot = tuple(np.zeros(LANES, np.int64) for _ in range(3))
    seen = np.zeros((2 * half + 1) ** 2 + LANES, np.uint16)
    touched = np.zeros((blocks, blocks), np.uint8)
    any_seen = np.zeros(listed // LANES + 1, np.uint16)
    line = (np.zeros(_kernels_spread.BLOCK), np.zeros(_kernels_spread.BLOCK))
    return (
        np.zeros(shape),
        np.zeros(shape),
        touched,
        lot,
        sight_room(half),
        seen,
        aligned(listed + LANES),
        line,
        any_seen,
    )


def days_of(seconds: npt.NDArray[np.float64], season: Season) -> npt.NDArray[np.int64]:
    """
    Whole days in China since 1 January of the season's year, from UTC seconds; any shape.

    >>> days_of(np.array([1767196800.0, 1767283199.0, 1767283200.0]), Season(2026)).tolist()
    [0, 0, 1]
    """
    new_year = datetime(season.year, 1, 1, tzinfo=CHINA).timestamp()
    return np.floor((np.asarray(seconds, float) - new_year) / _DAY_S).astype(np.int64)


def _cover_of(name: str) -> Cover:
    if name not in COVER_NAMES:
        raise ValueError(f"sweep_width_m: {name!r} is not one of {sorted(COVER_NAMES)}")
    return COVER_NAMES[name]


def _window_in(window: Frame, whole: Frame) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a window in the cells of the whole; raises unless it lies inside, on its cells."""
    top = round((whole.north_m - window.north_m) / whole.cell_m)
    left = round((window.west_m - whole.west_m) / whole.cell_m)
    if window.crs != whole.crs or whole.window(top, left, window.rows, window.cols) != window:
        raise GridMismatch("grid_mismatch", one=window.bounds, other=whole.bounds)
    return top, left, top + window.rows, left + window.cols


def _cut(pieces: Pieces, size: int) -> Iterator[Pieces]:
    """The pieces in parts of about `size`, no track cut in two."""
    begin = 0
    while begin < len(pieces):
        end = min(begin + size, len(pieces))
        if end < len(pieces):
            end = int(np.searchsorted(pieces.track, pieces.track[end - 1], side="right"))
        yield pieces.take(slice(begin, end))
        begin = end
