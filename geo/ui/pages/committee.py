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

SHARES = ("detection", "p_zero", "p_zero_low", "p_zero_high", "blind", "watched")


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
    _facts(answer, len(county.store.read("finds")), county.settings.absence.goal)
    titles = {name: state.word(f"ui_{name}") for name in SHARES}
    config = {title: st.column_config.NumberColumn(title, format="%.2f") for title in titles.values()}
    bar = titles["detection"]
    config[bar] = st.column_config.ProgressColumn(bar, format="%.2f", min_value=0.0, max_value=1.0)
    table = rows(answer)
    st.dataframe(table, hide_index=True, column_config=config, height=36 * (len(table) + 1) + 2)
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
    shown |= {state.word(f"ui_{name}"): record.get(name) for name in SHARES}
    shown[state.word("ui_hours")] = record.get("hours_to_95")
    shown[state.word("ui_plantable")] = record.get("plantable_km2")
    effort = record["effort"]
    shown |= {state.word(f"ui_effort_{k.lower()}"): effort_text(effort[k], state.language()) for k in ("A", "B", "C")}
    claimed = not effort["A"]["records_n"] and bool(effort["B"]["records_n"] or effort["C"]["records_n"])
    reason = state.word("ui_no_track_but") if claimed else reason_sentence(record.get("reasons"), state.language())
    return shown | {state.word("ui_note"): reason}


def _facts(answer: CoverageAnswer, finds_n: int, goal: float) -> None:
    known = answer.townships["detection"].astype(float)
    sure = answer.townships["p_zero"].astype(float)
    four = st.columns(4)
    county = answer.county.get("detection")
    four[0].metric(state.word("ui_county_detection"), "–" if county is None else f"{county:.2f}")
    lowest = "–"
    if known.notna().any():
        place = int(np.nanargmin(known.to_numpy()))
        lowest = f"{answer.townships['name'].iloc[place]} {known.min():.2f}"
    four[1].metric(state.word("ui_lowest"), lowest)
    four[2].metric(state.word("ui_below", goal=goal), f"{int((~(sure >= goal)).sum())} / {len(sure)}")
    broken = state.word("ui_zero_broken", n=finds_n) if finds_n else state.word("ui_zero_held")
    four[3].metric(state.word("ui_zero_planting"), broken)
