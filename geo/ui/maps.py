"""
The map: layers fetched from this process alone, and nothing from elsewhere.

folium makes the empty map; ``scripts/map.js`` draws on it what `drawing` says. `localize` sends every script and style
folium would fetch from the internet to our own assets and raises on what it does not know. `h` is the one encoder for
text that reaches map HTML.
"""

import hashlib
import html
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, MacroElement
from folium.elements import JSCSSMixin
from folium.template import Template

from geo.errors import GeoError
from geo.season import Season
from geo.words import Language, say

ASSETS, SCRIPTS = "/geo/assets", "/geo/scripts"
SCRIPT = Path(__file__).with_name("scripts") / "map.js"
VECTORGRID = "leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js"
DRAW = "leaflet-draw/dist/leaflet.draw"
DROPPED = re.compile(r"bootstrap|fontawesome|awesome|jquery", re.IGNORECASE)
LOCAL = {
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
}
STATUS_MARKS = {
    "flagged": ("#D55E00", "triangle"),
    "assigned": ("#D55E00", "triangle"),
    "visited": ("#0072B2", "disc"),
    "guarded": ("#0072B2", "star"),
    "handed_over": ("#CC79A7", "triangle"),
    "dismissed": ("#777777", "ring"),
    "confirmed": ("#CC79A7", "star"),
    "eradicated": ("#000000", "cross"),
    "rechecked": ("#000000", "cross"),
    "closed": ("#999999", "cross"),
}
VILLAGE_MARKS = {
    "looked_a": ("#0072B2", "square"),
    "looked_b": ("#56B4E9", "square"),
    "looked_c": ("#56B4E9", "box"),
    "unreached": ("#999999", "triangle"),
    "overdue": ("#D55E00", "cross"),
    "due": ("#D55E00", "box"),
    "not_due": ("#777777", "box"),
}
"""Villages have corners where plots are round: both lie on one map."""
STRIP, WALKED, SPOT, PLANNED, GROUND = "#E69F00", "#0072B2", "#4d4d4d", "#882255", "#1b5e20"
DRAWN = "#7b3294"
"""What somebody draws on the map."""
THICKEST = 8.0
RASTERS = {"hillshade": 0.35, "pod": 0.8, "risk": 0.75}
"""Opacity of the layers that come as pictures, the lowest first."""
ASKED_FOR = ("risk",)
"""Layers that lie on the map only when somebody switches them on."""


STYLES: dict[str, dict[str, Any]] = {
    "tracks": {"color": WALKED, "weight": 0.5, "opacity": 0.2, "fill": False},
    "borders": {"color": STRIP, "weight": 7, "opacity": 0.75, "fill": False},
    "grounds": {"color": GROUND, "weight": 1.6, "dashArray": "1 4", "fill": False},
    "townships": {"color": "#222222", "weight": 1.4, "fill": False},
    "blind_spots": {"color": SPOT, "weight": 1.5, "dashArray": "3 3", "fill": True, "fillOpacity": 0.15},
    "routes": {"color": PLANNED, "weight": 2.5, "dashArray": "7 4", "fill": False},
    "proposed": {"color": PLANNED, "weight": 3.5, "dashArray": "2 6", "fill": False},
    "parcels": {"color": "#D55E00", "weight": 1.5, "fill": True, "fillOpacity": 0.6},
    "villages": {"color": WALKED, "weight": 1.5, "fill": True, "fillOpacity": 1.0},
    "finds": {"color": "#CC79A7", "weight": 1.5, "fill": True, "fillOpacity": 1.0},
}
OF_NOW = ("borders", "blind_spots", "proposed")
"""Layers that say how things stand: they are hidden while the slider shows an earlier month."""
HALOED = {"townships": 1.6, "routes": 3.0, "proposed": 3.0}


class AssetUnknown(GeoError):
    """A map element wants a script or style that is not served locally."""


def h(text: object) -> str:
    """
    Text made safe for map HTML and for the JavaScript template strings folium writes around it.

    >>> h("<b>`${x}\\\\")
    '&lt;b&gt;&#96;&#36;&#123;x}&#92;'
    """
    safe = html.escape(str(text), quote=True)
    for mark in "`${\\":
        safe = safe.replace(mark, f"&#{ord(mark)};")
    return safe


def localize(drawn: folium.Map, base: str = ASSETS) -> folium.Map:
    """
    Point every script and style of the map at `base`; drop bootstrap and icon fonts.

    Raises
    ------
    AssetUnknown
        An element wants a file we do not serve, so that a map is never half blank without internet.
    """
    for element in _walk(drawn):
        for kind in ("default_js", "default_css"):
            if hasattr(element, kind):
                setattr(element, kind, [*_local(getattr(element, kind), base)])
    return drawn


class Dressed(JSCSSMixin, MacroElement):
    """
    The map's layers and tools, drawn by ``scripts/map.js`` from what `given` says; no text of ours enters the script
    but as JSON.

    It goes into the page as the variable ``drawnItems``, where streamlit-folium looks for what somebody draws.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var drawnItems = tacha({{ this._parent.get_name() }}, {{ this.given|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # folium says no types
        self._name = "Dressed"
        self.given = given
        self.default_js = [("vectorgrid", f"{ASSETS}/{VECTORGRID}")] if _has(given, "vector") else []
        self.default_js += [("draw", f"{ASSETS}/{DRAW}.js")] if given["tools"] else []
        self.default_js += [("map", f"{SCRIPTS}/map.js?v={_script_version()}")]
        self.default_css = [("draw_css", f"{ASSETS}/{DRAW}.css")] if given["tools"] else []


def base_map(bounds: tuple[float, float, float, float]) -> folium.Map:
    """An empty canvas map about the middle of west, south, east, north in degrees."""
    west, south, east, north = bounds
    return folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        prefer_canvas=True,
        attribution_control=False,
        max_zoom=18,
        min_zoom=7,
        zoom_start=11,
        zoom_snap=0.25,
    )


def county_map(bounds: tuple[float, float, float, float], given: dict[str, Any]) -> folium.Map:
    """
    The map over west, south, east, north in degrees, dressed in what `drawing` gives.

    The script itself goes to the bounds, before there are layers: folium's own way moves there over a quarter of a
    second, and every layer would be fetched twice.
    """
    west, south, east, north = bounds
    drawn = base_map(bounds)
    Dressed(given | {"bounds": [[south, west], [north, east]]}).add_to(drawn)
    return localize(drawn)


def drawing(
    layers: Sequence[dict[str, Any]], season: Season, language: Language, *, tools: bool = True, timed: bool = True
) -> dict[str, Any]:
    """What ``scripts/map.js`` needs: layers in the order they lie, months of the season, words of the tools."""
    begin, months = season.bounds[0], []
    for (year, month), start, end in zip(season.months, season.bounds[:-1], season.bounds[1:], strict=True):
        spoken = {code: say(f"map_month_{code}", language, month=month) for code in ("until", "alone")}
        months.append(
            {"name": f"{year}-{month:02d}", "start": (start - begin).days, "end": (end - begin).days, **spoken}
        )
    shown = months if timed else []
    return {"layers": list(layers), "months": shown, "tools": tools, "pen": DRAWN, "words": _words(language)}


def layer_given(name: str, title: str, version: str, language: Language, *, many: bool) -> dict[str, Any]:
    """One layer of the county for `drawing`; the version in its address makes browsers drop an older state."""
    if name in RASTERS:
        more = "&month={month}&only={only}" if name == "pod" else ""
        return {
            "name": name, "title": h(title), "kind": "tiles", "rank": 0, "shown": name not in ASKED_FOR,
            "timed": name == "pod", "opacity": RASTERS[name],
            "url": f"/geo/tiles/{name}/{{z}}/{{x}}/{{y}}.png?v={version}{more}",
        }  # fmt: skip
    base = f"/geo/vector/{name}/{{z}}/{{x}}/{{y}}.pbf" if many else f"/geo/layers/{name}.geojson"
    return shape_given(name, title) | {
        "kind": "vector" if many else "geojson",
        "url": f"{base}?lang={language}&v={version}",
    }


def intranet_given(url: str, title: str) -> dict[str, Any]:
    """The office network's own tiles, below everything; the settings name them, and none are asked for otherwise."""
    return {
        "name": "intranet", "title": h(title), "kind": "tiles", "rank": -1, "shown": True, "timed": False, "url": url,
        "opacity": 1.0,
    }  # fmt: skip


def shape_given(name: str, title: str) -> dict[str, Any]:
    """How a layer of shapes looks and behaves, wherever its rows come from."""
    return {
        "name": name, "title": h(title), "rank": list(STYLES).index(name) + 1, "shown": True, "style": STYLES[name],
        "halo": HALOED.get(name, 0), "labelled": name not in ("tracks", "townships"), "named": name == "townships",
        "thickest": THICKEST, "now": name in OF_NOW,
    }  # fmt: skip


def _words(language: Language) -> dict[str, Any]:
    """Words of the map's tools; leaflet-draw keeps its own in the same shape."""
    simple = (
        "zoomIn",
        "zoomOut",
        "layers",
        "time",
        "now",
        "only",
        "whole",
        "drawPolygon",
        "drawRectangle",
        "measure",
        "clear",
        "mu",
    )
    nested = {
        "line": ("start", "cont", "end"), "polygon": ("start", "cont", "end"), "rectangle": ("start",),
        "simple": ("end",),
    }  # fmt: skip
    said: dict[str, Any] = {name: say(f"map_{name}", language) for name in simple}
    for group, parts in nested.items():
        said[group] = {part: say(f"map_{group}_{part}", language) for part in parts}
    return said | {"crossing": say("map_crossing", language)}


def _has(given: dict[str, Any], kind: str) -> bool:
    return any(one["kind"] == kind for one in given["layers"])


@cache
def _script_version() -> str:
    """The digest of our own script, so that a browser never keeps that of an older Tacha."""
    return hashlib.sha256(SCRIPT.read_bytes()).hexdigest()[:8]


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in list(element._children.values()):
        yield from _walk(child)


def _local(wanted: list[tuple[str, str]], base: str) -> Iterator[tuple[str, str]]:
    for name, url in wanted:
        file = url.rsplit("/", 1)[-1]
        if url.startswith((f"{base}/", f"{SCRIPTS}/")):
            yield name, url
        elif DROPPED.search(url):
            continue
        elif file in LOCAL:
            yield name, f"{base}/{LOCAL[file]}"
        else:
            raise AssetUnknown("asset_unknown", url=url)
