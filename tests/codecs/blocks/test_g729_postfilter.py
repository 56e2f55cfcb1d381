"""G.729 section A.4.2: the post-filter, over subframes, up to eight rows in step."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, cut, flat, rows, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.postfilter import Postfilter

N = 3
FLAT_Q12 = [4096] + [0] * 10
SUBFRAME = st.tuples(stable_filters(), st.integers(20, 143), st.booleans())
ROW = st.tuples(signals(10 + 40 * N), st.lists(SUBFRAME, min_size=N, max_size=N))


def filtered(
    faces: Faces, drawn: list[tuple[list[int], list[tuple[list[int], int, bool]]]]
) -> list[list[int]]:
    """Filter rows, each with its windows of 50 samples; return the samples of each."""
    n, n_rows = len(drawn[0][1]), len(drawn)
    windows = [samples[40 * i : 40 * i + 50] for samples, _ in drawn for i in range(n)]
    filters_q12, lags, speech = zip(
        *(subframe for _, subframes in drawn for subframe in subframes), strict=True
    )
    room = Out16(40 * n * n_rows)
    return cut(
        faces.g729_postfilter(room, flat(windows), flat(filters_q12), lags, bytes(speech), n_rows, n), 40 * n
    )


@agree(rows(ROW), few=8, many=150)
def test_the_output_is_the_twins(
    faces: Faces, drawn: list[tuple[list[int], list[tuple[list[int], int, bool]]]]
) -> None:
    twins = []
    for samples, subframes in drawn:
        twin = Postfilter()
        twins.append(
            flat(
                [
                    twin.process(samples[40 * i : 40 * i + 50], a_q12, lag, speech=speech)
                    for i, (a_q12, lag, speech) in enumerate(subframes)
                ]
            )
        )

    assert filtered(faces, drawn) == twins


def test_the_level_stays(faces: Faces) -> None:
    tone = [round(6000 * ((i * 7) % 40 - 20) / 20) for i in range(10 + 40 * 20)]
    (out,) = filtered(faces, [(tone, [(FLAT_Q12, 40, True)] * 20)])

    energy_in, energy_out = (sum(x * x for x in samples[-400:]) for samples in (tone, out))
    assert 0.7 < energy_out / energy_in < 1.3


def test_silence_stays_silent_and_speech_after_it_comes_back_by_and_by(faces: Faces) -> None:
    """The gain's memory is 0 after silence, and 0.9 of it is kept from sample to sample."""
    samples = [0] * 50 + [8000, -8000] * 20
    (out,) = filtered(faces, [(samples, [(FLAT_Q12, 40, True)] * 2)])

    assert not any(out[:40])
    assert abs(out[40]) < 2000 < 6000 < abs(out[79])
