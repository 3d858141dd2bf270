"""Where anybody looked: hazard grids per month, from the whole county's tracks and from each side of every edge."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis import coverage, sensors, sunlight
from geo.analysis import lookouts as watching
from geo.analysis.detection import pod, season_pod
from geo.analysis.pieces import Pieces, walked_pieces
from geo.analysis.resets import current_period
from geo.grid import Grid
from geo.layers import borders
from geo.layers.borders import Strips
from geo.layers.terrain import Terrain
from geo.layers.tracks import Mode, fixes_of
from geo.layers.visits import COURTYARD
from geo.season import Season
from geo.settings import to_mapping
from geo.store import grids
from geo.workspace.county import County

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Effort:
    """
    What the tracks up to a moment amount to.

    `months` are labels (YYYY-MM) whose hazard grids lie in ``grids/``, beside ``air_MONTH`` where flights or passes saw
    anything; `pod` the season's POD of feet, lookouts and sensors (float32, NaN where not plantable); `pod_a`, `pod_b`
    the POD of every strip cell from teams of either side, on foot.
    """

    months: list[str]
    pod: Grid
    pod_a: npt.NDArray[np.float32]
    pod_b: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Survey:
    """What every figure of one moment starts from: ground, edges with their strips, tracks, and what they amount to."""

    terrain: Terrain
    edges: gpd.GeoDataFrame
    strips: Strips
    tracks: gpd.GeoDataFrame
    effort: Effort


def jurisdictions(county: County) -> gpd.GeoDataFrame:
    """Every unit with an edge: townships, department grounds and known neighbours, with ``unit_id, kind, name``."""
    townships, grounds, neighbours = (county.store.read(layer) for layer in ("townships", "grounds", "neighbours"))
    units = borders.units_of(townships, grounds, neighbours)
    names: dict[str, str] = {}
    for table, key in ((townships, "township_id"), (grounds, "ground_id"), (neighbours, "neighbour_id")):
        names |= dict(zip(table[key], table["name"], strict=True))
    return units.assign(name=units["unit_id"].map(names))


def edges_and_strips(county: County) -> tuple[gpd.GeoDataFrame, Strips]:
    """The jurisdiction edges and the cells that belong to each."""
    units = jurisdictions(county)
    edges = borders.shared_edges(units, county.settings.borders)
    return edges, borders.strips(edges, units, frame=county.frame)


def tracks_until(county: County, moment: datetime) -> gpd.GeoDataFrame:
    """
    The tracks begun in the season that ended by a moment, each with the township of its team (None: the county's own).

    ``entered`` (bool): a visit to courtyards is on record for it by then, so buildings hid nothing from it.
    """
    tracks, visits = county.store.read("tracks"), county.store.read("visits")
    begun = (tracks["started_at"] >= county.season.bounds[0]) & (tracks["started_at"] < county.season.bounds[-1])
    inside = visits[(visits["ground"] == COURTYARD) & (visits["visited_at"] <= moment)]["track_id"].dropna()
    tracks = tracks[begun & (tracks["ended_at"] <= moment)].reset_index(drop=True)
    return gpd.GeoDataFrame(tracks.assign(entered=tracks["track_id"].isin(set(inside)).to_numpy(bool)))


def pieces_of(county: County, tracks: gpd.GeoDataFrame) -> tuple[Pieces, npt.NDArray[np.int64]]:
    """What was walked searching on the tracks of `tracks_until`, by the light of its hour, and each piece's period."""
    settings = county.settings.detection
    pieces = walked_pieces(
        fixes_of(tracks), (tracks["mode"] == Mode.FOOT).to_numpy(), settings,
        entered=tracks["entered"].to_numpy(bool), light=lambda seconds: light_at(county, seconds),
    )  # fmt: skip
    return pieces, county.season.period_of(pd.Series(pd.to_datetime(pieces.seconds, unit="s", utc=True)))


def light_at(county: County, seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of the sweep width that the sun over the county's middle leaves at UTC seconds, any shape."""
    longitude, latitude = county.middle
    altitude = sunlight.sun_altitude(seconds, longitude=longitude, latitude=latitude)
    return sunlight.light_share(altitude, county.settings.detection)


def lookouts_until(county: County, moment: datetime) -> gpd.GeoDataFrame:
    """The season's lookouts that ended by a moment; none while the settings let them count for nothing."""
    held = county.store.read("lookouts")
    chosen = (held["started_at"] >= county.season.bounds[0]) & (held["ended_at"] <= moment)
    return held[chosen & (county.settings.lookouts.nats_per_hour > 0.0)].reset_index(drop=True)


@dataclass(frozen=True)
class Overhead:
    """The season's second sensors up to a moment: rows of layers `flights` and `passes`."""

    flights: gpd.GeoDataFrame
    passes: gpd.GeoDataFrame

    def of(self, season: Season, period: int) -> "Overhead":
        """Those of one period; a flight belongs to the period of its first image."""
        begun = self.flights.groupby("flight_id")["taken_at"].transform("min")
        mine = season.period_of(begun) == period if len(self.flights) else np.zeros(0, bool)
        return Overhead(
            gpd.GeoDataFrame(self.flights[mine]),
            gpd.GeoDataFrame(self.passes[season.period_of(self.passes["taken_at"]) == period]),
        )

    def taken(self) -> dict[str, datetime]:
        """When each flight began and each pass was taken, by its id."""
        begun: dict[str, datetime] = self.flights.groupby("flight_id")["taken_at"].min().to_dict()
        return begun | dict(zip(self.passes["pass_id"], self.passes["taken_at"], strict=True))

    def looks(self, county: County, terrain: Terrain) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
        """Every one that saw anything, and its POD; see `sensors.looks_of`."""
        return sensors.looks_of(self.flights, self.passes, terrain, county.season, county.settings.sensors)


def overhead_until(county: County, moment: datetime) -> Overhead:
    """The season's flights and passes taken by a moment."""
    tables = [county.store.read(layer) for layer in ("flights", "passes")]
    begun = county.season.bounds[0]
    held = [table[(table["taken_at"] >= begun) & (table["taken_at"] <= moment)] for table in tables]
    return Overhead(*(gpd.GeoDataFrame(table.reset_index(drop=True)) for table in held))


def air_grid(county: County, month: str) -> npt.NDArray[np.float32] | None:
    """POD of a month's second sensors as kept with the hazard; None where they saw nothing."""
    name = f"air_{month}"
    return grids.read_grid(county.path, name).values if grids.has_grid(county.path, name) else None


def survey(county: County, moment: datetime, progress: Progress) -> Survey:
    """Ground, edges, tracks and effort up to a moment; `StoreError` where the county has no terrain yet."""
    county = county.whole
    terrain = county.terrain()
    edges, strips = edges_and_strips(county)
    tracks, watched = tracks_until(county, moment), lookouts_until(county, moment)
    overhead = overhead_until(county, moment)
    seen = measure_effort(county, terrain, tracks, edges, strips, progress, lookouts=watched, overhead=overhead)
    return Survey(terrain, edges, strips, tracks, seen)


def measure_effort(
    county: County,
    terrain: Terrain,
    tracks: gpd.GeoDataFrame,
    edges: gpd.GeoDataFrame,
    strips: Strips,
    progress: Progress,
    *,
    lookouts: gpd.GeoDataFrame,
    overhead: Overhead,
) -> Effort:
    """Hazard per month on the county's grid and per side on the strips; kept in ``grids/`` until its inputs change."""
    key = _key(county, tracks, edges, lookouts, overhead)
    months = [f"{year}-{month:02d}" for year, month in county.season.months]
    if stamp(county) != key:
        _compute(county, terrain, tracks, edges, strips, months, progress, lookouts=lookouts, overhead=overhead)
        (county.grids / "effort.json").write_text(json.dumps({"key": key}))
    sides = np.load(county.grids / "sides.npz")
    whole = grids.read_grid(county.path, "season_pod")
    return Effort(months, whole, sides["a"], sides["b"])


def _compute(
    county: County,
    terrain: Terrain,
    tracks: gpd.GeoDataFrame,
    edges: gpd.GeoDataFrame,
    strips: Strips,
    months: list[str],
    progress: Progress,
    *,
    lookouts: gpd.GeoDataFrame,
    overhead: Overhead,
) -> None:
    (county.grids / "effort.json").unlink(missing_ok=True)
    settings, frame = county.settings.detection, terrain.elevation.frame
    pieces, period = pieces_of(county, tracks)
    owner, units = pd.factorize(tracks["township_id"].fillna("").to_numpy(dtype=object), sort=True)
    parts = _parted(period, owner[pieces.track], len(units))
    of_a = _strip_cells_of(edges, "township_id", strips)
    of_b = _strip_cells_of(edges, "neighbour_id", strips)
    watched_in = county.season.period_of(lookouts["started_at"])
    seen, seen_a, seen_b = [], [], []
    for number, month in enumerate(months):
        progress(f"{month}", number, len(months))
        hazard = np.zeros(frame.shape, np.int32)
        a, b = np.zeros(len(strips.cells), np.int32), np.zeros(len(strips.cells), np.int32)
        for code, unit in enumerate(units):
            if (number, code) not in parts:
                continue
            mine = pieces.take(parts[number, code])
            window = coverage.reach_window(mine, frame, settings.reach_m)
            local = Grid(np.zeros(window.shape, np.int32), window)
            coverage.accumulate(local, mine, terrain, county.season, settings)
            _add(hazard, local, frame)
            for side, held in ((a, of_a.get(unit)), (b, of_b.get(unit))):
                if held is not None:
                    _add_side(side, held, local, strips, frame)
        for place in np.flatnonzero(watched_in == number):
            one = lookouts.iloc[place]
            local = watching.watched(one, terrain, county.season, settings, county.settings.lookouts)
            _add(hazard, local, frame)
            for side, held in ((a, of_a.get(one["township_id"])), (b, of_b.get(one["township_id"]))):
                if held is not None:
                    _add_side(side, held, local, strips, frame)
        grids.write_grid(county.path, f"hazard_{month}", Grid(hazard, frame))
        seen.append(pod(hazard, settings.availability))
        missed = sensors.missed_by(overhead.of(county.season, number).looks(county, terrain))
        (county.grids / f"air_{month}.tif").unlink(missing_ok=True)
        if missed is not None:
            grids.write_grid(county.path, f"air_{month}", Grid(1.0 - missed, frame))
            seen[-1] = 1.0 - (1.0 - seen[-1]) * missed
        seen_a.append(pod(a, settings.availability))
        seen_b.append(pod(b, settings.availability))
    whole = np.where(terrain.plantable, season_pod(seen), np.float32(np.nan)).astype(np.float32)
    grids.write_grid(county.path, "season_pod", Grid(whole, frame))
    shown = np.where(np.isnan(whole), 255, np.round(np.nan_to_num(whole) * 200)).astype(np.uint8)
    grids.write_grid(county.path, "pod", Grid(shown, frame))
    np.savez(county.grids / "sides.npz", a=season_pod(seen_a), b=season_pod(seen_b))
    progress(months[-1], len(months), len(months))


def _parted(
    period: npt.NDArray[np.int64], owner: npt.NDArray[np.int64], units_n: int
) -> dict[tuple[int, int], npt.NDArray[np.int64]]:
    """Positions of the pieces of each period and owner, in their order."""
    both = period * units_n + owner
    order = np.argsort(both, kind="stable")
    cuts = np.flatnonzero(np.diff(both[order])) + 1
    return {divmod(int(both[part[0]]), units_n): part for part in np.split(order, cuts) if len(part)}


@dataclass(frozen=True)
class Later:
    """Looks at some cells (flat positions) from a moment to the end of its period: hazard, and what sensors missed."""

    period: int
    cells: npt.NDArray[np.int64]
    hazard: npt.NDArray[np.int32]
    missed: npt.NDArray[np.float32]


def looks_since(
    county: County, terrain: Terrain, tracks: gpd.GeoDataFrame, shape: Any, cells: npt.NDArray[np.int64], *,
    since: datetime, until: datetime,
) -> Later:  # fmt: skip
    """
    What was seen of some cells between two moments, in the period of the first, by feet, lookouts and second sensors.

    Parameters
    ----------
    tracks
        Of `tracks_until` the second moment.
    shape, cells
        The ground, and its cells' flat positions in the terrain's frame.
    """
    settings, frame, period = county.settings.detection, terrain.elevation.frame, current_period(county.season, since)
    near = shapely.dwithin(tracks.geometry.to_numpy(), shape, settings.reach_m) & (tracks["ended_at"] >= since)
    pieces, walked_in = pieces_of(county, gpd.GeoDataFrame(tracks[near].reset_index(drop=True)))
    mine = pieces.take((walked_in == period) & (pieces.seconds >= since.timestamp()))
    window, hazard = coverage.reach_window(mine, frame, settings.reach_m), np.zeros(frame.shape, np.int32)
    local = Grid(np.zeros(window.shape, np.int32), window)
    coverage.accumulate(local, mine, terrain, county.season, settings)
    _add(hazard, local, frame)
    watched = lookouts_until(county, until)
    held = (county.season.period_of(watched["started_at"]) == period) & (watched["started_at"] >= since).to_numpy()
    for place in np.flatnonzero(held):
        one = watching.watched(watched.iloc[place], terrain, county.season, settings, county.settings.lookouts)
        _add(hazard, one, frame)
    overhead = overhead_until(county, until).of(county.season, period)
    flights, passes = (table[table["taken_at"] >= since] for table in (overhead.flights, overhead.passes))
    missed = sensors.missed_by(Overhead(gpd.GeoDataFrame(flights), gpd.GeoDataFrame(passes)).looks(county, terrain))
    left = np.ones(len(cells), np.float32) if missed is None else missed.reshape(-1)[cells]
    return Later(period, cells, hazard.reshape(-1)[cells], left)


def _strip_cells_of(edges: gpd.GeoDataFrame, column: str, strips: Strips) -> dict[str, npt.NDArray[np.int64]]:
    """Positions, rising, of the strip cells of each unit that a column of the edges names."""
    number, units = pd.factorize(edges[column].to_numpy(dtype=object))
    of = number[strips.border]
    order = np.argsort(of, kind="stable")
    cuts = np.searchsorted(of[order], np.arange(len(units) + 1))
    return {str(unit): order[begin:end] for unit, begin, end in zip(units, cuts, cuts[1:], strict=False)}


def _offset(local: Grid, frame: Any) -> tuple[int, int]:
    row = round((frame.north_m - local.frame.north_m) / frame.cell_m)
    return row, round((local.frame.west_m - frame.west_m) / frame.cell_m)


def _add(hazard: npt.NDArray[np.int32], local: Grid, frame: Any) -> None:
    row, col = _offset(local, frame)
    hazard[row : row + local.frame.rows, col : col + local.frame.cols] += local.values


def _add_side(
    side: npt.NDArray[np.int32], held: npt.NDArray[np.int64], local: Grid, strips: Strips, frame: Any
) -> None:
    """Add the local grid to one side at the positions `held` of its strip cells; it reaches none outside itself."""
    top, left = _offset(local, frame)
    row, col = np.divmod(strips.cells[held], frame.cols)
    row, col = row - top, col - left
    inside = (row >= 0) & (row < local.frame.rows) & (col >= 0) & (col < local.frame.cols)
    side[held[inside]] += local.values[row[inside], col[inside]]


def _key(
    county: County,
    tracks: gpd.GeoDataFrame,
    edges: gpd.GeoDataFrame,
    lookouts: gpd.GeoDataFrame,
    overhead: Overhead,
) -> str:
    """What the grids rest on: tracks, lookouts, second sensors, ground, edges and settings."""
    ground = {name: grids.fingerprint(county.path, name) for name in ("elevation", "cover")}
    rest = {
        "tracks": [
            list(row)
            for row in zip(
                tracks["track_id"],
                tracks["township_id"].fillna(""),
                tracks["mode"],
                tracks["fixes_n"],
                tracks["entered"],
                strict=True,
            )
        ],
        "ground": ground,
        "edges": list(edges["border_id"]),
        "lookouts": [list(row) for row in lookouts.to_numpy()],
        "overhead": [list(row) for table in (overhead.flights, overhead.passes) for row in table.to_numpy()],
        "settings": {name: held for name, held in to_mapping(county.settings).items() if name not in ("access", "map")},
    }
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=str).encode()).hexdigest()


def stamp(county: County) -> str | None:
    """What the grids now in ``grids/`` rest on; None before the first. Figures and map must share it."""
    file = county.grids / "effort.json"
    return str(json.loads(file.read_text())["key"]) if file.exists() else None
