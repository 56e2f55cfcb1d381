"""A bank of rows: batches, modes, losses, states that move."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecodecs import CodecError, Decoder, Encoder, codec, decode_frames, encode_frames

_ROWS = 5
_TONE = (9000 * np.sin(np.arange(2400) / 7) * np.sin(np.arange(2400) / 130)).astype(np.int16)


def _noise(n_frames: int, samples: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 4000, (n_frames, samples)).astype(np.int16)


def _payloads(frames: list[bytes | None], width: int) -> tuple[np.ndarray, np.ndarray]:
    padded = b"".join((frame or b"").ljust(width, b"\0") for frame in frames)
    lengths = [-1 if frame is None else len(frame) for frame in frames]
    return np.frombuffer(padded, np.uint8).reshape(-1, width), np.array(lengths, np.int32)


def test_facts_are_those_of_the_mode(mode_ms):
    facts = Encoder("ilbc", mode_ms=mode_ms).codec

    assert facts is Decoder("ilbc", mode_ms=mode_ms).codec is codec("iLBC", mode_ms=mode_ms)
    assert (facts.frame_ms, facts.frame_samples, facts.frame_bytes) == (
        mode_ms,
        8 * mode_ms,
        {20: 38, 30: 50}[mode_ms],
    )
    assert (facts.sdp_name, facts.payload_type, facts.rate_hz) == ("iLBC", None, 8000)


def test_mode_is_30_ms_where_none_is_named():
    """RFC 3952 section 5."""
    assert codec("ilbc").frame_ms == Encoder("ilbc").codec.frame_ms == 30


@pytest.mark.parametrize("mode", [0, 10, 25, True])
def test_there_are_no_other_modes(mode):
    with pytest.raises(CodecError, match=f"mode_ms={mode!r}: ilbc has 30 or 20"):
        Encoder("ilbc", mode_ms=mode)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.lists(st.integers(0, _ROWS - 1), max_size=24),
    cuts=st.lists(st.integers(0, 24), max_size=4),
    mode_ms=st.sampled_from([20, 30]),
)
def test_any_chunking_of_a_batch_codes_alike(rows, cuts, mode_ms):
    pcm = _noise(len(rows), 8 * mode_ms)
    edges = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    encoder, decoder = (make("ilbc", _ROWS, mode_ms=mode_ms) for make in (Encoder, Decoder))
    payloads, lengths = encoder.encode(rows, pcm)
    heard = decoder.decode(rows, payloads, lengths)

    encoder, decoder = (make("ilbc", _ROWS, mode_ms=mode_ms) for make in (Encoder, Decoder))
    for a, b in pairwise(edges):
        part, part_lengths = encoder.encode(rows[a:b], pcm[a:b])
        assert part.tolist() == payloads[a:b].tolist()
        assert decoder.decode(rows[a:b], part, part_lengths).tolist() == heard[a:b].tolist()


def test_order_of_rows_does_not_matter(mode_ms):
    payloads, lengths = Encoder("ilbc", _ROWS, mode_ms=mode_ms).encode(
        range(_ROWS), _noise(_ROWS, 8 * mode_ms)
    )
    lengths[2] = -1
    order = np.array([3, 1, 4, 0, 2])

    in_order = Decoder("ilbc", _ROWS, mode_ms=mode_ms).decode(range(_ROWS), payloads, lengths)
    shuffled = Decoder("ilbc", _ROWS, mode_ms=mode_ms).decode(order, payloads[order], lengths[order])

    assert shuffled.tolist() == in_order[order].tolist()


def test_frame_of_the_shorter_mode_is_decoded_whatever_was_agreed(implementation):
    frames = encode_frames(_TONE, "ilbc", mode_ms=20)[:3]
    payloads, lengths = _payloads(frames, 50)

    pcm = Decoder("ilbc", implementation=implementation).decode([0, 0, 0], payloads, lengths)

    assert pcm[:, :160].reshape(-1).tolist() == decode_frames(frames, "ilbc").tolist()
    assert not pcm[:, 160:].any()


def test_row_that_changes_its_mode_starts_anew(implementation):
    long, short = encode_frames(_TONE, "ilbc"), encode_frames(_TONE, "ilbc", mode_ms=20)
    payloads, lengths = _payloads([long[0], short[4], short[5], long[4]], 50)

    pcm = Decoder("ilbc", implementation=implementation).decode([0] * 4, payloads, lengths)

    assert pcm[1:3, :160].reshape(-1).tolist() == decode_frames(short[4:6], "ilbc").tolist()
    assert pcm[3].tolist() == decode_frames(long[4:5], "ilbc").tolist()


def test_lost_frame_lasts_as_long_as_the_one_before(implementation):
    frames = [
        *encode_frames(_TONE, "ilbc", mode_ms=20)[:2],
        None,
        *encode_frames(_TONE, "ilbc")[:2],
        None,
        b"",
    ]

    pcm = decode_frames(frames, "ilbc", implementation=implementation)

    assert pcm.size == 3 * 160 + 4 * 240


def test_losses_before_the_first_frame_are_of_its_mode():
    assert decode_frames([None, None, *encode_frames(_TONE, "ilbc", mode_ms=20)[:1]], "ilbc").size == 3 * 160


def test_losses_alone_are_of_the_mode_agreed(mode_ms):
    pcm = decode_frames([None, None], "ilbc", mode_ms=mode_ms)

    assert pcm.size == 2 * 8 * mode_ms
    assert not pcm.any()


def test_concealment_sounds_like_what_was_before(implementation, mode_ms):
    frames = encode_frames(_TONE, "ilbc", mode_ms=mode_ms)
    whole = decode_frames(frames, "ilbc", implementation=implementation)
    frames[5] = None

    gap = slice(5 * 8 * mode_ms, 6 * 8 * mode_ms)
    concealed = decode_frames(frames, "ilbc", implementation=implementation)[gap].astype(float)

    assert 0.3 < np.sum(concealed**2) / np.sum(whole[gap].astype(float) ** 2) < 2


@pytest.mark.parametrize("damage", ["empty", "no start state", "impossible vector"])
def test_damaged_frame_is_concealed_as_a_lost_one(damage, implementation):
    frames = encode_frames(_TONE, "ilbc", mode_ms=20)
    damaged = bytearray(frames[5])
    match damage:
        case "empty":
            damaged[-1] |= 1
        case "no start state":
            damaged[2] &= 0xF3
        case "impossible vector":  # the first is 0x7E or 0x7F, one of 126 there are
            damaged[3:5] = [damaged[3] | 0x07, damaged[4] | 0xE0]
    lost = [*frames[:5], None, *frames[6:]]

    heard = decode_frames([*frames[:5], bytes(damaged), *frames[6:]], "ilbc", implementation=implementation)

    assert heard.tolist() == decode_frames(lost, "ilbc", implementation=implementation).tolist()


def test_frame_of_no_mode_is_named_and_nothing_is_decoded(implementation):
    decoder = Decoder("ilbc", 2, implementation=implementation)
    out = np.full((2, 240), 7, np.int16)
    lengths = np.array([50, 49], np.int32)

    with pytest.raises(CodecError, match="frame 1: 49 bytes, but an ilbc frame has 50 or 38"):
        decoder.decode([0, 1], np.zeros((2, 50), np.uint8), lengths, out=out)

    assert np.all(out == 7)


def test_list_with_a_frame_of_no_mode_names_it():
    with pytest.raises(CodecError, match="frame 2: 3 bytes, but an ilbc frame has 50 or 38"):
        decode_frames([bytes(38), None, b"abc"], "ilbc")


def test_rows_go_on_in_another_bank(mode_ms):
    frames = encode_frames(_TONE, "ilbc", mode_ms=mode_ms)
    frames[3] = None
    facts = codec("ilbc", mode_ms=mode_ms)
    payloads, lengths = _payloads(frames, facts.frame_bytes)
    rows = np.zeros(len(frames), np.intp)
    first, second = Decoder("ilbc", 1, mode_ms=mode_ms), Decoder("ilbc", 3, mode_ms=mode_ms)
    begun = first.decode(rows[:4], payloads[:4], lengths[:4])

    second.restore([2], first.snapshot([0]))

    went_on = second.decode(rows[4:] + 2, payloads[4:], lengths[4:])
    heard = np.concatenate([begun, went_on]).reshape(-1)
    assert heard.tolist() == decode_frames(frames, "ilbc", mode_ms=mode_ms).tolist()


def test_states_that_no_call_can_have_are_refused():
    decoder = Decoder("ilbc", 2)
    states = decoder.snapshot([0, 1]).copy()
    states[1] = 0x55

    with pytest.raises(CodecError):
        decoder.restore([0, 1], states)


def test_reset_row_is_as_new(implementation, mode_ms):
    frame = encode_frames(_TONE, "ilbc", mode_ms=mode_ms)[3]
    payloads, lengths = _payloads([frame], len(frame))
    decoder = Decoder("ilbc", 1, implementation=implementation, mode_ms=mode_ms)
    first = decoder.decode([0], payloads, lengths)

    decoder.reset([0])

    assert decoder.decode([0], payloads, lengths).tolist() == first.tolist()
