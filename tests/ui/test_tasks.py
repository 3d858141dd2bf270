"""A day's work through the pages in Chromium: a plan becomes coverage, an eradication reaches the committee."""

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from browsing import CHROMIUM, PATIENCE_MS, SCREENS, Watched, serving
from PIL import Image
from playwright.sync_api import Browser
from shared_counties import MADE_OF, copy_of
from test_journeys import walked

from geo.words import say
from geo.workspace.county import open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.planning import kept_routes

TOWNSHIP = "529901001"
DESKTOP, PHONE = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def county(measured_demo: Path, tmp_path: Path) -> Path:
    """Folder of the small demo county, measured, without any plan."""
    return copy_of(measured_demo, tmp_path / "示例 县", *MADE_OF)


def opened(browser: Browser, size: dict[str, int]) -> Watched:
    return Watched(browser.new_page(viewport=size, locale="zh-CN", accept_downloads=True))  # type: ignore[arg-type]


def test_plan_accept_download_walk_upload_and_coverage_rises(browser: Browser, county: Path, tmp_path: Path) -> None:
    """The planner accepts a plan; the team downloads its GPX, walks it, hands the track in; detection has risen."""
    before = measure_coverage(open_county(county)).townships.set_index("township_id")["detection"]
    with serving(county) as address:
        desk = opened(browser, DESKTOP)
        desk.open(f"{address}/map")
        page = desk.page
        page.locator("[data-testid=stExpander] summary", has_text=say("ui_plan_head")).click()
        desk.settle()
        page.get_by_label(say("ui_plan_townships")).click()
        name = open_county(county).store.read("townships", [TOWNSHIP])["name"].iloc[0]
        page.get_by_role("option", name=name).click()
        page.keyboard.press("Escape")
        page.get_by_role("button", name=say("ui_plan_make"), exact=True).click()
        page.get_by_role("button", name=say("ui_plan_accept"), exact=True).click(timeout=PATIENCE_MS)
        page.get_by_text(say("ui_plan_accepted", n="#", head="").split("#")[0]).first.wait_for(timeout=PATIENCE_MS)
        desk.settle()
        page.screenshot(path=SCREENS / "task_accepted.png", full_page=True)
        routes = kept_routes(open_county(county))[0]
        route = routes.loc[routes["stops_n"].idxmax()]

        phone = opened(browser, PHONE)
        phone.open(f"{address}/team?team={route['team_id']}")
        with phone.page.expect_download(timeout=PATIENCE_MS) as handed:
            phone.page.locator(f"[class*='{route['route_id']}-track']").get_by_role("button").first.click()
        start = datetime.fromisoformat(f"{route['day']}T01:00:00+00:00")
        track = tmp_path / "walked.gpx"
        track.write_bytes(walked(handed.value.path().read_bytes(), start, 120.0))
        phone.page.locator("input[type=file]").set_input_files(track)
        phone.page.get_by_text("walked.gpx").first.wait_for(timeout=PATIENCE_MS)
        phone.page.get_by_role("button", name=say("ui_send"), exact=True).click()
        phone.page.locator(".st-key-verdict").wait_for(timeout=PATIENCE_MS)
        phone.settle()
        phone.page.screenshot(path=SCREENS / "task_handed_in.png", full_page=True)
        assert "公里" in phone.page.locator(".st-key-verdict").inner_text()
        faults = desk.blocked, desk.errors, phone.blocked, phone.errors
    after = measure_coverage(open_county(county)).townships.set_index("township_id")["detection"]
    assert faults == ([], [], [], [])
    assert after[TOWNSHIP] > before[TOWNSHIP]


def test_an_eradication_with_photograph_reaches_ledger_and_committee(browser: Browser, county: Path) -> None:
    """Typed on a phone with a picture; it stands in the ledger with its picture, and the committee counts it."""
    picture = io.BytesIO()
    Image.new("RGB", (320, 240), (90, 140, 60)).save(picture, "JPEG")
    standing = measure_coverage(open_county(county)).county["finds_n"]
    known = len(open_county(county).store.entries())
    with serving(county) as address:
        phone = opened(browser, PHONE)
        phone.open(f"{address}/record")
        page = phone.page
        page.get_by_role("tab", name=say("ui_find"), exact=True).click()
        phone.settle()
        page.locator(".st-key-find_place input").fill("105.33598, 26.73855")
        page.locator(".st-key-find_plants input").fill("54")
        file = {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
        page.locator(".st-key-find_photos input[type=file]").set_input_files([file])  # type: ignore[arg-type]
        page.get_by_text("现场.jpg").first.wait_for(timeout=PATIENCE_MS)
        page.get_by_role("button", name=say("ui_save_find"), exact=True).click()
        phone.settle()
        page.screenshot(path=SCREENS / "task_found.png", full_page=True)
        desk = opened(browser, DESKTOP)
        desk.open(f"{address}/committee")
        desk.page.get_by_text(re.compile(say("ui_zero_planting"))).first.wait_for(timeout=PATIENCE_MS)
        desk.page.screenshot(path=SCREENS / "task_committee.png", full_page=True)
        faults = desk.blocked, desk.errors, phone.blocked, phone.errors
    assert faults == ([], [], [], [])
    after = open_county(county)
    entries = after.store.entries()[known:]
    assert {"find", "photos"} <= {entry.kind for entry in entries}
    assert after.store.verify().ok
    assert measure_coverage(after, as_of=datetime.now(UTC)).county["finds_n"] == standing + 1
