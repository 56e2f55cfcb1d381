"""G.729 section A.4.2: the post-filter, over subframes."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.postfilter import Postfilter

N = 4
FLAT_Q12 = [4096] + [0] * 10


@agree(
    signals(10 + 40 * N),
    st.lists(stable_filters(), min_size=N, max_size=N),
    st.lists(st.integers(20, 143), min_size=N, max_size=N),
    st.lists(st.booleans(), min_size=N, max_size=N),
    few=15,
    many=300,
)
def test_the_output_is_the_twins(
    faces: Faces, samples: list[int], filters_q12: list[list[int]], lags: list[int], speech: list[bool]
) -> None:
    twin, twins = Postfilter(), []
    for i in range(N):
        window = samples[40 * i : 40 * i + 50]
        twins += twin.process(window, filters_q12[i], lags[i], speech=speech[i])

    a_q12 = [x for a in filters_q12 for x in a]
    assert faces.g729_postfilter(Out16(40 * N), samples, a_q12, lags, bytes(speech), N) == twins


def test_the_level_stays(faces: Faces) -> None:
    tone = [round(6000 * ((i * 7) % 40 - 20) / 20) for i in range(10 + 40 * 20)]
    out = faces.g729_postfilter(Out16(800), tone, FLAT_Q12 * 20, [40] * 20, bytes([1] * 20), 20)

    energy_in, energy_out = (sum(x * x for x in samples[-400:]) for samples in (tone, out))
    assert 0.7 < energy_out / energy_in < 1.3


def test_silence_stays_silent_and_comes_back_by_and_by(faces: Faces) -> None:
    """The gain's memory is 0 after silence, and 0.9 of it is kept from sample to sample."""
    samples = [0] * 50 + [8000, -8000] * 20
    out = faces.g729_postfilter(Out16(80), samples, FLAT_Q12 * 2, [40] * 2, bytes([1, 1]), 2)

    assert not any(out[:40])
    assert abs(out[40]) < 2000 < 6000 < abs(out[79])
