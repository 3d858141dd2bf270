"""倒查 of one plot: who answered, planned, walked, looked, reported and approved until it was found, by the ledger."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.crs import to_degrees
from geo.errors import StoreError
from geo.layers.duties import in_force
from geo.layers.finds import STAGES
from geo.layers.orders import Step
from geo.layers.tracks import Mode
from geo.ledger import Linked, digests_named, tree_levels, tree_root
from geo.report.dossier import DossierPages, Mention, Passage, Statement, dossier_html, dossier_word
from geo.season import CHINA, Stage
from geo.store.rows import rows_of
from geo.words import Language, Word, explain, say
from geo.workspace import effort
from geo.workspace.county import County
from geo.workspace.evidence import Evidence, evidence_at
from geo.workspace.papers import paper_of
from geo.workspace.rights import Action, require

Key = tuple[str, str]
AFTERWARDS = ("found", "approved")
"""Parts of what comes after a find as a matter of course."""
STEPS_APPROVING = (Step.CHECKED, Step.CLOSED, Step.RETURNED)


@dataclass(frozen=True)
class Dossier:
    """
    What is on record of a plot until it was found.

    Parameters
    ----------
    until
        The moment it was first found; without a find, the moment asked about.
    found
        Whether anything was found on it.
    evidence
        Its cell as of `until`: probability, tracks, sight. None without terrain.
    """

    parcel_id: str
    as_of: datetime
    until: datetime
    found: bool
    longitude: float
    latitude: float
    evidence: Evidence | None
    pages: DossierPages
    ledger_head: str | None
    ledger_ok: bool

    def json(self) -> dict[str, Any]:
        """The dossier as plain values."""
        plain = {name: getattr(self, name) for name in ("parcel_id", "found", "longitude", "latitude", "ledger_head")}
        looked = self.evidence.json() if self.evidence else None
        return plain | {
            "as_of": self.as_of.isoformat(),
            "until": self.until.isoformat(),
            "ledger_ok": self.ledger_ok,
            "root": self.pages.root,
            "pod": looked["pod"] if looked else None,
            "tracks": looked["tracks"] if looked else [],
            "assumptions": looked["assumptions"] if looked else {},
            "statements": [one.json() for one in self.pages.statements],
        }


@dataclass
class _Told:
    """Statements as they are gathered, each with the rows and the numbers of entries it rests on; teams by name."""

    teams: Mapping[str, str]
    before: Word
    """How the time is called that the sentences look back on: until the find, or without one so far."""
    held: list[tuple[Statement, tuple[Key, ...], tuple[int, ...], bool]] = field(default_factory=list)

    def say(
        self,
        part: str,
        code: str,
        at: Any = None,
        *,
        rows: Iterable[Key] = (),
        seqs: Iterable[int] = (),
        first: bool = False,
        event: bool = True,
        **fields: Any,
    ) -> None:
        """`first`: only the entry that brought a row counts, not those that changed it."""
        named = {name: self.teams.get(value, value) for name, value in fields.items() if name in ("team", "who")}
        moment = None if at is None or pd.isna(at) else pd.Timestamp(at).to_pydatetime()
        self.held.append((Statement(part, moment, code, fields | named, event=event), tuple(rows), tuple(seqs), first))


def plot_dossier(county: County, parcel_id: str, *, as_of: datetime | None = None, check: bool = True) -> Dossier:
    """
    The 倒查 dossier of a plot: every statement with the ledger entries it rests on, and what the ledger lacks.

    Parameters
    ----------
    check
        Verify the whole ledger first, so that the dossier can say whether it holds.

    Raises
    ------
    StoreError
        There is no such plot.
    Denied
        The role may not trace.
    """
    require(county.actor, Action.TRACE)
    moment = as_of or county.as_of()
    store = county.store
    parcel = store.read("parcels", [parcel_id])
    if parcel.empty:
        raise StoreError("parcel_unknown", value=parcel_id)
    entries = store.entries()
    finds = store.read_where("finds", "parcel_id", parcel_id)
    finds = finds[finds["found_at"] <= moment].sort_values("found_at", kind="stable")
    until = finds["found_at"].iloc[0].to_pydatetime() if len(finds) else moment
    place = finds.geometry.iloc[0] if len(finds) else gpd.GeoSeries(parcel["geometry"]).representative_point().iloc[0]
    longitude, latitude = (float(v) for v in to_degrees(place.x, place.y, county.crs))
    tracks = effort.tracks_until(county.whole, until)
    looked = evidence_at(county, longitude, latitude, as_of=until, tracks=tracks) if county.has_terrain() else None
    teams = store.read("teams")
    told = _Told(
        dict(zip(teams["team_id"], teams["name"], strict=True)),
        Word("dossier_before_find" if len(finds) else "dossier_so_far"),
    )
    village = _village_of(county, parcel, place)
    _tell_found(told, county, parcel, finds, looked)
    _tell_answers(told, county, parcel, village, place, until)
    _tell_planned(told, county, entries, parcel, village, place, until)
    _tell_walked(told, county, looked, tracks, place)
    _tell_looked(told, county, parcel_id, looked, until)
    _tell_reported(told, county, parcel, village, until)
    _tell_approved(told, county, parcel, village, moment)
    statements = _resolved(told, entries, finds)
    statements += _changes(entries, {key for _, rows, _, _ in told.held for key in rows})
    verdict = store.verify() if check else None
    problem = verdict.first_problem if verdict else None
    head = entries[-1].hash if entries else None
    if verdict is None:
        verified = Statement("ledger", None, "dossier_unchecked", {})
    elif problem:
        verified = Statement("ledger", None, "dossier_unsound", {"why": explain(problem)})
    else:
        verified = Statement("ledger", None, "dossier_sound", {"n": verdict.entries_n})
    root = tree_root(tree_levels([entry.hash for entry in entries]))
    reach_m = county.settings.detection.reach_m
    pages = DossierPages(parcel_id, statements, _passages(looked, tracks, place, reach_m), reach_m, verified, root)
    sound = verdict is None or verdict.ok
    return Dossier(parcel_id, moment, until, bool(len(finds)), longitude, latitude, looked, pages, head, sound)


def dossier_papers(county: County, dossier: Dossier, *, language: Language = "zh") -> dict[str, bytes]:
    """The dossier as one HTML file and one Word file, by file name."""
    paper = paper_of(
        county,
        "dossier_title",
        dossier.as_of,
        dossier.ledger_head,
        say("dossier_note", language),
        language=language,
        parcel=dossier.parcel_id,
    )
    name = f"倒查-{_file_name(dossier.parcel_id)}"
    return {
        f"{name}.html": dossier_html(dossier.pages, paper=paper, language=language),
        f"{name}.docx": dossier_word(dossier.pages, paper=paper, language=language),
    }


def _tell_found(told: _Told, county: County, parcel: pd.DataFrame, finds: pd.DataFrame, looked: Any) -> None:
    row = parcel.iloc[0]
    key = str(row["parcel_id"])
    source = Word(f"source_{row['source']}")
    told.say(
        "found",
        "dossier_flagged",
        row["flagged_at"],
        rows=[("parcels", key)],
        first=True,
        source=source,
        list=row["source_id"],
    )
    if pd.notna(row["deadline"]):
        told.say("found", "dossier_deadline", row["deadline"], rows=[("parcels", key)], first=True, event=False)
    for find in finds.to_dict("records"):
        which = [("finds", str(find["find_id"]))]
        told.say(
            "found",
            "dossier_find",
            find["found_at"],
            rows=which,
            team=find["team_id"],
            by=Word(f"ui_choice_{find['found_by']}"),
            species=Word(f"ui_choice_{find['species']}"),
            plants=int(find["plants_n"]),
            stage=Word(f"ui_choice_{find['stage']}"),
        )
        if pd.notna(find["destroyed_at"]):
            share = f"{100.0 * find['fraction']:g}"
            told.say(
                "found",
                "dossier_destroyed",
                find["destroyed_at"],
                rows=which,
                share=share,
                method=Word(f"ui_choice_{find['method']}"),
            )
        since = _stage_since(county, str(find["stage"]), looked)
        if since is not None and since < find["found_at"]:
            days = int((find["found_at"] - since) / timedelta(days=1))
            told.say(
                "found",
                "dossier_stood",
                since,
                event=False,
                rows=which,
                days=days,
                stage=Word(f"ui_choice_{find['stage']}"),
                height=f"{looked.elevation_m:.0f}",
            )
    if finds.empty:
        told.say("found", "dossier_not_found")


def _stage_since(county: County, stage: str, looked: Evidence | None) -> datetime | None:
    """When the growth stage that was found begins at that height; None for the first, and without a height."""
    number = STAGES.index(stage)
    if looked is None or looked.elevation_m is None or number == Stage.SEEDLING:
        return None
    season = county.season
    shift = (looked.elevation_m - 1000.0) / 100.0 * season.days_per_100_m
    day = float(season.stage_start_days()[number]) + shift
    return datetime(season.year, 1, 1, tzinfo=CHINA) + timedelta(days=day)


def _village_of(county: County, parcel: pd.DataFrame, place: Any) -> tuple[str, str, float] | None:
    """The village the place lies in, or the nearest of its township: id, name, metres away; None without any."""
    villages = county.store.read("villages")
    villages = villages[villages.geometry.notna() & (villages["township_id"] == parcel["township_id"].iloc[0])]
    if villages.empty:
        return None
    away = villages.geometry.distance(place)
    nearest = villages.loc[away.idxmin()]
    return str(nearest["village_id"]), str(nearest["name"]), float(away.min())


def _tell_answers(told: _Told, county: County, parcel: pd.DataFrame, village: Any, place: Any, until: datetime) -> None:
    duties = in_force(county.store.read("duties"), until)
    grounds = county.store.read("grounds")
    inside = grounds[grounds.geometry.contains(place)]
    units = _units(county, parcel, village) + [(str(g["ground_id"]), str(g["name"])) for g in inside.to_dict("records")]
    if village and village[2] > 0.0:
        told.say(
            "answers", "dossier_village", rows=[("villages", village[0])], village=village[1], away=f"{village[2]:.0f}"
        )
    for unit, name in units:
        held = duties[duties["unit_id"] == unit]
        for duty in held.to_dict("records"):
            told.say(
                "answers",
                "dossier_duty",
                duty["valid_from"],
                event=False,
                rows=[("duties", str(duty["duty_id"]))],
                post=duty["post"],
                unit=name,
                kind=duty["duty_kind"],
            )
        if held.empty:
            told.say("answers", "dossier_nobody", unit=name)


def _units(county: County, parcel: pd.DataFrame, village: Any) -> list[tuple[str, str]]:
    """Ids and names of the units that answer for the place: its village, then its township."""
    township = parcel["township_id"].iloc[0]
    named = [(village[0], village[1])] if village else []
    held = county.store.read("townships", [township]) if isinstance(township, str) else None
    return named + ([] if held is None else [(str(township), str(name)) for name in held["name"]])


def _tell_planned(
    told: _Told,
    county: County,
    entries: Sequence[Linked],
    parcel: pd.DataFrame,
    village: Any,
    place: Any,
    until: datetime,
) -> None:
    store, key, reach = county.store, str(parcel["parcel_id"].iloc[0]), county.settings.detection.reach_m
    before = len(told.held)
    routes, stops = store.read("routes"), store.read("stops")
    last = str(until.astimezone(CHINA).date())
    routes = routes[routes["day"] <= last]
    near = routes[routes.geometry.distance(place) <= reach] if len(routes) else routes
    stopped = set(stops.loc[stops["target_id"] == key, "route_id"]) if len(stops) else set()
    near = pd.concat([near, routes[routes["route_id"].isin(stopped) & ~routes["route_id"].isin(near["route_id"])]])
    plans = {route: entry.seq for entry in entries if entry.kind == "plan"
             for route in digests_named(entry.text).get("routes", {})}  # fmt: skip
    for route in near.sort_values(["day", "team_id"]).to_dict("records"):
        named = str(route["route_id"])
        code = "dossier_route_stop" if named in stopped else "dossier_route"
        told.say(
            "planned",
            code,
            pd.Timestamp(route["day"], tz=CHINA),
            rows=[] if named in plans else [("routes", named)],
            seqs=[plans[named]] if named in plans else [],
            team=route["team_id"],
            away=f"{route['geometry'].distance(place):.0f}",
        )
    units = dict(_units(county, parcel, village))
    orders = store.read("orders")
    orders = orders[orders["unit_id"].isin(units) & (orders["due_from"] <= until)]
    for order in orders.sort_values("due_from").to_dict("records"):
        told.say(
            "planned",
            "dossier_order",
            order["due_from"],
            rows=[("orders", str(order["order_id"]))],
            kind=order["kind"],
            unit=units[order["unit_id"]],
            round=int(order["round"]),
            post=order["post"] or Word("nobody"),
            due=_day(order["due_to"] - timedelta(seconds=1)),
        )
    steps = store.read_where("steps", "parcel_id", key)
    for step in steps[(steps["act"] == "assign") & (steps["at"] <= until)].to_dict("records"):
        told.say(
            "planned", "dossier_assigned", step["at"], rows=[("steps", str(step["step_id"]))], team=step["team_id"]
        )
    if len(told.held) == before:
        told.say("planned", "dossier_unplanned", before=told.before, reach=f"{reach:.0f}")


def _tell_walked(told: _Told, county: County, looked: Evidence | None, tracks: gpd.GeoDataFrame, place: Any) -> None:
    reach = county.settings.detection.reach_m
    rows = looked.tracks[looked.tracks["mode"] != "lookout"] if looked is not None else None
    for row in rows_of(rows.sort_values("day")) if rows is not None else []:
        track = tracks[tracks["track_id"] == row["track_id"]].iloc[0]
        told.say(
            "walked",
            "dossier_walked",
            track["started_at"],
            rows=[("tracks", str(row["track_id"]))],
            team=row["team_id"] or Word("nobody"),
            mode=Word(f"dossier_mode_{row['mode']}"),
            away=f"{row['nearest_m']:.0f}",
            within=f"{row['within_m']:.0f}",
            track=row["track_id"],
        )
    if rows is not None and len(rows):
        return
    told.say("walked", "dossier_unwalked", before=told.before, reach=f"{reach:.0f}")
    if len(tracks):
        away = tracks.geometry.distance(place)
        nearest = tracks.loc[away.idxmin()]
        told.say(
            "walked",
            "dossier_nearest",
            nearest["started_at"],
            rows=[("tracks", str(nearest["track_id"]))],
            team=nearest["team_id"] or Word("nobody"),
            away=f"{away.min():.0f}",
            track=nearest["track_id"],
        )


def _tell_looked(told: _Told, county: County, parcel_id: str, looked: Evidence | None, until: datetime) -> None:
    if looked is None:
        told.say("looked", "dossier_no_terrain")
    else:
        for row in rows_of(looked.tracks):
            layer = "lookouts" if row["mode"] == "lookout" else "tracks"
            nearest = row["nearest_seen_m"]
            fields = {"team": row["team_id"] or Word("nobody"), "track": row["track_id"],
                      "month": int(row["month"][-2:]) if row["month"] else "–",
                      "p": f"{100.0 * row['pod']:.2f}", "seen": f"{row['seen_m'] or 0.0:.0f}"}  # fmt: skip
            fields |= {"nearest": "–" if nearest is None else f"{nearest:.0f}"}
            reason = {"why": Word(row["reason"])} if row["reason"] else {}
            code = "dossier_unseen" if row["reason"] else "dossier_watched" if layer == "lookouts" else "dossier_seen"
            told.say(
                "looked",
                code,
                pd.Timestamp(row["day"], tz=CHINA),
                rows=[(layer, str(row["track_id"]))],
                **(fields | reason),
            )
        keys = [
            ("lookouts" if row["mode"] == "lookout" else "tracks", str(row["track_id"]))
            for row in rows_of(looked.tracks)
            if row["units"]
        ]
        if looked.pod is None:
            told.say("looked", "dossier_unplantable", cover=Word(f"ui_cover_{looked.cover}"))
        else:
            code = "dossier_chance" if keys else "dossier_chance_none"
            told.say(
                "looked",
                code,
                until,
                rows=keys,
                event=False,
                before=told.before,
                p=f"{100.0 * looked.pod:.2f}",
                q=f"{100.0 - 100.0 * looked.pod:.2f}",
            )
    visits = county.store.read_where("visits", "parcel_id", parcel_id)
    visits = visits[visits["visited_at"] <= until]
    for visit in visits.sort_values("visited_at").to_dict("records"):
        told.say(
            "looked",
            "dossier_visit",
            visit["visited_at"],
            rows=[("visits", str(visit["visit_id"]))],
            team=visit["team_id"],
            outcome=Word(f"ui_choice_{visit['outcome']}"),
            grade=visit["evidence"],
        )
    if visits.empty:
        told.say("looked", "dossier_unvisited", before=told.before)


def _tell_reported(told: _Told, county: County, parcel: pd.DataFrame, village: Any, until: datetime) -> None:
    store, units = county.store, dict(_units(county, parcel, village))
    before, start = len(told.held), county.season.bounds[0]
    visits = store.read_where("visits", "village_id", village[0]) if village else store.read("visits").iloc[:0]
    visits = visits[visits["visited_at"].between(start, until)]
    returns = store.read("returns").set_index("visit_id") if len(visits) else None
    for visit in visits.sort_values("visited_at").to_dict("records"):
        key, rows = str(visit["visit_id"]), [("visits", str(visit["visit_id"]))]
        post = None
        if returns is not None and key in returns.index:
            form = returns.loc[[key]].iloc[0]
            rows.append(("returns", str(form["return_id"])))
            post = form["post"]
        told.say(
            "reported",
            "dossier_village_visit",
            visit["visited_at"],
            rows=rows,
            team=visit["team_id"],
            village=village[1],
            outcome=Word(f"ui_choice_{visit['outcome']}"),
            grade=visit["evidence"],
            post=post or "–",
            hours="–" if pd.isna(visit["hours"]) else f"{visit['hours']:g}",
        )
    dailies = store.read("daily_reports")
    dailies = dailies[dailies["unit_id"].isin(units) & dailies["reported_at"].between(start, until)]
    for unit, held in dailies.groupby("unit_id"):
        zero = held[held["finds_n"] == 0]
        if len(zero):
            told.say(
                "reported",
                "dossier_zero",
                zero["reported_at"].max(),
                unit=units[str(unit)],
                n=len(zero),
                rows=[("daily_reports", str(key)) for key in zero["report_id"]],
                since=zero["day"].min(),
                last=zero["day"].max(),
                posts=list(dict.fromkeys(zero["post"])),
            )
        for one in held[held["finds_n"] > 0].to_dict("records"):
            told.say(
                "reported",
                "dossier_daily",
                one["reported_at"],
                rows=[("daily_reports", str(one["report_id"]))],
                unit=units[str(unit)],
                n=int(one["finds_n"]),
                post=one["post"],
            )
    _tell_order_steps(told, "reported", (Step.SIGNED, Step.ANSWERED), _order_steps(county, units, until))
    if len(told.held) == before:
        told.say("reported", "dossier_unreported", since=_day(start))


def _tell_approved(told: _Told, county: County, parcel: pd.DataFrame, village: Any, moment: datetime) -> None:
    store, key, before = county.store, str(parcel["parcel_id"].iloc[0]), len(told.held)
    happened = _order_steps(county, dict(_units(county, parcel, village)), moment)
    _tell_order_steps(told, "approved", STEPS_APPROVING, happened)
    steps = store.read_where("steps", "parcel_id", key)
    steps = steps[(steps["at"] <= moment) & (steps["act"] != "assign")].sort_values("at", kind="stable")
    for step in steps.to_dict("records"):
        who = step["post"] or step["team_id"] or step["station"] or "–"
        told.say(
            "approved",
            "dossier_step",
            step["at"],
            rows=[("steps", str(step["step_id"]))],
            act=Word(f"what_{step['act']}"),
            who=who,
            note=step["reason"] or step["receipt"] or step["note"] or "–",
        )
    if len(told.held) == before:
        told.say("approved", "dossier_unapproved")


def _tell_order_steps(told: _Told, part: str, kinds: Collection[str], steps: pd.DataFrame) -> None:
    for step in steps[steps["step"].isin([str(kind) for kind in kinds])].to_dict("records"):
        told.say(
            part,
            "dossier_order_step",
            step["at"],
            rows=[("order_steps", str(step["step_id"]))],
            order=step["order_id"],
            step=step["step"],
            post=step["post"],
        )


def _order_steps(county: County, units: dict[str, str], until: datetime) -> pd.DataFrame:
    """What happened to the units' orders until a moment, in order."""
    orders, steps = county.store.read("orders"), county.store.read("order_steps")
    mine = orders.loc[orders["unit_id"].isin(units), "order_id"]
    held = steps[steps["order_id"].isin(mine) & (steps["at"] <= until)]
    return held.sort_values("at", kind="stable")


def _resolved(told: _Told, entries: Sequence[Linked], finds: pd.DataFrame) -> list[Statement]:
    """The statements with their entries, in order of parts and time; late is what came after the first find's entry."""
    wanted = {key for _, rows, _, _ in told.held for key in rows}
    named = _entries_of(entries, wanted)
    by_seq = {entry.seq: entry for entry in entries}
    first_find = min(
        (named[key][0].seq for key in (("finds", str(one)) for one in finds["find_id"]) if key in named), default=None
    )
    found = []
    for one, rows, seqs, first in told.held:
        held = [entry for key in rows for entry in (named.get(key, [])[:1] if first else named.get(key, []))]
        linked = sorted({entry.seq: entry for entry in [*held, *(by_seq[seq] for seq in seqs)]}.items())
        mentions = tuple(_mention(entry) for _, entry in linked)
        late = bool(mentions) and first_find is not None and mentions[0].seq > first_find and one.part not in AFTERWARDS
        found.append(replace(one, mentions=mentions, late=late))
    return found


def _changes(entries: Sequence[Linked], keys: set[Key]) -> list[Statement]:
    """Corrections and conflicts about any record the dossier rests on."""
    found = []
    for entry in (one for one in entries if one.kind in ("correction", "conflict")):
        body = entry.body
        if (body["layer"], body["key"]) in keys:
            changed = [f"{name}: {old} → {new}" for name, (old, new) in body["changed"].items()]
            fields = {"layer": body["layer"], "key": body["key"], "changed": changed, "why": body["reason"]}
            mention = _mention(entry)
            found.append(Statement("changed", mention.at, f"dossier_{entry.kind}", fields, (mention,)))
    return found


def _entries_of(entries: Sequence[Linked], wanted: set[Key]) -> dict[Key, list[Linked]]:
    """The entries that name each of the rows, in order."""
    by_layer: dict[str, set[str]] = {}
    for layer, key in wanted:
        by_layer.setdefault(layer, set()).add(key)
    found: dict[Key, list[Linked]] = {}
    for entry in entries:
        named = digests_named(entry.text)
        for layer in named.keys() & by_layer.keys():
            for key in named[layer].keys() & by_layer[layer]:
                found.setdefault((layer, key), []).append(entry)
    return found


def _mention(entry: Linked) -> Mention:
    account = str(entry.body.get("account", "")) if '"account"' in entry.text else ""
    return Mention(entry.seq, datetime.fromisoformat(entry.at), entry.kind, entry.role, account, entry.hash)


def _passages(looked: Evidence | None, tracks: gpd.GeoDataFrame, place: Any, reach_m: float) -> list[Passage]:
    """The tracks around the place, in metres from it."""
    if not len(tracks):
        return []
    square = shapely.box(place.x - 3 * reach_m, place.y - 3 * reach_m, place.x + 3 * reach_m, place.y + 3 * reach_m)
    near = tracks[tracks.geometry.intersects(square)]
    held = looked.tracks if looked is not None else pd.DataFrame({"track_id": [], "units": []})
    seen = set(held.loc[held["units"] > 0, "track_id"])
    found = []
    for track, mode, line in zip(near["track_id"], near["mode"], near.geometry, strict=True):
        for part in shapely.get_parts(shapely.intersection(shapely.force_2d(line), square)):
            points = shapely.get_coordinates(part) - np.array([place.x, place.y])
            found.append(Passage(points, track in seen, str(mode) == Mode.FOOT))
    return found


def _day(moment: Any) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%d}"


def _file_name(text: str) -> str:
    """An id as part of a file's name."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
