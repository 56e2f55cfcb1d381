"""Engines: espeak-ng in its process, and any program."""

import asyncio
import io
import sys
import wave
from contextlib import asynccontextmanager

import numpy as np
import pytest

from gateway.speech.command_engine import CommandEngine
from gateway.speech.espeak_engine import EspeakEngine, open_espeak
from gateway.speech.port import EngineFailed, NoEngine, Words
from gateway.speech.voices import voice_of

US = voice_of("en-US")
WELCOME = Words("Welcome, please press one.")


@asynccontextmanager
async def _espeak(**options):
    engine = EspeakEngine(**options)
    try:
        yield engine
    finally:
        await engine.stop()


async def _said(engine, words=WELCOME, voice=US):
    chunks = [chunk async for chunk in engine.speak(words, voice)]
    return np.concatenate([chunk.pcm for chunk in chunks]), chunks[0].rate_hz


def _run(work, **options):
    async def with_engine():
        async with _espeak(**options) as engine:
            return await work(engine)

    return asyncio.run(with_engine())


def test_espeak_speaks_in_chunks():
    async def work(engine):
        return [chunk async for chunk in engine.speak(WELCOME, US)]

    chunks = _run(work)

    assert len(chunks) > 4
    assert 1.0 < sum(chunk.pcm.size for chunk in chunks) / chunks[0].rate_hz < 4.0


def test_texts_at_the_same_time_do_not_mix():
    async def work(engine):
        alone = await _said(engine, Words("One."))
        together = await asyncio.gather(
            *(_said(engine, Words(text)) for text in ("One.", "Two hundred.", "One."))
        )
        return alone, together

    alone, (first, other, last) = _run(work)

    assert first[0].size == last[0].size == alone[0].size
    assert other[0].size > alone[0].size


def test_speed_and_pitch_are_heard():
    async def work(engine):
        return [(await _said(engine, Words(WELCOME.text, speed))) for speed in (0.6, 1.0, 1.6)]

    slow, usual, fast = (pcm.size for pcm, _ in _run(work))

    assert slow > 1.2 * usual > 1.4 * fast


def test_a_process_that_dies_is_followed_by_another():
    async def work(engine):
        await _said(engine)
        process = await engine.start()
        process.kill()
        pcm, _ = await _said(engine)
        return process, await engine.start(), pcm

    dead, alive, pcm = _run(work)

    assert dead.pid != alive.pid
    assert pcm.size > 0


def test_a_process_that_always_dies_is_an_error():
    async def work(engine):
        with pytest.raises(EngineFailed, match="died"):
            await _said(engine)

    _run(work, program=(sys.executable, "-c", "import sys; sys.stdin.buffer.read(1)"))


def test_a_process_that_says_nothing_is_killed():
    async def work(engine):
        process = await engine.start()
        with pytest.raises(EngineFailed, match=r"nothing for 0\.2 s"):
            await _said(engine)
        return await process.wait()

    assert _run(work, program=(sys.executable, "-c", "import sys; sys.stdin.read()"), patience_s=0.2) != 0


def test_somebody_who_stops_listening_costs_the_others_nothing():
    async def work(engine):
        speaking = engine.speak(WELCOME, US)
        await anext(speaking)
        await speaking.aclose()
        return await _said(engine)

    assert _run(work)[0].size > 0


def test_a_text_that_is_far_too_long_is_refused():
    async def work(engine):
        with pytest.raises(EngineFailed, match="too many"):
            await _said(engine, Words("a" * 2000))

    _run(work)


def _program(code):
    return CommandEngine(
        (sys.executable, "-c", code, "{language}", "{gender}"), patience_s=10, most_bytes=100_000
    )


def _wave(pcm, rate_hz=16000, channels=1):
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((channels, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(np.asarray(pcm, "<i2").tobytes())
    return out.getvalue()


def _writing(data):
    return _program(f"import sys; sys.stdin.read(); sys.stdout.buffer.write({data!r})")


def test_any_program_speaks():
    pcm, rate_hz = asyncio.run(_said(_writing(_wave([1, 2, 3, 4]))))

    assert (pcm.tolist(), rate_hz) == ([1, 2, 3, 4], 16000)


def test_a_program_is_told_who_shall_speak_and_what():
    code = "import sys; sys.exit((sys.stdin.read(), *sys.argv[1:]) != ('Hej då\\n', 'sv-SE', 'male'))"

    with pytest.raises(EngineFailed, match="no WAV"):  # and not: status 1
        asyncio.run(_said(_program(code), Words("Hej då"), voice_of("sv-SE/male")))


def test_two_channels_of_a_program_become_one():
    pcm, _ = asyncio.run(_said(_writing(_wave([10, 20, 30, 50], channels=2))))

    assert pcm.tolist() == [15, 40]


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("print('hello, I am a text')", "no WAV"),
        ("", "no WAV"),
        ("while True: print('RIFF____WAVE' + 'x' * 99999)", "no WAV"),
        (f"import sys; sys.stdout.buffer.write({_wave([1])!r}); sys.exit(3)", "status 3"),
        (f"import sys; sys.stdout.buffer.write({_wave([1])!r} + bytes(200000))", "more than 100000 bytes"),
    ],
)
def test_a_program_that_misbehaves_is_an_error(code, complaint):
    with pytest.raises(EngineFailed, match=complaint):
        asyncio.run(_said(_program(code)))


def test_a_program_that_does_not_exist_is_an_error():
    with pytest.raises(EngineFailed, match="does not start"):
        asyncio.run(_said(CommandEngine(("/nonexistent/speaker",))))


def test_a_program_that_takes_too_long_is_killed():
    engine = CommandEngine((sys.executable, "-c", "import time; time.sleep(60)"), patience_s=0.2)

    with pytest.raises(EngineFailed, match=r"longer than 0\.2 s"):
        asyncio.run(_said(engine))


@pytest.mark.interop
def test_the_program_of_debian_speaks_where_the_library_is_missing(monkeypatch):
    async def run():
        async with open_espeak() as engine:
            return engine, await _said(engine, Words("Hej och välkommen."), voice_of("sv-SE"))

    monkeypatch.setattr("gateway.speech.espeak_engine.find_spec", lambda _name: None)
    engine, (pcm, rate_hz) = asyncio.run(run())

    assert isinstance(engine, CommandEngine)
    assert pcm.size > rate_hz / 2


def test_without_library_and_program_the_reason_says_what_to_install(monkeypatch):
    async def run():
        async with open_espeak():
            raise AssertionError("nobody speaks here")

    monkeypatch.setattr("gateway.speech.espeak_engine.find_spec", lambda _name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoEngine, match="pip install"):
        asyncio.run(run())
