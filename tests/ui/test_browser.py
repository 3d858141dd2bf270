"""The map in Debian's Chromium with the network cut: nothing asked from outside, no error, layers drawn."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, Route, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SCREENS = Path(__file__).parents[2] / "build" / "screens"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def address(two_townships: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The app's address, served as users serve it; TACHA_BROWSER_COUNTY names another county."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    county = os.environ.get("TACHA_BROWSER_COUNTY")
    if not county:
        county = str(shutil.copytree(two_townships, tmp_path_factory.mktemp("browser") / "县 甲"))
    environment = os.environ | {"TACHA_COUNTY": county}
    server = subprocess.Popen([sys.executable, "-m", "geo.ui", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(150):
        assert server.poll() is None, "the app stopped while starting"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app does not answer")


class Watched:
    """A page that records what it asked from outside and every error."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.blocked: list[str] = []
        self.errors: list[str] = []
        page.route("**/*", self._sift)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._answered)

    def _answered(self, answer: Response) -> None:
        """Streamlit itself probes for its own base path below a page's; everything else must be found."""
        if answer.status >= 400 and "/_stcore/" not in answer.url:
            self.errors.append(f"{answer.status} {answer.url}")

    def _sift(self, route: Route) -> None:
        url = route.request.url
        if url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            route.continue_()
        else:
            self.blocked.append(url)
            route.abort()


@pytest.fixture(scope="module")
def watched(address: str) -> Iterator[Watched]:
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield Watched(browser.new_page(viewport={"width": 1440, "height": 1000}, locale="zh-CN"))
        browser.close()


def _settle(page: Page, milliseconds: int = 4000) -> None:
    page.wait_for_load_state("networkidle", timeout=120_000)
    page.wait_for_timeout(milliseconds)


def test_the_map_is_drawn_without_internet_and_a_click_gives_evidence(address: str, watched: Watched) -> None:
    page = watched.page
    page.goto(address)
    frame = page.frame_locator("iframe[title*=folium]")
    frame.locator(".leaflet-pane").first.wait_for(state="attached", timeout=120_000)
    frame.locator("img.leaflet-tile-loaded").first.wait_for(state="attached", timeout=60_000)
    frame.locator("canvas").first.wait_for(state="attached", timeout=60_000)
    _settle(page)
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / "map.png", full_page=True)
    frame.locator(".leaflet-container").click(position={"x": 330, "y": 330})
    page.get_by_text("责任岗位").first.wait_for(timeout=60_000)
    _settle(page, 1500)
    page.screenshot(path=SCREENS / "map_clicked.png", full_page=True)
    assert frame.locator("img.leaflet-tile-loaded").count() > 0
    assert (watched.blocked, watched.errors) == ([], [])


def test_the_form_and_the_table_open_without_internet(address: str, watched: Watched) -> None:
    page = watched.page
    for path, wanted in (("record", "button"), ("committee", '[data-testid="stMain"]')):
        page.goto(f"{address}/{path}")
        page.locator(wanted).first.wait_for(timeout=60_000)
        page.get_by_text("截至").first.wait_for(timeout=120_000)
        _settle(page)
        page.screenshot(path=SCREENS / f"{path}.png", full_page=True)
    assert (watched.blocked, watched.errors) == ([], [])


def test_the_interface_speaks_english_when_asked(address: str, watched: Watched) -> None:
    page = watched.page
    page.goto(f"{address}/record")
    page.get_by_text("English").first.click(timeout=60_000)
    page.get_by_text("Plants counted").first.wait_for(state="attached", timeout=60_000)
    assert (watched.blocked, watched.errors) == ([], [])
