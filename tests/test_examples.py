"""Every example in docs/examples runs and draws its picture."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "docs" / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_runs_and_draws(example: Path, tmp_path: Path) -> None:
    """The picture in the documentation can be made again."""
    drawn = tmp_path / "picture.png"
    done = subprocess.run([sys.executable, example, drawn], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert drawn.stat().st_size > 10_000
