"""靶标吻合率自查: the county's targets against its visits, or a list as it was filed, before anybody inspects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geo.analysis.matching import FORMULA, Fate, Matching, Stand, due_targets, match_visits
from geo.crs import to_degrees, to_metric, wgs84_from_bd09, wgs84_from_gcj02
from geo.errors import LayerError
from geo.formats import Hints, Reading, read
from geo.layers.tracks import fixes_of
from geo.report.self_check import self_check_workbook
from geo.season import CHINA
from geo.words import Language, say
from geo.workspace.county import County
from geo.workspace.papers import paper_of

SOURCES = ("satellite", "drone")
UNMATCHED = (Stand.OPEN, Stand.OVERDUE, Stand.TRIED, Stand.CLAIMED, Stand.MISPLACED)


@dataclass(frozen=True)
class SelfCheck:
    """
    The self-check at a moment.

    `targets` and `visits` are the county's rows with the columns of `Matching`; `reading` is the filed list, where one
    was given; `factor` and `visit_accuracy_m` make the tolerance.
    """

    as_of: datetime
    ledger_head: str | None
    factor: float
    visit_accuracy_m: float
    sources: tuple[str, ...]
    lists: tuple[str, ...]
    targets: gpd.GeoDataFrame
    visits: gpd.GeoDataFrame
    matching: Matching
    reading: Reading | None

    @property
    def unmatched(self) -> gpd.GeoDataFrame:
        """Targets without a match, the one with least time left first."""
        held = self.targets[self.targets["stand"].isin(UNMATCHED)]
        return held.sort_values(["days_left", "parcel_id"], kind="stable").reset_index(drop=True)

    def json(self) -> dict[str, Any]:
        """The self-check as plain values."""
        stands, fates = self.targets["stand"].value_counts(), self.visits["fate"].value_counts()
        unlike = self.visits[self.visits["fate"] != Fate.MATCHED]
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "official": False,
            "formula": FORMULA,
            "assumptions": {
                "match_factor": self.factor,
                "visit_accuracy_m": self.visit_accuracy_m,
                "sources": list(self.sources),
                "lists": list(self.lists),
            },
            "rate": self.matching.rate,
            "on_time_rate": self.matching.on_time_rate,
            "targets_n": len(self.targets),
            "targets": {str(stand): int(stands.get(stand, 0)) for stand in Stand},
            "visits_n": len(self.visits),
            "visits": {str(fate): int(fates.get(fate, 0)) for fate in Fate},
            "shift_m": self.matching.shift_m,
            "filed": None if self.reading is None else _reading_json(self.reading),
            "unvisited": [_plain(row, TARGET_KEYS) for row in self.unmatched.to_dict("records")],
            "matched": [
                _plain(row, TARGET_KEYS)
                for row in self.targets[~self.targets["stand"].isin(UNMATCHED)].to_dict("records")
            ],
            "not_matching": [_plain(row, VISIT_KEYS) for row in unlike.to_dict("records")],
        }


TARGET_KEYS = (
    "parcel_id", "township_id", "stand", "days_left", "deadline", "status", "visit_id", "visited_at", "distance_m",
    "tolerance_m", "tries_n",
)  # fmt: skip
VISIT_KEYS = (
    "visit_id", "team_id", "visited_at", "named", "fate", "parcel_id", "distance_m", "late", "late_d", "other_name",
    "variant",
)  # fmt: skip


def self_check(
    county: County,
    *,
    as_of: datetime | None = None,
    filed: Path | None = None,
    hints: Hints | None = None,
    sources: Sequence[str] = SOURCES,
    lists: Sequence[str] = (),
) -> SelfCheck:
    """
    Match the targets with the visits on record, or with those of a list as it was filed elsewhere.

    Parameters
    ----------
    filed, hints
        A table or vector file of visits (see `geo.formats.read`); it is looked at, not imported.
    sources, lists
        Which parcels are targets: by where they come from, and by the names of their lists where any is given.

    Raises
    ------
    LayerError
        The county has no such targets.
    """
    moment, settings = as_of or county.as_of(), county.settings.plots
    goals = due_targets(gpd.GeoDataFrame(county.store.read("parcels")), sources, lists)
    goals = goals[goals["flagged_at"] <= moment].reset_index(drop=True)
    if goals.empty:
        raise LayerError("targets_none", sources="/".join(sources), lists="/".join(lists) or "–")
    reading = read("visits", filed, _as_filed(county, hints)) if filed else None
    visits = gpd.GeoDataFrame(reading.rows if reading else county.store.read("visits"))
    seen = visits[(visits["visited_at"] <= moment) & (visits["parcel_id"].notna() | visits.geometry.notna())]
    seen = seen.reset_index(drop=True)
    places = _places(county, seen)
    held = gpd.GeoDataFrame(seen.drop(columns="geometry"), geometry=places, crs=county.crs)
    held = held.assign(accuracy_m=settings.visit_accuracy_m)
    # Most visits on record are no checks of targets: those that name none are not tried in other datums.
    asked = places if reading else places.where(seen["parcel_id"].notna().to_numpy(), None)
    found = match_visits(goals, held, factor=settings.match_factor, as_of=moment, variants=_variants(county, asked))
    head = county.store.head()
    return SelfCheck(
        as_of=moment,
        ledger_head=head.hash if head else None,
        factor=settings.match_factor,
        visit_accuracy_m=settings.visit_accuracy_m,
        sources=tuple(sources),
        lists=tuple(lists),
        targets=_targets(goals, held, found),
        visits=_visits(goals, held, found, every=reading is not None),
        matching=found,
        reading=reading,
    )


def self_check_paper(county: County, check: SelfCheck, *, language: Language = "zh") -> bytes:
    """The self-check as a workbook, its rule and tolerance on the first sheet."""
    note = say("self_check_note", language, formula=FORMULA)
    paper = paper_of(county, "self_check_title", check.as_of, check.ledger_head, note, language=language)
    townships = county.store.read("townships")
    names: dict[str, str] = dict(zip(townships["township_id"], townships["name"], strict=True))
    shown = [_target_row(row, names, county, language) for row in check.unmatched.to_dict("records")]
    every = [_target_row(row, names, county, language) for row in check.targets.to_dict("records")]
    filed = [_visit_row(row, language) for row in check.visits.to_dict("records")]
    facts = [{"item": item, "value": value} for item, value in self_check_facts(check, language)]
    return self_check_workbook(facts, every, filed, open_targets=shown, paper=paper, language=language)


def self_check_facts(check: SelfCheck, language: Language) -> list[tuple[str, str]]:
    """The figures with what they rest on, as pairs of words."""
    plain = check.json()
    told = [
        (say("self_check_rate", language), _percent(plain["rate"])),
        (say("self_check_on_time", language), _percent(plain["on_time_rate"])),
        (say("self_check_formula", language), say("self_check_rule", language, formula=FORMULA)),
        (say("self_check_tolerance", language), say("self_check_within", language, factor=check.factor,
                                                    visit=check.visit_accuracy_m)),
        (say("self_check_n", language), str(plain["targets_n"])),
    ]  # fmt: skip
    told += [(say(f"stand_{stand}", language), str(n)) for stand, n in plain["targets"].items()]
    told += [(say(f"fate_{fate}", language), str(n)) for fate, n in plain["visits"].items()]
    if check.matching.shift_m:
        east, north = check.matching.shift_m
        told.append((say("self_check_shift", language),
                     say("self_check_shifted", language, east=f"{east:.0f}", north=f"{north:.0f}")))  # fmt: skip
    if check.reading:
        read_as = _reading_json(check.reading)
        told.append((say("self_check_filed", language), say("self_check_read", language, **read_as)))
    return told


def _as_filed(county: County, hints: Hints | None) -> Hints:
    given = hints or Hints()
    zone = given.timezone or county.settings.timezone
    return replace(given, crs=county.crs, timezone=zone)


def _places(county: County, seen: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Where each visit was made: its own place, else its track's place at its time, else None."""
    shapes = gpd.GeoSeries(seen.geometry, crs=county.crs)
    points = shapes.representative_point().where(shapes.notna(), None)
    lacking = seen.index[shapes.isna() & seen["track_id"].notna()]
    if len(lacking):
        tracks = county.whole.store.read("tracks", sorted(set(seen.loc[lacking, "track_id"])))
        walked = dict(_fixes(gpd.GeoDataFrame(tracks)))
        for row in lacking:
            points[row] = _place_at(walked.get(seen.loc[row, "track_id"]), seen.loc[row, "visited_at"])
    return gpd.GeoSeries(points.to_numpy(), crs=county.crs)


def _fixes(tracks: gpd.GeoDataFrame) -> list[tuple[str, np.ndarray]]:
    """Per track its fixes as (n, 3): seconds since 1970, easting, northing."""
    fixes = fixes_of(tracks)
    found = []
    for number, key in enumerate(tracks["track_id"]):
        mine = fixes.loc[fixes["track"] == number, ["seconds", "easting_m", "northing_m"]]
        found.append((str(key), mine.to_numpy(float)))
    return found


def _place_at(fixes: Any, moment: pd.Timestamp) -> Any:
    """The place of a track at a moment between two of its fixes; None before, after, or without it."""
    when = moment.timestamp()
    if fixes is None or not len(fixes) or not fixes[0, 0] <= when <= fixes[-1, 0]:
        return None
    return shapely.Point(np.interp(when, fixes[:, 0], fixes[:, 1]), np.interp(when, fixes[:, 0], fixes[:, 2]))


def _variants(county: County, places: gpd.GeoSeries) -> dict[str, Any]:
    """The places as they were had somebody typed GCJ-02 or BD-09 for WGS 84, or exchanged the axes."""
    held = places.notna().to_numpy()
    here = places.to_numpy()[held]
    east, north = shapely.get_x(here), shapely.get_y(here)
    degrees = to_degrees(east, north, county.crs)
    moved = {
        "gcj02": to_metric(*wgs84_from_gcj02(*degrees), county.crs),
        "bd09": to_metric(*wgs84_from_bd09(*degrees), county.crs),
        "axes": (north, east),
    }
    found = {}
    for name, (x, y) in moved.items():
        shapes = np.full(len(places), None, object)
        shapes[held] = shapely.points(x, y)
        found[name] = shapes
    return found


def _targets(goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, found: Matching) -> gpd.GeoDataFrame:
    told = goals.join(found.targets)
    at = told["visit"].to_numpy(int)
    ids, times = seen["visit_id"].to_numpy(object), seen["visited_at"]
    told["visit_id"] = [ids[n] if n >= 0 else None for n in at]
    told["visited_at"] = [times.iloc[n] if n >= 0 else None for n in at]
    return gpd.GeoDataFrame(told)


def _visits(goals: gpd.GeoDataFrame, seen: gpd.GeoDataFrame, found: Matching, *, every: bool) -> gpd.GeoDataFrame:
    """The visits with what became of them; without those about other ground, unless `every` one counts as filed."""
    told = seen.rename(columns={"parcel_id": "named"}).join(found.visits)
    keys = goals["parcel_id"].to_numpy(object)
    told["parcel_id"] = [keys[n] if n >= 0 else None for n in told["target"]]
    about = every | told["named"].notna() | (told["fate"] != Fate.STRAY)
    return gpd.GeoDataFrame(told[about].reset_index(drop=True))


def _reading_json(reading: Reading) -> dict[str, Any]:
    refused = [{"row": one.row, "field": one.field, "code": one.code, "reason": say(one.code, **one.details)}
               for one in reading.refused]  # fmt: skip
    return {"file": reading.file, "sha256": reading.sha256, "read": reading.read, "accepted": reading.accepted,
            "refused_n": len(refused), "refused": refused, "datum": reading.datum}  # fmt: skip


def _plain(row: dict[Any, Any], keys: Sequence[str]) -> dict[str, Any]:
    """The row's values under these keys as JSON takes them."""
    return {key: _value(row.get(key)) for key in keys}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return None if pd.isna(value) else value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Stand | Fate):
        return str(value)
    return None if isinstance(value, float) and value != value else value


def _target_row(row: dict[Any, Any], names: dict[str, str], county: County, language: Language) -> dict[str, Any]:
    place = row["geometry"].representative_point()
    longitude, latitude = (float(v) for v in to_degrees(place.x, place.y, county.crs))
    plain = _plain(row, TARGET_KEYS)
    return plain | {
        "township": names.get(row["township_id"], row["township_id"]),
        "stand": say(f"stand_{row['stand']}", language),
        "state": say(f"ui_status_{row['status']}", language),
        "flagged_on": _day(row["flagged_at"]),
        "due_on": _day(row["deadline"]),
        "visited_on": _minute(row["visited_at"]),
        "longitude": longitude,
        "latitude": latitude,
    }


def _visit_row(row: dict[Any, Any], language: Language) -> dict[str, Any]:
    plain = _plain(row, VISIT_KEYS)
    remarks = [say("fate_other_name", language)] if row["other_name"] else []
    remarks += [say(f"variant_{plain['variant']}", language)] if plain["variant"] else []
    late = plain["late_d"] if row["late"] else None
    return plain | {
        "fate": say(f"fate_{row['fate']}", language),
        "visited_on": _minute(row["visited_at"]),
        "late_days": late,
        "remark": "；".join(remarks),
    }


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100.0 * share:.1f}%"


def _day(moment: Any) -> str | None:
    return None if moment is None or pd.isna(moment) else f"{moment.astimezone(CHINA):%Y-%m-%d}"


def _minute(moment: Any) -> str | None:
    return None if moment is None or pd.isna(moment) else f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"
