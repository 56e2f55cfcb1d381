"""Two transaction layers and a wire between them, in virtual time.

`End` is one layer that a test talks to; what it has sent and what it has heard are drained as short words,
so that a test reads as a conversation.  `Wire` joins two ends and may lose or repeat what crosses it, by a
seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

from gateway.ids import SeededIds
from gateway.sip.flow import Datagram, Flow
from gateway.sip.message import Request, Response, parse_message_untrusted, respond
from gateway.sip.timers import TimerTable
from gateway.sip.transaction import (
    RequestArrived,
    ResponseArrived,
    State,
    TransactionEvent,
    TransactionKey,
    TransactionLayer,
)

__all__ = ["End", "Wire", "make_request"]

_PHONE = ("192.0.2.1", 5060)
_SWITCH = ("192.0.2.2", 5060)


def make_request(
    method: str = "INVITE",
    *,
    branch: str | None = None,
    cseq: int = 1,
    call_id: str = "call@192.0.2.1",
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """Build a request from alice to bob; without `branch` it has no Via yet."""
    lines = [f"{method} sip:bob@192.0.2.2 SIP/2.0"]
    if branch is not None:
        lines.append(f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}")
    else:
        lines.append("Via: SIP/2.0/UDP 192.0.2.1:5060")
    lines += [
        "Max-Forwards: 70",
        'From: "Alice" <sip:alice@192.0.2.1>;tag=a1',
        "To: <sip:bob@192.0.2.2>" + (f";tag={to_tag}" if to_tag else ""),
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    request = parse_message_untrusted("\r\n".join([*lines, "", ""]).encode())
    assert isinstance(request, Request)
    if branch is None:
        return Request(request.method, request.uri, request.headers.without("Via"), request.body)
    return request


class End:
    """One transaction layer under a test's hands; `now` is its virtual clock."""

    def __init__(
        self,
        *,
        transport: str = "udp",
        local: tuple[str, int] = _SWITCH,
        remote: tuple[str, int] = _PHONE,
        timers: TimerTable | None = None,
        max_transactions: int = 20_000,
        seed: int = 1,
    ) -> None:
        self.layer = TransactionLayer(
            SeededIds(seed), timers=timers or TimerTable(), max_transactions=max_transactions
        )
        self.flow = Flow(transport, local, remote, None if transport == "udp" else 1)
        self.now = 0.0

    def ask(self, request: Request) -> TransactionKey:
        """Send a request in a transaction of its own."""
        return self.layer.send_request(request, self.flow, self.now)

    def hear(self, message: Request | Response) -> None:
        """Let a message arrive."""
        if isinstance(message, Request):
            self.layer.receive_request(message, self.flow, self.now)
        else:
            self.layer.receive_response(message, self.flow, self.now)

    def answer(self, arrived: RequestArrived, status: int, tag: str = "b1") -> bool:
        """Answer a request that arrived."""
        response = respond(arrived.request, status, to_tag=tag)
        return self.layer.send_response(arrived.key, response, self.now)

    def sent(self) -> list[bytes]:
        """Drain what was sent."""
        return [datagram.data for datagram in self.layer.transmit()]

    def said(self) -> list[str]:
        """Drain what was sent, in words: the method of a request, the status of a response."""
        return [_word(data) for data in self.sent()]

    def heard(self) -> list[TransactionEvent]:
        """Drain the events."""
        return self.layer.events()

    def state(self, key: TransactionKey) -> State:
        """Where a transaction stands."""
        return self.layer.state(key)

    def pass_time(self, seconds: float) -> list[tuple[float, str]]:
        """Let time pass; return what was sent in it as (seconds from here, word)."""
        start, end = self.now, self.now + seconds
        said: list[tuple[float, str]] = [(0.0, word) for word in self.said()]
        while (deadline := self.layer.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.layer.deadline_reached(self.now)
            said += [(round(self.now - start, 6), word) for word in self.said()]
        self.now = end
        return said

    def take_request(self) -> RequestArrived:
        """Drain the events, which are one new request."""
        (event,) = self.heard()
        assert isinstance(event, RequestArrived)
        return event

    def take_response(self) -> Response:
        """Drain the events, the first of which is a response."""
        event = self.heard()[0]
        assert isinstance(event, ResponseArrived)
        return event.response


def _word(data: bytes) -> str:
    first, second = data.split(b" ", 2)[:2]
    return (second if first == b"SIP/2.0" else first).decode()


class Wire:
    """A lossy network between a phone and a switch; both ends share its clock."""

    def __init__(self, *, seed: int, loss: float, duplication: float = 0.0) -> None:
        self.phone = End(local=_PHONE, remote=_SWITCH, seed=1)
        self.switch = End(local=_SWITCH, remote=_PHONE, seed=2)
        self._random = random.Random(seed)
        self._loss = loss
        self._duplication = duplication

    @property
    def now(self) -> float:
        """The clock of both."""
        return self.phone.now

    def carry(self) -> bool:
        """Carry what was sent both ways once, less what is lost; tell whether there was anything."""
        crossing = [
            *((self.switch, datagram) for datagram in self.phone.layer.transmit()),
            *((self.phone, datagram) for datagram in self.switch.layer.transmit()),
        ]
        for end, datagram in crossing:
            if self._random.random() >= self._loss:
                self._deliver(end, datagram)
                if self._random.random() < self._duplication:
                    self._deliver(end, datagram)
        return bool(crossing)

    def wait(self) -> bool:
        """Advance both clocks to the next deadline and let it fire; False when nobody waits for anything."""
        layers = (self.phone.layer, self.switch.layer)
        deadlines = [deadline for layer in layers if (deadline := layer.next_deadline()) is not None]
        if not deadlines:
            return False
        self.phone.now = self.switch.now = max(self.now, min(deadlines))
        for layer in layers:
            layer.deadline_reached(self.now)
        return True

    def _deliver(self, end: End, datagram: Datagram) -> None:
        end.hear(parse_message_untrusted(datagram.data))
