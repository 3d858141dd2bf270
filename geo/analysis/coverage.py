"""Search effort on the ground: the hazard of every walked piece on every cell in sight, summed bit for bit."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.analysis import _kernels
from geo.analysis.detection import GAUSSIAN_PEAK, MODELS, gaussian_width
from geo.analysis.pieces import Pieces
from geo.analysis.visibility import half_width, ray_program
from geo.errors import GridMismatch
from geo.grid import Frame, Grid
from geo.layers.terrain import COVER_NAMES, Cover, Terrain
from geo.season import CHINA, Season
from geo.settings import DetectionSettings

TILE = 256
BATCH = 300_000
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
    season
        Its stage calendar gives the sweep width by the day (in China) and the target's height.
    """
    kernel = _Kernel.of(hazard, terrain, season, settings, sign)
    ordered = pieces
    if len(pieces) and np.any(np.diff(pieces.track) < 0):
        ordered = pieces.take(np.argsort(pieces.track, kind="stable"))
    with ThreadPoolExecutor(max(threads, 1)) as pool:
        for batch in _batches(ordered):
            for done in pool.map(lambda work: work(), kernel.tiles(batch)):
                assert done is None


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
    """Everything the compiled loops need that does not change from batch to batch."""

    hazard: npt.NDArray[np.int32]
    terrain: Terrain
    season: Season
    settings: DetectionSettings
    box: tuple[int, int, int, int]
    sign: int

    @classmethod
    def of(cls, hazard: Grid, terrain: Terrain, season: Season, settings: DetectionSettings, sign: int) -> "_Kernel":
        """Check that everything fits together."""
        if hazard.values.dtype != np.int32 or sign not in (-1, 1):
            raise ValueError(f"hazard must be int32 and sign 1 or -1, got {hazard.values.dtype} and {sign}")
        if settings.model not in MODELS:
            raise ValueError(f"detection.model: {settings.model!r} is not one of {sorted(MODELS)}")
        return cls(hazard.values, terrain, season, settings, _window_in(hazard.frame, terrain.elevation.frame), sign)

    def tiles(self, pieces: Pieces) -> "list[Any]":
        """One call per tile of targets that the pieces reach, the longest first."""
        frame, settings = self.terrain.elevation.frame, self.settings
        half = half_width(self._radius_m, frame.cell_m)
        u0, v0 = (pieces.easting0_m - frame.west_m) / frame.cell_m, (frame.north_m - pieces.northing0_m) / frame.cell_m
        u1, v1 = (pieces.easting1_m - frame.west_m) / frame.cell_m, (frame.north_m - pieces.northing1_m) / frame.cell_m
        near = self._near(u0, v0, u1, v1)
        day = days_of(pieces.seconds, self.season)
        cut = _kernels.cut_at_cells(
            u0[near], v0[near], u1[near], v1[near], pieces.track[near], day[near], frame.rows, frame.cols
        )
        piece, ends, run_start, run_row, run_col, run_track, run_day = cut
        start, run = _kernels.jobs_by_tile(run_row, run_col, half, self.box, TILE)
        runs = (run_start, run_row, run_col, run_track, run_day, ends * frame.cell_m, pieces.factor[near][piece])
        fixed = (*self._season(), ray_program(self._radius_m / frame.cell_m, frame.cell_m), half, self._discs(half))
        tail = (frame.cell_m, settings.eye_m, settings.target_m, self._law(), self.sign)
        heights = np.ascontiguousarray(self.terrain.elevation.values, np.float32)
        cover = np.ascontiguousarray(self.terrain.cover.values, np.uint8)
        offset = np.array(self.box[:2])
        busy = [int(k) for k in np.argsort(start[:-1] - start[1:], kind="stable") if start[k + 1] > start[k]]

        def work_on(k: int) -> Any:
            jobs = run[start[k] : start[k + 1]]
            head = (self.hazard, offset, heights, cover, self._tile_box(k), jobs)
            return lambda: _kernels.cover_tile(*head, *runs, *fixed, *tail)

        return [work_on(k) for k in busy]

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

    def _tile_box(self, k: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right of the k-th tile, in the terrain's cells."""
        top, left, bottom, right = self.box
        row, col = divmod(k, (right - left + TILE - 1) // TILE)
        top, left = top + row * TILE, left + col * TILE
        return top, left, min(top + TILE, bottom), min(left + TILE, right)

    def _season(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], float]:
        """Sweep width by cover class and stage (256, stages), stage starts in days, days later per 100 m."""
        starts = self.season.stage_start_days()
        table = np.zeros((256, len(starts)))
        for name, widths in self.settings.sweep_width_m.items():
            table[_cover_of(name)] = widths
        return table, starts, float(self.season.days_per_100_m)

    def _discs(self, half: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
        """Half-widths per window row of cells in reach and wholly in reach (-1: none), and the clamp's radius."""
        cell, reach = self.terrain.elevation.frame.cell_m, self.settings.reach_m
        down = np.arange(-half, half + 1) * cell
        outer, safe = (_half_widths(down, radius, cell) for radius in (self._radius_m, reach - _HALF_DIAGONAL * cell))
        widest = max(max(widths) for widths in self.settings.sweep_width_m.values())
        return outer, safe, int(np.ceil(max(0.1 * widest / cell - 0.5, 0.0)))

    def _law(self) -> tuple[int, float, float, float]:
        if self.settings.model == "gaussian":
            return _kernels.GAUSSIAN, float(self.settings.reach_m), 1.0 / gaussian_width(), GAUSSIAN_PEAK
        return _kernels.INVERSE_CUBE, float(self.settings.reach_m), 0.0, 1.0 / (8.0 * np.pi)


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


def _half_widths(down_m: npt.NDArray[Any], radius_m: float, cell_m: float) -> npt.NDArray[np.int64]:
    """Cells left and right of the middle whose centre lies within the radius, per row; -1 where none."""
    room = radius_m**2 - down_m**2
    wide = np.floor(np.sqrt(np.maximum(room, 0.0)) / cell_m + 1e-9)
    return np.where((room < 0.0) | (radius_m < 0.0), -1, wide).astype(np.int64)


def _window_in(window: Frame, whole: Frame) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a window in the cells of the whole; raises unless it lies inside, on its cells."""
    top = round((whole.north_m - window.north_m) / whole.cell_m)
    left = round((window.west_m - whole.west_m) / whole.cell_m)
    if window.crs != whole.crs or whole.window(top, left, window.rows, window.cols) != window:
        raise GridMismatch("grid_mismatch", one=window.bounds, other=whole.bounds)
    return top, left, top + window.rows, left + window.cols


def _batches(pieces: Pieces) -> Iterator[Pieces]:
    """The pieces in lots of about `BATCH`, no track cut in two."""
    begin = 0
    while begin < len(pieces):
        end = min(begin + BATCH, len(pieces))
        if end < len(pieces):
            end = int(np.searchsorted(pieces.track, pieces.track[end - 1], side="right"))
        yield pieces.take(slice(begin, end))
        begin = end
