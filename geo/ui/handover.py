"""What leaves the planner's page: routes for the teams, and a map for those without a network."""

import streamlit as st

from geo.ui import state
from geo.workspace.county import County


def offered(county: County, *, routes_n: int) -> None:
    """Download buttons; the map for a stick is made beside the page when somebody asks for it."""
    path, head = county.path, state.head_of(county)
    first, _ = st.columns(2)
    with first:
        if routes_n:
            label = state.word("ui_gpx", n=routes_n)
            st.download_button(label, state.routes_zip(path, head), "routes.zip", "application/zip", on_click="ignore")
        else:
            st.caption(state.word("ui_load_routes"))
