"""The figures: coverage and probability per township, and who saw which strip of which edge."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis import absence, blind_spots, priority, zonal
from geo.analysis.detection import sweep_widths
from geo.analysis.resets import (
    Courtyards,
    courtyard_table,
    current_period,
    find_closings,
    planted,
    tip_sensitivity,
    zero_yield,
)
from geo.analysis.trend import seen_by_period
from geo.grid import Frame, Grid
from geo.layers.duties import post_of
from geo.layers.terrain import COVER_NAMES, PLANTABLE, Terrain
from geo.layers.tracks import Mode
from geo.season import Season, Stage
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.effort import Effort, Later, Survey
from geo.workspace.rights import DESKTOP, Actor

Progress = Callable[[str, int, int], None]
TREND_ROWS = 512
FORM = 4
"""Kept figures of another form are computed anew."""
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


@dataclass(frozen=True)
class CoverageAnswer:
    """Per township the figures of conventions.md, and what they rest on."""

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    townships: pd.DataFrame
    villages: pd.DataFrame
    county: dict[str, Any]
    notes: list[str]

    def json(self) -> dict[str, Any]:
        """The coverage contract; figures nobody can compute are null, with the reason beside them."""
        return {
            "as_of": self.as_of.isoformat(),
            "assumptions": self.assumptions,
            "ledger_head": self.ledger_head,
            "notes": self.notes,
            "county": self.county,
            "townships": [_plain(row) for row in self.townships.to_dict("records")],
            "villages": [_plain(row) for row in self.villages.to_dict("records")],
        }


@dataclass(frozen=True)
class BordersAnswer:
    """Per shared edge who saw how much of its strip, and the blind spots, ranked."""

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    borders: gpd.GeoDataFrame
    blind_spots: gpd.GeoDataFrame
    notes: list[str]

    def json(self) -> dict[str, Any]:
        """The borders contract; `blind_spots` of a border are ids of the ranked list beside it."""
        listed = self.blind_spots.drop(columns="geometry")
        by_border = listed.groupby("border_id")["blind_spot_id"].apply(list).to_dict() if len(listed) else {}
        rows = pd.DataFrame(self.borders.drop(columns="geometry")).to_dict("records")
        return {
            "as_of": self.as_of.isoformat(),
            "assumptions": self.assumptions,
            "ledger_head": self.ledger_head,
            "notes": self.notes,
            "borders": [_plain(row) | {"blind_spots": by_border.get(row["border_id"], [])} for row in rows],
            "blind_spots": [_plain(row) for row in listed.to_dict("records")],
        }


def measure_coverage(
    county: County, *, as_of: datetime | None = None, progress: Progress | None = None
) -> CoverageAnswer:
    """
    Detection, shares and the chance that nothing stands undetected, per township, up to a moment.

    Raises
    ------
    StoreError
        Where the county has no terrain yet.
    """
    moment = as_of or county.as_of()
    report = progress or _silent
    if county.actor != DESKTOP:
        return own_coverage(measure_coverage(county.whole, as_of=moment, progress=progress), county.actor)
    kept = _kept_coverage(county, moment)
    if kept is not None:
        return kept
    return _coverage(county, effort.survey(county, moment, report), moment, report)


def _kept_coverage(county: County, moment: datetime) -> CoverageAnswer | None:
    kept = _kept(county, "coverage", moment)
    if kept is None:
        return None
    tables = pd.DataFrame(kept["townships"]), pd.DataFrame(kept["villages"])
    return CoverageAnswer(moment, _head(county), assumptions(county.settings), *tables, kept["county"], kept["notes"])


def _coverage(county: County, survey: Survey, moment: datetime, report: Progress) -> CoverageAnswer:
    """The figures computed and kept."""
    report("shares", 0, 3)
    zones, risk = _ground(county, survey, moment)
    figures, parts = _figures(county, survey, zones, risk, moment, report)
    finds = _until(county, "finds", "found_at", moment)
    facts = _county_facts(county, survey.terrain, figures, finds, moment)
    facts["learned_cover"] = _learned_cover(survey.terrain, risk, survey.effort, finds)
    rows, below = ([_plain(row) for row in table.to_dict("records")] for table in (figures, parts))
    notes = _notes(county)
    _keep(county, "coverage", moment, {"townships": rows, "villages": below, "county": facts, "notes": notes})
    tables = pd.DataFrame(rows), pd.DataFrame(below, columns=list(parts.columns))
    return CoverageAnswer(moment, _head(county), assumptions(county.settings), *tables, facts, notes)


def measure_borders(
    county: County, *, as_of: datetime | None = None, progress: Progress | None = None
) -> BordersAnswer:
    """Every jurisdiction edge with who saw its strip, and the blind spots; without terrain only the register."""
    moment = as_of or county.as_of()
    report = progress or _silent
    if county.actor != DESKTOP:
        return own_borders(measure_borders(county.whole, as_of=moment, progress=progress), county.actor)
    kept = kept_borders(county, as_of=moment)
    if kept is not None:
        return kept
    survey = effort.survey(county, moment, report) if county.has_terrain() else None
    return _borders(county, survey, moment, report)


def _borders(county: County, survey: Survey | None, moment: datetime, report: Progress) -> BordersAnswer:
    """The figures computed and kept; without a survey (no terrain yet) only the register."""
    if survey is not None:
        edges, strips = survey.edges, survey.strips
        plantable = survey.terrain.plantable.reshape(-1)[strips.cells]
        pod_a, pod_b = survey.effort.pod_a, survey.effort.pod_b
        unheard = edges["neighbour_id"].isin(_unheard(county)).to_numpy()[strips.border]
        pod_b = np.where(unheard, np.float32(np.nan), pod_b)
        spots = _blind_spots(county, survey, moment, report)
    else:
        edges, strips = effort.edges_and_strips(county)
        pod_a = pod_b = np.zeros(len(strips.cells), np.float32)
        plantable = np.zeros(len(strips.cells), bool)
        spots = _no_spots(county)
    figures = blind_spots.border_statistics(
        strips, edges, pod_a=pod_a, pod_b=pod_b, plantable=plantable, settings=county.settings.coverage
    )
    table = _with_posts(county, edges.merge(figures, on="border_id"), moment)
    _keep(
        county,
        "borders",
        moment,
        {"borders": _to_plain(table), "blind_spots": _to_plain(spots), "notes": _notes(county)},
    )
    return BordersAnswer(moment, _head(county), assumptions(county.settings), table, spots, _notes(county))


def _unheard(county: County) -> set[str]:
    """Neighbouring counties whose teams are not on record: what they looked at is not known, and no 0."""
    neighbours, teams, lookouts = (county.store.read(layer) for layer in ("neighbours", "teams", "lookouts"))
    return set(neighbours["neighbour_id"]) - set(teams["township_id"]) - set(lookouts["township_id"])


def measure_both(
    county: County, *, as_of: datetime | None = None, progress: Progress | None = None
) -> tuple[CoverageAnswer, BordersAnswer]:
    """`measure_coverage` and `measure_borders` of one moment, the ground surveyed once for both."""
    moment = as_of or county.as_of()
    report = progress or _silent
    whole = county.whole
    inner, edges = _kept_coverage(whole, moment), kept_borders(whole, as_of=moment)
    if inner is None or edges is None:
        survey = effort.survey(whole, moment, report)
        inner = inner or _coverage(whole, survey, moment, report)
        edges = edges or _borders(whole, survey, moment, report)
    if county.actor != DESKTOP:
        return own_coverage(inner, county.actor), own_borders(edges, county.actor)
    return inner, edges


def kept_borders(county: County, *, as_of: datetime | None = None) -> BordersAnswer | None:
    """What `measure_borders` would answer, where it was measured already; None where that would take work."""
    moment = as_of or county.as_of()
    if county.actor != DESKTOP:
        whole = kept_borders(county.whole, as_of=moment)
        return None if whole is None else own_borders(whole, county.actor)
    kept = _kept(county, "borders", moment)
    if kept is None:
        return None
    tables = [_from_plain(kept[name], county) for name in ("borders", "blind_spots")]
    return BordersAnswer(moment, _head(county), assumptions(county.settings), tables[0], tables[1], kept["notes"])


def own_coverage(answer: CoverageAnswer, actor: Actor) -> CoverageAnswer:
    """The figures of somebody's own townships; those of the county as a whole are for all."""
    if actor.whole:
        return answer
    own = [
        table[table["township_id"].isin(actor.grounds)].reset_index(drop=True) if len(table) else table
        for table in (answer.townships, answer.villages)
    ]
    return replace(answer, townships=own[0], villages=own[1])


def own_borders(answer: BordersAnswer, actor: Actor) -> BordersAnswer:
    """The edges that touch somebody's own ground, and the blind spots on it; nobody's for a team."""
    if actor.whole:
        return answer
    edges, spots = answer.borders, answer.blind_spots
    either = edges["township_id"].isin(actor.grounds) | edges["neighbour_id"].isin(actor.grounds)
    mine = spots["township_id"].isin(actor.grounds) | spots["border_id"].isin(edges.loc[either, "border_id"])
    return replace(
        answer,
        borders=gpd.GeoDataFrame(edges[either].reset_index(drop=True)),
        blind_spots=gpd.GeoDataFrame(spots[mine].reset_index(drop=True)),
    )


def _ground(county: County, survey: Survey, moment: datetime) -> tuple[Grid, Grid]:
    """Townships and relative risk on the county's grid, kept in ``grids/`` for the map."""
    settings, terrain, edges = county.settings.priority, survey.terrain, survey.edges
    townships, villages, leads, roads, alerts = (
        county.store.read(layer) for layer in ("townships", "villages", "leads", "roads", "alerts")
    )
    placed = leads[leads.geometry.notna()]
    historic = placed["kind"] == "历史点位"
    zones = zonal.zone_grid(townships, terrain.elevation.frame)
    risk = priority.relative_risk(
        terrain,
        settings=settings,
        edges=edges.geometry,
        spots=placed[historic].geometry,
        leads=placed[~historic & (placed["reported_at"] <= moment)].geometry,
        walk_m=priority.walking_metres(
            terrain, roads=roads, villages=villages.geometry, planning=county.settings.planning,
            cell_m=settings.remote_cell_m,
        ),
        alerts=priority.placed_alerts(alerts, edges, as_of=moment),
        designated=priority.designated_areas(alerts, townships, settings=settings, as_of=moment),
    )  # fmt: skip
    grids.write_grid(county.path, "zones", zones)
    grids.write_grid(county.path, "risk", risk)
    return zones, risk


def _figures(
    county: County, survey: Survey, zones: Grid, risk: Grid, moment: datetime, report: Progress
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The figures of every township, and those of every village with ground on the map."""
    terrain, tracks, seen = survey.terrain, survey.tracks, survey.effort
    townships, villages = county.store.read("townships"), county.store.read("villages")
    ids = list(townships["township_id"])
    on_foot = tracks[tracks["mode"] == Mode.FOOT]
    near = zonal.passes(on_foot.geometry, terrain.elevation.frame, county.settings.coverage)
    shares = zonal.township_shares(
        zones, zone_ids=ids, risk=risk, pod=np.nan_to_num(seen.pod.values), near=near, settings=county.settings.coverage
    )
    report("p_zero", 1, 3)
    visits, finds = _until(county, "visits", "visited_at", moment), _until(county, "finds", "found_at", moment)
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
    efforts = effort_classes(tracks, visits, _visited_in(county, visits, zones, ids), ids)
    reasons = [_with_effort(*pair) for pair in zip(figures["reasons"], efforts, strict=True)]
    unseen = [said.get("detection") in ("no_track", "forms_only") for said in reasons]
    figures.loc[unseen, ["pod_mean", "watched", "blind", "repeated", "buffer_share", "buffer500_share"]] = np.nan
    figures = figures.assign(
        name=townships["name"],
        effort=pd.Series(efforts),
        reasons=pd.Series(reasons),
        finds_n=[int((found_in == i).sum()) for i in ids],
        **_township_facts(county, planted(finds), found_in, ids, moment),
    )
    figures.attrs["county"] = assessed.county
    return figures[list(FIGURES)], assessed.villages.reset_index()


def _township_facts(
    county: County, finds: pd.DataFrame, found_in: pd.Series, ids: list[str], moment: datetime
) -> dict[str, pd.Series]:
    """Per township the two facts of the year: no find at all, and every find destroyed before it could be lanced."""
    mine = [finds[found_in.loc[finds.index] == i] for i in ids]
    held = [zero_yield(table, county.settings.absence, moment) for table in mine]
    return {
        "zero_planting": pd.Series([table.empty for table in mine], dtype=object),
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

    A counts foot tracks of the township's teams; B and C the visits without a track, by the township visited
    (`visited_in`, a township_id per visit).
    """
    hours = (tracks["ended_at"] - tracks["started_at"]).dt.total_seconds() / 3600.0
    answers = []
    for township in township_ids:
        mine = (tracks["township_id"] == township) & (tracks["mode"] == Mode.FOOT)
        classes = {"A": _effort(int(mine.sum()), float(hours[mine].sum()), float(tracks.loc[mine, "length_m"].sum()))}
        for letter in ("B", "C"):
            held = visits[(visited_in == township) & (visits["evidence"] == letter)]
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


def _until(county: County, layer: str, column: str, moment: datetime) -> pd.DataFrame:
    rows = county.store.read(layer)
    return rows[(rows[column] <= moment) & (rows[column] >= county.season.bounds[0])].reset_index(drop=True)


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


def _county_facts(
    county: County, terrain: Terrain, figures: pd.DataFrame, finds: pd.DataFrame, moment: datetime
) -> dict[str, Any]:
    """The facts of the year beside the county's probability: zero planting, zero yield, finds not yet destroyed."""
    finds = planted(finds)
    destroyed = (finds["fraction"] >= 1.0) & (finds["destroyed_at"] <= moment)
    held = zero_yield(finds, county.settings.absence, moment)
    facts = {
        "finds_n": len(finds),
        "finds_standing_n": int((~destroyed).sum()),
        "zero_planting": finds.empty,
        "zero_yield": held,
        "zero_yield_reason": "find_standing" if held is None else None,
        "unseen_yield": _unseen_yield(county.season, terrain, figures.attrs["county"]["p_zero"], moment),
    }
    probability = {k: _value(v) for k, v in figures.attrs["county"].items()}
    return facts | probability | {"detection_lowest": _value(figures["detection"].min())}


def _learned_cover(terrain: Terrain, risk: Grid, seen: Effort, finds: pd.DataFrame) -> list[dict[str, Any]]:
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
    return [_plain(row) | {"cover": names[kind]} for kind, row in zip(some, table.to_dict("records"), strict=True)]


def _unseen_yield(season: Season, terrain: Terrain, p_zero: Any, moment: datetime) -> float | None:
    """Chance that a plot nobody saw has reached lancing: none before capsules, at most 1 - p_zero from then on."""
    if season.stage_of(season.day_of(moment), float(np.nanmin(terrain.elevation.values))) < Stage.CAPSULE:
        return 0.0
    return None if p_zero is None else 1.0 - float(p_zero)


def _blind_spots(county: County, survey: Survey, moment: datetime, report: Progress) -> gpd.GeoDataFrame:
    """Blind spots ranked by posterior mass per hour, with the posts that answer on both sides."""
    figures = _kept_coverage(county, moment) or _coverage(county, survey, moment, report)
    p_zero = figures.townships.set_index("township_id")["p_zero"]
    terrain, edges, strips = survey.terrain, survey.edges, survey.strips
    report("blind spots", 0, 1)
    zones, risk = (grids.read_grid(county.path, name) for name in ("zones", "risk"))
    ids = list(county.store.read("townships")["township_id"])
    pod = Grid(np.nan_to_num(survey.effort.pod.values), terrain.elevation.frame)
    chance = p_zero.reindex(ids).astype("float64").fillna(county.settings.absence.prior)
    present = 1.0 - np.asarray(chance, np.float64)
    warm = priority.warm_finds(county.store.read("finds"), as_of=moment)
    risk = priority.warmed(risk, warm, county.settings.priority)
    mass = priority.posterior_mass(risk, pod, zones=zones, present=present)
    frame, day = terrain.elevation.frame, county.season.day_of(moment)
    widths = sweep_widths(terrain, county.season, county.settings.detection, day=day)
    speed = county.settings.detection.search_speed_kmh
    spots = blind_spots.blind_spots(
        pod,
        mass,
        hours=Grid(blind_spots.search_hours(widths, cell_m=frame.cell_m, speed_kmh=speed), frame),
        plantable=terrain.plantable,
        zones=zones,
        township_ids=ids,
        settings=county.settings.coverage,
        strips=strips,
        borders=edges,
    )
    return _with_posts(county, spots, moment)


def _no_spots(county: County) -> gpd.GeoDataFrame:
    columns = [
        "blind_spot_id",
        "township_id",
        "neighbour_id",
        "border_id",
        "area_m2",
        "mass",
        "hours",
        "mass_per_hour",
        "rank",
    ]
    return gpd.GeoDataFrame(columns=[*columns, "both_answer", "geometry"], geometry="geometry", crs=county.crs)


def _with_posts(county: County, table: gpd.GeoDataFrame, moment: datetime) -> gpd.GeoDataFrame:
    """Both owners' names and posts beside their ids; an unknown neighbour has neither."""
    units = effort.jurisdictions(county).set_index("unit_id")["name"]
    duties = county.store.read("duties")
    sides = {}
    for column, prefix in (("township_id", "township"), ("neighbour_id", "neighbour")):
        sides[f"{prefix}_name"] = table[column].map(units)
        known = {unit: post_of(unit, duties, moment) for unit in table[column].dropna().unique()}
        sides[f"{prefix}_posts"] = table[column].map(known)
    return table.assign(**sides)


def _notes(county: County) -> list[str]:
    """Codes of what the user should know about the ground the figures rest on."""
    notes = []
    if county.has_terrain() and not grids.has_grid(county.path, "cover"):
        notes.append("note_no_cover")
    if not county.has_terrain():
        notes.append("note_no_terrain")
    if county.settings.made_up:
        notes.append("note_made_up")
    return notes


def measure_trend(county: County, *, as_of: datetime | None = None) -> dict[str, Any]:
    """
    Detection at the end of each month so far: ``months``, ``county`` and ``townships`` (values by township_id).

    Of the tracks and the relative risk known at the moment; None where nothing can be planted.
    """
    moment = as_of or county.as_of()
    whole = county.whole
    measure_coverage(whole, as_of=moment)  # the grids of this moment
    kept = _kept(whole, "trend", moment)
    if kept is None:
        ids = list(whole.store.read("townships")["township_id"])
        labels = [f"{year}-{month:02d}" for year, month in whole.season.months]
        labels = labels[: max(current_period(whole.season, moment), 0) + 1]
        frame = grids.grid_frame(whole.path, "zones")
        sums = [_seen_in(whole, frame.window(top, 0, min(TREND_ROWS, frame.rows - top), frame.cols), labels, len(ids))
                for top in range(0, frame.rows, TREND_ROWS)]  # fmt: skip
        seen, risk = (np.sum([one[part] for one in sums], axis=0) for part in (0, 1))
        with np.errstate(invalid="ignore", divide="ignore"):
            shares, total = seen / risk[:, None], seen.sum(axis=0) / risk.sum()
        rows = {name: _value(list(row)) for name, row in zip(ids, shares, strict=True)}
        kept = {"months": labels, "county": _value(list(total)), "townships": rows}
        _keep(whole, "trend", moment, kept)
    own = {name: row for name, row in kept["townships"].items() if county.actor.whole or name in county.actor.grounds}
    return {"months": kept["months"], "county": kept["county"], "townships": own}


def _seen_in(county: County, window: Frame, labels: list[str], n: int) -> tuple[Any, Any]:
    """What `seen_by_period` says of some rows of the county."""
    zones, risk = (grids.read_grid(county.path, name, window) for name in ("zones", "risk"))
    hazards = (grids.read_grid(county.path, f"hazard_{label}", window) for label in labels)
    a = county.settings.detection.availability
    return seen_by_period(hazards, zones=zones, risk=risk, zones_n=n, availability=a)


def _head(county: County) -> str | None:
    head = county.store.head()
    return head.hash if head else None


def _key(county: County, moment: datetime) -> str:
    """Figures hold while nothing but plans was recorded since, the ground is the same, and the moment is."""
    ground = {name: grids.fingerprint(county.path, name) for name in ("elevation", "cover")}
    rest = [FORM, _last_record(county), moment.isoformat(), ground, assumptions(county.settings)]
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _last_record(county: County) -> int:
    """Number of the last ledger entry that is no plan, 0 without one; the chain is looked at from its end."""
    head = county.store.head()
    back = 64
    while head is not None:
        after = max(head.seq - back, 0)
        found = [entry.seq for entry in county.store.entries(after) if entry.kind not in ("plan", "plan_conflict")]
        if found or not after:
            return max(found, default=0)
        back *= 4
    return 0


def _kept(county: County, name: str, moment: datetime) -> dict[str, Any] | None:
    file = county.grids / f"{name}.json"
    if not file.exists():
        return None
    kept: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return kept if (kept.get("key"), kept.get("effort")) == (_key(county, moment), effort.stamp(county)) else None


def _keep(county: County, name: str, moment: datetime, plain: dict[str, Any]) -> None:
    county.grids.mkdir(exist_ok=True)
    stamps = {"key": _key(county, moment), "effort": effort.stamp(county)}
    text = json.dumps(plain | stamps, ensure_ascii=False, allow_nan=False)
    part = county.grids / f"{name}.json.part"
    part.write_text(text, "utf-8")
    part.replace(county.grids / f"{name}.json")


def _to_plain(table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    rows = pd.DataFrame(table.drop(columns="geometry")).to_dict("records")
    return [_plain(row) | {"wkb": shape.wkb_hex} for row, shape in zip(rows, table.geometry, strict=True)]


def _from_plain(rows: list[dict[str, Any]], county: County) -> gpd.GeoDataFrame:
    plain: list[dict[str, Any]] = [{k: v for k, v in row.items() if k != "wkb"} for row in rows]
    table = pd.DataFrame(plain)
    if table.empty:
        return _no_spots(county)
    return gpd.GeoDataFrame(table, geometry=shapely.from_wkb([row["wkb"] for row in rows]), crs=county.crs)


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """A JSON value; NaN and the like become null."""
    if isinstance(value, dict):
        return {k: _value(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_value(v) for v in value]
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return None if value != value else round(value, 9)
    return value


def _silent(what: str, done: int, total: int) -> None:
    """Progress nobody asked for."""
