"""The demo county on disk: the same files and the same ledger every time, and nothing of one that was interrupted."""

from pathlib import Path

import pytest

from geo.errors import StoreError
from geo.workspace.county import open_county
from geo.workspace.demonstrating import make_demo


def quiet(what: str, done: int, total: int) -> None:
    """Nobody looks on."""


def test_the_same_seed_gives_the_same_files_and_the_same_ledger(measured_demo: Path, tmp_path: Path) -> None:
    """Byte for byte, the road package's last change included; the heads differ by nothing."""
    again, _ = make_demo(tmp_path / "again", size="small", seed=7, progress=quiet)
    for folder in ("inputs", "truth"):
        ours = {p.relative_to(measured_demo): p for p in sorted((measured_demo / folder).rglob("*")) if p.is_file()}
        theirs = {p.relative_to(again.path) for p in (again.path / folder).rglob("*") if p.is_file()}
        assert set(ours) == theirs
        assert [str(name) for name, p in ours.items() if p.read_bytes() != (again.path / name).read_bytes()] == []
    assert again.store.head() == open_county(measured_demo).store.head()


def test_an_interrupted_demo_leaves_nothing(tmp_path: Path) -> None:
    """Stopped once the inputs are written: the folder it was made in is as empty as before."""

    def stop(what: str, done: int, total: int) -> None:
        if what == "import":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "demo", size="small", seed=3, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("held", ["notes.txt", "inputs/dem.tif", "county.gpkg"])
def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, held: str) -> None:
    """Whatever lies there: an old demo's inputs never mix with a new one's."""
    file = tmp_path / "demo" / held
    file.parent.mkdir(parents=True)
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError) as told:
        make_demo(tmp_path / "demo", size="small", seed=3, progress=quiet)
    assert told.value.code == ("county_exists" if held == "county.gpkg" else "folder_not_empty")
    assert [p for p in (tmp_path / "demo").rglob("*") if p.is_file()] == [file]
