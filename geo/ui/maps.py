"""
The map: layers fetched from this process alone, and nothing from elsewhere.

`localize` sends every script and style folium would fetch from the internet to our own assets and raises on what it
does not know. `h` is the one encoder for text that reaches map HTML.
"""

import html
import re
from collections.abc import Iterator
from typing import Any

import folium
from branca.element import Element, MacroElement
from folium.map import Layer
from folium.template import Template

from geo.errors import GeoError

ASSETS = "/geo/assets"
DROPPED = re.compile(r"bootstrap|fontawesome|awesome", re.IGNORECASE)
LOCAL = {
    "leaflet.js": "leaflet/dist/leaflet.js",
    "leaflet.css": "leaflet/dist/leaflet.css",
    "jquery-3.7.1.min.js": "jquery/dist/jquery.min.js",
}
STATUS_MARKS = {
    "flagged": ("#D55E00", "triangle"),
    "assigned": ("#D55E00", "triangle"),
    "visited": ("#0072B2", "disc"),
    "guarded": ("#0072B2", "star"),
    "handed_over": ("#CC79A7", "triangle"),
    "dismissed": ("#999999", "ring"),
    "confirmed": ("#CC79A7", "star"),
    "eradicated": ("#000000", "cross"),
    "rechecked": ("#000000", "cross"),
    "closed": ("#999999", "cross"),
}
VILLAGE_MARKS = {
    "looked_a": ("#0072B2", "disc"),
    "looked_b": ("#56B4E9", "disc"),
    "looked_c": ("#56B4E9", "ring"),
    "unreached": ("#999999", "triangle"),
    "overdue": ("#D55E00", "cross"),
    "due": ("#D55E00", "ring"),
    "not_due": ("#999999", "ring"),
}
STRIP, WALKED, SPOT, PLANNED, GROUND = "#E69F00", "#0072B2", "#4d4d4d", "#882255", "#1b5e20"
THICKEST = 8.0


STYLES: dict[str, dict[str, Any]] = {
    "tracks": {"color": WALKED, "weight": 0.5, "opacity": 0.2, "fill": False},
    "borders": {"color": STRIP, "weight": 7, "opacity": 0.75, "fill": False},
    "grounds": {"color": GROUND, "weight": 1.6, "dashArray": "1 4", "fill": False},
    "townships": {"color": "#222222", "weight": 1.4, "fill": False},
    "blind_spots": {"color": SPOT, "weight": 1.5, "dashArray": "3 3", "fill": True, "fillOpacity": 0.15},
    "routes": {"color": PLANNED, "weight": 2.5, "dashArray": "7 4", "fill": False},
    "parcels": {"color": "#D55E00", "weight": 1.5, "fill": True, "fillOpacity": 0.6},
    "villages": {"color": WALKED, "weight": 1.5, "fill": True, "fillOpacity": 1.0},
    "finds": {"color": "#CC79A7", "weight": 1.5, "fill": True, "fillOpacity": 1.0},
}
HALOED = {"townships": 1.6, "routes": 3.0}


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


class Fetched(Layer):
    """
    A layer the browser fetches from this process as GeoJSON and draws on canvas.

    `kind` is a key of `STYLES`: layers lie in that order whichever arrives first, and the `HALOED` have a white line
    below, so that they are seen on light and dark ground. Features carry ``label`` (already through `h`) and, for
    marks, ``colour`` and ``shape``; their text never enters a script.
    """

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        var {{ this.get_name() }} = (function () {
            var options = {{ this.style|tojson }};
            var Mark = L.CircleMarker.extend({_updatePath: function () {
                var renderer = this._renderer, at = this._point, r = this._radius, pen = renderer._ctx;
                if (!renderer._drawing || this._empty()) { return; }
                var shape = this.options.shape, step;
                pen.beginPath();
                if (shape === "triangle") {
                    pen.moveTo(at.x, at.y - r); pen.lineTo(at.x + r, at.y + r); pen.lineTo(at.x - r, at.y + r);
                    pen.closePath();
                } else if (shape === "cross") {
                    pen.moveTo(at.x - r, at.y - r); pen.lineTo(at.x + r, at.y + r);
                    pen.moveTo(at.x + r, at.y - r); pen.lineTo(at.x - r, at.y + r);
                } else if (shape === "star") {
                    for (step = 0; step < 10; step++) {
                        var far = step % 2 ? r * 0.55 : r * 1.4, turn = Math.PI * (step / 5 - 0.5);
                        pen.lineTo(at.x + far * Math.cos(turn), at.y + far * Math.sin(turn));
                    }
                    pen.closePath();
                } else { pen.arc(at.x, at.y, r, 0, 2 * Math.PI); }
                renderer._fillStroke(pen, this);
            }});
            if (!document.getElementById("tacha-style")) {
                var sheet = document.createElement("style");
                sheet.id = "tacha-style";
                sheet.textContent = ".tacha-name{background:none;border:0;box-shadow:none;font-weight:600;" +
                    "color:#111;text-shadow:0 0 3px #fff,0 0 3px #fff,0 0 5px #fff;pointer-events:none}";
                document.head.appendChild(sheet);
            }
            var halo = {{ this.haloed }} ? L.geoJSON(null, {interactive: false, style: {
                color: "#ffffff", weight: options.weight + {{ this.haloed }}, fill: false}}) : null;
            var layer = L.geoJSON(null, {
                interactive: {{ this.labelled|tojson }},
                style: function (feature) {
                    var share = feature.properties.share;
                    return share === undefined ? options
                        : Object.assign({}, options, {weight: Math.max(1, share * {{ this.thickest }})});
                },
                pointToLayer: function (feature, at) {
                    var shape = feature.properties.shape, colour = feature.properties.colour;
                    return new Mark(at, {shape: shape, radius: 6});
                },
                onEachFeature: function (feature, one) {
                    var own = feature.properties, shape = own.shape;
                    if (shape && one.setStyle) {
                        var line = shape === "ring" || shape === "cross";
                        one.setStyle({color: line ? own.colour : "#ffffff", weight: line ? 2.5 : 1,
                                      fillColor: own.colour, fill: true, fillOpacity: line ? 0 : 1, opacity: 1});
                    }
                    if (own.label && {{ this.named|tojson }}) {
                        if (own.at) { one.getCenter = function () { return L.latLng(own.at); }; }
                        one.bindTooltip(own.label, {permanent: true, direction: "center", className: "tacha-name"});
                    } else if (own.label) { one.bindTooltip(own.label, {sticky: true}); }
                }
            });
            var nothing = {type: "FeatureCollection", features: []};
            fetch({{ this.url|tojson }}, {credentials: "same-origin"})
                .then(function (answer) { return answer.ok ? answer.json() : nothing; })
                .then(function (rows) { if (halo) { halo.addData(rows); } layer.addData(rows); order(); });
            var map = {{ this._parent.get_name() }};
            map.ranked = map.ranked || [];
            map.ranked[2 * {{ this.rank }}] = halo;
            map.ranked[2 * {{ this.rank }} + 1] = layer;
            function order() {
                map.ranked.forEach(function (one) { if (one && map.hasLayer(one)) { one.bringToFront(); } });
            }
            var whole = halo ? L.layerGroup([halo, layer]) : layer;
            whole.on("add", order);
            return whole;
        })();
        {% endmacro %}
        """
    )

    def __init__(self, url: str, title: str, kind: str) -> None:
        super().__init__(name=title, overlay=True, control=True, show=True)
        self._name = "Fetched"
        self.url = url
        self.style = STYLES[kind]
        self.rank = list(STYLES).index(kind)
        self.haloed = HALOED.get(kind, 0)
        self.labelled = kind not in ("tracks", "townships")
        self.thickest = THICKEST
        self.named = kind == "townships"


class Scale(MacroElement):
    """A scale bar in metres and kilometres only."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        L.control.scale({imperial: false, maxWidth: 160}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Scale"


def base_map(bounds: tuple[float, float, float, float]) -> folium.Map:
    """An empty canvas map over west, south, east, north in degrees."""
    west, south, east, north = bounds
    drawn = folium.Map(
        location=[(south + north) / 2, (west + east) / 2],
        tiles=None,
        prefer_canvas=True,
        attribution_control=False,
        max_zoom=18,
        min_zoom=7,
        zoom_start=11,
        zoom_snap=0.25,
    )
    drawn.fit_bounds([[south, west], [north, east]])
    return drawn


def tile_layer(name: str, title: str, version: str, *, opacity: float, show: bool = True) -> folium.TileLayer:
    """Tiles of one of our grids; the version in the address makes browsers drop tiles of an older state."""
    return folium.TileLayer(
        tiles=f"/geo/tiles/{name}/{{z}}/{{x}}/{{y}}.png?v={version}",
        attr=" ",
        name=title,
        overlay=True,
        control=True,
        show=show,
        opacity=opacity,
        max_zoom=18,
        min_zoom=7,
    )


def county_map(
    bounds: tuple[float, float, float, float], titles: dict[str, str], versions: dict[str, str], language: str = "zh"
) -> folium.Map:
    """
    The planner's map: `titles` names the layers there is something to show of, `versions` the state of each.

    A layer without a title is left out.
    """
    drawn = base_map(bounds)
    for name, opacity in (("hillshade", 0.35), ("pod", 0.8)):
        if name in titles:
            tile_layer(name, titles[name], versions[name], opacity=opacity).add_to(drawn)
    for name in STYLES:
        if name in titles:
            url = f"/geo/layers/{name}.geojson?lang={language}&v={versions[name]}"
            Fetched(url, titles[name], name).add_to(drawn)
    Scale().add_to(drawn)
    folium.LayerControl(collapsed=True).add_to(drawn)
    return localize(drawn)


def _walk(element: Element) -> Iterator[Element]:
    yield element
    for child in list(element._children.values()):
        yield from _walk(child)


def _local(wanted: list[tuple[str, str]], base: str) -> Iterator[tuple[str, str]]:
    for name, url in wanted:
        file = url.rsplit("/", 1)[-1]
        if url.startswith(f"{base}/"):
            yield name, url
        elif DROPPED.search(url):
            continue
        elif file in LOCAL:
            yield name, f"{base}/{LOCAL[file]}"
        else:
            raise AssetUnknown("asset_unknown", url=url)
