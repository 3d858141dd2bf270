"""
The app: its pages, and the language switch above them.

Their folder is not called "pages": beside this script Streamlit would serve such a folder by itself, each file alone.
"""

import logging

import streamlit as st

from geo.ui import state
from geo.ui.account import mine
from geo.ui.door import county_path
from geo.ui.routes import keep_loaded
from geo.ui.vendor import complete
from geo.ui.views import admin, borders, committee, data, guide, planner, record, register, targets, team, today, trace
from geo.words import named
from geo.workspace.rights import may_open

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
    (guide.page, "ui_guide", "guide"),
)
STYLE = """<style>
[data-testid=stMainBlockContainer]{padding-top:4.6rem}
[data-testid=stCaptionContainer],[data-testid=stCaptionContainer] p,[data-testid=stFileUploaderDropzoneInstructions]
{color:#595959!important;opacity:1}
@media print{
  [data-testid=stHeader],[data-testid=stToolbar],[data-testid=stElementToolbar],[data-testid=stSegmentedControl],
  [data-testid=stButtonGroup]{display:none!important}
  html,body,#root,#root>div,.stApp,[data-testid=stApp],[data-testid=stAppViewContainer],[data-testid=stMain]
  {position:static!important;overflow:visible!important;height:auto!important;display:block!important}
  [data-testid=stMainBlockContainer]{padding:0!important;max-width:none!important}
}
</style>"""
"""Room for the bar on top; small print dark enough (4.5 : 1); on paper the whole page, not one window of it."""


def main() -> None:
    """Lay out the frame of every page and run the one chosen."""
    st.set_page_config(page_title=state.word("ui_title"), page_icon="🌿", layout="wide")
    actor = state.actor()
    shown = [page for page in PAGES if may_open(actor, page[2])]
    titled = [
        st.Page(body, title=state.word(code), url_path=path, default=number == 0)
        for number, (body, code, path) in enumerate(shown)
    ]
    st.html(f'{STYLE}<span hidden data-tacha-language="{state.language()}"></span>')
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
            f"**{state.plain(named(opened.settings.name, state.language()))}**"
            + (f" · {state.word('ui_made_up')}" if opened.settings.made_up else "")
            + (f" · {state.word(f'role_{actor.role}')}" if actor.name else "")
        )
        if actor.name:
            with right:
                mine(opened)
    _keep_language()
    if not complete():
        st.error(state.plain(state.word("ui_assets_missing")))
    try:
        chosen.run()
    except Exception:  # what goes wrong is for the log; the visitor gets a sentence and may go on
        logging.getLogger(__name__).exception("page %s", chosen.url_path)
        st.error(state.word("ui_page_broken"))
    keep_loaded("pages")


def _keep_language() -> None:
    """A language other than the browser's stays in the page's address, so that a reload keeps it."""
    browser = "zh" if (st.context.locale or "zh").lower().startswith("zh") else "en"
    if state.language() != browser:
        st.query_params["lang"] = state.language()
    elif "lang" in st.query_params:
        del st.query_params["lang"]


if __name__ == "__main__":
    main()
