"""倒查 dossier of a plot: who planned, walked, looked, reported and approved, each statement with its ledger entry."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from geo.report.qr import qr_png
from geo.report.sheets import Paper
from geo.report.word import HEAD_FONT, Cell, WordPaper
from geo.season import CHINA
from geo.words import Language, say

PARTS = ("found", "answers", "planned", "walked", "looked", "reported", "approved", "changed")
SEEN, UNSEEN, OTHER, PLACE = "#0072B2", "#E69F00", "#999999", "#D55E00"
SHORT = 12


@dataclass(frozen=True)
class Mention:
    """A ledger entry that a statement rests on; `role` and `account` are those of who entered it."""

    seq: int
    at: datetime
    kind: str
    role: str
    account: str
    hash: str


@dataclass(frozen=True)
class Statement:
    """
    One sentence of a dossier: `code` and `fields` of ``geo.words``.

    Parameters
    ----------
    part
        One of `PARTS`.
    at
        When it happened; None where it is no event.
    mentions
        The entries it rests on, in order. Empty: it says that the ledger, up to its head, holds no such record.
    late
        Whether the first of them was entered after the plot was on record as found.
    event
        Whether `at` is when somebody did something, so that the time until it was entered says something.
    """

    part: str
    at: datetime | None
    code: str
    fields: dict[str, Any]
    mentions: tuple[Mention, ...] = ()
    late: bool = False
    event: bool = True

    @property
    def lag_h(self) -> float | None:
        """Hours from what happened to its entry."""
        if self.at is None or not self.mentions or not self.event:
            return None
        return (self.mentions[0].at - self.at).total_seconds() / 3600.0

    def text(self, language: Language = "zh") -> str:
        """The sentence."""
        return say(self.code, language, **self.fields)

    def json(self) -> dict[str, Any]:
        """The statement as plain values, its sentence in both languages."""
        entries = [vars(one) | {"at": one.at.isoformat()} for one in self.mentions]
        return {
            "part": self.part,
            "at": self.at.isoformat() if self.at else None,
            "code": self.code,
            "fields": self.fields,
            "zh": self.text("zh"),
            "en": self.text("en"),
            "entries": entries,
            "rests_on": "entries" if entries else "no_entry",
            "entered_after_find": self.late,
            "hours_until_entered": self.lag_h,
        }


@dataclass(frozen=True)
class Passage:
    """One way past the place: points (n, 2) in metres east and north of it, and whether it was in sight from there."""

    points: npt.NDArray[np.float64]
    seen: bool
    on_foot: bool


@dataclass(frozen=True)
class DossierPages:
    """
    What a dossier shows: statements in order, and the map around the place with the reach of a look in metres.

    `verified` is what the check of the whole ledger said, `root` the root of its tree.
    """

    parcel_id: str
    statements: Sequence[Statement]
    passages: Sequence[Passage]
    reach_m: float
    verified: Statement
    root: str

    @property
    def mentions(self) -> list[Mention]:
        """Every entry that a statement rests on, once, in order."""
        held = {one.seq: one for statement in self.statements for one in statement.mentions}
        return [held[seq] for seq in sorted(held)]


def dossier_html(pages: DossierPages, *, paper: Paper, language: Language = "zh") -> bytes:
    """One HTML file that needs nothing else; the same input gives the same bytes."""
    told = [f"<!doctype html><html lang={language}><meta charset=utf-8><title>{escape(paper.title)}</title>{_STYLE}"]
    told.append(f"<h1>{escape(paper.title)}</h1><p class=foot>{'<br>'.join(map(escape, paper.foot(language)))}</p>")
    told.append(
        f"<p>{escape(pages.verified.text(language))}<br>{escape(say('dossier_root', language, root=pages.root))}</p>"
    )
    told.append(f'<figure><img alt="" src="{_inline(passage_map(pages))}" width=420>')
    told.append(
        f"<figcaption>{escape(say('dossier_map', language, reach=f'{pages.reach_m:.0f}'))}</figcaption></figure>"
    )
    heads = "".join(f"<th>{escape(say(f'dossier_{name}', language))}" for name in ("when", "what", "entries"))
    for part in PARTS:
        rows = [one for one in pages.statements if one.part == part]
        if rows:
            told.append(f"<h2>{escape(say(f'dossier_part_{part}', language))}</h2><table><tr>{heads}")
            told += [_row(one, language) for one in rows]
            told.append("</table>")
    told.append(f"<h2>{escape(say('dossier_list', language))}</h2><table class=list>")
    for one in pages.mentions:
        cells = (str(one.seq), _clock(one.at), _kind(one.kind, language), _who(one), one.hash)
        told.append(f"<tr id=e{one.seq}>" + "".join(f"<td>{escape(cell)}" for cell in cells))
    told.append(f'</table><p><img alt="" src="{_inline(qr_png(_code(pages, paper)))}"></p></html>\n')
    return "\n".join(told).encode()


def dossier_word(pages: DossierPages, *, paper: Paper, language: Language = "zh") -> bytes:
    """DOCX bytes; the same input gives the same bytes."""
    book = WordPaper(paper, language=language)
    book.title(paper.title)
    book.line(pages.verified.text(language), size=10.5)
    book.line(say("dossier_root", language, root=pages.root), size=9)
    book.picture(passage_map(pages), width_mm=90)
    book.line(say("dossier_map", language, reach=f"{pages.reach_m:.0f}"), size=9, align="center", after=4)
    heads = [Cell(say(f"dossier_{name}", language), bold=True, align="center") for name in ("when", "what", "entries")]
    for part in PARTS:
        rows = [one for one in pages.statements if one.part == part]
        if not rows:
            continue
        book.line(say(f"dossier_part_{part}", language), size=14, font=HEAD_FONT, before=6, after=3)
        lines = [[Cell(_clock(one.at)), Cell(one.text(language)), Cell(_named(one, language))] for one in rows]
        book.table([heads, *lines], [0.2, 0.56, 0.24])
    book.line(say("dossier_list", language), size=14, font=HEAD_FONT, before=6, after=3)
    listed = [
        [Cell(text, size=8) for text in (str(one.seq), _clock(one.at), _kind(one.kind, language), _who(one), one.hash)]
        for one in pages.mentions
    ]
    if listed:
        book.table(listed, [0.07, 0.17, 0.14, 0.14, 0.48], height_mm=5)
    book.code(_code(pages, paper))
    return book.content()


def passage_map(pages: DossierPages) -> bytes:
    """PNG bytes, north up: the place, the reach of a look, and the ways past it by whether it was in sight."""
    figure = Figure(figsize=(4.2, 4.2), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    half = 2.0 * pages.reach_m
    for way in sorted(pages.passages, key=lambda one: one.seen):
        colour, style = (SEEN, "-") if way.seen else (UNSEEN, "--") if way.on_foot else (OTHER, ":")
        axes.plot(*way.points.T, color=colour, linestyle=style, linewidth=1.6)
    axes.add_patch(Circle((0.0, 0.0), pages.reach_m, fill=False, linewidth=0.8, edgecolor="#000000"))
    axes.plot([0.0], [0.0], marker="*", markersize=15, color=PLACE, markeredgecolor="#000000")
    axes.plot([-0.9 * half, -0.9 * half + 100.0], [-0.9 * half] * 2, color="#000000", linewidth=3)
    axes.annotate("100 m", (-0.9 * half, -0.87 * half), fontsize=9)
    axes.annotate(
        "N", (0.9 * half, 0.95 * half), (0.9 * half, 0.72 * half), arrowprops={"arrowstyle": "->"}, ha="center"
    )
    axes.set(xlim=(-half, half), ylim=(-half, half), aspect="equal", xticks=[], yticks=[])
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


_STYLE = (
    "<style>body{font:15px/1.6 'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60rem;margin:1.5rem auto;"
    "padding:0 1rem;color:#111}h1{font-size:1.6rem}h2{font-size:1.15rem;margin:1.4rem 0 .3rem}"
    "table{border-collapse:collapse;width:100%;table-layout:fixed}th:first-child{width:9.5em}th:last-child{width:15em}"
    ".list td:nth-child(1){width:3em}.list td:nth-child(2){width:9em}.list td:nth-child(n+3):nth-child(-n+4){width:7em}"
    "td,th{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;"
    "vertical-align:top}td:first-child{white-space:nowrap}.none{color:#8a4b00}.late{color:#a3360a}"
    ".foot,figcaption,.list{font-size:12px;color:#444;overflow-wrap:anywhere}figure{margin:0}"
    "@media print{a{color:inherit;text-decoration:none}tr{break-inside:avoid}}</style>"
)


def _row(one: Statement, language: Language) -> str:
    links = " ".join(f'<a href="#e{held.seq}" title="{held.hash}">#{held.seq}</a>' for held in one.mentions)
    notes = notes_of(one, language)
    shown = links if one.mentions else f"<span class=none>{escape(say('dossier_no_entry', language))}</span>"
    shown += f" <span class=late>{escape(notes)}</span>" if notes else ""
    return f"<tr><td>{_clock(one.at)}<td>{escape(one.text(language))}<td>{shown}"


def _named(one: Statement, language: Language) -> str:
    named = " ".join(f"#{held.seq}" for held in one.mentions) or say("dossier_no_entry", language)
    notes = notes_of(one, language)
    return f"{named}\n{notes}" if notes else named


def notes_of(one: Statement, language: Language) -> str:
    """How long afterwards it was entered, and whether that was after the find."""
    lag = one.lag_h
    told = []
    if lag is not None and lag >= 1.0:
        code, held = ("dossier_lag_days", lag / 24.0) if lag >= 48.0 else ("dossier_lag", lag)
        told = [say(code, language, n=f"{held:.0f}")]
    return " ".join(told + ([say("dossier_late", language)] if one.late else []))


def _who(one: Mention) -> str:
    return f"{one.role} {one.account}".strip()


def _kind(kind: str, language: Language) -> str:
    told = say(f"ui_entry_{kind}", language)
    return kind if told.startswith("ui_entry_") else told


def _code(pages: DossierPages, paper: Paper) -> str:
    return paper.code(f"DOSSIER|{pages.parcel_id}")


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M}" if at else ""


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
