"""`demo`, `app`, `doctor`, `backup`: the made-up county, the screens, and what this machine has."""

import os
import signal
import socket
import subprocess
import sys
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
    seed: Annotated[int, typer.Option()] = 7,
) -> None:
    """虚构示例县 a ready, made-up county: raw inputs, imports, figures; hidden truth in DIR/truth."""
    talk = session(context)
    if size not in ("small", "full"):
        raise typer.BadParameter("small | full", param_hint="--size")
    from geo.workspace.demonstrating import make_demo

    with progress(talk.language) as tell:
        _, reports = make_demo(folder, size=size, seed=seed, progress=tell)
    plain = [report.json(talk.language) for report in reports]
    read, accepted = sum(p["read"] for p in plain), sum(p["accepted"] for p in plain)
    talk.answer({"folder": str(folder), "read": read, "accepted": accepted, "refused_n": read - accepted})
    talk.print(talk.say("demo_made", path=folder, read=read, accepted=accepted, refused=read - accepted))
    talk.print(talk.say("note_made_up"))


def serve(
    context: typer.Context,
    port: Annotated[int, typer.Option()] = 8501,
    listen: Annotated[str, typer.Option(help="监听地址 address")] = "127.0.0.1",
) -> None:
    """打开地图 serve the map on this machine, or, once there are accounts, on an address of the office network."""
    from geo.workspace.accounts import accounts_on

    talk = session(context)
    county = talk.open()
    if listen not in LOOPBACK and not accounts_on(county.path):
        raise StoreError("listen_refused", address=listen)
    if not SCRIPTS.is_dir():
        raise StoreError("ui_assets_missing")
    if _taken(listen, port):
        raise StoreError("port_taken", port=port, other=port + 1)
    talk.print(talk.say("serving", address=listen, port=port))
    environment = os.environ | {
        "TACHA_COUNTY": str(county.path.resolve()), "TACHA_PORT": str(port), "TACHA_LISTEN": listen
    }  # fmt: skip
    raise typer.Exit(_until_it_ends([sys.executable, "-m", "geo.ui"], environment))


def _taken(address: str, port: int) -> bool:
    """Whether something else answers there already, another Tacha as a rule."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1" if address == "0.0.0.0" else address, port)) == 0


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
    talk.open()
    copied = back_up_county(talk.county, now=now())
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
