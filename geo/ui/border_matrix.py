"""Township by township: the share of each shared strip that neither side saw, as an HTML table."""

import geopandas as gpd
import pandas as pd

from geo.layers.borders import ENCLAVE, UNKNOWN
from geo.ui.features import neighbour_name
from geo.ui.maps import h
from geo.words import Language, say

PALE, DEEP = (255, 247, 230), (178, 88, 0)
_STYLE = (
    "<style>.tacha-matrix{overflow-x:auto}.tacha-matrix table{border-collapse:collapse;font-size:.78rem}"
    ".tacha-matrix th{font-weight:500;padding:2px 4px;text-align:right;white-space:nowrap}"
    ".tacha-matrix thead th{writing-mode:vertical-rl;text-align:left;vertical-align:bottom}"
    ".tacha-matrix td{width:30px;height:24px;text-align:center;border:1px solid #e3e6e5;padding:0}"
    ".tacha-matrix .own{background:#eef1f0}.tacha-matrix .dark{color:#fff}"
    ".tacha-matrix .unknown{background:repeating-linear-gradient(45deg,#d7d7d7 0 2px,#fff 2px 6px)}</style>"
)


def matrix(edges: gpd.GeoDataFrame, language: Language) -> str:
    """
    The matrix of `borders` (one row per edge): percent of the plantable strip seen by neither, weighed by length.

    Edges with somebody nobody knows stand in a hatched column of their own; empty cells share no edge.
    """
    rows = pd.DataFrame(
        {
            "a": edges["township_id"],
            "b": edges["neighbour_id"],
            "share": pd.to_numeric(edges["seen_by_neither"]),
            "length": edges["length_m"],
        }
    )
    names = dict(zip(edges["township_id"], edges["township_name"], strict=True))
    for unit, name in zip(edges["neighbour_id"], edges["neighbour_name"], strict=True):
        names.setdefault(unit, neighbour_name(str(unit), name, language))
    held = rows.dropna(subset=["share"])
    weighed = held.assign(unseen=held["share"] * held["length"]).groupby(["a", "b"])[["unseen", "length"]].sum()
    shares = {pair: float(row["unseen"] / row["length"]) for pair, row in weighed.iterrows() if row["length"] > 0.0}
    units = sorted(set(rows["a"]), key=str)
    others = [unit for unit in sorted(set(rows["b"]) - set(units), key=str) if unit not in (UNKNOWN, ENCLAVE)]
    columns = [*units, *others, *[odd for odd in (ENCLAVE, UNKNOWN) if odd in set(rows["b"])]]
    head = "".join(f'<th scope="col">{h(names[unit])}</th>' for unit in columns)
    lines = []
    for one in units:
        cells = "".join(_cell(one, other, shares, names) for other in columns)
        lines.append(f'<tr><th scope="row">{h(names[one])}</th>{cells}</tr>')
    caption = h(say("ui_matrix", language))
    return (
        f'{_STYLE}<div class="tacha-matrix" tabindex="0" role="region" aria-label="{caption}"><table>'
        f'<caption style="text-align:left;padding-bottom:4px">{caption}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(one: str, other: str, shares: dict[object, float], names: dict[str, str]) -> str:
    if one == other:
        return '<td class="own"></td>'
    share = shares.get((one, other), shares.get((other, one)))
    if share is None:
        return "<td></td>"
    said = f"{round(100 * share)}"
    title = h(f"{names[one]} ↔ {names[other]}: {said}%")
    if other == UNKNOWN:
        return f'<td class="unknown" title="{title}"><b>{said}</b></td>'
    colour = ",".join(str(round(p + (d - p) * min(share / 0.8, 1.0))) for p, d in zip(PALE, DEEP, strict=True))
    dark = ' class="dark"' if share > 0.48 else ""
    return f'<td{dark} style="background:rgb({colour})" title="{title}">{said}</td>'
