"""Work beside the pages: progress, cancel, errors; one job per name."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import geo
from geo.errors import StoreError
from geo.ui import jobs
from geo.words import step_word


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    held = jobs.last(tmp_path, "work")
    if held and held.thread:
        held.stop.set()
        held.thread.join(10)


def ended(job: jobs.Job) -> jobs.Job:
    assert job.thread is not None
    job.thread.join(10)
    assert not job.running
    return job


def test_a_job_tells_how_far_it_is_and_keeps_its_result(place: Path) -> None:
    half, go_on = threading.Event(), threading.Event()

    def work(progress: jobs.Progress) -> int:
        progress("half", 1, 2)
        half.set()
        assert go_on.wait(10)
        return 42

    job = jobs.start(place, "work", work)
    assert half.wait(10)
    assert (job.running, job.step, job.share) == (True, "half", 0.5)
    assert jobs.start(place, "work", lambda progress: 0) is job
    go_on.set()
    assert ended(job).result == 42
    assert jobs.outcome(place, "work") == 42
    jobs.forget(place, "work")
    assert jobs.last(place, "work") is None


def test_a_job_asked_to_stop_leaves_no_result(place: Path) -> None:
    asked = threading.Event()

    def work(progress: jobs.Progress) -> int:
        assert asked.wait(10)
        progress("next", 1, 2)
        return 42

    job = jobs.start(place, "work", work)
    job.stop.set()
    asked.set()
    assert ended(job).result is None
    assert (job.error, job.broken) == (None, False)


def test_an_error_of_ours_is_kept_to_be_said(place: Path) -> None:
    def work(progress: jobs.Progress) -> None:
        raise StoreError("routes_missing")

    assert ended(jobs.start(place, "work", work)).error is not None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_anything_else_is_known_as_broken(place: Path) -> None:
    def work(progress: jobs.Progress) -> None:
        raise ZeroDivisionError

    job = ended(jobs.start(place, "work", work))
    assert (job.error, job.broken) == (None, True)


def test_every_step_that_work_reports_has_a_name() -> None:
    """A bar on a Chinese page once said "done"; the name of a file stays as it is."""
    told = re.compile(r'(?:report|progress)\("([a-z_ ]+)"')
    steps = {step for file in Path(geo.__file__).parent.rglob("*.py") for step in told.findall(file.read_text("utf-8"))}
    assert {"done", "shares", "blind spots"} <= steps
    assert [step for step in steps if step_word(step, "zh") == step] == []
    assert step_word("a.gpx", "zh") == "a.gpx"
