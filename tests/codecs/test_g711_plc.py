"""Appendix I against the four outputs of ITU-T G.191, and the C kernel against its twin on all that is heard."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicecodecs import CodecError, Concealer, Decoder, Encoder, decode_frames

_VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "g711-plc"
_ERASED = 0x6B20
_DELAY = Concealer.DELAY_SAMPLES

# SHA-256 of what 200 frames of each signal below sound like (int16, little-endian) when every 3rd, 4th and 5th of
# 13 frames is lost.  Computed here, by code whose output is equal to the vectors of G.191.
_HEARD_SHA256 = {
    "speech": "ac94d5f81b735b3a0da5190799331d09c464404f83caecbce0fc0ce9a958bb69",
    "tone": "c5e392d3afcab367b0a420f96d09e400edffa3c426b033f4f94fc69d785e7de0",
    "clipping": "0d0c5f2577d419b71033824c2349e96e04ea0f81c81feb6f5df20559f40adc5e",
    "noise": "aa85b314a028b11c33843a83b17e0b101eeb079f640b3b590634fb9d43102487",
}


def _signal(kind: str, n_frames: int, seed: int = 1) -> np.ndarray:
    """Make int16 [n_frames, 80] of whole-number arithmetic: the same bits on every machine."""
    at = np.arange(n_frames * 80)
    mixed = (at + seed * 7919) * 2654435761 % 2**32
    noise = (mixed ^ mixed >> 15) * 73244475 % 2**32 // 2**16 - 32768
    period = 45 + at // 1600 * 7 % 70  # glides like a voice
    made = {
        "silence": at * 0,
        "speech": (at % period - period // 2) * 300 * (1 + at // 800 % 3) // 2 + noise // 64,
        "tone": abs(at % 73 - 36) * 500 - 9000,
        "clipping": np.where(at // 37 % 2, 32767, -32768),
        "noise": noise,
        "faint": noise // 16384,
    }
    return made[kind].clip(-32768, 32767).astype(np.int16).reshape(n_frames, 80)


_KINDS = ["silence", "speech", "tone", "clipping", "noise", "faint"]


def _concealed(pcm: np.ndarray, lost: np.ndarray, implementation: str = "native") -> np.ndarray:
    """Run frames int16 [n, 80] through one new row."""
    heard = pcm.copy()
    Concealer(implementation=implementation).process(np.zeros(len(pcm), int), heard, lost)
    return heard


@pytest.mark.vectors
@pytest.mark.parametrize(("pattern", "output"), [("fe10", "f2_10"), ("fe10_2", "f2_10_2")])
@pytest.mark.parametrize("muting", [False, True])
def test_output_is_that_of_g191(pattern, output, muting, implementation):
    """Its program drops the delay at the beginning and makes up for it at the end; "m" is its option -noplc."""
    if not _VECTORS.is_dir():
        pytest.skip("the standards' conformance data is not in ../shared/vectors")
    pcm = np.fromfile(_VECTORS / "f2.le", "<i2").astype(np.int16).reshape(-1, 80)
    lost = np.resize(np.fromfile(_VECTORS / f"{pattern}.g192", "<u2") == _ERASED, len(pcm))
    if muting:
        pcm[lost], lost = 0, np.zeros_like(lost)

    heard = _concealed(np.vstack([pcm, pcm[:1] * 0]), np.append(lost, [False]), implementation)

    expected = np.fromfile(_VECTORS / f"{output}{'m' if muting else ''}.raw", "<i2")
    assert np.array_equal(heard.reshape(-1)[_DELAY:][: pcm.size], expected)


@pytest.mark.parametrize("kind", _HEARD_SHA256)
def test_signals_of_our_own_sound_as_recorded(kind, implementation):
    lost = np.isin(np.arange(200) % 13, [3, 4, 5])

    heard = _concealed(_signal(kind, 200), lost, implementation)

    assert sha256(heard.astype("<i2").tobytes()).hexdigest() == _HEARD_SHA256[kind]


@given(kind=st.sampled_from(_KINDS), lost=st.lists(st.booleans(), max_size=40), seed=st.integers(0, 99))
def test_both_implementations_conceal_alike(kind, lost, seed):
    pcm = _signal(kind, len(lost), seed)

    native = _concealed(pcm, np.array(lost, bool), "native")

    assert native.tolist() == _concealed(pcm, np.array(lost, bool), "reference").tolist()


@settings(max_examples=50)
@given(samples=st.binary(min_size=800, max_size=800), lost=st.lists(st.booleans(), min_size=25, max_size=25))
def test_both_implementations_conceal_any_samples_alike(samples, lost):
    pcm = np.resize(np.frombuffer(samples, np.int16), (25, 80))

    native = _concealed(pcm, np.array(lost), "native")

    assert native.tolist() == _concealed(pcm, np.array(lost), "reference").tolist()


@pytest.mark.parametrize("n_lost", range(1, 12))
@pytest.mark.parametrize("kind", _KINDS)
def test_both_implementations_come_back_alike_after_any_length_of_loss(kind, n_lost):
    lost = np.arange(30) // n_lost == 10 // n_lost
    pcm = _signal(kind, 30)

    assert _concealed(pcm, lost).tolist() == _concealed(pcm, lost, "reference").tolist()


@pytest.mark.parametrize("kind", _KINDS)
def test_without_loss_everything_is_heard_thirty_samples_later(kind, implementation):
    pcm = _signal(kind, 10)

    heard = _concealed(pcm, np.zeros(10, bool), implementation).reshape(-1)

    assert heard[:_DELAY].tolist() == [0] * _DELAY
    assert heard[_DELAY:].tolist() == pcm.reshape(-1)[:-_DELAY].tolist()


def test_after_sixty_lost_milliseconds_there_is_silence(implementation):
    lost = np.arange(20) >= 8

    heard = _concealed(_signal("tone", 20), lost, implementation).reshape(-1)[_DELAY:]

    assert heard[13 * 80 : 14 * 80].any()
    assert not heard[14 * 80 :].any()


@given(cuts=st.lists(st.integers(0, 60), max_size=5), seed=st.integers(0, 9), data=st.data())
def test_any_order_of_rows_and_any_chunking_sound_alike(cuts, seed, data):
    rows = np.array(data.draw(st.lists(st.integers(0, 7), max_size=60)), int)
    lost = np.random.default_rng(seed).random(rows.size) < 0.3
    pcm = _signal("speech", rows.size, seed)
    bank = Concealer(rows=8)

    heard = pcm.copy()
    for a, b in pairwise([0, *sorted(min(cut, rows.size) for cut in cuts), rows.size]):
        bank.process(rows[a:b], heard[a:b], lost[a:b])

    for row in range(8):
        own = rows == row
        assert heard[own].tolist() == _concealed(pcm[own], lost[own]).tolist()


@pytest.mark.parametrize("target", ["native", "reference"])
@pytest.mark.parametrize("moved_at", [9, 10, 11, 12, 13, 17, 18, 21])
def test_a_row_that_moves_is_heard_as_if_it_had_stayed(moved_at, target, implementation):
    pcm, lost = _signal("speech", 30), np.isin(np.arange(30), [10, 11, 12, 13, 14, 15, 16, 17, 20])
    expected = _concealed(pcm, lost)
    before, after = Concealer(rows=3, implementation=implementation), Concealer(2, implementation=target)

    heard = pcm.copy()
    before.process([2] * moved_at, heard[:moved_at], lost[:moved_at])
    after.restore([1], before.snapshot([2]))
    after.process([1] * (30 - moved_at), heard[moved_at:], lost[moved_at:])

    assert heard.tolist() == expected.tolist()


def test_reset_row_is_a_new_call(implementation):
    pcm, lost = _signal("tone", 20), np.arange(20) % 4 == 3
    bank = Concealer(implementation=implementation)
    bank.process([0] * 20, _signal("noise", 20), lost)

    bank.reset([0])
    heard = pcm.copy()
    bank.process([0] * 20, heard, lost)

    assert heard.tolist() == _concealed(pcm, lost).tolist()


@given(noise=st.binary(min_size=20, max_size=20), at=st.integers(0, 1644), seed=st.integers(0, 9))
def test_both_implementations_agree_on_what_a_state_can_be_and_go_on_alike(noise, at, seed):
    pcm, lost = _signal("speech", 12, seed), np.random.default_rng(seed).random(12) < 0.6
    source = Concealer()
    source.process([0] * 12, pcm.copy(), lost)
    states = source.snapshot([0])
    states[0, at : at + 20] = np.frombuffer(noise, np.uint8)
    results = []

    for implementation in ("native", "reference"):
        bank, heard = Concealer(implementation=implementation), pcm.copy()
        with suppress(CodecError):
            bank.restore([0], states)
        bank.process([0] * 12, heard, lost)
        results.append(heard.tolist())

    assert results[0] == results[1]


def test_states_of_which_one_cannot_be_are_refused_whole(implementation):
    pcm = _signal("tone", 4)
    bank = Concealer(2, implementation=implementation)
    states = bank.snapshot([0, 1])
    states[0, :200] = 1
    states[1] = 0xFF

    with pytest.raises(CodecError, match="frame 1: this is not a state that a call can have"):
        bank.restore([0, 1], states)

    heard = pcm.copy()
    bank.process([0] * 4, heard, np.zeros(4, bool))
    assert heard.tolist() == _concealed(pcm, np.zeros(4, bool)).tolist()


def test_a_g711_decoder_that_conceals_is_a_decoder_and_a_concealer(law, implementation):
    payloads, lengths = Encoder(law).encode([0] * 30, _signal("speech", 30))
    lengths[[4, 11, 12, 20]] = -1
    pcm = Decoder(law).decode([0] * 30, payloads, lengths)

    heard = Decoder(law, implementation=implementation, conceal=True).decode([0] * 30, payloads, lengths)

    assert heard.tolist() == _concealed(pcm, lengths < 0).tolist()


def test_a_decoder_that_conceals_plays_what_was_not_transmitted_as_silence(law, implementation):
    loud = bytes(80)

    heard = decode_frames([loud, b"", None, None], law, implementation=implementation, conceal=True)

    assert heard[_DELAY : 80 + _DELAY].all()
    assert abs(heard[80 + _DELAY : 160]).max() <= 8  # the A-law has no zero


def test_a_frame_of_a_wrong_length_changes_no_state(law, implementation):
    bank = Decoder(law, implementation=implementation, conceal=True)
    before = bank.snapshot([0])

    with pytest.raises(CodecError, match="frame 1: 79 bytes"):
        bank.decode([0, 0], np.zeros((2, 80), np.uint8), np.array([80, 79], np.int32))

    assert bank.snapshot([0]).tolist() == before.tolist()


def test_a_decoder_row_moves_between_banks(law, implementation):
    payloads, lengths = Encoder(law).encode([0] * 10, _signal("speech", 10))
    lengths[5:] = -1
    expected = Decoder(law, conceal=True).decode([0] * 10, payloads, lengths)
    before = Decoder(law, 4, implementation=implementation, conceal=True)
    after = Decoder(law, 2, implementation=implementation, conceal=True)

    first = before.decode([3] * 6, payloads[:6], lengths[:6])
    after.restore([0], before.snapshot([3]))
    second = after.decode([0] * 4, payloads[6:], lengths[6:])

    assert np.vstack([first, second]).tolist() == expected.tolist()


def test_banks_without_state_have_snapshots_of_nothing(law):
    for bank in (Encoder(law, 3), Decoder(law, 3)):
        states = bank.snapshot([0, 2])

        bank.restore([1, 2], states)

        assert states.shape == (2, 0)


@pytest.mark.parametrize(
    ("rows", "pcm", "lost", "said"),
    [
        ([0], np.zeros((1, 160), np.int16), np.zeros(1, bool), r"pcm is int16 \[1, 160\]; int16 \[1, 80\]"),
        ([0], np.zeros((1, 80), np.int16), np.zeros(1, int), r"lost is int64 \[1\]; bool \[1\]"),
        ([0], np.zeros((1, 160), np.int16)[:, ::2], np.zeros(1, bool), "pcm is read-only or not C-contig"),
        ([4], np.zeros((1, 80), np.int16), np.zeros(1, bool), "row 4 is not in this bank of 4 rows"),
    ],
)
def test_concealer_refuses_what_does_not_fit(rows, pcm, lost, said, implementation):
    with pytest.raises(CodecError, match=said):
        Concealer(4, implementation=implementation).process(rows, pcm, lost)


def test_concealer_is_for_eight_kilohertz():
    with pytest.raises(CodecError, match="concealment at 16000 Hz"):
        Concealer(rate_hz=16000)


def test_states_of_another_size_are_refused():
    with pytest.raises(CodecError, match=r"states is uint8 \[1, 3\]; uint8 \[1, 1664\] is needed"):
        Concealer().restore([0], np.zeros((1, 3), np.uint8))
