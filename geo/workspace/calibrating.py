"""The sweep width measured from a county's own trials, beside what its settings assume, and the form to fill in."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from geo.analysis.calibration import LEVEL, Calibration, DoubleSweep, Estimate, calibrate, width_from_range
from geo.errors import FormatError
from geo.formats import Hints, read
from geo.report.protocol import protocol_workbook
from geo.schema import Refusal
from geo.settings import DetectionSettings, to_mapping
from geo.words import Language, say


@dataclass(frozen=True)
class CalibrationAnswer:
    """What the decoys say, and what became of every row of their tables."""

    settings: DetectionSettings
    result: Calibration
    read: int
    refused: list[tuple[str, Refusal]]

    def json(self, language: Language = "zh") -> dict[str, Any]:
        """One plain object; a width no trial bounds is null, with its reason."""
        reasons = [
            {"file": f, "row": r.row, "field": r.field, "code": r.code, "reason": say(r.code, language, **r.details)}
            for f, r in self.refused
        ]
        return {
            "read": self.read,
            "accepted": self.read - len(self.refused),
            "refused_n": len(self.refused),
            "refused": reasons,
            "level": LEVEL,
            "widths": _records(self.result.widths),
            "factor": None if self.result.factor is None else asdict(self.result.factor),
            "bands": _records(self.result.bands),
            "beyond_reach_n": self.result.beyond_reach_n,
            "assumptions": {"detection": to_mapping(self.settings)},
        }


def calibrate_files(paths: Sequence[Path], settings: DetectionSettings, hints: Hints) -> CalibrationAnswer:
    """
    Tables of decoys read through the door and judged together.

    Raises
    ------
    FormatError
        A file that cannot be read, or no row that can be used.
    """
    readings = [read("trials", path, hints) for path in paths]
    refused = [(reading.file, refusal) for reading in readings for refusal in reading.refused]
    rows = pd.concat([reading.rows for reading in readings], ignore_index=True)
    if rows.empty:
        raise FormatError("trials_none", files="、".join(reading.file for reading in readings))
    return CalibrationAnswer(settings, calibrate(rows, settings), sum(r.read for r in readings), refused)


def double_sweep(
    found: tuple[int, int, int], walked_km: tuple[float, float], area_ha: float, *, pattern: str
) -> dict[str, Any]:
    """Two teams' finds (first, second, both) on one piece of ground: plots there, each team's detection and width."""
    sweep = DoubleSweep(*found)
    teams = [
        {
            "team": team,
            "detection": asdict(sweep.detection(team)),
            "width_m": asdict(sweep.width(team, walked_m=km * 1000.0, area_m2=area_ha * 1e4, pattern=pattern)),
        }
        for team, km in zip((1, 2), walked_km, strict=True)
    ]
    return {"level": LEVEL, "pattern": pattern, "area_ha": area_ha, "plots": asdict(sweep.plots), "teams": teams}


def range_of_detection(ranges_m: Sequence[float], visibility: str) -> dict[str, Any]:
    """The sweep width by Koester's factors from measured ranges of detection."""
    found: Estimate = width_from_range(list(ranges_m), visibility)
    return {"level": LEVEL, "visibility": visibility, "ranges_m": list(ranges_m), "width_m": asdict(found)}


def field_protocol(language: Language, settings: DetectionSettings) -> bytes:
    """The protocol of the decoy trial and its form, as a workbook that `calibrate_files` reads when filled in."""
    return protocol_workbook(language, settings)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    plain = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in plain]
