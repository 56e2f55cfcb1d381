"""Sources: what is made of nothing."""

import numpy as np
import pytest

from gateway.errors import LocalError
from gateway.media.sources import RATE_HZ, loop_of


def strongest_hz(pcm, n):
    spectrum = np.abs(np.fft.rfft(pcm[:RATE_HZ].astype(float)))
    return sorted(int(hertz) for hertz in np.argsort(spectrum)[-n:])


@pytest.mark.parametrize(
    ("key", "tones_hz"),
    [("1", [697, 1209]), ("5", [770, 1336]), ("0", [941, 1336]), ("#", [941, 1477]), ("D", [941, 1633])],
)
def test_a_key_is_its_two_tones(key, tones_hz):
    """ITU-T Q.23."""
    assert strongest_hz(loop_of(f"dtmf:{key}"), 2) == tones_hz


def test_ringing_is_a_second_of_tone_in_five():
    ring = loop_of("ring")

    assert ring.size == 5 * RATE_HZ
    assert strongest_hz(ring, 1) == [425]
    assert not ring[RATE_HZ:].any()


@pytest.mark.parametrize("source", ["dtmf:", "dtmf:x", "dtmf:12", "ring:1", "rings", ""])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(LocalError, match="there are tone"):
        loop_of(source)
