"""评估: the committee's four numbers beside the facts of the year, and its townships in an order that shows ties."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from geo.analysis.contradictions import found_unrecorded
from geo.analysis.progress import totals
from geo.analysis.ranking import rank_ranges
from geo.analysis.resets import planted, zero_planting, zero_yield
from geo.layers.parcels import OPEN
from geo.report.committee import Sheets, committee_document, committee_workbook
from geo.settings import assumptions
from geo.words import Language
from geo.workspace.county import County
from geo.workspace.covering import BordersAnswer, CoverageAnswer, measure_borders, measure_coverage, measure_trend
from geo.workspace.life import recheck_calendar
from geo.workspace.papers import paper_of
from geo.workspace.progress import finds_untold, measure_progress, running_round, township_names, visits_until

OWN = "自查"
FIGURES = (
    "detection", "detection_low", "detection_high", "watched", "blind", "p_zero", "p_zero_low", "p_zero_high",
    "p_zero_prior_50", "p_zero_prior_90", "hours_to_95", "plantable_km2", "buffer_share", "effort", "levers",
    "reasons", "finds_n",
)  # fmt: skip
VILLAGES = ("due_n", "looked_a", "looked_b", "looked_c", "rate_villages_abc")


@dataclass(frozen=True)
class Assessment:
    """
    What the committee is shown at a moment.

    Parameters
    ----------
    county
        ``detection`` with ``detection_low, detection_high`` (None without terrain) and ``unseen_n`` townships without a
        figure; of the running ``round``: ``due_n, waiting_n, overdue_n`` villages; ``targets_n, targets_open_n,
        targets_late_n``; ``edges_km, edges_unseen_km``; ``zero_planting`` and ``zero_yield`` (None: undecided),
        ``finds_n, own_finds_n, untold_n, finds_standing_n`` and ``claimed_n``, visits that tell of plants no find tells
        of; ``p_zero`` and what else `measure_coverage` says of the county.
    townships
        One row each, the surest first: ``township_id, name, rank_first, rank_last`` (0: no figure, so no place), the
        villages of the round by evidence, `FIGURES`, ``targets_n, targets_open_n, targets_late_n, edge_km,
        edge_unseen_km, rechecks_due_n, trend`` (detection at the end of each month).
    months
        Labels (YYYY-MM) of ``trend``.
    """

    as_of: datetime
    ledger_head: str | None
    assumptions: dict[str, Any]
    county: dict[str, Any]
    townships: pd.DataFrame
    months: list[str]

    def json(self) -> dict[str, Any]:
        """The assessment as plain values."""
        plain = self.townships.astype(object).where(self.townships.notna(), None)
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "assumptions": self.assumptions,
            "county": self.county,
            "months": self.months,
            "townships": plain.to_dict("records"),
        }


def assess_county(county: County, *, as_of: datetime | None = None, detection: bool = True) -> Assessment:
    """
    The committee's numbers; those of the county are everybody's, townships only one's own.

    A county without terrain has no detection yet, but villages, targets and finds all the same.

    Parameters
    ----------
    detection
        Measure detection and edges too, which takes long where it was not done before.
    """
    moment, whole = as_of or county.as_of(), county.whole
    coverage = measure_coverage(whole, as_of=moment) if detection and whole.has_terrain() else None
    edges = measure_borders(whole, as_of=moment) if coverage else None
    trend = measure_trend(whole, as_of=moment) if coverage else {"months": [], "county": [], "townships": {}}
    number = running_round(whole, moment)
    answer = measure_progress(whole, as_of=moment)
    rounds = answer.townships[answer.townships["round"] == number].set_index("township_id")
    parcels, finds, steps = (whole.store.read(name) for name in ("parcels", "finds", "steps"))
    parcels = parcels[parcels["flagged_at"] <= moment]
    ever = finds[finds["found_at"] <= moment]
    finds = ever[whole.season.holds(ever["found_at"])]  # facts are of the year; what nobody was told of stays so
    waiting = parcels[parcels["status"].isin([str(one) for one in OPEN])]
    late = waiting[waiting["deadline"] <= pd.Timestamp(moment)]
    names = township_names(whole, whole.store.read("units"))
    table = pd.DataFrame({"township_id": sorted(names), "name": [names[one] for one in sorted(names)]})
    ids = pd.Index(table["township_id"])
    for name in VILLAGES:
        table[name] = rounds[name].reindex(ids).to_numpy() if len(rounds) else np.nan
    figures = coverage.townships.set_index("township_id") if coverage else pd.DataFrame(index=ids)
    for name in FIGURES:
        table[name] = figures[name].reindex(ids).to_numpy() if name in figures else None
    for name, rows in (("targets_n", parcels), ("targets_open_n", waiting), ("targets_late_n", late)):
        table[name] = _count(rows, ids)
    due = recheck_calendar(whole, as_of=moment)
    table["rechecks_due_n"] = _count(due[due["days_left"] <= 0], ids)
    table["edge_km"], table["edge_unseen_km"] = _edges(edges, ids)
    table["trend"] = [trend["townships"].get(one, []) for one in ids]
    facts = _facts(coverage, edges, finds, finds_untold(ever, steps, parcels))
    facts["claimed_n"] = len(found_unrecorded(visits_until(whole, moment), finds))
    told = {"claimed_n": facts["claimed_n"]}
    facts["zero_planting"] = zero_planting(planted(finds), **told)
    facts["zero_yield"] = zero_yield(planted(finds), whole.settings.absence, moment, **told)
    facts |= {"round": number, "trend": trend["county"]} | _villages(answer.townships, rounds)
    facts |= {"targets_n": len(parcels), "targets_open_n": len(waiting), "targets_late_n": len(late)}
    facts["unseen_n"] = int(table["detection"].isna().sum())
    ranked = _ranked(table)
    if not county.actor.whole:
        ranked = ranked[ranked["township_id"].isin(county.actor.grounds)].reset_index(drop=True)
    return Assessment(moment, answer.ledger_head, assumptions(county.settings), facts, ranked, trend["months"])


def committee_papers(
    county: County, *, as_of: datetime | None = None, language: Language = "zh", told: Assessment | None = None
) -> dict[str, bytes]:
    """
    The committee's page on paper, by file name: Word to be signed, and the same as a workbook.

    Parameters
    ----------
    told
        The assessment where it is known already, so that paper and page show the same.
    """
    known = told or assess_county(county, as_of=as_of)
    paper = paper_of(county, "committee_title", known.as_of, known.ledger_head, language=language)
    sheets = Sheets.of(known.county, known.townships, known.months, known.assumptions, language)
    return {
        "踏查评估.docx": committee_document(sheets, paper=paper, language=language),
        "踏查评估.xlsx": committee_workbook(sheets, paper=paper, language=language),
    }


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with their places, the surest first, those without a figure last and by name."""
    low, high = (pd.to_numeric(table[name]).to_numpy(float) for name in ("detection_low", "detection_high"))
    first, last = rank_ranges(low, high)
    found = table.assign(rank_first=first, rank_last=last, order=pd.to_numeric(table["detection"]))
    found = found.sort_values(["order", "name"], ascending=[False, True], na_position="last", kind="stable")
    return found.drop(columns="order").reset_index(drop=True)


def _count(rows: pd.DataFrame, ids: pd.Index) -> Any:
    return rows["township_id"].value_counts().reindex(ids, fill_value=0).to_numpy()


def _villages(townships: pd.DataFrame, rounds: pd.DataFrame) -> dict[str, int]:
    """Villages due and not looked at in the running round, and overdue in any."""
    sums: dict[str, Any] = totals(rounds) if len(rounds) else {}
    looked = sum(sums.get(f"looked_{one}", 0) or 0 for one in "abc")
    due = sums.get("due_n", 0) or 0
    overdue = int(townships["overdue"].sum()) if len(townships) else 0
    return {"due_n": due, "looked_n": looked, "waiting_n": due - looked, "overdue_n": overdue}


def _edges(edges: BordersAnswer | None, ids: pd.Index) -> tuple[Any, Any]:
    """Kilometres of each township's edges, and those whose strip neither side saw."""
    if edges is None:
        return None, None
    table = edges.borders
    unseen = table["seen_by_neither"].astype(float) * table["length_m"] / 1000.0
    sums = [pd.Series(0.0, index=ids), pd.Series(0.0, index=ids)]
    for side in ("township_id", "neighbour_id"):
        for total, values in zip(sums, (table["length_m"] / 1000.0, unseen), strict=True):
            total += values.groupby(table[side]).sum().reindex(ids, fill_value=0.0)
    return sums[0].to_numpy(), sums[1].to_numpy()


def _facts(
    coverage: CoverageAnswer | None, edges: BordersAnswer | None, finds: pd.DataFrame, open_: pd.DataFrame
) -> dict[str, Any]:
    known = dict(coverage.county) if coverage else {}
    base = dict.fromkeys(("detection", "detection_low", "detection_high", "p_zero", "p_zero_low", "p_zero_high"))
    standing = int(((finds["fraction"] < 1.0) | finds["destroyed_at"].isna()).sum())
    held = {"finds_standing_n": standing}
    own = finds[finds["found_by"] == OWN]
    counts = {"finds_n": len(finds), "own_finds_n": len(own), "untold_n": len(open_)}
    km = dict.fromkeys(("edges_km", "edges_unseen_km"))
    if edges is not None:
        lengths = edges.borders["length_m"] / 1000.0
        unseen = (edges.borders["seen_by_neither"].astype(float) * lengths).sum()
        km = {"edges_km": float(lengths.sum()), "edges_unseen_km": float(unseen)}
    return base | held | known | counts | km
