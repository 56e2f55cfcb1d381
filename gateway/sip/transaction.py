"""The transaction layer: requests and responses made reliable over a network that loses them.

It stands between messages and their user (RFC 3261 section 17).  The user sends a request and gets the
responses or a timeout; it gets each request once and answers it once.  What is sent again, absorbed or
acknowledged in between is decided by the tables of `transaction_table` alone.

Sans-IO: `receive_*`, `send_*` and `deadline_reached` change the state and are given `now`, monotonic seconds;
after any of them drain `transmit` and `events` and ask `next_deadline`.  A transaction outlives the call it
belonged to: it ends by its own timers, and the layer never asks anybody.

The layer answers by itself: 100 after 200 ms, CANCEL with 200 or 481, a merged request with 482 (8.2.2.2),
and 503 when it holds as many transactions as it may.  It adds our Via to requests that have none and the
source address to the Via of those that arrive.  Cost: one dictionary look-up a message, O(log n) a timer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from gateway.errors import LocalError
from gateway.ids import IdSource
from gateway.sip.flow import Datagram, Flow
from gateway.sip.headers import Via
from gateway.sip.message import Request, Response, respond
from gateway.sip.refusal import retry_after
from gateway.sip.timers import TimerTable
from gateway.sip.transaction_engine import TransactionEngine
from gateway.sip.transaction_events import (
    AckArrived,
    CancelArrived,
    RequestArrived,
    ResponseArrived,
    StrayAnswer,
    TransactionEnded,
    TransactionEvent,
    TransactionKey,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.sip.transaction_messages import (
    MAGIC_COOKIE,
    is_copied,
    response_key,
    server_key,
    with_source,
    with_via,
)
from gateway.sip.transaction_record import Transaction, answer_event, response_event
from gateway.sip.transaction_table import (
    TRANSITIONS,
    Event,
    State,
    Step,
)

__all__ = [
    "TRANSITIONS",
    "AckArrived",
    "CancelArrived",
    "RequestArrived",
    "ResponseArrived",
    "State",
    "Step",
    "StrayAnswer",
    "TimerTable",
    "TransactionEnded",
    "TransactionEvent",
    "TransactionKey",
    "TransactionLayer",
    "TransactionTimedOut",
    "TransportFailed",
]

_RESERVE: Final = 5 / 4
"""Room kept for requests that belong to something begun, as a factor on the cap for new work."""


class TransactionLayer:
    """All transactions of one endpoint."""

    def __init__(
        self,
        ids: IdSource,
        *,
        timers: TimerTable | None = None,
        max_transactions: int = 20_000,
        sent_by: Callable[[Flow], tuple[str, int]] | None = None,
    ) -> None:
        """Start with no transactions.

        Beyond `max_transactions` new work is refused with 503; there is a quarter more room for what belongs
        to a dialog.  `sent_by` names the address for our Via on a flow; the flow's local one by default.
        """
        self.counters: Counter[str] = Counter()
        """What was absorbed, refused or dropped, by kind."""
        self._ids = ids
        self._max_transactions = max_transactions
        self._sent_by = sent_by or (lambda flow: flow.local)
        self._engine = TransactionEngine(ids, timers or TimerTable())
        self._transactions = self._engine.transactions

    def __len__(self) -> int:
        return len(self._transactions)

    def __contains__(self, key: TransactionKey) -> bool:
        return key in self._transactions

    def state(self, key: TransactionKey) -> State:
        """Return where a transaction stands; TERMINATED if it is over or never was."""
        transaction = self._transactions.get(key)
        return transaction.state if transaction else State.TERMINATED

    # what the user does

    def send_request(self, request: Request, flow: Flow, now: float) -> TransactionKey:
        """Open a client transaction and send `request`, with a Via of ours unless it has one.

        Raises:
            LocalError: it is an ACK or a CANCEL (see `send_ack`, `cancel`), or its branch is in use.
        """
        if request.method in {"ACK", "CANCEL"}:
            raise LocalError(f"{request.method} opens no transaction of its own")
        return self._engine.open_client(self._with_our_via(request, flow), flow, now)

    def send_ack(self, request: Request, flow: Flow) -> None:
        """Send the ACK to a 2xx: outside of any transaction, with a Via of ours unless it has one."""
        self._engine.datagrams.append(Datagram(self._with_our_via(request, flow).to_bytes(), flow))

    def send_response(self, key: TransactionKey, response: Response, now: float) -> bool:
        """Answer a request. Return False if its transaction is over (it timed out, the connection broke).

        An INVITE's 2xx may be sent again and again while the transaction is ACCEPTED.

        Raises:
            LocalError: the transaction is in a state in which this answer is impossible, say 200 after 486.
        """
        transaction = self._transactions.get(key)
        if transaction is None:
            return False
        transaction.set_answer(response)
        self._engine.step(transaction, answer_event(key, response.status), now)
        return True

    def refuse_once(self, key: TransactionKey, response: Response) -> None:
        """Answer a request and forget it: it is not said again, lest a forged source be flooded (8.2.7).

        A repetition of the request is a new one, and gets its own answer; the ACK is nobody's.
        """
        transaction = self._transactions.get(key)
        if transaction is not None:
            data = response.to_bytes()  # before anything is forgotten, for it may raise
            self._engine.datagrams.append(Datagram(data, transaction.flow))
            transaction.quiet = True
            self._engine.forget(transaction)

    def cancel(self, key: TransactionKey, now: float, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Cancel an INVITE of ours: now, or as soon as a provisional response comes (RFC 3261 section 9.1).

        No effect once it has its final response.  A 2xx may still come and must be ACKed and ended;
        otherwise a 487 comes, or `TransactionTimedOut` 64*T1 later.

        Raises:
            LocalError: the request is no INVITE; nothing else can be cancelled.
        """
        transaction = self._transactions.get(key)
        if transaction is not None:
            transaction.cancel_headers = tuple(headers)
            self._engine.step(transaction, Event.CANCEL, now)

    # what the network does

    def receive_request(self, request: Request, flow: Flow, now: float) -> None:
        """Take a request from the network."""
        request = with_source(request, flow)
        key = server_key(request)
        transaction = self._transactions.get(key)
        if request.method == "ACK":
            if transaction is None:
                self._engine.events.append(AckArrived(None, request, flow))
            else:
                transaction.ack = request
                self._engine.step(transaction, Event.ACK, now)
        elif transaction is not None:
            self.counters["request_repeated"] += 1
            self._engine.step(transaction, Event.REQUEST, now)
        elif not self._has_room_for(request):
            self._refuse(request, flow)
        elif request.method == "CANCEL":
            self._take_cancel(key, request, flow, now)
        else:
            self._take_request(key, request, flow, now)

    def receive_response(self, response: Response, flow: Flow, now: float) -> None:
        """Take a response from the network; one that answers nothing of ours is counted and dropped."""
        transaction = self._transactions.get(response_key(response))
        if len(response.headers.all("Via")) != 1:
            self.counters["response_not_for_us"] += 1  # 8.1.3.3: we are the end, not a proxy on the way
        elif transaction is not None and not is_copied(transaction.request, response):
            self.counters["response_of_another_call"] += 1
        elif transaction is not None:
            transaction.answer = response
            self._engine.step(transaction, response_event(transaction.key, response.status), now)
        elif response.cseq.method == "INVITE" and 200 <= response.status < 300:
            self._engine.events.append(StrayAnswer(response, flow))
        else:
            self.counters["response_unmatched"] += 1

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Tell every transaction on a connection that it is gone."""
        for transaction in self._engine.on_connection(flow):
            self._engine.step(transaction, Event.TRANSPORT_ERROR, now)

    # what the rim asks

    def transmit(self) -> list[Datagram]:
        """Return what is to be sent, in order, and forget it."""
        datagrams, self._engine.datagrams = self._engine.datagrams, []
        return datagrams

    def events(self) -> list[TransactionEvent]:
        """Return what happened, in order, and forget it."""
        events, self._engine.events = self._engine.events, []
        return events

    def next_deadline(self) -> float | None:
        """Return when to call `deadline_reached`, in monotonic seconds; None if nothing is waited for."""
        return self._engine.next_deadline()

    def deadline_reached(self, now: float) -> None:
        """Let fire what is due."""
        self._engine.deadline_reached(now)

    # opening

    def _with_our_via(self, request: Request, flow: Flow) -> Request:
        return self.with_branch(request, flow, MAGIC_COOKIE + self._ids.token(8))

    def with_branch(self, request: Request, flow: Flow, branch: str) -> Request:
        """Return a request with a Via of ours on that branch, unless it has one."""
        if "Via" in request.headers:
            return request
        host, port = self._sent_by(flow)
        rport = (("rport", None),) if flow.transport == "udp" else ()
        return with_via(request, Via(flow.transport.upper(), host, port, (("branch", branch), *rport)))

    def _take_request(self, key: TransactionKey, request: Request, flow: Flow, now: float) -> None:
        transaction = self._engine.open(key, request, flow)
        if self._engine.note_fork(transaction):
            self.counters["request_merged"] += 1
            self._answer_ourselves(transaction, 482, now)
        else:
            self._engine.step(transaction, Event.BEGIN, now)

    def _take_cancel(self, key: TransactionKey, request: Request, flow: Flow, now: float) -> None:
        """Answer a CANCEL: 200 if its INVITE is here, whatever that has come to, else 481 (9.2)."""
        invite = self._transactions.get(key._replace(method="INVITE"))
        cancel = self._engine.open(key, request, flow)
        if invite is None:
            self._answer_ourselves(cancel, 481, now)
            return
        invite.to_tag = invite.to_tag or request.to.tag or self._ids.token(8)
        cancel.to_tag = invite.to_tag
        self._answer_ourselves(cancel, 200, now)
        if invite.state is State.PROCEEDING and not invite.quiet:
            self._engine.events.append(CancelArrived(invite.key, request, invite.to_tag))

    def _answer_ourselves(self, transaction: Transaction, status: int, now: float) -> None:
        transaction.quiet = True
        self._engine.step(transaction, Event.BEGIN, now)
        tag = transaction.to_tag or self._ids.token(8)
        self.send_response(transaction.key, respond(transaction.request, status, to_tag=tag), now)

    def _has_room_for(self, request: Request) -> bool:
        """Tell whether one more transaction may be opened: what is begun is finished, new work waits."""
        is_new_work = request.to.tag is None and request.method not in {"CANCEL", "PRACK"}
        return len(self) < self._max_transactions * (1 if is_new_work else _RESERVE)

    def _refuse(self, request: Request, flow: Flow) -> None:
        """Answer 503 without remembering anything: the ACK that follows matches nothing and is ignored."""
        self.counters["request_refused_overload"] += 1
        response = respond(request, 503, to_tag=self._ids.token(8), headers=[retry_after(self._ids)])
        self._engine.datagrams.append(Datagram(response.to_bytes(), flow))
