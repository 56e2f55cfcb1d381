"""What has arrived and was not read yet: two queues, and the gate before the second.

What belongs to something begun goes first: responses, ACK, BYE and CANCEL, requests within dialogs, the REGISTER
of a phone that is registered, OPTIONS.  What begins something waits behind it, and in an episode of overload
(`gateway.sip.admission`) may be refused with 503 and a Retry-After.  A refusal is written from the bytes of the
request, unread and without a transaction; its To-tag bears a mark by which the ACK that follows is known and
dropped.

Two rules keep the order of what belongs together.  A call that was let in stays in: by its Call-ID, so that its
INVITE may be repeated, or come again with a password, and is not refused half-way.  And what belongs to a
request that still waits here waits behind it, for a CANCEL must not overtake its INVITE.

Sans-IO: bytes and `now` in, one message at a time and the refusals out.
"""

from __future__ import annotations

import hmac
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.ids import IdSource
from gateway.sip.admission import Admission
from gateway.sip.flow import Datagram, Flow
from gateway.sip.glance import Standing, call_id_of, standing_of
from gateway.sip.refusal import refuse_unread, retry_after

__all__ = ["Arrived", "Inbox"]

_MOST_BEGUN: Final = 10_000
_MOST_NEW: Final = 2_000
_REMEMBERED_S: Final = 32.0
"""For how long at least a call that was let in is known: a request is not repeated for longer (64*T1)."""
_MOST_REMEMBERED: Final = 20_000
_AGAIN: Final = 16
"""How many messages of one Call-ID are let in unasked: two INVITEs with all their repetitions."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that nobody has read."""

    data: bytes
    flow: Flow
    at: float
    """When it came to our socket, monotonic seconds."""
    call_id: bytes = b""
    """Only of what waits among the new."""
    is_new: bool = False
    """It may still be refused."""


class Inbox:
    """The queues of one endpoint."""

    def __init__(
        self, admission: Admission, knows: Callable[[Flow], bool], ids: IdSource, counters: Counter[str]
    ) -> None:
        """`knows` tells whether a registered phone is at the other end of a flow."""
        self._admission = admission
        self._knows = knows
        self._ids = ids
        self._counters = counters
        self._begun: deque[Arrived] = deque()
        self._new: deque[Arrived] = deque()
        self._waiting: Counter[bytes] = Counter()
        """How many messages of each Call-ID are among the new."""
        self._let_in = _Remembered()
        self._secret = bytes.fromhex(ids.token(16))
        self._mark = f";tag={ids.token(4)}-"
        self._marked = self._mark.encode()
        self._refusals: list[Datagram] = []

    def __len__(self) -> int:
        return len(self._begun) + len(self._new)

    def put(self, data: bytes, flow: Flow, at: float, now: float) -> None:
        """Take in what came to our socket at `at`."""
        standing = standing_of(data)
        if standing is Standing.BEGINS or (standing is Standing.REGISTERS and not self._knows(flow)):
            self._put_new(Arrived(data, flow, at, call_id_of(data), is_new=True), now)
        elif self._waiting and (call_id := call_id_of(data)) in self._waiting:
            self._wait_among_the_new(Arrived(data, flow, at, call_id))
        elif data.startswith(b"ACK") and self._marked in data:
            self._counters["refusal_acknowledged"] += 1
        elif len(self._begun) < _MOST_BEGUN:
            self._begun.append(Arrived(data, flow, at))
        else:
            self._counters["inbox_full"] += 1

    def take(self, now: float) -> Arrived | None:
        """Return what is to be read next; None if nothing waits."""
        while self._begun or self._new:
            arrived = self._begun.popleft() if self._begun else self._take_new()
            wait_s = max(0.0, now - arrived.at)
            self._admission.waited(wait_s, now, new=arrived.is_new)
            if not arrived.is_new or not self._admission.is_too_late(wait_s):
                return arrived
            self._let_in.forget(arrived.call_id)
            self._admission.refuse()
            self._refuse(arrived)
        return None

    def refusals(self) -> list[Datagram]:
        """Return what is to be sent to those who were refused, and forget it."""
        refusals, self._refusals = self._refusals, []
        return refusals

    def _put_new(self, arrived: Arrived, now: float) -> None:
        if len(self._new) >= _MOST_NEW:
            self._refuse(arrived)
        elif self._let_in.again(arrived.call_id, now):
            self._wait_among_the_new(arrived)
        elif self._admission.lets_in(arrived.flow.remote[0], now):
            self._let_in.note(arrived.call_id)
            self._wait_among_the_new(arrived)
        else:
            self._refuse(arrived)

    def _wait_among_the_new(self, arrived: Arrived) -> None:
        self._waiting[arrived.call_id] += 1
        self._new.append(arrived)

    def _take_new(self) -> Arrived:
        arrived = self._new.popleft()
        self._waiting[arrived.call_id] -= 1
        if not self._waiting[arrived.call_id]:
            del self._waiting[arrived.call_id]
        return arrived

    def _refuse(self, arrived: Arrived) -> None:
        self._counters["refused_overload"] += 1
        refusal = refuse_unread(
            arrived.data,
            arrived.flow,
            status=503,
            to_tag=self._mark + hmac.digest(self._secret, arrived.call_id, "sha256")[:4].hex(),
            headers=(retry_after(self._ids),),
        )
        if refusal is not None:
            self._refusals.append(Datagram(refusal, arrived.flow))


class _Remembered:
    """The Call-IDs of two generations, each as long as a request may be repeated."""

    def __init__(self) -> None:
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._young_since = 0.0

    def note(self, call_id: bytes) -> None:
        """Remember a call."""
        if call_id:
            self._young[call_id] = 0

    def again(self, call_id: bytes, now: float) -> bool:
        """Tell whether the call is known, and has not come too often."""
        if now >= self._young_since + _REMEMBERED_S or len(self._young) >= _MOST_REMEMBERED:
            self._old, self._young, self._young_since = self._young, {}, now
        generation = self._young if call_id in self._young else self._old
        if call_id not in generation:
            return False
        generation[call_id] += 1
        return generation[call_id] <= _AGAIN

    def forget(self, call_id: bytes) -> None:
        """Forget a call that was refused after all."""
        self._young.pop(call_id, None)
        self._old.pop(call_id, None)
