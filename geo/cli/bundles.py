"""`bundle out|key|open|pack|in`: work carried to a township without a network, and back."""

from pathlib import Path
from typing import Annotated

import typer

from geo.cli.speaking import now, session

bundle = typer.Typer(no_args_is_help=True, help="离线任务包 bundles for townships without a network")

Township = Annotated[str, typer.Option(help="乡镇代码 township id")]
Key = Annotated[str, typer.Option(help="乡镇密钥或存放它的文件 the township's key, or a file that holds it")]


def register(app: typer.Typer) -> None:
    app.add_typer(bundle, name="bundle")


@bundle.command()
def out(
    context: typer.Context,
    township: Township,
    out: Annotated[Path | None, typer.Option(help="输出文件 file")] = None,
) -> None:
    """给一个乡镇打包：路线、本乡镇靶标、表格 a township's routes, its own targets and forms, sealed with its key."""
    from geo.store.durable import write_file
    from geo.workspace.bundling import bundle_out

    talk = session(context)
    manifest, content = bundle_out(talk.open(), township, now=now(), language=talk.language)
    file = out or Path(f"{manifest.township}-{manifest.id}.zip")
    write_file(file, content)
    talk.answer({"file": str(file), "bundle_id": manifest.id, "files": manifest.files})
    talk.print(talk.say("bundle_out_done", file=file, township=manifest.township, n=len(manifest.files)))


@bundle.command()
def key(context: typer.Context, township: Township) -> None:
    """乡镇密钥：与任务包分开交付 the township's key, to be handed over apart from its bundles."""
    from geo.workspace.bundling import key_for

    talk = session(context)
    digits = key_for(talk.open(), township).hex()
    talk.answer({"township_id": township, "key": digits})
    talk.print(" ".join(digits[n : n + 8] for n in range(0, len(digits), 8)))


@bundle.command("open")
def open_(
    context: typer.Context,
    file: Path,
    key: Key,
    out: Annotated[Path, typer.Option(help="新文件夹 new folder")],
) -> None:
    """（乡镇）核对并打开任务包，不需要县数据库 check a bundle and lay it out; no county is needed."""
    from geo.workspace.bundling import open_bundle

    talk = session(context)
    manifest = open_bundle(file, _key(key), out)
    talk.answer({"folder": str(out), "bundle_id": manifest.id, "files": sorted(manifest.files)})
    talk.print(talk.say("bundle_opened", folder=out, n=len(manifest.files)))


@bundle.command()
def pack(
    context: typer.Context,
    folder: Path,
    key: Key,
    out: Annotated[Path | None, typer.Option(help="输出文件 file")] = None,
) -> None:
    """（乡镇）把轨迹、表格、照片打成回传包 what a township brings back: tracks, forms and photos, sealed."""
    from geo.store.durable import write_file
    from geo.workspace.bundling import pack_return

    talk = session(context)
    manifest, content = pack_return(folder, _key(key), now=now())
    file = out or Path(f"{manifest.township}-{manifest.id}-回传.zip")
    write_file(file, content)
    talk.answer({"file": str(file), "bundle_id": manifest.id, "files": sorted(manifest.files)})
    talk.print(talk.say("bundle_packed", file=file, n=len(manifest.files)))


@bundle.command("in")
def in_(context: typer.Context, files: list[Path]) -> None:
    """收回传包：重复、乱序、补交都不影响结果 take returned bundles in; copies and order change nothing."""
    from geo.workspace.merging import bundle_in

    talk = session(context)
    county = talk.open()
    answers = []
    for file in files:
        merged = bundle_in(county, file, now=now())
        answers.append(merged.json(talk.language))
        talk.print(*merged.sentences(talk.language, file=file.name))
    talk.answer({"bundles": answers})


def _key(text: str) -> bytes:
    from geo.formats.bundle import key_of

    try:
        held = Path(text).read_text("utf-8") if Path(text).is_file() else text
    except (OSError, ValueError):
        held = text
    return key_of(held)
