"""The house keeps its own rules: purity of the core, words for every code, one list of packages, no leaks."""

import ast
import re
import string
import tomllib
from pathlib import Path

import pytest

from geo.words import WORDS

ROOT = Path(__file__).parents[1]
CORE = [ROOT / "geo" / name for name in ("layers", "analysis", "report", "patrol.py", "satellite.py", "ledger.py")]
BANNED = {"read_file", "to_file", "to_parquet", "open", "now", "today", "print"}
ERRORS = {"GeoError", "LayerError", "DatumError", "GridMismatch", "FormatError", "StoreError", "LedgerBroken"}


def python_files(*places: Path) -> list[Path]:
    return [file for place in places for file in ([place] if place.suffix else sorted(place.rglob("*.py")))]


def called_name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def calls(file: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]


@pytest.mark.parametrize("file", python_files(*CORE), ids=lambda f: str(f.relative_to(ROOT)))
def test_the_core_opens_no_file_and_reads_no_clock(file: Path) -> None:
    """Clock, dice and files come in as arguments."""
    assert [(c.lineno, called_name(c)) for c in calls(file) if called_name(c) in BANNED] == []


def codes_in(file: Path) -> set[str]:
    """Codes of errors raised and refusals made with a literal string."""
    found = set()
    for call in calls(file):
        position = 2 if called_name(call) == "Refusal" else 0 if called_name(call) in ERRORS else None
        if position is None or len(call.args) <= position:
            continue
        code = call.args[position]
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            found.add(code.value)
    return found


def test_every_code_has_its_words() -> None:
    """A user never reads a bare code."""
    used = set().union(*(codes_in(file) for file in python_files(ROOT / "geo")))
    assert used - set(WORDS) == set()


def test_both_languages_have_the_same_blanks() -> None:
    """A translation that loses a number is a defect."""
    blanks = {
        code: [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts]
        for code, texts in WORDS.items()
    }
    assert {code: (zh, en) for code, (zh, en) in blanks.items() if zh != en} == {}


def test_a_reason_is_worded_once() -> None:
    """The same reason said in two ways drifts apart."""
    reasons = [code.removeprefix("reason_") for code in WORDS if code.startswith("reason_")]
    raised = set().union(*(codes_in(file) for file in python_files(ROOT / "geo")))
    assert [code for code in reasons if code in WORDS and code not in raised] == []


def test_environment_lists_the_same_packages_as_pyproject() -> None:
    """environment.yml and pyproject.toml say the same."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    listed = re.findall(r'^\s+- "(.+)"$', (ROOT / "environment.yml").read_text(), flags=re.M)
    assert listed == wanted


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_holds_exact_versions_and_no_addresses(name: str) -> None:
    """Every line pins one version; no line says where to fetch it."""
    lines = (ROOT / name).read_text().split()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!_-]+", line)] == []


def test_lock_covers_every_runtime_package() -> None:
    """No runtime package is left to chance."""
    lines = (ROOT / "requirements.lock").read_text().split()
    locked = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.split(r"[<>=]", name)[0].lower().replace("_", "-") for name in wanted} - locked == set()


def test_pages_keep_answers_and_open_counties_through_one_door() -> None:
    """A plain cache would hand one account's answer to the next; a county opened elsewhere is opened as everybody's."""
    banned = {"cache_data", "cache_resource", "open_county"}
    files = [f for f in python_files(ROOT / "geo" / "ui") if f.name not in ("state.py", "routes.py", "door.py")]
    found = [
        (file.name, node.lineno)
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in banned)
        or (isinstance(node, ast.Name) and node.id in banned)
    ]
    assert found == []


def test_every_page_says_which_roles_it_is_for() -> None:
    """A page nobody thought of opens for nobody."""
    from geo.ui.main import PAGES
    from geo.workspace.rights import PAGES as ROLES_OF

    assert {address for _, _, address in PAGES} == set(ROLES_OF)
