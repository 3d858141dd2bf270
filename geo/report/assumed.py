"""What a figure rests on, setting by setting: what each is, its value, and the key it has in the settings file."""

from collections.abc import Mapping
from typing import Any

from geo.words import WORDS, Language, say


def assumed_rows(assumptions: Mapping[str, Any], language: Language) -> list[tuple[str, str, str]]:
    """A row a setting: its meaning in words (its key where it has none), its value as text, its dotted key."""
    held = flat(assumptions)
    codes = {key: f"setting_{key}" for key in held}
    return [(say(codes[key], language) if codes[key] in WORDS else key, value, key) for key, value in held.items()]


def flat(held: object, name: str = "") -> dict[str, str]:
    """Dotted name -> value as text."""
    if isinstance(held, Mapping):
        parts = [flat(value, f"{name}.{key}" if name else str(key)) for key, value in held.items()]
        return {key: value for part in parts for key, value in part.items()}
    if isinstance(held, list | tuple):
        return {name: "、".join(map(str, held)) or "–"}
    return {name: "–" if held is None else str(held)}
