"""Commands as a user types them, in this process."""

import json
from collections.abc import Callable
from typing import Any

Tacha = Callable[..., tuple[int, str, str]]


def answer(run: tuple[int, str, str]) -> Any:
    """The JSON object of a command that succeeded."""
    code, out, err = run
    assert code == 0, err
    return json.loads(out)
