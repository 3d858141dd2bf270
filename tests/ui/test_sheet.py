"""The map as one file: whole, quiet, and closed to what names carry."""

import json
import re
from pathlib import Path

import pytest
from ui_county import NAMES

from geo.ui import routes
from geo.ui.maps import h
from geo.ui.sheet import main, sheet
from geo.workspace.rights import Actor, Denied, Role


def test_the_file_asks_nobody_for_anything(served: Path) -> None:
    page = sheet(routes.opened(served)).decode()
    assert "default-src 'none'" in page
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"""(?:src|href)\s*=""", markup)
    assert set(re.findall(r"url\((?!#)([^)]{5})", page)) <= {"data:"}


def test_it_carries_its_layers_its_date_and_the_ledgers_head(served: Path) -> None:
    county = routes.opened(served)
    head = county.store.head()
    page = sheet(county).decode()
    carried = re.search(r'<script id="carried" type="application/json">(.*?)</script>', page, re.DOTALL)
    assert carried
    given = json.loads(carried.group(1))
    kinds = {one["name"]: one["kind"] for one in given["layers"]}
    assert kinds == {
        "hillshade": "image",
        "pod": "image",
        "tracks": "geojson",
        "townships": "geojson",
        "parcels": "geojson",
    }
    townships = next(one for one in given["layers"] if one["name"] == "townships")
    assert [row["properties"]["label"] for row in townships["rows"]["features"]] == [h(name) for name in NAMES]
    assert head is not None
    assert head.hash in page


def test_no_name_becomes_markup(served: Path) -> None:
    page = sheet(routes.opened(served)).decode()
    assert "<img" not in page.split("<body>")[1].split('<script id="carried"')[0]
    assert page.count("</script>") == page.count("<script") == 4


def test_who_may_take_nothing_out_gets_no_file(served: Path) -> None:
    from dataclasses import replace

    county = replace(routes.opened(served), actor=Actor(Role.TEAM, ("T1",)))
    sheet(replace(county, actor=Actor(Role.COUNTY)))
    with pytest.raises(Denied):
        sheet(replace(county, actor=Actor(Role.TOWNSHIP)))


def test_the_command_writes_the_file_or_says_why_not(
    served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(served), str(tmp_path / "出" / "图.html"), "en"]) == 0
    assert (tmp_path / "出" / "图.html").stat().st_size > 100_000
    assert main([str(tmp_path / "none"), str(tmp_path / "a.html")]) == 1
    assert capsys.readouterr().err
