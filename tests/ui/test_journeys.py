"""Days of work through the functions pages call: a plan becomes coverage, an eradication reaches the committee."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from shared_counties import MADE_OF, copy_of

from geo.formats import Hints
from geo.workspace.county import County, open_county
from geo.workspace.covering import measure_coverage
from geo.workspace.importing import import_files
from geo.workspace.planning import export_routes, kept_routes
from geo.workspace.recording import record_destruction, record_find, record_verification

GPX = "{http://www.topografix.com/GPX/1/1}"
START = datetime(2026, 5, 21, 1, tzinfo=UTC)


@pytest.fixture
def county(small_demo: Path, tmp_path: Path) -> County:
    """The small demo county with one day's plan accepted."""
    path = copy_of(small_demo, tmp_path / "示例 县", *MADE_OF)
    return open_county(Path(path))


def walked(route: bytes, start: datetime, pace_s: float) -> bytes:
    """The line of a planned route as a phone would have recorded it: a fix at each vertex, `pace_s` seconds apart."""
    read = etree.fromstring(route)
    places = [(p.get("lat"), p.get("lon")) for kind in ("trkpt", "rtept") for p in read.iter(f"{GPX}{kind}")]
    times = [f"{start + timedelta(seconds=n * pace_s):%Y-%m-%dT%H:%M:%SZ}" for n in range(len(places))]
    fixes = "".join(
        f'<trkpt lat="{lat}" lon="{lon}"><time>{time}</time></trkpt>'
        for (lat, lon), time in zip(places, times, strict=True)
    )
    head = '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="phone"><trk><trkseg>'
    return f"{head}{fixes}</trkseg></trk></gpx>".encode()


@pytest.mark.slow
def test_an_accepted_plan_walked_and_handed_in_raises_detection(county: County, tmp_path: Path) -> None:
    """Download the day's GPX, walk it at a searching pace, upload it: detection rises, and falls nowhere."""
    routes = kept_routes(county)[0].sort_values("length_m")
    route = routes.iloc[0]
    handed = export_routes(county, "gpx", day=route["day"], team_id=route["team_id"])
    name, content = next((name, held) for name, held in handed.items() if b"<trk>" in held)
    moment = START + timedelta(hours=12)  # one moment for both: alerts fade by the hour
    before = measure_coverage(county, as_of=moment).townships.set_index("township_id")["detection"].fillna(0.0)
    fixes = content.count(b"<trkpt")
    pace_s = 3600.0 * float(route["length_m"]) / 1000.0 / max(fixes - 1, 1)
    file = tmp_path / Path(name).name
    file.write_bytes(walked(content, START, min(pace_s, 60.0)))
    report = import_files(county, "tracks", [file], Hints(team_id=route["team_id"]), now=moment)
    assert report.files[0].accepted == report.files[0].read > 0
    after = measure_coverage(county, as_of=moment).townships.set_index("township_id")["detection"].fillna(0.0)
    assert (after >= before - 1e-9).all()
    assert after.sum() > before.sum()


@pytest.mark.slow
def test_an_eradication_with_photographs_stands_in_the_ledger_and_before_the_committee(county: County) -> None:
    """Found, pulled up, gone back to: three entries, each in the chain, and the facts of the year tell of it."""
    parcel = county.store.read("parcels").iloc[0]
    team = county.store.read("teams")["team_id"].iloc[0]
    before, entries = measure_coverage(county).county, len(county.store.entries())
    photo = hashlib.sha256(b"a photograph").hexdigest()
    values = {"parcel_id": parcel["parcel_id"], "team_id": team, "found_at": START, "plants_n": 40, "stage": "开花期",
              "photo_sha256": photo}  # fmt: skip
    found = record_find(county.store, values, now=START)
    standing = measure_coverage(county).county
    assert standing["finds_standing_n"] == before["finds_standing_n"] + 1
    pulled = {"method": "强制铲除", "fraction": 1.0, "destroyed_at": START + timedelta(hours=3), "after_sha256": photo}
    record_destruction(county.store, found.id, pulled, now=START + timedelta(hours=4))
    record_verification(county.store, found.id, now=START + timedelta(days=8), at=START + timedelta(days=8))
    told = measure_coverage(county).county
    assert (told["finds_n"], told["finds_standing_n"]) == (before["finds_n"] + 1, before["finds_standing_n"])
    assert len(county.store.entries()) == entries + 3
    assert photo in county.store.entries()[entries].text
    assert county.store.verify().ok
