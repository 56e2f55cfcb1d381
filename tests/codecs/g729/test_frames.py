"""G.729 through the library's face: speech, SID and untransmitted frames, losses, options, banks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecodecs import CodecError, Decoder, Encoder, codec, decode_frames, encode_frames

_ROWS = 6
_T = np.arange(80 * 60)
_SPEECHLIKE = (
    9000 * np.sin(_T / 9) * np.sin(_T / 500) ** 2 + np.random.default_rng(1).normal(0, 15, _T.size)
).astype(np.int16)


def _noise(n_frames, level=4000, seed=1):
    return np.random.default_rng(seed).normal(0, level, (n_frames, 80)).astype(np.int16)


def _payloads(frames):
    padded = b"".join((frame or b"").ljust(10, b"\0") for frame in frames)
    lengths = [-1 if frame is None else len(frame) for frame in frames]
    return np.frombuffer(padded, np.uint8).reshape(-1, 10), np.array(lengths, np.int32)


def test_codec_shows_the_face_of_rfc_3551():
    found = codec("G729")

    assert (found.name, found.sdp_name, found.payload_type, found.rate_hz) == ("g729", "G729", 18, 8000)
    assert (found.frame_ms, found.frame_samples, found.frame_bytes, found.sid_bytes) == (10, 80, 10, 2)


def test_every_frame_is_ten_bytes_without_annexb(implementation):
    frames = encode_frames(np.zeros(800, np.int16), "g729", implementation=implementation)

    assert [len(frame) for frame in frames] == [10] * 10


def test_noise_is_described_now_and_then_with_annexb(implementation):
    pcm = np.concatenate([_SPEECHLIKE[:2400], np.zeros(2400, np.int16)])

    lengths = [len(frame) for frame in encode_frames(pcm, "g729", annexb=True, implementation=implementation)]

    assert set(lengths) == {10, 2, 0}
    assert lengths[-10:].count(10) == 0


def test_samples_after_the_last_whole_frame_are_dropped(implementation):
    pcm = _SPEECHLIKE[:400]

    frames = encode_frames(_SPEECHLIKE[:479], "g729", implementation=implementation)

    assert frames == encode_frames(pcm, "g729", implementation=implementation)


def test_decoded_speech_has_about_the_level_of_the_source(implementation):
    pcm = _SPEECHLIKE[:3200]

    heard = decode_frames(encode_frames(pcm, "g729"), "g729", implementation=implementation)

    assert np.std(heard[800:].astype(float)) == pytest.approx(np.std(pcm[800:].astype(float)), rel=0.2)


def test_untransmitted_frames_after_a_sid_are_noise_and_not_silence(implementation):
    sid = bytes([0x34, 0x40 | 15 << 1])  # a gain of 401

    pcm = decode_frames([sid, *[b""] * 20], "g729", implementation=implementation)

    assert np.any(pcm[-80:])


def test_lost_frames_fade(implementation):
    frames = encode_frames(_SPEECHLIKE[:1600], "g729")

    pcm = decode_frames([*frames, *[None] * 60], "g729", implementation=implementation)

    assert np.abs(pcm[-400:]).max() < 0.2 * np.abs(pcm[:1600]).max()


@pytest.mark.parametrize("n_bytes", [1, 3, 9, 11, 20])
def test_frame_of_a_wrong_length_is_named(n_bytes, implementation):
    with pytest.raises(CodecError, match=f"frame 1: {n_bytes} bytes, but a g729 frame has 10 or 2"):
        decode_frames([bytes(10), bytes(n_bytes)], "g729", implementation=implementation)


def test_annexb_is_true_or_false(implementation):
    with pytest.raises(CodecError, match="annexb=2: True or False is needed"):
        Encoder("g729", annexb=2, implementation=implementation)


def test_decoder_needs_not_be_told_of_annexb():
    with pytest.raises(CodecError, match="a g729 decoder takes no options; annexb was given"):
        Decoder("g729", annexb=True)


@settings(deadline=None, max_examples=50)
@given(
    rows=st.lists(st.integers(0, _ROWS - 1), max_size=30),
    cuts=st.lists(st.integers(0, 30), max_size=4),
    seed=st.integers(0, 9),
)
def test_any_chunking_of_a_batch_codes_alike(rows, cuts, seed):
    pcm = _noise(len(rows), seed=seed)
    encoder, decoder = Encoder("g729", _ROWS, annexb=True), Decoder("g729", _ROWS)
    payloads, lengths = encoder.encode(rows, pcm)
    heard = decoder.decode(rows, payloads, lengths)

    encoder.reset(range(_ROWS))
    decoder.reset(range(_ROWS))
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    encoded = [encoder.encode(rows[a:b], pcm[a:b]) for a, b in pairwise(edges)]
    decoded = [decoder.decode(rows[a:b], payloads[a:b], lengths[a:b]) for a, b in pairwise(edges)]

    assert np.concatenate([part for part, _ in encoded]).tolist() == payloads.tolist()
    assert np.concatenate([part for _, part in encoded]).tolist() == lengths.tolist()
    assert np.concatenate(decoded).tolist() == heard.tolist()


@settings(deadline=None, max_examples=50)
@given(order=st.permutations(range(_ROWS)))
def test_order_of_rows_does_not_matter(order):
    order = np.array(order)
    sources = [_noise(8, level=level) for level in (0, 3, 100, 1000, 8000, 30000)]
    ordered, shuffled = Encoder("g729", _ROWS, annexb=True), Encoder("g729", _ROWS, annexb=True)
    for frame in range(8):
        pcm = np.array([source[frame] for source in sources])
        payloads, lengths = ordered.encode(range(_ROWS), pcm)

        again, lengths_again = shuffled.encode(order, pcm[order])

        assert lengths_again.tolist() == lengths[order].tolist()
        assert again.tolist() == payloads[order].tolist()


def test_batch_is_as_many_single_calls(implementation):
    frames = [bytes(range(k, k + 10)) for k in range(12)]
    payloads, lengths = _payloads(frames)
    bank = Decoder("g729", rows=2, implementation=implementation)

    pcm = bank.decode([0, 1] * 6, payloads, lengths)

    for row in (0, 1):
        alone = decode_frames(frames[row::2], "g729", implementation=implementation)
        assert pcm[row::2].reshape(-1).tolist() == alone.tolist()


def test_batch_with_a_bad_length_decodes_nothing():
    decoder = Decoder("g729", rows=2)
    payloads, lengths = _payloads([bytes(10), bytes(10)])
    with pytest.raises(CodecError, match="frame 1: 5 bytes"):
        decoder.decode([0, 1], payloads, np.array([10, 5], np.int32))

    pcm = decoder.decode([0, 1], payloads, lengths)

    assert pcm.tolist() == Decoder("g729", rows=2).decode([0, 1], payloads, lengths).tolist()


def test_reset_row_is_a_new_call_and_the_others_go_on(implementation):
    encoder = Encoder("g729", rows=2, implementation=implementation)
    pcm = _noise(2)
    first, _ = encoder.encode([0, 1], pcm)
    encoder.reset([1])

    again, _ = encoder.encode([0, 1], pcm)

    assert again[1].tolist() == first[1].tolist()
    assert again[0].tolist() != first[0].tolist()


def test_call_goes_on_in_another_bank_as_if_nothing_had_happened():
    pcm = _SPEECHLIKE.reshape(-1, 80)
    stayed, left, joined = (Encoder("g729", rows=3, annexb=True) for _ in range(3))
    heard, heard_left, heard_joined = (Decoder("g729", rows=3) for _ in range(3))
    for frame in pcm[:20]:
        stayed.encode([1], frame[None])
        payloads, lengths = left.encode([1], frame[None])
        heard.decode([1], payloads, lengths)
        heard_left.decode([1], payloads, lengths)

    joined.restore([2], left.snapshot([1]))
    heard_joined.restore([0], heard_left.snapshot([1]))

    for frame in pcm[20:40]:
        payloads, lengths = stayed.encode([1], frame[None])
        moved, moved_lengths = joined.encode([2], frame[None])
        assert (moved.tolist(), moved_lengths.tolist()) == (payloads.tolist(), lengths.tolist())
        pcm_stayed = heard.decode([1], payloads, lengths)
        assert heard_joined.decode([0], payloads, lengths).tolist() == pcm_stayed.tolist()


@pytest.mark.parametrize("make", [Encoder, Decoder])
def test_bytes_that_are_no_state_are_refused(make):
    bank = make("g729", rows=2)
    states = bank.snapshot([0, 1])
    states[1] = 0xFF

    with pytest.raises(CodecError, match="frame 1: this is not a state that a call can have"):
        bank.restore([0, 1], states)
