"""Photos on the pages: taken in with what they show and are about, and said at once what each agrees with."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from geo.layers.photos import SHOWS
from geo.locale import moment
from geo.ui import state
from geo.workspace.county import County
from geo.workspace.photographing import PhotoIn, Taken, add_photos, photo_findings, plot_photos

KINDS = ["jpg", "jpeg", "png", "heic", "webp"]
BEFORE, AFTER, SCENE = "铲除前", "铲除后", "现场"
SHOWN = dict(
    zip(SHOWS, ("ui_photo_scene", "ui_photo_before", "ui_photo_after", "ui_photo_form", "ui_photo_other"), strict=True)
)
ABREAST = 3


def picker(code: str, key: str) -> list[UploadedFile]:
    """Where several pictures are chosen at once."""
    return st.file_uploader(state.word(code), KINDS, accept_multiple_files=True, max_upload_size=20, key=key) or []


def digest(files: Sequence[UploadedFile]) -> str | None:
    """What the first picture goes by in a find's row; None without one."""
    return hashlib.sha256(files[0].getvalue()).hexdigest() if files else None


def take(
    county: County, files: Sequence[UploadedFile], about: dict[str, str], team: str | None, shows: str
) -> list[str]:
    """Pictures on the record: one sentence for each, with what it agrees with or why it was refused."""
    given = [PhotoIn(file.name, file.getvalue(), about, team, shows) for file in files]
    return said(county, add_photos(county, given, now=datetime.now(UTC))) if given else []


def said(county: County, taken: Sequence[Taken]) -> list[str]:
    """A sentence per picture."""
    known = {row["photo_id"]: row for row in photo_findings(county, [one.photo_id for one in taken if one.photo_id])}
    return [_said(one, known) for one in taken]


def _said(one: Taken, known: dict[str, dict[str, object]]) -> str:
    if one.error is not None:
        return str(one.json(state.language())["reason"])
    return _agreement(known[str(one.photo_id)])


def _agreement(row: dict[str, Any]) -> str:
    """The file, and what the photo agrees with."""
    metres = "" if row["track_m"] is None else state.word("photo_metres", n=f"{row['track_m']:.0f}")
    far = state.word("photo_far", n=f"{row['about_m']:.0f}") if row["far"] else ""
    told = {"said": state.word(str(row["code"])), "metres": metres, "far": far}
    kept = state.word(f"photo_kept_{row['kept']}")
    return state.word("photo_line", file=state.plain(str(row["file"])), id=row["photo_id"], kept=kept, **told)


def of_plot(county: County, parcel_id: str) -> None:
    """The plot's pictures side by side, each with what it shows, when, and what it agrees with; nothing without any."""
    rows = plot_photos(county, parcel_id)
    if not rows:
        return
    st.markdown(f"**{state.word('ui_photos', n=len(rows))}**")
    for start in range(0, len(rows), ABREAST):
        for row, column in zip(rows[start : start + ABREAST], st.columns(ABREAST), strict=False):
            when = None if row["taken_at"] is None else datetime.fromisoformat(row["taken_at"])
            head = [state.word(SHOWN[row["shows"]]), *([moment(when, state.language())] if when else [])]
            if row["path"] is not None:
                column.image(str(row["path"]), width="stretch")
            column.caption(f"{' · '.join(head)} · {_agreement(row)}")
