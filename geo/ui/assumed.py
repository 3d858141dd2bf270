"""The settings a figure rests on, as a table: what each is, its value, and the key it has in the settings file."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from geo.ui import state
from geo.words import WORDS


def assumed(assumptions: Mapping[str, Any]) -> None:
    """The table; settings without words of their own stand by their key."""
    held = flat(assumptions)
    said = [state.word(f"setting_{key}") if f"setting_{key}" in WORDS else "" for key in held]
    table = {
        state.word("ui_assumption"): said,
        state.word("head_value"): list(held.values()),
        state.word("ui_setting"): list(held),
    }
    st.dataframe(pd.DataFrame(table), hide_index=True, height=380)


def flat(held: object, name: str = "") -> dict[str, str]:
    """Dotted name -> value as text."""
    if isinstance(held, Mapping):
        parts = [flat(value, f"{name}.{key}" if name else str(key)) for key, value in held.items()]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(held, list | tuple):
        return {name: "、".join(map(str, held)) or "–"}
    return {name: "–" if held is None else str(held)}
