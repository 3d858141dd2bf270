"""What was imported when, as the ledger tells it."""

from datetime import datetime
from typing import Any

from geo.workspace.county import County
from geo.workspace.rights import Action, may


def imports_of(county: County) -> list[dict[str, Any]]:
    """
    Every imported file, the latest first: ``at, layer, file, read, accepted, refused_n, datum``.

    Nothing for those who may not trace: the ledger is not theirs to read.
    """
    if not may(county.actor, Action.TRACE):
        return []
    return [
        {
            "at": datetime.fromisoformat(str(entry.at)),
            "layer": str(entry.body.get("layer", "")),
            **{name: file.get(name) for name in ("file", "read", "accepted", "refused_n", "datum")},
        }
        for entry in reversed(county.store.entries())
        if entry.kind == "import"
        for file in entry.body.get("files", ())
    ]
