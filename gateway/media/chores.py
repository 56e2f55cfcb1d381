"""What the plane does beside audio: RTCP reports, digits that never ended, silence on the wire, news from the kernels.

None of it is urgent, so each chore looks at the table every few ticks, and all rows at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.ids import LegId
from gateway.media.commands import KEYS
from gateway.media.events import AddressLatched, DigitHeard, MediaEvent, RtpTimedOut
from gateway.media.plan import Columns
from gateway.media.table import SEND, Table, address_of

__all__ = ["PAUSE_TIMEOUT_S", "RTP_TIMEOUT_S", "Chores"]

RTP_TIMEOUT_S: Final = 60.0
"""A leg that should be heard and sends neither RTP nor RTCP for so long is reported once.

Whoever has put us on hold owes us nothing, whatever its description says: many a phone holds with `a=sendonly` and
sends nothing.  The wait begins anew when it comes back.
"""
PAUSE_TIMEOUT_S: Final = 300.0
"""The same where pauses need not be sent (G.729 Annex B, RFC 3389): whoever only listens is silent for minutes."""

_DIGIT_GAP_S: Final = 0.12

_REPORTS_EVERY: Final = 10
_DIGITS_EVERY: Final = 4
_TIMEOUTS_EVERY: Final = 100
_RATINGS_EVERY: Final = 100

_REPORT_INTERVAL_S: Final = 5.0  # RFC 3550 6.2; each is drawn from 0.5 to 1.5 of it (6.3.1)


class Chores:
    """The plane's housekeeping over a table."""

    def __init__(self, table: Table, columns: Columns) -> None:
        self._table = table
        self._columns = columns
        self._waits_since = np.zeros(table.capacity)
        self.ticks = 0
        self._refused: list[int] = []

    def reports(self, top: int, now: float, wall: float) -> NDArray[Any]:
        """Return the RTCP packets that are due, SEND [n]."""
        self.ticks += 1
        if self.ticks % _RATINGS_EVERY == 0:
            _native.rate(self._table.kernel, np.flatnonzero(self._columns.open[:top]).astype(np.int32))
        if self.ticks % _REPORTS_EVERY:
            return np.zeros(0, SEND)
        rows = self._table.rows[:top]
        here = self._columns.open[:top] & self._columns.socket[:top] & (rows["generation"] > 1)
        due = np.flatnonzero(here & (rows["rtcp_due"] <= now)).astype(np.int32)
        random = rows["rtcp_random"][due] * np.uint32(1664525) + np.uint32(1013904223)
        rows["rtcp_random"][due] = random
        first = rows["rtcp_due"][due] == 0
        wait = _REPORT_INTERVAL_S * (0.5 + (random >> 8) / 2**24)
        rows["rtcp_due"][due] = now + np.where(first, wait / 2, wait)
        due = due[~first]
        sends = np.zeros(due.size, SEND)
        if due.size:
            _native.rtcp(self._table.kernel, due, now, wall, False, sends)
        return sends

    def news(self, leg_of: Mapping[int, LegId], top: int, now: float) -> list[MediaEvent]:
        """Return what happened: digits, latches, legs that fell silent."""
        events = self._unended_digits(leg_of, top, now) + self._silent_legs(leg_of, top, now)
        for notice in self._table.notices():
            row = int(notice["row"])
            leg = leg_of.get(row)
            if leg is None:
                continue
            if notice["kind"] == _native.NOTICE_DIGIT:
                events.append(self._digit(leg, row, int(notice["value"]), int(notice["extra"])))
            elif notice["kind"] == _native.NOTICE_LATCHED:
                address = address_of(self._table.rows["latched"][row])
                if address is not None:
                    events.append(AddressLatched(leg, address))
            elif notice["kind"] == _native.NOTICE_RELAY_REFUSED:
                self._refused.append(row)
        return events

    def refused(self) -> set[int]:
        """Take the rows whose packets could not be relayed after all (the sender changed its codec)."""
        refused, self._refused = set(self._refused), []
        return refused

    def _digit(self, leg: LegId, row: int, code: int, duration: int) -> DigitHeard:
        self._table.rows["digits"][row] += 1
        return DigitHeard(leg, KEYS[code], duration // 8)

    def _unended_digits(self, leg_of: Mapping[int, LegId], top: int, now: float) -> list[MediaEvent]:
        if self.ticks % _DIGITS_EVERY:
            return []
        rows = self._table.rows[:top]
        ended = np.flatnonzero((rows["digit_active"] != 0) & (now - rows["digit_at"] > _DIGIT_GAP_S))
        rows["digit_active"][ended] = 0
        return [
            self._digit(leg_of[row], row, int(rows["digit_code"][row]), int(rows["digit_duration"][row]))
            for row in ended.tolist()
            if row in leg_of and rows["digit_code"][row] < len(KEYS)
        ]

    def _silent_legs(self, leg_of: Mapping[int, LegId], top: int, now: float) -> list[MediaEvent]:
        if self.ticks % _TIMEOUTS_EVERY:
            return []
        rows = self._table.rows[:top]
        talking = (rows["receiving"] != 0) & (rows["sending"] != 0)
        waiting = self._columns.open[:top] & self._columns.socket[:top] & talking
        never = waiting & (rows["heard_at"] == 0)
        rows["heard_at"][never] = now  # the wait begins with the first look
        self._waits_since[:top][~waiting] = now
        pauses = (rows["send_dtx"] != 0) | (rows["noise_send"] != 0)
        patience_s = np.where(pauses, PAUSE_TIMEOUT_S, RTP_TIMEOUT_S)
        silent = waiting & (now - np.maximum(rows["heard_at"], self._waits_since[:top]) > patience_s)
        news = np.flatnonzero(silent & ~self._columns.timed_out[:top])
        self._columns.timed_out[:top] = silent
        return [RtpTimedOut(leg_of[row]) for row in news.tolist() if row in leg_of]
