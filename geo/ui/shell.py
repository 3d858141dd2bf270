"""
The page around the pages: Streamlit's own, with what it lacks put in before any of its scripts.

The language it is written in, one clear page for a browser too old for it or without scripts, and Streamlit's few own
words ("Upload", "No results") in the language the page speaks.
"""

import html
import json
import re
from functools import lru_cache
from pathlib import Path

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from geo.ui.door import ACTOR
from geo.words import WORDS, Language, say
from geo.workspace.rights import PAGES, Actor, may_open

FRAMEWORK = "framework_"
"""Codes of words that Streamlit itself says; the English is exactly its own."""
SCRIPT = Path(__file__).with_name("shell.js")
STATIC = Path(streamlit.__file__).parent / "static"
PARTS = (
    "Html", "StreamlitMarkdown", "ButtonGroup", "TextInput", "Selectbox", "ComponentInstance", "DataFrame", "Button",
)  # fmt: skip
"""Streamlit's scripts for what our pages show: fetched and run while it connects, not when each first shows."""
IMPORTED = re.compile(r'(?:from|import)\s*"\./([\w.$-]+\.js)"')
NEEDS = "Object.hasOwn && window.structuredClone && [].toSorted"
"""What Streamlit 1.67's scripts take for granted; browsers of spring 2023 and later have it."""


async def page(request: Request) -> Response:
    """The page every address of ours begins with; 403, in words, where it is not for whoever asks."""
    actor: Actor | None = request.scope.get(ACTOR)
    spoken = preferred(request.headers.get("accept-language", ""))
    address = request.url.path.strip("/")
    headers = {"cache-control": "no-cache", "vary": "accept-language"}
    if actor is not None and address and not may_open(actor, address):
        return HTMLResponse(_refusal(spoken), 403, headers=headers)
    return HTMLResponse(dressed(spoken), headers=headers)


async def script(request: Request) -> Response:
    """Streamlit's own words in both languages, and what puts them on the page."""
    return Response(_script(), media_type="text/javascript", headers={"cache-control": "no-cache"})


def preferred(accepted: str) -> Language:
    """
    The language of an Accept-Language header: Chinese unless English comes first.

    >>> preferred("en-GB,en;q=0.9,zh;q=0.8"), preferred("fr"), preferred("")
    ('en', 'zh', 'zh')
    """
    first = accepted.split(",")[0].strip().lower()
    return "en" if first.startswith("en") else "zh"


@lru_cache(maxsize=2)
def dressed(spoken: Language) -> str:
    """Streamlit's first page in a language, with our own parts before its scripts."""
    plain = (STATIC / "index.html").read_text("utf-8")
    lang = "zh-CN" if spoken == "zh" else "en"
    page = plain.replace('<html lang="en">', f'<html lang="{lang}">', 1)
    page = page.replace("<title>Streamlit</title>", f"<title>{html.escape(say('ui_title', spoken))}</title>", 1)
    page = page.replace("<head>", f"<head>{_HEAD}", 1).replace("</head>", f"{_ahead()}</head>", 1)
    return page.replace("<body>", f"<body>{_old(spoken)}", 1)


@lru_cache(maxsize=1)
def _ahead() -> str:
    """
    The links and scripts of `PARTS` and of all they import; a part this Streamlit does not have is left out.

    Otherwise the page adds some sixty links to itself while it draws, and draws every part twice.
    """
    scripts = STATIC / "static" / "js"
    parts = [file.name for part in PARTS for file in sorted(scripts.glob(f"{part}.*.js"))]
    known, open_ = set(parts), list(parts)
    while open_:
        text = (scripts / open_.pop()).read_text("utf-8")
        new = {name for name in IMPORTED.findall(text) if (scripts / name).is_file()} - known
        known |= new
        open_ += new
    sheets = [file.name for part in PARTS for file in sorted((STATIC / "static" / "css").glob(f"{part}.*.css"))]
    lines = [f'<link rel="stylesheet" crossorigin href="./static/css/{name}">' for name in sheets]
    lines += [f'<link rel="modulepreload" crossorigin href="./static/js/{name}">' for name in sorted(known)]
    lines += [f'<script type="module" crossorigin src="./static/js/{name}"></script>' for name in parts]
    return "".join(lines)


def _old(spoken: Language) -> str:
    """Hidden unless the browser is too old or runs no script; both languages, no script, no style sheet needed."""
    both: tuple[Language, Language] = ("zh", "en") if spoken == "zh" else ("en", "zh")
    parts = "".join(f"<p>{html.escape(say('ui_old_browser', one))}</p>" for one in both)
    return (
        '<div id="tacha-old" style="display:none;max-width:40em;margin:10% auto;font:18px/1.6 sans-serif">'
        f"{parts}</div>"
        "<noscript><style>#tacha-old{display:block!important}</style></noscript>"
        "<script>if(window.tachaOld){var old=document.getElementById('tacha-old');old.style.display='block';}</script>"
    )


def _refusal(spoken: Language) -> str:
    told, back = html.escape(say("ui_not_your_page", spoken)), html.escape(say("ui_back", spoken))
    lang = "zh-CN" if spoken == "zh" else "en"
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(say('ui_title', spoken))}</title>"
        '<body style="max-width:32em;margin:12vh auto;padding:0 1em;font:17px/1.6 sans-serif">'
        f'<p role="alert">{told}</p><p><a href="/">{back}</a></p></body></html>'
    )


@lru_cache(maxsize=1)
def _script() -> str:
    pairs = [WORDS[code] for code in WORDS if code.startswith(FRAMEWORK)]
    return SCRIPT.read_text("utf-8").replace("/*PAIRS*/[]", json.dumps(pairs, ensure_ascii=False), 1)


# An old browser stops here: what comes after cannot run in it. Written for the oldest of them.
_HEAD = (
    f"<script>if(!({NEEDS})){{window.tachaOld=true;"
    "document.documentElement.className='tacha-old';}</script>"
    "<style>.tacha-old #root{display:none}</style>"
    "<script>window.__streamlit={BACKEND_BASE_URL:location.origin+'/',"
    "HOST_CONFIG:{allowedOrigins:[location.origin],useExternalAuthToken:false}};</script>"
    '<script async src="/geo/shell.js"></script>'
)
ROUTES: list[BaseRoute] = [
    Route("/geo/shell.js", script),
    Route("/", page),
    *(Route(f"/{address}", page) for address in PAGES),
]
