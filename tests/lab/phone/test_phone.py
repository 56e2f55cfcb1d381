"""The test phone against a bare SIP endpoint: registration, late offers, hold, refusals, CANCEL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from gateway.ids import SeededIds
from gateway.lab.phone.choices import voice
from gateway.lab.phone.phone import CallFailed, Phone, PhoneConfig
from gateway.sdp.codecs import codec_offer
from gateway.sdp.description import parse_sdp_untrusted
from gateway.sdp.negotiation import Direction, LocalMedia, answer, write_offer
from gateway.sip.endpoint import Credentials, Endpoint, EndpointConfig
from gateway.sip.events import (
    BindingChanged,
    Event,
    OfferAnswered,
    OfferRefused,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionId,
    SessionOffered,
)
from gateway.sip.headers import NameAddr
from gateway.sip.uri import Uri
from gateway.testing.rtp_peer import RtpEar
from gateway.transport.sip_rim import SipRim

_Event = TypeVar("_Event", bound=Event)


class Peer:
    """A SIP endpoint that a test steers, with an ear for RTP."""

    def __init__(self, rim: SipRim, endpoint: Endpoint, ear: RtpEar) -> None:
        self.rim, self.endpoint, self.ear = rim, endpoint, ear
        self._events = rim.events()

    @property
    def uri(self) -> Uri:
        return Uri("sip", "peer", "127.0.0.1", self.rim.flows[0].local[1], ())

    def media(self, direction: Direction = Direction.SENDRECV, *codecs: str, version: int = 0) -> LocalMedia:
        offers = tuple(codec_offer(name) for name in codecs or ("pcmu", "telephone-event"))
        return LocalMedia("127.0.0.1", self.ear.address[1], offers, direction=direction, version=version)

    async def saw(self, kind: type[_Event]) -> _Event:
        """Wait for an event of that kind; others are passed over."""
        async with asyncio.timeout(5):
            async for event in self._events:
                if isinstance(event, kind):
                    return event
        raise AssertionError("the rim closed")

    async def heard(self, n_packets: int) -> None:
        await asyncio.to_thread(self.ear.wait_for, n_packets)

    async def invites(self, phone: Phone, sdp: bytes | None) -> SessionId:
        target = Uri("sip", "phone", "127.0.0.1", phone.sip_port, ())
        flow = await self.rim.flow_to(target)
        return self.rim.do(
            lambda now: self.endpoint.invite(
                target=target, flow=flow, from_=NameAddr(None, self.uri), sdp=sdp, now=now
            )
        )


@asynccontextmanager
async def peer(**config: object) -> AsyncIterator[Peer]:
    settings = {"trusted_sources": frozenset({"127.0.0.1"})} | config
    endpoint = Endpoint(EndpointConfig(**settings), SeededIds(7))  # type: ignore[arg-type]
    with RtpEar() as ear:
        async with SipRim(endpoint, ["udp:127.0.0.1:0"]) as rim:
            yield Peer(rim, endpoint, ear)


def run(scene: Callable[[Peer], Awaitable[None]], **config: object) -> None:
    async def play() -> None:
        async with asyncio.timeout(10), peer(**config) as other:
            await scene(other)

    asyncio.run(play())


def phone(**config: object) -> Phone:
    settings = PhoneConfig(**config)  # type: ignore[arg-type]
    return Phone(settings, answer_with=voice(tone_hz=440.0).make)


def test_a_phone_registers_with_its_password_and_leaves_again() -> None:
    async def scene(registrar: Peer) -> None:
        async with phone(user="bob") as bob:
            seconds = await bob.register(registrar.uri, Credentials("bob", "secret"))
            assert seconds > 0
            assert (await registrar.saw(BindingChanged)).expires_s > 0
        assert (await registrar.saw(BindingChanged)).expires_s == 0
        assert registrar.endpoint.bindings("bob") == ()

    run(scene, users={"bob": "secret"})


def test_a_wrong_password_is_said_with_its_status() -> None:
    async def scene(registrar: Peer) -> None:
        async with phone(user="bob") as bob:
            with pytest.raises(CallFailed) as caught:
                await bob.register(registrar.uri, Credentials("bob", "guess"))
            assert caught.value.status in {401, 403}

    run(scene, users={"bob": "secret"})


def test_a_call_answers_a_challenge_and_hears_who_it_is() -> None:
    async def scene(other: Peer) -> None:
        async with phone(user="bob", credentials=Credentials("bob", "secret")) as bob:
            call = await bob.dial(other.uri, voice(tone_hz=300.0).make)
            offered = await other.saw(SessionOffered)
            assert offered.user == "bob"
            other.rim.do(lambda now: other.endpoint.reject(offered.session, status=486, now=now))
            with pytest.raises(CallFailed, match="Busy") as caught:
                await bob.until_answered(call)
            assert caught.value.status == 486

    run(scene, users={"bob": "secret"}, trusted_sources=frozenset())


def test_a_late_offer_is_made_in_the_200_and_answered_in_the_ack() -> None:
    async def scene(other: Peer) -> None:
        async with phone() as called:
            session = await other.invites(called, None)
            answered = await other.saw(SessionAnswered)
            assert answered.sdp is not None
            mine, _ = answer(parse_sdp_untrusted(answered.sdp), other.media())
            other.rim.do(lambda now: other.endpoint.accept_offer(session, sdp=mine.to_bytes(), now=now))
            await other.heard(5)
            call = await called.incoming.get()
            assert call.answered_s is not None

    run(scene)


def test_hold_stops_the_sound_and_resume_goes_on_with_the_same_stream() -> None:
    async def scene(other: Peer) -> None:
        async with phone() as called:
            first = write_offer(other.media())
            session = await other.invites(called, first.to_bytes())
            await other.saw(SessionAnswered)
            await other.heard(5)

            hold = write_offer(other.media(Direction.INACTIVE), previous=first)
            other.rim.do(lambda now: other.endpoint.reoffer(session, sdp=hold.to_bytes(), now=now))
            held = await other.saw(OfferAnswered)
            assert held.sdp is not None
            assert b"a=inactive" in held.sdp

            resume = write_offer(other.media(), previous=hold)
            n_before = len(other.ear.heard())
            other.rim.do(lambda now: other.endpoint.reoffer(session, sdp=resume.to_bytes(), now=now))
            await other.saw(OfferAnswered)
            await other.heard(n_before + 5)
            assert len({each.packet.ssrc for each in other.ear.heard()}) == 1
            assert other.ear.missing() == 0

    run(scene)


def test_a_re_invite_without_a_common_codec_is_refused_and_the_call_goes_on() -> None:
    async def scene(other: Peer) -> None:
        async with phone(codecs=("pcmu",)) as called:
            first = write_offer(other.media())
            session = await other.invites(called, first.to_bytes())
            await other.saw(SessionAnswered)
            other_codec = write_offer(other.media(Direction.SENDRECV, "pcma"), previous=first)
            other.rim.do(lambda now: other.endpoint.reoffer(session, sdp=other_codec.to_bytes(), now=now))
            assert (await other.saw(OfferRefused)).status == 488
            await other.heard(len(other.ear.heard()) + 5)

    run(scene)


def test_keys_that_come_by_info_are_heard() -> None:
    """RFC 6086 legacy usage: `10` and `11` are star and hash, spaces and bare LF occur."""

    async def scene(other: Peer) -> None:
        async with phone() as called:
            session = await other.invites(called, write_offer(other.media()).to_bytes())
            await other.saw(SessionAnswered)
            call = await called.incoming.get()
            for body in (b"Signal=5\r\nDuration=160\r\n", b"Signal= 10\nDuration= 90", b"Signal=99", b"x"):
                other.rim.do(
                    lambda now, body=body: other.endpoint.send_info(
                        session, content_type="application/dtmf-relay", body=body, now=now
                    )
                )
            await until(lambda: len(call.keys) == 2)
            assert [(key.key, key.duration_ms) for key in call.keys] == [("5", 160), ("*", 90)]

    run(scene)


def test_a_phone_that_only_calls_is_busy() -> None:
    async def scene(other: Peer) -> None:
        async with Phone(PhoneConfig()) as caller:
            await other.invites(caller, write_offer(other.media()).to_bytes())
            assert (await other.saw(SessionEnded)).cause.status == 486

    run(scene)


def test_hanging_up_while_it_rings_cancels_the_call() -> None:
    async def scene(other: Peer) -> None:
        async with phone() as caller:
            call = await caller.dial(other.uri, voice(tone_hz=300.0).make)
            offered = await other.saw(SessionOffered)
            other.rim.do(lambda now: other.endpoint.ring(offered.session, now=now))
            await until(lambda: call.ringing_s is not None)
            caller.hang_up(call)
            assert (await other.saw(SessionEnded)).cause.by == "remote"
            with pytest.raises(CallFailed):
                await caller.until_answered(call)

    run(scene)


def test_early_media_is_heard_before_the_answer() -> None:
    async def scene(other: Peer) -> None:
        async with phone() as caller:
            call = await caller.dial(other.uri, voice(tone_hz=300.0).make)
            offered = await other.saw(SessionOffered)
            assert offered.sdp is not None
            mine, agreed = answer(parse_sdp_untrusted(offered.sdp), other.media())
            sdp = mine.to_bytes()
            other.rim.do(lambda now: other.endpoint.ring(offered.session, status=183, sdp=sdp, now=now))
            await other.heard(3)
            assert call.answered_s is None
            other.rim.do(lambda now: other.endpoint.answer(offered.session, sdp=sdp, now=now))
            await other.saw(SessionConfirmed)
            await caller.until_answered(call)
            assert agreed.remote is not None

    run(scene)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until the condition holds."""
    while not condition():  # noqa: ASYNC110 - it is state that changes, there is no event
        await asyncio.sleep(0)
