"""The Chinese font of this machine, found by fontconfig: papers fail loudly without one."""

import os
import subprocess
from pathlib import Path

from geo.errors import FormatError
from geo.report.township_map import Font

FAMILY = "Noto Sans CJK SC:lang=zh-cn"
WINDOWS = ("msyh.ttc", "simhei.ttf", "simsun.ttc")


def chinese_font(file: Path | None = None) -> Font:
    """The given font, else the one fontconfig finds for simplified Chinese."""
    if file is not None:
        if not file.is_file():
            raise FormatError("font_missing", font=file.name)
        return Font(file)
    try:
        asked = ["fc-match", "-f", "%{file}|%{index}|%{lang}", FAMILY]
        found = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        found = ""
    path, _, rest = found.partition("|")
    index, _, languages = rest.partition("|")
    if "zh" in languages and Path(path).is_file():
        return Font(Path(path), int(index or 0) & 0xFFFF)
    fonts = Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    for name in WINDOWS:
        if (fonts / name).is_file():
            return Font(fonts / name)
    raise FormatError("font_missing", font=FAMILY.split(":")[0])
