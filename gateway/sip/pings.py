"""Asking whether somebody is there: OPTIONS outside of any dialog (RFC 3261 section 11).

Any final response but a 503 says that the other end is alive and takes calls, whatever it thinks of OPTIONS.
Who asks, how often, and what follows from silence is for whoever keeps trunks.
"""

from __future__ import annotations

from gateway.sip.events import PingAnswered, PingId
from gateway.sip.flow import Flow
from gateway.sip.headers import Headers, NameAddr
from gateway.sip.message import Request, Response
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.uri import Uri
from gateway.sip.wire import Errand, Numbers, Outcome, Purpose, Wire

__all__ = ["Pings", "options_to"]


def options_to(wire: Wire, target: Uri, flow: Flow) -> tuple[Request, Numbers]:
    """Return an OPTIONS to `target` over `flow`, and what counts its CSeq."""
    numbers = Numbers(1 + wire.ids.number(10_000))
    us = NameAddr(None, wire.config.contact(flow), (("tag", wire.ids.token(8)),))
    headers = Headers(
        [
            ("From", str(us)),
            ("To", str(NameAddr(None, target))),
            ("Call-ID", wire.ids.token(16)),
            ("CSeq", f"{numbers.local_cseq} OPTIONS"),
            ("Max-Forwards", "70"),
            wire.contact(flow),
            ("Accept", "application/sdp"),
        ]
    )
    return Request("OPTIONS", target, headers), numbers


class Pings:
    """OPTIONS of ours."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._asked: dict[str, float] = {}

    def ping(self, target: Uri, flow: Flow, now: float) -> PingId:
        """Ask `target` over `flow`; `PingAnswered` tells what came of it, in 32 s at most."""
        wire = self._wire
        ping = PingId(wire.ids.token(8))
        request, numbers = options_to(wire, target, flow)
        self._asked[ping] = now
        wire.start(Errand(Purpose.OPTIONS, ping, request, flow, numbers), now)
        return ping

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of it."""
        if isinstance(outcome, Response) and outcome.status < 200:
            return
        asked = self._asked.pop(errand.holder, None)
        if asked is None:
            return
        retry_after = outcome.headers.get("Retry-After") if isinstance(outcome, Response) else None
        retry_after_s = parse_seconds_untrusted((retry_after or "").partition(";")[0].partition("(")[0])
        alive = isinstance(outcome, Response) and outcome.status != 503
        self._wire.emit(
            PingAnswered(PingId(errand.holder), alive, outcome.status, now - asked, retry_after_s)
        )
