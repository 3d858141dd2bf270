"""`sensors` as a user types it, with no flight on record."""

import json
from pathlib import Path

import pytest

from geo.cli.main import main


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
