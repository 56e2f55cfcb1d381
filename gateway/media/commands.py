"""What the switch asks of the media plane: the state that a row shall have.

A command is absolute, never a difference: `RowState` says everything about one row, so that sending it twice
changes nothing and sending all of them again is how a restarted media process learns where it was.
`generation` grows with every new state of a leg; the plane ignores a state that is older than the one it has.

The maps below are what travels between the processes (msgpack keeps integer keys: read them with
`strict_map_key=False`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any, Final

from gateway.ids import LegId, RoomId
from gateway.media.answering_machine import AnsweringTerms
from gateway.media.crypto import CryptoPolicy

__all__ = [
    "CodecOptions",
    "RoomState",
    "RowState",
    "WebRtcPath",
    "WebRtcTerms",
    "room_as_map",
    "room_from_map",
    "row_as_map",
    "row_from_map",
]


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """What offer and answer said of a leg's codecs beside their names."""

    annexb: bool = False
    """G.729: silence may go unsent, both ways (RFC 4856 section 2.1.9)."""
    mode_ms: int = 20
    """iLBC: how long a frame is, 20 or 30."""
    noise_pt: int | None = None
    """The payload type under which the peer takes comfort noise (RFC 3389); None = it was not agreed."""
    conceal: bool = True
    """False: a clear channel, as modems and fax need it: samples come as they were sent, what is lost is zero."""
    playout_ms: int | None = None
    """Wait so long for packets that are late, whatever the network does (10-500); None = as long as it asks for."""


@dataclass(frozen=True, slots=True)
class WebRtcTerms:
    """What a browser's checks and its handshake must show."""

    ufrag: str
    password: str = field(repr=False)
    """Ours, which authentic checks are made with (RFC 8445 section 7.2.2)."""
    fingerprints: tuple[str, ...]
    """`sha-256 4A:AD...`: the peer's certificate has one of these (RFC 8122)."""
    begins: bool = False
    """We begin the handshake, as soon as we know where the peer is; else the peer does."""


@dataclass(frozen=True, slots=True)
class WebRtcPath:
    """What a browser's checks and its handshake have led to: all that a process after this one needs to go on."""

    remote: tuple[str, int]
    crypto: CryptoPolicy


@dataclass(frozen=True, slots=True)
class RowState:
    """The state one row of the plane shall have; payload type numbers are those of this leg's SDP."""

    leg: LegId
    generation: int
    """Grows by one with each state of this leg; an older one is ignored."""
    remote: tuple[str, int] | None
    """Where signalling says the peer hears RTP; None = not known yet, nothing is sent."""
    remote_rtcp: tuple[str, int] | None
    send_codec: str
    """Lower-case voicecodecs name of what we send."""
    send_pt: int
    ptime_ms: int
    receive: Mapping[int, str]
    """Payload type to codec name: every format that may arrive."""
    event_send_pt: int | None
    """RFC 4733 telephone-event, what the peer wants; None = the peer cannot hear events."""
    event_receive_pt: int | None
    sending: bool
    """From the SDP direction: may this row send audio to its peer."""
    receiving: bool
    """From the SDP direction: does what the peer sends count."""
    room: RoomId | None
    """Rows in one room hear each other; None = alone, hears silence."""
    source: str | None = None
    """None = a socket and its peer; else `tone:440`, `music`, `silence`, `echo` (the row hears itself) or a clip.

    `tap`: a row without a socket that hears its room and says nothing (see `Plane.taps`).
    """
    force_tick: bool = False
    """Never relay this row's packets, decode and encode them always."""
    options: CodecOptions = CodecOptions()
    muted: bool = False
    """Nobody hears it."""
    deaf: bool = False
    """It hears nothing of its room."""
    gain_in_db: float = 0.0
    """Of what it says, -60 to 24."""
    gain_out_db: float = 0.0
    """Of what it hears, -60 to 24."""
    hold: str | None = None
    """A source (`music`, `clip:3:1`) that it hears instead of its room, which does not hear it meanwhile."""
    coach: LegId | None = None
    """The only leg in the room that hears this one; it hears all.  None = the room hears it."""
    crypto: CryptoPolicy | None = None
    """SRTP; a key that stays keeps its roll-over and replay window, a new one begins anew.  None = plain RTP."""
    edge: bool = False
    """STUN and DTLS that come to the row's socket go to the switch."""
    webrtc: WebRtcTerms | None = None
    """A browser's: the address and the keys follow from its checks and its handshake.  It does not travel."""
    in_band: bool = False
    """Tell keys that it says as tones.  A call that can be relayed is relayed all the same, and not listened to."""
    answering: AnsweringTerms | None = None
    """Tell whether a person or a machine is there, and when it has beeped; it is not relayed meanwhile."""
    recording: tuple[int, int] | None = None
    """The rings that get what it hears and what it says, -1 = none.  Its packets are not relayed meanwhile."""


@dataclass(frozen=True, slots=True)
class RoomState:
    """How a room shall be mixed; rooms that nothing was said about have these defaults."""

    room: RoomId
    generation: int
    """Grows by one with each state of this room; an older one is ignored."""
    gate_from: int = 5
    """With so many people or more, only who speaks is heard: no sum of background noises.  0 = never."""
    loudest: int = 8
    """So many are heard at once in a large room, 64 at most; 0 = all."""
    loudest_from: int = 25
    """How many people make a room large; 0 = never."""
    loudest_margin_db: float = 3.0
    """By so much must a newcomer be louder than one who is heard already, 0 to 20."""
    auto_gain: bool = False
    """Bring everybody slowly to one level of speech (-26 dBov, by 12 dB at most)."""
    tell_speaker: bool = False
    """Tell who speaks: `ActiveSpeaker` events, five a second at most."""
    tell_levels: bool = False
    """Tell everybody's level: a `RoomLevels` event five times a second."""


KEYS: Final = "0123456789*#ABCD"
"""The keys of a telephone, by their events (RFC 4733 section 3.2)."""
_OPTIONS: Final = tuple(option.name for option in dataclass_fields(CodecOptions))
_TERMS: Final = tuple(term.name for term in dataclass_fields(AnsweringTerms))


def row_as_map(row: RowState) -> dict[str, Any]:
    """Return the row as plain maps, lists, numbers and strings."""
    return {
        "leg": row.leg,
        "generation": row.generation,
        "remote": None if row.remote is None else list(row.remote),
        "remote_rtcp": None if row.remote_rtcp is None else list(row.remote_rtcp),
        "send_codec": row.send_codec,
        "send_pt": row.send_pt,
        "ptime_ms": row.ptime_ms,
        "receive": dict(row.receive),
        "event_send_pt": row.event_send_pt,
        "event_receive_pt": row.event_receive_pt,
        "sending": row.sending,
        "receiving": row.receiving,
        "room": row.room,
        "source": row.source,
        "force_tick": row.force_tick,
        "options": asdict(row.options),
        "muted": row.muted,
        "deaf": row.deaf,
        "gain_in_db": row.gain_in_db,
        "gain_out_db": row.gain_out_db,
        "hold": row.hold,
        "coach": row.coach,
        "crypto": None if row.crypto is None else asdict(row.crypto),
        "edge": row.edge,
        "in_band": row.in_band,
        "answering": None if row.answering is None else asdict(row.answering),
        "recording": None if row.recording is None else list(row.recording),
    }


def row_from_map(fields: Mapping[str, Any]) -> RowState:
    """Return the row that `row_as_map` wrote; unknown keys of a newer peer are ignored.

    Raises:
        KeyError: a field is missing.
        ValueError: an address is not a pair.
    """
    return RowState(
        leg=LegId(fields["leg"]),
        generation=fields["generation"],
        remote=_address(fields["remote"]),
        remote_rtcp=_address(fields["remote_rtcp"]),
        send_codec=fields["send_codec"],
        send_pt=fields["send_pt"],
        ptime_ms=fields["ptime_ms"],
        receive=dict(fields["receive"]),
        event_send_pt=fields["event_send_pt"],
        event_receive_pt=fields["event_receive_pt"],
        sending=fields["sending"],
        receiving=fields["receiving"],
        room=None if fields["room"] is None else RoomId(fields["room"]),
        source=fields["source"],
        force_tick=fields["force_tick"],
        options=CodecOptions(**{name: fields["options"][name] for name in _OPTIONS}),
        muted=fields.get("muted", False),
        deaf=fields.get("deaf", False),
        gain_in_db=fields.get("gain_in_db", 0.0),
        gain_out_db=fields.get("gain_out_db", 0.0),
        hold=fields.get("hold"),
        coach=LegId(fields["coach"]) if fields.get("coach") is not None else None,
        crypto=_crypto(fields.get("crypto")),
        edge=fields.get("edge", False),
        in_band=fields.get("in_band", False),
        answering=_answering(fields.get("answering")),
        recording=_recording(fields.get("recording")),
    )


def room_as_map(room: RoomState) -> dict[str, Any]:
    """Return the room as a plain map."""
    return asdict(room)


def room_from_map(named: Mapping[str, Any]) -> RoomState:
    """Return the room that `room_as_map` wrote; unknown keys of a newer peer are ignored, missing ones the default.

    Raises:
        TypeError: it has no name or no generation.
    """
    return RoomState(**{name: value for name, value in named.items() if name in _ROOM_FIELDS})


_ROOM_FIELDS = frozenset(field.name for field in dataclass_fields(RoomState))


def _recording(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    heard, said = value
    return (int(heard), int(said))


def _answering(value: Any) -> AnsweringTerms | None:
    return None if value is None else AnsweringTerms(**{name: value[name] for name in _TERMS})


def _crypto(value: Any) -> CryptoPolicy | None:
    return None if value is None else CryptoPolicy(value["suite"], value["ours"], value["theirs"])


def _address(value: Any) -> tuple[str, int] | None:
    if value is None:
        return None
    host, port = value
    return (str(host), int(port))
