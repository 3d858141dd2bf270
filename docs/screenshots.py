"""
What the three users see: pictures of the app on the demo county, for README.md and README.zh-CN.md.

``python docs/screenshots.py [COUNTY FOLDER]``. Makes and measures the small demo county in ``build/screenshots`` unless
one is named, accepts one day's plan, serves it on this machine and has Debian's Chromium take each picture, the network
cut. Every picture is at most 300 kB, in ``docs/images``.
"""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from geo.workspace.county import open_county
from geo.workspace.demonstrating import make_demo
from geo.workspace.planning import accept_plan, kept_routes, next_day, plan_day

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
MADE = ROOT / "build" / "screenshots" / "示例县"
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
MOST_BYTES = 300_000
PATIENCE_MS = 240_000
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"


@dataclass(frozen=True)
class Shot:
    """One picture: a page, whose screen it is on, and whether its map is clicked first."""

    name: str
    page: str
    width: int
    height: int
    click: tuple[int, int] | None = None


SHOTS = (
    Shot("planner", "map", 1366, 860, click=(330, 300)),
    Shot("team", "team", 390, 760),
    Shot("committee", "committee", 1366, 720),
)


def main(arguments: list[str]) -> int:
    """Take every picture in both languages; 1 when one is larger than it may be."""
    county = Path(arguments[0]) if arguments else _demo()
    IMAGES.mkdir(parents=True, exist_ok=True)
    too_large = []
    with _serving(county) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for shot in SHOTS:
            for language in ("zh", "en"):
                held = _small(_taken(browser, address, shot, language))
                file = IMAGES / f"app-{shot.name}-{language}.png"
                file.write_bytes(held)
                print(f"{file.relative_to(ROOT)} {len(held) // 1000} kB")
                too_large += [file.name] if len(held) > MOST_BYTES else []
        browser.close()
    return 1 if too_large else 0


def _demo() -> Path:
    """The small demo county with one day's plan accepted, made once."""
    if not (MADE / "county.toml").is_file():
        make_demo(MADE, size="small", seed=7, progress=lambda what, done, total: None)
    county = open_county(MADE)
    if kept_routes(county)[0].empty:
        accept_plan(county, plan_day(county, day=next_day(county)), now=datetime(2026, 5, 20, 8, tzinfo=UTC))
    return MADE


@contextmanager
def _serving(county: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"TACHA_COUNTY": str(county)}
    server = subprocess.Popen([sys.executable, "-m", "geo.ui", str(port)], env=environment, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _taken(browser: Browser, address: str, shot: Shot, language: str) -> bytes:
    """The window as somebody sees it once everything on it is drawn."""
    phone = shot.width < 500
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        locale="zh-CN" if language == "zh" else "en-GB",
        is_mobile=phone,
    )
    context.route("**/*", lambda route: route.continue_() if "//127.0.0.1:" in route.request.url else route.abort())
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{address}/{shot.page}")
    _settle(page)
    if shot.click:
        frame = page.frame_locator("iframe[title*=folium]")
        frame.locator("img.leaflet-tile-loaded").first.wait_for(state="attached", timeout=120_000)
        page.wait_for_timeout(2500)
        frame.locator(".leaflet-container").click(position={"x": shot.click[0], "y": shot.click[1]})
        _settle(page)
    page.wait_for_timeout(2500)
    taken = page.screenshot()
    context.close()
    return taken


def _settle(page: Page) -> None:
    for _ in range(2):
        page.locator(SETTLED).wait_for(timeout=180_000)
        page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')", timeout=180_000)
        page.wait_for_timeout(400)


def _small(png: bytes) -> bytes:
    """The picture with 256 colours, and at three quarters of its size where that is still too large."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for share in (1.0, 0.75, 0.6):
        size = (round(picture.width * share), round(picture.height * share))
        held = io.BytesIO()
        picture.resize(size, Image.Resampling.LANCZOS).quantize(256).save(held, "PNG", optimize=True)
        if held.tell() <= MOST_BYTES:
            break
    return held.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
