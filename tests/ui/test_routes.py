import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import shapely
from starlette.applications import Starlette
from ui_county import NAMES, county_frame_of_two, tile_of

from geo.errors import FormatError
from geo.ui import vendor
from geo.ui.maps import h
from geo.ui.routes import MIDDLEWARE, ROUTES

APP = Starlette(routes=ROUTES, middleware=MIDDLEWARE)


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body the app answers a GET with."""
    path, _, query = url.partition("?")
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    asyncio.run(APP(scope, receive, send))
    headers: Sequence[tuple[bytes, bytes]] = sent[0]["headers"]
    body = b"".join(m.get("body", b"") for m in sent[1:])
    return sent[0]["status"], {k.decode().lower(): v.decode() for k, v in headers}, body


@pytest.mark.parametrize("layer", ["hillshade", "pod"])
def test_a_tile_over_the_county_is_a_png_and_carries_the_policy(served: Path, layer: str) -> None:
    x, y = tile_of(county_frame_of_two(), 13)
    status, headers, body = get(f"/geo/tiles/{layer}/13/{x}/{y}.png")
    assert (status, headers["content-type"], body[:8]) == (200, "image/png", b"\x89PNG\r\n\x1a\n")
    assert "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "url",
    [
        "/geo/tiles/zones/13/1/1.png",
        "/geo/tiles/pod/40/1/1.png",
        "/geo/tiles/pod/3/9/1.png",
        "/geo/tiles/pod/-1/0/0.png",
        "/geo/tiles/pod/a/b/c.png",
        "/geo/tiles/pod/3.75/1/1.png",
        "/geo/tiles/../county.gpkg",
        "/geo/layers/leads.geojson",
        "/geo/layers/../../county.toml",
        "/geo/assets/../routes.py",
        "/geo/assets/%2e%2e/routes.py",
        "/geo/assets/..%2froutes.py",
        "/geo/assets//etc/passwd",
    ],
)
def test_what_is_no_tile_layer_or_asset_is_not_found(served: Path, url: str) -> None:
    assert get(url)[0] in (404, 405)


def test_without_a_county_there_is_nothing_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TACHA_COUNTY", raising=False)
    assert get("/geo/tiles/pod/3/1/1.png")[0] == 404
    assert get("/geo/layers/townships.geojson")[0] == 404


def test_township_names_arrive_encoded(served: Path) -> None:
    status, _, body = get("/geo/layers/townships.geojson")
    labels = [feature["properties"]["label"] for feature in json.loads(body)["features"]]
    assert status == 200
    assert labels == [h(name) for name in NAMES]
    assert b"<img" not in body


def test_parcels_carry_a_colour_a_shape_and_their_place_in_degrees(served: Path) -> None:
    rows = json.loads(get("/geo/layers/parcels.geojson?lang=en")[2])["features"]
    assert [row["properties"]["shape"] for row in rows] == ["triangle", "ring"]
    assert rows[0]["properties"]["label"].endswith("<br>flagged")
    east, north = rows[0]["geometry"]["coordinates"]
    assert 104.9 < east < 105.1
    assert 26.7 < north < 26.9


def test_tracks_arrive_as_plain_simplified_lines(served: Path) -> None:
    row = json.loads(get("/geo/layers/tracks.geojson")[2])["features"][0]
    assert row["properties"] == {"t": 76, "m": 59}
    assert all(len(place) == 2 for place in row["geometry"]["coordinates"])
    assert len(row["geometry"]["coordinates"]) == 2


def test_assets_are_copied_once_and_only_with_the_right_digest(tmp_path: Path) -> None:
    source, target = tmp_path / "node_modules", tmp_path / "assets"
    (source / "a").mkdir(parents=True)
    (source / "a" / "b.js").write_bytes(b"1")
    wanted = {"a/b.js": hashlib.sha256(b"1").hexdigest()}
    assert vendor.copy_assets(source, target, wanted) == 1
    assert vendor.copy_assets(source, target, wanted) == 0
    with pytest.raises(FormatError):
        vendor.copy_assets(source, target, {"a/b.js": "00"})
    assert (target / "a" / "b.js").read_bytes() == b"1"


def test_every_script_the_map_names_is_listed_for_copying() -> None:
    from geo.ui.maps import LOCAL

    assert set(LOCAL.values()) <= set(vendor.listed(vendor.LIST.read_text("utf-8")))


def test_the_lock_of_browser_files_names_versions_and_no_addresses() -> None:
    lock = (Path(__file__).parents[2] / "package-lock.json").read_text("utf-8")
    assert "resolved" not in lock
    assert "registry" not in lock


def test_detection_is_drawn_on_the_countys_own_ground_only(served: Path) -> None:
    import numpy as np

    from geo.analysis.zonal import zone_grid
    from geo.store import grids, open_store
    from geo.ui import routes, tiles

    grid = grids.read_grid(served, "pod")
    beyond = zone_grid(open_store(served).read("townships"), grid.frame).values == 0
    shown = routes.picture(served, "pod", routes.grid_time(served, "pod")).levels[0]
    assert beyond.any()
    assert (grid.values[beyond] != tiles.NOTHING).any()
    assert (shown[beyond] == tiles.NOTHING).all()
    assert np.array_equal(shown[~beyond], grid.values[~beyond])


def test_a_townships_name_stands_inside_the_township(served: Path) -> None:
    for feature in json.loads(get("/geo/layers/townships.geojson")[2])["features"]:
        north, east = feature["properties"]["at"]
        assert shapely.contains_xy(shapely.from_geojson(json.dumps(feature["geometry"])), east, north)
