"""Guests: users who are in no store, because their application vouches for them for a while.

An app brings a user token (`gateway.user_tokens`); who it names may register and call as if an administrator had
entered them, until the token ends, and at most for a day.  What the app gets for its token is a *pass*, a name and a
password for digest authentication, so that there is one way into the switch and not two:

    pass:1764070000:alice:00000000-0000-4000-8000-000000000001         until when, whom, whose
    base64url(HMAC-SHA256(the application's secret, that name))        nobody else can make it

Nothing of a pass is kept: whoever shows one says with it all that is to be known, also to a switch that has been
started anew, and an application that changes its secret ends them all.  A user who has a password of their own in
the store can hold passes too; the password stays as it is.

Names are the switch's, not the application's: who dials `alice` means one.  So a name that another application has
is refused, and one that would be taken for something else: a built-in destination, a room, a telephone number.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Final

from gateway.clock import Clock
from gateway.errors import LocalError, Overload
from gateway.signing import secret_bytes
from gateway.switch.numbers import e164
from gateway.switch.records import Application, User
from gateway.switch.routing import BUILT_IN, room_of
from gateway.switch.stores import Directory

__all__ = ["LONGEST_S", "Guests", "KnownNames", "Pass", "Passwords"]

LONGEST_S: Final = 86_400.0
"""The life of a pass, at most."""
_SCHEME: Final = "pass"
_CONTEXT: Final = b"tandem pass\0"
_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Pass:
    """Name and password for digest authentication, of a guest."""

    username: str
    password: str = field(repr=False)
    expires_at: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the name of a pass says."""

    expires_at: int
    user: str
    application: str


@dataclass(frozen=True, slots=True)
class _Guest:
    user: User
    expires_at: float


class Guests:
    """Who is a user for a while."""

    def __init__(self, directory: Directory, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._guests: dict[str, _Guest] = {}

    def __len__(self) -> int:
        return len(self._guests)

    @property
    def names(self) -> Set[str]:
        """The names of all, as they are now; some may have left by the time that they are asked for."""
        return self._guests.keys()

    def invite(self, application: Application, name: str, *, until: float) -> Pass:
        """Return a pass for a user of an application; they are one from now on.  until: Unix seconds.

        Raises:
            LocalError: the name is another application's, or no user's.
            Overload: there are too many guests.
        """
        if self._is_foreign(application.key, name):
            raise LocalError(f"{name!r} is a user of another application")
        if self._directory.user(application.key, name) is None and _means_something_else(name):
            raise LocalError(f"{name!r} is no name for a user: it is dialled for something else")
        expires_at = int(min(until, self._clock.wall() + LONGEST_S))
        self._remember(_Shown(expires_at, name, application.key))
        username = f"{_SCHEME}:{expires_at}:{name}:{application.key}"
        return Pass(username, _password(application, username), expires_at)

    def user(self, application: str, name: str) -> User | None:
        """Return a guest of an application, for a directory that knows nobody of that name."""
        guest = self._guests.get(name)
        if guest is None or guest.user.application.casefold() != application.casefold():
            return None
        return guest.user if guest.expires_at > self._clock.wall() else None

    def password(self, username: str) -> str | None:
        """Return the password that belongs to the name of a pass; None if it is none, or good no more."""
        shown = _read(username)
        if shown is None or shown.expires_at <= self._clock.wall():
            return None
        application = self._directory.application(shown.application)
        if application is None or self._is_foreign(application.key, shown.user):
            return None
        return _password(application, username)

    def enter(self, username: str) -> str:
        """Take in whoever has proved the password of a digest name; return the user's name.

        A pass may have been given by a switch that is no more: then this is the first that we hear of the guest.
        """
        shown = _read(username)
        if shown is None:
            return username
        self._remember(shown)
        return shown.user

    def _remember(self, shown: _Shown) -> None:
        before = self._guests.pop(shown.user, None)
        if len(self._guests) >= _MOST:
            self._forget()
        expires_at = max(shown.expires_at, before.expires_at if before else 0)
        self._guests[shown.user] = _Guest(User(shown.application, shown.user), expires_at)

    def _forget(self) -> None:
        """Let go of those whose time is over."""
        now = self._clock.wall()
        self._guests = {name: guest for name, guest in self._guests.items() if guest.expires_at > now}
        if len(self._guests) >= _MOST:
            raise Overload("there are too many guests")

    def _is_foreign(self, key: str, name: str) -> bool:
        """Tell whether a name is that of another application's user."""
        others = (each.key for each in self._directory.applications() if each.key != key)
        return any(self._directory.user(other, name) is not None for other in others)


class Passwords(Mapping[str, str]):
    """The passwords of all who may show one: of users and trunks as they are, and of passes as they are shown."""

    def __init__(self, known: Mapping[str, str], guests: Guests) -> None:
        self._known = known
        self._guests = guests

    def __getitem__(self, username: str) -> str:
        password = self._known.get(username) or self._guests.password(username)
        if password is None:
            raise KeyError(username)
        return password

    def __contains__(self, username: object) -> bool:
        if username in self._known:
            return True
        return isinstance(username, str) and self._guests.password(username) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class KnownNames(Set[str]):
    """Whom one can call by name: users, and guests as they come and go."""

    def __init__(self, users: Set[str], guests: Guests) -> None:
        self._users = users
        self._guests = guests

    def __contains__(self, name: object) -> bool:
        return name in self._users or name in self._guests.names

    def __iter__(self) -> Iterator[str]:
        return iter({*self._users, *self._guests.names})

    def __len__(self) -> int:
        return len({*self._users, *self._guests.names})


def _means_something_else(name: str) -> bool:
    """Tell whether a name is dialled for a built-in destination, a room or a telephone number."""
    return name in BUILT_IN or room_of(name) is not None or e164(name) is not None


def _read(username: str) -> _Shown | None:
    scheme, _, rest = username.partition(":")
    if scheme != _SCHEME:
        return None
    until, _, rest = rest.partition(":")
    user, _, key = rest.partition(":")
    if not (until.isascii() and until.isdigit() and len(until) <= 11 and user and key):
        return None
    return _Shown(int(until), user, key)


def _password(application: Application, username: str) -> str:
    said = _CONTEXT + username.encode("utf-8", "surrogateescape")
    digest = hmac.digest(secret_bytes(application.secret), said, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
