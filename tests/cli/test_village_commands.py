"""The villages' commands as a user types them: register, orders, forms, progress, papers; and their refusals."""

import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import openpyxl
from typed import Tacha, answer

from geo.workspace.county import open_county

VILLAGE, ORDER = "529901001201", "R2026-3-529901001201"


def reports(tacha: Tacha) -> Counter[tuple[str, int, str]]:
    """Reports held, by village, round and class."""
    held: Counter[tuple[str, int, str]] = Counter()
    for row in answer(tacha("form", "work", "--json"))["work"]:
        held[row["village_id"], row["round"], row["evidence"]] += row["reports_n"]
    return held


def test_a_county_without_villages_is_told_to_bring_some(tacha: Tacha, tmp_path: Path) -> None:
    """Its progress had been a line of question marks, and its day began with a full stop and a semicolon."""
    townships = Path(__file__).parents[2] / "data" / "boundaries" / "townships.geojson"
    mine = ("--county", tmp_path / "mine")
    assert tacha(*mine, "new", townships)[0] == 0
    code, said, _ = tacha(*mine, "progress")
    assert (code, "?" in said, "tacha import villages" in said) == (0, False, True)
    code, said, _ = tacha(*mine, "today")
    assert (code, "。；" in said) == (0, False)


def test_an_order_is_issued_signed_answered_and_closed(tacha: Tacha, tmp_path: Path, demo_copy: Path) -> None:
    slip = tmp_path / "slip.png"
    slip.write_bytes(b"scanned")
    first = answer(tacha("order", "issue", "--round", 3, "--at", "2026-04-20", "--json"))
    assert (first["new_n"], first["orders_n"]) == (19, 19)
    assert answer(tacha("order", "issue", "--round", 3, "--json"))["new_n"] == 0
    signed = ("order", "sign", ORDER, "--post", "村支部书记", "--at", "2026-04-21T09:00", "--slip", slip, "--json")
    assert answer(tacha(*signed))["state"] == "签收"
    assert not answer(tacha(*signed))["new"]
    (kept,) = demo_copy.glob("photos/*/*.png")
    assert (kept.read_bytes(), kept.stem) == (b"scanned", hashlib.sha256(b"scanned").hexdigest())
    code, _, complaint = tacha(*signed[:-2], tmp_path / "none.png")
    assert (code, "none.png" in complaint) == (1, True)
    assert (
        answer(tacha("order", "answer", ORDER, "--post", "村支部书记", "--at", "2026-05-09", "--json"))["state"]
        == "反馈"
    )
    assert answer(tacha("order", "close", ORDER, "--post", "乡镇", "--at", "2026-05-10", "--json"))["state"] == "销号"
    code, _, complaint = tacha("order", "sign", ORDER, "--post", "村支部书记", "--at", "2026-05-11")
    assert (code, "不能“签收”" in complaint) == (1, True)
    book = answer(tacha("order", "list", "--round", 3, "--json"))
    assert book["states"] == {"下达": 18, "销号": 1}


def test_a_problem_is_put_right_by_one_post_and_checked_by_another(tacha: Tacha) -> None:
    tacha("order", "issue", "--round", 3, "--at", "2026-04-20")
    told = ("order", "problem", ORDER, "--text", "北坡未查", "--post", "县督导组", "--at", "2026-05-09", "--json")
    number = answer(tacha(*told))["order_id"]
    tacha("order", "answer", number, "--post", "村支部书记", "--at", "2026-05-11")
    code, _, complaint = tacha("--lang", "en", "order", "check", number, "--post", "村支部书记", "--at", "2026-05-12")
    assert (code, "cannot check it" in complaint) == (1, True)
    assert (
        answer(tacha("order", "check", number, "--post", "县督导组", "--at", "2026-05-12", "--json"))["state"] == "复核"
    )


def test_a_report_of_nothing_is_no_longer_missing(tacha: Tacha) -> None:
    before = answer(tacha("daily", "missing", "--json", "--as-of", "2026-01-10"))
    late = before["missing"][0]
    report = (
        "daily",
        "report",
        late["unit_id"],
        "--day",
        late["day"],
        "--post",
        "乡镇值班岗",
        "--at",
        "2026-01-09T17:00",
    )
    assert answer(tacha(*report, "--json"))["new"]
    assert not answer(tacha(*report, "--json"))["new"]
    after = answer(tacha("daily", "missing", "--json", "--as-of", "2026-01-10"))
    assert after["missing"] == before["missing"][1:]
    assert (before["due_n"], before["missing_n"]) == (7 * 9, len(before["missing"]))


def test_forms_go_out_on_paper_and_come_back_as_workbooks(tacha: Tacha, tmp_path: Path) -> None:
    tacha("order", "issue", "--round", 3, "--at", "2026-04-20")
    files = answer(tacha("report", "forms", "--round", 3, "--out", tmp_path, "--json"))["files"]
    assert len(files) == 14
    path = next(Path(name) for name in files if name.endswith(".xlsx"))
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[4]]
    for head, value in {
        "踏查日期": "2026-05-02",
        "人数": 3,
        "结果": "未发现",
        "照片张数": 2,
        "已签字": "是",
        "签字岗位": "书记",
    }.items():
        sheet.cell(5, heads.index(head) + 1, value)
    book.save(path)
    before = reports(tacha)
    counts = answer(tacha("form", "import", path, "--json"))
    assert (counts["read"], counts["accepted"], counts["refused_n"]) == (1, 1, 0)
    code, out, _ = tacha("form", "import", path, "--json")
    assert (code, json.loads(out)["files"][0]["refused"][0]["code"]) == (1, "duplicate")
    typed = ("form", "enter", "--village", VILLAGE, "--day", "2026-05-03", "--round", 3, "--team", "529901001-T01")
    assert answer(tacha(*typed, "--persons", 2, "--mu", 30, "--json"))["new"]
    assert reports(tacha) - before == Counter(
        [(sheet.cell(5, heads.index("村代码") + 1).value, 3, "B"), (VILLAGE, 3, "C")]
    )
    assert answer(tacha("form", "upgrade", "--json"))["upgradable"] is not None


def test_progress_today_and_claims_add_up(tacha: Tacha) -> None:
    plain = answer(tacha("progress", "--json"))
    total = plain["totals"]["all"]
    states = ("looked_a", "looked_b", "looked_c", "unreached", "overdue", "due", "not_due")
    assert sum(total[state] for state in states) == plain["cells_n"] == 19 * 3
    page = answer(tacha("today", "--json"))
    assert (page["round"], page["totals"]["villages_n"], page["nobody_n"]) == (3, 19, 3)
    claims = answer(tacha("claims", "--json"))
    assert sum(row["claims_n"] for row in claims["townships"]) == len(claims["claims"])
    for command in (("progress",), ("today",), ("claims",), ("form", "work"), ("daily", "missing"), ("register",)):
        for language in ("zh", "en"):
            code, out, err = tacha("--lang", language, *command)
            assert (code, err, "?" in out) == (0, "", False)


def test_the_register_is_printed_edited_and_read_back(tacha: Tacha, tmp_path: Path) -> None:
    path = tmp_path / "底数册.xlsx"
    answer(tacha("report", "register", "--out", path, "--json"))
    back = answer(tacha("duty", "import", path, "--json"))
    assert (back["refused_n"], back["accepted"]) == (0, 29)
    given = ("duty", "assign", "529901003201", "--post", "长寨村支部书记", "--from", "2026-01-01", "--json")
    number = answer(tacha(*given))["duty_id"]
    assert not answer(tacha(*given))["new"]
    assert answer(tacha("today", "--json"))["nobody_n"] == 2
    answer(tacha("duty", "end", number, "--at", "2026-03-01", "--json"))
    assert answer(tacha("today", "--json"))["nobody_n"] == 3


def test_every_other_paper_is_written(tacha: Tacha, tmp_path: Path) -> None:
    assert answer(tacha("order", "issue", "--round", 2, "--json"))["new_n"] == 0
    assert len(answer(tacha("report", "orders", "--round", 2, "--out", tmp_path / "o", "--json"))["files"]) == 7
    one = answer(tacha("report", "progress", "--out", tmp_path / "p.xlsx", "--json"))
    assert one["progress"]["cells_n"] == 57
    assert answer(tacha("report", "progress", "--out", tmp_path, "--json"))["file"] == str(tmp_path / "踏查进度表.xlsx")
    joint = answer(tacha("report", "joint-notice", "--round", 2, "--out", tmp_path / "j.docx", "--json"))
    assert len(joint["edges"]) > 5
    maps = ("report", "maps", "--round", 2, "--township", "529901001", "--out", tmp_path / "m", "--json")
    assert len(answer(tacha(*maps))["files"]) == 1
    code, _, complaint = tacha("report", "orders", "--round", 3)
    assert (code, "tacha order issue --round 3" in complaint) == (1, True)


def test_what_is_not_there_or_no_post_is_told_in_a_sentence(tacha: Tacha, tmp_path: Path) -> None:
    """Exit 1 or 2 and what is wrong, in the user's language; nothing is written."""
    out = ("--out", tmp_path / "out")
    asked: list[tuple[tuple[object, ...], str]] = [
        (("report", "maps", "--round", 2, "--township", "zz", *out), "没有乡镇 zz"),
        (("report", "progress", "--round", 8, *out), "没有第 8 轮"),
        (("progress", "--round", 8), "没有第 8 轮"),
        (("daily", "report", "529901001", "--day", "2026-05-20", "--post", "岗", "--finds", -1), "-1 小于 0"),
        (("order", "sign", "R2026-1-529901001202", "--post", " "), "请填写 岗位"),
        (("duty", "assign", VILLAGE, "--post", "张三13800138000", "--from", "2026-01-01"), "不登记个人"),
        (("reward", "nope"), "没有线索 nope"),
        (("report", "orders", "--round", 9, *out), "没有第 9 轮"),
        (("report", "register", "--out", "/dev/null/a.xlsx"), "/dev/null"),
        (("import", "visits", tmp_path / "none.xlsx"), "none.xlsx"),
    ]
    for words, told in asked:
        code, said, complaint = tacha(*words)
        assert (code, told in complaint + said) == (1, True), (words, said, complaint)
    assert not (tmp_path / "out").exists()


def test_a_form_typed_in_without_a_team_is_of_the_one_its_paper_names(tacha: Tacha, demo_copy: Path) -> None:
    typed = ("form", "enter", "--village", VILLAGE, "--day", "2026-05-03", "--mu", 30, "--json")
    number = answer(tacha(*typed))["visit_id"]
    visits = open_county(demo_copy).store.read("visits").set_index("visit_id")
    assert visits.loc[number, "team_id"] == "529901001-T04"
