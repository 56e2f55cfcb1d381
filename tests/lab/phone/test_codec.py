"""A phone's codecs: packets of whole frames, in the mode that was agreed."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.errors import BadMessage
from gateway.lab.phone.codec import StreamDecoder, StreamEncoder
from gateway.sdp.codecs import CodecOffer
from gateway.testing.audio import speech

_ANNEXB, _PLAIN = CodecOffer("g729", 18, fmtp="annexb=yes"), CodecOffer("g729", 18, fmtp="annexb=no")


@pytest.mark.parametrize(
    ("offer", "packet_bytes"),
    [
        (CodecOffer("pcmu", 0), 480),
        (CodecOffer("pcma", 8), 480),
        (_PLAIN, 60),
        (CodecOffer("ilbc", 97, fmtp="mode=20"), 114),
        (CodecOffer("ilbc", 97, fmtp="mode=30"), 100),
        (CodecOffer("ilbc", 97), 100),
    ],
)
def test_a_packet_of_60_ms_is_whole_frames_and_is_understood(offer: CodecOffer, packet_bytes: int) -> None:
    payload = StreamEncoder(offer).encode(speech()[8000:8480])

    assert len(payload) == packet_bytes
    assert StreamDecoder(offer).decode(payload).size == 480


def test_a_silence_descriptor_is_the_last_of_its_packet() -> None:
    encoder = StreamEncoder(_ANNEXB)
    noise = np.random.default_rng(1).normal(0, 30, 80000).astype(np.int16)
    sound = np.concatenate([speech()[8000:16000], noise, speech()[8000:16000]])

    lengths = {len(encoder.encode(packet)) for packet in sound.reshape(-1, 160)}

    assert {0, 20} < lengths <= {0, 2, 10, 12, 20}


@pytest.mark.parametrize("n_bytes", [1, 3, 9, 11])
def test_a_payload_that_is_not_whole_frames_is_refused(n_bytes: int) -> None:
    with pytest.raises(BadMessage):
        StreamDecoder(_PLAIN).decode(bytes(n_bytes))
