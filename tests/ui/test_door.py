"""The door over HTTP: pages, tiles, layers, downloads and the websocket, for every role and for nobody."""

import io
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import geopandas as gpd
import numpy as np
import pytest
import shapely
from asking import Answer, ask
from PIL import Image
from shapely.geometry import Point
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket
from ui_county import EPSG, SOUTH, WEST, county_frame_of_two, tile_of

from geo.ledger import Entry
from geo.store import Change, read_settings, write_settings
from geo.ui.door import COOKIE, LOGIN, LOGOUT
from geo.ui.routes import LAYERS, MIDDLEWARE, ROUTES
from geo.workspace.accounts import add_account, lock_account, sign_in
from geo.workspace.county import County, open_county
from geo.workspace.rights import Role

NOW = datetime(2026, 3, 18, 1, tzinfo=UTC)
PASSWORD = "一个够长的密码-第 1"
TOWNS = ("520000001", "520000002")


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the app")


async def stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.close()


BEHIND: list[BaseRoute] = [Route("/", page), Route("/committee", page), Route("/_stcore/health", page),
                           Route("/_stcore/upload_file/{rest:path}", page, methods=["PUT"]),
                           Route("/media/{name}", page), WebSocketRoute("/_stcore/stream", stream)]  # fmt: skip
APP = Starlette(routes=[*ROUTES, *BEHIND], middleware=MIDDLEWARE)
ADDRESSES = ("/", "/committee", "/geo/tiles/pod/3/1/1.png", "/geo/layers/townships.geojson", "/media/a.bin",
             "/geo/assets/leaflet/dist/leaflet.js", "/_stcore/upload_file/a/b", "/app/static/x", "/_stcore/metrics",
             "//geo/login", "/geo/login/", "/geo/login/../layers/parcels.geojson")  # fmt: skip


@pytest.fixture(scope="module")
def peopled(two_townships: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two townships, with an account for every role: 甲 for the first township, 乙 for the second."""
    path = Path(shutil.copytree(two_townships, tmp_path_factory.mktemp("door") / "县 甲"))
    settings = read_settings(path)  # a parcel lies 500 m from the edge: here it is beyond the strip
    write_settings(path, replace(settings, borders=replace(settings.borders, strip_m=400.0)))
    opened = open_county(path)
    third = opened.store.read("parcels", ["P1"]).assign(parcel_id="P3")
    third = gpd.GeoDataFrame(third).set_geometry([Point(WEST + 730, SOUTH + 610)], crs=EPSG)
    opened.store.append(Entry("import", {"layer": "parcels"}), Change("parcels", third), now=NOW)
    add_account(opened, "admin", "admin", [], PASSWORD, now=NOW)
    for role in ("county", "committee", "auditor"):
        add_account(opened, role, role, [], PASSWORD, now=NOW)
    for n, name in enumerate(("甲", "乙")):
        add_account(opened, name, "township", [TOWNS[n]], PASSWORD, now=NOW)
    add_account(opened, "police", "police", list(TOWNS), PASSWORD, now=NOW)
    add_account(opened, "member", "member", [TOWNS[1]], PASSWORD, now=NOW)
    return path


@pytest.fixture
def county(peopled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> County:
    """A copy of it as the one this process serves."""
    path = Path(shutil.copytree(peopled, tmp_path / "县 乙"))
    monkeypatch.setenv("TACHA_COUNTY", str(path))
    return open_county(path)


def cookie(county: County, name: str) -> dict[str, str]:
    token = sign_in(county, name, PASSWORD, now=datetime.now(UTC), address="test")
    return {"cookie": f"other=1; {COOKIE}={token}", "host": "map.county:8501"}


def log_in(name: str, password: str, *, wanted: str = "/", **headers: str) -> Answer:
    body = urlencode({"name": name, "password": password, "next": wanted}).encode()
    return ask(APP, LOGIN, method="POST", body=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


@pytest.mark.parametrize("address", ADDRESSES)
def test_nobody_gets_anything_but_the_login_page(county: County, address: str) -> None:
    for headers in ({}, {"cookie": f"{COOKIE}=made-up"}, {"accept": "text/html"}, {"x-remote-user": "admin"}):
        answer = ask(APP, address, headers=headers)
        assert answer.status in (303, 401)
        assert answer.headers.get("location", LOGIN).startswith(LOGIN)
        assert answer.body in (b"", b"401")


def test_nobody_opens_the_websocket(county: County) -> None:
    assert ask(APP, "/_stcore/stream", kind="websocket").status == 403
    assert ask(APP, "/_stcore/stream", kind="websocket", headers=cookie(county, "甲")).status == 101


def test_a_browser_is_sent_to_the_login_page_and_comes_back_to_what_it_wanted(county: County) -> None:
    sent = ask(APP, "/committee", headers={"accept": "text/html,*/*"})
    assert (sent.status, sent.headers["location"]) == (303, f"{LOGIN}?next=/committee")
    form = ask(APP, sent.headers["location"])
    assert 'name="next" value="/committee"' in form.body.decode()
    done = log_in("甲", PASSWORD, wanted="/committee")
    assert (done.status, done.headers["location"]) == (303, "/committee")
    token = done.headers["set-cookie"].split(";")[0]
    assert ask(APP, "/committee", headers={"cookie": token}).status == 200


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(county: County) -> None:
    parts = {part.strip().lower() for part in log_in("甲", PASSWORD).headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= parts


@pytest.mark.parametrize("wanted", ["//elsewhere", "https://elsewhere", "/\\elsewhere", "/a\r\nx: y", ""])
def test_signing_in_leads_nowhere_else(county: County, wanted: str) -> None:
    assert log_in("甲", PASSWORD, wanted=wanted).headers["location"] == "/"


@pytest.mark.parametrize("name", ["甲", "nobody", '"><script>alert(1)</script>'])
def test_a_wrong_password_is_refused_in_a_sentence_without_echo(county: County, name: str) -> None:
    answer = log_in(name, "wrong")
    assert answer.status == 401
    assert "账户或密码不对" in answer.body.decode()
    assert "set-cookie" not in answer.headers
    assert "alert(1)" not in answer.body.decode()


def test_another_site_can_neither_sign_somebody_in_nor_out(county: County) -> None:
    for headers in ({"sec_fetch_site": "cross-site"}, {"origin": "https://elsewhere", "host": "map.county"}):
        assert log_in("甲", PASSWORD, **headers).status == 403
    held = cookie(county, "甲")
    ask(APP, LOGOUT, headers=held | {"sec-fetch-site": "cross-site"})
    assert ask(APP, "/", headers=held).status == 200
    ask(APP, LOGOUT, headers=held | {"sec-fetch-site": "same-origin"})
    assert ask(APP, "/", headers=held).status == 401


def test_a_form_too_long_to_be_one_is_refused(county: County) -> None:
    assert log_in("甲", PASSWORD + "x" * 20_000).status == 401


def test_a_locked_account_is_out_at_once(county: County) -> None:
    held = cookie(county, "甲")
    assert ask(APP, "/", headers=held).status == 200
    lock_account(county, "甲", locked=True, now=NOW)
    assert ask(APP, "/", headers=held).status == 401
    assert ask(APP, "/_stcore/stream", kind="websocket", headers=held).status == 403


def features(county: County, name: str, layer: str) -> list[dict[str, object]]:
    answer = ask(APP, f"/geo/layers/{layer}.geojson", headers=cookie(county, name))
    assert answer.status == 200, (name, layer)
    listed: list[dict[str, object]] = json.loads(answer.body)["features"]
    return listed


SEEN = {  # account: parcels, finds and blind spots aside, rows of (parcels, tracks, townships) by direct address
    "admin": (3, 1, 2),
    "county": (3, 1, 2),
    "committee": (3, 1, 2),
    "auditor": (3, 1, 2),
    "甲": (2, 1, 2),
    "乙": (1, 0, 2),
    "police": (3, 1, 2),
    "member": (1, 0, 2),
}


@pytest.mark.parametrize("name", SEEN)
def test_a_layer_asked_for_by_its_address_holds_ones_own_ground_only(county: County, name: str) -> None:
    got = tuple(len(features(county, name, layer)) for layer in ("parcels", "tracks", "townships"))
    assert got == SEEN[name]


def test_a_second_account_is_never_shown_what_was_kept_for_the_first(county: County) -> None:
    """The kept answers are asked for in both orders."""
    for first, second in (("甲", "乙"), ("乙", "甲"), ("admin", "乙")):
        mine, others = (str(features(county, name, "parcels")) for name in (first, second))
        assert mine != others


def test_the_committee_gets_parcels_by_the_square_and_the_county_by_the_metre(county: County) -> None:
    exact, told = (shapely.from_geojson(json.dumps(features(county, name, "parcels")[2]["geometry"]))
                   for name in ("county", "committee"))  # fmt: skip
    assert shapely.distance(exact, told) > 0.001


@pytest.mark.parametrize(("name", "drawn"), [("admin", True), ("甲", True), ("乙", False)])
def test_a_tile_of_detection_shows_ones_own_ground_only(county: County, name: str, drawn: bool) -> None:
    """The made grid holds values in the western half only, which is the first township."""
    x, y = tile_of(county_frame_of_two(), 13)
    answer = ask(APP, f"/geo/tiles/pod/13/{x}/{y}.png", headers=cookie(county, name))
    inked = np.asarray(Image.open(io.BytesIO(answer.body)).convert("RGBA"))[..., 3] > 0
    assert (answer.status, bool(inked.any())) == (200, drawn)


def test_a_browser_keeps_no_answer_for_the_next_account(county: County) -> None:
    answer = ask(APP, "/geo/layers/parcels.geojson", headers=cookie(county, "甲"))
    assert "private" in answer.headers["cache-control"]
    assert "cookie" in answer.headers["vary"].lower()
    assert ask(APP, LOGOUT, headers=cookie(county, "甲")).headers["clear-site-data"] == '"cache"'


@pytest.mark.parametrize("layer", LAYERS)
def test_every_layer_opens_for_every_account_or_is_empty(county: County, layer: str) -> None:
    for name in SEEN:
        assert ask(APP, f"/geo/layers/{layer}.geojson", headers=cookie(county, name)).status == 200


def test_a_download_of_nobodys_session_is_not_found(county: County) -> None:
    """Streamlit itself hands a download to whoever knows its address."""
    assert ask(APP, "/media/0123456789abcdef.bin", headers=cookie(county, "甲")).status == 404


def test_a_desktop_serves_its_own_machine_under_its_own_name_only(served: Path) -> None:
    assert ask(APP, "/").status == 200
    assert ask(APP, "/", headers={"host": "127.0.0.1:8501"}).status == 200
    assert ask(APP, "/", headers={"host": "[::1]:8501"}).status == 200
    assert ask(APP, "/", headers={"host": "elsewhere.example"}).status == 403
    assert ask(APP, "/", client="192.168.1.7").status == 403
    assert ask(APP, "/_stcore/stream", kind="websocket", client="192.168.1.7").status == 403


@pytest.fixture
def behind_proxy(county: County) -> County:
    settings = read_settings(county.path)
    write_settings(county.path, replace(settings, access=replace(settings.access, trusted_header="X-Remote-User")))
    return county


def test_a_proxy_on_this_machine_names_the_account_and_nobody_else_can(behind_proxy: County) -> None:
    named = {"x-remote-user": "member"}
    assert len(json.loads(ask(APP, "/geo/layers/parcels.geojson", headers=named).body)["features"]) == 1
    assert ask(APP, "/", headers=named, client="192.168.1.7").status == 403
    assert ask(APP, "/", headers={"x-remote-user": "nobody"}).status == 403
    assert ask(APP, "/", headers=[("x-remote-user", "member"), ("x-remote-user", "admin")]).status == 403
    assert ask(APP, "/", headers=cookie(behind_proxy, "admin")).status == 403
    assert ask(APP, "/_stcore/stream", kind="websocket", headers=named).status == 101


def test_broken_settings_open_nothing(county: County) -> None:
    (county.path / "county.toml").write_bytes(b"\xff")
    answer = ask(APP, "/", headers={"accept": "text/html"})
    assert answer.status == 503
    assert str(county.path) not in answer.body.decode()


def test_every_role_has_an_account_in_these_tests_or_sees_no_map() -> None:
    assert set(Role) - {*SEEN, Role.TOWNSHIP} == {Role.TEAM}
