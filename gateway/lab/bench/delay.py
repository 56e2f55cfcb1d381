"""How much later does one phone hear what another says?  Bursts of tone through real sockets, found again by ear.

Each leg says a burst once a second; what the other leg gets is decoded as if it played every packet the moment it
comes, and the burst is looked for in it.  Arrival is the kernel's time stamp (SO_TIMESTAMPNS), so that this program's
own haste does not count.  What the codecs need by their nature is taken off, for it is no switch's: a burst is sent
through the same codecs without any switch, and the same ear says how much later it is heard.  (G.729 looks 5 ms ahead,
clause 2.2, and then needs most of a frame to become loud; iLBC's enhancer looks back, RFC 3951 section 4.6.)
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import PAYLOAD_TYPES, MediaServer

__all__ = ["measure_delay", "own_delay_ms"]

_PACKET_MS: Final = 20
_SAMPLES: Final = 160
_SO_TIMESTAMPNS: Final = 35
_SETTLE_S: Final = 2.0
_BURST_SAMPLES: Final = 1600
_BURST_AT: Final = 4000
_PERIOD_SAMPLES: Final = 8000
_PEAK: Final = 12000
_HEARD: Final = 1500
"""A sample above it belongs to a burst."""
_CONCEALMENT_SAMPLES: Final = 30
"""By so much G.711's concealment delays what is decoded (Appendix I): the next encoder's frames lie otherwise."""
_BURSTS: Final = 6
"""So many are enough to know a codec's own delay."""


@dataclass(slots=True)
class _Leg:
    socket: socket.socket
    song: list[bytes]
    burst_at: int
    """Sample of the song at which the burst begins."""
    sent_at: list[float] = field(default_factory=list)
    heard: list[tuple[float, bytes]] = field(default_factory=list)


def measure_delay(
    server: MediaServer, codecs: tuple[str, str], *, calls: int, seconds: float, clear: bool = True
) -> dict[str, Any]:
    """Return the delay of `calls` calls in ms as percentiles; every burst of every leg counts.

    `clear`: end all calls of the server afterwards.
    """
    songs = [_song(codec) for codec in codecs]
    legs = []
    for number in range(2 * calls):
        phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        phone.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        phone.bind(("127.0.0.1", 0))
        legs.append(_Leg(phone, *songs[number % 2]))
    try:
        ports = [leg.socket.getsockname()[1] for leg in legs]
        pairs = list(zip(ports[::2], ports[1::2], strict=True))
        targets = [port for pair in server.bridge(codecs, pairs) for port in pair]
        _talk(legs, targets, codecs, seconds)
    finally:
        if clear:
            server.clear()
        for leg in legs:
            leg.socket.close()
    own = {way: own_delay_ms(*way) for way in (codecs, codecs[::-1])}
    delays = np.array([delay for number in range(len(legs)) for delay in _delays(legs, number, codecs, own)])
    return {
        "codecs": list(codecs),
        "calls": calls,
        "bursts": int(delays.size),
        "bursts_lost": int(len(legs) * int(seconds - _SETTLE_S) - delays.size),
        "p50_ms": round(float(np.percentile(delays, 50)), 2),
        "p99_ms": round(float(np.percentile(delays, 99)), 2),
        "max_ms": round(float(delays.max()), 2),
        "taken_off_ms": [round(own[way], 2) for way in (codecs, codecs[::-1])],
        "machine": machine(),
    }


def own_delay_ms(speaker: str, listener: str) -> float:
    """Return how much later a burst is heard through the codecs of two legs alone, decoded between them if they differ.

    The median of some bursts: a coder that adapts does not treat all alike.
    """
    pcm = np.tile(_second(), _BURSTS)
    heard = _through(pcm, speaker)
    shift = 0
    if listener != speaker:
        shift = _CONCEALMENT_SAMPLES if speaker in ("pcmu", "pcma") else 0
        heard = _through(np.concatenate([np.zeros(shift, np.int16), heard])[: heard.size], listener)
    late = np.array(_begins(heard)) - shift - np.array(_begins(pcm))
    return float(np.median(late)) / 8


def _second() -> NDArray[np.int16]:
    """Return a second that is silent but for one burst in its middle."""
    pcm = np.zeros(_PERIOD_SAMPLES, np.int16)
    tone = np.sin(2 * np.pi * 700 * np.arange(_BURST_SAMPLES) / 8000 + np.pi / 2)
    pcm[_BURST_AT : _BURST_AT + _BURST_SAMPLES] = (_PEAK * tone).astype(np.int16)
    return pcm


def _through(pcm: NDArray[np.int16], codec: str) -> NDArray[np.int16]:
    return _decoded(_encoded(pcm, codec), codec)


def _song(codec: str) -> tuple[list[bytes], int]:
    """Return a second of payloads, silent but for one burst, and where the burst begins."""
    frames = _encoded(_second(), codec)
    each = _PACKET_MS // _mode(codec).frame_ms
    return [b"".join(frames[i : i + each]) for i in range(0, len(frames), each)], _BURST_AT


def _mode(codec: str) -> voicecodecs.Codec:
    """Return the mode of a codec whose frames fill a packet."""
    return next(mode for mode in voicecodecs.modes(codec) if _PACKET_MS % mode.frame_ms == 0)


def _encoded(pcm: NDArray[np.int16], codec: str) -> list[bytes]:
    mode = _mode(codec)
    if "mode_ms" in mode.encoder_options:
        return voicecodecs.encode_frames(pcm, codec, mode_ms=mode.frame_ms)
    return voicecodecs.encode_frames(pcm, codec)


def _decoded(frames: list[bytes], codec: str) -> NDArray[np.int16]:
    mode = _mode(codec)
    if "mode_ms" in mode.decoder_options:
        return voicecodecs.decode_frames(frames, codec, mode_ms=mode.frame_ms)
    return voicecodecs.decode_frames(frames, codec)


def _talk(legs: list[_Leg], targets: list[int], codecs: tuple[str, str], seconds: float) -> None:
    """Let every leg say its song in its own rhythm, and keep all that comes."""
    poll = select.epoll()
    by_fd = {leg.socket.fileno(): leg for leg in legs}
    for leg in legs:
        poll.register(leg.socket, select.EPOLLIN)
    types = [PAYLOAD_TYPES[codec] for codec in codecs]
    start = time.monotonic()
    due = [start + 0.02 * number / len(legs) for number in range(len(legs))]
    number, n = 0, len(legs)
    while due[number] < start + seconds:
        while (wait := due[number] - time.monotonic()) > 0:
            for fd, _ in poll.poll(wait if wait > 0.001 else 0):
                _listen(by_fd[fd])
        _say(legs[number], number, types[number % 2], targets[number])
        due[number] += 0.02
        number = (number + 1) % n
    poll.close()


def _say(leg: _Leg, number: int, payload_type: int, port: int) -> None:
    count = len(leg.sent_at)
    header = struct.pack(
        ">BBHII",
        0x80,
        payload_type | (0x80 if count == 0 else 0),
        count & 0xFFFF,
        count * _SAMPLES,
        0x20000000 + number,
    )
    leg.sent_at.append(time.time())
    leg.socket.sendto(header + leg.song[count % len(leg.song)], ("127.0.0.1", port))


def _listen(leg: _Leg) -> None:
    data, ancillary, _, _ = leg.socket.recvmsg(2048, 64)
    for _, kind, stamp in ancillary:
        if kind == _SO_TIMESTAMPNS:
            whole, nanos = struct.unpack("@qq", stamp)
            leg.heard.append((whole + nanos * 1e-9, data))


def _delays(
    legs: list[_Leg], number: int, codecs: tuple[str, str], own: Mapping[tuple[str, str], float]
) -> list[float]:
    """Return the delay in ms of each burst that a leg heard from its neighbour, what codecs need taken off.

    `own` says what that is, by the codecs of speaker and listener.
    """
    speaker, listener = legs[number ^ 1], legs[number]
    said = [
        speaker.sent_at[packet] + (speaker.burst_at % _SAMPLES) / 8000
        for packet in range(speaker.burst_at // _SAMPLES, len(speaker.sent_at), len(speaker.song))
    ]
    heard = _onsets(listener.heard, codecs[number % 2])
    off = own[codecs[number % 2 ^ 1], codecs[number % 2]]
    found = []
    for at in said:
        if at < speaker.sent_at[0] + _SETTLE_S:
            continue
        after = [1000 * (onset - at) - off for onset in heard if -0.05 < onset - at < 0.5]
        found += after[:1]
    return found


def _onsets(packets: list[tuple[float, bytes]], codec: str) -> list[float]:
    """Return when bursts begin, were every packet played from the moment it came."""
    packets = [(at, data) for at, data in packets if data[1] & 0x7F == PAYLOAD_TYPES[codec]]
    size = _mode(codec).frame_bytes
    pcm = _decoded(
        [data[12 + i : 12 + i + size] for _, data in packets for i in range(0, len(data) - 12, size)], codec
    )
    return [packets[sample // _SAMPLES][0] + sample % _SAMPLES / 8000 for sample in _begins(pcm)]


def _begins(pcm: NDArray[np.int16]) -> list[int]:
    """Return the samples at which it becomes loud after at least 100 ms of quiet."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _HEARD)
    if loud.size == 0:
        return []
    firsts = loud[np.flatnonzero(np.diff(loud, prepend=-_PERIOD_SAMPLES) > _PERIOD_SAMPLES // 10)]
    return [int(first) for first in firsts]
