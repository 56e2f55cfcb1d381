"""A small formant synthesiser: the speech sample that Tandem ships is spoken by this file alone.

Tests of a voice path need speech: loud and soft, voiced and unvoiced, pauses, a rhythm of syllables.  A
tone fits everywhere and so proves nothing about delay or loss; a recording belongs to somebody.  So we
speak ourselves, in the classic way (D. H. Klatt, "Software for a cascade/parallel formant synthesizer",
JASA 67, 1980):

    glottal pulses at the pitch --> F1 --> F2 --> F3 --> F4 --+--> speech
    noise --> one resonance (the place of the constriction) --+

Every 5 ms the pitch, the gains and the resonances move to what the next phoneme wants.  The formants of the
vowels are textbook averages, the sentence is ours, and its melody is another in every second, so that a
stretch of it fits in one place only: alignment by correlation cannot be fooled.

The result is the same to the bit everywhere: plain floats, + - * / only (no libm, no numpy), noise from an
integer generator.  `python -m gateway.lab.synthesis OUT.wav` writes the file that lies beside this module.
"""

from __future__ import annotations

import sys
import wave
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.errors import LocalError

__all__ = ["PHONEMES", "RATE_HZ", "SENTENCE", "Phoneme", "main", "synthesise", "write"]

RATE_HZ: Final = 8000
_FRAME: Final = 40
"""Samples between two changes of the parameters: 5 ms."""
_FRAME_MS: Final = 5
_PEAK: Final = 16_422
"""-6 dB of full scale."""
_PI: Final = 3.141592653589793


@dataclass(frozen=True, slots=True)
class Phoneme:
    """What the mouth does for one sound."""

    duration_ms: int
    formants_hz: tuple[int, int, int] = (500, 1500, 2500)
    voice: float = 0.0
    """Gain of the glottal pulses, 1 for an open vowel."""
    hiss: float = 0.0
    """Gain of the noise."""
    hiss_hz: int = 2500
    hiss_width_hz: int = 1000


def _vowel(first: int, second: int, third: int, *, duration_ms: int = 95) -> Phoneme:
    return Phoneme(duration_ms, (first, second, third), voice=1.0)


PHONEMES: Final = {
    "iy": _vowel(270, 2290, 3010, duration_ms=100),
    "ih": _vowel(390, 1990, 2550, duration_ms=75),
    "eh": _vowel(530, 1840, 2480),
    "ae": _vowel(660, 1720, 2410, duration_ms=115),
    "ah": _vowel(640, 1190, 2390, duration_ms=80),
    "aa": _vowel(730, 1090, 2440, duration_ms=115),
    "ao": _vowel(570, 840, 2410, duration_ms=110),
    "uh": _vowel(440, 1020, 2240, duration_ms=75),
    "uw": _vowel(300, 870, 2240, duration_ms=100),
    "er": _vowel(490, 1350, 1690, duration_ms=100),
    "m": Phoneme(65, (250, 1100, 2200), voice=0.35),
    "n": Phoneme(60, (250, 1650, 2500), voice=0.35),
    "l": Phoneme(60, (360, 1100, 2700), voice=0.5),
    "r": Phoneme(60, (330, 1250, 1600), voice=0.5),
    "w": Phoneme(60, (300, 650, 2200), voice=0.5),
    "y": Phoneme(50, (280, 2250, 3000), voice=0.5),
    "s": Phoneme(95, (400, 1700, 2600), hiss=0.5, hiss_hz=3500, hiss_width_hz=700),
    "z": Phoneme(75, (300, 1700, 2600), voice=0.2, hiss=0.3, hiss_hz=3500, hiss_width_hz=700),
    "sh": Phoneme(100, (400, 1700, 2500), hiss=0.6, hiss_hz=2500, hiss_width_hz=600),
    "f": Phoneme(85, (400, 1100, 2200), hiss=0.25, hiss_hz=2900, hiss_width_hz=2500),
    "v": Phoneme(60, (300, 1100, 2200), voice=0.25, hiss=0.1, hiss_hz=2900, hiss_width_hz=2500),
    "dh": Phoneme(45, (300, 1400, 2500), voice=0.3, hiss=0.08, hiss_hz=3000, hiss_width_hz=2000),
    "hh": Phoneme(55, (500, 1500, 2500), hiss=0.25, hiss_hz=1200, hiss_width_hz=1200),
    # A stop is a closure and a release: "-" holds the breath, "=" hums behind closed lips.
    "-": Phoneme(50),
    "=": Phoneme(40, (200, 1200, 2300), voice=0.1),
    "t": Phoneme(25, (400, 1800, 2600), hiss=0.6, hiss_hz=3300, hiss_width_hz=1200),
    "k": Phoneme(25, (350, 1900, 2500), hiss=0.6, hiss_hz=1900, hiss_width_hz=500),
    "p": Phoneme(20, (400, 1000, 2200), hiss=0.5, hiss_hz=900, hiss_width_hz=900),
    "d": Phoneme(20, (300, 1700, 2600), voice=0.3, hiss=0.3, hiss_hz=3200, hiss_width_hz=1200),
    "b": Phoneme(15, (300, 1000, 2200), voice=0.4, hiss=0.2, hiss_hz=800, hiss_width_hz=900),
    "g": Phoneme(20, (300, 1900, 2400), voice=0.3, hiss=0.3, hiss_hz=1900, hiss_width_hz=600),
    "_": Phoneme(130),
}
"""The sounds, in the ARPABET's spelling."""

SENTENCE: Final = (
    (118, 96, "_ - t ae1 n = d ah m _"),
    (132, 104, "k ae1 r iy z y ao r v ao1 ih s f r ah m w ah1 n ah - t ae n ah1 dh er _ _"),
    (150, 112, "= d ah z ih1 - t s aa1 uh n = d r ay1 - t _"),
    (110, 140, "dh eh1 n s ey1 n ow m ao1 r _ _"),
    (126, 84, "hh ae1 ng ah1 - p s ow f l iy1 sh uh = g ao1 n _"),
)
"""Phrases: pitch at the start and at the end in Hz, and the sounds; `1` after a vowel is stress."""

_GLIDES: Final = {"ay": ("aa", "ih"), "ey": ("eh", "ih"), "ow": ("ao", "uh"), "ng": ("n", "=")}


@dataclass(frozen=True, slots=True)
class _Frame:
    pitch_hz: float
    formants_hz: tuple[float, float, float]
    voice: float
    hiss: float
    hiss_hz: float
    hiss_width_hz: float


def synthesise(*, seed: int = 1) -> array[int]:
    """Speak the sentence: int16 samples at 8 kHz, peak at -6 dB of full scale; `seed` makes the noise."""
    frames = _smooth(list(_frames()))
    wave_form = _speak(frames, seed)
    scale = _PEAK / max(abs(value) for value in wave_form)
    return array("h", (int(value * scale + 65536.5) - 65536 for value in wave_form))


def write(path: Path) -> None:
    """Write the sample as a WAV file: 8 kHz, 16 bit, one channel."""
    samples = synthesise()
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


def main(arguments: Sequence[str]) -> int:
    """Write the sample to the one path given."""
    if len(arguments) != 1:
        raise LocalError("usage: python -m gateway.lab.synthesis OUT.wav")
    write(Path(arguments[0]))
    return 0


# The plan: what each 5 ms want.


def _frames() -> Iterator[_Frame]:
    for start_hz, end_hz, text in SENTENCE:
        sounds = [(PHONEMES[name], stressed) for token in text.split() for name, stressed in _spelled(token)]
        counts = [_frame_count(sound, stressed=stressed) for sound, stressed in sounds]
        total, done = sum(counts), 0
        for (sound, stressed), count in zip(sounds, counts, strict=True):
            for step in range(count):
                fall = (done + step) / total
                accent = 1.22 if stressed else 1.0
                pitch = (start_hz + (end_hz - start_hz) * fall) * accent
                gain = sound.voice * (1.0 if stressed else 0.75)
                yield _Frame(pitch, sound.formants_hz, gain, sound.hiss, sound.hiss_hz, sound.hiss_width_hz)
            done += count


def _frame_count(sound: Phoneme, *, stressed: bool) -> int:
    """Return how many frames a sound takes: talk is shorter than careful reading, stress longer."""
    return sound.duration_ms * 3 * (5 if stressed else 4) // (16 * _FRAME_MS)


def _spelled(token: str) -> list[tuple[str, bool]]:
    stressed = token.endswith("1")
    name = token.removesuffix("1")
    return [(part, stressed) for part in _GLIDES.get(name, (name,))]


def _smooth(frames: list[_Frame]) -> list[_Frame]:
    """Let the mouth move: formants take 45 ms to their place, the pitch 65 ms, the gains 15 ms."""
    pitch = _moving_mean([frame.pitch_hz for frame in frames], 6)
    formants = [_moving_mean([frame.formants_hz[i] for frame in frames], 4) for i in range(3)]
    voice = _moving_mean([frame.voice for frame in frames], 1)
    hiss = _moving_mean([frame.hiss for frame in frames], 1)
    return [
        _Frame(
            pitch[i],
            (formants[0][i], formants[1][i], formants[2][i]),
            voice[i],
            hiss[i],
            frame.hiss_hz,
            frame.hiss_width_hz,
        )
        for i, frame in enumerate(frames)
    ]


def _moving_mean(values: Sequence[float], reach: int) -> list[float]:
    padded = [values[0]] * reach + list(values) + [values[-1]] * reach
    width = 2 * reach + 1
    means = []
    for i in range(len(values)):
        total = 0.0
        for value in padded[i : i + width]:  # not sum(): Python 3.12 made it round differently
            total += value
        means.append(total / width)
    return means


# The voice: source and filter.


class _Resonator:
    """One pole pair: y[n] = gain x[n] + b y[n-1] + c y[n-2]; its memory outlives a change of its place."""

    def __init__(self) -> None:
        self.b = self.c = self.gain = self.one = self.two = 0.0

    def tune(self, frequency_hz: float, width_hz: float, *, unity_at_zero: bool) -> None:
        radius = _exp(-_PI * width_hz / RATE_HZ)
        self.b = 2.0 * radius * _cosine(2.0 * _PI * frequency_hz / RATE_HZ)
        self.c = -radius * radius
        self.gain = 1.0 - self.b - self.c if unity_at_zero else 1.0 - radius * radius

    def step(self, value: float) -> float:
        out = self.gain * value + self.b * self.one + self.c * self.two
        self.two, self.one = self.one, out
        return out


def _speak(frames: list[_Frame], seed: int) -> list[float]:
    throat = [_Resonator() for _ in range(4)]
    teeth = _Resonator()
    phase, flow, noise = 0.0, 0.0, seed
    out: list[float] = []
    for frame in frames:
        places = (*frame.formants_hz, 3400.0)
        for resonator, place, width in zip(throat, places, (60.0, 90.0, 130.0, 250.0), strict=True):
            resonator.tune(place, width, unity_at_zero=True)
        teeth.tune(frame.hiss_hz, frame.hiss_width_hz, unity_at_zero=False)
        for _ in range(_FRAME):
            phase += frame.pitch_hz / RATE_HZ
            phase -= int(phase)
            before, flow = flow, _glottis(phase)
            value = (flow - before) * frame.voice
            for resonator in throat:
                value = resonator.step(value)
            noise = (noise * 1_664_525 + 1_013_904_223) % 4_294_967_296
            out.append(value + 0.35 * teeth.step((noise / 2_147_483_648.0 - 1.0) * frame.hiss))
    return out


def _glottis(phase: float) -> float:
    """Return the air flow at `phase` (0-1) of a period: Rosenberg's pulse, 40 % opening and 16 % closing."""
    if phase < 0.4:
        part = phase / 0.4
        return part * part * (3.0 - 2.0 * part)
    if phase < 0.56:
        part = (phase - 0.4) / 0.16
        return 1.0 - part * part
    return 0.0


def _cosine(angle: float) -> float:
    """Return the cosine of 0 <= angle <= pi by its series: libm may differ in the last bit."""
    square, term, total = angle * angle, 1.0, 1.0
    for n in range(1, 15):
        term *= -square / ((2 * n - 1) * (2 * n))
        total += term
    return total


def _exp(value: float) -> float:
    """Return e to the power of -2 <= value <= 0 by its series."""
    term, total = 1.0, 1.0
    for n in range(1, 24):
        term *= value / n
        total += term
    return total


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
