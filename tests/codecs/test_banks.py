from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicecodecs import CodecError, Decoder, Encoder

_ROWS = 16


def _noise(n_frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-32768, 32768, (n_frames, 80)).astype(np.int16)


def _payloads(n_frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n_frames, 80)).astype(np.uint8)


def _full(n_frames: int) -> np.ndarray:
    return np.full(n_frames, 80, np.int32)


@pytest.fixture
def encoder(law, implementation):
    return Encoder(law, rows=_ROWS, implementation=implementation)


@pytest.fixture
def decoder(law, implementation):
    return Decoder(law, rows=_ROWS, implementation=implementation)


def test_batch_encodes_as_its_rows_one_by_one(encoder):
    pcm = _noise(_ROWS)

    payloads, lengths = encoder.encode(range(_ROWS), pcm)

    one_by_one = [encoder.encode([row], pcm[row : row + 1])[0][0] for row in range(_ROWS)]
    assert payloads.tolist() == np.array(one_by_one).tolist()
    assert lengths.tolist() == [80] * _ROWS


def test_batch_decodes_as_its_rows_one_by_one(decoder):
    payloads = _payloads(_ROWS)

    pcm = decoder.decode(range(_ROWS), payloads, _full(_ROWS))

    one_by_one = [decoder.decode([row], payloads[row : row + 1], _full(1))[0] for row in range(_ROWS)]
    assert pcm.tolist() == np.array(one_by_one).tolist()


@given(
    rows=st.lists(st.integers(0, _ROWS - 1), max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=5),
    seed=st.integers(0, 9),
)
def test_any_chunking_of_a_batch_encodes_alike(rows, cuts, seed):
    pcm = _noise(len(rows), seed)
    for name in ("pcmu", "pcma"):
        whole = Encoder(name, _ROWS).encode(rows, pcm)[0]

        chunked = Encoder(name, _ROWS)
        edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
        parts = [chunked.encode(rows[a:b], pcm[a:b])[0] for a, b in pairwise(edges)]

        assert np.concatenate(parts).tolist() == whole.tolist()


@given(order=st.permutations(range(_ROWS)), data=st.data())
def test_order_of_rows_does_not_matter(order, data):
    order = np.array(order)
    lengths = np.array(
        data.draw(st.lists(st.sampled_from([80, 0, -1]), min_size=_ROWS, max_size=_ROWS)), np.int32
    )
    payloads = _payloads(_ROWS)
    for name in ("pcmu", "pcma"):
        sorted_pcm = Decoder(name, _ROWS).decode(range(_ROWS), payloads, lengths)

        shuffled_pcm = Decoder(name, _ROWS).decode(order, payloads[order], lengths[order])

        assert shuffled_pcm.tolist() == sorted_pcm[order].tolist()


@given(lengths=st.lists(st.sampled_from([80, 0, -1]), max_size=20), seed=st.integers(0, 9))
def test_both_implementations_decode_a_batch_with_gaps_alike(lengths, seed):
    n_frames = len(lengths)
    arguments = np.arange(n_frames), _payloads(n_frames, seed), np.array(lengths, np.int32)
    for name in ("pcmu", "pcma"):
        native = Decoder(name, 20, implementation="native").decode(*arguments)

        assert native.tolist() == Decoder(name, 20, implementation="reference").decode(*arguments).tolist()


@pytest.mark.parametrize("absent", [0, -1])
def test_absent_frames_are_silence_whatever_their_bytes(absent, decoder):
    lengths = np.array([80, absent, 80], np.int32)

    pcm = decoder.decode([2, 0, 1], np.zeros((3, 80), np.uint8), lengths)

    assert [bool(frame.any()) for frame in pcm] == [True, False, True]


def test_empty_batch_is_an_empty_result(encoder, decoder):
    payloads, lengths = encoder.encode([], np.zeros((0, 80), np.int16))

    assert (payloads.shape, lengths.shape) == ((0, 80), (0,))
    assert decoder.decode([], payloads, lengths).shape == (0, 80)


def test_samples_in_any_memory_layout_encode_alike(encoder):
    pcm = _noise(4)

    payloads, _ = encoder.encode(range(4), np.asfortranarray(pcm))

    assert payloads.tolist() == encoder.encode(range(4), pcm)[0].tolist()


def test_encode_writes_into_out_and_returns_it(encoder):
    out = np.full((2, 80), 0x11, np.uint8), np.zeros(2, np.int32)

    returned = encoder.encode([1, 5], _noise(2), out=out)

    assert returned[0] is out[0]
    assert returned[1] is out[1]
    assert out[0].tolist() == encoder.encode([1, 5], _noise(2))[0].tolist()
    assert out[1].tolist() == [80, 80]


def test_decode_writes_into_out_and_returns_it(decoder):
    out = np.full((3, 80), 0x1111, np.int16)
    lengths = np.array([80, -1, 80], np.int32)

    returned = decoder.decode([0, 1, 2], _payloads(3), lengths, out=out)

    assert returned is out
    assert out.tolist() == decoder.decode([0, 1, 2], _payloads(3), lengths).tolist()


def test_reset_leaves_the_other_rows_as_they_were(encoder, decoder):
    encoder.reset([3, 1])
    decoder.reset([3, 1])

    payloads, lengths = encoder.encode([3], np.zeros((1, 80), np.int16))
    assert decoder.decode([3], payloads, lengths).shape == (1, 80)


@pytest.mark.parametrize(("rows", "bad"), [([0, 16], 1), ([-1, 0], 0)])
def test_row_that_is_not_in_the_bank_is_named(rows, bad, encoder):
    with pytest.raises(CodecError, match=f"frame {bad}: row {rows[bad]} is not in this bank of 16 rows"):
        encoder.encode(rows, np.zeros((2, 80), np.int16))


@pytest.mark.parametrize("rows", [[[0]], [0.5], np.zeros(1), "0"])
def test_rows_that_are_no_list_of_integers_are_refused(rows, encoder):
    with pytest.raises(CodecError, match=r"rows is .*; a list of integers is needed"):
        encoder.encode(rows, np.zeros((1, 80), np.int16))


def test_frame_of_a_wrong_length_is_named_and_nothing_is_decoded(decoder, law):
    out = np.full((3, 80), 7, np.int16)
    lengths = np.array([80, 80, 79], np.int32)

    with pytest.raises(CodecError, match=f"frame 2: 79 bytes, but a {law} frame has 80") as raised:
        decoder.decode([0, 1, 2], np.zeros((3, 80), np.uint8), lengths, out=out)

    assert raised.value.frame == 2
    assert np.all(out == 7)


@pytest.mark.parametrize("length", [-2, 1, 81, 2**31 - 1, -(2**31)])
def test_lengths_that_no_frame_has_are_refused(length, decoder):
    with pytest.raises(CodecError, match=f"frame 0: {length} bytes"):
        decoder.decode([0], np.zeros((1, 80), np.uint8), np.array([length], np.int32))


def test_samples_that_do_not_match_the_rows_are_refused(encoder):
    with pytest.raises(CodecError, match=r"pcm is int16 \[2, 80\]; int16 \[3, 80\] is needed"):
        encoder.encode([0, 1, 2], np.zeros((2, 80), np.int16))


def test_lengths_of_another_type_are_refused(decoder):
    with pytest.raises(CodecError, match=r"lengths is int64 \[1\]; int32 \[1\] is needed"):
        decoder.decode([0], np.zeros((1, 80), np.uint8), np.array([80]))


def test_out_that_cannot_be_written_is_refused(decoder):
    out = np.zeros((1, 80), np.int16)
    out.flags.writeable = False

    with pytest.raises(CodecError, match="out is read-only or not C-contiguous"):
        decoder.decode([0], np.zeros((1, 80), np.uint8), _full(1), out=out)


def test_out_that_is_not_contiguous_is_refused(decoder):
    out = np.zeros((2, 160), np.int16)[:, ::2]

    with pytest.raises(CodecError, match="out is read-only or not C-contiguous"):
        decoder.decode([0, 1], np.zeros((2, 80), np.uint8), _full(2), out=out)
