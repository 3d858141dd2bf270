"""`demo`, `app`, `doctor`, `backup`: the made-up county, the screens, and what this machine has."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

import geo
from geo.cli.speaking import now, progress, session
from geo.errors import StoreError

SCRIPTS = Path(geo.__file__).parent / "ui" / "assets" / "leaflet"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def register(app: typer.Typer) -> None:
    for command in (demo, serve, doctor, backup):
        app.command("app" if command is serve else None)(command)


def demo(
    context: typer.Context,
    folder: Path,
    size: Annotated[str, typer.Option(help="small | full")] = "small",
    seed: Annotated[int, typer.Option(min=0)] = 7,
) -> None:
    """虚构示例县 a ready, made-up county: raw inputs, imports, figures; hidden truth in DIR/truth."""
    talk = session(context)
    if size not in ("small", "full"):
        raise typer.BadParameter("small | full", param_hint="--size")
    from geo.workspace.demonstrating import make_demo

    with progress(talk.language) as tell:
        county, reports = make_demo(folder, size=size, seed=seed, progress=tell)
    talk.opened.append(county)
    plain = [report.json(talk.language) for report in reports]
    read, accepted = sum(p["read"] for p in plain), sum(p["accepted"] for p in plain)
    talk.answer({"folder": str(folder), "read": read, "accepted": accepted, "refused_n": read - accepted})
    talk.print(talk.say("demo_made", path=folder, read=read, accepted=accepted, refused=read - accepted))
    talk.print(talk.say("note_made_up"))


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option()] = 8501,
    listen: Annotated[str, typer.Option(help="监听地址 address")] = "127.0.0.1",
    show: Annotated[bool, typer.Option("--open", help="打开浏览器，端口被占用时换一个 open the browser")] = False,
) -> None:
    """打开地图 serve the map on this machine, or, once there are accounts, on an address of the office network."""
    from geo.workspace.accounts import accounts_on

    talk, port_asked = session(context), port
    county = talk.open()
    if listen not in LOOPBACK and not accounts_on(county.path):
        raise StoreError("listen_refused", address=listen)
    if not SCRIPTS.is_dir():
        talk.print(talk.say("ui_assets_missing"))
    if not _free(listen, port):
        port = next((one for one in range(port + 1, port + 20) if show and _free(listen, one)), 0)
    if not port:
        raise StoreError("ui_port_taken", port=port_asked)
    if show:
        threading.Thread(target=_open, args=(port,), daemon=True).start()
    talk.print(talk.say("serving", address=listen, port=port))
    environment = os.environ | {
        "TACHA_COUNTY": str(county.path.resolve()), "TACHA_PORT": str(port), "TACHA_LISTEN": listen
    }  # fmt: skip
    raise typer.Exit(_until_it_ends([sys.executable, "-m", "geo.ui"], environment))


def _free(listen: str, port: int) -> bool:
    """Whether nobody else holds a port of this machine."""
    try:
        with socket.socket() as tried:
            if os.name != "nt":  # what a server that just ended leaves behind does not count
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((listen if listen != "::1" else "127.0.0.1", port))
    except OSError:
        return False
    return True


def _open(port: int) -> None:
    """The browser, once the server answers."""
    import urllib.request
    import webbrowser

    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                break
        except OSError:
            time.sleep(0.2)
    webbrowser.open(address)


def _until_it_ends(command: list[str], environment: dict[str, str]) -> int:
    """Run a child that is stopped by whatever stops this process; its exit code, or 128 + the signal that ended it."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = {getattr(signal, name) for name in names if hasattr(signal, name)}
    early: list[int] = []
    for number in numbers:
        signal.signal(number, lambda told, _: early.append(told))
    child = subprocess.Popen(command, env=environment)
    for number in numbers:
        signal.signal(number, lambda told, _: child.send_signal(told))
    for told in early:
        child.send_signal(told)
    code = child.wait()
    return code if code >= 0 else 128 - code


def backup(context: typer.Context) -> None:
    """备份台账与记录 a whole copy of the record, in the county's folder backups."""
    from geo.workspace.condition import back_up_county

    talk = session(context)
    copied = back_up_county(talk.open(), now=now())
    talk.answer({"file": str(copied), "bytes": copied.stat().st_size})
    talk.print(talk.say("file_written", file=copied))


def doctor(context: typer.Context) -> None:
    """体检 versions of the three GDALs, closed drivers, fonts, the store."""
    from geo.workspace.condition import condition

    talk = session(context)
    found = condition(talk.county)
    talk.answer(found)
    for name, value in found.items():
        talk.print(f"{name}: {value}")
    if not found["ok"]:
        raise typer.Exit(1)
