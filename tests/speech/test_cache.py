"""Sounds that were made once are not made again, and have a bound."""

import asyncio

import numpy as np
import pytest

from gateway.speech.cache import SoundCache, key_of
from gateway.speech.port import SpeechError

PCM = np.arange(100, dtype=np.int16)


class _Maker:
    def __init__(self, *chunks, error=None):
        self.made = 0
        self._chunks = chunks
        self._error = error

    async def __call__(self):
        self.made += 1
        for chunk in self._chunks:
            await asyncio.sleep(0)
            yield chunk
        if self._error:
            raise self._error


async def _heard(take):
    return np.concatenate([chunk async for chunk in take.listen()])


def _with(work, *arguments, **options):
    async def run():
        cache = SoundCache(*arguments, **options)
        try:
            return await work(cache)
        finally:
            await cache.close()

    return asyncio.run(run())


def test_many_who_ask_at_once_hear_one_that_is_made_once():
    maker = _Maker(PCM, PCM)

    async def work(cache):
        return await asyncio.gather(*(_heard(cache.take("k", maker)) for _ in range(5)))

    heard = _with(work)

    assert maker.made == 1
    assert all((each == np.concatenate([PCM, PCM])).all() for each in heard)


def test_it_is_heard_before_it_is_whole():
    async def work(cache):
        going_on = asyncio.Event()

        async def make():
            yield PCM
            await going_on.wait()

        listening = cache.take("k", make).listen()
        first = await anext(listening)
        going_on.set()
        return first

    assert _with(work).size == PCM.size


def test_it_comes_from_memory_the_second_time():
    maker = _Maker(PCM)

    async def work(cache):
        await _heard(cache.take("k", maker))
        await asyncio.sleep(0)
        return await _heard(cache.take("k", maker))

    assert _with(work).tolist() == PCM.tolist()
    assert maker.made == 1


def test_it_comes_from_disk_after_a_restart(tmp_path):
    maker = _Maker(PCM)

    async def once(cache):
        pcm = await _heard(cache.take("k", maker))
        await asyncio.gather(*cache._makers)
        return pcm

    assert _with(once, tmp_path).tolist() == _with(once, tmp_path).tolist()
    assert maker.made == 1


def test_memory_and_disk_have_their_bounds(tmp_path):
    async def work(cache):
        for key in "abcd":
            await _heard(cache.take(key, _Maker(PCM)))
            await asyncio.gather(*cache._makers)
        return list(cache._memory)

    assert _with(work, tmp_path, memory_bytes=450, disk_bytes=650) == ["c", "d"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 600


def test_an_error_reaches_everybody_and_is_not_kept():
    maker = _Maker(PCM, error=SpeechError("no voice"))

    async def work(cache):
        for _ in range(2):
            with pytest.raises(SpeechError, match="no voice"):
                await _heard(cache.take("k", maker))

    _with(work)

    assert maker.made == 2


def test_a_disk_that_cannot_be_written_costs_nothing_but_time(tmp_path):
    (tmp_path / "file").write_text("no directory")

    async def work(cache):
        return await _heard(cache.take("k", _Maker(PCM)))

    assert _with(work, tmp_path / "file").size == PCM.size


def test_keys_know_borders():
    assert key_of("ab", "c") != key_of("a", "bc")
