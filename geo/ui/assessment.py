"""The committee's rows and facts: every figure with its interval, its effort by evidence, and its reason."""

from collections.abc import Hashable
from typing import Any

import pandas as pd
import streamlit as st

from geo.report.townships import effort_text, reason_sentence
from geo.ui import state
from geo.workspace.covering import CoverageAnswer

CARD_PX = 196


def rows(answer: CoverageAnswer) -> pd.DataFrame:
    """The table as shown: one row per township; a figure nobody can compute stays empty, with its reason."""
    return pd.DataFrame([_row(record) for record in answer.townships.to_dict("records")])


def columns() -> dict[str, Any]:
    """How the columns of `rows` are drawn, by their title."""
    number = st.column_config.NumberColumn
    titles = {
        name: state.word(f"ui_{name}") for name in ("township", "detection", "buffer", "blind", "watched", "hours")
    }
    return {
        state.word("ui_note"): st.column_config.TextColumn(width=250),
        titles["township"]: st.column_config.TextColumn(pinned=True),
        titles["detection"]: st.column_config.ProgressColumn(format="%.2f", min_value=0.0, max_value=1.0, width=120),
        titles["buffer"]: number(format="%.2f", help=state.word("ui_buffer_help")),
        titles["blind"]: number(format="%.2f"),
        titles["watched"]: number(format="%.2f"),
        titles["hours"]: number(format="%.0f"),
        state.word("ui_plantable"): number(format="%.1f"),
    }


def facts(answer: CoverageAnswer) -> None:
    """The county's numbers beside the facts of the year, as cards that wrap on a phone."""
    known, cards = answer.county, st.container(horizontal=True)
    shares = [one for one in answer.townships.to_dict("records") if not pd.isna(one["detection"])]
    whole = "–" if known["p_zero"] is None else f"{known['p_zero']:.2f}"
    interval = "" if known["p_zero"] is None else f"{known['p_zero_low']:.2f}–{known['p_zero_high']:.2f}"
    unknown = state.word("ui_unknown", n=known["unknown_n"]) if known["unknown_n"] else interval
    _card(cards, "ui_county_p_zero", whole, unknown, help=state.word("ui_county_p_zero_help"))
    if shares:
        least = min(shares, key=lambda one: float(one["detection"]))
        _card(cards, "ui_lowest", f"{least['detection']:.2f}", state.plain(least["name"]))
    below = f"{known['below_goal_n']} / {len(answer.townships)}"
    _card(cards, "ui_below", below, "", goal=known["goal"])
    planting = state.word("ui_broken" if known["finds_n"] else "ui_held")
    _card(cards, "ui_zero_planting", planting, state.word("ui_finds_n", n=known["finds_n"]))
    harvest = state.word({True: "ui_held", False: "ui_broken", None: "ui_undecided"}[known["zero_yield"]])
    _card(cards, "ui_zero_yield", harvest, state.word("ui_standing", n=known["finds_standing_n"]))


def _card(cards: Any, code: str, value: str, below: str, *, help: str | None = None, **blanks: object) -> None:  # noqa: A002
    with cards.container(width=CARD_PX, gap=None):
        st.metric(state.word(code, **blanks), value, help=help)
        if below:
            st.caption(below)


def _row(record: dict[Hashable, Any]) -> dict[str, Any]:
    effort = record["effort"]
    return (
        {
            state.word("ui_township"): record["name"],
            state.word("ui_detection"): record["detection"],
            state.word("ui_p_zero"): _interval(record),
        }
        | {state.word(f"ui_effort_{k.lower()}"): effort_text(effort[k], state.language()) for k in ("A", "B", "C")}
        | {
            state.word("ui_note"): reason_sentence(record.get("reasons"), state.language()),
            state.word("ui_buffer"): record["buffer_share"],
            state.word("ui_blind"): record["blind"],
            state.word("ui_watched"): record["watched"],
            state.word("ui_hours"): record["hours_to_95"],
            state.word("ui_plantable"): record.get("plantable_km2"),
        }
    )


def _interval(record: dict[Hashable, Any]) -> str | None:
    """The chance and its 5-95 % interval, as one text."""
    middle, low, high = (record.get(name) for name in ("p_zero", "p_zero_low", "p_zero_high"))
    if pd.isna(middle):
        return None
    return f"{middle:.2f}" if pd.isna(low) or pd.isna(high) else f"{middle:.2f} ({low:.2f}–{high:.2f})"
