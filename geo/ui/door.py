"""
The door of the app: who a request comes from, and nothing without that.

It stands before pages, tiles, layers, uploads, downloads and the websocket alike. A desktop without accounts serves its
own machine only; with accounts a session cookie, or a header of a proxy on this machine, says who somebody is.
"""

import hashlib
import html
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

from geo.errors import GeoError
from geo.settings import AccessSettings, Settings
from geo.store import read_settings
from geo.store.county_file import NAME
from geo.words import explain, say
from geo.workspace.accounts import accounts_on, actor_of_name, actor_of_token, sign_in, sign_out
from geo.workspace.county import open_county
from geo.workspace.rights import DESKTOP, Actor, Denied

COOKIE = "tacha"
LOGIN, LOGOUT = "/geo/login", "/geo/logout"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ACTOR = "tacha.actor"
SEEN_AS = b"x-tacha-seen-as"
"""Header that tells Streamlit whose a session is; whatever a browser sends under this name is dropped."""
OPEN = (LOGIN, "/_stcore/health")
FORM_BYTES = 8192
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"vary", b"cookie"),
)
_ONE_AT_A_TIME = anyio.Semaphore(1)


def county_path() -> Path | None:
    """Folder of the county this process serves, from ``TACHA_COUNTY``; None where it is not set."""
    named = os.environ.get("TACHA_COUNTY", "")
    return Path(named) if named else None


def who(path: Path, headers: Mapping[str, str], token: str, client: str | None) -> Actor | None:
    """
    Whose request this is; None for nobody we know.

    Parameters
    ----------
    client
        The address the request came from; a header is believed from this machine alone, and so is a desktop's user.
        Without accounts the name asked for must be this machine's too, or a page elsewhere could have sent the browser.
    """
    header = _access(path).trusted_header
    here = client in LOOPBACK
    if header:
        return actor_of_name(path, headers.get(header.lower(), "")) if here else None
    if accounts_on(path):
        return actor_of_token(path, token, now=datetime.now(UTC))
    return DESKTOP if here and _host(headers) in LOOPBACK else None


class Door:
    """Lets through what `who` knows, with the `Actor` in the scope; adds the security headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = county_path()
        if scope["type"] == "lifespan" or path is None:
            await self.app(scope, receive, _with_headers(send))
            return
        try:
            actor = await run_in_threadpool(_visitor, path, scope)
        except GeoError as broken:
            await PlainTextResponse(f"{explain(broken)}\n{explain(broken, 'en')}\n", 503)(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._talk(path, actor, scope, receive, send)
        elif scope["path"] in (LOGIN, LOGOUT):
            answer = await _login(path, scope, receive) if scope["path"] == LOGIN else await _logout(path, scope)
            await answer(scope, receive, _with_headers(send))
        elif scope["path"] in OPEN:
            await self.app(scope, receive, _with_headers(send))
        elif actor is None:
            await _turned_away(path, scope)(scope, receive, _with_headers(send))
        elif scope["path"].startswith("/media/") and not holds_file(path, actor, scope["path"]):
            await Response(status_code=404)(scope, receive, _with_headers(send))
        else:
            await self.app({**_known(scope, actor), ACTOR: actor}, receive, _with_headers(send))

    async def _talk(self, path: Path, actor: Actor | None, scope: Scope, receive: Receive, send: Send) -> None:
        """A websocket, for as long as its account is signed in as it was when it began."""

        async def checked() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and await run_in_threadpool(_visitor, path, scope) != actor:
                await send({"type": "websocket.close", "code": 1008})
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        if actor is None:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self.app(_known(scope, actor), checked, send)


def _known(scope: Scope, actor: Actor) -> Scope:
    """
    The request with a mark of whose it is, and none of its own.

    Streamlit lets a broken connection take its session up again by the session's number; with the mark it does so for
    the same account alone.
    """
    mark = hashlib.sha256(f"{actor.view}\n{actor.name}".encode()).hexdigest().encode()
    headers = [(name, value) for name, value in scope["headers"] if name.lower() != SEEN_AS]
    return {**scope, "headers": [*headers, (SEEN_AS, mark)]}


def holds_file(path: Path, actor: Actor, address: str) -> bool:
    """Whether a download was made in a session of this account, not in somebody else's who let its address slip."""
    if actor == DESKTOP:
        return True
    if not runtime.exists():
        return False
    served: Any = runtime.get_instance()
    name = address.removeprefix("/media/").split(".")[0]
    held = served.media_file_mgr._files_by_session_and_coord
    for one in served._session_mgr.list_active_sessions():
        known = one.client.client_context
        headers = {key.lower(): value for key, value in known.headers}
        theirs = who(path, headers, known.cookies.get(COOKIE, ""), known.remote_ip)
        if theirs == actor and name in [file.split(".")[0] for file in held.get(one.session.id, {}).values()]:
            return True
    return False


def token_in(cookies: str) -> str:
    """Our token in a Cookie header; empty where there is none."""
    try:
        held = SimpleCookie(cookies).get(COOKIE)
    except CookieError:
        return ""
    return held.value if held else ""


def _visitor(path: Path, scope: Scope) -> Actor | None:
    headers = Headers(scope=scope)
    client = scope.get("client")
    # A header sent twice is a forgery that a careless proxy passed on.
    plain = {name: headers.getlist(name)[0] if len(headers.getlist(name)) == 1 else "" for name in headers}
    return who(path, plain, token_in(headers.get("cookie", "")), client[0] if client else None)


def _access(path: Path) -> AccessSettings:
    return _settings(path).access


def _settings(path: Path) -> Settings:
    file = path / NAME
    return _read_settings(path, file.stat().st_mtime_ns) if file.is_file() else Settings()


@lru_cache(maxsize=8)
def _read_settings(path: Path, written: int) -> Settings:
    return read_settings(path)


def _policy() -> bytes:
    """The content policy, with the office network's tile server where the settings name one."""
    path = county_path()
    try:
        origin = _settings(path).map.origin if path is not None else ""
    except (GeoError, ValueError):
        origin = ""
    return POLICY.replace("img-src 'self'", f"img-src 'self' {origin}" if origin else "img-src 'self'").encode()


def _host(headers: Mapping[str, str]) -> str:
    """The name a request asks for, without its port; this machine's where it says none."""
    host = headers.get("host", LOOPBACK[0])
    return host[1:].split("]")[0] if host.startswith("[") else host.split(":")[0]


def _turned_away(path: Path, scope: Scope) -> Response:
    """To the login page for somebody who browses; a bare refusal for everything else."""
    if _access(path).trusted_header or not accounts_on(path):
        return PlainTextResponse("403", 403)
    if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        return RedirectResponse(f"{LOGIN}?next={quote(scope['path'])}", 303)
    return PlainTextResponse("401", 401)


async def _login(path: Path, scope: Scope, receive: Receive) -> Response:
    """The login form; posted, a session cookie and the page that was asked for."""
    if _access(path).trusted_header or not accounts_on(path):
        return RedirectResponse("/", 303)
    if scope["method"] == "GET":
        wanted = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("next", ["/"])[0]
        return _form(inside(wanted))
    if scope["method"] != "POST" or not _from_here(Headers(scope=scope)):
        return PlainTextResponse("403", 403)
    given = parse_qs((await _body(receive)).decode("utf-8", "replace"))
    name, password, wanted = (given.get(field, [""])[0] for field in ("name", "password", "next"))
    try:
        async with _ONE_AT_A_TIME:
            token = await run_in_threadpool(_signed_in, path, name, password, scope)
    except Denied as denied:
        return _form(inside(wanted), denied, status=401)
    answer = RedirectResponse(inside(wanted), 303)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=scope.get("scheme") == "https", path="/")
    return answer


def _signed_in(path: Path, name: str, password: str, scope: Scope) -> str:
    client = scope.get("client")
    return sign_in(open_county(path), name, password, now=datetime.now(UTC), address=client[0] if client else "")


async def _logout(path: Path, scope: Scope) -> Response:
    """The session ends when its own pages ask for it; a link from elsewhere cannot end it."""
    headers = Headers(scope=scope)
    if _from_here(headers):
        token = token_in(headers.get("cookie", ""))
        await run_in_threadpool(lambda: sign_out(path, token, now=datetime.now(UTC)))
    answer = RedirectResponse(LOGIN, 303)
    answer.delete_cookie(COOKIE, path="/")
    answer.headers["clear-site-data"] = '"cache"'
    return answer


def inside(wanted: str) -> str:
    r"""
    The address to go on to, if it is one of ours.

    >>> inside("/committee"), inside("//elsewhere"), inside("/\\elsewhere")
    ('/committee', '/', '/')
    """
    ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if ours else "/"


def _from_here(headers: Headers) -> bool:
    """Whether our own page sent this, as far as the browser says."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or origin.split("//")[-1] == headers.get("host")


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while len(body) <= FORM_BYTES:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body
    return b""


def _form(wanted: str, denied: Denied | None = None, *, status: int = 200) -> Response:
    """The login page: no script, both languages, readable by any browser."""
    both = {code: _both(f"sign_in_{code}") for code in ("title", "name", "password")}
    wrong = (
        f"<p role=alert>{html.escape(explain(denied))}<br>{html.escape(explain(denied, 'en'))}</p>" if denied else ""
    )
    page = f"""<!doctype html><html lang="zh"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(say("ui_title"))}</title>
<style>body{{font:16px/1.5 sans-serif;background:#f2f5f4;margin:0}}
form{{max-width:20rem;margin:12vh auto;padding:1.5rem 2rem;background:#fff;border:1px solid #c8d2cf}}
h1{{font-size:1.3rem;margin:0 0 1rem}}label{{display:block;margin:.8rem 0 .2rem}}
input{{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #666}}
button{{margin-top:1.2rem;width:100%;font:inherit;padding:.6rem;border:0;background:#08425a;color:#fff}}
p{{color:#8a1c00;margin:.6rem 0}}</style>
<form method="post" action="{LOGIN}"><h1>{html.escape(say("ui_title"))} · {both["title"]}</h1>{wrong}
<label for="name">{both["name"]}</label><input id="name" name="name" autocomplete="username" required autofocus>
<label for="password">{both["password"]}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input type="hidden" name="next" value="{html.escape(wanted)}"><button>{both["title"]}</button></form></html>"""
    return HTMLResponse(page, status, headers={"cache-control": "no-store"})


def _both(code: str) -> str:
    return html.escape(f"{say(code)} {say(code, 'en')}")


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours: Iterable[tuple[bytes, bytes]] = [*HEADERS, (b"content-security-policy", _policy())]
            message["headers"] = [*message.get("headers", []), *ours]
        await send(message)

    return guarded
