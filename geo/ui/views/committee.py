"""The committee's page: four numbers beside the facts, townships in an order that shows ties, and one opened."""

from pathlib import Path

import streamlit as st

from geo.errors import GeoError
from geo.ui import assessment, jobs, state, township
from geo.ui.assumed import assumed

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page() -> None:
    """Numbers, table, the township chosen, papers, and what it all rests on."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    if not county.has_terrain():
        st.info(state.word("ui_load_terrain"))
    ready = county.has_terrain() and jobs.measuring(path, head)
    try:
        with st.spinner(state.word("ui_measuring")):
            told = assessment.known(path, head, ready)
    except GeoError as error:
        state.sorry(error)
        return
    if told.townships.empty:
        st.info(state.word("ui_load_villages"))
        return
    assessment.numbers(path, head, told)
    shown = assessment.rows(told)
    chosen = st.dataframe(
        shown, hide_index=True, column_config=assessment.columns(told), placeholder="–", on_select="rerun",
        selection_mode="single-row", height=35 * min(len(shown) + 1, 27) + 3, key="assessed",
    )  # fmt: skip
    st.caption(f"{state.word('committee_note_ranks')} {state.word('ui_sure')}")
    picked = chosen["selection"]["rows"] if chosen else []
    if picked and picked[0] < len(told.townships):
        row = told.townships.iloc[picked[0]].to_dict()
        township.opened(path, head, {str(name): value for name, value in row.items()}, ready=ready)
    else:
        st.caption(state.word("committee_choose"))
    _papers(path, head, ready=ready or not county.has_terrain())
    with st.expander(state.word("ui_assumptions")):
        assumed(told.assumptions)
    state.foot(told.as_of, head)


def _papers(path: Path, head: str, *, ready: bool) -> None:
    """Word and workbook of what is shown; not while figures are still missing from it."""
    if not ready:
        st.caption(state.word("committee_papers_later"))
        return
    files = assessment.papers(path, head, state.language())
    buttons = st.container(horizontal=True)
    for (name, content), mime, code in zip(files.items(), (DOCX, XLSX), ("ui_docx", "ui_xlsx"), strict=True):
        buttons.download_button(state.word(code), content, name, mime, on_click="ignore", key=name)
