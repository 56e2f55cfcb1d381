"""The interpreter of the transaction tables: it takes steps, runs timers, sends and reports.

`TransactionLayer` decides which transaction a message belongs to; from there on `step` is the only way
anything changes, and its look-up is the one place where an illegal trigger shows.
"""

from __future__ import annotations

from typing import Literal, assert_never

from gateway.errors import LocalError
from gateway.ids import IdSource
from gateway.sip.alarms import Alarms
from gateway.sip.flow import Datagram, Flow
from gateway.sip.message import Request, respond
from gateway.sip.timers import RETRANSMISSIONS, Timer, TimerTable
from gateway.sip.transaction_events import (
    AckArrived,
    RequestArrived,
    ResponseArrived,
    TransactionEnded,
    TransactionEvent,
    TransactionKey,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.sip.transaction_messages import ack_for_refusal, cancel_for, client_key, merge_key
from gateway.sip.transaction_record import Transaction
from gateway.sip.transaction_table import Action, BackOff, Do, Event, Slow, Start, State, Stop, Trigger

__all__ = ["TransactionEngine"]


class TransactionEngine:
    """The transactions under way, their timers, and what they have to send and to say."""

    def __init__(self, ids: IdSource, timers: TimerTable) -> None:
        self.transactions: dict[TransactionKey, Transaction] = {}
        self.datagrams: list[Datagram] = []
        self.events: list[TransactionEvent] = []
        self._ids = ids
        self._timers = timers
        self._alarms: Alarms[tuple[TransactionKey, Timer]] = Alarms()
        self._connections: dict[Flow, set[TransactionKey]] = {}
        self._merged: dict[tuple[str, str, int, str], TransactionKey] = {}

    def open(self, key: TransactionKey, request: Request, flow: Flow, *, quiet: bool = False) -> Transaction:
        """Remember a transaction, in state START. Raises LocalError if its key is in use."""
        if key in self.transactions:
            raise LocalError("a transaction with this branch is under way")
        transaction = self.transactions[key] = Transaction(key, request, flow, quiet=quiet)
        if flow.reliable:
            self._connections.setdefault(flow, set()).add(key)
        return transaction

    def open_client(self, request: Request, flow: Flow, now: float, *, quiet: bool = False) -> TransactionKey:
        """Open a client transaction and send its request. Raises LocalError if that cannot be written."""
        key = client_key(request)
        data = request.to_bytes()  # before anything is remembered, for it may raise
        transaction = self.open(key, request, flow, quiet=quiet)
        transaction.repeat = data
        self.step(transaction, Event.BEGIN, now)
        return key

    def note_fork(self, transaction: Transaction) -> bool:
        """Remember a request; return whether a fork brought it before, on another branch (8.2.2.2)."""
        merge = merge_key(transaction.request)
        return merge is not None and self._merged.setdefault(merge, transaction.key) != transaction.key

    def on_connection(self, flow: Flow) -> list[Transaction]:
        """Return the transactions on a connection."""
        return [self.transactions[key] for key in self._connections.get(flow, ())]

    def next_deadline(self) -> float | None:
        """Return when the first timer fires."""
        return self._alarms.next()

    def deadline_reached(self, now: float) -> None:
        """Let fire what is due."""
        for key, timer in self._alarms.due(now):
            transaction = self.transactions[key]
            transaction.running.discard(timer)
            self.step(transaction, timer, now)

    def step(self, transaction: Transaction, trigger: Trigger, now: float) -> None:
        """Look one trigger up and do what the table says; timers of no duration fire on the way."""
        next_trigger: Trigger | None = trigger
        while next_trigger is not None:
            step = transaction.table.get((transaction.state, next_trigger))
            if step is None:
                raise LocalError(
                    f"{transaction.key.method} {transaction.key.role} transaction: "
                    f"{next_trigger.value!r} is impossible when {transaction.state.value}"
                )
            transaction.state = step.state
            next_trigger = None
            for action in step.actions:
                next_trigger = self._do(transaction, action, now) or next_trigger
        transaction.handled()
        if transaction.state is State.TERMINATED:
            self.forget(transaction)

    def _do(self, transaction: Transaction, action: Action, now: float) -> Timer | None:
        """Take one action; return the timer that it started if that fires at once."""
        match action:
            case Do():
                self._do_plain(transaction, action, now)
            case Stop(timer):
                self._stop(transaction, timer)
            case Start(timer):
                duration_s = self._timers.duration_s(timer, reliable=transaction.flow.reliable)
                if duration_s == 0.0:
                    return timer
                if duration_s is not None:
                    self._start(transaction, timer, duration_s, now)
            case BackOff(timer):
                interval_s = self._timers.back_off_s(timer, transaction.interval_s)
                self._start(transaction, timer, interval_s, now)
            case Slow(timer):
                self._start(transaction, timer, self._timers.t2_s, now)
            case _:
                assert_never(action)
        return None

    def _do_plain(self, transaction: Transaction, action: Do, now: float) -> None:
        match action:
            case Do.SEND_REQUEST | Do.REPEAT_ANSWER:
                self._send(transaction)
            case Do.SEND_ANSWER:
                self._send_answer(transaction)
            case Do.SEND_TRYING:
                transaction.set_answer(respond(transaction.request, 100))
                self._send_answer(transaction)
            case Do.SEND_500:
                tag = transaction.to_tag or self._ids.token(8)
                transaction.set_answer(respond(transaction.request, 500, to_tag=tag))
                self._send_answer(transaction)
            case Do.SEND_ACK:
                self._send_ack_for_refusal(transaction)
            case Do.SEND_CANCEL:
                cancel = cancel_for(transaction.request, transaction.cancel_headers)
                self.open_client(cancel, transaction.flow, now, quiet=True)
            case Do.STOP_TIMERS:
                for timer in list(transaction.running):
                    self._stop(transaction, timer)
            case Do.PASS_UP | Do.PASS_ACK_UP | Do.REPORT_TIMEOUT | Do.REPORT_TRANSPORT:
                self._report(transaction, action)
            case _:
                assert_never(action)

    def _report(
        self,
        transaction: Transaction,
        action: Literal[Do.PASS_UP, Do.PASS_ACK_UP, Do.REPORT_TIMEOUT, Do.REPORT_TRANSPORT],
    ) -> None:
        if transaction.quiet:
            return
        key = transaction.key
        match action:
            case Do.PASS_UP if transaction.answer is not None:
                self.events.append(ResponseArrived(key, transaction.answer, transaction.flow))
            case Do.PASS_UP:
                self.events.append(RequestArrived(key, transaction.request, transaction.flow))
            case Do.PASS_ACK_UP:
                assert transaction.ack is not None  # set before the step that passes it up
                self.events.append(AckArrived(key, transaction.ack, transaction.flow))
            case Do.REPORT_TIMEOUT:
                self.events.append(TransactionTimedOut(key))
            case Do.REPORT_TRANSPORT:
                self.events.append(TransportFailed(key))
            case _:
                assert_never(action)

    def _send(self, transaction: Transaction) -> None:
        if transaction.repeat:  # a server that has said nothing yet has nothing to repeat
            self.datagrams.append(Datagram(transaction.repeat, transaction.flow))

    def _send_answer(self, transaction: Transaction) -> None:
        assert transaction.answer is not None  # set before the step that sends it
        transaction.repeat = transaction.answer_bytes
        transaction.to_tag = transaction.to_tag or transaction.answer.to.tag
        if transaction.state is State.COMPLETED:
            self._forget_merge(transaction)  # it is no longer "ongoing": a copy from now on is a new attempt
        self._send(transaction)

    def _send_ack_for_refusal(self, transaction: Transaction) -> None:
        assert transaction.answer is not None  # set before the step that acknowledges it
        transaction.repeat = ack_for_refusal(transaction.request, transaction.answer).to_bytes()
        self._send(transaction)

    def _start(self, transaction: Transaction, timer: Timer, delay_s: float, now: float) -> None:
        if timer in RETRANSMISSIONS:
            transaction.interval_s = delay_s
        transaction.running.add(timer)
        self._alarms.set((transaction.key, timer), now + delay_s)

    def _stop(self, transaction: Transaction, timer: Timer) -> None:
        transaction.running.discard(timer)
        self._alarms.clear((transaction.key, timer))

    def forget(self, transaction: Transaction) -> None:
        """Drop a transaction with its timers, and say that it is over unless nobody knows of it."""
        for timer in transaction.running:
            self._alarms.clear((transaction.key, timer))
        del self.transactions[transaction.key]
        self._forget_merge(transaction)
        siblings = self._connections.get(transaction.flow)
        if siblings is not None:
            siblings.discard(transaction.key)
            if not siblings:
                del self._connections[transaction.flow]
        if not transaction.quiet:
            self.events.append(TransactionEnded(transaction.key))

    def _forget_merge(self, transaction: Transaction) -> None:
        merge = merge_key(transaction.request)
        if merge is not None and self._merged.get(merge) == transaction.key:
            del self._merged[merge]
