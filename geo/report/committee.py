"""踏查评估 on paper: what the committee's page shows, as a Word file to be signed and as a workbook."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.report.assumed import assumed_rows
from geo.report.sheets import A3, Column, Paper, workbook
from geo.report.townships import reason_sentence
from geo.report.word import Cell, WordPaper
from geo.words import Language, say

TOWNSHIPS = (
    Column("rank", 7), Column("name", 14), Column("due_n", 7, "count"), Column("looked_a", 8, "count"),
    Column("looked_b", 8, "count"), Column("looked_c", 8, "count"), Column("rate_villages_abc", 8, "share"),
    Column("detection", 8, "share"), Column("detection_low", 8, "share"), Column("detection_high", 8, "share"),
    Column("blind", 8, "share"), Column("targets_open", 9), Column("targets_late_n", 8, "count"),
    Column("edge_unseen_km", 9, "area"), Column("edge_km", 8, "area"), Column("rechecks_due_n", 8, "count"),
)  # fmt: skip
NOTE = Column("why", 30)
FACTS = (Column("measure", 26), Column("figure", 16), Column("interval", 18), Column("rests_on", 60))
SIGNED = ("committee_filled", "committee_checked", "committee_approved")
WORD_WIDTHS = (.06, .10, .14, .06, .15, .06, .08, .11, .07, .17)  # fmt: skip

BASIS = (Column("assumption", 44), Column("value", 28), Column("setting", 32))


@dataclass(frozen=True)
class Sheets:
    """The rows of the county's facts, of its townships, and of what they rest on, in one language; page and papers."""

    facts: list[dict[str, Any]]
    townships: list[dict[str, Any]]
    months: list[str]
    basis: list[dict[str, Any]]

    @classmethod
    def of(
        cls, county: dict[str, Any], townships: pd.DataFrame, months: Sequence[str], assumptions: dict[str, Any],
        language: Language,
    ) -> "Sheets":  # fmt: skip
        """From what ``workspace.assessing`` knows."""
        rows = [_row(row, months, language) for row in townships.to_dict("records")]
        names = [column.name for column in BASIS]
        basis = [dict(zip(names, row, strict=True)) for row in assumed_rows(assumptions, language)]
        return cls(fact_rows(county, language), rows, list(months), basis)


def committee_workbook(sheets: Sheets, *, paper: Paper, language: Language = "zh") -> bytes:
    """XLSX bytes; the same input gives the same bytes. The last line of every sheet is the ledger's head."""
    growth = [Column(month, 9, "share", month) for month in sheets.months]
    groups = [("", TOWNSHIPS), ("", growth), ("", [NOTE])]
    signed = [{"measure": say(code, language)} for code in SIGNED]
    notes = [{"measure": say("committee_note", language), "rests_on": line} for line in notes_of(language)]
    parts = [
        (say("committee_townships", language), groups, sheets.townships),
        (say("committee_county", language), (("", FACTS),), [*sheets.facts, *notes, *signed]),
        (say("report_basis", language), (("", BASIS),), sheets.basis),
    ]
    return workbook(parts, paper=_signed(paper, language), language=language, size=A3)


def committee_document(sheets: Sheets, *, paper: Paper, language: Language = "zh") -> bytes:
    """DOCX bytes, A4 on its side: facts, townships, what the words mean, boxes to sign in; the head comes last."""
    word = WordPaper(_signed(paper, language), language=language, landscape=True)
    word.title(_signed(paper, language).title)
    word.line(say("report_as_of", language, moment=paper.moment), align="center", size=10.5, after=6)
    heads = [Cell(column.title(language), bold=True, align="center") for column in FACTS]
    facts = [[Cell(str(row[column.name] or "")) for column in FACTS] for row in sheets.facts]
    word.table([heads, *facts], (0.2, 0.16, 0.18, 0.46))
    word.line("", size=6)
    names = ("rank", "name", "rate", "due_n", "detection", "blind", "targets", "edges", "rechecks", "why")
    heads = [Cell(say(f"committee_{name}", language), bold=True, align="center", size=9) for name in names]
    rows = [[Cell(text, size=9) for text in _words(row, sheets.months, language)] for row in sheets.townships]
    word.table([heads, *rows], WORD_WIDTHS, height_mm=6.0)
    for line in notes_of(language):
        word.line(line, size=9)
    word.line("", size=6)
    boxes = [Cell(f"{say(code, language)}\n\n", size=10.5) for code in SIGNED]
    word.table([boxes], (1 / 3, 1 / 3, 1 / 3), height_mm=22.0)
    word.code(paper.code(), size_mm=20.0)
    return word.content()


def fact_rows(county: dict[str, Any], language: Language) -> list[dict[str, Any]]:
    """The four numbers and the two facts: what, how much, within what, and what it rests on."""
    blanks = {name: value for name, value in county.items() if value is not None}

    def tell(code: str, **more: object) -> str:
        return say(code, language, **(blanks | more))

    low, high = county["detection_low"], county["detection_high"]
    unknown = county["detection"] is None
    km = county["edges_km"]
    claimed = tell("committee_unrecorded", n=county["claimed_n"]) if county["claimed_n"] else ""
    rows = (
        ("ui_detection", "–" if unknown else f"{county['detection']:.2f}",
         "" if unknown else f"{low:.2f}–{high:.2f}",
         tell("committee_no_terrain") if unknown else tell("committee_detection_rests")),
        ("committee_waiting", str(county["waiting_n"]), tell("committee_of_due"), tell("committee_overdue")),
        ("committee_targets_open", str(county["targets_open_n"]), tell("committee_of_targets"), tell("committee_late")),
        ("committee_edges_unseen", "–" if km is None else tell("ui_km", km=f"{county['edges_unseen_km']:.0f}"),
         "" if km is None else tell("committee_of_km", km=f"{km:.0f}"), tell("committee_edges_rest")),
        ("ui_zero_planting", tell(HELD[county["zero_planting"]]), claimed, tell("committee_finds")),
        ("ui_zero_yield", tell(HELD[county["zero_yield"]]), "", tell("committee_standing")),
    )  # fmt: skip
    names = [column.name for column in FACTS]
    return [dict(zip(names, (say(row[0], language), *row[1:]), strict=True)) for row in rows]


HELD = {True: "committee_held", False: "committee_broken", None: "committee_undecided"}
"""Codes of what is said of zero planting and zero yield."""


def place_text(first: int, last: int) -> str:
    """
    The places a township could have; a dash without a figure.

    >>> place_text(2, 5), place_text(1, 1), place_text(0, 0)
    ('2–5', '1', '–')
    """
    return "–" if not first else str(first) if first == last else f"{first}–{last}"


def notes_of(language: Language) -> list[str]:
    """What the columns mean, and what they do not."""
    return [say(f"committee_note_{name}", language) for name in ("ranks", "detection", "classes", "p_zero")]


def _signed(paper: Paper, language: Language) -> Paper:
    """The paper with its made-up note in the title, so that the ledger's head is the last line."""
    if not paper.made_up:
        return paper
    note = say("note_made_up", language)
    title = f"{paper.title}（{note}）" if language == "zh" else f"{paper.title} ({note})"
    return Paper(title, paper.county, paper.as_of, paper.ledger_head, paper.issuer, paper.document_no)


def _row(row: dict[Any, Any], months: Sequence[str], language: Language) -> dict[str, Any]:
    trend = dict(zip(months, row["trend"], strict=False))
    return {str(name): value for name, value in row.items()} | trend | {
        "rank": place_text(row["rank_first"], row["rank_last"]),
        "targets_open": f"{row['targets_open_n']} / {row['targets_n']}",
        "why": reason_sentence(row["reasons"] if isinstance(row["reasons"], dict) else None, language),
    }  # fmt: skip


def _words(row: dict[str, Any], months: Sequence[str], language: Language) -> list[str]:
    """A township's row of the Word table."""

    def number(name: str, text: str = "{:.0f}") -> str:
        return "–" if pd.isna(row[name]) else text.format(row[name])

    rate = "–" if pd.isna(row["rate_villages_abc"]) else f"{row['rate_villages_abc']:.0%}"
    classes = say("ui_by_class", language, **{one: number(f"looked_{one}") for one in "abc"})
    detection = "–"
    if not pd.isna(row["detection"]):
        detection = f"{row['detection']:.2f} ({row['detection_low']:.2f}–{row['detection_high']:.2f})"
        if len(months) > 1 and row.get(months[0]) is not None:
            detection += "\n" + say("committee_since", language, month=int(months[0][-2:]), was=f"{row[months[0]]:.2f}")
    edges = "–" if pd.isna(row["edge_km"]) else f"{row['edge_unseen_km']:.0f} / {row['edge_km']:.0f}"
    targets = f"{row['targets_open']}\n{say('committee_late_n', language, n=row['targets_late_n'])}"
    return [row["rank"], row["name"], f"{rate}\n{classes}", number("due_n"), detection, number("blind", "{:.0%}"),
            targets, edges, str(row["rechecks_due_n"]), row["why"]]  # fmt: skip
