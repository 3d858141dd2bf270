"""`ledger head|verify|proof|check` as an auditor types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made_county import small_county

from geo.cli.main import main

Tacha = Callable[..., tuple[int, str, str]]


@pytest.fixture
def tacha(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Tacha:
    """Run a command on a county of three parcels: exit code, what was printed, what was complained."""
    small_county(tmp_path / "county").close()

    def run(*words: object, county: str = "county") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tacha", "--county", str(tmp_path / county), *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


def test_an_auditor_proves_a_plot_with_what_is_printed(tacha: Tacha, tmp_path: Path) -> None:
    """The proof's check needs no county, only the root from paper; another root is refused by name."""
    paper = json.loads(tacha("ledger", "head", "--json")[1])
    file = tmp_path / "proof.json"
    assert tacha("ledger", "proof", "P1", "--out", file)[0] == 0
    assert tacha("ledger", "check", file, "--root", paper["root"], county="none")[0] == 0
    code, out, _ = tacha("ledger", "check", file, "--root", paper["hash"], "--json", county="none")
    assert (code, json.loads(out)["code"]) == (1, "proof_path")


def test_a_published_head_is_typed_as_it_is_printed(tacha: Tacha) -> None:
    """Blanks and capitals do not matter; another head is not in the ledger; a short one is refused in words."""
    head = json.loads(tacha("ledger", "head", "--json")[1])["hash"]
    assert tacha("ledger", "verify", "--head", " ".join(head[i : i + 8].upper() for i in range(0, 64, 8)))[0] == 0
    code, out, _ = tacha("ledger", "verify", "--head", "f" * 64, "--json")
    assert (code, json.loads(out)["code"]) == (1, "ledger_head")
    code, _, why = tacha("ledger", "verify", "--head", "abc")
    assert (code, "64" in why) == (1, True)


@pytest.mark.parametrize("content", ["[]", "nothing", "{}"])
def test_a_file_that_is_no_proof_is_refused_in_words(tacha: Tacha, tmp_path: Path, content: str) -> None:
    """Not a traceback."""
    (tmp_path / "x.json").write_text(content)
    code, _, why = tacha("ledger", "check", tmp_path / "x.json", "--root", "0" * 64)
    assert (code, "证明" in why) == (1, True)
