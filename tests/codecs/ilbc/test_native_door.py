"""The door of `voicecodecs._native` for iLBC: what does not fit is refused before a kernel sees it."""

from __future__ import annotations

import numpy as np
import pytest

from voicecodecs import _native


@pytest.fixture
def encoders():
    return np.zeros((2, _native.ILBC_ENCODER_BYTES), np.uint8)


@pytest.fixture
def decoders():
    return np.zeros((2, _native.ILBC_DECODER_BYTES), np.uint8)


def _rows(*rows: int) -> np.ndarray:
    return np.array(rows, np.intp)


@pytest.mark.parametrize("row", [-1, 2])
def test_row_outside_of_the_bank_is_refused(row, encoders):
    with pytest.raises(IndexError, match=f"row {row} of 2"):
        _native.ilbc_encode_frames(encoders, _rows(row), np.zeros(160, np.int16), np.zeros(38, np.uint8), 20)


def test_encoder_wants_a_mode_that_there_is(encoders):
    with pytest.raises(ValueError, match="mode_ms: 20 or 30 is needed, not 25"):
        _native.ilbc_encode_frames(encoders, _rows(0), np.zeros(160, np.int16), np.zeros(38, np.uint8), 25)


def test_encoder_wants_as_many_samples_as_its_mode_has(encoders):
    with pytest.raises(ValueError, match="pcm: 240 items are needed, not 160"):
        _native.ilbc_encode_frames(encoders, _rows(0), np.zeros(160, np.int16), np.zeros(50, np.uint8), 30)


def test_decoder_wants_as_many_bytes_as_its_mode_has(decoders):
    with pytest.raises(ValueError, match="payloads: 50 items are needed, not 38"):
        _native.ilbc_decode_frames(
            decoders, _rows(0), np.zeros(38, np.uint8), np.array([38], np.int32), np.zeros(240, np.int16), 30
        )


def test_states_of_another_size_are_refused(decoders):
    with pytest.raises(TypeError, match="states: items of"):
        _native.ilbc_first_invalid_decoder(decoders[:, :-2].copy().reshape(-1)[1:])


def test_states_at_an_odd_address_are_refused():
    memory = np.zeros(_native.ILBC_DECODER_BYTES + 1, np.uint8)

    with pytest.raises(ValueError, match="states are not aligned"):
        _native.ilbc_first_invalid_decoder(memory[1:])


def test_row_of_another_mode_starts_anew(encoders):
    """A state that says another mode than the bank must not be written past its frame."""
    pcm = np.arange(240, dtype=np.int16)
    _native.ilbc_encode_frames(encoders, _rows(0), pcm, np.zeros(50, np.uint8), 30)
    first, second = np.zeros(38, np.uint8), np.zeros(38, np.uint8)

    _native.ilbc_encode_frames(encoders, _rows(0), pcm[:160], first, 20)
    _native.ilbc_encode_frames(encoders, _rows(1), pcm[:160], second, 20)

    assert first.tolist() == second.tolist()


@pytest.mark.parametrize("byte", [0x11, 0x55, 0x7F, 0xFF])
def test_states_of_nonsense_are_found(byte, encoders, decoders):
    encoders[1] = decoders[1] = byte

    assert _native.ilbc_first_invalid_encoder(encoders) == 1
    assert _native.ilbc_first_invalid_decoder(decoders) == 1


def test_new_states_are_valid(encoders, decoders):
    assert _native.ilbc_first_invalid_encoder(encoders) == -1
    assert _native.ilbc_first_invalid_decoder(decoders) == -1
