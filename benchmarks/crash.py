"""
kill -9 at any moment: ``python -m benchmarks.crash --runs N --seed S --json`` → ``runs, lost, partial, unreadable``.

Each run starts a child of its own on one act (append, import, export, settings, migrate, bundle; see
``benchmarks.crash_acts``), on a copy of what the act starts from, and kills it. Of every act every second run is killed
*at work*, after a random share of the time the act took when it was last left alone until its first acknowledgement;
the others *after* that acknowledgement, however long it takes to come, and a random moment more. So each act has its
share of both, on a busy machine too. Then the county is opened again: what the child had reported as done must be there
(else *lost*), nothing may be there by halves (*partial*), and everything must open and agree with its ledger
(*unreadable*).
"""

import argparse
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import traceback
from pathlib import Path

from benchmarks.crash_acts import ACTS, Act
from geo.errors import GeoError

ANEW = 10
AFTERWARDS_S = 0.02


def killed(act: Act, folder: Path, *, wait_first: bool, then_s: float) -> tuple[list[str], float]:
    """
    Do an act in a child and kill it `then_s` seconds after its start, or after its first line.

    Returns
    -------
    The lines told whole, and the seconds until the first one where it was waited for. A child that fails of itself is
    an error of the harness.
    """
    out, into = os.pipe()
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        os.close(out)
        code = 1
        try:
            act.work(folder, lambda line: os.write(into, f"{line}\n".encode()) and None)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(into)
    with os.fdopen(out, "rb", buffering=0) as stream:
        first = stream.readline() if wait_first else b""
        took_s = time.perf_counter() - begin
        time.sleep(then_s)
        os.kill(child, signal.SIGKILL)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) > 0:
            raise RuntimeError(f"{type(act).__name__} failed")
        told = first + stream.read()
    return [line.decode() for line in told.split(b"\n")[:-1]], took_s


def run(n: int, seed: int) -> dict[str, object]:
    """Counts over all acts, in turn."""
    dice, totals = random.Random(seed), {"lost": 0, "partial": 0, "unreadable": 0}
    by_act, acknowledged, cut_off = (dict.fromkeys(ACTS, 0) for _ in range(3))
    with tempfile.TemporaryDirectory() as root:
        seconds = {}
        for name, act in ACTS.items():
            act.prepare(Path(root) / "ready" / name)
            shutil.copytree(Path(root) / "ready" / name, Path(root) / name)
            seconds[name] = killed(act, Path(root) / name, wait_first=True, then_s=0.0)[1]
        for number in range(n):
            turn, place = divmod(number, len(ACTS))
            name, act = list(ACTS.items())[place]
            folder, at_work = Path(root) / name, turn % 2 == 0
            if turn % ANEW == 0 or not act.endless:
                shutil.rmtree(folder)
                shutil.copytree(Path(root) / "ready" / name, folder)
            then_s = dice.random() * (seconds[name] if at_work else AFTERWARDS_S)
            told, took_s = killed(act, folder, wait_first=not at_work, then_s=then_s)
            if not at_work:
                seconds[name] = took_s
            by_act[name] += 1
            acknowledged[name] += len(told)
            cut_off[name] += not told or act.endless
            try:
                lost, partial = act.check(folder, told)
            except (GeoError, sqlite3.Error, ValueError) as wrong:
                print(f"{name} run {number}: {wrong!r}", file=sys.stderr)
                totals["unreadable"] += 1
                continue
            if lost or partial:
                print(f"{name} run {number}: lost {lost}, partial {partial}", file=sys.stderr)
            totals["lost"] += int(lost)
            totals["partial"] += int(partial)
    return {"runs": n, **totals, "acknowledged": acknowledged, "cut_off": cut_off, "by_act": by_act}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(json.dumps(run(options.runs, options.seed)))


if __name__ == "__main__":
    main()
