"""The page around the pages: Streamlit's own scripts are asked for at once, and every one of them is there."""

import re

from geo.ui import shell


def test_every_part_of_the_page_is_asked_for_with_the_page() -> None:
    page = shell.dressed("zh")
    for part in shell.PARTS:
        assert re.search(rf'<script type="module" crossorigin src="\./static/js/{part}\.[\w-]+\.js"></script>', page)


def test_what_is_asked_for_exists_and_is_all_that_the_parts_import() -> None:
    page = shell.dressed("en")
    linked = set(re.findall(r'rel="modulepreload" crossorigin href="\./static/js/([^"]+)"', page))
    scripts = shell.STATIC / "static" / "js"
    assert linked
    for name in linked:
        text = (scripts / name).read_text("utf-8")
        wanted = {one for one in re.findall(r'from"\./([^"]+\.js)"', text) if (scripts / one).is_file()}
        assert wanted <= linked, name
    for sheet in re.findall(r'rel="stylesheet" crossorigin href="\./static/css/([^"]+)"', page):
        assert (shell.STATIC / "static" / "css" / sheet).is_file()
