from pathlib import Path

import pytest
from typed import Tacha

from geo.cli.main import main


@pytest.fixture
def typed_county(demo_copy: Path) -> Path:
    """The county that `tacha` is typed on."""
    return demo_copy


@pytest.fixture
def tacha(typed_county: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command on the county: exit code, what was printed, what was complained."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(typed_county), *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run
