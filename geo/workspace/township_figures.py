"""The figures of every township and village: shares of ground, detection, probability, effort by class, facts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis import absence, priority, zonal
from geo.analysis.contradictions import found_unrecorded
from geo.analysis.resets import (
    Courtyards,
    courtyard_table,
    find_closings,
    planted,
    tip_sensitivity,
    zero_planting,
    zero_yield,
)
from geo.grid import Grid
from geo.layers.terrain import COVER_NAMES, PLANTABLE, Terrain
from geo.layers.tracks import Mode
from geo.layers.visits import UNREACHED
from geo.season import Season, Stage
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.effort import Effort, Later, Survey
from geo.workspace.kept_figures import kept_grid, plain_row, plain_value

Progress = Callable[[str, int, int], None]
FIGURES = (
    "township_id",
    "name",
    "area_km2",
    "plantable_km2",
    "buffer_share",
    "buffer500_share",
    "pod_mean",
    "detection",
    "detection_low",
    "detection_high",
    "detection_with_courtyards",
    "watched",
    "blind",
    "repeated",
    "p_zero",
    "p_zero_low",
    "p_zero_high",
    "p_zero_prior_50",
    "p_zero_prior_90",
    "plots_left",
    "hours_to_95",
    "effort",
    "finds_n",
    "zero_planting",
    "zero_yield",
    "levers",
    "reasons",
)


def zones_and_risk(county: County, survey: Survey, moment: datetime) -> tuple[Grid, Grid]:
    """Townships and relative risk on the county's grid, kept in ``grids/`` for the map."""
    settings, terrain, edges = county.settings.priority, survey.terrain, survey.edges
    townships, villages, leads, roads, alerts = (
        county.store.read(layer) for layer in ("townships", "villages", "leads", "roads", "alerts")
    )
    placed = leads[leads.geometry.notna()]
    historic = placed["kind"] == "历史点位"
    zones = zonal.zone_grid(townships, terrain.elevation.frame)

    def remote() -> Grid | None:
        walk_m = priority.walking_metres(
            terrain, roads=roads, villages=villages.geometry, planning=county.settings.planning,
            cell_m=settings.remote_cell_m,
        )  # fmt: skip
        return None if walk_m is None else Grid(walk_m, terrain.elevation.frame)

    rests_on: list[Any] = [grids.fingerprint(county.path, name) for name in ("elevation", "cover")]
    rests_on += [roads, villages[["village_id", "geometry"]], asdict(county.settings.planning), settings.remote_cell_m]
    walk = kept_grid(county, "walk", rests_on, remote)
    risk = priority.relative_risk(
        terrain,
        settings=settings,
        edges=edges.geometry,
        spots=placed[historic].geometry,
        leads=placed[~historic & (placed["reported_at"] <= moment)].geometry,
        walk_m=None if walk is None else walk.values,
        alerts=priority.placed_alerts(alerts, edges, as_of=moment),
        designated=priority.designated_areas(alerts, townships, settings=settings, as_of=moment),
    )
    grids.write_grid(county.path, "zones", zones)
    grids.write_grid(county.path, "risk", risk)
    return zones, risk


def township_figures(
    county: County, survey: Survey, zones: Grid, risk: Grid, moment: datetime, report: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures of every township, and those of every village with ground on the map."""
    terrain, tracks, seen = survey.terrain, survey.tracks, survey.effort
    townships, villages = county.store.read("townships"), county.store.read("villages")
    ids = list(townships["township_id"])
    on_foot = tracks[tracks["mode"] == Mode.FOOT]
    near = _passes(county, survey, on_foot.geometry)
    shares = zonal.township_shares(
        zones, zone_ids=ids, risk=risk, pod=np.nan_to_num(seen.pod.values), near=near, settings=county.settings.coverage
    )
    report("p_zero", 1, 3)
    visits, finds = rows_until(county, "visits", "visited_at", moment), rows_until(county, "finds", "found_at", moment)
    found_in = finds["township_id"].fillna(_township_at(finds, zones, ids))
    season = county.season
    parts = zonal.village_parts(zones, villages, zone_ids=ids)
    own_village = villages.assign(township_id=villages["village_id"])
    names = [name or "" for name in parts.village_ids]

    def yards(held: pd.DataFrame) -> Courtyards:
        return courtyard_table(villages, held, zone_ids=ids, season=season, as_of=moment)

    def village_beside(held: pd.DataFrame) -> absence.Beside:
        entered = courtyard_table(own_village, held, zone_ids=names, season=season, as_of=moment).shares
        return absence.Beside(entered, _form_shares(county, held, own_village, names), np.zeros_like(entered))

    closings = find_closings(finds, zones, zone_ids=ids, season=season, as_of=moment)
    closed = {place: verified for place, verified in closings.items() if verified is not None}
    since = None
    if closed:
        later = _later_looks(survey, county, zones, townships, closed, moment)
        owner = visits["village_id"].map(villages.set_index("village_id")["township_id"])
        begun = owner.map({ids[place]: pd.Timestamp(verified) for place, verified in closed.items()})
        kept = visits[~(visits["visited_at"] < pd.to_datetime(begun, utc=True))]
        since = absence.Since(
            _hazards(county, seen.months, later),
            lambda period: _missed_overhead(county, seen.months, period, later),
            yards(kept),
            _form_shares(county, kept, villages, ids),
            village_beside(kept),
        )
    assessed = absence.assess(
        _hazards(county, seen.months),
        zone_ids=ids,
        zones=zones,
        risk=risk,
        terrain=terrain,
        season=county.season,
        settings=county.settings,
        as_of=moment,
        rng=np.random.default_rng(county.settings.absence.seed),
        has_tracks=_walked(county, on_foot, zones, len(ids)),
        finds=finds,
        courtyards=yards(visits),
        class_b=_form_shares(county, visits, villages, ids),
        tips=tip_sensitivity(
            _placed_leads(county, zones, ids),
            zone_ids=ids,
            settings=county.settings.absence,
            season=season,
            as_of=moment,
        ),
        parts=parts,
        village_beside=village_beside(visits),
        since=since,
        sensed=lambda period: _missed_overhead(county, seen.months, period),
    )
    report("done", 3, 3)
    figures = shares.drop(columns="detection").join(assessed.townships).reset_index()
    visited_in = _visited_in(county, visits, zones, ids)
    efforts = effort_classes(tracks, visits, visited_in, ids)
    claimed_in = visited_in[found_unrecorded(visits, finds).index]
    reasons = [_with_effort(*pair) for pair in zip(figures["reasons"], efforts, strict=True)]
    unseen = [said.get("detection") in ("no_track", "forms_only") for said in reasons]
    figures.loc[unseen, ["pod_mean", "watched", "blind", "repeated", "buffer_share", "buffer500_share"]] = np.nan
    figures = figures.assign(
        name=townships["name"],
        effort=pd.Series(efforts),
        reasons=pd.Series(reasons),
        finds_n=[int((found_in == i).sum()) for i in ids],
        **_township_facts(county, planted(finds), (found_in, claimed_in), ids, moment),
    )
    figures.attrs["county"] = assessed.county
    return figures[list(FIGURES)], assessed.villages.reset_index()


def _passes(county: County, survey: Survey, on_foot: gpd.GeoSeries) -> zonal.Passes:
    """Where the season's foot tracks passed, kept until tracks, ground or settings are others."""
    frame, knobs = survey.terrain.elevation.frame, county.settings.coverage

    def made() -> Grid:
        near = zonal.passes(on_foot, frame, knobs)
        return Grid(near.days | near.wide.astype(np.uint8) << 2, frame)

    kept = kept_grid(county, "passes", [effort.stamp(county), asdict(knobs)], made)
    held = kept.values
    days = (held & 0b11).astype(np.uint8)
    return zonal.Passes(days > 0, held >> 2 > 0, days)


def _township_facts(
    county: County, finds: pd.DataFrame, places: tuple[pd.Series, pd.Series], ids: list[str], moment: datetime
) -> dict[str, pd.Series]:
    """
    Per township the two facts of the year: no find at all, and every find destroyed before it could be lanced.

    `places` are the townships of all finds, and of the visits that tell of plants no find tells of.
    """
    found_in, claimed_in = places
    mine = [(finds[found_in.loc[finds.index] == i], int((claimed_in == i).sum())) for i in ids]
    settings = county.settings.absence
    held = [zero_yield(table, settings, moment, claimed_n=claimed) for table, claimed in mine]
    return {
        "zero_planting": pd.Series([zero_planting(table, claimed_n=claimed) for table, claimed in mine], dtype=object),
        "zero_yield": pd.Series(held, dtype=object),
    }


def _with_effort(reasons: dict[str, str], effort: dict[str, dict[str, float]]) -> dict[str, str]:
    """
    The reasons with what the evidence classes add to them.

    Where nobody's track reached the ground but visits are on record, the figures read forms_only. Where a track of
    others did while the township's own teams have none, they stand, and the note says whose they are.
    """
    forms = effort["B"]["records_n"] + effort["C"]["records_n"] > 0
    if reasons.get("detection") == "no_track":
        return {k: "forms_only" if forms and said == "no_track" else said for k, said in reasons.items()}
    if "detection" not in reasons and not effort["A"]["records_n"]:
        return reasons | {"effort": "others_tracks_forms" if forms else "others_tracks"}
    return reasons


def _placed_leads(county: County, zones: Grid, ids: list[str]) -> pd.DataFrame:
    """The season's leads with the township of their village or place; None where neither is known."""
    leads = county.store.read("leads")
    known = leads["village_id"].map(county.store.read("villages").set_index("village_id")["township_id"])
    return leads.assign(township_id=known.fillna(_township_at(leads, zones, ids)))


def effort_classes(
    tracks: pd.DataFrame, visits: pd.DataFrame, visited_in: pd.Series, township_ids: list[str]
) -> list[dict[str, dict[str, float]]]:
    """
    Per township the work of each evidence class, side by side: records, hours and (A) kilometres walked.

    A counts foot tracks of the township's teams; B and C the visits without a track that came to their place, by the
    township visited (`visited_in`, a township_id per visit).
    """
    came = visits["outcome"] != UNREACHED
    hours = (tracks["ended_at"] - tracks["started_at"]).dt.total_seconds() / 3600.0
    answers = []
    for township in township_ids:
        mine = (tracks["township_id"] == township) & (tracks["mode"] == Mode.FOOT)
        classes = {"A": _effort(int(mine.sum()), float(hours[mine].sum()), float(tracks.loc[mine, "length_m"].sum()))}
        for letter in ("B", "C"):
            held = visits[came & (visited_in == township) & (visits["evidence"] == letter)]
            classes[letter] = _effort(len(held), float(held["hours"].sum()), 0.0)
        answers.append(classes)
    return answers


def _effort(records_n: int, hours: float, walked_m: float) -> dict[str, float]:
    return {"records_n": records_n, "hours": round(hours, 1), "walked_km": round(walked_m / 1000.0, 1)}


def _later_looks(
    survey: Survey,
    county: County,
    zones: Grid,
    townships: gpd.GeoDataFrame,
    closed: dict[int, datetime],
    moment: datetime,
) -> list[Later]:
    """Per township (0-based) with verified finds, what was looked at after the last verification in its period."""
    shapes = townships.geometry.to_numpy()
    return [
        effort.looks_since(
            county, survey.terrain, survey.tracks, shapes[place], np.flatnonzero(zones.values == place + 1),
            since=verified, until=moment,
        )
        for place, verified in closed.items()
    ]  # fmt: skip


def _hazards(county: County, months: list[str], later: Sequence[Later] = ()) -> Iterator[tuple[int, Grid]]:
    """The months' hazard grids, last first: what `absence.assess` reads; `later` takes the place of its cells."""
    for period, month in reversed(list(enumerate(months))):
        grid = grids.read_grid(county.path, f"hazard_{month}")
        for one in later:
            if one.period == period:
                grid.values.reshape(-1)[one.cells] = one.hazard
        yield period, grid


def _missed_overhead(county: County, months: list[str], period: int, later: Sequence[Later] = ()) -> Any:
    """What a month's flights and passes have missed, cell by cell; None where they saw nothing."""
    seen = effort.air_grid(county, months[period])
    if seen is None:
        return None
    missed = np.float32(1.0) - seen
    for one in later:
        if one.period == period:
            missed.reshape(-1)[one.cells] = one.missed
    return missed


def _walked(county: County, tracks: gpd.GeoDataFrame, zones: Grid, n: int) -> Any:
    """(zones, periods) whether a foot track passed in the zone."""
    walked = np.zeros((n, len(county.season.months)), bool)
    places, _ = shapely.get_coordinates(tracks.geometry.to_numpy(), include_m=True, include_z=True, return_index=True)
    if not len(places):
        return walked
    period = county.season.period_of(pd.Series(pd.to_datetime(places[:, 3], unit="s", utc=True)))
    row, col = zones.frame.cells(places[:, 0], places[:, 1])
    held = zones.frame.holds(places[:, 0], places[:, 1]) & (period >= 0)
    zone = zones.values[row[held], col[held]]
    walked[zone[zone > 0] - 1, period[held][zone > 0]] = True
    return walked


def _form_shares(county: County, visits: pd.DataFrame, villages: pd.DataFrame, ids: list[str]) -> Any:
    """(zones, periods) share of a township's villages with a signed form (class B) in the period."""
    shares = np.zeros((len(ids), len(county.season.months)))
    of_village = villages.set_index("village_id")["township_id"]
    forms = visits[(visits["evidence"] == "B") & visits["village_id"].isin(of_village.index)]
    period = county.season.period_of(forms["visited_at"]) if len(forms) else np.zeros(0, int)
    owner = forms["village_id"].map(of_village)
    counts = of_village.value_counts()
    seen = forms.groupby([owner, period])["village_id"].nunique()
    for key, number in zip(list(seen.index), seen.to_numpy(), strict=True):
        if key[1] >= 0 and key[0] in ids:
            shares[ids.index(key[0]), key[1]] = number / counts[key[0]]
    return shares


def _visited_in(county: County, visits: pd.DataFrame, zones: Grid, ids: list[str]) -> pd.Series:
    """The township each visit was made in: of its village, its parcel, its place, or else of its team."""
    owner = pd.Series(None, index=visits.index, dtype=object)
    for layer, key in (("villages", "village_id"), ("parcels", "parcel_id")):
        known = county.store.read(layer).set_index(key)["township_id"]
        owner = owner.fillna(visits[key].map(known))
    teams = county.store.read("teams").set_index("team_id")["township_id"]
    return owner.fillna(_township_at(visits, zones, ids)).fillna(visits["team_id"].map(teams))


def _township_at(rows: pd.DataFrame, zones: Grid, ids: list[str]) -> pd.Series:
    """The township each row's place lies in; None without a place, or outside."""
    owner = pd.Series(None, index=rows.index, dtype=object)
    shapes = gpd.GeoSeries(rows["geometry"])
    points = shapes[shapes.notna() & ~shapes.is_empty].representative_point()
    held = points[zones.frame.holds(points.x, points.y)]
    zone = zones.values[zones.frame.cells(held.x, held.y)]
    owner.loc[held.index[zone > 0]] = [ids[number - 1] for number in zone[zone > 0]]
    return owner


def county_facts(
    county: County, terrain: Terrain, figures: pd.DataFrame, finds: pd.DataFrame, moment: datetime
) -> dict[str, Any]:
    """The facts of the year beside the county's probability: zero planting, zero yield, finds not yet destroyed."""
    claimed_n = len(found_unrecorded(rows_until(county, "visits", "visited_at", moment), finds))
    finds = planted(finds)
    destroyed = (finds["fraction"] >= 1.0) & (finds["destroyed_at"] <= moment)
    held = zero_yield(finds, county.settings.absence, moment, claimed_n=claimed_n)
    facts = {
        "claimed_n": claimed_n,
        "finds_n": len(finds),
        "finds_standing_n": int((~destroyed).sum()),
        "zero_planting": zero_planting(finds, claimed_n=claimed_n),
        "zero_yield": held,
        "zero_yield_reason": None if held is not None else "find_unrecorded" if claimed_n else "find_standing",
        "unseen_yield": _unseen_yield(county.season, terrain, figures.attrs["county"]["p_zero"], moment),
    }
    probability = {k: plain_value(v) for k, v in figures.attrs["county"].items()}
    return facts | probability | {"detection_lowest": plain_value(figures["detection"].min())}


def learned_cover(terrain: Terrain, risk: Grid, seen: Effort, finds: pd.DataFrame) -> list[dict[str, Any]]:
    """What the season's finds, weighed by the effort that could have made them, say of each cover: for next season."""
    cover, work = terrain.cover, np.zeros(256)
    for top in range(0, cover.frame.rows, zonal.BLOCK_ROWS):
        rows = slice(top, top + zonal.BLOCK_ROWS)
        weight = risk.values[rows] * np.nan_to_num(seen.pod.values[rows])
        work += np.bincount(cover.values[rows].ravel(), weight.ravel(), minlength=256)
    points = gpd.GeoSeries(finds["geometry"]).dropna()
    held = points[cover.frame.holds(points.x, points.y)]
    counts = np.bincount(cover.values[cover.frame.cells(held.x, held.y)], minlength=256)
    some = [int(kind) for kind in PLANTABLE]
    names = {int(kind): name for name, kind in COVER_NAMES.items()}
    table = priority.learned_rates(counts[some], work[some])
    return [plain_row(row) | {"cover": names[kind]} for kind, row in zip(some, table.to_dict("records"), strict=True)]


def _unseen_yield(season: Season, terrain: Terrain, p_zero: Any, moment: datetime) -> float | None:
    """Chance that a plot nobody saw has reached lancing: none before capsules, at most 1 - p_zero from then on."""
    if season.stage_of(season.day_of(moment), float(np.nanmin(terrain.elevation.values))) < Stage.CAPSULE:
        return 0.0
    return None if p_zero is None else 1.0 - float(p_zero)


def rows_until(county: County, layer: str, column: str, moment: datetime) -> pd.DataFrame:
    """Rows of a layer whose `column` falls within the season, up to a moment."""
    rows = county.store.read(layer)
    return rows[(rows[column] <= moment) & (rows[column] >= county.season.bounds[0])].reset_index(drop=True)
