"""The one adapter between a sans-IO SIP endpoint and an event loop.

After every call into the endpoint the same three things follow: send what it wants sent, re-arm one timer
if its deadline moved, and wake whoever reads its events.  Sockets (`sip_rim`) and the simulated network of
the tests are two ways of saying where datagrams go; both are driven by this.

Messages are handled for ten milliseconds at a time, in the order that the endpoint chooses; then the loop gets
its turn, for calls have other things to do as well, and the rest is handled in the next.

Nothing that a peer sends may end the loop: each call into the endpoint stands behind its own exception
wall, and what fell is counted by its class.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Final, TypeVar

from gateway.sip.admission import Episode
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import Event
from gateway.sip.flow import Datagram, Flow

__all__ = ["EndpointDriver"]

_Result = TypeVar("_Result")
_TURN_S: Final = 0.01
_AFTER_A_FALL_S: Final = 0.1
"""A timer whose handling failed is tried again, but never in a busy loop."""


class EndpointDriver:
    """Run one endpoint on the running event loop; `loop.time()` is its `now`."""

    def __init__(
        self,
        endpoint: Endpoint,
        send: Callable[[Datagram], None],
        *,
        on_fault: Callable[[str], None] | None = None,
        on_message: Callable[[bytes, Flow, bool], None] | None = None,
        on_load: Callable[[Episode], None] | None = None,
    ) -> None:
        """`send` must not block and must not call back into this driver; `on_fault` is told tracebacks.

        `on_message` is shown each message, its flow and whether it leaves: for traces.  `on_load` is told when
        an overload begins and when it is over.
        """
        self.endpoint: Final = endpoint
        self.falls: Final[Counter[str]] = Counter()
        """Exceptions that the wall stopped, by class name: each is a fault of ours."""
        self._send = send
        self._on_fault = on_fault
        self._on_message = on_message
        self._on_load = on_load
        self._turn: asyncio.Handle | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._closed = False

    @property
    def now(self) -> float:
        """Monotonic seconds of the loop."""
        return self._loop.time()

    def do(self, operation: Callable[[float], _Result]) -> _Result:
        """Call the endpoint (`lambda now: endpoint.invite(..., now=now)`) and do what follows from it."""
        try:
            return operation(self.now)
        finally:
            self.drain()

    def receive(self, data: bytes, flow: Flow, age_s: float = 0.0) -> None:
        """Let one message wait for its turn that came `age_s` ago; call `work` when the batch is over."""
        try:
            if self._on_message is not None:
                self._on_message(data, flow, False)
            now = self.now
            self.endpoint.arrive(data, flow, now - age_s, now)
        except Exception as error:
            self._fell(error)

    def work(self) -> None:
        """Handle what waits for as long as a turn may be, and the rest in the next one."""
        if self._turn is None:
            self._take_turn()

    def _take_turn(self) -> None:
        self._turn = None
        until = self.now + _TURN_S
        while not self._closed and self._handle_next():
            if self.now >= until:
                self._turn = self._loop.call_soon(self._take_turn)
                break
        self.drain()

    def _handle_next(self) -> bool:
        try:
            return self.endpoint.handle_next(self.now)
        except Exception as error:
            self._fell(error)
            return False

    def flow_closed(self, flow: Flow) -> None:
        """Tell the endpoint that a connection ended."""
        try:
            self.endpoint.flow_closed(flow, self.now)
        except Exception as error:
            self._fell(error)
        self.drain()

    def drain(self) -> None:
        """Send what there is, re-arm the timer, wake the reader of events."""
        if self._closed:
            return
        fallen = False
        try:
            for datagram in self.endpoint.transmit(self.now):
                if self._on_message is not None:
                    self._on_message(datagram.data, datagram.flow, True)
                self._send(datagram)
        except Exception as error:
            self._fell(error)
            fallen = True
        self._rearm(not_before=self.now + _AFTER_A_FALL_S if fallen else 0.0)
        self._wake.set()
        self._drained.set()
        self._tell()

    async def settled(self) -> None:
        """Return when nothing that we asked is unanswered: every BYE and CANCEL was heard, or given up."""
        while self.endpoint.census()["unanswered"]:
            self._drained.clear()
            await self._drained.wait()

    async def events(self) -> AsyncIterator[Event]:
        """Yield events to one reader until the driver is closed."""
        while not self._closed:
            self._wake.clear()
            for event in self.endpoint.events():
                yield event
            await self._wake.wait()

    def _fell(self, error: Exception) -> None:
        self.falls[type(error).__name__] += 1
        self.endpoint.faults.append("".join(traceback.format_exception(error)))

    def _tell(self) -> None:
        """Pass on what this wall and the endpoint's own have stopped, and what there was of overload."""
        while self._on_fault is not None and self.endpoint.faults:
            self._on_fault(self.endpoint.faults.popleft())
        while self._on_load is not None and self.endpoint.episodes:
            self._on_load(self.endpoint.episodes.popleft())

    def close(self) -> None:
        """Stop the timer and end `events`; the endpoint is not told."""
        self._closed = True
        self._wake.set()
        if self._turn is not None:
            self._turn.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rearm(self, *, not_before: float) -> None:
        deadline = self.endpoint.next_deadline()
        when = None if deadline is None else max(deadline, not_before)
        if self._timer is not None:
            if when is not None and self._timer.when() <= when:
                return  # it rings too early, and is set anew then: cheaper than at each message
            self._timer.cancel()
            self._timer = None
        if when is not None:
            self._timer = self._loop.call_at(when, self._deadline, when)

    def _deadline(self, when: float) -> None:
        self._timer = None
        try:
            # asyncio may call a timer early by the clock's resolution; the deadline has come all the same
            self.endpoint.deadline_reached(max(self.now, when))
        except Exception as error:
            self._fell(error)
            self._rearm(not_before=self.now + _AFTER_A_FALL_S)
            return
        self.drain()
