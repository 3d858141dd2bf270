"""Papers: the same input the same bytes, what they must carry, workbooks equal to the JSON, one page per village."""

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import openpyxl
import pytest
import shapely

from geo.errors import GeoError
from geo.report.word import stable_zip
from geo.workspace.county import County, open_county
from geo.workspace.fonts import chinese_font
from geo.workspace.map_papers import joint_papers, map_papers, meeting_point
from geo.workspace.ordering import issue_orders
from geo.workspace.papers import form_papers, order_papers, progress_paper, register_paper
from geo.workspace.register_rows import edit_unit

NOW = datetime(2026, 1, 5, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 20, 8, tzinfo=UTC)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def words_of(content: bytes) -> str:
    """All text of a Word file, its footer too."""
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        parts = [held.read(name) for name in held.namelist() if re.match(r"word/(document|footer\d*)\.xml", name)]
    return "\n".join(t.text or "" for part in parts for t in ElementTree.fromstring(part).iter(f"{W}t"))


def pages_of(content: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        body = ElementTree.fromstring(held.read("word/document.xml"))
    return 1 + sum(mark.get(f"{W}type") == "page" for mark in body.iter(f"{W}br"))


@pytest.fixture
def ordered(village_county: County) -> County:
    issue_orders(village_county, 1, now=NOW, text="重点查看河谷两岸")
    return village_county


def test_orders_have_a_page_and_a_slip_per_village(ordered: County) -> None:
    """Due days follow the height; nobody's village says 无人负责; as-of, head and draft mark are on the paper."""
    papers = order_papers(ordered, 1, as_of=NOW)
    assert [pages_of(content) for content in papers.values()] == [2, 2]
    one, two = (words_of(content) for content in papers.values())
    assert "2026-01-16 至 2026-03-25" in one
    assert one.count("签 收 回 执") == 2
    assert "无人负责" in two
    head = ordered.store.head()
    assert head is not None
    for text in (one, two):
        assert all(told in text for told in (head.hash, "截至 2026-01-05 09:00", "代拟稿", "重点查看河谷两岸", "清明"))
    with zipfile.ZipFile(io.BytesIO(papers["踏查任务单-凉水乡.docx"])) as held:
        assert sum(name.startswith("word/media/") for name in held.namelist()) == 2


def test_forms_name_what_is_known_and_leave_room_for_the_rest(ordered: County) -> None:
    text = words_of(form_papers(ordered, 1, as_of=NOW)["踏查记录表-白岩镇.docx"])
    assert "／30" in text
    assert "／＿＿" in text
    assert text.count("□无法到达") == 2 * 3 * 2


def test_orders_and_forms_mark_the_villages_at_an_edge_and_of_key_ground(ordered: County) -> None:
    """The second village lies at an edge by the list, the first by an edit is 重点; the others are neither."""
    edit_unit(ordered, "520525001201", {"key_area": True}, now=NOW)
    text = words_of(order_papers(ordered, 1, as_of=NOW)["踏查任务单-凉水乡.docx"])
    assert (text.count("重点区域"), text.count("交界村")) == (1, 1)
    text = words_of(order_papers(ordered, 1, as_of=NOW)["踏查任务单-白岩镇.docx"])
    assert (text.count("重点区域"), text.count("交界村")) == (0, 0)


def test_papers_without_orders_say_what_to_do(village_county: County) -> None:
    with pytest.raises(GeoError) as caught:
        order_papers(village_county, 1, as_of=NOW)
    assert caught.value.code == "orders_none"


def test_the_same_county_prints_the_same_bytes(ordered: County) -> None:
    for paper in (order_papers, form_papers):
        assert paper(ordered, 1, as_of=NOW) == paper(ordered, 1, as_of=NOW)
    assert progress_paper(ordered, as_of=NOW)[0] == progress_paper(ordered, as_of=NOW)[0]
    assert register_paper(ordered, as_of=NOW) == register_paper(ordered, as_of=NOW)


def test_the_progress_workbook_says_what_the_json_says(ordered: County) -> None:
    content, answer = progress_paper(ordered, as_of=MAY)
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
    heads, body = rows[2], [row for row in rows[3:] if row[0] and str(row[0]).startswith("5205")]
    shown = [dict(zip(heads, row, strict=True)) for row in body]
    plain = answer.json()["townships"]
    named = {"乡镇代码": "township_id", "应查村": "due_n", "逾期未报": "overdue", "踏查率A+B+C": "rate_villages_abc"}
    assert [{n: row[h] for h, n in named.items()} for row in shown] == [
        {n: r[n] for n in named.values()} for r in plain
    ]
    cells = [row for row in book.worksheets[2].iter_rows(min_row=4, values_only=True) if row[3]]
    assert len(cells) == answer.json()["cells_n"] == 12


def test_an_upper_level_form_has_its_own_columns(ordered: County) -> None:
    from dataclasses import replace

    own = replace(ordered.settings.campaign, columns={"progress": ("单位=name", "应查=due_n", "备注")})
    county = replace(ordered, settings=replace(ordered.settings, campaign=own))
    book = openpyxl.load_workbook(io.BytesIO(progress_paper(county, as_of=MAY)[0]), read_only=True)
    rows = list(book.worksheets[0].iter_rows(min_row=3, max_row=4, values_only=True))
    assert [row[:3] for row in rows] == [("单位", "应查", "备注"), ("凉水乡", 2, None)]


def test_a_joint_notice_goes_to_both_sides_with_posts_and_a_meeting_point(ordered: County) -> None:
    """The edge of the two townships is 10 km at easting 510,000; nobody has a placed village, so they meet half way."""
    content, (joint,) = joint_papers(ordered, 1, as_of=NOW)
    text = words_of(content)
    assert pages_of(content) == 2
    assert (joint.length_km, joint.neither) == (pytest.approx(10.0), None)
    assert joint.place == pytest.approx((105.1, 26.7), abs=0.05)
    assert text.count("凉水乡：") == text.count("白岩镇：") == 1
    assert all(told in text for told in ("无人负责", "不作为划界依据", "双方共管", "代拟稿"))
    with pytest.raises(GeoError) as caught:
        joint_papers(ordered, 1, edges=["x~y~1"], as_of=NOW)
    assert caught.value.code == "joint_none"


def test_both_sides_meet_where_the_farther_village_is_nearest() -> None:
    """Villages at (0, 100) and (1000, -100) beside the line from (0, 0) to (1000, 0): half way is fairest."""
    line = shapely.LineString([(0, 0), (1000, 0)])
    here, there = np.array([shapely.Point(0, 100)]), np.array([shapely.Point(1000, -100)])
    assert abs(meeting_point(line, here, there).x - 500) <= 100
    assert meeting_point(line, here, np.array([])).x == 0
    assert meeting_point(line, np.array([]), np.array([])).x == 500


def test_a_map_carries_its_font_and_nothing_of_the_machine(measured_demo: Path) -> None:
    """One A3 page, glyphs embedded as a subset, the same bytes twice, no path and no clock inside."""
    county = open_county(measured_demo)
    township = county.store.read("townships")["township_id"].iloc[1]
    (one,), (two,) = (map_papers(county, 2, townships=[township], as_of=MAY).values() for _ in range(2))
    assert one == two
    assert one.startswith(b"%PDF")
    assert re.search(rb"/[A-Z]{6}\+\w+", one)
    assert re.search(rb"/MediaBox \[ ?0 0 1190\.\d+ 841\.\d+ ?\]", one)
    assert str(measured_demo).encode() not in one
    assert str(chinese_font().file.parent).encode() not in one


def test_a_county_without_terrain_has_maps_too(ordered: County) -> None:
    """Nothing measured, no village placed: the map still shows edges and lists the villages."""
    files = map_papers(ordered, 1, as_of=NOW)
    assert sorted(files) == ["踏查图-凉水乡.pdf", "踏查图-白岩镇.pdf"]
    assert files["踏查图-凉水乡.pdf"].startswith(b"%PDF")


def test_a_missing_font_is_said_aloud(tmp_path: Path) -> None:
    with pytest.raises(GeoError) as caught:
        chinese_font(tmp_path / "none.ttf")
    assert caught.value.code == "font_missing"


def test_a_repacked_archive_holds_the_same_members_of_one_date() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as held:
        held.writestr("b.xml", "two")
        held.writestr("a.xml", "one")
    with zipfile.ZipFile(io.BytesIO(stable_zip(stream.getvalue()))) as held:
        assert [(m.filename, m.date_time[0]) for m in held.infolist()] == [("a.xml", 1980), ("b.xml", 1980)]
        assert held.read("b.xml") == b"two"
