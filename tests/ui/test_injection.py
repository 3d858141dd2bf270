"""A hundred hostile names in every field that carries one: shown as text on every page, run on none."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from browsing import CHROMIUM, Watched, browsing, serving
from payloads import MARK, PAYLOADS
from playwright.sync_api import Browser, Frame, Page

from geo import store as stores
from geo.errors import FormatError
from geo.layers import SCHEMAS
from geo.layers.tracks import SCHEMA as TRACKS
from geo.ledger import Entry
from geo.settings import Settings
from geo.store import Change
from geo.ui import border_matrix, features
from geo.ui.main import PAGES
from geo.ui.maps import h
from geo.ui.sheet import sheet
from geo.ui.state import plain
from geo.words import explain
from geo.workspace.county import open_county

NOW = datetime(2026, 3, 18, 1, tzinfo=UTC)
EPSG, WEST, SOUTH, SIDE, ROW = 4544, 500_000.0, 2_964_000.0, 1000.0, 12
N = len(PAYLOADS)
IDS = [f"520000{n:03d}" for n in range(N)]
TAG = re.compile(r"<[a-zA-Z!/?]")


def squares() -> list[Any]:
    """A square kilometre for every payload."""
    corners = [(WEST + SIDE * (n % ROW), SOUTH + SIDE * (n // ROW)) for n in range(N)]
    return [shapely.box(west, south, west + SIDE, south + SIDE) for west, south in corners]


def table(layer: str, shapes: list[Any] | None = None, **values: Any) -> pd.DataFrame:
    """Rows of a layer with the given columns."""
    plain_rows = pd.DataFrame(values)
    if shapes is None:
        return SCHEMAS[layer].conform(plain_rows)
    return SCHEMAS[layer].conform(gpd.GeoDataFrame(plain_rows, geometry=shapes, crs=EPSG))


def hostile_rows() -> dict[str, pd.DataFrame]:
    """Every layer that carries somebody's words, each payload once in each."""
    areas, keys = squares(), [f"{n:03d}" for n in range(N)]
    middles = [area.centroid for area in areas]
    villages = [f"{one}201" for one in IDS]
    teams, parcels = [f"T{key}" for key in keys], [f"P{key}" for key in keys]
    line = [shapely.from_wkt(f"LINESTRING ZM ({p.x} {p.y} 0 1.77e9, {p.x + 90} {p.y} 0 1770000300)") for p in middles]
    tracks = gpd.GeoDataFrame(
        {"track_id": keys, "team_id": teams, "township_id": IDS, "started_at": NOW, "ended_at": NOW, "mode": "foot",
         "length_m": 90.0, "fixes_n": 2, "source_id": PAYLOADS},
        geometry=line, crs=EPSG,
    )  # fmt: skip
    return {
        "teams": table("teams", team_id=teams, township_id=IDS, name=PAYLOADS, kind="专班"),
        "villages": table("villages", middles, village_id=villages, township_id=IDS, name=PAYLOADS, edge=False),
        "units": table("units", unit_id=villages, unit_kind="village", parent_id=IDS, name=PAYLOADS, due_m2=1e5,
                       elevation_m=1000.0, source="made"),
        "duties": table("duties", middles, duty_id=keys, unit_kind="village", unit_id=villages, post=PAYLOADS,
                        duty_kind="属地", valid_from=NOW),
        "parcels": table("parcels", middles, parcel_id=parcels, source="satellite", source_id=PAYLOADS,
                         township_id=IDS, flagged_at=NOW, status="flagged", accuracy_m=10.0, reason=PAYLOADS),
        "tracks": TRACKS.conform(tracks),
        "steps": table("steps", step_id=keys, parcel_id=parcels, act="assign", at=NOW, recorded_at=NOW, team_id=teams,
                       post=PAYLOADS, note=PAYLOADS, reason=PAYLOADS),
        "visits": table("visits", middles, visit_id=keys, parcel_id=parcels, team_id=teams, visited_at=NOW,
                        outcome="未发现", evidence="C", reason=PAYLOADS),
        "finds": table("finds", middles, find_id=keys, team_id=teams, found_by="自查", found_at=NOW, recorded_at=NOW,
                       species="罂粟", plants_n=5, stage="开花期", fraction=0.0, method="未铲除", witnesses=PAYLOADS),
        "leads": table("leads", middles, lead_id=keys, kind="举报", reported_at=NOW, weight=1.0, place_text=PAYLOADS),
    }  # fmt: skip


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "县 <b>"
    store = stores.create(path, Settings(county_id="520000", name=PAYLOADS[7], epsg=EPSG))
    shapes = [shapely.MultiPolygon([area]) for area in squares()]
    townships = table("townships", shapes, township_id=IDS, name=PAYLOADS, kind="乡", source="made",
                      line_accuracy_m=30.0)  # fmt: skip
    store.append(Entry("import", {"layer": "townships"}), Change("townships", townships), now=NOW)
    for layer, rows in hostile_rows().items():
        store.append(Entry("import", {"layer": layer}), Change(layer, rows), now=NOW)
    return path


def test_the_corpus_is_large_and_every_piece_differs() -> None:
    assert len(set(PAYLOADS)) == N >= 100
    assert sum(MARK in payload for payload in PAYLOADS) >= 100


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_layer_of_the_map_carries_a_tag(hostile: Path, language: Any) -> None:
    """Tooltips are HTML: whatever comes from a name must have lost every mark of markup, template and string."""
    held = hostile_rows()
    shapes = [shapely.MultiPolygon([area]) for area in squares()]
    towns = gpd.GeoDataFrame({"name": PAYLOADS}, geometry=shapes, crs=EPSG)
    states = dict.fromkeys(held["villages"]["village_id"], "due")
    given = {
        "townships": features.townships(towns),
        "parcels": features.parcels(gpd.GeoDataFrame(held["parcels"]), language, NOW),
        "villages": features.villages(gpd.GeoDataFrame(held["villages"]), states, language),
        "finds": features.finds(gpd.GeoDataFrame(held["finds"]), language, NOW),
    }
    for layer, drawn in given.items():
        told = features.collection(drawn).decode().replace("<br>", "")
        assert not TAG.search(told), layer
        assert "${" not in told, layer
        assert "`" not in told, layer


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_payload_is_text_after_its_encoder(payload: str) -> None:
    """`h` for the map; `plain` for what Streamlit reads as markdown; and a refused file's name in its sentence."""
    assert not set("<>\"'`") & set(h(payload))
    assert "${" not in h(payload)
    told = plain(explain(FormatError("file_missing", file=payload)))
    assert not re.search(r"(?<!\\)[<`\[\]*$~|]", told)


def test_the_matrix_of_edges_carries_no_tag_but_its_own() -> None:
    """Two names of every payload meet at an edge; the table holds as many tags as with harmless names."""
    plain_names = [f"n{n}" for n in range(N)]
    counts = []
    for names in (plain_names, PAYLOADS):
        edges = gpd.GeoDataFrame(
            {"township_id": IDS, "neighbour_id": IDS[1:] + IDS[:1], "township_name": names,
             "neighbour_name": names[1:] + names[:1], "seen_by_neither": 0.5, "length_m": 100.0}
        )  # fmt: skip
        told = border_matrix.matrix(edges, "zh")
        counts.append((len(TAG.findall(told)), told.count('="')))
    assert counts[0] == counts[1]


WALK = """() => {
  const bad = [];
  document.querySelectorAll('*').forEach(one => {
    // data carried as JSON is text that nothing runs
    const script = one.tagName === 'SCRIPT' && one.type !== 'application/json';
    if (script && one.textContent.includes('PWN')) { bad.push(one.outerHTML.slice(0, 160)); }
    for (const held of one.attributes) {
      const runs = /^on/i.test(held.name) ||
        (/^(href|src|srcdoc|data|action|formaction|xlink:href)$/i.test(held.name) && /PWN|elsewhere/.test(held.value));
      if (runs) { bad.push(held.name + '=' + held.value.slice(0, 80) + ' in ' + one.tagName); }
    }
  });
  return bad.concat(window.PWN ? ['ran ' + window.PWN] : [], top.PWN ? ['ran above ' + top.PWN] : []);
}"""


def found_in(page: Page) -> list[str]:
    """Every element of the page and its frames that would run something of ours, and whether anything has."""
    frames: list[Frame] = [frame for frame in page.frames if not frame.is_detached()]
    return [f"{frame.url[-40:]}: {one}" for frame in frames for one in frame.evaluate(WALK)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


needs_chromium = pytest.mark.skipif(not CHROMIUM.is_file(), reason="Debian's chromium is not installed")


@pytest.mark.browser
@needs_chromium
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_corpus_would_run_on_a_page_that_does_not_encode(browser: Browser) -> None:
    """What finds nothing must be able to find something."""
    page = browser.new_page()
    page.set_content("<body>" + "".join(f"<div>{payload}</div>" for payload in PAYLOADS[5:30]) + "</body>")
    page.wait_for_timeout(300)
    assert any("ran" in one for one in found_in(page))
    page.close()


@pytest.mark.browser
@pytest.mark.slow
@needs_chromium
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_nothing_runs_on_any_page(hostile: Path, browser: Browser, tmp_path: Path) -> None:
    """Every page, the first row of each table chosen, lists opened, the map hovered over and clicked, files dropped."""
    with serving(hostile) as address:
        page = browser.new_page(viewport={"width": 1300, "height": 1000}, locale="zh-CN")
        watched, dialogs = Watched(page), []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        seen: dict[str, list[str]] = {}
        for _, _, name in PAGES:
            watched.open(f"{address}/{name}")
            _poke(page, watched)
            if name == "data":
                files = [{"name": f"{one.replace('/', '∕')[:120]}.txt", "mimeType": "text/plain", "buffer": b"x"}
                         for one in PAYLOADS]  # fmt: skip
                page.locator("input[type=file]").first.set_input_files(files)
                page.wait_for_timeout(1500)
                watched.settle()
            seen[name] = found_in(page)
        assert {name: found for name, found in seen.items() if found} == {}
        assert (watched.blocked, watched.errors, dialogs) == ([], [], [])
        page.close()


@pytest.mark.browser
@needs_chromium
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_nothing_runs_in_the_map_carried_out_on_a_stick(hostile: Path, browser: Browser, tmp_path: Path) -> None:
    """The one file holds names inside a script: they must not end it, nor the page's markup."""
    file = tmp_path / "map.html"
    file.write_bytes(sheet(open_county(hostile)))
    page = browser.new_page(viewport={"width": 900, "height": 700})
    page.goto(file.as_uri())
    page.locator("canvas").first.wait_for(state="attached", timeout=60_000)
    for x in range(200, 700, 60):
        page.mouse.move(x, 350)
    page.wait_for_timeout(300)
    ours = [one for one in found_in(page) if "SCRIPT" in one or "ran" in one or " in " in one]
    assert ours == []
    page.close()


def _poke(page: Page, watched: Watched) -> None:
    """Do what brings more text to the screen."""
    for frame in page.frames[1:]:
        canvas = frame.locator("canvas")
        if canvas.count():
            for x, y in ((300, 200), (310, 260)):
                frame.locator(".leaflet-container").hover(position={"x": x, "y": y}, timeout=3000)
            frame.locator(".leaflet-container").click(position={"x": 300, "y": 210}, timeout=3000)
            watched.settle()
            break
    tables = page.locator("[data-testid=stDataFrame]:visible")
    if tables.count():
        tables.first.click(position={"x": 18, "y": 52})
        watched.settle()
    chooser = page.locator("[data-testid=stSelectbox] input:visible")
    if chooser.count():
        chooser.first.click()
        page.wait_for_timeout(200)
        page.keyboard.press("Escape")
