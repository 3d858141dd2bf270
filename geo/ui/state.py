"""What the pages share: the open county, answers kept per state of its ledger, the language, the bottom line."""

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import wraps
from pathlib import Path
from threading import Lock
from typing import Any, ParamSpec, TypeVar

import geopandas as gpd
import streamlit as st

from geo.errors import GeoError
from geo.layers.finds import METHODS
from geo.locale import short_day
from geo.season import CHINA
from geo.ui.door import COOKIE, LOGIN, LOOPBACK, county_path, who
from geo.ui.features import MANY
from geo.ui.maps import intranet_given, layer_given
from geo.ui.routes import GRIDS, LAYERS, TILED, grid_time, opened, version_of
from geo.words import WORDS, Language, explain, say
from geo.workspace.areas import AreaFigures, area_figures
from geo.workspace.county import County
from geo.workspace.covering import (
    BordersAnswer,
    CoverageAnswer,
    kept_borders,
    measure_borders,
    measure_coverage,
)
from geo.workspace.effort import edges_and_strips, tracks_until
from geo.workspace.planning import export_routes, kept_routes
from geo.workspace.reporting import township_table
from geo.workspace.rights import DESKTOP, Actor

P = ParamSpec("P")
T = TypeVar("T")
Bounds = tuple[float, float, float, float]
VIEWS = 8
"""So many roles and grounds are kept side by side."""
_MEASURING = Lock()
"""Two threads that measure one county would write the same grids."""
DEGREES = {"EPSG:4326": "wgs84", "EPSG:4490": "cgcs2000"}
LISTED = ("townships", "grounds", "villages", "tracks", "parcels", "finds", "teams")


def language() -> Language:
    """The language chosen in this session or in the page's address; else the browser's, Chinese where it says none."""
    chosen = st.session_state.get("language") or st.query_params.get("lang") or st.context.locale or "zh"
    return "zh" if chosen.lower().startswith("zh") else "en"


def word(code: str, /, **fields: object) -> str:
    """The sentence of a code in the session's language."""
    return say(code, language(), **fields)


def kind(unit_kind: str) -> str:
    """What a kind of unit is called in the session's language."""
    return word(f"kind_{unit_kind}") if f"kind_{unit_kind}" in WORDS else unit_kind


def layer(name: str) -> str:
    """What a layer of the store is called in the session's language."""
    return word(f"ui_as_{name}") if f"ui_as_{name}" in WORDS else name


def datum(code: str | None) -> str | None:
    """What a datum is called, by its own code or that of its degrees; a projected system keeps its number."""
    known = DEGREES.get(str(code).upper(), str(code).lower())
    return word(f"ui_datum_{known}") if f"ui_datum_{known}" in WORDS else code


def clock(title: str) -> dict[str, Any]:
    """How a column of moments is drawn under its title: the office's time, as the session's language writes it."""
    shape = "YYYY年M月D日 HH:mm" if language() == "zh" else "D MMM YYYY, HH:mm"
    return {title: st.column_config.DatetimeColumn(format=shape, timezone=str(CHINA))}


def calendar(*titles: str) -> dict[str, Any]:
    """How columns of days are drawn under their titles, as the session's language writes them."""
    shape = "YYYY年M月D日" if language() == "zh" else "D MMM YYYY"
    return {title: st.column_config.DateColumn(format=shape) for title in titles}


def plain(text: object) -> str:
    r"""
    Text that Streamlit shows as it stands, markdown and all.

    >>> print(plain("*甲*"))
    \*甲\*
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", str(text))


def sorry(error: GeoError) -> None:
    """Say an error in the session's language."""
    st.error(plain(explain(error, language())))


def county() -> County:
    """The county this process serves; without one the page says how to get one, and stops."""
    path = county_path()
    if path is None:
        st.info(word("ui_no_county"))
        st.stop()
    try:
        return opened(path, actor())
    except GeoError as error:
        sorry(error)
        st.info(word("ui_no_county"))
        st.stop()


def actor() -> Actor:
    """Who looks at this page; whoever is no longer signed in is told so, and nothing more of the page runs."""
    path = county_path()
    if path is None:
        return DESKTOP
    headers = {name.lower(): value for name, value in st.context.headers.items()}
    address = st.context.ip_address  # None for this machine
    client = address if isinstance(address, str) else LOOPBACK[0]
    try:
        known = who(path, headers, st.context.cookies.get(COOKIE, ""), client)
    except GeoError as error:
        sorry(error)
        st.stop()
    if known is None:
        st.error(word("sign_in_ended"))
        st.markdown(f"[{word('sign_in_title')}]({LOGIN})")
        st.stop()
    return known


def kept(*, entries: int = 4, shared: bool = False) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """
    Keep answers as `st.cache_data` (`shared`: `st.cache_resource`) does, apart for every role and ground.

    All that pages keep goes through here: a plain cache would hand one account's answer to the next.
    """
    cache = st.cache_resource if shared else st.cache_data

    def decorated(work: Callable[P, T]) -> Callable[P, T]:
        name = f"{work.__module__}.{work.__qualname__}"

        def seen(view: str, name: str, *args: P.args, **blanks: P.kwargs) -> T:
            return work(*args, **blanks)

        seen.__module__, seen.__qualname__ = work.__module__, work.__qualname__
        held = cache(max_entries=entries * VIEWS, show_spinner=False)(seen)

        @wraps(work)
        def asked(*args: P.args, **blanks: P.kwargs) -> T:
            answer: T = held(actor().view, name, *args, **blanks)
            return answer

        return asked

    return decorated


def head_of(held: County) -> str:
    """Hash of the ledger's last entry; empty in a new county."""
    head = held.store.head()
    return head.hash if head else ""


@kept()
def coverage(path: Path, head: str) -> CoverageAnswer:
    """The coverage figures at one state of the ledger."""
    with _MEASURING:
        return measure_coverage(county())


@kept(shared=True)
def borders(path: Path, head: str) -> BordersAnswer:
    """Edges and blind spots at one state of the ledger; the store keeps them for the layer routes."""
    with _MEASURING:
        return measure_borders(county())


def borders_now(path: Path, head: str) -> BordersAnswer | None:
    """As `borders` where they stand measured; None where that is work, which belongs in a job."""
    file = path / "grids" / "borders.json"
    return _measured(path, head, file.stat().st_mtime_ns) if file.is_file() else None


@kept(shared=True)
def _measured(path: Path, head: str, written: int) -> BordersAnswer | None:
    return kept_borders(county())


def measured(path: Path, progress: Callable[[str, int, int], None]) -> None:
    """Measure coverage and edges of a county for everybody, one such work at a time: the job of a page."""
    with _MEASURING:
        measure_borders(opened(path), progress=progress)


@kept(shared=True)
def edges(path: Path, head: str) -> gpd.GeoDataFrame:
    """The jurisdiction edges at one state of the ledger."""
    return edges_and_strips(county().whole)[0]


@kept(entries=8)
def area(path: Path, head: str, outline: tuple[tuple[float, float], ...], hours: float) -> AreaFigures:
    """Figures of a drawn area at one state of the ledger."""
    return area_figures(county(), outline, hours=hours)


@kept(entries=2, shared=True)
def tracks(path: Path, head: str) -> gpd.GeoDataFrame:
    """The season's tracks at one state of the ledger, held for the clicks: what a place rests on is everybody's."""
    whole = county().whole
    return tracks_until(whole, whole.as_of())


@kept(entries=8)
def workbook(path: Path, head: str, spoken: Language) -> bytes:
    """The township table as XLSX at one state of the ledger."""
    return township_table(county(), language=spoken)


@kept()
def bounds(path: Path, head: str) -> Bounds:
    """West, south, east, north of the townships in degrees."""
    townships = gpd.GeoSeries(county().store.read("townships").geometry)
    west, south, east, north = (float(v) for v in townships.to_crs(4326).total_bounds)
    return west, south, east, north


@kept()
def counts(path: Path, head: str) -> dict[str, int]:
    """Rows per layer the map or a form uses."""
    held = county()
    return {name: held.store.count(name) for name in LISTED} | {"routes": len(kept_routes(held)[0])}


@kept()
def choices(path: Path, head: str, layer: str) -> dict[str, str]:
    """Key -> name of a layer's rows, for lists to choose from."""
    table = county().store.read(layer)
    key = {"teams": "team_id", "parcels": "parcel_id", "villages": "village_id", "townships": "township_id",
           "grounds": "ground_id"}[layer]  # fmt: skip
    names = table["source_id" if layer == "parcels" else "name"].fillna(table[key])
    return dict(zip(table[key], names, strict=True))


def open_finds(path: Path, head: str, *, standing: bool) -> dict[str, str]:
    """Key -> what it is called, of the finds that still stand, or of those destroyed and not yet verified."""
    return _open_finds(path, head, standing=standing, spoken=language())


@kept(entries=8)
def _open_finds(path: Path, head: str, *, standing: bool, spoken: Language) -> dict[str, str]:
    """Key -> day, species and plants of the finds that still stand, or of those destroyed and not yet verified."""
    finds = county().store.read("finds")
    stands = (finds["fraction"] < 1.0) | (finds["method"] == METHODS[0])
    wanted = finds[stands if standing else ~stands & finds["verified_at"].isna()]
    days = [short_day(moment, spoken) for moment in wanted["found_at"].dt.tz_convert(CHINA)]
    kinds = [say(f"ui_choice_{species}", spoken) for species in wanted["species"]]
    counts = [say("ui_plants", spoken, n=number) for number in wanted["plants_n"]]
    parts = zip(wanted["find_id"], days, kinds, counts, strict=True)
    return {find_id: f"{day} {kind} {plants} · {find_id}" for find_id, day, kind, plants in parts}


@kept()
def routes_zip(path: Path, head: str) -> bytes:
    """The planned routes as GPX files in one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in export_routes(county(), "gpx").items():
            bundle.writestr(name, content)
    return packed.getvalue()


@kept()
def as_of(path: Path, head: str) -> datetime:
    """Moment of the last record at one state of the ledger."""
    return county().as_of()


def layers_shown(path: Path, head: str, names: Sequence[str], *, with_borders: bool) -> list[dict[str, Any]]:
    """Of the named layers those there is something to show of, as the map's script is given them."""
    held = counts(path, head)
    present = [name for name, grid in GRIDS.items() if name in names and grid_time(path, grid)]
    present += [
        name
        for name in LAYERS
        if name in names and (held.get(name) or (with_borders and name in ("borders", "blind_spots")))
    ]
    view = hashlib.sha256(actor().view.encode()).hexdigest()[:6]
    url = county().settings.map.tiles_url
    under = [intranet_given(url, word("ui_layer_intranet"))] if url else []
    return under + [
        layer_given(
            name,
            word(f"ui_layer_{name}"),
            f"{version_of(path, name, head)}-{view}",
            language(),
            many=name in TILED and held.get(name, 0) > MANY,
        )
        for name in present
    ]


def foot(as_of: datetime, head: str) -> None:
    """The bottom line of every page: as of when, and the ledger's head."""
    st.caption(word("ui_foot", at=as_of, head=f"{head[:8]}…{head[-4:]}" if head else "-"))
