"""Real media workers under a real supervisor, and phones that are an ear and a mouth: no SIP, no switch.

async with media_workers(temporary, workers=2) as house:
    a, b = await house.phone("a"), await house.phone("b")
    house.join("room", a, b)
    with a.speaking():
        await b.hears(50)
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState
from gateway.testing.audio import tone
from gateway.testing.ports import FIRST_PORT
from gateway.testing.rtp_peer import HeardPacket, RtpEar
from gateway.testing.supervised import WELL_BEHAVED, Supervised, child
from gateway.testing.wire_phone import speaking
from gateway.transport.dtls import Certificate
from gateway.transport.media_client import MediaClient
from gateway.transport.media_placement import SEATS

__all__ = [
    "PORTS",
    "MediaPhone",
    "MediaWorkers",
    "assert_one_stream",
    "audio_of",
    "longest_step_ms",
    "media_workers",
    "pcm_of",
]

PORTS: Final = range(FIRST_PORT, FIRST_PORT + 998, 2)
"""The even ones, as many as there can be legs at a time, unless a bench wants more."""
_RTCP_TYPES: Final = range(72, 77)
"""What RTCP looks like to somebody who takes it for RTP (RFC 5761 section 4)."""


def audio_of(heard: Sequence[HeardPacket]) -> list[HeardPacket]:
    """Return what is RTP among what an ear has heard."""
    return [each for each in heard if each.packet.payload_type not in _RTCP_TYPES]


def pcm_of(heard: Sequence[HeardPacket]) -> NDArray[np.int16]:
    """Return the mu-law audio of a stream, packet after packet, int16 [n]."""
    payload = b"".join(each.packet.payload for each in audio_of(heard))
    return voicecodecs.decode_frames([payload[at : at + 80] for at in range(0, len(payload), 80)], "pcmu")


def assert_one_stream(heard: Sequence[HeardPacket]) -> None:
    """See that a phone takes it all for one stream: source, SSRC, rising sequence and time (RFC 3550)."""
    assert len({each.source for each in heard}) == 1
    assert len({each.packet.ssrc for each in heard}) == 1
    for earlier, later in pairwise(each.packet for each in heard):
        assert 0 < (later.sequence - earlier.sequence) & 0xFFFF < 0x8000
        assert 0 < (later.timestamp - earlier.timestamp) & 0xFFFFFFFF < 0x80000000


def longest_step_ms(heard: Sequence[HeardPacket]) -> float:
    """Return the longest media time from one packet to the next: more than a packet is a gap, on any machine."""
    steps = [
        (later.packet.timestamp - earlier.packet.timestamp) & 0xFFFFFFFF for earlier, later in pairwise(heard)
    ]
    return max(steps) / 8


@dataclass
class MediaPhone:
    """A leg, and the ear at its other end."""

    state: RowState
    ear: RtpEar
    port: int

    @contextlib.contextmanager
    def speaking(self) -> Iterator[None]:
        """Speak to our port, a packet every 20 ms, while the block runs."""
        with speaking(self.ear, ("127.0.0.1", self.port)):
            yield

    @contextlib.contextmanager
    def singing(self, hz: float) -> Iterator[None]:
        """Sing one note to our port while the block runs."""
        song = voicecodecs.encode_frames(tone(hz, duration_ms=1000), "pcmu")
        frames = [first + second for first, second in zip(song[::2], song[1::2], strict=True)]
        with speaking(self.ear, ("127.0.0.1", self.port), payloads=frames):
            yield

    async def hears(self, n_packets: int, *, within_s: float = 5.0) -> list[HeardPacket]:
        """Return the audio heard so far once it is so many packets more than now."""
        wanted = len(self.ear.heard()) + n_packets
        return audio_of(await asyncio.to_thread(self.ear.wait_for, wanted, within_s=within_s))


class MediaWorkers:
    """The supervisor, its media workers, and the client that stands for the switch."""

    def __init__(
        self,
        supervised: Supervised,
        client: MediaClient,
        pids: dict[str, int],
        paths: Sequence[str],
        running: asyncio.Task[None],
    ) -> None:
        self.supervised: Final = supervised
        self.paths: Final = paths
        """The workers' Unix sockets."""
        self._running: Final = running
        self.client: Final = client
        self.pids: Final = pids
        self._ears: Final = contextlib.ExitStack()

    async def phone(self, name: str, *, source: str | None = None) -> MediaPhone:
        """Open a leg, alone in the world; `source` speaks to it."""
        ear = self._ears.enter_context(RtpEar())
        _, port = await self.client.open(LegId(name))
        state = RowState(
            leg=LegId(name),
            generation=1,
            remote=ear.address,
            remote_rtcp=None,
            send_codec="pcmu",
            send_pt=0,
            ptime_ms=20,
            receive={0: "pcmu"},
            event_send_pt=None,
            event_receive_pt=None,
            sending=True,
            receiving=True,
            room=None,
            source=source,
        )
        self.client.set(state)
        return MediaPhone(state, ear, port)

    def join(self, room: str | None, *phones: MediaPhone, force_tick: bool = False) -> None:
        """Put phones into a room, where nothing but the others speaks to them."""
        for phone in phones:
            phone.state = replace(
                phone.state,
                generation=phone.state.generation + 1,
                room=None if room is None else RoomId(room),
                source=None,
                force_tick=force_tick,
            )
            self.client.set(phone.state)

    def worker_of(self, phone: MediaPhone) -> int:
        """Return the number of the worker that has the phone's port, by the kernel's word."""
        inode = _inode_of(phone.port)
        (holder,) = [number for number, sockets in enumerate(self.sockets()) if inode in sockets]
        return holder

    def sockets(self) -> list[set[str]]:
        """Return the sockets (inodes) that each worker has open."""
        return [_sockets_of(self.pids[f"media-{number + 1}"]) for number in range(len(self.pids) - 1)]

    def hang_up(self) -> None:
        """Let no phone hear any more."""
        self._ears.close()

    def desert(self) -> None:
        """Let the client end, as a switch does that is killed."""
        self._running.cancel()

    def kill(self, number: int) -> None:
        """Kill a worker's process."""
        os.kill(self.pids[f"media-{number + 1}"], signal.SIGKILL)


def _sockets_in(temporary: Path) -> list[str]:
    return sorted(str(path) for path in temporary.glob("tandem-*/media-*"))


def _inode_of(port: int) -> str:
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].rpartition(":")[2], 16) == port:
            return columns[9]
    raise LookupError(f"port {port} is not bound")


def _sockets_of(pid: int) -> set[str]:
    links = (os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))
    return {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:")}


@contextlib.asynccontextmanager
async def media_workers(
    temporary: Path,
    *,
    workers: int = 2,
    clearly: float = 0.0,
    seats: int = SEATS,
    ports: range = PORTS,
    certificate: Certificate | None = None,
) -> AsyncIterator[MediaWorkers]:
    """Run media workers with a client; by `clearly` 0.0 legs are dealt out in turn, `certificate` is for browsers."""
    media = [sys.executable, "-m", "gateway.transport.media_process"]
    plan = {"media": media, "switch": child(WELL_BEHAVED), "ports": [ports.start, ports.stop]}
    with Supervised(temporary, workers=workers, **plan) as supervised:
        pids = await asyncio.to_thread(supervised.wait_until_ready)
        paths = _sockets_in(temporary)
        client = MediaClient(paths, epoch=1, clearly=clearly, seats=seats, certificate=certificate)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(client.run())
            await client.connected()
            house = MediaWorkers(supervised, client, pids, paths, running)
            try:
                yield house
            finally:
                house.hang_up()
                running.cancel()
