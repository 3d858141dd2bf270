"""Ctrl-C at any moment: one sentence, exit code 130, and the record as it was."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

WORDS = {
    "zh": "已停止；没有写入一半的内容：已报出结果的已经登记，其余和原来一样",
    "en": "stopped; nothing is half written: what was reported is recorded, all else is as it was before",
}
AT_IMPORT = """
import importlib.abc, os, signal, sys
class Key(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Key())
from geo.cli import main
main()
"""


@pytest.mark.parametrize("name", ["typer", "geo.cli.looking", "geo.workspace.demonstrating", "geo.layers.borders"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_ctrl_c_while_the_program_loads_is_one_sentence(tmp_path: Path, name: str, language: str) -> None:
    """The key is pressed at the very moment a part of the program is looked for."""
    words = ["demo", str(tmp_path / "demo"), "--lang", language]
    told = subprocess.run(
        [sys.executable, "-c", AT_IMPORT.format(name=name), *words], capture_output=True, encoding="utf-8", check=False
    )
    assert (told.returncode, told.stdout, told.stderr) == (130, "", WORDS[language] + "\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_long_work_tells_its_step_on_stderr_and_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    """Redirected output: plain lines, none of them on stdout; stopped after the first, and nothing stays behind."""
    command = [sys.executable, "-c", "from geo.cli import main; main()", "demo", str(tmp_path / "demo"), "--json"]
    told = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    assert told.stderr is not None
    assert told.stderr.readline().startswith("…… ")
    told.send_signal(number)
    out, rest = told.communicate()
    assert (told.returncode, out, rest.splitlines()[-1:]) == (128 + number, "", [WORDS["zh"]])
    assert "Traceback" not in rest
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_failure(tmp_path: Path, closed: str) -> None:
    """As a scheduler may start it: nobody listens, and what is made is made."""
    program = f'{sys.executable} -c "from geo.cli import main; main()"'
    shell = f'{program} --county "$0" doctor {closed}; test $? -le 1'
    told = subprocess.run(["sh", "-c", shell, str(tmp_path)], capture_output=True, encoding="utf-8", check=False)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output_is_one_sentence(tmp_path: Path) -> None:
    """The answer has nowhere to go: said once, with an exit code a script can see."""
    program = f'{sys.executable} -c "from geo.cli import main; main()"'
    shell = f'{program} --lang en --county "$0" doctor > /dev/full'
    told = subprocess.run(["sh", "-c", shell, str(tmp_path)], capture_output=True, encoding="utf-8", check=False)
    assert (told.returncode, told.stderr) == (1, "stdout: the system refuses it (No space left on device)\n")
