"""`python -m benchmarks speech`: how long a caller waits for the first word of a sentence that nobody said before.

A unit is one `Prompts.play` of a text that is in no cache: from the request to the first samples, at the common level
and 8 kHz, with espeak-ng in its process.  Then the same for many at once, which one process serves one after the other.
At last as a call has it: from the switch's wish to sound in a ring that the media process reads, by the real process
that speaks.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import structlog

from gateway.lab.bench.machine import machine
from gateway.speech.cache import SoundCache
from gateway.speech.espeak_engine import open_espeak
from gateway.speech.fetch import Fetched, NotFetched, Refusal
from gateway.speech.library import Library
from gateway.speech.prompter import Prompts, SayItem
from gateway.switch.prompts import Recital, Stream
from gateway.switch.rings import FreeRings
from gateway.switch.steering import Prompt
from gateway.testing.speaker import SpeechProcess
from gateway.transport.speech_client import SpeechClient

_SENTENCE = (
    "Hello {}, your order number {} has left our house and will be with you tomorrow between nine and noon."
)
_LOCALES = ("en-US", "de-DE", "sv-SE", "ja-JP", "pt-BR/male")


class _NoWeb:
    async def fetch(self, url: str, owner: str) -> Fetched:
        raise NotFetched(Refusal.UNREACHABLE, f"{owner} fetches nothing here: {url}")


class _Stderr:
    def warning(self, event: str, /, **facts: object) -> None:
        print(event, facts, file=sys.stderr)


def main(arguments: Sequence[str]) -> None:
    """Run and print; `--json` prints one JSON document."""
    figures = asyncio.run(_measure())
    if "--json" in arguments:
        print(json.dumps({"benchmark": "speech", "machine": machine(), "figures": figures}))
        return
    for figure in figures:
        print(f"{figure['unit']:44} p50 {figure['p50_ms']:7.1f} ms   p95 {figure['p95_ms']:7.1f} ms")


async def _measure() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="tandem-speech-") as directory:
        cache = SoundCache(Path(directory) / "cache")
        try:
            figures = await _measure_with(cache)
        finally:
            await cache.close()
        return [
            *figures,
            _figure("first audio of a new sentence in a call's ring", await _as_calls(directory)),
        ]


async def _as_calls(directory: str) -> list[float]:
    """Return the milliseconds from the switch's wish to sound in a ring, for sentences that nobody has said."""
    with SpeechProcess(Path(directory)) as process:
        client = SpeechClient(process.path, time.monotonic, structlog.get_logger(), FreeRings(range(8)))
        running = asyncio.create_task(client.run())
        waits = [await _prepared(client, f"c{i}", _LOCALES[i % len(_LOCALES)]) for i in range(200)]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return waits[1:]  # the first one waits for the connection


async def _prepared(client: SpeechClient, who: str, locale: str) -> float:
    prompt = Prompt(_SENTENCE.format(who, who), spoken=True, locale=locale)
    begun = time.perf_counter()
    async with client.prepare(Recital([prompt], 1, "bench", "bench", lambda: None)) as stream:
        waited = (time.perf_counter() - begun) * 1000
        assert isinstance(stream, Stream), "nothing was heard"
    return waited


async def _measure_with(cache: SoundCache) -> list[dict[str, object]]:
    async with open_espeak() as engine:
        prompts = Prompts(engine, _NoWeb(), Library(Path("nowhere")), cache, _Stderr())
        await _first_audio(prompts, "warm", "en-US")
        alone = [await _first_audio(prompts, f"a{i}", _LOCALES[i % len(_LOCALES)]) for i in range(200)]
        crowd = await asyncio.gather(*(_first_audio(prompts, f"b{i}", "en-US") for i in range(50)))
        again = [await _first_audio(prompts, f"a{i}", _LOCALES[i % len(_LOCALES)]) for i in range(200)]
    return [
        _figure("first audio of a new sentence", alone),
        _figure("the same, 50 new sentences at once", crowd),
        _figure("first audio of a sentence known", again),
    ]


async def _first_audio(prompts: Prompts, who: str, locale: str) -> float:
    """Return the milliseconds until the first samples; the rest is heard, too."""
    begun, waited = time.perf_counter(), 0.0
    async for _ in prompts.play([SayItem(_SENTENCE.format(who, who))], locale=locale, owner="bench"):
        waited = waited or (time.perf_counter() - begun) * 1000
    return waited


def _figure(unit: str, waits_ms: list[float]) -> dict[str, object]:
    p50, p95 = np.percentile(waits_ms, (50, 95))
    return {"unit": unit, "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "n": len(waits_ms)}


if __name__ == "__main__":
    main(sys.argv[1:])
