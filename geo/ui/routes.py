"""What the browser fetches beside the pages: map scripts, tiles and layers of the county this process serves."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geo.analysis.zonal import zone_grid
from geo.errors import GeoError
from geo.grid import Grid
from geo.store import grids, read_settings
from geo.ui import features, tiles
from geo.ui.vendor import ASSETS
from geo.words import Language
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_borders
from geo.workspace.planning import kept_routes
from geo.workspace.progress import village_states

GRIDS = {"hillshade": "elevation", "pod": "pod"}
LAYERS = ("townships", "grounds", "tracks", "parcels", "villages", "finds", "routes", "borders", "blind_spots")
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


class Guard:
    """Adds the content security policy and its kin to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"content-security-policy", POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        await self.app(scope, receive, guarded)


MIDDLEWARE = [Middleware(Guard)]
DRAWING = {name: Lock() for name in GRIDS}


def county_path() -> Path | None:
    """Folder of the county this process serves, from ``TACHA_COUNTY``; None where it is not set."""
    named = os.environ.get("TACHA_COUNTY", "")
    return Path(named) if named else None


def version_of(path: Path, layer: str, head: str) -> str:
    """The state of a layer as its address carries it: the grid's time, or the head of the ledger."""
    if layer in GRIDS:
        return str(grid_time(path, GRIDS[layer]))
    return head[:16]


def grid_time(path: Path, name: str) -> int:
    """When a grid was last written, nanoseconds; 0 where there is none."""
    file = path / "grids" / f"{name}.tif"
    return file.stat().st_mtime_ns if file.is_file() else 0


def picture(path: Path, layer: str, written: int) -> tiles.Pyramid:
    """As `_picture`, made once however many tiles ask at the same time."""
    with DRAWING[layer]:
        return _picture(path, layer, written)


@lru_cache(maxsize=4)
def _picture(path: Path, layer: str, written: int) -> tiles.Pyramid:
    """The pyramid a tile layer is drawn from; `written` makes a new one when the grid is new."""
    grid = grids.read_grid(path, GRIDS[layer])
    values = tiles.shade(grid) if layer == "hillshade" else _inside(path, grid)
    return tiles.pyramid(values, grid.frame)


def _inside(path: Path, grid: Grid) -> tiles.Bytes:
    """The grid's values on the county's own ground; nothing beyond its boundary."""
    store = open_county(path).store
    own = np.zeros(grid.frame.shape, bool)
    for layer in ("townships", "grounds"):
        own |= zone_grid(store.read(layer), grid.frame).values > 0
    return np.where(own, grid.values, tiles.NOTHING).astype(np.uint8)


@lru_cache(maxsize=2048)
def tile_png(path: Path, layer: str, written: int, place: tuple[int, int, int]) -> bytes:
    """One tile of a layer as PNG."""
    pixels = tiles.sample(picture(path, layer, written), *place)
    if layer == "hillshade":
        return tiles.hillshade_png(pixels)
    return tiles.detection_png(pixels, blind=read_settings(path).coverage.blind_pod)


@lru_cache(maxsize=32)
def layer_json(path: Path, layer: str, language: Language, head: str) -> bytes:
    """A layer as GeoJSON; `head` makes a new one when the ledger has grown."""
    county = open_county(path)
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
    path, layer = county_path(), request.path_params["layer"]
    z, x, y = (int(request.path_params[name]) for name in "zxy")
    if path is None or layer not in GRIDS or z > tiles.DEEPEST or not max(x, y) < 2**z:
        return Response(status_code=404)
    written = grid_time(path, GRIDS[layer])
    if not written:
        return Response(status_code=404)
    try:
        png = await run_in_threadpool(tile_png, path, layer, written, (z, x, y))
    except GeoError:
        return Response(status_code=404)
    return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=86400"})


async def layer(request: Request) -> Response:
    """``/geo/layers/NAME.geojson``: the layer as it stands now; 404 for a name that is not ours."""
    path, name = county_path(), request.path_params["name"]
    if path is None or name not in LAYERS:
        return Response(status_code=404)
    language: Language = "en" if request.query_params.get("lang") == "en" else "zh"
    try:
        body = await run_in_threadpool(_layer_now, path, name, language)
    except GeoError:
        return Response(status_code=404)
    return Response(body, media_type="application/geo+json", headers={"cache-control": "private, max-age=3600"})


def _layer_now(path: Path, name: str, language: Language) -> bytes:
    head = open_county(path).store.head()
    return layer_json(path, name, language, head.hash if head else "")


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
]
