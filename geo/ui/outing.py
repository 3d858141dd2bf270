"""A team's day on a phone: the card, three big buttons, the stops with a tap each, and what the walk was worth."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import streamlit as st

from geo.errors import GeoError
from geo.locale import place as place_text
from geo.locale import short_day
from geo.season import CHINA
from geo.ui import state
from geo.ui.find_form import find_form
from geo.words import WORDS
from geo.workspace.county import County
from geo.workspace.debriefing import shown_shares
from geo.workspace.importing import FileReport
from geo.workspace.outings import NOTHING, Outing, Walk, outing_files, outing_sheet, outings_of, record_look

GPX, KML, PDF = "application/gpx+xml", "application/vnd.google-earth.kml+xml", "application/pdf"
SIGNS = {"发现": "★", "未发现": "✓", "核查排除": "✓", "无法到达": "⊘"}


@state.kept(entries=16, shared=True)
def outings(path: Path, head: str, team: str) -> list[Outing]:
    """The team's routes at one state of the ledger."""
    return outings_of(state.county(), team)


@state.kept(entries=16)
def _files(path: Path, head: str, team: str, day: str) -> dict[str, bytes]:
    chosen = next(one for one in outings(path, head, team) if one.route["day"] == day)
    return outing_files(state.county(), chosen)


def assignment(county: County, team: str) -> None:
    """The team's route of the latest day (or the one chosen): card, files, stops."""
    path, head = county.path, state.head_of(county)
    held = outings(path, head, team)
    if not held:
        st.info(state.word("ui_no_route"))
        return
    days = [one.route["day"] for one in held]
    day = days[0] if len(days) == 1 else st.segmented_control(
        state.word("ui_day"), days[:5], default=days[0], key=f"day_{team}",
        format_func=lambda one: short_day(date.fromisoformat(one), state.language()),
    )  # fmt: skip
    chosen = held[days.index(day or days[0])]
    _card(chosen)
    _take(county, _files(path, head, team, chosen.route["day"]), chosen)
    _stops(county, chosen)


def _card(outing: Outing) -> None:
    route = outing.route
    hours = (route["walked_s"] + route["service_s"]) / 3600.0
    done = int(outing.stops["done"].notna().sum())
    with st.container(border=True):
        st.markdown(state.word("ui_card_day", day=date.fromisoformat(route["day"])))
        st.markdown(state.word("ui_card_line", km=f"{route['length_m'] / 1000:.1f}", hours=f"{hours:.1f}",
                               n=len(outing.stops), done=done))  # fmt: skip


def _take(county: County, files: dict[str, bytes], outing: Outing) -> None:
    """Track, waypoints and sheet as big buttons; the rest in a fold."""
    first = [name for name in files if name.endswith("-track.gpx")]
    second = [name for name in files if name.endswith("-route.gpx")]
    for name, code in [*((one, "ui_take_trk") for one in first), *((one, "ui_take_rte") for one in second)]:
        st.download_button(state.word(code), files[name], Path(name).name, GPX, on_click="ignore", width="stretch",
                           type="primary", key=name)  # fmt: skip
    if county.has_terrain():
        name = f"{outing.route['route_id']}.pdf"
        st.download_button(state.word("ui_take_pdf"), lambda: outing_sheet(county, outing), name, PDF,
                           on_click="ignore", width="stretch", type="primary", key=name)  # fmt: skip
    with st.expander(state.word("ui_take_more")):
        for name in [one for one in files if one not in (*first, *second)]:
            mime = KML if name.endswith(".kml") else "application/geo+json"
            st.download_button(state.word("ui_take_kml") if mime == KML else "GeoJSON", files[name], Path(name).name,
                               mime, on_click="ignore", width="stretch", key=name)  # fmt: skip


def _stops(county: County, outing: Outing) -> None:
    """Every stop with what was said of it; two taps record 没有 or open the find form."""
    st.markdown(f"**{state.word('ui_stops_head')}**")
    for row in outing.stops.to_dict("records"):
        stop = {str(name): value for name, value in row.items()}
        title = f"{stop['order_n']} {_kind(stop)} {str(stop['name']).split(' ', 1)[-1]}"
        place = place_text(stop["longitude"], stop["latitude"], state.language())
        if isinstance(stop["done"], str):
            st.markdown(_said(stop, title))
            continue
        line = st.container(horizontal=True, vertical_alignment="center", key=f"stop_{stop['stop_id']}")
        line.markdown(f"○ **{state.plain(title)}**  \n{place}", width="stretch")
        if line.button(state.word("ui_looked_nothing"), key=f"none_{stop['stop_id']}"):
            _look(county, outing, stop)
        if line.button(state.word("ui_looked_found"), key=f"found_{stop['stop_id']}", type="primary"):
            found(county, {"team_id": outing.route["team_id"]} | stop, _moment(outing))
    if st.button(state.word("ui_found_elsewhere"), width="stretch", key="found_elsewhere"):
        found(county, {"team_id": outing.route["team_id"]}, _moment(outing))


def _kind(stop: dict[str, Any]) -> str:
    code = f"ui_stop_{stop['kind']}"
    return state.word(code) if code in WORDS else ""


def _said(stop: dict[str, Any], title: str) -> str:
    said = state.word(f"ui_choice_{stop['done']}")
    return f"{SIGNS[stop['done']]} {state.plain(title)} · **{said}**"


def _moment(outing: Outing) -> datetime:
    """When a find on this route was likely made: on its day, and not later than now."""
    noon = datetime.combine(datetime.fromisoformat(outing.route["day"]).date(), time(12), CHINA)
    return min(noon, datetime.now(UTC))


def _look(county: County, outing: Outing, stop: dict[str, Any]) -> None:
    try:
        done = record_look(county, outing, stop, NOTHING, now=datetime.now(UTC))
    except GeoError as error:
        state.sorry(error)
        return
    st.session_state["team_said"] = state.word("ui_step_saved", id=done.id)
    st.rerun()


def found(county: County, known: dict[str, Any], moment: datetime) -> None:
    """The find form in a dialog over the page."""

    @st.dialog(state.word("ui_find_head"))
    def asked() -> None:
        if known.get("longitude"):
            where = place_text(known["longitude"], known["latitude"], state.language())
            st.caption(f"{state.plain(str(known['name']).split(' ', 1)[-1])} · {where}")
        done = find_form(county, known, key="found", moment=moment)
        if done is not None:
            st.session_state["team_said"] = state.word("ui_find_saved", id=done.id, status=_status(done.parcel_status))
            st.rerun()

    asked()


def _status(status: str | None) -> str:
    return state.word(f"ui_status_{status}") if status else ""


def verdict(walk: Walk, reports: Iterable[FileReport]) -> None:
    """One card: how far, how long, how much of the planned ground was seen, what was missed, gaps, datum."""
    seen = walk.seen_share
    parts = [
        state.word("ui_walk_km", km=f"{walk.length_m / 1000:.1f}"),
        state.word("ui_walk_time", hours=f"{int(walk.hours)}:{round(walk.hours % 1 * 60) % 60:02d}"),
        state.word("ui_walk_seen", share=f"{100 * seen:.0f}") if seen is not None else state.word("ui_walk_unplanned"),
        state.word("ui_walk_missed", n=len(walk.missed)) if walk.planned else "",
    ]
    with st.container(border=True, key="verdict"):
        st.markdown("#### " + " · ".join(one for one in parts if one))
        for row in walk.planned:
            st.markdown(state.word("ui_walk_why", **shown_shares(row)))
        if walk.missed:
            st.markdown(state.word("ui_walk_stops", names=state.plain("、".join(walk.missed[:8]))))
        if walk.gaps_n:
            st.warning(state.word("ui_walk_gaps", n=walk.gaps_n, minutes=f"{walk.longest_gap_min:.0f}"))
        if walk.vehicle_m:
            st.warning(state.word("ui_walk_vehicle", km=f"{walk.vehicle_m / 1000:.1f}"))
        for one in reports:
            asked = "ui_walk_datum_asked" if one.needs_datum or one.warnings else "ui_walk_datum"
            st.caption(state.word(asked, datum=state.datum(one.datum) or "–", file=state.plain(one.file)))
