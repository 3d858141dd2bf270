"""
Which unit of a later list is which unit of an earlier one, with the evidence; what is not certain is left to a person.

Codes alone do not tell: a county renumbers its townships, and gives an old code to another. Names alone do not tell
either: they are rewritten, and a township becomes a street office. Only both together, or one of them without a rival.
"""

import re

import pandas as pd

COLUMNS = ("earlier_code", "earlier_name", "later_code", "later_name", "change", "evidence", "certain")
_PEOPLE = re.compile(
    "柯尔克孜族|乌孜别克族|维吾尔族|哈萨克族|达斡尔族|塔吉克族|俄罗斯族|鄂温克族|塔塔尔族|鄂伦春族|蒙古族|"
    "布依族|朝鲜族|土家族|哈尼族|傈僳族|高山族|拉祜族|东乡族|纳西族|景颇族|仫佬族|布朗族|撒拉族|毛南族|"
    "仡佬族|锡伯族|阿昌族|普米族|德昂族|保安族|裕固族|独龙族|赫哲族|门巴族|珞巴族|基诺族|回族|藏族|苗族|"
    "彝族|壮族|满族|侗族|瑶族|白族|傣族|黎族|佤族|畲族|水族|土族|羌族|怒族|京族"
)
_KIND = re.compile("(街道|镇|乡)$")
_OFFICE = re.compile("(街道)办事处$|(镇|乡)人民政府$")


def plain_name(name: str) -> str:
    """
    A township's name without what does not tell it from others: its office, and the order of its peoples.

    >>> plain_name("雍熙街道办事处"), plain_name("厍东关彝族白族苗族乡") == plain_name("厍东关彝族苗族白族乡")
    ('雍熙街道', True)
    """
    ground = _OFFICE.sub(lambda found: found[1] or found[2], name.strip())
    kind = _KIND.search(ground)
    stem = _KIND.sub("", ground)
    peoples = "".join(sorted(_PEOPLE.findall(stem)))
    return _PEOPLE.sub("", stem) + peoples + (kind[1] if kind else "")


def stem_of(name: str) -> tuple[str, str]:
    """
    A township's own name, and whether it is 街道, 镇 or 乡, without its peoples: what people call it.

    >>> stem_of("化作苗族彝族乡"), stem_of("雍熙街道办事处")
    (('化作', '乡'), ('雍熙', '街道'))
    """
    plain = plain_name(name)
    kind = _KIND.search(plain)
    return _PEOPLE.sub("", _KIND.sub("", plain)), kind[1] if kind else ""


def successors(earlier: pd.DataFrame, later: pd.DataFrame) -> pd.DataFrame:
    """
    Every unit of both lists once: matched, gone (no later one) or new (no earlier one).

    Parameters
    ----------
    earlier, later
        Columns ``code, name``; each code once.

    Returns
    -------
    pd.DataFrame
        Columns `COLUMNS`; `change` is a word of the aliases layer, `certain` false where a person must confirm.
    """
    before = dict(zip(earlier["code"], earlier["name"], strict=True))
    after = dict(zip(later["code"], later["name"], strict=True))
    rows: list[tuple[object, ...]] = []
    for code in [code for code in before if code in after and plain_name(before[code]) == plain_name(after[code])]:
        change, evidence = _same(before[code], after[code])
        rows.append((code, before.pop(code), code, after.pop(code), change, evidence, True))
    for code, name in list(before.items()):
        rivals = [other for other in before if plain_name(before[other]) == plain_name(name)]
        found = [other for other in after if plain_name(after[other]) == plain_name(name)]
        if len(rivals) == len(found) == 1:
            evidence = f"名称相同且两份名单中各只有一个，代码由 {code} 改为 {found[0]}"
            rows.append((code, before.pop(code), found[0], after.pop(found[0]), "重编代码", evidence, True))
    for code in [code for code in before if code in after]:
        if _alike(before[code], after[code]):
            evidence = f"代码相同，“{before[code]}”与“{after[code]}”只差一字，须由县办认定"
            rows.append((code, before.pop(code), code, after.pop(code), "异写", evidence, False))
        elif stem_of(before[code]) == stem_of(after[code]):
            evidence = f"代码相同，“{before[code]}”与“{after[code]}”只有族名增减，须由县办认定"
            rows.append((code, before.pop(code), code, after.pop(code), "更名", evidence, False))
    rows += [(code, name, None, None, *_gone(code, after)) for code, name in before.items()]
    rows += [(None, None, code, name, *_new(code, before)) for code, name in after.items()]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _same(one: str, other: str) -> tuple[str, str]:
    if one == other:
        return "同一单位", "代码与名称都相同"
    if _PEOPLE.findall(one) != _PEOPLE.findall(other):
        return "族名次序", f"代码相同，“{one}”与“{other}”只是族名次序不同"
    return "机构名写法", f"代码相同，“{one}”是“{other}”的机构名"


def _alike(one: str, other: str) -> bool:
    """Whether two names of at least two characters before the kind differ in one character at most."""
    one, other = plain_name(one), plain_name(other)
    differ = sum(a != b for a, b in zip(one, other, strict=False))
    return len(one) == len(other) >= 3 and one[-1] == other[-1] and differ == 1


def _gone(code: str, after: dict[str, str]) -> tuple[str, str, bool]:
    if code in after:
        return "代码另用", f"代码 {code} 在新名单中属于“{after[code]}”，名称不同，不能按代码认定", False
    return "撤销", "新名单中既无此代码也无此名称，去向须由县办认定", False


def _new(code: str, before: dict[str, str]) -> tuple[str, str, bool]:
    if code in before:
        return "代码另用", f"代码 {code} 在旧名单中属于“{before[code]}”，名称不同，不能按代码认定", False
    return "新设", "旧名单中既无此代码也无此名称；所辖村须由县办划定", False
