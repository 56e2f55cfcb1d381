"""The phone's voice and ears in one call: RTP and RTCP both ways, sans-IO.

Give it datagrams, the time, and what offer and answer came to (`set`); drain `transmit` and `events` after
every call and come back at `next_deadline`.  It lives as long as the call, through every re-INVITE.

Sound is taken from one source at a time: the first that speaks after an offer or answer, whatever address the
description named, because phones behind NAT do not know their own.  Others are counted as strangers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage
from gateway.ids import IdSource
from gateway.lab.phone.keys import KeySeen
from gateway.lab.phone.listener import Listener
from gateway.lab.phone.rtcp import INTERVAL_S, SenderInfo, parse_rtcp_untrusted, write_bye, write_report
from gateway.lab.phone.rtp import is_rtcp, parse_rtp_untrusted
from gateway.lab.phone.sources import Source
from gateway.lab.phone.speaker import Speaker
from gateway.media.crypto import CryptoPolicy, SrtpEnds
from gateway.sdp.crypto import AgreedCrypto
from gateway.sdp.negotiation import NegotiatedMedia

__all__ = ["Media", "Outgoing"]

_SWEEP_S: Final = 0.020


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A datagram to send from the RTP socket, or from the RTCP socket beside it."""

    data: bytes
    to: tuple[str, int]
    rtcp: bool


class Media:
    """One call's media; see the module."""

    def __init__(
        self, source: Source, ids: IdSource, *, wall_minus_now_s: float, rate_hz: int = 8000
    ) -> None:
        """`wall_minus_now_s` turns `now` into seconds since 1970, for sender reports."""
        self.listener = Listener(rate_hz=rate_hz)
        self.speaker = Speaker(source, ids, rate_hz=rate_hz)
        self.negotiated: NegotiatedMedia | None = None
        self.counters: Counter[str] = Counter()
        """`rtp.bad`, `rtcp.bad`, `rtcp.received`, `stranger`, `srtp.bad`."""
        self.round_trip_ms: float | None = None
        """From the peer's last RTCP report about us."""
        self.peer_lost: int | None = None
        """How many of our packets the peer misses, by its last report."""
        self._ids = ids
        self._wall_minus_now_s = wall_minus_now_s
        self._cname = f"{ids.token(6)}@tandem"
        self._outgoing: list[Outgoing] = []
        self._events: list[KeySeen] = []
        self._peer: tuple[str, int] | None = None
        self._keys: AgreedCrypto | None = None
        self._srtp: SrtpEnds | None = None
        self._next_report_s: float | None = None
        self._next_sweep_s: float | None = None
        self._last_sr: tuple[int, float] | None = None

    def set(self, negotiated: NegotiatedMedia, now: float) -> None:
        """Speak and listen as negotiated from now on."""
        self.negotiated = negotiated
        self.listener.set(negotiated)
        self.speaker.set(negotiated, now)
        self._encrypt(negotiated.crypto)
        self._peer = None
        if self._next_report_s is None:
            self._next_report_s = now + self._interval_s() / 2.0
            self._next_sweep_s = now + _SWEEP_S
        self._speak(now)

    def receive(self, data: bytes, source: tuple[str, int], now: float) -> None:
        """Take a datagram from the RTP port; never raises."""
        if is_rtcp(data):
            self.receive_rtcp(data, now)
            return
        plain = self._opened(data, rtcp=False)
        if plain is None:
            return
        try:
            packet = parse_rtp_untrusted(plain)
        except BadMessage:
            self.counters["rtp.bad"] += 1
            return
        if self._peer is None and self.negotiated is not None:
            self._peer = source
        if self._peer not in (None, source):
            self.counters["stranger"] += 1
            return
        self._events += self.listener.arrive(packet, now)

    def receive_rtcp(self, data: bytes, now: float) -> None:
        """Take a datagram from the RTCP port; never raises."""
        plain = self._opened(data, rtcp=True)
        if plain is None:
            return
        try:
            report = parse_rtcp_untrusted(plain)
        except BadMessage:
            self.counters["rtcp.bad"] += 1
            return
        self.counters["rtcp.received"] += 1
        if report.sender_ntp is not None:
            self._last_sr = (report.sender_ntp, now)
        for block in report.blocks:
            if block.ssrc == self.speaker.ssrc:
                self.peer_lost = block.lost
                if block.last_sr:
                    elapsed = (self._ntp_middle(now) - block.last_sr - block.delay) & 0xFFFFFFFF
                    self.round_trip_ms = 1000.0 * elapsed / 65536 if elapsed < 1 << 31 else 0.0

    def next_deadline(self) -> float | None:
        """Return when `deadline_reached` has something to do; None before `set`."""
        deadlines = (self.speaker.next_deadline(), self._next_report_s, self._next_sweep_s)
        return min((each for each in deadlines if each is not None), default=None)

    def deadline_reached(self, now: float) -> None:
        """Send what is due and give up waiting for what is not."""
        self._speak(now)
        if self._next_sweep_s is not None and now >= self._next_sweep_s:
            self._events += self.listener.due(now)
            self._next_sweep_s = now + _SWEEP_S
        if self._next_report_s is not None and now >= self._next_report_s:
            self._report(now)
            self._next_report_s = now + self._interval_s()

    def stop(self, now: float) -> None:
        """End our stream: RTCP BYE.  Nothing is sent after it."""
        self._events += self.listener.due(now + 1.0)
        if self.negotiated is not None:
            self._send_rtcp(write_bye(self.speaker.ssrc, self._cname))
        self._next_report_s = self._next_sweep_s = None
        self.speaker.stop()

    def transmit(self) -> list[Outgoing]:
        """Return what is to be sent, once."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def events(self) -> Iterator[KeySeen]:
        """Drain the keys that were heard."""
        events, self._events = self._events, []
        yield from events

    def _encrypt(self, keys: AgreedCrypto | None) -> None:
        """Begin with new keys; those that stay go on where they were."""
        if keys != self._keys:
            self._keys = keys
            self._srtp = None
        if keys is not None and self._srtp is None:
            self._srtp = SrtpEnds(CryptoPolicy(keys.suite, ours=keys.ours, theirs=keys.theirs))

    def _protected(self, data: bytes, *, rtcp: bool) -> bytes:
        return data if self._srtp is None else self._srtp.protect(data, rtcp=rtcp)

    def _opened(self, data: bytes, *, rtcp: bool) -> bytes | None:
        if self._srtp is None:
            return data
        plain = self._srtp.open_untrusted(data, rtcp=rtcp)
        self.counters["srtp.bad"] += plain is None
        return plain

    def _speak(self, now: float) -> None:
        remote = self.negotiated.remote if self.negotiated is not None else None
        for data in self.speaker.due(now):
            if remote is not None:
                self._outgoing.append(Outgoing(self._protected(data, rtcp=False), remote, rtcp=False))

    def _report(self, now: float) -> None:
        speaker, last_sr = self.speaker, self._last_sr
        sender = SenderInfo(
            now + self._wall_minus_now_s, speaker.timestamp(now), speaker.n_packets, speaker.n_bytes
        )
        self._send_rtcp(
            write_report(
                speaker.ssrc,
                self._cname,
                sender=sender if speaker.n_packets else None,
                heard=self.listener.receiver.report(),
                last_sr=last_sr[0] if last_sr else 0,
                delay_s=now - last_sr[1] if last_sr else 0.0,
            )
        )

    def _send_rtcp(self, data: bytes) -> None:
        if self.negotiated is None:
            return
        mux = self.negotiated.rtcp_mux
        remote = self.negotiated.remote if mux else self.negotiated.remote_rtcp
        if remote is not None:
            self._outgoing.append(Outgoing(self._protected(data, rtcp=True), remote, rtcp=not mux))

    def _interval_s(self) -> float:
        """Return 5 s give or take half, so that not all phones report at once (RFC 3550 section 6.3.1)."""
        return INTERVAL_S * (0.5 + self._ids.number(1000) / 1000.0)

    def _ntp_middle(self, now: float) -> int:
        return (
            int((now + self._wall_minus_now_s) % 65536.0 * 65536.0) + (2208988800 % 65536 << 16) & 0xFFFFFFFF
        )
