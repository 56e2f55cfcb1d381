"""A room over two real workers: everybody hears all others, nobody hears himself."""

import asyncio

from gateway.testing.audio import tone_level
from gateway.testing.media_workers import assert_one_stream, audio_of, longest_step_ms, media_workers, pcm_of

NOTES = {"a": 500.0, "b": 900.0, "c": 1300.0}
_SECOND = 50


def test_people_at_two_workers_are_in_one_room(temporary):
    async def scenario():
        async with media_workers(temporary, workers=2, seats=2) as house:
            phones = {name: await house.phone(name) for name in NOTES}
            for phone in phones.values():
                house.join("room", phone)
            with phones["a"].singing(500), phones["b"].singing(900), phones["c"].singing(1300):
                await phones["c"].hears(4 * _SECOND)
            homes = [house.worker_of(phone) for phone in phones.values()]
            return homes, {name: audio_of(phone.ear.heard()) for name, phone in phones.items()}

    homes, heard = asyncio.run(scenario())

    assert homes == [homes[0], homes[0], 1 - homes[0]]
    for name, stream in heard.items():
        assert_one_stream(stream)
        last = pcm_of(stream[-2 * _SECOND :])
        levels = {other: tone_level(last, hz) for other, hz in NOTES.items()}
        others = [level for other, level in levels.items() if other != name]
        assert min(others) > -18, levels
        assert levels[name] < -50, levels
        assert longest_step_ms(stream[-2 * _SECOND :]) <= 40
