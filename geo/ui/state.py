"""What the pages share: the open county, answers kept per state of its ledger, the language, the bottom line."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import streamlit as st

from geo.errors import GeoError
from geo.layers.finds import METHODS
from geo.season import CHINA
from geo.ui.routes import GRIDS, LAYERS, county_path, grid_time, version_of
from geo.words import WORDS, Language, explain, say
from geo.workspace.county import County, open_county
from geo.workspace.covering import BordersAnswer, CoverageAnswer, measure_borders, measure_coverage
from geo.workspace.effort import tracks_until
from geo.workspace.planning import export_routes, kept_routes
from geo.workspace.reporting import township_table

Bounds = tuple[float, float, float, float]
LISTED = ("townships", "grounds", "villages", "tracks", "parcels", "finds", "teams")


def language() -> Language:
    """The language chosen in this session; before anybody chooses, the browser's, and Chinese where it says none."""
    chosen = st.session_state.get("language") or st.context.locale or "zh"
    return "zh" if chosen.lower().startswith("zh") else "en"


def word(code: str, /, **fields: object) -> str:
    """The sentence of a code in the session's language."""
    return say(code, language(), **fields)


def kind(unit_kind: str) -> str:
    """What a kind of unit is called in the session's language."""
    return word(f"kind_{unit_kind}") if f"kind_{unit_kind}" in WORDS else unit_kind


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
        return open_county(path)
    except GeoError as error:
        sorry(error)
        st.info(word("ui_no_county"))
        st.stop()


def head_of(opened: County) -> str:
    """Hash of the ledger's last entry; empty in a new county."""
    head = opened.store.head()
    return head.hash if head else ""


@st.cache_data(max_entries=4, show_spinner=False)
def coverage(path: Path, head: str) -> CoverageAnswer:
    """The coverage figures at one state of the ledger."""
    return measure_coverage(open_county(path))


@st.cache_resource(max_entries=4, show_spinner=False)
def borders(path: Path, head: str) -> BordersAnswer:
    """Edges and blind spots at one state of the ledger; the store keeps them for the layer routes."""
    return measure_borders(open_county(path))


@st.cache_resource(max_entries=2, show_spinner=False)
def tracks(path: Path, head: str) -> gpd.GeoDataFrame:
    """The season's tracks at one state of the ledger, held for the clicks."""
    opened = open_county(path)
    return tracks_until(opened, opened.as_of())


@st.cache_data(max_entries=8, show_spinner=False)
def workbook(path: Path, head: str, spoken: Language) -> bytes:
    """The township table as XLSX at one state of the ledger."""
    return township_table(open_county(path), language=spoken)


@st.cache_data(max_entries=4, show_spinner=False)
def bounds(path: Path, head: str) -> Bounds:
    """West, south, east, north of the townships in degrees."""
    townships = gpd.GeoSeries(open_county(path).store.read("townships").geometry)
    west, south, east, north = (float(v) for v in townships.to_crs(4326).total_bounds)
    return west, south, east, north


@st.cache_data(max_entries=4, show_spinner=False)
def counts(path: Path, head: str) -> dict[str, int]:
    """Rows per layer the map or a form uses."""
    opened = open_county(path)
    held = {name: len(opened.store.read(name)) for name in LISTED}
    return held | {"routes": len(kept_routes(opened)[0])}


@st.cache_data(max_entries=4, show_spinner=False)
def choices(path: Path, head: str, layer: str) -> dict[str, str]:
    """Key -> name of a layer's rows, for lists to choose from."""
    table = open_county(path).store.read(layer)
    key = {"teams": "team_id", "parcels": "parcel_id", "villages": "village_id", "townships": "township_id"}[layer]
    names = table["source_id" if layer == "parcels" else "name"].fillna(table[key])
    return dict(zip(table[key], names, strict=True))


@st.cache_data(max_entries=8, show_spinner=False)
def open_finds(path: Path, head: str, *, standing: bool) -> dict[str, str]:
    """Key -> day, species and plants of the finds that still stand, or of those destroyed and not yet verified."""
    finds = open_county(path).store.read("finds")
    stands = (finds["fraction"] < 1.0) | (finds["method"] == METHODS[0])
    wanted = finds[stands if standing else ~stands & finds["verified_at"].isna()]
    days = wanted["found_at"].dt.tz_convert(CHINA).dt.strftime("%m-%d")
    parts = zip(wanted["find_id"], days, wanted["species"], wanted["plants_n"], strict=True)
    return {find_id: f"{day} {species} {plants_n} · {find_id}" for find_id, day, species, plants_n in parts}


@st.cache_data(max_entries=4, show_spinner=False)
def routes_zip(path: Path, head: str) -> bytes:
    """The planned routes as GPX files in one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in export_routes(open_county(path), "gpx").items():
            bundle.writestr(name, content)
    return packed.getvalue()


def layers_shown(path: Path, head: str, *, with_borders: bool) -> tuple[dict[str, str], dict[str, str]]:
    """Titles of the map layers there is something to show of, and the version of each, by layer name."""
    held = counts(path, head)
    present = [name for name, grid in GRIDS.items() if grid_time(path, grid)]
    present += [name for name in LAYERS if held.get(name) or (with_borders and name in ("borders", "blind_spots"))]
    return {n: word(f"ui_layer_{n}") for n in present}, {n: version_of(path, n, head) for n in present}


def foot(as_of: datetime, head: str) -> None:
    """The bottom line of every page: as of when, and the ledger's head."""
    at = f"{as_of.astimezone(CHINA):%Y-%m-%d %H:%M}"
    st.caption(word("ui_foot", at=at, head=f"{head[:8]}…{head[-4:]}" if head else "-"))
