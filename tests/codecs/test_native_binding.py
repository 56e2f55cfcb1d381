"""The door of `voicecodecs._native`: what does not fit is refused before a kernel sees it."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import _native

_ENCODERS = [_native.ulaw_encode, _native.alaw_encode]
_DECODERS = [_native.ulaw_decode, _native.alaw_decode]
_FRAME_DECODERS = [_native.ulaw_decode_frames, _native.alaw_decode_frames]


@pytest.mark.parametrize("encode", _ENCODERS)
def test_encoder_wants_as_many_codes_as_samples(encode):
    with pytest.raises(ValueError, match="codes: 80 items are needed, not 79"):
        encode(np.zeros(80, np.int16), np.zeros(79, np.uint8))


@pytest.mark.parametrize("encode", _ENCODERS)
def test_encoder_wants_two_byte_samples(encode):
    with pytest.raises(TypeError, match="pcm: items of 2 bytes are needed, not of 4"):
        encode(np.zeros(80, np.int32), np.zeros(80, np.uint8))


@pytest.mark.parametrize("encode", _ENCODERS)
def test_encoder_wants_codes_it_may_write(encode):
    with pytest.raises(BufferError):
        encode(np.zeros(80, np.int16), bytes(80))


@pytest.mark.parametrize("decode", _DECODERS)
def test_decoder_wants_as_many_samples_as_codes(decode):
    with pytest.raises(ValueError, match="pcm: 80 items are needed, not 81"):
        decode(bytes(80), np.zeros(81, np.int16))


@pytest.mark.parametrize("decode", _FRAME_DECODERS)
def test_frame_decoder_wants_eighty_bytes_a_frame(decode):
    with pytest.raises(ValueError, match="payloads: 160 items are needed, not 80"):
        decode(np.zeros(80, np.uint8), np.zeros(2, np.int32), np.zeros(160, np.int16))


@pytest.mark.parametrize("decode", _DECODERS)
def test_output_must_not_be_the_input(decode):
    memory = np.zeros(80, np.int16)

    with pytest.raises(ValueError, match="input and output share memory"):
        decode(memory.view(np.uint8)[:80], memory)


@pytest.mark.parametrize("encode", _ENCODERS)
def test_refused_call_lets_go_of_its_buffers(encode):
    codes = bytearray(79)

    with pytest.raises(ValueError, match="79"):
        encode(np.zeros(80, np.int16), codes)

    codes.append(0)  # a held buffer would forbid it


@pytest.mark.parametrize("decode", _FRAME_DECODERS)
def test_frame_decoder_returns_the_first_bad_frame(decode):
    lengths = np.array([80, -1, 0, 12, 13], np.int32)

    assert decode(np.zeros(400, np.uint8), lengths, np.zeros(400, np.int16)) == 3
    assert decode(np.zeros(240, np.uint8), lengths[:3], np.zeros(240, np.int16)) == -1
