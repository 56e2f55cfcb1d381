"""Which number a called party is shown: only one that the application may show, else none.

An application names a caller id for a call (`cli`): a number of its own, `private`, or `incoming` for the one that
came in.  It may show numbers that it owns and those that were verified (`tandem number verify`), and hand on what a
carrier or a password vouched for; any other claim is shown as private, since a switch that lets everybody claim every
number is soon nobody's peer.
"""

from __future__ import annotations

from typing import Final

from gateway.sip.identity import CallerId
from gateway.switch.numbers import e164
from gateway.switch.stores import Directory

__all__ = ["PRIVATE", "caller_id", "may_show", "shown_as"]

PRIVATE: Final = "private"
"""How a caller id that is withheld is written."""
INCOMING: Final = "incoming"


def caller_id(
    asked: str | None, *, origin: CallerId | None, application: str, directory: Directory
) -> CallerId:
    """Return who a called party is told calls.

    asked: what the application wants shown; None or "" = who calls, as far as that may be shown.
    origin: who called; None = the application itself.
    """
    incoming = origin or CallerId("", withheld=True)
    if not asked or asked.lower() == INCOMING:
        return incoming
    if asked.lower() == PRIVATE:
        return CallerId(incoming.user, withheld=True)
    number = e164(asked)
    if number is not None and may_show(number, application=application, directory=directory):
        return CallerId(number)
    if origin is not None and number is not None and number == e164(origin.user):
        return origin
    if number is None and origin is None:
        return CallerId("", withheld=True)
    return CallerId(incoming.user, withheld=True)


def may_show(number: str, *, application: str, directory: Directory) -> bool:
    """Tell whether an application may show a number in E.164: one that it owns here, or that was verified."""
    owned = directory.number(number)
    if owned is not None:
        return (owned.application or "").lower() == application.lower()
    known = directory.application(application)
    return known is not None and number in known.verified


def shown_as(caller: CallerId) -> str:
    """Return a caller id as applications are told: the number or name, or `private`."""
    return PRIVATE if caller.withheld or not caller.user else caller.user
