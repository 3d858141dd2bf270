"""交界联合踏查通知: one page for each side of an edge, with the meeting point and both posts (代拟稿)."""

from collections.abc import Sequence
from dataclasses import dataclass

from geo.report.order_papers import BLANK
from geo.report.sheets import Paper
from geo.report.word import HEAD_FONT, Cell, WordPaper
from geo.words import Language, say


@dataclass(frozen=True)
class Side:
    """One side of an edge: its name, the posts that answer, and its villages by the edge."""

    name: str
    posts: str | None
    villages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Joint:
    """
    One edge to be searched by both sides.

    `place` is where they meet, as (longitude, latitude) in degrees (CGCS2000), `near` the nearest village; `neither`
    the share of the strip seen from neither side, None where not measured.
    """

    border_id: str
    sides: tuple[Side, Side]
    length_km: float
    place: tuple[float, float]
    near: str | None
    strip_m: float
    accuracy_m: float
    neither: float | None
    first: str
    last: str


def joint_document(joints: Sequence[Joint], *, paper: Paper, language: Language = "zh") -> bytes:
    """DOCX bytes: two pages per edge, one addressed to each side."""
    book = WordPaper(paper, language=language)
    for number, (joint, own) in enumerate((joint, own) for joint in joints for own in (0, 1)):
        if number:
            book.page_break()
        _page(book, joint, joint.sides[own], joint.sides[1 - own], language)
    return book.content()


def _page(book: WordPaper, joint: Joint, own: Side, other: Side, language: Language) -> None:
    paper = book.paper
    book.line(say("draft_mark", language, issuer=paper.issuer or BLANK), size=10.5, font=HEAD_FONT)
    book.title(say("joint_title", language, a=joint.sides[0].name, b=joint.sides[1].name))
    book.line(paper.document_no or say("document_blank", language), size=10.5, align="center", after=6)
    book.line(f"{own.name}：", size=14)
    book.line(
        say("joint_body", language, other=other.name, first=joint.first, last=joint.last, km=f"{joint.length_km:.1f}"),
        size=14, indent=True,
    )  # fmt: skip
    longitude, latitude = joint.place
    near = say("joint_near", language, village=joint.near) if joint.near else ""
    share = say("unmeasured", language) if joint.neither is None else f"{100 * joint.neither:.0f}%"
    strip = say("joint_strip_text", language, strip=f"{joint.strip_m:.0f}", accuracy=f"{joint.accuracy_m:.0f}")
    facts = [
        ("joint_edge", joint.border_id), ("joint_length", f"{joint.length_km:.1f} km"),
        ("joint_strip", strip),
        ("joint_neither", share), ("joint_place", f"{longitude:.5f}, {latitude:.5f}（CGCS2000）{near}"),
        ("joint_time", say("joint_when", language)),
    ]  # fmt: skip
    rows = [[Cell(say(name, language), bold=True), Cell(text, span=3)] for name, text in facts]
    heads = ("joint_side", "joint_posts", "joint_villages", "joint_sign")
    rows.append([Cell(say(name, language), bold=True, align="center") for name in heads])
    for side in joint.sides:
        posts = side.posts or say("nobody", language)
        rows.append([Cell(side.name), Cell(posts), Cell("、".join(side.villages[:6]) or say("none", language)), Cell()])
    book.table(rows, [0.2, 0.28, 0.26, 0.26], height_mm=9)
    for code in ("joint_ask_1", "joint_ask_2", "joint_ask_3"):
        book.line(say(code, language), size=12, indent=True, before=2, after=0)
    book.line(say("order_signed", language, issuer=paper.issuer or BLANK), size=12, align="right", before=6)
    book.line(say("paper_day", language), size=12, align="right")
    book.code(paper.code(f"JOINT|{joint.border_id}"), size_mm=22)
