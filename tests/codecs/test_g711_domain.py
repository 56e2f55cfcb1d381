"""G.711 is small enough to be tested whole: 65,536 samples and 256 codes of each law."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest

from voicecodecs import decode_frames, encode_frames

# SHA-256 of the codes (a byte each) of the samples -32768 to 32767, and of the samples (int16, little-endian)
# of the codes 0 to 255.  Computed here on outputs that are equal to the G.191 sweep (test_g711_vectors.py).
_CODES_SHA256 = {
    "pcmu": "90c29de505fb68e766118303bd552a16005dcf810873698bee1d8f3b247ce28c",
    "pcma": "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b",
}
_SAMPLES_SHA256 = {
    "pcmu": "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827",
    "pcma": "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174",
}


def test_every_sample_gets_the_standards_code(law, implementation, every_sample):
    codes = b"".join(encode_frames(every_sample, law, implementation=implementation))

    assert sha256(codes).hexdigest() == _CODES_SHA256[law]


def test_every_code_gets_the_standards_sample(law, implementation, every_code):
    samples = decode_frames(every_code, law, implementation=implementation)

    assert sha256(samples.astype("<i2").tobytes()).hexdigest() == _SAMPLES_SHA256[law]


def test_both_implementations_encode_alike(law, every_sample):
    native = encode_frames(every_sample, law, implementation="native")

    assert native == encode_frames(every_sample, law, implementation="reference")


def test_both_implementations_decode_alike(law, every_code):
    native = decode_frames(every_code, law, implementation="native")

    assert native.tolist() == decode_frames(every_code, law, implementation="reference").tolist()


@pytest.mark.parametrize(("name", "codes"), [("pcmu", [0x7F, 0xFF]), ("pcma", [0x55, 0xD5])])
def test_minus_one_is_coded_as_the_ones_complement_of_zero(name, codes, implementation):
    (frame,) = encode_frames(np.array([-1, 0], np.int16), name, implementation=implementation)

    assert list(frame) == codes


def test_decoded_samples_keep_their_value_when_coded_again(law, implementation, every_code):
    samples = decode_frames(every_code, law, implementation=implementation)

    again = decode_frames(
        encode_frames(samples, law, implementation=implementation), law, implementation=implementation
    )

    assert again.tolist() == samples.tolist()


def test_louder_samples_never_get_quieter_codes(law, implementation, every_sample):
    heard = decode_frames(
        encode_frames(every_sample, law, implementation=implementation), law, implementation=implementation
    )

    assert np.all(np.diff(heard.astype(np.int32)) >= 0)
