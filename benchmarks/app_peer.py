"""
Plain streamlit-folium with everything as GeoJSON, as its documentation shows: ``python -m benchmarks.app_peer PORT``.

Its scripts come from this machine, or offline it would show nothing at all. It is given every help short of tiles:
coordinates rounded, townships and tracks simplified as ours are when they are sent whole (unsimplified, 5,000 tracks
are 150 MB), everything drawn on canvas, and prepared once. Plots are drawn as they are stored.
"""

import os
import sys
from pathlib import Path

import folium
import geopandas as gpd
import streamlit as st
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from streamlit import runtime

from geo.ui import features
from geo.ui.maps import localize
from geo.ui.vendor import ASSETS
from geo.workspace.county import open_county


@st.cache_data
def prepared(folder: str) -> tuple[dict[str, str], list[float]]:
    """GeoJSON of each layer, and the county's middle."""
    county = open_county(Path(folder))
    begin = county.season.bounds[0]
    layers = {name: gpd.GeoDataFrame(county.store.read(name)) for name in ("townships", "tracks", "parcels")}
    drawn = {
        "townships": features.townships(layers["townships"]),
        "tracks": features.tracks(layers["tracks"], begin),
        "parcels": features.Drawn(layers["parcels"][["geometry"]], layers["parcels"][["parcel_id"]]),
    }
    west, south, east, north = layers["townships"].to_crs(4326).total_bounds
    return {name: features.collection(one).decode() for name, one in drawn.items()}, [
        float(south + north) / 2,
        float(west + east) / 2,
    ]


def page() -> None:
    """The map, and one line on the place clicked."""
    from streamlit_folium import st_folium  # made known to the running server, which does not stand at import

    texts, middle = prepared(os.environ["TACHA_COUNTY"])
    drawn = folium.Map(middle, zoom_start=11, tiles=None, prefer_canvas=True, attribution_control=False, max_zoom=18)
    for name, text in texts.items():
        marker = folium.CircleMarker(radius=4) if name == "parcels" else None
        folium.GeoJson(text, name=name, marker=marker).add_to(drawn)
    got = st_folium(localize(drawn), height=620, use_container_width=True, returned_objects=["last_clicked"])
    place = got.get("last_clicked") if got else None
    st.markdown(f"place {place['lat']:.5f} {place['lng']:.5f}" if place else "place")


if __name__ == "__main__":
    if runtime.exists():
        page()
    else:
        app = st.App(Path(__file__), routes=[Mount("/geo/assets", StaticFiles(directory=ASSETS))])
        app.run(
            config={
                "server.port": int(sys.argv[1]), "server.address": "127.0.0.1", "server.headless": True,
                "browser.gatherUsageStats": False, "server.fileWatcherType": "none",
            }
        )  # fmt: skip
