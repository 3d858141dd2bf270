"""Every page, in both languages, on a desk and on a phone, with everything outside this machine cut off."""

import json
import re
from pathlib import Path

import pytest
from browsing import CHROMIUM, PATIENCE_MS, SCREENS, Watched
from playwright.sync_api import Browser, Page

from geo.layers import SCHEMAS
from geo.ui.main import PAGES
from geo.words import say
from geo.workspace.county import open_county

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WITH_MAP = ("today", "map", "targets")
ENGLISH_IN_CHINESE = re.compile(r"[A-Za-z][a-z]{2,}(?:[ ’'][A-Za-z][a-z]+)*")
HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
NAMES = re.compile(
    r"\b(English|Excel|Word|Chrome|Edge|Firefox|Windows|Linux|OsmAnd|Ovital|Shapefile|Neighbour County|Demo County"
    r"|made up|GeoTIFF|GeoJSON|tacha|users?|add|admin|role|new|listen|shp|whl|app|start|bat|Ctrl"
    r"|toml|dbf|shx|prj|cpg|plan|day|season)\b"
)
"""Proper names, commands and file kinds: the same in every language."""
HASH = re.compile(r"[0-9a-f]{8,}(…[0-9a-f]{4})?")
"""Heads of the ledger, whole and shortened."""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def data_words(served_demo: Path) -> set[str]:
    """Every text the county's data bring: it stands on the pages as it is in the data."""
    store, found = open_county(served_demo).store, set()
    for layer, schema in SCHEMAS.items():
        held = store.read(layer)
        for column in schema.columns:
            if column.kind == "text":
                texts = {str(one) for one in held[column.name].dropna().unique()}
                found |= texts | {one.split(" ", 1)[-1] for one in texts}  # stops are shown without their code
    return {one for one in found if not one.isdigit()} | {open_county(served_demo).settings.name}


READ = """() => {
  const hidden = [...document.querySelectorAll('[data-testid=stIconMaterial]')];
  hidden.forEach(one => { one.style.display = 'none'; });
  const told = document.body.innerText;
  hidden.forEach(one => { one.style.display = ''; });
  return told;
}"""
"""The page's text without the names of its icons."""


def text_of(page: Page, data: set[str]) -> str:
    """What a reader reads, less what comes from the data and what is the same in every language."""
    told = str(page.evaluate(READ))
    for word in sorted((one for one in data if len(one) > 1), key=len, reverse=True):  # a letter is part of other words
        told = told.replace(word, " ")
    return NAMES.sub(" ", HASH.sub(" ", told))


LANGUAGES = {"zh": (ENGLISH_IN_CHINESE, set()), "en": (HAN, {"中文", "示例县", "我的县", "启动"})}


def foreign(page: Page, language: str, data: set[str]) -> list[str]:
    pattern, allowed = LANGUAGES[language]
    return sorted(set(pattern.findall(text_of(page, data))) - allowed)


SIZES = {"desk": (1366, 900), "phone": (390, 844)}
MARKED = "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa'], resultTypes: ['violations']})"
FRAMEWORKS_OWN = {
    "scrollable-region-focusable",
}
"""What Streamlit's own tables do; a page cannot change it."""


def barriers(page: Page) -> list[str]:
    """Serious breaches of WCAG 2 A and AA on the page as it stands."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate(MARKED)["violations"]
    return [
        f"{one['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for one in found
        if one["impact"] in ("serious", "critical") and one["id"] not in FRAMEWORKS_OWN
        for node in one["nodes"][:3]
    ]


@pytest.mark.parametrize("size", SIZES)
def test_every_page_in_both_languages(address: str, browser: Browser, data_words: set[str], size: str) -> None:
    """Nothing asked from outside, no error, nothing in the other language, nothing wider than the window."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        is_mobile=size == "phone",
        has_touch=size == "phone",
    )
    watched, wrong = Watched(context.new_page()), {}
    page = watched.page
    SCREENS.mkdir(parents=True, exist_ok=True)
    for _, code, name in PAGES:
        watched.open(f"{address}/{name}")
        for language in ("zh", "en"):
            if language == "en":
                page.get_by_text("English", exact=True).first.click()
                page.locator("[data-tacha-language=en]").wait_for(state="attached", timeout=60_000)
                watched.settle()
                page.wait_for_timeout(250)
            if name in WITH_MAP:
                pane = page.frame_locator("iframe[title*=folium]").locator(".leaflet-pane").first
                pane.wait_for(state="attached", timeout=PATIENCE_MS)
            page.screenshot(path=SCREENS / f"{name}-{language}-{size}.png", full_page=True)
            found = foreign(page, language, data_words)
            found += [] if page.evaluate("document.documentElement.scrollWidth") <= width else ["wider than the window"]
            found += barriers(page) if AXE.is_file() and size == "desk" and language == "zh" else []
            found += [] if page.evaluate("document.documentElement.lang")[:2] == language else ["lang"]
            found += [] if say(code, language) else [code]
            if found:
                wrong[f"{name} {language}"] = found
                told = json.dumps(wrong, ensure_ascii=False, indent=1)
                (SCREENS / f"sweep-{size}.json").write_text(told, "utf-8")
    assert (watched.blocked, watched.errors) == ([], [])
    assert wrong == {}
    context.close()


def test_what_a_page_asks_from_outside_is_noted_and_not_found(browser: Browser) -> None:
    """The network is cut for names and for numbers: an empty list of what was asked means that nothing was asked."""
    watched, failed = Watched(browser.new_page()), []
    watched.page.on("requestfailed", lambda asked: failed.append((asked.url, asked.failure)))
    outside = ["http://tiles.invalid/0.png", "http://192.0.2.1/0.png"]
    watched.page.set_content("".join(f'<img src="{url}">' for url in outside))
    assert watched.blocked == outside
    assert failed == [(url, "net::ERR_NAME_NOT_RESOLVED") for url in outside]
    watched.page.close()


def test_a_browser_too_old_is_told_what_to_use(address: str, browser: Browser) -> None:
    """Taken away what browsers before 2023 lack; and one that runs no script at all."""
    page = browser.new_page(locale="zh-CN")
    page.add_init_script("delete Array.prototype.toSorted")
    page.goto(address)
    page.get_by_text("这个浏览器太旧").wait_for(timeout=20_000)
    assert page.get_by_text("too old for Tacha").is_visible()
    assert not page.locator("#root").is_visible()
    page.close()
    silent = browser.new_context(java_script_enabled=False)
    page = silent.new_page()
    page.goto(address)
    assert page.get_by_text("这个浏览器太旧").is_visible()
    silent.close()


def test_the_whole_guide_is_printed_and_not_one_window_of_it(address: str, browser: Browser) -> None:
    watched = Watched(browser.new_page(locale="zh-CN"))
    watched.open(f"{address}/guide")
    watched.page.emulate_media(media="print")
    last = watched.page.get_by_text("打印本页").bounding_box()
    body = watched.page.evaluate("document.documentElement.scrollHeight")
    assert last is not None
    assert last["y"] + last["height"] <= body
    assert body > 1500
    assert len(re.findall(rb"/Type\s*/Page\b", watched.page.pdf(format="A4"))) >= 2
    watched.page.close()


FOCUSED = "document.activeElement.innerText || document.activeElement.value || ''"


def test_the_keyboard_reaches_the_pages_and_the_switch(address: str, browser: Browser) -> None:
    """Tab alone goes through the bar of pages to the language, and Enter opens what has the focus."""
    watched = Watched(browser.new_page(viewport={"width": 1366, "height": 900}, locale="zh-CN"))
    page = watched.page
    watched.open(f"{address}/guide")
    reached: list[str] = []
    for _ in range(len(PAGES) + 8):
        page.keyboard.press("Tab")
        reached.append(str(page.evaluate(FOCUSED)).strip())
    titles = {say(code) for _, code, _ in PAGES}
    assert titles - set(reached) == set()
    assert any("中文" in one or "English" in one or one in ("zh", "en") for one in reached), reached
    page.close()


def test_a_language_chosen_outlives_a_reload(address: str, browser: Browser) -> None:
    watched = Watched(browser.new_page(locale="zh-CN"))
    watched.open(f"{address}/guide")
    watched.page.get_by_text("English", exact=True).first.click()
    watched.settle()
    watched.page.reload()
    watched.settle()
    watched.page.get_by_text("Ten minutes: from nothing").wait_for(timeout=20_000)
    watched.page.close()
