"""What can be configured: one frozen object a section, every key with its default.

The objects hold what the file says and nothing derived, so that they can be shown again.  What one section
cannot know by itself (does this user's application exist?) is checked in `gateway.config.loading`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)
from pydantic_settings import NoDecode

from gateway.config.values import Address, Listen, PortRange, ip_address_text, network_text

__all__ = [
    "Answering",
    "Application",
    "Callbacks",
    "Config",
    "Http",
    "Log",
    "Media",
    "Number",
    "Recording",
    "Registrar",
    "Sections",
    "Sip",
    "Speech",
    "Store",
    "Trace",
    "Trunk",
    "User",
]

SrtpKey = Literal["off", "accepted", "offered", "demanded"]
"""Encrypted media: never; when the peer offers it; offered to the peer too; or no call without it."""

MediaKey = Literal["auto", "webrtc", "rtp"]
"""How phones are called: those on WS and WSS as browsers, if they do not turn out to be none; all; or nobody."""

DigestKey = Literal["MD5", "SHA-256"]

CODECS = ("pcmu", "pcma", "g729", "ilbc")
BUILT_IN_DESTINATION = re.compile(r"(echo|tone|music|silence|conf-.*)\Z")
"""User parts that the switch answers itself; a user of that name could never be called."""


def _codec(name: str) -> str:
    if name.lower() not in CODECS:
        raise ValueError(f"{name!r} is not one of {', '.join(CODECS).upper()}")
    return name.lower()


def _user_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._=-]{1,255}", name):
        raise ValueError(f"{name!r} may hold letters, digits and . _ = - only")
    if BUILT_IN_DESTINATION.match(name):
        raise ValueError(f"{name!r} is a built-in destination; choose another name")
    return name


def _listed(value: object) -> object:
    """Split what an environment variable holds, `a,b` or `["a", "b"]`; a list is left alone."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.startswith('["') and text.endswith('"]'):
        text = text[1:-1].replace('"', "")
    return [part.strip() for part in text.split(",") if part.strip()]


def _reader(kind: type[Address] | type[Listen] | type[PortRange]) -> BeforeValidator:
    """Read the written form; let an object of the kind through as it is."""
    return BeforeValidator(lambda value: kind.parse(value) if isinstance(value, str) else value)


AddressKey = Annotated[Address, NoDecode, _reader(Address), PlainSerializer(str)]
ListenKey = Annotated[Listen, _reader(Listen), PlainSerializer(str)]
PortsKey = Annotated[PortRange, NoDecode, _reader(PortRange), PlainSerializer(str)]
IpKey = Annotated[str, AfterValidator(ip_address_text)]
CodecKey = Annotated[str, AfterValidator(_codec)]
E164Key = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
NetworkKey = Annotated[str, AfterValidator(network_text)]
Named = Annotated[str, Field(min_length=1)]
Secret = Annotated[str, Field(min_length=1, repr=False)]


class Section(BaseModel):
    """A table of the file: frozen, and no key that we do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Http(Section):
    """REST API, health and metrics."""

    listen: AddressKey = Address("127.0.0.1", 8080)
    phone: AddressKey | None = None
    """The web phone by HTTPS, and nothing else, with the certificate of [sip]."""
    public_url: str | None = None
    """Base of the URLs handed to applications; None = `http://` and `listen`."""
    call_from: bool = True
    """GetCall says who called; PyPI sinch 1.1.4 dies of that key, false leaves it out."""
    timestamp_window_s: Annotated[float, Field(gt=0)] = 900
    """How far the timestamp of a signed request may be from our time, either way."""
    requests_per_s: Annotated[float, Field(ge=0)] = 0
    """API requests of one application in the long run; 0 = as many as it likes."""

    @property
    def url(self) -> str:
        """Return the base URL without a slash at its end."""
        return (self.public_url or f"http://{self.listen}").rstrip("/")


class Sip(Section):
    """Signalling."""

    listen: Annotated[tuple[ListenKey, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        Listen("udp", "127.0.0.1", 5060),
        Listen("tcp", "127.0.0.1", 5060),
        Listen("ws", "127.0.0.1", 5066),
    )
    advertised: str | None = None
    """Host that Contact and Via name; None = the local address of each flow."""
    certificate: Path | None = None
    """PEM chain for tls: and wss:."""
    key: Path | None = None
    """PEM private key of `certificate`."""
    authorities: Path | None = None
    """PEM certificates of those whom we trust when we connect by TLS; None = the machine's."""
    origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Pages of other hosts that may connect by WebSocket, e.g. `https://example.org`; `*` = all."""
    realm: Annotated[str, Field(pattern=r'^[^"\\\x00-\x1f]+$')] = "tandem"
    """What phones are asked a password for."""
    digests: Annotated[tuple[DigestKey, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        "MD5",
    )
    """Challenges, in this order.  Most phones understand MD5 alone, or SHA-256 before MD5."""
    bind_nonces: bool = False
    """A challenge is good only for the address that it went to; phones that roam are asked again."""
    session_expires_s: Annotated[int, Field(ge=0, le=86_400)] = 1800
    """How long a call may go on without a sign of life (RFC 4028); 0 = we ask for no session timer."""
    min_session_expires_s: Annotated[int, Field(ge=90, le=86_400)] = 90
    """The shortest time that others may ask for."""
    strangers_per_second: Annotated[float, Field(gt=0)] = 100.0
    """Requests that one address may begin in a second without having shown a password; the rest get no answer."""
    strangers_burst: Annotated[int, Field(ge=1)] = 200
    """How many of them at once."""

    @model_validator(mode="after")
    def _the_session_timer_is_not_shorter_than_allowed(self) -> Sip:
        if 0 < self.session_expires_s < self.min_session_expires_s:
            raise ValueError(
                f"session_expires_s {self.session_expires_s} is below"
                f" min_session_expires_s {self.min_session_expires_s}"
            )
        return self

    @model_validator(mode="after")
    def _secure_transports_have_a_certificate(self) -> Sip:
        secure = [str(one) for one in self.listen if one.transport in ("tls", "wss")]
        if secure and not (self.certificate and self.key):
            raise ValueError(f"{secure[0]} needs sip.certificate and sip.key (PEM files)")
        return self


class Registrar(Section):
    """What phones that register are granted."""

    min_expires_s: Annotated[int, Field(ge=1)] = 60
    max_expires_s: Annotated[int, Field(ge=1)] = 7200
    nat_expires_s: Annotated[int, Field(ge=1)] = 180
    """The most for a phone on UDP behind a NAT, whose mapping would not live longer."""
    nat_ping_s: Annotated[float, Field(ge=0, le=120)] = 27.0
    """How often a phone behind NAT on UDP is asked by OPTIONS, so that the way to it stays open; 0 = never."""
    contacts_per_user: Annotated[int, Field(ge=1, le=100)] = 10
    """Phones of one user; when one more comes, the one that was refreshed longest ago goes."""
    path: Literal["demanded", "accepted"] = "demanded"
    """A proxy in front (Path, RFC 3327) of phones that do not say that they know of it: 420, or taken."""

    @model_validator(mode="after")
    def _bounds_are_in_order(self) -> Registrar:
        if not self.min_expires_s <= self.nat_expires_s <= self.max_expires_s:
            raise ValueError("min_expires_s, nat_expires_s and max_expires_s must not fall")
        return self


class Media(Section):
    """RTP."""

    address: IpKey = "127.0.0.1"
    advertised: IpKey | None = None
    """Address that SDP names, behind NAT; None = `address`."""
    ports: PortsKey = PortRange(10000, 29999)
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Media processes, about one a core; legs move between them so that those of one room meet."""
    annexb: bool = False
    """Let G.729 fall silent: send and ask for the silence descriptors of its Annex B, where the peer does too."""
    room_legs: Annotated[int, Field(ge=1)] = 1000
    """Legs of one room in one media process; a room with more spans several, if there are."""
    real_time: bool = True
    """Ask for real-time priority (SCHED_RR) for media processes; what came of it is logged."""
    flight_mb: Annotated[int, Field(ge=0, le=4096)] = 0
    """MiB in which each media process keeps what happened last, audio too, for `tandem replay`; 0 = nothing."""
    force_tick: bool = False
    """Never relay: decode and encode every leg.  For measuring and for tests."""

    @model_validator(mode="after")
    def _peers_are_told_a_real_address(self) -> Media:
        if ipaddress.ip_address(self.address).is_unspecified and self.advertised is None:
            raise ValueError(f"media.address {self.address} cannot be written into SDP: set media.advertised")
        return self

    @property
    def announced(self) -> str:
        """Return the address that SDP names."""
        return self.advertised or self.address


class Answering(Section):
    """By what people are told from answering machines, where an application asks (`amd`); milliseconds."""

    initial_silence_ms: Annotated[int, Field(ge=500, le=4000)] = 2500
    """Who says nothing for so long is a machine."""
    longest_greeting_ms: Annotated[int, Field(ge=500, le=4000)] = 2300
    """Who speaks for longer is a machine."""
    silence_after_ms: Annotated[int, Field(ge=200, le=3000)] = 700
    """Who has spoken and is silent for so long is a person, who waits."""
    shortest_word_ms: Annotated[int, Field(ge=20, le=500)] = 60
    """A noise that is shorter is no voice."""
    longest_wait_ms: Annotated[int, Field(ge=1000, le=4000)] = 3800
    """By then there is a verdict."""
    shortest_beep_ms: Annotated[int, Field(ge=60, le=2000)] = 160
    quietest_dbov: Annotated[int, Field(ge=-70, le=-20)] = -48
    """What is softer is silence."""


class Recording(Section):
    """Recordings of calls and conferences."""

    enabled: bool = True
    """Keep a process that records; without it calls that are to be recorded go on unrecorded, and the log says so."""
    directory: Path | None = None
    """Where they are kept; None = `recordings` in the data directory."""
    stereo: bool = True
    """One party a channel, the caller on the left; else both in one."""
    s3_endpoint: str | None = None
    """Base URL of a server that speaks like Amazon's S3; None = Amazon's."""
    azure_endpoint: str | None = None
    """Base URL of a server that speaks like Azure's blob storage; None = Microsoft's."""


class Speech(Section):
    """Who speaks to callers."""

    engine: Literal["auto", "off", "command"] = "auto"
    """auto = espeak-ng, where it is installed; command = the program of `command`; off = all prompts are silence."""
    command: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """A program and its arguments: it reads a text, and writes a WAV file of 16 bits as it speaks."""
    cache_megabytes: Annotated[int, Field(ge=1, le=1_000_000)] = 512
    """What the data directory keeps of what was said, in MB."""

    @model_validator(mode="after")
    def _a_command_engine_has_a_command(self) -> Speech:
        if self.engine == "command" and not self.command:
            raise ValueError('engine "command" needs speech.command')
        return self


class Store(Section):
    """Persistence."""

    url: Named = "sqlite+aiosqlite:///tandem.db"
    """SQLAlchemy URL; a relative SQLite path is relative to the data directory."""
    key_file: Path | None = None
    """Holds the key of what is secret in the store; None = `store.key` in the data directory."""


class Callbacks(Section):
    """Applications' servers, and what else applications have us fetch."""

    allow: Annotated[tuple[NetworkKey, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Private networks that they may be in; the public Internet and what the file itself names always may."""


class Log(Section):
    """What is written to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "console", "json"] = "auto"
    """auto = console on a terminal, else JSON."""


class Trace(Section):
    """What was said, and heard, kept for looking at it."""

    keep_megabytes: Annotated[int, Field(ge=0, le=100_000)] = 16
    """What the data directory keeps of SIP for `tandem trace`, in MB; 0 = nothing."""
    pcap: Path | None = None
    """Capture file (pcap) to which every message of SIP and every packet of RTP and RTCP is appended."""
    pcap_megabytes: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    """What the capture file and the older one beside it may have together, in MB."""
    media: bool = True
    """Capture RTP and RTCP too, as they are on the wire."""
    hep: Annotated[Address, NoDecode, _reader(Address), PlainSerializer(str)] | None = None
    """Address of a Homer collector, HEPv3 over UDP."""


class Application(Section):
    """Who steers calls, and where its callbacks go."""

    key: Named
    secret: Secret
    callback: str | None = None
    fallback: str | None = None
    verified: tuple[E164Key, ...] = ()
    """Numbers that it may show though they are not ours."""


class User(Section):
    """A SIP phone or app client."""

    application: str = ""
    """Key of its application; left out = the first one."""
    name: Annotated[str, AfterValidator(_user_name)]
    password: Secret
    srtp: SrtpKey = "accepted"
    """Encrypted media (SRTP) of its phones."""
    media: MediaKey = "auto"
    """How its phones are called: as browsers (WebRTC) or not."""


class Number(Section):
    """A number that we own: calls to it go to its application."""

    number: E164Key
    application: str = ""
    forward: str | None = None
    """Where its calls go when the application has no callback."""


class Trunk(Section):
    """A peer through which calls to numbers that we do not own leave."""

    name: Named
    uri: Annotated[str, Field(pattern=r"^sips?:.+")]
    codecs: Annotated[tuple[CodecKey, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = CODECS
    """Offered to the trunk in this order; lower-case names."""
    prefix: str = "+"
    """Numbers that begin so go this way; the longest match wins."""
    priority: Annotated[int, Field(ge=0)] = 0
    """Among trunks of one prefix the lowest is asked first."""
    weight: Annotated[int, Field(ge=0)] = 1
    """Its share of calls among trunks of one priority."""
    patience_s: Annotated[float, Field(gt=0, le=32)] = 4.0
    """A server that has not even said 100 by then is given up for the next one."""
    ping_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """How often OPTIONS asks each server whether it is there; 0 = never."""
    registers: Annotated[bool, Field(alias="register")] = False
    """Register with `uri` as `username`; calls to that registration are the trunk's."""
    username: Named | None = None
    """Answers its challenges, to INVITE and REGISTER."""
    password: Annotated[str | None, Field(min_length=1, repr=False)] = None
    realm: Named | None = None
    """Answer no challenge of another realm; None = of any."""
    numbers: Literal["e164", "plain", "national", "international"] = "e164"
    """How numbers are written: +4670..., 4670..., 070... or 004670...; what it sends is read likewise."""
    country: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,2})?$")] = ""
    """Calling code of the country whose numbers are national."""
    national_prefix: Annotated[str, Field(pattern=r"^[0-9]*$")] = "0"
    international_prefix: Annotated[str, Field(pattern=r"^[0-9]+$")] = "00"
    dial_prefix: Annotated[str, Field(pattern=r"^[0-9+*#]*$")] = ""
    """Put before every number that is dialled."""
    asserted_identity: bool = True
    """Send P-Asserted-Identity and, for callers who withhold it, Privacy: id; else the From says it all."""
    caller_id: E164Key | None = None
    """Number to show for callers who have none."""
    from_user: Named | None = None
    """User part of every From; None = the caller's number."""
    from_host: Named | None = None
    """Host of From and P-Asserted-Identity; None = our address."""
    max_calls: Annotated[int, Field(ge=0)] = 0
    """Calls at a time, both directions; 0 = no limit but the switch's."""
    calls_per_second: Annotated[float, Field(ge=0)] = 0.0
    """New calls a second, both directions; 0 = no limit."""
    sources: Annotated[tuple[NetworkKey, ...] | None, NoDecode, BeforeValidator(_listed)] = None
    """Addresses and networks that it calls from; None = the addresses of `uri`, or nowhere with `application`."""
    application: str = ""
    """It calls in with this application's key and secret, by digest."""
    demand: Literal["either", "both"] = "either"
    """What lets its calls in, `sources` or `application`."""

    srtp: SrtpKey = "accepted"
    """Encrypted media (SRTP) with the carrier."""


class Sections(BaseModel):
    """What a file may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    http: Http = Http()
    sip: Sip = Sip()
    registrar: Registrar = Registrar()
    media: Media = Media()
    speech: Speech = Speech()
    answering: Answering = Answering()
    recording: Recording = Recording()
    store: Store = Store()
    callbacks: Callbacks = Callbacks()
    log: Log = Log()
    trace: Trace = Trace()
    applications: tuple[Application, ...] = ()
    users: tuple[User, ...] = ()
    numbers: tuple[Number, ...] = ()
    trunks: tuple[Trunk, ...] = ()


class Config(Sections):
    """All of it, complete: `load` has filled in secrets and resolved every reference to an application."""

    data_dir: Path = Path()
