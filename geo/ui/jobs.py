"""Long work beside the pages: one thread per job, with progress and cancel; a reloaded page finds it again."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from geo.analysis import routing
from geo.errors import GeoError
from geo.ui import state
from geo.words import step_word

Progress = Callable[[str, int, int], None]
MEASURE = "measure"


class Cancelled(Exception):
    """Raised inside the work when somebody asked for it to stop."""


@dataclass
class Job:
    """A piece of work: how far it is and, once it has ended, its result or its error."""

    step: str = ""
    share: float = 0.0
    result: Any = None
    error: GeoError | None = None
    broken: bool = False
    thread: threading.Thread | None = field(default=None, repr=False)
    stop: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self.thread is not None and self.thread.is_alive()

    def report(self, step: str, done: int, total: int) -> None:
        """The progress callback given to the work; raises `Cancelled` when asked to stop."""
        if self.stop.is_set():
            raise Cancelled
        self.step, self.share = step, min(max(done / total, 0.0), 1.0) if total else 0.0


_JOBS: dict[tuple[Path, str, str], Job] = {}
_STARTING = threading.Lock()


def start(path: Path, name: str, work: Callable[[Progress], Any]) -> Job:
    """Begin the work named `name` on a county; while it runs, a second start only finds it."""
    whose = _whose(path, name)
    with _STARTING:
        held = _JOBS.get(whose)
        if held is not None and held.running:
            return held
        job = Job()
        job.thread = threading.Thread(target=_run, args=(job, work), daemon=True)
        _JOBS[whose] = job
        job.thread.start()
        return job


def last(path: Path, name: str) -> Job | None:
    """The job that runs or ended last under this name; None where there was none."""
    return _JOBS.get(_whose(path, name))


def last_of(report: Progress) -> Job | None:
    """The job a progress callback belongs to, for work that can be asked to stop between two reports."""
    job = getattr(report, "__self__", None)
    return job if isinstance(job, Job) else None


def forget(path: Path, name: str) -> None:
    """Drop an ended job and its result."""
    held = _JOBS.get(_whose(path, name))
    if held is not None and not held.running:
        del _JOBS[_whose(path, name)]


def _whose(path: Path, name: str) -> tuple[Path, str, str]:
    """A job belongs to the account that began it: its result is shown to nobody else. Measuring is for all."""
    return path, name, "" if name == MEASURE else state.actor().name


def _run(job: Job, work: Callable[[Progress], Any]) -> None:
    try:
        job.result = work(job.report)
    except (Cancelled, routing.Cancelled):
        return
    except GeoError as error:
        job.error = error
    except Exception:  # the page says that it broke, the log says why
        job.broken = True
        raise


def measuring(path: Path, head: str) -> bool:
    """
    Whether edges and blind spots stand measured; where not, the work begins beside the page and its progress is shown.

    The page goes on without what is not there yet, and runs again when it is.
    """
    if state.borders_now(path, head) is not None:
        return True
    job = last(path, MEASURE)
    if job is None:
        job = start(path, MEASURE, lambda progress: state.measured(path, progress))
    if job.running:
        watch(path, MEASURE)
        return False
    outcome(path, MEASURE)
    if job.stop.is_set():
        st.info(state.word("ui_measure_stopped"))
    if st.button(state.word("ui_measure_again")):
        forget(path, MEASURE)
        st.rerun()
    return False


@st.fragment(run_every=0.7)
def watch(path: Path, name: str) -> None:
    """Progress bar and cancel button while the job runs; when it has ended the whole page runs again."""
    job = last(path, name)
    if job is None or not job.running:
        st.rerun()
        return
    st.progress(job.share, text=state.plain(_spoken(path, job.step)))
    if st.button(state.word("ui_cancel"), key=f"cancel_{name}"):
        job.stop.set()
        st.caption(state.word("ui_cancelling"))


def _spoken(path: Path, step: str) -> str:
    """What a job is at: a township by its name, a month by its number, a step by its name."""
    names = state.choices(path, state.head_of(state.county()), "townships")
    if step in names:
        return state.word("ui_measuring_at", what=names[step])
    year, dash, month = step.partition("-")
    if dash and year.isdigit() and month.isdigit():
        return state.word("ui_measuring_at", what=state.word("ui_month_at", month=int(month)))
    return step_word(step, state.language()) if step else state.word("ui_measuring")


def outcome(path: Path, name: str) -> Any:
    """The ended job's result; None after saying its error, or where there is none."""
    job = last(path, name)
    if job is None or job.running:
        return None
    if job.error is not None:
        state.sorry(job.error)
    elif job.broken:
        st.error(state.word("ui_job_broken"))
    return job.result
