"""Work without GPS: signed forms in (class B) or only claims (class C), and the later track that lifts them to A."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.analysis.order_book import order_book
from geo.analysis.work import work_done
from geo.errors import GeoError, LayerError, StoreError
from geo.formats.office_sheets import OfficeSheet, plain_head, read_office_file
from geo.layers import SCHEMAS
from geo.layers.orders import Step, allowed
from geo.layers.returns import ENTERED
from geo.layers.visits import SCHEMA as VISITS
from geo.layers.visits import Evidence
from geo.ledger import Entry, row_digest
from geo.report.visit_form import FILLED, GIVEN
from geo.schema import Refusal
from geo.season import CHINA
from geo.store import Change
from geo.words import say
from geo.workspace.county import County
from geo.workspace.covering import measure_coverage
from geo.workspace.forms import content_id, filled_form
from geo.workspace.importing import FileReport
from geo.workspace.progress import villages_due
from geo.workspace.register_rows import file_note

MU_M2 = 2000.0 / 3.0
NAMES = tuple(column.name for column in (*GIVEN, *FILLED))
HEADS = {plain_head(say(f"head_{name}", language)): name for name in NAMES for language in ("zh", "en")}
_WRITTEN = ("visited_on", "persons_n", "hours", "area_mu", "courtyards_n", "outcome", "photos_n", "post", "signed")
_YES = {"是": True, "√": True, "✓": True, "yes": True, "否": False, "×": False, "no": False, "": False}


@dataclass
class _Held:
    """What the county knows of what a form names, read once."""

    villages: set[str]
    teams: set[str]
    orders: pd.DataFrame
    steps: pd.DataFrame
    visits: set[str]
    taken: dict[str, tuple[gpd.GeoDataFrame, dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, county: County) -> "_Held":
        store = county.store
        units = store.read("units")
        listed = set(units.loc[units["unit_kind"] == "village", "unit_id"])
        return cls(
            set(store.read("villages")["village_id"]) | listed,
            set(store.read("teams")["team_id"]),
            store.read("orders"),
            store.read("order_steps"),
            set(store.read("visits")["visit_id"]),
        )


def import_forms(county: County, path: Path, *, now: datetime, encoding: str | None = None) -> FileReport:
    """
    Filled-in forms: each written line becomes a visit and the record of who signed it; its order is answered.

    Lines nobody wrote on are not counted (``blank`` among the other kinds); a line held already is a ``duplicate``.
    """
    file = read_office_file(path, frozenset(HEADS), encoding)
    held = _Held.of(county)
    refused: list[Refusal] = []
    read_n = blank_n = 0
    for sheet in file.sheets:
        for number, row in _lines(sheet):
            if not any(row.get(name) for name in _WRITTEN):
                blank_n += bool(row.get("village_id"))
                continue
            read_n += 1
            try:
                _take(county, row, held, now, sheet_sha256=file.sha256)
            except GeoError as wrong:
                refused.append(Refusal(number, str(wrong.fields.get("field", "village_id")), wrong.code, wrong.fields))
    report = FileReport(file.file, file.sha256, read_n, refused, other_kinds={"blank": blank_n})
    if held.taken:
        entry = Entry("forms", {"files": [file_note(report)]}, "team")
        county.store.append(entry, *_changes(held), now=now)
    return report


def enter_form(county: County, values: dict[str, Any], *, now: datetime) -> tuple[str, bool]:
    """
    One line of a form typed in: the visit's id and whether it is new.

    Parameters
    ----------
    values
        As on the form: `NAMES`; ``visited_on`` a day or moment, ``area_mu`` in 亩, ``signed`` 是 or 否.
    """
    held = _Held.of(county)
    texts = {name: str(value) for name, value in values.items() if value is not None}
    try:
        number = _take(county, texts, held, now, entered=ENTERED[1])
    except LayerError as wrong:
        if wrong.code != "duplicate":
            raise
        return str(wrong.fields["value"]), False
    county.store.append(Entry("forms", {"visit_id": number}, "team"), *_changes(held), now=now)
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


def _lines(sheet: OfficeSheet) -> list[tuple[int, dict[str, str]]]:
    fields = [next((HEADS[head] for head in reversed(heads) if head in HEADS), None) for heads in sheet.heads]
    if "village_id" not in fields:
        return []
    return [
        (number, {name: cell for name, cell in zip(fields, cells, strict=True) if name and cell})
        for number, cells in zip(sheet.numbers, sheet.rows, strict=True)
    ]


def _take(
    county: County, row: dict[str, str], held: _Held, now: datetime, *, sheet_sha256: str | None = None,
    entered: str = ENTERED[0],
) -> str:  # fmt: skip
    """One written line as a visit and its return, into `held`."""
    order = _order_of(row, held)
    village = row.get("village_id") or (order["unit_id"] if order else None)
    if village not in held.villages:
        raise LayerError("village_unknown", field="village_id", value=village)
    if held.teams and row.get("team_id") not in held.teams:
        raise LayerError("team_unknown", field="team_id", value=row.get("team_id"))
    signed, photos = _YES.get(row.get("signed", "").strip().lower()), _whole(row, "photos_n") or 0
    if signed is None:
        raise LayerError("record_value_bad", field="signed", value=row["signed"])
    post = row.get("post", "").strip()
    area = _number(row, "area_mu")
    values = {
        "village_id": village,
        "round": _whole(row, "round") or (order["round"] if order else None),
        "team_id": row.get("team_id") or village,
        "visited_at": _moment(row),
        "ground": row.get("ground"),
        "outcome": row.get("outcome"),
        "reason": row.get("reason"),
        "evidence": str(Evidence.B if signed and post and photos > 0 else Evidence.C),
        "persons_n": _whole(row, "persons_n"),
        "hours": _number(row, "hours"),
        "area_m2": None if area is None else round(area * MU_M2, 3),
        "courtyards_n": _whole(row, "courtyards_n"),
    }
    visit = filled_form(VISITS, values, county.crs, now)
    due = _whole(row, "courtyards_due_n")
    if due is not None and (_whole(row, "courtyards_n") or 0) > due:
        raise LayerError("courtyards_above", field="courtyards_n", n=_whole(row, "courtyards_n"), due=due)
    said = {"group_name": row.get("group_name"), "post": post or None, "signed": signed, "photos_n": photos}
    said |= {"order_id": order["order_id"] if order else None, "village_id": village, "courtyards_due_n": due}
    number = content_id("V", VISITS, visit)
    if number in held.visits or number in held.taken:
        raise LayerError("duplicate", field="village_id", value=number)
    visit["visit_id"] = number
    said |= {"visit_id": number, "sheet_sha256": sheet_sha256, "entered": entered}
    held.taken[number] = visit, said | {"return_id": "B" + row_digest(said)[:12]}
    return number


def _order_of(row: dict[str, str], held: _Held) -> dict[Any, Any] | None:
    if not row.get("order_id"):
        return None
    found = held.orders[held.orders["order_id"] == row["order_id"]]
    if found.empty:
        raise LayerError("order_unknown", field="order_id", value=row["order_id"])
    order: dict[Any, Any] = found.iloc[0].to_dict()
    if row.get("village_id", order["unit_id"]) != order["unit_id"]:
        raise LayerError("order_other_village", field="village_id", order=row["order_id"], value=row["village_id"])
    return order


def _moment(row: dict[str, str]) -> datetime:
    """A day as written: noon of it in China, or the time given."""
    text = row.get("visited_on", "")
    if not text:
        raise LayerError("record_value_missing", field="visited_on")
    plain = text.replace("年", "-").replace("月", "-").replace("日", " ").replace("/", "-").replace(".", "-").strip()
    moment = pd.to_datetime(plain, errors="coerce")
    if pd.isna(moment):
        raise LayerError("record_value_bad", field="visited_on", value=text)
    local: datetime = moment.to_pydatetime()
    if local.tzinfo is None:
        local = local.replace(hour=local.hour or 12, tzinfo=CHINA)
    return local


def _number(row: dict[str, str], name: str) -> float | None:
    if not row.get(name):
        return None
    try:
        return float(row[name].replace(",", ""))
    except ValueError:
        raise LayerError("record_value_bad", field=name, value=row[name]) from None


def _whole(row: dict[str, str], name: str) -> int | None:
    value = _number(row, name)
    if value is not None and (value != int(value) or value < 0):
        raise LayerError("record_value_bad", field=name, value=row[name])
    return None if value is None else int(value)


def _changes(held: _Held) -> list[Change]:
    visits = gpd.GeoDataFrame(pd.concat([visit for visit, _ in held.taken.values()], ignore_index=True))
    returns = SCHEMAS["returns"].conform(pd.DataFrame([said for _, said in held.taken.values()]))
    changes = [Change("visits", visits), Change("returns", returns)]
    answers = _answers(held)
    return [*changes, Change("order_steps", answers)] if len(answers) else changes


def _answers(held: _Held) -> pd.DataFrame:
    """A 反馈 for every order whose forms came in and whose state allows one, by the post that signed last."""
    latest: dict[str, tuple[pd.Timestamp, str]] = {}
    for visit, said in held.taken.values():
        if said["order_id"]:
            told = visit["visited_at"].iloc[0], said["post"] or say("nobody")
            latest[said["order_id"]] = max(latest.get(said["order_id"], told), told)
    ends = max((at for at, _ in latest.values()), default=pd.Timestamp.min.tz_localize("UTC"))
    book = order_book(held.orders, held.steps, max(ends, held.steps["at"].max()) if len(held.steps) else ends)
    rows = []
    for order in book[book["order_id"].isin(list(latest))].to_dict("records"):
        if Step.ANSWERED in allowed(order["kind"], order["state"]):
            at, post = latest[order["order_id"]]
            known = held.steps.loc[held.steps["order_id"] == order["order_id"], "at"].max()
            row = {
                "order_id": order["order_id"],
                "step": str(Step.ANSWERED),
                "at": max(at, known).isoformat(),
                "post": post,
            }
            rows.append(row | {"step_id": "S" + row_digest(row)[:16]})
    return SCHEMAS["order_steps"].conform(pd.DataFrame(rows, columns=SCHEMAS["order_steps"].names))


def team_of(teams: pd.DataFrame, township_id: object, village: str) -> str | None:
    """The team a village's form names: the group named after it, else the township's first; None without any."""
    own = teams[teams["township_id"] == township_id]
    named = own[own["name"].str.startswith(village) & (own["kind"] == "村组")]
    chosen: Sequence[str] = [*named["team_id"], *own.loc[own["kind"] == "村组", "team_id"], *own["team_id"]]
    return chosen[0] if len(chosen) else None
