"""Today: what is due and not looked at, what was handed out and not signed for, what stands and has not been told."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from geo.locale import short_day
from geo.ui import morning, state
from geo.ui.cards import card, fitted, row_chosen, table
from geo.ui.mapview import map_alone
from geo.workspace.county import County
from geo.workspace.progress import today
from geo.workspace.rights import Action, may

TABLE_PX = 440
LOOKED = ("looked_a", "looked_b", "looked_c")


def page() -> None:
    """The round and its numbers, villages not looked at beside their map, then every list a morning needs."""
    county = state.county()
    path, head = county.path, state.head_of(county)
    said = st.session_state.pop("today_said", None)
    if said:
        st.success(said)
    known = _today(path, head)
    if not known["totals"]:
        st.info(state.word("ui_load_villages"))
        return
    _numbers(county, known)
    left, right = st.columns([3, 2])
    with left:
        _open_villages(county, known)
    with right:
        edges = () if state.borders_now(path, head) is None else ("borders",)  # the map and borders pages measure them
        layers = ("townships", *edges, "villages", "parcels")
        map_alone(path, head, state.bounds(path, head), key="today_map", layers=layers)
        if not edges:
            st.caption(state.word("ui_edges_not_yet"))
    morning.lists(county, known)
    state.foot(datetime.fromisoformat(known["as_of"]), head)


@state.kept()
def _today(path: Path, head: str) -> dict[str, Any]:
    return today(state.county())


def _numbers(county: County, known: dict[str, Any]) -> None:
    """The round, and the villages of it in cards that wrap on a phone; each opens the rows it counts."""
    totals, names = known["totals"], state.choices(county.path, state.head_of(county), "townships")
    days = next(one for one in known["calendar"]["rounds"] if one["round"] == known["round"])
    first, last = (short_day(date.fromisoformat(days[end]), state.language()) for end in ("from", "to"))
    st.markdown(state.word("ui_round", round=known["round"], first=first, last=last, days=known["days_left"]))
    cards = st.container(horizontal=True)
    looked = sum(totals[name] for name in LOOKED)
    classes = state.word("ui_by_class", **{name[-1]: totals[name] for name in LOOKED})
    waiting = totals["overdue"] + totals["due"] + totals["unreached"]

    def by_township() -> None:
        table([{"ui_township": row["name"] or row["township_id"], "ui_villages_due": row["due_n"],
                "ui_villages_waiting": row["overdue"] + row["due"] + row["unreached"],
                **{f"head_{name}": row[name] for name in LOOKED}}
               for row in known["townships"]], width="content")  # fmt: skip

    def new_today() -> None:
        table([{"ui_township": names.get(row["township_id"], row["township_id"]), "ui_village_name": row["name"],
                "ui_state": state.word(f"state_{row['state']}")} for row in known["new_today"]])  # fmt: skip

    card(cards, state.word("ui_villages_due"), totals["due_n"], rests=by_township)
    card(cards, state.word("ui_villages_looked"), looked, classes, rests=by_township)
    card(cards, state.word("ui_new_today"), known["new_today_n"], rests=new_today)
    late = state.word("ui_overdue_n", n=totals["overdue"])
    if known["open_n"] > waiting:
        late += " · " + state.word("ui_earlier_n", n=known["open_n"] - waiting)
    card(cards, state.word("ui_villages_waiting"), waiting, late, rests=by_township)
    urgent = state.word("ui_urgent_n", n=known["targets_urgent_n"])
    if known["targets_shared_n"]:
        urgent += " · " + state.word("ui_targets_shared", n=known["targets_shared_n"])
    card(cards, state.word("ui_targets_open"), known["targets_open_n"], urgent,
         rests=lambda: morning.targets(county, known))  # fmt: skip
    standing = state.word("ui_standing", n=known["finds_standing_n"])
    card(cards, state.word("ui_finds_untold"), known["finds_untold_n"], standing,
         rests=lambda: morning.finds(county, known))  # fmt: skip
    card(cards, state.word("ui_nobody_n"), known["nobody_n"], rests=lambda: morning.nobody(known))


def _open_villages(county: County, known: dict[str, Any]) -> None:
    """Villages not looked at, overdue first; for the one chosen: sign for its order, or type its form in."""
    names = state.choices(county.path, state.head_of(county), "townships")
    rows = known["open"]
    st.markdown(f"**{state.word('ui_open_head', n=known['open_n'])}**")
    if not rows:
        st.success(state.word("ui_open_none"))
        return
    if known["open_n"] > len(rows):
        st.caption(state.word("ui_open_shown", shown=len(rows)))
    shown = {
        state.word("ui_township"): [names.get(row["township_id"], row["township_id"]) for row in rows],
        state.word("ui_village_name"): [row["name"] for row in rows],
        state.word("ui_round_n"): [row["round"] for row in rows],
        state.word("ui_post"): [known["posts"].get(row["village_id"]) for row in rows],
        state.word("ui_state"): [state.word(f"state_{row['state']}") for row in rows],
        state.word("ui_overdue_days"): [row["overdue_days"] or None for row in rows],
        state.word("ui_edge_key"): [_marked(row) for row in rows],
    }
    height = fitted(len(rows), TABLE_PX)
    if not may(county.actor, Action.RECORD):
        st.dataframe(pd.DataFrame(shown), hide_index=True, height=height, placeholder="")
        return
    keys = [f"{row['village_id']} {row['round']}" for row in rows]
    picked = row_chosen(pd.DataFrame(shown), keys, "open_village", height)
    if picked is not None:
        morning.form(county, rows[picked])
    else:
        st.caption(state.word("ui_choose_village"))


def _marked(row: dict[str, Any]) -> str:
    words = [state.word(code) for code, held in (("ui_edge", row["edge"]), ("ui_key_area", row["key_area"])) if held]
    return "、".join(words)
