"""The committee's table: how sure we are, township by township, and on what it rests."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.report.townships import effort_text, reason_sentence
from geo.ui import state
from geo.workspace.covering import CoverageAnswer

SHARES = ("detection", "p_zero", "blind", "watched")


def page() -> None:
    """County facts, the township table with intervals and effort by evidence, assumptions, download."""
    county = state.county()
    head = state.head_of(county)
    try:
        with st.spinner(state.word("ui_measuring")):
            answer = state.coverage(county.path, head)
            book = state.workbook(county.path, head, state.language())
    except GeoError as error:
        state.sorry(error)
        st.info(state.word("ui_load_terrain"))
        return
    _facts(answer)
    titles = {name: state.word(f"ui_{name}") for name in SHARES}
    config = {title: st.column_config.NumberColumn(title, format="%.2f") for title in titles.values()}
    bar = titles["detection"]
    config[bar] = st.column_config.ProgressColumn(bar, format="%.2f", min_value=0.0, max_value=1.0)
    table = rows(answer)
    st.dataframe(table, hide_index=True, column_config=config, placeholder="–", height=36 * (len(table) + 1) + 2)
    st.caption(state.word("ui_sure"))
    with st.expander(state.word("ui_assumptions")):
        st.json(answer.assumptions, expanded=1)
    st.download_button(state.word("ui_xlsx"), book, "townships.xlsx", on_click="ignore")
    state.foot(answer.as_of, head)


def rows(answer: CoverageAnswer) -> pd.DataFrame:
    """The table as shown: one row per township; a figure nobody can compute stays empty, with its reason."""
    return pd.DataFrame([_row(record) for record in answer.townships.to_dict("records")])


def _row(record: dict[Hashable, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {state.word("ui_township"): record["name"]}
    for name in SHARES:
        shown[state.word(f"ui_{name}")] = record.get(name)
        if name == "p_zero":
            shown[state.word("ui_interval")] = _interval(record)
    shown[state.word("ui_hours")] = record.get("hours_to_95")
    shown[state.word("ui_plantable")] = record.get("plantable_km2")
    effort = record["effort"]
    claimed = not effort["A"]["records_n"] and bool(effort["B"]["records_n"] or effort["C"]["records_n"])
    reason = state.word("ui_no_track_but") if claimed else reason_sentence(record.get("reasons"), state.language())
    shown[state.word("ui_note")] = reason
    shown |= {state.word(f"ui_effort_{k.lower()}"): effort_text(effort[k], state.language()) for k in ("A", "B", "C")}
    return shown


def _interval(record: dict[Hashable, Any]) -> str | None:
    low, high = record.get("p_zero_low"), record.get("p_zero_high")
    return None if pd.isna(low) or pd.isna(high) else f"{low:.2f}–{high:.2f}"


def _facts(answer: CoverageAnswer) -> None:
    """The county's numbers beside the facts of the year."""
    facts = answer.county
    sure, lowest, below, planting, harvest = st.columns(5)
    whole = "–" if facts["p_zero"] is None else f"{facts['p_zero']:.2f}"
    sure.metric(state.word("ui_county_p_zero"), whole, help=state.word("ui_county_p_zero_help"))
    if facts["unknown_n"]:
        sure.caption(state.word("ui_unknown", n=facts["unknown_n"]))
    elif facts["p_zero"] is not None:
        sure.caption(f"{facts['p_zero_low']:.2f}–{facts['p_zero_high']:.2f}")
    known = answer.townships["detection"].astype(float).to_numpy()
    if np.isfinite(known).any():
        place = int(np.nanargmin(known))
        lowest.metric(state.word("ui_lowest"), f"{known[place]:.2f}")
        lowest.caption(state.plain(answer.townships["name"].iloc[place]))
    below.metric(state.word("ui_below", goal=facts["goal"]), f"{facts['below_goal_n']} / {len(known)}")
    found, standing = facts["finds_n"], facts["finds_standing_n"]
    planting.metric(state.word("ui_zero_planting"), state.word("ui_broken" if found else "ui_held"))
    planting.caption(state.word("ui_finds_n", n=found))
    harvest.metric(state.word("ui_zero_yield"), state.word("ui_held" if facts["zero_yield"] else "ui_broken"))
    harvest.caption(state.word("ui_standing", n=standing))
