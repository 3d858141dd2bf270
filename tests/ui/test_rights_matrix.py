"""Role × page × action × township through the app as it is served: addresses, downloads, websocket and page scripts."""

import asyncio
import io
import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from asking import ask
from PIL import Image
from shapely.geometry import Point
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from streamlit.testing.v1 import AppTest
from ui_county import EPSG, NOW, SOUTH, WEST, county_frame_of_two, tile_of

from geo.errors import GeoError
from geo.layers import SCHEMAS
from geo.ledger import Entry
from geo.store import Change, read_settings, write_settings
from geo.ui import door, routes, state
from geo.ui.__main__ import CONFIG
from geo.ui.door import COOKIE, LOGIN, SEEN_AS
from geo.ui.main import PAGES
from geo.ui.routes import LAYERS, MIDDLEWARE, ROUTES
from geo.words import say
from geo.workspace.accounts import add_account, change_own_password, change_password, change_role, lock_account, sign_in
from geo.workspace.condition import back_up_county
from geo.workspace.county import County, open_county
from geo.workspace.importing import import_terrain
from geo.workspace.recording import record_visit
from geo.workspace.rights import PAGES as OPENED
from geo.workspace.rights import RIGHTS, Action, Actor, Denied, Role

pytestmark = pytest.mark.filterwarnings("ignore")
MAIN = Path(__file__).parents[2] / "geo" / "ui" / "main.py"
PASSWORD = "一个够长的密码-第 1"
TOWNS = ("520000001", "520000002")
TEAMS = ("T-1", "T-2")
WHOLE = (Role.ADMIN, Role.COUNTY, Role.COMMITTEE, Role.AUDITOR)
ACCOUNTS: dict[str, tuple[Role, tuple[str, ...]]] = {str(role): (role, ()) for role in WHOLE} | {
    f"{role}{n + 1}": (role, ((TEAMS if role is Role.TEAM else TOWNS)[n],))
    for role in (Role.TOWNSHIP, Role.POLICE, Role.MEMBER, Role.TEAM)
    for n in (0, 1)
}
"""Every role that sees the county once, every other once in each township."""
EVERYBODY = pytest.mark.parametrize("name", ACCOUNTS)


async def stream(websocket: WebSocket) -> None:
    """Answers with the mark Streamlit would be given."""
    await websocket.accept(headers=[(b"x-mark", websocket.headers.get(SEEN_AS.decode(), "").encode())])
    await websocket.close()


async def behind(request: Request) -> PlainTextResponse:
    return PlainTextResponse("served")


BEHIND: list[BaseRoute] = [Route("/media/{name}", behind), WebSocketRoute("/_stcore/stream", stream),
                           Route("/_stcore/upload_file/{rest:path}", behind, methods=["PUT", "DELETE"])]  # fmt: skip
APP = Starlette(routes=[*ROUTES, *BEHIND], middleware=MIDDLEWARE)


def _spread(county: County) -> None:
    """A team, a village, a parcel, a visit, a find and a route in each township, well inside it."""
    towns = county.store.read("townships")
    teams = pd.DataFrame({"team_id": TEAMS, "township_id": TOWNS, "name": ["甲队", "乙队"], "kind": "专班"})
    county.store.append(Entry("import", {"layer": "teams"}), Change("teams", SCHEMAS["teams"].conform(teams)), now=NOW)
    assert list(towns["township_id"]) == list(TOWNS)
    places = [Point(WEST + 700, SOUTH + 1500), Point(WEST + 3300, SOUTH + 1500)]
    for layer, values in {
        "parcels": {"parcel_id": ["M1", "M2"], "source": "satellite", "source_id": ["M1", "M2"], "township_id": TOWNS,
                    "flagged_at": NOW, "status": "flagged", "accuracy_m": 10.0},
        "finds": {"find_id": ["F1", "F2"], "team_id": TEAMS, "found_by": "自查", "found_at": NOW, "recorded_at": NOW,
                  "species": "罂粟", "plants_n": 5, "stage": "flower", "fraction": 0.0, "method": "none"},
        "villages": {"village_id": [f"{t}201" for t in TOWNS], "township_id": TOWNS, "name": ["甲村", "乙村"],
                     "edge": False},
    }.items():  # fmt: skip
        schema = SCHEMAS[layer]
        held = {k: v for k, v in values.items() if k in {column.name for column in schema.columns}}
        held |= {
            column.name: [column.choices[0]] * 2
            for column in schema.columns
            if column.choices and held.get(column.name) not in column.choices and column.name != "status"
        }
        rows = schema.conform(gpd.GeoDataFrame(pd.DataFrame(held), geometry=places, crs=EPSG))
        county.store.append(Entry("import", {"layer": layer}), Change(layer, rows), now=NOW)


@pytest.fixture(scope="module")
def peopled(two_townships: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = Path(shutil.copytree(two_townships, tmp_path_factory.mktemp("matrix") / "县 甲"))
    settings = read_settings(path)  # nothing of these tests lies within 400 m of the edge
    write_settings(path, replace(settings, borders=replace(settings.borders, strip_m=400.0)))
    opened = open_county(path)
    _spread(opened)
    for name, (role, grounds) in ACCOUNTS.items():
        add_account(opened, name, role, grounds, PASSWORD, now=NOW)
    return path


@pytest.fixture(scope="module")
def tokens(peopled: Path) -> dict[str, str]:
    """A session of every account."""
    county, now = open_county(peopled), datetime.now(UTC)
    return {name: sign_in(county, name, PASSWORD, now=now, address="test") for name in ACCOUNTS}


@pytest.fixture
def county(peopled: Path, monkeypatch: pytest.MonkeyPatch) -> County:
    """The county this process serves; only tests that are refused write to it."""
    monkeypatch.setenv("TACHA_COUNTY", str(peopled))
    return open_county(peopled)


def held(tokens: dict[str, str], name: str) -> dict[str, str]:
    return {"cookie": f"{COOKIE}={tokens[name]}", "host": "map.county", "accept": "text/html"}


def actor(name: str) -> Actor:
    role, grounds = ACCOUNTS[name]
    return Actor(role, grounds, name)


@EVERYBODY
def test_every_page_by_its_address_opens_for_its_roles_and_for_no_other(
    county: County, tokens: dict[str, str], name: str
) -> None:
    role = ACCOUNTS[name][0]
    got = {page: ask(APP, f"/{page}", headers=held(tokens, name)).status for page in OPENED if page != "today"}
    assert got == {page: 200 if role in roles else 403 for page, roles in OPENED.items() if page != "today"}
    refused = [page for page, status in got.items() if status == 403]
    told = ask(APP, f"/{refused[0]}", headers=held(tokens, name)).body.decode() if refused else ""
    assert not refused or say("ui_not_your_page") in told


@pytest.mark.slow
@pytest.mark.parametrize("role", Role)
def test_a_pages_script_runs_for_its_roles_only(county: County, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
    """The frame hands Streamlit the pages of the role; what is not handed over has no address in it."""
    name = next(one for one, (its, _) in ACCOUNTS.items() if its is role)
    monkeypatch.setattr(state, "actor", lambda: actor(name))
    shown: list[str] = []

    def navigation(pages: list[st.Page], **_: object) -> SimpleNamespace:  # type: ignore[valid-type]
        shown.extend(page.url_path or "today" for page in pages)  # type: ignore[attr-defined]
        return SimpleNamespace(run=lambda: None, url_path="")

    monkeypatch.setattr(st, "navigation", navigation)
    app = AppTest.from_file(str(MAIN), default_timeout=60).run()
    assert not app.exception
    listed = [address for _, _, address in PAGES if role in OPENED[address]]
    assert shown[1:] == listed[1:]
    assert shown[0] in ("today", listed[0])


POINTS = ("parcels", "finds", "villages")


def rows_of(answer: bytes) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(answer)["features"]
    return found


@EVERYBODY
def test_every_layer_by_its_address_holds_own_ground_only(county: County, tokens: dict[str, str], name: str) -> None:
    """Nothing that lies in the other township comes along, and what is one's own does."""
    role, grounds = ACCOUNTS[name]
    for layer in set(LAYERS) - {"borders", "blind_spots"}:  # answers about edges: tests/ui/test_door.py
        answer = ask(APP, f"/geo/layers/{layer}.geojson?lang=en", headers=held(tokens, name))
        assert answer.status == 200, layer
        sides = {east_side(row) for row in rows_of(answer.body)}
        if role not in WHOLE and layer not in ("townships", "grounds"):
            assert sides <= {int(grounds[0][-1]) - 1}, (layer, sides)
        if role not in (*WHOLE, Role.TEAM) and layer in POINTS:
            assert sides, layer


def east_side(row: dict[str, object]) -> int:
    """0 in the first township, 1 in the second."""
    places = json.dumps(row["geometry"]).replace("[", " ").replace("]", " ").replace(",", " ").split()
    first = next(float(part) for part in places if part[0].isdigit())
    middle = gpd.GeoSeries([Point(WEST + 2000, SOUTH + 1500)], crs=EPSG).to_crs(4326).iloc[0].x
    return int(first > middle)


@EVERYBODY
def test_tiles_of_detection_hold_own_ground_only(county: County, tokens: dict[str, str], name: str) -> None:
    """The made grid is seen in the first township only, so nothing may be drawn for whoever has the second."""
    role, grounds = ACCOUNTS[name]
    x, y = tile_of(county_frame_of_two(), 13)
    answer = ask(APP, f"/geo/tiles/pod/13/{x}/{y}.png", headers=held(tokens, name))
    inked = bool((np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGBA"))[..., 3] > 0).any())
    assert inked is (role in WHOLE or grounds[0] == TOWNS[0])


@EVERYBODY
def test_vector_tiles_hold_own_ground_only(county: County, tokens: dict[str, str], name: str) -> None:
    """One tile holds both townships; a parcel's number stands in its label."""
    role, grounds = ACCOUNTS[name]
    x, y = tile_of(county_frame_of_two(), 11)
    answer = ask(APP, f"/geo/vector/parcels/11/{x}/{y}.pbf?lang=zh", headers=held(tokens, name))
    told = [n for n in (1, 2) if f"M{n}".encode() in answer.body]
    wanted = [1, 2] if role in WHOLE else [] if role is Role.TEAM else [int(grounds[0][-1])]
    assert (answer.status, told) == (200, wanted)


@EVERYBODY
def test_a_plan_not_yet_accepted_is_its_planners_alone(
    county: County, tokens: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_PROPOSED", {(county.path, name): (None, "1")})
    monkeypatch.setattr(routes.features, "proposal", lambda plan, teams, language: None)
    monkeypatch.setattr(routes.features, "collection", lambda drawn: b"{}")
    got = {one: ask(APP, "/geo/proposal.geojson", headers=held(tokens, one)).status for one in ACCOUNTS}
    assert got == {one: 200 if one == name else 404 for one in ACCOUNTS}


@EVERYBODY
def test_a_download_of_another_session_is_not_found(
    county: County, tokens: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One live session per account, each with a file of its own: its account gets it, no other does."""
    sessions = [
        SimpleNamespace(
            session=SimpleNamespace(id=one),
            client=SimpleNamespace(client_context=SimpleNamespace(
                headers=[("Host", "map.county")], cookies={COOKIE: tokens[one]}, remote_ip="192.168.1.7")),
        )
        for one in ACCOUNTS
    ]  # fmt: skip
    files = {one: {"button": f"file-{one}.xlsx"} for one in ACCOUNTS}
    served = SimpleNamespace(
        media_file_mgr=SimpleNamespace(_files_by_session_and_coord=files),
        _session_mgr=SimpleNamespace(list_active_sessions=lambda: sessions),
    )
    monkeypatch.setattr(door.runtime, "exists", lambda: True)
    monkeypatch.setattr(door.runtime, "get_instance", lambda: served)
    got = {one: ask(APP, f"/media/file-{one}.xlsx", headers=held(tokens, name)).status for one in ACCOUNTS}
    assert got == {one: 200 if one == name else 404 for one in ACCOUNTS}


@EVERYBODY
def test_a_websocket_takes_a_session_up_for_the_same_account_only(
    county: County, tokens: dict[str, str], name: str
) -> None:
    """Streamlit compares the mark; it differs between any two accounts, and nobody can bring their own."""
    marks = {one: mark(tokens, one, forged=mark(tokens, name)) for one in ACCOUNTS}
    assert [one for one, mark in marks.items() if mark == marks[name]] == [name]
    assert ask(APP, "/_stcore/stream", kind="websocket", headers={"cookie": f"{COOKIE}=x"}).status == 403


def mark(tokens: dict[str, str], name: str, forged: str = "") -> str:
    heard: list[dict[str, object]] = []
    scope = {"type": "websocket", "path": "/_stcore/stream", "raw_path": b"/_stcore/stream", "root_path": "",
             "query_string": b"", "scheme": "ws", "http_version": "1.1", "server": ("127.0.0.1", 80),
             "client": ("192.168.1.7", 1), "subprotocols": [],
             "headers": [(b"cookie", f"{COOKIE}={tokens[name]}".encode()), (SEEN_AS, forged.encode())]}  # fmt: skip

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"} if not heard else {"type": "websocket.disconnect", "code": 1000}

    async def send(message: object) -> None:
        heard.append(dict(message))  # type: ignore[call-overload]

    asyncio.run(APP(scope, receive, send))
    return dict(heard[0]["headers"])[b"x-mark"].decode()  # type: ignore[call-overload, no-any-return]


def test_streamlit_is_told_of_the_mark_however_it_is_started() -> None:
    told = tomllib.loads((MAIN.parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["server"]
    for value in (CONFIG["server.trustedUserHeaders"], told["trustedUserHeaders"]):
        (header,) = json.loads(str(value))
        assert header.lower().encode() == SEEN_AS


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_nobody_uploads_without_signing_in(county: County, tokens: dict[str, str], method: str) -> None:
    assert ask(APP, "/_stcore/upload_file/a/b", method=method).status == 401
    assert ask(APP, "/_stcore/upload_file/a/b", method=method, headers=held(tokens, "team1")).status == 200


VISIT = {"visited_at": NOW, "outcome": "未发现", "evidence": "C"}


@EVERYBODY
@pytest.mark.parametrize("side", [0, 1])
def test_a_visit_is_recorded_on_own_ground_only(peopled: Path, tmp_path: Path, name: str, side: int) -> None:
    """Through the function the page and the command call; who has no right to record is told so, wherever."""
    role, grounds = ACCOUNTS[name]
    path = Path(shutil.copytree(peopled, tmp_path / "县"))
    own = open_county(path, actor(name))
    own_side = role in WHOLE or grounds[0] in (TOWNS[side], TEAMS[side])
    values = VISIT | {"team_id": TEAMS[side], "village_id": f"{TOWNS[side]}201"}
    if Action.RECORD in RIGHTS[role] and own_side:
        assert record_visit(own.store, values, now=NOW).entry is not None
    else:
        with pytest.raises(GeoError):
            record_visit(own.store, values, now=NOW)
        assert len(open_county(path).store.read("visits")) == 0


def administering(county: County) -> Iterator[tuple[str, object]]:
    now = NOW
    yield "add", lambda: add_account(county, "新", "county", [], PASSWORD, now=now)
    yield "role", lambda: change_role(county, "team1", "county", [], now=now)
    yield "password", lambda: change_password(county, "admin", PASSWORD, now=now)
    yield "lock", lambda: lock_account(county, "county", locked=True, now=now)
    yield "backup", lambda: back_up_county(county, now=now)


@EVERYBODY
def test_only_an_administrator_touches_accounts_and_backups(county: County, name: str) -> None:
    if ACCOUNTS[name][0] is Role.ADMIN:
        return
    opened = open_county(county.path, actor(name))
    for what, act in administering(opened):
        with pytest.raises(Denied) as refused:
            act()  # type: ignore[operator]
        assert refused.value.code == "not_allowed", what
    assert not (county.path / "backups").exists()


@EVERYBODY
def test_terrain_is_not_touched_by_who_may_not_import_it(county: County, name: str) -> None:
    """The grid is written before the ledger says so: the right must be asked for first."""
    if Action.LAYERS in RIGHTS[ACCOUNTS[name][0]]:
        return
    grid = county.path / "grids" / "elevation.tif"
    before = grid.read_bytes()
    with pytest.raises(Denied):
        import_terrain(open_county(county.path, actor(name)), [grid], [], now=NOW)
    assert grid.read_bytes() == before


def test_an_account_changes_its_own_password_knowing_the_present_one(peopled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(peopled, tmp_path / "县"))
    opened, now = open_county(path, actor("team1")), datetime.now(UTC)
    with pytest.raises(Denied) as refused:
        change_own_password(opened, "not it", "another long one", now=now)
    assert refused.value.code == "password_wrong"
    change_own_password(opened, PASSWORD, "another long one", now=now)
    assert sign_in(opened, "team1", "another long one", now=now, address="")
    with pytest.raises(Denied):
        sign_in(opened, "team1", PASSWORD, now=now, address="")


def test_wrong_present_passwords_shut_the_account_like_those_at_the_door(peopled: Path, tmp_path: Path) -> None:
    path = Path(shutil.copytree(peopled, tmp_path / "县"))
    opened, now = open_county(path, actor("team2")), datetime.now(UTC)
    codes = []
    for _ in range(opened.settings.access.failures_n + 1):
        with pytest.raises(Denied) as refused:
            change_own_password(opened, "not it", "another long one", now=now)
        codes.append(refused.value.code)
    assert codes[-2:] == ["password_wrong", "sign_in_shut"]


def test_nothing_of_the_matrix_is_open_to_nobody(county: County) -> None:
    x, y = tile_of(county_frame_of_two(), 13)
    addresses = [f"/{page}" for page in OPENED] + [f"/geo/layers/{layer}.geojson" for layer in LAYERS]
    for address in [*addresses, f"/geo/tiles/pod/13/{x}/{y}.png", "/media/a.bin", "/geo/shell.js"]:
        answer = ask(APP, address, headers={"accept": "text/html", SEEN_AS.decode(): "x"})
        assert answer.status == 303, address
        assert answer.headers["location"].startswith(LOGIN)
    assert door.OPEN == (LOGIN, "/_stcore/health")
