"""责任底数: which ground is whose, nobody's first; posts assigned and ended, lists in and out, papers of a round."""

import tempfile
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.errors import GeoError
from geo.formats.bundle import zipped
from geo.layers.duties import DUTY_KINDS, TIERS, in_force
from geo.layers.townships import GROUND_KINDS
from geo.report.register_book import day_text, last_day
from geo.season import CHINA
from geo.ui import jobs, state
from geo.ui.cards import fitted, row_chosen
from geo.words import named
from geo.workspace.county import County
from geo.workspace.map_papers import joint_papers, map_papers
from geo.workspace.papers import form_papers, order_papers, progress_paper, register_paper
from geo.workspace.register import Register, responsibility_register
from geo.workspace.register_rows import MU_M2, add_unit, assign_post, edit_unit, end_post
from geo.workspace.register_sheets import import_register
from geo.workspace.rights import Action, may

JOB = "papers"
TABLE_PX = 460
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def page() -> None:
    """Counts, the units with their posts, what can be done with the one chosen, and the files."""
    county = state.county()
    head = state.head_of(county)
    above = st.container()  # always there: a line more or less above would fold the files, and what they say, away
    said = st.session_state.pop("register_said", None)
    if said:
        above.success(said)
    book = _book(county.path, head)
    _counts(book)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    wanted = left.text_input(state.word("ui_register_search"), placeholder=state.word("ui_register_hint")).strip()
    only = right.toggle(state.word("ui_nobody_only"), value=False)
    units = _wanted(book.units, wanted, only=only)
    st.caption(state.word("ui_units_shown", n=len(units), of=len(book.units)))
    picked = row_chosen(_rows(units), units["unit_id"].tolist(), "register_unit", fitted(len(units), TABLE_PX))
    if picked is not None:
        _unit(county, {str(k): v for k, v in units.iloc[picked].items()})
    else:
        st.caption(state.word("ui_choose_unit" if may(county.actor, Action.REGISTER) else "ui_choose_unit_seen"))
    _files(county)
    _papers(county, book)
    state.foot(book.as_of, head)


@state.kept(entries=2, shared=True)
def _book(path: Path, head: str) -> Register:
    return responsibility_register(state.county())


def _counts(book: Register) -> None:
    known = book.json()
    cards = st.container(horizontal=True)
    for code, value in (
        ("ui_units_n", known["units_n"]),
        ("ui_villages_n", known["villages_n"]),
        ("ui_placed_n", known["placed_n"]),
        ("ui_nobody_n", known["nobody_n"]),
    ):
        cards.metric(state.word(code), value, width=150)
    by_round = " · ".join(
        state.word("ui_round_nobody", round=number, n=n) for number, n in known["nobody_by_round"].items()
    )
    st.caption(state.word("ui_nobody_rounds", rounds=by_round))


def _wanted(units: pd.DataFrame, text: str, *, only: bool) -> pd.DataFrame:
    """The units that name what is searched, in kind, code, name or post."""
    held = units[units["nobody"]] if only else units
    if text:
        named = held[["unit_kind", "unit_id", "name", "posts"]].astype(object).fillna("").astype(str)
        held = held[named.apply(lambda column: column.str.contains(text, regex=False)).any(axis=1)]
    return held.reset_index(drop=True)


def _rows(units: pd.DataFrame) -> pd.DataFrame:
    nobody = state.word("ui_posts_none")
    columns: dict[str, Any] = {
        state.word("ui_unit_kind"): [state.kind(kind) for kind in units["unit_kind"]],
        state.word("ui_unit"): [named(name, state.language()) for name in units["name"].fillna(units["unit_id"])],
        state.word("ui_unit_id"): units["unit_id"],
        state.word("ui_posts"): units["posts"].fillna(nobody),
    }
    columns |= {state.word(f"ui_duty_{kind}"): units[kind] for kind in DUTY_KINDS}
    columns[state.word("ui_nobody_in")] = ["、".join(map(str, held)) for held in units["nobody_rounds"]]
    return pd.DataFrame(columns)


def _unit(county: County, unit: dict[str, Any]) -> None:
    """One unit: its posts in force, one more, one ended, those it had; its figures; a unit under it."""
    st.subheader(state.plain(unit["name"] or unit["unit_id"]), anchor=False)
    now = datetime.now(UTC)
    duties = county.store.read("duties")
    held = duties[duties["unit_id"] == unit["unit_id"]]
    own = in_force(held, county.as_of())
    if not may(county.actor, Action.REGISTER):
        if own.empty:
            st.info(state.word("ui_posts_none"))
        _history(held)
        return
    left, right = st.columns(2)
    with left, st.form(f"assign_{unit['unit_id']}_{len(held)}", border=True):
        kind = st.selectbox(state.word("ui_duty_kind"), DUTY_KINDS, format_func=lambda k: state.word(f"ui_duty_{k}"))
        tier = st.selectbox(
            state.word("ui_tier"),
            TIERS,
            index=None,
            placeholder="–",
            help=state.word("ui_tier_help"),
            format_func=lambda t: state.word(f"ui_tier_{t}"),
        )
        post = st.text_input(state.word("ui_post"), help=state.word("ui_post_help"))
        since = st.date_input(state.word("ui_since"), county.as_of().astimezone(CHINA).date())
        sent = st.form_submit_button(state.word("ui_assign_post"), type="primary")
    if sent and post.strip() and since:
        begin = datetime.combine(since, time(), CHINA)
        try:
            number, added = assign_post(
                county,
                unit["unit_id"],
                post,
                kind=kind,
                valid_from=begin,
                now=now,
                tier=tier if kind == "包保" else None,
            )
        except GeoError as error:
            state.sorry(error)
            return
        _said(state.word("ui_post_assigned" if added else "ui_already", id=number))
    elif sent:
        left.warning(state.word("ui_post_needed"))
    with right:
        if own.empty:
            st.info(state.word("ui_posts_none"))
        else:
            _end_form(county, own, now)
        _history(held)
    if unit["unit_kind"] != "enclave":
        left, right = st.columns(2)
        with left:
            _figures(county, unit, now)
        with right:
            _below(county, unit, now)


def _end_form(county: County, own: pd.DataFrame, now: datetime) -> None:
    with st.form("end", border=True):
        posts = zip(own["duty_id"], own["post"], own["duty_kind"], strict=True)
        named = {key: f"{post} · {state.word(f'ui_duty_{kind}')}" for key, post, kind in posts}
        ended = st.selectbox(state.word("ui_which_post"), list(named), format_func=named.__getitem__)
        until = st.date_input(state.word("ui_until"), county.as_of().astimezone(CHINA).date())
        sent = st.form_submit_button(state.word("ui_end_post"))
    if sent and until:
        try:
            end_post(county, ended, at=datetime.combine(until, time(), CHINA), now=now)
        except GeoError as error:
            state.sorry(error)
            return
        _said(state.word("ui_post_ended", day=until))


def _history(duties: pd.DataFrame) -> None:
    """Every post the unit has or had, the latest first."""
    if duties.empty:
        return
    held = duties.sort_values("valid_from", ascending=False, kind="stable")
    rows = {
        state.word("ui_post"): held["post"],
        state.word("ui_duty_kind"): [
            state.word(f"ui_duty_{kind}" if pd.isna(tier) else f"ui_tier_{tier}")
            for kind, tier in zip(held["duty_kind"], held["tier"], strict=True)
        ],
        state.word("ui_from_day"): [day_text(moment) for moment in held["valid_from"]],
        state.word("ui_last_day"): [last_day(moment) or "–" for moment in held["valid_to"]],
    }
    st.caption(state.word("ui_post_history"))
    st.dataframe(pd.DataFrame(rows), hide_index=True, placeholder="", height=35 * min(len(held) + 1, 6) + 3)


def _figures(county: County, unit: dict[str, Any], now: datetime) -> None:
    """Households, area, height and marks, as the register says them."""
    with st.form(f"figures_{unit['unit_id']}", border=True):
        name = st.text_input(state.word("ui_unit"), unit["name"] or "")
        first, second, third = st.columns(3)
        households = first.number_input(state.word("ui_households"), 0, value=_whole(unit["households_n"]), step=1)
        due = None if pd.isna(unit["due_m2"]) else round(float(unit["due_m2"]) / MU_M2, 4)
        mu = second.number_input(state.word("ui_due_mu"), 0.0, value=due, step=10.0)
        height = None if pd.isna(unit["elevation_m"]) else float(unit["elevation_m"])
        elevation = third.number_input(state.word("ui_elevation"), -500.0, 9000.0, value=height, step=10.0)
        key = first.checkbox(state.word("ui_key_area"), unit["key_area"] is True)
        edge = second.checkbox(state.word("ui_edge"), unit["edge"] is True)
        sent = st.form_submit_button(state.word("ui_save_unit"))
    if not sent:
        return
    given = {
        "name": name.strip(), "households_n": households, "elevation_m": elevation,
        "due_m2": unit["due_m2"] if mu == due else None if mu is None else round(mu * MU_M2, 3),
        "key_area": key or (None if pd.isna(unit["key_area"]) else False),
        "edge": edge or (None if pd.isna(unit["edge"]) else False),
    }  # fmt: skip
    try:
        changed = edit_unit(county, unit["unit_id"], given, now=now)
    except GeoError as error:
        state.sorry(error)
        return
    _said(state.word("unit_edited" if changed else "ui_already", name=name.strip(), id=unit["unit_id"]))


def _below(county: County, unit: dict[str, Any], now: datetime) -> None:
    """A group, grid or department ground that no list brings: typed in under this unit."""
    kinds = {"village": ("group", "责任网格", *GROUND_KINDS), "group": ("责任网格",),
             "township": ("责任网格", *GROUND_KINDS), "county": GROUND_KINDS}.get(unit["unit_kind"])  # fmt: skip
    if not kinds:
        return
    with st.form(f"below_{unit['unit_id']}", border=True):
        kind = st.selectbox(state.word("ui_unit_kind"), kinds, format_func=state.kind)
        name = st.text_input(state.word("ui_new_unit"))
        sent = st.form_submit_button(state.word("ui_add_unit"))
    if not sent:
        return
    try:
        number = add_unit(county, kind, name, unit["unit_id"], now=now)
    except GeoError as error:
        state.sorry(error)
        return
    _said(state.word("unit_edited", name=name.strip(), id=number))


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _files(county: County) -> None:
    """The register as a workbook, out to be edited and in again; read = accepted + refused."""
    with st.expander(state.word("ui_register_files")):
        left, right = st.columns(2)
        book = _workbook(county.path, state.head_of(county), state.language())
        left.download_button(state.word("ui_register_out"), book, "责任底数册.xlsx", XLSX, on_click="ignore")
        if not may(county.actor, Action.REGISTER):
            return
        with right, st.form("register_in", clear_on_submit=True, border=False):
            given = st.file_uploader(state.word("ui_register_in"), ["xlsx", "csv"], max_upload_size=20)
            since = st.date_input(state.word("ui_undated"), None, help=state.word("ui_undated_help"))
            sent = st.form_submit_button(state.word("ui_take_it"))
        if not sent or given is None:
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(given.name).name
            path.write_bytes(given.getvalue())
            try:
                begin = datetime.combine(since, time(), CHINA) if since else None
                report = import_register(county, path, now=datetime.now(UTC), since=begin)
            except GeoError as error:
                state.sorry(error)
                return
        box = st.success if not report.refused else st.warning
        box("\n\n".join(state.plain(line.strip()) for line in report.sentences(state.language())))


@state.kept()
def _workbook(path: Path, head: str, spoken: str) -> bytes:
    return register_paper(state.county(), language="en" if spoken == "en" else "zh")


def _papers(county: County, book: Register) -> None:
    """Orders, forms, joint notices, maps and the progress table of a round in one zip, made beside the page."""
    with st.expander(state.word("ui_papers"), expanded=jobs.last(county.path, JOB) is not None):
        job = jobs.last(county.path, JOB)
        if job is not None and job.running:
            jobs.watch(county.path, JOB)
            return
        made = jobs.outcome(county.path, JOB)
        if made is not None:
            label = state.word("ui_papers_take", n=made[0])
            st.download_button(label, made[1], "papers.zip", "application/zip", on_click="ignore", type="primary")
        with st.form("papers", border=False):
            left, right = st.columns([1, 4], vertical_alignment="bottom")
            running = [one.number for one in book.rounds if one.stop > book.as_of] or [book.rounds[-1].number]
            numbers = [one.number for one in book.rounds]
            number = left.selectbox(state.word("ui_round_n"), numbers, numbers.index(running[0]))
            asked = right.form_submit_button(state.word("ui_papers_make"))
        if asked:
            spoken = state.language()
            jobs.start(county.path, JOB, lambda progress: _made(county, number, spoken, progress))
            st.rerun()


def _made(county: County, number: int, spoken: Any, progress: jobs.Progress) -> tuple[int, bytes]:
    """How many papers there are, and all of them in one zip."""
    files = order_papers(county, number, language=spoken, progress=progress)
    files |= form_papers(county, number, language=spoken, progress=progress)
    files["踏查进度表.xlsx"] = progress_paper(county, language=spoken)[0]
    files["交界联合踏查通知.docx"] = joint_papers(county, number, edges=(), language=spoken)[0]
    files |= map_papers(county, number, language=spoken, progress=progress)
    return len(files), zipped(files)


def _said(sentence: str) -> None:
    """Show a sentence above the page once it has run again."""
    st.session_state["register_said"] = sentence
    st.rerun()
