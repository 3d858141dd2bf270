"""The settings a figure rests on, as a table."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from geo.report.assumed import assumed_rows
from geo.ui import state


def assumed(assumptions: Mapping[str, Any]) -> None:
    """The table: meaning, value, and the key in the settings file."""
    heads = [state.word(name) for name in ("head_assumption", "head_value", "head_setting")]
    rows = pd.DataFrame(assumed_rows(assumptions, state.language()), columns=heads)
    st.dataframe(rows, hide_index=True, height=380)
