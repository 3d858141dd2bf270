"""Bundles for townships without a network: packed by the county, opened and answered by the township."""

import json
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import geopandas as gpd

from geo.errors import FormatError, StoreError
from geo.formats import gpx_out, kml_out
from geo.formats.bundle import MANIFEST, OUT, RETURN, Manifest, opened, sealed, township_key
from geo.formats.sniffing import read_bytes
from geo.layers.parcels import Status
from geo.ledger import Entry, moment_text
from geo.report.sheets import Paper
from geo.store.county_key import county_key
from geo.store.durable import write_file
from geo.words import Language, say
from geo.workspace.county import County
from geo.workspace.handing import route_files
from geo.workspace.ordering import season_tasks
from geo.workspace.papers import form_book, orders_by_township, paper_of
from geo.workspace.planning import kept_routes
from geo.workspace.target_forms import target_papers, targets_of

BROUGHT = {
    "tracks": (".gpx", ".kml", ".kmz", ".ovkml", ".ovjsn", ".geojson", ".json", ".csv", ".xlsx", ".zip", ".parquet"),
    "forms": (".xlsx", ".csv"),
    "photos": (".jpg", ".jpeg", ".png", ".heic", ".webp"),
}


def bundle_out(county: County, township_id: str, *, now: datetime, language: Language = "zh") -> tuple[Manifest, bytes]:
    """
    Everything a township needs to work without a network, sealed with its key; the ledger notes that it went out.

    In it: the township's boundary, routes, targets that are not closed (GPX, KML, GeoJSON) and forms; nothing of
    any other township.
    """
    ground = county.store.read("townships", [township_id])
    if ground.empty:
        raise StoreError("township_unknown", value=township_id)
    head = county.store.head()
    name = str(ground["name"].iloc[0])
    plain = Manifest(
        OUT, county.settings.name, township_id, name, moment_text(now), ledger_head=head.hash if head else None
    )
    files = dict(_files(county, township_id, name, now, language))
    content = sealed(plain, files, key_for(county, township_id))
    manifest, _ = opened(content, name, key_for(county, township_id))
    body = {"bundle_id": manifest.id, "township_id": township_id, "files": manifest.files}
    county.store.append(Entry("bundle_out", body), now=now)
    return manifest, content


def key_for(county: County, township_id: str) -> bytes:
    """The key a township opens its bundles and seals its returns with; it is handed over apart from them."""
    if not county.store.holds("townships", [township_id]):
        raise StoreError("township_unknown", value=township_id)
    return township_key(county_key(county.path), township_id)


def open_bundle(file: Path, key: bytes, folder: Path) -> Manifest:
    """
    Lay a checked bundle out in a new or empty folder, with places for what is to be brought back.

    Raises
    ------
    FormatError
        The bundle is not as it was sealed, or the folder holds something already.
    """
    manifest, files = opened(read_bytes(file), file.name, key)
    if folder.exists() and any(folder.iterdir()):
        raise FormatError("bundle_folder_taken", folder=folder)
    for name in BROUGHT:
        (folder / name).mkdir(parents=True, exist_ok=True)
    plain = {"bundle_id": manifest.id, "county": manifest.county, "ledger_head": manifest.ledger_head}
    plain |= {"township_id": manifest.township_id, "township": manifest.township}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_file(folder / name, content)
    write_file(folder / MANIFEST, json.dumps(plain, ensure_ascii=False, indent=1).encode())
    return manifest


def pack_return(folder: Path, key: bytes, *, now: datetime) -> tuple[Manifest, bytes]:
    """
    What a township brings back: tracks, filled-in forms and photos of a folder made by `open_bundle`.

    Raises
    ------
    FormatError
        The folder is none of these, holds nothing to bring back, or a file that has no place there.
    """
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
        county, township_id, township = (str(told[name]) for name in ("county", "township_id", "township"))
        answers, head = str(told["bundle_id"]), told["ledger_head"]
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise FormatError("bundle_folder_foreign", folder=folder) from wrong
    files = dict(_brought(folder))
    if not files:
        raise FormatError("bundle_nothing", folder=folder)
    plain = Manifest(RETURN, county, township_id, township, moment_text(now), ledger_head=head, answers=answers)
    content = sealed(plain, files, key)
    return opened(content, folder.name, key)[0], content


def _brought(folder: Path) -> Iterator[tuple[str, bytes]]:
    for kind, suffixes in BROUGHT.items():
        for path in sorted((folder / kind).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or path.name.startswith((".", "~$")):
                continue
            if path.suffix.lower() not in suffixes:
                raise FormatError("bundle_file_foreign", file=name, known=" ".join(suffixes))
            yield unicodedata.normalize("NFC", name), path.read_bytes()


def _files(
    county: County, township_id: str, name: str, now: datetime, language: Language
) -> Iterator[tuple[str, bytes]]:
    yield "说明.txt", (say("bundle_readme", "zh") + "\n\n" + say("bundle_readme", "en") + "\n").encode()
    ground = gpd.GeoDataFrame(county.store.read("townships", [township_id]))
    yield "township.geojson", _geojson(ground[["township_id", "name", "geometry"]])
    yield from _routes(county, township_id)
    yield from _targets(county, township_id, language)
    moment, head = county.as_of(), county.store.head()
    orders = season_tasks(county)
    mine = orders[orders["township_id"] == township_id]
    for number in sorted(mine["round"].unique()):
        listed = orders_by_township(county, int(number)).get(name, [])
        if listed:
            book = form_book(county, int(number), name, listed, as_of=moment, language=language)
            yield f"forms/踏查记录表-第{number}轮-{name}.xlsx", book
    note = say("target_note", language)
    mark = head.hash if head else None
    paper: Paper = paper_of(county, "target_title", moment, mark, note, language=language, township=name)
    yield f"forms/靶标与发现登记表-{name}.xlsx", target_papers(county, township_id, paper=paper, language=language)


def _routes(county: County, township_id: str) -> Iterator[tuple[str, bytes]]:
    routes, stops = kept_routes(county)
    teams = county.store.read("teams")
    own = routes["team_id"].isin(teams.loc[teams["township_id"] == township_id, "team_id"])
    for position, row in routes[own | (routes["township_id"] == township_id)].iterrows():
        mine = stops[stops["route_id"] == row["route_id"]].sort_values("order_n")
        for name, content in route_files(county, routes.loc[[position]], mine):
            yield f"routes/{name}", content


def _targets(county: County, township_id: str, language: Language) -> Iterator[tuple[str, bytes]]:
    parcels = targets_of(county, township_id)
    parcels = parcels[parcels["status"] != Status.CLOSED].reset_index(drop=True)
    if parcels.empty:
        return
    notes = [say(f"ui_status_{status}", language) for status in parcels["status"]]
    points = gpd.GeoDataFrame(
        {"name": parcels["parcel_id"], "note": notes}, geometry=parcels.representative_point(), crs=county.crs
    )
    yield "targets/targets.gpx", gpx_out.write_places(points, county.crs)
    yield "targets/targets.kml", kml_out.write_places(points, county.crs)
    shown = ["parcel_id", "source", "flagged_at", "deadline", "status", "accuracy_m", "geometry"]
    yield "targets/targets.geojson", _geojson(gpd.GeoDataFrame(parcels[shown]))


def _geojson(rows: gpd.GeoDataFrame) -> bytes:
    return str(rows.to_crs(4326).to_json(ensure_ascii=False, default=str)).encode()
