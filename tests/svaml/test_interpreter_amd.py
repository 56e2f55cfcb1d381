"""`amd`: an application is told who has answered, through a real media plane."""

import asyncio

import numpy as np
import pytest

import voicecodecs
from gateway.sip.events import SessionAnswered
from gateway.testing.application import NUMBER, application_board
from gateway.testing.greetings import long_greeting, short_greeting
from gateway.testing.phone import port_in
from gateway.testing.plane_port import PlanePort, Talker
from gateway.testing.switchboard import SWITCH
from gateway.testing.virtual_time import run_virtual

HANG_UP = {"action": {"name": "hangup"}}


class Answered:
    """Alice calls a number, and whoever answers begins to speak."""

    def __init__(self, house, plane):
        self.house, self.plane = house, plane

    async def begin(self, pcm, *, asynchronous, **action):
        amd = {"enabled": True, "async": asynchronous}
        self.house.server.says("ice", {"action": {"name": "connectPstn", "amd": amd, **action}})
        alice, carrier = await self.house.board.phone("alice"), await self.house.carrier()
        self.calling = await alice.call(NUMBER)
        self.ringing = await carrier.rung()
        await self.ringing.answer()
        mouth = Talker(self.plane, (carrier.host, carrier.rtp_port), payload_type=0, ssrc=7)
        frames = voicecodecs.encode_frames(pcm[: pcm.size // 160 * 160], "pcmu")
        packets = [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]
        self.speaking = asyncio.ensure_future(mouth.say(packets, to=port_in(self.ringing.offer)))

    @property
    def callee_row(self):
        (row,) = (row for row in self.plane.rows.values() if row.leg == self.callee)
        return row

    @property
    def callee(self):
        return next(leg for leg, port in self.plane.leases.items() if port == port_in(self.ringing.offer))

    def notified(self):
        return [(each["type"], each["amd"]) for each in self.house.outbox.bodies("notify")]


def when_answered(scenario):
    async def run():
        plane = PlanePort(address=SWITCH)
        async with application_board(plane=plane) as house:
            answered = Answered(house, plane)
            await scenario(house, answered)
            await answered.speaking

    run_virtual(run())


@pytest.mark.parametrize(
    ("greeting", "status", "reason"),
    [(short_greeting, "human", "greeting"), (long_greeting, "machine", "longgreeting")],
)
def test_a_synchronous_ace_waits_for_the_verdict_and_carries_it(greeting, status, reason):
    async def scenario(house, answered):
        house.server.says("ace", HANG_UP)
        await answered.begin(greeting(), asynchronous=False)
        await house.board.settle(1.0)
        assert "ace" not in house.server.events

        await answered.ringing.ended()
        amd = house.server.told("ace")["amd"]
        assert (amd["status"], amd["reason"]) == (status, reason)
        assert 1 < amd["duration"] <= 4
        assert answered.notified() == []

    when_answered(scenario)


def test_a_caller_is_connected_after_the_verdict():
    async def scenario(house, answered):
        await answered.begin(short_greeting(), asynchronous=False)
        await answered.calling.expect(SessionAnswered)

        assert house.server.told("ace")["amd"]["status"] == "human"
        assert answered.callee_row.answering is None
        answered.calling.hang_up()

    when_answered(scenario)


def test_an_asynchronous_verdict_and_the_beep_are_told_while_the_call_goes_on():
    async def scenario(house, answered):
        await answered.begin(long_greeting(), asynchronous=True)
        await answered.calling.expect(SessionAnswered)
        assert house.server.told("ace")["amd"] == {"status": "inprogress", "reason": "n/a", "duration": 0}
        assert answered.notified() == []

        await house.board.settle(8.0)
        (verdict_type, verdict), (beep_type, beeped) = answered.notified()
        assert (verdict_type, beep_type) == ("amd", "amd_beep")
        assert (verdict["status"], verdict["reason"]) == ("machine", "longgreeting")
        assert (beeped["status"], beeped["reason"]) == ("machine", "beep")
        assert verdict["duration"] <= 4 < beeped["duration"]
        assert answered.callee_row.answering is None
        answered.calling.hang_up()

    when_answered(scenario)


def test_a_person_who_answered_is_relayed_after_the_verdict():
    async def scenario(house, answered):
        await answered.begin(short_greeting(then_s=6), asynchronous=True)
        await house.board.settle(6.0)

        assert [verdict["status"] for _, verdict in answered.notified()] == ["human"]
        assert answered.plane.plane.statistics(answered.callee).mode == "relay"
        answered.calling.hang_up()

    when_answered(scenario)


def test_a_call_goes_on_when_the_verdict_cannot_be_told():
    async def scenario(house, answered):
        house.outbox.full = True
        await answered.begin(short_greeting(then_s=4), asynchronous=True)
        await house.board.settle(4.0)
        house.outbox.full = False
        assert answered.notified() == []

        answered.calling.hang_up()
        await answered.ringing.ended()
        await house.board.settle()
        assert house.dice()["reason"] == "CALLERHANGUP"

    when_answered(scenario)


def test_a_call_that_is_over_before_the_verdict_is_told_as_a_hangup():
    async def scenario(house, answered):
        await answered.begin(long_greeting(), asynchronous=True)
        await house.board.settle(1.0)
        answered.ringing.hang_up()
        await answered.calling.ended()
        await house.board.settle()

        ((kind, amd),) = answered.notified()
        assert (kind, amd["status"], amd["reason"]) == ("amd", "hangup", "n/a")
        assert amd["duration"] == pytest.approx(1.0, abs=0.2)

    when_answered(scenario)


def test_a_call_that_is_over_before_a_synchronous_verdict_has_no_ace():
    async def scenario(house, answered):
        await answered.begin(long_greeting(), asynchronous=False)
        await house.board.settle(1.0)
        answered.calling.hang_up()
        await answered.ringing.ended()
        await house.board.settle()

        assert house.server.events == ["ice"]
        assert answered.notified() == []

    when_answered(scenario)


def test_nobody_listens_where_nobody_wants_callbacks():
    async def scenario(house, answered):
        await answered.begin(np.zeros(16_000, np.int16), asynchronous=True, suppressCallbacks=True)
        await house.board.settle(1.0)

        assert answered.callee_row.answering is None
        answered.calling.hang_up()

    when_answered(scenario)
