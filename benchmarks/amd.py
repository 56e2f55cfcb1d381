"""`python -m benchmarks amd`: how well people are told from answering machines, on a set that is made here.

People say a word or a name and wait; machines say sentences and beep.  Fourteen voices of espeak-ng in six languages
say both kinds (`benchmarks.greetings`), each clean and with white noise 20 and 10 dB below their speech, through each
codec, without loss and with 3 % of packets lost; when they begin, and what the beep is like, is by chance.  So the
label of each is known.  The terms were written down before any of it was heard; the figures are those of the first run.

Writes `results/amd.json` and the README's table from it; with --table nothing is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from benchmarks.greetings import GREETINGS, VOICES
from benchmarks.spoken import open_prompts, say
from gateway.lab.bench.machine import machine
from gateway.lab.bench.marks import Marks
from gateway.media.answering_machine import ANSWERER, AnswerDetector, AnsweringTerms, Beep, Verdict
from gateway.testing.audio import tone
from gateway.testing.frames import Coding

__all__ = ["Greeting", "Outcome", "judged", "main", "right", "table", "with_table"]

_RESULT: Final = Path(__file__).parent / "results" / "amd.json"
_README: Final = Path(__file__).parents[1] / "README.md"
_MARKS: Final = Marks("<!-- amd: written by `python -m benchmarks amd` -->", "<!-- amd end -->")
_RATE_HZ: Final = 8000
_UNIT: Final = 80
_WHOS: Final = ("human", "machine")
_VERDICTS: Final = ("human", "machine", "notsure")
_CODINGS: Final = {"G.711": Coding("pcmu"), "G.729": Coding("g729"), "iLBC": Coding("ilbc", mode_ms=20)}
_NOISES_DB: Final = (None, 20, 10)
_LOSSES: Final = (0.0, 0.03)
_PACKET_MS: Final = 20
_AFTER_S: Final = (0.1, 1.2)
_SILENCE_BEFORE_BEEP_S: Final = (0.2, 0.8)
_BEEPS_HZ: Final = (440, 800, 1000, 1400)
_BEEPS_MS: Final = (200, 400, 700)
_BEEP_DBOV: Final = -22
_REST_S: Final = 1.5
_BEEP_MARGIN_MS: Final = 150
"""How far from its end a beep may be told."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """One answer, and the truth about it."""

    voice: str
    who: str
    pcm: NDArray[np.int16]
    beep_end_ms: float | None
    """When its beep is over."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was made of one answer."""

    voice: str
    who: str
    verdict: str
    sign: str
    after_ms: int
    beep: str
    """`heard`, `missed`, `false`, or "" where there is none and none was told."""
    noise_db: int | None = None
    codec: str = ""
    loss: float = 0.0


def main(arguments: Sequence[str]) -> None:
    """Run and print; `--json` prints one JSON document and writes nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks amd")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="list what was taken for something else")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the README's table")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        document = json.loads(_RESULT.read_text())
    else:
        outcomes = _measured()
        document = _document(outcomes)
        for wrong in (each for each in outcomes if chosen.wrong and each.verdict != each.who):
            print(wrong)
    if chosen.json:
        print(json.dumps(document))
        return
    print(table(document))
    _RESULT.write_text(json.dumps(document, indent=1) + "\n")
    _README.write_text(with_table(_README.read_text(), document))


def _measured() -> list[Outcome]:
    outcomes: list[Outcome] = []
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("greetings", total=len(VOICES))
        greetings = asyncio.run(_greetings(lambda: progress.advance(task)))
        ways = list(itertools.product(_NOISES_DB, _CODINGS.items(), _LOSSES))
        for seed, (noise_db, (codec, coding), loss) in enumerate(progress.track(ways, description="judged")):
            chance = np.random.default_rng(seed)
            sent = (_sent(each, noise_db, coding, loss, chance) for each in greetings)
            found = judged(greetings, np.stack(list(sent)))
            outcomes += [replace(each, noise_db=noise_db, codec=codec, loss=loss) for each in found]
    return outcomes


async def _greetings(done: Callable[[], None]) -> list[Greeting]:
    """Return both kinds of greetings by every voice, all of one length."""
    chance, made = np.random.default_rng(1), []
    with tempfile.TemporaryDirectory(prefix="tandem-amd-") as directory:
        async with open_prompts(Path(directory)) as prompts:
            for voice in VOICES:
                texts = GREETINGS[voice[:2]]
                labelled = [("human", text) for text in texts.human]
                labelled += [("machine", text) for text in texts.machine]
                for who, text in labelled:
                    made.append(_greeting(voice, who, await say(prompts, text, voice), chance))
                done()
    longest = max(each.pcm.size for each in made) + round(_REST_S * _RATE_HZ)
    longest += -longest % 480
    return [
        Greeting(each.voice, each.who, np.pad(each.pcm, (0, longest - each.pcm.size)), each.beep_end_ms)
        for each in made
    ]


def _greeting(voice: str, who: str, said: NDArray[np.int16], chance: np.random.Generator) -> Greeting:
    parts = [_silence(chance.uniform(*_AFTER_S)), said]
    if who == "human":
        return Greeting(voice, who, np.concatenate(parts), None)
    hertz, duration_ms = chance.choice(_BEEPS_HZ), chance.choice(_BEEPS_MS)
    parts.append(_silence(chance.uniform(*_SILENCE_BEFORE_BEEP_S)))
    parts.append(tone(float(hertz), duration_ms=float(duration_ms), level_dbov=_BEEP_DBOV))
    pcm = np.concatenate(parts)
    return Greeting(voice, who, pcm, pcm.size * 1000 / _RATE_HZ)


def _silence(seconds: float) -> NDArray[np.int16]:
    return np.zeros(round(seconds * _RATE_HZ), np.int16)


def _sent(
    greeting: Greeting, noise_db: int | None, coding: Coding, loss: float, chance: np.random.Generator
) -> NDArray[np.int16]:
    """Return a greeting as it arrives: in noise, coded, with packets lost and concealed."""
    pcm = greeting.pcm.astype(np.float64)
    if noise_db is not None:
        loud = np.abs(pcm) > 0
        rms = np.sqrt(np.mean(np.square(pcm[loud]))) * 10 ** (-noise_db / 20)
        pcm = pcm + chance.normal(0, rms, pcm.size)
    frames = coding.encode(np.clip(np.rint(pcm), -32768, 32767).astype(np.int16))
    per_packet = _PACKET_MS // coding.facts.frame_ms
    lost = chance.random(len(frames) // per_packet + 1) < loss
    return coding.decode(None if lost[i // per_packet] else frame for i, frame in enumerate(frames))


def judged(greetings: Sequence[Greeting], pcm: NDArray[np.int16]) -> list[Outcome]:
    """Listen to answers at once, int16 [n, samples] at 8 kHz, and return what is made of each."""
    n = len(greetings)
    detector, rows = AnswerDetector(np.zeros(n, ANSWERER)), np.arange(n, dtype=np.int32)
    for row in range(n):
        detector.follow(row, AnsweringTerms())
    verdicts: dict[int, Verdict] = {}
    beeps: dict[int, int] = {}
    for at in range(0, pcm.shape[1] - _UNIT + 1, _UNIT):
        for news in detector.hear(rows, pcm[:, at : at + _UNIT]):
            if isinstance(news, Verdict):
                verdicts[news.row] = news
            elif isinstance(news, Beep) and news.after_ms is not None:
                beeps[news.row] = news.after_ms
    return [
        Outcome(
            each.voice,
            each.who,
            verdicts[row].who.value,
            verdicts[row].sign.value,
            verdicts[row].after_ms,
            _beep(each.beep_end_ms, beeps.get(row)),
        )
        for row, each in enumerate(greetings)
    ]


def _beep(end_ms: float | None, told_ms: int | None) -> str:
    if told_ms is None:
        return "" if end_ms is None else "missed"
    return "heard" if end_ms is not None and abs(told_ms - end_ms) <= _BEEP_MARGIN_MS else "false"


def _document(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return all figures as one document."""
    confusion = Counter((each.who, each.verdict) for each in outcomes)
    return {
        "benchmark": "amd",
        "machine": machine(),
        "answers": len(outcomes),
        "right": right(outcomes),
        "confusion": {who: {verdict: confusion[who, verdict] for verdict in _VERDICTS} for who in _WHOS},
        "signs": dict(Counter(each.sign for each in outcomes).most_common()),
        "slowest_ms": max(each.after_ms for each in outcomes),
        "voice": {name: right(each for each in outcomes if each.voice == name) for name in VOICES},
        "noise_db": {str(db): right(each for each in outcomes if each.noise_db == db) for db in _NOISES_DB},
        "codec": {name: right(each for each in outcomes if each.codec == name) for name in _CODINGS},
        "loss": {str(loss): right(each for each in outcomes if each.loss == loss) for loss in _LOSSES},
        "beeps": dict(Counter(each.beep for each in outcomes if each.who == "machine")),
    }


def right(outcomes: Iterable[Outcome]) -> float:
    """Return the share of answers whose verdict is the truth, 0 to 1; a `notsure` is wrong."""
    every = list(outcomes)
    return round(sum(each.verdict == each.who for each in every) / len(every), 4)


def with_table(text: str, document: Mapping[str, Any]) -> str:
    """Return the README with the table of a document between its marks.

    Raises:
        ValueError: the marks are not there.
    """
    return _MARKS.filled(text, table(document))


def table(document: Mapping[str, Any]) -> str:
    """Return the confusion table in Markdown, and a few words about it."""
    confusion, noises, beeps = document["confusion"], document["noise_db"], document["beeps"]
    n_beeps = sum(beeps.values())
    return "\n".join(
        (
            f"| who answered | {' | '.join(_VERDICTS)} | right |",
            "| --- | --- | --- | --- | --- |",
            *(_line(who, confusion[who]) for who in _WHOS),
            "",
            f"{document['right']:.1%} of {document['answers']:,} answers: {noises['None']:.1%} without noise,"
            f" {noises['20']:.1%} and {noises['10']:.1%} with noise 20 and 10 dB below the voice."
            f" The slowest verdict came after {document['slowest_ms'] / 1000:.1f} s."
            f" {beeps.get('heard', 0):,} of {n_beeps:,} beeps were told when they were over;"
            f" {beeps.get('false', 0):,} were told that were none.",
        )
    )


def _line(who: str, counted: Mapping[str, int]) -> str:
    share = counted[who] / sum(counted.values())
    return f"| {who} | {' | '.join(f'{counted[verdict]:,}' for verdict in _VERDICTS)} | {share:.1%} |"
