"""The planner's map: what was seen, what was not, and who looked at the place that was clicked."""

from pathlib import Path

import folium
import streamlit as st
from streamlit_folium import st_folium

from geo.errors import GeoError
from geo.ui import legend, panel, state
from geo.ui.maps import county_map


def page() -> None:
    """Map on the left, evidence of the clicked place on the right, routes to download below."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    held = state.counts(path, head)
    if not county.has_terrain():
        st.info(state.word("ui_load_terrain"))
    elif not held["tracks"]:
        st.info(state.word("ui_load_tracks"))
    ready = county.has_terrain() and _borders(path, head)
    _map_and_panel(path, head, ready)
    if held["routes"]:
        label = state.word("ui_gpx", n=held["routes"])
        st.download_button(label, state.routes_zip(path, head), "routes.zip", "application/zip", on_click="ignore")
    else:
        st.info(state.word("ui_load_routes"))
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


@st.fragment
def _map_and_panel(path: Path, head: str, ready: bool) -> None:
    titles, versions = state.layers_shown(path, head, with_borders=ready)
    drawn = county_map(state.bounds(path, head), titles, versions, state.language())
    left, right = st.columns([3, 1])
    picked = folium.FeatureGroup(name="picked", control=False)
    clicked = (st.session_state.get("map") or {}).get("last_clicked")
    if clicked:
        place = [clicked["lat"], clicked["lng"]]
        folium.CircleMarker(place, radius=9, color="#000000", weight=3, fill=False).add_to(picked)
    with left:
        st_folium(
            drawn,
            key="map",
            height=620,
            use_container_width=True,
            returned_objects=["last_clicked"],
            feature_group_to_add=picked,
        )
        st.html(legend.shown(titles, state.language()))
    with right:
        panel.evidence(path, clicked)
