"""Walked pieces: recorded fixes without jitter, stops, gaps and rides, each with its speed factor."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis._kernels import keep_walk, sustained_speed
from geo.settings import DetectionSettings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pieces:
    """
    Straight walked pieces, in the order of the tracks and of time; every array has shape (n,).

    Parameters
    ----------
    track
        Position of the track in its table.
    easting0_m, northing0_m, easting1_m, northing1_m
        Both ends, metres in the county's CRS.
    factor
        Share of the full hazard that counts at the walking speed: 1 at search speed, 0 above top speed.
    seconds
        Time at the middle of the piece, UTC seconds since 1970.
    entered
        Whether the walk is on record as a visit to courtyards, whose buildings then hide nothing; left out: none is.
    """

    track: npt.NDArray[np.int64]
    easting0_m: Floats
    northing0_m: Floats
    easting1_m: Floats
    northing1_m: Floats
    factor: Floats
    seconds: Floats
    entered: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        if not len(self.entered):
            object.__setattr__(self, "entered", np.zeros(len(self.track), np.bool_))

    def __len__(self) -> int:
        return len(self.track)

    def lengths(self) -> Floats:
        """Length of each piece, metres."""
        return np.hypot(self.easting1_m - self.easting0_m, self.northing1_m - self.northing0_m)

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> "Pieces":
        """The chosen pieces (mask, positions or slice), in that order."""
        return Pieces(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


def walked_pieces(
    fixes: pd.DataFrame,
    on_foot: npt.NDArray[np.bool_],
    settings: DetectionSettings,
    *,
    entered: npt.NDArray[np.bool_] | None = None,
    light: Callable[[Floats], Floats] | None = None,
) -> Pieces:
    """
    The pieces that were walked searching, from recorded fixes.

    Fixes nearer than ``shortest_step_m`` to the last one kept are jitter or a stop and are dropped. A silence above
    ``longest_gap_s``, a jump above ``longest_gap_m`` or a time that does not go forward breaks the line: nobody
    knows where the walker went. Speed is the mean over ``sustain_s`` around the middle of the piece.

    Parameters
    ----------
    fixes
        Table of ``layers.tracks.fixes_of``: ``track``, ``part``, ``easting_m``, ``northing_m``, ``seconds``.
    on_foot
        Per track (position) whether it was walked; others give no pieces.
    entered
        Per track whether it is on record as a visit to courtyards; None: none is.
    light
        Share of the sweep width by UTC seconds; its square is a factor of the hazard. None: all by day.
    """
    on_foot = np.asarray(on_foot, bool)
    walked = fixes[on_foot[fixes["track"].to_numpy()]]
    track, part = (walked[name].to_numpy(np.int64) for name in ("track", "part"))
    east, north, seconds = (walked[name].to_numpy(np.float64) for name in ("easting_m", "northing_m", "seconds"))
    limits = (settings.shortest_step_m, settings.longest_gap_s, settings.longest_gap_m)
    kept, joined = keep_walk(part, east, north, seconds, *limits)
    begin, end = kept[:-1][joined[1:]], kept[1:][joined[1:]]
    speed = sustained_speed(east[kept], north[kept], seconds[kept], joined, settings.sustain_s)[1:][joined[1:]]
    middle = 0.5 * (seconds[begin] + seconds[end])
    factor = speed_factor(speed, settings)
    if light is not None:
        factor = factor * light(middle) ** 2
    indoors = np.zeros(len(begin), bool) if entered is None else np.asarray(entered, bool)[track[begin]]
    return Pieces(track[begin], east[begin], north[begin], east[end], north[end], factor, middle, indoors)


def speed_factor(speed_m_s: Floats, settings: DetectionSettings) -> Floats:
    """
    Share of the hazard that counts at a sustained speed (m/s, any shape): search speed / speed, 0 above top speed.

    >>> speed_factor(np.array([0.0, 1 / 3.6, 2 / 3.6, 4.1 / 3.6]), DetectionSettings()).round(3).tolist()
    [1.0, 1.0, 0.5, 0.0]
    """
    kmh = np.asarray(speed_m_s, float) * 3.6
    slowed = settings.search_speed_kmh / np.maximum(kmh, settings.search_speed_kmh)
    return np.where(kmh > settings.top_speed_kmh + 1e-9, 0.0, slowed)
