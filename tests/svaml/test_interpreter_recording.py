"""Recording in all forms of the wire format, through a real plane and the real recorder, in virtual time."""

import asyncio
import json

import numpy as np
import pytest

import voicecodecs
from gateway.sip.events import SessionAnswered
from gateway.switch.records import Number
from gateway.testing.application import APPLICATION, application_board
from gateway.testing.audio import tone, tone_level
from gateway.testing.phone import port_in
from gateway.testing.plane_port import PlanePort, Talker
from gateway.testing.recorder import VirtualRecorder
from gateway.testing.switchboard import SWITCH
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
DID = "+46700000001"
TONES_HZ = {"alice": 440, "bob": 1000, "carol": 2100}
WAV = {"format": "wav"}
TO_BOB = {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}
CONTINUE = {"name": "continue"}
START = {"name": "startRecording", "options": WAV}
STOP = {"name": "stopRecording"}


class Studio:
    """A switch that records, and its phones, each of which says a tone."""

    def __init__(self, house, plane, recorder):
        self.house, self.plane, self.recorder = house, plane, recorder
        self.calls, self.ports, self.phones = {}, {}, {}

    async def call(self, name="alice"):
        """Let somebody call the application, and be answered."""
        await self.switch_on(name)
        self.calls[name] = await self.phones[name].call(DID)
        self.ports[name] = port_in((await self.calls[name].expect(SessionAnswered)).sdp)

    async def switch_on(self, name):
        self.phones[name] = await self.house.board.phone(name, formats=(0, 101))

    async def talk(self, seconds, *names):
        await asyncio.gather(*(self._say(name, seconds) for name in names))

    async def _say(self, name, seconds):
        frames = voicecodecs.encode_frames(tone(TONES_HZ[name], duration_ms=1000 * seconds), "pcmu")
        payloads = [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]
        phone = self.phones[name]
        mouth = Talker(self.plane, (phone.host, phone.rtp_port), payload_type=0, ssrc=TONES_HZ[name])
        await mouth.say(payloads, to=self.ports[name])

    async def order(self, document):
        """Send a PATCH for alice's call."""
        call = next(iter(self.house.desk.ongoing())).call
        await self.house.desk.manage(KEY, call, json.dumps(document).encode())
        await asyncio.sleep(0)

    def hang_up(self, name="alice"):
        self.calls[name].hang_up()

    async def told(self):
        """Return what the application is told of recordings, once that is all."""
        await asyncio.sleep(1.0)
        return [body for body in self.house.outbox.bodies("notify") if body["type"].startswith("recording")]


def in_a_studio(tmp_path, scenario):
    async def run():
        plane = PlanePort(address=SWITCH)
        recorder = VirtualRecorder(plane.rings, tmp_path)
        async with application_board(numbers=[Number(DID, KEY)], plane=plane, recorder=recorder) as house:
            await scenario(Studio(house, plane, recorder))

    run_virtual(run())


async def bridged(studio):
    """Let alice call bob by way of the application."""
    await studio.switch_on("bob")
    ringing = asyncio.ensure_future(studio.call())
    theirs = await studio.phones["bob"].rung()
    studio.ports["bob"] = port_in(theirs.offer)
    await theirs.answer()
    await ringing


def test_the_caller_is_on_the_left_and_the_called_party_on_the_right(tmp_path):
    async def scenario(studio):
        studio.house.server.says("ice", {"instructions": [START], "action": TO_BOB})
        await bridged(studio)
        await studio.talk(1.0, "alice", "bob")
        studio.hang_up()
        await studio.told()

        left, right = studio.recorder.heard()[-6000:-2000].T
        assert tone_level(left, 440) > -17
        assert tone_level(right, 1000) > -17
        assert max(tone_level(left, 1000), tone_level(right, 440)) < -60

    in_a_studio(tmp_path, scenario)


def test_what_is_recorded_is_told_by_name(tmp_path):
    async def scenario(studio):
        studio.house.server.says(
            "ice", {"instructions": [{"name": "answer"}, START], "action": {"name": "park"}}
        )
        await studio.call()
        await studio.talk(1.0, "alice")
        studio.hang_up()

        (order,) = studio.recorder.orders
        url = f"http://switch.example/calling/v1/recording/{order.name}"
        call = studio.house.server.told("ice")["callid"]
        assert await studio.told() == [
            {"event": "notify", "callid": call, "version": 1, "type": "recording_finished"},
            {
                "event": "notify",
                "callid": call,
                "version": 1,
                "type": "recording_available",
                "destination": url,
            },
        ]
        assert order.name.endswith(f"_{KEY}_{call}.wav")
        pcm = studio.recorder.heard()
        assert tone_level(pcm[4000:8000, 0], 440) > -17
        assert pcm.shape[0] / 8000 == pytest.approx(1.0, abs=0.1)

    in_a_studio(tmp_path, scenario)


def test_an_application_that_wants_no_news_gets_none(tmp_path):
    async def scenario(studio):
        silent = {"name": "startRecording", "options": WAV | {"notificationEvents": False}}
        studio.house.server.says(
            "ice", {"instructions": [{"name": "answer"}, silent], "action": {"name": "park"}}
        )
        await studio.call()
        await studio.talk(0.5, "alice")
        studio.hang_up()

        assert await studio.told() == []
        assert studio.recorder.heard().shape[0] > 0

    in_a_studio(tmp_path, scenario)


def test_a_caller_who_transfers_is_followed_by_the_one_who_stays(tmp_path):
    async def scenario(studio):
        studio.house.server.says("ice", {"instructions": [START], "action": TO_BOB})
        await bridged(studio)
        await studio.talk(0.5, "alice", "bob")
        await studio.switch_on("carol")
        studio.calls["alice"].refer("carol")
        theirs = await studio.phones["carol"].rung()
        studio.ports["carol"] = port_in(theirs.offer)
        await theirs.answer()
        await asyncio.sleep(1.0)
        await studio.talk(2.0, "bob", "carol")
        theirs.hang_up()
        await studio.told()

        left, right = studio.recorder.heard()[-6000:-2000].T
        assert tone_level(left, 2100) > -17
        assert tone_level(right, 1000) > -17
        assert max(tone_level(left, 1000), tone_level(right, 2100)) < -60

    in_a_studio(tmp_path, scenario)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ({"instructions": [START], "action": CONTINUE}, {"instructions": [STOP], "action": CONTINUE}),
        ({"action": {"name": "startRecording", "recordingOptions": WAV}}, {"action": STOP}),
        ({"action": {"name": "continue", "record": True, "recordingOptions": WAV}}, {"action": STOP}),
    ],
)
def test_a_call_under_way_is_recorded_from_one_order_to_another(tmp_path, start, stop):
    async def scenario(studio):
        conference = {"name": "connectConf", "conferenceId": "alone"}
        studio.house.server.says("ice", {"action": conference})
        await studio.call()
        talking = asyncio.ensure_future(studio.talk(3.0, "alice"))
        await asyncio.sleep(1.0)
        await studio.order(start)
        await asyncio.sleep(1.0)
        await studio.order(stop)
        await talking

        pcm = studio.recorder.heard()
        assert pcm.shape == (8000, 2)
        assert tone_level(pcm[:, 0], 440) > -17
        studio.hang_up()

    in_a_studio(tmp_path, scenario)


def test_a_conference_is_recorded_until_the_last_one_has_left(tmp_path):
    async def scenario(studio):
        action = {"name": "connectConf", "conferenceId": "standup", "record": True, "recordingOptions": WAV}
        studio.house.server.says("ice", {"action": action})
        for name in TONES_HZ:
            await studio.call(name)
        await studio.talk(1.0, *TONES_HZ)
        for name in TONES_HZ:
            studio.hang_up(name)

        told = await studio.told()
        (order,) = studio.recorder.orders
        (mix,) = studio.recorder.heard().T
        last = mix[-6000:-2000]
        assert [each["type"] for each in told] == ["recording_finished", "recording_available"]
        assert order.name.startswith(f"standup.{KEY}.")
        assert all(tone_level(last, hertz) > -18 for hertz in TONES_HZ.values())

    in_a_studio(tmp_path, scenario)


def test_a_conference_is_recorded_bit_for_bit_as_a_silent_member_hears_it(tmp_path):
    async def scenario(studio):
        action = {"name": "connectConf", "conferenceId": "standup", "record": True, "recordingOptions": WAV}
        for instructions, record in (([], True), ([], False), ([START], False)):
            document = {"instructions": instructions, "action": action | {"record": record}}
            studio.house.server.says("ice", document)
        for name in TONES_HZ:
            await studio.call(name)
        await studio.talk(1.0, "alice", "bob")
        for name in TONES_HZ:
            studio.hang_up(name)
        await studio.told()

        mix, heard = studio.recorder.heard(0)[:, 0], studio.recorder.heard(1)[:, 1]
        assert heard.any()
        assert found_in(heard[4000:8000], mix)

    in_a_studio(tmp_path, scenario)


def found_in(part, whole):
    """Say whether some samples stand somewhere in others, bit for bit."""
    return part.tobytes() in whole.tobytes() and np.ptp(part) > 0


def test_a_place_that_is_none_costs_the_recording_and_not_the_call(tmp_path):
    async def scenario(studio):
        nowhere = {"name": "startRecording", "options": {"destinationUrl": "ftp://example.org/"}}
        studio.house.server.says(
            "ice", {"instructions": [{"name": "answer"}, nowhere], "action": {"name": "park"}}
        )
        await studio.call()

        (failed,) = studio.house.board.log.all("recording.failed")
        assert "not to 'ftp://example.org/'" in failed["reason"]
        studio.hang_up()

    in_a_studio(tmp_path, scenario)


def test_rings_are_free_again(tmp_path):
    async def scenario(studio):
        studio.house.server.says(
            "ice", {"instructions": [{"name": "answer"}, START], "action": {"name": "park"}}
        )
        for _ in range(6):  # there are rings for four
            await studio.call()
            await studio.talk(0.1, "alice")
            studio.hang_up()
            await studio.told()

        assert len(studio.recorder.orders) == 6

    in_a_studio(tmp_path, scenario)
