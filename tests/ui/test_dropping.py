"""Files dropped on the data page: none is lost beside another, and none stays on disk when the server has ended."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from geo.ui.routes import prepared
from geo.ui.views.data import _laid_down

pytestmark = pytest.mark.filterwarnings("ignore:Implicitly cleaning up:ResourceWarning")
"""Folders go with the cache that holds them, which is how they are meant to go."""


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    yield
    st.cache_resource.clear()


def test_two_files_of_one_name_are_both_there_and_one_file_dropped_twice_is_there_once() -> None:
    """Two recorders call their file the same."""
    laid = _laid_down([("track.gpx", b"one"), ("track.gpx", b"two"), ("track.gpx", b"one")])
    assert sorted((path.name, path.read_bytes()) for path in laid) == [("track.gpx", b"one"), ("track.gpx", b"two")]


def test_a_table_named_as_a_shapefile_is_a_file_of_its_own() -> None:
    laid = _laid_down([(f"乡镇.{part}", part.encode()) for part in ("dbf", "shp", "shx", "xlsx")])
    assert [path.name for path in laid] == ["乡镇.shp", "乡镇.xlsx"]
    assert (laid[0].parent / "乡镇.dbf").read_bytes() == b"dbf"


def test_a_file_lies_where_it_lay_when_another_is_dropped_beside_it() -> None:
    (first,) = _laid_down([("a.gpx", b"one")])
    assert first in _laid_down([("b.gpx", b"two"), ("a.gpx", b"one")])


def test_nothing_dropped_stays_on_disk_when_the_server_stops() -> None:
    """Tracks of patrols are nobody's to find in a folder for temporary files."""
    laid: list[Path] = []

    async def serve() -> None:
        async with prepared(None):
            laid.extend(_laid_down([("track.gpx", b"one")]))
            assert laid[0].is_file()

    asyncio.run(serve())
    assert not laid[0].parent.exists()
