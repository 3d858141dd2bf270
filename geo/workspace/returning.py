"""Work without GPS: signed forms in (class B) or only claims (class C), and the later track that lifts them to A."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geo.analysis.work import work_done
from geo.errors import LayerError, StoreError
from geo.formats.office_sheets import read_office_file
from geo.layers.returns import ENTERED
from geo.layers.visits import Evidence
from geo.ledger import Entry
from geo.season import CHINA
from geo.store import Change
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage
from geo.workspace.importing import FileReport
from geo.workspace.progress import villages_due
from geo.workspace.register_rows import file_note
from geo.workspace.village_forms import HEADS, VillageForms, form_lines, is_written
from geo.workspace.written_lines import Counts, take_lines


def import_forms(county: County, path: Path, *, now: datetime, encoding: str | None = None) -> FileReport:
    """
    Filled-in forms: each written line becomes a visit and the record of who signed it; its order is answered.

    Lines nobody wrote on are not counted (``blank`` among the other kinds); a line held already is a ``duplicate``.
    """
    file = read_office_file(path, HEADS.__contains__, list(HEADS), encoding)
    held = VillageForms.of(county)
    counts = Counts()
    for sheet in file.sheets:
        take_lines(form_lines(sheet), is_written, lambda row: held.take(row, now, sheet_sha256=file.sha256), counts)
    report = FileReport(file.file, file.sha256, counts.read, counts.refused, other_kinds={"blank": counts.blank})
    if held.taken:
        entry = Entry("forms", {"files": [file_note(report)]}, "team")
        county.store.append(entry, *held.changes(), now=now)
    return report


def enter_form(county: County, values: dict[str, Any], *, now: datetime) -> tuple[str, bool]:
    """
    One line of a form typed in: the visit's id and whether it is new.

    Parameters
    ----------
    values
        As on the form: `village_forms.NAMES`; ``visited_on`` a day or moment, ``area_mu`` in 亩, ``signed`` 是 or 否.
        Without a team it is the one the village's printed form names.
    """
    held = VillageForms.of(county)
    texts = {name: str(value) for name, value in values.items() if value is not None}
    village = texts.get("village_id")
    if "team_id" not in texts and village in held.villages:
        name = villages_due(county, county.store.read("units")).set_index("village_id")["name"][village]
        team = team_of(county.store.read_where("teams", "township_id", held.villages[village]), str(name))
        texts |= {} if team is None else {"team_id": team}
    try:
        number = held.take(texts, now, entered=ENTERED[1])
    except LayerError as wrong:
        if wrong.code != "duplicate":
            raise
        return str(wrong.fields["value"]), False
    county.store.append(Entry("forms", {"visit_id": number}, "team"), *held.changes(), now=now)
    return number, True


def work_until(county: County, as_of: datetime) -> pd.DataFrame:
    """`work_done` of the season up to a moment, by village, round, ground and class."""
    store = county.store
    visits, units = store.read("visits"), store.read("units")
    held = visits[visits["visited_at"].between(county.season.bounds[0], as_of)]
    villages = villages_due(county, units).set_index("village_id")["township_id"]
    return work_done(pd.DataFrame(held), store.read("returns"), villages)


def upgradable(county: County) -> pd.DataFrame:
    """Visits of class B or C with a foot track of the same team on the same day in China: ``visit_id, track_id, …``."""
    visits, tracks = county.store.read("visits"), county.store.read("tracks")
    weak = visits[visits["evidence"].isin([Evidence.B, Evidence.C]) & visits["village_id"].notna()]
    walked = tracks[tracks["mode"] == "foot"]
    one = pd.DataFrame(weak[["visit_id", "village_id", "round", "team_id", "evidence"]])
    two = pd.DataFrame(walked[["track_id", "team_id", "length_m"]])
    one["day"] = weak["visited_at"].dt.tz_convert(CHINA).dt.date
    two["day"] = walked["started_at"].dt.tz_convert(CHINA).dt.date
    pairs = one.merge(two, on=["team_id", "day"], how="inner")
    return pairs.assign(tracks_n=pairs.groupby("visit_id")["track_id"].transform("size"))


def upgrade_visit(county: County, visit_id: str, track_id: str, *, now: datetime) -> bool:
    """
    A track shows what a form only said: the visit becomes class A; the ledger keeps what it was. False where it is A.

    Raises
    ------
    StoreError
        No such visit or track, another team's track, or none of the same day.
    """
    visit, track = county.store.read("visits", [visit_id]), county.store.read("tracks", [track_id])
    if visit.empty:
        raise StoreError("visit_unknown", value=visit_id)
    if track.empty:
        raise StoreError("track_unknown", value=track_id)
    if visit["evidence"].iloc[0] == Evidence.A:
        return False
    day, begun, ended = (
        moment.tz_convert(CHINA).date()
        for moment in (visit["visited_at"].iloc[0], track["started_at"].iloc[0], track["ended_at"].iloc[0])
    )
    if not begun <= day <= ended:
        raise StoreError("upgrade_other_day", visit=visit_id, track=track_id)
    if isinstance(track["team_id"].iloc[0], str) and track["team_id"].iloc[0] != visit["team_id"].iloc[0]:
        raise StoreError("upgrade_other_team", visit=visit_id, track=track_id)
    after = visit.assign(evidence=str(Evidence.A), track_id=track_id)
    body = {"visit_id": visit_id, "track_id": track_id, "was": str(visit["evidence"].iloc[0])}
    change = Change("visits", after, replace=True, before=visit)
    county.store.append(Entry("visit_upgraded", body, "team"), change, now=now)
    return True


def if_class_b_counted(county: County, sensitivity: float, *, as_of: datetime | None = None) -> dict[str, Any]:
    """
    What the figures would be if a signed form with photos counted as having seen that share of a village's ground.

    Nothing is changed: the county's own assumption stands beside the other one, and both are named.
    """
    if not 0.0 <= sensitivity <= 1.0:
        raise LayerError("value_high", value=sensitivity, high=1)
    own = county.settings.absence
    other = replace(county, settings=replace(county.settings, absence=replace(own, class_b_sensitivity=sensitivity)))
    stands, would = (measure_coverage(one, as_of=as_of).json() for one in (county, other))
    names = ("detection", "p_zero", "p_zero_low", "p_zero_high")
    return {
        "as_of": stands["as_of"],
        "ledger_head": stands["ledger_head"],
        "assumption": {"class_b_sensitivity": own.class_b_sensitivity, "if": sensitivity},
        "county": {"stands": stands["county"], "would": would["county"]},
        "townships": [
            {"township_id": one["township_id"], "name": one["name"]}
            | {f"{name}_{which}": row.get(name) for which, row in (("stands", one), ("would", two)) for name in names}
            for one, two in zip(stands["townships"], would["townships"], strict=True)
        ],
    }


def team_of(own: pd.DataFrame | None, village: str) -> str | None:
    """The team a village's form names, of its township's own: the group named after it, else the first; or None."""
    if own is None:
        return None
    named = own[own["name"].str.startswith(village) & (own["kind"] == "村组")]
    chosen: Sequence[str] = [*named["team_id"], *own.loc[own["kind"] == "村组", "team_id"], *own["team_id"]]
    return chosen[0] if len(chosen) else None
