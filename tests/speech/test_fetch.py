"""Fetching: what the platform allows is played, everything else is refused with its reason."""

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import aiohttp
import pytest
from aiohttp import web

from gateway.callbacks.guard import LOOPBACK, Guard, Names
from gateway.speech.fetch import Fetcher, NotFetched, Refusal

WAV = {"Content-Type": "audio/wav"}
DAY_S = 86_400


class _Guarded:
    """Sessions as the switch makes them: connections go where the guard allows."""

    def __init__(self, guard, names):
        self._session = aiohttp.ClientSession(
            connector=guard.connector(names, trusted=False), cookie_jar=aiohttp.DummyCookieJar()
        )

    def session(self, _url):
        return self._session

    async def close(self):
        await self._session.close()


@asynccontextmanager
async def _world(answer, *, networks=LOOPBACK, **options):
    """Give a fetcher, the URL of a server that answers so, its requests, and a clock to turn."""
    requests, clock = [], SimpleNamespace(now=0.0)

    async def handle(request):
        requests.append(request)
        return await answer(request)

    server = web.Server(handle)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    names = Names()
    sessions = _Guarded(Guard(networks=networks), names)
    try:
        port = runner.addresses[0][1]
        fetcher = Fetcher(sessions, lambda: clock.now, **options)
        yield SimpleNamespace(
            fetcher=fetcher, url=f"http://127.0.0.1:{port}/a.wav", requests=requests, clock=clock
        )
    finally:
        await sessions.close()
        await names.close()
        await runner.cleanup()


def _answering(status=200, body=b"RIFF", headers=WAV):
    async def answer(_request):
        return web.Response(status=status, body=body, headers=headers)

    return answer


def _in_world(work, answer, **options):
    async def run():
        async with _world(answer, **options) as world:
            return await work(world)

    return asyncio.run(run())


async def _refusal(world):
    with pytest.raises(NotFetched) as refused:
        await world.fetcher.fetch(world.url, "app")
    assert str(refused.value)
    return refused.value.refusal


def test_a_sound_is_fetched_with_its_kind():
    async def work(world):
        return await world.fetcher.fetch(world.url, "app")

    file = _in_world(work, _answering(body=b"abc", headers={"Content-Type": "Audio/X-GSM; charset=binary"}))

    assert (file.data, file.kind) == (b"abc", "gsm")


async def _endless(request):
    response = web.StreamResponse(headers=WAV)
    await response.prepare(request)
    try:
        while True:
            await response.write(bytes(65536))
    except ConnectionError:
        return response


async def _silent(_request):
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        (_answering(status=404), Refusal.STATUS),
        (_answering(status=500), Refusal.STATUS),
        (_answering(status=302, headers={**WAV, "Location": "/other.wav"}), Refusal.STATUS),
        (_answering(headers={"Content-Type": "text/plain"}), Refusal.TYPE),
        (_answering(headers={"Content-Type": ""}), Refusal.TYPE),
        (_answering(body=bytes(50_000_000)), Refusal.TOO_LONG),
        (_endless, Refusal.TOO_LONG),
        (_silent, Refusal.LATE),
    ],
    ids=["404", "500", "redirect", "text", "no type", "50 MB", "endless", "silent"],
)
def test_everything_else_is_refused(answer, refusal):
    assert _in_world(_refusal, answer, patience_s=1.0) == refusal


def test_a_forbidden_address_is_not_asked():
    async def work(world):
        return await _refusal(world), world.requests

    assert _in_world(work, _answering(), networks=()) == (Refusal.UNREACHABLE, [])


@pytest.mark.parametrize("url", ["ftp://x/a.wav", "http:///a.wav", "file:///etc/passwd", "http://[::1"])
def test_a_url_that_is_none_is_refused(url):
    async def work(world):
        world.url = url
        return await _refusal(world)

    assert _in_world(work, _answering()) == Refusal.BAD_URL


def _downloads(waits_s, cache_control=None):
    """Return how many downloads a server sees when it is asked after each of these waits."""

    async def work(world):
        for wait_s in waits_s:
            world.clock.now += wait_s
            await world.fetcher.fetch(world.url, "app")
        return len(world.requests)

    headers = WAV if cache_control is None else {**WAV, "Cache-Control": cache_control}
    return _in_world(work, _answering(headers=headers))


@pytest.mark.parametrize(
    ("waits_s", "cache_control", "downloads"),
    [
        ([0, DAY_S - 1, DAY_S - 1, DAY_S - 1], None, 1),
        ([0, DAY_S], None, 2),
        ([0, DAY_S - 1], "max-age=5", 1),
        ([0, DAY_S - 1, 2], "max-age=5", 2),
        ([0, 2 * DAY_S - 1], f"public, max-age={2 * DAY_S}", 1),
        ([0, 2 * DAY_S - 1, 2], f"public, max-age={2 * DAY_S}", 2),
        ([0, 10], "no-store", 1),
    ],
)
def test_a_file_is_kept_as_long_as_the_platform_says(waits_s, cache_control, downloads):
    assert _downloads(waits_s, cache_control) == downloads


def test_many_who_ask_at_once_cause_one_download():
    async def work(world):
        await asyncio.gather(*(world.fetcher.fetch(world.url, "app") for _ in range(20)))
        return len(world.requests)

    assert _in_world(work, _answering()) == 1


def test_an_application_fetches_fifty_times_an_hour():
    async def work(world):
        url = world.url
        for i in range(50):
            await world.fetcher.fetch(f"{url}?{i}", "app")
        world.url = f"{url}?more"
        assert await _refusal(world) == Refusal.TOO_OFTEN
        await world.fetcher.fetch(f"{url}?other", "another app")
        world.clock.now += 3600
        await world.fetcher.fetch(world.url, "app")

    _in_world(work, _answering())


def test_what_is_kept_has_a_bound():
    async def work(world):
        for path in ("?a", "?b", "?a"):
            await world.fetcher.fetch(world.url + path, "app")
        return len(world.requests)

    assert _in_world(work, _answering(body=bytes(600)), kept_bytes=1000) == 3
