"""The responsibility register: who answers for which village and ground on a date; nobody's ground first (无人负责)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from geo.analysis.rounds import Round, season_rounds
from geo.layers import borders
from geo.layers.duties import DUTY_KINDS, in_force, open_gaps
from geo.layers.townships import GROUND_KINDS
from geo.workspace.county import County, unassigned

COLUMNS = (
    "unit_kind", "unit_id", "name", "parent_id", "township_id", "placed", "households_n", "due_m2", "elevation_m",
    "key_area", "edge", "source",
)  # fmt: skip
_ORDER = ("county", "township", "village", "group", "责任网格", *GROUND_KINDS, "enclave")


@dataclass(frozen=True)
class Register:
    """
    One row per unit, nobody's first: `COLUMNS`, the posts joined and by kind of duty, ``nobody``, and
    ``nobody_rounds``: the rounds during which at some moment nobody answers.

    `edges` are the jurisdiction edges with the posts of both sides; `aliases` the other names and codes.
    """

    as_of: datetime
    ledger_head: str | None
    units: pd.DataFrame
    edges: pd.DataFrame
    aliases: pd.DataFrame
    rounds: tuple[Round, ...]

    def json(self) -> dict[str, Any]:
        """The register as plain values."""
        nobody = self.units[self.units["nobody"]]
        villages = self.units["unit_kind"] == "village"
        by_kind = self.units.groupby("unit_kind", sort=False)["nobody"].agg(["size", "sum"])
        return {
            "as_of": self.as_of.isoformat(),
            "ledger_head": self.ledger_head,
            "units_n": len(self.units),
            "villages_n": int(villages.sum()),
            "placed_n": int((self.units["placed"] & villages).sum()),
            "nobody_n": len(nobody),
            "kinds": {kind: {"units_n": int(n), "nobody_n": int(none)} for kind, n, none in by_kind.itertuples()},
            "nobody_by_round": {
                str(one.number): int(self.units["nobody_rounds"].map(lambda held, n=one.number: n in held).sum())
                for one in self.rounds
            },
            "to_confirm": plain_records(self.aliases[~self.aliases["confirmed"].astype(bool)]),
            "edges": plain_records(self.edges),
            "units": plain_records(self.units),
        }


def responsibility_register(county: County, *, as_of: datetime | None = None) -> Register:
    """Every unit with the posts in force at a moment; a village needs no place, department ground no township."""
    moment = as_of or county.as_of()
    duties = county.whole.store.read("duties")  # of one's own units and edges everybody is told who answers
    units = own_units(county, register_units(county))
    posts = posts_of(duties, moment)
    rounds = season_rounds(county.season, county.settings.campaign)
    gaps = {one.number: set(open_gaps(list(units["unit_id"]), duties, one.start, one.stop)) for one in rounds}
    for kind in DUTY_KINDS:
        units[kind] = units["unit_id"].map(lambda unit, kind=kind: posts.get((unit, kind)))
    units["posts"] = units["unit_id"].map(lambda unit: joined(posts, unit))
    units["nobody"] = units["posts"].isna()
    units["nobody_rounds"] = units["unit_id"].map(lambda unit: [n for n, open_ in gaps.items() if unit in open_])
    units = units.sort_values("nobody", ascending=False, kind="stable", ignore_index=True)
    head = county.store.head()
    edges = jurisdiction_edges(county, posts)
    if not county.actor.whole:
        edges = edges[edges[["a_id", "b_id"]].isin(county.actor.grounds).any(axis=1)].reset_index(drop=True)
    return Register(moment, head.hash if head else None, units, edges, county.store.read("aliases"), rounds)


def posts_of(duties: pd.DataFrame, moment: datetime) -> dict[tuple[str, str], str]:
    """By unit and kind of duty the posts in force at a moment, each once, joined by 、; those of a tier name it."""
    held = in_force(duties, moment).drop_duplicates(["unit_id", "duty_kind", "tier", "post"])
    found: dict[tuple[str, str], str] = {}
    named = held["post"].where(held["tier"].isna(), held["post"] + "（" + held["tier"].astype(str) + "）")
    for unit, kind, post in zip(held["unit_id"], held["duty_kind"], named, strict=True):
        found[unit, kind] = f"{found[unit, kind]}、{post}" if (unit, kind) in found else post
    return found


def joined(posts: dict[tuple[str, str], str], unit: object) -> str | None:
    """All posts of a unit, 属地 first, each once; None where nobody answers."""
    held = [post for kind in DUTY_KINDS for post in posts.get((str(unit), kind), "").split("、") if post]
    return "、".join(dict.fromkeys(held)) or None


def register_units(county: County) -> pd.DataFrame:
    """Every unit once, by kind and id: townships, villages and grounds as drawn, and what the register adds to them."""
    townships, villages, grounds, said = (
        county.store.read(layer) for layer in ("townships", "villages", "grounds", "units")
    )
    kinds = townships["kind"].map(lambda kind: "county" if kind == "县" else "township")
    tables = [
        _county_itself(county, set(townships["township_id"])),
        townships.assign(unit_kind=kinds, unit_id=townships["township_id"], placed=True),
        villages.assign(
            unit_kind="village",
            unit_id=villages["village_id"],
            parent_id=villages["township_id"],
            placed=villages.geometry.notna(),
        ),
        grounds.assign(unit_kind=grounds["kind"], unit_id=grounds["ground_id"], placed=True),
        _enclaves(townships, grounds),
        said.assign(placed=False),
    ]
    plain = [pd.DataFrame(table).reindex(columns=list(COLUMNS)).astype(object) for table in tables]
    drawn = pd.concat(plain[:-1], ignore_index=True)
    merged = plain[-1].set_index("unit_id").combine_first(drawn.set_index("unit_id"))
    placed = drawn.loc[drawn["placed"].astype(bool), "unit_id"]
    units = merged.assign(placed=merged.index.isin(placed)).reset_index()[list(COLUMNS)]
    units["township_id"] = _townships_of(units)
    rank = units["unit_kind"].map(_ORDER.index)
    order = units.assign(rank=rank).sort_values(["rank", "unit_id"], kind="stable").index
    return units.loc[order].reset_index(drop=True)


def own_units(county: County, units: pd.DataFrame) -> pd.DataFrame:
    """
    The units on the ground of whoever opened the county.

    Boundaries are open to all and posts are not: without this every other township would look like nobody's.
    """
    if county.actor.whole:
        return units
    own = units[["unit_id", "township_id", "parent_id"]].isin(county.actor.grounds).any(axis=1)
    return units[own].reset_index(drop=True)


def jurisdiction_edges(county: County, posts: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Every edge between townships, department grounds and known neighbours, with the posts of both sides."""
    townships, grounds, neighbours = (county.store.read(layer) for layer in ("townships", "grounds", "neighbours"))
    columns = ["border_id", "kind", "a_id", "a_name", "a_posts", "b_id", "b_name", "b_posts", "length_km"]
    if townships.empty:
        return pd.DataFrame(columns=columns)
    edges = borders.shared_edges(borders.units_of(townships, grounds, neighbours), county.settings.borders)
    names = dict(zip(townships["township_id"], townships["name"], strict=True))
    names |= dict(zip(grounds["ground_id"], grounds["name"], strict=True))
    names |= dict(zip(neighbours["neighbour_id"], neighbours["name"], strict=True))
    own, other = edges["township_id"], edges["neighbour_id"]
    ground = own.isin(grounds["ground_id"]) | other.isin(grounds["ground_id"])
    table = {
        "border_id": edges["border_id"],
        "kind": ground.map({True: "department", False: "township"}),
        "a_id": own,
        "a_name": own.map(names),
        "a_posts": own.map(lambda unit: joined(posts, unit)),
        "b_id": other,
        "b_name": other.map(names),
        "b_posts": other.map(lambda unit: joined(posts, unit)),
        "length_km": (edges["length_m"] / 1000.0).round(2),
    }
    return pd.DataFrame(table, columns=columns).astype(object)


def plain_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON values: what is missing is None, moments are ISO text."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if value is None or pd.isna(value):
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _townships_of(units: pd.DataFrame) -> list[str | None]:
    """The township each unit lies in, by climbing to its parents; None for the county and department ground."""
    parent = dict(zip(units["unit_id"], units["parent_id"], strict=True))
    kind = dict(zip(units["unit_id"], units["unit_kind"], strict=True))
    found = []
    for unit, own in zip(units["unit_id"], units["unit_kind"], strict=True):
        climbed: Any = unit if own != "township" else None
        for _ in range(len(_ORDER)):
            climbed = parent.get(climbed)
            if climbed is None or pd.isna(climbed) or kind.get(climbed, "township") == "township":
                break
        found.append(str(climbed) if isinstance(climbed, str) and kind.get(climbed, "township") == "township" else None)
    return found


def _county_itself(county: County, townships: set[str]) -> pd.DataFrame:
    """The county as a unit: by its code, and by the code its own posts name where it has none."""
    duties = county.whole.store.read("duties")
    named = {county.settings.county_id, *duties.loc[duties["unit_kind"] == "county", "unit_id"]}
    ids = sorted(named - townships - {""})
    names = [county.settings.name if one == county.settings.county_id or len(ids) == 1 else one for one in ids]
    return pd.DataFrame({"unit_kind": "county", "unit_id": ids, "name": names, "placed": True})


def _enclaves(townships: pd.DataFrame, grounds: pd.DataFrame) -> pd.DataFrame:
    holes = unassigned(townships, grounds) if len(townships) else []
    names = [f"{hole.area / 1e6:.1f} km²" for hole in holes]
    ids = [f"enclave-{number + 1}" for number in range(len(names))]
    return pd.DataFrame({"unit_kind": "enclave", "unit_id": ids, "name": names, "placed": True})
