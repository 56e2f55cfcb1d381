"""One leg of a call: a SIP session, a row of the media plane, and the offer/answer between them.

A leg answers for itself.  Whatever the peer asks in mid-call (hold, another codec, a refresh) is settled
between it and its own row; the other leg notices only what it hears.  Our SDP keeps one session id for the
leg's life and one more version for each change of its text, and the row's state is always sent whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gateway.ids import IdSource, LegId, RoomId
from gateway.media.answering_machine import AnsweringTerms
from gateway.media.commands import CodecOptions, RowState, WebRtcTerms
from gateway.media.crypto import CryptoPolicy
from gateway.media.statistics import LegStatistics
from gateway.sdp.codecs import TELEPHONE_EVENT, CodecOffer, annexb, codec_offer, ilbc_mode_ms
from gateway.sdp.crypto import LocalCrypto, Srtp, passed_over
from gateway.sdp.description import SessionDescription, parse_sdp_untrusted
from gateway.sdp.negotiation import (
    LocalMedia,
    NegotiatedMedia,
    NoCommonCodec,
    answer,
    read_answer,
    revise,
    write_offer,
)
from gateway.sip.events import EndCause, SessionId
from gateway.sip.identity import CallerId
from gateway.switch.ports import MediaPort
from gateway.switch.trunk_load import Permit

__all__ = ["Leg", "Side", "local_media"]

_SECRET_BYTES: Final = 32


class Side(StrEnum):
    """Who began the leg."""

    CALLER = "caller"
    """They called us."""
    CALLEE = "callee"
    """We called them."""


def local_media(
    address: tuple[str, int],
    codecs: Sequence[str],
    *,
    ids: IdSource,
    annexb: bool = False,
    srtp: Srtp = Srtp.OFF,
    fingerprint: str = "",
    webrtc: bool = False,
) -> LocalMedia:
    """Return what a leg with this RTP address offers and takes: `codecs` in order, and telephone-event.

    With `annexb`, G.729 may be silent in pauses; `srtp` is what the leg wants of encryption, `fingerprint` names
    the certificate that a browser is shown, and with `webrtc` it is a browser to whom something is offered.
    """
    fmtp = {"g729": "annexb=yes"} if annexb else {}
    offers = (codec_offer(name) for name in (*codecs, TELEPHONE_EVENT))
    return LocalMedia(
        address=address[0],
        rtp_port=address[1],
        codecs=tuple(replace(each, fmtp=fmtp.get(each.name, each.fmtp)) for each in offers),
        session_id=ids.number(1 << 31),
        version=1,
        crypto=None if srtp is Srtp.OFF else _local_crypto(srtp, ids, fingerprint),
        webrtc=webrtc,
    )


def _nobody() -> None:
    """Be told of a change that concerns nobody."""


def _local_crypto(srtp: Srtp, ids: IdSource, fingerprint: str) -> LocalCrypto:
    return LocalCrypto(srtp, bytes.fromhex(ids.token(_SECRET_BYTES)), fingerprint=fingerprint)


@dataclass(slots=True, eq=False)
class Leg:
    """One party's end of a call, from the lease of its port to its canonical line."""

    id: LegId
    side: Side
    peer: str
    """For logs: who or what is at the other end."""
    media: MediaPort
    local: LocalMedia
    started: float
    """Monotonic seconds."""
    session: SessionId | None = None
    trunk: bool = False
    permit: Permit | None = None
    """Its place on the trunk that it leads over."""
    user: str | None = None
    """The user of this switch at the other end, known by password or by registration."""
    identity: CallerId | None = None
    """Who that is, as whoever it is transferred to is told."""
    leaving: bool = False
    """It was transferred away or replaced, and its end is no end of the call."""
    music: str | None = None
    """What it hears instead of its room."""
    muted: bool = False
    """Nobody hears it."""
    recording: tuple[int, int] | None = None
    """The rings that get what it hears and what it says."""
    alerted: bool = False
    answered_at: float | None = None
    ended: EndCause | None = None
    """Set once the SIP session is over."""
    force_tick: bool = False
    negotiated: NegotiatedMedia | None = None
    room: RoomId | None = None
    source: str | None = None
    answering: AnsweringTerms | None = None
    """By what media finds out whether a person or a machine is there; None = nobody asks."""
    awaits_answer: bool = False
    """Our offer is out and its answer has not come."""
    changed: Callable[[], None] = _nobody
    """Told when it is not what it was."""
    keys_passed_over: str = ""
    """Why keys that the peer offered are not used, in words."""
    _ours: SessionDescription | None = None
    _said: bytes = b""
    """The same, as it was sent."""
    _generation: int = 0
    _closed: bool = False

    @property
    def codec(self) -> str | None:
        """The codec that we send, once it is settled."""
        return None if self.negotiated is None else self.negotiated.send.name

    @property
    def held(self) -> bool:
        """The peer does not want to hear us for now, which is a hold (RFC 3264 section 8.4)."""
        return self.negotiated is not None and not self.negotiated.direction.sends

    @property
    def said(self) -> bytes:
        """Our last description: what a 200 repeats after early media."""
        assert self._ours is not None  # asked for only after an answer of ours
        return self._said

    @property
    def described(self) -> bool:
        """Whether we have said anything yet."""
        return self._ours is not None

    @property
    def generation(self) -> int:
        """How often its row has changed."""
        return self._generation

    def resume(self, said: SessionDescription | None, generation: int) -> None:
        """Go on where a process before us has stopped: with what it said last, and rows newer than its own."""
        self._generation = generation
        if said is not None:
            self._say(said)
        self._show()

    @property
    def says_keys(self) -> bool:
        """Whether our last description has keys of SRTP in it."""
        return self._ours is not None and any(line.attribute("crypto") for line in self._ours.media)

    def offer(self, *, first: str | None = None) -> bytes:
        """Return our offer: everything in `local`, in its order, but codec `first` in front."""
        codecs = tuple(sorted(self.local.codecs, key=lambda codec: codec.name != first))
        self.awaits_answer = True
        return self._say(write_offer(_with_codecs(self.local, codecs), previous=self._ours))

    def take_answer(self, sdp: bytes) -> None:
        """Understand the peer's answer to our last offer; the same answer may come again (early, then final).

        Raises:
            BadMessage: it is no SDP.
            NoCommonCodec: nothing in it can be used.
        """
        assert self._ours is not None  # the SIP session refuses an answer to nothing
        self._settle(read_answer(self._ours, parse_sdp_untrusted(sdp), self.local))
        self.awaits_answer = False

    def answer(self, sdp: bytes, *, like: str | None = None) -> bytes:
        """Answer the peer's offer and return our SDP.

        `like` is the codec of the other leg: if the offer has it we take only that, so that packets can be
        relayed.

        Raises:
            BadMessage: it is no SDP.
            NoCommonCodec: nothing in it can be used; the text says why.
        """
        offer = parse_sdp_untrusted(sdp)
        description, negotiated = self._answer(offer, like)
        self.keys_passed_over = passed_over(offer.media[negotiated.media_index], self.local.crypto)
        said = self._say(revise(self._ours, description))
        self._settle(negotiated)
        return said

    def consider(self, sdp: bytes) -> tuple[str, ...]:
        """Return which of our codecs the offer has, in its order, without answering it yet.

        Raises:
            BadMessage, NoCommonCodec: as `answer`.
        """
        _, negotiated = self._answer(parse_sdp_untrusted(sdp), None)
        names = [negotiated.send.name, *(codec.name for codec in negotiated.receive.values())]
        known = {codec.name for codec in self.local.codecs}
        return tuple(dict.fromkeys(name for name in names if name in known and name != TELEPHONE_EVENT))

    def place(self, room: RoomId | None, *, source: str | None = None) -> None:
        """Put the leg's row into a room (None: alone), or let a source speak to it."""
        if (room, source) != (self.room, self.source):
            self.room, self.source = room, source
            self._show()

    def listen(self, source: str | None) -> None:
        """Let the party hear a source instead of its room, which does not hear it meanwhile; None: the room."""
        if source != self.music:
            self.music = source
            self._show()

    def mute(self, muted: bool) -> None:
        """Let nobody in its room hear the party, or let them again."""
        if muted != self.muted:
            self.muted = muted
            self._show()

    def find_out_who(self, terms: AnsweringTerms | None) -> None:
        """Have media tell whether a person or a machine is there; None: it need not any more."""
        if terms != self.answering:
            self.answering = terms
            self._show()

    def record(self, rings: tuple[int, int] | None) -> None:
        """Let what the party hears and says go into these rings from now on; None: no longer."""
        if rings != self.recording:
            self.recording = rings
            self._show()

    def press(self, key: str, duration_ms: int) -> bool:
        """Press a key for the party, as an event (RFC 4733); tell whether it has agreed to hear of keys so."""
        hears_events = self.negotiated is not None and self.negotiated.event_send_pt is not None
        if hears_events and not self._closed:
            self.media.press(self.id, key, duration_ms)
        return hears_events

    async def close(self) -> LegStatistics:
        """Give the row, its port and its place on a trunk back; return its last counters."""
        self._closed = True
        self.vacate()
        return await self.media.closed(self.id)

    def vacate(self) -> None:
        """Give its place on a trunk back: it carries nothing there any more."""
        if self.permit is not None:
            self.permit.release()

    def canonical(self, statistics: LegStatistics, *, now: float) -> dict[str, object]:
        """Return the facts of the leg's one line in the log."""
        answered = self.answered_at
        return {
            "leg": self.id,
            "side": str(self.side),
            "peer": self.peer,
            "codec": self.codec,
            "srtp": None if self.negotiated is None else _suite(self.negotiated),
            "srtp_reason": self.keys_passed_over or None,
            "codec_reason": None if self.negotiated is None else self.negotiated.reason,
            "mode": statistics.mode,
            "mode_reason": statistics.mode_reason,
            "ring_s": round((now if answered is None else answered) - self.started, 3),
            "duration_s": 0.0 if answered is None else round(now - answered, 3),
            "received": statistics.packets_received,
            "sent": statistics.packets_sent,
            "lost": statistics.packets_lost,
            "late": statistics.packets_late,
            "jitter_ms": round(statistics.jitter_ms, 2),
            "strangers": statistics.strangers,
        }

    def _answer(
        self, offer: SessionDescription, like: str | None
    ) -> tuple[SessionDescription, NegotiatedMedia]:
        before = self.negotiated
        known = None if before is None else before.receive
        webrtc = None if before is None else before.webrtc
        if like is not None:
            alone = tuple(codec for codec in self.local.codecs if codec.name in {like, TELEPHONE_EVENT})
            try:
                return answer(offer, _with_codecs(self.local, alone), known=known, webrtc=webrtc)
            except NoCommonCodec:
                pass  # then they are translated
        return answer(offer, self.local, known=known, webrtc=webrtc)

    def _say(self, ours: SessionDescription) -> bytes:
        """Make this our last description, and return it as it is sent."""
        self._ours, self._said = ours, ours.to_bytes()
        return self._said

    def _settle(self, negotiated: NegotiatedMedia) -> None:
        self.negotiated = negotiated
        self._show()

    def _show(self) -> None:
        """Tell the plane the whole state of the row."""
        if self.negotiated is None or self._closed:
            return
        self._generation += 1
        self.changed()
        self.media.set(_row(self, self.negotiated, self._generation))


def _row(leg: Leg, agreed: NegotiatedMedia, generation: int) -> RowState:
    return RowState(
        leg=leg.id,
        generation=generation,
        remote=agreed.remote,
        remote_rtcp=agreed.remote_rtcp,
        send_codec=agreed.send.name,
        send_pt=agreed.send.payload_type,
        ptime_ms=agreed.ptime_ms,
        receive={number: codec.name for number, codec in agreed.receive.items()},
        event_send_pt=agreed.event_send_pt,
        event_receive_pt=agreed.event_receive_pt,
        sending=agreed.direction.sends,
        receiving=agreed.direction.receives,
        room=leg.room,
        source=leg.source,
        force_tick=leg.force_tick,
        muted=leg.muted,
        hold=leg.music,
        options=_options(agreed),
        crypto=_crypto(agreed),
        edge=agreed.webrtc is not None,
        webrtc=_webrtc(agreed),
        in_band=agreed.event_receive_pt is None,
        answering=leg.answering,
        recording=leg.recording,
    )


def _suite(agreed: NegotiatedMedia) -> str | None:
    if agreed.webrtc is not None:
        return "DTLS-SRTP"
    return None if agreed.crypto is None else agreed.crypto.suite


def _crypto(agreed: NegotiatedMedia) -> CryptoPolicy | None:
    keys = agreed.crypto
    return None if keys is None else CryptoPolicy(keys.suite, ours=keys.ours, theirs=keys.theirs)


def _webrtc(agreed: NegotiatedMedia) -> WebRtcTerms | None:
    terms = agreed.webrtc
    if terms is None:
        return None
    return WebRtcTerms(terms.ufrag, terms.password, terms.fingerprints, begins=terms.begins)


def _options(agreed: NegotiatedMedia) -> CodecOptions:
    """Return what both ends agreed on beside the names of codecs: the same for what is sent and what may arrive."""
    by_name = {codec.name: codec for codec in (*agreed.receive.values(), agreed.send)}
    g729, ilbc, usual = by_name.get("g729"), by_name.get("ilbc"), CodecOptions()
    return CodecOptions(
        annexb=usual.annexb if g729 is None else annexb(g729),
        mode_ms=usual.mode_ms if ilbc is None else ilbc_mode_ms(ilbc),
        noise_pt=agreed.noise_send_pt,
    )


def _with_codecs(local: LocalMedia, codecs: tuple[CodecOffer, ...]) -> LocalMedia:
    return replace(local, codecs=codecs)
