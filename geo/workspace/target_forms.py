"""A township's targets and finds as forms: out with what is known, and in again line by line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geo.analysis.contradictions import Contradiction
from geo.crs import to_degrees
from geo.errors import LayerError, StoreError
from geo.formats.office_sheets import OfficeSheet
from geo.layers.finds import METHODS
from geo.layers.finds import SCHEMA as FINDS
from geo.layers.parcels import Status
from geo.layers.visits import DISMISSED, OUTCOMES, Evidence
from geo.layers.visits import SCHEMA as VISITS
from geo.ledger import row_digest
from geo.report.sheets import Paper
from geo.report.target_form import FIND_FILLED, FIND_GIVEN, TARGET_FILLED, TARGET_GIVEN, target_workbook
from geo.season import CHINA, Season
from geo.store.rows import rows_of
from geo.words import Language, say
from geo.workspace.county import County
from geo.workspace.forms import content_id, filled_form
from geo.workspace.photographing import Shown
from geo.workspace.recording import require_coded, require_find, require_visit
from geo.workspace.written_lines import Line, choice_in, heads_of, lines_of, moment_in, number_in, whole_in, yes_in

TARGET_HEADS = heads_of(column.name for column in (*TARGET_GIVEN, *TARGET_FILLED))
FIND_HEADS = heads_of(column.name for column in (*FIND_GIVEN, *FIND_FILLED))
BEYOND_M = 1000.0
STANDING = METHODS[0]
_OF_DESTRUCTION = ("find_id", "method", "fraction", "destroyed_at", "after_sha256")
_ASKED_VISIT = ("visited_on", "outcome", "reason", "persons_n", "hours", "photos", "signed", "post")
_ASKED_FIND = ("found_on", "plants_n", "method", "destroyed_on", "fraction_pct", "photos", "after_photos")


@dataclass
class TargetForms:
    """
    Lines of a township's target and find forms on their way in, and what the county knows of what they name.

    `photos` are the SHA-256 of the pictures that came along, by file name. What was taken lies in `visits`, `finds`
    and `updated` (known finds as they are afterwards), all by id; `newly_told` are those of the latter whose
    destruction is told anew. `kept_lines` are the digests of all words on a destruction, `differing` those for one
    moment that contradict, `signed` the post that signed a visit, `shown` what each picture named on a line shows,
    whether the line is new or known.
    """

    county: County
    township_id: str
    ground: Any
    told_at: datetime
    parcels: gpd.GeoDataFrame
    known_finds: gpd.GeoDataFrame
    known_visits: set[str]
    teams: set[str]
    photos: Mapping[str, str]
    known_lines: set[str]
    visits: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    finds: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    updated: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    newly_told: set[str] = field(default_factory=set)
    differing: set[Contradiction] = field(default_factory=set)
    kept_lines: set[str] = field(default_factory=set)
    signed: dict[str, str] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)

    @classmethod
    def of(
        cls, county: County, township_id: str, photos: Mapping[str, str], *, told_at: datetime, known_lines: set[str]
    ) -> "TargetForms":
        """What the county knows of a township; `told_at` is when the forms were packed."""
        parcels = targets_of(county, township_id)
        return cls(
            county,
            township_id,
            county.store.read("townships", [township_id]).geometry.iloc[0],
            told_at,
            parcels,
            finds_on(county, township_id, parcels),
            set(county.store.read("visits")["visit_id"]),
            set(county.store.read("teams")["team_id"]),
            photos,
            known_lines,
        )

    def take_visit(self, row: Line, now: datetime) -> None:
        """One written line about a target."""
        self._parcel(row)
        photos = self._photos(row, "photos")
        post = row.get("post", "").strip()
        signed = yes_in(row, "signed") and bool(post)
        values = {
            "parcel_id": row.get("parcel_id"),
            "team_id": self._team(row),
            "visited_at": moment_in(row, "visited_on", self.county.season),
            "outcome": choice_in(row, "outcome", OUTCOMES),
            "reason": row.get("reason"),
            "evidence": str(Evidence.B if signed and photos else Evidence.C),
            "persons_n": whole_in(row, "persons_n"),
            "hours": number_in(row, "hours"),
        }
        visit = filled_form(VISITS, values, self.county.crs, now)
        require_visit(rows_of(visit)[0])
        if values["outcome"] == DISMISSED:
            require_coded(row.get("reason"))
        number = content_id("V", VISITS, visit)
        self._show(photos, "现场", visit.assign(visit_id=number))
        if number in self.known_visits or number in self.visits:
            raise LayerError("duplicate", field="parcel_id", value=number)
        self.visits[number] = visit.assign(visit_id=number)
        self.signed |= {number: post} if signed else {}

    def take_find(self, row: Line, now: datetime) -> None:
        """One written line about a find: a new one, or what became of one that is known."""
        if row.get("find_id"):
            self._take_destruction(row, now)
            return
        parcel = self._parcel(row) if row.get("parcel_id") else None
        before, after = self._photos(row, "photos"), self._photos(row, "after_photos")
        values = {
            "parcel_id": row.get("parcel_id"),
            "township_id": self.township_id,
            "team_id": self._team(row),
            "found_by": row.get("found_by") or "自查",
            "found_at": moment_in(row, "found_on", self.county.season),
            "recorded_at": self.told_at,
            "species": row.get("species") or "罂粟",
            "plants_n": whole_in(row, "plants_n"),
            "area_m2": number_in(row, "area_m2"),
            "stage": row.get("stage"),
            "photo_sha256": before[0] if before else None,
            "after_sha256": after[0] if after else None,
            "longitude": row.get("longitude"),
            "latitude": row.get("latitude"),
        }
        values |= {name: row.get(name) for name in ("witnesses", "departments", "case_number")}
        inside = None if parcel is None else parcel.geometry.representative_point().iloc[0]
        find = filled_form(FINDS, values | _destruction(row, self.county.season), self.county.crs, now, inside)
        require_find(rows_of(find)[0])
        self._require_near(find.geometry.iloc[0])
        number = content_id("F", FINDS, find, without=("recorded_at", "verified_at"))
        self._show(before, "铲除前", find.assign(find_id=number))
        self._show(after, "铲除后", find.assign(find_id=number))
        held = self.known_finds[self.known_finds["find_id"] == number]
        if len(held) and held["recorded_at"].iloc[0] > self.told_at:
            self.updated[number] = self.updated.get(number, held).assign(recorded_at=find["recorded_at"].iloc[0])
        if len(held) or number in self.finds:
            raise LayerError("duplicate", field="find_id", value=number)
        self.finds[number] = find.assign(find_id=number)

    def _take_destruction(self, row: Line, now: datetime) -> None:
        """
        What a line says of a known find's destruction; the latest word stands, the others are kept in the ledger.

        Of two words for the same moment the more cautious one stands, and both are listed.
        """
        key = row["find_id"]
        held = self.known_finds[self.known_finds["find_id"] == key]
        if held.empty:
            raise StoreError("find_unknown", field="find_id", value=key)
        photos = self._photos(row, "after_photos")
        self._show(photos, "铲除后", held)
        told = {name: value for name, value in _destruction(row, self.county.season).items() if value is not None}
        digest = row_digest({"find_id": key} | {name: str(value) for name, value in told.items()})[:16]
        if digest in self.known_lines | self.kept_lines or told.get("destroyed_at") is None:
            raise LayerError("duplicate", field="find_id", value=key)
        if pd.notna(held["verified_at"].iloc[0]):
            raise StoreError("find_verified", field="find_id", find=key)
        told |= {"after_sha256": photos[0]} if photos else {}
        stands = self.updated.get(key, held)
        plain = {str(n): v for n, v in stands.iloc[0].items() if n not in _OF_DESTRUCTION and pd.notna(v)}
        after = filled_form(FINDS, plain | told, self.county.crs, now).assign(find_id=key)
        require_find(rows_of(after)[0])
        mine, theirs = _rank(after.iloc[0]), _rank(stands.iloc[0])
        if mine == theirs:
            raise LayerError("duplicate", field="find_id", value=key)
        self.kept_lines.add(digest)
        if mine[0] == theirs[0]:
            words = tuple(sorted(_words(one.iloc[0]) for one in (stands, after)))
            self.differing.add(Contradiction("conflict_destruction", key, words))
        if mine > theirs:
            self.updated[key] = after
            self.newly_told.add(key)

    def _parcel(self, row: Line) -> gpd.GeoDataFrame:
        key = row.get("parcel_id", "")
        found = self.parcels[self.parcels["parcel_id"] == key]
        if found.empty:
            known = self.county.store.holds("parcels", [key])
            raise LayerError("bundle_elsewhere" if known else "parcel_unknown", field="parcel_id", value=key)
        return gpd.GeoDataFrame(found)

    def _team(self, row: Line) -> str | None:
        team = row.get("team_id")
        if self.teams and team not in self.teams:
            raise LayerError("team_unknown", field="team_id", value=team)
        return team

    def _photos(self, row: Line, name: str) -> list[str]:
        """The SHA-256 of the pictures a cell names, in its order."""
        named = row.get(name, "").replace("、", ",").replace("，", ",").replace(";", ",").replace("；", ",").split(",")
        files = [one.strip() for one in named if one.strip()]
        for file in files:
            if file not in self.photos:
                raise LayerError("bundle_photo_missing", field=name, value=file)
        return [self.photos[file] for file in files]

    def _show(self, digests: list[str], shows: str, record: gpd.GeoDataFrame) -> None:
        """Keep in mind that pictures show a visit or a find (one row)."""
        told = {
            name: record[name].iloc[0] for name in ("find_id", "visit_id", "parcel_id", "team_id") if name in record
        }
        about = {name: value for name, value in told.items() if isinstance(value, str)}
        team = about.pop("team_id", None)
        self.shown += [Shown(digest, shows, about, team) for digest in digests]

    def _require_near(self, place: Any) -> None:
        if not shapely.dwithin(self.ground, place, BEYOND_M):
            raise LayerError("bundle_elsewhere", field="longitude", value=f"{place.x:.0f}, {place.y:.0f}")


def target_lines(sheet: OfficeSheet) -> list[tuple[int, Line]]:
    """The lines about targets by their number; none of a sheet that is another form."""
    return _lines(sheet, TARGET_HEADS, ("parcel_id", "visited_on"))


def find_lines(sheet: OfficeSheet) -> list[tuple[int, Line]]:
    """The lines about finds by their number; none of a sheet that is another form."""
    return _lines(sheet, FIND_HEADS, ("find_id", "found_on"))


def is_visit_written(row: Line) -> bool:
    """Whether somebody wrote on a target's line."""
    return any(row.get(name) for name in _ASKED_VISIT)


def is_find_written(row: Line) -> bool:
    """Whether somebody wrote on a find's line; of a known find the day of its destruction counts alone."""
    return bool(row.get("destroyed_on")) if row.get("find_id") else any(row.get(name) for name in _ASKED_FIND)


def targets_of(county: County, township_id: str) -> gpd.GeoDataFrame:
    """The plots of a township: those that carry its code, and those without one that lie on its ground."""
    parcels = gpd.GeoDataFrame(county.store.read("parcels"))
    ground = county.store.read("townships", [township_id])
    if ground.empty:
        raise StoreError("township_unknown", value=township_id)
    inside = parcels["township_id"].isna() & parcels.geometry.representative_point().within(ground.geometry.iloc[0])
    return gpd.GeoDataFrame(parcels[(parcels["township_id"] == township_id) | inside]).reset_index(drop=True)


def finds_on(county: County, township_id: str, parcels: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The finds of a township: on its plots, or written down for it."""
    finds = gpd.GeoDataFrame(county.store.read("finds"))
    mine = (finds["township_id"] == township_id) | finds["parcel_id"].isin(parcels["parcel_id"])
    return gpd.GeoDataFrame(finds[mine]).reset_index(drop=True)


def target_papers(county: County, township_id: str, *, paper: Paper, language: Language = "zh") -> bytes:
    """The workbook of a township's targets that are not closed, and of its finds not wholly destroyed."""
    parcels = targets_of(county, township_id)
    finds = finds_on(county, township_id, parcels)
    due = parcels[parcels["status"] != Status.CLOSED]
    standing = finds[(finds["fraction"] < 1.0) & finds["verified_at"].isna()]
    return target_workbook(
        [_given(row, county, language) for _, row in due.iterrows()],
        [_known(row, county) for _, row in standing.iterrows()],
        paper=paper,
        language=language,
    )


def _given(row: pd.Series, county: County, language: Language) -> dict[str, Any]:
    return {
        "parcel_id": row["parcel_id"],
        "source": say(f"source_{row['source']}", language),
        "flagged_on": _day(row["flagged_at"]),
        "due_on": _day(row["deadline"]),
        "state": say(f"ui_status_{row['status']}", language),
    } | _place(row["geometry"].representative_point(), county)


def _known(row: pd.Series, county: County) -> dict[str, Any]:
    held = {name: row[name] for name in ("find_id", "parcel_id", "team_id", "found_by", "species", "plants_n", "stage")}
    return held | {"found_on": _day(row["found_at"])} | _place(row["geometry"], county)


def _place(point: Any, county: County) -> dict[str, float]:
    longitude, latitude = to_degrees(point.x, point.y, county.crs)
    return {"longitude": round(float(longitude), 6), "latitude": round(float(latitude), 6)}


def _day(moment: Any) -> str | None:
    return None if pd.isna(moment) else f"{moment.tz_convert(CHINA):%Y-%m-%d}"


def _destruction(row: Line, season: Season) -> dict[str, Any]:
    """Method, share and moment of the destruction a line tells; a share left out is the whole."""
    method = row.get("method") or STANDING
    if method == STANDING and not row.get("destroyed_on"):
        return {"method": STANDING, "fraction": 0.0, "destroyed_at": None}
    percent = number_in(row, "fraction_pct")
    share = 1.0 if percent is None else percent / 100.0
    return {"method": method, "fraction": share, "destroyed_at": moment_in(row, "destroyed_on", season)}


def _rank(find: pd.Series) -> tuple[float, float, str]:
    """The order in which words on one find's destruction stand: the latest, then the more cautious."""
    if pd.isna(find["destroyed_at"]):
        return (0.0, 0.0, "")
    return (find["destroyed_at"].timestamp(), -float(find["fraction"]), str(find["method"]))


def _words(find: pd.Series) -> str:
    return f"{find['method']} {find['fraction']:.0%} {find['destroyed_at']:%Y-%m-%dT%H:%MZ}"


def _lines(sheet: OfficeSheet, heads: Mapping[str, str], needed: tuple[str, str]) -> list[tuple[int, Line]]:
    there = {heads.get(head) for levels in sheet.heads for head in levels}
    return lines_of(sheet, heads) if there >= set(needed) else []
