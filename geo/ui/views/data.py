"""Files in: drop them, see what each would bring and where it lies, answer what is unclear, then take them."""

import hashlib
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import streamlit as st

from geo.formats import Hints
from geo.formats.door import SHAPEFILE_PARTS
from geo.season import CHINA
from geo.ui import imports, jobs, state
from geo.ui.mapview import map_alone
from geo.ui.views.team import TRACK_KINDS, datum_name
from geo.workspace.county import County
from geo.workspace.importing import ImportReport, import_files, import_terrain
from geo.workspace.previewing import DROPPABLE, RASTERS, Place, Preview, Told, known_of, preview, recognise

JOB = "import"
TERRAIN = "terrain"
FEW = 4
"""Files that are each shown on a map of their own."""
FIRST = ("townships", "villages", "teams")
Asked = tuple[str, Path, Hints]
"""A layer, a file, and what the user said of it."""
KINDS = [*TRACK_KINDS, "shp", "dbf", "shx", "prj", "cpg", "gpkg", "xlsx", "txt", "tif", "tiff", "parquet"]


def page() -> None:
    """Drop zone, then one card per file; nothing changes before somebody takes it."""
    county = state.county()
    job = jobs.last(county.path, JOB)
    if job is not None and job.running:
        jobs.watch(county.path, JOB)
        return
    done = jobs.outcome(county.path, JOB)
    if done is not None:
        _taken(county, done)
    given = st.file_uploader(state.word("ui_drop"), KINDS, accept_multiple_files=True, max_upload_size=20)
    if not given:
        st.caption(state.word("ui_drop_hint"))
    asked: list[Asked] = []
    paths = _laid_down([(file.name, file.getvalue()) for file in given])
    overview, places = st.container(), []
    for path in paths:
        with st.container(border=True):
            taken, where = _card(county, path)
        asked += taken
        places.append(where)
        if len(paths) <= FEW and where:
            _places(county, where, key=f"seen_{path}")
    if len(paths) > FEW:  # one map for all of them: a page with a hundred maps never stops moving
        with overview:
            _places(county, tuple(place for where in places for place in where[:: 1 + len(paths) // FEW]), key="seen")
    above = overview if len(paths) > FEW else st.container()
    if len(asked) > 1 and above.button(state.word("ui_take_all", n=len(asked)), type="primary", width="stretch"):
        _take(county, asked)
    imports.history(county)
    state.foot(county.as_of(), state.head_of(county))


@state.kept(entries=64, shared=True)
def _folder(content: str) -> "tempfile.TemporaryDirectory[str]":
    """A folder for one file or the parts of one shapefile, gone with the cache."""
    return tempfile.TemporaryDirectory(prefix="tacha-")


def _laid_down(files: list[tuple[str, bytes]]) -> list[Path]:
    """
    The dropped files on disk, the parts of a shapefile side by side so that they find each other; its main file only.

    A file lies where it lay before, whatever else is dropped with it: what was read of it is not read again.
    """
    parts: dict[tuple[Path, int], list[tuple[str, bytes]]] = {}
    times: Counter[str] = Counter()  # two recorders may give two files one name: each is kept
    for name, body in files:
        plain = Path(name).name
        parts.setdefault((Path(plain).with_suffix(""), times[plain]), []).append((plain, body))
        times[plain] += 1
    laid = dict.fromkeys(path for group in parts.values() for path in _together(group))
    return sorted(laid, key=lambda path: path.name)


def _together(files: list[tuple[str, bytes]]) -> list[Path]:
    """Files of one stem in a folder of their own; without the parts of a shapefile that its main file stands for."""
    mark = hashlib.sha256(b"".join(hashlib.sha256(body).digest() + name.encode() for name, body in files)).hexdigest()
    folder = Path(_folder(mark).name)
    held = [folder / name for name, _ in files]
    for path, (_, body) in zip(held, files, strict=True):
        path.write_bytes(body)
    whole = any(path.suffix.lower() == ".shp" for path in held)
    return [path for path in held if not (whole and path.suffix.lower() in SHAPEFILE_PARTS)]


@state.kept(entries=64)
def _seen(county: Path, head: str, path: Path, hints: Hints) -> list[Preview]:
    return recognise(state.county(), path, hints, _told(county, head))


@state.kept(shared=True)
def _told(county: Path, head: str) -> dict[str, Told]:
    return {layer: known_of(state.county(), layer) for layer in DROPPABLE}


def _card(county: County, path: Path) -> tuple[list[Asked], tuple[Place, ...]]:
    """One file: as which layer, in which datum, how many taken and refused and why; what to take, and where it lies."""
    st.markdown(f"**{state.plain(path.name)}**")
    first, second, third = st.columns([2, 2, 1], vertical_alignment="bottom")
    raster = path.suffix.lower() in RASTERS
    datum = second.selectbox(
        state.word("ui_datum"), ["", "wgs84", "cgcs2000", "gcj02", "bd09"], format_func=datum_name, key=f"datum_{path}"
    )
    layers = [TERRAIN] if raster else list(DROPPABLE)
    found: list[Preview] = []
    today = datetime.now(CHINA).date()
    hints = Hints(datum=datum or None, latest=datetime.combine(today + timedelta(days=2), time(), CHINA))
    if not raster:
        head = state.head_of(county)
        with st.spinner(state.word("ui_reading")):
            found = likely = _seen(county.path, head, path, hints)
            holds = any(one.report.read or one.report.needs_datum for one in found)
            if holds and not any(one.report.accepted for one in found):  # what it is, before where and when
                all_told = replace(hints, datum=datum or "wgs84", date=today, timezone=county.settings.timezone)
                likely = _seen(county.path, head, path, all_told)
        layers = list(dict.fromkeys([*(one.layer for one in likely), *layers]))
    layer = first.selectbox(
        state.word("ui_as_layer"), layers, format_func=lambda one: state.word(f"ui_as_{one}"), key=f"layer_{path}"
    )
    chosen = next((one for one in found if one.layer == layer), None)
    if chosen is None and not raster:
        chosen = preview(county, layer, path, hints)
    if _refused_for(chosen, "date_missing"):
        hints = replace(hints, date=st.date_input(state.word("ui_list_day"), None, key=f"day_{path}"))
        chosen = preview(county, layer, path, hints)
    if _refused_for(chosen, "time_naive"):
        zone = county.settings.timezone
        if st.checkbox(state.word("ui_list_zone", zone=zone), key=f"zone_{path}"):
            hints = replace(hints, timezone=zone)
            chosen = preview(county, layer, path, hints)
    if chosen is not None:
        _verdict(chosen)
    takes = raster or (chosen is not None and chosen.report.accepted > 0)
    if third.button(state.word("ui_take_it"), type="primary", disabled=not takes, key=f"take_{path}", width="stretch"):
        _take(county, [(layer, path, hints)])
    return [(layer, path, hints)] if takes else [], chosen.places if chosen else ()


def _refused_for(seen: Preview | None, code: str) -> bool:
    return seen is not None and any(one.code == code for one in seen.report.refused)


def _verdict(seen: Preview) -> None:
    report = seen.report
    box = st.success if report.accepted == report.read and report.read else st.warning if report.accepted else st.error
    box("\n\n".join(state.plain(line.strip()) for line in report.sentences(state.language())))
    known = {"ui_datum": state.datum(report.datum), "ui_encoding": report.encoding, "ui_app": report.app}
    st.text(" · ".join(f"{state.word(code)}：{value}" for code, value in known.items() if value))
    if report.needs_datum:
        st.warning(state.word("ui_datum_question"))


def _places(county: County, places: tuple[Place, ...], *, key: str) -> None:
    """Where what was dropped lies; nothing where none of it has a place."""
    if places:
        east, north = zip(*places, strict=True)
        around = (min(east) - 0.01, min(north) - 0.01, max(east) + 0.01, max(north) + 0.01)
        over = ("townships",)
        map_alone(county.path, state.head_of(county), around, key=f"{key}_{around}", places=places, layers=over)


def _take(county: County, asked: list[Asked]) -> None:
    """Import what was chosen beside the page, ground before what lies on it; what is told alike of files at once."""
    chosen = sorted(asked, key=lambda one: FIRST.index(one[0]) if one[0] in FIRST else len(FIRST))
    groups: list[tuple[str, Hints, list[Path]]] = []
    for layer, path, hints in chosen:
        if not groups or groups[-1][:2] != (layer, hints):
            groups.append((layer, hints, []))
        groups[-1][2].append(path)

    def work(progress: jobs.Progress) -> list[ImportReport]:
        done = []
        for layer, hints, paths in groups:
            now = datetime.now(UTC)
            if layer == TERRAIN:
                done.append(import_terrain(county, paths, [], now=now, datum=hints.datum, progress=progress))
            else:
                done.append(import_files(county, layer, paths, hints, now=now, progress=progress))
        return done

    jobs.start(county.path, JOB, work)
    st.rerun()


def _taken(county: County, reports: list[ImportReport]) -> None:
    for one in (file for report in reports for file in report.files):
        box = st.success if one.accepted == one.read else st.warning if one.accepted else st.error
        box("\n\n".join(state.plain(line.strip()) for line in one.sentences(state.language())))
    if st.button(state.word("ui_well")):
        jobs.forget(county.path, JOB)
        st.rerun()
