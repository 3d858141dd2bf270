"""What the browser fetches beside the pages: map scripts, tiles and layers of the county this process serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from geo.analysis.zonal import zone_grid
from geo.errors import GeoError
from geo.grid import Frame, Grid
from geo.store import grids, read_settings
from geo.ui import features, shell, tiles
from geo.ui.door import ACTOR, Door, county_path
from geo.ui.vendor import ASSETS
from geo.words import Language
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_borders
from geo.workspace.planning import kept_routes
from geo.workspace.progress import village_states
from geo.workspace.rights import DESKTOP, Actor

GRIDS = {"hillshade": "elevation", "pod": "pod"}
LAYERS = ("townships", "grounds", "tracks", "parcels", "villages", "finds", "routes", "borders", "blind_spots")
MIDDLEWARE = [Middleware(Door)]
DRAWING = {name: Lock() for name in GRIDS}


def version_of(path: Path, layer: str, head: str) -> str:
    """The state of a layer as its address carries it: the grid's time, or the head of the ledger."""
    if layer in GRIDS:
        return str(grid_time(path, GRIDS[layer]))
    return head[:16]


def grid_time(path: Path, name: str) -> int:
    """When a grid was last written, nanoseconds; 0 where there is none."""
    file = path / "grids" / f"{name}.tif"
    return file.stat().st_mtime_ns if file.is_file() else 0


def picture(path: Path, layer: str, written: int, actor: Actor = DESKTOP) -> tiles.Pyramid:
    """As `_picture`, made once however many tiles ask at the same time."""
    with DRAWING[layer]:
        return _picture(path, layer, written, actor)


@lru_cache(maxsize=40)
def _picture(path: Path, layer: str, written: int, actor: Actor) -> tiles.Pyramid:
    """The pyramid a tile layer is drawn from; `written` makes a new one when the grid is new."""
    grid = grids.read_grid(path, GRIDS[layer])
    if layer == "hillshade":
        return tiles.pyramid(tiles.shade(grid), grid.frame)
    return tiles.pyramid(*_inside(path, grid, actor))


def _inside(path: Path, grid: Grid, actor: Actor) -> tuple[tiles.Bytes, Frame]:
    """The grid's values on somebody's own ground, nothing beyond, and the frame of the part that holds it."""
    store = open_county(path).store
    own = np.zeros(grid.frame.shape, bool)
    for layer, key in (("townships", "township_id"), ("grounds", "ground_id")):
        table = store.read(layer)
        own |= zone_grid(table if actor.whole else table[table[key].isin(actor.grounds)], grid.frame).values > 0
    shown = np.where(own, grid.values, tiles.NOTHING).astype(np.uint8)
    if actor.whole or not own.any():
        return shown, grid.frame
    rows, cols = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    top, left, down, across = int(rows[0]), int(cols[0]), int(np.ptp(rows)) + 1, int(np.ptp(cols)) + 1
    return shown[top : top + down, left : left + across], grid.frame.window(top, left, down, across)


@lru_cache(maxsize=2048)
def tile_png(path: Path, layer: str, written: int, place: tuple[int, int, int], actor: Actor = DESKTOP) -> bytes:
    """One tile of a layer as PNG, of somebody's own ground."""
    pixels = tiles.sample(picture(path, layer, written, actor), *place)
    if layer == "hillshade":
        return tiles.hillshade_png(pixels)
    return tiles.detection_png(pixels, blind=read_settings(path).coverage.blind_pod)


@lru_cache(maxsize=128)
def layer_json(path: Path, layer: str, language: Language, head: str, actor: Actor = DESKTOP) -> bytes:
    """A layer as GeoJSON, as somebody may see it; `head` makes a new one when the ledger has grown."""
    county = open_county(path, actor)
    if layer in ("borders", "blind_spots"):
        return _answered(county, layer, language)
    table = kept_routes(county)[0] if layer == "routes" else county.store.read(layer)
    if table.empty:
        return features.EMPTY
    if layer == "townships":
        return features.townships(table)
    if layer == "grounds":
        return features.grounds(table)
    if layer == "tracks":
        return features.tracks(table)
    if layer == "villages":
        return features.villages(table, village_states(county), language)
    shown = {"parcels": features.parcels, "finds": features.finds, "routes": features.routes}[layer]
    return shown(table, language)


def _answered(county: County, layer: str, language: Language) -> bytes:
    answer = measure_borders(county)
    if layer == "blind_spots":
        return features.blind_spots(answer.blind_spots, language)
    townships = county.store.read("townships")
    names = dict(zip(townships["township_id"], townships["name"], strict=True))
    return features.borders(answer.borders, names, language)


async def tile(request: Request) -> Response:
    """``/geo/tiles/LAYER/Z/X/Y.png``: 404 for what is not a tile of the world or a layer of ours."""
    path, layer, actor = county_path(), request.path_params["layer"], viewer(request)
    z, x, y = (int(request.path_params[name]) for name in "zxy")
    if path is None or actor is None or layer not in GRIDS or z > tiles.DEEPEST or not max(x, y) < 2**z:
        return Response(status_code=404)
    written = grid_time(path, GRIDS[layer])
    if not written:
        return Response(status_code=404)
    try:
        shown = DESKTOP if layer == "hillshade" or actor.whole else actor
        png = await run_in_threadpool(tile_png, path, layer, written, (z, x, y), shown)
    except GeoError:
        return Response(status_code=404)
    return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=86400"})


async def layer(request: Request) -> Response:
    """``/geo/layers/NAME.geojson``: the layer as it stands now; 404 for a name that is not ours."""
    path, name, actor = county_path(), request.path_params["name"], viewer(request)
    if path is None or actor is None or name not in LAYERS:
        return Response(status_code=404)
    language: Language = "en" if request.query_params.get("lang") == "en" else "zh"
    try:
        body = await run_in_threadpool(_layer_now, path, name, language, actor)
    except GeoError:
        return Response(status_code=404)
    return Response(body, media_type="application/geo+json", headers={"cache-control": "private, max-age=3600"})


def viewer(request: Request) -> Actor | None:
    """Who the door let in, as role and ground: two accounts that see the same share what is kept."""
    actor: Actor | None = request.scope.get(ACTOR)
    return None if actor is None else replace(actor, name="")


def _layer_now(path: Path, name: str, language: Language, actor: Actor) -> bytes:
    head = open_county(path).store.head()
    return layer_json(path, name, language, head.hash if head else "", actor)


@asynccontextmanager
async def prepared(app: object) -> AsyncIterator[None]:
    """Draw the county's pictures from the moment the server starts, so that the first visitor waits less."""
    path = county_path()
    if path is not None:
        for name in GRIDS:
            Thread(target=_prepare, args=(path, name), daemon=True).start()
    yield


def _prepare(path: Path, name: str) -> None:
    """One picture drawn ahead; what cannot be drawn is answered when somebody asks for it."""
    written = grid_time(path, GRIDS[name])
    if written:
        with suppress(GeoError):
            picture(path, name, written)


ROUTES: list[BaseRoute] = [
    Route("/today", lambda request: RedirectResponse("/")),
    Mount("/geo/assets", StaticFiles(directory=ASSETS)),
    Route("/geo/tiles/{layer}/{z:int}/{x:int}/{y:int}.png", tile),
    Route("/geo/layers/{name}.geojson", layer),
    *shell.ROUTES,
]
