"""Work shared out among processes: the same answers in the same order, failures told, and nobody left behind."""

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from geo.errors import FormatError
from geo.workspace import processes
from geo.workspace.processes import WORTH_IT, beside, each

MANY = list(range(WORTH_IT * 3))
SPLITS = sys.platform == "linux" and len(os.sched_getaffinity(0)) > 1
needs_two = pytest.mark.skipif(not SPLITS, reason="one processor, or a system that does not split programs")


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def in_a_thread(call: Any) -> Any:
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(call()))
    thread.start()
    thread.join()
    return answers[0]


def test_answers_come_in_the_order_of_the_items() -> None:
    assert [answer for answer, _ in each(square, MANY)] == [number * number for number in MANY]
    assert multiprocessing.active_children() == []


@needs_two
def test_every_processor_works_and_a_few_items_or_another_thread_are_not_worth_it() -> None:
    assert len({pid for _, pid in each(square, MANY)}) == min(len(os.sched_getaffinity(0)), 4)
    assert {pid for _, pid in each(square, MANY[: WORTH_IT - 1])} == {os.getpid()}
    assert {pid for _, pid in in_a_thread(lambda: list(each(square, MANY)))} == {os.getpid()}


def test_what_goes_wrong_in_another_process_is_raised_here() -> None:
    """With its code and fields: the sentence must be the same."""

    def refuse_odd(number: int) -> int:
        if number % 2:
            raise FormatError("file_missing", file=f"{number}.gpx")
        return number

    with pytest.raises(FormatError) as told:
        list(each(refuse_odd, MANY))
    assert (told.value.code, told.value.fields) == ("file_missing", {"file": "1.gpx"})
    assert multiprocessing.active_children() == []


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_what_a_process_that_is_gone_owed_is_made_here(tmp_path: Path) -> None:
    """The system may end one for its memory: no answer is missing, and nobody reads of it."""
    here = os.getpid()

    def die_elsewhere(number: int) -> tuple[int, int]:
        if os.getpid() != here and number > 20:
            os.kill(os.getpid(), signal.SIGKILL)
        return square(number)

    assert [answer for answer, _ in each(die_elsewhere, MANY)] == [number * number for number in MANY]
    with beside(lambda: die_elsewhere(99) and (tmp_path / "done").touch()):
        pass
    assert (tmp_path / "done").exists()


def test_nobody_works_on_once_the_answers_are_not_asked_for() -> None:
    with closing(each(square, MANY)) as answers:
        next(answers)
    assert multiprocessing.active_children() == []


def test_files_written_beside_stand_when_the_block_ends(tmp_path: Path) -> None:
    def write() -> None:
        (tmp_path / "done").write_text(str(os.getpid()))

    with beside(write):
        pass
    assert (int((tmp_path / "done").read_text()) != os.getpid()) == (processes._processes() > 1)
    in_a_thread(lambda: beside(write).__enter__())
    assert int((tmp_path / "done").read_text()) == os.getpid()


def test_a_failure_beside_is_raised_and_one_in_the_block_ends_both(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), beside(lambda: (tmp_path / "no" / "folder").touch()):
        pass
    with pytest.raises(KeyboardInterrupt), beside(lambda: None):
        raise KeyboardInterrupt
    assert multiprocessing.active_children() == []
