"""The committee's table: how sure we are, township by township, and on what it rests."""

import streamlit as st

from geo.errors import GeoError
from geo.ui import assessment, state


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
    assessment.facts(answer)
    table = assessment.rows(answer)
    height = 35 * (len(table) + 1) + 3
    st.dataframe(table, hide_index=True, column_config=assessment.columns(), placeholder="–", height=height)
    st.caption(state.word("ui_sure"))
    with st.expander(state.word("ui_assumptions")):
        st.json(answer.assumptions, expanded=1)
    st.download_button(state.word("ui_xlsx"), book, "townships.xlsx", on_click="ignore")
    state.foot(answer.as_of, head)
