"""What a township brings back, as a bundle: lines of forms as CSV, a track as GPX, pictures of a few bytes."""

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pandas as pd
import shapely

from geo.crs import to_degrees
from geo.formats.bundle import RETURN, Manifest, sealed
from geo.ledger import Entry, moment_text
from geo.store import Change
from geo.workspace.bundling import key_for
from geo.workspace.county import County
from geo.workspace.recording import record_find

TOWN, OTHER = "520525001", "520525002"
START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 20, tzinfo=UTC)
PACKED = datetime(2026, 4, 10, tzinfo=UTC)
VISITS = ("地块编号", "踏查日期", "队伍代码", "结果", "原因或备注", "人数", "照片文件", "已签字", "签字岗位")
FINDS = (
    "发现编号", "地块编号", "队伍代码", "发现时间", "株数", "生长期", "铲除方式", "铲除率（%）", "铲除时间",
    "照片文件", "铲除后照片",
)  # fmt: skip
VILLAGES = ("村代码", "队伍代码", "踏查日期", "结果", "人数", "地类")


def with_targets(county: County) -> County:
    """The two townships' county with plots P1 to P3 in the first and Q1 in the second; P3 has a find still standing."""
    keys = ["靶P1", "靶P2", "靶P3", "靶Q1"]
    plain = {"parcel_id": keys, "township_id": [TOWN] * 3 + [OTHER], "source": "satellite", "source_id": "list"}
    places = [shapely.Point(5.02e5 + 500 * n, 2.955e6) for n in range(3)] + [shapely.Point(5.15e5, 2.955e6)]
    parcels = gpd.GeoDataFrame(plain, geometry=places, crs=4544).assign(
        flagged_at=pd.Timestamp(START), status="flagged", accuracy_m=15.0
    )
    county.store.append(Entry("import"), Change("parcels", parcels), now=START)
    values = {"parcel_id": "靶P3", "team_id": "T1", "found_at": START, "plants_n": 40, "stage": "开花期"}
    record_find(county.store, values, now=START)
    return county


def standing(county: County) -> str:
    """The id of the find on P3."""
    return str(county.store.read("finds")["find_id"].iloc[0])


def table(heads: tuple[str, ...], lines: list[dict[str, object]]) -> bytes:
    """Lines of a form as CSV under its heads."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, heads)
    writer.writeheader()
    writer.writerows(lines)  # type: ignore[arg-type]
    return stream.getvalue().encode("utf-8-sig")


def gpx(county: County, first: float, *, day: int = 5) -> bytes:
    """A walk of ten fixes eastwards in the first township, `first` metres from its corner."""
    longitude, latitude = to_degrees([5.01e5 + first + 20 * n for n in range(10)], [2.951e6] * 10, county.crs)
    begin = datetime(2026, 4, day, 2, tzinfo=UTC)
    points = "".join(
        f'<trkpt lat="{y:.7f}" lon="{x:.7f}"><time>{begin + timedelta(seconds=30 * n):%Y-%m-%dT%XZ}</time></trkpt>'
        for n, (x, y) in enumerate(zip(longitude, latitude, strict=True))
    )
    return (
        '<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1">'
        f"<trk><trkseg>{points}</trkseg></trk></gpx>"
    ).encode()


def returned(
    county: County, folder: Path, files: dict[str, bytes], *, packed: datetime = PACKED, town: str = TOWN
) -> Path:
    """These files as a returned bundle, in a file of its own."""
    plain = Manifest(RETURN, county.settings.name, town, "凉水乡", moment_text(packed))
    content = sealed(plain, files, key_for(county, town))
    path = folder / f"{len(list(folder.glob('*.zip')))}.zip"
    path.write_bytes(content)
    return path
