"""
A township's returned bundle taken in: whole or not at all, once however often it comes, alike in whatever order.

Every record is numbered by its content, so that a second copy is known; a plot's state follows from all that is known
of it. What contradicts is kept, and listed for somebody to decide.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd

from geo.analysis.contradictions import Contradiction, contradictions
from geo.errors import FormatError, GeoError, StoreError
from geo.formats import Hints
from geo.formats.bundle import RETURN, Manifest, manifest_of, opened, township_key
from geo.formats.office_sheets import read_office_file
from geo.formats.sniffing import read_bytes
from geo.layers import SCHEMAS
from geo.layers.parcels import SETTLED
from geo.ledger import Entry, Linked
from geo.store import Change
from geo.store.county_key import county_key
from geo.words import Language, say
from geo.workspace.bundling import BROUGHT
from geo.workspace.county import County
from geo.workspace.importing import FileReport, ImportReport, changes_of, import_note, plots_told, read_files
from geo.workspace.photographing import brought_photos
from geo.workspace.recording import unless_moved
from geo.workspace.target_forms import (
    FIND_HEADS,
    TARGET_HEADS,
    TargetForms,
    find_lines,
    is_find_written,
    is_visit_written,
    target_lines,
)  # fmt: skip
from geo.workspace.village_forms import HEADS, VillageForms, form_lines, is_written
from geo.workspace.written_lines import Counts, take_lines

KIND = "bundle"


@dataclass(frozen=True)
class Merged:
    """
    What came of a bundle.

    `entry` is None where nothing in it was new; `new` counts records by layer, `report` every file's lines;
    `contradicts` lists what contradicts among the plots and villages it tells of, `reopened` the plots that were
    re-checked or closed until its finds.
    """

    manifest: Manifest
    entry: Linked | None
    new: dict[str, int]
    report: ImportReport
    contradicts: list[Contradiction]
    reopened: list[str]

    def json(self, language: Language) -> dict[str, Any]:
        """The bundle's part of the answer."""
        return {
            "bundle_id": self.manifest.id,
            "township_id": self.manifest.township_id,
            "ledger_seq": self.entry.seq if self.entry else None,
            "new": self.new,
            **self.report.json(language),
            "contradicts": [{"kind": c.kind, "subject": c.subject, "ids": list(c.ids)} for c in self.contradicts],
            "reopened": self.reopened,
        }

    def sentences(self, language: Language, *, file: str) -> list[str]:
        """The bundle in a few lines: what is new, every file, what contradicts."""
        shown = {"file": file, "township": self.manifest.township}
        counts = {layer: self.new.get(layer, 0) for layer in ("tracks", "visits", "finds")}
        lines = [say("bundle_in_done" if self.entry else "bundle_in_nothing", language, **shown, **counts)]
        lines += [f"  {line}" for line in self.report.sentences(language)]
        lines += [
            "  " + say(one.kind, language, subject=one.subject, ids=" / ".join(one.ids)) for one in self.contradicts
        ]
        return lines + ["  " + say("bundle_reopened", language, parcel=key) for key in self.reopened]


def bundle_in(county: County, path: Path, *, now: datetime) -> Merged:
    """
    Take in a returned bundle: tracks, village forms, target and find forms, photos, in one ledger entry.

    Raises
    ------
    FormatError
        No bundle of this county, or one that is not as it was sealed: nothing of it is taken.
    """
    data = read_bytes(path)
    claimed, _ = manifest_of(data, path.name)
    manifest, files = opened(data, path.name, township_key(county_key(county.path), claimed.township_id))
    if manifest.kind != RETURN:
        raise FormatError("bundle_outgoing", file=path.name)
    for name in files:
        if name.split("/")[0] not in BROUGHT:
            raise FormatError("bundle_file_foreign", file=name, known=" ".join(BROUGHT))
    if not county.store.holds("townships", [manifest.township_id]):
        raise StoreError("township_unknown", value=manifest.township_id)
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            target = Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return unless_moved(lambda: _merge(county, manifest, files, Path(folder), now))


def _merge(county: County, manifest: Manifest, files: dict[str, bytes], folder: Path, now: datetime) -> Merged:
    pictures = {Path(name).name: content for name, content in files.items() if name.startswith("photos/")}
    photos = {name: _sha256(content) for name, content in pictures.items()}
    tracks, track_changes = _tracks(county, manifest, [folder / name for name in files if name.startswith("tracks/")])
    villages = VillageForms.of(county)
    told_at = datetime.fromisoformat(manifest.made_at)
    targets = TargetForms.of(county, manifest.township_id, photos, told_at=told_at, known_lines=_lines_known(county))
    forms = [
        _form(folder / name, villages, targets, manifest.township_id, now)
        for name in files
        if name.startswith("forms/")
    ]
    facts, contradicts, reopened = _facts(county, villages, targets)
    changes = [*track_changes, *facts, *brought_photos(county, pictures, targets.shown, now=now)]
    new = {change.layer: len(change.rows) for change in changes if not change.replace}
    report = ImportReport([*tracks, *forms])
    entry = None
    if changes or targets.kept_lines:
        body = _body(manifest, report, targets, contradicts, photos)
        entry = county.store.append(Entry(KIND, body, "team"), *changes, now=now)
    return Merged(manifest, entry, new, report, contradicts, reopened)


def _body(
    manifest: Manifest, report: ImportReport, targets: TargetForms, contradicts: list[Contradiction],
    photos: dict[str, str],
) -> dict[str, Any]:  # fmt: skip
    """What the ledger says of a bundle."""
    return {
        "bundle_id": manifest.id,
        "township_id": manifest.township_id,
        "made_at": manifest.made_at,
        "answers": manifest.answers,
        "files": [import_note(file) for file in report.files],
        "photos": photos,
        "signed": targets.signed,
        "lines": sorted(targets.kept_lines),
        "contradicts": [[one.kind, one.subject, *one.ids] for one in contradicts],
    }


def _tracks(county: County, manifest: Manifest, paths: list[Path]) -> tuple[list[FileReport], list[Change]]:
    hints = Hints(timezone=county.settings.timezone, township_id=manifest.township_id)
    reports, tables = read_files(county, "tracks", paths, hints)
    return reports, changes_of(county, "tracks", reports, tables)


def _form(path: Path, villages: VillageForms, targets: TargetForms, township_id: str, now: datetime) -> FileReport:
    """One workbook's lines, each to the form it belongs to."""
    counts, digest = Counts(), _sha256(path.read_bytes())
    try:
        heads = {*HEADS, *TARGET_HEADS, *FIND_HEADS}
        file = read_office_file(path, heads.__contains__, sorted(heads))
    except GeoError as error:
        return FileReport(path.name, digest, 0, [], error=error)
    for sheet in file.sheets:
        take_lines(target_lines(sheet), is_visit_written, lambda row: targets.take_visit(row, now), counts)
        take_lines(find_lines(sheet), is_find_written, lambda row: targets.take_find(row, now), counts)
        take_lines(
            form_lines(sheet),
            is_written,
            lambda row: villages.take(row, now, sheet_sha256=digest, township_id=township_id),
            counts,
        )
    return FileReport(file.file, digest, counts.read, counts.refused, other_kinds={"blank": counts.blank})


def _facts(
    county: County, villages: VillageForms, targets: TargetForms
) -> tuple[list[Change], list[Contradiction], list[str]]:
    """Changes of visits, finds and plots, what contradicts among them, and the plots that were settled before."""
    of_villages = {change.layer: change for change in villages.changes()}
    village_visits = [of_villages.pop("visits").rows] if of_villages else []
    visits = _joined("visits", [*village_visits, *targets.visits.values()])
    finds, updated = (_joined("finds", list(held.values())) for held in (targets.finds, targets.updated))
    before = county.store.read("finds", list(updated["find_id"]))
    store_finds = county.store.read("finds")
    untouched = store_finds[~store_finds["find_id"].isin(updated["find_id"])]
    all_visits = _joined("visits", [county.store.read("visits"), visits])
    all_finds = _joined("finds", [untouched, finds, updated])
    told = _joined("finds", [finds, updated[updated["find_id"].isin(targets.newly_told)]])
    newly = set(told["parcel_id"].dropna())
    about = newly | set(visits["parcel_id"].dropna()), set(visits["village_id"].dropna())
    every = {"visits": all_visits, "finds": all_finds, "steps": county.store.read("steps")}
    plots = plots_told(targets.parcels[targets.parcels["parcel_id"].isin(about[0])], every, newly)
    changes = [*of_villages.values(), Change("visits", visits), Change("finds", finds), plots]
    changes.append(Change("finds", updated, replace=True, before=before))
    asked = all_visits["parcel_id"].isin(about[0]) | all_visits["village_id"].isin(about[1])
    found = contradictions(all_visits[asked], all_finds[all_finds["parcel_id"].isin(about[0])])
    held = targets.parcels.set_index("parcel_id")["status"]
    settled = sorted(key for key in newly if held[key] in SETTLED)
    return [change for change in changes if len(change.rows)], sorted({*found, *targets.differing}), settled


def _joined(layer: str, tables: list[Any]) -> gpd.GeoDataFrame:
    """The tables of a layer under one another; an empty one where there is nothing."""
    filled = [gpd.GeoDataFrame(table) for table in tables if len(table)]
    if not filled:
        return gpd.GeoDataFrame(SCHEMAS[layer].conform(pd.DataFrame()))
    return gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=filled[0].crs)


def _lines_known(county: County) -> set[str]:
    """Every word on a destruction that an earlier bundle brought."""
    return {line for entry in county.store.entries() if entry.kind == KIND for line in entry.body["lines"]}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
