from pathlib import Path

import pytest
from typed import Tacha

from geo.cli.main import main


@pytest.fixture
def tacha(demo_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command on the copied demo county: exit code, what was printed, what was complained."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(demo_copy), *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run
