"""The search for the four pulses (3.8.1, A.3.8).

The pulses that, filtered, come nearest to what the pitch did not explain maximise (sum of magnitudes)^2 / energy.
Annex A looks at 320 of the 8192 places, depth first, two pulses at a time: one of the two largest magnitudes of a
track with eight of another (phase A), then all 64 of the two that are left (phase B).  The order of loops decides
ties: only strictly better pulses replace earlier ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import SUBFRAME
from voicecodecs.reference.g729.fixed import (
    INT16_MAX,
    INT16_MIN,
    add16,
    dot32,
    mac32,
    msu32,
    mul16,
    mul32,
    neg16,
    norm32,
    round16,
    shl16,
    sub16,
)
from voicecodecs.reference.g729.innovation import decode_innovation, sharpened
from voicecodecs.reference.g729.pitch_search import filtered_backwards

__all__ = ["Innovation", "search_innovation"]

_TRACKS: Final = 5


class Innovation(NamedTuple):
    """The pulses found: as indices, as code vector, and filtered."""

    positions: int
    signs: int
    code_q13: list[int]
    filtered_q12: list[int]


class _Pair(NamedTuple):
    """Two pulses and their worth, with those before them."""

    square: int
    energy: int
    total: int
    a: int
    b: int

    def is_worse_than(self, square: int, energy: int) -> bool:
        """Compare square / energy, crosswise."""
        return msu32(mul32(self.energy, square), self.square, energy) > 0


_NOTHING: Final = _Pair(-1, 1, 0, 0, 0)


class _Search:
    """Magnitudes, signs and correlations by place among the 40 samples."""

    def __init__(self, h_q12: Sequence[int], target: Sequence[int]) -> None:
        backwards = filtered_backwards(h_q12, target)
        self.magnitude = [x if x >= 0 else neg16(x) for x in backwards]
        self.sign = [INT16_MAX if x >= 0 else INT16_MIN for x in backwards]
        self.correlation = _correlations(h_q12)
        # A positive sign multiplies by 32767 / 32768, which cuts: not the same as leaving alone.
        for i, j in product(range(SUBFRAME), repeat=2):
            if i != j:
                same = INT16_MAX if self.sign[i] == self.sign[j] else INT16_MIN
                self.correlation[i][j] = mul16(self.correlation[i][j], same)

    def first_pair(self, track_a: int, track_b: int) -> _Pair:
        """Phase A: one of the two largest magnitudes of track_a with each of track_b's eight places."""
        best = _NOTHING._replace(a=track_a, b=track_b)
        by_magnitude = sorted(range(track_a, SUBFRAME, _TRACKS), key=lambda i: -self.magnitude[i])
        for a, b in product(by_magnitude[:2], range(track_b, SUBFRAME, _TRACKS)):
            energy = mac32(mul32(self.correlation[a][a], 8192), self.correlation[b][b], 8192)
            best = self._better(best, a, b, 0, mac32(energy, self.correlation[a][b], 16384))
        return best

    def second_pair(self, first: _Pair, track_c: int, track_d: int) -> _Pair:
        """Phase B: two more pulses for a first pair, all 64 of two tracks."""
        best = _NOTHING._replace(a=track_c, b=track_d)
        alone = {d: self._energy_of(d, first) for d in range(track_d, SUBFRAME, _TRACKS)}
        for c in range(track_c, SUBFRAME, _TRACKS):
            energy = mac32(mul32(first.energy, 8192), self.correlation[c][c], 2048)
            energy = mac32(energy, self.correlation[first.a][c], 4096)
            energy_c = mac32(energy, self.correlation[first.b][c], 4096)
            for d, energy_d in alone.items():
                energy = mac32(energy_c, self.correlation[c][d], 4096)
                best = self._better(best, c, d, first.total, mac32(energy, energy_d, 16384))
        return best

    def _energy_of(self, d: int, first: _Pair) -> int:
        """Return what pulse d adds alone and with the first pair."""
        energy = mac32(mul32(self.correlation[d][d], 4096), self.correlation[first.a][d], 8192)
        return round16(mac32(energy, self.correlation[first.b][d], 8192))

    def _better(self, best: _Pair, a: int, b: int, before: int, energy: int) -> _Pair:
        total = add16(add16(before, self.magnitude[a]), self.magnitude[b])
        square, rounded = mul16(total, total), round16(energy)
        return _Pair(square, rounded, total, a, b) if best.is_worse_than(square, rounded) else best

    def places(self) -> tuple[int, int, int, int]:
        """Return the best four places, by track."""
        best, places = _NOTHING, (0, 1, 2, 3)
        for last_track in (3, 4):
            first = self.first_pair(2, last_track)
            second = self.second_pair(first, 0, 1)
            if best.is_worse_than(second.square, second.energy):
                best, places = second, (second.a, second.b, first.a, first.b)
            first = self.first_pair(last_track, 0)
            second = self.second_pair(first, 1, 2)
            if best.is_worse_than(second.square, second.energy):
                best, places = second, (first.b, second.a, second.b, first.a)
        return places


def _correlations(h_q12: Sequence[int]) -> list[list[int]]:
    """Return correlations of the impulse response with itself shifted, scaled so that they fit.

    Each diagonal is one running sum.
    """
    energy = dot32(h_q12, h_q12)
    shift = -1 if energy >> 16 > 32000 else norm32(energy) >> 1
    h = [shl16(x, shift) for x in h_q12]
    correlation = [[0] * SUBFRAME for _ in range(SUBFRAME)]
    for apart in range(SUBFRAME):
        total = 0
        for i in range(SUBFRAME - apart):
            later = SUBFRAME - 1 - i
            total = mac32(total, h[i], h[i + apart])
            correlation[later][later - apart] = correlation[later - apart][later] = total >> 16
    return correlation


def search_innovation(
    h_q12: Sequence[int], target: Sequence[int], lag: int, sharpness_q14: int
) -> Innovation:
    """Choose positions and signs; target: x minus the pitch's share, h_q12: impulse response."""
    h_q12 = sharpened(h_q12, lag, sharpness_q14)
    search = _Search(h_q12, target)
    places = search.places()
    positive = [search.sign[place] > 0 for place in places]
    filtered_q12 = [0] * SUBFRAME
    for place, plus in zip(places, positive, strict=True):
        for i in range(place, SUBFRAME):
            x = h_q12[i - place]
            filtered_q12[i] = add16(filtered_q12[i], x) if plus else sub16(filtered_q12[i], x)
    signs = sum(plus << i for i, plus in enumerate(positive))
    steps = [place // _TRACKS for place in places]
    last = 2 * steps[3] + places[3] % _TRACKS - 3
    positions = steps[0] | steps[1] << 3 | steps[2] << 6 | last << 9
    return Innovation(positions, signs, decode_innovation(positions, signs, lag, sharpness_q14), filtered_q12)
