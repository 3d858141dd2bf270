"""`sensors` as a user types it, with no flight on record."""

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from geo.cli.main import main
from geo.workspace.county import open_county


@pytest.mark.parametrize(("words", "said"), [(["--json"], '"flights": []'), (["--lang", "en"], "flights: 0")])
def test_sensors_answers_without_a_flight(
    demo_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.setattr("sys.argv", ["tacha", "--county", str(demo_copy), "sensors", *words])
    with pytest.raises(SystemExit) as left:
        main()
    out = capsys.readouterr().out
    assert not left.value.code
    assert said in out
    if "--json" in words:
        assert all(row["together"] == pytest.approx(row["foot"]) for row in json.loads(out)["townships"])


def test_a_cloud_mask_comes_in_once_and_counts(
    demo_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Class 4 is clear: the western half of the county. The same pass again is a duplicate, and exits with 1."""
    frame = open_county(demo_copy).frame
    mask = np.full(frame.shape, 9, np.uint8)
    mask[:, : frame.cols // 2] = 4
    with rasterio.open(
        tmp_path / "S1.tif", "w", driver="GTiff", height=frame.rows, width=frame.cols, count=1, dtype="uint8",
        crs=frame.crs.to_wkt(), transform=frame.transform,
    ) as target:  # fmt: skip
        target.write(mask, 1)
    words = ["import", "clear", str(tmp_path / "S1.tif"), "--taken-at", "2026-04-02T11:30+08:00", "--pixel", "0.5"]
    told = []
    for more in (["--classes", "4,5"], ["--classes", "4,5"], ["--classes", "7", "--name", "S2"]):
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(demo_copy), "--json", *words, *more])
        with pytest.raises(SystemExit) as left:
            main()
        told.append((left.value.code or 0, json.loads(capsys.readouterr().out)))
    assert [code for code, _ in told] == [0, 1, 1]
    refused = [plain["files"][0]["refused"] for _, plain in told]
    assert [[one["code"] for one in rows] for rows in refused] == [[], ["duplicate"], ["mask_never_clear"]]
    assert all(plain["read"] == plain["accepted"] + plain["refused_n"] for _, plain in told)
    row = open_county(demo_copy).store.read("passes").iloc[0]
    west, _, east, _ = row.geometry.bounds
    assert (west, east) == (frame.west_m, frame.west_m + frame.cols // 2 * frame.cell_m)
