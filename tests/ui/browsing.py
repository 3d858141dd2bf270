"""The app served as users serve it, and Debian's Chromium before it with the network cut."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
SCREENS = Path(__file__).parents[2] / "build" / "screens"
SETTLED = "[data-testid=stApp][data-test-script-state=notRunning][data-test-connection-state=CONNECTED]"
DRAWN = "() => !document.querySelector('[data-testid=stSkeleton]')"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
"""The last one cuts the network off: no host but this machine is found."""
PATIENCE_MS = 120_000


@contextmanager
def serving(county: Path) -> Iterator[str]:
    """The address of the app, serving a county in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"TACHA_COUNTY": str(county)}
    server = subprocess.Popen([sys.executable, "-m", "geo.ui", str(port)], env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/_stcore/health", server)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert server.poll() is None, "the app stopped while starting"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the app does not answer")


@contextmanager
def browsing() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=list(ARGUMENTS))
        yield browser
        browser.close()


class Watched:
    """A page that records what it asked from outside and every error."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.blocked: list[str] = []
        self.errors: list[str] = []
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("response", self._answered)

    def open(self, url: str) -> None:
        """Go to an address of the app, to where nothing moves any more."""
        self.page.goto(url, timeout=PATIENCE_MS)
        self.settle()

    def settle(self) -> None:
        """Wait until the page's script has run and everything it asked for is drawn."""
        for _ in range(2):
            self.page.locator(SETTLED).wait_for(timeout=PATIENCE_MS)
            self.page.wait_for_function(DRAWN, timeout=PATIENCE_MS)
            self.page.wait_for_timeout(150)

    def _answered(self, answer: Response) -> None:
        """Streamlit itself probes for its own base path below a page's; everything else must be found."""
        if answer.status >= 400 and "/_stcore/" not in answer.url:
            self.errors.append(f"{answer.status} {answer.url}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.blocked.append(request.url)
