"""`dem-range` as a user types it."""

import json
from pathlib import Path

import pytest

from geo.cli.main import main


@pytest.mark.parametrize("words", [["--json"], ["--lang", "en"]])
def test_the_dem_range_is_printed(
    measured_demo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tacha", "--county", str(measured_demo), "dem-range", *words])
    with pytest.raises(SystemExit) as left:
        main()
    out = capsys.readouterr().out
    assert not left.value.code
    if words == ["--json"]:
        assert all(row["low"] <= row["detection"] <= row["high"] for row in json.loads(out)["townships"])
    else:
        assert "smoothed terrain" in out
