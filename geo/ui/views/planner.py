"""The planner's map: what was seen, what was not, and who looked at the place that was clicked."""

from pathlib import Path

import streamlit as st

from geo.errors import GeoError
from geo.ui import jobs, state
from geo.ui.mapview import map_and_panel
from geo.ui.planning import JOB, plan_panel


def page() -> None:
    """Map on the left, evidence of the clicked place on the right, routes to download below."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    held = state.counts(path, head)
    if not county.has_terrain():
        st.info(state.word("ui_load_terrain"))
    elif not held["tracks"]:
        st.info(state.word("ui_load_tracks"))
    said = st.session_state.pop("plan_said", None)
    if said:
        st.success(said)
    ready = county.has_terrain() and _borders(path, head)
    map_and_panel(path, head, with_borders=ready)
    if held["routes"]:
        label = state.word("ui_gpx", n=held["routes"])
        st.download_button(label, state.routes_zip(path, head), "routes.zip", "application/zip", on_click="ignore")
    else:
        st.info(state.word("ui_load_routes"))
    if county.has_terrain():
        with st.expander(state.word("ui_plan_head"), expanded=jobs.last(path, JOB) is not None):
            plan_panel(county)
    state.foot(county.as_of(), head)


def _borders(path: Path, head: str) -> bool:
    """Measure edges and blind spots for the map; False where the county lacks something for it."""
    try:
        with st.spinner(state.word("ui_measuring")):
            state.borders(path, head)
    except GeoError as error:
        state.sorry(error)
        return False
    return True
