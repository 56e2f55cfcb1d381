"""What the switch, the API and the callbacks ask of a store, said as Protocols; `gateway.store` implements them.

Three promises, and every method's kind says which one it gives:

- **A read on a call's path is a plain function**: `Directory` is memory and never waits.
- **`async` writes are durable when they return**: what a client was told is there after `kill -9` and after a power
  cut, also while the database is locked or gone (they are then in a journal on disk).  They take a few milliseconds;
  with a database that does not answer a tenth of a second.
- **`note` and `keep` never wait**: facts about a call in progress, of which the newest alone counts.  They are
  written soon; a crash may lose the last of them.

Changes by an administrator are refused with `Overload` when the database cannot be reached: nobody is told that
something was done that was not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from gateway.switch.records import (
    Application,
    CallKind,
    CallRecord,
    Identity,
    Money,
    Notification,
    Number,
    Rate,
    Usage,
    User,
)

__all__ = ["Administration", "CallBook", "Directory", "Outbox", "Reports"]


class Directory(Protocol):
    """Who there is, in memory: kept current by every change that this or another process makes."""

    def application(self, key: str) -> Application | None:
        """Return the application of that key in any case."""
        ...

    def applications(self) -> Sequence[Application]:
        """Return all, the oldest first."""
        ...

    def number(self, e164: str, capability: str = "voice") -> Number | None:
        """Return a number that we own."""
        ...

    def numbers(self, application: str | None = None) -> Sequence[Number]:
        """Return an application's numbers in order; None = all that we own, the unassigned ones too."""
        ...

    def user(self, application: str, name: str) -> User | None:
        """Return an application's user."""
        ...

    def users(self, application: str | None = None) -> Sequence[User]:
        """Return an application's users; None = everybody's."""
        ...

    def rate(self, e164: str) -> Rate | None:
        """Return the rate with the longest prefix of that number; None = there is no price."""
        ...


class CallBook(Protocol):
    """Every call that is or was, one record each."""

    async def begin(self, record: CallRecord) -> None:
        """Keep a call of which somebody is about to be told the id; durable when this returns."""
        ...

    def note(self, record: CallRecord) -> None:
        """Keep what is now known of a call in progress; the newest counts.  Never waits."""
        ...

    async def finish(self, record: CallRecord, *outgoing: Notification) -> None:
        """Close a call: its CDR, its debit and what applications are to be told, all of it or nothing.

        The debit is booked against the application's balance here and only here.  Only the first record with an
        end counts: finishing once more changes nothing, so whoever is not sure may do it again.
        """
        ...

    async def find(self, call: str) -> CallRecord | None:
        """Return a call in progress or a finished one.

        Raises:
            Overload: it is not in memory, and the database does not answer.
        """
        ...

    def ongoing(self) -> Sequence[CallRecord]:
        """Return the calls that have not ended, the oldest first; after a start, those that a crash left."""
        ...

    def keep(self, call: str, state: bytes) -> None:
        """Keep what another process would need to take this call up again; gone when the call is finished."""
        ...

    def kept(self) -> Mapping[str, bytes]:
        """Return what `keep` was told of calls in progress, this process or the one before it."""
        ...

    async def report(self, call: str, status: str, details: str = "") -> CallRecord | None:
        """Add to a call, ended or not, what its application reported of it; None = no such call."""
        ...


class Outbox(Protocol):
    """What applications are still to be told; survives everything until it was delivered or given up."""

    async def put(self, notification: Notification) -> None:
        """Take one more; one that is already there is left as it is."""
        ...

    async def due(self, now: float, limit: int = 100) -> Sequence[Notification]:
        """Return what is to be tried at `now` (Unix seconds), of each call the oldest alone: order is kept."""
        ...

    async def delivered(self, id: str) -> None:  # noqa: A002 - the field's name
        """Forget one that arrived."""
        ...

    async def failed(self, id: str, next_at: float) -> None:  # noqa: A002 - the field's name
        """Count an attempt in vain; the next one is due at `next_at`."""
        ...

    async def given_up(self, id: str) -> None:  # noqa: A002 - the field's name
        """Try no more; it is kept for a person to look at, and those behind it go on."""
        ...

    async def backlog(self) -> int:
        """Return how many wait."""
        ...

    async def news(self) -> None:
        """Return when something was put that nobody has waited for yet: at once, or as soon as that happens."""
        ...


class Administration(Protocol):
    """Changes to who there is.  The directory shows them when the method returns.

    Every method raises `LocalError` when it is not possible (no such application, a name that is taken) and
    `Overload` when the database does not answer.
    """

    async def create_application(self, application: Application) -> None:
        """Add an application; its key must be new."""
        ...

    async def update_application(self, application: Application) -> None:
        """Set everything about an application but its key and what it has spent."""
        ...

    async def rotate(self, key: str, secret: str) -> Application:
        """Give an application another secret; the old one counts no more."""
        ...

    async def set_callbacks(self, key: str, callback: str | None, fallback: str | None) -> Application:
        """Set both callback URLs."""
        ...

    async def charge(self, key: str, money: Money) -> Application:
        """Take `money` from an application's balance and add it to what it spent; negative = a payment.

        Not for calls: `CallBook.finish` books their debit.
        """
        ...

    async def add_number(self, number: Number) -> None:
        """Take a number into possession, or replace what is known of it."""
        ...

    async def assign(self, application: str, numbers: Sequence[str], capability: str = "voice") -> None:
        """Give numbers that we own to an application; all of them or none."""
        ...

    async def unassign(self, application: str, number: str, capability: str = "voice") -> None:
        """Take a number from the application that has it."""
        ...

    async def add_user(self, user: User) -> None:
        """Add a user, or replace the password of one; a name belongs to one application only."""
        ...

    async def remove_user(self, application: str, name: str) -> None:
        """Remove a user; one that is not there is no error."""
        ...

    async def set_rates(self, rates: Sequence[Rate]) -> None:
        """Replace the whole table of prices."""
        ...


class Reports(Protocol):
    """What calls came to.  Methods raise `Overload` when the database does not answer."""

    async def usage(
        self, application: str, identity: Identity, start: float, stop: float, domain: str | None = None
    ) -> Usage:
        """Return what the calls of one user or number came to that began in [start, stop), Unix seconds.

        A call is its caller's and its callee's; `domain` counts only calls that ended there.
        """
        ...

    def finished(
        self, kind: CallKind, start: float, stop: float, application: str | None = None
    ) -> AsyncIterator[CallRecord]:
        """Yield the calls of one kind that began in [start, stop) and have ended, in the order of their start."""
        ...

    async def counter(self, name: str, application: str | None = None) -> tuple[int, float] | None:
        """Return (value, as of when in Unix seconds); None = no such counter.

        `currentcalls` = calls in progress, those of one application or all.
        """
        ...
