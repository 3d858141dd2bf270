"""Lists of division codes of several years joined into one register, what differs between them kept as aliases."""

import hashlib
import itertools
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.analysis.succession import successors
from geo.errors import FormatError, LayerError
from geo.formats import Hints, read
from geo.formats.office_sheets import read_divisions, year_in
from geo.layers import SCHEMAS
from geo.ledger import Entry, row_digest
from geo.schema import Refusal
from geo.store import Change
from geo.workspace.county import County
from geo.workspace.importing import FileReport
from geo.workspace.register_rows import Gathered, file_note, require_post, unit_row, write_gathered


def import_divisions(
    county: County, paths: Sequence[Path], *, now: datetime, county_code: str | None = None
) -> tuple[list[FileReport], pd.DataFrame]:
    """
    Lists of division codes of several years, oldest first, as one register: the last list says which townships there
    are, every list's villages are kept, and what an older list calls otherwise becomes an alias with its evidence.

    Returns
    -------
    list of FileReport, pd.DataFrame
        Per file its villages (read = accepted + refused) or, where it lists none, its townships; and `successors`.

    Raises
    ------
    FormatError
        A file is no list of division codes, or names no township of the county.
    """
    lists = [read_divisions(path) for path in paths]
    code = county_code or _county_of(county, lists[0])
    towns = [listed[(listed["level"] == "township") & listed["code"].str.startswith(code)] for listed in lists]
    for path, held in zip(paths, towns, strict=True):
        if held.empty:
            raise FormatError("divisions_elsewhere", file=path.name, code=code)
    chains = [successors(one, other) for one, other in itertools.pairwise(towns)]
    current = dict(zip(towns[-1]["code"], towns[-1]["name"], strict=True))
    aliases = _alias_rows(chains, towns, paths)
    reports: list[FileReport] = []
    tables: list[gpd.GeoDataFrame] = []
    for number, (path, listed) in enumerate(zip(paths, lists, strict=True)):
        if (listed["level"] == "village").any():
            report, rows = _villages(county, path, chains[number:], current, tables)
            tables.append(rows)
        else:
            others = {"other_counties": int((listed["level"] == "township").sum()) - len(towns[number])}
            report = FileReport(path.name, _sha256(path), len(towns[number]), [], other_kinds=others)
        reports.append(report)
    found = Gathered()
    for unit, name in current.items():
        found.units[unit] = unit_row("township", unit, name, parent_id=code, source=paths[-1].name)
    write_gathered(
        county, found, reports[-1], now, villages=tables, aliases=aliases, notes=[file_note(r) for r in reports]
    )
    changes = chains[-1] if chains else successors(towns[-1], towns[-1])
    return reports, changes


def confirm_alias(county: County, alias_id: str, *, post: str, now: datetime) -> None:
    """A post confirms that an alias means the unit it is listed under; the ledger says who and when."""
    require_post(post)
    held = county.store.read("aliases", [alias_id])
    if held.empty:
        raise LayerError("alias_unknown", value=alias_id)
    entry = Entry("alias_confirmed", {"alias_id": alias_id, "post": post})
    county.store.append(entry, Change("aliases", held.assign(confirmed=True), replace=True, before=held), now=now)


def _villages(
    county: County, path: Path, chains: Sequence[pd.DataFrame], current: dict[str, str], before: Sequence[pd.DataFrame]
) -> tuple[FileReport, gpd.GeoDataFrame]:
    """A list's villages under the townships of today; one whose township no list knows is refused."""
    reading = read("villages", path, Hints(datum="gcj02", crs=county.crs))
    townships = reading.rows["township_id"]
    known = set(current)
    for chain in chains:
        pairs = chain.dropna(subset=["earlier_code"])
        known |= set(pairs["earlier_code"])
        townships = townships.map(
            dict(zip(pairs["earlier_code"], pairs["later_code"].fillna(pairs["earlier_code"]), strict=True))
        ).fillna(townships)
    rows = reading.rows.assign(township_id=townships)
    taken = set().union(*(set(table["village_id"]) for table in before)) if before else set()
    lost = ~reading.rows["township_id"].isin(list(known))
    twice = rows["village_id"].isin(taken)
    refused = list(reading.refused)
    for row in np.flatnonzero(lost | twice).tolist():
        code, value = (
            ("township_unknown", rows["township_id"].iloc[row])
            if lost.iloc[row]
            else ("duplicate", rows["village_id"].iloc[row])
        )
        refused.append(
            Refusal(
                str(rows["village_id"].iloc[row]),
                "township_id" if lost.iloc[row] else "village_id",
                code,
                {"value": value},
            )
        )
    report = FileReport(
        reading.file, reading.sha256, reading.read, refused, other_kinds=dict(reading.other_kinds), datum=reading.datum
    )
    return report, gpd.GeoDataFrame(rows[~(lost | twice)].reset_index(drop=True))


def _alias_rows(chains: Sequence[pd.DataFrame], towns: Sequence[pd.DataFrame], paths: Sequence[Path]) -> pd.DataFrame:
    """Names and codes that an older list gives otherwise, under the unit of the last list; and what has no match."""
    rows = []
    for number, chain in enumerate(chains):
        later = {code: code for code in towns[-1]["code"]}
        for after in chains[number + 1 :]:
            later |= {
                a: b
                for a, b in zip(after["earlier_code"], after["later_code"], strict=True)
                if isinstance(a, str) and isinstance(b, str)
            }
        for row in chain.to_dict("records"):
            old, new = row["earlier_code"], row["later_code"]
            unit = later.get(new, new) if isinstance(new, str) else old
            said = []
            if isinstance(old, str) and old != unit:
                said.append(("代码", old))
            if isinstance(old, str) and (row["earlier_name"] != row["later_name"]):
                said.append(("名称", row["earlier_name"]))
            if not isinstance(old, str):
                said.append(("名称", row["later_name"]))
            source = _source(paths[number] if isinstance(old, str) else paths[number + 1])
            for kind, alias in said:
                plain = {"unit_id": unit, "alias_kind": kind, "alias": alias, "change": row["change"]}
                rows.append(plain | {"evidence": row["evidence"], "confirmed": bool(row["certain"]), "source": source})
    table = pd.DataFrame(rows, columns=["unit_id", "alias_kind", "alias", "change", "evidence", "confirmed", "source"])
    ids = [
        "A" + row_digest({"key": list(row)})[:12]
        for row in table[["unit_id", "alias_kind", "alias"]].itertuples(index=False)
    ]
    return SCHEMAS["aliases"].conform(table.assign(alias_id=ids).drop_duplicates("alias_id"))


def _source(path: Path) -> str:
    year = year_in(path.name)
    return f"{path.name}（{year}）" if year else path.name


def _county_of(county: County, listed: pd.DataFrame) -> str:
    codes = listed.loc[listed["level"] == "county", "code"]
    if county.settings.county_id or codes.empty:
        return county.settings.county_id or str(listed["code"].iloc[0])[:6]
    return str(codes.iloc[0])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
