"""A page's numbers as cards that wrap on a phone; each opens what it rests on."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pandas as pd
import streamlit as st

from geo.ui import state

CARD_PX, ROW_PX = 150, 35


def card(
    cards: Any, label: str, value: object, below: str = "", *, rests: Callable[[], None] | None = None, key: str = ""
) -> None:
    """One number; `rests` draws its evidence, opened by the button under it."""
    with cards.container(width=CARD_PX, gap="xsmall"):
        st.metric(label, str(value))
        st.caption(below or "\u00a0")
        if rests is not None:
            with st.popover(state.word("ui_rests"), key=f"rests_{key or label}"):
                rests()


def fitted(rows_n: int, most_px: int) -> int:
    """Pixels that a table of so many rows takes, and no blank rows below them; `most_px` at the most."""
    return min(most_px, ROW_PX * (rows_n + 1) + 3)


def table(
    rows: Sequence[dict[str, Any]] | pd.DataFrame, *, most: int = 12, help_empty: str = "ui_nothing_here", **more: Any
) -> None:
    """A small table whose keys are codes of words; without rows a sentence that says so."""
    shown = pd.DataFrame(rows)
    if shown.empty:
        st.caption(state.word(help_empty))
        return
    more.setdefault("placeholder", "–")
    days = [state.word(str(code)) for code in shown if isinstance(shown[code].iloc[0], date)]
    more["column_config"] = state.calendar(*days) | more.get("column_config", {})
    height = ROW_PX * min(len(shown) + 1, most) + 3
    st.dataframe(shown.rename(columns=state.word), hide_index=True, height=height, **more)


def row_chosen(
    shown: pd.DataFrame, keys: Sequence[str], name: str, height: int, *, placeholder: str = "", **more: Any
) -> int | None:
    """
    The place of the row chosen in a table, None without one; the choice is kept by the row's key.

    Kept by place, it would be another row's as soon as an entry puts the rows in another order.
    """
    held, begun, order = st.session_state.get(name), f"{name}_begun", f"{name}_{hash(tuple(keys))}"
    if order not in st.session_state:  # another order, or a page come back to; otherwise the table must stay the same
        st.session_state[begun] = [keys.index(held)] if held in keys else []
    table = st.dataframe(
        shown, hide_index=True, height=height, placeholder=placeholder, on_select="rerun",
        selection_mode="single-row", selection_default={"selection": {"rows": st.session_state[begun]}},
        key=order, **more,
    )  # fmt: skip
    picked = table["selection"]["rows"] if table else []
    place = int(picked[0]) if picked and picked[0] < len(keys) else None
    st.session_state[name] = None if place is None else keys[place]
    return place
