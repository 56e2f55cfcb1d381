"""What members of a conference hear, by frequency, through a real media plane."""

import asyncio

import numpy as np

import voicecodecs
from gateway.sip.events import SessionAnswered
from gateway.switch.records import Number
from gateway.switch.steering import ParticipantCommand
from gateway.testing.application import APPLICATION, application_board
from gateway.testing.audio import tone, tone_level
from gateway.testing.phone import port_in
from gateway.testing.plane_port import PlanePort, Talker
from gateway.testing.switchboard import SWITCH
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
DID = "+46700000001"
VOICES_HZ = {"alice": 400, "bob": 700, "carol": 1100}
AUDIBLE_DBOV = -30.0
WITHIN_S = 0.1


class Room:
    """Three phones in one conference; each says its own tone all the time."""

    def __init__(self, house, plane):
        self.house, self.plane = house, plane
        self.phones, self.calls, self.ports = {}, {}, {}

    async def fill(self):
        self.house.server.says("ice", {"action": {"name": "connectConf", "conferenceId": "standup"}})
        for name in VOICES_HZ:
            self.phones[name] = await self.house.board.phone(name, formats=(0, 101))
            self.calls[name] = await self.phones[name].call(DID)
            answered = await self.calls[name].expect(SessionAnswered)
            self.ports[name] = port_in(answered.sdp)

    async def talk(self, seconds):
        await asyncio.gather(*(self._say(name, hertz, seconds) for name, hertz in VOICES_HZ.items()))

    async def _say(self, name, hertz, seconds):
        phone = self.phones[name]
        frames = voicecodecs.encode_frames(tone(hertz, duration_ms=1000 * seconds), "pcmu")
        payloads = [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]
        mouth = Talker(self.plane, (phone.host, phone.rtp_port), payload_type=0, ssrc=hertz)
        await mouth.say(payloads, to=self.ports[name])

    def heard(self, name, *, last_s):
        """Return whose voices a phone heard in the last seconds."""
        phone, now = self.phones[name], asyncio.get_running_loop().time()
        packets = [each for each in self.plane.ears[phone.host, phone.rtp_port] if each.at >= now - last_s]
        frames = [each.payload[i : i + 80] for each in packets for i in (0, 80)]
        pcm = voicecodecs.decode_frames(frames, "pcmu").astype(np.int16)
        return {who for who, hertz in VOICES_HZ.items() if tone_level(pcm, hertz) > AUDIBLE_DBOV}

    def call_of(self, name):
        return next(each.call for each in self.house.desk.conference(KEY, "standup") if each.cli == name)

    def command(self, name, command):
        self.house.desk.command(KEY, "standup", self.call_of(name), command)

    def empty(self):
        self.house.desk.kick_all(KEY, "standup")


def in_a_room(scenario):
    async def run():
        plane = PlanePort(address=SWITCH)
        async with application_board(numbers=[Number(DID, KEY)], plane=plane) as house:
            room = Room(house, plane)
            await room.fill()
            await scenario(room)
            room.empty()

    run_virtual(run())


def test_each_of_three_hears_the_two_others():
    async def scenario(room):
        await room.talk(1.0)

        for name in VOICES_HZ:
            assert room.heard(name, last_s=0.5) == set(VOICES_HZ) - {name}

    in_a_room(scenario)


async def after(room, act):
    """Do something while all three talk; return what each hears from a tenth of a second later on."""
    talking = asyncio.ensure_future(room.talk(1.5))
    await asyncio.sleep(1.0)
    act()
    await talking
    return {name: room.heard(name, last_s=0.5 - WITHIN_S) for name in VOICES_HZ}


def test_whoever_is_muted_is_not_heard_within_a_tenth_of_a_second():
    async def scenario(room):
        heard = await after(room, lambda: room.command("alice", ParticipantCommand.MUTE))

        assert heard == {"alice": {"bob", "carol"}, "bob": {"carol"}, "carol": {"bob"}}

    in_a_room(scenario)


def test_whoever_is_held_neither_hears_nor_is_heard():
    async def scenario(room):
        heard = await after(room, lambda: room.command("alice", ParticipantCommand.HOLD))

        assert heard == {"alice": set(), "bob": {"carol"}, "carol": {"bob"}}

    in_a_room(scenario)


def test_whoever_is_kicked_is_gone_within_a_tenth_of_a_second():
    async def scenario(room):
        heard = await after(room, lambda: room.house.desk.kick(KEY, "standup", room.call_of("alice")))

        assert (heard["bob"], heard["carol"]) == ({"carol"}, {"bob"})

    in_a_room(scenario)
