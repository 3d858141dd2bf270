"""
What start.sh and 启动.bat run: makes the program ready on its first start, then opens it in the browser.

``start.py [COUNTY FOLDER]``. Needs Python 3.11 alone, no administrator and no compiler. On the first start packages are
fetched once, or taken from a folder ``wheels`` beside this file where there is no internet. Without a county folder it
opens 我的县 beside this file, or else the made-up 示例县, which is made when it is not there.
"""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN, MADE_UP = "我的县", "示例县"
NEEDED = "import argon2, babel, fiona, geopandas, numba, pyogrio, rasterio, streamlit, streamlit_folium, typer"
TACHA = ("-c", "from geo.cli import main; main()")
ENVIRONMENT = os.environ | {
    "PYTHONUTF8": "1",
    "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")])),
}


def tell(chinese: str, english: str) -> None:
    """One line in each language, where a console can show them."""
    sys.stderr.buffer.write(f"{chinese}\n{english}\n".encode())
    sys.stderr.flush()


def run(*command: str | Path, quiet: bool = False) -> int:
    """A command with our sources on its path; its exit code."""
    hidden = subprocess.DEVNULL if quiet else None
    return subprocess.run([*map(str, command)], env=ENVIRONMENT, stdout=hidden, stderr=hidden, check=False).returncode


def has_packages(python: Path) -> bool:
    """Whether a Python has what the program needs."""
    return python.is_file() and run(python, "-c", NEEDED, quiet=True) == 0


def own_python() -> Path:
    """The Python of the folder .venv beside this file."""
    return HERE / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def ready_python() -> Path | None:
    """A Python with all packages: this one, that of .venv, or that of a .venv made now; None where that fails."""
    for python in (Path(sys.executable), own_python()):
        if has_packages(python):
            return python
    tell("第一次启动：安装所需组件，几分钟……", "First start: installing what is needed, a few minutes ...")
    wheels = sorted((HERE / "wheels").glob("*.whl"))
    brought = ("--no-index", *wheels) if wheels else ()
    if not own_python().is_file():
        venv.EnvBuilder(with_pip=True).create(HERE / ".venv")
    install = (own_python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:")
    if run(*install, *brought, "-r", HERE / "requirements.lock") == 0 and has_packages(own_python()):
        return own_python()
    return None


def put_assets(python: Path) -> None:
    """The map's own scripts, from what npm fetched or can fetch now; without them the map says what is missing."""
    if run(python, "-c", "import sys; from geo.ui.vendor import complete; sys.exit(not complete())") == 0:
        return
    npm = shutil.which("npm")
    if not (HERE / "node_modules").is_dir() and npm:
        subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"], cwd=HERE, check=False)
    if (HERE / "node_modules").is_dir():
        subprocess.run([python, "-m", "geo.ui.vendor"], cwd=HERE, env=ENVIRONMENT, check=False)


def chosen_county(arguments: list[str], python: Path) -> Path | None:
    """The county to open: the one named, one's own, or the made-up one; None where that could not be made."""
    if arguments:
        return Path(arguments[0]).resolve()
    if (HERE / OWN / "county.toml").is_file():
        return HERE / OWN
    if not (HERE / MADE_UP / "county.toml").is_file():
        tell(f"生成虚构的{MADE_UP}，约一分钟……", "Making the made-up demo county, about a minute ...")
        if run(python, *TACHA, "demo", HERE / MADE_UP) != 0:
            return None
        run(python, *TACHA, "--county", HERE / MADE_UP, "borders", quiet=True)  # so that the first page has its edges
    return HERE / MADE_UP


def main(arguments: list[str]) -> int:
    """Serve until stopped; 1 with a sentence where something is missing."""
    if sys.version_info[:2] != (3, 11):
        tell("需要 Python 3.11", f"Python 3.11 is needed, this is {sys.version_info.major}.{sys.version_info.minor}")
        return 1
    python = ready_python()
    if python is None:
        tell(
            "组件没有装好。没有外网时，请在能上网的电脑执行 pip download --only-binary :all: -r requirements.lock"
            " -d wheels，把 wheels 文件夹拷到本文件夹再启动。",
            "The packages could not be installed. Without internet: on a computer that has it run pip download"
            " --only-binary :all: -r requirements.lock -d wheels, copy the folder wheels here and start again.",
        )
        return 1
    put_assets(python)
    county = chosen_county(arguments, python)
    if county is None:
        return 1
    return run(python, *TACHA, "--county", county, "app", "--open")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
