"""Photos against their team's track, their plot and each other. What is missing is said as missing, never as guilt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
BITS = 64
CHUNK = 1024


@dataclass(frozen=True)
class Beside:
    """
    A photo beside its team's tracks.

    `code` of ``geo.words``: ``photo_on_track``, ``photo_off_track``, ``photo_no_track`` (none at that time),
    ``photo_no_time`` or ``photo_no_place``; metres from where the track was at that moment, and seconds to the fix
    nearest in time, where known.
    """

    code: str
    distance_m: float | None = None
    gap_s: float | None = None


def beside_track(
    place: tuple[float, float] | None, seconds: float | None, fixes: Floats, *, within_s: float, within_m: float
) -> Beside:
    """
    Where the team's tracks were when a photo was taken.

    Parameters
    ----------
    place
        Easting and northing, metres; None where the photo has no place.
    seconds
        When it was taken, seconds since 1970 UTC; None where unknown.
    fixes
        ``(n, 3)``: seconds, easting, northing of all the team's tracks, in order of time.
    within_s
        A fix at most so far away in time on either side speaks of that moment.
    within_m
        Beyond so many metres the two places disagree.
    """
    if seconds is None:
        return Beside("photo_no_time")
    if not len(fixes):
        return Beside("photo_no_track")
    after = int(np.searchsorted(fixes[:, 0], seconds))
    near = [n for n in (after - 1, after) if 0 <= n < len(fixes)]
    gaps = [abs(float(fixes[n, 0]) - seconds) for n in near]
    if min(gaps) > within_s:
        return Beside("photo_no_track", None, min(gaps))
    if place is None:
        return Beside("photo_no_place", None, min(gaps))
    if len(near) == 2 and max(gaps) <= within_s:
        there = np.array([np.interp(seconds, fixes[near, 0], fixes[near, axis]) for axis in (1, 2)])
    else:
        there = fixes[near[int(np.argmin(gaps))], 1:]
    away = float(np.hypot(*(there - np.asarray(place, float))))
    return Beside("photo_on_track" if away <= within_m else "photo_off_track", away, min(gaps))


def alike(likenesses: Sequence[str | None], bits: int) -> list[tuple[int, int, int]]:
    """
    Pairs of pictures whose 64-bit hashes differ in at most `bits`: first, second, how many bits differ; in order.

    >>> alike(["00000000000000ff", None, "00000000000000fe"], 6)
    [(0, 2, 1)]
    """
    known = np.array([n for n, text in enumerate(likenesses) if text], np.int64)
    values = np.array([int(str(likenesses[n]), 16) for n in known], np.uint64)
    found = []
    for start in range(0, len(values), CHUNK):
        differ = np.bitwise_count(values[start : start + CHUNK, None] ^ values[None, start:])
        row, column = np.nonzero(np.triu(differ <= bits, 1))
        found += [
            (int(known[start + i]), int(known[start + j]), int(differ[i, j])) for i, j in zip(row, column, strict=True)
        ]
    return sorted(found)
