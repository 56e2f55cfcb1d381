"""Against `audioop`, which everybody has used: the same but for u-law samples it negates before coding."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

audioop = pytest.importorskip("audioop")  # the standard library's until 3.12, audioop-lts after that


def test_alaw_encodes_as_audioop(every_sample):
    ours = b"".join(encode_frames(every_sample, "pcma"))

    assert ours == audioop.lin2alaw(every_sample.tobytes(), 2)


@pytest.mark.parametrize(("name", "decode"), [("pcmu", audioop.ulaw2lin), ("pcma", audioop.alaw2lin)])
def test_both_laws_decode_as_audioop(name, decode, every_code):
    ours = decode_frames(every_code, name)

    assert ours.tobytes() == decode(b"".join(every_code), 2)


def test_ulaw_differs_from_audioop_in_508_negative_samples(every_sample):
    """G.191 complements negative samples, audioop negates them: 4 samples at each of 127 decision points."""
    ours = np.frombuffer(b"".join(encode_frames(every_sample, "pcmu")), np.uint8)
    theirs = np.frombuffer(audioop.lin2ulaw(every_sample.tobytes(), 2), np.uint8)

    differing = every_sample[ours != theirs]

    assert differing.size == 508
    assert differing.max() < 0
