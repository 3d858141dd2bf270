"""
Work shared out among processes, so that reading and writing many files uses every processor.

This process is split (fork), which takes a hundredth of a second where a fresh one would take a second to load its
libraries. Only the main thread of a program on Linux is split: a server has threads that may hold anything. Everywhere
else the same work is done here, one after another, with the same results.
"""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
WORTH_IT = 16
"""Pieces of work for which one process more is worth its start."""


def each(work: Callable[[T], R], items: Sequence[T]) -> Generator[R]:
    """
    What `work` makes of each item, in their order; it may change nothing that the next piece of work looks at.

    Close it where not all is asked for: the other processes end with it.
    """
    ways = min(_processes(), len(items) // WORTH_IT + 1)
    with ExitStack() as stack:
        others = [stack.enter_context(_another(map(work, items[k::ways]))) for k in range(1, ways)]
        for number, item in enumerate(items):
            yield _received(others[number % ways - 1], partial(work, item)) if number % ways else work(item)


@contextmanager
def beside(work: Callable[[], None]) -> Iterator[None]:
    """Do `work`, which leaves nothing but files, while the block runs; it is done when the block ends."""
    if _processes() == 1:
        work()
        yield
        return
    with _another(step() for step in (work,)) as other:
        yield
        _received(other, work)


def _processes() -> int:
    splits = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
    return len(os.sched_getaffinity(0)) if splits else 1


@contextmanager
def _another(answers: Iterator[Any]) -> Iterator[Connection]:
    """A process that hands on the answers one by one; it is gone when the block ends, however it ends."""
    fork = multiprocessing.get_context("fork")
    here, there = fork.Pipe(duplex=False)
    child = fork.Process(target=_answer, args=(answers, here, there), daemon=True)
    child.start()
    there.close()
    try:
        yield here
    finally:
        here.close()
        child.kill()
        child.join()


def _answer(answers: Iterator[Any], here: Connection, there: Connection) -> None:
    """Runs in the other process: what goes wrong is handed on too, and nobody who listens no more is waited for."""
    for number in (signal.SIGINT, signal.SIGTERM):  # who started this ends it
        signal.signal(number, signal.SIG_IGN)
    here.close()
    try:
        for answer in answers:
            there.send((answer, None))
    except BrokenPipeError:
        return
    except Exception as wrong:
        there.send((None, wrong))


def _received(other: Connection, otherwise: Callable[[], R]) -> R:
    """The next answer; made here where the other process is gone, as when the system needed its memory."""
    try:
        told: tuple[R, Exception | None] = other.recv()
    except (EOFError, OSError):
        return otherwise()
    answer, wrong = told
    if wrong is not None:
        raise wrong
    return answer
