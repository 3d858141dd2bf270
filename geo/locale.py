"""Days, numbers, areas and places as readers of each language write them."""

from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
LOCALES: dict[Language, str] = {"zh": "zh_Hans_CN", "en": "en_GB"}
OFFICE = ZoneInfo("Asia/Shanghai")
MU_M2 = 2000.0 / 3.0
HECTARE_M2 = 10_000.0


def day(value: date, language: Language) -> str:
    """
    A day of the calendar; of a moment, its day in the office's time.

    >>> day(date(2026, 3, 1), "zh"), day(date(2026, 3, 1), "en")
    ('2026年3月1日', '1 March 2026')
    """
    if isinstance(value, datetime):
        value = _here(value).date()
    return format_date(value, "long", locale=LOCALES[language])


def short_day(value: date, language: Language) -> str:
    """
    A day within the year.

    >>> short_day(date(2026, 3, 1), "zh"), short_day(date(2026, 3, 1), "en")
    ('3月1日', '1 Mar')
    """
    shown: str = format_skeleton("MMMd", value, locale=LOCALES[language])
    return shown


def moment(value: datetime, language: Language) -> str:
    """
    A moment to the minute, in the office's time; without a zone it is taken as such already.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 1, 8, tzinfo=UTC), "zh"), moment(datetime(2026, 3, 1, 8, tzinfo=UTC), "en")
    ('2026年3月1日 16:00', '1 March 2026, 16:00')
    """
    here = _here(value)
    return f"{day(here.date(), language)}{' ' if language == 'zh' else ', '}{here:%H:%M}"


def number(value: float, language: Language, *, digits: int = 0) -> str:
    """
    A number with its groups of thousands, to so many digits after the point.

    >>> number(12345.678, "en", digits=1)
    '12,345.7'
    """
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=LOCALES[language])


def area(square_metres: float, language: Language) -> str:
    """
    An area in 亩 (a fifteenth of a hectare) in Chinese, in hectares in English.

    >>> area(10_000.0, "zh"), area(10_000.0, "en")
    ('15.0 亩', '1.00 ha')
    """
    if language == "zh":
        return f"{number(square_metres / MU_M2, language, digits=1)} 亩"
    return f"{number(square_metres / HECTARE_M2, language, digits=2)} ha"


def area_unit_m2(language: Language) -> float:
    """
    Square metres of the unit areas are told in: 亩 in Chinese, hectares in English.

    >>> round(area_unit_m2("zh"), 1), area_unit_m2("en")
    (666.7, 10000.0)
    """
    return MU_M2 if language == "zh" else HECTARE_M2


def place(longitude: float, latitude: float, language: Language) -> str:
    """
    A place in degrees (WGS 84, CGCS2000), about a metre fine.

    >>> place(105.123456, 26.5, "zh"), place(-0.1, -26.5, "en")
    ('东经105.12346° 北纬26.50000°', '26.50000° S, 0.10000° W')
    """
    east, north = longitude >= 0, latitude >= 0
    across, up = f"{abs(longitude):.5f}°", f"{abs(latitude):.5f}°"
    if language == "zh":
        return f"{'东经' if east else '西经'}{across} {'北纬' if north else '南纬'}{up}"
    return f"{up} {'N' if north else 'S'}, {across} {'E' if east else 'W'}"


def _here(value: datetime) -> datetime:
    try:
        return value.astimezone(OFFICE) if value.tzinfo else value
    except OverflowError:  # at the very end of the calendar there is no other zone's time
        return value
