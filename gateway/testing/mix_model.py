"""The mixer once more, in plain Python numbers: what `native/mixer` must give, to the bit.

It is written to be read beside the C: a room is a list of `Member`s and one function, `mix`.  Floats do not occur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["HEARD_BY_NOBODY", "HEARD_BY_ROOM", "Member", "Room", "mix"]

HEARD_BY_ROOM = -1
HEARD_BY_NOBODY = -2
_UNITY = 4096
_WEIGHT_MAX = 65535
_AUTO_UNITY = 65536

Signal = list[int]


@dataclass
class Room:
    """How a room is mixed: `struct mix_room`."""

    gate_from: int = 0
    loudest_from: int = 0
    loudest: int = 0
    margin_q8: int = 512
    auto_gain: bool = False


@dataclass
class Member:
    """A member: the wishes and the state of `struct mix_row`."""

    name: int
    """Its row, by which others coach it."""
    key: int
    heard_by: int = HEARD_BY_ROOM
    gain_in: int = _UNITY
    gain_out: int = _UNITY
    muted: bool = False
    deaf: bool = False
    aside: bool = False
    person: bool = True
    switched: bool = False

    was_aside: bool = False
    weight: int = _UNITY
    out_weight: int = _UNITY
    last_heard: int = 0
    open: bool = False
    hangover: int = 0
    chosen: bool = False
    active: bool = False
    leading: int = 0
    silent: int = 0
    power: int = 0
    smooth: int = 0
    slow: int = 0
    window: int = 0
    window_min: int = 0
    earlier_min: int = 0
    floor: int = 0
    speech: int = 0
    auto_gain: int = _AUTO_UNITY


def mix(
    room: Room, members: Sequence[Member], said: Sequence[Signal], aside: Sequence[Signal]
) -> list[Signal]:
    """Mix one tick: what each says, and what each would hear aside -> what each hears."""
    people = sum(member.person for member in members)
    for member, signal in zip(members, said, strict=True):
        _measure(member, signal)
        if room.auto_gain and member.person:
            _adjust(member)
    _choose_loudest(room, members, people)
    _choose_active(members)
    spoken = [_speak(room, people, *each) for each in zip(members, said, strict=True)]
    return [_hear(member, members, spoken, other) for member, other in zip(members, aside, strict=True)]


def _towards(mean: int, x: int, shift: int) -> int:
    return mean - (mean >> shift) + (x >> shift)


def _least(*powers: int) -> int:
    return min((power for power in powers if power), default=0)


def _measure(member: Member, signal: Signal) -> None:
    """Level, noise floor and gate."""
    power = sum(x * x for x in signal) // len(signal)
    member.power = power
    member.slow = _towards(member.slow, power, 5)
    if power < 16:
        member.smooth = 0
    else:
        member.smooth = _towards(member.smooth, power, 2) if member.smooth else power
        member.window_min = _least(member.window_min, member.smooth)
        lowest = _least(member.window_min, member.earlier_min)
        member.floor = min(max(lowest + lowest // 4, 68), 339546)
        member.window += 1
        if member.window == 100:
            member.earlier_min, member.window_min, member.window = member.window_min, 0, 0
    voice = power > 1074 and power > 4 * member.floor
    lasting = member.open and member.smooth > 537 and member.smooth > 2 * member.floor
    if voice or lasting:
        member.open, member.hangover = True, 30
    elif member.hangover > 0:
        member.hangover -= 1
    else:
        member.open = False
    member.silent = 0 if member.open else min(member.silent + 1, 65535)


def _adjust(member: Member) -> None:
    """Automatic gain."""
    if not member.open or member.power <= 8 * member.floor:
        return
    member.speech = _towards(member.speech, member.power, 7) if member.speech else member.power
    gain = member.auto_gain >> 4
    level, noise = ((power * gain >> 12) * gain >> 12 for power in (member.speech, member.floor))
    if level > 2697135 + 2697135 // 4:
        member.auto_gain -= member.auto_gain >> 8
    elif level < 2697135 - 2697135 // 5 and noise < 2697:
        member.auto_gain += member.auto_gain >> 9
    member.auto_gain = min(max(member.auto_gain, _AUTO_UNITY // 4), 4 * _AUTO_UNITY)


def _speaks(member: Member) -> bool:
    return member.person and member.open and not member.muted and member.heard_by == HEARD_BY_ROOM


def _choose_loudest(room: Room, members: Sequence[Member], people: int) -> None:
    limited = room.loudest > 0 and 0 < room.loudest_from <= people

    def rank(member: Member) -> tuple[int, int]:
        return -member.slow * (room.margin_q8 if member.chosen else 256), member.key

    best = sorted(filter(_speaks, members), key=rank)[: room.loudest]
    names = {member.name for member in best}
    for member in members:
        member.chosen = not limited or not member.person or member.name in names


def _choose_active(members: Sequence[Member]) -> None:
    active = next((member for member in members if member.active), None)
    loudest = min(
        filter(_speaks, members),
        key=lambda member: (-member.slow * (2 if member.active else 1), member.key),
        default=None,
    )
    for member in members:
        member.leading = member.leading + 1 if member is loudest and not member.active else 0
    patience = 60 if active is not None and active.open else 5
    if loudest is not None and loudest.leading >= patience:
        _become_active(members, loudest)
    elif active is not None and active.silent > 200:
        _become_active(members, None)


def _become_active(members: Sequence[Member], one: Member | None) -> None:
    for member in members:
        member.active = member is one
        member.leading = 0


def _limit(x: int) -> int:
    return min(max(x, -32768), 32767)


def _ramp(n: int) -> list[int]:
    return [(i + 1) * 32768 // n for i in range(n)]


def _weigh(signal: Signal, start: int, end: int) -> Signal:
    weights = (start + ((end - start) * part >> 15) for part in _ramp(len(signal)))
    return [_limit((x * weight + 2048) >> 12) for x, weight in zip(signal, weights, strict=True)]


def _speak(room: Room, people: int, member: Member, signal: Signal) -> Signal:
    """What a member adds: its signal, weighed on the way from the last weight to the one it has now."""
    gated = 0 < room.gate_from <= people and member.person
    coach = member.heard_by != HEARD_BY_ROOM
    weight = member.gain_in
    if room.auto_gain and member.person:
        weight = min(weight * member.auto_gain // _AUTO_UNITY, _WEIGHT_MAX)
    if member.muted or (gated and not member.open) or (not coach and not member.chosen):
        weight = 0
    start, member.weight = member.weight, weight
    return _weigh(signal, start, weight)


def _hear(member: Member, members: Sequence[Member], spoken: Sequence[Signal], aside: Signal) -> Signal:
    """The sum of whoever this member hears, limited once; then its own gain, and no click where it jumps."""
    heard = [
        signal
        for other, signal in zip(members, spoken, strict=True)
        if other is not member and other.heard_by in {HEARD_BY_ROOM, member.name}
    ]
    sums = [_limit(sum(column)) for column in zip([0] * len(aside), *heard, strict=True)]
    out = list(aside) if member.aside else sums
    start, member.out_weight = member.out_weight, 0 if member.deaf else member.gain_out
    out = _weigh(out, start, member.out_weight)
    if member.switched or member.aside != member.was_aside:
        step = member.last_heard - out[0]
        out = [
            _limit(x + (step * ((32768 - part) >> 1) >> 14))
            for x, part in zip(out, _ramp(len(out)), strict=True)
        ]
    member.was_aside, member.switched, member.last_heard = member.aside, False, out[-1]
    return out
