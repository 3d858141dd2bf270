"""Files into the store: every record is either accepted or refused with a reason, and the counts add up."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.analysis.plot_life import status_told
from geo.analysis.sensors import clear_shape
from geo.errors import FormatError, GeoError, StoreError
from geo.formats import Hints, Reading, read, read_cover, read_terrain
from geo.formats.door import SHAPEFILE_PARTS
from geo.formats.values import require_timezone
from geo.grid import Grid
from geo.layers import SCHEMAS
from geo.layers.parcels import SETTLED
from geo.layers.steps import Act
from geo.ledger import Entry
from geo.schema import Refusal
from geo.store import Change
from geo.store import grids as stored_grids
from geo.store.contract import Row
from geo.store.rows import rows_of
from geo.words import Language, say
from geo.workspace import processes
from geo.workspace.county import County
from geo.workspace.forms import CLOCK_SLACK, require_team
from geo.workspace.recording import unless_moved
from geo.workspace.rights import Action, require

Progress = Callable[[str, int, int], None]
LISTED_REFUSALS = 5


@dataclass(frozen=True)
class FileReport:
    """What became of one file."""

    file: str
    sha256: str
    read: int
    refused: list[Refusal]
    held_as_route_n: int = 0
    other_kinds: dict[str, int] = field(default_factory=dict)
    datum: str | None = None
    encoding: str | None = None
    app: str | None = None
    warnings: tuple[str, ...] = ()
    error: GeoError | None = None
    notes: tuple[tuple[str, dict[str, Any]], ...] = ()

    @property
    def accepted(self) -> int:
        return self.read - len(self.refused)

    @property
    def needs_datum(self) -> bool:
        """Whether nothing was read because the file does not say its datum and nobody else did."""
        return any(said == "datum_needed" for said in (self.error.code if self.error else "", *self._codes))

    @property
    def _codes(self) -> set[str]:
        return {refusal.code for refusal in self.refused}

    def json(self, language: Language) -> dict[str, Any]:
        """The file's part of the import contract."""
        reasons = [
            {"row": r.row, "field": r.field, "code": r.code, "reason": say(r.code, language, **r.details)}
            for r in self.refused
        ]
        plain = {
            "file": self.file,
            "sha256": self.sha256,
            "read": self.read,
            "accepted": self.accepted,
            "refused": reasons,
            "held_as_route_n": self.held_as_route_n,
            "other_kinds": self.other_kinds,
            "datum": self.datum,
            "encoding": self.encoding,
            "app": self.app,
            "warnings": list(self.warnings),
            "notes": [{"code": code, "note": say(code, language, **told)} for code, told in self.notes],
        }
        if self.error:
            plain["error"] = {"code": self.error.code, "reason": say(self.error.code, language, **self.error.fields)}
        return plain

    def sentences(self, language: Language) -> list[str]:
        """The file in a few lines: one for the counts, one per kind of refusal."""
        lines = [
            say("import_counts", language, file=self.file, read=self.read, accepted=self.accepted, n=len(self.refused))
        ]
        if self.error:
            lines.append("  " + say(self.error.code, language, **self.error.fields))
        if not self.read and not self.error:
            held = {"waypoints": 0, "routes": 0, "tracks": 0} | self.other_kinds
            lines.append("  " + say("import_nothing" if any(held.values()) else "import_none", language, **held))
        if self.held_as_route_n:
            lines.append("  " + say("import_routes", language, n=self.held_as_route_n))
        kinds = Counter((r.field, r.code) for r in self.refused)
        for (name, code), count in kinds.most_common():
            one = next(r for r in self.refused if (r.field, r.code) == (name, code))
            why = say(code, language, **one.details)
            if name == "file":
                lines.append(f"  {why}")
                continue
            lines.append("  " + say("import_refused", language, n=count, field=name, why=why, row=one.row))
        lines += ["  " + say(warning, language) for warning in self.warnings]
        lines += ["  " + say(code, language, **told) for code, told in self.notes]
        return lines


@dataclass(frozen=True)
class ImportReport:
    """What became of all files of one import."""

    files: list[FileReport]

    @property
    def accepted(self) -> int:
        return sum(file.accepted for file in self.files)

    def sentences(self, language: Language) -> list[str]:
        """Every file in a few lines, and the sum of several."""
        lines = [line for file in self.files for line in file.sentences(language)]
        if len(self.files) > 1:
            plain = self.json(language)
            counts = {"n": plain["refused_n"]} | {name: plain[name] for name in ("read", "accepted")}
            lines.append(say("import_total", language, files=len(self.files), **counts))
        return lines

    def with_second(self, later: "ImportReport") -> "ImportReport":
        """This report with the files that needed a datum as a later import, told the datum, left them."""
        again = iter(later.files)
        return ImportReport([next(again) if file.needs_datum else file for file in self.files])

    def json(self, language: Language = "zh") -> dict[str, Any]:
        """The import contract of conventions.md."""
        return {
            "files": [file.json(language) for file in self.files],
            "read": sum(file.read for file in self.files),
            "accepted": self.accepted,
            "refused_n": sum(len(file.refused) for file in self.files),
        }


def listed(paths: Sequence[Path], *, beside: Path | None = None) -> list[Path]:
    """
    The files to read: a folder stands for every file in it and below, by name.

    Hidden files and the companions of shapefiles are no files of their own. A county (`beside`) that lies in a folder
    is left out of it. An empty folder among others stands for itself, so that it is reported with them.

    Raises
    ------
    FormatError
        Where nothing but empty folders is given.
    """
    own = beside.resolve() if beside else None
    files: list[Path] = []
    for path in paths:
        if not path.is_dir():
            files.append(path)
            continue
        found = [file for file in sorted(path.rglob("*")) if file.is_file() and _counts(file, path)]
        if own and path.resolve() in own.parents:
            found = [file for file in found if own not in file.resolve().parents]
        files += found or [path]
    empty = [path.name or str(path) for path in files if path.is_dir()]
    if empty and len(empty) == len(files):
        raise FormatError("folder_empty", folder="、".join(empty))
    return files


def _counts(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and not (file.suffix.lower() in SHAPEFILE_PARTS and file.with_suffix(".shp").is_file())


def told_of(county: County, layer: str) -> dict[str, Any]:
    """
    What the county itself tells a reader of a layer, as fields of `Hints`, the same for every file.

    Its CRS, the ground beyond which nothing is taken, and the ids that rows may name.

    A further township may lie as far off as the county is wide: exclaves do. A neighbour touches the county.
    """
    west, south, east, north = county.frame.bounds
    wide, high = (east - west, north - south) if layer == "townships" else (0.0, 0.0)
    homes = _township_codes(county) if layer == "villages" else frozenset()
    named = _on_record(county) if layer in ("visits", "finds") else {}
    within = (west - wide, south - high, east + wide, north + high)
    return {"crs": county.crs, "homes": homes, "on_record": named, "within": within}


def _on_record(county: County) -> dict[str, frozenset[str]]:
    """
    The ids that visits and finds may name. A track is evidence: one that is not there is none.

    Teams, villages and parcels are asked about once there are any; a village also by its code on the register.
    """
    store = county.store
    units, aliases = store.read("units"), store.read("aliases")
    held = {
        f"{layer[:-1]}_id": set(store.read(layer)[f"{layer[:-1]}_id"]) for layer in ("teams", "villages", "parcels")
    }
    enrolled = set(units.loc[units["unit_kind"] == "village", "unit_id"])
    held["village_id"] |= enrolled | set(aliases.loc[aliases["unit_id"].isin(enrolled | held["village_id"]), "alias"])
    asked = {column: frozenset(map(str, ids)) for column, ids in held.items() if ids}
    return asked | {"track_id": frozenset(map(str, store.read("tracks")["track_id"]))}


def _township_codes(county: County) -> frozenset[str]:
    """Codes of the townships the county knows: drawn, on its register, or earlier codes of those."""
    drawn, units, aliases = (county.store.read(layer) for layer in ("townships", "units", "aliases"))
    listed = units.loc[units["unit_kind"] == "township", "unit_id"]
    earlier = aliases.loc[(aliases["alias_kind"] == "代码") & aliases["unit_id"].isin(listed), "alias"]
    return frozenset(str(code) for codes in (drawn["township_id"], listed, earlier) for code in codes)


def import_files(
    county: County, layer: str, paths: Sequence[Path], hints: Hints, *, now: datetime, progress: Progress | None = None
) -> ImportReport:
    """
    Read files into a layer, in one transaction: an interruption leaves the store as it was.

    Returns
    -------
    ImportReport
        Per file read = accepted + refused; a file that cannot be read at all is reported, not raised.
    """
    _require_known(county, layer, hints)
    told = replace(hints, latest=now + CLOCK_SLACK)
    reports, tables = read_files(county, layer, paths, told, progress=progress)

    def written() -> None:
        changes = changes_of(county, layer, reports, tables)
        if changes:
            notes = [import_note(report) for report in reports]
            county.store.append(Entry("import", {"layer": layer, "files": notes}), *changes, now=now)

    unless_moved(written)
    return ImportReport(reports)


def _require_known(county: County, layer: str, hints: Hints) -> None:
    """Refuse a team, township or time zone nobody has heard of before any file is read: as a rule mistyped."""
    township, team, zone = hints.township_id, hints.team_id, hints.timezone
    beyond = set(county.store.read("neighbours")["neighbour_id"]) if township else set()
    if township and layer == "tracks" and township not in _township_codes(county) | beyond:
        raise StoreError("township_unknown", value=township)
    if "team_id" in SCHEMAS[layer].names and layer != "teams":
        require_team(county.store, team)
    if zone:
        require_timezone(zone)


def read_files(
    county: County, layer: str, paths: Sequence[Path], hints: Hints, *, progress: Progress | None = None
) -> tuple[list[FileReport], list[pd.DataFrame]]:
    """What became of each file, and the rows accepted from it; nothing is written."""
    known = set(county.store.read(layer)[SCHEMAS[layer].key])
    plain = replace(hints, **told_of(county, layer))
    teams = county.store.read("teams").set_index("team_id")["township_id"].to_dict() if layer == "tracks" else {}

    def one(path: Path) -> tuple[FileReport, pd.DataFrame]:
        return _read_one(layer, path, _from_folder(plain, path, teams), known)

    # Of tracks alone what an earlier file brought can be told from the rows: their ids are made from all they hold.
    work = processes.each(one, paths) if layer == "tracks" else (one(path) for path in paths)
    reports, tables = [], []
    with closing(work) as found:
        for number, path in enumerate(paths):
            if progress:
                progress(path.name, number, len(paths))
            report, rows = next(found)
            if len(rows) and not known.isdisjoint(rows[SCHEMAS[layer].key]):
                report, rows = one(path)
            known |= set(rows[SCHEMAS[layer].key]) if len(rows) else set()
            reports.append(report)
            tables.append(rows)
    return reports, tables


def changes_of(county: County, layer: str, reports: list[FileReport], tables: list[pd.DataFrame]) -> list[Change]:
    """Everything accepted and refused, as the store takes it; nothing where there is nothing new."""
    held = [table for table in tables if len(table)]
    refusals = _refusals(reports, layer, set(county.store.read("refusals")["refusal_id"]))
    changes = [Change("refusals", refusals)] if len(refusals) else []
    if held:
        joined = pd.concat(held, ignore_index=True)
        joined = gpd.GeoDataFrame(joined, crs=county.crs) if SCHEMAS[layer].geometry else joined
        changes.append(Change(layer, _as_told(county, joined) if layer == "parcels" else joined))
        if layer in ("visits", "finds"):
            changes += _plots_moved(county, layer, joined)
    return changes


def _plots_moved(county: County, layer: str, rows: pd.DataFrame) -> list[Change]:
    """The parcels that new visits or finds name, in the state that all that is known of them leads to."""
    before = county.store.read("parcels", sorted(set(rows["parcel_id"].dropna())))
    if before.empty:
        return []
    told = known_of_plots(county)
    newly = _newly_found(before, rows, told) if layer == "finds" else set()
    told[layer] = pd.concat([told[layer], rows], ignore_index=True)
    plots = plots_told(before, told, newly)
    return [plots] if len(plots.rows) else []


def _as_told(county: County, plots: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """New parcels in the state that visits and finds lead to which named them before they were on record."""
    told = known_of_plots(county)
    return _told(plots, told, _newly_found(plots, told["finds"], told))[0]


def _newly_found(before: gpd.GeoDataFrame, rows: pd.DataFrame, told: Mapping[str, pd.DataFrame]) -> set[str]:
    """
    The parcels among `before` on which the finds `rows` say something new.

    A step by which one was looked at again, or closed, says so of what was found before it: an older find, brought in
    later, is no new one. One that came settled, without a step or a verified find, was so when it was flagged.
    """
    settled = before[before["status"].isin(SETTLED)]
    steps = told["steps"][told["steps"]["act"].isin([Act.RECHECK, Act.CLOSE])]
    verified = told["finds"].loc[told["finds"]["verified_at"].notna(), "parcel_id"]
    came_so = settled[~settled["parcel_id"].isin([*steps["parcel_id"], *verified])]
    last = steps.groupby("parcel_id")["at"].max().to_dict() | came_so.set_index("parcel_id")["flagged_at"].to_dict()
    settled_at = {key: last[key] for key in settled["parcel_id"] if key in last}
    found = zip(rows["parcel_id"], rows["found_at"], strict=True)
    return {key for key, at in found if key not in settled_at or at > settled_at[key]} & set(before["parcel_id"])


def known_of_plots(county: County) -> dict[str, pd.DataFrame]:
    """All visits, finds and steps on record, as `plots_told` takes them."""
    return {layer: county.store.read(layer) for layer in ("visits", "finds", "steps")}


def plots_told(before: gpd.GeoDataFrame, told: Mapping[str, pd.DataFrame], newly: set[str]) -> Change:
    """
    The parcels among `before` whose state, or reason of dismissal, follows otherwise from all that is `told` of them.

    `told` holds all visits, finds and steps; `newly` names the parcels of which a find, or word of one, is new; see
    `plot_life.status_told`.
    """
    before = before.reset_index(drop=True)
    after, changed = _told(before, told, newly)
    return Change("parcels", after[changed], replace=True, before=before[changed])


def _told(
    before: gpd.GeoDataFrame, told: Mapping[str, pd.DataFrame], newly: set[str]
) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.bool_]]:
    """The parcels as `plots_told` has them, and which of them changed."""
    keys = set(before["parcel_id"])
    about: dict[str, dict[str, list[Row]]] = {layer: {} for layer in ("visits", "finds", "steps")}
    for layer, mine in about.items():
        for row in rows_of(told[layer][told[layer]["parcel_id"].isin(keys)]):
            mine.setdefault(row["parcel_id"], []).append(row)
    after = before.reset_index(drop=True)
    changed = np.zeros(len(after), bool)
    for number, parcel in enumerate(rows_of(before)):
        key, held = parcel["parcel_id"], parcel["status"]
        known = (mine.get(key, []) for mine in about.values())
        status, reason = status_told(key, held, *known, newly_found=key in newly)
        if status != held or (reason is not None and reason != parcel["reason"]):
            after.loc[number, ["status", "reason"]] = [str(status), reason]
            changed[number] = True
    return after, changed


def import_terrain(
    county: County,
    elevation: Sequence[Path],
    cover: Sequence[Path],
    *,
    now: datetime,
    datum: str | None = None,
    band: int | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """
    Elevation models and ground cover onto the county's frame, as grids; the unit of counting is the file.

    What a file does not reach keeps the value it had, so tiles may come one by one.

    Raises
    ------
    Denied
        The county was opened by somebody who may not import layers; no grid is touched.
    """
    require(county.actor, Action.LAYERS)
    reports: list[FileReport] = []
    for name, paths in (("elevation", elevation), ("cover", cover)):
        for path in paths:
            if progress:
                progress(path.name, len(reports), len(elevation) + len(cover))
            reports.append(_lay(county, name, path, datum, band))
    accepted = [import_note(report) for report in reports if report.accepted]
    if accepted:
        county.store.append(Entry("import", {"layer": "terrain", "files": accepted}), now=now)
    return ImportReport(reports)


def import_mask(
    county: County,
    path: Path,
    *,
    pass_id: str,
    taken_at: datetime,
    pixel_m: float,
    clear: Sequence[int] = (1,),
    now: datetime,
    datum: str | None = None,
) -> ImportReport:
    """
    A satellite pass somebody has read, from a raster of its clear ground: the cells of the classes `clear`.

    Clear ground beyond the county's frame is cut off; a mask without any is refused.
    """
    try:
        mask, sources = read_cover([path], county.frame, datum=datum)
        shown = Grid(np.isin(mask.values, list(clear)), mask.frame)
        if not shown.values.any():
            raise FormatError("mask_never_clear", file=path.name, classes=", ".join(map(str, clear)))
        row = {"pass_id": pass_id, "taken_at": pd.Timestamp(taken_at), "pixel_m": pixel_m, "source": path.name}
        if pass_id in set(county.store.read("passes")["pass_id"]):
            raise FormatError("duplicate", value=pass_id)
    except GeoError as error:
        refusal = Refusal(1, "file", error.code, dict(error.fields))
        return ImportReport([FileReport(path.name, _digest(path), 1, [refusal])])
    table = gpd.GeoDataFrame([row], geometry=[clear_shape(shown)], crs=county.crs)
    report = FileReport(path.name, sources[0].sha256, 1, [], datum=sources[0].crs)
    entry = Entry("import", {"layer": "passes", "files": [import_note(report)]})
    county.store.append(entry, Change("passes", SCHEMAS["passes"].conform(table)), now=now)
    return ImportReport([report])


def _lay(county: County, name: str, path: Path, datum: str | None, band: int | None) -> FileReport:
    """One raster over what the county has."""
    try:
        if name == "elevation":
            grid, _, sources = read_terrain([path], county.frame, datum=datum, band=band)
            given = np.isfinite(grid.values)
        else:
            grid, sources = read_cover([path], county.frame, datum=datum, band=band)
            given = grid.values > 0
    except GeoError as error:
        return FileReport(path.name, _digest(path), 1, [Refusal(1, "file", error.code, dict(error.fields))])
    if stored_grids.has_grid(county.path, name):
        old = stored_grids.read_grid(county.path, name)
        if old.frame == grid.frame:
            grid = Grid(np.where(given, grid.values, old.values), grid.frame)
    stored_grids.write_grid(county.path, name, grid)
    return FileReport(path.name, sources[0].sha256, 1, [], datum=sources[0].crs)


def _read_one(layer: str, path: Path, hints: Hints, known: set[str]) -> tuple[FileReport, pd.DataFrame]:
    """One file through the door; what the county holds already and what lies outside it is refused there."""
    try:
        reading = read(layer, path, replace(hints, known=frozenset(known)))
    except GeoError as error:
        return FileReport(path.name, _digest(path), 0, [], error=error), pd.DataFrame()
    return file_report(reading), reading.rows


def _digest(path: Path) -> str:
    """The sha-256 of a file that could not be read as a layer; empty where there is none to be had."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _from_folder(hints: Hints, path: Path, teams: dict[Any, Any]) -> Hints:
    """Team and township by the names of the file's folders, where not given."""
    team = hints.team_id or next((p.name for p in path.parents if p.name in teams), None)
    township = hints.township_id or (teams.get(team) if team else None)
    mode = "vehicle" if path.stem.endswith("-vehicle") else hints.mode
    return replace(hints, team_id=team, township_id=township, mode=mode)


def _refusals(reports: list[FileReport], layer: str, known: set[str]) -> pd.DataFrame:
    rows = [
        {
            "refusal_id": f"{report.sha256[:16]}:{layer}:{r.row}:{r.field}",
            "layer": layer,
            "file": report.file,
            "sha256": report.sha256,
            "row": str(r.row),
            "field": r.field,
            "code": r.code,
            "details": json.dumps(r.details, ensure_ascii=False, default=str),
        }
        for report in reports
        for r in report.refused
        if r.code != "duplicate"
    ]
    table = SCHEMAS["refusals"].conform(pd.DataFrame(rows, columns=SCHEMAS["refusals"].names))
    fresh = table[~table["refusal_id"].isin(known)].drop_duplicates("refusal_id")
    return fresh.reset_index(drop=True)


def file_report(reading: Reading) -> FileReport:
    """What became of a file that was read."""
    return FileReport(
        reading.file,
        reading.sha256,
        reading.read,
        list(reading.refused),
        reading.held_as_route_n,
        dict(reading.other_kinds),
        reading.datum,
        reading.encoding,
        reading.app,
        tuple(reading.warnings),
        notes=reading.notes,
    )


def import_note(report: FileReport) -> dict[str, object]:
    plain = report.json("en")
    return {k: plain[k] for k in ("file", "sha256", "read", "accepted", "datum", "encoding", "app")} | {
        "refused_n": len(report.refused)
    }
