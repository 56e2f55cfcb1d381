"""How each leg's audio travels: relayed to a peer, through the tick, or nowhere; and why, in words.

A direction leaves the relay at once when it must, and goes back to it in a pause of its speaker, so that the change
of delay is not heard; after two seconds without a pause it does not wait any longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from gateway import _native
from gateway.media.commands import RowState
from gateway.media.plan import IDLE, RELAY, TICK, Columns, Plan
from gateway.media.recorders import recorded
from gateway.media.relay import relay_reason
from gateway.media.snapshot import RowSnapshot
from gateway.media.table import Table

__all__ = ["Steering"]

PAUSE_PEAK: Final = 400
"""Below this the moment is a pause in speech, and a direction may go back to the relay unheard (-38 dBFS)."""
PAUSE_PATIENCE_S: Final = 2.0


class Steering:
    """Sets peer and mode of the rows of a table; `states` are the commands that they have."""

    def __init__(self, table: Table, columns: Columns, states: Mapping[int, RowState]) -> None:
        self._table = table
        self._columns = columns
        self._states = states
        self._reasons: dict[int, str] = {}
        self._refused: set[int] = set()
        self._waiting: dict[int, float] = {}
        self._parted: dict[int, tuple[int, str]] = {}
        """Mode and reason that rows had before they were alone."""

    def steer(self, members: Sequence[int], now: float) -> None:
        """Set peer and mode of everybody in a room, or of one row alone."""
        talkers = [member for member in members if self._columns.socket[member]]
        for member in talkers:
            if self._columns.echo[member]:
                self._set_direction(member, member, now)
            elif len(members) == len(talkers) == 2:
                self._set_direction(member, talkers[0] if member == talkers[1] else talkers[1], now)
            elif len(members) > 1:
                self._set_mode(member, -1, TICK, f"decoded: a room of {len(members)}", now)
            elif self._columns.in_band[member]:
                self._set_mode(member, -1, TICK, "decoded: keys are listened for", now)
            elif self._columns.answerer["wanted"][member]:
                self._set_mode(member, -1, TICK, "decoded: who has answered is found out", now)
            elif recorded(self._columns.tapes[member : member + 1])[0]:
                self._set_mode(member, -1, TICK, "decoded: it is recorded", now)
            else:
                self.part(member)
                self._set_mode(member, -1, IDLE, "silent: nobody else is in the room", now)

    def part(self, row: int) -> None:
        """Remember how a row's audio travelled while there was somebody to hear it."""
        mode = int(self._table.rows["mode"][row])
        if mode != IDLE and row in self._reasons:
            self._parted.setdefault(row, (mode, self._reasons[row]))

    def last(self, row: int) -> tuple[int, str]:
        """Return how a row's audio travels, and why; of one that is alone, how it did before."""
        return self._parted.get(row, (int(self._table.rows["mode"][row]), self.reason(row)))

    def reason(self, row: int) -> str:
        """Return why a row's audio travels as it does."""
        return self._reasons.get(row, "silent: not connected")

    def refuse(self, row: int) -> None:
        """Do not relay a row again before its next command: its packets were not what was agreed."""
        self._refused.add(row)

    def allow(self, row: int) -> None:
        """A new command: perhaps it can be relayed."""
        self._refused.discard(row)

    def forget(self, row: int) -> None:
        """A row is free."""
        self._waiting.pop(row, None)
        self._refused.discard(row)
        self._reasons.pop(row, None)
        self._parted.pop(row, None)

    def course(self, row: int) -> tuple[str | None, bool, float | None]:
        """Return a row's reason, whether it was refused, and until when it waits: those of a `RowSnapshot`."""
        return self._reasons.get(row), row in self._refused, self._waiting.get(row)

    def follow(self, row: int, still: RowSnapshot) -> None:
        """Go on with a row as a snapshot has it."""
        if still.reason is not None:
            self._reasons[row] = still.reason
        if still.relayed_by is not None:
            self._waiting[row] = still.relayed_by
        if still.refused:
            self._refused.add(row)

    def relay_now(self, row: int, now: float) -> None:
        """Do not wait for a pause in speech any longer."""
        if self._waiting.pop(row, None) is None:
            return
        _native.leave(self._table.kernel, row, now)
        fields = self._table.rows
        fields["mode"][row] = RELAY
        peer = int(fields["peer"][row])
        fields["dropped_units"][row] += fields["tx_phase"][peer]
        self._drop_pending(peer)

    def relay_in_pauses(self, plan: Plan, now: float) -> bool:
        """Relay those that wait and whose speaker is silent; return whether there were any."""
        if not self._waiting:
            return False
        waiting = np.array(list(self._waiting), np.int32)
        at = plan.decode_at[np.searchsorted(plan.decode, waiting)]
        peaks = np.abs(plan.said[at].astype(np.int32)).max(axis=1)
        rows = [
            row
            for row, peak in zip(waiting.tolist(), peaks.tolist(), strict=True)
            if peak < PAUSE_PEAK or now >= self._waiting[row]
        ]
        for row in rows:
            self.relay_now(row, now)
        return bool(rows)

    def _set_direction(self, row: int, peer: int, now: float) -> None:
        relayed, words = relay_reason(self._states[row], self._states[peer])
        if relayed and row in self._refused:
            relayed, words = False, "decoded: the other leg cannot take what arrives"
        if self._columns.source[peer] >= 0:
            relayed, words = False, "decoded: the other leg hears a source"
        self._set_mode(row, peer, RELAY if relayed else TICK, words, now)

    def _set_mode(self, row: int, peer: int, mode: int, words: str, now: float) -> None:
        fields = self._table.rows
        before = int(fields["mode"][row])
        fields["peer"][row] = peer
        self._reasons[row] = words
        self._waiting.pop(row, None)
        if mode != IDLE:
            self._parted.pop(row, None)
        if mode == before:
            return
        if before == TICK and mode == RELAY and fields["slot_anchored"][row]:
            self._waiting[row] = now + PAUSE_PATIENCE_S
            return
        if mode == RELAY:
            self._drop_pending(peer)
        if mode == TICK:
            inserted = int(fields["inserted_units"][row])
            _native.enter(self._table.kernel, row, now)
            if before == IDLE:  # nobody heard what came before: nothing is played twice
                fields["inserted_units"][row] = inserted
        fields["mode"][row] = mode

    def _drop_pending(self, row: int) -> None:
        """What was encoded for a row and not sent yet never will be: a relay writes to it now."""
        self._table.rows["tx_phase"][row] = 0
