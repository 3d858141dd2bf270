"""The map in Debian's Chromium with the network cut: nothing asked from outside, no error, layers drawn."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import CHROMIUM, PATIENCE_MS, SCREENS, Watched, browsing
from playwright.sync_api import FrameLocator, Page, Response

from geo.ui.maps import PLANNED, STRIP, STYLES, WALKED, shape_given
from geo.ui.routes import LAYERS
from geo.words import say

PINS = """(body, given) => {
    const map = L.map(body.appendChild(document.createElement("div")), {preferCanvas: true}).setView([26.7, 105.3], 12);
    tacha(map, given);
    let pins = 0, marks = 0;
    map.eachLayer(one => { pins += one instanceof L.Marker; marks += one instanceof L.CircleMarker; });
    map.getContainer().remove();
    return [pins, marks];
}"""
"""On a map of its own in the page: how many of Leaflet's pins and how many marks a layer is drawn with."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def watched(address: str) -> Iterator[Watched]:
    with browsing() as browser:
        yield Watched(browser.new_page(viewport={"width": 1440, "height": 1000}, locale="zh-CN"))


def _map(watched: Watched, address: str) -> FrameLocator:
    """The map's frame, once tiles and lines are drawn."""
    watched.open(f"{address}/map")
    frame = watched.page.frame_locator("iframe[title*=folium]")
    frame.locator("img.leaflet-tile-loaded").first.wait_for(state="attached", timeout=120_000)
    frame.locator("canvas").first.wait_for(state="attached", timeout=60_000)
    watched.page.wait_for_load_state("networkidle", timeout=PATIENCE_MS)
    _drawn(watched.page, frame, PLANNED, many=True)
    return frame


def _drawn(page: Page, frame: FrameLocator, colour: str, *, many: bool) -> None:
    """Wait until the map's canvas shows much of a colour, or none of it."""
    for _ in range(300):
        found = _pixels(frame, colour)
        if found > 100 if many else found == 0:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{colour}: {found} pixels")


def _pixels(frame: FrameLocator, colour: str) -> int:
    """How many pixels of the map's canvas have a colour, whatever their opacity."""
    return int(
        frame.locator("canvas").first.evaluate(
            """(canvas, colour) => {
                const wanted = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));
                const held = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                let found = 0;
                for (let i = 0; i < held.length; i += 4) {
                    if (held[i + 3] > 25 && wanted.every((v, k) => Math.abs(held[i + k] - v) < 6)) { found += 1; }
                }
                return found;
            }""",
            colour,
        )
    )


def test_every_layer_is_drawn_without_internet(address: str, watched: Watched) -> None:
    fetched: dict[str, int] = {}
    page = watched.page

    def count(answer: Response) -> None:
        if "/geo/layers/" in answer.url:
            name = answer.url.split("/geo/layers/")[1].split(".")[0]
            fetched[name] = len(answer.json()["features"])

    page.on("response", count)
    frame = _map(watched, address)
    page.remove_listener("response", count)
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / "map.png", full_page=True)
    for colour in (WALKED, STRIP, PLANNED, str(STYLES["townships"]["color"])):
        _drawn(page, frame, colour, many=True)
    assert (watched.blocked, watched.errors) == ([], [])
    assert {name for name, number in fetched.items() if number} >= set(LAYERS) - {"finds", "villages"}
    assert frame.locator(".tacha-name").count() == fetched["townships"]
    tiles = frame.locator("img.leaflet-tile-loaded")
    names = {str(tiles.nth(i).get_attribute("src")).split("/")[3] for i in range(tiles.count())}
    assert names == {"hillshade", "pod"}
    given = shape_given("proposed", "甲") | {
        "kind": "geojson",
        "rows": {"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {"label": "1", "shape": "disc", "colour": PLANNED},
             "geometry": {"type": "Point", "coordinates": [105.3, 26.7]}}]},
    }  # fmt: skip
    given = {"months": [], "layers": [given], "tools": False, "words": {}, "bounds": [[26.6, 105.2], [26.8, 105.4]]}
    pins = frame.locator("body").evaluate(PINS, given)
    assert pins == [0, 1], "a stop is a mark of ours, never Leaflet's own pin"


def test_a_layer_can_be_switched_off(address: str, watched: Watched) -> None:
    frame = _map(watched, address)
    frame.locator(".leaflet-control-layers-toggle").hover(force=True)
    frame.locator(".leaflet-control-layers-overlays label", has_text="计划路线").click()
    _drawn(watched.page, frame, PLANNED, many=False)
    assert _pixels(frame, STRIP) > 100


def test_the_months_are_drawn_whatever_the_zoom(address: str, watched: Watched) -> None:
    """The slider of months asks for whole tiles, also while the map stands between two levels of zoom."""
    page, frame = watched.page, _map(watched, address)
    asked: list[tuple[int, str, str]] = []

    def note(answer: Response) -> None:
        if "month=2" in answer.url:
            asked.append((answer.status, answer.headers["content-type"], answer.url))

    page.on("response", note)
    for keys, shown in ((("ArrowLeft", "ArrowLeft"), "month=2026-04"), (("End",), "month=&")):
        for key in keys:
            frame.locator(".tacha-time input[type=range]").press(key)
        frame.locator(f"img.leaflet-tile-loaded[src*='{shown}']").first.wait_for(state="attached", timeout=60_000)
        hidden = say("map_now") if "=2026" in shown else ""
        assert frame.locator(".tacha-hidden").text_content() == hidden, "layers of now are said to be hidden"
    page.remove_listener("response", note)
    assert {one[:2] for one in asked} == {(200, "image/png")}
    titles = frame.locator(".leaflet-control-zoom a, .leaflet-control-layers-toggle")
    assert [titles.nth(i).get_attribute("title") for i in range(3)] == ["放大", "缩小", "图层"]


def test_a_click_gives_the_evidence_of_the_place(address: str, watched: Watched) -> None:
    page, frame = watched.page, _map(watched, address)
    frame.locator(".leaflet-container").click(position={"x": 330, "y": 330})
    page.get_by_text("责任岗位").first.wait_for(timeout=60_000)
    frame.locator(".leaflet-container").click(position={"x": 420, "y": 300})
    page.get_by_text("海拔").first.wait_for(timeout=60_000)
    watched.settle()
    page.screenshot(path=SCREENS / "map_clicked.png", full_page=True)
    assert (watched.blocked, watched.errors) == ([], [])


def test_the_planned_routes_are_handed_out_as_gpx(address: str, watched: Watched, tmp_path: Path) -> None:
    _map(watched, address)
    with watched.page.expect_download(timeout=60_000) as handed:
        watched.page.get_by_text("下载路线 GPX").first.click()
    handed.value.save_as(tmp_path / "routes.zip")
    with zipfile.ZipFile(tmp_path / "routes.zip") as packed:
        assert packed.namelist()
        assert all(b"<gpx" in packed.read(name)[:300] for name in packed.namelist())


def test_the_form_and_the_table_open_without_internet(address: str, watched: Watched) -> None:
    page = watched.page
    for path, wanted in (("record", "button"), ("committee", '[data-testid="stMain"]')):
        watched.open(f"{address}/{path}")
        page.locator(wanted).first.wait_for(timeout=60_000)
        page.get_by_text("截至").first.wait_for(timeout=120_000)
        page.screenshot(path=SCREENS / f"{path}.png", full_page=True)
    assert (watched.blocked, watched.errors) == ([], [])


def test_the_interface_speaks_english_when_asked(address: str, watched: Watched) -> None:
    page = watched.page
    watched.open(f"{address}/record")
    page.get_by_text("English").first.click(timeout=60_000)
    page.get_by_text("Plants counted").first.wait_for(state="attached", timeout=60_000)
    assert (watched.blocked, watched.errors) == ([], [])


def test_one_row_after_another_is_chosen(watched: Watched, address: str) -> None:
    """Each click counts: a table that were made anew by the first one would swallow the second."""
    watched.open(f"{address}/targets")
    seen = []
    for row in (2, 4, 1):
        watched.page.locator("[data-testid=stDataFrame]").first.click(position={"x": 16, "y": 17 + 35 * row})
        watched.settle()
        watched.page.wait_for_timeout(500)
        watched.settle()
        seen.append(watched.page.locator("h3").first.inner_text())
    assert len(set(seen)) == 3
    assert watched.errors == []
