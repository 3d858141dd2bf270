"""Text of any file → numbers and times, each failure a fault that names the value."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.errors import FormatError
from geo.schema import Refusal

Floats = npt.NDArray[np.float64]
SHOWN_CHARACTERS = 40
_PLAIN = "0000-00-00T00:00:00Z"


def numbers(texts: Sequence[str | None], field: str, faults: dict[int, Refusal], *, first: int = 0) -> Floats:
    """
    Numbers of texts; what is not a number becomes NaN and a fault at `first` + its position.

    >>> faults = {}
    >>> numbers(["26.5", "26,5"], "lat", faults).tolist(), faults[1].details
    ([26.5, nan], {'value': '26,5'})
    """
    try:
        values = np.array([float(text) for text in texts], dtype=np.float64)  # type: ignore[arg-type]  # None: caught below
    except (TypeError, ValueError):
        values = np.full(len(texts), np.nan)
        for position, text in enumerate(texts):
            values[position] = _number(text)
    for position in np.flatnonzero(~np.isfinite(values)).tolist():
        text = texts[position]
        if text is not None and text.strip():
            values[position] = np.nan
            details: dict[str, object] = {"value": text.strip()[:SHOWN_CHARACTERS]}
            faults.setdefault(first + position, Refusal(first + position + 1, field, "coordinate_bad", details))
    return values


def _number(text: str | None) -> float:
    try:
        return float(text or "nan")
    except ValueError:
        return float("nan")


def utc_seconds(texts: Sequence[str | None], zone: str | None, faults: dict[int, Refusal], *, first: int = 0) -> Floats:
    """
    UTC seconds of ISO times; a time without zone is read in `zone`, or refused when that is unknown.

    >>> utc_seconds(["1970-01-01T00:01:00Z", "1970-01-01T08:00:00"], "Asia/Shanghai", {}).tolist()
    [60.0, 0.0]
    """
    plain = _plain_utc(texts)
    if plain is not None:
        return plain
    values = np.full(len(texts), np.nan)
    held = [(position, text.strip()) for position, text in enumerate(texts) if text and text.strip()]
    if not held:
        return values
    stamps = pd.Series([text for _, text in held], dtype=object)
    parsed = pd.to_datetime(stamps, utc=True, format="ISO8601", errors="coerce")
    naive = np.array([not zoned(text) for _, text in held])
    if naive.any():
        parsed[naive] = _localised(parsed[naive], zone)
    seconds = parsed.astype("datetime64[ms, UTC]").astype("int64").to_numpy() / 1000.0
    missing = parsed.isna().to_numpy()
    values[[position for position, _ in held]] = np.where(missing, np.nan, seconds)
    for number in np.flatnonzero(missing).tolist():
        position, text = held[number]
        code = "time_naive" if naive[number] and not zone and len(text) > 9 else "time_bad"
        details: dict[str, object] = {"value": text[:SHOWN_CHARACTERS]}
        faults.setdefault(first + position, Refusal(first + position + 1, "time", code, details))
    return values


def _plain_utc(texts: Sequence[str | None]) -> Floats | None:
    """Seconds of times that all look like 2026-03-05T01:02:03Z, as nearly every recorder writes; None of others."""
    if {len(text or "") for text in texts} != {len(_PLAIN)}:
        return None
    stamps = np.array(texts, dtype=f"U{len(_PLAIN)}")
    letters, wanted = (a.view(np.uint32).reshape(-1, len(_PLAIN)) for a in (stamps, np.array([_PLAIN])))
    digit = wanted[0] == ord("0")
    if (letters[:, ~digit] != wanted[:, ~digit]).any() or ((letters[:, digit] - np.uint32(ord("0"))) > 9).any():
        return None
    try:
        return stamps.astype(f"U{len(_PLAIN) - 1}").astype("datetime64[s]").astype(np.float64)
    except ValueError:
        return None


def zoned(text: str) -> bool:
    """Whether an ISO time says its zone."""
    return text[-1] in "Zz" or (len(text) > 10 and ("+" in text[10:] or "-" in text[10:]))


def _localised(stamps: pd.Series, zone: str | None) -> pd.Series:
    """Times read as UTC by mistake, taken again as local times of `zone`; missing where no zone is known."""
    if zone is None:
        return pd.Series(pd.NaT, index=stamps.index, dtype=stamps.dtype)
    require_timezone(zone)
    local = stamps.dt.tz_localize(None).dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    utc: pd.Series = local.dt.tz_convert("UTC")
    return utc


def require_timezone(zone: str) -> None:
    """Raise `FormatError` unless times can be read as those of `zone`, as in ``Asia/Shanghai`` or ``UTC+08:00``."""
    try:
        pd.Timestamp("2026-01-01T12:00").tz_localize(zone)
    except (LookupError, ValueError, OSError) as error:
        raise FormatError("timezone_unknown", zone=zone) from error
