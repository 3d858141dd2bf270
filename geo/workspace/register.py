"""The responsibility register: who answers for which village and ground on a date; nobody's ground first (无人负责)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from geo.layers.duties import in_force, post_of, without_post
from geo.workspace.county import County, unassigned


@dataclass(frozen=True)
class Register:
    """One row per unit: ``unit_kind, unit_id, name, township_id, placed, posts, nobody``; nobody's first."""

    as_of: datetime
    units: pd.DataFrame

    def json(self) -> dict[str, Any]:
        """The register as plain values."""
        nobody = self.units[self.units["nobody"]]
        return {
            "as_of": self.as_of.isoformat(),
            "units_n": len(self.units),
            "villages_n": int((self.units["unit_kind"] == "village").sum()),
            "placed_n": int((self.units["placed"] & (self.units["unit_kind"] == "village")).sum()),
            "nobody_n": len(nobody),
            "units": self.units.to_dict("records"),
        }


def responsibility_register(county: County, *, as_of: datetime | None = None) -> Register:
    """Townships, villages and department grounds with the posts in force at a moment; a village needs no place."""
    moment = as_of or county.as_of()
    duties = in_force(county.store.read("duties"), moment)
    units = _units(county)
    nobody = without_post(units["unit_id"], duties, moment)
    held = set(duties["unit_id"])
    posts = pd.Series(
        [post_of(unit, duties, moment) if unit in held else None for unit in units["unit_id"]], dtype=object
    )
    table = units.assign(posts=posts, nobody=nobody)
    return Register(moment, table.sort_values(["nobody", "unit_id"], ascending=[False, True]).reset_index(drop=True))


def _units(county: County) -> pd.DataFrame:
    columns = ["unit_kind", "unit_id", "name", "township_id", "placed"]
    townships, villages, grounds = (county.store.read(layer) for layer in ("townships", "villages", "grounds"))
    tables = [
        townships.assign(unit_kind="township", unit_id=townships["township_id"], placed=True),
        villages.assign(unit_kind="village", unit_id=villages["village_id"], placed=villages.geometry.notna()),
        grounds.assign(unit_kind=grounds["kind"], unit_id=grounds["ground_id"], township_id=None, placed=True),
    ]
    held = [pd.DataFrame(table)[columns] for table in tables if len(table)]
    if len(townships):
        holes = unassigned(townships, grounds)
        names = [f"{area / 1e6:.1f} km²" for area in holes.area]
        ids = [f"enclave-{number + 1}" for number in range(len(holes))]
        nobody = pd.DataFrame(
            {"unit_kind": "enclave", "unit_id": ids, "name": names, "township_id": None, "placed": True}
        )
        held += [nobody[columns]] if len(holes) else []
    return pd.concat(held, ignore_index=True) if held else pd.DataFrame(columns=columns)
