"""What leaves the planner's page: routes for the teams, and a map for those without a network."""

import streamlit as st

from geo.ui import jobs, state
from geo.ui.sheet import sheet
from geo.workspace.county import County
from geo.workspace.rights import Action, may

JOB = "sheet"


def offered(county: County, *, routes_n: int) -> None:
    """Download buttons; the map for a stick is made beside the page when somebody asks for it."""
    path, head = county.path, state.head_of(county)
    first, second = st.columns(2)
    with first:
        if routes_n:
            label = state.word("ui_gpx", n=routes_n)
            st.download_button(label, state.routes_zip(path, head), "routes.zip", "application/zip", on_click="ignore")
        else:
            st.caption(state.word("ui_load_routes"))
    with second:
        if may(county.actor, Action.EXPORT):
            _sheet(county, head)


def _sheet(county: County, head: str) -> None:
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    made = jobs.outcome(county.path, JOB)
    spoken = state.language()
    if made is not None and made[:2] == (head, spoken):
        st.download_button(state.word("ui_sheet_take"), made[2], "tacha-map.html", "text/html", on_click="ignore")
        return
    if st.button(state.word("ui_sheet_make"), help=state.word("ui_sheet_help")):
        jobs.start(county.path, JOB, lambda progress: (head, spoken, sheet(county, language=spoken, progress=progress)))
        st.rerun()
