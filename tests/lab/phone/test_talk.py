"""Two whole test phones on the loopback interface: SIP by the engine, RTP by their own media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.errors import LocalError
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.choices import Voice, voice
from gateway.lab.phone.phone import CallFailed
from gateway.lab.phone.reach import destination
from gateway.lab.phone.summary import PhoneReport, summarise
from gateway.lab.phone.talk import AnswerPlan, CallPlan, make_call, take_calls
from gateway.sip.authentication import Credentials
from gateway.sip.uri import Uri
from gateway.testing.rtp_peer import RtpEar

ECHO = AnswerPlan(voice=voice(echo=True), n_calls=1)


def plan(target: Uri, said: Voice, *, duration_s: float | None = None, keys: str = "") -> CallPlan:
    return CallPlan(target=target, voice=said, duration_s=duration_s, keys=keys)


async def talk(
    answering: AnswerPlan,
    calling: Callable[[Uri], CallPlan],
    *,
    started: Callable[[PhoneCall, asyncio.Event], None] = lambda call, stop: None,
) -> tuple[PhoneReport, PhoneReport]:
    """Let one phone call another; return what the caller and the callee report."""
    where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as phones:
        taken = phones.create_task(take_calls(answering, asyncio.Event(), ready=where.set_result))
        target = destination(await where)
        made = phones.create_task(make_call(calling(target), stop, started=lambda call: started(call, stop)))
    return summarise(made.result()), summarise(taken.result()[0])


@pytest.mark.parametrize(("transport", "duration_s"), [("udp", 3.0), ("tcp", 2.0)])
def test_an_echo_is_recognised_whole_and_keys_arrive_once(transport: str, duration_s: float) -> None:
    def calling(target: Uri) -> CallPlan:
        return plan(destination(str(target), transport=transport), voice(), duration_s=duration_s, keys="12#")

    caller, callee = asyncio.run(talk(ECHO, calling))

    assert caller.call.correlation is not None
    assert caller.call.correlation > 0.98
    assert caller.call.gaps == ()
    assert caller.call.packets_lost == callee.call.packets_lost == 0
    assert callee.call.digits_heard == "12#"
    assert caller.call.packets_received == pytest.approx(50 * duration_s, abs=5)
    assert (caller.ended_by, callee.ended_by) == ("local", "remote")
    assert caller.call.mos is not None
    assert caller.call.mos > 4.0


def test_the_codec_is_the_first_that_both_have() -> None:
    answering = replace(ECHO, codecs=("pcma",), duration_s=0.3)

    caller, callee = asyncio.run(talk(answering, lambda target: plan(target, voice(tone_hz=440.0))))

    assert caller.call.codec == callee.call.codec == "pcma"
    assert caller.codecs_heard.keys() == {"pcma"}
    assert (caller.ended_by, callee.ended_by) == ("remote", "local")


def test_no_codec_in_common_is_said_with_its_status() -> None:
    async def fail() -> None:
        where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as phones:
            phones.create_task(take_calls(replace(ECHO, codecs=("pcma",)), stop, ready=where.set_result))
            calling = replace(plan(destination(await where), voice()), codecs=("pcmu",))
            try:
                await make_call(calling, asyncio.Event())
            finally:
                stop.set()

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(fail())

    (error,) = caught.value.exceptions
    assert isinstance(error, CallFailed)
    assert error.status == 488


def test_ctrl_c_hangs_up_and_the_other_end_hears_of_it() -> None:
    def interrupt(call: PhoneCall, stop: asyncio.Event) -> None:
        asyncio.get_running_loop().call_later(0.3, stop.set)

    caller, callee = asyncio.run(
        talk(ECHO, lambda target: plan(target, voice(tone_hz=440.0)), started=interrupt)
    )

    assert caller.answered
    assert callee.ended_by == "remote"


def test_a_port_in_use_is_said() -> None:
    async def answer_twice() -> None:
        where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as phones:
            phones.create_task(take_calls(ECHO, stop, ready=where.set_result))
            port = destination(await where).port or 0
            try:
                await take_calls(replace(ECHO, port=port), asyncio.Event())
            finally:
                stop.set()

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(answer_twice())

    assert "cannot listen" in str(caught.value.exceptions[0])


def test_a_registrar_that_is_silent_does_not_hold_up_ctrl_c() -> None:
    async def give_up(registrar: Uri) -> list[PhoneCall]:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.2, stop.set)
        plan = replace(ECHO, registrar=registrar, credentials=Credentials("bob", "secret"))
        async with asyncio.timeout(4):
            return await take_calls(plan, stop)

    with RtpEar() as silent:
        assert asyncio.run(give_up(destination(f"sip:127.0.0.1:{silent.address[1]}"))) == []


def test_a_port_where_nobody_listens_fails_at_once() -> None:
    with pytest.raises(LocalError, match=r"nobody listens at 127\.0\.0\.1:9"):
        asyncio.run(make_call(plan(destination("sip:echo@127.0.0.1:9"), voice()), asyncio.Event()))
