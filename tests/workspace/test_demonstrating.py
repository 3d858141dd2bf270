"""The demo county on disk: the same files and the same ledger every time, and nothing of one that was interrupted."""

from pathlib import Path

import pytest

from geo.analysis.order_book import open_problems
from geo.errors import StoreError
from geo.layers.orders import RECTIFY, TASK, Step, allowed, state_of
from geo.workspace.county import County, open_county
from geo.workspace.demonstrating import make_demo
from geo.workspace.ordering import dailies_at, order_id, orders_at


def quiet(what: str, done: int, total: int) -> None:
    """Nobody looks on."""


def test_the_same_seed_gives_the_same_files_and_the_same_ledger(measured_demo: Path, tmp_path: Path) -> None:
    """Byte for byte, the road package's last change included; the heads differ by nothing."""
    again, _ = make_demo(tmp_path / "again", size="small", seed=7, progress=quiet)
    for folder in ("inputs", "truth"):
        ours = {p.relative_to(measured_demo): p for p in sorted((measured_demo / folder).rglob("*")) if p.is_file()}
        theirs = {p.relative_to(again.path) for p in (again.path / folder).rglob("*") if p.is_file()}
        assert set(ours) == theirs
        assert [str(name) for name, p in ours.items() if p.read_bytes() != (again.path / name).read_bytes()] == []
    assert again.store.head() == open_county(measured_demo).store.head()


def test_an_interrupted_demo_leaves_nothing(tmp_path: Path) -> None:
    """Stopped once the inputs are written: the folder it was made in is as empty as before."""

    def stop(what: str, done: int, total: int) -> None:
        if what == "import":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "demo", size="small", seed=3, progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("held", ["notes.txt", "inputs/dem.tif", "county.gpkg"])
def test_a_folder_that_is_not_empty_is_refused_and_left_alone(tmp_path: Path, held: str) -> None:
    """Whatever lies there: an old demo's inputs never mix with a new one's."""
    file = tmp_path / "demo" / held
    file.parent.mkdir(parents=True)
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(StoreError) as told:
        make_demo(tmp_path / "demo", size="small", seed=3, progress=quiet)
    assert told.value.code == ("county_exists" if held == "county.gpkg" else "folder_not_empty")
    assert [p for p in (tmp_path / "demo").rglob("*") if p.is_file()] == [file]


@pytest.fixture(scope="module")
def county(measured_demo: Path) -> County:
    return open_county(measured_demo)


def test_orders_went_the_ways_an_order_may_go(county: County) -> None:
    """Every step was allowed where it was taken, by the same table that binds `take_step`; no post checked itself."""
    orders = county.store.read("orders").set_index("order_id")
    steps = county.store.read("order_steps").sort_values("at", kind="stable")
    assert set(steps["order_id"]) == set(orders.index)
    for number, own in steps.groupby("order_id", sort=False):
        kind = orders.loc[number, "kind"]
        for done, step in enumerate(own["step"]):
            assert step in allowed(kind, state_of(kind, own["step"].iloc[:done])), (number, list(own["step"]))
        by_step = own.groupby("step")["post"].last()
        if Step.CHECKED in by_step:
            assert by_step[Step.CHECKED] != by_step[Step.ANSWERED]


def test_no_order_was_closed_unseen_or_with_a_problem_open(county: County) -> None:
    """As `take_step` would have refused: somebody was in the village before, and its problems were closed before."""
    orders, steps, visits = (county.store.read(layer) for layer in ("orders", "order_steps", "visits"))
    closed = steps[steps["step"] == Step.CLOSED].set_index("order_id")["at"]
    tasks = orders[(orders["kind"] == TASK) & orders["order_id"].isin(closed.index)]
    there = visits[visits["outcome"] != "无法到达"]
    first = there.groupby(["village_id", "round"])["visited_at"].min()
    for task in tasks.to_dict("records"):
        assert first[task["unit_id"], task["round"]] < closed[task["order_id"]]
    raised = orders[(orders["kind"] == RECTIFY) & orders["parent_id"].isin(closed.index)]
    assert len(raised) > 0
    for problem in raised.to_dict("records"):
        assert closed[problem["order_id"]] < closed[problem["parent_id"]]


def test_of_orders_some_are_late_unsigned_or_in_trouble(county: County) -> None:
    """Two rounds of all villages, the third left to be issued; problems at several stages, each said to be made up."""
    book = orders_at(county, county.as_of())
    tasks, problems = book[book["kind"] == TASK], book[book["kind"] == RECTIFY]
    villages = list(county.store.read("villages")["village_id"])
    assert set(tasks["order_id"]) == {order_id(2026, number, one) for number in (1, 2) for one in villages}
    assert 0 < tasks["unsigned"].sum() < len(tasks) / 3
    assert 0 < tasks["overdue"].sum() < len(tasks) / 3
    assert {Step.ISSUED, Step.SIGNED, Step.ANSWERED, Step.CLOSED} <= set(tasks["state"])
    assert Step.CLOSED in set(problems["state"])
    assert 0 < len(open_problems(book)) < len(problems)
    assert problems["text"].str.endswith("（虚构）").all()
    assert problems["order_id"].str.startswith("DEMO-").all()


def test_some_daily_reports_are_missing_and_some_of_today_are_out(county: County) -> None:
    """Most are there; what is there was sent by the last record, and none tells of another day than it was sent on."""
    known = dailies_at(county, county.as_of())
    assert 0 < known["missing_n"] < known["due_n"] / 5
    assert 0 < len(known["today_missing"]) < 7
    reports = county.store.read("daily_reports")
    sent_on = reports["reported_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%Y-%m-%d")
    assert reports["reported_at"].max() <= county.as_of()
    assert (sent_on == reports["day"]).mean() > 0.9
    assert (sent_on >= reports["day"]).all()
