"""A scripted SIP phone on real sockets, with an RTP ear and mouth that share nothing with Tandem's media.

async with wire_phone("alice", serving) as alice:
    call = await alice.dial("echo")
    alice.talk_to(call)                       # one packet of numbered payload every 20 ms
    ...
    heard = alice.ear.heard()
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from typing import Final

from gateway.ids import SystemIds
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import SessionAnswered
from gateway.sip.settings import EndpointConfig
from gateway.testing.phone import Phone, PhoneCall, port_in
from gateway.testing.processes import PATIENCE_S, Serving
from gateway.testing.rtp_peer import HeardPacket, RtpEar, RtpMouth
from gateway.transport.sip_rim import SipRim

__all__ = ["WirePhone", "longest_silence_ms", "speaking", "wire_phone"]

HOST: Final = "127.0.0.1"
_PACKET_S: Final = 0.02


class WirePhone:
    """A phone whose hands are the test's."""

    def __init__(self, phone: Phone, ear: RtpEar) -> None:
        self.phone: Final = phone
        self.ear: Final = ear
        self.switch: tuple[str, int] | None = None
        """Where the last call that we made is to be sent to."""

    async def dial(self, dialled: str) -> PhoneCall:
        """Call and wait for the answer."""
        call = await self.phone.call(dialled)
        async with asyncio.timeout(PATIENCE_S):
            answered = await call.expect(SessionAnswered)
        self.switch = (HOST, port_in(answered.sdp))
        return call

    @contextmanager
    def talking(self, payload_type: int = 0) -> Iterator[None]:
        """Speak to the switch, a packet every 20 ms, while the block runs."""
        assert self.switch is not None, "nobody was called"
        with speaking(self.ear, self.switch, payload_type=payload_type):
            yield

    async def hears(self, n_packets: int, *, within_s: float = 5.0) -> list[HeardPacket]:
        """Return all that was heard once it is so many packets more than now."""
        return await asyncio.to_thread(
            self.ear.wait_for, len(self.ear.heard()) + n_packets, within_s=within_s
        )


@asynccontextmanager
async def wire_phone(
    name: str, serving: Serving, *, password: str | None = "", formats: Sequence[int] = (0, 8, 101)
) -> AsyncIterator[WirePhone]:
    """Give a phone of a user of that switch; an empty password means the right one, None none at all."""
    endpoint = Endpoint(EndpointConfig(trusted_sources=frozenset({HOST}), contact_user=name), SystemIds())
    with RtpEar() as ear:
        async with SipRim(endpoint) as rim:
            phone = Phone(
                name,
                rim,
                server=serving.address,
                host=HOST,
                password=serving.password(name) if password == "" else password,
                formats=formats,
                rtp_port=ear.address[1],
            )
            async with phone.running():
                yield WirePhone(phone, ear)


@contextmanager
def speaking(
    ear: RtpEar, to: tuple[str, int], *, payload_type: int = 0, payloads: Sequence[bytes] = ()
) -> Iterator[None]:
    """Send a packet every 20 ms from the ear's socket while the block runs: `payloads` in turn, else numbers."""
    stop = threading.Event()

    def speak() -> None:
        mouth, due = RtpMouth(payload_type=payload_type), time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            numbered = mouth.sequence.to_bytes(4) * 40
            ear.send(mouth.say(payloads[mouth.sequence % len(payloads)] if payloads else numbered), to)
            due += _PACKET_S

    thread = threading.Thread(target=speak, name="rtp-mouth", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def longest_silence_ms(heard: Sequence[HeardPacket]) -> float:
    """Return the longest time between two packets."""
    return max(1000.0 * (later.at - earlier.at) for earlier, later in pairwise(heard))
