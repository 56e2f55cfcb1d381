"""The sweep of ITU-T G.191: all 65,536 samples, their codes, and what the codes decode to."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

pytestmark = pytest.mark.vectors

_SUFFIX = {"pcmu": "u", "pcma": "a"}


def test_sweep_encodes_as_in_g191(law, implementation, g711_vector):
    codes = b"".join(encode_frames(g711_vector("sweep.src"), law, implementation=implementation))

    expected = g711_vector(f"sweep-r.{_SUFFIX[law]}")
    assert codes == expected.astype(np.uint8).tobytes()


def test_sweep_decodes_as_in_g191(law, implementation, g711_vector):
    codes = g711_vector(f"sweep-r.{_SUFFIX[law]}").astype(np.uint8).tobytes()
    frames = [codes[at : at + 80] for at in range(0, len(codes), 80)]

    samples = decode_frames(frames, law, implementation=implementation)

    assert np.array_equal(samples, g711_vector(f"sweep-r.{_SUFFIX[law]}-{_SUFFIX[law]}"))


def test_there_and_back_is_as_in_g191(law, implementation, g711_vector):
    frames = encode_frames(g711_vector("sweep.src"), law, implementation=implementation)

    samples = decode_frames(frames, law, implementation=implementation)

    assert np.array_equal(samples, g711_vector(f"sweep-r.re{_SUFFIX[law]}"))
