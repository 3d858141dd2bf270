"""Planned against walked: of the ground a route would have shown, what was seen, and why the rest was not."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geo.analysis.coverage import accumulate, reach_window
from geo.analysis.detection import pod
from geo.analysis.pieces import Pieces
from geo.analysis.zonal import buffer_mask
from geo.grid import Frame, Grid
from geo.layers.terrain import Terrain
from geo.season import Season
from geo.settings import DetectionSettings


class Fate(StrEnum):
    """What became of a planned cell."""

    SEEN = "seen"
    TOO_FAST = "too_fast"
    OUT_OF_SIGHT = "out_of_sight"
    NOT_WALKED = "not_walked"


ORDER = tuple(Fate)


@dataclass(frozen=True)
class Debrief:
    """
    The fate of every planned cell.

    Parameters
    ----------
    fates
        uint8 on a window of the terrain: 0 not planned, else 1 + the position in `ORDER`.
    cells_n
        Cells by fate; their sum is `planned_n`.
    """

    fates: Grid
    cells_n: dict[Fate, int]

    @property
    def planned_n(self) -> int:
        return sum(self.cells_n.values())

    def share(self, fate: Fate) -> float | None:
        """Share of the planned cells; None where nothing was planned."""
        return self.cells_n[fate] / self.planned_n if self.planned_n else None


def percents(counts: Sequence[int]) -> list[str]:
    """
    Whole per cent that add up to 100 (largest remainders first); what is not quite none or all is never said to be.

    >>> percents([1, 1, 1]), percents([999, 1, 0]), percents([0, 0])
    (['34%', '33%', '33%'], ['>99%', '<1%', '0%'], ['–', '–'])
    """
    whole = sum(counts)
    if not whole:
        return ["–"] * len(counts)
    floors = [100 * n // whole for n in counts]
    order = sorted(range(len(counts)), key=lambda n: floors[n] * whole - 100 * counts[n])
    for n in order[: 100 - sum(floors)]:
        floors[n] += 1
    pairs = zip(floors, counts, strict=True)
    return ["<1%" if n and not one else ">99%" if one == 100 and n < whole else f"{one}%" for one, n in pairs]


def line_pieces(line: shapely.Geometry, noon_s: float) -> Pieces:
    """A route's line as pieces walked at search speed; `noon_s` is a moment of its day, UTC seconds since 1970."""
    parts = [shapely.get_coordinates(part) for part in shapely.get_parts(line)]
    begin = np.vstack([part[:-1] for part in parts]) if parts else np.zeros((0, 2))
    end = np.vstack([part[1:] for part in parts]) if parts else np.zeros((0, 2))
    n = len(begin)
    ends = (begin[:, 0].copy(), begin[:, 1].copy(), end[:, 0].copy(), end[:, 1].copy())
    return Pieces(np.zeros(n, np.int64), *ends, factor=np.ones(n), seconds=np.full(n, noon_s))


def debrief(
    planned: Pieces,
    walked: Pieces,
    terrain: Terrain,
    season: Season,
    settings: DetectionSettings,
    *,
    least_pod: float = 0.1,
) -> Debrief:
    """
    Every plantable cell the planned line would show with chance `least_pod`, by what the walk made of it.

    ``seen``: the walk shows it as surely. ``too_fast``: it would, had it been walked at search speed.
    ``out_of_sight``: somebody came within reach, but too far off, or behind ground. ``not_walked``: nobody came
    within reach. The first that holds counts, so the four add up to all that was planned.
    """
    frame = reach_window(planned, terrain.elevation.frame, settings.reach_m)
    shown, seen, slowly = (
        _chance(pieces, _empty(frame), terrain, season, settings)
        for pieces in (planned, walked, replace(walked, factor=np.ones(len(walked))))
    )
    near = _within_reach(walked, _empty(frame), settings.reach_m)
    fates = np.where(seen >= least_pod, 1, np.where(slowly >= least_pod, 2, np.where(near, 3, 4)))
    fates = np.where(shown >= least_pod, fates, 0).astype(np.uint8)
    counts = np.bincount(fates.ravel(), minlength=len(ORDER) + 1)
    return Debrief(Grid(fates, frame), {fate: int(counts[n]) for n, fate in enumerate(ORDER, 1)})


def _empty(frame: Frame) -> Grid:
    """A hazard raster without any look."""
    return Grid(np.zeros(frame.shape, np.int32), frame)


def _chance(
    pieces: Pieces, hazard: Grid, terrain: Terrain, season: Season, settings: DetectionSettings
) -> npt.NDArray[np.float32]:
    """Chance of seeing what stands in each cell, from one look along the pieces."""
    if len(pieces) and hazard.values.size:
        accumulate(hazard, pieces, terrain, season, settings, threads=1)
    return pod(hazard.values, settings.availability)


def _within_reach(pieces: Pieces, hazard: Grid, reach_m: float) -> npt.NDArray[np.bool_]:
    """Cells within reach of a walked piece."""
    if not len(pieces) or not hazard.values.size:
        return np.zeros(hazard.frame.shape, np.bool_)
    ends = np.stack(
        [
            np.column_stack([pieces.easting0_m, pieces.northing0_m]),
            np.column_stack([pieces.easting1_m, pieces.northing1_m]),
        ],
        axis=1,
    )
    return buffer_mask(gpd.GeoSeries(shapely.linestrings(ends), crs=hazard.frame.crs), hazard.frame, reach_m)
