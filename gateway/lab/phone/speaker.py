"""The sending half of a phone's media: one packet every ptime, for as long as the call lives.

Sending is paced by absolute deadlines, start + media time, so one late wake-up does not move those after
it.  A phone that slept sends at most `_CATCH_UP_S` of packets at once; what is older is left out as if it
had been silent: media time goes on, and the next packet bears the marker.

SSRC, sequence numbers and timestamps run on through every re-INVITE, hold and change of codec.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from gateway.ids import IdSource
from gateway.lab.phone.codec import StreamEncoder
from gateway.lab.phone.keys import KeySender
from gateway.lab.phone.rtp import Packet
from gateway.lab.phone.sources import Source
from gateway.lab.phone.track import Pcm, Track
from gateway.sdp.codecs import CodecOffer
from gateway.sdp.negotiation import NegotiatedMedia

__all__ = ["Speaker"]

_CATCH_UP_S: Final = 0.100


class Speaker:
    """What goes out: sound from a source, and keys in its place while they are pressed."""

    def __init__(self, source: Source, ids: IdSource, *, rate_hz: int = 8000) -> None:
        self.source = source
        self.rate_hz = rate_hz
        self.keys = KeySender(rate_hz=rate_hz)
        self.said = Track(rate_hz=rate_hz)
        """What was sent, by media time; silence where keys were."""
        self.origin_s: float | None = None
        """When position 0 of `said` was sent."""
        self.ssrc = ids.number(1 << 32)
        self.n_packets = 0
        self.n_bytes = 0
        self._sequence = ids.number(1 << 16)
        self._base = ids.number(1 << 32)
        self._clock = 0
        self._marker = True
        self._codec: CodecOffer | None = None
        self._encoder: StreamEncoder | None = None
        self._event_pt: int | None = None
        self._ptime_ms = 20
        self._sending = False
        self._stopped = False

    def set(self, media: NegotiatedMedia, now: float) -> None:
        """Send as negotiated from now on; the first time starts the clock."""
        if media.send != self._codec:
            self._codec, self._encoder = media.send, StreamEncoder(media.send)
        self._event_pt, self._ptime_ms = media.event_send_pt, media.ptime_ms
        self._sending = media.direction.sends
        if self.origin_s is None:
            self.origin_s = now

    @property
    def can_press_keys(self) -> bool:
        """Whether the peer takes telephone-events."""
        return self._event_pt is not None

    def next_deadline(self) -> float | None:
        """Return when the next packet is due; None before `set`."""
        if self.origin_s is None or self._stopped:
            return None
        return self.origin_s + self._clock / self.rate_hz

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True

    def timestamp(self, now: float) -> int:
        """Return the RTP timestamp of this moment, for a sender report."""
        elapsed = 0 if self.origin_s is None else round((now - self.origin_s) * self.rate_hz)
        return (self._base + elapsed) & 0xFFFFFFFF

    def due(self, now: float) -> list[bytes]:
        """Return the packets whose time has come."""
        self._skip_what_is_too_old(now)
        packets = []
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            packet = self._step(now)
            if packet is not None:
                packets.append(packet.to_bytes())
                self.n_packets += 1
                self.n_bytes += len(packet.payload)
        return packets

    def _skip_what_is_too_old(self, now: float) -> None:
        deadline = self.next_deadline()
        if deadline is not None and now - deadline > _CATCH_UP_S:
            step = self._step_samples()
            self._clock += step * int((now - deadline) * self.rate_hz / step)
            self._marker = True

    def _step(self, now: float) -> Packet | None:
        n_samples, position = self._step_samples(), self._clock
        timestamp = (self._base + position) & 0xFFFFFFFF
        self._clock += n_samples
        if not self._sending or self._codec is None or self._encoder is None:
            self._marker = True
            return None
        event = self.keys.step(timestamp, self._ptime_ms) if self._event_pt is not None else None
        pcm = self.source.read(n_samples, now)
        if event is not None and self._event_pt is not None:
            self.said.write(position, np.zeros(n_samples, np.int16))
            self._marker = True
            return self._packet(self._event_pt, event.timestamp, event.payload, marker=event.marker)
        return self._sound(self._codec, self._encoder, position, timestamp, pcm)

    def _sound(
        self, codec: CodecOffer, encoder: StreamEncoder, position: int, timestamp: int, pcm: Pcm
    ) -> Packet | None:
        self.said.write(position, pcm)
        payload = encoder.encode(pcm)
        if not payload:  # the codec has nothing to say (DTX); what follows is a new talkspurt
            self._marker = True
            return None
        marker, self._marker = self._marker, False
        return self._packet(codec.payload_type, timestamp, payload, marker=marker)

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> Packet:
        packet = Packet(payload_type, self._sequence, timestamp, self.ssrc, payload, marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return packet

    def _step_samples(self) -> int:
        return self._ptime_ms * self.rate_hz // 1000
