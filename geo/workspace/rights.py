"""
Who may do what, on which ground: one table, asked by the store a county is opened with, by pages and by addresses.

A right holds for the whole county, for one's own ground, or not at all. Own ground is a list of ids: townships,
department grounds and teams.
"""

from dataclasses import dataclass
from enum import StrEnum

from geo.errors import GeoError
from geo.words import Word


class Denied(GeoError):
    """Somebody asked for what their role or ground does not give them."""


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    COUNTY = "county"
    COMMITTEE = "committee"
    TOWNSHIP = "township"
    POLICE = "police"
    MEMBER = "member"
    TEAM = "team"
    AUDITOR = "auditor"


class Action(StrEnum):
    """What somebody wants to do."""

    LOOK = "look"
    RECORD = "record"
    JUDGE = "judge"
    TRACKS = "tracks"
    LAYERS = "layers"
    REGISTER = "register"
    PLAN = "plan"
    ORDER = "order"
    ANSWER = "answer"
    CORRECT = "correct"
    EXPORT = "export"
    TRACE = "trace"
    ADMINISTER = "administer"


class Scope(StrEnum):
    """How far a right reaches."""

    COUNTY = "county"
    OWN = "own"
    NONE = "none"


class Places(StrEnum):
    """How exactly the places of parcels and finds are told."""

    EXACT = "exact"
    COARSE = "coarse"
    TASKED = "tasked"


WHOLE = frozenset({Role.ADMIN, Role.COUNTY, Role.COMMITTEE, Role.AUDITOR})
"""Roles whose ground is the county; the others have the ground their account names."""

RIGHTS: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.COUNTY: frozenset(Action) - {Action.ADMINISTER},
    Role.COMMITTEE: frozenset({Action.LOOK, Action.EXPORT}),
    Role.TOWNSHIP: frozenset(
        {
            Action.LOOK, Action.RECORD, Action.JUDGE, Action.TRACKS, Action.PLAN, Action.ORDER, Action.ANSWER,
            Action.EXPORT,
        }
    ),
    Role.POLICE: frozenset(
        {Action.LOOK, Action.RECORD, Action.JUDGE, Action.TRACKS, Action.ANSWER, Action.EXPORT}
    ),
    Role.MEMBER: frozenset({Action.LOOK, Action.RECORD, Action.TRACKS, Action.ANSWER, Action.EXPORT}),
    Role.TEAM: frozenset({Action.LOOK, Action.RECORD, Action.TRACKS, Action.ANSWER, Action.EXPORT}),
    Role.AUDITOR: frozenset({Action.LOOK, Action.EXPORT, Action.TRACE}),
}  # fmt: skip

PLACES = {Role.COMMITTEE: Places.COARSE, Role.TEAM: Places.TASKED}
"""Roles not named here are told exact places, on their ground."""

PAGES: dict[str, frozenset[Role]] = {
    "today": frozenset(Role) - {Role.TEAM},
    "map": frozenset(Role) - {Role.TEAM},
    "team": frozenset({Role.ADMIN, Role.COUNTY, Role.TOWNSHIP, Role.POLICE, Role.MEMBER, Role.TEAM}),
    "record": frozenset({Role.ADMIN, Role.COUNTY, Role.TOWNSHIP, Role.POLICE, Role.MEMBER, Role.TEAM}),
    "borders": frozenset(Role) - {Role.TEAM},
    "targets": frozenset(Role) - {Role.TEAM, Role.COMMITTEE},
    "register": frozenset(Role) - {Role.TEAM},
    "committee": frozenset({Role.ADMIN, Role.COUNTY, Role.COMMITTEE, Role.TOWNSHIP, Role.AUDITOR}),
    "trace": frozenset({Role.ADMIN, Role.COUNTY, Role.AUDITOR}),
    "data": frozenset({Role.ADMIN, Role.COUNTY, Role.TOWNSHIP, Role.POLICE, Role.MEMBER}),
    "admin": frozenset({Role.ADMIN}),
    "guide": frozenset(Role),
}
"""Which roles a page is for, by its address; a page that is not here opens for nobody."""


@dataclass(frozen=True)
class Actor:
    """
    Somebody at work: a role and, where it does not see the whole county, its ground.

    Parameters
    ----------
    grounds
        Ids of townships, department grounds and teams; their order means nothing.
    name
        The account, for the audit; empty on a desktop without accounts.
    """

    role: Role
    grounds: tuple[str, ...] = ()
    name: str = ""

    @property
    def whole(self) -> bool:
        """Whether the ground is the whole county."""
        return self.role in WHOLE

    @property
    def places(self) -> Places:
        """How exactly the places of parcels and finds are told."""
        return PLACES.get(self.role, Places.EXACT)

    @property
    def view(self) -> str:
        """What two people must have in common to share a cached answer: role and ground, nothing of the person."""
        return "/".join([str(self.role), *sorted(() if self.whole else self.grounds)])


DESKTOP = Actor(Role.ADMIN)
"""The one user of a desktop without accounts."""


def scope(actor: Actor, action: Action) -> Scope:
    """
    How far the right of somebody to do something reaches.

    >>> str(scope(Actor(Role.TOWNSHIP, ("520000001",)), Action.RECORD))
    'own'
    """
    if action not in RIGHTS[actor.role]:
        return Scope.NONE
    return Scope.COUNTY if actor.whole else Scope.OWN


def may(actor: Actor, action: Action, ground: str | None = None) -> bool:
    """
    Whether somebody may do something on a ground (an id); without one, whether anywhere.

    >>> may(Actor(Role.TOWNSHIP, ("520000001",)), Action.RECORD, "520000002")
    False
    """
    reach = scope(actor, action)
    if reach is Scope.OWN:
        return bool(actor.grounds) if ground is None else ground in actor.grounds
    return reach is Scope.COUNTY


def require(actor: Actor, action: Action, ground: str | None = None) -> None:
    """Raise `Denied` unless somebody `may`."""
    if not may(actor, action, ground):
        raise Denied("not_allowed", role=Word(f"role_{actor.role}"), action=Word(f"action_{action}"))


def may_open(actor: Actor, page: str) -> bool:
    """Whether a page, by its address, is for somebody's role."""
    return actor.role in PAGES.get(page, frozenset())
