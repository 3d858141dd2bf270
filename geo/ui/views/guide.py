"""The first ten minutes: what this county has and lacks, and the guide to read or print."""

from functools import lru_cache
from pathlib import Path

import streamlit as st

from geo.ui import state
from geo.words import Language
from geo.workspace.county import County

TEXTS = Path(__file__).parents[1] / "guide"
NEEDED = ("townships", "villages", "duties", "tracks", "parcels")


def page() -> None:
    """What is there and what is missing, each with what it is for; then the guide."""
    county = state.county()
    first_steps(county)
    st.markdown(text(state.language()))
    state.foot(county.as_of(), state.head_of(county))


def first_steps(county: County) -> None:
    """One line per kind of file: how much of it there is, or what its lack means."""
    with st.container(border=True):
        st.markdown(f"**{state.word('ui_steps_head')}**")
        held = _held(county.path, state.head_of(county))
        for name in ("townships", "terrain", *NEEDED[1:], "routes"):
            mark, said = ("☑", "ui_step_has") if held[name] else ("☐", "ui_step_lacks")
            told = state.word(said, n=held[name], why=state.word(f"ui_step_{name}_why"))
            st.markdown(f"{mark} **{state.word(f'ui_step_{name}')}** {told}")


@state.kept()
def _held(path: Path, head: str) -> dict[str, int]:
    county = state.county()
    held = {name: len(county.store.read(name)) for name in (*NEEDED, "routes")}
    return held | {"terrain": int(county.has_terrain())}


@lru_cache(maxsize=2)
def text(language: Language) -> str:
    """The guide in a language."""
    return (TEXTS / f"{language}.md").read_text("utf-8")
