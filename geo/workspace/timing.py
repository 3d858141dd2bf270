"""When ground was seen: each township's detection by growth stage (round), since a date, and with old looks faded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis import ageing
from geo.analysis.ageing import Fading
from geo.analysis.detection import pod
from geo.grid import Grid
from geo.layers.terrain import Terrain
from geo.season import Stage
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage
from geo.workspace.effort import Overhead

FIGURES = (
    "township_id",
    "name",
    "seedling",
    "flower",
    "capsule",
    "air_seedling",
    "air_flower",
    "air_capsule",
    "since",
    "faded",
    "season",
    "unseen_since",
    "last_day",
)


@dataclass(frozen=True)
class TimingAnswer:
    """
    Per township, over its plantable ground: detection of looks in each stage, since the date, and faded.

    `townships` has `FIGURES`: ``seedling, flower, capsule`` (round 1 to 3) each as one period, on foot,
    and ``air_seedling, air_flower, air_capsule`` the same of flights and passes; ``since`` the
    detection of looks since the date, ``unseen_since`` the share of ground whose POD since then is below the blind
    limit; ``faded`` the detection with old looks at what they are still worth; ``season`` the figure of `coverage`;
    ``last_day`` (ISO) the last day with a look of at least the blind limit. None where nothing can be planted.
    """

    as_of: datetime
    since: datetime
    fading: Fading
    ledger_head: str | None
    assumptions: dict[str, Any]
    townships: pd.DataFrame

    def json(self) -> dict[str, Any]:
        """One plain object."""
        rows = self.townships.astype(object).where(self.townships.notna(), None).to_dict("records")
        return {
            "as_of": self.as_of.isoformat(),
            "since": self.since.isoformat(),
            "half_life_days": self.fading.half_life_days,
            "ends_with_stage": self.fading.ends_with_stage,
            "ledger_head": self.ledger_head,
            "assumptions": self.assumptions,
            "townships": rows,
        }


def measure_timing(
    county: County, *, since: datetime | None = None, fading: Fading | None = None, as_of: datetime | None = None
) -> TimingAnswer:
    """
    The grids ``seen_since`` (POD) and ``last_seen`` (day after 1 January) are kept for the map.

    `since` defaults to 30 days before the moment; `fading` to no fading.
    """
    moment = as_of or county.as_of()
    begin = since or moment - pd.Timedelta(days=30).to_pytimedelta()
    fade, season, settings = fading or Fading(), county.season, county.settings
    answer = measure_coverage(county, as_of=moment)
    tracks, terrain = effort.tracks_until(county, moment), county.terrain()
    pieces, period = effort.pieces_of(county, tracks)
    ages = ageing.ages_of(
        pieces.take(period >= 0), terrain, season, settings.detection, today=season.day_of(moment),
        since_day=season.day_of(begin), fading=fade, seen_pod=settings.coverage.blind_pod,
    )  # fmt: skip
    zones, risk = (grids.read_grid(county.path, name) for name in ("zones", "risk"))
    a = settings.detection.availability
    chances = {stage.name.lower(): pod(ages.stages[stage], a) for stage in Stage}
    above = _from_above(county, effort.overhead_until(county, moment), terrain)
    chances |= {f"air_{stage.name.lower()}": seen for stage, seen in above.items()}
    chances |= {"since": pod(ages.since, a), "faded": ageing.pod_of_nats(ages.faded, a)}
    grids.write_grid(county.path, "seen_since", Grid(chances["since"], terrain.elevation.frame))
    grids.write_grid(county.path, "last_seen", Grid(ages.last_day, terrain.elevation.frame))
    n = len(answer.townships)
    plantable = np.where(risk.values > 0.0, zones.values, 0)
    table = {name: _weighted(chance, plantable, risk.values, n) for name, chance in chances.items()}
    blind = (chances["since"] < settings.coverage.blind_pod).astype(np.float32)
    last = [_date(county, int(ages.last_day[plantable == k + 1].max(initial=ageing.NEVER))) for k in range(n)]
    townships = answer.townships[["township_id", "name"]].assign(
        **table,
        season=answer.townships["detection"].astype(float),
        unseen_since=_weighted(blind, plantable, np.ones_like(risk.values), n),
        last_day=pd.Series(last, dtype=object),
    )
    return TimingAnswer(moment, begin, fade, answer.ledger_head, assumptions(settings), townships[list(FIGURES)])


def _from_above(county: County, overhead: Overhead, terrain: Terrain) -> dict[Stage, npt.NDArray[np.float32]]:
    """POD of flights and passes by the stage the plants of each place were in on the day."""
    season, frame = county.season, terrain.elevation.frame
    missed = {stage: np.ones(frame.shape, np.float32) for stage in Stage}
    taken = overhead.taken()
    heights = np.nan_to_num(terrain.elevation.values, nan=1000.0) if taken else np.zeros(0)
    for name, seen in overhead.looks(county, terrain) if taken else ():
        then = season.stage_of(np.floor(season.day_of(taken[name])), heights)
        for stage in Stage:
            missed[stage] *= np.where(then == stage, 1.0 - seen, np.float32(1.0))
    return {stage: np.float32(1.0) - left for stage, left in missed.items()}


def _weighted(
    values: npt.NDArray[np.float32], zones: npt.NDArray[Any], weights: npt.NDArray[Any], n: int
) -> npt.NDArray[np.float64]:
    """Weighted mean of each of n zones (numbered from 1); NaN without weight."""
    flat, weight = zones.reshape(-1), weights.reshape(-1).astype(np.float64)
    whole = np.bincount(flat, weight, minlength=n + 1)[1:]
    part = np.bincount(flat, weight * values.reshape(-1), minlength=n + 1)[1:]
    return np.asarray(np.divide(part, whole, out=np.full(n, np.nan), where=whole > 0.0))


def _date(county: County, day: int) -> str | None:
    """A day after 1 January as an ISO date; None for never."""
    if day == ageing.NEVER:
        return None
    return str((pd.Timestamp(county.season.year, 1, 1) + pd.Timedelta(days=int(day))).date())
