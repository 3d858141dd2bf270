"""The patrol team's page, for a phone: today's route as a file, the walked track back in, a verdict at once."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import streamlit as st

from geo.formats import Hints
from geo.ui import state
from geo.workspace.county import County
from geo.workspace.importing import FileReport, import_files
from geo.workspace.planning import export_routes, kept_routes

TRACK_KINDS = ["gpx", "kml", "kmz", "ovkml", "ovjsn", "csv", "geojson", "json", "zip"]


def page() -> None:
    """Choose the team, take its route, see its stops, hand in its track."""
    county = state.county()
    teams = state.choices(county.path, state.head_of(county), "teams")
    if not teams:
        st.info(state.word("ui_no_teams"))
        return
    with_route = set(kept_routes(county)[0]["team_id"])
    ordered = sorted(teams, key=lambda team: (team not in with_route, teams[team]))
    team = st.selectbox(state.word("ui_team"), ordered, format_func=teams.__getitem__, key="my_team")
    _assignment(county, team)
    _hand_in(county, team)
    state.foot(county.as_of(), state.head_of(county))


def _assignment(county: County, team: str) -> None:
    """The team's routes, newest day first: big buttons, then the stops in order."""
    routes, stops = kept_routes(county)
    own = routes[routes["team_id"] == team].sort_values("day", ascending=False)
    if own.empty:
        st.info(state.word("ui_no_route"))
        return
    route = own.iloc[0]
    walk = state.word("ui_card", km=f"{route['length_m'] / 1000:.1f}", n=int(route["stops_n"]))
    st.subheader(f"{route['day']} · {walk}", anchor=False)
    for kind, mime in (("gpx", "application/gpx+xml"), ("kml", "application/vnd.google-earth.kml+xml")):
        for name, content in export_routes(county, kind, day=route["day"], team_id=team).items():
            st.download_button(
                state.word(_kind_of(name)), content, Path(name).name, mime, on_click="ignore", width="stretch", key=name
            )
    listed = stops[stops["route_id"] == route["route_id"]].sort_values("order_n")
    places = listed.geometry.to_crs(4326)
    table = {
        "": listed["order_n"],
        state.word("ui_plan_target"): [name.split(" ", 1)[-1] for name in listed["name"]],
        state.word("ui_place_at"): [f"{p.x:.5f}, {p.y:.5f}" for p in places],
    }
    st.dataframe(pd.DataFrame(table), hide_index=True)


def _kind_of(name: str) -> str:
    """What a route file is for, as the word on its button."""
    return "ui_take_kml" if name.endswith(".kml") else "ui_take_rte" if "-route." in name else "ui_take_trk"


def _hand_in(county: County, team: str) -> None:
    """Upload of what was walked; each file is answered at once with what was read and what was refused, and why."""
    with st.form("hand_in", clear_on_submit=True, border=True):
        given = st.file_uploader(state.word("ui_hand_in"), TRACK_KINDS, accept_multiple_files=True, max_upload_size=20)
        datum = st.selectbox(state.word("ui_datum"), ["", "wgs84", "cgcs2000", "gcj02", "bd09"], format_func=datum_name)
        sent = st.form_submit_button(state.word("ui_send"), type="primary", width="stretch")
    if not sent:
        return
    if not given:
        st.warning(state.word("ui_no_file"))
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, file in enumerate(given):
            path = Path(folder) / str(number) / Path(file.name).name
            path.parent.mkdir()
            path.write_bytes(file.getvalue())
            paths.append(path)
        hints = Hints(team_id=team, datum=datum or None)
        report = import_files(county, "tracks", paths, hints, now=datetime.now(UTC))
    for one in report.files:
        _verdict(one)


def datum_name(code: str) -> str:
    """What a datum is called; empty: the one the file declares."""
    return state.word(f"ui_datum_{code or 'declared'}")


def _verdict(report: FileReport) -> None:
    """One file in a card: green when everything was taken, amber when something was refused, red when nothing was."""
    box = st.success if report.accepted == report.read and report.read else st.warning if report.accepted else st.error
    box("\n\n".join(state.plain(line.strip()) for line in report.sentences(state.language())))
