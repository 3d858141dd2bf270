"""The patrol team's page, for a phone: today's route as files, its stops at a tap, the walked track back in."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from geo.formats import Hints
from geo.ui import outing, photos, state
from geo.workspace.county import County
from geo.workspace.importing import FileReport, ImportReport, import_files
from geo.workspace.outings import walk_of
from geo.workspace.planning import kept_routes

TRACK_KINDS = ["gpx", "kml", "kmz", "ovkml", "ovjsn", "csv", "geojson", "json", "zip"]


def page() -> None:
    """Choose the team (a link may name it), take its route, say what the stops were, hand in its track."""
    county = state.county()
    teams = state.choices(county.path, state.head_of(county), "teams")
    if not teams:
        st.info(state.word("ui_no_teams"))
        return
    said = st.session_state.pop("team_said", None)
    if said:
        st.success(said)
    for line in st.session_state.pop("photos_said", []):
        st.info(state.plain(line))
    with_route = set(kept_routes(county)[0]["team_id"])
    ordered = sorted(teams, key=lambda team: (team not in with_route, teams[team]))
    named = st.query_params.get("team")
    first = ordered.index(named) if named in ordered else 0
    team = st.selectbox(state.word("ui_team"), ordered, first, format_func=teams.__getitem__, key="my_team")
    if team != named:
        st.query_params["team"] = team
    outing.assignment(county, team)
    _hand_in(county, team)
    state.foot(county.as_of(), state.head_of(county))


def _hand_in(county: County, team: str) -> None:
    """Upload of what was walked, answered at once: what it was worth, then what was read and refused, and why."""
    with st.form("hand_in", clear_on_submit=True, border=True):
        given = st.file_uploader(
            state.word("ui_hand_in"), [*TRACK_KINDS, *photos.KINDS], accept_multiple_files=True, max_upload_size=20
        )
        datum = st.selectbox(state.word("ui_datum"), ["", "wgs84", "cgcs2000", "gcj02", "bd09"], format_func=datum_name)
        sent = st.form_submit_button(state.word("ui_send"), type="primary", width="stretch")
    if sent and not given:
        st.warning(state.word("ui_no_file"))
    elif sent:
        before = set(county.store.read_where("tracks", "team_id", team)["track_id"])
        pictures = [file for file in given if Path(file.name).suffix.lower()[1:] in photos.KINDS]
        tracks = [(file.name, file.getvalue()) for file in given if file not in pictures]
        report = _imported(county, tracks, team, datum)
        after = county.store.read_where("tracks", "team_id", team)["track_id"]
        fresh = [one for one in after if one not in before]
        with st.spinner(state.word("ui_measuring")):
            walk = walk_of(county, team, fresh) if fresh else None
        st.session_state["photos_said"] = photos.take(county, pictures, {}, team, photos.SCENE)
        st.session_state["handed_in"] = team, walk, report
        st.rerun()
    whose, walk, report = st.session_state.get("handed_in", (None, None, None))
    if whose == team and report is not None:
        if walk is not None:
            outing.verdict(walk, report.files)
        for one in report.files:
            _verdict(one)


def _imported(county: County, files: list[tuple[str, bytes]], team: str, datum: str) -> ImportReport:
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, (name, content) in enumerate(files):
            path = Path(folder) / str(number) / Path(name).name
            path.parent.mkdir()
            path.write_bytes(content)
            paths.append(path)
        return import_files(county, "tracks", paths, Hints(team_id=team, datum=datum or None), now=datetime.now(UTC))


def datum_name(code: str) -> str:
    """What a datum is called; empty: the one the file declares."""
    return state.word(f"ui_datum_{code or 'declared'}")


def _verdict(report: FileReport) -> None:
    """One file in a card: green when everything was taken, amber when something was refused, red when nothing was."""
    box = st.success if report.accepted == report.read and report.read else st.warning if report.accepted else st.error
    box("\n\n".join(state.plain(line.strip()) for line in report.sentences(state.language())))
