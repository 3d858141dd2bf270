"""What the browser fetches beside the pages: map scripts, tiles and layers of the county this process serves."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from re import compile as pattern
from threading import Lock, Thread
from time import time_ns

import geopandas as gpd
import numpy as np
import pandas as pd
import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from geo.analysis.detection import pod, season_pod
from geo.analysis.zonal import zone_grid
from geo.errors import GeoError
from geo.grid import Frame, Grid
from geo.patrol import Plan
from geo.store import grids, read_settings
from geo.store.county_file import NAME
from geo.ui import features, shell, tiles, vector
from geo.ui.door import ACTOR, Door, county_path
from geo.ui.maps import ASKED_FOR, SCRIPT
from geo.ui.vendor import ASSETS
from geo.words import Language
from geo.workspace.county import County, open_county
from geo.workspace.covering import kept_borders
from geo.workspace.planning import kept_routes
from geo.workspace.progress import village_states
from geo.workspace.rights import DESKTOP, Actor

GRIDS = {"hillshade": "elevation", "pod": "pod", "risk": "risk"}
LAYERS = ("townships", "grounds", "tracks", "parcels", "villages", "finds", "routes", "borders", "blind_spots")
MIDDLEWARE = [Middleware(Door)]
DRAWING = {name: Lock() for name in GRIDS}
TILED = ("tracks", "parcels", "finds")
"""Layers that may be large, and that rest on their own rows alone: nothing is made anew before those change."""
MONTH = pattern(r"\d{4}-\d{2}\Z")
INDEXING = {name: Lock() for name in LAYERS}
_PROPOSED: dict[tuple[Path, str], tuple[Plan, str]] = {}
_LAST: dict[Path, tuple[int, dict[str, int]]] = {}


def opened(path: Path, actor: Actor = DESKTOP) -> County:
    """The county as somebody sees it, over the one store that this process keeps in memory."""
    held = _held(path, (path / NAME).stat().st_mtime_ns if (path / NAME).is_file() else 0)
    return held if actor == DESKTOP else open_county(path, actor, held.store)


@lru_cache(maxsize=4)
def _held(path: Path, settings_written: int) -> County:
    return open_county(path)


def version_of(path: Path, layer: str, head: str) -> str:
    """The state of a layer as its address carries it: the grid's time, or the head of the ledger."""
    if layer in GRIDS:
        return str(grid_time(path, GRIDS[layer]))
    return head[:16]


def grid_time(path: Path, name: str) -> int:
    """When a grid was last written, nanoseconds; 0 where there is none."""
    file = path / "grids" / f"{name}.tif"
    return file.stat().st_mtime_ns if file.is_file() else 0


def picture(
    path: Path, layer: str, written: int, actor: Actor = DESKTOP, month: str = "", only: bool = False
) -> tiles.Pyramid:
    """As `_picture`, made once however many tiles ask at the same time."""
    with DRAWING[layer]:
        return _picture(path, layer, written, actor, month, only)


@lru_cache(maxsize=40)
def _picture(path: Path, layer: str, written: int, actor: Actor, month: str, only: bool) -> tiles.Pyramid:
    """The pyramid a tile layer is drawn from; `written` makes a new one when the grid is new."""
    grid = grids.read_grid(path, GRIDS[layer])
    if layer == "hillshade":
        return tiles.pyramid(tiles.shade(grid), grid.frame)
    if layer == "risk":
        grid = Grid(tiles.risk_steps(grid.values), grid.frame)
    if month:
        grid = _as_seen(path, grid, month, only=only)
    return tiles.pyramid(*_inside(path, grid, actor))


def _as_seen(path: Path, now: Grid, month: str, *, only: bool) -> Grid:
    """Detection (200 x POD, as the grid `pod`) as it stood at the end of a month, or of that month alone."""
    county = opened(path)
    labels = [f"{year}-{number:02d}" for year, number in county.season.months]
    wanted = [month] if only else labels[: labels.index(month) + 1]
    seen = np.zeros(now.frame.shape, np.float32)
    for label in wanted:
        hazard = grids.read_grid(path, f"hazard_{label}").values
        seen = season_pod([seen, pod(hazard, county.settings.detection.availability)])
    shown = np.where(now.values == tiles.NOTHING, tiles.NOTHING, np.round(seen * 200)).astype(np.uint8)
    return Grid(shown, now.frame)


def _inside(path: Path, grid: Grid, actor: Actor) -> tuple[tiles.Bytes, Frame]:
    """The grid's values on somebody's own ground, nothing beyond, and the frame of the part that holds it."""
    store = opened(path).store
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
def tile_png(
    path: Path,
    layer: str,
    written: int,
    place: tuple[int, int, int],
    actor: Actor = DESKTOP,
    month: str = "",
    only: bool = False,
) -> bytes:
    """One tile of a layer as PNG, of somebody's own ground; detection of all the season, until a month, or of one."""
    pixels = tiles.sample(picture(path, layer, written, actor, month, only), *place)
    if layer == "hillshade":
        return tiles.hillshade_png(pixels)
    if layer == "risk":
        return tiles.risk_png(pixels)
    return tiles.detection_png(pixels, blind=read_settings(path).coverage.blind_pod)


@lru_cache(maxsize=128)
def layer_json(path: Path, layer: str, language: Language, head: str, actor: Actor = DESKTOP) -> bytes:
    """A layer as GeoJSON, as somebody may see it; `head` makes a new one when the ledger has grown."""
    drawn = layer_drawn(opened(path, actor), layer, language)
    if drawn is None:
        return features.EMPTY
    return features.collection(drawn.last(features.MOST_TRACKS) if layer == "tracks" else drawn)


@lru_cache(maxsize=4096)
def tile_pbf(
    path: Path, layer: str, language: Language, state: str, place: tuple[int, int, int], actor: Actor = DESKTOP
) -> bytes:
    """One vector tile of a layer, as somebody may see it; `state` makes a new one when its rows have changed."""
    return vector.tile({layer: indexed(path, layer, language, state, actor)}, *place)


def indexed(path: Path, layer: str, language: Language, state: str, actor: Actor = DESKTOP) -> vector.Indexed:
    """As `_indexed`, made once however many tiles ask at the same time."""
    with INDEXING[layer]:
        return _indexed(path, layer, language, state, actor)


@lru_cache(maxsize=24)
def _indexed(path: Path, layer: str, language: Language, state: str, actor: Actor) -> vector.Indexed:
    drawn = layer_drawn(opened(path, actor), layer, language)
    if drawn is None:
        return vector.Indexed(np.zeros(0, object), pd.DataFrame())
    return vector.index(drawn.shapes, drawn.properties)


def layer_state(path: Path, layer: str, actor: Actor) -> str:
    """
    What a layer's drawing rests on: for large ones the entry that last changed its rows, otherwise the ledger's head.

    What somebody with a ground of their own sees may turn with any entry.
    """
    store = opened(path).store
    head = store.head()
    if head is None or layer not in TILED or not actor.whole:
        return head.hash if head else ""
    seq, last = _LAST.get(path, (0, {}))
    if seq != head.seq:
        last = dict(last) if seq < head.seq else {}
        for entry in store.entries(seq if seq < head.seq else 0):
            last |= dict.fromkeys(entry.body.get("rows", ()), entry.seq)
        _LAST[path] = (head.seq, last)
    return f"{layer}-{last.get(layer, 0)}"


def layer_drawn(county: County, layer: str, language: Language) -> features.Drawn | None:
    """What is drawn of a layer of an open county; None where it has no rows."""
    if layer in ("borders", "blind_spots"):
        return _answered(county, layer, language)
    table = gpd.GeoDataFrame(kept_routes(county)[0] if layer == "routes" else county.store.read(layer))
    if table.empty:
        return None
    begin = county.season.bounds[0]
    if layer in ("townships", "grounds"):
        return {"townships": features.townships, "grounds": features.grounds}[layer](table)
    if layer == "tracks":
        return features.tracks(table, begin)
    if layer == "villages":
        return features.villages(table, village_states(county), language)
    if layer == "routes":
        return features.routes(table, team_names(county), language)
    return {"parcels": features.parcels, "finds": features.finds}[layer](table, language, begin)


def propose(path: Path, actor: Actor, plan: Plan | None) -> str:
    """Keep a plan nobody has accepted yet where its owner's map can fetch it; the mark of it, empty for none."""
    whose = (path, actor.name)
    if plan is None:
        _PROPOSED.pop(whose, None)
        return ""
    if whose not in _PROPOSED or _PROPOSED[whose][0] is not plan:
        _PROPOSED[whose] = (plan, f"{time_ns():x}")
    return _PROPOSED[whose][1]


async def proposal(request: Request) -> Response:
    """``/geo/proposal.geojson``: the routes and stops of the visitor's own plan that waits to be accepted."""
    path, actor = county_path(), request.scope.get(ACTOR)
    if path is None or actor is None or (path, actor.name) not in _PROPOSED:
        return Response(status_code=404)
    held = _PROPOSED[path, actor.name]
    language: Language = "en" if request.query_params.get("lang") == "en" else "zh"
    body = await run_in_threadpool(_proposal, opened(path, actor), held[0], language)
    return Response(body, media_type="application/geo+json", headers={"cache-control": "no-store"})


def _proposal(county: County, plan: Plan, language: Language) -> bytes:
    return features.collection(features.proposal(plan, team_names(county), language))


def team_names(county: County) -> dict[str, str]:
    """Id -> name of the teams."""
    teams = county.store.read("teams")
    return dict(zip(teams["team_id"], teams["name"].fillna(teams["team_id"]), strict=True))


def _answered(county: County, layer: str, language: Language) -> features.Drawn | None:
    """Edges and blind spots as measured; measuring is no work for an address."""
    answer = kept_borders(county)
    if answer is None:
        return None
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
    month, only = request.query_params.get("month", ""), request.query_params.get("only") == "1"
    if not written or (month and (layer != "pod" or not _has_month(path, month))):
        return Response(status_code=404)
    try:
        shown = DESKTOP if layer == "hillshade" or actor.whole else actor
        png = await run_in_threadpool(tile_png, path, layer, written, (z, x, y), shown, month, only and bool(month))
    except GeoError:
        return Response(status_code=404)
    return Response(png, media_type="image/png", headers={"cache-control": "private, max-age=86400"})


def _has_month(path: Path, month: str) -> bool:
    return bool(MONTH.match(month)) and grid_time(path, f"hazard_{month}") > 0


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


async def vector_tile(request: Request) -> Response:
    """``/geo/vector/NAME/Z/X/Y.pbf``: the layer's features there, as the visitor may see them; empty for none."""
    path, name, actor = county_path(), request.path_params["name"], viewer(request)
    z, x, y = (int(request.path_params[number]) for number in "zxy")
    if path is None or actor is None or name not in LAYERS or z > tiles.DEEPEST or not max(x, y) < 2**z:
        return Response(status_code=404)
    language: Language = "en" if request.query_params.get("lang") == "en" else "zh"
    try:
        body = await run_in_threadpool(_tile_now, path, name, language, (z, x, y), actor)
    except GeoError:
        return Response(status_code=404)
    return Response(
        body, media_type="application/vnd.mapbox-vector-tile", headers={"cache-control": "private, max-age=3600"}
    )


def _tile_now(path: Path, name: str, language: Language, place: tuple[int, int, int], actor: Actor) -> bytes:
    return tile_pbf(path, name, language, layer_state(path, name, actor), place, actor)


def viewer(request: Request) -> Actor | None:
    """Who the door let in, as role and ground: two accounts that see the same share what is kept."""
    actor: Actor | None = request.scope.get(ACTOR)
    return None if actor is None else replace(actor, name="")


def _layer_now(path: Path, name: str, language: Language, actor: Actor) -> bytes:
    head = opened(path).store.head()
    return layer_json(path, name, language, head.hash if head else "", actor)


@asynccontextmanager
async def prepared(app: object) -> AsyncIterator[None]:
    """
    Draw the county's pictures from the moment the server starts, so that the first visitor waits less.

    When it stops, what pages kept goes: dropped files lie on disk, and after this a signal ends the process at once.
    """
    path = county_path()
    if path is not None:
        for name in (one for one in GRIDS if one not in ASKED_FOR):
            Thread(target=_prepare, args=(path, name), daemon=True).start()
        Thread(target=_prepare_indexes, args=(path,), daemon=True).start()
    yield
    st.cache_resource.clear()


@lru_cache
def keep_loaded(after: str) -> None:
    """
    Count whatever is in memory now as staying: once after the first page (``pages``), once after the ``indexes``.

    Streamlit looks through all of it after every run of a page: 0.13 s of every click, were it not told so.
    """
    gc.collect()
    gc.freeze()


def _prepare(path: Path, name: str) -> None:
    """One picture drawn ahead; what cannot be drawn is answered when somebody asks for it."""
    written = grid_time(path, GRIDS[name])
    if written:
        with suppress(GeoError):
            picture(path, name, written)


def _prepare_indexes(path: Path) -> None:
    """The indexes of layers too large to send whole, for those who see the county."""
    with suppress(GeoError):
        store = opened(path).store
        for name in (one for one in TILED if store.count(one) > features.MANY):
            made = indexed(path, name, "zh", layer_state(path, name, DESKTOP))
            for z in (13, 11, 10):
                made.level(z)
        keep_loaded("indexes")


ROUTES: list[BaseRoute] = [
    Route("/today", lambda request: RedirectResponse(f"/?{request.url.query}".rstrip("?"))),
    Mount("/geo/assets", StaticFiles(directory=ASSETS)),
    Mount("/geo/scripts", StaticFiles(directory=SCRIPT.parent)),
    Route("/geo/tiles/{layer}/{z:int}/{x:int}/{y:int}.png", tile),
    Route("/geo/layers/{name}.geojson", layer),
    Route("/geo/proposal.geojson", proposal),
    Route("/geo/vector/{name}/{z:int}/{x:int}/{y:int}.pbf", vector_tile),
    *shell.ROUTES,
    Route("/geo/{rest:path}", lambda request: Response(status_code=404)),  # else Streamlit answers with its page
]
