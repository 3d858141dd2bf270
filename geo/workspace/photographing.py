"""Photos taken in: originals kept, time and place from the file or typed from its watermark, and what agrees."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geo.analysis.photo_checks import Beside, alike, beside_track
from geo.crs import to_degrees, to_metric
from geo.errors import FormatError, GeoError, LayerError, StoreError
from geo.formats.datum import datum_of
from geo.formats.photo import Photo, read_photo
from geo.formats.sniffing import read_bytes
from geo.layers.photos import EXIF, NOTHING, SCHEMA, SHOWS, WATERMARK
from geo.layers.tracks import fixes_of
from geo.ledger import Entry, Source, row_digest
from geo.season import CHINA
from geo.store import Change, photos
from geo.store.rows import is_writable
from geo.words import Language, explain
from geo.workspace.county import County
from geo.workspace.forms import require_team
from geo.workspace.rights import Action, require

ABOUT = {"parcel_id": "parcels", "visit_id": "visits", "find_id": "finds", "village_id": "villages"}
UNKNOWN = {
    "parcels": "parcel_unknown",
    "visits": "visit_unknown",
    "finds": "find_unknown",
    "villages": "village_unknown",
}


@dataclass(frozen=True)
class PhotoIn:
    """
    A photo to be taken in, and what somebody typed about it.

    Parameters
    ----------
    file, content
        Its name and its bytes.
    about
        Some of ``parcel_id, visit_id, find_id, village_id``.
    taken_at, longitude, latitude, datum
        As printed on the watermark (抄录自水印): the datum has to be said (``wgs84``, ``gcj02``, ``bd09`` …). What the
        file's own EXIF says comes first.
    unread
        Why there is no content: the file is not there, empty or too large.
    """

    file: str
    content: bytes
    about: dict[str, str] = field(default_factory=dict)
    team_id: str | None = None
    shows: str = SHOWS[0]
    taken_at: datetime | None = None
    longitude: float | None = None
    latitude: float | None = None
    datum: str | None = None
    unread: GeoError | None = None


@dataclass(frozen=True)
class Taken:
    """What became of one photo: its id, whether it is new, or why it was refused."""

    file: str
    photo_id: str | None = None
    sha256: str | None = None
    is_new: bool = False
    error: GeoError | None = None

    def json(self, language: Language) -> dict[str, Any]:
        """As plain values."""
        why = explain(self.error, language) if self.error else None
        plain = {"file": self.file, "photo_id": self.photo_id, "sha256": self.sha256, "new": self.is_new}
        return plain | {"code": self.error.code if self.error else None, "reason": why}


def add_photos(
    county: County, given: Sequence[PhotoIn], *, now: datetime, role: str = "team", source: Source | None = None
) -> list[Taken]:
    """
    Take photos in: originals kept by content first, then all rows in one ledger entry; one bad file stops no other.

    The same picture for the same plot, visit, find or village is known already; for another one it is a row of its own,
    and `like_photos` names the two.
    """
    require(county.actor, Action.RECORD)
    taken, rows, known = [], [], set()
    for one in given:
        try:
            row = _row(county, one, now)
        except GeoError as wrong:
            taken.append(Taken(one.file, error=wrong))
            continue
        key = str(row["photo_id"])
        fresh = key not in known and not county.store.holds("photos", [key])
        known.add(key)
        taken.append(Taken(one.file, key, str(row["sha256"]), fresh))
        rows += [row] if fresh else []
    if rows:
        body = {"photos": {str(row["photo_id"]): row["sha256"] for row in rows}}
        county.store.append(Entry("photos", body, role, source), Change("photos", _table(county, rows)), now=now)
    return taken


def _table(county: County, rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    plain = pd.DataFrame([{name: value for name, value in row.items() if name != "geometry"} for row in rows])
    return SCHEMA.conform(gpd.GeoDataFrame(plain, geometry=[row["geometry"] for row in rows], crs=county.crs))


@dataclass(frozen=True)
class Shown:
    """What a picture is said to show: its SHA-256, one of ``layers.photos.SHOWS``, and what and whom it is about."""

    sha256: str
    shows: str
    about: dict[str, str]
    team_id: str | None


def brought_photos(
    county: County, pictures: Mapping[str, bytes], shown: Sequence[Shown], *, now: datetime
) -> list[Change]:
    """
    The pictures of a returned bundle, by name: originals kept, and a row, where it is new, for all that each shows.

    The rows follow from what the bundle itself says, never from what is on record: bundles add up in any order. A file
    that cannot be looked at is kept all the same; one that shows nothing named has a row of its own.
    """
    rows: dict[str, dict[str, Any]] = {}
    for file, content in sorted(pictures.items()):
        try:
            read = read_photo(content, file, timezone=county.settings.timezone)
        except FormatError:
            read = Photo(Path(file).suffix.lower())
        digest = photos.keep_original(county.path, content, read.suffix, read.thumbnail)
        named = [one for one in shown if one.sha256 == digest] or [Shown(digest, SHOWS[0], {}, None)]
        for one in sorted(named, key=lambda one: SHOWS.index(one.shows)):
            row = _filled(county, PhotoIn(file, content, one.about, one.team_id, one.shows), read, digest, now)
            rows.setdefault(str(row["photo_id"]), row)
    held = county.store.holds("photos", list(rows))
    fresh = [row for number, row in rows.items() if number not in held]
    return [Change("photos", _table(county, fresh))] if fresh else []


def photos_of(files: Sequence[Path], **about: Any) -> list[PhotoIn]:
    """Photo files as `add_photos` takes them, all about the same; folders give the pictures in them."""
    pictures = []
    for path in files:
        inner = [one for one in sorted(path.rglob("*")) if one.is_file() and not one.name.startswith(".")]
        pictures += inner if path.is_dir() else [path]
    return [_brought(path, about) for path in pictures]


def _brought(path: Path, about: dict[str, Any]) -> PhotoIn:
    """One file as it is, or why it cannot be read: it is refused like any other and stops none."""
    name = _name_of(path)
    try:
        return PhotoIn(name, read_bytes(path), **about)
    except FormatError as wrong:
        return PhotoIn(name, b"", **about, unread=wrong)


def _name_of(path: Path) -> str:
    """A file's name as Unicode: archives packed under Chinese Windows leave names in its own code (GB 18030)."""
    name = os.fsencode(path.name)
    try:
        return name.decode() if is_writable(path.name) else name.decode("gb18030")
    except UnicodeDecodeError:
        return name.decode(errors="replace")


def _row(county: County, one: PhotoIn, now: datetime) -> dict[str, Any]:
    """The photo's row, its original kept."""
    if one.unread is not None:
        raise one.unread
    about = {name: value for name, value in one.about.items() if value}
    for name, key in about.items():
        if name not in ABOUT:
            raise LayerError("record_field_unknown", field=name, known="/".join(ABOUT))
        if not len(county.store.read(ABOUT[name], [key])):
            raise StoreError(UNKNOWN[ABOUT[name]], value=key)
    if one.team_id is not None and not is_writable(one.team_id):
        raise LayerError("record_value_bad", field="team_id", value=ascii(one.team_id))
    require_team(county.store, one.team_id)
    if one.shows not in SHOWS:
        raise LayerError("value_unknown", value=one.shows, known="/".join(SHOWS))
    read = read_photo(one.content, one.file, timezone=county.settings.timezone)
    _moment(read, one, now), _place(county, read, one)  # refuse before anything is kept
    digest = photos.keep_original(county.path, one.content, read.suffix, read.thumbnail)
    return _filled(county, replace(one, about=about), read, digest, now)


def _filled(county: County, one: PhotoIn, read: Photo, digest: str, now: datetime) -> dict[str, Any]:
    """The row of a photo whose original is kept."""
    moment, time_by = _moment(read, one, now)
    place, placed_by, datum = _place(county, read, one)
    about = one.about
    identity = row_digest({"sha256": digest, **about})
    return {
        "photo_id": "H" + identity[:15], "sha256": digest, "file": one.file, "bytes_n": len(one.content),
        "likeness": read.likeness, "shows": one.shows, **dict.fromkeys(ABOUT), **about, "team_id": one.team_id,
        "taken_at": moment, "time_by": time_by, "placed_by": placed_by, "datum": datum, "added_at": now,
        "geometry": place,
    }  # fmt: skip


def _moment(read: Photo, one: PhotoIn, now: datetime) -> tuple[datetime | None, str]:
    if read.taken_at is not None:
        return read.taken_at, EXIF
    if one.taken_at is None:
        return None, NOTHING
    if one.taken_at.tzinfo is None:
        raise LayerError("photo_time_zone", value=one.taken_at)
    if one.taken_at > now:
        raise StoreError("time_future", field="taken_at", value=one.taken_at)
    return one.taken_at, WATERMARK


def _place(county: County, read: Photo, one: PhotoIn) -> tuple[Any, str, str | None]:
    """Where it was taken, metres; who says so; and in which datum it was told."""
    if read.longitude is not None and read.latitude is not None:
        return _point(county, read.longitude, read.latitude), EXIF, "wgs84"
    if one.longitude is None or one.latitude is None:
        return None, NOTHING, None
    source = datum_of(one.datum, what=one.file)
    degrees = np.array([one.longitude]), np.array([one.latitude])
    longitude, latitude = degrees if source.move is None else source.move(*degrees)
    return _point(county, float(longitude[0]), float(latitude[0])), WATERMARK, source.name


def _point(county: County, longitude: float, latitude: float) -> Any:
    east, north = to_metric(longitude, latitude, county.crs)
    if not np.isfinite([east, north]).all():
        raise LayerError("outside")
    return shapely.Point(float(east), float(north))


def photo_findings(county: County, photo_ids: Collection[str] | None = None) -> list[dict[str, Any]]:
    """
    What photos (None: all on record) agree with: their team's track then, their plot or village, the file as kept.

    ``code`` of the track (`analysis.photo_checks.Beside`), metres from it and from what it is about, and whether the
    original is there unchanged (``kept``). A photo without time, place or track is not a false one.
    """
    held = gpd.GeoDataFrame(county.store.read("photos", None if photo_ids is None else list(photo_ids)))
    settings = county.settings.plots
    fixes = {team: _fixes(county, team) for team in held["team_id"].dropna().unique()}
    tables = {layer: county.store.read(layer).set_index(SCHEMA_KEYS[layer]) for layer in ABOUT.values()}
    found = []
    for row in held.to_dict("records"):
        here = row["geometry"]
        placed = here is not None and not here.is_empty
        place = (float(here.x), float(here.y)) if placed else None
        seconds = None if pd.isna(row["taken_at"]) else row["taken_at"].timestamp()
        team = row["team_id"]
        walked = fixes[team] if team in fixes else np.zeros((0, 3))
        beside = beside_track(place, seconds, walked, within_s=settings.photo_gap_s, within_m=settings.photo_off_m)
        found.append(_finding(county, row, beside, _away(row, tables) if placed else None, settings.photo_off_m))
    return found


SCHEMA_KEYS = {"parcels": "parcel_id", "visits": "visit_id", "finds": "find_id", "villages": "village_id"}


def _finding(county: County, row: dict[Any, Any], beside: Beside, away: Any, off_m: float) -> dict[str, Any]:
    about, metres = away or (None, None)
    path = photos.original(county.path, row["sha256"])
    kept = "missing" if path is None else "intact" if photos.is_intact(path) else "changed"
    plain = {
        name: row[name] for name in ("photo_id", "file", "sha256", "team_id", "time_by", "placed_by", "datum", *ABOUT)
    }
    return plain | {
        "taken_at": None if pd.isna(row["taken_at"]) else row["taken_at"].isoformat(),
        "code": beside.code,
        "track_m": None if beside.distance_m is None else round(beside.distance_m, 1),
        "gap_s": None if beside.gap_s is None else round(beside.gap_s, 1),
        "about": about,
        "about_m": None if metres is None else round(metres, 1),
        "far": metres is not None and metres > off_m and about != "village_id",
        "kept": kept,
    }


def _away(row: dict[Any, Any], tables: dict[str, pd.DataFrame]) -> tuple[str, float] | None:
    """What a photo is about that has a place, and how far from it it was taken."""
    for name, layer in ABOUT.items():
        key = row[name]
        shape = tables[layer]["geometry"].get(key) if isinstance(key, str) and key in tables[layer].index else None
        if shape is not None and not shape.is_empty:
            return name, float(shapely.distance(shape, row["geometry"]))
    return None


def _fixes(county: County, team_id: str) -> npt.NDArray[np.float64]:
    """Every fix of a team: seconds, easting, northing, in order of time."""
    tracks = gpd.GeoDataFrame(county.store.read_where("tracks", "team_id", team_id))
    if tracks.empty:
        return np.zeros((0, 3))
    fixes = fixes_of(tracks)[["seconds", "easting_m", "northing_m"]].to_numpy(float)
    return fixes[np.argsort(fixes[:, 0], kind="stable")]


def like_photos(county: County) -> list[dict[str, Any]]:
    """
    Pictures that look alike although they are of different plots, villages or visits, the most alike first.

    Alike is not the same: the two stand side by side for somebody to look at.
    """
    held = county.store.read("photos")
    rows = held.to_dict("records")
    found = []
    for one, two, bits in alike(list(held["likeness"]), county.settings.plots.photo_like_bits):
        first, second = rows[one], rows[two]
        if any(_same(first[name], second[name]) for name in ("parcel_id", "visit_id", "find_id")):
            continue
        if first["sha256"] == second["sha256"] and not (_is_about(first) and _is_about(second)):
            continue  # brought once for something and once alone
        names = ("photo_id", "file", "sha256", "team_id", "parcel_id", "visit_id", "find_id", "village_id")
        found.append(
            {
                "bits": bits,
                "same_file": first["sha256"] == second["sha256"],
                "photos": [
                    {name: row[name] for name in names} | {"day": _day(row["taken_at"])} for row in (first, second)
                ],
            }
        )
    return sorted(found, key=lambda pair: (not pair["same_file"], pair["bits"]))


def plot_photos(county: County, parcel_id: str) -> list[dict[str, Any]]:
    """
    The photos of a plot, its visits and finds, the first taken first: `photo_findings` with ``shows`` and ``path``.

    ``path`` is the small copy that can be looked at; None where there is none.
    """
    store, photos_held = county.store, county.store.read("photos")
    mine = photos_held["parcel_id"] == parcel_id
    for layer in ("visits", "finds"):
        key = SCHEMA_KEYS[layer]
        mine |= photos_held[key].isin([row[key] for row in store.rows_where(layer, "parcel_id", parcel_id)])
    held = photos_held[mine].sort_values(["taken_at", "photo_id"], na_position="last").set_index("photo_id")
    found = {row["photo_id"]: row for row in photo_findings(county, list(held.index))}
    return [
        found[str(key)] | {"shows": row["shows"], "path": photos.thumbnail(county.path, row["sha256"])}
        for key, row in held.iterrows()
    ]


def place_of(county: County, row: dict[Any, Any]) -> tuple[float | None, float | None]:
    """Longitude and latitude of a photo's row, WGS 84 degrees."""
    here = row["geometry"]
    if here is None or here.is_empty:
        return None, None
    longitude, latitude = to_degrees(here.x, here.y, county.crs)
    return round(float(longitude), 7), round(float(latitude), 7)


def _is_about(row: dict[Any, Any]) -> bool:
    return any(isinstance(row[name], str) for name in ABOUT)


def _same(one: Any, two: Any) -> bool:
    return isinstance(one, str) and one == two


def _day(moment: Any) -> str | None:
    return None if pd.isna(moment) else f"{moment.astimezone(CHINA):%Y-%m-%d %H:%M}"
