"""
Every sentence Tacha says, in Chinese and English, by code. Errors and refusals carry a code and its fields.

Add a line here before raising a new code: a test finds codes without words, and blanks that differ between languages.
"""

from collections.abc import Mapping
from typing import Literal, Protocol

Language = Literal["zh", "en"]

WORDS: dict[str, tuple[str, str]] = {
    # crs, grid, schema
    "crs_missing": ("{what}：没有坐标系，请用 --datum 说明", "{what}: no coordinate system; say which with --datum"),
    "crs_not_metric": ("{what}：坐标系 {crs} 不以米为单位", "{what}: coordinate system {crs} is not in metres"),
    "grid_shape": ("栅格数值 {values} 与范围 {frame} 不符", "raster values {values} do not fit the frame {frame}"),
    "grid_mismatch": ("两个栅格范围不同：{one} 与 {other}", "two rasters lie differently: {one} and {other}"),
    "columns_missing": ("图层 {layer} 缺少列：{columns}", "layer {layer} lacks columns: {columns}"),
    "rows_bad": (
        "图层 {layer} 有 {n} 行不合要求，第一处：第 {row} 行 {field}（{reason}）",
        "layer {layer}: {n} rows break the contract, first row {row}, {field} ({reason})",
    ),
    "value_missing": ("缺少数值", "value missing"),
    "value_unknown": ("“{value}”不在允许的值内（{known}）", '"{value}" is not one of {known}'),
    "value_low": ("{value} 小于 {low}", "{value} is below {low}"),
    "value_high": ("{value} 大于 {high}", "{value} is above {high}"),
    "duplicate": ("重复记录 {value}，已有", "duplicate of {value}, already there"),
    "geometry_missing": ("没有图形", "no geometry"),
    "geometry_kind": ("图形类型 {kind}，应为 {wanted}", "geometry is {kind}, wanted {wanted}"),
    "geometry_invalid": ("图形有误：{why}", "invalid geometry: {why}"),
    # formats
    # store, ledger
    # analysis, planning
    # workspace, cli
    # screens
}


class Spoken(Protocol):
    """An error or refusal that words can say."""

    code: str

    @property
    def fields(self) -> Mapping[str, object]: ...


def say(code: str, language: Language = "zh", /, **fields: object) -> str:
    """
    The sentence of a code with its blanks filled; an unknown code is shown as it stands.

    >>> say("value_low", "en", value=-1, low=0)
    '-1 is below 0'
    """
    if code not in WORDS:
        return f"{code} {fields}" if fields else code
    return WORDS[code][0 if language == "zh" else 1].format_map(_Blanks(fields))


def explain(error: Spoken, language: Language = "zh") -> str:
    """The sentence of an error of ``geo.errors``."""
    return say(error.code, language, **error.fields)


class _Blanks(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "?"
