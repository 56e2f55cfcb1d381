"""Where a call of an application goes that it wants dialled, on whose credit, and who is shown to be calling.

Everything is decided before anybody's phone rings: a number must be a number, allowed and affordable, a user must be
the application's, a caller id its own.  What is refused here ends the call with a reason that the application is told.
A number of ours whose calls follow a rule is called by that rule, and not by way of a carrier; one whose application is
asked leaves and comes back, since it is another call.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from gateway.errors import BadMessage
from gateway.sip.identity import CallerId
from gateway.sip.uri import Uri, parse_uri_untrusted
from gateway.switch.admission import check_credit, check_destination
from gateway.switch.applications import Applications
from gateway.switch.caller_ids import caller_id
from gateway.switch.causes import ENDINGS
from gateway.switch.domains import domain_of, kind_of
from gateway.switch.forwarding import rule_of, target_of
from gateway.switch.numbers import e164
from gateway.switch.records import Application, CallKind, Identity, IdentityType, Money
from gateway.switch.routing import RoutingTable, ToTrunk, ToUser, Trunk, trunks_to
from gateway.switch.simulated import Simulation, simulation_of
from gateway.switch.steering import Dial, Forbidden, NoCredit
from gateway.switch.trunk_identity import Presentation
from gateway.switch.world import CallOver

__all__ = ["Plan", "Way", "plan_of", "sip_uri_of"]

Way: TypeAlias = ToUser | ToTrunk | Simulation
_SIP_SCHEMES: Final = ("sip:", "sips:")


@dataclass(frozen=True, slots=True)
class Plan:
    """One dialling, thought through."""

    way: Way
    called: Identity
    """Numbers in E.164."""
    caller: CallerId
    """What the called party is told."""
    domain: str
    kind: CallKind
    rate: Money | None = None
    """Of a minute."""


def plan_of(
    dial: Dial,
    *,
    application: Application,
    origin: CallerId | None,
    table: RoutingTable,
    applications: Applications,
) -> Plan:
    """Return how somebody is called.

    origin: who called; None = the application itself.

    Raises:
        CallOver: it cannot be done; its ending says why.
    """
    directory = applications.directory
    caller = caller_id(dial.cli, origin=origin, application=application.key, directory=directory)
    match dial.to.type:
        case IdentityType.NUMBER | IdentityType.DID:
            return _to_number(dial, caller, application, table, applications)
        case IdentityType.USERNAME:
            name = dial.to.endpoint
            if directory.user(application.key, name) is None:
                raise CallOver(ENDINGS["no_user"])
            return _plan(ToUser(name), dial.to, caller)
        case IdentityType.SIP:
            return _plan(_to_sip(dial), dial.to, caller)
        case _:
            raise CallOver(ENDINGS["unknown"])


def _to_number(
    dial: Dial, caller: CallerId, application: Application, table: RoutingTable, applications: Applications
) -> Plan:
    number = e164(dial.to.endpoint)
    if number is None:
        raise CallOver(ENDINGS["unknown"])
    called = Identity(IdentityType.NUMBER, number)
    if (simulation := simulation_of(number)) is not None:
        return _plan(simulation, called, caller)
    if (rule := rule_of(number, applications.directory)) is not None:
        return _forwarded(target_of(rule, number), called, caller, application, table, applications)
    return _out(number, called, caller, application, table, applications)


def _forwarded(
    to: Identity,
    called: Identity,
    caller: CallerId,
    application: Application,
    table: RoutingTable,
    applications: Applications,
) -> Plan:
    """Return how a number of ours is called without leaving: by its own rule, and no rule after that."""
    match to.type:
        case IdentityType.USERNAME if to.endpoint in table.users:
            return _plan(ToUser(to.endpoint), called, caller)
        case IdentityType.SIP:
            return _plan(_to_sip(Dial(to)), called, caller)
        case IdentityType.NUMBER:
            return _out(to.endpoint, called, caller, application, table, applications)
        case _:
            raise CallOver(ENDINGS["unknown"])


def _out(
    number: str,
    called: Identity,
    caller: CallerId,
    application: Application,
    table: RoutingTable,
    applications: Applications,
) -> Plan:
    """Return how a number is called by a carrier.  Raises CallOver."""
    try:
        check_destination(application, number)
        check_credit(application)
    except (Forbidden, NoCredit) as error:
        name = "no_credit" if isinstance(error, NoCredit) else "not_allowed"
        raise CallOver(replace(ENDINGS[name], text=str(error))) from error
    trunks = trunks_to(number, table.trunks)
    if not trunks:
        raise CallOver(ENDINGS["unknown"])
    rate = applications.directory.rate(number)
    per_minute = None if rate is None else rate.per_minute
    return _plan(ToTrunk(trunks, number), called, caller, rate=per_minute)


def _plan(way: Way, called: Identity, caller: CallerId, *, rate: Money | None = None) -> Plan:
    return Plan(way, called, caller, domain_of(called), kind_of(called), rate)


def _to_sip(dial: Dial) -> ToTrunk:
    """Return a SIP address as a trunk of one call: its servers are asked in the order of RFC 3263.

    Nothing is asserted to it: we do not know whom it tells.
    """
    uri = sip_uri_of(dial.to.endpoint, transport=dial.transport)
    trunk = Trunk(f"sip:{uri.host}", replace(uri, user=None), presentation=Presentation(asserted=False))
    return ToTrunk((trunk,), uri.user or "")


def sip_uri_of(endpoint: str, *, transport: str | None = None) -> Uri:
    """Return the URI of `user@host`, with or without scheme, port and transport.

    Raises:
        CallOver: it is none.
    """
    text = endpoint if endpoint.lower().startswith(_SIP_SCHEMES) else f"sip:{endpoint}"
    try:
        uri = parse_uri_untrusted(text)
    except BadMessage as error:
        raise CallOver(replace(ENDINGS["unknown"], text=str(error))) from error
    if transport is not None and uri.parameter("transport") is None and uri.scheme == "sip":
        uri = replace(uri, parameters=(*uri.parameters, ("transport", transport.lower())))
    return uri
