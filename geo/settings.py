"""
The settings of one county, as frozen dataclasses with units. What is marked *assumption* is a belief, not a
measurement: it is printed wherever a number rests on it. ``store`` reads them from ``county.toml``.
"""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar, get_type_hints

T = TypeVar("T")


_TILES = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d+)?/[^\s\"'<>;,`$\\]*")


@dataclass(frozen=True)
class DetectionSettings:
    """
    How a walker sees (all *assumption* until measured by double sweeps).

    Parameters
    ----------
    sweep_width_m
        Per ground cover (open, crops, scrub) the sweep width, metres, in seedling, flower and capsule stage, by day.
    light
        Share of those widths by day, in twilight (sun down to 6 degrees below the horizon) and in the dark (a torch).
        Hazards are taken by its square, as for every other sweep width.
    building_m
        Height of built-up cells above the terrain model, metres: they hide what lies behind, unless the walk is on
        record as a visit to courtyards. 0: they hide nothing.
    reach_m
        Beyond this nothing is seen, metres.
    availability
        Chance that a plot walked over again and again is seen at all.
    search_speed_kmh, top_speed_kmh
        At or below the first a walker searches fully; hazard falls as first/speed, and to 0 above the second.
    eye_m, target_m
        Height of the eye and of the plants above ground, metres.
    sustain_s
        Speed is judged over this many seconds.
    longest_gap_s, longest_gap_m
        A longer silence between two fixes is a gap: nobody knows where the walker went, nothing is counted.
    shortest_step_m
        Fixes nearer than this to the last one kept are GNSS jitter, not walking.
    gaussian_peak
        With model "gaussian": hazard of one endless straight pass right over the plot, nat.
    """

    model: str = "inverse_cube"
    sweep_width_m: dict[str, tuple[float, float, float]] = field(
        default_factory=lambda: {"open": (10.0, 30.0, 20.0), "crops": (6.0, 20.0, 12.0), "scrub": (4.0, 12.0, 8.0)}
    )
    light: tuple[float, float, float] = (1.0, 0.6, 0.2)
    building_m: float = 4.0
    reach_m: float = 150.0
    availability: float = 0.85
    search_speed_kmh: float = 1.0
    top_speed_kmh: float = 4.0
    eye_m: float = 1.6
    target_m: float = 0.8
    sustain_s: float = 60.0
    longest_gap_s: float = 180.0
    longest_gap_m: float = 150.0
    shortest_step_m: float = 5.0
    gaussian_peak: float = 3.0

    def __post_init__(self) -> None:
        if not self.gaussian_peak > 0.0:
            raise ValueError(f"gaussian_peak must be above 0, got {self.gaussian_peak}")
        if len(self.light) != 3 or not all(0.0 <= share <= 1.0 for share in self.light):
            raise ValueError(f"light: three shares between 0 and 1, got {self.light}")
        if not 0.0 <= self.building_m <= 100.0:
            raise ValueError(f"building_m must lie between 0 and 100 m, got {self.building_m}")
        if not 0.0 < self.availability < 1.0:
            raise ValueError(f"availability must lie between 0 and 1, got {self.availability}")
        for cover, widths in self.sweep_width_m.items():
            if len(widths) != 3 or not all(0.0 < width < self.reach_m for width in widths):
                raise ValueError(f"sweep_width_m.{cover}: three widths between 0 and {self.reach_m} m, got {widths}")


@dataclass(frozen=True)
class AbsenceSettings:
    """
    The chain from looking to 'nothing stands undetected now' (all *assumption*).

    Parameters
    ----------
    prior
        Chance of zero planting in a township before looking.
    introduction
        Chance of new planting in each period, one per month.
    class_b_sensitivity
        Share of a village's ground that a signed form with photos, but no track, counts as seen.
    courtyard_share
        Share of a township's risk that lies in courtyards.
    sweep_width_sd
        Standard deviation of ln(W/W0); hazards scale with its square.
    availability_sd, prior_sd
        Standard deviations of availability and of logit(prior).
    draws
        Monte Carlo draws for the interval.
    tip_reported, tip_verified, tip_acted
        Chances that a standing plot is reported in a period, that a report is verified, and that it is acted on; their
        product is the sensitivity of tips as one more layer of looks. Reported 0: silence proves nothing.
    lever_hours
        Hours of search tried when asking what would change a probability most.
    days_to_lancing
        Least days from being seen as seedling, flower or capsule until a plot can have been lanced.
    """

    prior: float = 0.5
    introduction: tuple[float, ...] = (0.02, 0.02, 0.02, 0.01, 0.01)
    class_b_sensitivity: float = 0.0
    courtyard_share: float = 0.3
    sweep_width_sd: float = 0.3
    availability_sd: float = 0.05
    prior_sd: float = 0.5
    draws: int = 2000
    seed: int = 7
    goal: float = 0.95
    tip_reported: float = 0.0
    tip_verified: float = 0.8
    tip_acted: float = 0.8
    lever_hours: float = 20.0
    days_to_lancing: tuple[float, float, float] = (40.0, 10.0, 0.0)

    def __post_init__(self) -> None:
        if not 0.0 < self.prior < 1.0:
            raise ValueError(f"prior must lie between 0 and 1, got {self.prior}")
        for name in ("class_b_sensitivity", "courtyard_share", "tip_reported", "tip_verified", "tip_acted"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} must lie between 0 and 1, got {getattr(self, name)}")


@dataclass(frozen=True)
class CoverageSettings:
    """Thresholds of the map (*assumption*): metres, POD and hectares."""

    buffer_m: float = 50.0
    contrast_buffer_m: float = 500.0
    watched_pod: float = 0.5
    blind_pod: float = 0.1
    blind_spot_ha: float = 0.5


@dataclass(frozen=True)
class BorderSettings:
    """Strip each side of a jurisdiction edge and accuracy of a web-sourced line, metres (*assumption*)."""

    strip_m: float = 500.0
    line_accuracy_m: float = 30.0


@dataclass(frozen=True)
class PrioritySettings:
    """
    Relative risks, multiplied (*assumption*): how much likelier planting is where a factor holds.

    `edge` within `edge_m` of a jurisdiction edge; `history` and `lead` within `near_m` of a historic spot or tip;
    `steep` on slopes of `steep_deg` and more; `sunny` on slopes of `sunny_deg` and more that fall to the south;
    `remote` where the walk from the nearest road or village takes longer than `remote_m` metres of flat ground off
    paths (surface of `remote_cell_m`); `cover` by plantable ground; `designated` inside an area listed for
    rectification within `designated_days`; `alert` at a find, a hit across an edge or a listing, falling to 1 as
    e^(-d/`alert_m`) and by half every `alert_half_days`, on both sides of the edge.
    """

    edge: float = 2.0
    edge_m: float = 500.0
    history: float = 5.0
    lead: float = 3.0
    near_m: float = 300.0
    steep: float = 0.7
    steep_deg: float = 25.0
    sunny: float = 1.2
    sunny_deg: float = 5.0
    remote: float = 1.5
    remote_m: float = 1000.0
    remote_cell_m: float = 60.0
    cover: dict[str, float] = field(default_factory=lambda: {"open": 1.0, "crops": 1.0, "scrub": 1.0})
    designated: float = 2.0
    designated_days: float = 365.0
    alert: float = 3.0
    alert_m: float = 1000.0
    alert_half_days: float = 180.0

    def __post_init__(self) -> None:
        named = ("edge", "history", "lead", "steep", "sunny", "remote", "designated", "alert")
        bad = [name for name in named if getattr(self, name) <= 0.0] + [k for k, v in self.cover.items() if v < 0.0]
        if bad:
            raise ValueError(f"priority: a relative risk must be above 0: {', '.join(bad)}")


@dataclass(frozen=True)
class PlanningSettings:
    """
    One team's day (*assumption*): hours afoot, share kept in reserve, minutes per stop, and walking speeds.

    `off_path` multiplies Tobler's speed off paths; `road_kmh` is the flat speed on roads and paths;
    ground steeper than `impassable_deg` is closed; `cell_m` is the cell of the walking-time surface.

    A suspected parcel nobody scored counts `unjudged_suspicion` expected finds. Each seed gives another plan that finds
    at most the share `variety` less than the best one known (at must-visits and elsewhere each), so that nobody can
    learn the routes; 0: the best one.
    The best `sweeps_n` blocks of `block_m` metres are offered as sweep segments, lines `spacing_widths` sweep widths
    apart. Courtyards not yet entered are offered by village, at most `courtyards_n` at a time, `courtyard_min` minutes
    each. Where `drive_kmh` is above 0 teams are driven along roads at that speed to where they set out on foot, and
    picked up where they come back to a road; 0: they walk from the office. Teams set out at `start_clock` o'clock, rest
    for `rest_min` minutes and are back `dusk_min` before sunset, however many hours they have.
    """

    hours: float = 7.0
    reserve: float = 0.15
    service_min: float = 20.0
    off_path: float = 0.6
    road_kmh: float = 4.5
    impassable_deg: float = 45.0
    cell_m: float = 30.0
    longest_leg_h: float = 4.0
    unjudged_suspicion: float = 0.1
    variety: float = 0.05
    sweeps_n: int = 160
    block_m: float = 100.0
    spacing_widths: float = 2.5
    courtyards_n: int = 12
    courtyard_min: float = 8.0
    start_clock: float = 8.5
    rest_min: float = 0.0
    drive_kmh: float = 0.0
    dusk_min: float = 30.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.variety < 1.0:
            raise ValueError(f"planning: variety must lie between 0 and 1, got {self.variety}")
        above = (
            "off_path", "road_kmh", "cell_m", "longest_leg_h", "block_m", "spacing_widths", "courtyards_n",
            "courtyard_min", "service_min",
        )  # fmt: skip
        low = [name for name in above if not getattr(self, name) > 0.0]
        low += [name for name in ("sweeps_n", "rest_min", "drive_kmh", "dusk_min") if not getattr(self, name) >= 0.0]
        if low:
            raise ValueError(f"planning: too small: {', '.join(low)}")
        spans = {"hours": 24.0, "start_clock": 24.0, "reserve": 1.0, "unjudged_suspicion": 1.0}
        wrong = [f"{name} (0 to {most:g})" for name, most in spans.items() if not 0.0 <= getattr(self, name) <= most]
        if not 0.0 < self.impassable_deg < 90.0:
            wrong.append("impassable_deg (above 0, below 90)")
        if wrong:
            raise ValueError(f"planning: out of range: {', '.join(wrong)}")


@dataclass(frozen=True)
class SchedulingSettings:
    """
    The season's schedule (*assumption* until the county sets it).

    Parameters
    ----------
    segment_ha
        Ground of one segment, hectares.
    weather_share, explore_share, joint_share
        Shares of the team-days kept free for bad weather, given to ground the risks rate low, and given at most to
        joint sweeps along edges.
    spring_off
        Days off before and after the first day of the lunar year (春节).
    off_days
        Further days off, ``YYYY-MM-DD`` or ``MM-DD``.
    rest_weekdays
        Days of the week without work, 0 = Monday.
    lend_kmh, lend_n
        Speed at which a team drives to help another township, straight-line, and from how many of its neighbours.
    edge_km_per_day
        Edge one team follows in a day.
    target_min
        Minutes for one flagged plot or re-check, the way from the last one included.
    target_days
        Days in which a flagged plot without a deadline, or one whose deadline has passed, is to be looked at.
    done_share
        An assignment is done once so much of its hours was walked searching on its ground, and part done from a
        tenth of them.
    variety
        Each seed takes every segment's worth up or down by at most this share, so that nobody can learn the schedule.
    fly_unwalkable, fly_away_share
        A segment is better flown where so much of its plantable ground is closed to walkers, or where so much of the
        day goes into the way there and back.
    """

    segment_ha: float = 100.0
    weather_share: float = 0.15
    explore_share: float = 0.15
    joint_share: float = 0.1
    spring_off: tuple[int, int] = (1, 6)
    off_days: tuple[str, ...] = ()
    rest_weekdays: tuple[int, ...] = ()
    lend_kmh: float = 20.0
    lend_n: int = 3
    edge_km_per_day: float = 12.0
    target_min: float = 45.0
    target_days: int = 30
    done_share: float = 0.8
    variety: float = 0.1
    fly_unwalkable: float = 0.5
    fly_away_share: float = 0.6

    def __post_init__(self) -> None:
        shares = (self.weather_share, self.explore_share, self.joint_share)
        if min(shares) < 0.0 or sum(shares) >= 1.0:
            raise ValueError(f"scheduling: the shares must not be negative and must leave some days, got {shares}")
        if self.segment_ha <= 0.0 or self.lend_kmh <= 0.0 or self.edge_km_per_day <= 0.0:
            raise ValueError(f"scheduling: segment_ha, lend_kmh and edge_km_per_day must be above 0, got {self}")
        if not self.target_min > 0.0 or self.target_days < 0 or not 0.0 < self.done_share <= 1.0:
            raise ValueError("scheduling: target_min above 0, target_days from 0, done_share above 0 and up to 1")
        if not 0.0 <= self.variety < 1.0 or not set(self.rest_weekdays) <= set(range(7)):
            raise ValueError("scheduling: variety from 0 to below 1, rest_weekdays among 0 (Monday) to 6")


@dataclass(frozen=True)
class FlaggingSettings:
    """
    The flagging rule (*assumption*): index level and contrast, days, and size.

    A cell is a candidate when its index reaches `vegetated` in the flowering season, rises by at least `rise`
    over the earlier scene, differs from its surroundings by at least `contrast` robust deviations, and does not
    peak in the rapeseed days. Groups below `smallest_m2` are dropped.
    """

    vegetated: float = 0.45
    rise: float = 0.12
    contrast: float = 3.0
    surroundings_m: float = 150.0
    rapeseed_days: tuple[int, int] = (54, 81)
    smallest_m2: float = 200.0


@dataclass(frozen=True)
class CampaignSettings:
    """
    Rounds, orders and papers (*assumption* until the county sets them).

    Parameters
    ----------
    stages
        Growth stage of each round, in order.
    round_dates
        ``MM-DD~MM-DD`` of each round at 1,000 m, both days included; empty: from stage to stage.
    spring_days, qingming_days
        Days before and after 春节 (returnees) and 清明 that count as special.
    rectify_days
        Days given to put a problem right.
    hours_per_day
        Hours a person is taken to have searched where the form gives none.
    claim_ratio
        Claims above this multiple of what people, hours or tracks could search are listed for a second look.
    issuer, document_no
        Who issues papers and the number they carry; empty: left blank to be filled in by hand.
    columns
        Per paper (``progress``, ``villages`` of the same workbook, ``register``) the columns of an upper-level form,
        each ``head=field``; empty: the columns of this system. The register's own sheet stays: it is read back.
    """

    stages: tuple[str, ...] = ("播种出苗期", "开花期", "结果割浆期")
    round_dates: tuple[str, ...] = ()
    spring_days: tuple[int, int] = (10, 15)
    qingming_days: tuple[int, int] = (3, 3)
    rectify_days: int = 7
    hours_per_day: float = 8.0
    claim_ratio: float = 3.0
    issuer: str = ""
    document_no: str = ""
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class PlotSettings:
    """
    Following a plot to its end (*assumption*, except for the law, which a lawyer has to check).

    Parameters
    ----------
    recheck_days
        Days after destruction on which to look again, by the growth stage the plants were destroyed in: roots and
        seeds left at an early stage still have the season before them.
    early_days
        A look up to so many days before its day still counts for it.
    plants_law, seed_law_m2
        Numbers of plants, and m² sown but not yet sprouted, at which the law changes, by the day they came into force
        (criminal law article 351; judicial interpretation of 2016): dated configuration, not advice.
    confidence
        Of the interval of a sampled plant count.
    match_factor
        How many standard deviations a filed visit may lie from its target (2.448: 95 of 100 true pairs do not).
    visit_accuracy_m
        Accuracy of a visit's place that states none, metres, one standard deviation per axis.
    photo_gap_s, photo_off_m, photo_like_bits
        A track speaks of the moment a photo was taken within so many seconds; beyond so many metres from it, or from
        its plot, the two disagree; two pictures whose 64-bit hashes differ in at most so many bits look alike.
    """

    recheck_days: dict[str, tuple[int, ...]] = field(
        default_factory=lambda: {"播种出苗期": (15, 45), "开花期": (10, 30), "结果割浆期": (7,)}
    )
    early_days: int = 2
    plants_law: dict[str, tuple[int, ...]] = field(default_factory=lambda: {"1997-10-01": (500, 3000)})
    seed_law_m2: dict[str, tuple[int, ...]] = field(default_factory=lambda: {"2016-04-11": (200, 1200)})
    confidence: float = 0.95
    match_factor: float = 2.448
    visit_accuracy_m: float = 10.0
    photo_gap_s: float = 120.0
    photo_off_m: float = 100.0
    photo_like_bits: int = 6

    def __post_init__(self) -> None:
        if self.match_factor <= 0.0 or self.visit_accuracy_m < 0.0:
            raise ValueError(f"match_factor must be above 0, visit_accuracy_m not below, got {self.match_factor}")
        if not 0.0 < self.confidence < 1.0:
            raise ValueError(f"confidence must lie between 0 and 1, got {self.confidence}")
        for day in (*self.plants_law, *self.seed_law_m2):
            date.fromisoformat(day)


@dataclass(frozen=True)
class CalendarSettings:
    """
    When plants stand how (*assumption*).

    Parameters
    ----------
    stage_starts
        ``MM-DD`` on which seedling, flower and capsule stage begin at 1,000 m.
    days_per_100_m
        How many days later per 100 m of height.
    first_month, last_month
        First and last calendar month of the season; a first month above the last begins in the year before.
    """

    stage_starts: tuple[str, str, str] = ("01-01", "03-11", "04-21")
    days_per_100_m: float = 3.0
    first_month: int = 1
    last_month: int = 5

    def __post_init__(self) -> None:
        if not (1 <= self.first_month <= 12 and 1 <= self.last_month <= 12):
            raise ValueError(f"calendar: months from 1 to 12, got {self.first_month} and {self.last_month}")
        if len(self.starts) != 3:
            raise ValueError(f"calendar.stage_starts: three days MM-DD, got {self.stage_starts}")

    @property
    def starts(self) -> tuple[tuple[int, int], ...]:
        """Month and day of each start."""
        try:
            days = [date.fromisoformat(f"2028-{day}") for day in self.stage_starts]
        except (TypeError, ValueError) as error:
            raise ValueError(f"calendar.stage_starts: MM-DD is needed, got {self.stage_starts}") from error
        return tuple((day.month, day.day) for day in days)


@dataclass(frozen=True)
class LookoutSettings:
    """
    How somebody sees who stands and watches with glasses or a telescope (all *assumption*).

    Parameters
    ----------
    nats_per_hour
        Hazard that an hour of watching adds, at `reference_m`, to a plot of the widest sweep width; it falls with the
        square of the distance. 0: lookouts are kept and shown but count for nothing.
    reference_m, nearest_m, reach_m
        That distance; nearer than the second, coming nearer gains nothing; beyond the third nothing is seen. Metres.
    eye_m
        Height of the eye above ground where the record does not say, metres.
    refraction
        Share k of the earth's curve that refraction takes away.
    """

    nats_per_hour: float = 0.0
    reference_m: float = 500.0
    nearest_m: float = 100.0
    reach_m: float = 3000.0
    eye_m: float = 1.6
    refraction: float = 0.13

    def __post_init__(self) -> None:
        if self.nats_per_hour < 0.0 or not 0.0 < self.nearest_m <= self.reach_m or self.reference_m <= 0.0:
            raise ValueError(f"lookouts: rates and distances must not be negative, nearest_m within reach_m: {self}")
        if not 0.0 <= self.refraction < 1.0:
            raise ValueError(f"lookouts.refraction must lie between 0 and 1, got {self.refraction}")


@dataclass(frozen=True)
class SensorSettings:
    """
    What images from the air show (all *assumption* until tried on known plots).

    Parameters
    ----------
    plot_m2
        The plot that is looked for, m²; where it is under one ground pixel, sensitivity is 0.
    best, scale_pixels
        Sensitivity for a plot of very many pixels in flower, and how many pixels bring it near that.
    stage_factor
        Share of it in seedling, flower and capsule stage.
    reach_m
        Ground further than this from the camera does not count, metres.
    """

    plot_m2: float = 10.0
    best: float = 0.85
    scale_pixels: float = 25.0
    stage_factor: tuple[float, ...] = (0.2, 1.0, 0.6)
    reach_m: float = 500.0

    def __post_init__(self) -> None:
        if not (self.plot_m2 > 0.0 and 0.0 <= self.best < 1.0 and self.scale_pixels > 0.0 and self.reach_m > 0.0):
            raise ValueError(f"sensors: sizes above 0 and best from 0 to below 1, got {self}")
        if len(self.stage_factor) != 3 or not all(0.0 <= share <= 1.0 for share in self.stage_factor):
            raise ValueError(f"sensors.stage_factor: three shares between 0 and 1, got {self.stage_factor}")


@dataclass(frozen=True)
class AccessSettings:
    """
    The door of the app; whether one has to sign in is decided by whether there are accounts.

    Parameters
    ----------
    failures_n, lock_min
        So many wrong passwords shut an account for so many minutes.
    session_h
        Hours until one has to sign in again.
    trusted_header
        Header in which a proxy on this machine names the account (e.g. ``X-Remote-User``), after it has asked for the
        password itself; empty: nobody is believed.
    """

    failures_n: int = 5
    lock_min: int = 15
    session_h: int = 12
    trusted_header: str = ""

    def __post_init__(self) -> None:
        if min(self.failures_n, self.lock_min, self.session_h) < 1:
            raise ValueError(f"access: failures_n, lock_min and session_h must be at least 1, got {self}")


@dataclass(frozen=True)
class MapSettings:
    """
    The map of the app.

    Parameters
    ----------
    tiles_url
        Tiles of a server on the office network to lie under everything, ``https://server/{z}/{x}/{y}.png`` in web
        Mercator; empty (the default): nothing but this machine is asked for anything.
    """

    tiles_url: str = ""

    def __post_init__(self) -> None:
        given = self.tiles_url
        if given and not (_TILES.fullmatch(given) and all(f"{{{part}}}" in given for part in "zxy")):
            raise ValueError(f"map.tiles_url: http(s)://server/... with {{z}}, {{x}} and {{y}}, got {given!r}")

    @property
    def origin(self) -> str:
        """Scheme and server of `tiles_url`; empty without one."""
        return "/".join(self.tiles_url.split("/")[:3])


@dataclass(frozen=True)
class Settings:
    """Everything in ``county.toml``; `store_url` names a PostGIS database where the county is not in county.gpkg."""

    county_id: str = ""
    name: str = ""
    made_up: bool = False
    epsg: int = 4544
    cell_m: float = 10.0
    margin_m: float = 1000.0
    season: int = 2026
    timezone: str = "Asia/Shanghai"
    store_url: str = ""
    calendar: CalendarSettings = field(default_factory=CalendarSettings)
    detection: DetectionSettings = field(default_factory=DetectionSettings)
    absence: AbsenceSettings = field(default_factory=AbsenceSettings)
    coverage: CoverageSettings = field(default_factory=CoverageSettings)
    borders: BorderSettings = field(default_factory=BorderSettings)
    priority: PrioritySettings = field(default_factory=PrioritySettings)
    lookouts: LookoutSettings = field(default_factory=LookoutSettings)
    sensors: SensorSettings = field(default_factory=SensorSettings)
    planning: PlanningSettings = field(default_factory=PlanningSettings)
    scheduling: SchedulingSettings = field(default_factory=SchedulingSettings)
    flagging: FlaggingSettings = field(default_factory=FlaggingSettings)
    plots: PlotSettings = field(default_factory=PlotSettings)
    campaign: CampaignSettings = field(default_factory=CampaignSettings)
    access: AccessSettings = field(default_factory=AccessSettings)
    map: MapSettings = field(default_factory=MapSettings)


def from_mapping(kind: Callable[..., T], values: Mapping[str, Any], where: str = "county.toml") -> T:
    """
    A settings dataclass from a parsed TOML table; unknown keys and wrong types raise ``ValueError`` naming the key.

    >>> from_mapping(Settings, {"name": "甲", "absence": {"prior": 0.9}}).absence.prior
    0.9
    """
    hints = _hints(kind)
    values = {name: value for name, value in values.items() if (kind, name) not in _RETIRED}
    unknown = set(values) - set(hints)
    if unknown:
        raise ValueError(f"{where}: unknown settings {sorted(unknown)}; known are {sorted(hints)}")
    return kind(**{name: _value(hints[name], value, f"{where}: {name}") for name, value in values.items()})


def to_mapping(settings: Any) -> dict[str, Any]:
    """The settings as plain tables and lists, ready for TOML."""
    plain = asdict(settings)
    return {name: _plain(value) for name, value in plain.items()}


def assumptions(settings: Settings) -> dict[str, Any]:
    """The settings a coverage or probability figure rests on, for printing beside it."""
    named = ("calendar", "detection", "absence", "coverage", "borders", "priority", "lookouts", "sensors")
    return {name: to_mapping(getattr(settings, name)) for name in named}


_RETIRED = {(PlanningSettings, "history_mass"), (PlanningSettings, "candidates_n")}
"""Settings that older files may name and that no longer mean anything."""


@cache
def _hints(kind: Hashable) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, value: Any, where: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, Mapping):
            raise ValueError(f"{where}: a table is needed, got {value!r}")
        return from_mapping(hint, value, where)
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, Mapping):
        return {key: tuple(item) if isinstance(item, list | tuple) else float(item) for key, item in value.items()}
    wanted = {float: (int, float), int: (int,), str: (str,), bool: (bool,)}.get(hint)
    if wanted and (not isinstance(value, wanted) or (hint is not bool and isinstance(value, bool))):
        raise ValueError(f"{where}: {hint.__name__} is needed, got {value!r}")
    return float(value) if hint is float else value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
