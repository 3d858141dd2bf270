"""The season's assignments on the planner's page: what is late, what is under way, and how much of it was walked."""

from pathlib import Path

import pandas as pd
import streamlit as st

from geo.layers.segments import State
from geo.ui import state
from geo.words import Language
from geo.workspace.assignments import assignment_board

LATE = ("overdue", "part_done", "scheduled", "done")


def board(path: Path, head: str) -> None:
    """Assignments, overdue first; worked out when somebody opens them, since it measures what was walked."""
    held = state.county().store.count("assignments")
    if not held:
        st.caption(state.word("ui_board_none"))
        return
    if not st.toggle(state.word("ui_board", n=held), key="board"):
        return
    with st.spinner(state.word("ui_measuring")):
        rows = _rows(path, head, state.language())
    states = [name for name in LATE if (rows["state"] == name).any()]
    counts = rows["state"].value_counts()
    chosen = st.segmented_control(
        state.word("ui_state"), states, key="board_state", label_visibility="collapsed",
        format_func=lambda name: f"{state.word(f'assignment_{name}')} {counts[name]}",
    )  # fmt: skip
    shown = rows[rows["state"] == chosen] if chosen else rows
    share = st.column_config.ProgressColumn(format="%.0f%%", min_value=0.0, max_value=100.0)
    st.dataframe(
        shown.drop(columns="state"), hide_index=True, height=35 * min(len(shown) + 1, 9) + 3,
        column_config=state.calendar(state.word("ui_day")) | {
            state.word("ui_board_share"): share,
            state.word("ui_board_hours"): st.column_config.NumberColumn(format="%.1f"),
            state.word("ui_plan_expected"): st.column_config.NumberColumn(format="%.3f"),
        },
    )  # fmt: skip


@state.kept()
def _rows(path: Path, head: str, language: Language) -> pd.DataFrame:
    table = assignment_board(state.county(), as_of=state.as_of(path, head))
    return pd.DataFrame(
        {
            "state": [str(one) for one in table["state"]],
            state.word("season_number"): table["number_n"],
            state.word("ui_state"): [state.word(f"assignment_{State(one)}") for one in table["state"]],
            state.word("ui_township"): table["township_name"],
            state.word("season_labels"): table["label"],
            state.word("ui_what"): table["purpose"],
            state.word("ui_day"): pd.to_datetime(table["day"]).dt.date,
            state.word("ui_board_share"): 100.0 * pd.to_numeric(table["share"]),
            state.word("ui_board_hours"): table["searched_h"],
            state.word("ui_plan_expected"): table["expected_finds"],
            state.word("ui_plan_reason"): table["reason"].fillna(""),
        }
    ).reset_index(drop=True)
