"""The conformance data of ITU-T G.729 Release 3: Annex A, and Annexes A and B together.

The C kernels run all of it; the twin a sample here and all of it where slow tests run.
"""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

pytestmark = pytest.mark.vectors

_ENCODED = {
    **{
        f"g729a/{name}": ("IN", "BIT")
        for name in ("ALGTHM", "FIXED", "LSP", "PITCH", "SPEECH", "TAME", "TEST")
    },
    **{f"g729ab/tstseq{n}": ("bin", "bit") for n in (1, 2, 3, 4)},
}
_DECODED = [
    *(
        (f"g729a/{name}.BIT", f"g729a/{name}.PST")
        for name in (
            "ALGTHM", "ERASURE", "FIXED", "LSP", "OVERFLOW", "PARITY", "PITCH", "SPEECH", "TAME", "TEST",
        )
    ),
    *((f"g729ab/tstseq{n}a.bit", f"g729ab/tstseq{n}a.out") for n in (1, 2, 3, 4)),
    *((f"g729ab/tstseq{n}.bit", f"g729ab/tstseq{n}a.out") for n in (5, 6)),
]  # fmt: skip
_SAMPLE = 30
_IMPLEMENTATIONS = [
    pytest.param("native", None, id="native"),
    pytest.param("reference", _SAMPLE, id="reference-sample"),
    pytest.param("reference", None, id="reference", marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
]


@pytest.mark.parametrize(("implementation", "n_frames"), _IMPLEMENTATIONS)
@pytest.mark.parametrize("name", _ENCODED)
def test_encodes_as_the_standard(name, implementation, n_frames, standard_pcm, standard_frames):
    source, frames = _ENCODED[name]
    annexb = name.startswith("g729ab")
    expected = standard_frames(f"{name}{'a' * annexb}.{frames}")[:n_frames]
    pcm = standard_pcm(f"{name}.{source}")[: len(expected) * 80]

    encoded = encode_frames(pcm, "g729", annexb=annexb, implementation=implementation)

    assert encoded == expected


@pytest.mark.parametrize(("implementation", "n_frames"), _IMPLEMENTATIONS)
@pytest.mark.parametrize(("frames", "pcm"), _DECODED)
def test_decodes_as_the_standard(frames, pcm, implementation, n_frames, standard_pcm, standard_frames):
    expected = standard_pcm(pcm)
    some = standard_frames(frames)[:n_frames]

    decoded = decode_frames(some, "g729", implementation=implementation)

    assert np.array_equal(decoded, expected[: decoded.size])
    assert n_frames or decoded.size == expected.size
