"""The map with its legend, and beside it the evidence of the place that was clicked."""

from collections.abc import Sequence
from pathlib import Path

import folium
import streamlit as st
from streamlit_folium import st_folium

from geo.ui import legend, panel, state
from geo.ui.maps import county_map

TALL_PX, SHORT_PX = 620, 440
ON_EDGES = ("pod", "townships", "grounds", "tracks", "parcels", "finds", "routes", "borders", "blind_spots")


@st.fragment
def map_and_panel(path: Path, head: str, *, with_borders: bool) -> None:
    """Map on the left, panel on the right (below, on a phone); a click runs this part of the page alone."""
    titles, versions = state.layers_shown(path, head, with_borders=with_borders)
    titles = {name: title for name, title in titles.items() if name != "villages"}
    drawn = county_map(state.bounds(path, head), titles, versions, state.language())
    left, right = st.columns([5, 2])
    clicked = (st.session_state.get("map") or {}).get("last_clicked")
    with left:
        st_folium(
            drawn,
            key="map",
            height=_height(),
            use_container_width=True,
            returned_objects=["last_clicked"],
            feature_group_to_add=_picked(clicked),
        )
        st.html(legend.shown(titles, state.language()))
    with right:
        panel.evidence(path, head, clicked)


def map_alone(
    path: Path,
    head: str,
    bounds: tuple[float, float, float, float],
    *,
    key: str,
    places: Sequence[tuple[float, float]] = (),
    layers: Sequence[str] = ON_EDGES,
) -> None:
    """Some layers over one piece of ground, to look at only; `places` (longitude, latitude) are marked."""
    titles, versions = state.layers_shown(path, head, with_borders="borders" in layers)
    titles = {name: title for name, title in titles.items() if name in layers or name == "hillshade"}
    drawn = county_map(bounds, titles, versions, state.language())
    for longitude, latitude in places:
        folium.CircleMarker([latitude, longitude], radius=3, color="#d6006e", weight=1, fill=True).add_to(drawn)
    st_folium(drawn, key=key, height=SHORT_PX, use_container_width=True, returned_objects=[])
    if "villages" in titles:
        st.html(legend.shown(titles, state.language()))


def _picked(clicked: dict[str, float] | None) -> folium.FeatureGroup:
    """A ring around the clicked place."""
    picked = folium.FeatureGroup(name="picked", control=False)
    if clicked:
        place = [clicked["lat"], clicked["lng"]]
        folium.CircleMarker(place, radius=9, color="#000000", weight=3, fill=False).add_to(picked)
    return picked


def _height() -> int:
    """Pixels: on a phone the page must stay scrollable beside the map."""
    return SHORT_PX if "Mobi" in (st.context.headers.get("User-Agent") or "") else TALL_PX
