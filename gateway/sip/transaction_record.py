"""What the layer remembers of one transaction, and which triggers a response or an answer is to it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.sip.flow import Flow
from gateway.sip.message import Request, Response
from gateway.sip.timers import Timer
from gateway.sip.transaction_events import TransactionKey
from gateway.sip.transaction_table import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Event,
    State,
    Table,
)

__all__ = ["Transaction", "answer_event", "response_event"]


class Transaction:
    """One transaction's memory; all behaviour is in its table."""

    __slots__ = (
        "ack",
        "answer",
        "answer_bytes",
        "cancel_headers",
        "flow",
        "interval_s",
        "key",
        "quiet",
        "repeat",
        "request",
        "running",
        "state",
        "table",
        "to_tag",
    )

    def __init__(self, key: TransactionKey, request: Request, flow: Flow, *, quiet: bool = False) -> None:
        self.key = key
        self.table: Table = _TABLES[key.role, key.method == "INVITE"]
        self.state = State.START
        self.request = request
        self.flow = flow
        self.quiet = quiet
        """Nobody above knows of it: it is a CANCEL of ours, or a request the layer answers itself."""
        self.repeat = b""
        """What is sent again: a client's request, later its ACK; a server's last response."""
        self.running: set[Timer] = set()
        self.interval_s = 0.0
        """Of the retransmission timer; no machine runs two."""
        self.answer: Response | None = None
        """The response being handled: the peer's for a client, the user's for a server."""
        self.answer_bytes = b""
        """What is sent for it, if it is the user's."""
        self.ack: Request | None = None
        """The ACK being handled."""
        self.to_tag: str | None = None
        """The tag of our responses, once one had it."""
        self.cancel_headers: Sequence[tuple[str, str]] = ()

    def set_answer(self, response: Response) -> None:
        """Write a response before the step that sends it: one that cannot be written changes nothing."""
        self.answer_bytes = response.to_bytes()
        self.answer = response

    def handled(self) -> None:
        """Let go of what was being handled: most transactions linger for half a minute and need only `repeat`."""
        self.answer = self.ack = None
        self.answer_bytes = b""


_TABLES = {
    ("client", True): INVITE_CLIENT,
    ("client", False): NON_INVITE_CLIENT,
    ("server", True): INVITE_SERVER,
    ("server", False): NON_INVITE_SERVER,
}


def response_event(key: TransactionKey, status: int) -> Event:
    """Return what a response with `status` from the network is to a client transaction."""
    if status < 200:
        return Event.RESPONSE_1XX
    if key.method != "INVITE":
        return Event.RESPONSE_FINAL
    return Event.RESPONSE_2XX if status < 300 else Event.RESPONSE_300_699


def answer_event(key: TransactionKey, status: int) -> Event:
    """Return what a response with `status` of our own is to a server transaction."""
    if status < 200:
        return Event.ANSWER_1XX
    if key.method != "INVITE":
        return Event.ANSWER_FINAL
    return Event.ANSWER_2XX if status < 300 else Event.ANSWER_300_699
