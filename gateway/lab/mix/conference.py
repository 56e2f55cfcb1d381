"""The conference itself: the media plane of live calls in virtual time.

    outcome = Conference(scenario, voices).run()

Each tick of 10 ms gets the commands and packets that are due, in their order; what the plane sends is kept for each
party.  Nothing here knows how to mix.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.ids import LegId, RoomId, SeededIds
from gateway.lab.mix.scenario import Change, Party, Scenario
from gateway.lab.mix.wire import PAYLOAD_TYPES, Train, decode, packets_of
from gateway.lab.samples import RATE_HZ
from gateway.media.commands import CodecOptions, RoomState, RowState
from gateway.media.events import ActiveSpeaker, RoomLevels
from gateway.media.plane import TICK_S, Plane
from gateway.media.statistics import LegStatistics
from gateway.media.table import pack_address

__all__ = ["Conference", "Heard", "Outcome"]

_ROOM: Final = RoomId("room")
_TICKS_A_SECOND: Final = round(1 / TICK_S)
_TAIL_S: Final = 0.5
"""After the last word, until the last listener has heard it."""

Progress = Callable[[float, float], None]
"""Told the seconds done, and of how many."""


@dataclass
class Heard:
    """What became of one party."""

    party: Party
    said: NDArray[np.int16]
    """From its own beginning on, int16 at 8 kHz."""
    pcm: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))
    """What it heard, from the conference's beginning on, int16 at 8 kHz."""
    packets_sent: int = 0
    statistics: LegStatistics = field(default_factory=LegStatistics)


@dataclass
class Outcome:
    """What became of the conference."""

    duration_s: float
    parties: dict[str, Heard]
    speakers: list[tuple[float, str | None]]
    """From when on who was the active speaker."""
    levels: list[tuple[float, Mapping[str, int]]]
    """Five times a second, what each said, in dBov."""


class Conference:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, voices: Mapping[str, NDArray[np.int16]]) -> None:
        """`voices` has what each party with a file says, int16 [n] at 8 kHz."""
        self._scenario = scenario
        self._plane = Plane(len(scenario.party), SeededIds(scenario.seed))
        self._parties = {
            party.name: Heard(party, voices.get(party.name, _nothing())) for party in scenario.party
        }
        self.duration_s: Final = scenario.duration_s or _length_s(self._parties)
        self._states: dict[str, RowState] = {}
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._sent: dict[str, list[bytes]] = {name: [] for name in self._parties}
        self._began_s: dict[str, float] = {}
        self._row_of: dict[str, int] = {}
        self._name_of: dict[int, str] = {}
        self._arrivals = self._all_arrivals()
        self._outcome = Outcome(self.duration_s, self._parties, [(0.0, None)], [])
        for party in scenario.party:
            self._schedule(party)

    def run(self, progress: Progress = lambda done_s, all_s: None) -> Outcome:
        """Let it happen."""
        room = self._scenario.room.model_dump()
        self._plane.apply_room(RoomState(_ROOM, 1, tell_speaker=True, tell_levels=True, **room))
        n_ticks = round(self.duration_s * _TICKS_A_SECOND)
        for tick in range(n_ticks):
            self._tick(tick * TICK_S)
            if tick % _TICKS_A_SECOND == 0:
                progress(tick * TICK_S, self.duration_s)
        for name in list(self._row_of):
            self._leave(name, self.duration_s)
        progress(self.duration_s, self.duration_s)
        return self._outcome

    # --- what is to come -----------------------------------------------------------------------------------------

    def _schedule(self, party: Party) -> None:
        name = party.name
        self._at(party.join_s, partial(self._join, party))
        for change in party.changes:
            self._at(change.at_s, partial(self._change, name, change))
        if party.leave_s is not None:
            self._at(party.leave_s, partial(self._leave, name))

    def _at(self, time_s: float, what: Callable[[float], None]) -> None:
        heapq.heappush(self._due, (time_s, len(self._due), what))

    def _all_arrivals(self) -> list[tuple[float, str, Train, int]]:
        """Return every packet of everybody: when it arrives, whose it is, and where it lies."""
        arrivals = []
        for at, heard in enumerate(self._parties.values()):
            party, seed = heard.party, heard.party.seed
            if party.source is None:
                train = packets_of(
                    party,
                    heard.said,
                    ssrc=0x10000 + at,
                    start_s=party.join_s + party.talk_s,
                    seed=self._scenario.seed * 1000 + at if seed is None else seed,
                )
                heard.packets_sent = train.sent
                arrivals += [(at_s, party.name, train, i) for i, at_s in enumerate(train.at_s.tolist())]
        return sorted(arrivals, key=lambda arrival: arrival[0], reverse=True)

    # --- commands ------------------------------------------------------------------------------------------------

    def _join(self, party: Party, now: float) -> None:
        state = _first_state(party, number=len(self._states))
        if party.source is None:
            row = self._plane.open(state.leg)
            self._row_of[party.name], self._name_of[row] = row, party.name
        self._apply(party.name, state, now)

    def _change(self, name: str, change: Change, now: float) -> None:
        if name not in self._states:
            return  # it is not there yet, or not any more
        wishes = change.model_dump(exclude={"at_s"}, exclude_none=True)
        for key in ("hold", "coach"):
            if key in wishes:
                wishes[key] = wishes[key] or None
        before = self._states[name]
        self._apply(name, replace(before, generation=before.generation + 1, **wishes), now)

    def _apply(self, name: str, state: RowState, now: float) -> None:
        self._plane.apply(state, now)
        self._states[name] = state

    def _leave(self, name: str, now: float) -> None:
        state = self._states.pop(name, None)
        if state is None:
            return
        row = self._row_of.pop(name, None)
        if row is not None:
            del self._name_of[row]
            self._finish(self._parties[name], state)
        self._plane.close(state.leg, now)

    def _finish(self, heard: Heard, state: RowState) -> None:
        """Keep what a party heard, at its place in the conference's time."""
        name = heard.party.name
        heard.statistics = self._plane.statistics(state.leg)
        pcm = decode(heard.party, self._sent[name])
        before = round(self._began_s.get(name, 0.0) * RATE_HZ)
        room = max(round(self.duration_s * RATE_HZ), before + pcm.size)
        heard.pcm = np.zeros(room, np.int16)
        heard.pcm[before : before + pcm.size] = pcm

    # --- time ----------------------------------------------------------------------------------------------------

    def _tick(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            heapq.heappop(self._due)[2](now)
        self._arrive(now)
        for sends, rtcp in self._plane.tick(now, now):
            if not rtcp:
                self._keep(sends, now)
        self._note(now)

    def _arrive(self, now: float) -> None:
        """Give the plane the packets that have come, in one batch; nobody takes those of a party that is not there."""
        came: list[tuple[float, str, Train, int]] = []
        while self._arrivals and self._arrivals[-1][0] <= now:
            arrival = self._arrivals.pop()
            if arrival[1] in self._row_of:
                came.append(arrival)
        if not came:
            return
        packets = np.zeros((len(came), max(train.data.shape[1] for _, _, train, _ in came)), np.uint8)
        for row, (_, _, train, i) in zip(packets, came, strict=True):
            row[: train.data.shape[1]] = train.data[i]
        self._plane.arrive(
            np.array([self._row_of[name] for _, name, _, _ in came], np.int32),
            np.stack([pack_address(self._states[name].remote) for _, name, _, _ in came]),
            packets,
            np.array([train.lengths[i] for _, _, train, i in came], np.int32),
            np.array([at_s for at_s, _, _, _ in came]),
        )

    def _keep(self, sends: NDArray[Any], now: float) -> None:
        for send in sends:
            name = self._name_of.get(int(send["row"]))
            if name is not None:
                self._began_s.setdefault(name, max(now - self._parties[name].party.ptime_ms / 1000, 0.0))
                self._sent[name].append(send["data"][: send["bytes"]].tobytes())

    def _note(self, now: float) -> None:
        for event in self._plane.events():
            match event:
                case ActiveSpeaker(leg=leg):
                    self._outcome.speakers.append((now, None if leg is None else str(leg)))
                case RoomLevels(levels=levels):
                    self._outcome.levels.append((now, {str(leg): level for leg, level in levels.items()}))
                case _:
                    pass


def _nothing() -> NDArray[np.int16]:
    return np.zeros(0, np.int16)


def _length_s(parties: Mapping[str, Heard]) -> float:
    """How long it takes until everybody has said everything and gone."""
    ends = []
    for heard in parties.values():
        party = heard.party
        over = party.join_s + party.talk_s + heard.said.size / RATE_HZ + _TAIL_S
        ends.append(over if party.leave_s is None else min(over, party.leave_s))
    return max(ends)


def _first_state(party: Party, *, number: int) -> RowState:
    """Return the state in which a party joins."""
    payload_type = PAYLOAD_TYPES[party.codec]
    phone = party.source is None
    return RowState(
        leg=LegId(party.name),
        generation=1,
        remote=("192.0.2.1", 4000 + 2 * number) if phone else None,
        remote_rtcp=None,
        send_codec=party.codec,
        send_pt=payload_type,
        ptime_ms=party.ptime_ms,
        receive={payload_type: party.codec},
        event_send_pt=None,
        event_receive_pt=None,
        sending=phone,
        receiving=phone,
        room=_ROOM,
        source=party.source,
        options=CodecOptions(annexb=party.annexb, mode_ms=party.mode_ms),
        force_tick=True,
        muted=party.muted,
        deaf=party.deaf,
        gain_in_db=party.gain_in_db,
        gain_out_db=party.gain_out_db,
        coach=None if party.coach is None else LegId(party.coach),
    )
