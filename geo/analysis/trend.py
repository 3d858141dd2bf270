"""How detection grew over the season: what it was at the end of each period."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from geo.analysis.detection import pod
from geo.grid import Grid

Floats = npt.NDArray[np.float64]


def seen_by_period(
    hazards: Iterable[Grid], *, zones: Grid, risk: Grid, zones_n: int, availability: float
) -> tuple[Floats, Floats]:
    """
    ΣRR·POD after each period, POD = 1 - Π(1 - POD_t) over the periods so far, and ΣRR, of each zone.

    Their ratio is the detection at the end of each period, the last that of the season; it never falls. Sums of the
    parts of a county (windows) add up to those of the county.

    Parameters
    ----------
    hazards
        One grid per period, int32 in 1/65536 nat, the first period first; may be a generator.
    zones, risk
        1-based zone of each cell, 0 outside; relative risk, 0 where nothing can be planted.

    Returns
    -------
    tuple
        (zones, periods) and (zones,).
    """
    held = np.flatnonzero((risk.values > 0.0) & (zones.values > 0))
    zone, weight = zones.values.reshape(-1)[held], risk.values.reshape(-1)[held].astype(np.float64)
    whole = np.bincount(zone, weight, minlength=zones_n + 1)[1:]
    missed, sums = np.ones(len(held)), []
    for hazard in hazards:
        hazard.require_same_frame(zones)
        missed *= 1.0 - pod(hazard.values.reshape(-1)[held], availability)
        sums.append(np.bincount(zone, weight * (1.0 - missed), minlength=zones_n + 1)[1:])
    return np.array(sums, np.float64).reshape(len(sums), zones_n).T, np.asarray(whole, np.float64)
