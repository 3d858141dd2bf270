"""第 N 轮踏查任务单 with its 签收 slip, and the pre-filled 踏查记录表 to be signed: one A4 page per village each."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pandas as pd

from geo.layers.visits import GROUNDS, OUTCOMES
from geo.report.sheets import Paper
from geo.report.word import HEAD_FONT, Cell, WordPaper
from geo.season import CHINA
from geo.words import Language, say

MU_M2 = 2000.0 / 3.0
BLANK = "＿＿＿＿＿＿"


def order_document(
    orders: Sequence[dict[str, Any]], *, paper: Paper, calendar: dict[str, Any], language: Language = "zh"
) -> bytes:
    """
    DOCX bytes: one page per order, its lower part the slip that is signed and sent back.

    Parameters
    ----------
    orders
        `workspace.papers.orders_by_township`: one township's.
    calendar
        `analysis.rounds.calendar`: the days the round falls on.
    """
    book = WordPaper(paper, language=language)
    for number, order in enumerate(orders):
        if number:
            book.page_break()
        _order_page(book, order, calendar, language)
    return book.content()


def form_document(orders: Sequence[dict[str, Any]], *, paper: Paper, language: Language = "zh") -> bytes:
    """DOCX bytes: one page per village with what is known filled in, lines for every ground, boxes to sign in."""
    book = WordPaper(paper, language=language)
    for number, order in enumerate(orders):
        if number:
            book.page_break()
        _form_page(book, order, language)
    return book.content()


def days_of(order: dict[str, Any]) -> tuple[str, str]:
    """First and last day of an order in China."""
    last = order["due_to"].tz_convert(CHINA) - timedelta(seconds=1)
    return f"{order['due_from'].tz_convert(CHINA):%Y-%m-%d}", f"{last:%Y-%m-%d}"


def _order_page(book: WordPaper, order: dict[str, Any], calendar: dict[str, Any], language: Language) -> None:
    paper, (first, last) = book.paper, days_of(order)
    book.line(say("draft_mark", language, issuer=paper.issuer or BLANK), size=10.5, font=HEAD_FONT)
    book.title(paper.title)
    number = paper.document_no or say("document_blank", language)
    book.line(f"{number}　　{say('order_number', language, id=order['order_id'])}", size=10.5, align="center", after=6)
    book.line(say("order_to", language, township=order["township"], village=order["village"]), size=14)
    said = say("order_body", language, round=order["round"], first=first, last=last)
    book.line(said, size=14, indent=True)
    if isinstance(order.get("text"), str):
        book.line(order["text"], size=14, indent=True)
    _facts(book, order, (first, last), language)
    days = say("between", language).join(_observed(held, language) for held in calendar["observances"])
    for code in ("order_ask_1", "order_ask_2", "order_ask_3"):
        book.line(say(code, language, days=days), size=12, indent=True, before=2, after=0)
    book.line(say("order_signed", language, issuer=paper.issuer or BLANK), size=12, align="right", before=8)
    book.line(say("paper_day", language), size=12, align="right")
    book.line(say("slip_cut", language), size=9, align="center", before=4)
    book.line(say("slip_title", language), size=14, font=HEAD_FONT, align="center")
    place = f"{order['township']} {order['village']}"
    slip = [
        [_head("head_order_id", language), Cell(order["order_id"]), _head("head_village", language), Cell(place)],
        [_head("slip_post", language), Cell(), _head("slip_time", language), Cell(say("slip_when", language))],
        [_head("slip_name", language), Cell(), _head("slip_seal", language), Cell()],
    ]
    book.table(slip, [0.17, 0.36, 0.15, 0.32], height_mm=9)
    book.code(paper.code(f"ORDER|{order['order_id']}"), size_mm=24)


def _observed(held: dict[str, Any], language: Language) -> str:
    span = say("days_span", language, first=held["from"], last=held["to"])
    name = str(held["name"])
    return f"{say(f'day_{name}', language)} {span}"


def _head(code: str, language: Language) -> Cell:
    return Cell(say(code, language), bold=True)


def _facts(book: WordPaper, order: dict[str, Any], days: tuple[str, str], language: Language) -> None:
    unknown = say("unknown_fill", language)
    due = f"{order['due_m2'] / MU_M2:,.0f}" if pd.notna(order.get("due_m2")) else unknown
    yards = str(order["courtyards_due_n"]) if order["courtyards_due_n"] is not None else unknown
    height = f"{order['elevation_m']:.0f}" if pd.notna(order.get("elevation_m")) else unknown
    marks = [say(f"mark_{name}", language) for name in ("key_area", "edge") if order[name]]
    post = order["post"] if isinstance(order["post"], str) else say("nobody", language)
    pairs = [
        ("fact_post", post), ("head_village_id", order["village_id"]),
        ("fact_days", say("days_span", language, first=days[0], last=days[1])), ("fact_height", height),
        ("head_due_mu", due), ("head_courtyards_due_n", yards),
        ("fact_marks", "、".join(marks) or say("none", language)), ("head_team_id", order["team_id"] or unknown),
    ]  # fmt: skip
    rows = [
        [cell for name, text in pairs[n : n + 2] for cell in (Cell(say(name, language), bold=True), Cell(str(text)))]
        for n in range(0, len(pairs), 2)
    ]
    book.table(rows, [0.17, 0.36, 0.17, 0.30], height_mm=8)


def _form_page(book: WordPaper, order: dict[str, Any], language: Language) -> None:
    paper, (first, last) = book.paper, days_of(order)
    book.title(paper.title)
    book.line(f"{order['township']}　{order['village']}", size=15, font=HEAD_FONT, align="center", after=2)
    book.line(say("order_number", language, id=order["order_id"]), size=10.5, align="center", after=4)
    _facts(book, order, (first, last), language)
    book.line(say("form_lines", language), size=11, font=HEAD_FONT, before=6)
    heads = ("head_ground", "head_group_name", "form_day", "head_persons_n", "head_hours", "head_area_mu",
             "form_yards", "form_outcome", "head_photos_n")  # fmt: skip
    rows = [[Cell(say(name, language), bold=True, align="center", size=9) for name in heads]]
    marks = "\n".join(f"□{say(f'form_{name}', language)}" for name in OUTCOMES if name != "核查排除")
    for ground in GROUNDS:
        due = order["courtyards_due_n"] if order["courtyards_due_n"] is not None else "＿＿"
        yards = f"　　／{due}" if ground == GROUNDS[0] else "—"
        cells = [Cell(text, size=9) for text in ("", "", "", "", "", yards, marks, "")]
        rows += [[Cell(say(f"ui_choice_{ground}", language), align="center"), *cells]] * 2
    book.table(rows, [0.13, 0.09, 0.11, 0.09, 0.1, 0.1, 0.13, 0.16, 0.09], height_mm=13.5)
    book.table([[Cell(say("form_reason", language), bold=True), Cell()]], [0.25, 0.75], height_mm=16)
    book.line(say("form_sign", language), size=9, before=4)
    signs = ("sign_walker", "sign_village", "sign_township")
    rows = [
        [cell for name in signs for cell in (Cell(say(name, language), bold=True, size=9), Cell())],
        [cell for _ in signs for cell in (Cell(say("sign_day", language), bold=True, size=9), Cell())],
    ]
    book.table(rows, [0.17, 0.18, 0.15, 0.18, 0.15, 0.17], height_mm=12)
    book.code(paper.code(f"FORM|{order['order_id']}"), size_mm=22)
