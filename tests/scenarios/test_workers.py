"""A switch with two media processes: a conference that has one seat in each is still one conference."""

import asyncio
from contextlib import ExitStack

import voicecodecs
from gateway.testing.audio import tone, tone_level
from gateway.testing.media_workers import audio_of, pcm_of
from gateway.testing.wire_phone import speaking, wire_phone

NOTES = {"alice": 500.0, "bob": 900.0}
_SECOND = 50


def song(hz):
    frames = voicecodecs.encode_frames(tone(hz, duration_ms=1000), "pcmu")
    return [first + second for first, second in zip(frames[::2], frames[1::2], strict=True)]


def test_two_people_in_a_conference_over_two_media_processes_hear_each_other(serve):
    switch = serve(media_settings="workers = 2\nroom_legs = 1")

    async def scenario():
        async with wire_phone("alice", switch) as alice, wire_phone("bob", switch) as bob:
            with ExitStack() as talking:
                for phone, hz in ((alice, 500.0), (bob, 900.0)):
                    await phone.dial("conf-two")
                    talking.enter_context(speaking(phone.ear, phone.switch, payloads=song(hz)))
                await bob.hears(4 * _SECOND)
            held = await asyncio.to_thread(switch.census)
            return held, {"alice": alice.ear.heard(), "bob": bob.ear.heard()}

    held, heard = asyncio.run(scenario())

    assert held["media_legs"] == 4  # two people, and both ends of the trunk between the processes
    for name, stream in heard.items():
        last = pcm_of(audio_of(stream)[-2 * _SECOND :])
        levels = {who: tone_level(last, hz) for who, hz in NOTES.items()}
        other = levels.pop("bob" if name == "alice" else "alice")
        assert other > -20
        assert levels[name] < -50
