"""
A county's map as one HTML file, for a stick: opens in any browser without a network, a server or this program.

``python -m geo.ui.sheet COUNTY FILE [zh|en]`` writes it; the planner's page offers it too.
"""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np

from geo.errors import GeoError, StoreError
from geo.locale import moment
from geo.ui import features, legend, routes, tiles
from geo.ui.maps import ASKED_FOR, RASTERS, SCRIPT, drawing, h, shape_given
from geo.ui.vendor import ASSETS
from geo.words import Language, explain, named, say
from geo.workspace.county import County
from geo.workspace.rights import DESKTOP, Action, require

Progress = Callable[[str, int, int], None]
CARRIED = ("tracks", "borders", "grounds", "townships", "blind_spots", "routes", "parcels", "finds")
ACROSS = 6
"""So many tiles wide is a picture at most, 1,536 pixels."""
IMAGES = ("layers.png", "layers-2x.png")


def sheet(county: County, *, language: Language = "zh", progress: Progress | None = None) -> bytes:
    """
    The map somebody may see, whole: pictures, layers and script in one file, with its date and the ledger's head.

    Layers too large to send whole are thinned to the latest tracks and to marks apart from each other by nothing:
    every parcel is there.

    Raises
    ------
    Denied
        The account may not take things out.
    StoreError
        The map's own scripts are not in place.
    """
    require(county.actor, Action.EXPORT)
    if not (ASSETS / "leaflet").is_dir():
        raise StoreError("ui_assets_missing")
    tell = progress or (lambda what, done, total: None)
    bounds = _bounds(county)
    layers: list[dict[str, Any]] = []
    pictures = [name for name in RASTERS if name not in ASKED_FOR]
    for number, name in enumerate(pictures):
        tell("map", number, len(pictures) + len(CARRIED))
        if routes.grid_time(county.path, routes.GRIDS[name]):
            layers.append(_picture(county, name, bounds, language))
    for number, name in enumerate(CARRIED):
        tell("map", len(pictures) + number, len(pictures) + len(CARRIED))
        rows = _rows(county, name, language)
        if rows:
            one = shape_given(name, say(f"ui_layer_{name}", language))
            layers.append(one | {"kind": "geojson", "rows": rows})
    given = drawing(layers, county.season, language, tools=False, timed=False)
    return _page(county, given, bounds, language).encode()


def _bounds(county: County) -> tuple[float, float, float, float]:
    west, south, east, north = gpd.GeoDataFrame(county.store.read("townships")).to_crs(4326).total_bounds.tolist()
    return west, south, east, north


def _rows(county: County, name: str, language: Language) -> dict[str, Any] | None:
    drawn = routes.layer_drawn(county, name, language)
    if drawn is None:
        return None
    if name == "tracks":
        drawn = drawn.last(features.MOST_TRACKS)
    rows: dict[str, Any] = json.loads(features.collection(drawn))
    return rows if rows["features"] else None


def _picture(
    county: County, name: str, bounds: tuple[float, float, float, float], language: Language
) -> dict[str, Any]:
    """A layer of tiles as one picture over the county, in web Mercator."""
    actor = DESKTOP if name == "hillshade" else county.actor
    held = routes.picture(county.path, name, routes.grid_time(county.path, routes.GRIDS[name]), actor)
    z, columns, rows = covering(bounds)
    pixels = np.vstack([np.hstack([tiles.sample(held, z, x, y) for x in columns]) for y in rows])
    if name == "hillshade":
        png = tiles.hillshade_png(pixels)
    else:
        png = tiles.detection_png(pixels, blind=county.settings.coverage.blind_pod)
    north, west = _corner(z, columns[0], rows[0])
    south, east = _corner(z, columns[-1] + 1, rows[-1] + 1)
    return {
        "name": name, "title": h(say(f"ui_layer_{name}", language)), "kind": "image", "rank": 0, "shown": True,
        "opacity": RASTERS[name], "url": f"data:image/png;base64,{base64.b64encode(png).decode()}",
        "bounds": [[south, west], [north, east]],
    }  # fmt: skip


def covering(bounds: tuple[float, float, float, float]) -> tuple[int, range, range]:
    """
    The deepest zoom level at which a piece of the world is at most `ACROSS` tiles wide and high, and those tiles.

    >>> covering((104.9, 26.7, 105.1, 26.9))
    (13, range(6483, 6488), range(3455, 3461))
    """
    west, south, east, north = bounds
    for z in range(tiles.DEEPEST, -1, -1):
        left, right = (int((lon + 180.0) / 360.0 * 2**z) for lon in (west, east))
        top, bottom = (int((1.0 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2.0 * 2**z) for lat in (north, south))
        if right - left < ACROSS and bottom - top < ACROSS:
            return z, range(left, right + 1), range(top, bottom + 1)
    raise ValueError(f"no place on earth: {bounds}")


def _corner(z: int, x: int, y: int) -> tuple[float, float]:
    """Latitude and longitude of a tile's upper left corner."""
    latitude = np.degrees(np.arctan(np.sinh(np.pi * (1.0 - 2.0 * y / 2**z))))
    return float(latitude), 360.0 * x / 2**z - 180.0


def _page(county: County, given: dict[str, Any], bounds: tuple[float, float, float, float], language: Language) -> str:
    west, south, east, north = bounds
    head = county.store.head()
    at = moment(county.as_of(), language)
    mark = head.hash if head else "-"
    title = h(named(county.settings.name, language)) + (
        f" · {h(say('ui_made_up', language))}" if county.settings.made_up else ""
    )
    carried = json.dumps(given | {"bounds": [[south, west], [north, east]]}, ensure_ascii=False)
    shown = legend.shown([one["name"] for one in given["layers"]], language)
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{_style()}</style>
<style>html,body{{height:100%;margin:0;font:15px/1.5 sans-serif;display:flex;flex-direction:column}}
header,footer{{padding:6px 12px;background:#fff}}#map{{flex:1;min-height:320px}}small{{color:#444}}</style>
</head><body><header><strong>{title}</strong></header><div id="map"></div>
<footer>{shown}<small>{h(say("ui_foot", language, at=at, head=mark))}</small></footer>
<script id="carried" type="application/json">{_in_script(carried)}</script>
<script>{_in_script((ASSETS / "leaflet/dist/leaflet.js").read_text("utf-8"), code=True)}</script>
<script>{SCRIPT.read_text("utf-8")}</script>
<script>(function () {{
var carried = JSON.parse(document.getElementById("carried").textContent);
var map = L.map("map", {{preferCanvas: true, attributionControl: false, maxZoom: 18, minZoom: 7, zoomSnap: 0.25}});
tacha(map, carried);
}})();</script></body></html>
"""


def _style() -> str:
    """Leaflet's style with the pictures it shows inside it, and none it does not."""
    text = (ASSETS / "leaflet/dist/leaflet.css").read_text("utf-8")
    for name in IMAGES:
        picture = base64.b64encode((ASSETS / "leaflet/dist/images" / name).read_bytes()).decode()
        text = text.replace(f"url(images/{name})", f"url(data:image/png;base64,{picture})")
    return text.replace("url(images/marker-icon.png)", "none")


def _in_script(text: str, *, code: bool = False) -> str:
    r"""
    Text that cannot end the script it stands in: JSON with every < spelled out, code with its end tags broken.

    >>> _in_script('"</script>"')
    '"\\u003c/script>"'
    """
    return text.replace("</script", "<\\/script") if code else text.replace("<", "\\u003c")


def main(arguments: list[str]) -> int:
    """Write the sheet of a county; 1 where it cannot be made."""
    county_folder, file = (Path(name) for name in arguments[:2])
    language: Language = "en" if arguments[2:] == ["en"] else "zh"
    try:
        content = sheet(routes.opened(county_folder), language=language)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except (GeoError, OSError) as error:
        said = explain(error, language) if isinstance(error, GeoError) else str(error)
        sys.stderr.write(f"{said}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
