"""The two things a test phone does: make one call, or take calls until told to stop.

Both are plain coroutines with a `stop` event, so the command line, a scenario and another program can use
them alike.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gateway.errors import LocalError
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.choices import Voice
from gateway.lab.phone.phone import CallFailed, Phone, PhoneConfig
from gateway.lab.phone.reach import own_address, resolve, somebody_listens
from gateway.sdp.crypto import Srtp
from gateway.sip.authentication import Credentials
from gateway.sip.events import EndCause
from gateway.sip.uri import Uri

__all__ = ["AnswerPlan", "CallPlan", "make_call", "take_calls"]

_ECHO_TAIL_S: Final = 1.0
"""How long one listens after the last word, for an echo to come back whole."""
_KEY_S: Final = 0.30
_KEYS_START_S: Final = 0.60


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPlan:
    """A call to make."""

    target: Uri
    voice: Voice
    keys: str = ""
    """Pressed half a second after the answer."""
    duration_s: float | None = None
    """From the answer; None = until everything is said and pressed, or for ever if the voice has no end."""
    codecs: tuple[str, ...] = ("pcmu", "pcma")
    credentials: Credentials | None = None
    proxy: Uri | None = None
    """Where to send the INVITE, if not to the target's host."""
    srtp: Srtp = Srtp.ACCEPTED
    """What the phone wants of encryption."""

    @property
    def length_s(self) -> float | None:
        """How long the call lasts if nobody ends it."""
        if self.duration_s is not None or self.voice.length_s is None:
            return self.duration_s
        keys_s = _KEYS_START_S + _KEY_S * len(self.keys) if self.keys else 0.0
        return max(self.voice.length_s, keys_s) + _ECHO_TAIL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerPlan:
    """Calls to take."""

    voice: Voice
    registrar: Uri | None = None
    """Register there first, with `credentials`; None = just listen."""
    credentials: Credentials | None = None
    host: str = "127.0.0.1"
    port: int = 0
    """Where to listen; a registered phone is on any port of the address that reaches its registrar."""
    n_calls: int | None = None
    """Stop after that many; None = when told."""
    duration_s: float | None = None
    """Hang up after that long; None = never."""
    codecs: tuple[str, ...] = ("pcmu", "pcma")


async def make_call(
    plan: CallPlan, stop: asyncio.Event, *, started: Callable[[PhoneCall], None] = lambda call: None
) -> PhoneCall:
    """Make one call and return it when it is over; `stop` hangs up.

    Raises:
        CallFailed: nobody took it.
        LocalError: the host has no address, the keys are none, or nobody listens there.
    """
    first_hop = plan.proxy or plan.target
    await _refuse_closed_port(first_hop)
    config = PhoneConfig(
        user=plan.credentials.username if plan.credentials else "tandem",
        credentials=plan.credentials,
        codecs=plan.codecs,
        host=await own_address(first_hop),
        srtp=plan.srtp,
    )
    async with Phone(config) as phone:
        call = await phone.dial(plan.target, plan.voice.make, proxy=plan.proxy)
        if plan.keys:
            call.press("," + plan.keys)
        started(call)
        await _first(call.decided, stop)
        if call.answered_s is not None:
            await _first(call.ended, stop, within_s=plan.length_s)
        phone.hang_up(call)
        await call.ended.wait()
    if call.answered_s is None:
        raise CallFailed(call.cause or EndCause(None, "no reason was given", "remote"))
    return call


async def take_calls(
    plan: AnswerPlan,
    stop: asyncio.Event,
    *,
    ready: Callable[[str], None] = lambda where: None,
    started: Callable[[PhoneCall], None] = lambda call: None,
    ended: Callable[[PhoneCall], None] = lambda call: None,
) -> list[PhoneCall]:
    """Take calls until `plan.n_calls` are over or `stop` is set; return them.

    `ready` is told the phone's address once calls can come.

    Raises:
        CallFailed: the registrar refused or did not answer.
        LocalError: its host has no address, nobody listens there, or our port is in use.
    """
    async with Phone(await _answering(plan), answer_with=plan.voice.make) as phone:
        if not await _registered(phone, plan, stop):
            return []
        ready(f"sip:{phone.config.user}@{_bracketed(phone.config.host)}:{phone.sip_port}")
        taken: list[PhoneCall] = []
        async with asyncio.TaskGroup() as calls:
            while not stop.is_set() and (plan.n_calls is None or len(taken) < plan.n_calls):
                call = await _next(phone.incoming, stop)
                if call is not None:
                    taken.append(call)
                    started(call)
                    calls.create_task(_attend(phone, call, plan.duration_s, stop, ended))
    return taken


async def _answering(plan: AnswerPlan) -> PhoneConfig:
    if plan.registrar is None or plan.credentials is None:
        return PhoneConfig(user="answer", codecs=plan.codecs, host=plan.host, sip_port=plan.port)
    return PhoneConfig(
        user=plan.credentials.username,
        codecs=plan.codecs,
        host=await own_address(plan.registrar),
        callers=frozenset({(await resolve(plan.registrar))[0]}),
    )


async def _registered(phone: Phone, plan: AnswerPlan, stop: asyncio.Event) -> bool:
    """Register if that is planned; False if `stop` came first."""
    if plan.registrar is None or plan.credentials is None:
        return True
    await _refuse_closed_port(plan.registrar)
    registering = asyncio.ensure_future(phone.register(plan.registrar, plan.credentials))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((registering, stopping), return_when=asyncio.FIRST_COMPLETED)
        return registering.done() and registering.result() > 0
    finally:
        registering.cancel()
        stopping.cancel()


async def _attend(
    phone: Phone,
    call: PhoneCall,
    duration_s: float | None,
    stop: asyncio.Event,
    ended: Callable[[PhoneCall], None],
) -> None:
    await _first(call.ended, stop, within_s=duration_s)
    phone.hang_up(call)
    await call.ended.wait()
    ended(call)


async def _refuse_closed_port(uri: Uri) -> None:
    if uri.parameter("transport") in {None, "udp"} and not await somebody_listens(uri):
        raise LocalError(f"nobody listens at {uri.host}:{uri.port or 5060}/udp: is `tandem serve` running?")


async def _first(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or the time is over."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()


async def _next(calls: asyncio.Queue[PhoneCall], stop: asyncio.Event) -> PhoneCall | None:
    """Return the next call; None once `stop` is set."""
    coming, stopping = asyncio.ensure_future(calls.get()), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((coming, stopping), return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else None
    finally:
        coming.cancel()
        stopping.cancel()


def _bracketed(host: str) -> str:
    return f"[{ipaddress.IPv6Address(host)}]" if ":" in host else host
