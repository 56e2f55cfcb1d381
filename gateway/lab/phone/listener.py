"""The receiving half of a phone's media: from packets to a recording by media time, and to keys.

Every packet is counted and placed (`receiver`), put in order (`track.Reorder`), decoded by its own payload
type and written where its timestamp says.  What is missing stays silence and is counted as a gap: a hole
in media time that the sender did not announce with a marker, or one where sequence numbers are missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from gateway.errors import BadMessage
from gateway.lab.phone.codec import StreamDecoder
from gateway.lab.phone.keys import KeyReceiver, KeySeen
from gateway.lab.phone.receiver import Placed, Receiver
from gateway.lab.phone.rtp import Packet
from gateway.lab.phone.track import Reorder, Track
from gateway.sdp.codecs import COMFORT_NOISE, TELEPHONE_EVENT, CodecOffer
from gateway.sdp.negotiation import NegotiatedMedia

__all__ = ["Listener"]


class Listener:
    """What comes in."""

    def __init__(self, *, rate_hz: int = 8000) -> None:
        self.rate_hz = rate_hz
        self.receiver = Receiver(rate_hz=rate_hz)
        self.heard = Track(rate_hz=rate_hz)
        self.n_gaps = 0
        self.gap_ms = 0.0
        self.n_bursts = 0
        """Runs of packets that never came, or too late."""
        self.codecs: Counter[str] = Counter()
        """How many packets of each codec were heard."""
        self.n_unusable = 0
        """Packets of a payload type that was never agreed, or that the codec refused."""
        self._reorder = Reorder()
        self._keys = KeyReceiver(rate_hz=rate_hz)
        self._receive: Mapping[int, CodecOffer] = {}
        self._event_pt: int | None = None
        self._decoders: dict[CodecOffer, StreamDecoder] = {}
        self._end: int | None = None
        self._index: int | None = None

    @property
    def n_late(self) -> int:
        """Packets that came too late to be played in their turn."""
        return self._reorder.n_late

    def expect(self, codecs: Iterable[CodecOffer]) -> None:
        """Understand what we offered: sound may come before the answer (RFC 3264 section 5.1)."""
        offered = {codec.payload_type: codec for codec in codecs}
        self._event_pt = next((pt for pt, codec in offered.items() if codec.name == TELEPHONE_EVENT), None)
        self._receive = {pt: codec for pt, codec in offered.items() if pt != self._event_pt}

    def set(self, media: NegotiatedMedia) -> None:
        """Understand payload types as negotiated from now on; a silence across a re-INVITE (hold) is no gap."""
        self._end = None
        self._receive, self._event_pt = media.receive, media.event_receive_pt

    def arrive(self, packet: Packet, now: float) -> list[KeySeen]:
        """Take one packet; return the keys that it completes."""
        event = packet.payload_type == self._event_pt
        seen = self._key(packet, now) if event else []
        # Some peers send keys as a stream of their own (sipp replays them): that is no break in the voice.
        if not (event and self.receiver.ssrc not in (None, packet.ssrc)):
            for placed in self.receiver.arrive(packet, now, timed=not event):
                self._play(self._reorder.put(placed, now))
        return seen

    def due(self, now: float) -> list[KeySeen]:
        """Give up waiting for what does not come; return the key whose end was lost."""
        self._play(self._reorder.due(now))
        return self._keys.due(now)

    def _key(self, packet: Packet, now: float) -> list[KeySeen]:
        try:
            return self._keys.arrive(packet, now)
        except BadMessage:
            self.n_unusable += 1
            return []

    def _play(self, ready: list[Placed]) -> None:
        for placed in ready:
            follows = placed.breaks or self._index is None or placed.index == self._index + 1
            self._index = placed.index
            self.n_bursts += not follows
            n_samples = self._length(placed)
            if n_samples:
                self._cover(placed, n_samples, announced=placed.breaks or (follows and placed.packet.marker))

    def _length(self, placed: Placed) -> int:
        """Decode and write a packet; return how many samples of the time line it fills."""
        packet = placed.packet
        if packet.payload_type == self._event_pt:
            return int.from_bytes(packet.payload[2:4])
        codec = self._receive.get(packet.payload_type)
        if codec is None:
            self.n_unusable += 1
            return 0
        return 0 if codec.name == COMFORT_NOISE else self._sound(placed, codec)

    def _sound(self, placed: Placed, codec: CodecOffer) -> int:
        if placed.breaks:
            self._decoders.clear()
        decoder = self._decoders.get(codec)
        if decoder is None:
            decoder = self._decoders[codec] = StreamDecoder(codec)
        try:
            pcm = decoder.decode(placed.packet.payload)
        except BadMessage:
            self.n_unusable += 1
            return 0
        self.codecs[codec.name] += 1
        self.heard.write(placed.position, pcm)
        return len(pcm)

    def _cover(self, placed: Placed, n_samples: int, *, announced: bool) -> None:
        """Note that the time line is filled from the packet's position on; count the hole before it."""
        hole = 0 if self._end is None else placed.position - self._end
        if hole > 0 and not announced:
            self.n_gaps += 1
            self.gap_ms += 1000.0 * hole / self.rate_hz
        self._end = max(self._end or 0, placed.position + n_samples)
