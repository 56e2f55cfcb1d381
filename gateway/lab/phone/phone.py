"""A whole SIP phone on real sockets, for tests and for the curious: `tandem call` and `tandem answer`.

    async with Phone(PhoneConfig(user="bob")) as phone:
        call = await phone.dial(uri, lambda media: PcmSource(speech()))
        await phone.until_answered(call)
        call.press("12#")
        await call.ended.wait()

The signalling is the same engine as the switch's (`gateway.sip`), the media is the phone's own (`media`),
so a mistake in the switch's media plane is not mirrored here.  Leaving the `with` hangs up every call,
unregisters and waits for the answers.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from gateway.errors import LocalError, PeerError
from gateway.ids import IdSource, SystemIds
from gateway.lab.phone.call import PhoneCall, SourceMaker
from gateway.lab.phone.desk import Desk
from gateway.lab.phone.media import Media
from gateway.lab.phone.negotiation import Negotiation
from gateway.lab.phone.reach import free_port
from gateway.lab.phone.sources import Silence
from gateway.lab.phone.wire import MediaWire
from gateway.media.crypto import why_not
from gateway.sdp.codecs import TELEPHONE_EVENT, codec_offer
from gateway.sdp.crypto import LocalCrypto, Srtp
from gateway.sdp.negotiation import LocalMedia
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import EndCause, RegistrationId
from gateway.sip.headers import NameAddr
from gateway.sip.settings import EndpointConfig
from gateway.sip.uri import Uri
from gateway.transport.sip_rim import SipRim

__all__ = ["CallFailed", "Phone", "PhoneConfig"]

_LEAVE_S: Final = 2.0


class CallFailed(PeerError):
    """A call or a registration that came to nothing; `cause` is what the engine reported."""

    def __init__(self, cause: EndCause) -> None:
        super().__init__(cause.reason, status=cause.status or 0)
        self.cause = cause


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneConfig:
    """What a phone is told before it is switched on."""

    user: str = "tandem"
    """The name in From and Contact."""
    credentials: Credentials | None = None
    codecs: tuple[str, ...] = ("pcmu", "pcma")
    """Names of `voicecodecs`, the best first."""
    host: str = "127.0.0.1"
    """The address of ours, for SIP and for media."""
    sip_port: int = 0
    """0 = any."""
    callers: frozenset[str] | None = None
    """The IP addresses that may call; None = every one that reaches us."""
    srtp: Srtp = Srtp.ACCEPTED
    """What it wants of encryption; nothing can be encrypted where OpenSSL's libcrypto is missing."""


class Phone:
    """One phone: any number of calls at a time."""

    def __init__(
        self, config: PhoneConfig, *, answer_with: SourceMaker | None = None, ids: IdSource | None = None
    ) -> None:
        """`answer_with` makes what incoming calls are told; None = the phone takes no calls (486)."""
        self.config = config
        self._ids = ids or SystemIds()
        self._endpoint = Endpoint(
            EndpointConfig(
                trust_everyone=config.callers is None,
                trusted_sources=config.callers or frozenset(),
                contact_user=config.user,
                user_agent="Tandem test phone",
            ),
            self._ids,
        )
        at = f"[{config.host}]" if ":" in config.host else config.host
        port = config.sip_port or free_port(config.host)
        self._rim = SipRim(self._endpoint, [f"udp:{at}:{port}", f"tcp:{at}:{port}"])
        self._tasks = asyncio.TaskGroup()
        self._reader: asyncio.Task[None] | None = None
        self.desk = Desk(
            self._endpoint, self._rim, lambda peer: self._new_call(peer, answer_with) if answer_with else None
        )

    async def __aenter__(self) -> Self:
        """Switch the phone on.  Raise LocalError if its port is in use."""
        try:
            await self._rim.__aenter__()
        except OSError as error:
            where = f"{self.config.host}:{self.config.sip_port}"
            raise LocalError(f"the phone cannot listen at {where}: {error.strerror}") from error
        await self._tasks.__aenter__()
        self._reader = self._tasks.create_task(self.desk.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.desk.leave()
            async with asyncio.timeout(_LEAVE_S):
                await self._rim.settled()  # without it a lost BYE would never be repeated
        except TimeoutError:
            pass
        finally:
            if self._reader is not None:
                self._reader.cancel()
            await self._tasks.__aexit__(None, None, None)
            await self._rim.__aexit__(kind, error, trace)
            for call in self.desk.calls:
                call.wire.close()

    @property
    def sip_port(self) -> int:
        """Where the phone is reached."""
        return self._rim.flows[0].local[1]

    @property
    def incoming(self) -> asyncio.Queue[PhoneCall]:
        """Calls that were taken, for whoever wants to watch them."""
        return self.desk.incoming

    async def register(self, registrar: Uri, credentials: Credentials) -> int:
        """Register and return for how many seconds; it is renewed until the phone is left.

        Raise CallFailed when the registrar refuses or does not answer, LocalError when it has no address.
        """
        flow = await self._rim.flow_to(registrar)
        aor = Uri("sip", credentials.username, registrar.host, registrar.port, ())
        registration: RegistrationId = self._rim.do(
            lambda now: self._endpoint.register(
                registrar=registrar, aor=aor, flow=flow, credentials=credentials, now=now
            )
        )
        outcome = await self.desk.registered(registration)
        if isinstance(outcome, EndCause):
            raise CallFailed(outcome)
        return outcome

    async def dial(self, target: Uri, source: SourceMaker, *, proxy: Uri | None = None) -> PhoneCall:
        """Send an INVITE and return the call at once; it goes to `proxy` if there is one.

        Raise LocalError when the host has no address.
        """
        flow = await self._rim.flow_to(proxy or target)
        call = self._new_call(str(target), source)
        offer = call.negotiation.offer()
        call.media.listener.expect(call.negotiation.local.codecs)
        from_ = NameAddr(None, Uri("sip", self.config.user, target.host, None, ()))
        call.session = self._rim.do(
            lambda now: self._endpoint.invite(
                target=target,
                flow=flow,
                from_=from_,
                sdp=offer,
                credentials=self.config.credentials,
                now=now,
            )
        )
        self.desk.add(call)
        return call

    async def until_answered(self, call: PhoneCall) -> None:
        """Wait until the other end takes the call.  Raise CallFailed when it does not."""
        await call.decided.wait()
        if call.answered_s is None and call.cause is not None:
            raise CallFailed(call.cause)

    def hang_up(self, call: PhoneCall) -> None:
        """End a call in whatever state it is; nothing happens to one that has ended."""
        self.desk.hang_up(call)

    def _crypto(self) -> LocalCrypto | None:
        """Return fresh keys for a call.  Raise LocalError if it is to be encrypted and cannot."""
        reason, srtp = why_not(), self.config.srtp
        if reason is not None and srtp is Srtp.DEMANDED:
            raise LocalError(reason)
        if reason is not None or srtp is Srtp.OFF:
            return None
        return LocalCrypto(srtp, bytes.fromhex(self._ids.token(32)))

    def _new_call(self, peer: str, source: SourceMaker) -> PhoneCall:
        loop = asyncio.get_running_loop()
        wire = MediaWire(self.config.host)
        media = Media(Silence(), self._ids, wall_minus_now_s=time.time() - loop.time())
        media.speaker.source = source(media)
        local = LocalMedia(
            self.config.host,
            wire.port,
            tuple(codec_offer(name) for name in (*self.config.codecs, TELEPHONE_EVENT)),
            session_id=self._ids.number(1 << 31),
            crypto=self._crypto(),
        )
        call = PhoneCall(peer, media, Negotiation(local), wire, loop.time())
        wire.open(media, call.keys.append)
        return call
