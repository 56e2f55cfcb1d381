"""Voice activity detection (B.3): says of every 10 ms whether somebody speaks.

Four differences from a running mean of the noise (energy, energy below 1 kHz, zero crossings, spectrum) are put
before 14 planes; four rules then smooth the decision.  The first 32 frames train it.  Levels are logarithms, 2048
for 10 dB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.fixed import (
    INT16_MAX,
    Dpf,
    abs16,
    add16,
    add32,
    dot32,
    dpf_mul16,
    dpf_value,
    mac32,
    mul16,
    mul32,
    shl32,
    sub16,
)
from voicecodecs.reference.g729.lpc import Autocorrelation
from voicecodecs.reference.g729.mathematics import log2
from voicecodecs.reference.g729.tables_annexb import (
    VAD_LOW_BAND_Q15,
    VAD_RATES_Q15,
    VAD_START_SCALE_Q15,
    VAD_START_SHIFT,
)

__all__ = ["Vad", "VadInput"]

_QUIET: Final = 3072
_STEP: Final = 614
_TRAINING: Final = 32
_MINIMA_READY: Final = 129
_SMALL_CHANGE_Q15: Final = 83


class VadInput(NamedTuple):
    """What the VAD looks at."""

    correlation: Autocorrelation
    """After the lag window."""
    window: Sequence[int]
    """The 240 samples of the analysis."""
    lsf_q15: Sequence[int]
    reflection_q15: int
    """The second coefficient."""


class _Features(NamedTuple):
    """B.3.1: the four features, and how far the means lie above three of them."""

    energy: int
    low_energy: int
    zero_crossings: int
    spectrum: int
    d_energy: int = 0
    d_low_energy: int = 0
    d_zero_crossings: int = 0


def _level(total: int, exponent: int) -> int:
    """Return 10 log10 of a sum of normalised correlations per sample (4875 is 10 log10 of 240)."""
    octaves = log2(total)
    scaled = dpf_mul16(Dpf(add16(octaves.exponent, exponent), octaves.fraction_q15), 9864)
    return sub16(shl32(scaled, 11) >> 16, 4875)


def _line(x: int, a: int, scale: int, b: int) -> int:
    return mac32(mul32(x, a), scale, b)


def _beyond_a_plane(f: _Features) -> bool:
    """B.3.5: speech lies beyond any of 14 planes."""
    zc, e, low, sd = f.d_zero_crossings, f.d_energy, f.d_low_energy, f.spectrum
    return (
        add32(_line(zc, -14680, 8192, -28521) >> 8, sd << 16) > 0
        or add32(_line(zc, 19065, 8192, -19446) >> 7, sd << 16) > 0
        or add32(_line(zc, 20480, 8192, 16384) >> 2, e << 16) < 0
        or add32(_line(zc, -16384, 8192, 19660) >> 2, e << 16) < 0
        or _line(e, 32767, 1024, 30802) < 0
        or mac32(_line(sd, -28160, 64, 19988), e, 512) < 0
        or _line(sd, 32767, 32, -30199) > 0
        or add32(_line(zc, -20480, 8192, 22938) >> 2, e << 16) < 0
        or add32(_line(zc, 23831, 4096, 31576) >> 2, e << 16) < 0
        or _line(e, 32767, 2048, 17367) < 0
        or mac32(_line(sd, -22400, 32, 25395), low, 256) < 0
        or add32(_line(e, -30427, 256, -29959), low << 16) > 0
        or add32(_line(e, -23406, 512, 28087), low << 16) < 0
        or mac32(_line(e, 24576, 1024, 29491), low, 16384) < 0
    )


class _Minimum:
    """B.3.2: the minimum of the last 128 frames' energies, in cells of 8."""

    def __init__(self) -> None:
        self.now = INT16_MAX
        self._previous = self._next = 0
        self._cells: list[int] = []

    def track(self, frame: int, energy: int) -> None:
        """Take the energy of a frame; frames count from 1."""
        if frame < _MINIMA_READY:
            self.now = min(self.now, energy)
        else:
            if frame % 8 == 1:
                self.now, self._next = self._previous, INT16_MAX
            self.now, self._next = min(self.now, energy), min(self._next, energy)
        if frame % 8 == 0:
            self._cells = [*self._cells[-15:], self.now if frame < _MINIMA_READY else self._next]
            self._previous = min(self._cells)
            if frame < _MINIMA_READY:
                self.now = INT16_MAX


class _Means:
    """What noise is like, on average."""

    def __init__(self) -> None:
        self.energy = self.low_energy = self.zero_crossings = 0
        self.lsf_q15 = [0] * ORDER
        self._n_quiet = self.n_updates = 0
        self._sum = 0

    def train(self, f: _Features, lsf_q15: Sequence[int]) -> bool:
        """B.3.3: sum 1/32 over the frames that are loud enough; say whether this one was."""
        if f.energy < _QUIET:
            self._n_quiet += 1
            return False
        self._sum = _more(self._sum, f.energy)
        self.zero_crossings = _more(self.zero_crossings, f.zero_crossings)
        self.lsf_q15 = [_more(mean, lsf) for mean, lsf in zip(self.lsf_q15, lsf_q15, strict=True)]
        return True

    def finish_training(self) -> None:
        """Make means of the sums: of 32 frames less the quiet ones."""
        scale, shift = VAD_START_SCALE_Q15[self._n_quiet], VAD_START_SHIFT[self._n_quiet]

        def mean(total: int) -> int:
            return shl32(mul32(total, scale), shift) >> 16

        self.zero_crossings = mean(self.zero_crossings)
        self.lsf_q15 = [mean(total) for total in self.lsf_q15]
        self.energy = sub16(mean(self._sum), 2048)  # 10 dB
        self.low_energy = sub16(mean(self._sum), 2458)  # 12 dB

    def update(self, f: _Features, lsf_q15: Sequence[int]) -> None:
        """B.3.7: follow noise, faster at first."""
        self.n_updates = add16(self.n_updates, 1)
        rate = 0 if self.n_updates < 20 else min(self.n_updates // 10 - 1, 5)
        energy_rates, zero_rates, lsf_rates = (VAD_RATES_Q15[rate][i : i + 2] for i in (0, 2, 4))
        self.energy = _moved(energy_rates, self.energy, f.energy)
        self.low_energy = _moved(energy_rates, self.low_energy, f.low_energy)
        self.zero_crossings = _moved(zero_rates, self.zero_crossings, f.zero_crossings)
        self.lsf_q15 = [_moved(lsf_rates, *pair) for pair in zip(self.lsf_q15, lsf_q15, strict=True)]


def _more(total: int, x: int) -> int:
    return mac32(total << 16, x, 1024) >> 16


def _moved(rates_q15: Sequence[int], mean: int, now: int) -> int:
    return mac32(mul32(rates_q15[0], mean), rates_q15[1], now) >> 16


class Vad:
    """The detector of one call."""

    def __init__(self) -> None:
        self._frame = 0
        self._means = _Means()
        self._minimum = _Minimum()
        self._previous_energy = 0
        self._n_silent = self._n_extended = 0
        self._may_extend = True
        self._was_speech_before = True
        self.was_speech = True

    def is_speech(self, source: VadInput) -> bool:
        """Decide about a frame; once for every frame, in order."""
        self._frame = 256 if self._frame == INT16_MAX else self._frame + 1
        features = self._measure(source)
        self._minimum.track(self._frame, features.energy)
        speech = self._decide(features, source)
        self._previous_energy = features.energy
        self._was_speech_before, self.was_speech = self.was_speech, speech
        return speech

    def _measure(self, source: VadInput) -> _Features:
        r, exponent = source.correlation
        low = shl32(dot32([x.high for x in r[1:]], VAD_LOW_BAND_Q15[1:]), 1)
        low = mac32(low, r[0].high, VAD_LOW_BAND_Q15[0])
        distances = [sub16(lsf, mean) for lsf, mean in zip(source.lsf_q15, self._means.lsf_q15, strict=True)]
        pairs = zip(source.window[120:200], source.window[121:201], strict=True)
        n_crossings = sum(mul16(a, b) < 0 for a, b in pairs)
        return _Features(
            energy=_level(dpf_value(r[0]), exponent),
            low_energy=_level(low, exponent),
            zero_crossings=add16(410 * n_crossings, 0),
            spectrum=dot32(distances, distances) >> 16,
        )

    def _decide(self, f: _Features, source: VadInput) -> bool:
        speech = self._frame <= _TRAINING and self._means.train(f, source.lsf_q15)
        if self._frame < _TRAINING:
            return speech
        if self._frame == _TRAINING:
            self._means.finish_training()
        f = f._replace(
            d_energy=sub16(self._means.energy, f.energy),
            d_low_energy=sub16(self._means.low_energy, f.low_energy),
            d_zero_crossings=sub16(self._means.zero_crossings, f.zero_crossings),
        )
        speech = f.energy >= _QUIET and _beyond_a_plane(f)
        speech = self._smoothed(f, speech=speech, reflection_q15=source.reflection_q15)
        self._update_noise(f, source)
        return speech

    def _smoothed(self, f: _Features, *, speech: bool, reflection_q15: int) -> bool:
        """B.3.6: four rules, in this order."""
        kept = self.was_speech and not speech and add16(f.d_energy, 410) < 0 and f.energy > _QUIET
        speech = speech or kept
        if self._is_extended(f, speech=speech):
            speech = kept = True
        if not speech:
            self._n_silent = add16(self._n_silent, 1)
        elif self._n_silent > 10 and sub16(f.energy, self._previous_energy) <= _STEP:
            speech = False
            self._n_silent = 0
        else:
            self._n_silent = 0
        veto = self._is_low(f) and self._frame > 128 and not kept and reflection_q15 < 19661
        return speech and not veto

    def _is_extended(self, f: _Features, *, speech: bool) -> bool:
        """Say whether noise after two frames of speech goes on as speech: five times, then once not."""
        if not self._may_extend:
            self._may_extend = True
            return False
        steady = abs16(sub16(self._previous_energy, f.energy)) <= _STEP
        extended = self.was_speech and self._was_speech_before and not speech and steady
        if extended:
            self._n_extended += 1
            if self._n_extended > 4:
                self._may_extend = False
                self._n_extended = 0
        return extended

    def _is_low(self, f: _Features) -> bool:
        return sub16(f.energy, _STEP) < self._means.energy

    def _update_noise(self, f: _Features, source: VadInput) -> None:
        small_change = f.spectrum < _SMALL_CHANGE_Q15
        if self._is_low(f) and source.reflection_q15 < 24576 and small_change:
            self._means.update(f, source.lsf_q15)
        minimum = self._minimum.now
        too_low = self._means.energy < minimum and small_change
        if self._frame >= _MINIMA_READY and (too_low or sub16(self._means.energy, minimum) > 2048):
            self._means.energy = minimum
            self._means.n_updates = 0
