"""The map with legend, search and evidence: what is clicked, searched or chosen in a table is one selection."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import folium
import streamlit as st
from streamlit_folium import st_folium

from geo.errors import GeoError
from geo.ui import legend, panel, state
from geo.ui.maps import DRAWN, county_map, drawing, h, shape_given
from geo.workspace.finding import DATUMS, Place, search

TALL_PX, SHORT_PX = 620, 440
CLOSE_ZOOM = 14.0
BROAD = (
    "hillshade", "pod", "risk", "tracks", "borders", "grounds", "townships", "blind_spots", "routes", "parcels",
    "finds",
)  # fmt: skip
ON_EDGES = (
    "pod", "townships", "grounds", "tracks", "parcels", "finds", "routes", "borders", "blind_spots",
)  # fmt: skip
Clicked = Mapping[str, float]
Outline = tuple[tuple[float, float], ...]
"""Longitude and latitude of an area's corners."""


@st.fragment
def map_and_panel(
    path: Path,
    head: str,
    *,
    ready: bool,
    below: Callable[[Clicked | None], Clicked | None],
    proposed: str = "",
    planned: Outline | None = None,
) -> None:
    """
    Map on the left, panel on the right (below, on a phone); a click runs this part of the page alone.

    Parameters
    ----------
    ready
        Whether edges and blind spots are measured.
    below
        Draws the tables under the map, given the selected place; gives the place of a row chosen there.
    proposed
        The mark of a plan that waits to be accepted.
    planned
        The area that plan, or the next one asked for, keeps to.
    """
    held = state.county()
    layers = state.layers_shown(path, head, BROAD, with_borders=ready)
    language = state.language()
    if proposed:
        address = f"/geo/proposal.geojson?lang={language}&v={proposed}"
        layers.append(shape_given("proposed", state.word("ui_layer_proposed")) | {"kind": "geojson", "url": address})
    drawn = county_map(state.bounds(path, head), drawing(layers, held.season, language))
    box, asks = st.container(), bool(st.session_state.get("map_search"))
    if asks:  # what is searched moves the map
        with box:
            _asked(path, head)
    left, right = st.columns([9, 4])
    looked = st.session_state.get("map") or {}
    clicked, area = _selected(looked), _area(looked)
    with left:
        there = st.session_state.get("map_there")
        st_folium(
            drawn,
            key="map",
            height=_height(),
            use_container_width=True,
            returned_objects=["last_clicked", "all_drawings"],
            feature_group_to_add=_picked(clicked, [one for one in dict.fromkeys((area, planned)) if one]),
            center=tuple(there["center"]) if there else None,
            zoom=there["zoom"] if there else None,
        )
        st.html(legend.shown([one["name"] for one in layers], language))
    if not asks:
        with box:
            _asked(path, head)
    with right:
        if area is not None:
            panel.area(path, head, area)
        panel.evidence(path, head, clicked)
    chosen = below(clicked)
    if chosen is not None:
        _go(chosen["lat"], chosen["lng"], st.session_state.get("map_said", ""))
        st.rerun(scope="fragment")


def _selected(looked: Mapping[str, Any]) -> Clicked | None:
    """The place last clicked, searched or chosen, whichever came last."""
    clicked = looked.get("last_clicked")
    if clicked and clicked != st.session_state.get("map_click"):
        st.session_state["map_click"], st.session_state["map_place"] = clicked, clicked
    place: Clicked | None = st.session_state.get("map_place")
    return place


def _go(latitude: float, longitude: float, said: str) -> None:
    """Select a place that was not clicked, and bring the map there."""
    st.session_state["map_place"] = {"lat": latitude, "lng": longitude}
    st.session_state["map_there"] = {"center": [latitude, longitude], "zoom": CLOSE_ZOOM}
    st.session_state["map_said"] = said


def _asked(path: Path, head: str) -> None:
    """The search box: coordinates in any notation, the name of a place, or an id."""
    first, second = st.columns([5, 2])
    text = first.text_input(
        state.word("ui_search"),
        key="map_search",
        placeholder=state.word("ui_search_hint"),
        label_visibility="collapsed",
    )
    datum = second.selectbox(
        state.word("ui_datum"), DATUMS, format_func=lambda name: state.word(f"datum_{name}"), key="map_datum",
        label_visibility="collapsed",
    )  # fmt: skip
    asked = (text, datum)
    if not text:
        st.session_state["map_asked"] = asked
        return
    try:
        found = search(state.county(), text, datum=datum)
    except GeoError as error:
        state.sorry(error)
        return
    if not found:
        st.warning(state.word("ui_search_nothing"))
        return
    one = found[0]
    if len(found) > 1:
        one = st.selectbox(
            state.word("ui_search_which"), found, format_func=_spoken, key="map_found", label_visibility="collapsed"
        )
    if (*asked, one) != st.session_state.get("map_asked"):
        st.session_state["map_asked"] = (*asked, one)
        _go(one.latitude, one.longitude, one.name)
    st.caption(state.plain(f"{_spoken(one)} · {one.longitude:.6f}, {one.latitude:.6f}"))


def _spoken(place: Place) -> str:
    return f"{state.word(f'found_{place.kind}')} {place.name}".strip()


def _area(looked: Mapping[str, Any]) -> Outline | None:
    """
    The outline last drawn and not cleared since; None without one.

    A map made anew (a plan appears, edges are measured) holds no drawing and tells of none until somebody draws on it.
    """
    drawings = looked.get("all_drawings")
    if drawings is not None:
        rings = [one["geometry"]["coordinates"][0] for one in drawings if one["geometry"]["type"] == "Polygon"]
        drawn = tuple((float(east), float(north)) for east, north, *_ in rings[0]) if rings else None
        st.session_state["map_area"] = drawn
        if drawn is None and st.session_state.pop("plan_area", None):
            st.rerun()
    area: Outline | None = st.session_state.get("map_area")
    return area


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
    shown = state.layers_shown(path, head, ("hillshade", *layers), with_borders="borders" in layers)
    language = state.language()
    drawn = county_map(bounds, drawing(shown, state.county().season, language, tools=False, timed=False))
    for longitude, latitude in places:
        folium.CircleMarker([latitude, longitude], radius=3, color="#d6006e", weight=1, fill=True).add_to(drawn)
    st_folium(drawn, key=key, height=SHORT_PX, use_container_width=True, returned_objects=[])
    st.html(legend.shown([one["name"] for one in shown], language))


def _picked(clicked: Clicked | None, areas: Sequence[Outline]) -> folium.FeatureGroup:
    """The areas in use, and a ring around the selected place with the name it was found by."""
    picked = folium.FeatureGroup(name="picked", control=False)
    for area in areas:
        corners = [(north, east) for east, north in area]
        edge = folium.PolyLine(corners, color=DRAWN, weight=3, interactive=False)  # type: ignore[no-untyped-call]  # folium says no types
        edge.add_to(picked)
    if clicked:
        place = [clicked["lat"], clicked["lng"]]
        folium.CircleMarker(place, radius=10, color="#ffffff", weight=6, fill=False).add_to(picked)
        ring = folium.CircleMarker(place, radius=10, color="#000000", weight=2.5, fill=False)
        said = st.session_state.get("map_said") if clicked != st.session_state.get("map_click") else ""
        if said:
            folium.Tooltip(h(said), permanent=True).add_to(ring)
        ring.add_to(picked)
    return picked


def _height() -> int:
    """Pixels: on a phone the page must stay scrollable beside the map."""
    return SHORT_PX if "Mobi" in (st.context.headers.get("User-Agent") or "") else TALL_PX
