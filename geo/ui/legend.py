"""The legend under the map, drawn as HTML of our own constants and words; no script."""

from collections.abc import Iterable, Mapping

from geo.ui.maps import GROUND, PLANNED, SPOT, STATUS_MARKS, STRIP, VILLAGE_MARKS, WALKED, h
from geo.ui.tiles import DARK, LIGHT, LITTLE, MUCH
from geo.words import Language, say

SIGNS = {
    "triangle": "▲", "disc": "●", "star": "★", "ring": "○", "cross": "✕", "square": "■", "box": "□",
}  # fmt: skip
LINES = (
    ("tracks", WALKED, "solid"),
    ("routes", PLANNED, "dashed"),
    ("proposed", PLANNED, "dotted"),
    ("borders", STRIP, "solid"),
    ("grounds", GROUND, "dotted"),
    ("blind_spots", SPOT, "dotted"),
)


def shown(layers: Iterable[str], language: Language) -> str:
    """The legend of the layers on the map: each colour with its second channel (shape, hatch, line style)."""
    present = set(layers)
    entries: list[str] = []
    if "pod" in present:
        ramp = f"linear-gradient(90deg,rgb{LIGHT},rgb{DARK})"
        hatch = "repeating-linear-gradient(45deg,#606060 0 2px,#d0d0d0 2px 6px)"
        entries += [_box(ramp, 64, say("ui_legend_pod", language)), _box(hatch, 26, say("ui_legend_blind", language))]
    if "risk" in present:
        ramp = f"linear-gradient(90deg,rgb{LITTLE},rgb{MUCH})"
        entries.append(_box(ramp, 64, say("ui_legend_risk", language)))
    entries += [
        _line(colour, style, say(f"ui_layer_{name}", language)) for name, colour, style in LINES if name in present
    ]
    if "parcels" in present:
        entries += _marks(STATUS_MARKS, "ui_status", language)
    if "villages" in present:
        entries += _marks(VILLAGE_MARKS, "state", language)
    if "finds" in present:
        entries.append(_mark("★", "#CC79A7", say("ui_layer_finds", language)))
    spread = "display:flex;flex-wrap:wrap;gap:4px 18px;font-size:0.85rem;align-items:center"
    return f'<div style="{spread}">{"".join(entries)}</div>'


def _marks(drawn: Mapping[str, tuple[str, str]], prefix: str, language: Language) -> list[str]:
    """Every mark a layer is drawn with, once, with all it stands for."""
    meant: dict[tuple[str, str], list[str]] = {}
    for name, mark in drawn.items():
        meant.setdefault(mark, []).append(say(f"{prefix}_{name}", language))
    return [_mark(SIGNS[shape], colour, " / ".join(words)) for (colour, shape), words in meant.items()]


def _box(background: str, width: int, text: str) -> str:
    style = (
        f"display:inline-block;width:{width}px;height:13px;background:{background};margin-right:6px;vertical-align:-2px"
    )
    return f'<span><span style="{style}"></span>{h(text)}</span>'


def _line(colour: str, style: str, text: str) -> str:
    rule = f"display:inline-block;width:26px;border-top:3px {style} {colour};margin-right:6px;vertical-align:4px"
    return f'<span><span style="{rule}"></span>{h(text)}</span>'


def _mark(sign: str, colour: str, text: str) -> str:
    return f'<span><span style="color:{colour};margin-right:5px">{sign}</span>{h(text)}</span>'
