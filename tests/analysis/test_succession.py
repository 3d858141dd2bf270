"""Lists of two years: what is the same ground, on what evidence, and what a person must still say."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from geo.analysis.succession import plain_name, stem_of, successors


def listed(**names: str) -> pd.DataFrame:
    return pd.DataFrame({"code": [code[1:] for code in names], "name": list(names.values())})


def change_of(earlier: pd.DataFrame, later: pd.DataFrame) -> dict[tuple[str | None, str | None], tuple[str, bool]]:
    table = successors(earlier, later)
    pairs = zip(table["earlier_code"], table["later_code"], strict=True)
    return {
        (None if pd.isna(one) else one, None if pd.isna(other) else other): (change, certain)
        for (one, other), change, certain in zip(pairs, table["change"], table["certain"], strict=True)
    }


def test_an_office_and_the_order_of_peoples_do_not_make_another_township() -> None:
    found = change_of(
        listed(c1="雍熙街道办事处", c2="厍东关彝族白族苗族乡", c3="阳长镇"),
        listed(c1="雍熙街道", c2="厍东关彝族苗族白族乡", c3="阳长镇"),
    )
    assert found == {
        ("1", "1"): ("机构名写法", True),
        ("2", "2"): ("族名次序", True),
        ("3", "3"): ("同一单位", True),
    }


def test_one_other_character_under_the_same_code_is_a_question() -> None:
    assert change_of(listed(c1="中岭镇"), listed(c1="鬃岭镇")) == {("1", "1"): ("异写", False)}


def test_another_people_in_the_name_under_the_same_code_is_a_question() -> None:
    """A real case: 鸡场苗族彝族乡 (2016) is 鸡场苗族彝族布依族乡 (2023) under one code."""
    found = change_of(listed(c1="鸡场苗族彝族乡"), listed(c1="鸡场苗族彝族布依族乡"))
    assert found == {("1", "1"): ("更名", False)}
    assert stem_of("鸡场苗族彝族布依族乡") == ("鸡场", "乡")


def test_townships_that_swapped_codes_follow_their_names() -> None:
    found = change_of(listed(c1="水东镇", c2="沙包镇"), listed(c1="沙包镇", c2="水东镇"))
    assert found == {("1", "2"): ("重编代码", True), ("2", "1"): ("重编代码", True)}


def test_a_code_given_to_other_ground_matches_nothing() -> None:
    found = change_of(listed(c1="水东镇"), listed(c1="利园街道"))
    assert found == {("1", None): ("代码另用", False), (None, "1"): ("代码另用", False)}


def test_two_of_one_name_are_never_matched_by_name() -> None:
    found = change_of(listed(c1="新房乡", c2="新房乡"), listed(c3="新房乡"))
    assert {change for change, _ in found.values()} == {"撤销", "新设"}


NAMES = st.lists(st.sampled_from(["水东镇", "沙包镇", "中岭镇", "鬃岭镇", "利园街道", "甲苗族彝族乡", "甲彝族苗族乡"]))


@given(NAMES, NAMES)
def test_every_unit_of_both_lists_occurs_exactly_once(one: list[str], other: list[str]) -> None:
    earlier = pd.DataFrame({"code": [str(n) for n in range(len(one))], "name": one})
    later = pd.DataFrame({"code": [str(n) for n in range(2, len(other) + 2)], "name": other})
    table = successors(earlier, later)
    assert sorted(table["earlier_code"].dropna()) == sorted(earlier["code"])
    assert sorted(table["later_code"].dropna()) == sorted(later["code"])
    assert not table["certain"][table["later_code"].isna() | table["earlier_code"].isna()].any()


def test_a_plain_name_is_plain_already() -> None:
    for name in ("厍东关彝族白族苗族乡", "雍熙街道办事处", "百兴镇"):
        assert plain_name(plain_name(name)) == plain_name(name)
