"""责任底数册 as a workbook offices edit, read back without loss: one row per unit and span of its posts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pandas as pd

from geo.layers.duties import DUTY_KINDS, TIERS
from geo.report.sheets import A3, Column, Paper, Sheet, mapped, workbook
from geo.season import CHINA
from geo.words import Language, say

MU_M2 = 2000.0 / 3.0
PLAIN = (
    Column("unit_kind", 8), Column("unit_id", 14), Column("name", 18), Column("parent_id", 11),
    Column("households_n", 6, "count"), Column("due_mu", 9, "area"), Column("elevation_m", 7, "count"),
    Column("key_area", 5), Column("edge", 5),
)  # fmt: skip
POSTS = (*DUTY_KINDS[:3], *TIERS, *DUTY_KINDS[3:])
"""The columns of posts: the kinds of duty, 包保 with its tiers behind it."""
SPAN = (Column("valid_from", 10), Column("valid_to", 11), Column("standing", 9), Column("source", 12))
NOBODY = (("kind_said", 9), ("unit_id", 16), ("name", 22), ("township_id", 14))
"""Its heads are no heads of the register, so that the sheet is not read back as one."""
ALIASES = (
    Column("unit_id", 15), Column("alias_kind", 8), Column("alias", 22), Column("change", 10),
    Column("evidence", 60), Column("confirmed", 8), Column("valid_to", 11), Column("source", 22),
)  # fmt: skip


def register_rows(units: pd.DataFrame, duties: pd.DataFrame, as_of: datetime) -> list[dict[str, Any]]:
    """
    One row per unit and span of dates, the units in the order given; a unit nobody ever answered for has one row.

    Several posts of a kind are joined by 、, a holder's id stands behind the post in 〔〕.
    """
    held = duties.sort_values(["valid_from", "duty_id"], kind="stable")
    spans: dict[str, dict[tuple[str, str], dict[str, list[str]]]] = {}
    for row in held.to_dict("records"):
        span = (day_text(row["valid_from"]), last_day(row["valid_to"]))
        post = row["post"] if pd.isna(row["holder_id"]) else f"{row['post']}〔{row['holder_id']}〕"
        spans.setdefault(row["unit_id"], {}).setdefault(span, {}).setdefault(_column(row), []).append(post)
    rows = []
    for unit in units.to_dict("records"):
        plain = {name: _given(unit.get(name)) for name in ("unit_id", "name", "parent_id", "source")}
        plain["unit_kind"] = say(f"unit_{unit['unit_kind']}")
        plain |= {name: _given(unit.get(name)) for name in ("households_n", "elevation_m")}
        due = _given(unit.get("due_m2"))
        plain |= {"due_mu": None if due is None else round(due / MU_M2, 4)}
        plain |= {name: _yes_no(unit.get(name)) for name in ("key_area", "edge")}
        standing = say("nobody") if unit["nobody"] else None
        for (since, until), posts in (spans.get(unit["unit_id"]) or {("", ""): {}}).items():
            kinds = {kind: "、".join(posts.get(kind, [])) or None for kind in POSTS}
            rows.append(plain | kinds | {"valid_from": since or None, "valid_to": until or None, "standing": standing})
    return rows


def register_workbook(
    units: pd.DataFrame,
    duties: pd.DataFrame,
    aliases: pd.DataFrame,
    *,
    paper: Paper,
    columns: Sequence[str] = (),
    language: Language = "zh",
) -> bytes:
    """
    XLSX bytes: the register, and the other names and codes with their evidence; the same input gives the same bytes.

    Parameters
    ----------
    units
        `workspace.register.Register.units`, nobody's first.
    duties, aliases
        Their layers, with history.
    columns
        Of an upper-level form, ``head=field``: one more sheet.
    """
    posts = tuple(Column(kind, 15) for kind in POSTS)
    groups = (("", PLAIN), (say("book_posts", language), posts), ("", SPAN))
    rows = register_rows(units, duties, paper.as_of)
    names = [alias_row(row) for row in aliases.to_dict("records")]
    rounds = sorted({number for held in units["nobody_rounds"] for number in held})
    marks = tuple(Column(f"round_{number}", 8, head=say("nobody_round", language, round=number)) for number in rounds)
    plain = (Column(name, width, head=say(f"nobody_{name}", language)) for name, width in NOBODY)
    sheets: list[Sheet] = [
        (say("book_sheet", language), groups, rows),
        (say("book_nobody", language), (("", (*plain, *marks)),), nobody_rows(units, rounds)),
        (say("book_aliases", language), (("", ALIASES),), names),
    ]
    if columns:
        upper = mapped((*PLAIN, *posts, *SPAN), columns)
        sheets.append((say("book_upper", language), (("", upper),), rows))
    return workbook(sheets, paper=paper, language=language, size=A3)


def alias_row(row: dict[Any, Any]) -> dict[str, Any]:
    """One alias as its sheet shows it."""
    return row | {"confirmed": _yes_no(row["confirmed"]), "valid_to": day_text(row["valid_to"]) or None}


def day_text(moment: Any) -> str:
    """
    A moment's day in China, with the time where it is not midnight; empty where there is none.

    >>> day_text(pd.Timestamp("2025-12-31T16:00Z")), day_text(pd.Timestamp("2026-01-01T01:30Z")), day_text(None)
    ('2026-01-01', '2026-01-01 09:30', '')
    """
    if moment is None or pd.isna(moment):
        return ""
    local = moment.astimezone(CHINA)
    return f"{local:%Y-%m-%d}" if (local.hour, local.minute, local.second) == (0, 0, 0) else f"{local:%Y-%m-%d %H:%M}"


def last_day(moment: Any) -> str:
    """
    The last day of a span that ends at a moment: the day before where that is midnight; empty where it is open.

    >>> last_day(pd.Timestamp("2026-02-28T16:00Z")), last_day(pd.Timestamp("2026-03-01T01:30Z"))
    ('2026-02-28', '2026-03-01 09:30')
    """
    text = day_text(moment)
    return day_text(moment - pd.Timedelta(days=1)) if len(text) == 10 else text


def nobody_rows(units: pd.DataFrame, rounds: Sequence[int]) -> list[dict[str, Any]]:
    """Units nobody answers for now or at some moment of a round, with a mark per round."""
    rows = []
    for unit in units.to_dict("records"):
        if unit["nobody"] or unit["nobody_rounds"]:
            marks = {f"round_{number}": "×" if number in unit["nobody_rounds"] else None for number in rounds}
            said = {"kind_said": say(f"unit_{unit['unit_kind']}")}
            rows.append(said | {name: unit[name] for name in ("unit_id", "name", "township_id")} | marks)
    return rows


def _column(duty: dict[Any, Any]) -> str:
    tier = duty.get("tier")
    return str(duty["duty_kind"] if tier is None or pd.isna(tier) else tier)


def _given(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def _yes_no(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else say("yes" if value else "no")
