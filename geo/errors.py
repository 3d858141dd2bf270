"""The failures Tacha explains. Each carries a code and fields; ``geo.words`` says them in Chinese or English."""


class GeoError(Exception):
    """A failure with a sentence: ``code`` names it in ``geo.words``, ``fields`` fill its blanks."""

    def __init__(self, code: str, /, **fields: object) -> None:
        self.code = code
        self.fields = fields
        detail = ", ".join(f"{name}={value}" for name, value in fields.items())
        super().__init__(f"{code}: {detail}" if detail else code)


class LayerError(GeoError):
    """A table breaks the contract of its layer."""


class DatumError(GeoError):
    """The coordinates' datum is unknown, unsupported or contradicts the data."""


class GridMismatch(GeoError):
    """Two rasters of different shape, place or CRS were combined."""


class FormatError(GeoError):
    """A file cannot be read as what it says it is."""


class StoreError(GeoError):
    """The county's store refuses: locked, missing, newer, or not a county."""


class LedgerBroken(GeoError):
    """The hash chain or a state row differs from what was recorded."""
