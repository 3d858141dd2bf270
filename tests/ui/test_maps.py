import re

import folium
import pytest
from folium.plugins import Fullscreen

from geo.season import Season
from geo.ui import maps
from geo.ui.legend import SIGNS, shown
from geo.ui.routes import GRIDS, LAYERS, TILED
from geo.words import say

TEXTS = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "`+alert(1)+`",
    "${window.top.PWN=[1]}",
    "\\`; alert(1); //",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "{{ 7*7 }}",
    "\\u003cscript>",
    "javascript:alert(1)",
)


def whole_map() -> folium.Map:
    layers = [maps.layer_given(name, "名", "1", "zh", many=name in TILED) for name in [*GRIDS, *LAYERS]]
    return maps.county_map((104.9, 26.7, 105.1, 26.9), maps.drawing(layers, Season(2026), "zh"))


def test_the_rendered_map_asks_nothing_from_outside() -> None:
    page = whole_map().get_root().render()
    assert not re.findall(r"""(?:src|href)\s*=\s*["']\s*(?:https?:)?//[^"']*""", page)
    assert not re.findall(r"url\(\s*['\"]?(?:https?:)?//", page)
    assert "/geo/assets/leaflet/dist/leaflet.js" in page
    assert not re.search(r"bootstrap|awesome", page.split("</head>")[0])


def test_every_layer_is_fetched_from_this_process() -> None:
    page = whole_map().get_root().render()
    for name in LAYERS:
        assert (f"/geo/vector/{name}/" if name in TILED else f"/geo/layers/{name}.geojson") in page
    for name in GRIDS:
        assert f"/geo/tiles/{name}/" in page


def test_a_script_we_do_not_serve_stops_the_map() -> None:
    drawn = maps.base_map((104.9, 26.7, 105.1, 26.9))
    Fullscreen().add_to(drawn)  # type: ignore[no-untyped-call]
    with pytest.raises(maps.AssetUnknown):
        maps.localize(drawn)


def test_localizing_twice_changes_nothing() -> None:
    drawn = maps.localize(maps.base_map((104.9, 26.7, 105.1, 26.9)))
    before = list(drawn.default_js)
    assert maps.localize(drawn).default_js == before


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_survives_encoding_as_markup_or_script(text: str) -> None:
    assert not set(maps.h(text)) & set("<>\"'`${\\")


@pytest.mark.parametrize("text", TEXTS)
def test_an_encoded_text_in_a_tooltip_stays_inside_its_template_string(text: str) -> None:
    drawn = maps.base_map((104.9, 26.7, 105.1, 26.9))
    folium.CircleMarker((26.8, 105.0), tooltip=maps.h(text)).add_to(drawn)
    page = maps.localize(drawn).get_root().render()
    held = re.search(r"bindTooltip\(\s*`<div>\s*(.*?)\s*</div>`", page, re.DOTALL)
    assert held
    assert held.group(1) == maps.h(text).strip()


def test_every_status_of_a_parcel_has_a_colour_and_a_shape() -> None:
    from geo.layers.parcels import Status

    assert set(maps.STATUS_MARKS) == set(Status)


def test_a_mark_means_one_thing_on_a_map_of_plots_and_villages_and_the_legend_names_every_state() -> None:
    """A village looked at and a plot visited were one blue dot; a guarded plot was a star no legend knew."""
    assert not set(maps.STATUS_MARKS.values()) & set(maps.VILLAGE_MARKS.values())
    told = shown(["parcels", "villages"], "zh")
    for prefix, marks in (("ui_status", maps.STATUS_MARKS), ("state", maps.VILLAGE_MARKS)):
        for name, (colour, shape) in marks.items():
            one = rf'<span style="color:{colour};[^>]*>{SIGNS[shape]}</span>[^<]*{say(f"{prefix}_{name}")}'
            assert re.search(one, told), name
