"""The figures: coverage and probability per township, and who saw which strip of which edge."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis import blind_spots, priority
from geo.analysis.detection import sweep_widths
from geo.analysis.resets import (
    current_period,
)
from geo.analysis.trend import seen_by_period
from geo.grid import Frame, Grid
from geo.layers.duties import posts_by_unit
from geo.settings import assumptions
from geo.store import grids
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.effort import Survey
from geo.workspace.kept_figures import from_plain, head_of, keep_answer, kept_answer, plain_row, plain_value, to_plain
from geo.workspace.rights import DESKTOP, Actor
from geo.workspace.township_figures import county_facts, learned_cover, rows_until, township_figures, zones_and_risk

Progress = Callable[[str, int, int], None]
TREND_ROWS = 512


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
            "townships": [plain_row(row) for row in self.townships.to_dict("records")],
            "villages": [plain_row(row) for row in self.villages.to_dict("records")],
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
            "borders": [plain_row(row) | {"blind_spots": by_border.get(row["border_id"], [])} for row in rows],
            "blind_spots": [plain_row(row) for row in listed.to_dict("records")],
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
    kept = kept_answer(county, "coverage", moment)
    if kept is None:
        return None
    tables = pd.DataFrame(kept["townships"]), pd.DataFrame(kept["villages"])
    return CoverageAnswer(moment, head_of(county), assumptions(county.settings), *tables, kept["county"], kept["notes"])


def _coverage(county: County, survey: Survey, moment: datetime, report: Progress) -> CoverageAnswer:
    """The figures computed and kept."""
    report("shares", 0, 3)
    zones, risk = zones_and_risk(county, survey, moment)
    figures, parts = township_figures(county, survey, zones, risk, moment, report)
    finds = rows_until(county, "finds", "found_at", moment)
    facts = county_facts(county, survey.terrain, figures, finds, moment)
    facts["learned_cover"] = learned_cover(survey.terrain, risk, survey.effort, finds)
    rows, below = ([plain_row(row) for row in table.to_dict("records")] for table in (figures, parts))
    notes = _notes(county)
    keep_answer(county, "coverage", moment, {"townships": rows, "villages": below, "county": facts, "notes": notes})
    tables = pd.DataFrame(rows), pd.DataFrame(below, columns=list(parts.columns))
    return CoverageAnswer(moment, head_of(county), assumptions(county.settings), *tables, facts, notes)


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


def measure_edges(county: County, *, as_of: datetime | None = None) -> gpd.GeoDataFrame:
    """The edges of `measure_borders` alone, kept or computed, without the blind spots, which rest on every figure."""
    moment = as_of or county.as_of()
    whole = county.whole
    kept = kept_answer(whole, "borders", moment) or kept_answer(whole, "edges", moment)
    if kept is not None:
        table = from_plain(kept["borders"], _no_spots(whole))
    else:
        table = _edges(whole, effort.survey(whole, moment, _silent) if whole.has_terrain() else None, moment)
        keep_answer(whole, "edges", moment, {"borders": to_plain(table)})
    return table if county.actor == DESKTOP else _own_edges(table, county.actor)


def _borders(county: County, survey: Survey | None, moment: datetime, report: Progress) -> BordersAnswer:
    """The figures computed and kept; without a survey (no terrain yet) only the register."""
    table = _edges(county, survey, moment)
    spots = _no_spots(county) if survey is None else _blind_spots(county, survey, moment, report)
    keep_answer(
        county,
        "borders",
        moment,
        {"borders": to_plain(table), "blind_spots": to_plain(spots), "notes": _notes(county)},
    )
    return BordersAnswer(moment, head_of(county), assumptions(county.settings), table, spots, _notes(county))


def _edges(county: County, survey: Survey | None, moment: datetime) -> gpd.GeoDataFrame:
    """Every edge with its posts, and who saw its strip where there is a survey."""
    if survey is not None:
        edges, strips = survey.edges, survey.strips
        plantable = survey.terrain.plantable.reshape(-1)[strips.cells]
        pod_a, pod_b = survey.effort.pod_a, survey.effort.pod_b
        unheard = edges["neighbour_id"].isin(_unheard(county)).to_numpy()[strips.border]
        pod_b = np.where(unheard, np.float32(np.nan), pod_b)
    else:
        edges, strips = effort.edges_and_strips(county)
        pod_a = pod_b = np.zeros(len(strips.cells), np.float32)
        plantable = np.zeros(len(strips.cells), bool)
    figures = blind_spots.border_statistics(
        strips, edges, pod_a=pod_a, pod_b=pod_b, plantable=plantable, settings=county.settings.coverage
    )
    return _with_posts(county, edges.merge(figures, on="border_id"), moment)


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
    kept = kept_answer(county, "borders", moment)
    if kept is None:
        return None
    tables = [from_plain(kept[name], _no_spots(county)) for name in ("borders", "blind_spots")]
    return BordersAnswer(moment, head_of(county), assumptions(county.settings), tables[0], tables[1], kept["notes"])


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
    edges, spots = _own_edges(answer.borders, actor), answer.blind_spots
    mine = spots["township_id"].isin(actor.grounds) | spots["border_id"].isin(edges["border_id"])
    return replace(answer, borders=edges, blind_spots=gpd.GeoDataFrame(spots[mine].reset_index(drop=True)))


def _own_edges(edges: gpd.GeoDataFrame, actor: Actor) -> gpd.GeoDataFrame:
    """The edges that touch somebody's own ground; all of them for whoever sees the whole county."""
    if actor.whole:
        return edges
    either = edges["township_id"].isin(actor.grounds) | edges["neighbour_id"].isin(actor.grounds)
    return gpd.GeoDataFrame(edges[either].reset_index(drop=True))


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
    posts = posts_by_unit(county.store.read("duties"), moment)
    sides = {}
    for column, prefix in (("township_id", "township"), ("neighbour_id", "neighbour")):
        sides[f"{prefix}_name"] = table[column].map(units)
        sides[f"{prefix}_posts"] = table[column].map(posts)
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
    kept = kept_answer(whole, "trend", moment)
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
        rows = {name: plain_value(list(row)) for name, row in zip(ids, shares, strict=True)}
        kept = {"months": labels, "county": plain_value(list(total)), "townships": rows}
        keep_answer(whole, "trend", moment, kept)
    own = {name: row for name, row in kept["townships"].items() if county.actor.whole or name in county.actor.grounds}
    return {"months": kept["months"], "county": kept["county"], "townships": own}


def _seen_in(county: County, window: Frame, labels: list[str], n: int) -> tuple[Any, Any]:
    """What `seen_by_period` says of some rows of the county."""
    zones, risk = (grids.read_grid(county.path, name, window) for name in ("zones", "risk"))
    hazards = (grids.read_grid(county.path, f"hazard_{label}", window) for label in labels)
    a = county.settings.detection.availability
    return seen_by_period(hazards, zones=zones, risk=risk, zones_n=n, availability=a)


def _silent(what: str, done: int, total: int) -> None:
    """Progress nobody asked for."""
