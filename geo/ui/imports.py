"""What was imported when: counts of every file, and the records that were refused, with their reasons."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.ui import state
from geo.ui.cards import table
from geo.workspace.county import County
from geo.workspace.imported import imports_of

SHOWN, ROWS = 30, 500


def history(county: County) -> None:
    """The latest imports from the ledger, and every refused record, to be taken along as CSV."""
    path, head = county.path, state.head_of(county)
    with st.expander(state.word("ui_imports")):
        table(_imports(path, head, state.language()), column_config=state.clock(state.word("ui_time")))
        refused = _refused(path, head, state.language())
        st.markdown(f"**{state.word('ui_refused', n=len(refused))}**")
        if len(refused):
            st.dataframe(refused.head(ROWS), hide_index=True, height=300, placeholder="")
            content = refused.to_csv(index=False).encode("utf-8-sig")
            st.download_button(state.word("ui_refused_take"), content, "refused.csv", "text/csv", on_click="ignore")
    st.caption(state.word("ui_import_undo"))


@state.kept()
def _imports(path: Path, head: str, spoken: str) -> list[dict[str, Any]]:
    return [
        {"ui_time": one["at"], "ui_file": one["file"],
         "ui_as_layer": state.layer(one["layer"]), "ui_read_n": one["read"], "ui_accepted_n": one["accepted"],
         "ui_refused_n": one["refused_n"], "ui_datum": state.datum(one["datum"])}
        for one in imports_of(state.county())[:SHOWN]
    ]  # fmt: skip


@state.kept()
def _refused(path: Path, head: str, spoken: str) -> pd.DataFrame:
    rows = state.county().store.read("refusals")
    said = [_why(code, details) for code, details in zip(rows["code"], rows["details"], strict=True)]
    named = {
        "ui_file": [safe(one) for one in rows["file"]], "ui_as_layer": [state.layer(one) for one in rows["layer"]],
        "ui_row": list(rows["row"]), "ui_field": list(rows["field"]), "ui_why": [safe(one) for one in said],
    }  # fmt: skip
    return pd.DataFrame(named).rename(columns=state.word)


def safe(text: str) -> str:
    """
    Text that a spreadsheet does not take for a formula.

    >>> safe("=1+1"), safe("甲")
    ("'=1+1", '甲')
    """
    return f"'{text}" if str(text).startswith(("=", "+", "-", "@", "\t", "\r")) else str(text)


def _why(code: str, details: str | None) -> str:
    try:
        blanks = json.loads(details) if details else {}
    except ValueError:
        blanks = {}
    return state.word(code, **blanks) if isinstance(blanks, dict) else state.word(code)
