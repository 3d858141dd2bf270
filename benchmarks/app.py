"""
The map page at a county's size: ``python -m benchmarks.app [--quick] [--county DIR] --json``.

A made-up county of 25 townships, 10,000 plots and 5,000 walked tracks (``--quick``: a quarter of the plots and
tracks) is served as users serve it and opened in Chromium, which finds no other machine than this one, beside plain
streamlit-folium with the same rows as GeoJSON in the same run, page about page. Medians of seconds as the page sees
them:

- ``first_paint_s``: from going to the page until plots and tracks are drawn, with the server's caches warm;
- ``click_s``: from a click on the map until the panel shows that place, the 0.25 s streamlit-folium waits included;
- ``websocket_mb``: what the page itself received over its websocket for the first view, and for a click beside it;
- ``ratio_vs_st_folium``: first paint of plain streamlit-folium / ours, and the same of a click;
- ``sessions50_p95_s``: 50 sessions that open the map, look at a screenful of tiles and click every ten seconds or so:
  the 95th percentile of all waits, with the server's memory in MB. They speak the page's own protocol, without
  browsers.
"""

import argparse
import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geo import demo
from geo.demo.county import make
from geo.demo.sizes import Size
from geo.ledger import Entry
from geo.store import Change, grids
from geo.workspace.county import County, found, open_county
from geo.workspace.covering import measure_borders

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
FULL = Size("app", 400.0, 25, 100, 5000, 10_000, 50.0, 500.0, 1000.0, 1700.0)
QUICK = Size("app", 110.0, 25, 60, 1250, 2500, 25.0, 250.0, 1000.0, 1500.0)
LAYERS = (
    "neighbours", "grounds", "roads", "offices", "teams", "villages", "duties", "tracks", "parcels", "visits", "leads",
    "alerts",
)  # fmt: skip
SESSIONS, CLICKS, THINKING_S, ARRIVING_S = 50, 4, 10.0, 20.0
DRAWN = """() => {
    const full = canvas => {
        if (!canvas.width || !canvas.height) { return false; }
        const held = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 8).data;
        return held.some((value, i) => i % 4 === 3 && value);
    };
    return SELECTED.every(name => [...document.querySelectorAll(name)].some(full));
}"""
OURS = DRAWN.replace("SELECTED", '["canvas.leaflet-tile-loaded", ".leaflet-overlay-pane > canvas"]')
THEIRS = DRAWN.replace("SELECTED", '[".leaflet-overlay-pane canvas"]')


def county_of(folder: Path, size: Size) -> County:
    """A made-up county with coverage and edges measured."""
    made = make(size, 7)
    county = found(folder, made.settings, made.townships, [{"file": "made up"}], now=demo.NOW)
    for layer in LAYERS:
        county.store.append(Entry("import", {"layer": layer}), Change(layer, getattr(made, layer)), now=demo.NOW)
    grids.write_grid(folder, "elevation", made.elevation)
    grids.write_grid(folder, "cover", made.cover)
    measure_borders(county)
    return county


@contextmanager
def served(arguments: list[str], environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """A server on a free port of this machine: its address and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, *arguments, str(port)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/_stcore/health", process)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise SystemExit("the server stopped while starting")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server does not answer")


class Visit:
    """One browser page at a server: how long it paints and answers, and what its websocket receives."""

    def __init__(self, page: Any, address: str, drawn: str, answered: Callable[[Any], str]) -> None:
        self.page, self.address, self.drawn, self.answered = page, address, drawn, answered
        self.received = 0
        page.on("websocket", lambda talk: talk.on("framereceived", self._count))

    def _count(self, frame: Any) -> None:
        self.received += len(frame)

    def paint(self) -> tuple[float, int]:
        """Seconds until the map's own rows are drawn, and bytes received until then."""
        self.received = 0
        started = time.perf_counter()
        self.page.goto(self.address, wait_until="commit", timeout=180_000)
        self._frame().wait_for_function(self.drawn, timeout=300_000, polling=25)
        return time.perf_counter() - started, self.received

    def click(self, at: tuple[float, float]) -> tuple[float, int]:
        """Seconds from a click (share of the map's width and height) until the panel answers, and bytes received."""
        self._rest()
        box = self.page.locator("iframe[title*=folium]").bounding_box()
        before, self.received = self.answered(self.page), 0
        started = time.perf_counter()
        self.page.mouse.click(box["x"] + at[0] * box["width"], box["y"] + at[1] * box["height"])
        while self.answered(self.page) in (before, ""):
            if time.perf_counter() - started > 300.0:
                raise SystemExit("a click was never answered")
            self.page.wait_for_timeout(10)
        return time.perf_counter() - started, self.received

    def leave(self) -> None:
        """Close the page once it is done: what it still does, here and at its server, is no part of the next turn."""
        self._rest()
        self.page.goto("about:blank")
        self._rest()

    def _frame(self) -> Any:
        for _ in range(6000):
            for frame in self.page.frames:
                if "streamlit_folium" in frame.url:
                    return frame
            self.page.wait_for_timeout(20)
        raise SystemExit("the page shows no map")

    def _rest(self) -> None:
        """Until nothing more arrives: a click into a page still at work would be timed with that work."""
        held = -1
        while held != self.received:
            held = self.received
            self.page.wait_for_timeout(1500)


def answer_here(page: Any) -> str:
    """The panel's own words on the place; empty while they are being replaced."""
    return str(
        page.evaluate(
            """() => {
                const texts = [...document.querySelectorAll('[data-testid=stCaptionContainer]')];
                const place = texts.find(one => /^海拔/.test(one.innerText));
                return place && place.closest('[data-stale=true]') === null ? place.innerText : "";
            }"""
        )
    )


def answer_there(page: Any) -> str:
    """The peer's line on the place."""
    texts = page.locator("[data-testid=stMarkdownContainer]", has_text="place ").all_inner_texts()
    return str(texts[0]) if texts else ""


def in_browser(county: Path, peer: str, ours: str, *, rounds: int) -> dict[str, Any]:
    """Both pages in turn, each in a Chromium of its own."""
    from playwright.sync_api import sync_playwright

    spots = [(0.42, 0.45), (0.5, 0.52), (0.56, 0.4), (0.47, 0.6), (0.6, 0.55), (0.53, 0.47), (0.44, 0.55)]
    with sync_playwright() as play:
        browsers = [play.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS)) for _ in range(2)]
        pages = [
            browser.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN").new_page()
            for browser in browsers
        ]
        mine = Visit(pages[0], f"{ours}/map", OURS, answer_here)
        plain = Visit(pages[1], peer, THEIRS, answer_there)
        for one in (mine, plain):
            one.paint()
            one.click((0.5, 0.5))
            one.leave()
        painted: dict[str, list[tuple[float, int]]] = {"mine": [], "plain": []}
        clicked: dict[str, list[tuple[float, int]]] = {"mine": [], "plain": []}
        for number in range(rounds):
            for name, one in (("mine", mine), ("plain", plain)):
                painted[name].append(one.paint())
                clicked[name] += [one.click(spots[(2 * number + nth) % len(spots)]) for nth in range(2)]
                one.leave()
        for browser in browsers:
            browser.close()
    seconds = {
        (what, name): statistics.median(took for took, _ in held[name])
        for what, held in (("paint", painted), ("click", clicked))
        for name in held
    }
    megabytes = {name: statistics.median(size for _, size in painted[name]) / 1e6 for name in painted}
    return {
        "first_paint_s": round(seconds["paint", "mine"], 3),
        "click_s": round(seconds["click", "mine"], 3),
        "websocket_mb": round(megabytes["mine"], 3),
        "websocket_click_mb": round(statistics.median(size for _, size in clicked["mine"]) / 1e6, 3),
        "ratio_vs_st_folium": round(seconds["paint", "plain"] / seconds["paint", "mine"], 2),
        "click_ratio_vs_st_folium": round(seconds["click", "plain"] / seconds["click", "mine"], 2),
        "st_folium": {
            "first_paint_s": round(seconds["paint", "plain"], 3),
            "click_s": round(seconds["click", "plain"], 3),
            "websocket_mb": round(megabytes["plain"], 3),
        },
    }


class Session:
    """Somebody at the map page, without a browser: the page's protocol and the addresses the map fetches."""

    def __init__(self, address: str, bounds: tuple[float, float, float, float], rng: np.random.Generator) -> None:
        self.address, self.bounds, self.rng = address, bounds, rng
        self.widget, self.fragment, self.waits = "", "", []  # type: ignore[var-annotated]

    async def live(self) -> None:
        """Arrive, open the map, fetch its tiles, and click now and then."""
        from websockets.asyncio.client import connect

        await asyncio.sleep(self.rng.uniform(0.0, ARRIVING_S))
        host = self.address.removeprefix("http://")
        async with connect(
            f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None, origin=self.address
        ) as talk:  # type: ignore[call-arg, arg-type]
            started = time.perf_counter()
            await self._run(talk, None)
            await self._tiles()
            self.waits.append(time.perf_counter() - started)
            for _ in range(CLICKS):
                await asyncio.sleep(self.rng.exponential(THINKING_S))
                west, south, east, north = self.bounds
                place = {"lat": self.rng.uniform(south, north), "lng": self.rng.uniform(west, east)}
                started = time.perf_counter()
                await self._run(talk, {"last_clicked": place, "all_drawings": None})
                self.waits.append(time.perf_counter() - started)

    async def _run(self, talk: Any, clicked: dict[str, Any] | None) -> None:
        """Ask for a run of the page (with a click: of the map's part) and read until it has ended."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        asked = BackMsg()
        asked.rerun_script.page_name = "map"
        asked.rerun_script.context_info.locale = "zh-CN"
        if clicked is not None:
            asked.rerun_script.fragment_id = self.fragment
            state = asked.rerun_script.widget_states.widgets.add()
            state.id, state.json_value = self.widget, json.dumps(clicked)
        await talk.send(asked.SerializeToString())
        while True:
            told = ForwardMsg()
            told.ParseFromString(await talk.recv())
            element = told.delta.new_element
            if element.HasField("component_instance"):
                self.widget, self.fragment = element.component_instance.id, told.delta.fragment_id
            if told.HasField("script_finished"):
                return

    async def _tiles(self) -> None:
        """What a screen of the county's map fetches."""
        places = screenful(self.bounds)
        addresses = [f"/geo/tiles/{name}/{z}/{x}/{y}.png" for name in ("hillshade", "pod") for z, x, y in places]
        addresses += [f"/geo/vector/{name}/{z}/{x}/{y}.pbf" for name in ("tracks", "parcels") for z, x, y in places]
        addresses += [f"/geo/layers/{name}.geojson" for name in ("townships", "borders", "blind_spots", "grounds")]
        lane = asyncio.Semaphore(6)

        async def fetch(address: str) -> None:
            async with lane:
                await asyncio.to_thread(_read, self.address + address)

        await asyncio.gather(*[fetch(address) for address in addresses])


def _read(url: str) -> None:
    with urllib.request.urlopen(url, timeout=120) as answer:
        answer.read()


def screenful(bounds: tuple[float, float, float, float], *, across: int = 4) -> list[tuple[int, int, int]]:
    """The tiles (zoom, x, y) of the deepest zoom level at which a county is at most `across` tiles wide."""
    west, south, east, north = bounds
    for z in range(15, 6, -1):
        left, right = (int((lon + 180.0) / 360.0 * 2**z) for lon in (west, east))
        top, bottom = (int((1.0 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2.0 * 2**z) for lat in (north, south))
        if right - left < across and bottom - top < across:
            return [(z, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
    return []


async def together(address: str, bounds: tuple[float, float, float, float], number: int) -> list[float]:
    """The waits of so many sessions at once, seconds."""
    people = [Session(address, bounds, np.random.default_rng([11, nth])) for nth in range(number)]
    await asyncio.gather(*[one.live() for one in people])
    return [wait for one in people for wait in one.waits]


def memory_mb(pid: int) -> float:
    """The largest memory a process has held, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024.0
    return float("nan")


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """All figures of a county at hand."""
    county = open_county(folder)
    shape: npt.NDArray[np.float64] = county.store.read("townships").to_crs(4326).total_bounds  # type: ignore[operator]
    west, south, east, north = (float(value) for value in shape)
    bounds = (west, south, east, north)
    rows = {name: county.store.count(name) for name in ("parcels", "tracks", "townships")}
    county.store.close()
    with (
        served(["-m", "geo.ui"], {"TACHA_COUNTY": str(folder)}) as (ours, pid),
        served(["-m", "benchmarks.app_peer"], {"TACHA_COUNTY": str(folder)}) as (peer, _),
    ):
        seen = in_browser(folder, peer, ours, rounds=2 if quick else 5)
        waits = asyncio.run(together(ours, bounds, 10 if quick else SESSIONS))
        held = memory_mb(pid)
    return {
        "rows": rows,
        **seen,
        "sessions50_p95_s": round(float(np.percentile(waits, 95)), 3),
        "sessions50_median_s": round(float(np.median(waits)), 3),
        "sessions_n": 10 if quick else SESSIONS,
        "memory_mb": round(held),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    """Make a county, or take one at hand, and print one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--county", type=Path, help="a county at hand, measured already")
    parser.add_argument("--keep", type=Path, help="make the county here, and leave it")
    given = parser.parse_args()
    folder = given.county or given.keep or Path(tempfile.mkdtemp(prefix="tacha-app-")) / "county"
    try:
        if given.county is None:
            county_of(folder, QUICK if given.quick else FULL).store.close()
        answer = measure(folder.resolve(), quick=given.quick)
    finally:
        if given.county is None and given.keep is None:
            shutil.rmtree(folder.parent, ignore_errors=True)
    sys.stdout.write(json.dumps(answer, indent=None if given.json else 1) + "\n")


if __name__ == "__main__":
    main()
