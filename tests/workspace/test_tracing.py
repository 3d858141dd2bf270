"""The 倒查 dossier: every statement names entries that exist and tell of it, and what is missing is said as missing."""

import io
import itertools
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import docx
import pytest
from shared_counties import MADE_OF, copy_of

from geo.layers.orders import Step
from geo.layers.steps import Act
from geo.report.dossier import PARTS
from geo.workspace import ordering
from geo.workspace.correcting import correct
from geo.workspace.county import County, open_county
from geo.workspace.evidence import evidence_at
from geo.workspace.life import record_step
from geo.workspace.recording import record_find, record_visit
from geo.workspace.rights import Actor, Denied, Role
from geo.workspace.tracing import Dossier, dossier_papers, plot_dossier

NOW = datetime(2026, 5, 25, tzinfo=UTC)
PLOT, VILLAGE, TOWNSHIP = "DEMO-2026-0004", "529901001200", "529901001"
FOUND = datetime(2026, 5, 16, 3, tzinfo=UTC)


def may(day: int) -> datetime:
    return datetime(2026, 5, day, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def county(measured_demo: Path, tmp_path_factory: pytest.TempPathFactory) -> County:
    """A plot ordered, assigned, claimed as empty, reported as zero, and found by satellite twelve days later."""

    folder = tmp_path_factory.mktemp("traced") / "county"
    copy_of(measured_demo, folder, *MADE_OF)
    made = open_county(folder)
    ordering.issue_orders(made, 3, now=NOW, at=datetime(2026, 4, 20, tzinfo=UTC))
    order = ordering.order_id(2026, 3, VILLAGE)
    ordering.take_step(made, order, Step.SIGNED, post="村支部书记", now=NOW, at=may(3))
    ordering.take_step(made, order, Step.ANSWERED, post="村支部书记", now=NOW, at=may(4))
    for day in (1, 2, 3):
        ordering.record_daily(made, TOWNSHIP, date(2026, 5, day), post="值班岗", now=NOW, at=may(day))
    record_step(made.store, PLOT, Act.ASSIGN, {"team_id": "529901001-T04", "at": may(1)}, now=NOW)
    about = {"parcel_id": PLOT, "team_id": "529901001-T04", "outcome": "未发现", "evidence": "C"}
    record_visit(made.store, about | {"visited_at": may(4)}, now=NOW)
    find = {"parcel_id": PLOT, "team_id": "529901-T00", "found_at": FOUND, "plants_n": 312, "stage": "结果割浆期"}
    kept = record_find(made.store, find | {"found_by": "卫星"}, now=NOW)
    correct(made.store, "finds", kept.id, {"plants_n": 402}, reason="漏记一垄", now=NOW)
    record_visit(made.store, about | {"visited_at": may(6), "hours": 2.0}, now=NOW)
    record_step(made.store, PLOT, Act.HAND_OVER, {"station": "甲所", "receipt": "R1", "at": may(17)}, now=NOW)
    return made


@pytest.fixture(scope="module")
def dossier(county: County) -> Dossier:
    return plot_dossier(county, PLOT)


def test_every_part_speaks_and_every_entry_named_is_the_ledgers(county: County, dossier: Dossier) -> None:
    """No statement without an entry but those that say there is none."""
    held = {entry.seq: entry.hash for entry in county.store.entries()}
    assert {one.part for one in dossier.pages.statements} == set(PARTS)
    assert all(held[mention.seq] == mention.hash for mention in dossier.pages.mentions)
    silent = {one.code for one in dossier.pages.statements if not one.mentions}
    assert silent == set()
    assert (dossier.ledger_ok, dossier.ledger_head) == (True, county.store.head().hash)


def test_a_statement_rests_on_the_entries_that_name_its_row(county: County, dossier: Dossier) -> None:
    by_seq = {entry.seq: entry for entry in county.store.entries()}
    kinds = {
        "dossier_order": {"orders_issued"}, "dossier_zero": {"daily_report", "import"}, "dossier_assigned": {"step"},
        "dossier_visit": {"visit"}, "dossier_step": {"step"}, "dossier_correction": {"correction"},
        "dossier_walked": {"import"}, "dossier_order_step": {"order_step", "import"}, "dossier_duty": {"import"},
    }  # fmt: skip
    for code, wanted in kinds.items():
        told = [one for one in dossier.pages.statements if one.code == code]
        assert told
        assert {by_seq[mention.seq].kind for one in told for mention in one.mentions} == wanted
    find = next(one for one in dossier.pages.statements if one.code == "dossier_find")
    assert [mention.kind for mention in find.mentions] == ["find", "correction"]
    assert find.fields["plants"] == 402


def test_what_was_entered_after_the_find_is_marked(dossier: Dossier) -> None:
    """A visit typed in once the plot was known as found does not pass for one reported before."""
    visits = [one for one in dossier.pages.statements if one.code == "dossier_visit"]
    assert [one.late for one in visits] == [False, True]
    assert all(one.lag_h is not None and one.lag_h > 24.0 for one in visits)


def test_before_the_first_visit_no_visit_is_on_record(county: County) -> None:
    """Visits that came later do not count as one."""
    visits = county.store.read_where("visits", "parcel_id", PLOT)
    early = plot_dossier(county, PLOT, as_of=visits["visited_at"].min() - timedelta(hours=1), check=False)
    codes = {one.code for one in early.pages.statements}
    assert ("dossier_unvisited" in codes, "dossier_visit" in codes) == (True, False)


def test_the_probability_is_that_of_the_cell_when_it_was_found(county: County, dossier: Dossier) -> None:
    """Tracks after the find do not count; the figures are those of `evidence_at`."""
    asked = evidence_at(county, dossier.longitude, dossier.latitude, as_of=FOUND)
    assert (dossier.until, dossier.found) == (FOUND, True)
    assert dossier.json()["pod"] == pytest.approx(asked.pod)
    seen = [
        one for one in dossier.pages.statements if one.code in ("dossier_seen", "dossier_unseen", "dossier_watched")
    ]
    assert len(seen) == len(asked.tracks) > 0


def test_who_saw_a_place_is_said_to_have_seen_it(county: County) -> None:
    """Track by track, also where others beside it saw nothing; nothing that is missing becomes a word."""
    kinds = set()
    for plot in county.store.read("parcels")["parcel_id"]:
        asked = plot_dossier(county, plot, check=False)
        told = [one for one in asked.pages.statements if one.code in ("dossier_seen", "dossier_unseen")]
        looks = evidence_at(county, asked.longitude, asked.latitude, as_of=asked.until).tracks
        assert len(told) == len(looks)
        assert sum(one.code == "dossier_seen" for one in told) == sum(looks["units"] > 0)
        kinds |= {one.code for one in told}
        assert not [text for one in asked.pages.statements if "nan" in (text := one.text("zh"))]
    assert kinds == {"dossier_seen", "dossier_unseen"}


def test_a_plot_nobody_cared_for_says_so(county: County) -> None:
    """What is not on record is said, part by part, resting on the ledger as a whole; approvals are the village's."""
    parcels, visits = county.store.read("parcels")["parcel_id"], county.store.read("visits")["parcel_id"]
    approved = []
    untouched = parcels[~parcels.isin([PLOT, *visits])]
    for plot, moment in itertools.product(untouched, (None, datetime(2026, 1, 1, tzinfo=UTC))):
        asked = plot_dossier(county, plot, as_of=moment, check=False)
        plain = asked.json()
        silent = {one["code"] for one in plain["statements"] if one["rests_on"] == "no_entry"}
        assert {"dossier_not_found", "dossier_unvisited"} <= silent
        said = [one.text("zh") for one in asked.pages.statements]
        assert not [sentence for sentence in said if "发现之前" in sentence], "nothing was found there"
        told = [one for one in plain["statements"] if one["part"] == "approved" and one["rests_on"] != "no_entry"]
        assert ("dossier_unapproved" in silent) == (not told)
        approved.append(bool(told))
        json.dumps(plain, allow_nan=False, default=str)
    assert set(approved) == {True, False}


def test_the_papers_are_whole_and_the_same_each_time(county: County, dossier: Dossier) -> None:
    """HTML that fetches nothing, Word with a line per statement, both with head, root and every hash."""
    files = dossier_papers(county, dossier)
    assert files == dossier_papers(county, dossier)
    html = files[f"倒查-{PLOT}.html"].decode()
    assert "http" not in html.replace("<!doctype html>", "").replace("<html", "")
    book = docx.Document(io.BytesIO(files[f"倒查-{PLOT}.docx"]))
    word = "\n".join(cell.text for table in book.tables for row in table.rows for cell in row.cells)
    for one in dossier.pages.statements:
        assert one.text() in word
    for mention in dossier.pages.mentions:
        assert mention.hash in html
        assert mention.hash in word
    assert dossier.ledger_head in html


def test_only_those_who_trace_may_ask(county: County) -> None:
    with pytest.raises(Denied):
        plot_dossier(open_county(county.path, Actor(Role.TOWNSHIP, (TOWNSHIP,))), PLOT)
