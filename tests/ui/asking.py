"""Requests to an ASGI app without a server: what a browser sends, and what comes back."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case; the last of a name) and body."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(
    app: Any,
    url: str,
    *,
    method: str = "GET",
    headers: Headers | list[tuple[str, str]] = {},  # noqa: B006
    body: bytes = b"",
    client: str = "127.0.0.1",
    kind: str = "http",
) -> Answer:
    """One request; a websocket's handshake (`kind`) is answered 101 when taken and 403 when closed before."""
    path, _, query = url.partition("?")
    given = list(headers.items()) if isinstance(headers, Mapping) else headers
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given],
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "server": ("127.0.0.1", 80),
        "client": (client, 1),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if kind == "websocket":
            return {"type": "websocket.connect"} if not sent else {"type": "websocket.disconnect", "code": 1000}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(app(scope, receive, send))
    if kind == "websocket":
        return Answer(101 if sent[0]["type"] == "websocket.accept" else 403, {}, b"")
    plain = {key.decode().lower(): value.decode() for key, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], plain, b"".join(part.get("body", b"") for part in sent[1:]))
