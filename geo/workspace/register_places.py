"""Which unit of the register a code or a name means: as written, by alias, or by the one way left to read it."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from geo.analysis.succession import plain_name, stem_of
from geo.errors import LayerError
from geo.layers.townships import GROUND_KINDS
from geo.workspace.county import County
from geo.workspace.register import register_units

_COMMUNITY = re.compile("(?:社区居民委员会|社区居委会|居民委员会|居委会|社区)$")
_VILLAGE = re.compile("(?:村民委员会|村委会|村)$")
_OWNER = re.compile("^(?:国有|县属|国营|县)")


def plain_village(name: str) -> str:
    """
    A village's or community's name without what its committee is called.

    >>> plain_village("官寨村委会"), plain_village("龙场社区居民委员会"), plain_village("官寨")
    ('官寨村', '龙场社区', '官寨')
    """
    for tail, kept in ((_COMMUNITY, "社区"), (_VILLAGE, "村")):
        if tail.search(name) and tail.sub("", name):
            return tail.sub("", name) + kept
    return name


def _village_stem(name: str) -> str:
    return re.sub("(?:社区|村)$", "", plain_village(name)) or name


def _plain_ground(name: str) -> str:
    return _OWNER.sub("", name) or name


_READINGS: dict[str, tuple[Callable[[str], str], ...]] = {
    "township": (str, plain_name, lambda name: "|".join(stem_of(name)), lambda name: stem_of(name)[0]),
    "village": (str, plain_village, _village_stem),
}
"""Ways to read a name, the strictest first; the first that names one unit or more decides."""


@dataclass(frozen=True)
class Places:
    """The units held and those a file brings, by code and by every reading of their names and aliases."""

    kinds: dict[str, str]
    names: dict[str, set[str]]
    parents: dict[str, str | None]
    codes: dict[str, list[str]]
    index: dict[tuple[str, int, str | None, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, county: County) -> "Places":
        """As the register and its aliases stand."""
        units, aliases = register_units(county), county.store.read("aliases")
        places = cls({}, defaultdict(set), {}, defaultdict(list))
        for unit, kind, parent, name in zip(
            units["unit_id"], units["unit_kind"], units["parent_id"], units["name"], strict=True
        ):
            places.add(unit, kind, str(name), parent if isinstance(parent, str) else None)
        held = aliases[aliases["unit_id"].isin(list(places.kinds)) & (aliases["change"] != "代码另用")]
        for unit, kind, alias in held[["unit_id", "alias_kind", "alias"]].itertuples(index=False):
            if kind == "代码":
                places.codes[alias].append(unit)
            else:
                places.call(unit, alias)
        return places

    def add(self, unit: str, kind: str, name: str, parent: str | None) -> None:
        """A unit and its name."""
        self.kinds[unit], self.parents[unit] = kind, parent
        self.call(unit, name)

    def call(self, unit: str, name: str) -> None:
        """One more name of a unit."""
        self.names[unit].add(name)
        kind, parent = self.kinds[unit], self.parents[unit]
        for number, read in enumerate(self._readings(kind)):
            for under in {None, parent}:
                self.index[kind, number, under, read(name)].append(unit)

    def by_name(self, kind: str, name: str, parent: str | None) -> list[str]:
        """Units of a kind that a name means, under a parent or anywhere; each once."""
        for number, read in enumerate(self._readings(kind)):
            found = self.index.get((kind, number, parent, read(name)))
            if found:
                return list(dict.fromkeys(found))
        return []

    def by_code(self, code: str, name: str | None, kind: str | None) -> str | None:
        """
        The unit a code means; None where the register knows it neither as a code nor as an alias.

        Lists of other years give a code to another unit: where a name stands beside the code, both must fit.

        Raises
        ------
        LayerError
            The code is held by units none of which has that name.
        """
        found = [unit for written in _spellings(code) for unit in ([written] if written in self.kinds else [])]
        found += [unit for written in _spellings(code) for unit in self.codes.get(written, [])]
        found = [unit for unit in dict.fromkeys(found) if kind is None or self._alike(kind, self.kinds[unit])]
        if not found:
            return None
        own = self.kinds[found[0]]
        if name is None or own not in _READINGS:
            return found[0]
        named = [unit for unit in found if self._is_called(unit, name)]
        if not named:
            held = min(self.names[found[0]], key=len)
            raise LayerError("unit_code_name", field="unit_id", code=code, held=held, value=name)
        return named[0]

    def _is_called(self, unit: str, name: str) -> bool:
        readings = self._readings(self.kinds[unit])
        return any(read(name) in {read(held) for held in self.names[unit]} for read in readings)

    @staticmethod
    def _alike(kind: str, held: str) -> bool:
        return kind == held or (kind in GROUND_KINDS and held in GROUND_KINDS)

    @staticmethod
    def _readings(kind: str) -> tuple[Callable[[str], str], ...]:
        return _READINGS.get(kind, (str, _plain_ground) if kind in GROUND_KINDS else (str,))


def _spellings(code: str) -> Iterable[str]:
    """A code as sheets spoil it: an apostrophe before it, .0 behind it, zeros to fill it up to twelve digits."""
    plain = re.sub(r"^['’]|\.0+$|\s", "", code)
    yield plain
    if plain.isdigit() and len(plain) == 12:
        for digits in (9, 6):
            if set(plain[digits:]) == {"0"}:
                yield plain[:digits]
