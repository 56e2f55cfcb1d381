"""`python -m benchmarks dtmf`: where the detector of keys as tones stands in ITU-T Q.24's limits, and talk-off.

A quantity is moved step by step away from what is usual, and the tones go through G.711.  `heard to` is the last value
up to which all sixteen keys are heard, each once, at ten places between two looks; `nothing from` is the first from
which on none is.  Talk-off is speech by espeak-ng in several languages and voices, at the common level of prompts,
through each codec: not one key may be heard in it.  `--minutes N` says how much (30).

Writes `results/dtmf.json` and the README's table from it; with --table nothing is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from benchmarks.spoken import open_prompts, spoken
from gateway.lab.bench.machine import machine
from gateway.lab.bench.marks import Marks
from gateway.media.dtmf_detector import LOOK_SAMPLES
from gateway.testing.frames import Coding
from gateway.testing.key_tones import KEYS, KeySound, key_sound, keys_of_all

__all__ = ["LIMITS", "Figure", "Limit", "TalkOff", "find", "main", "meets", "table", "talk_off", "with_table"]

_RESULT: Final = Path(__file__).parent / "results" / "dtmf.json"
_README: Final = Path(__file__).parents[1] / "README.md"
_MARKS: Final = Marks("<!-- dtmf: written by `python -m benchmarks dtmf` -->", "<!-- dtmf end -->")
_PLACES: Final = range(800, 800 + LOOK_SAMPLES, 8)
_CODINGS: Final = {"G.711": Coding("pcmu"), "G.729": Coding("g729"), "iLBC": Coding("ilbc", mode_ms=20)}
_VOICES: Final = (
    "en-US/female",
    "en-US/male",
    "en-GB/female",
    "de-DE/male",
    "sv-SE/female",
    "fr-FR/male",
    "es-ES/female",
    "it-IT/male",
    "pl-PL/female",
    "pt-BR/male",
)


@dataclass(frozen=True, slots=True)
class Limit:
    """One quantity of Q.24."""

    name: str
    unit: str
    wanted: str
    must: float
    """So far a key must count."""
    must_not: float | None
    """From here on nothing may; None = there is no such limit."""
    sound: Callable[[float], KeySound]
    values: Sequence[float]
    """From what is usual to what is absurd."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was found of a limit."""

    name: str
    heard_to: float | None
    nothing_from: float | None


@dataclass(frozen=True, slots=True)
class TalkOff:
    """What was found in speech that went through one codec."""

    codec: str
    minutes: float
    false_keys: int
    realtime: float
    """How many times faster than they last one core listens to that many voices."""


def _steps(first: float, last: float, step: float) -> Sequence[float]:
    return [round(value, 6) for value in np.arange(first, last + step / 2, step)]


_OFFSETS: Final = _steps(0, 6, 0.1)
_NEAR: Final = ("%", "1.5 counts, 3.5 does not", 1.5, 3.5)

LIMITS: Final = (
    Limit("shortest tone", "ms", "40 counts, 23 does not", 40, 23,
          lambda v: KeySound(tone_ms=v), _steps(50, 15, -1)),
    Limit("shortest pause between keys", "ms", "40 parts them", 40, None,
          lambda v: KeySound(pause_ms=v), _steps(60, 10, -1)),
    Limit("longest interruption of a key", "ms", "10 does not part it", 10, None,
          lambda v: KeySound(tone_ms=120, interruption_ms=v), _steps(0, 40, 1)),
    Limit("softest tone", "dBm0", "-25 counts, -55 does not", -25, -55,
          lambda v: KeySound(level_dbm0=v), _steps(-10, -60, -1)),
    Limit("loudest tone", "dBm0", "0 counts", 0, None,
          lambda v: KeySound(level_dbm0=v), _steps(-10, 0, 1)),
    Limit("high tone louder than the low one", "dB", "4 counts", 4, None,
          lambda v: KeySound(twist_db=v), _steps(0, 15, 0.5)),
    Limit("low tone louder than the high one", "dB", "8 counts", 8, None,
          lambda v: KeySound(twist_db=-v), _steps(0, 18, 0.5)),
    Limit("low tone too high", *_NEAR, lambda v: KeySound(low_offset=v / 100), _OFFSETS),
    Limit("low tone too low", *_NEAR, lambda v: KeySound(low_offset=-v / 100), _OFFSETS),
    Limit("high tone too high", *_NEAR, lambda v: KeySound(high_offset=v / 100), _OFFSETS),
    Limit("high tone too low", *_NEAR, lambda v: KeySound(high_offset=-v / 100), _OFFSETS),
    Limit("both tones too high", *_NEAR, lambda v: KeySound(low_offset=v / 100, high_offset=v / 100), _OFFSETS),
    Limit("signal to noise", "dB", "15 counts", 15, None,
          lambda v: KeySound(snr_db=v), _steps(30, -3, -1)),
)  # fmt: skip
"""Q.24, Annex A: AT&T's column, and the noise of its annex; the stricter of what administrations want."""


def main(arguments: Sequence[str]) -> None:
    """Run and print; `--json` prints one JSON document and writes nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks dtmf")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--minutes", type=float, default=30.0, help="of speech, for each codec")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the README's table")
    chosen = parser.parse_args(arguments)
    document = json.loads(_RESULT.read_text()) if chosen.table else _measured(chosen.minutes)
    if chosen.json:
        print(json.dumps(document))
        return
    print(table(document))
    _RESULT.write_text(json.dumps(document, indent=1) + "\n")
    _README.write_text(with_table(_README.read_text(), document))


def _measured(minutes: float) -> dict[str, Any]:
    with Progress(console=Console(stderr=True)) as progress:
        figures = [find(limit) for limit in progress.track(LIMITS, description="limits")]
        task = progress.add_task("speech", total=len(_VOICES))
        streams = asyncio.run(_speech(minutes * 60, lambda: progress.advance(task)))
        codings = progress.track(_CODINGS.items(), description="talk-off")
        found = [talk_off(name, coding, streams) for name, coding in codings]
    return {
        "benchmark": "dtmf",
        "machine": machine(),
        "limits": [asdict(figure) for figure in figures],
        "talk_off": [asdict(each) for each in found],
    }


def find(limit: Limit) -> Figure:
    """Move one quantity."""
    heard_to, nothing_from, all_so_far = None, None, True
    for value in limit.values:
        heard = set(_heard(limit.sound(value)))
        all_so_far = all_so_far and heard == {KEYS}
        if all_so_far:
            heard_to = value
        nothing_from = None if any(heard) else value if nothing_from is None else nothing_from
    return Figure(limit.name, heard_to, nothing_from)


def meets(limit: Limit, figure: Figure) -> bool:
    """Tell whether a key is heard where Q.24 wants it, and not where it must not be."""
    values = list(limit.values)
    if figure.heard_to is None or values.index(figure.heard_to) < values.index(limit.must):
        return False
    if limit.must_not is None:
        return True
    return figure.nothing_from is not None and values.index(figure.nothing_from) <= values.index(
        limit.must_not
    )


def _heard(sound: KeySound) -> list[str]:
    """Return what is heard of all keys at each place between two looks."""
    sounds = [key_sound(KEYS, replace(sound, lead_samples=place), seed=place) for place in _PLACES]
    longest = max(pcm.size for pcm in sounds)
    coding = _CODINGS["G.711"]
    padded = (np.pad(pcm, (0, longest - pcm.size)) for pcm in sounds)
    return keys_of_all(np.stack([coding.decode(coding.encode(pcm)) for pcm in padded]))


async def _speech(seconds: float, done: Callable[[], None]) -> NDArray[np.int16]:
    """Return what each voice says, in all at least so long; int16 [voices, samples] at 8 kHz."""
    streams = []
    with tempfile.TemporaryDirectory(prefix="tandem-dtmf-") as directory:
        async with open_prompts(Path(directory)) as prompts:
            for number, voice in enumerate(_VOICES):
                streams.append(await spoken(prompts, voice, seconds / len(_VOICES), Random(number)))
                done()
    shortest = min(stream.size for stream in streams)
    return np.stack([stream[:shortest] for stream in streams])


def talk_off(name: str, coding: Coding, streams: NDArray[np.int16]) -> TalkOff:
    """Listen to speech that went through a codec; int16 [n, samples] at 8 kHz."""
    coded = np.stack([coding.decode(coding.encode(stream)) for stream in streams])
    began = time.process_time()
    heard = keys_of_all(coded)
    spent_s = time.process_time() - began
    seconds = coded.size / 8000
    return TalkOff(name, round(seconds / 60, 1), len("".join(heard)), round(seconds / spent_s))


def with_table(text: str, document: Mapping[str, Any]) -> str:
    """Return the README with the table of a document between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    return _MARKS.filled(text, table(document))


def table(document: Mapping[str, Any]) -> str:
    """Return the table in Markdown, and what came of speech."""
    found = {figure["name"]: figure for figure in document["limits"]}
    speech = document["talk_off"]
    return "\n".join(
        (
            "| what is unusual | Q.24 | heard to | nothing from |",
            "| --- | --- | --- | --- |",
            *(_line(limit, found[limit.name]) for limit in LIMITS),
            "",
            f"Talk-off: {', '.join(_talk(each) for each in speech)}; one core listens to "
            f"{min(each['realtime'] for each in speech):,} voices in real time.",
        )
    )


def _line(limit: Limit, figure: Mapping[str, Any]) -> str:
    return f"| {' | '.join((f'{limit.name}, {limit.unit}', limit.wanted, *_numbers(figure)))} |"


def _numbers(figure: Mapping[str, Any]) -> Iterator[str]:
    for name in ("heard_to", "nothing_from"):
        yield "" if figure[name] is None else f"{figure[name]:g}"


def _talk(found: Mapping[str, Any]) -> str:
    return (
        f"{found['false_keys']} false keys in {found['minutes']:g} minutes of speech through {found['codec']}"
    )
