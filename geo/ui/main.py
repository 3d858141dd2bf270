"""
The app: its pages, and the language switch above them.

Their folder is not called "pages": beside this script Streamlit would serve such a folder by itself, each file alone.
"""

import logging

import streamlit as st

from geo.ui import state
from geo.ui.routes import county_path
from geo.ui.views import admin, borders, committee, data, planner, record, register, targets, team, today, trace

PAGES = (
    (today.page, "ui_today", "today"),
    (planner.page, "ui_map", "map"),
    (team.page, "ui_team_page", "team"),
    (record.page, "ui_record", "record"),
    (borders.page, "ui_borders", "borders"),
    (targets.page, "ui_targets", "targets"),
    (register.page, "ui_register", "register"),
    (committee.page, "ui_committee", "committee"),
    (trace.page, "ui_trace", "trace"),
    (data.page, "ui_data", "data"),
    (admin.page, "ui_admin", "admin"),
)


def main() -> None:
    """Lay out the frame of every page and run the one chosen."""
    st.set_page_config(page_title=state.word("ui_title"), page_icon="🌿", layout="wide")
    titled = [
        st.Page(body, title=state.word(code), url_path=path, default=number == 0)
        for number, (body, code, path) in enumerate(PAGES)
    ]
    st.html("<style>[data-testid=stMainBlockContainer]{padding-top:4.6rem}</style>")
    chosen = st.navigation(titled, position="top")
    left, right = st.columns([6, 1], vertical_alignment="center")
    with right:
        st.segmented_control(
            "语言 / Language",
            ["zh", "en"],
            format_func={"zh": "中文", "en": "English"}.__getitem__,
            default=state.language(),
            key="language",
            label_visibility="collapsed",
        )
    if county_path() is not None:
        opened = state.county()
        left.markdown(
            f"**{state.plain(opened.settings.name)}**"
            + (f" · {state.word('ui_made_up')}" if opened.settings.made_up else "")
        )
    try:
        chosen.run()
    except Exception:  # what goes wrong is for the log; the visitor gets a sentence and may go on
        logging.getLogger(__name__).exception("page %s", chosen.url_path)
        st.error(state.word("ui_page_broken"))


if __name__ == "__main__":
    main()
